"""The thread beside uvicorn: it ends when told to, and says so when it ends by itself."""

import asyncio
import threading
from pathlib import Path

import pytest
import rclpy

from aegis.bridge.live.loop_queue import LoopQueue
from aegis.bridge.live.state import LiveState
from aegis.bridge.ros_node import LoopSide, RosLink
from aegis.bridge.settings import BridgeSettings
from aegis.bridge.stream.hub import Hub
from aegis.graph.nodes import nodes_beside_bridge
from aegis.ros.stages.base import StageContext


@pytest.fixture
def link(ros_domain, tmp_path: Path):
    died = threading.Event()
    loop = asyncio.new_event_loop()
    settings = BridgeSettings.load({})
    context = StageContext("run", 0, tmp_path, True)
    side = LoopSide(LoopQueue(loop, 16), LiveState(), Hub(settings.stream), {}, dict)
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
