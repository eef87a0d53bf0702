# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""ASTERIX sectors of a turning antenna: how they are cut, and aircraft from bytes to tracks, one id each."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from asterix_bytes import datablock, north_marker, plot, sector_crossing
from asterix_radar import datagrams
from settings_of import settings_of
from turning import START_S, Antenna, Judge

from aegis.core.detection.detector import Detector
from aegis.core.detection.points import read_points
from aegis.core.detection.settings import DetectionSettings
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import Sector
from aegis.drivers.asterix import AsterixParser, AsterixSettings
from aegis.drivers.frames import with_beams

CASE = Path(__file__).parents[3] / "shared" / "cases" / "01_plots_of_a_turning_antenna_west_8s.json"
SECOND = 1_000_000_000
NOON_S = 43_200.0
NOON_NS = START_S * SECOND // (86_400 * SECOND) * (86_400 * SECOND) + round(NOON_S * SECOND)
NM = 1852.0
COURSES = {
    "west": {"A": ((7500.0, 90000.0), (-250.0, 0.0)), "B": ((90000.0, 7500.0), (0.0, -250.0))},
    "east": {"A": ((-7500.0, 60000.0), (250.0, 0.0)), "B": ((50000.0, -20000.0), (-100.0, 180.0))},
    "north": {"A": ((0.0, 30000.0), (0.0, 250.0)), "B": ((0.0, -90000.0), (0.0, 250.0))},
    "south": {"A": ((300.0, 95000.0), (0.0, -250.0)), "B": ((-40000.0, 40000.0), (0.0, 0.0))},
}
DETECTION = settings_of(
    DetectionSettings, has_elevation=False, has_doppler=False, range_sigma_m=60.0, azimuth_sigma_deg=0.08
)


def parser(**settings) -> AsterixParser:
    return AsterixParser(settings_of(AsterixSettings, **settings))


def pictures(grams, **settings):
    """Yield what the tracker makes of datagrams, picture by picture."""
    p, detector = parser(**settings), Detector(DETECTION)
    tracking = Tracker(settings_of(TrackingSettings, max_range_m=470e3, initial_speed_sigma_mps=200.0))
    frames = (frame for at_ns, data in grams for frame in p.feed(data, at_ns))
    for k, frame in enumerate([*frames, *p.finish()]):
        columns = frame.columns if frame.sector is None else with_beams(frame.columns, frame.sector)
        scan, _ = read_points(columns, DETECTION, stamp_ns=frame.sensor_time_ns, frame_id="radar", sequence=k + 1)
        yield tracking.step(detector.step(scan)[0]).tracks


@pytest.mark.parametrize("markers", ["north", "none"])
@pytest.mark.parametrize("course", COURSES)
@pytest.mark.parametrize("period_s", [4.0, 8.0, 12.0])
def test_one_id_each_and_errors_as_stated(period_s, course, markers):
    antenna, judge = Antenna(period_s), Judge(COURSES[course])
    for tracks in pictures(
        datagrams(antenna, COURSES[course], 14 * period_s, np.random.default_rng(5), markers=markers)
    ):
        judge.take(tracks)
    judge.approve()
    assert np.diff(judge.times).max() <= 1.001


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ({"markers": "sectors", "delay_s": 0.4}, {}),  # 32 sectors, and plots that come after the next one's marker
        ({"markers": "none", "delay_s": 0.4}, {}),
        ({"markers": "north"}, {"kind": "revolution"}),
        ({"markers": "none"}, {"kind": "revolution"}),  # frames of several turns
        ({"markers": "north", "pd": 0.8, "false": 3.0}, {}),
    ],
)
def test_one_id_each_in_other_ways_too(options, settings):
    antenna, judge = Antenna(8.0), Judge(COURSES["west"])
    for tracks in pictures(datagrams(antenna, COURSES["west"], 120.0, np.random.default_rng(6), **options), **settings):
        judge.take(tracks)
    judge.approve()


