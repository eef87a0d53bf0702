"""The platform's odometry."""

from __future__ import annotations

from nav_msgs.msg import Odometry

from aegis.core.odometry import PlatformState
from aegis.ros.messages.fields import finite_vector, stamp_of, unit_quaternion


def odometry_from_msg(m: Odometry) -> PlatformState:
    """Return the platform's state of a message; its twist is in the platform's own frame, as the message's definition says.

    Raises:
        ValueError: a number that is not finite, or a quaternion not of length 1.
    """
    return PlatformState(
        stamp_ns=stamp_of(m),
        position=finite_vector(m.pose.pose.position, "Odometry.pose.pose.position"),
        orientation=unit_quaternion(m.pose.pose.orientation, "Odometry.pose.pose.orientation"),
        velocity=finite_vector(m.twist.twist.linear, "Odometry.twist.twist.linear"),
        turn_rate=finite_vector(m.twist.twist.angular, "Odometry.twist.twist.angular"),
    )
