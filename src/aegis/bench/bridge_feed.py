# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The stages before the bridge, as far as its load goes: `python -m aegis.bench.bridge_feed OBJECTS HZ`, until it is ended."""

from __future__ import annotations

import sys
import time

import rclpy

from aegis.bench import picture
from aegis.ros.messages.picture import detections_to_msg, threats_to_msg, tracks_to_msg
from aegis.ros.qos import message_class, qos_profile
from aegis.ros.topics import TOPICS


def main() -> None:
    """Publish detections, tracks and threats of so many objects at a rate, stamped as they are published."""
    objects, hz = int(sys.argv[1]), float(sys.argv[2])
    rclpy.init()
    node = rclpy.create_node("bench_feed")
    publish = {
        name: node.create_publisher(message_class(TOPICS[name].type), name, qos_profile(TOPICS[name])).publish
        for name in ("detections", "tracks", "threats")
    }
    sequence, due = 0, time.monotonic()
    while True:
        sequence, due = sequence + 1, due + 1.0 / hz
        time.sleep(max(0.0, due - time.monotonic()))
        stamp_ns = time.time_ns()
        publish["detections"](detections_to_msg(picture.detections(objects, sequence, stamp_ns)))
        publish["tracks"](tracks_to_msg(picture.tracks(objects, sequence, stamp_ns)))
        publish["threats"](threats_to_msg(picture.threats(objects, sequence, stamp_ns)))


if __name__ == "__main__":
    main()
