# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writing an MCAP file (mcap.dev/spec) so that what has been written stays readable, whatever comes after.

`rosbags` writes MCAP too, but without checksums, a chunk only when it is full, and a file that could not be finished has no end.
"""

from __future__ import annotations

import os
import struct
from binascii import crc32
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from backports import zstd

from aegis import __version__

MAGIC = b"\x89MCAP0\r\n"
_HEADER, _FOOTER, _SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _INDEX = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07
_CHUNK_INDEX, _STATISTICS, _SUMMARY_OFFSET, _DATA_END = 0x08, 0x0B, 0x0E, 0x0F
_CHUNK_BYTES = 1 << 20  # of what is in a chunk, uncompressed
_LEVEL = 1  # of zstd: a recorder is to keep up
_LATE_NS = 2**63 - 1


class ChannelInfo(NamedTuple):
    """A topic to be written."""

    topic: str  # with its leading slash
    type: str  # package/msg/Name
    definition: str  # of the message and all in it, as ros2msg
    qos: str  # YAML, as rosbag2 writes it


@dataclass
class _Chunk:
    offset: int
    begin_ns: int
    end_ns: int
    counts: Counter[int]
    index: bytes  # the record for the summary


class McapWriter:
    """Writes one file: zstd chunks, their checksums and indexes, and a summary when it is closed."""

    def __init__(self, path: Path, channels: Sequence[ChannelInfo]) -> None:
        """Begin a file; message k is of `channels[k]`.

        Raises:
            OSError: it exists, or cannot be written.
        """
        self.path = path
        self._file = path.open("xb", buffering=0)
        self._chunks: list[_Chunk] = []
        self.lost = 0  # messages for which there was no room
        types = list(dict.fromkeys((c.type, c.definition) for c in channels))
        self._schemas = [
            _record(_SCHEMA, struct.pack("<H", n) + _text(name) + _text("ros2msg") + _text(definition))
            for n, (name, definition) in enumerate(types, 1)
        ]
        self._channels = [
            _record(
                _CHANNEL,
                struct.pack("<HH", n, types.index((c.type, c.definition)) + 1)
                + _text(c.topic) + _text("cdr") + _sized(_text("offered_qos_profiles") + _text(c.qos)),
            )
            for n, c in enumerate(channels)
        ]  # fmt: skip
        self._size = 0
        self._begin_ns, self._end_ns = _LATE_NS, 0  # of the chunk that waits
        self._begin_chunk()
        try:
            self._put(MAGIC + _record(_HEADER, _text("ros2") + _text(f"aegis {__version__}")))
            self._put(b"".join([*self._schemas, *self._channels]))
        except OSError:
            self._file.close()
            raise

    @property
    def size(self) -> int:
        """Bytes in the file and in the chunk that waits."""
        return self._size + len(self._content)

    @property
    def counts(self) -> Counter[int]:
        """Messages in the file, by channel."""
        return sum((chunk.counts for chunk in self._chunks), Counter())

    @property
    def span_ns(self) -> tuple[int, int]:
        """The times of the first message in the file and of the last; 0 without any."""
        begin = min((chunk.begin_ns for chunk in self._chunks), default=0)
        return begin, max((chunk.end_ns for chunk in self._chunks), default=0)

    def write(self, channel: int, time_ns: int, data: bytes) -> None:
        """Take a message; it is in the file when its chunk is ended.

        Raises:
            OSError: the chunk that is full now could not be written; its messages are lost, the file is as before.
        """
        self._index.setdefault(channel, []).append((time_ns, len(self._content)))
        self._begin_ns, self._end_ns = min(self._begin_ns, time_ns), max(self._end_ns, time_ns)
        self._content += struct.pack("<BQHIQQ", _MESSAGE, 22 + len(data), channel, 0, time_ns, time_ns) + data
        if len(self._content) >= _CHUNK_BYTES:
            self.end_chunk()

    def end_chunk(self) -> None:
        """Write what waits.

        Raises:
            OSError: it could not be written; its messages are lost, the file is as before.
        """
        if not self._index:
            return
        content, index, begin_ns, end_ns = bytes(self._content), self._index, self._begin_ns, self._end_ns
        self._begin_chunk()
        packed = zstd.compress(content, level=_LEVEL)
        head = struct.pack("<QQQI", begin_ns, end_ns, len(content), crc32(content))
        chunk = _record(_CHUNK, head + _text("zstd") + struct.pack("<Q", len(packed)) + packed)
        indexes, offsets = [], b""
        at = self._size + len(chunk)
        for channel, entries in index.items():
            pairs = b"".join(struct.pack("<QQ", *entry) for entry in entries)
            indexes.append(_record(_INDEX, struct.pack("<H", channel) + _sized(pairs)))
            offsets += struct.pack("<HQ", channel, at)
            at += len(indexes[-1])
        summary = (
            struct.pack("<QQQQ", begin_ns, end_ns, self._size, len(chunk))
            + _sized(offsets) + struct.pack("<Q", at - self._size - len(chunk)) + _text("zstd")
            + struct.pack("<QQ", len(packed), len(content))
        )  # fmt: skip
        counts = Counter({channel: len(entries) for channel, entries in index.items()})
        written = _Chunk(self._size, begin_ns, end_ns, counts, _record(_CHUNK_INDEX, summary))
        try:
            self._put(chunk + b"".join(indexes))
        except OSError:
            self.lost += counts.total()
            raise
        self._chunks.append(written)

    def close(self) -> None:
        """Write what waits, and the summary. Where there is no room, the last chunks make some, and `lost` counts them."""
        with suppress(OSError), self._file:
            with suppress(OSError):
                self.end_chunk()
            while True:
                try:
                    self._put(self._summary())
                    os.fsync(self._file.fileno())
                    return
                except OSError:
                    if not self._chunks:  # not even a file without messages has room
                        raise
                    last = self._chunks.pop()
                    self.lost += last.counts.total()
                    self._cut(last.offset)

    def _begin_chunk(self) -> None:
        self._content = bytearray()
        self._index: dict[int, list[tuple[int, int]]] = {}  # by channel: time, and offset in the chunk
        self._begin_ns, self._end_ns = _LATE_NS, 0

    def _summary(self) -> bytes:
        """Return the end of the file."""
        counts = self.counts
        begin_ns, end_ns = self.span_ns
        statistics = struct.pack(
            "<QHIIIIQQ",
            counts.total(),
            len(self._schemas),
            len(self._channels),
            0,
            0,
            len(self._chunks),
            begin_ns,
            end_ns,
        ) + _sized(b"".join(struct.pack("<HQ", channel, n) for channel, n in sorted(counts.items())))
        groups = {
            _SCHEMA: b"".join(self._schemas),
            _CHANNEL: b"".join(self._channels),
            _CHUNK_INDEX: b"".join(chunk.index for chunk in self._chunks),
            _STATISTICS: _record(_STATISTICS, statistics),
        }
        out = _record(_DATA_END, bytes(4))
        start = self._size + len(out)
        body, offsets = b"", b""
        for kind, records in groups.items():
            if records:
                offsets += _record(_SUMMARY_OFFSET, struct.pack("<BQQ", kind, start + len(body), len(records)))
                body += records
        footer = struct.pack("<BQQQ", _FOOTER, 20, start, start + len(body))
        checksum = crc32(body + offsets + footer)
        return out + body + offsets + footer + struct.pack("<I", checksum) + MAGIC

    def _put(self, data: bytes) -> None:
        """Write all of it, or leave the file as it was.

        Raises:
            OSError: there is no room, or the disk is broken.
        """
        view = memoryview(data)
        try:
            while view:
                view = view[self._file.write(view) or 0 :]
        except OSError:
            self._cut(self._size)
            raise
        self._size += len(data)

    def _cut(self, size: int) -> None:
        self._file.truncate(size)
        self._file.seek(size)
        self._size = size


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack("<BQ", kind, len(content)) + content


def _sized(content: bytes) -> bytes:
    return struct.pack("<I", len(content)) + content


def _text(text: str) -> bytes:
    return _sized(text.encode())
