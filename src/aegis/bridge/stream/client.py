# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A client of the live stream: its queue of frames, and what was dropped because it did not read."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

from aegis.bridge.accounts.tokens import Principal
from aegis.bridge.stream.channels import FIRST_TO_LAST, RADAR_FRAME, allowed_channels
from aegis.bridge.stream.subscription import Subscription

MAX_ANSWERS = 32  # a client that asks so often without reading is cut


class Client(ABC):
    """A client of the hub. Frames wait in short queues, one a channel; of a full one the oldest is dropped, and counted.

    Pictures go last: what is urgent overtakes them.
    """

    def __init__(self, principal: Principal, subscription: Subscription, queue_length: int) -> None:
        self.principal = principal
        self.subscription = subscription
        self.sent = 0
        self.dropped = 0
        self._queue_length = queue_length
        self._frames: dict[str, deque[bytes]] = {channel: deque() for channel in FIRST_TO_LAST}

    @property
    def allowed(self) -> frozenset[str]:
        """The channels that the token is good for."""
        return allowed_channels(self.principal.scopes)

    @property
    def queued(self) -> int:
        """How many frames wait."""
        return sum(map(len, self._frames.values()))

    def is_full(self, channel: str) -> bool:
        """Whether the next frame of a channel costs its oldest one."""
        return len(self._frames[channel]) >= self._queue_length

    def offer(self, channel: str, frame: bytes) -> bool:
        """Queue a frame; return False when the oldest one of its channel was dropped for it."""
        frames = self._frames[channel]
        fits = not self.is_full(channel)
        if not fits:
            frames.popleft()
            self.dropped += 1
        frames.append(frame)
        return fits

    def next_frame(self) -> bytes | None:
        """Take the most urgent frame that waits."""
        for frames in self._frames.values():
            if frames:
                return frames.popleft()
        return None

    def forget_queued(self) -> None:
        """Drop what waits, uncounted: it belongs to a subscription that the client has replaced."""
        for frames in self._frames.values():
            frames.clear()

    def begin_pictures(self, frame: bytes) -> int:
        """Give a picture that needs none before it, in place of those that wait; return how many were dropped for it."""
        waiting = len(self._frames[RADAR_FRAME])
        self._frames[RADAR_FRAME].clear()
        self.dropped += waiting
        self.offer(RADAR_FRAME, frame)
        return waiting

    @abstractmethod
    def stalled_s(self, now: float) -> float:
        """Return for how long the client has taken nothing of what is ready for it [s], by time.monotonic()."""

    @abstractmethod
    def cut(self) -> None:
        """End the connection of a client that does not read, or may not listen any more."""

    def describe(self) -> dict[str, Any]:
        """Return what the client may know about itself."""
        return {
            "username": self.principal.name,
            "allowed": sorted(self.allowed),
            **self.subscription.describe(),
            "sent": self.sent,
            "dropped": self.dropped,
            "expires_in_s": round(self.principal.expires_at - time.time(), 1),
        }


class Wire:
    """The way to one client, below ASGI."""

    def __init__(self, protocol: WebSocketsSansIOProtocol) -> None:
        self._protocol = protocol
        self._when_writable: Callable[[], None] | None = None
        self.writable = True  # whether everything written so far has left for the kernel

    def when_writable(self, go_on: Callable[[], None]) -> None:
        """Have `go_on` called whenever what was written has left."""
        self._when_writable = go_on

    def is_full(self) -> None:
        """Write no more for now; called by the connection."""
        self.writable = False

    def is_writable_again(self) -> None:
        """Go on; called by the connection."""
        self.writable = True
        if self._when_writable is not None:
            self._when_writable()

    @property
    def open(self) -> bool:
        """Whether frames may be sent."""
        p = self._protocol
        return p.conn.state is State.OPEN and not p.close_sent and not p.transport.is_closing()

    def write(self, frame: bytes) -> None:
        """Send a frame of `data_frame`; only where open."""
        self._protocol.transport.write(frame)

    def cut(self) -> None:
        """Reset the connection: a close, like everything else, would wait behind what the client does not read."""
        transport = self._protocol.transport
        connection = transport.get_extra_info("socket")
        # Without lingering the kernel forgets what it still holds for the client, and frees it.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


class WebSocketClient(Client):
    """A WebSocket: frames go straight to its connection while that takes them."""

    def __init__(self, wire: Wire, principal: Principal, subscription: Subscription, queue_length: int) -> None:
        super().__init__(principal, subscription, queue_length)
        self._wire = wire
        self._answers: deque[bytes] = deque()
        self._full_since: float | None = None
        wire.when_writable(self._flush)

    def offer(self, channel: str, frame: bytes) -> bool:
        """Send a frame, or queue it where the connection takes none now."""
        if self._full_since is None and self._wire.writable:
            self._send(frame)
            return True
        return super().offer(channel, frame)

    def answer(self, frame: bytes) -> None:
        """Send what a command is answered with, before what is queued; it is never dropped."""
        if self._full_since is None and self._wire.writable:
            self._send(frame)
        elif len(self._answers) < MAX_ANSWERS:
            self._answers.append(frame)
        else:
            self.cut()

    def stalled_s(self, now: float) -> float:
        """Return for how long the connection has taken nothing."""
        return 0.0 if self._full_since is None else now - self._full_since

    def cut(self) -> None:
        """Reset the connection."""
        self._wire.cut()

    def _send(self, frame: bytes) -> None:
        if not self._wire.open:
            return  # it is closing; its handler notices
        self._wire.write(frame)
        self.sent += 1
        if not self._wire.writable:
            self._full_since = time.monotonic()

    def _flush(self) -> None:
        """Go on where the connection takes frames again."""
        self._full_since = None
        while self._full_since is None:
            frame = self._answers.popleft() if self._answers else self.next_frame()
            if frame is None:
                return
            self._send(frame)


class EventStreamClient(Client):
    """A server-sent event stream: the response's task takes frames as the connection takes them."""

    def __init__(self, principal: Principal, subscription: Subscription, queue_length: int) -> None:
        super().__init__(principal, subscription, queue_length)
        self._filled = asyncio.Event()
        self._taken_at: float | None = None
        self._ended = False

    def offer(self, channel: str, frame: bytes) -> bool:
        """Queue a frame."""
        self._filled.set()
        return super().offer(channel, frame)

    async def take(self, timeout_s: float) -> bytes | None:
        """Return the next frame; None when the stream is to end, or none has come in this time."""
        self._taken_at = None
        try:
            async with asyncio.timeout(timeout_s):
                while not self.queued and not self._ended:
                    self._filled.clear()
                    await self._filled.wait()
        except TimeoutError:
            return None
        if self._ended:
            return None
        self._taken_at = time.monotonic()
        self.sent += 1
        return self.next_frame()

    def stalled_s(self, now: float) -> float:
        """Return for how long the connection has not taken the last frame."""
        return 0.0 if self._taken_at is None else now - self._taken_at

    def cut(self) -> None:
        """End the stream with what waits unsent."""
        self._ended = True
        self._filled.set()
