# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
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
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from aegis.ros.recording.mcap_records import (
    CHANNEL,
    CHUNK,
    CHUNK_INDEX,
    FOOTER,
    FOOTER_FIELDS,
    HEAD,
    INDEX,
    MAGIC,
    MESSAGE,
    MESSAGE_HEAD,
    SCHEMA,
    STATISTICS,
    STATISTICS_HEAD,
    Chunk,
    Fields,
    chunk_at,
    content_of,
    is_record,
    read_exactly,
    records,
)
from aegis.ros.recording.storage import RecordingError, StoredMessage, StoredTopic, added, full_name

_CHUNK_TIMES = struct.Struct("<QQ")  # first and last time, in the summary's index of a chunk
_CUT_OFF = "it ends without the end of an MCAP file: it was cut off"


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
        self.warnings: list[str] = []  # of what is damaged and is told twice, so that nothing is lost
        self._whole = whole
        self._schemas: dict[int, str] = {}
        self._channels: dict[int, _Channel] = {}
        self._chunks: list[Chunk] = []
        self._loose: list[_Loose] = []
        self._indexed: set[int] = set()  # where chunks begin, as a sound summary says
        self._stated: Counter[int] | None = None  # messages by channel, as the summary says
        self._has_bad_summary = False
        self._summary_at: int | None = None  # from there on records are as they were written; None: nobody knows
        with path.open("rb") as file:
            try:
                self._walk(file)
                self._check_places()
            except RecordingError as error:
                self._note_damage(error)
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

    def _note_damage(self, error: RecordingError) -> None:
        """Go on with what lies before, where the file may be damaged.

        Raises:
            RecordingError: where it has to be whole.
        """
        if self._whole:
            raise error
        self.damage = self.damage or str(error)

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
        end = size - len(MAGIC) - FOOTER_FIELDS.size - HEAD.size
        is_whole = end >= len(MAGIC) and self._has_end(file, end)
        if not is_whole:
            end = size
        at = len(MAGIC)
        while at + (0 if is_whole else HEAD.size) < end:
            file.seek(at)
            kind, length = HEAD.unpack(read_exactly(file, HEAD.size))
            at += HEAD.size
            is_cut = not is_whole and at + length > end
            if not is_record(kind, length) or (at + length > end and not is_cut):
                raise RecordingError(f"it is damaged: there is no record at byte {at - HEAD.size}")
            if is_cut:
                if kind == CHUNK:  # what is there of it counts too
                    self._chunks.append(chunk_at(file, at, length, end - at))
                raise RecordingError(f"{_CUT_OFF}, at byte {size}")
            self._note(file, kind, at, length)
            at += length
        if not is_whole:
            raise RecordingError(f"{_CUT_OFF}, at byte {size}")

    def _has_end(self, file: BinaryIO, end: int) -> bool:
        """Tell whether there is a footer at `end`; warn of a summary whose checksum does not fit."""
        file.seek(end)
        head = file.read(HEAD.size)
        fields = file.read(FOOTER_FIELDS.size)
        if head != HEAD.pack(FOOTER, FOOTER_FIELDS.size) or file.read() != MAGIC:
            return False
        start, _, checksum = FOOTER_FIELDS.unpack(fields)
        if not checksum:
            return True
        if len(MAGIC) <= start <= end:
            file.seek(start)
            if crc32(file.read(end - start) + head + fields[:-4]) == checksum:
                self._summary_at = start
                return True
        self._has_bad_summary = True
        self.warnings.append(f"its summary or its footer at byte {end} is damaged: the checksum does not fit")
        return True

    def _note(self, file: BinaryIO, kind: int, at: int, length: int) -> None:
        """Note a record, of which `file` stands at the content."""
        if kind in (SCHEMA, CHANNEL):
            self._describe(kind, Fields(read_exactly(file, length)), at)
        elif kind == CHUNK:
            self._chunks.append(chunk_at(file, at, length, length))
        elif kind == INDEX and self._chunks:
            self._chunks[-1].note_index(read_exactly(file, length))
        elif kind == MESSAGE:
            channel, _, time_ns, _ = MESSAGE_HEAD.unpack(read_exactly(file, MESSAGE_HEAD.size))
            self._loose.append(_Loose(time_ns, at + MESSAGE_HEAD.size, length - MESSAGE_HEAD.size, channel))
        elif kind == CHUNK_INDEX and not self._has_bad_summary:
            fields = Fields(read_exactly(file, length))
            fields.take(_CHUNK_TIMES)
            self._indexed.add(fields.uint64())
        elif kind == STATISTICS and not self._has_bad_summary:
            fields = Fields(read_exactly(file, length))
            fields.take(STATISTICS_HEAD)
            pairs = fields.uint32() // 10
            self._stated = Counter({fields.uint16(): fields.uint64() for _ in range(pairs)})

    def _check_places(self) -> None:
        """Forget what looks like a message where the summary says that a chunk begins.

        Raises:
            RecordingError: there is one; the first byte of a chunk is damaged.
        """
        in_place = [m for m in self._loose if m.offset - MESSAGE_HEAD.size - HEAD.size in self._indexed]
        if in_place:
            self._loose = [m for m in self._loose if m not in in_place]
            at = in_place[0].offset - MESSAGE_HEAD.size
            raise RecordingError(f"it is damaged: the chunk at byte {at} is none")

    def _describe(self, kind: int, fields: Fields, at: int) -> None:
        """Note a schema or a channel; of two that differ that of a sound summary counts, else the first."""
        number = fields.uint16()
        known: dict[int, Any] = self._schemas if kind == SCHEMA else self._channels
        if kind == SCHEMA:
            said: object = fields.text()
        else:
            schema = fields.uint16()
            said = _Channel(fields.text(), schema, fields.text())
        if known.setdefault(number, said) != said:
            if self._summary_at is not None and at >= self._summary_at:
                known[number] = said
            what = "schema" if kind == SCHEMA else "channel"
            self.warnings.append(
                f"{what} {number} is damaged: it is told twice, at byte {at} as {said}; taken: {known[number]}"
            )

    def _counts(self) -> Counter[int] | None:
        """Return the messages of each channel as far as the walk could tell; None where it could not, or was told differently."""
        if self.damage:  # an index may have lost its end
            return None
        counts = Counter(m.channel for m in self._loose)
        stated = self._stated if self._stated is not None and any(self._stated.values()) else None
        for chunk in self._chunks:
            if (not chunk.is_timed and chunk.size) or chunk.is_cut:
                return None
            if chunk.index_ns not in (None, (chunk.begin_ns, chunk.end_ns)):
                return None
            if chunk.messages is not None:
                counts.update(chunk.messages)
        if any(chunk.messages is None for chunk in self._chunks):
            if stated is None:
                return None
            counts = stated
        if self._chunks and stated is not None and +counts != +stated:
            return None
        return counts if counts.keys() <= self._channels.keys() else None

    def _look_into_chunks(self, file: BinaryIO) -> Counter[int]:
        """Note what only the chunks' contents tell: channels, times, how many messages. Return the messages of each channel."""
        counts = Counter(m.channel for m in self._loose)
        for number, chunk in enumerate(self._chunks):
            times = []
            said, chunk.messages = chunk.messages, Counter()
            try:
                for kind, content in records(content_of(file, chunk), is_cut=chunk.is_cut):
                    if kind in (SCHEMA, CHANNEL):
                        self._describe(kind, Fields(bytes(content)), chunk.at)
                    elif kind == MESSAGE:
                        channel, _, time_ns, _ = MESSAGE_HEAD.unpack_from(content)
                        chunk.messages[channel] += 1
                        times.append(time_ns)
            except RecordingError as error:
                self._note_damage(error)
                del self._chunks[number:]
                break
            span = (min(times, default=0), max(times, default=0))
            if chunk.is_timed and not chunk.is_cut and span != (chunk.begin_ns, chunk.end_ns):
                self.warnings.append(
                    f"the chunk at byte {chunk.at} is damaged: its times are not those of its messages"
                )
            if not chunk.is_cut and (chunk.index_ns not in (None, span) or said not in (None, chunk.messages)):
                self.warnings.append(f"the message index behind the chunk at byte {chunk.at} is damaged")
            chunk.begin_ns, chunk.end_ns = span
            counts.update(chunk.messages)
        if missing := ((self._stated or Counter()) - counts).total():
            text = f"it is damaged: its summary tells of {missing} messages more than are there"
            if not self.damage:
                self._note_damage(RecordingError(text))
        return counts

    # The messages.

    def _loose_messages(self, file: BinaryIO, wanted: Mapping[int, str]) -> Iterator[_Message]:
        for time_ns, offset, length, channel in sorted(self._loose):
            if channel in wanted:
                file.seek(offset)
                yield _Message(time_ns, (offset, 0), wanted[channel], read_exactly(file, length))

    def _chunk_messages(self, file: BinaryIO, wanted: Mapping[int, str]) -> Iterator[_Message]:
        """Yield the messages of all chunks in order; of chunks that overlap in time, as many are held as do."""
        held: list[_Message] = []
        for chunk in sorted(self._chunks, key=lambda c: (c.begin_ns, c.offset)):
            if chunk.messages is not None and not any(chunk.messages[number] for number in wanted):
                continue
            while held and held[0].time_ns < chunk.begin_ns:
                yield heapq.heappop(held)
            try:
                found = list(self._in_chunk(file, chunk, wanted))
            except RecordingError:
                yield from sorted(held)  # what lies before the damage
                raise
            for message in found:
                heapq.heappush(held, message)
        while held:
            yield heapq.heappop(held)

    def _in_chunk(self, file: BinaryIO, chunk: Chunk, wanted: Mapping[int, str]) -> Iterator[_Message]:
        """Yield the wanted messages of a chunk, in the order in which they stand there."""
        missing = Counter({c: n for c, n in (chunk.messages or {}).items() if c in wanted})
        for n, (kind, record) in enumerate(records(content_of(file, chunk), is_cut=chunk.is_cut)):
            if kind != MESSAGE:
                continue
            channel, _, time_ns, _ = MESSAGE_HEAD.unpack_from(record)
            if channel in wanted:
                missing[channel] -= 1
                yield _Message(time_ns, (chunk.offset, n), wanted[channel], bytes(record[MESSAGE_HEAD.size :]))
        if lost := (+missing).total():
            raise RecordingError(f"the chunk at byte {chunk.at} is damaged: {lost} of its messages are not there")
