# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tracks in the messages of other stacks: over the wire of a live node, read with their own definitions.

radar_msgs, vision_msgs and autoware_perception_msgs are not on PyPI: where one is not installed, its tests skip.
"""

import uuid

import numpy as np
import pytest
import rclpy
from picture_data import SECOND, make_tracks
from rclpy.executors import SingleThreadedExecutor
from scipy.spatial.transform import Rotation

from aegis.core.objects import TOPIC_OF, ObjectsSettings
from aegis.core.params import ConfigError
from aegis.core.types import ClassId, TrackStatus
from aegis.graph.nodes import NODES
from aegis.graph.plan import Options, Plan
from aegis.ros.host import StageHost
from aegis.ros.messages.picture import tracks_to_msg
from aegis.ros.messages.radar_msgs import RadarMsgsSettings, track_columns
from aegis.ros.qos import message_class, qos_profile
from aegis.ros.stages.base import StageContext
from aegis.ros.stages.objects import ObjectsStage
from aegis.ros.topics import TOPICS

SIXTY_DEG = np.array([1.0, np.sqrt(3.0), 0.0]) / 2.0


def three_tracks():
    """A fast one with correlated errors, one that stands, and one that is not confirmed."""
    rng = np.random.default_rng(5)
    tracks = make_tracks([7, 8, 9], stamp_ns=12 * SECOND + 34)
    tracks.state[0] = [100.0, -200.0, 50.0, *(20.0 * SIXTY_DEG[:2]), 1.5]
    tracks.state[1] = [1.0, 2.0, 3.0, 0.1, 0.0, 0.0]
    root = rng.normal(size=(6, 6))
    tracks.covariance[0] = root @ root.T
    tracks.class_probability[:] = 0.0
    tracks.class_probability[:, ClassId.VEHICLE], tracks.class_probability[:, ClassId.PERSON] = 0.75, 0.25
    tracks.class_id[:] = ClassId.VEHICLE
    tracks.existence_probability[:] = 0.875
    tracks.status[2] = TrackStatus.TENTATIVE
    return tracks


@pytest.fixture
def over_the_wire(ros_domain, wait_for):
    """Return what a subscriber of a package's topic gets of three tracks, from a node `objects` in the namespace /rig."""
    context = rclpy.Context()
    rclpy.init(args=["test"], context=context)
    executor = SingleThreadedExecutor(context=context)

    def send(package, **settings):
        pytest.importorskip(
            package, reason=f"{package} is not on PyPI: ros-jazzy-{package.replace('_', '-')}, or its sources"
        )
        node = rclpy.create_node("objects", namespace="rig", context=context)
        stage = ObjectsStage(
            ObjectsSettings(packages=(package,), **settings), StageContext("run", 0, None, True, namespace="rig")
        )
        spec = NODES["objects"]
        StageHost(node, stage, subscribes=spec.subscribes, publishes=spec.publishes)
        other = rclpy.create_node("stack", namespace="rig", context=context)
        heard = []
        topic = TOPIC_OF[package]
        other.create_subscription(message_class(TOPICS[topic].type), topic, heard.append, 10)
        publisher = other.create_publisher(
            message_class(TOPICS["tracks"].type), "tracks", qos_profile(TOPICS["tracks"])
        )
        executor.add_node(node)
        executor.add_node(other)
        wait_for(lambda: publisher.get_subscription_count() and stage.has_listeners(topic), "both ends are there")
        publisher.publish(tracks_to_msg(three_tracks()))

        def came():
            executor.spin_once(timeout_sec=0.1)
            return heard

        wait_for(came, f"{package} on {topic}")
        published = dict(node.get_publisher_names_and_types_by_node("objects", "/rig"))
        assert {f"/rig/{name}" for name in TOPIC_OF.values()} & published.keys() == {f"/rig/{topic}"}
        return heard[0]

    yield send
    executor.shutdown()
    rclpy.try_shutdown(context=context)


def check_header(header):
    assert (header.frame_id, header.stamp.sec, header.stamp.nanosec) == ("map", 12, 34)


