"""An MCAP file (mcap.dev/spec), as much of it as there is: with chunks or without, with indexes or without, in any compression.

Its records are walked from the first to the last, over what is in chunks, rather than looked up in the summary at its end: writers
leave parts of that out, and what it says of the chunks is in front of each chunk as well. Whether the file is whole is seen from
its end, from lengths that fit, and from the checksums of the chunks.
"""

from __future__ import annotations

import heapq
import struct
from binascii import crc32
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import lz4.frame
from backports import zstd

from aegis.ros.recording.storage import RecordingError, StoredMessage, StoredTopic, added, full_name

MAGIC = b"\x89MCAP0\r\n"
_FOOTER, _SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _INDEX, _STATISTICS = 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x0B
_HEAD = struct.Struct("<BQ")  # of a record: its kind, and its length
_MESSAGE_HEAD = struct.Struct("<HIQQ")  # channel, sequence, time of logging, time of publishing
_CHUNK_HEAD = struct.Struct("<QQQI")  # first time, last time, length and checksum of what is in it
_STATISTICS_HEAD = struct.Struct("<QHIIIIQQ")  # the first is the number of messages
_FOOTER_LENGTH = 20
_CUT_OFF = "it ends without the end of an MCAP file: it was cut off"
_INDEX_ENTRY = 16


class _Channel(NamedTuple):
    topic: str
    schema: int
    encoding: str


class _Message(NamedTuple):
    """Ordered by time, then by place."""

    time_ns: int
    place: tuple[int, int]
    topic: str
    data: bytes


class _Loose(NamedTuple):
    """A message outside of chunks."""

    time_ns: int
    offset: int  # of its bytes
    length: int
    channel: int


@dataclass
class _Chunk:
    offset: int  # of what is in it
    length: int
    begin_ns: int
    end_ns: int
    size: int  # of what is in it, decompressed
    checksum: int  # of that; 0: none
    compression: str
    messages: Counter[int] | None = None  # by channel, as its message index says; None: it has none

    @property
    def is_timed(self) -> bool:
        """Tell whether its writer has said when its messages were logged."""
        return bool(self.begin_ns or self.end_ns)


