# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The simulated radar against exact statistics. Seeds are fixed; bounds hold but once in a million for a right simulator."""

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy import stats
from settings_of import settings_of

from aegis.core.params import ConfigError
from aegis.core.types import Scan
from aegis.simulation.points import Mode, Simulator, SimulatorSettings
from aegis.simulation.scenario import Scenario, load_scenario, scenario_names

RARE = 1e-6
C, K = 299_792_458.0, 1.380649e-23


def ring(n: int, range_m: float, *, height_m: float = 0.0, **more: Any) -> Scenario:
    """Return n targets that hang evenly around the origin at one slant range; none sits at azimuth 0 or pi."""
    azimuth = 2 * np.pi * (np.arange(n) + 0.5) / n
    ground = np.sqrt(range_m**2 - height_m**2)
    targets = [
        {
            "name": str(i),
            "class": "DRONE",
            "rcs_dbsm": -18,
            "motion": {
                "kind": "hovering",
                "position_m": (ground * np.cos(a), ground * np.sin(a), height_m),
            },
        }
        | more
        for i, a in enumerate(azimuth)
    ]
    return Scenario.model_validate({"name": "ring", "duration_s": 1e5, "targets": targets})


def with_jammer(scenario: Scenario, **changes: Any) -> Scenario:
    jammer = {"name": "j", "position_m": (8000, 0, 0), "eirp_w": 10, "frequency_hz": 9.4e9, "bandwidth_hz": 20e6}
    return Scenario.model_validate(
        scenario.model_dump(by_alias=True, exclude={"targets"})
        | {"targets": scenario.targets, "jammers": [jammer | changes]}
    )


def quiet(**changes: Any) -> SimulatorSettings:
    """Return settings without false alarms."""
    return settings_of(SimulatorSettings, **{"false_alarms_per_scan": 0.0, **changes})


def scans(simulator: Simulator, n: int) -> list[Scan]:
    return [simulator.step(0.5 * i, i) for i in range(n)]


def joined(made: list[Scan], name: str) -> np.ndarray:
    return np.concatenate([getattr(scan, name) for scan in made])


def expected_snr(range_m: float, rcs_dbsm: float = -18.0) -> float:
    """Return the SNR of the default radar, summed in dB by hand: 1 kW, 1 us x 25 pulses, 34 dB, 9.4 GHz, 870 K, 6 dB."""
    db = 30 - 60 + 13.9794 + 2 * 34 + 20 * np.log10(C / 9.4e9) + rcs_dbsm - 30 * np.log10(4 * np.pi)
    return float(10 ** ((db - 40 * np.log10(range_m) - 10 * np.log10(K * 870) - 6) / 10))


def exact_pd(snr: float, swerling: int, pfa: float = 1e-6) -> float:
    """Return Marcum's Q, and Swerling's closed forms of cases 1 and 3 for one pulse."""
    level = -np.log(pfa)
    if swerling == 0:
        return float(stats.ncx2.sf(2 * level, 2, 2 * snr))
    if swerling == 1:
        return float(np.exp(-level / (1 + snr)))
    return float((1 + level * (snr / 2) / (1 + snr / 2) ** 2) * np.exp(-level / (1 + snr / 2)))


def in_binomial_interval(hits: int, trials: int, probability: float) -> bool:
    low, high = stats.binom.interval(1 - RARE, trials, probability)
    return bool(low <= hits <= high)


# Detection.


@pytest.mark.parametrize("swerling", [0, 1, 3])
@pytest.mark.parametrize("range_m", [5200.0, 6000.0, 6600.0, 7500.0])
def test_empirical_pd_is_the_exact_one(swerling: int, range_m: float):
    made = scans(Simulator(quiet(), ring(200, range_m, swerling=swerling)), 100)
    pd = exact_pd(expected_snr(range_m), swerling)
    assert 0.01 < pd < 0.99999
    assert in_binomial_interval(sum(len(scan) for scan in made), 200 * 100, pd)


