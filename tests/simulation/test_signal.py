# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The raw radar against closed forms: beat, Doppler, array phase, echo power, noise; and what it is asked to be."""

import time
from typing import Any

import numpy as np
import pytest
from scipy import stats
from signal_scenes import CELL_M, FMCW, PULSE, C, direction, frames, peak, samples, scene, settings, silent, target

from aegis.core.params import ConfigError
from aegis.core.signal.cube import WaveformKind
from aegis.core.signal.equation import Radar
from aegis.simulation.points import Mode
from aegis.simulation.scenario import load_scenario, scenario_names
from aegis.simulation.settings import SimulatorSettings
from aegis.simulation.signal import SignalSimulator

# Where an echo is.


@pytest.mark.parametrize("range_m", [3.3, 12.7, 28.0])
@pytest.mark.parametrize("speed", [0.0, 6.0, -6.0])
def test_fmcw_beat_and_doppler(range_m: float, speed: float):
    radar = SignalSimulator(silent(), scene(target(at=(range_m, 0, 0), velocity=(speed, 0, 0))))
    z = samples(radar.step(0.0, 0))[:, :, 1]
    slope, wavelength = 300e6 / 6.4e-6, C / 77e9
    beat = 2 * range_m / C * slope + 2 * speed / wavelength  # range-Doppler coupling: both within one chirp
    assert peak(z[:, 16]) * 10e6 == pytest.approx(beat, abs=40.0 + abs(speed) * 20)  # half a chirp from the middle
    doppler = 2 * speed / wavelength
    assert ((peak(z[32]) * 10e3 - doppler + 5e3) % 10e3) - 5e3 == pytest.approx(0, abs=1.0)


def test_a_pulses_echo_comes_after_its_delay_with_the_other_sign_of_doppler():
    radar = SignalSimulator(silent(PULSE, bandwidth_hz=250e3), scene(target(at=(1500, 0, 0), velocity=(20, 0, 0))))
    assert radar.waveform.kind is WaveformKind.PULSE
    assert radar.waveform.chirp_slope_hz_s == 0
    z = samples(radar.step(0.0, 0))[:, :, 0]
    begin = (2 * 1500 / C - 4e-6) * 10e6  # samples begin when the pulse has been sent
    lit = np.flatnonzero(np.abs(z[:, 16]) > 0.5 * np.abs(z).max())
    assert lit[0] == np.ceil(begin)
    assert len(lit) == 40
    doppler = -2 * 20 / (C / 9.4e9)
    assert ((peak(z[lit[20]]) * 10e3 - doppler + 5e3) % 10e3) - 5e3 == pytest.approx(0, abs=1.0)


def test_a_modulated_pulse_compresses():
    radar = SignalSimulator(silent(PULSE), scene(target(at=(1500, 0, 0))))
    assert radar.waveform.chirp_slope_hz_s == pytest.approx(5e6 / 4e-6)
    z = samples(radar.step(0.0, 0))[:, 16, 0]
    t = (np.arange(40) + 0.5) / 10e6 - 2e-6
    replica = np.exp(1j * np.pi * 5e6 / 4e-6 * t**2)
    out = np.abs(np.correlate(z, replica, "valid"))
    assert np.argmax(out) == pytest.approx((2 * 1500 / C - 4e-6) * 10e6, abs=1)
    width = np.count_nonzero(out > out.max() / 2) / 10e6
    assert width == pytest.approx(1.2 / 5e6, rel=0.6)  # and not the pulse's 4 us


