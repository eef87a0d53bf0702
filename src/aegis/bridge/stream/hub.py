# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The live stream's clients: every message is encoded once for all equal subscriptions, and no client waits for another."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Collection

from aegis.bridge.live.encoded import Body, json_bytes, msgpack_bytes
from aegis.bridge.live.frames import EwFrame, Frame, RadarFrame
from aegis.bridge.stream import bodies
from aegis.bridge.stream.channels import ALARMS, EW, HEARTBEAT, PROTECTED, RADAR_FRAME, SYSTEM_STATUS, THREATS, VIDEO
from aegis.bridge.stream.client import Client
from aegis.bridge.stream.delta import DeltaEncoder, RadarBody
from aegis.bridge.stream.settings import StreamSettings
from aegis.bridge.stream.subscription import Filter, Format, Subscription
from aegis.bridge.stream.sweep import PlacedSector, VideoBody
from aegis.bridge.stream.ws_protocol import Opcode, data_frame
from aegis.core.sensor import SensorPoses
from aegis.core.threat.areas import ProtectedArea
from aegis.core.types import Advice, Alarm, Detections, Signal, Threats, Tracks

_log = logging.getLogger(__name__)

STATUS_PERIOD_S = 1.0
_TICK_S = 0.25

MakeBody = Callable[[Filter], Body]  # makes a message's content for those who want only some objects


def wire_bytes(message: Body, form: Format) -> bytes:
    """Return a message as it goes over the connection: a WebSocket frame, or a server-sent event."""
    if form is Format.MSGPACK:
        return data_frame(Opcode.BINARY, msgpack_bytes(message))
    text = json_bytes(message)
    if form is not Format.SSE:
        return data_frame(Opcode.TEXT, text)
    # The data is one line: JSON writes line ends inside of strings as \n.
    return b"event: %s\nid: %s\ndata: %s\n\n" % (str(message["type"]).encode(), str(message["frame"]).encode(), text)


class _Group:
    """Clients with equal subscriptions, and which messages are due to them."""

    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription
        self.clients: set[Client] = set()
        self.frames: Counter[str] = Counter()
        self.pictures = DeltaEncoder() if subscription.format is Format.DELTA else None
        self._due_at: dict[str, float] = {}

    def due(self, channel: str, now: float) -> bool:
        """Return whether a message of a channel is to be sent now, and count it if so."""
        rate_hz = self.subscription.rate_hz
        if rate_hz > 0.0:
            due_at = self._due_at.get(channel, now)
            if now < due_at:
                return False
            # On a grid, so that messages at 10 Hz give 4 a second at a rate of 4, and not 3.3.
            self._due_at[channel] = due_at + 1.0 / rate_hz if now < due_at + 1.0 / rate_hz else now + 1.0 / rate_hz
        self.frames[channel] += 1
        return True


