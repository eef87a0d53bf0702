# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The Foxglove stage through a real client: the protocol over a WebSocket, decoded with Foxglove's own schemas."""

import json
import socket
import struct
import sys
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest
from foxglove_schemas_protobuf.FrameTransform_pb2 import FrameTransform
from foxglove_schemas_protobuf.PointCloud_pb2 import PointCloud
from foxglove_schemas_protobuf.SceneEntityDeletion_pb2 import SceneEntityDeletion
from foxglove_schemas_protobuf.SceneUpdate_pb2 import SceneUpdate
from nav_msgs.msg import Odometry
from picture_data import SECOND, make_threats, make_tracks
from std_msgs.msg import Header
from websockets.sync.client import connect

from aegis.core.palette import LEVEL_COLOURS
from aegis.core.params import ConfigError
from aegis.core.picture import ELLIPSE_SIGMA
from aegis.core.threat.areas import AreaKind, ProtectedArea
from aegis.core.types import Signal, SignalKind, ThreatLevel
from aegis.core.video.spokes import Spokes
from aegis.foxglove.explain import Explainer
from aegis.foxglove.settings import FoxgloveSettings
from aegis.foxglove.stage import (
    AREAS,
    POINTS,
    RAW,
    STROBES,
    THREATS,
    TRACKS,
    TRANSFORM,
    VIDEO,
    FoxgloveStage,
    cartesian,
)
from aegis.ros.messages.clouds import cloud_to_msg
from aegis.ros.messages.ew import signals_to_msg
from aegis.ros.messages.fields import time_from_ns
from aegis.ros.messages.picture import threats_to_msg, tracks_to_msg
from aegis.ros.messages.protected import areas_to_msg
from aegis.ros.messages.video import video_to_msg
from aegis.ros.stages.base import StageContext
from aegis.ros.topics import heard_at

DEADLINE_S = 10.0
CHANNELS = 7 + len(RAW)
MESSAGE_DATA = struct.Struct("<BIQ")  # opcode 1, subscription id, log time [ns]


class Viewer:
    """A client of the protocol, subscribed to every channel."""

    def __init__(self, websocket):
        self.socket = websocket
        self.seen = []
        self.channels = {}
        while len(self.channels) < CHANNELS:
            message = json.loads(self.socket.recv(timeout=DEADLINE_S))
            if message["op"] == "advertise":
                self.channels |= {channel["id"]: channel for channel in message["channels"]}
        wanted = [{"id": 100 + number, "channelId": number} for number in self.channels]
        self.socket.send(json.dumps({"op": "subscribe", "subscriptions": wanted}))

    def next(self, topic, timeout=DEADLINE_S):
        """Return (log time, payload) of the topic's next message; TimeoutError where none comes."""
        until = time.monotonic() + timeout
        while True:
            message = self.socket.recv(timeout=max(0.0, until - time.monotonic()))
            if isinstance(message, bytes) and message[0] == 1:
                _, subscription, log_time = MESSAGE_DATA.unpack_from(message)
                self.seen.append(self.channels[subscription - 100]["topic"])
                if self.seen[-1] == topic:
                    return log_time, message[MESSAGE_DATA.size :]

    def until_served(self, stage):
        """Send pictures of a far past until one arrives: the server does not say when a subscription is in force."""
        deadline = time.monotonic() + DEADLINE_S
        stamp = 1
        while time.monotonic() < deadline:
            stamp += SECOND
            send_tracks(stage, make_tracks([999], stamp_ns=stamp))
            try:
                self.next(TRACKS, timeout=0.1)
            except TimeoutError:
                continue
            return
        pytest.fail("no message within the deadline")


@contextmanager
def viewing(stage, subprotocol="foxglove.sdk.v1"):
    url = f"ws://127.0.0.1:{stage.settings.port}"
    with connect(url, subprotocols=[subprotocol], max_size=None, close_timeout=0.2) as websocket:
        assert websocket.subprotocol == subprotocol
        yield Viewer(websocket)


def send_tracks(stage, tracks):
    assert list(stage.on_message("tracks", tracks_to_msg(tracks))) == []


