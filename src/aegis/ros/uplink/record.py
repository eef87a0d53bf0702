# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a site keeps on its disk of what it has sent: numbered a topic, bounded in size and age. Used in one thread."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from aegis.core.uplink.settings import RecordSettings
from aegis.state import move_aside, note_not_kept

_SCHEMA = """
CREATE TABLE IF NOT EXISTS record (one INTEGER PRIMARY KEY CHECK (one = 1), id INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS topic (name TEXT PRIMARY KEY, last INTEGER NOT NULL, dropped INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS message (
    topic TEXT NOT NULL, sequence INTEGER NOT NULL, at_ns INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (topic, sequence)
);
CREATE INDEX IF NOT EXISTS by_age ON message (at_ns);
"""
_FREED = 0.05  # of the size, dropped at once: not a row for each that comes
_BUSY_S = 1.0


class Record:
    """Messages of some topics. Without a disk it keeps them in memory, and says so."""

    def __init__(self, path: Path | None, topics: Sequence[str], settings: RecordSettings) -> None:
        """Open the file, or begin it.

        Args:
            path: of the file; None keeps it in memory.
            topics: that are recorded.
            settings: bounds.
        """
        self._settings = settings
        self._path = path
        self._db, self.id = self._opened(path)
        self.last = dict.fromkeys(topics, 0) | self._numbers("SELECT name, last FROM topic")
        self.first = {topic: self._first(topic) for topic in self.last}
        self.dropped = dict.fromkeys(topics, 0) | self._numbers("SELECT name, dropped FROM topic")
        self.bytes = int(self._db.execute("SELECT coalesce(sum(length(data)), 0) FROM message").fetchone()[0])

    def append(self, messages: Iterable[tuple[str, bytes]], now_ns: int) -> list[tuple[str, int, bytes]]:
        """Keep messages, all of them or none; return them with their numbers.

        They are on the disk when this returns. Where the disk fails, the record goes on in memory, under another identity, so that
        no number means two messages.
        """
        waiting = list(messages)
        try:
            return self._append(waiting, now_ns)
        except sqlite3.Error as error:
            self._go_on_in_memory(error)
            return self._append(waiting, now_ns)

    def page(self, topic: str, begin: int, most_bytes: int) -> list[tuple[int, bytes]]:
        """Return recorded messages of a topic from a number on: one at least where there is any, no more than `most_bytes`."""
        out: list[tuple[int, bytes]] = []
        size = 0
        rows = self._db.execute(
            "SELECT sequence, data FROM message WHERE topic = ? AND sequence >= ? ORDER BY sequence", (topic, begin)
        )
        for sequence, data in rows:
            size += len(data)
            if out and size > most_bytes:
                break
            out.append((int(sequence), bytes(data)))
        rows.close()
        return out

    def newest(self, count: int) -> list[bytes]:
        """Return the messages that were kept last, oldest first."""
        rows = self._db.execute("SELECT data FROM message ORDER BY at_ns DESC, rowid DESC LIMIT ?", (count,)).fetchall()
        return [bytes(data) for (data,) in reversed(rows)]

    def kept(self) -> dict[str, list[int]]:
        """Return of each topic the first and last number that is kept; first = last + 1: none."""
        return {topic: [self.first[topic], last] for topic, last in self.last.items()}

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _append(self, messages: Sequence[tuple[str, bytes]], now_ns: int) -> list[tuple[str, int, bytes]]:
        out, last = [], self.last.copy()
        for topic, data in messages:
            last[topic] += 1
            out.append((topic, last[topic], data))
        with self._db:
            self._db.executemany(
                "INSERT INTO message VALUES (?, ?, ?, ?)",
                [(topic, number, now_ns, data) for topic, number, data in out],
            )
            gone = self._drop_old(sum(len(data) for _, data in messages), now_ns)
            for topic in last:
                self._db.execute(
                    "INSERT INTO topic VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET last = excluded.last, "
                    "dropped = excluded.dropped",
                    (topic, last[topic], self.dropped[topic] + gone.get(topic, 0)),
                )
        self.last = last
        for topic, count in gone.items():
            self.dropped[topic] += count
            self.first[topic] = self._first(topic)
        return out

    def _drop_old(self, added: int, now_ns: int) -> dict[str, int]:
        """Delete what is too old, and the oldest of too much; return how many of each topic."""
        self.bytes += added
        gone: dict[str, int] = {}
        most = int(self._settings.max_mb * 1e6)
        oldest_ns = now_ns - int(self._settings.max_age_h * 3600e9)
        to_free = self.bytes - int(most * (1.0 - _FREED)) if self.bytes > most else 0
        doomed = []
        rows = self._db.execute("SELECT rowid, topic, at_ns, length(data) FROM message ORDER BY at_ns, rowid")
        for rowid, topic, at_ns, size in rows:
            if at_ns >= oldest_ns and to_free <= 0:
                break
            doomed.append((rowid,))
            gone[topic] = gone.get(topic, 0) + 1
            to_free -= size
            self.bytes -= size
        rows.close()
        if doomed:
            self._db.executemany("DELETE FROM message WHERE rowid = ?", doomed)
        return gone

    def _first(self, topic: str) -> int:
        found = self._db.execute("SELECT min(sequence) FROM message WHERE topic = ?", (topic,)).fetchone()[0]
        return self.last[topic] + 1 if found is None else int(found)

    def _numbers(self, query: str) -> dict[str, int]:
        return {str(name): int(number) for name, number in self._db.execute(query)}

    def _opened(self, path: Path | None) -> tuple[sqlite3.Connection, int]:
        if path is None:
            return _connected(":memory:")
        try:
            return _connected(str(path))
        except sqlite3.OperationalError as error:  # no disk, or not ours to write
            note_not_kept(path, str(error))
        except sqlite3.DatabaseError as error:
            move_aside(path, str(error))
            try:
                return _connected(str(path))
            except sqlite3.Error as again:
                note_not_kept(path, str(again))
        return _connected(":memory:")

    def _go_on_in_memory(self, error: sqlite3.Error) -> None:
        if self._path is None:
            raise error
        note_not_kept(self._path, str(error))
        self._db.close()
        self._path = None
        self._db, self.id = _connected(":memory:")
        self.last = dict.fromkeys(self.last, 0)
        self.first = dict.fromkeys(self.first, 1)
        self.bytes = 0


def _connected(path: str) -> tuple[sqlite3.Connection, int]:
    """Return a connection, and the record's identity: of a new one, a random number."""
    db = sqlite3.connect(path, timeout=_BUSY_S, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.executescript(_SCHEMA)
        with db:
            db.execute("INSERT OR IGNORE INTO record VALUES (1, ?)", (secrets.randbits(62) + 1,))
        return db, int(db.execute("SELECT id FROM record").fetchone()[0])
    except BaseException:
        db.close()
        raise
