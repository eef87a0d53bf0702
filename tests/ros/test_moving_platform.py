# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A radar on a moving platform, in messages: the pose in detections, odometry into the detection stage, bags with both."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy
from aegis_msgs.msg import DetectionArray
from circle_drive import MOVING, POST, SETS, cloud, ns, odometry, sensor, write
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.serialization import deserialize_message, serialize_message
from rosbags.rosbag2 import Reader
from scipy.spatial.transform import Rotation

from aegis.core.detection.settings import DetectionSettings
from aegis.core.types import Pose
from aegis.graph.nodes import NODES
from aegis.graph.offline import process_bag
from aegis.ros.bag import BagError, BagReader, serialize, typestore, write_bag
from aegis.ros.host import StageHost
from aegis.ros.messages.fields import stamp_of
from aegis.ros.messages.odometry import odometry_from_msg
from aegis.ros.messages.picture import detections_from_msg, detections_to_msg
from aegis.ros.qos import message_class
from aegis.ros.stages.base import StageContext
from aegis.ros.stages.detection import DetectionStage
from aegis.ros.topics import TOPICS


def stage(**values: Any) -> DetectionStage:
    return DetectionStage(DetectionSettings.load({**MOVING, **values}), StageContext())


def push(at: DetectionStage, *inputs: tuple[str, Any]) -> tuple[list[DetectionArray], list[dict]]:
    """Return the detections and the data of the refusals that follow from (topic, message) inputs."""
    outputs = []
    for topic, message in inputs:
        at.counters.received += 1  # as the host does
        outputs += at.on_message(topic, message)
    refusals = [o.message for o in outputs if o.topic == "events" and o.message.name == "DETECTION_ERROR"]
    return [o.message for o in outputs if o.topic == "detections"], [json.loads(m.data) for m in refusals]


def points(t: float) -> tuple[str, Any]:
    return "radar/points", cloud(t)


def drive(t: float, **options: Any) -> tuple[str, Any]:
    return "odometry", odometry(t, **options)


def diagnosis(at: DetectionStage, t: float) -> DiagnosticStatus:
    return at.status(ns(t))[1].message.status[0]


# The message.


def detections_with(pose: Pose | None) -> DetectionArray:
    (m,), _ = push(stage(moving_platform=False), points(1.0))
    d = detections_from_msg(m)
    d.pose = pose
    return detections_to_msg(d)


@pytest.mark.parametrize("seed", range(20))
def test_a_pose_comes_back_from_the_wire(seed):
    rng = np.random.default_rng(seed)
    pose = Pose(rng.normal(0, 1e5, 3), Rotation.random(rng=rng).as_matrix(), rng.normal(0, 300, 3))
    m = deserialize_message(serialize_message(detections_with(pose)), DetectionArray)
    back = detections_from_msg(m)
    np.testing.assert_array_equal(back.pose.position, pose.position)
    np.testing.assert_allclose(back.pose.rotation, pose.rotation, atol=1e-14)
    np.testing.assert_array_equal(back.pose.velocity, pose.velocity)
    assert len(back) == 1
    bag = deserialize_message(serialize(m, TOPICS["detections"].type, typestore()), DetectionArray)
    assert repr(bag) == repr(m)  # as text, in which NaN is equal to NaN


def test_the_quaternion_is_x_y_z_w_and_turns_the_sensors_frame_into_map():
    north = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])  # the sensor looks north
    m = detections_with(Pose(np.array([1.0, 2.0, 3.0]), north, np.array([4.0, 5.0, 6.0])))
    q = m.sensor_orientation
    np.testing.assert_allclose([q.x, q.y, q.z, q.w], [0, 0, np.sqrt(0.5), np.sqrt(0.5)], atol=1e-15)
    assert m.has_pose
    assert (m.sensor_position.y, m.sensor_velocity.z) == (2.0, 6.0)


def test_without_a_pose_the_fields_mean_nothing():
    m = detections_with(None)
    m.sensor_orientation.w = float("nan")
    assert not m.has_pose
    assert detections_from_msg(m).pose is None


NAN = float("nan")
WRONG = [
    ({"w": NAN}, "finite numbers"),
    ({"x": float("inf")}, "finite numbers"),
    ({"w": 0.0}, "of length 0; a quaternion of length 1"),
    ({"w": 1.002}, "of length 1.002; a quaternion of length 1"),
    ({"z": 0.5}, r"of length 1\.11803"),
]


