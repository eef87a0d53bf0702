# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What only the signal level shows, against closed forms: moving parts, ghosts, clutter, jammers, false echoes, other radars."""

import json
from typing import Any

import numpy as np
import pytest
import yaml
from scipy import special, stats
from settings_of import settings_of
from signal_scenes import CELL_M, FMCW, PULSE, C, K, direction, frames, peak, samples, scene, settings, silent, target

from aegis.core.params import ConfigError
from aegis.core.signal.front_end import FrontEnd
from aegis.core.signal.settings import FrontEndSettings
from aegis.simulation.points import Simulator
from aegis.simulation.scenario import Scenario, load_scenario
from aegis.simulation.settings import SimulatorSettings
from aegis.simulation.signal import SignalSimulator

WAVELENGTH = C / 77e9
FAINT = -80.0  # dBsm: a body that is not there


def range_profile(z: np.ndarray) -> np.ndarray:
    """Return the spectrum over fast time, scaled so that a tone in the middle of a cell keeps its amplitude."""
    return np.fft.fft(z, axis=0) / len(z)


def slow_time(changes: dict[str, Any], item: dict[str, Any], t_s: float = 0.0, **base: Any) -> np.ndarray:
    """Return the Doppler history of the cell at 10 m of one target, (chirps,)."""
    radar = SignalSimulator(silent(**changes), scene(target(at=(10 * CELL_M * 2, 0, 0), **item), **base))
    return range_profile(samples(radar.step(t_s, 0)))[20, :, 0]


# Moving parts.


def test_a_rotors_lines_lie_at_blades_times_the_rate_up_to_the_tip_frequency():
    rotors = {"blades": 2, "radius_m": 0.1, "rate_hz": 50.0, "blade_rcs_dbsm": 0.0}
    z = slow_time({"prf_hz": 100e3, "coherent_dwell_s": 0.08}, {"rcs_dbsm": FAINT, "rotors": rotors})
    tip = 4 * np.pi * 50 * 1.02 * 0.1 / WAVELENGTH
    frequency = np.fft.fftfreq(len(z), 1e-5)
    spectrum = np.abs(np.fft.fft(z * np.hanning(len(z)))) ** 2
    inside = np.abs(frequency) < tip
    assert spectrum[inside].sum() > 0.98 * spectrum.sum()
    assert spectrum[inside & (np.abs(frequency) > 0.85 * tip)].sum() > 0.02 * spectrum.sum()
    # The envelope repeats with every blade: its first line is the rate times the blades, known to 2 %.
    envelope = np.abs(np.fft.rfft(np.abs(z) ** 2))
    envelope[:5] = 0
    assert np.argmax(envelope) / 0.08 == pytest.approx(100, rel=0.13)


def test_a_walking_person_has_feet_that_outrun_the_body():
    radar = {"prf_hz": 10e3, "coherent_dwell_s": 0.2, "bandwidth_hz": 100e6, "max_range_m": 90.0}
    motion = {"kind": "straight", "position_m": (20, 0, 0), "speed_mps": 1.4, "course_deg": 90}
    item = target(motion=motion, gait={}, swerling=0)
    z = SignalSimulator(silent(**radar), scene(item)).step(0.87, 0)  # a foot is in the middle of its swing
    chirps = samples(z)[:, :, 0].sum(axis=0)
    frequency = np.fft.fftfreq(len(chirps), 1e-4) * WAVELENGTH / 2
    spectrum = np.abs(np.fft.fft(chirps * np.hanning(len(chirps)))) ** 2
    assert frequency[np.argmax(spectrum)] == pytest.approx(1.4, abs=0.05)  # the body
    fastest = 1.4 * (1 + np.pi / 2 * 0.6 / 0.4)
    beyond = (frequency < -0.1) | (frequency > fastest + 0.1)
    assert spectrum[beyond].sum() < 1e-3 * spectrum.sum()
    assert spectrum[frequency > 2.0].sum() > 0.02 * spectrum.sum()
    whole = SignalSimulator(silent(**radar), scene(target(motion=motion)))._paths(0.1).amplitude
    parts = SignalSimulator(silent(**radar), scene(item))._paths(0.1).amplitude
    assert (parts**2).sum(axis=0).mean() == pytest.approx((whole**2).mean(), rel=0.05)  # it shares the RCS


