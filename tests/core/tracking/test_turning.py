# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Antennas that turn: sectors as they come, seams, late plots, several sensors; and sensors that do not turn."""

from dataclasses import replace

import numpy as np
import pytest
from scenes import SECOND, detections_of, plot_of
from settings_of import settings_of
from turning import START_S, Antenna, Judge, Plotted, message, sectors

from aegis.core.tracking.looks import Turns
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.sweep import Passed, Sweep, covered
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import Pose, Sector

HERE = Pose(np.zeros(3), np.eye(3), np.zeros(3))
# Across north at a distance; along north, which is where sectors meet, and its opposite; at rest; and around the radar.
COURSES = {
    "west": ((7500.0, 90000.0), (-250.0, 0.0)),
    "south": ((0.0, 70000.0), (0.0, -250.0)),
    "away": ((0.0, -30000.0), (0.0, -100.0)),
    "rest": ((40000.0, 40000.0), (0.0, 0.0)),
    "near": ((-6000.0, 4000.0), (60.0, 20.0)),
}


def tracker(**changes) -> Tracker:
    usual = {
        "max_range_m": 470e3,
        "initial_speed_sigma_mps": 200.0,
        "detection_probability": 0.95,
        "clutter_per_scan": 0.5,
    }
    return Tracker(settings_of(TrackingSettings, **(usual | changes)))


@pytest.mark.parametrize("told", ["angles", "times", "nothing"])
@pytest.mark.parametrize("period_s", [4.0, 8.0, 12.0])
def test_one_id_each_whatever_the_turn(period_s, told):
    antenna, judge, tracking = Antenna(period_s), Judge(COURSES), tracker()
    plots = antenna.plots(COURSES, 16 * period_s, np.random.default_rng(3))
    for scan in sectors(antenna, plots, 16 * period_s, 1.0, told):
        judge.take(tracking.step(scan).tracks)
    judge.approve()
    assert np.diff(judge.times).max() == pytest.approx(1.0)
    assert tracking.turns_s() == {"test": pytest.approx(-period_s, rel=1e-3)}


@pytest.mark.parametrize(
    ("length", "middle", "told", "clockwise"),
    [
        (0.25, False, "angles", True),  # 32 sectors, whose edges aircraft fly along
        (8.0, False, "angles", True),
        (8.0, True, "nothing", True),  # a revolution, stamped in its middle
        (20.0, False, "times", True),  # several turns
        (20.0, True, "nothing", False),
    ],
)
def test_one_id_each_whatever_the_frame(length, middle, told, clockwise):
    antenna, judge, tracking = Antenna(8.0, clockwise=clockwise), Judge(COURSES), tracker()
    plots = antenna.plots(COURSES, 160.0, np.random.default_rng(4), pd=0.9)
    for scan in sectors(antenna, plots, 160.0, length, told):
        if middle:
            scan = replace(
                scan, stamp_ns=scan.stamp_ns - round(length / 2 * SECOND), time_offset=scan.time_offset + length / 2
            )
        judge.take(tracking.step(scan).tracks)
    judge.approve()


def test_false_alarms_and_misses_as_stated():
    antenna, judge, tracking = Antenna(8.0), Judge(COURSES), tracker(clutter_per_scan=10.0, detection_probability=0.85)
    plots = antenna.plots(COURSES, 240.0, np.random.default_rng(5), pd=0.85, false=10.0)
    coasting = total = 0
    for scan in sectors(antenna, plots, 240.0, 1.0, "angles"):
        tracks = tracking.step(scan).tracks
        judge.take(tracks)
        total, coasting = total + (tracks.status > 1).sum(), coasting + (tracks.status == 3).sum()
    judge.approve()
    assert coasting / total == pytest.approx(0.15, abs=0.05)  # missed in their last pass, not outside the last sector


def test_two_radars_that_turn_differently_share_tracks():
    slow, fast = Antenna(10.0, north_s=3.3), Antenna(4.0, clockwise=False, place=(20e3, 10e3))
    settings = {"sensors": {"fast": {"sensor_x": 20e3, "sensor_y": 10e3}}, "registration.mode": "off"}
    judge, tracking = Judge(COURSES), tracker(**settings)
    scans = []
    for antenna, name, length, lag in ((slow, "slow", 1.0, 0.7), (fast, "fast", 0.5, 0.05)):
        plots = antenna.plots(COURSES, 120.0, np.random.default_rng(7))
        told = "angles" if name == "slow" else "nothing"
        scans += [
            (d.stamp_ns + round(lag * SECOND), d) for d in sectors(antenna, plots, 120.0, length, told, sensor=name)
        ]
    reordered = 0
    for _, scan in sorted(scans, key=lambda each: each[0]):
        result = tracking.step(scan)
        reordered += result.reordered
        judge.take(result.tracks)
    judge.approve()
    assert reordered > 50


