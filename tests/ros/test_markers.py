# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Markers as RViz gets them: what was built is serialised and read back through rclpy."""

import math

import numpy as np
import pytest
from picture_data import SECOND, make_threats, make_tracks
from rclpy.serialization import deserialize_message, serialize_message
from scipy.spatial.transform import Rotation
from visualization_msgs.msg import Marker, MarkerArray

from aegis.core.palette import LEVEL_COLOURS
from aegis.core.picture import ELLIPSE_SIGMA, PictureSettings
from aegis.core.types import ThreatLevel, TrackStatus
from aegis.ros.messages.markers import BODY, COVARIANCE, LABEL, NAMESPACES, VELOCITY, marker_id
from aegis.ros.messages.picture import threats_to_msg, tracks_to_msg
from aegis.ros.stages.base import StageContext
from aegis.ros.stages.markers import MarkersStage


def stage(**settings):
    return MarkersStage(PictureSettings(**settings), StageContext())


def send(markers_stage, tracks):
    """Return the markers, after a turn over the wire; None where nothing is published."""
    outputs = list(markers_stage.on_message("tracks", tracks_to_msg(tracks)))
    if not outputs:
        return None
    (output,) = outputs
    assert output.topic == "markers"
    return deserialize_message(serialize_message(output.message), MarkerArray).markers


def by_key(markers):
    return {(marker.ns, marker.id): marker for marker in markers}


def test_a_track_is_a_sphere_an_arrow_an_ellipse_and_a_label():
    yaw, major, minor = 0.4, 30.0, 10.0
    tracks = make_tracks([7], stamp_ns=12 * SECOND + 34, state=[[100.0, 200.0, 50.0, 3.0, 4.0, 12.0]])
    turn = np.array([[math.cos(yaw), -math.sin(yaw)], [math.sin(yaw), math.cos(yaw)]])
    tracks.covariance[0, :2, :2] = turn @ np.diag([major**2, minor**2]) @ turn.T
    markers = by_key(send(stage(velocity_time=5.0, lifetime=2.5), tracks))

    body, arrow = markers[BODY, 7], markers[VELOCITY, 7]
    disc, label = markers[COVARIANCE, 7], markers[LABEL, 7]
    assert (body.type, arrow.type, disc.type, label.type) == (
        Marker.SPHERE,
        Marker.ARROW,
        Marker.CYLINDER,
        Marker.TEXT_VIEW_FACING,
    )
    for marker in (body, arrow, disc, label):
        assert marker.action == Marker.ADD
        assert marker.header.frame_id == "map"
        assert (marker.header.stamp.sec, marker.header.stamp.nanosec) == (12, 34)
        assert (marker.lifetime.sec, marker.lifetime.nanosec) == (2, 500_000_000)
        assert (marker.pose.position.x, marker.pose.position.y) == (100.0, 200.0)
    assert body.pose.position.z == 50.0

    assert arrow.scale.x == pytest.approx(13.0 * 5.0)  # |(3, 4, 12)| = 13
    q = arrow.pose.orientation
    np.testing.assert_allclose(
        Rotation.from_quat([q.x, q.y, q.z, q.w]).apply([1, 0, 0]), np.array([3, 4, 12]) / 13, atol=1e-9
    )
    assert disc.scale.x == pytest.approx(2 * ELLIPSE_SIGMA * major)
    assert disc.scale.y == pytest.approx(2 * ELLIPSE_SIGMA * minor)
    q = disc.pose.orientation
    assert abs(math.sin(Rotation.from_quat([q.x, q.y, q.z, q.w]).as_euler("zyx")[0] - yaw)) < 1e-9
    assert label.text == "7 DRONE 13 m/s"


def test_threat_level_colours_the_track():
    markers_stage = stage()
    threats = threats_to_msg(make_threats([7], [ThreatLevel.CRITICAL]))
    assert list(markers_stage.on_message("threats", threats)) == []
    markers = by_key(send(markers_stage, make_tracks([7])))
    found = markers[BODY, 7].color
    assert (found.r, found.g, found.b, found.a) == pytest.approx(LEVEL_COLOURS[ThreatLevel.CRITICAL])
    assert markers[LABEL, 7].text.endswith("CRITICAL")


def test_first_picture_clears_then_vanished_tracks_are_deleted():
    markers_stage = stage()
    first = send(markers_stage, make_tracks([1, 2], stamp_ns=SECOND))
    assert first[0].action == Marker.DELETEALL
    second = send(markers_stage, make_tracks([2], stamp_ns=2 * SECOND))
    assert Marker.DELETEALL not in [marker.action for marker in second]
    deleted = {(marker.ns, marker.id) for marker in second if marker.action == Marker.DELETE}
    assert deleted == {(namespace, 1) for namespace in NAMESPACES}
    third = send(markers_stage, make_tracks([2], stamp_ns=3 * SECOND))
    assert all(marker.action == Marker.ADD for marker in third)


def test_what_a_track_has_no_more_is_deleted():
    markers_stage = stage()
    send(markers_stage, make_tracks([1], stamp_ns=SECOND))
    hovering = make_tracks([1], stamp_ns=2 * SECOND, state=[[0.0, 0.0, 0.0, 0.0, 0.0, 0.0]])
    hovering.covariance[:] = np.nan
    markers = by_key(send(markers_stage, hovering))
    assert markers[VELOCITY, 1].action == Marker.DELETE
    assert markers[COVARIANCE, 1].action == Marker.DELETE
    assert markers[BODY, 1].action == Marker.ADD


def test_rate_is_by_header_stamps():
    markers_stage = stage(max_rate_hz=5.0)
    got = [send(markers_stage, make_tracks([1], stamp_ns=SECOND + i * SECOND // 10)) is not None for i in range(10)]
    assert got == [True, False] * 5
    assert markers_stage.detail() == {"shown": 1, "skipped_by_rate": 5}


def test_ids_beyond_int32_stay_distinct():
    ids = [1, 2**31 - 1, 2**31, 2**32 - 1]
    markers = send(stage(), make_tracks(ids))
    assert {marker.id for marker in markers if marker.ns == BODY} == {1, 2**31 - 1, -(2**31), -1}
    assert len({marker_id(i) for i in ids}) == 4


def test_bad_tracks_are_counted():
    markers_stage = stage()
    send(markers_stage, make_tracks([1, 2], state=[[np.inf] * 6, [1.0] * 6], status=TrackStatus.CONFIRMED))
    assert markers_stage.counters.objects_dropped == 1
    broken = tracks_to_msg(make_tracks([1]))
    broken.hits.append(3)
    with pytest.raises(ValueError, match="hits has 2 entries; 1 are expected"):
        list(markers_stage.on_message("tracks", broken))


def test_reset_begins_with_an_empty_scene():
    markers_stage = stage()
    send(markers_stage, make_tracks([1], stamp_ns=SECOND))
    markers_stage.reset()
    again = send(markers_stage, make_tracks([1], stamp_ns=SECOND))
    assert again[0].action == Marker.DELETEALL


def test_nothing_is_drawn_while_nobody_listens_and_the_first_listener_gets_the_picture():
    quiet = stage()
    quiet.has_listeners = lambda topic: topic != "markers"
    assert send(quiet, make_tracks([7], stamp_ns=SECOND)) is None
    quiet.has_listeners = lambda topic: True
    assert (BODY, 7) in by_key(send(quiet, make_tracks([7], stamp_ns=2 * SECOND)))
