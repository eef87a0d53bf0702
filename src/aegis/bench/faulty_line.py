# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A line between two ends of TCP that is slow, far, lossy or cut: a proxy on this machine.

A lost segment is what its receiver sees of it: it comes a round trip later (fast retransmit), or after the least retransmission
timeout where nothing follows that could tell of it (RFC 6298, RFC 5681), all behind it waits, and it
takes its time on the line twice.
Cut, the line carries nothing, and the connections stay, as when a radio link fades: nobody is told.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TypeVar

SEGMENT_BYTES = 1448
_RTO_S = 0.2
_TELLS_OF_LOSS = 3  # segments behind a lost one
_BUFFER_SEGMENTS = 32  # in each direction, of a small router
_JOIN_S = 5.0
T = TypeVar("T")


@dataclass(frozen=True)
class Quality:
    """How a line is."""

    kbit_s: float = 0.0  # in each direction; 0: without bound
    delay_s: float = 0.0  # one way
    loss: float = 0.0  # of segments


class FaultyLine:
    """Listens on a port of loopback and passes on to another, in a thread of its own, until closed."""

    def __init__(self, to_port: int, quality: Quality, seed: int = 1) -> None:
        """Begin.

        Args:
            to_port: where to pass on to.
            quality: of the line.
            seed: of the losses.
        """
        self._to_port, self._quality = to_port, quality
        self._random = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._whole = asyncio.Event()
        self._whole.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.bytes = 0  # carried, both ways
        self._thread = threading.Thread(target=self._loop.run_forever, name="faulty line", daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._connected, "127.0.0.1", 0), self._loop
        ).result(_JOIN_S)
        self.port: int = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Carry nothing any more; return when that is so."""
        self._in_loop(self._whole.clear)

    def mend(self) -> None:
        """Carry again."""
        self._in_loop(self._whole.set)

    def drop_connections(self) -> None:
        """End all connections, as a process that was killed ends its own."""
        self._in_loop(self._abort)

    def close(self) -> None:
        """End it."""
        self._in_loop(self._server.close)
        self.drop_connections()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_JOIN_S)

    def _abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    def _in_loop(self, call: Callable[[], T]) -> T:
        async def called() -> T:
            return call()

        return asyncio.run_coroutine_threadsafe(called(), self._loop).result(_JOIN_S)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._whole.wait()
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, far_writer}
        ways = ((reader, far_writer), (far_reader, writer))
        tasks = [self._loop.create_task(one) for way in ways for one in self._one_way(*way)]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        for end in (writer, far_writer):
            self._writers.discard(end)
            end.close()

    def _one_way(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[Coroutine[object, None, None], ...]:
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_BUFFER_SEGMENTS)
        return self._read(reader, queue), self._write(writer, queue)

    async def _read(self, reader: asyncio.StreamReader, queue: asyncio.Queue[tuple[float, bytes]]) -> None:
        """Put segments on the line, no faster than it takes them."""
        free_s = 0.0  # when the line has taken all before
        per_byte_s = 8e-3 / self._quality.kbit_s if self._quality.kbit_s else 0.0
        while data := await reader.read(SEGMENT_BYTES):
            await self._whole.wait()
            lost = self._random.random() < self._quality.loss
            begin_s = max(self._loop.time(), free_s)
            free_s = begin_s + len(data) * per_byte_s * (1 + lost)
            late_s = 0.0
            if lost:
                late_s = 2.0 * self._quality.delay_s if queue.qsize() >= _TELLS_OF_LOSS else _RTO_S
            await queue.put((free_s + self._quality.delay_s + late_s, data))
            if free_s > self._loop.time() + _BUFFER_SEGMENTS * SEGMENT_BYTES * per_byte_s:
                await asyncio.sleep(free_s - self._loop.time() - _BUFFER_SEGMENTS * SEGMENT_BYTES * per_byte_s)

    async def _write(self, writer: asyncio.StreamWriter, queue: asyncio.Queue[tuple[float, bytes]]) -> None:
        while True:
            due_s, data = await queue.get()
            await asyncio.sleep(max(0.0, due_s - self._loop.time()))
            await self._whole.wait()
            writer.write(data)
            self.bytes += len(data)
            await writer.drain()
