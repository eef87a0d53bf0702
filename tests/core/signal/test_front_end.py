# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""From cubes to points: targets by the formulas of cube.py, noise by its statistics, and a recorded frame."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from point_echoes import C, Target, cube, fmcw, line, pulsed, samples
from settings_of import settings_of

from aegis.core.signal.cube import Cube, CubeError, Waveform, WaveformKind
from aegis.core.signal.front_end import FrontEnd
from aegis.core.signal.settings import FrontEndSettings
from aegis.core.types import Scan

LAMBDA = C / 77e9
LINE = line(8, 77e9)
LOW_NOISE = 1e-6  # beside amplitudes of 1: no more than the CFAR needs


def plane(ny: int = 4, nz: int = 3, carrier: float = 77e9) -> np.ndarray:
    """Phase centres in a rectangle, z fastest."""
    step = C / carrier / 4
    y, z = np.meshgrid(np.arange(ny), np.arange(nz), indexing="ij")
    return np.column_stack([np.zeros(ny * nz), y.ravel() * step, z.ravel() * step])


def points(c: Cube, **parameters) -> Scan:
    return FrontEnd(settings_of(FrontEndSettings, **parameters)).step(c)[0]


def check(scan: Scan, targets: list[Target], share: float = 0.02) -> None:
    """Hold a scan against the truth: errors are a small share of a resolution cell, all that are, in range order."""
    assert len(scan) == len(targets)
    floor = np.sqrt(scan.variance) / 0.01  # a cell, as noise adds nearly nothing and the floor is 1 %
    for i, t in zip(np.argsort(scan.range), sorted(targets, key=lambda t: t.range), strict=True):
        assert scan.range[i] == pytest.approx(t.range, abs=share * floor[i, 0])
        assert scan.azimuth[i] == pytest.approx(t.azimuth, abs=share * floor[i, 1])
        assert scan.range_rate[i] == pytest.approx(t.range_rate, abs=share * floor[i, 3])
        if not np.isnan(scan.elevation[i]):
            assert scan.elevation[i] == pytest.approx(t.elevation, abs=share * floor[i, 2])


@pytest.mark.parametrize("slope", [30e12, -30e12])
@pytest.mark.parametrize("form", ["complex64", "iq", "real"])
def test_fmcw_targets_are_found(form, slope):
    w = fmcw(LINE, slope=slope)
    targets = [Target(3.3, -7.7, 0.4, 0, 3000.0), Target(8.765, 5.4, -0.6, 0, 1000.0), Target(9.9, 0.0, 0.1, 0, 2000.0)]
    x = samples(w, (256, 64, 8), targets, 10.0, np.random.default_rng(1))
    check(points(cube(w, x, form)), targets)


@pytest.mark.parametrize("form", ["complex64", "iq"])
@pytest.mark.parametrize("slope", [0.0, 2.5e12, -2.5e12])
def test_pulse_targets_are_found(form, slope):
    w = pulsed(line(8, 3e9), slope=slope)
    targets = [Target(2600.0, 60.0, 0.4, 0, 3000.0), Target(3803.0, -44.0, -0.6, 0, 2000.0)]
    x = samples(w, (600, 64, 8), targets, 100.0, np.random.default_rng(2))
    scan = points(cube(w, x, form))
    # The infinitely steep edges of an unmodulated pulse fall between two samples: 3.7 m.
    check(scan, targets, 0.1 if slope else 0.5)


@given(
    r=st.floats(3.0, 22.0), v=st.floats(-15.0, 15.0), azimuth=st.floats(-1.2, 1.2), elevation=st.floats(-0.8, 0.8),
    phase=st.floats(0, 6.28),
)  # fmt: skip
@settings(max_examples=60)
def test_any_target_is_one_point_at_its_place(r, v, azimuth, elevation, phase):
    w = fmcw(plane())
    target = Target(r, v, azimuth, elevation, 1.0, phase)
    x = samples(w, (128, 32, 12), [target], 1e-3, np.random.default_rng(3))  # 73 dB: its sidelobes are in the noise
    scan = points(cube(w, x))
    assert len(scan) == 1
    check(scan, [target], 0.03)


