"""Cubes to points: targets made straight from the definition in core/signal/cube.py, noise, and a real radar's frame."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from aegis.core.signal.cube import Cube, CubeError, Waveform, WaveformKind
from aegis.core.signal.equation import SPEED_OF_LIGHT
from aegis.core.signal.front_end import FrontEnd
from aegis.core.signal.settings import FrontEndSettings

FC, FS, T = 77e9, 10e6, 60e-6
SAMPLES, CHIRPS, CHANNELS = 128, 64, 8
LAMBDA = SPEED_OF_LIGHT / FC


def line(n: int, axis: int = 1, spacing: float = LAMBDA / 4) -> np.ndarray:
    """Return (n, 3) phase centres along an axis; a quarter of a wavelength apart is half of one on the way there and back."""
    out = np.zeros((n, 3))
    out[:, axis] = spacing * (np.arange(n) - (n - 1) / 2)
    return out


def fmcw(
    position: np.ndarray | None = None, slope: float = 20e12, delay: np.ndarray | None = None, period: float = T
) -> Waveform:
    position = line(CHANNELS) if position is None else position
    delay = np.zeros(len(position)) if delay is None else delay
    return Waveform(WaveformKind.FMCW, FC, FS, slope, period, position, delay)


def lfm_pulse() -> Waveform:
    return Waveform(
        WaveformKind.PULSE, 9.4e9, 10e6, 4e12, 100e-6, line(CHANNELS, spacing=SPEED_OF_LIGHT / 9.4e9 / 4), np.zeros(CHANNELS),
        pulse_width_s=2e-6, first_sample_s=2e-6,
    )  # fmt: skip


def echo(w: Waveform, reach: float, rate: float, azimuth: float, elevation: float = 0.0, *, chirps: int = CHIRPS,
         samples: int = SAMPLES) -> np.ndarray:  # fmt: skip
    """Return (samples, chirps, channels) of one target of amplitude 1; `reach` is in the middle of the frame."""
    fast = np.arange(samples)[:, None, None] / w.sample_rate_hz
    begin = (np.arange(chirps) * w.chirp_period_s)[None, :, None] + w.channel_delay_s[None, None, :]
    middle = (chirps - 1) / 2 * w.chirp_period_s + w.channel_delay_s.mean()
    towards = np.array([np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])
    side = (w.channel_position @ towards)[None, None, :]
    if w.kind is WaveformKind.FMCW:
        half = (samples - 1) / 2 / w.sample_rate_hz
        t = fast - half  # the carrier frequency is that of the middle of what is sampled
        tau = 2 * (reach + rate * (begin + t - middle) - side) / SPEED_OF_LIGHT
        return np.exp(2j * np.pi * (w.carrier_frequency_hz * tau + w.chirp_slope_hz_s * tau * t))
    tau = 2 * (reach + rate * (begin - middle) - side) / SPEED_OF_LIGHT
    since = fast + w.first_sample_s - tau
    inside = (since >= 0) & (since < w.pulse_width_s)
    chirp = np.exp(1j * np.pi * w.chirp_slope_hz_s * (since - w.pulse_width_s / 2) ** 2)
    return np.exp(-2j * np.pi * w.carrier_frequency_hz * tau) * np.where(inside, chirp, 0.0)


def noisy(signal: np.ndarray, amplitude: float, seed: int, noise: float = 50.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return amplitude * signal + rng.normal(0.0, noise, (*signal.shape, 2)) @ np.array([1.0, 1.0j])


def cube(w: Waveform, data: np.ndarray, kind: str = "iq") -> Cube:
    if kind == "iq":
        data = np.round(np.stack([data.real, data.imag], axis=-1)).astype(np.int16)
    elif kind == "real":
        data = np.round(data.real).astype(np.int16)
    else:
        data = data.astype(np.complex64)
    return Cube(7, "radar", 1, "radar", w, data)


def run(c: Cube, **parameters):
    return FrontEnd(FrontEndSettings(**parameters)).step(c)


def strongest(scan):
    return int(np.argmax(scan.snr_db))


@settings(deadline=None, max_examples=40)
@given(
    kind=st.sampled_from(["iq", "complex64", "real"]), down=st.booleans(), reach=st.floats(8.0, 34.0), rate=st.floats(-14.0, 14.0),
    azimuth=st.floats(-0.9, 0.9), seed=st.integers(0, 1000),
)  # fmt: skip
def test_an_fmcw_target_is_found_where_it_is(kind, down, reach, rate, azimuth, seed):
    w = fmcw(slope=-20e12 if down else 20e12)
    scan, _ = run(cube(w, noisy(echo(w, reach, rate, azimuth), 100.0, seed), kind))
    i = strongest(scan)
    error = np.array([scan.range[i] - reach, scan.azimuth[i] - azimuth, scan.range_rate[i] - rate])
    sigma = np.sqrt(scan.variance[i, [0, 1, 3]])
    assert (np.abs(error) < 5.0 * sigma).all(), (error, sigma)
    assert np.isnan(scan.elevation[i])


def test_one_target_is_one_point_however_strong():
    w = fmcw()
    for seed in range(5):
        for reach in (20.0, 20.1, 20.25, 20.4):
            scan, _ = run(cube(w, noisy(echo(w, reach, 3.1 * seed / 5, 0.3), 10_000.0, seed)))
            assert len(scan) == 1


def test_a_pulse_radars_target_is_found_where_it_is():
    w = lfm_pulse()
    for seed, (reach, rate, azimuth) in enumerate([(900.0, 20.0, 0.2), (1103.0, -41.0, -0.5), (1507.5, 0.0, 0.0)]):
        scan, _ = run(cube(w, noisy(echo(w, reach, rate, azimuth), 300.0, seed)))
        i = strongest(scan)
        error = np.array([scan.range[i] - reach, scan.azimuth[i] - azimuth, scan.range_rate[i] - rate])
        assert (np.abs(error) < 5.0 * np.sqrt(scan.variance[i, [0, 1, 3]])).all(), error


def test_a_plane_array_measures_elevation():
    y, z = np.meshgrid(line(4)[:, 1], line(4)[:, 1])
    w = fmcw(np.column_stack([np.zeros(16), y.ravel(), z.ravel()]))
    scan, _ = run(cube(w, noisy(echo(w, 20.0, 2.0, 0.3, -0.2), 200.0, 1)))
    i = strongest(scan)
    assert abs(scan.elevation[i] + 0.2) < 5.0 * np.sqrt(scan.variance[i, 2])
    assert abs(scan.azimuth[i] - 0.3) < 5.0 * np.sqrt(scan.variance[i, 1])


@pytest.mark.parametrize("rate", [-15.0, -9.0, 5.0, 12.0, 15.0])
def test_transmitters_in_turn_tell_range_rates_beyond_their_own_span(rate):
    receivers, transmitters = 4, 3
    tx = np.repeat(np.arange(transmitters), receivers)
    w = fmcw(line(12), delay=tx * T, period=transmitters * T)
    assert w.range_rate_span_mps < 11.0
    scan, _ = run(cube(w, noisy(echo(w, 20.0, rate, 0.25), 200.0, 3)))
    i = strongest(scan)
    assert abs(scan.range_rate[i] - rate) < 5.0 * np.sqrt(scan.variance[i, 3])
    assert abs(scan.azimuth[i] - 0.25) < 5.0 * np.sqrt(scan.variance[i, 1])
    folded, _ = run(cube(w, noisy(echo(w, 20.0, rate, 0.25), 200.0, 3)), doppler_ambiguity="principal")
    span = w.range_rate_span_mps
    assert abs(folded.range_rate[strongest(folded)] - ((rate + span / 2) % span - span / 2)) < 0.1


def test_the_stated_errors_are_the_scatter():
    w, truth = fmcw(), (20.13, 3.3, 0.25)
    clean = echo(w, *truth)
    errors, stated = [], []
    for seed in range(300):
        scan, _ = run(cube(w, noisy(clean, 10.0, seed)), error_floor=0.0)
        i = strongest(scan)
        errors.append([scan.range[i] - truth[0], scan.azimuth[i] - truth[2], scan.range_rate[i] - truth[1]])
        stated.append(scan.variance[i, [0, 1, 3]])
    ratio = (np.square(errors) / stated).sum(axis=0)
    low, high = stats.chi2.interval(0.999, 300)
    assert ((low < ratio) & (ratio < high)).all(), ratio / 300


@pytest.mark.parametrize("kind", ["ca", "go", "so", "os"])
def test_false_alarms_come_as_often_as_asked(kind):
    """Every cell above threshold counts; Hann windows make neighbours alike, hence the wide interval."""
    w, cells, alarms, pfa = fmcw(line(4)), 0, 0, 1e-3
    end = FrontEnd(FrontEndSettings(cfar=kind, pfa=pfa, group_peaks=False, max_points=100_000))
    for seed in range(12):
        scan, dropped = end.step(cube(w, noisy(np.zeros((SAMPLES, CHIRPS, 4)), 0.0, seed)))
        alarms += len(scan) + dropped["at the first or last range"]
        cells += SAMPLES * CHIRPS
    assert 0.6 * pfa * cells < alarms < 1.4 * pfa * cells, alarms / cells / pfa


def test_power_noise_and_rcs_are_those_of_the_samples():
    w = fmcw()
    calibrated = Waveform(**{**vars(w), "rcs_offset_db": -30.0})
    scan, _ = run(cube(calibrated, noisy(echo(w, 20.0, 3.0, 0.0), 300.0, 5)))
    i = strongest(scan)
    assert scan.noise_db[i] == pytest.approx(10 * np.log10(2 * 50.0**2), abs=0.5)
    assert scan.rcs_dbsm[i] == pytest.approx(20 * np.log10(300.0) + 40 * np.log10(20.0) - 30.0, abs=0.3)
    ideal = 10 * np.log10(300.0**2 / (2 * 50.0**2) * SAMPLES * CHIRPS * CHANNELS)
    assert scan.snr_db[i] == pytest.approx(ideal - 2 * 1.76, abs=0.6)  # a Hann window costs 1.76 dB


def test_two_targets_in_noise_and_a_static_one_that_is_removed():
    w = fmcw()
    data = noisy(echo(w, 12.0, 4.0, -0.3) + 0.3 * echo(w, 25.0, -6.0, 0.4) + 2.0 * echo(w, 30.0, 0.0, 0.0), 200.0, 8)
    scan, _ = run(cube(w, data))
    assert len(scan) == 3
    moving, _ = run(cube(w, data), remove_static=True)
    np.testing.assert_allclose(np.sort(moving.range), [12.0, 25.0], atol=0.05)


def test_what_cannot_be_processed_is_refused_with_a_reason():
    w = fmcw()
    end = FrontEnd(FrontEndSettings())
    broken = noisy(echo(w, 20.0, 0.0, 0.0), 100.0, 1)
    broken[3, 4, 5] = np.nan
    with pytest.raises(CubeError, match="not finite") as caught:
        end.step(cube(w, broken, "complex64"))
    assert caught.value.reason == "sample value"
    with pytest.raises(CubeError, match="are the least"):
        end.step(cube(w, echo(w, 20.0, 0.0, 0.0, chirps=2)))
    scan, _ = end.step(cube(w, np.zeros((SAMPLES, CHIRPS, CHANNELS))))
    assert len(scan) == 0
    scan, _ = end.step(cube(w, np.clip(noisy(echo(w, 20.0, 0.0, 0.0), 40_000.0, 1).real, -32768, 32767) + 0j))
    assert end.notes["saturated samples"] > 0


def test_a_change_of_waveform_is_planned_for_and_told():
    end = FrontEnd(FrontEndSettings())
    for w, told in ((fmcw(), 1), (fmcw(), 0), (fmcw(slope=30e12), 1), (fmcw(), 0)):
        scan, _ = end.step(cube(w, noisy(echo(w, 20.0, 3.0, 0.1), 200.0, 1)))
        assert end.notes["new waveforms planned for"] == told
        assert scan.range[strongest(scan)] == pytest.approx(20.0, abs=0.05)


def test_the_recorded_frame_has_its_target(shared_data):
    """One target at 2.00 m that comes nearer at 0.66 m/s: what OpenRadar calls -0.66 m/s is our sign too, positive receding.

    TI's IF has a positive beat where the chirp rises, as ours has: sent times conjugate of received.
    """
    raw = np.load(shared_data / "openradar_adc" / "simple_frame_1.npy")  # chirps x samples of one receiver
    signed = np.stack([raw.real.astype("u2").astype("i2"), raw.imag.astype("u2").astype("i2")], axis=-1)
    samples, rate, slope, period = 128, 2.5e6, 60e12, 2 * (30e-6 + 62e-6)  # two transmitters in turn; the file has one
    carrier = 77.4201e9 + slope * samples / rate / 2
    w = Waveform(WaveformKind.FMCW, carrier, rate, slope, period, np.zeros((1, 3)), np.zeros(1))
    data = np.ascontiguousarray(signed.transpose(1, 0, 2)[:, :, None])
    scan, _ = run(Cube(7, "radar", 1, "radar", w, data), remove_static=True)
    i = strongest(scan)
    half_bin = SPEED_OF_LIGHT * rate / (2 * slope * samples) / 2
    assert scan.range[i] == pytest.approx(2.00, abs=half_bin)
    assert scan.range_rate[i] == pytest.approx(-0.66, abs=w.range_rate_span_mps / 128 / 2)
