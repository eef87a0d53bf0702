# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The other server for Foxglove: the package foxglove-websocket, which its authors archived in favour of foxglove-sdk.

It needs the legacy half of `websockets`, which its authors keep until 2030; 0.1.4 works with websockets 15 to 17.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import struct
import threading
from collections import deque
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any

from foxglove_websocket.server import FoxgloveServer, FoxgloveServerListener
from websockets.exceptions import ConnectionClosed
from websockets.legacy.server import WebSocketServerProtocol

from aegis.foxglove.server import MESSAGE_BACKLOG, Channels, Offer, cannot_listen

SUBPROTOCOLS = (
    "foxglove.sdk.v1",
    "foxglove.websocket.v1",
)  # today's viewers ask for the first, older ones for the second
OPEN_TIMEOUT_S = (
    2.0  # what connects and asks for nothing, and what does not answer the goodbye, delays close() this long
)
CLOSE_TIMEOUT_S = 0.5
TIME, TIME_DATA = 2, struct.Struct("<BQ")  # opcode, time [ns]
REQUEST_BYTES = 64 * 1024  # viewers only subscribe and ask; what is wrong, the package logs in full

_log = logging.getLogger(__name__)


class WebsocketSink:
    """A foxglove-websocket server, on an event loop and a thread of its own."""

    def __init__(self, host: str, port: int, name: str, channels: Channels, offer: Offer) -> None:
        """Start to listen.

        Args:
            host: address to bind.
            port: TCP port.
            name: what viewers show as the source.
            channels: topic to message encoding and schema.
            offer: what else viewers may ask for.

        Raises:
            ConfigError: nothing can listen there, because another process does.
        """
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="foxglove-websocket", daemon=True)
        self._thread.start()
        try:
            self._server: _Server = self._wait_for(_open(host, port, name, channels, offer))
        except OSError as error:
            self._stop_loop()
            raise cannot_listen(host, port, error) from error

    def wanted(self, topic: str) -> bool:
        """Tell whether any viewer is subscribed to a channel."""
        return self._server.wanted(topic)

    def time(self, stamp_ns: int) -> None:
        """Tell viewers the time of what they see."""
        self._loop.call_soon_threadsafe(self._server.tell_time, stamp_ns)

    def send(self, topic: str, payload: bytes, stamp_ns: int) -> None:
        """Send an encoded message on one of the channels."""
        self._loop.call_soon_threadsafe(self._server.publish, topic, stamp_ns, payload)

    def detail(self) -> dict[str, Any]:
        """Return how many messages viewers lost because they did not read, all viewers together."""
        return {"dropped_for_slow_viewers": self._server.dropped}

    def close(self) -> None:
        """Stop the server, disconnect its viewers and end its thread."""
        if not self._loop.is_closed():
            self._wait_for(self._server.shut())
            self._stop_loop()

    def _wait_for(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _stop_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class _Outbox:
    """What one viewer is still to get: at most MESSAGE_BACKLOG messages, the newest, and before them the time."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, int, bytes]] = deque(maxlen=MESSAGE_BACKLOG)
        self._filled = asyncio.Event()
        self.time_ns: int | None = None

    def put_time(self, stamp_ns: int) -> None:
        """Take the newest time in the place of the last one."""
        self.time_ns = stamp_ns
        self._filled.set()

    def put(self, subscription: int, stamp_ns: int, payload: bytes) -> int:
        """Append a message; return how many were dropped for it."""
        dropped = int(len(self._waiting) == MESSAGE_BACKLOG)
        self._waiting.append((subscription, stamp_ns, payload))
        self._filled.set()
        return dropped

    async def take(self) -> tuple[int | None, int, bytes]:
        """Return the oldest message (subscription, stamp [ns], payload) once there is one; of a time, no subscription."""
        while self.time_ns is None and not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        if self.time_ns is not None:
            stamp_ns, self.time_ns = self.time_ns, None
            return None, stamp_ns, b""
        return self._waiting.popleft()


class _Connection(WebSocketServerProtocol):
    """A connection on which several tasks may wait for a slow viewer: data, answers, pings, the goodbye.

    websockets 15 has this lock, 16 and 17 have not, and there the second task fails with an AssertionError; closing a
    viewer that does not read then takes 40 s instead of 2.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._one_waits = asyncio.Lock()

    async def drain(self) -> None:
        """Wait until the viewer has read enough for more to be sent."""
        async with self._one_waits:
            await super().drain()


class _Server(FoxgloveServer):  # type: ignore[misc]  # the package has no types
    """The package's server, but each viewer is sent to by a task of its own.

    The package's `send_message` waits for one viewer after the other, so that one which does not read stops all. The
    three private names used here cannot move: 0.1.4 is the last version, and pinned.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.topics: dict[str, int] = {}
        self.dropped = 0
        self._outboxes: dict[Any, _Outbox] = {}

    def publish(self, topic: str, stamp_ns: int, payload: bytes) -> None:
        """Put a message into the outbox of every viewer that subscribed to the topic."""
        channel = self.topics[topic]
        for viewer in self._clients:
            subscription = viewer.subscriptions_by_channel.get(channel)
            if subscription is not None:
                self.dropped += self._outboxes[viewer.connection].put(subscription, stamp_ns, payload)

    def wanted(self, topic: str) -> bool:
        """Tell whether any viewer is subscribed to a topic; asked from another thread."""
        channel = self.topics[topic]
        return any(channel in viewer.subscriptions_by_channel for viewer in self._clients)

    def tell_time(self, stamp_ns: int) -> None:
        """Put a time into every viewer's outbox."""
        for outbox in self._outboxes.values():
            outbox.put_time(stamp_ns)

    async def shut(self) -> None:
        """Disconnect the viewers and free the port."""
        self.close()
        await self.wait_closed()

    async def _handle_connection(self, connection: Any, path: str) -> None:
        outbox = self._outboxes[connection] = _Outbox()
        try:
            async with asyncio.TaskGroup() as tasks:
                sender = tasks.create_task(self._send_from(outbox, connection))
                await super()._handle_connection(connection, path)
                sender.cancel()
        finally:
            del self._outboxes[connection]

    async def _send_from(self, outbox: _Outbox, connection: Any) -> None:
        while True:
            subscription, stamp_ns, payload = await outbox.take()
            if subscription is None:
                with suppress(ConnectionClosed):
                    await connection.send(TIME_DATA.pack(TIME, stamp_ns))
            else:
                await self._send_message_data(
                    connection, subscription=subscription, timestamp=stamp_ns, payload=payload
                )


class _Answers(FoxgloveServerListener):  # type: ignore[misc]
    """Answers what viewers ask of parameters and services; what they set stays as it was."""

    def __init__(self, offer: Offer) -> None:
        self._offer = offer
        self.services: dict[int, str] = {}  # by number

    def on_subscribe(self, server: FoxgloveServer, channel_id: int) -> None:
        """Do nothing: `wanted` asks."""

    def on_unsubscribe(self, server: FoxgloveServer, channel_id: int) -> None:
        """Do nothing."""

    async def on_client_advertise(self, server: FoxgloveServer, channel: object) -> None:
        """Take nothing of what viewers publish."""

    async def on_client_unadvertise(self, server: FoxgloveServer, channel_id: int) -> None:
        """Do nothing."""

    async def on_client_message(self, server: FoxgloveServer, channel_id: int, payload: bytes) -> None:
        """Take nothing of what viewers publish."""

    async def on_parameters_subscribe(self, server: FoxgloveServer, param_name: list[str], subscribe: bool) -> None:
        """Do nothing: parameters stay as they are."""

    async def on_get_parameters(
        self, server: FoxgloveServer, param_names: list[str], request_id: str | None
    ) -> list[dict[str, object]]:
        """Return the parameters that a viewer asks for."""
        return [{"name": name, "value": value} for name, value in self._offer.values(param_names).items()]

    async def on_set_parameters(
        self, server: FoxgloveServer, params: list[dict[str, object]], request_id: str | None
    ) -> list[dict[str, object]]:
        """Return the parameters as they are."""
        return await self.on_get_parameters(server, [str(param["name"]) for param in params], request_id)

    async def on_service_request(
        self, server: FoxgloveServer, service_id: int, call_id: str, encoding: str, payload: bytes
    ) -> bytes:
        """Return the answer of a service."""
        return self._offer.services[self.services[service_id]].answer(payload)


async def _open(host: str, port: int, name: str, channels: Channels, offer: Offer) -> _Server:
    """Return a server that listens; OSError where it cannot."""
    server = _Server(
        host,
        port,
        name,
        capabilities=["time", "parameters", "services"],
        supported_encodings=["json"],
        logger=_log,
        server_kwargs={
            "create_protocol": _Connection,
            "compression": None,
            "max_size": REQUEST_BYTES,
            "select_subprotocol": _select_subprotocol,
            "open_timeout": OPEN_TIMEOUT_S,
            "close_timeout": CLOSE_TIMEOUT_S,
        },
    )
    for topic, (encoding, schema) in channels.items():
        binary = schema.encoding == "protobuf"  # the protocol carries schemas as text
        text = base64.b64encode(schema.data) if binary else schema.data
        channel = {
            "topic": topic,
            "encoding": encoding,
            "schemaName": schema.name,
            "schemaEncoding": schema.encoding,
            "schema": text.decode(),
        }
        server.topics[topic] = await server.add_channel(channel)
    answers = _Answers(offer)
    for title, question in offer.services.items():
        shape: dict[str, object] = {"name": title, "type": title}
        for kind, fields in (("request", question.request), ("response", question.response)):
            shape[kind] = {
                "encoding": "json", "schemaName": f"{title} {kind}", "schemaEncoding": "jsonschema", "schema": json.dumps(fields),
            }  # fmt: skip
        answers.services[await server.add_service(shape)] = title
    server.set_listener(answers)
    server.start()
    opened, ended = asyncio.create_task(server.wait_opened()), asyncio.create_task(server.wait_closed())
    await asyncio.wait({opened, ended}, return_when=asyncio.FIRST_COMPLETED)  # the package says only here why it ended
    if not opened.done():
        opened.cancel()
        await ended
    return server


def _select_subprotocol(wanted: Sequence[str], _offered: Sequence[str]) -> str | None:
    """Return the viewer's first choice of those that this server speaks; the package by itself offers only the older."""
    return next((name for name in wanted if name in SUBPROTOCOLS), None)
