# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Files of ASTERIX: datablocks one after the other (.ast), and the same in FINAL's framing, which has times of its own.

A record of FINAL is a header of 8 bytes (length of all of it, board, line, day, time of day in 1/100 s; big endian), datablocks,
and four bytes 0xA5.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO

from aegis.drivers.asterix_records import DAY_NS
from aegis.drivers.capture import CUT_SHORT, DAMAGED, first_bytes
from aegis.drivers.recording import RecordedLine, Recording
from aegis.drivers.transport import Packet

FINAL_HEADER, FINAL_FOOTER = 8, b"\xa5\xa5\xa5\xa5"
FINAL_TICK_NS = 10_000_000
_LONGEST = 1 << 16
_RECORD_WRONG = "FINAL record of wrong length"


def is_final(recording: Recording) -> bool:
    """Tell whether a file begins with a record of FINAL."""
    begin = first_bytes(recording.path, _LONGEST)
    length = int.from_bytes(begin[:2], "big")
    return length > FINAL_HEADER + 4 and begin[length - 4 : length] == FINAL_FOOTER


class AsterixFile(RecordedLine):
    """A datablock a packet. The file has no times of receipt: `AsterixParser.follow` takes those in the data."""

    def packets(self, file: BinaryIO) -> Iterator[Packet]:
        """Yield the datablocks."""
        while head := self._read(file, 3):
            length = int.from_bytes(head[1:3], "big")
            if len(head) == 3 and length < 4:
                self.refused[DAMAGED] += 1  # where the next one begins is not known
                return
            rest = self._read(file, length - 3) if len(head) == 3 else b""
            if len(head) + len(rest) < max(length, 4):
                self.refused[CUT_SHORT] += 1
                return
            yield Packet(head + rest, self.recording.start_ns)

    def _read(self, file: BinaryIO, n: int) -> bytes:
        """Return up to `n` bytes; fewer at the end, or where the packing is damaged."""
        try:
            return file.read(n)
        except (EOFError, OSError, zlib.error):
            self.refused[DAMAGED] += 1
            return b""


class FinalFile(AsterixFile):
    """The datablocks of a record of FINAL a packet, with its time."""

    def packets(self, file: BinaryIO) -> Iterator[Packet]:
        """Yield the records."""
        received_ns = self.recording.start_ns + DAY_NS // 2  # its day begins at `start_ns`
        while head := self._read(file, FINAL_HEADER):
            length = int.from_bytes(head[:2], "big") - FINAL_HEADER
            body = self._read(file, max(length, 0)) if len(head) == FINAL_HEADER else b""
            if len(head) < FINAL_HEADER or len(body) < length:
                self.refused[CUT_SHORT] += 1
                return
            if not body.endswith(FINAL_FOOTER):
                self.refused[_RECORD_WRONG] += 1
                if not self._resynchronise(file, head + body):
                    return
                continue
            difference = (int.from_bytes(head[5:8], "big") * FINAL_TICK_NS - received_ns) % DAY_NS
            received_ns += difference if difference < DAY_NS // 2 else difference - DAY_NS
            yield Packet(body[:-4], received_ns)

    def _resynchronise(self, file: BinaryIO, passed: bytes) -> bool:
        """Go to behind the next footer; it may lie in what was read already."""
        at = passed.find(FINAL_FOOTER)
        if at >= 0 and file.seekable():
            file.seek(at + len(FINAL_FOOTER) - len(passed), 1)
            return True
        tail = passed[-3:]
        while byte := self._read(file, 1):
            tail = (tail + byte)[-4:]
            if tail == FINAL_FOOTER:
                return True
        return False
