# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""WebSocket clients by the thousand in one process: they read every frame, and note when it came.

`python -m aegis.bench.bridge_clients`, with a JSON object of `Load`'s fields on standard input; prints a JSON object of `Seen`'s.
It knows just enough of WebSocket (RFC 6455) not to be the slow part of what is measured.
"""

from __future__ import annotations

import asyncio
import json
import resource
import socket
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import cast

import numpy as np
import uvloop

CONNECTING_AT_A_TIME, CONNECT_DEADLINE_S = 50, 300.0  # the baseline is slow to accept while it sends
_STAMP, _SEQUENCE, _RADAR_FRAME = b'"stamp_s":', b'"sequence":', b'{"type":"radar_frame"'
_HEAD_BYTES = 400  # the type, sequence and stamp are at the beginning of a message
_MASK = bytes(4)


@dataclass
class Load:
    """What to do."""

    port: int
    path: str
    clients: int
    stalled: int  # clients beside them that never read
    hello: list[str]  # what each client says first
    warm_up_s: float
    measure_s: float


@dataclass
class Seen:
    """What came within the time of measurement; all clients together."""

    frames: int = 0
    frame_bytes: int = 0
    first_sequence: int = 0
    last_sequence: int = 0
    closed: int = 0  # healthy clients that lost their connection
    latency_ms: dict[str, float] = field(default_factory=dict)
    begin_s: float = 0.0  # time.time() of the measurement
    end_s: float = 0.0


class Recorder:
    """Notes frames while it is on."""

    def __init__(self) -> None:
        self.on = False
        self.latencies: list[float] = []
        self.sequences: list[int] = []
        self.sizes: list[int] = []
        self.closed = 0

    def note(self, head: bytes, size: int, before: int) -> int:
        """Take the beginning of a message that has just come in whole; return the client's last scan.

        A scan whose tracks came to the bridge before its detections is two messages: the first one counts.
        """
        if not self.on or not head.startswith(_RADAR_FRAME):
            return before
        sequence = int(_number(head, _SEQUENCE))
        if sequence != before:
            self.latencies.append(time.time() - _number(head, _STAMP))
            self.sequences.append(sequence)
            self.sizes.append(size)
        return sequence


def _number(head: bytes, key: bytes) -> float:
    begin = head.index(key) + len(key)
    return float(head[begin : head.index(b",", begin)])


class Reader(asyncio.Protocol):
    """One client."""

    def __init__(self, load: Load, recorder: Recorder, connected: asyncio.Future[None]) -> None:
        self._load = load
        self._recorder = recorder
        self._connected = connected
        self._data = bytearray()
        self._open = False
        self._scan = -1  # the last one noted

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the WebSocket."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class
        self._transport.write(_handshake(self._load))

    def data_received(self, data: bytes) -> None:
        """Take what came; note whole messages."""
        self._data += data
        if not self._open:
            head, separator, rest = bytes(self._data).partition(b"\r\n\r\n")
            if not separator:
                return
            if b" 101 " not in head.split(b"\r\n")[0]:
                raise RuntimeError(f"no WebSocket: {head!r}")
            self._open = True
            self._data = bytearray(rest)
            for text in self._load.hello:
                self._transport.write(_masked(text.encode()))
            if not self._connected.done():
                self._connected.set_result(None)
        buffer, at = self._data, 0
        while len(buffer) - at >= 2:
            length, start = buffer[at + 1], at + 2
            if length == 126:
                length, start = int.from_bytes(buffer[at + 2 : at + 4]), at + 4
            elif length == 127:
                length, start = int.from_bytes(buffer[at + 2 : at + 10]), at + 10
            if len(buffer) - start < length:
                break
            if buffer[at] == 0x89:  # a ping
                self._transport.write(_masked(bytes(buffer[start : start + length]), opcode=0x8A))
            else:
                head = bytes(buffer[start : start + min(length, _HEAD_BYTES)])
                self._scan = self._recorder.note(head, length, self._scan)
            at = start + length
        if at:
            del buffer[:at]

    def connection_lost(self, error: Exception | None) -> None:
        """Count it."""
        self._recorder.closed += 1


def _handshake(load: Load) -> bytes:
    return (
        f"GET {load.path} HTTP/1.1\r\nHost: 127.0.0.1:{load.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    ).encode()


def _masked(payload: bytes, opcode: int = 0x81) -> bytes:
    """Return a client's frame, masked with zeros."""
    if len(payload) < 126:
        return bytes((opcode, 0x80 | len(payload))) + _MASK + payload
    return bytes((opcode, 0xFE)) + len(payload).to_bytes(2) + _MASK + payload


def _stalled(load: Load) -> socket.socket:
    """Return a client that says hello and reads nothing."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect(("127.0.0.1", load.port))
    raw.sendall(_handshake(load) + b"".join(_masked(text.encode()) for text in load.hello))
    return raw


async def _run(load: Load) -> Seen:
    loop = asyncio.get_running_loop()
    recorder = Recorder()
    transports = []
    async with asyncio.timeout(CONNECT_DEADLINE_S):
        for begin in range(0, load.clients, CONNECTING_AT_A_TIME):
            connected = [loop.create_future() for _ in range(min(CONNECTING_AT_A_TIME, load.clients - begin))]
            for one in connected:
                make = lambda one=one: Reader(load, recorder, one)  # noqa: E731
                transports.append((await loop.create_connection(make, "127.0.0.1", load.port))[0])
            await asyncio.gather(*connected)
    stalled = [_stalled(load) for _ in range(load.stalled)]
    await asyncio.sleep(load.warm_up_s)
    recorder.on, begin_s = True, time.time()
    await asyncio.sleep(load.measure_s)
    recorder.on, end_s = False, time.time()
    closed = recorder.closed
    for transport in transports:
        transport.abort()
    for raw in stalled:
        raw.close()
    return _seen(recorder, closed, begin_s, end_s)


def _seen(recorder: Recorder, closed: int, begin_s: float, end_s: float) -> Seen:
    if not recorder.latencies:
        return Seen(closed=closed, begin_s=begin_s, end_s=end_s)
    # The first and the last scan are cut by the edges of the time of measurement: only whole ones count.
    sequences = np.array(recorder.sequences)
    first, last = int(sequences.min()) + 1, int(sequences.max()) - 1
    whole = (sequences >= first) & (sequences <= last)
    latencies = np.array(recorder.latencies)[whole] * 1e3
    p50, p99, worst = np.percentile(latencies, [50, 99, 100]) if len(latencies) else (np.nan, np.nan, np.nan)
    return Seen(
        frames=int(whole.sum()),
        frame_bytes=round(float(np.mean(recorder.sizes))),
        first_sequence=first,
        last_sequence=last,
        closed=closed,
        latency_ms={"p50": round(float(p50), 1), "p99": round(float(p99), 1), "max": round(float(worst), 1)},
        begin_s=begin_s,
        end_s=end_s,
    )


def main() -> None:
    """Do what standard input says."""
    load = Load(**json.load(sys.stdin))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    print(json.dumps(asdict(uvloop.run(_run(load)))))


if __name__ == "__main__":
    main()
