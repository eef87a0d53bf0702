# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""When a track coasts, where several radars share a tracker: against the geometry, and who has shown what when."""

import io
from dataclasses import replace

import numpy as np
import pytest
from scenes import detections_of, polar_of
from settings_of import settings_of

from aegis.core.threat.assessor import Assessor
from aegis.core.threat.settings import ThreatSettings
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import Tracks, TrackStatus

FOV = 120.0
YAW = {"front": 0.0, "left": 90.0}  # they overlap from 30 to 60 degrees
PERIOD_S = {"front": 0.5, "left": 0.4}
CONFIRMED, COASTING = int(TrackStatus.CONFIRMED), int(TrackStatus.COASTING)


def rig() -> Tracker:
    sensors = {name: {"sensor_yaw_deg": yaw, "azimuth_fov_deg": FOV} for name, yaw in YAW.items()}
    return Tracker(TrackingSettings.model_validate({"sensors": sensors}))


def looks_at(sensor: str, azimuth_deg: float) -> bool:
    return abs((azimuth_deg - YAW[sensor] + 180.0) % 360.0 - 180.0) < FOV / 2.0


def at(azimuth_deg: float, range_m: float = 3000.0, velocity=(0.0, 0.0, 0.0)) -> np.ndarray:
    angle = np.deg2rad(azimuth_deg)
    return np.array([range_m * np.cos(angle), range_m * np.sin(angle), 100.0, *velocity])


def scan(tracker: Tracker, sensor: str, time: float, objects) -> Tracks:
    polar = [polar_of(each, yaw=np.deg2rad(YAW[sensor])) for each in objects]
    tracks = tracker.step(detections_of(polar, time, sensor=sensor)).tracks
    assert tracks is not None
    return tracks


def schedule(until: float) -> list[tuple[float, str]]:
    front = [(0.5 * k, "front") for k in range(int(until / 0.5))]
    return sorted(front + [(0.4 * k + 0.07, "left") for k in range(int(until / 0.4))])


@pytest.mark.parametrize("seed", [1, 2])
def test_a_track_coasts_by_who_could_have_seen_it_and_has_not(seed):
    """Objects at rest, some in one view alone, some in both; each is shown by chance. The log of that says what coasts."""
    rng, tracker = np.random.default_rng(seed), rig()
    azimuths = [-40.0, 0.0, 10.0, 45.0, 50.0, 90.0, 130.0]
    last: dict[float, tuple[float, str]] = {}
    missed: dict[float, float] = {}
    compared = {CONFIRMED: 0, COASTING: 0}
    for time, sensor in schedule(60.0):
        shown = [a for a in azimuths if looks_at(sensor, a) and rng.random() < 0.9]
        for a in azimuths:
            if a in shown:
                last[a] = time, sensor
            elif looks_at(sensor, a):
                missed[a] = time
        tracks = scan(tracker, sensor, time, [at(a) for a in shown])
        found = np.rad2deg(np.arctan2(tracks.state[:, 1], tracks.state[:, 0]))
        for a in azimuths if time > 10.0 else []:
            i = int(np.argmin(abs(found - a)))
            assert abs(found[i] - a) < 1.0
            seen, holder = last[a]
            coasts = missed.get(a, 0.0) > seen or time - seen > 1.5 * PERIOD_S[holder] + 1e-6
            if abs(time - seen - 1.5 * PERIOD_S[holder]) > 1e-3:
                assert tracks.status[i] == (COASTING if coasts else CONFIRMED), (time, sensor, a)
                compared[int(tracks.status[i])] += 1
    assert compared[CONFIRMED] > 1000
    assert compared[COASTING] > 80


def test_a_missile_that_one_radar_sees_is_never_rated_by_prediction():
    tracker, assessor = rig(), Assessor(ThreatSettings())
    reasons = []
    for time, sensor in schedule(12.0):
        missile = at(-10.0, 6000.0)
        missile[:3] -= missile[:3] / np.linalg.norm(missile[:3]) * 300.0 * time
        missile[3:] = -missile[:3] / np.linalg.norm(missile[:3]) * 300.0
        tracks = scan(tracker, sensor, time, [missile] if sensor == "front" else [])
        reasons += assessor.step(tracks)[0].reason if time > 4.0 else []
    assert len(reasons) > 30
    assert all(reason.startswith("on a course into the asset") for reason in reasons)


def test_what_a_silent_radar_held_coasts_after_a_period_and_a_half():
    tracker = rig()
    for time, sensor in schedule(10.0):
        scan(tracker, sensor, time, [at(-30.0)] if sensor == "front" else [])
    status = [int(scan(tracker, "left", 9.5 + dt, []).status[0]) for dt in (0.6, 0.74, 0.76, 1.2)]
    assert status == [CONFIRMED, CONFIRMED, COASTING, COASTING]


def test_what_has_left_all_views_coasts_though_nobody_looks_there():
    """At -59 degrees it is seen; at -61 it is not, and the scan of the radar that saw it is the second without it."""
    tracker = rig()
    speed = np.array([-0.87, -0.5, 0.0]) * 52.0  # across, clockwise: one degree a second
    for time, sensor in schedule(10.0):
        there = at(-59.0, velocity=speed)
        there[:3] += speed * (time - 9.5)
        tracks = scan(tracker, sensor, time, [there] if sensor == "front" else [])
    assert tracks.status.tolist() == [CONFIRMED]
    status = [(s, int(scan(tracker, s, 9.5 + dt, []).status[0])) for s, dt in (("left", 0.7), ("front", 1.0))]
    assert status == [("left", CONFIRMED), ("front", COASTING)]


