# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The records of an MCAP file (mcap.dev/spec), taken apart."""

from __future__ import annotations

import struct
from binascii import crc32
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import lz4.frame
from backports import zstd

from aegis.ros.recording.storage import RecordingError

MAGIC = b"\x89MCAP0\r\n"
FOOTER, SCHEMA, CHANNEL, MESSAGE, CHUNK, INDEX, CHUNK_INDEX, STATISTICS = 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x0B
HEAD = struct.Struct("<BQ")  # of a record: its kind, and its length
MESSAGE_HEAD = struct.Struct("<HIQQ")  # channel, sequence, time of logging, time of publishing
STATISTICS_HEAD = struct.Struct("<QHIIIIQQ")  # the first is the number of messages
FOOTER_FIELDS = struct.Struct("<QQI")  # where the summary begins, where its offsets do, its checksum
_CHUNK_HEAD = struct.Struct("<QQQI")  # first time, last time, length and checksum of what is in it
_INDEX_ENTRY = struct.Struct("<QQ")  # time, and offset in the chunk
_LAST_KIND, _FIRST_PRIVATE_KIND = 0x0F, 0x80  # what lies between is no record
_LONGEST_COMPRESSION = 256  # of its name
_UINT16, _UINT32, _UINT64 = struct.Struct("<H"), struct.Struct("<I"), struct.Struct("<Q")


@dataclass
class Chunk:
    """A chunk, by its head, and the message indexes behind it."""

    at: int  # where its record's content begins
    offset: int  # of what is in it
    length: int
    begin_ns: int
    end_ns: int
    size: int  # of what is in it, decompressed
    checksum: int  # of that; 0: none
    compression: str
    is_cut: bool = False  # its end is not in the file
    messages: Counter[int] | None = None  # by channel, as its message index says; None: it has none
    index_ns: tuple[int, int] | None = None  # times of the first and the last message, as that says

    @property
    def is_timed(self) -> bool:
        """Tell whether its writer has said when its messages were logged."""
        return bool(self.begin_ns or self.end_ns)

    def note_index(self, content: bytes) -> None:
        """Note a message index of this chunk."""
        fields = Fields(content)
        channel = fields.uint16()
        entries = fields.rest(fields.uint32())
        times = [time_ns for time_ns, _ in _INDEX_ENTRY.iter_unpack(entries[: len(entries) // 16 * 16])]
        self.messages = self.messages or Counter()
        self.messages[channel] += len(times)
        if times:
            before = self.index_ns or (times[0], times[0])
            self.index_ns = min(before[0], *times), max(before[1], *times)


class Fields:
    """The fields of a record, one after the other."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def take(self, form: struct.Struct) -> tuple[int, ...]:
        """Return the next numbers."""
        try:
            values = form.unpack_from(self._content, self._at)
        except struct.error as error:
            raise RecordingError("it is damaged: a record ends before its fields do") from error
        self._at += form.size
        return values

    def uint16(self) -> int:
        """Return the next number."""
        return self.take(_UINT16)[0]

    def uint32(self) -> int:
        """Return the next number."""
        return self.take(_UINT32)[0]

    def uint64(self) -> int:
        """Return the next number."""
        return self.take(_UINT64)[0]

    def rest(self, length: int) -> bytes:
        """Return the next bytes."""
        data = self._content[self._at : self._at + length]
        if len(data) < length:
            raise RecordingError("it is damaged: a record ends before its fields do")
        self._at += length
        return data

    def text(self) -> str:
        """Return the next text."""
        return self.rest(self.uint32()).decode(errors="replace")

    @property
    def read(self) -> int:
        """Return how many bytes were read."""
        return self._at


def is_record(kind: int, length: int) -> bool:
    """Tell whether a head can be that of a record."""
    known = 0 < kind <= _LAST_KIND or kind >= _FIRST_PRIVATE_KIND
    return known and not (kind == MESSAGE and length < MESSAGE_HEAD.size)


def read_exactly(file: BinaryIO, length: int) -> bytes:
    """Return the next bytes of a file.

    Raises:
        RecordingError: there are fewer.
    """
    data = file.read(length)
    if len(data) < length:
        raise RecordingError("it is damaged: it ends in the middle of a record")
    return data


def chunk_at(file: BinaryIO, at: int, length: int, there: int) -> Chunk:
    """Return the chunk whose record's content, of which so many bytes are there, begins where `file` stands.

    Raises:
        RecordingError: it is damaged.
    """
    fields = Fields(file.read(min(length, _CHUNK_HEAD.size + _LONGEST_COMPRESSION + 12)))
    begin_ns, end_ns, size, checksum = fields.take(_CHUNK_HEAD)
    compression = fields.text()
    packed = fields.uint64()
    if fields.read + packed > length:
        raise RecordingError(f"it is damaged: what is in the chunk at byte {at} is longer than the chunk")
    offset = at + fields.read
    is_cut = there < length
    return Chunk(
        at, offset, min(packed, there - fields.read), begin_ns, end_ns, size, checksum, compression, is_cut
    )  # fmt: skip


def content_of(file: BinaryIO, chunk: Chunk) -> bytes:
    """Return what is in a chunk, decompressed; of one that is cut off, as much as there is.

    Raises:
        RecordingError: it is damaged.
    """
    file.seek(chunk.offset)
    data = read_exactly(file, chunk.length)
    where = f"the chunk at byte {chunk.at} is damaged"
    if chunk.compression not in ("", "zstd", "lz4"):
        raise RecordingError(f"{where}: its compression '{chunk.compression}' is not known; none, lz4 and zstd are")
    try:
        if chunk.compression == "zstd":
            data = zstd.ZstdDecompressor().decompress(data) if chunk.is_cut else zstd.decompress(data)
        elif chunk.compression == "lz4":
            data = lz4.frame.LZ4FrameDecompressor().decompress(data) if chunk.is_cut else lz4.frame.decompress(data)
    except (zstd.ZstdError, RuntimeError, EOFError, ValueError) as error:
        raise RecordingError(f"{where}: {chunk.compression} cannot unpack it") from error
    if chunk.is_cut:
        return data
    if len(data) != chunk.size:
        raise RecordingError(f"{where}: {len(data)} bytes, not {chunk.size}")
    if chunk.checksum and crc32(data) != chunk.checksum:
        raise RecordingError(f"{where}: its checksum does not fit")
    return data


def records(content: bytes, *, is_cut: bool = False) -> Iterator[tuple[int, memoryview]]:
    """Yield kind and content, not copied, of the records in a chunk; of one that is cut off, those that are whole.

    Raises:
        RecordingError: a record is none, or ends behind the chunk.
    """
    at, end, view = 0, len(content), memoryview(content)
    while at < end:
        if at + HEAD.size > end:
            if is_cut:
                return
            raise RecordingError("a chunk is damaged: it ends in the middle of a record")
        kind, length = HEAD.unpack_from(content, at)
        at += HEAD.size
        if is_cut and at + length > end:
            return
        if at + length > end or not is_record(kind, length):
            raise RecordingError("a chunk is damaged: a record in it is none")
        yield kind, view[at : at + length]
        at += length