@pytest.mark.parametrize("base", [FMCW, PULSE])
@pytest.mark.parametrize(("azimuth_deg", "elevation_deg"), [(25.0, 0.0), (-40.0, 10.0), (0.0, -20.0)])
def test_the_arrays_phases_are_those_of_a_plane_wave(base: dict[str, Any], azimuth_deg: float, elevation_deg: float):
    u = direction(azimuth_deg, elevation_deg)
    at = u * (10 if base is FMCW else 1500)
    more = {"transmitters_azimuth": 2, "receivers_azimuth": 3, "receivers_elevation": 2, "prf_hz": 1e4}
    fits = {"prf_hz": 10e3} if base is FMCW else {"prf_hz": 5e3, "coherent_dwell_s": 4e-3}
    radar = SignalSimulator(silent(base, **more | fits), scene(target(at=at)))
    z = samples(radar.step(0.0, 0))
    row = np.argmax(np.abs(z[:, 0, 0]))
    w = radar.waveform
    assert w.channel_position.shape == (12, 3)
    sign = -1 if base is FMCW else 1
    expected = sign * 4 * np.pi * (w.channel_position @ u) / w.wavelength_m
    measured = np.angle(z[row, 5] * z[row, 5, 0].conj())
    error = measured - (expected - expected[0])
    # The FMCW tone itself is shifted by a channel's path (some thousandths of a cycle across the array).
    np.testing.assert_allclose(np.angle(np.exp(1j * error)), 0, atol=0.05)


def test_the_virtual_array_is_filled():
    radar = SignalSimulator(
        settings(transmitters_azimuth=3, receivers_azimuth=4, transmitters_elevation=2, receivers_elevation=2), scene()
    )
    spacing = radar.waveform.wavelength_m / 4  # of phase centres: half of half a wavelength
    grid = radar.waveform.channel_position[:, 1:] / spacing
    expected = {(y, z) for y in np.arange(12) - 5.5 for z in np.arange(4) - 1.5}
    assert {(round(y, 6), round(z, 6)) for y, z in grid} == expected
    assert len(grid) == 48
    np.testing.assert_allclose(radar.waveform.channel_position.mean(axis=0), 0, atol=1e-12)


def test_transmitters_send_in_turn():
    radar = SignalSimulator(silent(transmitters_azimuth=3), scene(target(velocity=(6, 0, 0))))
    z = samples(radar.step(0.0, 0))[32]
    np.testing.assert_allclose(radar.waveform.channel_delay_s, np.repeat(np.arange(3), 4) / 3 * 1e-4)
    # Straight ahead all channels are alike, but for the way that the target has made since the first transmitter's chirp.
    turn = 2 * 6 / radar.waveform.wavelength_m * radar.waveform.channel_delay_s
    measured = np.angle(z[10] * z[10, 0].conj()) / (2 * np.pi)
    np.testing.assert_allclose((measured - turn + 0.5) % 1 - 0.5, 0, atol=2e-3)


def test_range_migrates_through_the_frame():
    radar = SignalSimulator(silent(coherent_dwell_s=0.05), scene(target(at=(10, 0, 0), velocity=(40, 0, 0))))
    z = samples(radar.step(0.0, 0))[:, :, 0]
    first, last = (peak(z[:, i]) * 64 * CELL_M for i in (0, -1))
    assert last - first == pytest.approx(40 * 0.05 * 499 / 500, abs=2e-3)  # 2 m: four cells


def test_the_sensors_place_and_heading_count():
    radar = SignalSimulator(silent(sensor_x=100.0, sensor_y=50.0, sensor_yaw_deg=90.0), scene(target(at=(100, 62, 0))))
    assert peak(samples(radar.step(0.0, 0))[:, 0, 0]) * 64 * CELL_M == pytest.approx(12.0, abs=0.01)
    np.testing.assert_allclose(radar._paths(0.0).out, [[1, 0, 0]], atol=1e-12)


# How strong.


