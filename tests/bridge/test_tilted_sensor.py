# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A radar that is mounted tilted, or upside down: what it measures is put where it is, in the picture and as it is shown."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import detections_of
from scipy.spatial.transform import Rotation

from aegis.bridge.live.level import LevelView
from aegis.bridge.stream.bodies import positions_in_map, sensor_of
from aegis.core.detection.detector import Detector
from aegis.core.detection.settings import DetectionSettings
from aegis.core.ew.settings import EwSettings
from aegis.core.sensor import SensorPose, SensorPoses
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import Pose, Signal, SignalKind, TrackStatus

PLACE = np.array([100.0, -50.0, 12.0])
MOUNTINGS = [(30.0, 0.0, 0.0), (-120.0, -15.0, 0.0), (75.0, 0.0, 180.0), (10.0, -20.0, 180.0), (200.0, 10.0, -35.0)]
ANGLES = st.tuples(st.floats(-180.0, 180.0), st.floats(-80.0, 80.0), st.floats(-180.0, 180.0))


def mounted(yaw, pitch, roll) -> dict[str, float]:
    x, y, z = PLACE.tolist()
    return {
        "sensor_x": x, "sensor_y": y, "sensor_z": z, "sensor_yaw_deg": yaw, "sensor_pitch_deg": pitch, "sensor_roll_deg": roll,
    }  # fmt: skip


def turned(yaw, pitch, roll) -> Rotation:
    """Return how it is mounted as ROS says it: about the fixed x, y and z axes by roll, pitch and yaw."""
    return Rotation.from_euler("xyz", [roll, pitch, yaw], degrees=True)


def polar(local: np.ndarray) -> list[float]:
    x, y, z = local
    reach = float(np.linalg.norm(local))
    return [reach, float(np.arctan2(y, x)), float(np.arcsin(z / reach))]


@given(ANGLES)
def test_the_rotation_is_roll_pitch_and_yaw_of_ros(angles):
    pose = SensorPose.model_validate(mounted(*angles))
    np.testing.assert_allclose(pose.rotation(), turned(*angles).as_matrix(), atol=1e-12)


@pytest.mark.parametrize("mounting", MOUNTINGS)
@pytest.mark.parametrize("has_elevation", [True, False])
def test_a_target_is_tracked_where_it_flies(mounting, has_elevation):
    """Without elevation, it flies as high as the sensor."""
    tracker, turn = Tracker(TrackingSettings.load(mounted(*mounting))), turned(*mounting)
    for k in range(40):
        place = np.array([2500.0 - 15.0 * 0.5 * k, 1200.0, 300.0 if has_elevation else PLACE[2]])
        reach, azimuth, elevation = polar(turn.inv().apply(place - PLACE))
        seen = [reach, azimuth, elevation if has_elevation else np.nan, np.nan]
        tracks = tracker.step(detections_of([seen], 0.5 * k, sequence=k + 1)).tracks
    (row,) = np.flatnonzero(tracks.status == int(TrackStatus.CONFIRMED))
    assert tracks.state[row, :3] == pytest.approx(place, abs=5.0)
    assert tracks.state[row, 3:5] == pytest.approx([-15.0, 0.0], abs=2.0)


@given(ANGLES, st.tuples(st.floats(-4000, 4000), st.floats(-4000, 4000), st.floats(-500, 3000)), st.booleans())
def test_what_is_shown_is_where_it_is(angles, away, says_pose):
    """A display puts a detection at azimuth and elevation from where the sensor looks, and knows of no tilt."""
    away = np.array([*away]) + [0.1, 0.1, 0.1]
    if np.linalg.norm(away) < 10.0:
        return
    turn = turned(*angles)
    seen = detections_of([[*polar(turn.inv().apply(away)), np.nan]], 1.0)
    pose = Pose(PLACE, turn.as_matrix(), np.zeros(3))
    mounting = SensorPoses.model_validate({} if says_pose else mounted(*angles))
    level = LevelView(mounting).detections(replace(seen, pose=pose if says_pose else None))
    assert positions_in_map(level, mounting)[0] - PLACE == pytest.approx(away, abs=1e-6 * np.linalg.norm(away))
    bearing = np.radians(sensor_of(mounting, level)["heading_deg"]) - level.azimuth[0]
    assert np.exp(1j * bearing) == pytest.approx(
        np.exp(1j * np.arctan2(away[0], away[1])), abs=1e-3 + 20.0 / np.hypot(*away[:2])
    )


@pytest.mark.parametrize("mounting", MOUNTINGS)
def test_a_strobe_is_shown_towards_the_jammer_on_the_horizon(mounting):
    view, turn = LevelView(SensorPoses.model_validate(mounted(*mounting))), turned(*mounting)
    for bearing in np.radians([-170.0, -60.0, 0.0, 45.0, 130.0]):
        ahead = turn.apply([np.cos(bearing), np.sin(bearing), 0.0])
        heard = Signal(1, SignalKind.NOISE_JAMMING, float(bearing), 0.01, 1.0, 1.0, 1.0, "", sensor="a")
        (shown,) = view.signals([heard])
        told = np.radians(mounting[0]) + shown.bearing
        assert np.exp(1j * told) == pytest.approx(np.exp(1j * np.arctan2(ahead[1], ahead[0])), abs=1e-9)


def test_a_level_sensor_is_shown_as_it_says():
    view = LevelView(SensorPoses.model_validate(mounted(40.0, 0.0, 0.0)))
    seen = detections_of([[100.0, 0.3, 0.2, 1.0]], 1.0)
    assert view.detections(seen) is seen


def test_heights_by_which_a_detection_is_named_are_those_of_the_mounting():
    settings = DetectionSettings.load({"sensor_pitch_deg": -30.0})  # looks up
    seen = detections_of([[1000.0, 0.0, 0.0, 1.0], [1000.0, 0.0, np.radians(-30.0), 1.0]], 1.0)
    assert Detector(settings)._heights(seen) == pytest.approx([500.0, 0.0], abs=1e-9)


def test_the_place_of_each_node_has_a_tilt():
    for settings in (TrackingSettings, DetectionSettings, EwSettings):
        found = settings.load({"sensor_pitch_deg": -15.0, "sensor_roll_deg": 180.0})
        assert (found.sensor_pitch_deg, found.sensor_roll_deg) == (-15.0, 180.0)
