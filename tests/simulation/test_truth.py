# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The truth that the simulator tells: the scenario's own, and in view exactly where points can come from."""

import numpy as np
from settings_of import settings_of

from aegis.core.types import ClassId
from aegis.simulation.points import Simulator, SimulatorSettings
from aegis.simulation.scenario import load_scenario
from aegis.simulation.signal import SignalSimulator


def test_it_is_the_state_of_the_scenario():
    simulator = Simulator(SimulatorSettings.load({"scenario": "fast_approach"}))
    scenario = load_scenario("fast_approach")
    for t_s in (0.0, 9.5, 10.0, 39.5, 40.0, 60.0):
        truth = simulator.truth(t_s, 5)
        position, velocity = scenario.position_velocity(t_s)
        there = np.flatnonzero(scenario.present(t_s))
        np.testing.assert_array_equal(truth.state, np.hstack([position, velocity])[there])
        assert truth.name == [scenario.targets[i].name for i in there]
        assert truth.class_id.tolist() == [int(scenario.targets[i].class_id) for i in there]
        assert (ClassId.MISSILE in truth.class_id) == (10 <= t_s < 40 or t_s >= 55)


def test_when_the_scenario_begins_again_everything_is_new():
    simulator = Simulator(SimulatorSettings.load({"scenario": "crossing"}))
    first, second = simulator.truth(3.0, 0), simulator.truth(123.0, 0)
    np.testing.assert_array_equal(first.state, second.state)
    assert not set(first.truth_id.tolist()) & set(second.truth_id.tolist())


def test_points_come_from_what_is_in_view_only():
    settings = settings_of(
        SimulatorSettings, scenario="calm_traffic", azimuth_fov_deg=100.0, false_alarms_per_scan=0.0, max_range_m=6000.0
    )
    simulator = Simulator(settings)
    simulator.set_mode(blanking=[(0.2, 0.5)])
    seen = unseen = 0
    for t_s in np.arange(0.0, 120.0, 2.0):
        scan, truth = simulator.step(t_s, 0), simulator.truth(t_s, 0)
        ground = scan.range * np.cos(scan.elevation)
        points = np.stack([ground * np.cos(scan.azimuth), ground * np.sin(scan.azimuth)], axis=1)
        near = (np.linalg.norm(truth.state[:, None, :2] - points[None], axis=2) < 200.0).any(axis=1)
        vessel = truth.class_id == ClassId.VESSEL  # long enough to be in view by half
        assert not near[(truth.in_view == 0) & ~vessel].any()
        seen += int(near.sum())
        unseen += int((truth.in_view == 0).sum())
    assert min(seen, unseen) > 50


def test_emitters_that_are_on_are_counted():
    simulator = Simulator(SimulatorSettings.load({"scenario": "jamming"}))
    assert [simulator.truth(t, 0).emitters for t in (39.0, 41.0, 99.0, 101.0)] == [0, 1, 1, 0]


def test_the_jammer_takes_from_the_signal_to_noise():
    simulator = Simulator(SimulatorSettings.load({"scenario": "jamming"}))
    before, during = simulator.truth(39.5, 0), simulator.truth(40.5, 0)
    assert (before.snr_db - during.snr_db > 5.0).all()


def test_at_signal_level_what_an_element_looks_at_is_in_view():
    settings = settings_of(
        SimulatorSettings, level="signal", scenario="street", max_range_m=150.0, bandwidth_hz=200e6, samples=256,
        sample_rate_hz=20e6, azimuth_beamwidth_deg=90.0, elevation_beamwidth_deg=25.0,
    )  # fmt: skip
    simulator = SignalSimulator(settings, load_scenario("street"))
    truth = simulator.truth(5.0, 0)
    azimuth = np.degrees(np.arctan2(truth.state[:, 1], truth.state[:, 0]))
    elevation = np.degrees(np.arctan2(truth.state[:, 2], np.hypot(truth.state[:, 0], truth.state[:, 1])))
    np.testing.assert_array_equal(truth.in_view == 1, (np.abs(azimuth) <= 45.0) & (np.abs(elevation) <= 12.5))
    assert set(truth.in_view.tolist()) == {0, 1}
    assert np.isnan(truth.snr_db).all()
