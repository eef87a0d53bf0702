# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A file of rosbag2's sqlite3 storage, of any version."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from aegis.ros.recording.storage import RecordingError, StoredMessage, StoredTopic, added

MAGIC = b"SQLite format 3\0"
_TABLES = {"topics", "messages"}
_TOPICS = "SELECT id, name, type, serialization_format FROM topics"
_COUNTS = "SELECT topic_id, count(*) FROM messages GROUP BY topic_id"
_MESSAGES = "SELECT timestamp, data, topic_id FROM messages WHERE topic_id IN ({}) ORDER BY timestamp, id"


class SqliteFile:
    """See `StorageFile`."""

    def __init__(self, path: Path) -> None:
        """Read what is in a file.

        Raises:
            RecordingError: it is damaged, or no recording.
        """
        self.path = path
        self.topics: list[StoredTopic] = []
        self._ids: dict[str, list[int]] = {}  # of topics by name
        with self._open() as database:
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not tables >= _TABLES:
                raise RecordingError(f"it has no tables {' and '.join(sorted(_TABLES))}, as a recording of rosbag2 has")
            counts = dict(database.execute(_COUNTS))
            for number, name, type_name, encoding in database.execute(_TOPICS):
                topic = StoredTopic.of(name, type_name, encoding, counts.get(number, 0))
                self.topics.append(topic)
                self._ids.setdefault(topic.name, []).append(number)
            first, last = database.execute("SELECT min(timestamp), max(timestamp) FROM messages").fetchone()
        self.topics = added(self.topics)
        self.begin_ns, self.end_ns = int(first or 0), int(last or 0)

    def messages(self, topics: Collection[str]) -> Iterator[StoredMessage]:
        """Yield the messages of some topics, in the order of time.

        Raises:
            RecordingError: the file is damaged.
        """
        names = {number: name for name in topics for number in self._ids.get(name, [])}
        with self._open() as database:
            rows = database.execute(_MESSAGES.format(", ".join("?" * len(names))), list(names))
            for time_ns, data, number in rows:
                if not (isinstance(time_ns, int) and isinstance(data, bytes)):  # sqlite keeps any value in any column
                    raise RecordingError(
                        f"a message of {names[number]} is damaged: its time or its data is of another type"
                    )
                yield StoredMessage(time_ns, names[number], data)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Open the database for reading: as one that does not change, unless a part of it is in a log beside it still."""
        log = self.path.with_name(f"{self.path.name}-wal")
        mode = "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"
        try:
            with closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?{mode}", uri=True)) as database:
                yield database
        except sqlite3.Error as error:
            raise RecordingError(str(error)) from error
        except (TypeError, ValueError) as error:  # a text that is no UTF-8, a number where a text belongs
            raise RecordingError(f"a table is damaged: {error}") from error
