# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A bag that grows: files that begin anew by size and time, and a ring of the last minutes that an alarm keeps."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from rosbags.rosbag2.metadata import dump_qos_v9

from aegis.ros.bag import BAG_VERSION, BagError, message_definition, offered_qos, typestore
from aegis.ros.recording.folder import METADATA
from aegis.ros.recording.mcap_writer import ChannelInfo, McapWriter
from aegis.ros.recording.storage import full_name
from aegis.ros.topics import topic_called

SECOND = 1_000_000_000
CHUNK_NS = SECOND  # what a recorder that dies loses
RING_PARTS = 10  # files that a ring has at least
LEAST_FREE_BYTES = 64 << 20  # of the disk; with less, recording ends before others notice


class DiskFullError(Exception):
    """There is no more room; what has been written is whole."""


@dataclass
class _Part:
    path: Path
    begin_ns: int
    end_ns: int
    counts: Counter[int]
    kept: bool  # by an alarm


@dataclass(frozen=True)
class Splitting:
    """When a new file begins, and what is dropped; None: never."""

    max_bytes: int | None = None
    max_ns: int | None = None
    ring_ns: int | None = None  # what is older is dropped, unless an alarm came within this time after it or before it

    @property
    def part_ns(self) -> int | None:
        """The longest time in a file."""
        parts = [self.max_ns] if self.max_ns is not None else []
        parts += [max(self.ring_ns // RING_PARTS, SECOND)] if self.ring_ns is not None else []
        return min(parts, default=None)


class SplitBag:
    """Writes a rosbag2 folder of one MCAP file or more. It is there from the start, each file whole when the next begins."""

    def __init__(self, path: Path, topics: Sequence[str], splitting: Splitting) -> None:
        """Begin the bag.

        Args:
            path: of the folder; must not exist.
            topics: of the graph's table, those of one radar of a rig as it has them (`front/radar/points`).
            splitting: see there.

        Raises:
            BagError: `path` exists, or cannot be written.
        """
        if path.exists():
            raise BagError(f"{path} exists already; remove it or name another output")
        self._path, self._topics, self._splitting = path, list(topics), splitting
        self._number = {name: k for k, name in enumerate(topics)}
        self._hashes = [typestore().hash_rihs01(topic_called(name).type) for name in topics]
        self._channels = [
            ChannelInfo(
                full_name(name), topic_called(name).type, message_definition(topic_called(name).type),
                yaml.safe_dump(dump_qos_v9([offered_qos(topic_called(name))]), default_flow_style=False).strip(),
            )
            for name in topics
        ]  # fmt: skip
        self._parts: list[_Part] = []
        self._made = 0  # files
        self._part_ns = self._chunk_ns = 0  # when the file, and its chunk, began
        self._latched: dict[str, bytes] = {}  # what a ring's file begins with
        self._keep_until_ns = 0
        self.unwritten = 0  # messages for which there was no room
        try:
            path.mkdir(parents=True)
            self._file: McapWriter | None = self._open()
        except OSError as error:
            raise BagError(f"{path} cannot be written: {error}") from error

    def write(self, topic: str, time_ns: int, data: bytes) -> None:
        """Write a message; `time_ns` does not go back.

        Raises:
            DiskFullError: there is no room; `close` what there is.
        """
        try:
            file = self._file_for(time_ns)
        except OSError as error:
            self.unwritten += 1
            raise DiskFullError(error.strerror or str(error)) from error
        if self._splitting.ring_ns is not None and topic_called(topic).latched and topic != "events":
            self._latched[topic] = data
        try:
            file.write(self._number[topic], time_ns, data)
            if time_ns - self._chunk_ns >= CHUNK_NS:
                file.end_chunk()
                self._chunk_ns = time_ns
        except OSError as error:
            raise DiskFullError(error.strerror or str(error)) from error
        free = shutil.disk_usage(self._path).free if self._chunk_ns == time_ns else LEAST_FREE_BYTES
        if free < LEAST_FREE_BYTES:
            raise DiskFullError(f"only {free / 1e6:.0f} MB are left on the disk")

    def keep(self, time_ns: int) -> None:
        """Keep what the ring holds, and as much after it: there was an alarm."""
        ring_ns = self._splitting.ring_ns
        if ring_ns is None:
            return
        for part in self._parts:
            part.kept |= part.end_ns >= time_ns - ring_ns
        self._keep_until_ns = max(self._keep_until_ns, time_ns + ring_ns)

    def close(self) -> Counter[str]:
        """Finish the bag; return how many messages of each topic are in it."""
        self._end_file()
        if self._parts:
            self._drop_old(self._parts[-1].end_ns)
        self._write_metadata()
        counts = sum((part.counts for part in self._parts), Counter())
        return Counter({self._topics[number]: n for number, n in counts.items()})

    def _file_for(self, time_ns: int) -> McapWriter:
        if self._file is not None and self._part_ns and self._is_full(self._file, time_ns):
            self._next_file(time_ns)
        assert self._file is not None
        if not self._part_ns:
            self._part_ns = self._chunk_ns = time_ns
            for name, before in self._latched.items():
                self._file.write(self._number[name], time_ns, before)
        return self._file

    def _is_full(self, file: McapWriter, time_ns: int) -> bool:
        splitting = self._splitting
        if splitting.part_ns is not None and time_ns - self._part_ns >= splitting.part_ns:
            return True
        return splitting.max_bytes is not None and file.size >= splitting.max_bytes

    def _next_file(self, time_ns: int) -> None:
        self._end_file()
        self._drop_old(time_ns)
        self._file = self._open()
        self._part_ns = 0

    def _end_file(self) -> None:
        if self._file is None:
            return
        file, self._file = self._file, None
        file.close()
        self.unwritten += file.lost
        begin_ns, end_ns = file.span_ns
        self._parts.append(_Part(file.path, begin_ns, end_ns, file.counts, 0 < begin_ns <= self._keep_until_ns))

    def _drop_old(self, now_ns: int) -> None:
        ring_ns = self._splitting.ring_ns
        if ring_ns is None:
            return
        old = [part for part in self._parts if not part.kept and part.end_ns < now_ns - ring_ns]
        for part in old:
            part.path.unlink()
            self._parts.remove(part)

    def _open(self) -> McapWriter:
        self._made += 1
        return McapWriter(self._path / f"{self._path.name}_{self._made - 1}.mcap", self._channels)

    def _write_metadata(self) -> None:
        total = sum((part.counts for part in self._parts), Counter())
        begin_ns = min((part.begin_ns for part in self._parts if part.counts), default=0)
        end_ns = max((part.end_ns for part in self._parts), default=0)
        about = {
            "version": BAG_VERSION,
            "storage_identifier": "mcap",
            "duration": {"nanoseconds": end_ns - begin_ns},
            "starting_time": {"nanoseconds_since_epoch": begin_ns},
            "message_count": total.total(),
            "topics_with_message_count": [
                {
                    "topic_metadata": {
                        "name": channel.topic,
                        "type": channel.type,
                        "serialization_format": "cdr",
                        "offered_qos_profiles": dump_qos_v9([offered_qos(topic_called(self._topics[k]))]),
                        "type_description_hash": self._hashes[k],
                    },
                    "message_count": total[k],
                }
                for k, channel in enumerate(self._channels)
            ],
            "compression_format": "",
            "compression_mode": "",
            "relative_file_paths": [part.path.name for part in self._parts],
            "files": [
                {
                    "path": part.path.name,
                    "starting_time": {"nanoseconds_since_epoch": part.begin_ns},
                    "duration": {"nanoseconds": part.end_ns - part.begin_ns},
                    "message_count": part.counts.total(),
                }
                for part in self._parts
            ],
            "custom_data": None,
            "ros_distro": "jazzy",
        }
        temporary = self._path / f".{METADATA}"
        try:
            temporary.write_text(
                yaml.safe_dump({"rosbag2_bagfile_information": about}, sort_keys=False), encoding="utf-8"
            )
            temporary.replace(self._path / METADATA)
        except OSError:  # without room for it, the files are read without it
            temporary.unlink(missing_ok=True)