class Hub:
    """Gives every message to every client that subscribes to its channel."""

    def __init__(self, settings: StreamSettings) -> None:
        self._settings = settings
        self._groups: dict[Subscription, _Group] = {}
        self._clients: set[Client] = set()
        self._last: dict[str, MakeBody] = {}
        self.frames: Counter[str] = Counter()  # messages by channel, with or without clients
        self.dropped = 0
        self.evicted = 0
        self.errors = 0

    def __len__(self) -> int:
        return len(self._clients)

    @property
    def full(self) -> bool:
        """Whether no more clients are taken."""
        return len(self._clients) >= self._settings.max_clients

    @property
    def queued(self) -> int:
        """How many frames wait, over all clients."""
        return sum(client.queued for client in tuple(self._clients))

    def add(self, client: Client) -> None:
        """Add a client."""
        self._clients.add(client)
        self._join(client)

    def change(self, client: Client, subscription: Subscription) -> None:
        """Give a client another subscription; what waits for it under the old one is dropped."""
        self._leave(client)
        client.forget_queued()
        client.subscription = subscription
        if client in self._clients:
            self._join(client)

    def greet(self, client: Client) -> None:
        """Give a client the picture as it is now, with its age."""
        group = self._groups[client.subscription]
        for channel, body in self._last.items():
            if channel in client.subscription.channels:
                self._greet(client, channel, body, group)

    def give_full(self, client: Client) -> None:
        """Give a client the picture as it is now, whole, in place of what waits of it."""
        channel, group = RADAR_FRAME, self._groups[client.subscription]
        if channel in client.subscription.channels and channel in self._last:
            self._greet(client, channel, self._last[channel], group)

    def _greet(self, client: Client, channel: str, body: MakeBody, group: _Group) -> None:
        if channel != RADAR_FRAME or group.pictures is None:
            self._offer(client, channel, self._encode(channel, body, group))
        elif group.pictures.begun:
            self.dropped += client.begin_pictures(data_frame(Opcode.BINARY, group.pictures.full()))
        else:
            self.dropped += client.begin_pictures(self._encode(channel, body, group))

    def wants_rows(self, kind: type[object]) -> bool:
        """Return whether a client is there that gets a kind of data as rows; safe to call from another thread."""
        if kind not in (Detections, Tracks):
            return len(self) > 0
        return any(group.pictures is None for group in tuple(self._groups.values()))

    def wants(self, channel: str) -> bool:
        """Return whether a client is there that has asked for a channel; safe to call from another thread."""
        return any(channel in subscription.channels for subscription in tuple(self._groups))

    def remove(self, client: Client) -> None:
        """Remove a client."""
        self._clients.discard(client)
        self._leave(client)

    def publish(self, channel: str, body: MakeBody, *, keep: bool = False) -> None:
        """Number a message and send it to all subscribed clients.

        Args:
            channel: one of `CHANNELS`.
            body: makes the message's content; called only for a subscribed client, once for each filter.
            keep: a later client gets it too, with the age it then has.
        """
        self.frames[channel] += 1
        if keep:
            self._last[channel] = body
        now = time.monotonic()
        made: dict[Filter, Body] = {}

        def once(wanted: Filter) -> Body:
            if wanted not in made:
                made[wanted] = body(wanted)
            return made[wanted]

        for group in tuple(self._groups.values()):
            if channel in group.subscription.channels and group.due(channel, now):
                frame = self._encode(channel, once, group)
                deltas = group.pictures if channel == RADAR_FRAME else None
                for client in group.clients:
                    if deltas is not None and client.is_full(channel):
                        # Without the one that would be dropped, those that wait are of no use.
                        self.dropped += client.begin_pictures(data_frame(Opcode.BINARY, deltas.full()))
                    elif not client.offer(channel, frame):
                        self.dropped += 1

    def close_sessions(self, sessions: Collection[str]) -> None:
        """Cut off the clients whose sessions were revoked."""
        for client in [client for client in self._clients if client.principal.session in sessions]:
            _log.info("stream of '%s' cut off: its session was revoked", client.principal.name)
            self.remove(client)
            client.cut()

    def close_all(self, why: str) -> None:
        """Cut off every client; each may come back, here or at another bridge."""
        if self._clients:
            _log.error("%d streams cut off: %s", len(self._clients), why)
        for client in tuple(self._clients):
            self.remove(client)
            client.cut()

    def evict_stalled(self) -> None:
        """Cut off clients that have read nothing for too long."""
        now = time.monotonic()
        for client in [c for c in self._clients if c.stalled_s(now) > self._settings.eviction_s]:
            self.evicted += 1
            _log.warning("WebSocket client of '%s' reads nothing: cut off", client.principal.name)
            self.remove(client)
            client.cut()

    def counts(self) -> dict[str, int]:
        """Return the stream's counts; safe to call from another thread."""
        return {
            "clients": len(self),
            "radar_frames": self.frames[RADAR_FRAME],
            "threat_messages": self.frames[THREATS],
            "status_messages": self.frames[SYSTEM_STATUS],
            "queued_frames": self.queued,
            "dropped_frames": self.dropped,
            "evicted_clients": self.evicted,
            "errors": self.errors,
        }

    async def run(self, status: Callable[[], Body]) -> None:
        """Send status and heartbeats and cut off clients that read nothing, until cancelled.

        Args:
            status: returns the body of a system_status message.
        """
        status_at = beat_at = time.monotonic()
        while True:
            await asyncio.sleep(_TICK_S)
            now = time.monotonic()
            try:
                self.evict_stalled()
                if now >= status_at:
                    status_at = now + STATUS_PERIOD_S
                    self.publish(SYSTEM_STATUS, lambda _: status())
                if now >= beat_at:
                    beat_at = now + self._settings.heartbeat_s
                    self.publish(HEARTBEAT, lambda _: {"time_s": time.time()})
            except Exception:  # noqa: BLE001 - one bad tick must not end the housekeeping
                self.errors += 1
                _log.exception("the stream's housekeeping failed once")

    def _join(self, client: Client) -> None:
        self._groups.setdefault(client.subscription, _Group(client.subscription)).clients.add(client)

    def _leave(self, client: Client) -> None:
        group = self._groups.get(client.subscription)
        if group is not None:
            group.clients.discard(client)
            if not group.clients:
                del self._groups[client.subscription]

    def _offer(self, client: Client, channel: str, frame: bytes) -> None:
        self.dropped += not client.offer(channel, frame)

    def _encode(self, channel: str, body: MakeBody, group: _Group) -> bytes:
        """Return a message for a group, numbered so that a gap is a lost message, and not one outside the subscription."""
        wanted = group.subscription
        frame = group.frames[channel] if wanted.rate_hz > 0.0 else self.frames[channel]
        content = body(wanted.filter)
        if group.pictures is not None and isinstance(content, RadarBody):
            return data_frame(Opcode.BINARY, group.pictures.delta(frame, content))
        if isinstance(content, VideoBody):
            return data_frame(Opcode.BINARY, content.encoded(frame))
        return wire_bytes({"type": channel, "frame": frame, **content}, wanted.format)


