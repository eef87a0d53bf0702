# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The least that a live stream costs: the same bytes, made once a picture, written by uvloop to each connection, and nothing else.

`python -m aegis.bench.bridge_floor PORT TRACKS HZ`. No graph, no login, no queue: who reads slowly makes it grow.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
import sys
import time
from typing import cast

import orjson
import uvloop

from aegis.bench.picture import detections, tracks
from aegis.bridge.live import columns
from aegis.bridge.stream.settings import StreamSettings
from aegis.bridge.stream.ws_protocol import Opcode, data_frame

_ACCEPT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # of RFC 6455, section 1.3
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
SEND_BUFFER = StreamSettings().send_buffer_bytes


class _Connection(asyncio.Protocol):
    """Answers a handshake, and any other request with 200; what comes after is not read."""

    def __init__(self, listening: set[asyncio.Transport]) -> None:
        self._listening = listening
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one but in name
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)

    def data_received(self, data: bytes) -> None:
        if self.transport in self._listening:
            return
        self._head += data
        if b"\r\n\r\n" not in self._head:
            return
        lines = dict(line.split(b": ", 1) for line in self._head.split(b"\r\n") if b": " in line)
        key = next((value for name, value in lines.items() if name.lower() == b"sec-websocket-key"), None)
        if key is None:
            self.transport.write(_OK)
            self._head = b""
            return
        accept = base64.b64encode(hashlib.sha1(key.strip() + _ACCEPT).digest())
        self.transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        self._listening.add(self.transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._listening.discard(self.transport)


async def serve(port: int, n: int, hz: float) -> None:
    """Send a radar_frame of n tracks at a rate to whoever connects, until the process ends."""
    listening: set[asyncio.Transport] = set()
    await asyncio.get_running_loop().create_server(lambda: _Connection(listening), "127.0.0.1", port)
    stamp_ns = time.time_ns()
    picture = {
        "detections": orjson.Fragment(columns.detection_brief(detections(n, 1, stamp_ns)).json()),
        "tracks": orjson.Fragment(columns.track_brief(tracks(n, 1, stamp_ns)).json()),
    }
    sequence, due = 0, time.monotonic()
    while True:
        sequence, due = sequence + 1, due + 1.0 / hz
        head = {
            "type": "radar_frame",
            "frame": sequence,
            "sequence": sequence,
            "sensor_id": "bench",
            "stamp_s": time.time_ns() / 1e9,
            "age_s": 0.0,
            "frame_id": "map",
        }
        frame = data_frame(Opcode.TEXT, orjson.dumps(head | picture))
        for transport in list(listening):
            transport.write(frame)
        await asyncio.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    where, count, rate = sys.argv[1:]
    uvloop.run(serve(int(where), int(count), float(rate)))