def test_pulse_to_pulse_fluctuation_costs_what_leaves_the_doppler_cell():
    """Of many pulses integrated coherently pi / 4 of an exponential RCS stay, nearly steady (25 pulses: 4 % of the amplitude)."""
    strong = ring(200, 2000.0, swerling=2)
    mean = (10 ** (joined(scans(Simulator(quiet(), strong), 20), "snr_db") / 10)).mean() - 1
    kept = np.pi / 4 + (1 - np.pi / 4) / 25
    assert mean == pytest.approx(expected_snr(2000.0) * kept, rel=0.02)


def test_observed_snr_of_a_steady_target_is_noncentral_chi_square():
    made = scans(Simulator(quiet(), ring(200, 5000.0, swerling=0)), 50)
    twice = 2 * 10 ** (joined(made, "snr_db") / 10)
    law = stats.ncx2(2, 2 * expected_snr(5000.0))
    threshold = -2 * np.log(1e-6)
    assert twice.min() > threshold
    uniform = law.sf(twice) / law.sf(threshold)  # given that it is over the threshold
    assert stats.kstest(uniform, "uniform").pvalue > 1e-4


def test_observed_snr_of_a_fluctuating_target_is_exponential():
    made = scans(Simulator(quiet(), ring(200, 5000.0, swerling=1)), 50)
    excess = 10 ** (joined(made, "snr_db") / 10) + np.log(1e-6)
    assert stats.kstest(excess, stats.expon(scale=1 + expected_snr(5000.0)).cdf).pvalue > 1e-4


def test_fluctuation_is_new_with_every_scan_and_target():
    made = scans(Simulator(quiet(), ring(100, 2000.0, swerling=1)), 40)
    full = np.array([scan.snr_db for scan in made if len(scan) == 100])
    assert len(full) > 20
    assert abs(np.corrcoef(full[:-1].ravel(), full[1:].ravel())[0, 1]) < 0.1
    assert abs(np.corrcoef(full[:, :-1].ravel(), full[:, 1:].ravel())[0, 1]) < 0.1


def test_rcs_estimate_has_the_true_mean():
    made = scans(Simulator(quiet(), ring(200, 4500.0, swerling=0)), 50)
    estimate = 10 ** (joined(made, "rcs_dbsm") / 10)
    assert len(estimate) == 200 * 50  # at 18 dB nothing is missed, so that the mean is not biased by the threshold
    error = estimate.std() / np.sqrt(len(estimate))
    assert abs(estimate.mean() - 10**-1.8) < 5 * error


# Errors.


def test_errors_follow_the_formulas():
    scenario = ring(200, 4000.0, height_m=300.0, swerling=0)
    made = scans(Simulator(quiet(), scenario), 50)
    assert all(len(scan) == 200 for scan in made)
    root = np.sqrt(2 * 10 ** (joined(made, "snr_db") / 10))
    azimuth = np.tile(np.sort(((2 * np.pi * (np.arange(200) + 0.5) / 200) + np.pi) % (2 * np.pi) - np.pi), 50)
    normalised = {
        "range": (joined(made, "range") - 4000.0) / (C / (2 * 5e6 * root)),
        "azimuth": (joined(made, "azimuth") - azimuth) / (np.radians(2.0) / (1.6 * root)),
        "elevation": (joined(made, "elevation") - np.arcsin(300 / 4000)) / (np.radians(4.0) / (1.6 * root)),
        "range_rate": joined(made, "range_rate") / (C / 9.4e9 / (2 * 2.5e-3 * root)),
    }
    for name, values in normalised.items():
        low, high = stats.chi2.interval(1 - RARE, len(values))
        assert low < (values**2).sum() < high, name
        assert stats.kstest(values, "norm").pvalue > 1e-4, name


def test_range_rate_is_positive_when_receding():
    for course_deg, sign in ((0, 1), (180, -1)):
        motion = {"kind": "straight", "position_m": (0, 3000, 0), "speed_mps": 30, "course_deg": course_deg}
        item = {"name": "t", "class": "AIRCRAFT", "rcs_dbsm": 10, "swerling": 0, "motion": motion}
        scenario = Scenario.model_validate({"name": "t", "duration_s": 10, "targets": [item]})
        assert Simulator(quiet(), scenario).step(0, 0).range_rate[0] == pytest.approx(sign * 30, abs=1)


