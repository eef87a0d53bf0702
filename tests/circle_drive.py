# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A platform that drives a circle, its odometry, and what a perfect radar on it sees of a post; also as a rosbag2."""

from pathlib import Path
from typing import Any

import numpy as np
from nav_msgs.msg import Odometry
from rosbags.rosbag2 import StoragePlugin, Writer

from aegis.core.types import Pose
from aegis.ros.bag import serialize, typestore
from aegis.ros.messages.clouds import cloud_to_msg
from aegis.ros.messages.fields import make_header
from aegis.ros.topics import TOPICS

START_NS = 1_700_000_000 * 1_000_000_000
SPEED, TURN = 10.0, 0.5  # on a circle about the origin of map, anticlockwise; at 0 s at (20, 0), heading north
RADIUS = SPEED / TURN
POST = np.array([60.0, 5.0, 2.0])  # stands still, in map
MOVING = {"moving_platform": True, "sensor_x": 1.5, "sensor_yaw_deg": 30.0}
SETS = [f"detection.{name}={value}" for name, value in MOVING.items()]


def ns(t: float) -> int:
    return START_NS + round(t * 1e9)


def odometry(t: float, *, frame_id: str = "map") -> Odometry:
    m = Odometry()
    m.header = make_header(ns(t), frame_id)
    m.child_frame_id = "base_link"
    m.pose.pose.position.x, m.pose.pose.position.y = RADIUS * np.cos(TURN * t), RADIUS * np.sin(TURN * t)
    half = (TURN * t + np.pi / 2) / 2
    m.pose.pose.orientation.z, m.pose.pose.orientation.w = float(np.sin(half)), float(np.cos(half))
    m.twist.twist.linear.x = SPEED
    m.twist.twist.angular.z = TURN
    return m


def sensor(t: float) -> Pose:
    """Return the truth, by hand: the mounting of MOVING, 1.5 m ahead."""
    c, s = np.cos(TURN * t), np.sin(TURN * t)
    heading = TURN * t + np.pi / 2 + np.deg2rad(30.0)
    ch, sh = np.cos(heading), np.sin(heading)
    return Pose(
        position=np.array([RADIUS * c - 1.5 * s, RADIUS * s + 1.5 * c, 0.0]),
        rotation=np.array([[ch, -sh, 0.0], [sh, ch, 0.0], [0.0, 0.0, 1.0]]),
        velocity=np.array([-SPEED * s - 1.5 * TURN * c, SPEED * c - 1.5 * TURN * s, 0.0]),
    )


def cloud(t: float) -> Any:
    """Return what a perfect radar there sees of the post."""
    pose = sensor(t)
    sight = POST - pose.position
    x, y, z = pose.rotation.T @ sight
    rate = -sight @ pose.velocity / np.linalg.norm(sight)
    columns = {"x": [x], "y": [y], "z": [z], "range_rate": [rate], "snr": [20.0]}
    return cloud_to_msg(columns, frame_id="radar", stamp_ns=ns(t))


def write(
    bag: Path, *, odometry_delay_s: float = 0.0, odometry_end_s: float = 3.0, odometry_topic: str = "odometry"
) -> None:
    """Write three seconds: odometry at 50 Hz, a scan every 0.1 s, in the order of (delayed) recording."""
    rows = [(ns(0.01 + 0.1 * k), "radar/points", cloud(0.01 + 0.1 * k)) for k in range(30)]
    times = [0.02 * k for k in range(151) if 0.02 * k <= odometry_end_s]
    rows += [(ns(t + odometry_delay_s), "odometry", odometry(t)) for t in times]
    names = {"radar/points": "/radar/points", "odometry": f"/{odometry_topic}"}
    store = typestore()
    with Writer(bag, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        to = {t: writer.add_connection(name, TOPICS[t].type, typestore=store) for t, name in names.items()}
        for time_ns, topic, message in sorted(rows, key=lambda row: row[0]):
            writer.write(to[topic], time_ns, serialize(message, TOPICS[topic].type, store))