@pytest.mark.parametrize("kind", ["sector", "revolution"])
@pytest.mark.parametrize("with_markers", [True, False])
def test_the_case_of_two_aircraft(with_markers, kind):
    if not CASE.exists():
        pytest.skip(f"{CASE} is not there")
    case = json.loads(CASE.read_text())
    judge = Judge({name: (tuple(a["xy0_m"]), tuple(a["v_mps"])) for name, a in case["truth"].items()})
    grams = [(at_ns, bytes.fromhex(data)) for at_ns, data in case["datagrams"]]
    for tracks in pictures([g for g in grams if with_markers or g[1][0] != 34], kind=kind):
        judge.take(tracks)
    judge.approve(nees=1.0)


def feed(p, *records, at_s, delay_s=0.0):
    """Feed records of CAT048 that come at a second after noon."""
    return p.feed(datablock(48, *records), NOON_NS + round((at_s + delay_s) * SECOND))


def marker(p, at_s, sector=None):
    record = north_marker(NOON_S + at_s) if sector is None else sector_crossing(sector, NOON_S + at_s)
    return p.feed(datablock(34, record), NOON_NS + round(at_s * SECOND))


def times(frame) -> list[float]:
    """Return when the plots of a frame were measured; a radar tells times in steps of 1/128 s."""
    return [round((frame.sensor_time_ns - NOON_NS) / SECOND + t, 2) for t in frame.columns["time_offset"].tolist()]


def ends(frames) -> list[float]:
    return [round((frame.sensor_time_ns - NOON_NS) / SECOND, 6) for frame in frames]


def test_a_sector_ends_after_a_second_and_at_every_marker():
    p, frames = parser(), []
    frames += marker(p, 0.0)
    for k in range(10):
        frames += feed(p, plot(10.0 + k, 36.0 * k, NOON_S + 0.4 * k + 0.25), at_s=0.4 * k + 0.25)
        if k == 3:
            frames += marker(p, 1.5, sector=48)
    frames += marker(p, 4.0)
    assert ends(frames) == [1.0, 1.5, 2.5, 3.5, 4.0]
    assert [times(frame) for frame in frames] == [[0.25, 0.65], [1.05, 1.45], [1.85, 2.25], [2.65, 3.05, 3.45], [3.85]]
    assert [frame.sector.begin_s for frame in frames] == pytest.approx([-1.0, -0.5, -1.0, -1.0, -0.5])
    assert frames[-1].sector.rate == pytest.approx(-2 * math.pi / 4.0)  # clockwise
    assert frames[-1].sector.azimuth == pytest.approx(math.pi / 2)  # north, from x to the east


def test_a_gap_gives_a_picture_every_second():
    p = parser()
    feed(p, plot(10.0, 0.0, NOON_S), at_s=0.0)
    frames = feed(p, plot(10.0, 90.0, NOON_S + 6.5), at_s=6.5)
    assert ends(frames) == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert [len(frame) for frame in frames] == [1, 0, 0, 0, 0, 0]
    assert all(frame.sector == Sector(-1.0, 0.0, frame.sector.azimuth, frame.sector.rate) for frame in frames)
    assert all(math.isnan(frame.sector.rate) for frame in frames)