def test_a_radar_whose_plots_come_seconds_later_than_anothers_is_no_loss():
    slow, fast = Antenna(8.0, north_s=3.3), Antenna(4.0)
    judge, tracking = Judge(COURSES), tracker(**{"registration.mode": "off"})
    scans = []
    for antenna, name, lag in ((slow, "slow", 3.6), (fast, "fast", 0.1)):
        plots = antenna.plots(COURSES, 100.0, np.random.default_rng(8))
        scans += [
            (d.stamp_ns + round(lag * SECOND), d) for d in sectors(antenna, plots, 100.0, 1.0, "angles", sensor=name)
        ]
    for _, scan in sorted(scans, key=lambda each: each[0]):
        result = tracking.step(scan)
        assert result.dropped is None
        judge.take(result.tracks)
    judge.approve()


def test_a_plot_of_the_same_pass_is_no_second_one():
    """Some radars send an echo at a sector's edge twice, in parts: in one scan that is no second detection of the track either."""
    antenna, tracking = Antenna(8.0), tracker()
    course = {"one": ((0.0, 50e3), (0.0, 0.0))}
    plots = antenna.plots(course, 80.0, np.random.default_rng(7), pd=1.0)
    twice = [Plotted(p.time + 0.02, p.range + 20.0, p.azimuth - 0.0005) for p in plots]
    for scan in sectors(antenna, sorted(plots + twice, key=lambda plot: plot.time), 80.0, 1.0, "angles"):
        tracks = tracking.step(scan).tracks
    assert tracks.hits[0] == len(plots) == 10


def test_plots_that_two_sectors_have_are_taken_once():
    antenna, judge, tracking = Antenna(8.0), Judge(COURSES), tracker()
    plots = antenna.plots(COURSES, 100.0, np.random.default_rng(14))
    copies = 0
    for end in range(1, 100):
        scan = message(plots, end - 1.5, float(end), sequence=end)  # half of what was there before
        scan.sector = Sector(-1.5, 0.0, antenna.azimuth_at(end), antenna.rate)
        result = tracking.step(scan)
        copies += result.copies
        judge.take(result.tracks)
        assert len(result.tracks) <= len(COURSES)
    judge.approve()
    assert copies == sum(plot.time % 1.0 >= 0.5 for plot in plots if plot.time < 98.0)


def test_a_plot_that_comes_late_takes_the_miss_back():
    def after(late: bool):
        tracking, antenna = tracker(), Antenna(8.0)
        plots = antenna.plots({"one": ((30e3, 50e3), (0.0, 0.0))}, 80.0, np.random.default_rng(8), pd=1.0)
        tracks = None
        for k, scan in enumerate(sectors(antenna, plots, 73.0, 1.0, "angles")):
            if late and k == 64 and len(scan) == 1:
                kept = scan
                scan = message([], 64.0, 65.0)
                scan.sector = kept.sector
            if late and k == 65:
                held = message(plots, 64.0, 66.0, stamp=66.0)
                scan = replace(held, sector=scan.sector)
            tracks = tracking.step(scan).tracks
        return tracks

    in_time, late = after(late=False), after(late=True)
    assert late.hits.tolist() == in_time.hits.tolist()
    assert late.existence_probability[0] == pytest.approx(in_time.existence_probability[0], abs=1e-3)
    np.testing.assert_allclose(late.state[0, :2], in_time.state[0, :2], atol=1.0)


def test_sectors_that_overlap_or_come_in_disorder_count_misses_once():
    antenna, course = Antenna(8.0), {"one": ((30e3, 50e3), (0.0, 0.0))}
    plots = antenna.plots(course, 66.0, np.random.default_rng(9), pd=1.0)

    def after(edit):
        tracking = tracker()
        scans = (
            list(sectors(antenna, plots, 64.0, 1.0, "angles")) + list(sectors(antenna, [], 72.0, 1.0, "angles"))[64:]
        )
        for scan in edit(scans):
            tracks = tracking.step(scan).tracks
        return tracks.existence_probability[0]

    def wider(scans):
        return [replace(scan, sector=replace(scan.sector, begin_s=-2.5)) for scan in scans]

    def swapped(scans):
        return [*scans[:-8], *(scans[i] for i in (-7, -8, -5, -6, -3, -4, -1, -2))]

    usual = after(lambda scans: scans)
    assert usual < 0.99  # missed once
    assert after(wider) == pytest.approx(usual, abs=0.002)
    assert usual - 0.002 <= after(swapped) <= 1.0


def test_a_radar_that_looks_at_all_at_once_is_taken_for_none_that_turns():
    rng = np.random.default_rng(10)
    turns = Turns()
    for k in range(100):
        polar = np.column_stack([rng.uniform(10, 100, 8), rng.uniform(-1.0, 1.0, 8), np.full((8, 2), np.nan)])
        d = detections_of(polar, START_S + 0.05 * k)
        d.time_offset = rng.uniform(-0.04, 0.0, 8)
        (look,) = turns.looks(d, d.stamp_ns)
        assert look.sweep is None
        assert look.detections is d
    turns = Turns()
    for k in range(60):  # a slow one, that sees one thing
        d = detections_of([[50.0, 0.2, np.nan, np.nan]], START_S + 2.0 * k)
        d.time_offset = np.array([-0.01 * (k % 3)])
        (look,) = turns.looks(d, d.stamp_ns)
        assert look.sweep is None or (k < 20 and look.sweep.duration_s == 0.0)


