# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A recording: one file, or a folder of several as rosbag2 writes it, with its metadata.yaml or without."""

from __future__ import annotations

import heapq
import re
import shutil
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path, PureWindowsPath
from tempfile import TemporaryDirectory

from backports import zstd

from aegis.core.yaml_text import parse_yaml
from aegis.ros.recording import mcap_records, sqlite_file
from aegis.ros.recording.mcap_file import McapFile
from aegis.ros.recording.sqlite_file import SqliteFile
from aegis.ros.recording.storage import (
    RecordingError,
    StorageFile,
    StoredMessage,
    StoredTopic,
    added,
    full_name,
)

METADATA = "metadata.yaml"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ROS_1_MAGIC = b"#ROSBAG V"
_ZSTD_SUFFIX = ".zstd"
_SUFFIXES = (".mcap", ".db3", _ZSTD_SUFFIX)


class Recording:
    """The topics and messages of all files. What metadata.yaml says is believed of the files' names alone.

    `warnings` collects what is odd and did not matter.
    """

    def __init__(self, path: Path, *, whole: bool = True) -> None:
        """Read what is in a recording.

        Args:
            path: of the file or folder.
            whole: refuse MCAP files that are not; else what lies before the damage is taken, and `damage` says what that is.

        Raises:
            RecordingError: it is none, or not whole where it has to be.
        """
        self.path = path
        self._whole = whole
        self.warnings: list[str] = []
        self._announced: dict[str, int] = {}  # messages by topic, as metadata.yaml says
        self._unpacked: TemporaryDirectory[str] | None = None  # files that were compressed as a whole
        try:
            self.files = [self._open(file) for file in (self._listed() if path.is_dir() else [path])]
        except BaseException:
            self.close()
            raise
        self.warnings += [
            f"{file.path.name}: {warning}"
            for file in self.files
            if isinstance(file, McapFile)
            for warning in file.warnings
        ]
        self.topics = added([topic for file in self.files for topic in file.topics])

    @property
    def damage(self) -> str:
        """What was left out, of which files; empty where all are whole."""
        found = [(file.path.name, file.damage) for file in self.files if isinstance(file, McapFile) and file.damage]
        return "; ".join(f"{name}: {damage}" for name, damage in found)

    def close(self) -> None:
        """Remove what was unpacked."""
        if self._unpacked is not None:
            self._unpacked.cleanup()

    def messages(self, topic: StoredTopic) -> Iterator[tuple[int, bytes]]:
        """Yield (time of recording [ns], bytes) of a topic in the order of time.

        Raises:
            RecordingError: a file is damaged.
        """
        for time_ns, _, data in self.read([topic.name]):
            yield time_ns, data

    def read(self, topics: Collection[str]) -> Iterator[StoredMessage]:
        """Yield the messages of some topics in the order of time, each file read once.

        Raises:
            RecordingError: a file is damaged; what lies before the damage has been given.
        """
        wanted = set(topics)
        files = [f for f in sorted(self.files, key=lambda f: f.begin_ns) if any(t.name in wanted for t in f.topics)]
        pieces: list[Iterator[StoredMessage]] = []
        while files:
            # Files that overlap in time are read at once, others one after the other.
            n = 1
            while n < len(files) and files[n].begin_ns < max(f.end_ns for f in files[:n]):
                n += 1
            pieces.append(heapq.merge(*(self._messages_of(f, wanted) for f in files[:n]), key=lambda m: m.time_ns))
            files = files[n:]
        read: Counter[str] = Counter()
        for piece in pieces:
            for message in piece:
                read[message.topic] += 1
                yield message._replace(data=_unpacked(message.data))
        for topic in sorted(wanted):
            announced = self._announced.get(topic)
            if announced is not None and announced != read[topic]:
                self.warnings.append(f"{METADATA} announces {announced} messages on {topic}; {read[topic]} are there")

    def _messages_of(self, file: StorageFile, topics: Collection[str]) -> Iterator[StoredMessage]:
        try:
            yield from file.messages(topics)
        except (RecordingError, OSError) as error:
            raise RecordingError(f"{file.path.name}: {error}" if self.path.is_dir() else str(error)) from error

    def _listed(self) -> list[Path]:
        """Return the files of a folder: those that its metadata list, or all where there are none that can be read."""
        try:
            names = self._read_metadata()
        except (OSError, TypeError, KeyError, ValueError, AttributeError) as error:
            found = [f for f in self.path.iterdir() if f.suffix in _SUFFIXES and f.is_file()]
            if not found:
                raise RecordingError(f"it has neither {METADATA} nor files *.mcap or *.db3") from error
            why = "there is none" if isinstance(error, FileNotFoundError) else f"it cannot be read: {error}"
            self.warnings.append(f"read without {METADATA} ({why}): {len(found)} files *.mcap or *.db3")
            return sorted(found, key=lambda f: [int(n) for n in re.findall(r"\d+", f.stem)])
        files = [self._find(name) for name in names]
        if missing := [name for name, file in zip(names, files, strict=True) if file is None]:
            raise RecordingError(f"{METADATA} lists files that are not there: {', '.join(missing)}")
        return [file for file in files if file is not None]

    def _read_metadata(self) -> list[str]:
        """Return the names of the files; note how many messages are announced."""
        content = parse_yaml((self.path / METADATA).read_text(encoding="utf-8"), METADATA)
        about = content["rosbag2_bagfile_information"]
        for topic in about.get("topics_with_message_count") or []:
            name = full_name(str(topic["topic_metadata"]["name"]))
            self._announced[name] = self._announced.get(name, 0) + int(topic["message_count"])
        names = [str(name) for name in about["relative_file_paths"]]
        if not names:
            raise ValueError("it lists no files")
        return names

    def _find(self, name: str) -> Path | None:
        """Return a file of the folder, which metadata before version 4 name with it, and which may be unpacked since, or packed."""
        plain = PureWindowsPath(name).name  # which knows both kinds of slashes
        for candidate in (plain, plain.removesuffix(_ZSTD_SUFFIX), plain + _ZSTD_SUFFIX):
            if (self.path / candidate).is_file():
                return self.path / candidate
        return None

    def _open(self, path: Path) -> StorageFile:
        """Open a file by what it begins with, whatever it is called.

        Raises:
            RecordingError: it is damaged, or no recording.
        """
        try:
            with path.open("rb") as file:
                magic = file.read(16)
            if magic.startswith(_ZSTD_MAGIC):
                return self._open(self._unpack(path))
            if magic.startswith(mcap_records.MAGIC):
                return McapFile(path, whole=self._whole)
            if magic == sqlite_file.MAGIC:
                return SqliteFile(path)
            if magic.startswith(_ROS_1_MAGIC):
                raise RecordingError(
                    "it is a bag of ROS 1, which `rosbags-convert --src OLD.bag --dst NEW` makes one of ROS 2 of"
                )
            raise RecordingError("it is empty" if not magic else "it is neither MCAP nor sqlite3")
        except (RecordingError, OSError, zstd.ZstdError, EOFError) as error:
            raise RecordingError(f"{path.name}: {error}" if self.path.is_dir() else str(error)) from error

    def _unpack(self, path: Path) -> Path:
        """Return a decompressed copy of a file, which lives as long as this recording is open."""
        if self._unpacked is None:
            self._unpacked = TemporaryDirectory(prefix="aegis_recording_")
        out = Path(self._unpacked.name) / path.name.removesuffix(_ZSTD_SUFFIX)
        with zstd.open(path, "rb") as packed, out.open("wb") as file:
            shutil.copyfileobj(packed, file)
        return out


def _unpacked(data: bytes) -> bytes:
    """Return a message, decompressed where it was compressed by itself: CDR never begins as zstd does."""
    if not data.startswith(_ZSTD_MAGIC):
        return data
    try:
        return zstd.decompress(data)
    except zstd.ZstdError as error:
        raise RecordingError(f"it is damaged: zstd cannot unpack a message: {error}") from error
