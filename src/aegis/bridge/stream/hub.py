"""The live stream's clients: every message encoded once, a short queue each, and no client waits for another."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Any

import orjson
from fastapi import WebSocket

from aegis.bridge.accounts.scopes import Scope
from aegis.bridge.accounts.tokens import Principal
from aegis.bridge.settings import BridgeSettings
from aegis.bridge.stream.ws_protocol import CUT

_log = logging.getLogger(__name__)

RADAR_FRAME, THREATS, SYSTEM_STATUS, HEARTBEAT = "radar_frame", "threats", "system_status", "heartbeat"
# The scope that a channel needs; None is open to everyone who is logged in.
CHANNELS: dict[str, Scope | None] = {
    RADAR_FRAME: Scope.RADAR_READ,
    THREATS: Scope.THREATS_READ,
    SYSTEM_STATUS: None,
    HEARTBEAT: None,
}
STATUS_PERIOD_S = 1.0
_TICK_S = 0.25

Body = Callable[[], dict[str, Any]]


class Client:
    """One WebSocket that has authenticated."""

    def __init__(self, websocket: WebSocket, principal: Principal, queue_length: int) -> None:
        self.principal = principal
        self.channels = self.allowed
        self.sent = 0
        self.dropped = 0
        self._websocket = websocket
        self._queue_length = queue_length
        self._queue: deque[str] = deque()
        self._filled = asyncio.Event()
        self._sending_since: float | None = None

    @property
    def allowed(self) -> frozenset[str]:
        """The channels that the token is good for."""
        return frozenset(name for name, scope in CHANNELS.items() if scope is None or scope in self.principal.scopes)

    @property
    def queued(self) -> int:
        """Messages that wait to be sent."""
        return len(self._queue)

    def offer(self, text: str) -> bool:
        """Queue a message; return False when the oldest one had to make room for it."""
        fits = len(self._queue) < self._queue_length
        if not fits:
            self._queue.popleft()
            self.dropped += 1
        self._queue.append(text)
        self._filled.set()
        return fits

    async def send_all(self) -> None:
        """Send what is queued, until cancelled or disconnected."""
        while True:
            await self._filled.wait()
            while self._queue:
                self._sending_since = time.monotonic()
                await self._websocket.send_text(self._queue.popleft())
                self.sent += 1
            self._sending_since = None
            self._filled.clear()

    def stalled_s(self, now: float) -> float:
        """Return for how long the client has not taken what is being sent to it [s]."""
        return 0.0 if self._sending_since is None else now - self._sending_since

    def cut(self) -> None:
        """Cut the connection of a client that does not read."""
        self._websocket.scope["extensions"][CUT]()

    def describe(self) -> dict[str, Any]:
        """Return what the client may know about itself."""
        return {
            "username": self.principal.name,
            "channels": sorted(self.channels),
            "sent": self.sent,
            "dropped": self.dropped,
            "expires_in_s": round(self.principal.expires_at - time.time(), 1),
        }


class Hub:
    """Gives every message to every client that subscribes to its channel."""

    def __init__(self, settings: BridgeSettings) -> None:
        self._settings = settings
        self._clients: set[Client] = set()
        self._last: dict[str, Body] = {}
        self.frames: Counter[str] = Counter()  # messages by channel, whether or not somebody listened
        self.dropped = 0
        self.evicted = 0
        self.errors = 0

    def __len__(self) -> int:
        return len(self._clients)

    @property
    def full(self) -> bool:
        """Whether no more clients are taken."""
        return len(self._clients) >= self._settings.ws_max_clients

    @property
    def queued(self) -> int:
        """Messages that wait for their clients."""
        return sum(client.queued for client in self._clients)

    def add(self, client: Client) -> None:
        """Take a client, and give it the picture as it is now."""
        self._clients.add(client)
        for channel, body in self._last.items():
            if channel in client.channels:
                client.offer(self._encode(channel, body))

    def remove(self, client: Client) -> None:
        """Let a client go."""
        self._clients.discard(client)

    def publish(self, channel: str, body: Body, *, keep: bool = False) -> None:
        """Number a message and give it to all who listen.

        Args:
            channel: one of `CHANNELS`.
            body: makes the message's content; called only when somebody listens.
            keep: whoever comes later gets it too, with the age it then has.
        """
        self.frames[channel] += 1
        if keep:
            self._last[channel] = body
        listeners = [client for client in self._clients if channel in client.channels]
        if listeners:
            text = self._encode(channel, body)
            self.dropped += sum(not client.offer(text) for client in listeners)

    def evict_stalled(self) -> None:
        """Cut off clients that have read nothing for too long."""
        now = time.monotonic()
        for client in self._stalled(now):
            self.evicted += 1
            _log.warning("WebSocket client of '%s' reads nothing: cut off", client.principal.name)
            self.remove(client)
            client.cut()

    async def run(self, status: Body) -> None:
        """Send status and heartbeats and look for stalled clients, until cancelled."""
        status_at = beat_at = time.monotonic()
        while True:
            await asyncio.sleep(_TICK_S)
            now = time.monotonic()
            try:
                self.evict_stalled()
                if now >= status_at:
                    status_at = now + STATUS_PERIOD_S
                    self.publish(SYSTEM_STATUS, status)
                if now >= beat_at:
                    beat_at = now + self._settings.heartbeat_s
                    self.publish(HEARTBEAT, lambda: {"time_s": time.time()})
            except Exception:  # noqa: BLE001 - one bad tick must not end the housekeeping
                self.errors += 1
                _log.exception("the stream's housekeeping failed once")

    def _stalled(self, now: float) -> Iterable[Client]:
        return [client for client in self._clients if client.stalled_s(now) > self._settings.ws_eviction_s]

    def _encode(self, channel: str, body: Body) -> str:
        return orjson.dumps({"type": channel, "frame": self.frames[channel], **body()}).decode()