def test_wings_beat():
    wings = {"rate_hz": 10.0, "span_m": 0.8, "flap_deg": 30.0, "rcs_dbsm": 0.0}
    still = target(at=(0.0, 0, 12.0), rcs_dbsm=FAINT, wings=wings)  # overhead: the beat is along the line of sight
    radar = SignalSimulator(silent(elevation_beamwidth_deg=180.0, coherent_dwell_s=1e-3), scene(still))
    rates = np.array([radar._paths(t).range_rate[:, 5] for t in np.arange(0, 0.2, 2e-3)])[:, -2:]
    t = np.arange(0, 0.2, 2e-3)
    expected = 0.2 * np.cos(np.radians(30) * np.sin(2 * np.pi * 10 * t)) * np.radians(30) * 2 * np.pi * 10
    np.testing.assert_allclose(rates[:, 0], expected * np.cos(2 * np.pi * 10 * t), atol=0.15)


# Ghosts.


def ground(loss_db: float = 0.0) -> dict[str, Any]:
    return {"name": "ground", "loss_db": loss_db}


@pytest.mark.parametrize("loss_db", [0.0, 3.0])
def test_ground_bounce_is_the_two_ray_lobing(loss_db: float):
    """Over flat ground all four paths add up: the echo's power is that in free space times |1 - rho exp(-j k (R2 - R1))|^4."""
    rho = 10 ** (-loss_db / 20)
    made, expected = [], []
    for height in np.linspace(0.2, 2.0, 37):
        item = target(at=(500.0, 0.0, height), rcs_dbsm=20.0)
        radar = silent(
            PULSE, bandwidth_hz=250e3, pulse_width_s=4e-6, sensor_z=2.0, max_range_m=800.0, receivers_azimuth=1
        )
        near, far = np.hypot(500, height - 2.0), np.hypot(500, height + 2.0)
        w = C / 9.4e9
        free = SignalSimulator(radar, scene(item | {"motion": item["motion"] | {"position_m": (near, 0.0, 2.0)}}))
        bounced = SignalSimulator(radar, scene(item, reflectors=[ground(loss_db)]))
        power = [(np.abs(samples(s.step(0.0, 0))) ** 2).max() for s in (free, bounced)]
        made.append(power[1] / power[0])
        expected.append(np.abs(1 - rho * np.exp(-2j * np.pi * (far - near) / w)) ** 4)
    assert max(expected) > (1 + rho) ** 4 * 0.99
    np.testing.assert_allclose(made, expected, atol=0.05)


def test_a_wall_gives_ghosts_with_their_own_ways_directions_and_rates():
    wall = {"name": "wall", "point_m": (0, 6, 0), "normal": (0, -2, 0), "loss_db": 4.0}
    item = target(at=(8, 1, 0), velocity=(3, 1, 0))
    paths = SignalSimulator(silent(), scene(item, reflectors=[wall]))._paths(0.0)
    direct, image = np.array([8.0, 1, 0]), np.array([8.0, 11, 0])
    v_image = np.array([3.0, -1, 0])
    r1, r2 = np.linalg.norm(direct), np.linalg.norm(image)
    u1, u2 = direct / r1, image / r2
    middle = paths.carrier_range.shape[1] // 2
    np.testing.assert_allclose(paths.carrier_range[:, middle], [r1, (r1 + r2) / 2, (r1 + r2) / 2, r2], atol=1e-3)
    np.testing.assert_allclose(paths.out, [u1, u1, u2, u2], atol=1e-4)
    np.testing.assert_allclose(paths.back, [u1, u2, u1, u2], atol=1e-4)
    rates = np.array([u1 @ [3, 1, 0], 0, 0, u2 @ v_image])
    rates[1:3] = (rates[0] + rates[3]) / 2
    np.testing.assert_allclose(paths.range_rate[:, middle], rates, atol=1e-2)
    level = 20 * np.log10(np.abs(paths.amplitude[:, middle]) * r1**2)
    pattern = [-10 * np.log10(2) * (np.degrees(np.arctan2(u[1], u[0])) / 90) ** 2 for u in (u1, u2)]
    once = pattern[0] + pattern[1] - 4 - 20 * np.log10(r2 / r1)
    np.testing.assert_allclose(
        level, [2 * pattern[0], once, once, 2 * pattern[1] - 8 - 40 * np.log10(r2 / r1)], atol=0.01
    )


