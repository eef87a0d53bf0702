# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Raw samples of TI radars: recorded frames, layouts, the DCA1000's stream with losses, and what is wrong in a description."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ti_bytes import CHIRP, FRAME_BYTES, cube_of, four_lanes, samples, two_lanes, write_chirp

from aegis.core.params import ConfigError
from aegis.drivers.frames import CubeFrame
from aegis.drivers.ti_chirp import ChirpConfig
from aegis.drivers.ti_raw import CubeMaker, RecordingParser, TiRaw, TiRawSettings

C = 299_792_458.0


def driver(tmp_path, source="udp", path="", board_setting="", **chirp) -> TiRaw:
    values = {
        "driver": "ti_raw",
        "source": source,
        "path": str(path),
        "board": board_setting,
        **write_chirp(tmp_path, **chirp),
    }
    return TiRaw(TiRawSettings.load(values))


def frames_of(driver: TiRaw) -> list[CubeFrame]:
    """Read a recording to its end."""
    out: list[CubeFrame] = []
    with driver:
        for _ in range(100):
            try:
                out += driver.poll()
            except EOFError:
                return out
    pytest.fail("no end of the recording")


# The chirps of OpenRadar's notebook for its recordings; it says nothing of the ADC's start, TI's usual 6 us is assumed.
OPENRADAR = {
    "start_frequency_ghz": 77.4201,
    "slope_mhz_us": 60.0,
    "samples": 128,
    "loops": 128,
    "frame_period_ms": 0.0,
}