@given(v=st.floats(-47.0, 47.0), azimuth=st.floats(-1.0, 1.0), r=st.floats(5.0, 20.0), amplitude=st.floats(0.5, 2.0))
@settings(max_examples=40)
def test_tdm_tells_threefold_range_rates(v, azimuth, r, amplitude):
    """lambda / (2 T) = 32.4 m/s, and three transmitters in turn: 97 m/s."""
    w = fmcw(line(12, 77e9), delay=np.repeat([0.0, 20e-6, 40e-6], 4))
    target = Target(r, v, azimuth, 0, amplitude)
    end = FrontEnd(FrontEndSettings())
    scan, _ = end.step(cube(w, samples(w, (128, 32, 12), [target], 1e-4, np.random.default_rng(3))))
    assert end.range_rate_span_mps == pytest.approx(3 * LAMBDA / (2 * 60e-6))
    check(scan, [target], 0.1)
    assert end.notes["Doppler ambiguity unresolved"] == 0


def test_without_resolving_tdm_gives_the_principal_value():
    w = fmcw(line(8, 77e9), delay=np.repeat([0.0, 30e-6], 4))
    span = LAMBDA / (2 * 60e-6)
    target = Target(10.0, 20.0, 0.3)
    x = samples(w, (128, 32, 8), [target], LOW_NOISE, np.random.default_rng(3))
    assert points(cube(w, x)).range_rate[0] == pytest.approx(20.0, abs=0.1)
    folded = points(cube(w, x), ambiguity="principal")
    assert folded.range_rate[0] == pytest.approx(20.0 - span, abs=0.1)
    slow = Target(10.0, -13.0, 0.3)
    x = samples(w, (128, 32, 8), [slow], LOW_NOISE, np.random.default_rng(3))
    check(points(cube(w, x), ambiguity="principal"), [slow])


def test_range_rates_that_no_beam_tells_apart_are_principal_and_doubted():
    """One receiver: each hypothesis is another direction with an equal beam."""
    w = fmcw(line(2, 77e9), delay=[0.0, 30e-6])
    target = Target(10.0, 5.0, 0.1)
    end = FrontEnd(FrontEndSettings())
    scan, _ = end.step(cube(w, samples(w, (128, 32, 2), [target], 1e-3, np.random.default_rng(3))))
    assert end.notes["Doppler ambiguity unresolved"] == 1
    assert scan.range_rate[0] == pytest.approx(5.0, abs=0.1)
    assert np.sqrt(scan.variance[0, 3]) > 10.0  # of lambda / (2 T) = 32 m/s