@pytest.mark.parametrize(("change", "says"), WRONG)
def test_what_is_no_orientation_is_refused_with_the_field_and_the_reason(change, says):
    m, o = detections_with(Pose(np.zeros(3), np.eye(3), np.zeros(3))), odometry(-np.pi)  # both of orientation 0 0 0 1
    o.pose.pose.orientation = type(o.pose.pose.orientation)(w=1.0)
    for name, value in change.items():
        setattr(m.sensor_orientation, name, value)
        setattr(o.pose.pose.orientation, name, value)
    with pytest.raises(ValueError, match=rf"DetectionArray\.sensor_orientation is .*{says}"):
        detections_from_msg(m)
    with pytest.raises(ValueError, match=rf"Odometry\.pose\.pose\.orientation is .*{says}"):
        odometry_from_msg(o)


def test_numbers_that_are_not_finite_are_refused():
    for name in ("sensor_position", "sensor_velocity"):
        m = detections_with(Pose(np.zeros(3), np.eye(3), np.zeros(3)))
        getattr(m, name).y = NAN
        with pytest.raises(ValueError, match=rf"{name} is \[0\.0, nan, 0\.0\]; finite"):
            detections_from_msg(m)
    for part in ("linear", "angular"):
        o = odometry(0.0)
        getattr(o.twist.twist, part).z = NAN
        with pytest.raises(ValueError, match=rf"twist\.{part} is .*finite"):
            odometry_from_msg(o)


def test_a_quaternion_of_single_precision_is_taken_and_made_exact():
    o = odometry(0.3)
    o.pose.pose.orientation.z = float(np.float32(o.pose.pose.orientation.z))
    assert np.linalg.norm(odometry_from_msg(o).orientation) == pytest.approx(1.0, abs=1e-15)


# The stage.


def test_a_scan_waits_and_comes_out_with_the_sensors_pose():
    at = stage()
    assert push(at, drive(0.0), points(0.03)) == ([], [])
    assert json.loads(at.status(ns(0.0))[0].message.detail[0])["scans_waiting"] == 1
    (m,), _ = push(at, drive(0.04))
    assert stamp_of(m) == ns(0.03)
    pose, truth = detections_from_msg(m).pose, sensor(0.03)
    np.testing.assert_allclose(pose.position, truth.position, atol=0.002)
    np.testing.assert_allclose(pose.rotation, truth.rotation, atol=1e-8)
    np.testing.assert_allclose(pose.velocity, truth.velocity, atol=1e-6)
    # With it the detection is the post's place, and the range rate the sensor's own motion only.
    r, az, el = m.range[0], m.azimuth[0], m.elevation[0]
    sight = pose.rotation @ [r * np.cos(el) * np.cos(az), r * np.cos(el) * np.sin(az), r * np.sin(el)]
    np.testing.assert_allclose(pose.position + sight, POST, atol=0.01)
    assert m.range_rate[0] + sight @ pose.velocity / r == pytest.approx(0.0, abs=1e-3)
    assert at.counters.dropped == 0


def test_scans_that_cannot_get_a_pose_are_dropped_counted_and_told():
    at = stage(**{"odometry.max_gap_s": 0.2})
    got, refusals = push(at, drive(1.0), points(0.5), points(1.3), drive(2.0), drive(2.1), points(2.05))
    assert [stamp_of(m) for m in got] == [ns(2.05)]
    assert got[0].sequence == 3  # so that the missing ones show as gaps
    assert at.counters.reasons == {"older than the odometry": 1, "gap in the odometry": 1}
    assert at.counters.dropped == 2
    assert [r["message"] for r in refusals] == [
        "scan 1 has no pose: older than the odometry", "scan 2 has no pose: gap in the odometry",
    ]  # fmt: skip


def test_without_odometry_scans_are_dropped_and_health_says_so():
    at = stage()
    diagnosis(at, 0.0)
    push(at, points(0.1))
    waiting = diagnosis(at, 1.0)
    assert (waiting.level, waiting.message) == (DiagnosticStatus.STALE, "no odometry: 1 scans wait for it")
    got, refusals = push(at, *(points(0.1 * k) for k in range(2, 13)))
    assert got == []
    assert [r["refused"] for r in refusals] == ["no odometry in time"]  # told once a minute
    assert at.counters.reasons == {"no odometry in time": 2}
    still = diagnosis(at, 2.0)
    assert (still.level, still.message) == (DiagnosticStatus.STALE, "no odometry: 10 scans wait for it")
    assert {v.key: v.value for v in still.values}["dropped: no odometry in time"] == "2"
    push(at, drive(0.25), drive(0.5), drive(0.9), drive(1.25))
    push(at, points(1.3))
    assert diagnosis(at, 3.0).message != "no odometry: 1 scans wait for it"  # it comes; a scan may be on its way
    push(at, drive(1.3))
    assert diagnosis(at, 4.0).message == "no data"  # odometry alone is no radar
    push(at, points(1.31), drive(1.4))
    assert diagnosis(at, 5.0).level == DiagnosticStatus.OK