def test_what_is_not_measured_is_unknown():
    scan = Simulator(quiet(has_elevation=False, has_doppler=False), ring(50, 2000.0)).step(0, 0)
    assert len(scan) > 30
    assert np.isnan(scan.elevation).all()
    assert np.isnan(scan.range_rate).all()
    assert np.isfinite([scan.range, scan.azimuth, scan.snr_db, scan.rcs_dbsm, scan.noise_db]).all()


def test_points_are_in_the_frame_of_the_sensor():
    # The sensor at (100, 200, 10) looks north: a target 3 km to its west is to its left.
    item = {"name": "t", "class": "VESSEL", "rcs_dbsm": 30, "swerling": 0}
    motion = {"kind": "hovering", "position_m": (-2900, 200, 10)}
    scenario = Scenario.model_validate({"name": "t", "duration_s": 10, "targets": [item | {"motion": motion}]})
    settings = quiet(sensor_x=100.0, sensor_y=200.0, sensor_z=10.0, sensor_yaw_deg=90.0)
    scan = Simulator(settings, scenario).step(0, 0)
    assert scan.range[0] == pytest.approx(3000, abs=1)
    assert scan.azimuth[0] == pytest.approx(np.pi / 2, abs=1e-3)
    assert scan.elevation[0] == pytest.approx(0, abs=2e-3)
    assert scan.frame_id == "radar"


# False alarms and noise.


def test_false_alarms_come_at_the_stated_rate_uniformly():
    settings = settings_of(SimulatorSettings, false_alarms_per_scan=3.0)
    made = scans(Simulator(settings, ring(0, 1000.0)), 3000)
    counts = np.array([len(scan) for scan in made])
    low, high = stats.poisson.interval(1 - RARE, 3.0 * 3000)
    assert low <= counts.sum() <= high
    low, high = stats.chi2.interval(1 - RARE, 2999)
    assert low < ((counts - counts.mean()) ** 2).sum() / counts.mean() < high  # Poisson: variance equals mean
    blind = C * 1e-6 / 2
    limits = {
        "range": (blind, 10_000.0),
        "azimuth": (-np.pi, np.pi),
        "elevation": np.radians([-5.0, 60.0]),
        "range_rate": (-600.0, 600.0),
    }
    for name, (least, most) in limits.items():
        uniform = (joined(made, name) - least) / (most - least)
        assert stats.kstest(uniform, "uniform").pvalue > 1e-4, name
    excess = 10 ** (joined(made, "snr_db") / 10) + np.log(1e-6)
    assert stats.kstest(excess, "expon").pvalue > 1e-4


@pytest.mark.parametrize("cells", [4, 32])
def test_noise_level_scatters_as_the_mean_of_its_reference_cells(cells: int):
    made = scans(Simulator(quiet(noise_cells=cells), ring(200, 2000.0)), 20)
    ratio = 10 ** (joined(made, "noise_db") / 10) / (1e3 * K * 870 * 5e6)
    assert stats.kstest(2 * cells * ratio, stats.chi2(2 * cells).cdf).pvalue > 1e-4


def noise_rise_db(simulator: Simulator, n: int = 60) -> np.ndarray:
    """Return by how much the mean noise at each of the simulator's targets is over the receiver's own [dB]."""
    made = [scan for scan in scans(simulator, n) if len(scan) == len(simulator.scenario.targets)]
    assert len(made) > n // 2
    return 10 * np.log10(np.mean([10 ** (scan.noise_db / 10) for scan in made], axis=0) / (1e3 * K * 870 * 5e6))


def jamming_db(relative_gain_db: float) -> float:
    """Return the noise rise of the jammer of `with_jammer`, by the one-way link in dB: 3 dB of loss on reception."""
    density = 10 * np.log10(10 / 20e6) + 34 + relative_gain_db - 3 - 20 * np.log10(4 * np.pi * 8000 * 9.4e9 / C)
    return float(10 * np.log10(1 + 10 ** (density / 10) / (K * 870)))


def test_a_jammer_raises_the_noise_through_the_sidelobes():
    scenario = with_jammer(ring(8, 1000.0, swerling=0, rcs_dbsm=20))
    np.testing.assert_allclose(noise_rise_db(Simulator(quiet(), scenario)), jamming_db(-30), atol=0.5)