class TestRecordings:
    def test_one_target_at_2_m_that_comes_nearer(self, shared_data, tmp_path):
        recording = shared_data / "openradar_adc" / "simple_frame_1.npy"
        self.assert_one_target_comes_nearer(driver(tmp_path, "npy", recording, **OPENRADAR), 128, 128)

    def test_one_target_of_the_trimmed_recording_comes_nearer(self, small_data, tmp_path):
        pairs = np.load(small_data / "openradar.npy").astype(float)  # 48 chirps of 64 samples, as unsigned 16 bits
        np.save(tmp_path / "frame.npy", pairs[..., 0] + 1j * pairs[..., 1])  # as the whole recording is
        changes = OPENRADAR | {"samples": 64, "loops": 48}
        self.assert_one_target_comes_nearer(driver(tmp_path, "npy", tmp_path / "frame.npy", **changes), 64, 48)

    def assert_one_target_comes_nearer(self, recorded, samples, chirps):
        """Look for the strongest one that moves in the only frame."""
        (frame,) = frames_of(recorded)
        wave, iq = frame.waveform, frame.data.astype(float)
        assert frame.data.shape == (samples, chirps, 1, 2)
        assert frame.sensor_time_ns is None
        window = np.hanning(samples)[:, None] * np.hanning(chirps)
        spectrum = np.fft.fft2((iq[:, :, 0, 0] + 1j * iq[:, :, 0, 1]) * window, axes=(0, 1))
        power = np.abs(np.fft.fftshift(spectrum, axes=1)) ** 2
        still = chirps // 2
        power[:, still - 2 : still + 3] = 0.0  # what stands still
        beat, doppler = np.unravel_index(power.argmax(), power.shape)
        range_bin = C * wave.sample_rate_hz / samples / (2 * wave.chirp_slope_hz_s)
        speed_bin = wave.range_rate_span_mps / chirps
        assert beat < samples // 2, "a positive beat frequency: the sign of cube.py where the slope is positive"
        assert beat * range_bin == pytest.approx(2.00, abs=range_bin / 2)
        assert (doppler - still) * speed_bin == pytest.approx(-0.66, abs=speed_bin / 2)

    @pytest.mark.parametrize(("name", "n"), [("simple_frame_1", 128), ("doppler_example", 256)])
    def test_samples_are_those_of_the_file_with_their_sign(self, shared_data, tmp_path, name, n):
        path = shared_data / "openradar_adc" / f"{name}.npy"
        changes = OPENRADAR | {"samples": n, "ramp_end_us": 120.0}
        (frame,) = frames_of(driver(tmp_path, "npy", path, **changes))
        saved = np.load(path)
        signed = np.where(saved.real >= 32768, saved.real - 65536, saved.real)
        assert np.array_equal(frame.data[:, :, 0, 0].T, signed)
        assert frame.data.min() < 0 < frame.data.max()

    def test_several_npy_frames_of_all_channels(self, tmp_path):
        data = samples(3)
        unsigned = data.view(np.uint16).astype(float)
        complex_frames = (unsigned[..., 0] + 1j * unsigned[..., 1]).reshape(3, 8, 4, 8)
        np.save(tmp_path / "frames.npy", complex_frames)
        frames = frames_of(driver(tmp_path, "npy", tmp_path / "frames.npy"))
        assert len(frames) == 3
        for frame, expected in zip(frames, data, strict=True):
            assert np.array_equal(frame.data, cube_of(expected))

    @pytest.mark.parametrize(
        ("bad", "reason"), [(40_000j - 40_000, "beyond 16 bits"), (np.inf, "beyond 16 bits"), (0.5, "whole numbers")]
    )
    def test_values_that_no_adc_gives_are_refused(self, tmp_path, bad, reason):
        array = np.zeros((2, 8, 4, 8), complex)
        array[0, 3, 2, 1] = bad
        np.save(tmp_path / "frames.npy", array)
        with_one = driver(tmp_path, "npy", tmp_path / "frames.npy")
        assert len(frames_of(with_one)) == 1
        assert [count for text, count in with_one.refused.items() if reason in text] == [1]

    @pytest.mark.parametrize(
        ("array", "says"),
        [
            (np.zeros((8, 4, 9), complex), r"\(8, 4, 9\).*\(8, 4, 8\)"),
            (np.zeros((8, 4, 8)), "float64"),
            (np.zeros((8, 8), complex), r"\(8, 8\).*\(4, 8\)"),
            (np.zeros(0, complex), "empty"),
            (np.array({"a": 1}, dtype=object), "no .npy array"),
        ],
    )
    def test_an_array_that_does_not_fit_is_named(self, tmp_path, array, says):
        np.save(tmp_path / "frames.npy", array, allow_pickle=True)
        with pytest.raises(ConfigError, match=says):
            driver(tmp_path, "npy", tmp_path / "frames.npy")

    def test_a_bin_file_that_ends_in_a_frame(self, tmp_path):
        data = samples(2)
        (tmp_path / "adc.bin").write_bytes(two_lanes(data)[:-6])
        recording = driver(tmp_path, "bin", tmp_path / "adc.bin")
        (frame,) = frames_of(recording)
        assert np.array_equal(frame.data, cube_of(data[0]))
        assert recording.refused == {"incomplete frame": 1}
        (tmp_path / "adc.bin").write_bytes(b"1234")
        with pytest.raises(ConfigError, match=f"{FRAME_BYTES}"):
            driver(tmp_path, "bin", tmp_path / "adc.bin")

    @settings(max_examples=60)
    @given(cut=st.lists(st.integers(0, 2 * FRAME_BYTES), max_size=6))
    def test_a_recording_in_any_pieces(self, cut):
        chirp = ChirpConfig.load(CHIRP)
        data = samples(2)
        stream = two_lanes(data)
        pieces = [0, *sorted(cut), len(stream)]
        reader = RecordingParser(CubeMaker(chirp, chirp.waveform(), chirp.adc_layout))
        frames = [frame for a, b in pairwise(pieces) for frame in reader.feed(stream[a:b], 1)]
        assert reader.finish() == []
        assert not reader.refused
        assert [np.array_equal(f.data, cube_of(e)) for f, e in zip(frames, data, strict=True)] == [True, True]