def test_odometry_in_a_foreign_frame_is_refused_and_told_once():
    at = stage()
    _, refusals = push(at, points(0.1), *(drive(0.05 * k, frame_id="odom") for k in range(5)))
    (refusal,) = refusals
    assert refusal["message"] == "odometry's frame_id 'odom', but 'map' is expected (parameter odometry.frame_id)"
    assert at.counters.reasons == {"odometry: foreign frame_id": 5}
    assert at.counters.dropped == 5
    assert "no odometry: 1 scans wait for it; refused: odometry's frame_id 'odom'" in diagnosis(at, 1.0).message
    push(at, drive(0.0), drive(0.3))
    _, refusals = push(at, drive(0.4, frame_id="odom"))
    assert len(refusals) == 1  # after one that was taken it is news again
    for expected in ("odom", ""):
        got, _ = push(stage(**{"odometry.frame_id": expected}), drive(0.0, frame_id="odom"), points(0.0))
        assert len(got) == 1


def test_odometry_that_is_not_valid_is_refused_and_the_next_is_taken():
    at = stage()
    broken, zero = odometry(0.1), odometry(0.1)
    broken.pose.pose.position.x = NAN
    zero.pose.pose.orientation = type(zero.pose.pose.orientation)(w=0.0)
    _, refusals = push(at, drive(0.0), ("odometry", broken), ("odometry", zero), drive(0.0))
    assert "position is [nan, " in refusals[0]["message"]
    assert at.counters.reasons == {"odometry: not valid": 3}  # the same stamp again too
    got, _ = push(at, points(0.1), drive(0.2))
    assert len(got) == 1


def test_odometry_that_goes_backwards_is_a_new_beginning_that_is_counted():
    at = stage()
    got, refusals = push(at, drive(9.9), drive(10.0), points(10.1), drive(0.0), points(0.05), drive(0.1))
    assert [stamp_of(m) for m in got] == [ns(0.05)]
    assert at.counters.reasons == {"odometry went backwards: reset": 1, "odometry went backwards": 1}
    assert at.counters.dropped == 1
    assert [r["refused"] for r in refusals] == ["odometry went backwards"]


def test_a_restart_forgets_odometry_and_counts_the_scans_that_waited():
    at = stage()
    push(at, drive(0.0), points(0.1))
    at.reset()
    got, _ = push(at, drive(0.2), points(0.15), points(0.2))
    assert [stamp_of(m) for m in got] == [ns(0.2)]
    assert at.counters.reasons == {"restarted while it waited": 1, "older than the odometry": 1}


def test_an_exception_at_one_scan_leaves_the_others(monkeypatch):
    at = stage()
    push(at, drive(0.0), points(0.01), points(0.02), points(0.03))
    step = at.detector.step

    def failing(scan):
        if scan.sequence == 1:
            raise ArithmeticError
        return step(scan)

    monkeypatch.setattr(at.detector, "step", failing)
    with pytest.raises(ArithmeticError):
        push(at, drive(0.1))
    got, _ = push(at, drive(0.2))
    assert [m.sequence for m in got] == [2, 3]


def test_a_cloud_that_cannot_be_read_is_refused_at_once():
    _, refusals = push(stage(frame_id="lidar"), points(0.1))
    assert refusals[0]["refused"] == "foreign frame_id"


@pytest.mark.parametrize("moving", [False, True])
def test_odometry_is_subscribed_to_on_a_moving_platform_only(ros_domain, moving):
    context = rclpy.Context()
    rclpy.init(args=["test"], context=context)
    node = rclpy.create_node("detection", context=context)
    try:
        spec = NODES["detection"]
        at = stage(moving_platform=moving)
        StageHost(node, at, subscribes=spec.subscribes, publishes=spec.publishes)
        assert {s.topic_name for s in node.subscriptions} >= {"/radar/points"}
        assert any(s.topic_name == "/odometry" for s in node.subscriptions) == moving
    finally:
        node.destroy_node()
        rclpy.try_shutdown(context=context)


def test_where_the_sensor_does_not_move_nothing_is_different():
    at = stage(moving_platform=False)
    (m,), _ = push(at, points(0.1))
    assert not m.has_pose
    assert set(at.detail()) == {"sensor_id", "last_refusal"}
    assert not at.reads("odometry")


