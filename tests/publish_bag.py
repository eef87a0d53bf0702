# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A radar driver in a process of its own: `publish_bag.py IN_BAG OUT_BAG`.

Publishes the points of a bag, each scan after the graph's tracks and threats of the last one, and records those. A topic loses
what is sent faster than it is taken, so that waiting makes a test independent of the machine's load. Where the bag has odometry,
that which a scan waits for is published after it.
"""

import sys
import time
from collections import deque
from pathlib import Path

import rclpy
from aegis_msgs.msg import ThreatArray, TrackArray
from aegis_msgs.srv import Restart
from nav_msgs.msg import Odometry
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message, serialize_message
from ros_services import proven_request
from sensor_msgs.msg import PointCloud2

from aegis.ros.bag import BagError, BagReader, write_bag
from aegis.ros.messages.fields import stamp_of, time_from_ns

DEADLINE_S = 20.0
WARM_UP_NS = 4_000_000_000  # a millisecond each; less than what the tracker takes for a new beginning of time


def main(in_bag: Path, out_bag: Path) -> None:
    rclpy.init()
    node = rclpy.create_node("test_driver")
    seen: dict[str, dict[int, object]] = {"tracks": {}, "threats": {}}  # by stamp
    for name, kind in (("tracks", TrackArray), ("threats", ThreatArray)):
        node.create_subscription(kind, name, lambda m, name=name: seen[name].update({stamp_of(m): m}), 10)
    publisher = node.create_publisher(
        PointCloud2, "radar/points", QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
    )

    def wait(condition, what: str, deadline_s: float = DEADLINE_S) -> None:
        end = time.monotonic() + deadline_s
        while not condition():
            if time.monotonic() > end:
                sys.exit(f"{what}: not within {deadline_s} s")
            rclpy.spin_once(node, timeout_sec=0.05)

    scans = [
        deserialize_message(data, PointCloud2)
        for _, data in BagReader(in_bag, "radar/points", "sensor_msgs/msg/PointCloud2").messages()
    ]
    try:
        reader = BagReader(in_bag, "odometry", "nav_msgs/msg/Odometry")
        odometry = deque(deserialize_message(data, Odometry) for _, data in reader.messages())
    except BagError:  # the radar does not move
        odometry = deque()
    odometry_publisher = node.create_publisher(Odometry, "odometry", 100)
    # Empty scans from before the first one, until one of them has gone through every stage: only then is every link of the
    # graph known to be there. That nothing was seen changes what the tracker expects: it forgets it before the first scan.
    empty = deserialize_message(serialize_message(scans[0]), PointCloud2)
    empty.width, empty.row_step, empty.data = 0, 0, b""
    first = stamp_of(scans[0])

    def warm() -> bool:
        warm.stamp += 1_000_000
        empty.header.stamp = time_from_ns(warm.stamp)
        publisher.publish(empty)
        if odometry:
            still = deserialize_message(serialize_message(odometry[0]), Odometry)
            still.header.stamp = empty.header.stamp
            odometry_publisher.publish(still)
        return all(seen.values())

    warm.stamp = first - WARM_UP_NS
    wait(warm, "no scan goes through the graph", 60.0)
    wait(lambda: warm.stamp in seen["threats"], "the last empty scan is not through")
    restart = node.create_client(Restart, "tracking/restart")
    wait(restart.service_is_ready, "no restart service")
    done = restart.call_async(proven_request(node, Restart, "tracking/restart"))
    wait(done.done, "the tracker does not begin anew")
    assert done.result().success
    with write_bag(out_bag, list(seen)) as writer:
        for k, scan in enumerate(scans):
            stamp = stamp_of(scan)
            publisher.publish(scan)
            sent = 0
            while odometry and sent < stamp:
                sent = stamp_of(odometry[0])
                odometry_publisher.publish(odometry.popleft())
            wait(lambda stamp=stamp: all(stamp in messages for messages in seen.values()), f"no picture of scan {k}")
            for name, messages in seen.items():
                writer.write(name, stamp, messages[stamp])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
