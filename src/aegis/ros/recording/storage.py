# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the files of a recording have in common: topics, and messages in the order of time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

CDR = "cdr"  # the encoding that rclpy reads


class RecordingError(Exception):
    """A file of a recording cannot be read; the message says why."""


@dataclass(frozen=True)
class StoredTopic:
    """A topic of a file, or of several."""

    name: str  # with its leading slash, whether it was stored with one or not
    type: str  # package/msg/Name
    encoding: str
    messages: int  # as counted, or as the file says

    @classmethod
    def of(cls, name: str, type_name: str, encoding: str, messages: int) -> StoredTopic:
        """Return a topic by what a file says of it."""
        package, slash, message = type_name.partition("/")
        if slash and "/" not in message:  # as ROS 1 and some writers have it
            type_name = f"{package}/msg/{message}"
        return cls(full_name(name), type_name, encoding, messages)


class StoredMessage(NamedTuple):
    """A message as it was recorded."""

    time_ns: int  # of recording
    topic: str  # with its leading slash
    data: bytes


def full_name(topic: str) -> str:
    """Return a topic's name with its leading slash, which some writers leave out."""
    return "/" + topic.strip("/")


class StorageFile(Protocol):
    """One file. It is open only while it is read."""

    path: Path
    topics: list[StoredTopic]
    begin_ns: int  # time of the first message, and of the last; 0 where there is none
    end_ns: int

    def messages(self, topics: Collection[str]) -> Iterator[StoredMessage]:
        """Yield the messages of some topics, in the order of time.

        Raises:
            RecordingError: the file is damaged.
        """


def added(topics: list[StoredTopic]) -> list[StoredTopic]:
    """Return topics with those of the same name, type and encoding added up, in the order of their names."""
    total: dict[tuple[str, str, str], int] = {}
    for t in topics:
        key = (t.name, t.type, t.encoding)
        total[key] = total.get(key, 0) + t.messages
    return [StoredTopic(*key, messages) for key, messages in sorted(total.items())]