def test_there_is_no_ghost_of_what_is_behind_the_wall_nor_for_a_sensor_behind_it():
    wall = {"name": "wall", "point_m": (0, 6, 0), "normal": (0, -1, 0), "loss_db": 4.0}
    behind = SignalSimulator(silent(), scene(target(at=(8, 9, 0)), reflectors=[wall]))
    assert len(behind._paths(0.0).phase) == 1
    sensor = SignalSimulator(silent(sensor_y=9.0), scene(target(at=(8, 1, 0)), reflectors=[wall]))
    assert len(sensor._paths(0.0).phase) == 1


# Clutter.


def clutter_scene(**item: Any) -> Scenario:
    return scene(clutter=[{"density_db": -10.0, "from_m": 5.0, "to_m": 25.0} | item])


ONE = {"receivers_azimuth": 1, "sensor_z": 1.0, "coherent_dwell_s": 4e-4}  # one patch a range cell


def expected_clutter(radar: SimulatorSettings, density_db: float) -> np.ndarray:
    """Return the mean power of each range cell between 5 and 25 m, by the radar equation, with the patch straight ahead."""
    r = np.arange(64) * CELL_M
    inside = (r > 5) & (r <= 25)
    area = CELL_M * r * np.pi  # the whole half circle: one element's patch
    down = np.degrees(np.arcsin(1 / np.maximum(r, 1.0)))
    pattern = 0.5 ** (2 * (down / 90) ** 2)  # both ways, half power at half the beamwidth
    equation = radar.radar(77e9)
    unit = (
        equation.echo_power(1.0, 1.0)
        * 2
        * radar.receiver.noise_lsb**2
        / (K * radar.receiver.system_temperature_k * 10e6)
    )
    return np.where(inside, unit * 10 ** (density_db / 10) * area * pattern / np.maximum(r, 1) ** 4, 0)


def test_clutter_has_its_level_where_it_is_and_is_rayleigh():
    radar = silent(**ONE)
    z = range_profile(np.moveaxis(frames(SignalSimulator(radar, clutter_scene(spread_mps=50.0)), 60)[..., 0], 1, 0))
    power = np.abs(z) ** 2  # (range, frames, chirps)
    expected = expected_clutter(radar, -10.0)
    lit = expected > 0
    assert power[~lit].max() < 1e-6 * power[lit].mean()
    ratio = power[lit] / expected[lit][:, None, None]
    assert ratio.mean() == pytest.approx(1.0, abs=0.05)
    # Where the Doppler spread is wide the chirps are independent, and every sample of each range is exponential.
    assert stats.kstest(ratio[:, :, 0].ravel(), "expon").pvalue > 1e-4