def test_a_jammer_raises_the_noise_more_through_the_main_beam():
    scenario = ring(8, 1000.0, swerling=0, rcs_dbsm=30)
    # The ring's targets are at 22.5 deg + k 45 deg: put the jammer on one, and half a beamwidth (1 deg) from another.
    for off_deg, relative_db in ((0.0, 0.0), (1.0, -3.01)):
        angle = np.radians(22.5 + off_deg)
        jammed = with_jammer(scenario, position_m=(8000 * np.cos(angle), 8000 * np.sin(angle), 0))
        rise = noise_rise_db(Simulator(quiet(), jammed))
        azimuth = Simulator(quiet(), jammed).step(0, 0).azimuth
        looked_at = np.argmin(np.abs(azimuth - np.radians(22.5)))
        assert rise[looked_at] == pytest.approx(jamming_db(relative_db), abs=0.5)
        np.testing.assert_allclose(np.delete(rise, looked_at), jamming_db(-30), atol=0.5)


def test_a_jammer_beside_the_band_is_not_heard_and_changing_the_carrier_escapes_it():
    scenario = ring(8, 1000.0, swerling=0, rcs_dbsm=20)
    np.testing.assert_allclose(
        noise_rise_db(Simulator(quiet(), with_jammer(scenario, frequency_hz=9.45e9))), 0.0, atol=0.5
    )
    simulator = Simulator(quiet(), with_jammer(scenario))
    simulator.set_mode(frequency_hz=9.45e9)
    np.testing.assert_allclose(noise_rise_db(simulator), 0.0, atol=0.5)


def test_a_jammer_over_half_the_band_counts_half():
    scenario = with_jammer(ring(8, 1000.0, swerling=0, rcs_dbsm=20), frequency_hz=9.41e9)  # its band begins at 9.4 GHz
    half = 10 * np.log10(1 + (10 ** (jamming_db(-30) / 10) - 1) / 2)
    np.testing.assert_allclose(noise_rise_db(Simulator(quiet(), scenario)), half, atol=0.5)


def test_jamming_lowers_pd_as_the_noise_says_and_leaves_the_rcs_estimate():
    range_m = 3500.0
    scenario = with_jammer(ring(200, range_m, swerling=1), position_m=(0, 0, 8000))  # overhead: sidelobes only
    made = scans(Simulator(quiet(), scenario), 100)
    snr = expected_snr(range_m) / 10 ** (jamming_db(-30) / 10)
    assert in_binomial_interval(sum(len(scan) for scan in made), 200 * 100, exact_pd(snr, 1))
    strong = with_jammer(ring(200, 1000.0, swerling=0), position_m=(0, 0, 8000))
    estimate = 10 ** (joined(scans(Simulator(quiet(), strong), 50), "rcs_dbsm") / 10)
    assert len(estimate) == 200 * 50
    assert abs(estimate.mean() - 10**-1.8) < 5 * estimate.std() / np.sqrt(len(estimate))


# What is in view.


@pytest.mark.parametrize(
    ("settings", "range_m", "height_m", "seen"),
    [
        ({}, 9900.0, 0.0, True),
        ({}, 10_100.0, 0.0, False),
        ({"prf_hz": 20e3}, 7400.0, 0.0, True),
        ({"prf_hz": 20e3}, 7600.0, 0.0, False),  # beyond c / 2 PRF = 7495 m
        ({}, 160.0, 0.0, True),
        ({}, 140.0, 0.0, False),  # while the pulse is sent: c tau / 2 = 150 m
        ({}, 3000.0, 2590.0, True),
        ({}, 3000.0, 2610.0, False),  # above 60 deg
        ({}, 3000.0, -250.0, True),
        ({}, 3000.0, -270.0, False),  # below -5 deg
        ({"pulse_width_s": 1e-5}, 1490.0, 0.0, False),
        ({"pulse_width_s": 1e-5}, 1510.0, 0.0, True),
    ],
)
def test_limits_of_the_view(settings: dict[str, Any], range_m: float, height_m: float, seen: bool):
    scenario = ring(20, range_m, height_m=height_m, swerling=0, rcs_dbsm=30)
    assert len(Simulator(quiet(**settings), scenario).step(0, 0)) == (20 if seen else 0)


