"""QoS and message classes of the graph table, as rclpy itself sees them on the wire."""

import pytest
import rclpy
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy

from aegis.graph.nodes import NODES
from aegis.ros.qos import message_class, qos_profile
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