class LiveStream:
    """Publishes what comes from the graph to the clients of a hub."""

    def __init__(self, hub: Hub, mounted: SensorPoses) -> None:
        """Prepare.

        Args:
            hub: where messages are published.
            mounted: where the sensors stand, unless their detections have a pose.
        """
        self._hub = hub
        self._mounted = mounted
        self._tracks: Frame[Tracks] | None = None
        self._signals: EwFrame[Signal] | None = None
        self._advice: EwFrame[Advice] | None = None

    def take_radar_frame(self, frame: RadarFrame) -> None:
        """Publish a scan."""
        mounted = self._mounted.pose(frame.main.data.sensor_id)
        self._hub.publish(RADAR_FRAME, lambda wanted: bodies.radar_frame(frame, mounted, wanted), keep=True)

    def take_tracks(self, frame: Frame[Tracks]) -> None:
        """Take where tracks are, for those who want the threats of an area."""
        self._tracks = frame

    def take_threats(self, frame: Frame[Threats]) -> None:
        """Publish an assessment."""
        self._hub.publish(THREATS, lambda wanted: bodies.threats(frame, self._tracks, wanted), keep=True)

    def take_signals(self, signals: EwFrame[Signal]) -> None:
        """Publish the active signals; but none after none only once."""
        before, self._signals = self._signals, signals
        if before is None or signals.items or before.items:
            self._publish_ew()

    def take_advice(self, advice: EwFrame[Advice]) -> None:
        """Publish all advice."""
        self._advice = advice
        self._publish_ew()

    def take_alarms(self, alarms: EwFrame[Alarm]) -> None:
        """Publish all alarms."""
        self._hub.publish(ALARMS, lambda _: bodies.alarms(alarms), keep=True)

    def take_protected(self, protected: EwFrame[ProtectedArea]) -> None:
        """Publish what is protected and watched."""
        self._hub.publish(PROTECTED, lambda _: bodies.protected(protected), keep=True)

    def take_video(self, placed: PlacedSector) -> None:
        """Publish a sector of a radar's video."""
        self._hub.publish(VIDEO, lambda _: VideoBody(placed))

    def _publish_ew(self) -> None:
        self._hub.publish(EW, lambda _: bodies.ew(self._signals, self._advice), keep=True)