@pytest.mark.parametrize(("distribution", "shape"), [("k", 0.7), ("weibull", 1.2)])
def test_spiky_clutter_has_its_distribution_over_the_ranges(distribution: str, shape: float):
    """One frame of a long range window: each cell has its own texture, and its own speckle."""
    radar = silent(
        **ONE
        | {"samples": 16_384, "bandwidth_hz": 1.5e9, "prf_hz": 500, "coherent_dwell_s": 2e-3, "max_range_m": 1600.0}
    )
    item = {"distribution": distribution, "shape": shape, "from_m": 100.0, "to_m": 1500.0}
    simulator = SignalSimulator(radar, clutter_scene(**item))
    z = range_profile(samples(simulator.step(0.0, 0))[:, 0])[:, 0]
    r = np.arange(16_384) * C / 3e9
    inside = (r > 100) & (r <= 1500)
    relative = np.abs(z[inside]) ** 2 * r[inside] ** 3
    relative /= relative.mean()
    if distribution == "k":

        def cdf(x: np.ndarray) -> np.ndarray:
            y = 2 * np.sqrt(shape * x)
            return 1 - 2 * (y / 2) ** shape * special.kv(shape, y) / special.gamma(shape)

        assert stats.kstest(relative, cdf).pvalue > 1e-4
    else:
        scale = 1 / np.sqrt(special.gamma(1 + 2 / shape))
        assert stats.kstest(np.sqrt(relative), stats.weibull_min(shape, scale=scale).cdf).pvalue > 1e-4


def test_clutter_that_stands_still_stays_and_what_moves_has_its_spread():
    radar = silent(**ONE | {"coherent_dwell_s": 12.8e-3})
    still = frames(SignalSimulator(radar, clutter_scene()), 2)
    np.testing.assert_allclose(still[0], still[1], rtol=1e-3, atol=1e-5 * np.abs(still).max())
    np.testing.assert_allclose(still[0, :, 0], still[0, :, -1], rtol=1e-3, atol=1e-5 * np.abs(still).max())
    moving = frames(SignalSimulator(radar, clutter_scene(spread_mps=1.0)), 30)[..., 0]
    spectrum = (np.abs(np.fft.fft(range_profile(np.moveaxis(moving, 1, 0)) * np.hanning(128), axis=2)) ** 2).sum(
        axis=(0, 1)
    )
    speed = np.fft.fftfreq(128, 1e-4) * WAVELENGTH / 2
    measured = np.sqrt((spectrum * speed**2).sum() / spectrum.sum())
    assert measured == pytest.approx(1.0, rel=0.05)


def test_clutter_comes_from_all_directions_in_front():
    """Over an array the covariance of clutter is that of patches spread over the sine of the azimuth."""
    radar = silent(receivers_azimuth=8, sensor_z=1.0, coherent_dwell_s=4e-4)
    z = frames(SignalSimulator(radar, clutter_scene(spread_mps=50.0, from_m=9.9, to_m=10.4)), 400)
    cell = np.einsum("fsch,s->fch", z, np.exp(-2j * np.pi * np.arange(64) * 20 / 64)).reshape(-1, 8)
    beams = np.abs(np.fft.fft(cell * 1.0, axis=1)) ** 2
    assert beams.mean(axis=0).min() > 0.1 * beams.mean(axis=0).max()


def test_pulse_clutter_has_its_level():
    radar = silent(PULSE, receivers_azimuth=1, sensor_z=10.0, coherent_dwell_s=4e-4)
    simulator = SignalSimulator(
        radar, scene(clutter=[{"density_db": -20.0, "from_m": 1000, "to_m": 2000, "spread_mps": 50.0}])
    )
    z = frames(simulator, 100)[..., 0]
    at = np.arange(200)
    centre = (4e-6 + at / 10e6) * C / 2 - 2e-6 * C / 2  # of the pulse that is on its way at this sample
    inside = (centre > 1000 + 350) & (centre < 2000 - 350)
    cell = C / (2 * 10e6)
    unit = (
        radar.radar(9.4e9).echo_power(1.0, 1.0)
        * 2
        * radar.receiver.noise_lsb**2
        / (K * radar.receiver.system_temperature_k * 10e6)
    )
    ranges = centre[inside][:, None] + (np.arange(40) - 19.5) * cell  # a sample has echoes of all that the pulse covers
    expected = (unit * 0.01 * cell * ranges * np.pi / ranges**4).sum(axis=1)
    measured = (np.abs(z[:, inside]) ** 2).mean(axis=(0, 2))
    assert (measured / expected).mean() == pytest.approx(1.0, abs=0.06)


# Jammers.


