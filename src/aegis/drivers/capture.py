# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Recorded network traffic: pcap and pcapng files, gzipped or not, to the frames of the line with the time at which each came.

After draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng. What cannot be read is counted, by a reason of a few fixed words; the
frames before it are good.
"""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

MAX_FRAME_BYTES = 1 << 18  # of any line; what claims more is damaged
MAX_BLOCK_BYTES = 16 << 20  # of pcapng: comments and secrets may be long
GZIP = b"\x1f\x8b"
CUT_SHORT = "recording cut short"
DAMAGED = "recording damaged from here on"

_PCAP = {  # magic number, as it stands in the file: byte order, nanoseconds a tick
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
_SECTION, _INTERFACE, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 3, 6  # blocks of pcapng
_SECTION_MAGIC = b"\x0a\x0d\x0d\x0a"
_BYTE_ORDER = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_END_OF_OPTIONS, _TSRESOL, _TSOFFSET = 0, 9, 14


class LineFrame(NamedTuple):
    """A frame as it was on the line, from its first header on."""

    time_ns: int  # Unix time
    link_type: int  # tcpdump.org/linktypes.html
    data: bytes


class _Interface(NamedTuple):
    """A line of a pcapng file."""

    link_type: int
    ticks_per_s: int
    offset_s: int


class _EndError(Exception):
    """The recording ends, or can be read no further: how it is counted; empty where it is whole."""


class _Source:
    """Bytes of a file: as many as are asked for."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, n: int, *, at_end: bool = False) -> bytes:
        """Return `n` bytes; `at_end`: none at all may be left.

        Raises:
            _EndError: there are not so many.
        """
        try:
            data = self._file.read(n)
        except EOFError:  # of a gzip file
            raise _EndError(CUT_SHORT) from None
        except (OSError, zlib.error):
            raise _EndError(DAMAGED) from None
        if len(data) < n:
            raise _EndError("" if at_end and not data else CUT_SHORT)
        return data


def open_recording(path: Path) -> tuple[BinaryIO, BinaryIO]:
    """Return a file's bytes, unpacked where they are gzipped, and the file itself, whose place tells how far it was read.

    Raises:
        OSError: it cannot be opened.
    """
    file = path.open("rb")
    zipped = file.read(2) == GZIP
    file.seek(0)
    return (io.BufferedReader(gzip.GzipFile(fileobj=file)) if zipped else file), file  # type: ignore[arg-type]


def first_bytes(path: Path, n: int) -> bytes:
    """Return up to `n` bytes of a file's begin, unpacked where it is gzipped.

    Raises:
        OSError: it cannot be opened.
    """
    with path.open("rb") as file:
        if file.read(2) != GZIP:
            file.seek(0)
            return file.read(n)
    try:
        with gzip.open(path) as unzipped:
            return unzipped.read(n)
    except (EOFError, OSError, zlib.error):
        return b""


def is_capture(begin: bytes) -> bool:
    """Tell whether a file that begins so is a pcap or pcapng."""
    return begin[:4] in _PCAP or (begin[:4] == _SECTION_MAGIC and begin[8:12] in _BYTE_ORDER)


def line_frames(file: BinaryIO, counts: Counter[str]) -> Iterator[LineFrame]:
    """Yield the frames of a pcap or pcapng file; count in `counts` what is damaged, cut or not understood."""
    source = _Source(file)
    try:
        magic = source.read(4)
        if magic in _PCAP:
            yield from _pcap(source, *_PCAP[magic], counts)
        elif magic == _SECTION_MAGIC:
            yield from _pcapng(source, counts)
        else:
            raise _EndError(DAMAGED)
    except _EndError as end:
        if str(end):
            counts[str(end)] += 1


def _pcap(source: _Source, order: str, tick_ns: int, counts: Counter[str]) -> Iterator[LineFrame]:
    link_type = struct.unpack(order + "16xI", source.read(20))[0] & 0xFFFF  # above: length of a checksum
    while True:
        head = source.read(16, at_end=True)
        seconds, ticks, captured, length = struct.unpack(order + "IIII", head)
        if captured > MAX_FRAME_BYTES:
            raise _EndError(DAMAGED)
        data = source.read(captured)
        if captured < length:
            counts["frame cut by the capture's snap length"] += 1
        else:
            yield LineFrame(seconds * 1_000_000_000 + ticks * tick_ns, link_type, data)


def _pcapng(source: _Source, counts: Counter[str]) -> Iterator[LineFrame]:
    order, interfaces = _section(source)
    while True:
        head = source.read(8, at_end=True)
        if head[:4] == _SECTION_MAGIC:
            order, interfaces = _section(source, head[4:])
            continue
        kind, length = struct.unpack(order + "II", head)
        if length < 12 or length > MAX_BLOCK_BYTES or length % 4:
            raise _EndError(DAMAGED)
        body = source.read(length - 8)[:-4]
        if kind == _INTERFACE and len(body) >= 8:
            interfaces.append(_interface(body, order))
        elif kind == _ENHANCED:
            frame = _enhanced(body, order, interfaces, counts)
            if frame is not None:
                yield frame
        elif kind == _SIMPLE:
            counts["frame without a time"] += 1
        elif kind == _INTERFACE:
            counts["block unreadable"] += 1


def _section(source: _Source, length: bytes = b"") -> tuple[str, list[_Interface]]:
    """Read a section's header after its type (and length)."""
    length = length or source.read(4)
    order = _BYTE_ORDER.get(source.read(4))
    if order is None:
        raise _EndError(DAMAGED)
    (size,) = struct.unpack(order + "I", length)
    if not 28 <= size <= MAX_BLOCK_BYTES:
        raise _EndError(DAMAGED)
    source.read(size - 12)
    return order, []


def _interface(body: bytes, order: str) -> _Interface:
    ticks_per_s, offset_s = 1_000_000, 0
    at = 8
    while at + 4 <= len(body):
        code, size = struct.unpack_from(order + "HH", body, at)
        value = body[at + 4 : at + 4 + size]
        if code == _END_OF_OPTIONS or len(value) < size:
            break
        if code == _TSRESOL and size == 1:
            exponent = value[0] & 0x7F
            ticks_per_s = 2 ** min(exponent, 63) if value[0] & 0x80 else 10 ** min(exponent, 18)
        elif code == _TSOFFSET and size == 8:
            (offset_s,) = struct.unpack(order + "q", value)
        at += 4 + (size + 3) // 4 * 4
    return _Interface(struct.unpack_from(order + "H", body)[0], ticks_per_s, offset_s)


def _enhanced(body: bytes, order: str, interfaces: list[_Interface], counts: Counter[str]) -> LineFrame | None:
    if len(body) < 20:
        counts["block unreadable"] += 1
        return None
    number, high, low, captured, length = struct.unpack_from(order + "IIIII", body)
    if number >= len(interfaces) or captured > len(body) - 20:
        counts["block unreadable"] += 1
        return None
    if captured < length:
        counts["frame cut by the capture's snap length"] += 1
        return None
    line = interfaces[number]
    ticks = high << 32 | low
    time_ns = line.offset_s * 1_000_000_000 + ticks * 1_000_000_000 // line.ticks_per_s
    return LineFrame(time_ns, line.link_type, body[20 : 20 + captured])