def test_a_narrow_field_of_view_sees_its_sector_only():
    scan = Simulator(quiet(azimuth_fov_deg=90.0), ring(72, 2000.0, swerling=0, rcs_dbsm=20)).step(0, 0)
    assert len(scan) == 18
    assert np.abs(np.degrees(scan.azimuth)).max() < 45


def test_faster_than_the_doppler_filters_is_seen_only_without_them():
    motion = {"kind": "straight", "position_m": (0, 5000, 0), "speed_mps": 700, "course_deg": 180}
    item = {"name": "t", "class": "MISSILE", "rcs_dbsm": 20, "swerling": 0, "motion": motion}
    scenario = Scenario.model_validate({"name": "t", "duration_s": 10, "targets": [item]})
    assert len(Simulator(quiet(), scenario).step(0, 0)) == 0
    assert len(Simulator(quiet(max_range_rate_mps=800.0), scenario).step(0, 0)) == 1
    assert len(Simulator(quiet(has_doppler=False), scenario).step(0, 0)) == 1


@pytest.mark.parametrize("edges_deg", [(-180.0, 180.0), (0.0, 360.0), (360.0, 0.0), (-90.0, 270.0)])
def test_a_sector_of_a_full_turn_is_all_around(edges_deg):
    simulator = Simulator(settings_of(SimulatorSettings, false_alarms_per_scan=200.0), ring(72, 2000.0, rcs_dbsm=20))
    simulator.set_mode(blanking=[tuple(np.radians(edges_deg))])
    assert len(simulator.step(0, 0)) == 0
    assert not simulator.truth(0.0, 0).in_view.any()


def test_blanked_sectors_give_no_points():
    simulator = Simulator(
        settings_of(SimulatorSettings, false_alarms_per_scan=200.0), ring(72, 2000.0, swerling=0, rcs_dbsm=20)
    )
    # The second goes through the back, where the azimuth jumps.
    simulator.set_mode(blanking=[(np.radians(10), np.radians(40)), (np.radians(170), np.radians(-160))])
    azimuth = np.degrees(joined(scans(simulator, 30), "azimuth"))
    assert not ((azimuth >= 10) & (azimuth <= 40)).any()
    assert not ((azimuth >= 170) | (azimuth <= -160)).any()
    assert len(azimuth) / 30 == pytest.approx((200 + 72) * 300 / 360, rel=0.05)
    simulator.set_mode(blanking=[])
    assert len(simulator.step(0, 0)) > 72 + 100


def test_targets_are_seen_while_they_are_there_and_the_scenario_repeats():
    scenario = Scenario.model_validate(
        {
            "name": "t",
            "duration_s": 40,
            "targets": [
                item.model_dump(by_alias=True) | {"class": "DRONE", "appears_s": 10, "disappears_s": 20}
                for item in ring(5, 1000.0, swerling=0, rcs_dbsm=10).targets
            ],
        }
    )
    simulator = Simulator(quiet(), scenario)
    assert [len(simulator.step(t, 0)) for t in (9.9, 10.0, 19.9, 20.0, 49.9, 50.0, 59.9, 60.0)] == [
        *(0, 5, 5, 0),
        *(0, 5, 5, 0),
    ]


def test_an_extended_object_gives_several_points_within_its_extent():
    item = {
        "name": "ship",
        "class": "VESSEL",
        "rcs_dbsm": 30,
        "swerling": 0,
        "scatterers": 20,
        "extent_m": (200, 20, 10),
        "motion": {"kind": "turning", "position_m": (0, 3000, 0), "speed_mps": 10, "course_deg": 90}
        | {"turn_rate_deg_s": 1},
    }
    scenario = Scenario.model_validate({"name": "t", "duration_s": 100, "targets": [item]})
    simulator = Simulator(quiet(), scenario)
    scan = simulator.step(0, 0)
    assert len(scan) == 20
    east, north = scan.range * np.cos(scan.azimuth), scan.range * np.sin(scan.azimuth)
    assert 120 < np.ptp(east) < 205  # eastbound: its length lies east-west
    assert np.ptp(north) < 25
    assert (10 ** (scan.rcs_dbsm / 10)).sum() == pytest.approx(1000, rel=0.05)
    # As a rigid body: the range rate of every scatterer is the derivative of its range.
    _, before = simulator._visible(9.999)
    _, now = simulator._visible(10.0)
    _, after = simulator._visible(10.001)
    np.testing.assert_allclose((after[0] - before[0]) / 0.002, now[3], atol=1e-4)
    assert np.ptp(now[3]) > 1.0  # bow and stern differ as it turns


