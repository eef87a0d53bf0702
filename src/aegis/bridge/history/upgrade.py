# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Import, once, of what earlier versions kept beside history.db: acknowledged_threats.json, and journal.db with the messages that
had not reached the database. Both are removed afterwards.

An import that was interrupted can be repeated: rows that are there already stay as they are.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from aegis.bridge.history.acknowledged import Origin, Position
from aegis.bridge.history.records import Decision, Kind, Row, json_text
from aegis.core.types import ThreatLevel

_log = logging.getLogger(__name__)

JOURNAL_FILE = "journal.db"
ACKNOWLEDGED_FILE = "acknowledged_threats.json"
CHUNK = 1000


@dataclass(frozen=True)
class OldMessage:
    """One message of the journal; like `records.Message`."""

    kind: Kind
    at_ns: int
    values: list[Row]
    bytes: int
    origin: Origin | None = None  # the journal had the positions of its events apart

    def rows(self) -> list[Row]:
        """Return its rows."""
        return [dict(row) for row in self.values]

    def key(self) -> list[int | str]:
        """Return the key that finds the rows of threats, tracks or decisions."""
        first = self.values[0]
        return [first["id"]] if self.kind is Kind.DECISION else [first["stamp_ns"], first["sensor_id"]]


@dataclass(frozen=True)
class OldRefusal:
    """One message that the database had refused."""

    kind: str
    at_ns: int
    payload: bytes
    reason: str


class OldJournal:
    """A journal.db of an earlier version.

    Raises:
        sqlite3.DatabaseError: it is corrupt, or none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def positions(self) -> dict[str, Position]:
        """Return how far each stage's events were acknowledged."""
        with self._open() as journal:
            row = journal.execute("SELECT value FROM state WHERE name = 'acknowledged'").fetchone()
        return {stage: Position(**values) for stage, values in orjson.loads(row[0] if row else b"{}").items()}

    def messages(self) -> Iterator[list[OldMessage]]:
        """Yield the messages that had not reached the database, in chunks; unreadable ones are logged and left out."""
        after = 0
        while True:
            with self._open() as journal:
                found = journal.execute(
                    "SELECT id, kind, at_ns, payload FROM messages WHERE id > ? ORDER BY id LIMIT ?", (after, CHUNK)
                ).fetchall()
            if not found:
                return
            after = found[-1][0]
            yield [message for row in found if (message := _decode(*row))]

    def refused(self) -> list[OldRefusal]:
        """Return what the database had refused."""
        with self._open() as journal:
            rows = journal.execute("SELECT kind, at_ns, payload, reason FROM refused ORDER BY id").fetchall()
        return [OldRefusal(*row) for row in rows]

    def remove(self) -> None:
        """Remove the file."""
        for suffix in ("-wal", "-shm", ""):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    def _open(self) -> closing[sqlite3.Connection]:
        return closing(sqlite3.connect(self.path))


def _decode(number: int, kind: str, at_ns: int, payload: bytes) -> OldMessage | None:
    """Return a message of the journal: one JSON with what all its rows share, and columns."""
    try:
        values: dict[str, Any] = orjson.loads(payload)
        known = Kind(kind)
        if known in (Kind.EVENT, Kind.DECISION):
            return OldMessage(known, at_ns, [values], len(payload))
        n = len(values["track_id"])
        columns = [value if isinstance(value, list) else [value] * n for value in values.values()]
        rows = [dict(zip(values, row, strict=True)) for row in zip(*columns, strict=True)]
        return OldMessage(known, at_ns, rows, len(payload)) if rows else None
    except (ValueError, KeyError, TypeError) as error:
        _log.error("message %d of the old journal cannot be read: %s", number, error)
        return None


def old_acknowledgements(path: Path) -> list[Decision]:
    """Return the decisions in an acknowledged_threats.json, the oldest first; an unreadable file is logged and gives none."""
    try:
        content = json.loads(path.read_bytes())
        found = [_decision(int(track_id), one) for track_id, one in content.items()]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        # Nothing of it is believed: every threat is then shown as not acknowledged, which is the safe side.
        _log.error("%s is not readable (%s): earlier threats count as not acknowledged", path, error)
        return []
    return sorted(found, key=lambda decision: decision.stamp_ns)


def _decision(track_id: int, one: dict[str, Any]) -> Decision:
    level, who, stamp_ns = ThreatLevel(one["level"]), str(one["who"]), round(float(one["at_s"]) * 1e9)
    # The same id when the import is repeated.
    number = hashlib.sha256(f"{track_id} {who} {stamp_ns}".encode()).hexdigest()[:32]
    return Decision(number, stamp_ns, "threat", track_id, who, True, json_text({"level": level.name}))