def jammer(**changes: Any) -> dict[str, Any]:
    return {
        "name": "j",
        "position_m": (300.0, 0.0, 0.0),
        "eirp_w": 1e-4,
        "frequency_hz": 77e9,
        "bandwidth_hz": 2e9,
    } | changes


def jamming_ratio(eirp_w: float, bandwidth_hz: float, gain: float = 10.0, range_m: float = 300.0) -> float:
    """Return J / N: the density received over one way with half the losses, over k T."""
    density = eirp_w / bandwidth_hz * gain * (WAVELENGTH / (4 * np.pi * range_m)) ** 2 / 10**0.1
    return float(density / (K * 3000.0))


@pytest.mark.parametrize("eirp_w", [10.0, 100.0])
def test_barrage_raises_the_noise_as_the_link_says(eirp_w: float):
    power = (np.abs(frames(SignalSimulator(settings(), scene(jammers=[jammer(eirp_w=eirp_w)])), 4)) ** 2).mean()
    ratio = jamming_ratio(eirp_w, 2e9)
    assert ratio > 0.1
    assert power / (32 + 1 / 6) - 1 == pytest.approx(ratio, rel=0.05)  # noise of 4 steps in I and Q, and their rounding


@pytest.mark.parametrize("base", [FMCW, PULSE])
@pytest.mark.parametrize("azimuth_deg", [-30.0, 0.0, 50.0])
def test_a_jammers_direction_is_in_the_array(base: dict[str, Any], azimuth_deg: float):
    strong = jammer(position_m=tuple(300 * direction(azimuth_deg)), eirp_w=1e4, frequency_hz=base["frequency_hz"])
    z = frames(SignalSimulator(silent(base), scene(jammers=[strong])), 1).reshape(-1, 4)
    phase = np.angle((z[:, 1:] * z[:, :-1].conj()).mean())
    sign = -1 if base is FMCW else 1  # half a wavelength apart, one way
    assert phase == pytest.approx(sign * np.pi * np.sin(np.radians(azimuth_deg)), abs=1e-3)


def test_spot_noise_hits_an_fmcw_chirp_only_while_it_sweeps_through():
    spot = jammer(frequency_hz=77e9 + 60e6, bandwidth_hz=20e6, eirp_w=1.0)
    z = frames(SignalSimulator(settings(data_type="complex64"), scene(jammers=[spot])), 60)
    power = (np.abs(z) ** 2).mean(axis=(0, 2, 3))
    t = (np.arange(64) - 31.5) / 10e6
    ours = 77e9 + 300e6 / 6.4e-6 * t
    overlap = np.clip(np.minimum(ours, 77.07e9) - np.maximum(ours - 10e6, 77.05e9), 0, None) / 10e6
    expected = 32 * (1 + jamming_ratio(1.0, 20e6) * overlap)
    assert 0 < (overlap > 0).sum() < 10
    np.testing.assert_allclose(power, expected, rtol=0.12)


def test_another_carrier_is_free_of_a_spot_jammer():
    spot = jammer(bandwidth_hz=20e6, eirp_w=10.0, frequency_hz=9.4e9)
    radar = SignalSimulator(settings(PULSE), scene(jammers=[spot]))
    jammed = (np.abs(samples(radar.step(0, 0))) ** 2).mean()
    radar.set_mode(frequency_hz=9.45e9)
    assert (np.abs(samples(radar.step(0, 0))) ** 2).mean() == pytest.approx(32 + 1 / 6, rel=0.05)
    assert jammed > 100