@pytest.mark.parametrize("base", [FMCW, PULSE])
def test_snr_is_the_radar_equations(base: dict[str, Any]):
    """The energy of a frame over the noise's, in one channel, against the radar equation with the time that is sampled."""
    range_m = 10.0 if base is FMCW else 1500.0
    scenario = scene(target(at=(range_m, 0, 0), rcs_dbsm=40.0))
    echo = frames(SignalSimulator(settings(base, noise_lsb=1e-3, data_type="complex64"), scenario), 1)
    noise = frames(SignalSimulator(settings(base, noise_lsb=1e-3, data_type="complex64"), scene()), 8)
    energy = (np.abs(echo[0, :, :, 0]) ** 2).sum() - (np.abs(noise[0, :, :, 0]) ** 2).sum()
    sent_s = 6.4e-6 if base is FMCW else 4e-6
    equation = Radar(
        base["frequency_hz"], base["peak_power_w"], sent_s, 10.0, base["system_temperature_k"], loss=10**0.2, pulses=32
    )
    power = (np.abs(noise) ** 2).mean()
    assert power == pytest.approx(2e-6, rel=0.02)
    assert 10 * np.log10(energy / power) == pytest.approx(10 * np.log10(equation.snr(1e4, range_m)), abs=0.15)


@pytest.mark.parametrize("base", [FMCW, PULSE])
def test_rcs_offset_gives_the_rcs_back(base: dict[str, Any]):
    range_m = 17.0 if base is FMCW else 2000.0
    radar = SignalSimulator(silent(base), scene(target(at=(range_m, 0, 0), rcs_dbsm=-7.0)))
    power = (np.abs(samples(radar.step(0.0, 0))) ** 2).max()
    rcs = 10 * np.log10(power) + 40 * np.log10(range_m) + radar.waveform.rcs_offset_db
    assert rcs == pytest.approx(-7.0, abs=0.01)


def test_the_elements_pattern_counts_both_ways():
    wide = silent(azimuth_beamwidth_deg=60.0, elevation_beamwidth_deg=30.0)
    power = []
    for a, e in ((0, 0), (30, 0), (0, 15), (80, 0), (180, 0)):
        u = direction(a, e)
        z = frames(SignalSimulator(wide, scene(target(at=u * 10, rcs_dbsm=30.0))), 1)
        power.append(10 * np.log10((np.abs(z) ** 2).mean()))
    relative = np.array(power) - power[0]
    np.testing.assert_allclose(relative[1:3], -6.02, atol=0.01)  # half power, twice, at half the beamwidth
    np.testing.assert_allclose(relative[3:], [-2 * 12.04 * (80 / 60) ** 2, -60.0], atol=0.05)  # Gaussian; sidelobes


def test_noise_is_white_and_gaussian_with_the_stated_level():
    z = frames(SignalSimulator(settings(data_type="complex64", noise_lsb=3.0), scene()), 4)
    parts = np.concatenate([z.real.ravel(), z.imag.ravel()])
    low, high = stats.chi2.interval(1 - 1e-6, len(parts))
    assert low < (parts**2).sum() / 9 < high
    assert stats.kstest(parts[::7] / 3, "norm").pvalue > 1e-4
    for axis in range(1, 4):
        one, next_one = np.take(z, 0, axis), np.take(z, 1, axis)
        assert abs((one * next_one.conj()).mean()) / 18 < 5 / np.sqrt(one.size)


def test_the_adc_rounds_and_saturates():
    clean = settings(data_type="complex64", noise_lsb=2.0)
    rough = settings(noise_lsb=2.0, adc_bits=8)
    near = scene(target(at=(2, 0, 0), rcs_dbsm=10.0))
    expected = samples(SignalSimulator(clean, near).step(0.0, 0))
    radar = SignalSimulator(rough, near)
    cube = radar.step(0.0, 0)
    assert cube.data.dtype == np.int16
    np.testing.assert_array_equal(cube.data[..., 0], np.clip(np.rint(expected.real), -128, 127))
    np.testing.assert_array_equal(cube.data[..., 1], np.clip(np.rint(expected.imag), -128, 127))
    parts = np.rint([expected.real, expected.imag])
    assert radar.saturated == ((parts > 127) | (parts < -128)).sum()
    assert 0 < radar.saturated < cube.data.size


# Fluctuation.


def peak_powers(radar: SignalSimulator, n: int) -> np.ndarray:
    """Return the power of every chirp of one channel at the target's beat, (frames, chirps)."""
    z = frames(radar, n)[:, :, :, 0]
    tone = np.exp(-2j * np.pi * np.arange(64) * 10.0 / CELL_M / 64)
    return np.abs(np.einsum("fsc,s->fc", z, tone)) ** 2