def test_the_clock_gives_it_where_nothing_comes_but_not_for_a_radar_that_is_silent():
    p = parser()
    for second in range(0, 9, 4):
        marker(p, float(second))
    frames = [frame for tenth in range(1, 300) for frame in p.tick(NOON_NS + 8 * SECOND + tenth * SECOND // 10)]
    assert ends(frames) == [9.0, 10.0, 11.0, 12.0, 13.0, 14.0]  # a marker is missing
    assert not any(len(frame) for frame in frames)
    # What has come meanwhile belongs to the time after: nobody knows what the radar saw in the silence.
    frames = marker(p, 40.0) + marker(p, 40.5, sector=32)
    assert ends(frames) == [40.5]
    assert frames[0].sector.begin_s == -0.5


def test_what_comes_late_has_its_own_time():
    p = parser()
    marker(p, 0.0)
    marker(p, 0.5, sector=32)
    feed(p, plot(10.0, 20.0, NOON_S + 0.25), at_s=0.6)
    feed(p, plot(20.0, 50.0, NOON_S + 0.55), at_s=0.7)
    (frame,) = marker(p, 1.0, sector=64)
    assert times(frame) == [0.25, 0.55]
    assert frame.sector.begin_s == -0.5


def test_a_second_copy_is_dropped_and_counted():
    p = parser()
    for _ in range(2):
        feed(p, plot(10.0, 20.0, NOON_S + 0.25), plot(11.0, 20.0, NOON_S + 0.25), at_s=0.3)
    (frame,) = p.finish()
    assert len(frame) == 2
    assert p.refused == {"duplicate plot": 2}


def test_a_time_that_cannot_be_is_that_of_the_receipt():
    p = parser()
    for k in range(5):
        feed(p, plot(10.0 + k, 0.0, NOON_S + 0.1 * k), at_s=0.1 * k, delay_s=0.05)
    assert feed(p, plot(10.0, 20.0, NOON_S + 3000.0), at_s=0.5, delay_s=0.05) == []
    (frame,) = p.finish()
    assert times(frame)[-1] == 0.5
    assert p.refused == {"time of day out of place": 1}


def test_a_radar_without_times_is_taken_as_it_comes():
    p = parser()
    assert feed(p, plot(10.0, 0.0, 0.0, i140=None), at_s=0.0) == []
    frames = feed(p, plot(10.0, 40.0, 0.0, i140=None), at_s=1.25)
    frames += p.finish()
    assert [frame.sensor_time_ns for frame in frames] == [None, None]
    assert [frame.received_ns for frame in frames] == [NOON_NS + SECOND, NOON_NS + 5 * SECOND // 4]
    assert [frame.columns["time_offset"].tolist() for frame in frames] == [[-1.0], [0.0]]


def test_clocks_that_differ_change_nothing_but_the_receipt():
    p = parser()
    ahead_s = 3.0  # the radar's clock
    for k in range(4):
        p.feed(
            datablock(48, plot(10.0 + k, 0.0, NOON_S + ahead_s + 0.1 * k)), NOON_NS + round((0.1 * k + 0.02) * SECOND)
        )
    (frame,) = p.finish()
    assert times(frame) == [3.0, 3.1, 3.2, 3.3]
    assert frame.received_ns == pytest.approx(NOON_NS + 0.32 * SECOND, abs=0.01 * SECOND)


def test_markers_that_stop_are_forgotten():
    p = parser()
    for k in range(5):
        marker(p, 0.5 * k, sector=32 * k)
    assert p.health().values["antenna"] == "by markers (CAT034)"
    frames = []
    for k in range(20):
        frames += feed(p, plot(10.0 + k, 0.0, NOON_S + 2.0 + 0.6 * k), at_s=2.0 + 0.6 * k)
    assert math.isnan(frames[-1].sector.rate)
    assert p.health().values["antenna"] == "no markers (CAT034)"


def test_the_radar_may_say_how_long_a_turn_is():
    p = parser()
    p.feed(datablock(34, north_marker(NOON_S, i041=(512).to_bytes(2, "big"))), NOON_NS)
    (frame,) = feed(p, plot(10.0, 90.0, NOON_S + 1.0), at_s=1.0)
    assert frame.sector.rate == pytest.approx(-2 * math.pi / 4.0)
    assert frame.sector.azimuth == pytest.approx(0.0)  # east, a second after north


def test_beams_say_where_the_antenna_has_looked():
    nothing = {"range": np.empty(0), "azimuth": np.empty(0), "time_offset": np.empty(0)}
    for sector in (Sector(-1.0, 0.0, 2.0, -0.5), Sector(-7.0, 1.0, -3.0, 1.5), Sector(-20.0, 0.0, 0.5, -math.pi)):
        scan, dropped = read_points(with_beams(nothing, sector), DETECTION, stamp_ns=1, frame_id="radar", sequence=1)
        found = scan.sector
        assert (found.begin_s, found.end_s, len(scan), dropped) == (sector.begin_s, sector.end_s, 0, {})
        assert (found.azimuth, found.rate) == pytest.approx((sector.azimuth, sector.rate))
    unknown = read_points(with_beams(nothing, Sector(-1.0, 0.0)), DETECTION, stamp_ns=1, frame_id="radar", sequence=1)
    assert (unknown[0].sector.begin_s, unknown[0].sector.end_s) == (-1.0, 0.0)
    assert math.isnan(unknown[0].sector.rate)
