# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A bridge whose map has a place on Earth, and outputs that run as in the bridge."""

import asyncio
import socket
import threading
import time
from contextlib import contextmanager

import pytest
import uvloop
from bridge_data import some_threats, some_tracks
from placed_data import SITE, threats_frame, tracks_frame
from settings_of import settings_of

from aegis.bridge.live.frames import Frame
from aegis.bridge.outputs.outputs import Outputs
from aegis.bridge.outputs.settings import OutputSettings
from aegis.core.types import Threats, Tracks


@pytest.fixture
def site():
    return SITE


@pytest.fixture
def placed_app(open_app):
    """The application, its map placed; nothing has come yet."""
    return open_app(site=SITE)


@pytest.fixture
def hear(placed_app):
    """Return a function that lets the application hear tracks and threats."""

    def heard(sequence=7, n=2, age_s=0.5, tracks=None, threats=None):
        stamp_ns = time.time_ns() - round(age_s * 1e9)
        placed_app.bridge.queue.deliver(
            Frame[Tracks], tracks_frame(tracks or some_tracks(sequence, stamp_ns, n), age_s)
        )
        placed_app.bridge.queue.deliver(
            Frame[Threats], threats_frame(threats or some_threats(sequence, stamp_ns), age_s)
        )

    return heard


class Running:
    """Outputs on an event loop of their own."""

    def __init__(self, wait_for, settings, namespace, run_id):
        self._wait_for = wait_for
        self._arguments, self._names = (settings,), {"namespace": namespace, "run_id": run_id}
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: uvloop.run(self._run()), daemon=True)
        self._thread.start()
        assert self._started.wait(10)

    async def _run(self):
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        async with Outputs.open(*self._arguments, **self._names) as self.outputs:
            self._started.set()
            await self._end.wait()

    def hear(self, tracks, threats=None):
        """Take tracks, and what is assessed of them; return when the outputs know."""

        async def take():
            if threats is not None:
                self.outputs.feed.take_threats(threats_frame(threats))
            self.outputs.feed.take_tracks(tracks_frame(tracks))

        asyncio.run_coroutine_threadsafe(take(), self._loop).result(10)

    def wait_connected(self, name):
        """Wait until an output's line is open."""
        self._wait_for(lambda: self.count(f"{name}_connected"), f"{name} is connected")

    def wait_count(self, name, count):
        """Wait until a counter has reached a number, and no more."""
        self._wait_for(lambda: self.count(name) >= count, f"{name} is {count}")
        assert self.count(name) == count

    def count(self, name):
        return self.outputs.counts()[name]

    def stop(self):
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)
        assert not self._thread.is_alive(), "the outputs did not stop"


@pytest.fixture
def run_outputs(site, wait_for):
    """Return a function that runs outputs with the given settings, at the site."""
    started = []

    def run(namespace="radar_1", run_id="run", **settings):
        started.append(Running(wait_for, settings_of(OutputSettings, site=site, **settings), namespace, run_id))
        return started[-1]

    yield run
    for one in started:
        one.stop()


@contextmanager
def _udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        one.bind(("127.0.0.1", 0))
        one.settimeout(10)
        yield one, f"127.0.0.1:{one.getsockname()[1]}"


@pytest.fixture
def udp():
    """A socket that datagrams can be sent to, and its address."""
    with _udp() as one:
        yield one


@pytest.fixture
def other_udp():
    """Another one."""
    with _udp() as one:
        yield one