def test_both_levels_have_the_same_jamming():
    """Noise level that the points state: of the measurement level with its beam on the jammer, and of one element."""
    spot = jammer(frequency_hz=9.4e9, bandwidth_hz=50e6, eirp_w=0.5, position_m=(2500.0, 0, 0))
    near = target(at=(1500.0, 0, 0), rcs_dbsm=30.0)
    rises = []
    raw, clean = (SignalSimulator(settings(PULSE), scene(jammers=j)) for j in ([spot], []))
    rises.append((np.abs(frames(raw, 2)) ** 2).mean() / (np.abs(frames(clean, 2)) ** 2).mean())
    values = {k: PULSE[k] for k in ("frequency_hz", "gain_db", "losses_db", "system_temperature_k", "bandwidth_hz")}
    dwell = {"prf_hz": 10e3, "coherent_dwell_s": 3.2e-3}
    level = settings_of(SimulatorSettings, **values, **dwell, noise_cells=100_000, false_alarms_per_scan=0.0)
    noise = [Simulator(level, scene(near, jammers=j)).step(0, 0).noise_db[0] for j in ([spot], [])]
    rises.append(10 ** ((noise[0] - noise[1]) / 10))
    assert rises[1] > 1.5
    assert rises[0] == pytest.approx(rises[1], rel=0.03)


# Range-gate pull-off.


def test_a_pulled_off_echo_walks_away_and_keeps_its_doppler():
    false = {
        "name": "rgpo",
        "attached_to": "t",
        "rcs_dbsm": 20.0,
        "acceleration_mps2": 4.0,
        "hold_s": 1.0,
        "max_offset_m": 8.0,
    }
    item = target(at=(10, 0, 0), velocity=(1.0, 0, 0), rcs_dbsm=FAINT)
    radar = SignalSimulator(silent(), scene(item, pull_offs=[false]))
    for t, offset in ((0.5, 0.0), (1.0, 0.0), (2.0, 2.0), (2.5, 4.5), (2.9, 7.22), (3.5, 0.0), (5.0, 2.0)):
        z = samples(radar.step(t, 0))[:, :, 0]
        assert peak(z[:, 16]) * 64 * CELL_M == pytest.approx(10 + t + offset, abs=0.02), t  # after 3 s it starts again
        assert peak(z[32]) * 10e3 == pytest.approx(2 * 1.0 / WAVELENGTH, abs=1.0), t


def test_a_velocity_gate_that_is_pulled_off_changes_its_doppler_and_keeps_its_range():
    false = {
        "name": "vgpo", "attached_to": "t", "gate": "velocity", "rcs_dbsm": 20.0, "acceleration_mps2": 2.0, "hold_s": 1.0,
        "max_offset_m": 4.0,
    }  # fmt: skip
    item = target(at=(10, 0, 0), velocity=(1.0, 0, 0), rcs_dbsm=FAINT)
    radar = SignalSimulator(silent(), scene(item, pull_offs=[false]))
    for t, extra in ((0.5, 0.0), (1.0, 0.0), (2.0, 2.0), (2.5, 3.0), (3.5, 0.0), (5.0, 2.0)):
        z = samples(radar.step(t, 0))[:, :, 0]
        assert peak(z[32]) * 10e3 == pytest.approx(2 * (1.0 + extra) / WAVELENGTH, abs=1.0), t
        assert peak(z[:, 16]) * 64 * CELL_M == pytest.approx(10 + t, abs=0.02), t


def test_the_front_end_shows_the_contradiction():
    """Range changes by 8 m/s, range rate says 0: what an EW stage looks for (and the RCS of the false echo is as asked for)."""
    false = {"name": "rgpo", "attached_to": "t", "rcs_dbsm": 5.0, "acceleration_mps2": 8.0, "max_offset_m": 16.0}
    radar = SignalSimulator(settings(), scene(target(rcs_dbsm=FAINT), pull_offs=[false]))
    front_end = FrontEnd(FrontEndSettings())
    ranges, rates = [], []
    for t in (0.9, 1.0, 1.1):
        scan, _ = front_end.step(radar.step(t, 0))
        strongest = int(np.argmax(scan.snr_db))
        ranges.append(scan.range[strongest])
        rates.append(scan.range_rate[strongest])
    assert (ranges[2] - ranges[0]) / 0.2 == pytest.approx(8.0, abs=0.1)
    np.testing.assert_allclose(rates, 0.0, atol=0.02)


# Other radars.