class TestLayouts:
    def test_two_lanes(self, tmp_path):
        data = samples(2)
        (tmp_path / "adc.bin").write_bytes(two_lanes(data))
        for frame, expected in zip(frames_of(driver(tmp_path, "bin", tmp_path / "adc.bin")), data, strict=True):
            assert np.array_equal(frame.data, cube_of(expected))
            assert frame.data.dtype == np.int16
            assert frame.data.flags.c_contiguous

    def test_q_before_i(self, tmp_path):
        data = samples()
        (tmp_path / "adc.bin").write_bytes(two_lanes(data, q_first=True))
        (frame,) = frames_of(driver(tmp_path, "bin", tmp_path / "adc.bin", sample_format="qi"))
        assert np.array_equal(frame.data, cube_of(data[0]))

    @pytest.mark.parametrize("rx", [[1, 2, 3, 4], [1, 3]])
    def test_four_lanes(self, tmp_path, rx):
        data = samples(2, rx=rx)
        (tmp_path / "adc.bin").write_bytes(four_lanes(data))
        frames = frames_of(driver(tmp_path, "bin", tmp_path / "adc.bin", adc_layout="interleaved", rx=rx))
        for frame, expected in zip(frames, data, strict=True):
            assert np.array_equal(frame.data, cube_of(expected))

    @pytest.mark.parametrize("layout", ["non_interleaved", "interleaved"])
    def test_real_samples(self, tmp_path, layout):
        data = samples()[0, ..., 0]
        order = data if layout == "non_interleaved" else data.swapaxes(2, 3)
        (tmp_path / "adc.bin").write_bytes(order.astype("<i2").tobytes())
        changes = {"sample_format": "real", "adc_layout": layout}
        (frame,) = frames_of(driver(tmp_path, "bin", tmp_path / "adc.bin", **changes))
        assert frame.data.shape == (8, 4, 8)
        for tx in range(2):
            for rx in range(4):
                assert np.array_equal(frame.data[:, :, 4 * tx + rx], data[:, tx, rx].T)

    def test_the_signal_of_a_target_has_the_signs_of_cube_py(self, tmp_path):
        """A point target, written by the dechirped signal's physics, sample by sample, is where it was put."""
        chirp = CHIRP | {"samples": 64, "loops": 32, "frame_period_ms": 0.0, "ramp_end_us": 62.0}
        config = ChirpConfig.load(chirp)
        wave = config.waveform()
        distance, speed, azimuth = 3.0, 1.2, np.radians(20.0)  # to the left
        towards = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
        t_fast = (np.arange(64) - 32) / wave.sample_rate_hz
        iq = np.empty((32, 2, 4, 64), complex)
        for loop in range(32):
            for slot in range(2):
                t = (2 * loop + slot) * 92e-6
                for rx in range(4):
                    place = wave.channel_position[4 * slot + rx]
                    tau = 2 * (distance + speed * t - place @ towards) / C
                    iq[loop, slot, rx] = np.exp(2j * np.pi * (wave.carrier_frequency_hz * tau + 60e12 * tau * t_fast))
        numbers = np.rint(np.stack([iq.real, iq.imag], -1) * 20_000).astype(np.int16)
        (tmp_path / "adc.bin").write_bytes(two_lanes(numbers))
        (frame,) = frames_of(driver(tmp_path, "bin", tmp_path / "adc.bin", **chirp))
        data = frame.data[..., 0] + 1j * frame.data[..., 1]
        spectrum = np.fft.fft2(data, axes=(0, 1))
        beat, doppler, _ = np.unravel_index(np.abs(spectrum).argmax(), spectrum.shape)
        assert beat * C * 2.5e6 / 64 / (2 * 60e12) == pytest.approx(distance, abs=0.06)
        signed = (doppler + 16) % 32 - 16
        assert signed * wave.range_rate_span_mps / 32 == pytest.approx(speed, abs=wave.range_rate_span_mps / 64)
        # Along the first transmitter's receivers, half a wavelength apart, the phase falls for a target on the left.
        step = np.angle(spectrum[beat, doppler, 1] / spectrum[beat, doppler, 0])
        assert step == pytest.approx(-np.pi * np.sin(azimuth), abs=0.02)
