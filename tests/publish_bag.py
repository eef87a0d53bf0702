"""A radar driver of its own process: publishes the points of a bag on radar/points, each after the picture of the last one.

Waiting for the picture makes a test of the pipeline independent of the machine's load; a best-effort topic may lose what
is sent faster than it is taken.
"""

import sys
import time
from pathlib import Path

import rclpy
from aegis_msgs.msg import TrackArray
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import PointCloud2

from aegis.ros import convert
from aegis.ros.bag import BagReader

DEADLINE_S = 20.0


def main(bag: Path) -> None:
    rclpy.init()
    node = rclpy.create_node("test_driver")
    seen: list[int] = []
    node.create_subscription(TrackArray, "tracks", lambda m: seen.append(convert.stamp_ns(m)), 10)
    publisher = node.create_publisher(
        PointCloud2, "radar/points", QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
    )

    def wait(condition, what: str) -> None:
        end = time.monotonic() + DEADLINE_S
        while not condition():
            if time.monotonic() > end:
                sys.exit(f"{what}: not within {DEADLINE_S} s")
            rclpy.spin_once(node, timeout_sec=0.05)

    wait(lambda: publisher.get_subscription_count() > 0, "nobody reads radar/points")
    wait(lambda: node.count_publishers("tracks") > 0, "nobody publishes tracks")
    reader = BagReader(bag, "radar/points", "sensor_msgs/msg/PointCloud2")
    for k, (_, data) in enumerate(reader.messages()):
        message = deserialize_message(data, PointCloud2)
        stamp = convert.stamp_ns(message)
        if k == 0:  # discovery is complete only when a message has gone all the way
            end = time.monotonic() + DEADLINE_S
            while stamp not in seen:
                if time.monotonic() > end:
                    sys.exit("no picture of the first scan")
                publisher.publish(message)
                rclpy.spin_once(node, timeout_sec=0.5)
        else:
            publisher.publish(message)
            wait(lambda s=stamp: s in seen, f"no picture of scan {k}")
    print(len(seen))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