class McapFile:
    """See `StorageFile`."""

    def __init__(self, path: Path, *, whole: bool = True) -> None:
        """Read what is in a file.

        Args:
            path: of the file.
            whole: refuse one that is not; else what lies before the damage is taken, and `damage` says what that is.

        Raises:
            RecordingError: it is damaged, or cut off, where it has to be whole.
        """
        self.path = path
        self.damage = ""
        self._schemas: dict[int, str] = {}
        self._channels: dict[int, _Channel] = {}
        self._chunks: list[_Chunk] = []
        self._loose: list[_Loose] = []
        self._stated: Counter[int] = Counter()  # messages by channel, as the summary says
        with path.open("rb") as file:
            try:
                self._walk(file)
            except RecordingError as error:
                if whole:
                    raise
                self.damage = str(error)
            counts = self._counts()
            if counts is None:
                counts = self._look_into_chunks(file)
        if unknown := counts.keys() - self._channels:
            raise RecordingError(f"it has messages of channels that it does not describe: {sorted(unknown)}")
        self.topics = added(
            [
                StoredTopic.of(c.topic, self._schemas.get(c.schema, ""), c.encoding, counts[number])
                for number, c in self._channels.items()
            ]
        )
        self.begin_ns = min([*(c.begin_ns for c in self._chunks), *(m.time_ns for m in self._loose)], default=0)
        self.end_ns = max([*(c.end_ns for c in self._chunks), *(m.time_ns for m in self._loose)], default=0)

    def messages(self, topics: Collection[str]) -> Iterator[StoredMessage]:
        """Yield the messages of some topics, in the order of time; up to the damage, where there is some.

        Raises:
            RecordingError: the file is damaged.
        """
        names = {number: full_name(c.topic) for number, c in self._channels.items()}
        wanted = {number: name for number, name in names.items() if name in topics}
        with self.path.open("rb") as file:
            for message in heapq.merge(self._loose_messages(file, wanted), self._chunk_messages(file, wanted)):
                yield StoredMessage(message.time_ns, message.topic, message.data)

    # The walk.

    def _walk(self, file: BinaryIO) -> None:
        """Note every record from the file's beginning to its footer.

        Raises:
            RecordingError: it does not end so; what is before the damage has been noted.
        """
        size = file.seek(0, 2)
        end = size - len(MAGIC) - _FOOTER_LENGTH - _HEAD.size
        file.seek(max(end, 0))
        is_whole = end >= len(MAGIC) and file.read(_HEAD.size) == _HEAD.pack(_FOOTER, _FOOTER_LENGTH) and _ends(file)
        if not is_whole:
            end = size
        at = len(MAGIC)
        while at + (0 if is_whole else _HEAD.size) < end:
            file.seek(at)
            kind, length = _HEAD.unpack(_read(file, _HEAD.size))
            at += _HEAD.size
            if not kind or at + length > end or (kind == _MESSAGE and length < _MESSAGE_HEAD.size):
                cut = not is_whole and at + length > end
                raise RecordingError(
                    _CUT_OFF if cut else f"it is damaged: there is no record at byte {at - _HEAD.size}"
                )
            self._note(file, kind, at, length)
            at += length
        if not is_whole:
            raise RecordingError(_CUT_OFF)

    def _note(self, file: BinaryIO, kind: int, at: int, length: int) -> None:
        """Note a record, of which `file` stands at the content."""
        if kind in (_SCHEMA, _CHANNEL):
            self._describe(kind, _Fields(_read(file, length)))
        elif kind == _CHUNK:
            self._chunks.append(_chunk(file, at, length))
        elif kind == _INDEX and self._chunks:
            fields = _Fields(_read(file, length))
            chunk = self._chunks[-1]
            chunk.messages = chunk.messages or Counter()
            chunk.messages[fields.uint16()] += fields.uint32() // _INDEX_ENTRY
        elif kind == _MESSAGE:
            channel, _, time_ns, _ = _MESSAGE_HEAD.unpack(_read(file, _MESSAGE_HEAD.size))
            self._loose.append(_Loose(time_ns, at + _MESSAGE_HEAD.size, length - _MESSAGE_HEAD.size, channel))
        elif kind == _STATISTICS:
            fields = _Fields(_read(file, length))
            fields.take(_STATISTICS_HEAD)
            for _ in range(fields.uint32() // 10):
                self._stated[fields.uint16()] = fields.uint64()

    def _describe(self, kind: int, fields: _Fields) -> None:
        """Note a schema or a channel."""
        number = fields.uint16()
        if kind == _SCHEMA:
            self._schemas[number] = fields.text()
        else:
            schema = fields.uint16()
            self._channels[number] = _Channel(fields.text(), schema, fields.text())

    def _counts(self) -> Counter[int] | None:
        """Return the messages of each channel as far as the walk could tell; None where it could not."""
        counts = Counter(m.channel for m in self._loose)
        for chunk in self._chunks:
            if not chunk.is_timed and chunk.size:
                return None
            if chunk.messages is not None:
                counts.update(chunk.messages)
        if any(chunk.messages is None for chunk in self._chunks):
            if not any(self._stated.values()):
                return None
            counts = self._stated
        return counts if counts.keys() <= self._channels.keys() else None

    def _look_into_chunks(self, file: BinaryIO) -> Counter[int]:
        """Note what only the chunks' contents tell: channels, times, how many messages. Return the messages of each channel."""
        counts = Counter(m.channel for m in self._loose)
        for chunk in self._chunks:
            times = []
            chunk.messages = Counter()
            for kind, content in _records(_content(file, chunk)):
                if kind in (_SCHEMA, _CHANNEL):
                    self._describe(kind, _Fields(content))
                elif kind == _MESSAGE:
                    channel, _, time_ns, _ = _MESSAGE_HEAD.unpack_from(content)
                    chunk.messages[channel] += 1
                    times.append(time_ns)
            chunk.begin_ns, chunk.end_ns = min(times, default=0), max(times, default=0)
            counts.update(chunk.messages)
        return counts

    # The messages.

    def _loose_messages(self, file: BinaryIO, wanted: Mapping[int, str]) -> Iterator[_Message]:
        for time_ns, offset, length, channel in sorted(self._loose):
            if channel in wanted:
                file.seek(offset)
                yield _Message(time_ns, (offset, 0), wanted[channel], _read(file, length))

    def _chunk_messages(self, file: BinaryIO, wanted: Mapping[int, str]) -> Iterator[_Message]:
        """Yield the messages of all chunks in order; of chunks that overlap in time, as many are held as do."""
        held: list[_Message] = []
        for chunk in sorted(self._chunks, key=lambda c: (c.begin_ns, c.offset)):
            if chunk.messages is not None and not any(chunk.messages[number] for number in wanted):
                continue
            while held and held[0].time_ns < chunk.begin_ns:
                yield heapq.heappop(held)
            missing = Counter({c: n for c, n in (chunk.messages or {}).items() if c in wanted})
            for n, (channel, time_ns, data) in enumerate(_messages(_content(file, chunk))):
                if channel in wanted:
                    missing[channel] -= 1
                    heapq.heappush(held, _Message(time_ns, (chunk.offset, n), wanted[channel], data))
            if lost := (+missing).total():
                raise RecordingError(
                    f"the chunk at byte {chunk.offset} is damaged: {lost} of its messages are not there"
                )
        while held:
            yield heapq.heappop(held)


class _Fields:
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

    def text(self) -> str:
        """Return the next text."""
        length = self.uint32()
        data = self._content[self._at : self._at + length]
        if len(data) < length:
            raise RecordingError("it is damaged: a record ends before its fields do")
        self._at += length
        return data.decode(errors="replace")

    @property
    def read(self) -> int:
        """Return how many bytes were read."""
        return self._at


_UINT16, _UINT32, _UINT64 = struct.Struct("<H"), struct.Struct("<I"), struct.Struct("<Q")
_LONGEST_COMPRESSION = 256  # of its name


def _read(file: BinaryIO, length: int) -> bytes:
    data = file.read(length)
    if len(data) < length:
        raise RecordingError("it is damaged: it ends in the middle of a record")
    return data


def _ends(file: BinaryIO) -> bool:
    """Tell whether `file`, which stands at the content of the footer, ends as it should."""
    file.seek(_FOOTER_LENGTH, 1)
    return file.read() == MAGIC


def _chunk(file: BinaryIO, at: int, length: int) -> _Chunk:
    """Return the chunk whose record's content begins where `file` stands."""
    fields = _Fields(file.read(min(length, _CHUNK_HEAD.size + _LONGEST_COMPRESSION + 12)))
    begin_ns, end_ns, size, checksum = fields.take(_CHUNK_HEAD)
    compression = fields.text()
    packed = fields.uint64()
    if fields.read + packed > length:
        raise RecordingError(f"it is damaged: what is in the chunk at byte {at} is longer than the chunk")
    return _Chunk(at + fields.read, packed, begin_ns, end_ns, size, checksum, compression)


def _content(file: BinaryIO, chunk: _Chunk) -> bytes:
    """Return what is in a chunk, decompressed."""
    file.seek(chunk.offset)
    data = _read(file, chunk.length)
    try:
        if chunk.compression == "zstd":
            data = zstd.decompress(data)
        elif chunk.compression == "lz4":
            data = lz4.frame.decompress(data)
        elif chunk.compression:
            raise RecordingError(f"its compression '{chunk.compression}' is not known; none, lz4 and zstd are")
    except (zstd.ZstdError, RuntimeError, EOFError, ValueError) as error:
        raise RecordingError(
            f"the chunk at byte {chunk.offset} is damaged: {chunk.compression} cannot unpack it"
        ) from error
    if len(data) != chunk.size:
        raise RecordingError(f"the chunk at byte {chunk.offset} is damaged: {len(data)} bytes, not {chunk.size}")
    if chunk.checksum and crc32(data) != chunk.checksum:
        raise RecordingError(f"the chunk at byte {chunk.offset} is damaged: its checksum does not fit")
    return data


def _records(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield kind and content of the records in a chunk."""
    at, end = 0, len(content)
    while at < end:
        if at + _HEAD.size > end:
            raise RecordingError("a chunk is damaged: it ends in the middle of a record")
        kind, length = _HEAD.unpack_from(content, at)
        at += _HEAD.size
        if not kind or at + length > end or (kind == _MESSAGE and length < _MESSAGE_HEAD.size):
            raise RecordingError("a chunk is damaged: a record in it is none")
        yield kind, content[at : at + length]
        at += length


def _messages(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield (channel, time [ns], bytes) of the messages in a chunk, in the order in which they stand there."""
    for kind, record in _records(content):
        if kind == _MESSAGE:
            channel, _, time_ns, _ = _MESSAGE_HEAD.unpack_from(record)
            yield channel, time_ns, record[_MESSAGE_HEAD.size :]