@pytest.mark.parametrize(
    ("case", "law"),
    [(1, stats.expon()), (2, stats.expon()), (3, stats.gamma(2, scale=0.5)), (4, stats.gamma(2, scale=0.5))],
)
def test_swerling_at_signal_level(case: int, law: Any):
    strong = silent(coherent_dwell_s=8e-4)
    steady = peak_powers(SignalSimulator(strong, scene(target())), 1).mean()
    power = peak_powers(SignalSimulator(strong, scene(target(swerling=case))), 300) / steady
    each = power[:, 0] if case in (1, 3) else power.ravel()
    assert stats.kstest(each, law.cdf).pvalue > 1e-4
    spread = np.ptp(power, axis=1) / power.mean(axis=1)
    assert (spread < 1e-3).all() if case in (1, 3) else (spread > 0.05).all()


# Being a radar.


def same_cubes(a: list[Any], b: list[Any]) -> bool:
    return all(np.array_equal(x.data, y.data) for x, y in zip(a, b, strict=True))


def test_same_seed_same_cubes_another_seed_others_and_reset_begins_again():
    small = {"scenario": "street", "coherent_dwell_s": 8e-4, "max_range_m": 30.0}
    first, second, other = (SignalSimulator(settings(seed=seed, **small)) for seed in (3, 3, 4))
    made = [radar.step(8 + 0.3 * i, i) for radar in (first,) for i in range(4)]
    assert same_cubes(made, [second.step(8 + 0.3 * i, i) for i in range(4)])
    assert not same_cubes(made[:1], [other.step(8.0, 0)])
    for _ in range(2):
        first.set_mode(Mode.STANDBY, 77.1e9, [(0.0, 1.0)])
        first.step(1.0, 0)
        first.reset()
        assert (first.mode, first.frequency_hz, first.blanking) == (Mode.SEARCH, 77e9, ())
        assert first.waveform.carrier_frequency_hz == 77e9
        again = [first.step(8 + 0.3 * i, i) for i in range(4)]
        assert same_cubes(made, again)
    assert again[-1].sequence == 4 + 2 * (1 + 4)  # scans are counted on


def test_a_cube_says_what_it_is():
    radar = SignalSimulator(settings(sensor_id="front", frame_id="lens"), scene())
    cube = radar.step(0.0, 987)
    assert (cube.stamp_ns, cube.sensor_id, cube.frame_id, cube.sequence) == (987, "front", "lens", 1)
    assert cube.data.shape == (64, 32, 4, 2)
    assert radar.step(0.0, 988).data is not cube.data  # who has a cube keeps it


def test_another_carrier_has_another_doppler_and_stays_calibrated():
    radar = SignalSimulator(silent(), scene(target(velocity=(6, 0, 0))))
    radar.set_mode(frequency_hz=77.4e9)
    assert radar.waveform.carrier_frequency_hz == 77.4e9
    z = samples(radar.step(0.0, 0))
    assert peak(z[32, :, 0]) * 10e3 == pytest.approx(2 * 6 / (C / 77.4e9) % 10e3, abs=1.0)
    rcs = 10 * np.log10((np.abs(z) ** 2).max()) + 40 + radar.waveform.rcs_offset_db
    assert rcs == pytest.approx(0.0, abs=0.1)


def test_a_blanked_sector_does_not_echo():
    both = scene(target("left", at=(8, 6, 0)), target("right", at=(8, -6, 0)))
    radar = SignalSimulator(silent(), both)
    assert len(radar._paths(0.0).phase) == 2
    radar.set_mode(blanking=[(0.1, 1.0)])
    np.testing.assert_allclose(radar._paths(0.0).out, [[0.8, -0.6, 0]], atol=1e-12)


def test_targets_come_and_go():
    radar = SignalSimulator(silent(), scene(target(appears_s=5, disappears_s=7)))
    power = [(np.abs(samples(radar.step(t, 0))) ** 2).mean() for t in (4.9, 5.0, 6.9, 7.0)]
    assert power[0] < 1e-6 < power[1]
    assert power[3] < 1e-6 < power[2]


