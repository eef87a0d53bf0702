# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The thread beside uvicorn: it ends when told to, and says so when it ends by itself."""

import asyncio
import threading
from pathlib import Path

import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor

from aegis.bridge.live.loop_queue import LoopQueue
from aegis.bridge.live.state import LiveState
from aegis.bridge.ros_node import LoopSide, RosLink
from aegis.bridge.settings import BridgeSettings
from aegis.bridge.stream.hub import Hub
from aegis.core.threat.drawn_zones import DrawnZone, drawn_zone
from aegis.graph.nodes import nodes_beside_bridge
from aegis.ros.messages.zones import zones_from_msg
from aegis.ros.qos import message_class, qos_profile
from aegis.ros.stages.base import StageContext
from aegis.ros.topics import TOPICS


@pytest.fixture
def drawn() -> list[DrawnZone]:
    """The zones that people have drawn."""
    return [drawn_zone("pen", [(0.0, 0.0), (9.0, 0.0), (9.0, 5.0)], {"ceiling_m": 50.0}, {"when": "stay"}, 3)]


@pytest.fixture
def link(ros_domain, tmp_path: Path, drawn):
    died = threading.Event()
    loop = asyncio.new_event_loop()
    settings = BridgeSettings.load({})
    context = StageContext("run", 0, tmp_path, True)
    side = LoopSide(LoopQueue(loop, 16), LiveState(), Hub(settings.stream), {}, dict, lambda: drawn)
    made = RosLink(settings, nodes_beside_bridge(), context, side, died.set)
    made.start()
    yield made, died
    made.stop()
    loop.close()


def ros_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "ros"]


def test_stop_joins_the_thread(link):
    made, died = link
    assert len(ros_threads()) == 1
    made.stop()
    assert ros_threads() == []
    assert not died.is_set()


def test_a_thread_that_ends_by_itself_is_reported(link, caplog):
    made, died = link
    rclpy.shutdown(context=made._ros)
    assert died.wait(10)
    assert "hears nothing any more" in caplog.text


def test_who_comes_late_hears_the_drawn_zones_and_then_each_change(link, drawn, wait_for):
    made, _ = link
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node("late", context=context)
    topic, heard = TOPICS["zones"], []
    node.create_subscription(message_class(topic.type), "zones", heard.append, qos_profile(topic))
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    try:
        wait_for(lambda: len(heard) == 1, "what was drawn before")
        assert zones_from_msg(heard[0]) == (drawn, {})
        drawn.clear()
        made.publish_zones()
        wait_for(lambda: len(heard) == 2, "the change")
        assert zones_from_msg(heard[1]) == ([], {})
    finally:
        executor.shutdown()
        thread.join(5)
        node.destroy_node()
        rclpy.try_shutdown(context=context)