def test_what_leaves_the_view_of_a_single_radar_coasts_at_once():
    tracker = Tracker(settings_of(TrackingSettings, azimuth_fov_deg=FOV))
    speed = np.array([-0.87, -0.5, 0.0]) * 52.0
    for k in range(10):
        there = at(-59.5, velocity=speed)
        there[:3] += speed * (k - 9.0)
        tracks = scan(tracker, "front", float(k), [there])
    assert tracks.status.tolist() == [CONFIRMED]
    assert scan(tracker, "front", 10.0, []).status.tolist() == [COASTING]


@pytest.mark.parametrize("lacking", [{"missed_ns", "held_by"}, {"missed_ns", "held_by", "looked_ns"}])
def test_a_snapshot_of_an_older_version_is_gone_on_from(lacking):
    tracker = rig()
    for time, sensor in schedule(10.0):
        scan(tracker, sensor, time, [at(-30.0)] if sensor == "front" else [])
    with np.load(io.BytesIO(tracker.snapshot())) as file:
        older = {name: file[name] for name in file.files if name not in lacking}
    assert len(older) == len(file.files) - len(lacking)
    out, second = io.BytesIO(), rig()
    np.savez(out, **older)
    second.resume(out.getvalue())
    assert scan(second, "front", 10.0, [at(-30.0)]).hits.tolist() == [21]
    assert scan(second, "left", 10.2, []).status.tolist() == [CONFIRMED]


def elsewhere() -> Tracker:
    """Two radars, of which each sees what the other does not; moving by constant velocity, in which steps add up to one."""
    sensors = {"front": {"azimuth_fov_deg": FOV}, "back": {"sensor_yaw_deg": 180.0, "azimuth_fov_deg": FOV}}
    given = {"sensors": sensors, "motion": {"model": "cv"}, "registration": {"mode": "off"}}
    return Tracker(TrackingSettings.model_validate(given))


@pytest.mark.parametrize(("period_s", "shown"), [(4.0, 0.9), (1.0, 0.6), (0.5, 0.9)])
@pytest.mark.parametrize("seed", [1, 2])
def test_what_a_radar_sees_is_the_same_beside_one_that_looks_elsewhere_more_often(period_s, shown, seed):
    """The same radar alone is the oracle: what it does with an object at each of its scans, and that nothing happens in between."""
    rng, single, both = np.random.default_rng(seed), elsewhere(), elsewhere()
    compared, begun = 0, 0.033
    for k in range(60):
        time = k * period_s
        while begun < time:
            result = both.step(detections_of([], begun, sensor="back"))
            assert not len(result.confirmed)
            assert not len(result.lost)
            begun += 0.1
        there = at(5.0 + 0.1 * time)
        plots = [polar_of(there) + rng.normal(size=4) * [5.0, 0.005, 0.005, 0.2]] if rng.random() < shown else []
        one, other = (tracker.step(detections_of(plots, time, sensor="front")) for tracker in (single, both))
        assert (len(one.confirmed), len(one.lost)) == (len(other.confirmed), len(other.lost))
        assert one.tracks.status.tolist() == other.tracks.status.tolist()
        np.testing.assert_allclose(other.tracks.existence_probability, one.tracks.existence_probability, rtol=1e-6)
        np.testing.assert_allclose(other.tracks.state, one.tracks.state, rtol=1e-6, atol=1e-6)
        compared += len(one.tracks)
    assert compared > 50


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_a_slow_turning_radar_keeps_its_tracks_beside_one_that_looks_elsewhere(seed):
    """A turn of 10 s, told of when it is over, with three objects; the same radar alone loses none."""

    def run(*, beside: bool) -> tuple[int, int]:
        rng, period_s, confirmed, lost = np.random.default_rng(seed), 10.0, 0, 0
        sensors = {"turning": {"turn_period_s": period_s}, "back": {"sensor_yaw_deg": 180.0, "azimuth_fov_deg": 60.0}}
        tracker = Tracker(TrackingSettings.model_validate({"sensors": sensors, "registration": {"mode": "off"}}))
        start = np.array([[4000.0, 300, 100, -5, 8, 0], [-100, 5000, 100, 10, 0, 0], [500, -3000, 200, 0, -10, 0]])
        sigma, begun = np.array([5.0, 0.003, 0.003, 0.3]), 0.03
        for end in period_s * np.arange(1.0, 41.0):
            while beside and begun < end:
                lost += len(tracker.step(detections_of([], begun, sensor="back")).lost)
                begun += 0.1
            rows, offset = [], []
            for x in start:
                when = end
                for _ in range(3):  # when the antenna passes it
                    there = np.append(x[:3] + x[3:] * when, x[3:])
                    when = end - period_s + period_s * (np.arctan2(there[1], there[0]) / (2 * np.pi) % 1.0)
                if rng.random() < 0.9:
                    rows.append(polar_of(there) + rng.normal(size=4) * sigma)
                    offset.append(when - end)
            scan = replace(detections_of(rows, end, sigma=sigma, sensor="turning"), time_offset=np.array(offset))
            result = tracker.step(scan)
            confirmed, lost = confirmed + len(result.confirmed), lost + len(result.lost)
        return confirmed, lost

    assert run(beside=False) == (3, 0)
    assert run(beside=True) == (3, 0)