def test_interference_has_the_links_power_for_the_time_of_a_crossing():
    other = {
        "name": "car", "position_m": (80.0, 20.0, 0.0), "eirp_w": 0.1, "frequency_hz": 77e9, "sweep_hz": -800e6, "chirp_s": 40e-6,
        "period_s": 41e-6,
    }  # fmt: skip
    radar = SignalSimulator(silent(coherent_dwell_s=0.0512), scene(interferers=[other]))
    z = samples(radar.step(0.0, 0))
    hit = np.abs(z) > 0.5 * np.abs(z).max()
    r, a = np.hypot(80, 20), np.degrees(np.arctan2(20, 80))
    received = 0.1 * 10 * 0.5 ** (4 * (a / 180) ** 2) * (WAVELENGTH / (4 * np.pi * r)) ** 2 / 10**0.1
    unit = 2 * radar.settings.receiver.noise_lsb**2 / (K * radar.settings.receiver.system_temperature_k * 10e6)
    assert (np.abs(z[hit]) ** 2).mean() == pytest.approx(received * unit, rel=1e-3)
    # Ours rises by 46.9 MHz a us, theirs falls by 20: a crossing of the 10 MHz lasts 0.149 us, 1.5 samples.
    crossing = 10e6 / (300e6 / 6.4e-6 + 800e6 / 40e-6) * 10e6
    per_chirp = hit[:, :, 0].sum(axis=0)
    assert set(np.unique(per_chirp)) <= {0, 1, 2, 3, 4}
    assert per_chirp[per_chirp > 0].mean() == pytest.approx(crossing, abs=0.35)
    # Their sweep passes ours in a part of our chirps only: what is common of 300 MHz in 6.4 us and 800 MHz every 41 us.
    assert 0.1 < (per_chirp > 0).mean() < 0.6
    np.testing.assert_allclose(
        z[..., 1][hit[..., 0]] / z[..., 0][hit[..., 0]], np.exp(-1j * np.pi * np.sin(np.radians(a))), atol=2e-2
    )


# Files.


GOOD: dict[str, Any] = {
    "name": "all", "duration_s": 10, "targets": [
        target(
            "a",
            rotors={"radius_m": 0.1, "rate_hz": 50, "blade_rcs_dbsm": -20},
            wings={"rate_hz": 5, "span_m": 1, "rcs_dbsm": -20},
        ),
        target("b", gait={}),
    ],
    "interferers": [
        {"name": "i", "attached_to": "a", "eirp_w": 1, "frequency_hz": 77e9, "sweep_hz": 1e8, "chirp_s": 1e-5, "period_s": 2e-5}
    ],
    "pull_offs": [{"name": "p", "attached_to": "a", "rcs_dbsm": 1, "acceleration_mps2": 1, "max_offset_m": 10}],
    "reflectors": [{"name": "r", "loss_db": 3}],
    "clutter": [{"density_db": -30}, {"density_db": -40, "distribution": "k", "shape": 1.0}],
}  # fmt: skip


def test_a_scenario_may_have_all_of_it(tmp_path: Any):
    path = tmp_path / "all.yaml"
    path.write_text(yaml.safe_dump(json.loads(json.dumps(GOOD))))
    whole = load_scenario(path)
    assert whole == Scenario.model_validate(GOOD)
    for base in (FMCW, PULSE):
        radar = SignalSimulator(
            settings(base, sensor_z=1.0, transmitters_azimuth=2, prf_hz=5e3, coherent_dwell_s=6.4e-3), whole
        )
        assert samples(radar.step(0.3, 0)).any()
    # The measurement level takes the same scene and leaves these out.
    near = settings_of(SimulatorSettings, max_range_m=200.0, pulse_width_s=1e-8, false_alarms_per_scan=0.0)
    assert len(Simulator(near, whole).step(0.0, 0)) == 2