@pytest.mark.parametrize("name", scenario_names())
def test_every_target_that_ships_can_be_seen(name: str):
    scenario = load_scenario(name)
    # The street is for a short-range radar: the default one is blind to 150 m.
    radar, close_m = ({"pulse_width_s": 1e-8, "bandwidth_hz": 1e8}, 5.0) if name == "street" else ({}, 150.0)
    simulator = Simulator(settings_of(SimulatorSettings, scenario=name, false_alarms_per_scan=0.0, **radar))
    near = np.zeros(len(scenario.targets))
    there = np.zeros(len(scenario.targets))
    for t_s in np.arange(0.0, scenario.duration_s, 0.5):
        scan = simulator.step(t_s, 0)
        ground = scan.range * np.cos(scan.elevation)
        points = np.stack([ground * np.cos(scan.azimuth), ground * np.sin(scan.azimuth)], axis=1)
        position, _ = scenario.position_velocity(t_s)
        present = scenario.present(t_s)
        distance = np.linalg.norm(position[:, None, :2] - points[None], axis=2)
        near += present & (distance < close_m).any(axis=1)
        there += present
    missing = [item.name for item, share in zip(scenario.targets, near / there, strict=True) if share < 0.4]
    assert missing == []


# Determinism and modes.


def same(a: Scan, b: Scan) -> bool:
    arrays = [name for name, value in vars(a).items() if isinstance(value, np.ndarray)]
    return all(np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True) for name in arrays)


def test_same_seed_same_scans_and_another_seed_others():
    first, second, other = (
        scans(Simulator(SimulatorSettings.load({"seed": seed, "scenario": "jamming"})), 150) for seed in (7, 7, 8)
    )
    assert all(map(same, first, second))
    assert not any(map(same, first, other))


def test_an_injected_generator_is_used():
    settings = SimulatorSettings()
    first, second = (Simulator(settings, rng=np.random.default_rng(5)).step(0, 0) for _ in range(2))
    assert same(first, second)
    assert not same(first, Simulator(settings).step(0, 0))


def test_reset_goes_back_to_the_start_and_counts_on():
    simulator = Simulator(SimulatorSettings())
    first = scans(simulator, 5)
    simulator.set_mode(Mode.STANDBY, 9.5e9, [(0.0, 1.0)])
    simulator.reset()
    assert (simulator.mode, simulator.frequency_hz, simulator.blanking) == (Mode.SEARCH, 9.4e9, ())
    again = scans(simulator, 5)
    assert all(map(same, first, again))
    assert [scan.sequence for scan in first + again] == list(range(1, 11))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"frequency_hz": 1e9}, r"1e\+09 Hz cannot be tuned; 8\.9e\+09 to 9\.9e\+09 Hz can"),
        ({"frequency_hz": float("nan")}, "cannot be tuned"),
        ({"frequency_hz": float("inf")}, "cannot be tuned"),
        ({"blanking": [(0.0, 90.0)]}, "radians from -2 pi to 2 pi"),
        ({"blanking": [(float("nan"), 1.0)]}, "radians from -2 pi to 2 pi"),
        ({"blanking": [(0.0, 0.5), (1.0, 1.0)]}, "empty sector"),
    ],
)
def test_a_change_that_is_refused_changes_nothing(change: dict[str, Any], says: str):
    simulator = Simulator(SimulatorSettings())
    simulator.set_mode(Mode.SEARCH, 9.41e9, [(0.25, 0.5)])
    with pytest.raises(ValueError, match=says):
        simulator.set_mode(**({"mode": Mode.STANDBY, "frequency_hz": 9.5e9, "blanking": []} | change))
    assert (simulator.mode, simulator.frequency_hz, simulator.blanking) == (Mode.SEARCH, 9.41e9, ((0.25, 0.5),))


