"""How a live node takes messages: several events at one waking, in order, and no more than the others can wait for."""

import pytest
import rclpy
from event_messages import event_message
from rclpy.executors import SingleThreadedExecutor

from aegis.core.params import Settings
from aegis.ros.host import AT_ONCE, StageHost
from aegis.ros.qos import message_class, qos_profile
from aegis.ros.stages.base import Stage, StageContext
from aegis.ros.topics import TOPICS


class Listener(Stage):
    name = "listener"
    settings_type = Settings

    def __init__(self) -> None:
        super().__init__(Settings(), StageContext("run", 0, None, True))
        self.heard = []

    def on_message(self, topic, message):
        if message.stage == "sender":
            self.heard.append(message.sequence)
        return ()


@pytest.fixture
def node(ros_domain):
    context = rclpy.Context()
    rclpy.init(args=["test"], context=context)
    one = rclpy.create_node("listener", context=context)
    yield one
    one.destroy_node()
    rclpy.try_shutdown(context=context)


def test_events_are_taken_several_at_a_time_in_order(node, wait_for):
    stage = Listener()
    StageHost(node, stage, subscribes=["events"])
    publisher = node.create_publisher(message_class(TOPICS["events"].type), "events", qos_profile(TOPICS["events"]))
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    wait_for(lambda: publisher.get_subscription_count() > 0, "the listener is there")
    for sequence in range(1, 91):
        publisher.publish(event_message("TRACKING_UPDATED", stage="sender", sequence=sequence))
    wakings = 0
    while len(stage.heard) < 90:
        before = len(stage.heard)
        executor.spin_once(timeout_sec=5)
        assert len(stage.heard) - before <= AT_ONCE
        wakings += len(stage.heard) > before
    assert stage.heard == list(range(1, 91))
    assert wakings < 45
    assert stage.counters.received == 90
    executor.shutdown()