def test_radar_tracks(over_the_wire):
    """Read back by the reader of other people's RadarTracks, and the covariances against numpy's triangle."""
    message = over_the_wire("radar_msgs")
    check_header(message.header)
    sent = three_tracks()
    assert len(message.tracks) == 2
    first = message.tracks[0]
    columns = track_columns(message, RadarMsgsSettings(source="tracks"))
    np.testing.assert_allclose(columns["range"], np.linalg.norm(sent.state[:2, :3], axis=1))
    line = sent.state[:2, :3] / columns["range"][:, None]
    np.testing.assert_allclose(columns["range_rate"], (line * sent.state[:2, 3:]).sum(axis=1))
    np.testing.assert_allclose(
        columns["range_sigma"][0], np.sqrt(line[0] @ sent.covariance[0, :3, :3] @ line[0]), rtol=1e-5
    )
    upper = np.triu_indices(3)
    np.testing.assert_allclose(first.velocity_covariance, sent.covariance[0, 3:, 3:][upper], rtol=1e-6)
    assert first.classification == 32001
    assert not any(first.acceleration_covariance)
    assert not any(first.size_covariance)
    ids = [uuid.UUID(bytes=bytes(t.uuid.uuid)) for t in message.tracks]
    assert len(set(ids)) == 2
    assert all(one.version == 5 for one in ids)


def test_detections_3d(over_the_wire):
    message = over_the_wire("vision_msgs", min_probability=0.5, show_tentative=True)
    check_header(message.header)
    assert len(message.detections) == 3
    first = message.detections[0]
    check_header(first.header)
    sent = three_tracks()
    ((hypothesis,),) = (first.results,)
    assert (hypothesis.hypothesis.class_id, hypothesis.hypothesis.score) == ("VEHICLE", 0.75)
    place = first.bbox.center.position
    assert [place.x, place.y, place.z] == sent.state[0, :3].tolist()
    covariance = np.reshape(hypothesis.pose.covariance, (6, 6))
    np.testing.assert_array_equal(covariance[:3, :3], sent.covariance[0, :3, :3])
    uniform = np.random.default_rng(1).uniform(-np.pi, np.pi, 400_000)
    np.testing.assert_allclose(np.diag(covariance)[3:], uniform.var(), rtol=0.01)
    assert not covariance[:3, 3:].any()
    assert [first.bbox.size.x, first.bbox.size.y, first.bbox.size.z] == [0.0, 0.0, 0.0]
    assert {uuid.UUID(d.id).version for d in message.detections} == {5}
    assert len({d.id for d in message.detections}) == 3


def test_tracked_objects(over_the_wire):
    """Autoware's twist is in the object's axes: turned back by scipy it is the velocity that was sent."""
    message = over_the_wire("autoware_perception_msgs")
    check_header(message.header)
    sent = three_tracks()
    moving, standing = message.objects
    kinematics = moving.kinematics
    q = kinematics.pose_with_covariance.pose.orientation
    turn = Rotation.from_quat([q.x, q.y, q.z, q.w])
    np.testing.assert_allclose(turn.apply([1.0, 0.0, 0.0]), SIXTY_DEG, atol=1e-12)
    v = kinematics.twist_with_covariance.twist.linear
    np.testing.assert_allclose([v.x, v.y, v.z], [20.0, 0.0, 1.5], atol=1e-12)
    own = np.reshape(kinematics.twist_with_covariance.covariance, (6, 6))[:3, :3]
    back = turn.as_matrix() @ own @ turn.as_matrix().T
    np.testing.assert_allclose(back, sent.covariance[0, 3:, 3:], atol=1e-12)
    assert kinematics.orientation_availability == kinematics.AVAILABLE
    assert standing.kinematics.orientation_availability == kinematics.UNAVAILABLE
    v = standing.kinematics.twist_with_covariance.twist.linear
    assert [v.x, v.y, v.z] == [0.1, 0.0, 0.0]
    assert {c.label: c.probability for c in moving.classification} == {1: 0.75, 7: 0.25}
    assert moving.existence_probability == 0.875
    assert moving.shape.type == moving.shape.CYLINDER
    assert uuid.UUID(bytes=bytes(moving.object_id.uuid)).version == 5


def test_the_parameter_makes_the_node_run():
    assert "objects" not in Plan.of(Options(bridge=False), {}).processes
    assert "objects" in Plan.of(Options(bridge=False, sets=("objects.packages=[vision_msgs]",)), {}).processes


def test_what_is_missing_is_said(monkeypatch):
    monkeypatch.setattr("aegis.ros.stages.objects.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="ros-<distribution>-autoware-perception-msgs on a machine with ROS 2"):
        ObjectsStage(ObjectsSettings(packages=("autoware_perception_msgs",)), StageContext(live=True))