def test_the_scan_interval_comes_from_either_environment_variable():
    def interval(**environ: str) -> float:
        return SimulatorSettings.load(environ=environ).interval_s

    assert interval() == 0.5
    assert interval(RADAR_SCAN_INTERVAL="0.2") == 0.2
    assert interval(RADAR_REFRESH_RATE="10") == pytest.approx(0.1)
    assert interval(RADAR_SCAN_INTERVAL="0.2", RADAR_REFRESH_RATE="4") == 0.25
    with pytest.raises(ConfigError, match=r"environment variable RADAR_SCAN_INTERVAL.*'soon'"):
        interval(RADAR_SCAN_INTERVAL="soon")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"elevation_min_deg": 10.0, "elevation_max_deg": 10.0}, "elevation_min_deg must be below elevation_max_deg"),
        ({"coherent_dwell_s": 1e-5}, "coherent_dwell_s must hold at least one pulse"),
        ({"pulse_width_s": 1e-3}, "nothing would be seen"),
        ({"pfa": 0.0}, "'points.pfa' = 0.0"),
        ({"seed": -1}, "'seed' = -1"),
        ({"power": 1.0}, "unknown parameter 'power'"),
    ],
)
def test_settings_that_make_no_radar_are_refused(values: dict[str, Any], says: str):
    with pytest.raises(ConfigError, match=says):
        settings_of(SimulatorSettings, **values)


def test_an_unknown_scenario_is_refused():
    with pytest.raises(ConfigError, match="no scenario 'tea_party'"):
        Simulator(SimulatorSettings.load({"scenario": "tea_party"}))


@hypothesis_settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32),
    t_s=st.floats(0, 1e4),
    name=st.sampled_from(scenario_names()),
    fov_deg=st.floats(1, 360),
    elevation=st.booleans(),
    doppler=st.booleans(),
    pfa=st.floats(1e-9, 0.1),
    bandwidth_hz=st.floats(1e5, 1e9),
)
def test_a_scan_is_whole_whatever_the_radar(
    seed: int, t_s: float, name: str, fov_deg: float, elevation: bool, doppler: bool, pfa: float, bandwidth_hz: float
):
    settings = settings_of(
        SimulatorSettings,
        scenario=name,
        seed=seed,
        azimuth_fov_deg=fov_deg,
        has_elevation=elevation,
        has_doppler=doppler,
        pfa=pfa,
        bandwidth_hz=bandwidth_hz,
        false_alarms_per_scan=20.0,
    )
    scan = Simulator(settings).step(t_s, 123)
    n = len(scan)
    arrays = [value for value in vars(scan).values() if isinstance(value, np.ndarray)]
    assert all(values.shape == (n,) for values in arrays)
    assert np.isfinite([scan.range, scan.azimuth, scan.snr_db, scan.rcs_dbsm, scan.noise_db]).all()
    assert np.isfinite(scan.elevation).all() == (elevation or n == 0)
    assert np.isfinite(scan.range_rate).all() == (doppler or n == 0)
    assert ((scan.range >= settings.blind_range_m) & (scan.range <= 10_000)).all()
    assert (np.abs(scan.azimuth) <= np.pi).all()
    assert (np.diff(scan.azimuth) >= 0).all()
    assert (scan.snr_db >= 10 * np.log10(-np.log(pfa)) - 1e-9).all()
    assert scan.stamp_ns == 123


def test_a_target_on_the_sensor_is_no_trouble():
    item = {"name": "t", "class": "DRONE", "rcs_dbsm": 0, "motion": {"kind": "hovering", "position_m": (0, 0, 0)}}
    scenario = Scenario.model_validate({"name": "t", "duration_s": 10, "targets": [item]})
    assert len(Simulator(quiet(), with_jammer(scenario, position_m=(0, 0, 0))).step(0, 0)) == 0


def test_a_scan_of_200_targets_costs_less_than_2_ms():
    simulator = Simulator(SimulatorSettings(), with_jammer(ring(200, 3000.0)))
    simulator.step(0, 0)
    spent = []
    for i in range(50):
        begin = time.process_time()
        simulator.step(0.5 * i, i)
        spent.append(time.process_time() - begin)
    assert min(spent) < 2e-3
