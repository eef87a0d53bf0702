# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Datagrams of TI's DCA1000 capture card to frames of raw samples: put in order, and the lost known.

A datagram of its raw mode (TI SPRUIJ4A) is a sequence number (32 bits, from 1), the number of bytes sent before it (48 bits) and
up to 1456 bytes of samples, all little endian. Frames of the radar follow one another without a mark: where one begins follows
from the count of bytes. A frame that lost any of its bytes is dropped: zeros in the midst of it would look like echoes.
"""

from __future__ import annotations

import struct
from typing import NamedTuple, Protocol

from aegis.drivers.contract import Parser
from aegis.drivers.frames import CubeFrame, Frame

HEADER = struct.Struct("<IIH")  # sequence number; bytes before, low 32 and high 16 bits
MAX_DATA_BYTES = 8192  # of a datagram; the card sends 1456
MAX_WAITING = 8  # packets kept for one that is missing: it may come as many packets late
AHEAD = 64  # sequence numbers beyond the expected that are taken for reordering or loss, and not for another stream
MAX_GAP = 1 << 16  # sequence numbers lost at a time; beyond, it is another stream
BEHIND = 2 * MAX_WAITING  # the same before it, for packets that come late or twice; further back, a new capture began
SEQUENCES = 1 << 32
POSITIONS = 1 << 48


class Cubes(Protocol):
    """What makes cubes of a frame's bytes."""

    frame_bytes: int

    def frame(self, raw: bytes | bytearray, index: int, received_ns: int) -> CubeFrame:
        """Return the frame with this number since the capture's begin."""


class _Piece(NamedTuple):
    sequence: int
    position: int  # bytes before
    data: bytes
    received_ns: int


class Dca1000Parser(Parser):
    """Puts frames together. A jump is believed with the second packet after it: one bad packet breaks nothing."""

    def __init__(self, cubes: Cubes) -> None:
        super().__init__()
        self.cubes = cubes
        self.reset()

    def reset(self) -> None:
        """Forget the stream."""
        self._next: int | None = None  # sequence number expected; None: no stream yet
        self._position = 0  # bytes before it, counted on beyond 48 bits
        self._waiting: dict[int, _Piece] = {}
        self._jumped_to: tuple[int, int] | None = None  # what would continue the last packet that was out of sequence
        self._frame: bytearray | None = None  # None: wait for a frame's begin
        self._begun_ns = 0
        self._broken = -1  # the last frame that was counted as incomplete

    def feed(self, packet: bytes, received_ns: int) -> list[Frame]:
        """Take a datagram."""
        size = len(packet) - HEADER.size
        if not 0 < size <= MAX_DATA_BYTES or size % 2:
            self.refused["no DCA1000 data"] += 1
            return []
        sequence, low, high = HEADER.unpack_from(packet)
        piece = _Piece(sequence, low | high << 32, packet[HEADER.size :], received_ns)
        out: list[Frame] = []
        ahead = AHEAD + 1 if self._next is None else _ahead(sequence, self._next)
        if ahead == 0 and piece.position == self._position % POSITIONS:
            self._take(piece, out)
            self._take_waiting(out)
        elif 0 < ahead <= AHEAD:
            if sequence in self._waiting:
                self.refused["repeated packet"] += 1
            else:
                self._waiting[sequence] = piece
                if len(self._waiting) >= MAX_WAITING:
                    self._skip(out)
        elif -BEHIND <= ahead < 0:
            self.refused["late or repeated packet"] += 1
        else:
            self._other_stream(piece, out)
        return out

    def _other_stream(self, piece: _Piece, out: list[Frame]) -> None:
        """Take a packet that does not continue what came: the first, one of a new capture, after a long gap; or garbage."""
        here = (piece.sequence, piece.position)
        if here not in ((1, 0), self._jumped_to):
            self.refused["out of sequence"] += 1
            after = piece.position + len(piece.data)
            self._jumped_to = ((piece.sequence + 1) % SEQUENCES, after % POSITIONS)
            return
        if self._next is not None:
            gap = (piece.sequence - self._next) % SEQUENCES
            if gap < MAX_GAP:
                self._count("lost packet", gap - 1)  # the one before was refused
            else:
                self.refused["new sequence"] += 1
            self._count("out of sequence", len(self._waiting))
            self._waiting.clear()
        self._go_to(piece.sequence, piece.position)
        self._take(piece, out)

    def _take_waiting(self, out: list[Frame]) -> None:
        while (piece := self._waiting.pop(self._next or 0, None)) is not None:
            if piece.position != self._position % POSITIONS:
                self.refused["wrong byte count"] += 1
                return
            self._take(piece, out)

    def _skip(self, out: list[Frame]) -> None:
        """Give up what is missing, and go on with the nearest packet that waits."""
        expected = self._next or 0
        while self._waiting:
            sequence = min(self._waiting, key=lambda waiting: _ahead(waiting, expected))
            piece, lost = self._waiting.pop(sequence), _ahead(sequence, expected)
            gap = (piece.position - self._position) % POSITIONS
            if not lost * 2 <= gap <= lost * MAX_DATA_BYTES:
                self.refused["wrong byte count"] += 1
                continue
            self.refused["lost packet"] += lost
            self._go_to(sequence, self._position + gap)
            self._take(piece, out)
            self._take_waiting(out)
            return

    def _go_to(self, sequence: int, position: int) -> None:
        """Set what is expected, and count the frames that are not whole because of it."""
        size = self.cubes.frame_bytes
        broken = {self._position // size} if self._frame is not None else set()
        broken |= {position // size} if position % size else set()
        self._count("incomplete frame", len(broken - {self._broken}))
        self._broken = max(broken, default=self._broken)
        self._frame, self._next, self._position = None, sequence, position

    def _count(self, reason: str, n: int) -> None:
        if n:
            self.refused[reason] += n

    def _take(self, piece: _Piece, out: list[Frame]) -> None:
        """Append the packet that was expected to the frame, or frames, that it belongs to."""
        size, data = self.cubes.frame_bytes, memoryview(piece.data)
        self._waiting.pop(piece.sequence, None)  # a bad packet may have taken its number
        self._next = (piece.sequence + 1) % SEQUENCES
        while data:
            if self._frame is None:
                skip = min(-self._position % size, len(data))
                if skip:
                    self._position += skip
                    data = data[skip:]
                    continue
                self._frame, self._begun_ns = bytearray(), piece.received_ns
            part = data[: size - len(self._frame)]
            self._frame += part
            self._position += len(part)
            data = data[len(part) :]
            if len(self._frame) == size:
                out.append(self.cubes.frame(self._frame, self._position // size - 1, self._begun_ns))
                self._frame = None


def _ahead(sequence: int, expected: int) -> int:
    """Return how far a sequence number is ahead of another; negative behind it."""
    return (sequence - expected + SEQUENCES // 2) % SEQUENCES - SEQUENCES // 2