@pytest.mark.parametrize("transmitters", [1, 3])
@pytest.mark.parametrize("array", ["line", "plane"])
def test_stated_errors_are_the_scatter(transmitters, array):
    rng = np.random.default_rng(7)
    position = line(12, 77e9) if array == "line" else plane()
    delay = np.repeat(np.arange(transmitters) * 60e-6 / transmitters, 12 // transmitters)
    w = fmcw(position, delay=delay)
    normalised, snr = _errors(w, (64, 32, 12), rng, 300, 20.0, elevation=0.6 * (array == "plane"))
    assert np.nanstd(normalised, axis=0) == pytest.approx(np.ones(normalised.shape[1]), rel=0.15)
    assert np.abs(np.mean(normalised, axis=0)).max() < 0.25
    assert snr == pytest.approx(20.0, abs=0.3)


@pytest.mark.parametrize("slope", [0.0, 2.5e12])
def test_stated_errors_are_the_scatter_of_a_pulse_radar(slope):
    w = pulsed(line(8, 3e9), slope=slope)
    normalised, snr = _errors(w, (300, 32, 8), np.random.default_rng(8), 250, 20.0, (1600.0, 2100.0), 60.0)
    assert np.std(normalised, axis=0) == pytest.approx(np.ones(3), rel=0.17)
    assert np.abs(np.mean(normalised, axis=0)).max() < 0.25
    assert snr == pytest.approx(20.0, abs=0.5)


def test_stated_errors_hold_with_other_windows():
    w = fmcw(line(8, 77e9))
    parameters = {"windows.range": "none", "windows.doppler": "blackman", "windows.angle": "hamming"}
    normalised, _ = _errors(w, (64, 32, 8), np.random.default_rng(9), 250, 20.0, **parameters)
    assert np.std(normalised, axis=0) == pytest.approx(np.ones(3), rel=0.17)


def _errors(w, shape, rng, runs, snr_db, ranges=(5.0, 18.0), rates=14.0, elevation=0.0, **parameters):
    """Errors over stated sigmas (runs, 3 or 4), and the mean SNR [dB], of targets of the same total SNR before windows' losses."""
    end = FrontEnd(settings_of(FrontEndSettings, error_floor=0.0, pfa=1e-5, **parameters))
    out, snr = [], []
    fmcw_radar = w.kind is WaveformKind.FMCW
    length = shape[0] if fmcw_radar else round(w.pulse_width_s * w.sample_rate_hz)
    # Hann's equivalent noise bandwidth; an unmodulated pulse has no window.
    range_hann = parameters.get("windows.range", "hann") == "hann" and (fmcw_radar or w.chirp_slope_hz_s != 0.0)
    loss = 1.5 ** (range_hann + (parameters.get("windows.doppler", "hann") == "hann"))
    noise = length * shape[1] * shape[2] / loss / 10 ** (snr_db / 10)
    for _ in range(runs):
        t = Target(
            rng.uniform(*ranges), rng.uniform(-rates, rates), rng.uniform(-1, 1), rng.uniform(-elevation, elevation),
            1.0, rng.uniform(0, 6),
        )  # fmt: skip
        scan, _ = end.step(cube(w, samples(w, shape, [t], noise, rng)))
        if not len(scan):
            continue
        i = np.argmax(scan.snr_db)
        error = [scan.range[i] - t.range, scan.azimuth[i] - t.azimuth, scan.range_rate[i] - t.range_rate]
        sigma = np.sqrt(scan.variance[i])
        row = np.array(error) / sigma[[0, 1, 3]]
        out.append(np.append(row, (scan.elevation[i] - t.elevation) / sigma[2]) if elevation else row)
        snr.append(scan.snr_db[i])
    assert len(out) > 0.98 * runs
    return np.array(out), np.mean(snr)


@pytest.mark.parametrize("kind", ["ca", "go", "so", "os"])
@pytest.mark.parametrize("channels", [1, 4])
def test_false_alarms_are_as_stated_though_windows_make_cells_alike(kind, channels):
    """Neighbouring cells are correlated, and so are false alarms: the interval is that of half as many."""
    rng = np.random.default_rng(channels)
    pfa, shape, frames = 1e-3, (128, 128, channels), 12
    w = fmcw(np.zeros((channels, 3)))
    end = FrontEnd(
        settings_of(FrontEndSettings, method=kind, pfa=pfa, group_peaks=False, max_points=10_000, min_range_m=0.0)
    )
    found = cells = 0
    for _ in range(frames):
        scan, dropped = end.step(cube(w, samples(w, shape, [], 1.0, rng)))
        found += len(scan) + dropped.total()
        cells += shape[0] * shape[1]
    expected = pfa * cells
    assert abs(found - expected) < 2.6 * np.sqrt(2 * expected) + 0.1 * expected


def test_noise_snr_and_rcs_are_those_of_the_samples():
    offset, amplitude, noise = 12.0, 50.0, 900.0
    w = fmcw(LINE, rcs_offset=offset)
    shape = (256, 64, 8)
    x = samples(w, shape, [Target(10.02, 3.1, 0.2, 0, amplitude)], noise, np.random.default_rng(5))
    scan = points(cube(w, x, "iq"), guard_range=4, guard_doppler=4)
    assert scan.noise_db[0] == pytest.approx(10 * np.log10(noise), abs=0.5)
    gain = 256 * 64 * 8 / 1.5**2
    assert scan.snr_db[0] + scan.noise_db[0] == pytest.approx(10 * np.log10(amplitude**2 * gain), abs=0.1)
    assert scan.rcs_dbsm[0] == pytest.approx(20 * np.log10(amplitude) + 40 * np.log10(10.02) + offset, abs=0.1)
    real = points(cube(w, x, "real"), guard_range=4, guard_doppler=4)
    assert real.rcs_dbsm[0] == pytest.approx(scan.rcs_dbsm[0], abs=0.1)
    assert real.noise_db[0] == pytest.approx(10 * np.log10(noise / 2), abs=0.5)


def test_the_noise_of_a_point_is_not_raised_by_its_neighbours():
    """Twelve objects in the reference cells of one another, 60 dB above the noise: it was 11 to 23 dB too high."""
    noise, rng = 900.0, np.random.default_rng(6)
    w = fmcw(LINE)
    objects = [Target(8.0 + 0.9 * k, 1.5 * (k % 4), 0.1 * (k % 3), 0, 2000.0) for k in range(12)]
    scan = points(cube(w, samples(w, (256, 64, 8), objects, noise, rng), "iq"))
    assert len(scan) >= len(objects)
    np.testing.assert_allclose(scan.noise_db, 10 * np.log10(noise), atol=0.6)


@pytest.mark.parametrize("window", ["hann", "hamming", "blackman", "chebyshev", "none"])
@given(r=st.floats(5.0, 20.0), v=st.floats(-10.0, 10.0))
@settings(max_examples=12)
def test_a_strong_target_is_one_point(window, r, v):
    w = fmcw(LINE)
    x = samples(w, (128, 64, 8), [Target(r, v, 0.1)], 1e-4, np.random.default_rng(6))  # 80 dB after integration
    scan, dropped = FrontEnd(
        settings_of(FrontEndSettings, **{"windows.range": window, "windows.doppler": window})
    ).step(cube(w, x))
    assert len(scan) == 1
    assert dropped.keys() <= {"sidelobe of a stronger point", "at the first or last range"}


def test_a_weak_target_beside_a_strong_ones_sidelobes_is_kept():
    w = fmcw(LINE)
    targets = [Target(10.0, 5.0, 0.1), Target(14.0, -6.0, -0.5, 0, 1e-3)]
    x = samples(w, (128, 64, 8), targets, 1e-7, np.random.default_rng(6))
    scan = points(cube(w, x))
    assert len(scan) == 2
    check(scan, targets, 0.2)


def test_directions_do_not_depend_on_how_channels_are_ordered_or_computed():
    rng = np.random.default_rng(10)
    position = plane(5, 3)
    target = Target(9.0, 2.0, 0.5, -0.3)
    found = []
    for k in range(3):
        order = rng.permutation(len(position))
        moved = position[order]
        if k == 2:  # off the lattice: the steering matrix
            moved = moved + rng.uniform(-0.15, 0.15, moved.shape) * LAMBDA * [0.0, 1.0, 1.0]
        w = fmcw(moved)
        x = samples(w, (64, 16, 15), [target], LOW_NOISE, np.random.default_rng(1))
        scan = points(cube(w, x))
        check(scan, [target])
        found.append([scan.azimuth[0], scan.elevation[0]])
    assert found[0] == pytest.approx(found[1], abs=1e-3)


def test_a_ring_of_channels_looks_all_around():
    turn = 2 * np.pi * np.arange(16) / 16
    position = 0.4 * LAMBDA * np.column_stack([np.cos(turn), np.sin(turn), 0 * turn])
    w = fmcw(position)
    for azimuth in (-3.0, -1.6, 0.0, 2.2):
        x = samples(w, (64, 16, 16), [Target(9.0, 1.0, azimuth)], LOW_NOISE, np.random.default_rng(1))
        scan = points(cube(w, x), azimuth_fov_deg=360.0)
        assert scan.azimuth[0] == pytest.approx(azimuth, abs=0.01)


def test_what_an_array_does_not_measure_is_not_stated():
    target = Target(9.0, 2.0, 0.0, 0.3)
    w = fmcw(line(6, 77e9, axis=2))  # vertical
    scan = points(cube(w, samples(w, (64, 16, 6), [target], LOW_NOISE, np.random.default_rng(1))), azimuth_fov_deg=90.0)
    assert scan.elevation[0] == pytest.approx(0.3, abs=0.01)
    assert scan.azimuth[0] == 0.0
    assert scan.variance[0, 1] == pytest.approx((np.pi / 2) ** 2 / 12)  # anywhere in view
    w = fmcw(np.zeros((1, 3)))
    scan = points(cube(w, samples(w, (64, 16, 1), [target], LOW_NOISE, np.random.default_rng(1))))
    assert np.isnan(scan.elevation[0])
    assert np.isnan(scan.variance[0, 2])


def test_two_directions_in_one_cell():
    w = fmcw(line(12, 77e9))
    targets = [Target(10.0, 3.0, 0.5, 0, 1.0), Target(10.0, 3.0, -0.3, 0, 0.6, 1.0)]
    x = samples(w, (64, 32, 12), targets, 1e-3, np.random.default_rng(2))
    assert len(points(cube(w, x))) == 1
    scan = points(cube(w, x), per_cell=3)
    assert sorted(scan.azimuth) == pytest.approx([-0.3, 0.5], abs=0.01)
    assert scan.range == pytest.approx([10.0, 10.0], abs=0.02)
    assert scan.snr_db[np.argmax(scan.azimuth)] > scan.snr_db[np.argmin(scan.azimuth)] + 3.0


def test_no_second_direction_is_found_in_noise():
    w = fmcw(line(12, 77e9))
    rng = np.random.default_rng(3)
    end = FrontEnd(settings_of(FrontEndSettings, per_cell=2))
    for snr in (0.1, 1.0, 10.0):
        for _ in range(20):
            scan, _ = end.step(cube(w, samples(w, (64, 32, 12), [Target(10.0, 3.0, 0.5)], snr, rng)))
            assert len(scan) == 1


def test_range_doppler_coupling_is_taken_out():
    """A fast target on a slow chirp: the coupling, f_c v / slope, is 0.23 m, 0.4 of a cell."""
    w = fmcw(LINE, slope=5e12, period=60e-6)
    target = Target(60.0, 15.0, 0.2)
    x = samples(w, (256, 32, 8), [target], LOW_NOISE, np.random.default_rng(2))
    check(points(cube(w, x)), [target])


def test_range_is_from_the_sensors_origin():
    position = line(8, 77e9) + [0.5, -0.3, 0.0]
    w = fmcw(position)
    target = Target(10.0, 0.5, 0.7)
    x = samples(w, (128, 32, 8), [target], LOW_NOISE, np.random.default_rng(2))
    check(points(cube(w, x)), [target])


def test_static_clutter_is_removed_on_request():
    w = fmcw(LINE)
    targets = [Target(5.0, 0.0, 0.1, 0, 2000.0), Target(12.0, 4.0, 0.3, 0, 50.0)]
    for form in ("iq", "complex64", "real"):
        x = samples(w, (256, 32, 8), targets, 10.0, np.random.default_rng(4))
        assert len(points(cube(w, x, form))) == 2
        moving = points(cube(w, x, form), remove_static=True)
        assert moving.range == pytest.approx([12.0], abs=0.02)


def test_limits_drop_with_a_reason():
    w = fmcw(LINE)
    targets = [Target(r, 3.0, a, 0, 1.0 + 0.1 * r) for r, a in ((4.0, 0.0), (8.0, 0.8), (12.0, 0.1), (16.0, -0.2))]
    c = cube(w, samples(w, (128, 32, 8), targets, LOW_NOISE, np.random.default_rng(4)))
    scan, dropped = FrontEnd(
        settings_of(FrontEndSettings, min_range_m=5.0, max_range_m=14.0, azimuth_fov_deg=60.0)
    ).step(c)
    assert scan.range == pytest.approx([12.0], abs=0.02)
    assert dropped["outside the field of view"] == 1
    scan, dropped = FrontEnd(settings_of(FrontEndSettings, max_points=3)).step(c)
    assert sorted(scan.range) == pytest.approx([8.0, 12.0, 16.0], abs=0.02)
    assert dropped["over max_points"] >= 1  # what is weaker is not looked at, sidelobes are among it


def test_every_cell_is_a_point_without_grouping():
    w = fmcw(LINE)
    c = cube(w, samples(w, (128, 32, 8), [Target(10.0, 3.0)], 1e-3, np.random.default_rng(4)))
    assert len(points(c, group_peaks=False)) > 5


def test_plans_follow_the_waveform():
    up, down = fmcw(LINE), fmcw(LINE, slope=-20e12)
    target = Target(10.0, 3.0, 0.2)
    end = FrontEnd(FrontEndSettings())
    first = {}
    for k, w in enumerate([up, down, up, down, up]):
        scan, _ = end.step(cube(w, samples(w, (128, 32, 8), [target], LOW_NOISE, np.random.default_rng(4))))
        check(scan, [target])
        assert end.notes["new waveforms planned for"] == (k < 2)
        assert scan.range[0] == first.setdefault(w.chirp_slope_hz_s, scan.range[0])
    end.step(cube(up, samples(up, (96, 24, 8), [target])))  # another shape
    assert end.notes["new waveforms planned for"] == 1


def test_a_map_for_display():
    w = fmcw(LINE)
    end = FrontEnd(FrontEndSettings())
    assert end.range_doppler_map() is None
    end.step(cube(w, samples(w, (128, 32, 8), [Target(10.0, 5.0, 0.2, 0, 3.0)], 1.0, np.random.default_rng(4))))
    shown = end.range_doppler_map()
    assert shown.power_db.shape == (128, 32)
    assert shown.power_db.dtype == np.float32
    r, d = np.unravel_index(np.argmax(shown.power_db), shown.power_db.shape)
    assert shown.first_range_m + r * shown.range_step_m == pytest.approx(10.0, abs=0.6 * shown.range_step_m)
    rate = shown.first_range_rate_mps + d * shown.range_rate_step_mps
    assert rate == pytest.approx(5.0, abs=0.6 * shown.range_rate_step_mps)
    assert shown.noise_db.shape == (128,)
    assert np.median(shown.noise_db) == pytest.approx(0.0, abs=0.5)  # noise of power 1 a sample


def test_the_real_frame_of_a_ti_radar(shared_data):
    """One RX's chirps of one TX of an AWR radar (see SOURCE.txt): the stated target at 2.00 m, -0.66 m/s.

    The chirp's slope is positive and the target stands at a positive beat frequency (bin 41 of 128): the samples have the sign of
    cube.py, the phase grows with range. Minus in Doppler is therefore a phase that falls from chirp to chirp: it comes nearer.
    """
    raw = np.load(shared_data / "openradar_adc" / "simple_frame_1.npy")  # (chirps, samples)
    x = np.stack([raw.real, raw.imag], axis=-1).astype(np.uint16).view(np.int16).transpose(1, 0, 2)[:, :, None, :]
    slope, rate, chirp_s = 60e12, 2.5e6, 92e-6  # idle 30 us, ramp 62 us
    middle_hz = 77.4201e9 + slope * 0.5 * 128 / rate
    w = Waveform(WaveformKind.FMCW, middle_hz, rate, slope, 2 * chirp_s, np.zeros((1, 3)), np.zeros(1))
    scan, _ = FrontEnd(settings_of(FrontEndSettings, remove_static=True, pfa=1e-6)).step(
        Cube(0, "radar", 1, "ti", w, x)
    )
    strongest = np.argmax(scan.snr_db)
    half_bin = 0.5 * C * rate / (2 * slope * 128)
    assert scan.range[strongest] == pytest.approx(2.00, abs=half_bin)
    half_rate = 0.5 * w.range_rate_span_mps / 128
    assert scan.range_rate[strongest] == pytest.approx(-0.66, abs=half_rate)
    assert np.sort(scan.snr_db)[-2] < scan.snr_db[strongest] - 10.0  # nothing else that moves comes near it


def test_a_saturated_receiver_is_noted():
    w = fmcw(LINE)
    x = samples(w, (64, 16, 8), [Target(10.0)], 1.0, np.random.default_rng(1)) * 100
    c = cube(w, x, "iq")
    c.data.flags.writeable = True
    c.data[3, 2, 1] = [32767, -32768]
    end = FrontEnd(FrontEndSettings())
    end.step(c)
    assert end.notes["saturated samples"] == 2


@pytest.mark.parametrize("form", ["complex64", "iq", "real"])
def test_nothing_but_zeros_gives_nothing(form):
    w = fmcw(LINE)
    scan, dropped = FrontEnd(FrontEndSettings()).step(cube(w, np.zeros((64, 16, 8)), form))
    assert len(scan) == 0
    assert not dropped
    assert scan.variance.shape == (0, 4)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e20, 1j * np.nan])