def test_what_is_beyond_the_adcs_band_or_on_the_sensor_is_not_there():
    beyond = 64 * CELL_M + 1.0
    for at in ((beyond, 0, 0), (0, 0, 0), (0.05, 0, 0)):
        power = (np.abs(samples(SignalSimulator(silent(), scene(target(at=at))).step(0.0, 0))) ** 2).mean()
        assert power < 1e-6, at


def test_an_empty_scene_is_noise():
    assert np.isfinite(samples(SignalSimulator(settings(), scene()).step(0.0, 0))).all()


# Settings.


@pytest.mark.parametrize(
    ("base", "changes", "says"),
    [
        (FMCW, {"max_range_m": 40.0}, r"max_range_m 40 gives a beat above sample_rate_hz; .* at most 31\.9779 m"),
        (FMCW, {"coherent_dwell_s": 3.25e-3}, r"coherent_dwell_s \* prf_hz is 32\.5 chirps; .* a whole number"),
        (FMCW, {"transmitters_azimuth": 16}, r"samples / sample_rate_hz and the echo's delay take 6\.6\S* s; .* only 6\.25e-06 s"),
        (FMCW, {"samples": 65_536, "receivers_azimuth": 256, "sample_rate_hz": 1e10}, "samples; at most 16777216"),
        (FMCW, {"samples": 4}, "'receiver.samples' = 4"),
        (FMCW, {"waveform.kind": "cw"}, "'waveform.kind' = 'cw'"),
        (FMCW, {"data_type": "float64"}, "'receiver.data_type' = 'float64'"),
        (FMCW, {"adc_bits": 17}, "'receiver.adc_bits' = 17"),
        (PULSE, {"sample_rate_hz": 4e6}, "sample_rate_hz 4e.06 is below bandwidth_hz 5e.06"),
        (PULSE, {"pulse_width_s": 1e-7}, r"wider than bandwidth_hz 5e\+06; at least 1e\+07 Hz"),
        (PULSE, {"max_range_m": 3100.0}, r"max_range_m 3100 is beyond the last sample; .* at most 2997\.92 m"),
        (PULSE, {"prf_hz": 50e3}, r"pulse_width_s and samples / sample_rate_hz take 2\.4e-05 s; with prf_hz 50000"),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_are_refused(base: dict[str, Any], changes: dict[str, Any], says: str):
    with pytest.raises(ConfigError, match=says):
        settings(base, **changes)


def test_the_measurement_level_does_not_mind():
    values = FMCW | {"level": "measurement", "max_range_m": 40.0, "pulse_width_s": 1e-8}
    assert settings(values).receiver.samples == 64
    with pytest.raises(ValueError, match="needs settings with level 'signal'"):
        SignalSimulator(SimulatorSettings(), scene())


@pytest.mark.parametrize("name", scenario_names())
def test_every_scenario_that_ships_gives_cubes(name: str):
    radar = SignalSimulator(settings(PULSE), load_scenario(name))
    for t_s in np.linspace(0, radar.scenario.duration_s, 4, endpoint=False):
        cube = radar.step(float(t_s), 0)
        assert cube.data.any()
        assert radar.saturated == 0


def test_a_cube_of_10_targets_costs_less_than_40_ms():
    """256 x 128 x 12, as of config/fmcw_mimo.yaml; about 10 ms on a free core, of which noise is 8."""
    big = settings(
        samples=256, transmitters_azimuth=3, coherent_dwell_s=12.8e-3, sample_rate_hz=20e6, max_range_m=100.0
    )
    radar = SignalSimulator(big, scene(*(target(str(i), at=(5 + 3 * i, i - 5, 0), swerling=1) for i in range(10))))
    radar.step(0.0, 0)
    spent = []
    for i in range(12):
        begin = time.process_time()
        radar.step(0.1 * i, i)
        spent.append(time.process_time() - begin)
    assert min(spent) < 40e-3