def test_a_turn_that_is_known_needs_no_times():
    """A driver that sends each plot by itself, stamped at its time."""
    antenna, judge, tracking = Antenna(8.0), Judge(COURSES), tracker(turn_period_s=8.0)
    for k, plot in enumerate(antenna.plots(COURSES, 120.0, np.random.default_rng(11))):
        scan = message([plot], plot.time, plot.time + 1e-6, stamp=plot.time, sequence=k + 1)
        judge.take(tracking.step(scan).tracks)
    judge.approve()


def test_an_antenna_that_turns_otherwise_is_found_again():
    turns, rng = Turns(), np.random.default_rng(12)
    for antenna, begin in ((Antenna(4.0), 0.0), (Antenna(6.0, clockwise=False), 100.0)):
        plots = antenna.plots(COURSES, 200.0, rng)
        for scan in sectors(antenna, plots, 200.0, 1.0, "times"):
            if begin <= scan.stamp_ns * 1e-9 - START_S < begin + 100.0:
                turns.looks(scan, scan.stamp_ns)
        assert turns.antenna.rate == pytest.approx(antenna.rate, rel=2e-3)
        assert turns.antenna.spread < np.deg2rad(1.0)


def test_where_the_antenna_has_been_is_told_by_probability():
    n = 2000
    rng = np.random.default_rng(13)
    covariance = np.zeros((1, 6, 6))
    covariance[0, :2, :2] = np.diag([300.0, 900.0]) ** 2
    state = np.array([[20e3, 15e3, 0.0, 0.0, 0.0, 0.0]])
    azimuth = np.arctan2(15.0, 20.0)
    for end in (azimuth - 0.02, azimuth, azimuth + 0.01, azimuth - 1.0, azimuth + np.pi):
        sweep = Sweep(1.0, end, -0.6, 0.005)
        places = rng.multivariate_normal(state[0, :2], covariance[0, :2, :2], n)
        seen = np.arctan2(places[:, 1], places[:, 0]) + rng.normal(0.0, 0.005, n)
        inside = np.mod(seen - end, 2 * np.pi) <= 0.6
        assert covered(sweep, state, covariance, HERE)[0] == pytest.approx(inside.mean(), abs=0.04)
    whole = sum(covered(Sweep(1.0, a, -0.6, 0.005), state, covariance, HERE)[0] for a in 3.0 - 0.6 * np.arange(10))
    assert whole == pytest.approx(1.0, abs=0.06)  # ten sectors are 6 of 6.28 rad
    assert covered(Sweep(1.0, np.nan, np.nan, 0.005), state, covariance, HERE)[0] == 0.0


def test_a_mover_is_met_once_in_a_turn():
    """As fast around the radar as a tenth of the antenna, with it and against it."""
    antenna = Antenna(8.0)
    for speed in (-80.0, 80.0):
        course = ((0.0, 1000.0), (speed, 0.0))
        expected = [time for time, _ in antenna.meets(course, 60.0)]
        found = np.zeros(60)
        for k in range(60):
            end = k + 1.0
            state = np.array([[*(np.array(course[0]) + np.array(course[1]) * end), 0.0, *course[1], 0.0]])
            sweep = Sweep(1.0, antenna.azimuth_at(end), antenna.rate, 1e-3)
            found[k] = covered(sweep, state, np.zeros((1, 6, 6)), HERE)[0]
        assert found.sum() == pytest.approx(len(expected), abs=0.7)
        clear = [time for time in expected if 0.05 < time % 1.0 < 0.95]
        assert all(found[int(time)] > 0.9 for time in clear)


def test_what_was_passed_is_remembered_for_half_a_turn():
    passed = Passed.nobody().after((np.array([7, 3]), np.array([10, 20])), (np.array([5]), np.array([0.4])), 30, 0)
    shown, in_vain = passed.of(np.array([3, 5, 7, 9]), 0)
    assert shown.tolist() == [True, False, True, False]
    assert in_vain.tolist() == [0.0, 0.4, 0.0, 0.0]
    shown, in_vain = passed.of(np.array([3, 5, 7]), 25)
    assert (shown.tolist(), in_vain.tolist()) == ([False] * 3, [0.0, 0.4, 0.0])
    later = passed.after((np.array([5]), np.array([40])), (np.array([3]), np.array([0.9])), 40, 15)
    shown, in_vain = later.of(np.array([3, 5, 7]), 0)
    assert (shown.tolist(), in_vain.tolist()) == ([False, True, False], [0.9, 0.0, 0.0])


def test_a_scan_without_times_is_one_look():
    turns = Turns()
    d = plot_of([[1.0, 2.0]], 3.0, 1.0)
    assert turns.looks(d, d.stamp_ns) == [(d, d.stamp_ns, None)]
    part = replace(d, sector=Sector(-0.3, 0.0))
    (look,) = turns.looks(part, d.stamp_ns)
    assert look.sweep.duration_s == pytest.approx(0.3)
    assert np.isnan(look.sweep.rate)