def scene(payload):
    update = SceneUpdate()
    update.ParseFromString(payload)
    return update


def test_a_viewer_sees_the_tracks_given_in(serve):
    stage = serve(picture={"velocity_time": 2.0})
    tracks = make_tracks(
        [5, 4294967295],
        stamp_ns=1_700_000_000 * SECOND + 7,
        sequence=9,
        state=[[1e3, -2e3, 300.0, 3.0, 4.0, 0.0], [7.0, 8.0, 9.0, 0.0, 0.0, 0.0]],
    )
    tracks.covariance[:, 0, 0], tracks.covariance[:, 1, 1] = 100.0, 25.0
    with viewing(stage) as viewer:
        viewer.until_served(stage)
        threats = threats_to_msg(make_threats([5], [ThreatLevel.HIGH], sequence=9))
        assert list(stage.on_message("threats", threats)) == []
        send_tracks(stage, tracks)
        log_time, payload = viewer.next(TRACKS)
    while log_time != tracks.stamp_ns:  # what was still under way from until_served
        log_time, payload = viewer.next(TRACKS)
    update = scene(payload)
    assert [entity.id for entity in update.entities] == ["5", "4294967295"]
    first, second = update.entities
    assert first.frame_id == "map"
    assert first.timestamp.ToNanoseconds() == tracks.stamp_ns
    at = first.spheres[0].pose.position
    assert (at.x, at.y, at.z) == (1e3, -2e3, 300.0)
    assert first.spheres[0].color.g == pytest.approx(LEVEL_COLOURS[ThreatLevel.HIGH].g)
    assert first.arrows[0].shaft_length + first.arrows[0].head_length == pytest.approx(5.0 * 2.0)  # |(3, 4)| for 2 s
    assert first.cylinders[0].size.x == pytest.approx(2 * ELLIPSE_SIGMA * 10.0)
    assert first.cylinders[0].size.y == pytest.approx(2 * ELLIPSE_SIGMA * 5.0)
    assert first.texts[0].text == "5 DRONE 5 m/s HIGH"
    assert len(second.arrows) == 0  # it does not move
    assert second.texts[0].text == "4294967295 DRONE 0 m/s"
    assert [deletion.id for deletion in update.deletions] == ["999"]
    assert update.deletions[0].type == SceneEntityDeletion.MATCHING_ID


def test_threats_are_json_with_null_for_unknown(serve):
    stage = serve()
    with viewing(stage) as viewer:
        viewer.until_served(stage)
        list(stage.on_message("threats", threats_to_msg(make_threats([5], [ThreatLevel.CRITICAL]))))
        found = json.loads(viewer.next(THREATS)[1])
    assert found["threats"][0]["track_id"] == 5
    assert found["threats"][0]["level"] == "CRITICAL"
    assert found["threats"][0]["time_to_impact"] is None


