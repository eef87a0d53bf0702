# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""docs/scan.md, held against a TrackArray that goes from the ROS callback to a client's connection, followed by a profiler."""

import asyncio
import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from bridge_data import some_tracks, until
from uvicorn import Server
from websockets.sync.client import connect

import aegis
from aegis.bridge.app import create_app
from aegis.bridge.bridge import Bridge
from aegis.bridge.live.frames import Frame, RadarFrame
from aegis.bridge.main import server_config
from aegis.bridge.settings import BridgeSettings
from aegis.core.types import Tracks
from aegis.graph.nodes import nodes_beside_bridge
from aegis.ros.stages.base import StageContext

REPOSITORY = Path(__file__).parents[2]
PACKAGE = Path(aegis.__file__).parent  # what runs: `src`, or an installed copy
PAGE = (REPOSITORY / "docs" / "scan.md").read_text()
MOST_STATIONS = 8

# Where a TrackArray becomes something else or is handed on: the files on the call stack there are its way.
TURNS = {
    ("ros/messages/columns.py", "from_msg"),  # a message becomes arrays
    ("bridge/live/columns.py", "rows"),  # arrays become objects
    ("bridge/live/encoded.py", "all_json"),  # objects become bytes
    ("bridge/live/loop_queue.py", "put"),  # from thread to thread
    ("bridge/stream/client.py", "write"),  # bytes leave
}


class Trace:
    """A profiler: the files of the package that run while a TrackArray is in hand."""

    def __init__(self) -> None:
        self.on = False
        self.turns: set[tuple[str, str]] = set()
        self.way: set[str] = set()
        self.ran: set[str] = set()

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> None:
        if not self.on or event != "call" or not (file := file_of(frame)):
            return
        files = list(stack(frame))
        if not files:
            return
        self.ran.add(file)
        turn = (file, frame.f_code.co_name)
        if turn in TURNS:
            self.turns.add(turn)
            self.way.update(files)


def file_of(frame: FrameType) -> str:
    """Return the file of a function below src/aegis; empty where it is another's."""
    path = Path(frame.f_code.co_filename)
    return str(path.relative_to(PACKAGE)) if path.is_relative_to(PACKAGE) else ""


def stack(frame: FrameType | None) -> Iterator[str]:
    """Yield our files up to the callback that has a TrackArray in hand; nothing where it has something else."""
    files = []
    while frame is not None:
        files += filter(None, [file_of(frame)])
        name, inside = frame.f_code.co_name, frame.f_locals
        if name == "_on_message" and files[-1] == "ros/host.py":
            # Above it is only what rclpy calls, in the same file.
            return iter(files) if inside["topic"].name == "tracks" else iter(())
        if name == "deliver" and files[-1] == "bridge/live/loop_queue.py":
            return iter(files) if inside["kind"] in (Frame[Tracks], RadarFrame) else iter(())
        frame = frame.f_back
    return iter(())


def listed(heading: str, before: str = "") -> list[str]:
    """Return the files of the package that a section of the page names after an expression, in its order."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    found = re.findall(rf"{before}`((?:[a-z_0-9]+/)*[a-z_0-9]+\.py)`", section)
    assert found, heading
    return [name for name in found if not name.startswith("tests/")]


@pytest.fixture
def trace() -> Iterator[Trace]:
    """A profiler of all threads that are started from now on."""
    one = Trace()
    threading.setprofile(one)
    yield one
    one.on = False
    threading.setprofile(None)


@pytest.fixture
def served(trace: Trace, ros_domain, tmp_path: Path, wait_for) -> Iterator[tuple[int, str]]:
    """A bridge on the graph, served in a thread of this process; its port, and an access token."""
    settings = BridgeSettings.load({"port": 0})
    started: list[tuple[Bridge, Server]] = []
    tmp_path.joinpath("state").mkdir(exist_ok=True)

    async def run() -> None:
        context = StageContext(state_dir=tmp_path / "state", live=True)
        async with Bridge.open(settings, nodes_beside_bridge(), context, bytes(range(64))) as bridge:
            config = server_config(settings, create_app(bridge))
            config.port = 0
            server = Server(config)
            started.append((bridge, server))
            await server.serve()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    wait_for(lambda: started and started[0][1].started, "the bridge is served")
    ((bridge, server),) = started
    token = bridge.tokens.issue(bridge.accounts.add("eve", "a good long password", "viewer"), "session")
    yield server.servers[0].sockets[0].getsockname()[1], token
    server.should_exit = True
    thread.join(20)


def test_the_way_of_a_track_array_is_the_one_of_the_page(served, trace, publisher, wait_for):
    port, token = served
    wait_for(publisher.matched, "the bridge listens")
    with connect(f"ws://127.0.0.1:{port}/ws/radar-stream") as client:
        client.send(json.dumps({"type": "auth", "token": token}))
        until(client, "auth_ok")
        trace.on = True
        publisher.send(some_tracks(1, time.time_ns()))
        assert until(client, "radar_frame")["tracks"]
        trace.on = False
    assert trace.turns == TURNS
    stations = listed("In the bridge", before=r"\n[0-9]\. ")
    assert set(stations) == trace.way
    assert len(stations) <= MOST_STATIONS
    assert set(listed("What they use, and what else gets the tracks")) == trace.ran - trace.way


def test_every_file_that_the_page_names_is_there():
    named = re.findall(r"`((?:[a-z_0-9]+/)+[a-z_0-9]+\.(?:py|ts|msg|html))`", PAGE)
    assert len(named) > 30
    assert [name for name in named if not any((root / name).is_file() for root in (PACKAGE, REPOSITORY))] == []
