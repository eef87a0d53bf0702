# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""QoS and message classes of the graph table, as rclpy itself sees them on the wire."""

import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy

from aegis.graph.nodes import NODES
from aegis.ros.qos import message_class, qos_profile, qos_to_hear
from aegis.ros.topics import TOPICS


def test_topics_have_the_qos_of_the_table(ros_domain):
    context = rclpy.Context()
    rclpy.init(args=["test"], context=context)
    node = rclpy.create_node("probe", context=context)
    try:
        for topic in (t for t in TOPICS.values() if not t.optional):
            publisher = node.create_publisher(message_class(topic.type), topic.name, qos_profile(topic))
            (info,) = node.get_publishers_info_by_topic(publisher.topic_name)
            assert info.topic_type == topic.type
            assert info.qos_profile.reliability == (
                ReliabilityPolicy.RELIABLE if topic.reliable else ReliabilityPolicy.BEST_EFFORT
            )
            assert info.qos_profile.durability == (
                DurabilityPolicy.TRANSIENT_LOCAL if topic.latched else DurabilityPolicy.VOLATILE
            )
            assert qos_profile(topic).depth == topic.depth
    finally:
        node.destroy_node()
        rclpy.try_shutdown(context=context)


def test_services_of_the_table_exist():
    for node in NODES.values():
        for service in node.services:
            assert message_class(service.type).__name__ == service.type.split("/")[2]


@pytest.mark.parametrize("name", ["TrackArray", "aegis_msgs/TrackArray", "a/b/c/d", ""])
def test_a_name_of_another_form_is_refused(name):
    with pytest.raises(ValueError, match="package/msg/Name"):
        message_class(name)


def test_who_is_late_misses_no_event_of_several_nodes(ros_domain, wait_for):
    """A reader keeps so many messages of all writers together: more than one node's last hundred have room."""
    topic, nodes, each = TOPICS["events"], 6, 60
    kind = message_class(topic.type)
    context = rclpy.Context()
    rclpy.init(context=context)
    try:
        senders = [rclpy.create_node(f"sender_{k}", context=context) for k in range(nodes)]
        for k, sender in enumerate(senders):
            publisher = sender.create_publisher(kind, topic.name, qos_profile(topic))
            for i in range(each):
                publisher.publish(kind(stage=f"stage_{k}", sequence=i))
        late = rclpy.create_node("late", context=context)
        heard = set()
        subscription = late.create_subscription(
            kind, topic.name, lambda m: heard.add((m.stage, m.sequence)), qos_to_hear(topic)
        )
        wait_for(lambda: subscription.get_publisher_count() == nodes, "all are found, and nothing is taken meanwhile")
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(late)

        def is_whole() -> bool:
            executor.spin_once(timeout_sec=0.05)
            return len(heard) == nodes * each

        wait_for(is_whole, "what was sent before", 20)
        executor.shutdown()
    finally:
        rclpy.try_shutdown(context=context)