def test_points_come_with_the_sensors_place(serve):
    stage = serve(sensor_x=10.0, sensor_y=20.0, sensor_z=3.0, sensor_yaw_deg=90.0)
    message = cloud_to_msg(
        {"range": np.array([100.0, 50.0]), "azimuth": np.array([0.0, np.pi / 2]), "snr": np.array([12.0, 20.0])},
        frame_id="radar",
        stamp_ns=3 * SECOND,
    )
    with viewing(stage) as viewer:
        viewer.until_served(stage)
        list(stage.on_message("radar/points", message))
        transform = FrameTransform.FromString(viewer.next(TRANSFORM)[1])
        cloud = PointCloud.FromString(viewer.next(POINTS)[1])
    assert (transform.parent_frame_id, transform.child_frame_id) == ("map", "radar")
    assert (transform.translation.x, transform.translation.y, transform.translation.z) == (10.0, 20.0, 3.0)
    assert (transform.rotation.z, transform.rotation.w) == pytest.approx((np.sqrt(0.5), np.sqrt(0.5)))
    assert cloud.frame_id == "radar"
    assert [field.name for field in cloud.fields] == ["x", "y", "z", "snr"]
    table = np.frombuffer(cloud.data, "<f4").reshape(-1, cloud.point_stride // 4)
    np.testing.assert_allclose(table, [[100, 0, 0, 12], [0, 50, 0, 20]], atol=1e-4)


def test_each_radar_of_a_rig_has_its_points_and_its_place(serve):
    places = {"front": {"sensor_x": 1500.0, "sensor_yaw_deg": 60.0}, "left": {"sensor_x": -1500.0, "sensor_y": 300.0}}
    stage = serve(radars=places)
    assert list(heard_at(stage.settings, "radar/points")) == ["front/radar/points", "left/radar/points"]
    assert list(heard_at(stage.settings, "tracks")) == ["tracks"]
    with viewing(stage) as viewer:
        viewer.until_served(stage)
        for radar, x in (("front", 10.0), ("left", 20.0)):
            # A driver of somebody's: its frame is not called as the radar is.
            cloud = cloud_to_msg({"x": np.array([x]), "y": np.array([0.0])}, frame_id=f"umrr_{radar}", stamp_ns=SECOND)
            list(stage.on_message(f"{radar}/radar/points", cloud))
            transform = FrameTransform.FromString(viewer.next(TRANSFORM)[1])
            assert transform.child_frame_id == f"umrr_{radar}"
            assert (transform.translation.x, transform.translation.y) == (
                places[radar]["sensor_x"], places[radar].get("sensor_y", 0.0),
            )  # fmt: skip
            shown = PointCloud.FromString(viewer.next(f"{POINTS}/{radar}")[1])
            assert shown.frame_id == f"umrr_{radar}"
            assert np.frombuffer(shown.data, "<f4")[0] == x
        assert POINTS not in viewer.seen


def test_points_in_map_need_no_transform(serve):
    stage = serve()
    columns = {"x": np.array([1.0]), "y": np.array([2.0])}
    with viewing(stage) as viewer:
        viewer.until_served(stage)
        list(stage.on_message("radar/points", cloud_to_msg(columns, frame_id="map", stamp_ns=SECOND)))
        assert PointCloud.FromString(viewer.next(POINTS)[1]).frame_id == "map"
        assert TRANSFORM not in viewer.seen  # a transform would have come before the cloud


def test_elevation_lifts_a_point_and_an_unmeasured_one_does_not():
    fields = {"range": np.array([10.0, 10.0]), "azimuth": np.zeros(2), "elevation": np.array([np.pi / 6, np.nan])}
    found = cartesian(fields)
    np.testing.assert_allclose(found["z"], [5.0, 0.0])
    np.testing.assert_allclose(found["x"], [10.0 * np.sqrt(0.75), 10.0])
    assert cartesian({"range": np.zeros(1)}) is None


def test_clouds_that_cannot_be_drawn_are_counted(serve):
    stage = serve()
    no_position = cloud_to_msg({"snr": np.array([1.0])}, frame_id="radar", stamp_ns=1)
    truncated = cloud_to_msg({"x": np.ones(3), "y": np.ones(3)}, frame_id="radar", stamp_ns=1)
    truncated.data = truncated.data[:-1]
    for message in (no_position, truncated):
        assert list(stage.on_message("radar/points", message)) == []
    assert stage.counters.dropped == 2
    assert stage.counters.reasons == {"cloud: neither x, y nor range, azimuth": 1, "cloud: truncated": 1}


def test_a_viewer_that_never_reads_stops_nobody(serve):
    stage = serve()
    with viewing(stage) as stalled, viewing(stage) as viewer:
        stalled.until_served(stage)
        viewer.until_served(stage)
        newest = 2_000_000 * SECOND
        began = time.monotonic()
        message = tracks_to_msg(make_tracks(list(range(500))))
        for i in range(100):  # about 30 MB; the client library stops reading when 16 messages wait
            message.header.stamp = time_from_ns(newest + i * SECOND)
            assert list(stage.on_message("tracks", message)) == []
            if i % 10 == 9:
                while viewer.next(TRACKS)[0] < newest + (i - 9) * SECOND:
                    pass
        assert time.monotonic() - began < DEADLINE_S
        if stage.settings.sink == "websocket":  # the SDK does not tell
            lost = stage.detail()["dropped_for_slow_viewers"]
            assert 0 < lost <= 200


def test_port_taken_names_the_port_and_the_parameter(serve):
    first = serve()
    with pytest.raises(ConfigError, match=rf"port {first.settings.port}.*foxglove\.port=.*--no-foxglove"):
        serve(port=first.settings.port)


def test_close_stops_the_server(serve):
    stage = serve()
    port = stage.settings.port
    socket.create_connection(("127.0.0.1", port), timeout=1).close()
    stage.close()
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            return
        except (ConnectionResetError, TimeoutError):  # in the queue of a socket that was just being closed
            continue
    pytest.fail("still listening")


@pytest.mark.parametrize("serve", ["websocket"], indirect=True)
def test_the_package_serves_older_viewers_too(serve):
    stage = serve()
    with viewing(stage, "foxglove.websocket.v1") as viewer:
        viewer.until_served(stage)


@pytest.mark.parametrize("serve", ["websocket"], indirect=True)
def test_a_viewer_that_breaks_off_is_forgotten(serve, caplog):
    stage = serve()
    with viewing(stage) as broken, viewing(stage) as viewer:
        broken.until_served(stage)
        broken.socket.socket.shutdown(socket.SHUT_RDWR)  # no goodbye
        viewer.until_served(stage)
        deadline = time.monotonic() + DEADLINE_S
        while len(stage._sink._server._clients) != 1:
            assert time.monotonic() < deadline
            viewer.until_served(stage)
        assert len(stage._sink._server._outboxes) == 1
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("serve", ["websocket"], indirect=True)
def test_close_waits_for_nobody_and_ends_the_thread(serve):
    stage = serve()
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("foxglove-websocket") == 1
    mute = socket.create_connection(("127.0.0.1", stage.settings.port), timeout=1)
    with mute, viewing(stage) as stalled:
        stalled.until_served(stage)
        message = tracks_to_msg(make_tracks(list(range(500))))
        deadline = time.monotonic() + DEADLINE_S
        while stage.detail()["dropped_for_slow_viewers"] == 0:
            assert time.monotonic() < deadline
            message.header.stamp.sec += 1
            assert list(stage.on_message("tracks", message)) == []
        began = time.monotonic()
        stage.close()
        assert time.monotonic() - began < 5.0  # what `aegis up` gives a node
    assert "foxglove-websocket" not in [thread.name for thread in threading.enumerate()]


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.delitem(sys.modules, "aegis.foxglove.websocket_server", raising=False)
    monkeypatch.setitem(sys.modules, "foxglove_websocket", None)  # as if not installed
    monkeypatch.setitem(sys.modules, "foxglove_websocket.server", None)
    with pytest.raises(ConfigError, match=r"'sink' = 'websocket'.*pip install foxglove-websocket==0\.1\.4"):
        FoxgloveStage(FoxgloveSettings(sink="websocket"), StageContext())


def test_the_server_listens_on_this_machine_only():
    assert FoxgloveSettings().host == "127.0.0.1"
    assert FoxgloveSettings().port == 8765
    assert FoxgloveSettings().sink == "sdk"


def test_a_viewer_sees_a_radars_video_where_the_ship_is(serve):
    stage = serve(moving_platform=True, sensor_x=2.0, sensor_yaw_deg=90.0)
    codes = np.zeros((2, 8), np.uint8)
    codes[0, 3], codes[1, 5], codes[1, 6], codes[0, 1] = 13, 15, 14, 2
    video = Spokes(
        9 * SECOND, "radar", 1, "radar", np.array([0.0, -np.pi / 2]), np.array([0.0, np.nan]), np.zeros(2), 100.0, 10.0, 13,
        codes, 15, 14,
    )  # fmt: skip
    with viewing(stage) as viewer:
        viewer.until_served(stage)
        half = np.sqrt(0.5)  # the ship's x points north
        odometry = Odometry()
        odometry.header = Header(stamp=time_from_ns(9 * SECOND), frame_id="map")
        odometry.pose.pose.position.x, odometry.pose.pose.position.y = 500.0, -40.0
        odometry.pose.pose.orientation.z = odometry.pose.pose.orientation.w = half
        assert list(stage.on_message("odometry", odometry)) == []
        assert list(stage.on_message("radar/video", video_to_msg(video))) == []
        transform = FrameTransform()
        transform.ParseFromString(viewer.next(TRANSFORM)[1])
        assert (transform.translation.x, transform.translation.y) == pytest.approx((500.0, -38.0))  # 2 m ahead of it
        turned = 2 * np.arctan2(transform.rotation.z, transform.rotation.w)
        assert turned == pytest.approx(np.pi)  # its x, to port, is west
        _, payload = viewer.next(VIDEO)
        cloud = PointCloud()
        cloud.ParseFromString(payload)
        assert [field.name for field in cloud.fields] == ["x", "y", "z", "intensity", "moving"]
        points = np.frombuffer(cloud.data, "<f4").reshape(-1, 5)
    # Ahead with heading north: y. To starboard without a heading: -y of the bow's frame.
    np.testing.assert_allclose(
        points,
        [[0.0, 135.0, 0.0, 1.0, 0.0], [0.0, -155.0, 0.0, 1.0, -1.0], [0.0, -165.0, 0.0, 1.0, 1.0]],
        atol=1e-4,
    )


def test_the_sensor_is_where_its_platform_was_at_the_stamp_of_the_points(serve):
    """On a circle of 40 m at 20 m/s, points of .2 s before the last odometry."""
    stage = serve(moving_platform=True)

    def at(angle: float) -> tuple[float, float]:
        return 40.0 * np.sin(angle), 40.0 - 40.0 * np.cos(angle)

    odometry = Odometry()
    odometry.header = Header(stamp=time_from_ns(9 * SECOND), frame_id="map")
    odometry.pose.pose.position.x, odometry.pose.pose.position.y = at(1.0)
    odometry.pose.pose.orientation.z, odometry.pose.pose.orientation.w = np.sin(0.5), np.cos(0.5)
    odometry.twist.twist.linear.x, odometry.twist.twist.angular.z = 20.0, 0.5
    with viewing(stage) as viewer:
        viewer.until_served(stage)
        assert list(stage.on_message("odometry", odometry)) == []
        cloud = cloud_to_msg({"x": [1.0], "y": [0.0], "z": [0.0]}, frame_id="radar", stamp_ns=9 * SECOND - SECOND // 5)
        assert list(stage.on_message("radar/points", cloud)) == []
        transform = FrameTransform()
        transform.ParseFromString(viewer.next(TRANSFORM)[1])
    assert (transform.translation.x, transform.translation.y) == pytest.approx(at(0.9), abs=0.01)
    assert 2 * np.arctan2(transform.rotation.z, transform.rotation.w) == pytest.approx(0.9)


def test_points_with_angles_in_degrees_are_not_drawn_somewhere(serve):
    stage = serve()
    polar = {"range": [100.0] * 4, "azimuth": [-50.0, -20.0, 3.0, 40.0]}
    list(stage.on_message("radar/points", cloud_to_msg(polar, frame_id="map", stamp_ns=SECOND)))
    assert dict(stage.counters.reasons) == {"cloud: angles look like degrees": 1}


def test_assets_and_zones_are_drawn_and_drawn_again_for_who_comes_late(serve):
    stage = serve()
    pier = ((0.0, 0.0), (100.0, 0.0), (100.0, 50.0))
    found = [
        ProtectedArea("quay", AreaKind.ASSET, 10.0, -20.0, 5.0, 100.0),
        ProtectedArea("pier", AreaKind.ZONE, floor_m=0.0, ceiling_m=300.0, outline=pier),
    ]
    assert list(stage.on_message("protected", areas_to_msg(found, stamp_ns=SECOND, frame_id="map"))) == []
    with viewing(stage) as viewer:
        viewer.until_served(stage)
        send_tracks(stage, make_tracks([5], stamp_ns=60 * SECOND))
        log_time, payload = viewer.next(AREAS)
    assert log_time == SECOND
    update = scene(payload)
    assert [deletion.type for deletion in update.deletions] == [SceneEntityDeletion.ALL]
    quay, zone = update.entities
    assert (quay.id, quay.frame_id, quay.texts[0].text) == ("ASSET quay", "map", "quay")
    circle = np.array([(p.x, p.y, p.z) for p in quay.lines[0].points])
    np.testing.assert_allclose(np.hypot(circle[:, 0] - 10.0, circle[:, 1] + 20.0), 100.0)
    assert set(circle[:, 2]) == {5.0}
    assert [[(p.x, p.y) for p in line.points] for line in zone.lines] == [list(pier), list(pier)]
    assert [line.points[0].z for line in zone.lines] == [0.0, 300.0]


def test_a_strobe_points_where_the_jamming_comes_from(serve):
    stage = serve(strobe_length_m=1000.0)
    nan = float("nan")
    one = Signal(4, SignalKind.NOISE_JAMMING, np.pi / 2, 0.01, 23.4, nan, 0.99, "the floor is up", x=3000.0, y=40.0)
    two = Signal(5, SignalKind.INTERFERENCE, nan, nan, 6.0, nan, 0.99, "bursts")  # from nowhere known: it has no line
    message = signals_to_msg([one, two], stamp_ns=2 * SECOND, frame_id="radar", sequence=1, sensor_id="radar")
    with viewing(stage) as viewer:
        viewer.until_served(stage)
        assert list(stage.on_message("ew/signals", message)) == []
        transform = FrameTransform.FromString(viewer.next(TRANSFORM)[1])
        update = scene(viewer.next(STROBES)[1])
    assert transform.child_frame_id == "radar"
    line, place = update.entities
    assert (line.frame_id, place.frame_id) == ("radar", "map")
    ends = [(each.points[1].x, each.points[1].y) for each in line.lines]
    np.testing.assert_allclose(
        ends, [(0.0, 1000.0), (1000 * np.sin(0.02), 1000 * np.cos(0.02)), (-1000 * np.sin(0.02), 1000 * np.cos(0.02))], atol=1e-6
    )  # fmt: skip
    at = place.texts[0].pose.position
    assert (at.x, at.y, place.texts[0].text) == (3000.0, 40.0, "NOISE_JAMMING 23 dB here")


def test_strobes_of_several_radars_are_each_in_the_frame_of_its_own(serve):
    mounts = {"front": {"sensor_yaw_deg": 90.0}, "left": {"sensor_x": -3.0, "sensor_yaw_deg": 180.0}}
    stage = serve(radars=mounts)
    nan = float("nan")
    both = [
        Signal(k, SignalKind.NOISE_JAMMING, 0.1, 0.01, 20.0, nan, 0.99, "", sensor=name)
        for k, name in enumerate(mounts)
    ]
    message = signals_to_msg(both, stamp_ns=2 * SECOND, frame_id="left", sequence=1, sensor_id="left")
    with viewing(stage) as viewer:
        viewer.until_served(stage)
        assert list(stage.on_message("ew/signals", message)) == []
        update = scene(viewer.next(STROBES)[1])
    assert [one.frame_id for one in update.entities] == ["front", "left"]


def test_what_cannot_be_explained_is_said():
    explainer = Explainer()
    assert json.loads(explainer.answer(b'{"track_id": 7}')) == {"error": "no tracks have come yet"}
    explainer.tracks = make_tracks([7])
    assert json.loads(explainer.answer(b'{"track_id": 8}')) == {"error": "no track 8 in the picture"}
    for wrong in (b"", b"[]", b'{"id": 7}', b"7"):
        assert json.loads(explainer.answer(wrong)) == {"error": 'expected {"track_id": number}'}
    assert json.loads(explainer.answer(b'{"track_id": 7}'))["threat"] is None  # nothing was assessed
