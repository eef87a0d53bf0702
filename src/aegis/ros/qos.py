# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""From the graph table's words to what rclpy wants: QoS profiles and message classes."""

from __future__ import annotations

from importlib import import_module

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from aegis.ros.topics import Topic

MANY = 100  # a topic of this depth is one of many small messages
WRITERS = 20  # that may have such a topic


def qos_profile(topic: Topic) -> QoSProfile:
    """Return the QoS of a topic of the graph table."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=topic.depth,
        reliability=ReliabilityPolicy.RELIABLE if topic.reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if topic.latched else DurabilityPolicy.VOLATILE,
    )


def qos_to_hear(topic: Topic) -> QoSProfile:
    """Return the QoS of a subscription: as of the topic, but where many nodes publish at once, with room for what all of them keep.

    A reader's depth is for all writers together: what several nodes send again to one that has just found them pushes out what
    was not taken yet.
    """
    qos = qos_profile(topic)
    if topic.depth >= MANY:
        qos.depth = topic.depth * WRITERS
    return qos


def message_class(type_name: str) -> type:
    """Return the class of an interface, `aegis_msgs/msg/TrackArray` or `aegis_msgs/srv/Scan`.

    Raises:
        ValueError: the name has not three parts.
        ModuleNotFoundError: the package is not built on this machine.
    """
    parts = type_name.split("/")
    if len(parts) != 3:
        raise ValueError(f"interface '{type_name}': package/msg/Name or package/srv/Name is expected")
    package, kind, name = parts
    found: type = getattr(import_module(f"{package}.{kind}"), name)
    return found