# Bags.


def raw(bag: Path, topic: str) -> list[tuple[int, bytes]]:
    reader = BagReader(bag, topic, TOPICS[topic].type)
    try:
        return list(reader.messages())
    finally:
        reader.close()


def messages(bag: Path, topic: str) -> list:
    return [deserialize_message(data, message_class(TOPICS[topic].type)) for _, data in raw(bag, topic)]


def test_a_bag_with_odometry_gives_detections_with_the_pose_and_holds_the_odometry(tmp_path):
    write(tmp_path / "in")
    summary = process_bag(tmp_path / "in", tmp_path / "out", sets=SETS)
    assert (summary.scans, summary.refused, summary.errors) == (30, 0, 0)
    found = [detections_from_msg(m) for m in messages(tmp_path / "out", "detections")]
    assert [d.stamp_ns for d in found] == [ns(0.01 + 0.1 * k) for k in range(30)]
    for k, d in enumerate(found):
        truth = sensor(0.01 + 0.1 * k)
        np.testing.assert_allclose(d.pose.position, truth.position, atol=0.001)
        np.testing.assert_allclose(d.pose.rotation, truth.rotation, atol=1e-8)
        np.testing.assert_allclose(d.pose.velocity, truth.velocity, atol=1e-6)
    for topic in ("odometry", "radar/points"):
        assert raw(tmp_path / "out", topic) == raw(tmp_path / "in", topic)


def test_how_late_the_odometry_was_recorded_does_not_matter(tmp_path):
    outs = []
    for delay_s in (-0.3, 0.0, 0.25):
        write(tmp_path / f"in{delay_s}", odometry_delay_s=delay_s)
        process_bag(tmp_path / f"in{delay_s}", tmp_path / f"out{delay_s}", sets=SETS)
        outs.append([data for _, data in raw(tmp_path / f"out{delay_s}", "detections")])
    assert len(outs[0]) == 30
    assert outs[0] == outs[1] == outs[2]


def test_scans_after_the_last_odometry_are_counted(tmp_path):
    write(tmp_path / "in", odometry_end_s=2.5)
    summary = process_bag(tmp_path / "in", tmp_path / "out", sets=SETS)
    assert (summary.scans, summary.refused) == (30, 5)
    assert len(messages(tmp_path / "out", "detections")) == 25
    rows = [m for m in messages(tmp_path / "out", "status") if list(m.stage) == ["detection"]]
    assert json.loads(rows[-1].detail[0])["dropped_by_reason"] == {"no odometry in time": 5}
    assert str(summary).endswith("5 inputs refused (see /diagnostics in the output)")


def test_where_the_sensor_does_not_move_the_bags_odometry_is_left_alone(tmp_path):
    write(tmp_path / "in")
    process_bag(tmp_path / "in", tmp_path / "out")
    reader = Reader(tmp_path / "out")
    reader.open()
    assert "/odometry" not in {c.topic for c in reader.connections}
    reader.close()
    assert not any(m.has_pose for m in messages(tmp_path / "out", "detections"))


def test_a_bag_without_the_odometry_is_a_clear_error_and_another_name_can_be_said(tmp_path):
    write(tmp_path / "in", odometry_topic="vehicle/odom")
    with pytest.raises(BagError, match=r"no topic '/odometry' of type nav_msgs.*say --odometry-topic /vehicle/odom"):
        process_bag(tmp_path / "in", tmp_path / "out", sets=SETS)
    assert [p.name for p in tmp_path.iterdir()] == ["in"]
    summary = process_bag(tmp_path / "in", tmp_path / "out", odometry_topic="vehicle/odom", sets=SETS)
    assert (summary.scans, summary.refused) == (30, 0)
    assert len(raw(tmp_path / "out", "odometry")) == 151


def test_odometry_cut_short_is_a_clear_error_and_leaves_nothing(tmp_path):
    with write_bag(tmp_path / "in", ["radar/points", "odometry"]) as writer:
        writer.write("odometry", ns(0.0), odometry(0.0))
        writer.write("radar/points", ns(0.1), cloud(0.1))
        writer.write("odometry", ns(0.2), b"\x00\x01\x00\x00\x01\x00")
    with pytest.raises(BagError, match="odometry 2 is not a whole Odometry"):
        process_bag(tmp_path / "in", tmp_path / "out", sets=SETS)
    assert [p.name for p in tmp_path.iterdir()] == ["in"]