@pytest.mark.parametrize(
    ("key", "changes", "says"),
    [
        ("pull_offs", {"attached_to": "nobody"}, "pull-off 'p' is attached to 'nobody', which is no target"),
        ("pull_offs", {"acceleration_mps2": 0}, "greater than 0"),
        ("interferers", {"attached_to": "nobody"}, "interferer 'i' is attached to 'nobody'"),
        ("interferers", {"position_m": (0, 0, 0)}, "exactly one of position_m and attached_to"),
        ("interferers", {"chirp_s": 3e-5}, "chirp_s 3e-05 is longer than period_s 2e-05"),
        ("interferers", {"period_s": 1e-9}, "greater than or equal to 0.000001"),
        ("interferers", {"name": "a"}, "used twice: a"),
        ("reflectors", {"normal": (0, 0, 0)}, "normal is zero"),
        ("reflectors", {"loss_db": -1}, "greater than or equal to 0"),
        ("clutter", {"shape": 1.0}, "distribution rayleigh: a shape belongs to k and weibull"),
        ("clutter", {"distribution": "k"}, "distribution k: a shape"),
        ("clutter", {"distribution": "weibull", "shape": 2.5}, "shape 2.5: of a Weibull amplitude at most 2"),
        ("clutter", {"from_m": 10, "to_m": 10}, "from_m 10 must be below to_m 10"),
        ("clutter", {"colour": "grey"}, "Extra inputs"),
        ("targets", {"rotors": {"radius_m": 0, "rate_hz": 1, "blade_rcs_dbsm": 0}}, "rotors.radius_m"),
        ("targets", {"gait": {}, "scatterers": 3, "extent_m": (1, 1, 1)}, "a gait brings its own scatterers"),
    ],
)  # fmt: skip
def test_wrong_effects_are_refused(key: str, changes: dict[str, Any], says: str):
    content = GOOD | {key: [GOOD[key][0] | changes, *GOOD[key][1:]]}
    with pytest.raises((ConfigError, ValueError), match=says):
        Scenario.model_validate(content)


def test_chirp_jitter_takes_a_parallel_radars_energy_out_of_its_range():
    """A radar alike, in step with ours: its chirps beat at one frequency in every chirp, until ours come at random times."""
    base = {
        "prf_hz": 20e3,
        "coherent_dwell_s": 3.2e-3,
        "samples": 128,
        "sample_rate_hz": 10e6,
        "bandwidth_hz": 150e6,
        "max_range_m": 100.0,
    }
    chosen = settings(FMCW, **base)
    slope = 150e6 * 10e6 / 128
    other = {"name": "i", "position_m": (50.0, 0.0, 0.0), "eirp_w": 0.1, "frequency_hz": 77e9 - 3e6, "sweep_hz": slope * 40e-6,
             "chirp_s": 40e-6, "period_s": 50e-6}  # fmt: skip
    peaks = []
    for jitter in (0.0, chosen.most_chirp_jitter_s):
        radar = SignalSimulator(chosen, scene(interferers=[other]))
        radar.set_mode(chirp_jitter_s=jitter)
        spectrum = np.fft.fft(samples(radar.step(25e-6, 0)) * np.hanning(128)[:, None, None], axis=0)
        peaks.append((np.abs(spectrum) ** 2).mean(axis=(1, 2)).max())
    assert 0.0 < chosen.most_chirp_jitter_s < 25e-6
    assert 10 * np.log10(peaks[0] / peaks[1]) > 12.0  # 64 chirps: 18 dB at most


def test_the_surface_lies_level_before_a_sensor_that_is_tilted():
    surface = [{"density_db": -20.0}]
    base = {"sensor_z": 8.0, "sensor_yaw_deg": 40.0}
    level, tilted = (
        SignalSimulator(settings(FMCW, **base, **more), scene(target(), clutter=surface))
        for more in ({}, {"sensor_pitch_deg": -15.0, "sensor_roll_deg": 170.0})
    )
    in_map = [radar._clutter[0].direction @ radar.settings.rotation().T for radar in (level, tilted)]
    np.testing.assert_allclose(in_map[1], in_map[0], atol=1e-12)
    assert (in_map[0][..., 2] < 0.0).all()