def test_samples_that_are_no_numbers_are_refused(value):
    w = fmcw(LINE)
    x = samples(w, (64, 16, 8), [], 1.0, np.random.default_rng(1))
    x[5, 4, 3] = value
    with pytest.raises(CubeError, match="sample") as caught:
        points(cube(w, x))
    assert caught.value.reason == "sample value"


@pytest.mark.parametrize(
    ("w", "shape", "form", "parameters", "reason"),
    [
        (fmcw(LINE), (3, 16, 8), "iq", {}, "cube size"),
        (fmcw(LINE), (64, 2, 8), "iq", {}, "cube size"),
        (pulsed(line(8, 3e9), slope=0.0), (64, 16, 8), "iq", {}, "pulse width"),
        (pulsed(line(8, 3e9), slope=0.0), (256, 16, 8), "real", {}, "cube type"),
        (fmcw(LINE), (64, 16, 8), "iq", {"min_range_m": 1e4}, "range limits"),
        (fmcw(LINE), (8, 8, 8), "iq", {"guard_range": 30, "guard_doppler": 30}, "cfar window"),
    ],
)
def test_cubes_that_cannot_be_processed_are_refused(w, shape, form, parameters, reason):
    with pytest.raises(CubeError) as caught:
        points(cube(w, np.zeros(shape), form), **parameters)
    assert caught.value.reason == reason


@given(st.integers(4, 40), st.integers(4, 24), st.integers(1, 5), st.sampled_from(["complex64", "iq", "real"]))
@settings(max_examples=30)
def test_any_shape_and_loud_noise_gives_a_scan_or_a_reason(s, chirps, channels, form):
    w = fmcw(line(channels, 77e9))
    x = samples(w, (s, chirps, channels), [], 1e6, np.random.default_rng(s))
    reason, scan = "", None
    try:
        scan = points(cube(w, x, form), pfa=1e-1)
    except CubeError as error:
        reason = error.reason
    if scan is None:
        assert reason in {"cfar window", "range limits"}
    else:
        assert np.isfinite(scan.range).all()
        assert (scan.variance[:, [0, 1, 3]] > 0).all()
