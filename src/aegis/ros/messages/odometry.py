# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The platform's odometry."""

from __future__ import annotations

from nav_msgs.msg import Odometry

from aegis.core.odometry import PlatformState
from aegis.ros.messages.columns import read_from_msg
from aegis.ros.messages.fields import finite_vector, make_header, stamp_of, unit_quaternion


@read_from_msg
def odometry_from_msg(m: Odometry) -> PlatformState:
    """Return the platform's state of a message; its twist is in the platform's own frame, as the message's definition says.

    Raises:
        MalformedError: a number that is not finite, or a quaternion not of length 1.
    """
    return PlatformState(
        stamp_ns=stamp_of(m),
        position=finite_vector(m.pose.pose.position, "Odometry.pose.pose.position"),
        orientation=unit_quaternion(m.pose.pose.orientation, "Odometry.pose.pose.orientation"),
        velocity=finite_vector(m.twist.twist.linear, "Odometry.twist.twist.linear"),
        turn_rate=finite_vector(m.twist.twist.angular, "Odometry.twist.twist.angular"),
    )


def odometry_to_msg(east_m: float, north_m: float, east_mps: float, north_mps: float, stamp_ns: int) -> Odometry:
    """Return the message of a ship's place and motion over ground, in `map`.

    It is not turned: the clouds of the node `video` are turned north already, by the heading at each spoke.
    """
    m = Odometry()
    m.header = make_header(stamp_ns, "map")
    m.child_frame_id = "platform"
    m.pose.pose.position.x, m.pose.pose.position.y = float(east_m), float(north_m)
    m.pose.pose.orientation.w = 1.0
    m.twist.twist.linear.x, m.twist.twist.linear.y = float(east_mps), float(north_mps)
    return m
