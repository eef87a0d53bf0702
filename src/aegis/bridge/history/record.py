# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""history.db, the local record: what is committed here is acknowledged.

It has the history's tables, each stage's position and, with PostgreSQL, an outbox: the keys of the messages that it does not have
yet.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path

import orjson
from sqlalchemy import Connection, Engine, Table, delete, func, insert, select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DatabaseError

from aegis.bridge.anchor import Anchor
from aegis.bridge.database import IMMEDIATE, file_url, open_engine, reason_of
from aegis.bridge.history import decisions
from aegis.bridge.history.acknowledged import Position, advance
from aegis.bridge.history.failures import corrupt_error, is_corrupt, is_refusal
from aegis.bridge.history.records import Keepable, Kind, Row, table_of
from aegis.bridge.history.store import Store
from aegis.bridge.history.tables import DECISIONS, EVENTS, LOCAL, OUTBOX, REFUSED, STATE
from aegis.bridge.history.upgrade import ACKNOWLEDGED_FILE, JOURNAL_FILE, OldJournal, old_acknowledgements
from aegis.bridge.live.acknowledgements import Acknowledgement

_log = logging.getLogger(__name__)

REFUSED_KEPT = 1000
_CHECKED_BYTES = 32 * 10**6  # a file up to this size is looked through when it is opened
_ACKNOWLEDGED = "acknowledged"
_put_state = sqlite.insert(STATE)
_put_state = _put_state.on_conflict_do_update(index_elements=["name"], set_={"value": _put_state.excluded.value})


@dataclass(frozen=True)
class Entry:
    """One message that PostgreSQL does not have yet."""

    id: int
    kind: str
    at_ns: int
    bytes: int
    key: str


@dataclass(frozen=True)
class Settled:
    """The part of the outbox that is done: PostgreSQL has all messages up to `last_id`, except the rows it refused."""

    last_id: int = 0
    messages: int = 0
    bytes: int = 0
    refused: tuple[tuple[Table, Row, str], ...] = ()  # with the reason

    def and_then(self, later: Settled) -> Settled:
        """Return both together."""
        return Settled(
            later.last_id, self.messages + later.messages, self.bytes + later.bytes, self.refused + later.refused
        )


@dataclass(frozen=True)
class Content:
    """The content of the record when it is opened."""

    outbox_messages: int
    outbox_bytes: int
    acknowledgements: dict[int, Acknowledgement]  # of threats, by track


@dataclass(frozen=True)
class Committed:
    """The result of a commit."""

    last_id: int  # of the outbox
    refused: int = 0  # messages that SQLite refused, stored in `refused`


class Record:
    """One SQLite file. One thread opens and commits; another may read the outbox."""

    def __init__(
        self,
        path: Path,
        state_dir: Path,
        *,
        outbox: bool,
        decision_days: float,
        on_set_aside: Callable[[], None] = lambda: None,
    ) -> None:
        """Make the file where it is missing.

        Args:
            path: of the file.
            state_dir: where earlier versions kept further files.
            outbox: record which messages PostgreSQL does not have.
            decision_days: how long a decision cannot be removed.
            on_set_aside: called when a corrupt file has been replaced.

        Raises:
            OSError: it cannot be made.
        """
        self.path = path
        self.set_aside = self.put_back = 0  # how often
        self._anchor: Anchor | None = None
        self.positions: dict[str, Position] = {}  # replaced at a commit, never changed
        self._state_dir = state_dir
        self.feeds = outbox
        self._decision_days = decision_days
        self._on_set_aside = on_set_aside
        self._last_id = 0
        self._corrupt = False
        self._event_ids = self._numbers = count(1)
        self.store = Store(open_engine(file_url(path)))

    @property
    def engine(self) -> Engine:
        """The file as a database."""
        return self.store.engine

    # Opening.

    def open(self) -> Content:
        """Check the file and return its content. A corrupt file is renamed and replaced by a new one.

        Raises:
            SQLAlchemyError, OSError: the file cannot be used now.
        """
        if self._corrupt:
            self._begin_anew("found while it was in use")
        try:
            self._open()
        except DatabaseError as error:
            if not is_corrupt(error):
                raise
            self._begin_anew(str(error.orig))
            self._open()
        self._upgrade()
        with self.engine.connect() as connection:
            size = func.coalesce(func.sum(OUTBOX.c.bytes), 0)
            messages, size = connection.execute(select(func.count(OUTBOX.c.id), size)).one()
            return Content(messages, size, decisions.acknowledgements(connection))

    def _open(self) -> None:
        if self.path.stat().st_size <= _CHECKED_BYTES:
            with self.engine.connect() as connection:
                found = connection.execute(text("PRAGMA quick_check(1)")).scalar_one()
            if found != "ok":
                raise DatabaseError("PRAGMA quick_check", None, corrupt_error(found))
        self.store.prepare()
        with self.engine.execution_options(**IMMEDIATE).begin() as connection:
            LOCAL.create_all(connection)
            for trigger in decisions.GUARDS:
                connection.exec_driver_sql(trigger)
            days = str(self._decision_days).encode()
            connection.execute(_put_state, {"name": decisions.DAYS, "value": days})
            # A new file in place of a corrupt one goes on with the numbers.
            connection.exec_driver_sql(
                "INSERT INTO sqlite_sequence SELECT 'outbox', ? WHERE NOT EXISTS (SELECT * FROM sqlite_sequence)",
                (self._last_id,),
            )
            self._last_id = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence").scalar_one()
            self._event_ids = count(1 + (connection.execute(select(func.max(EVENTS.c.id))).scalar() or 0))
            self._numbers = count(1 + (connection.execute(select(func.max(DECISIONS.c.number))).scalar() or 0))
            kept = connection.execute(select(STATE.c.value).where(STATE.c.name == _ACKNOWLEDGED)).scalar()
        self.positions = {stage: Position(**values) for stage, values in orjson.loads(kept or b"{}").items()}
        self._let_go()
        self._anchor = Anchor(self.path)

    def _upgrade(self) -> None:
        """Import the files of earlier versions."""
        journal = OldJournal(self._state_dir / JOURNAL_FILE)
        if journal.path.exists():
            try:
                for messages in journal.messages():
                    self.commit(messages, Settled())
                refused = journal.refused()
                positions = {**journal.positions(), **self.positions}
            except sqlite3.DatabaseError as error:
                _log.error("the old journal is corrupt (%s). It is now %s", error, set_aside(journal.path))
            else:
                with self._transaction() as connection:
                    for one in refused:
                        connection.execute(insert(REFUSED), asdict(one))
                    self._put_positions(connection, positions)
                self.positions = positions
                journal.remove()
        path = self._state_dir / ACKNOWLEDGED_FILE
        with self._transaction() as connection:
            for decision in old_acknowledgements(path):
                if not decisions.is_kept(connection, decision):
                    row = {**asdict(decision), "number": next(self._numbers)}
                    self.store.insert_in(connection, [(DECISIONS, row)])
        path.unlink(missing_ok=True)

    def _begin_anew(self, reason: str) -> None:
        self._let_go()
        self.engine.dispose()
        aside = set_aside(self.path)
        self._corrupt = False
        _log.error(
            "the history %s is corrupt (%s). It is now %s: `sqlite3 %s .recover` may bring back what is in it. Check the disk. The"
            " bridge goes on with a new history",
            self.path, reason, aside, aside,
        )  # fmt: skip
        self.set_aside += 1
        self.store.reopen(open_engine(file_url(self.path)))
        self._on_set_aside()

    # Writing.

    def commit(self, messages: Sequence[Keepable], settled: Settled) -> Committed:
        """Insert messages and delete settled entries of the outbox, in one transaction.

        A message that SQLite refuses goes to the table `refused`; the others are committed without it.

        Raises:
            SQLAlchemyError, sqlite3.Error, OSError: the database failed; nothing is changed.
        """
        try:
            return self._commit(messages, settled)
        except Exception as error:
            if not messages or not is_refusal(error):
                raise
            if len(messages) == 1:
                return self._put_aside(messages[0], settled, reason_of(error))
        middle = len(messages) // 2
        first = self.commit(messages[:middle], settled)
        second = self.commit(messages[middle:], Settled())
        return Committed(second.last_id, first.refused + second.refused)

    def _commit(self, messages: Sequence[Keepable], settled: Settled) -> Committed:
        if self._anchor is not None and self._anchor.put_back():
            self.put_back += 1
            self.engine.dispose()
        origins = [message.origin for message in messages if message.origin]
        positions = advance(self.positions, origins) if origins else self.positions
        with self._transaction() as connection:
            self._insert(connection, messages)
            self._settle(connection, settled)
            if origins:
                self._put_positions(connection, positions)
            last_id: int = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence").scalar_one()
        self.positions = positions
        self._last_id = last_id
        return Committed(last_id)

    def _put_aside(self, message: Keepable, settled: Settled, reason: str) -> Committed:
        row = message.rows()[0]
        _log.error("the history refuses message of kind '%s': %s; it is kept in %s", message.kind, reason, self.path)
        positions = advance(self.positions, [message.origin]) if message.origin else self.positions
        with self._transaction() as connection:
            _insert_refused(connection, message.kind, row, message.at_ns, reason)
            self._settle(connection, settled)
            self._put_positions(connection, positions)
        self.positions = positions
        return Committed(self._last_id, refused=1)

    def _insert(self, connection: Connection, messages: Sequence[Keepable]) -> None:
        rows: list[tuple[Table, Row]] = []
        outbox: list[Row] = []
        for message in messages:
            table, new = table_of(message.kind), message.rows()
            if table is EVENTS:
                new[0]["id"] = next(self._event_ids)
                key: list[int | str] = [new[0]["id"]]
            else:
                key = message.key()
            if table is DECISIONS:
                new[0]["number"] = next(self._numbers)
            rows += [(table, row) for row in new]
            outbox.append(
                {
                    "kind": message.kind,
                    "at_ns": message.at_ns,
                    "bytes": message.bytes,
                    "key": orjson.dumps(key).decode(),
                }
            )
        self.store.insert_in(connection, rows)
        if outbox and self.feeds:
            connection.execute(insert(OUTBOX), outbox)

    def _settle(self, connection: Connection, settled: Settled) -> None:
        for table, row, reason in settled.refused:
            kind = next(kind for kind in Kind if table_of(kind) is table)
            _insert_refused(connection, kind, row, time.time_ns(), reason)
        if settled.messages:
            connection.execute(delete(OUTBOX).where(OUTBOX.c.id <= settled.last_id))

    def _put_positions(self, connection: Connection, positions: Mapping[str, Position]) -> None:
        value = orjson.dumps({stage: asdict(position) for stage, position in positions.items()})
        connection.execute(_put_state, {"name": _ACKNOWLEDGED, "value": value})

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self.noting_corruption(), self.engine.execution_options(**IMMEDIATE).begin() as connection:
            yield connection

    @contextmanager
    def noting_corruption(self) -> Iterator[None]:
        """Note errors that report a corrupt file: the next `open` replaces it."""
        try:
            yield
        except Exception as error:
            self._corrupt = self._corrupt or is_corrupt(error)
            raise

    # Reading, in another thread.

    def outbox(self, after_id: int, *, most: int, most_bytes: int) -> list[Entry]:
        """Return the next entries of the outbox, in order; at least one where there is one.

        Raises:
            SQLAlchemyError: the file cannot be read.
        """
        statement = select(*OUTBOX.c).where(OUTBOX.c.id > after_id).order_by(OUTBOX.c.id).limit(most)
        entries: list[Entry] = []
        size = 0
        with self.noting_corruption(), self.engine.connect() as connection:
            for found in connection.execute(statement):
                entries.append(Entry(*found))
                size += found.bytes
                if size >= most_bytes:
                    break
        return entries

    def waiting_ns(self) -> int | None:
        """Return when the first message was received that PostgreSQL does not have; None where it has all, or there is none.

        Raises:
            SQLAlchemyError: the file cannot be read.
        """
        if not self.feeds:
            return None
        with self.noting_corruption(), self.engine.connect() as connection:
            first: int | None = connection.execute(select(OUTBOX.c.at_ns).order_by(OUTBOX.c.id).limit(1)).scalar()
            return first

    def rows_of(self, entries: Sequence[Entry]) -> list[tuple[Table, Row]]:
        """Return the rows of messages, in order; a message that retention has removed has none.

        Raises:
            SQLAlchemyError: the file cannot be read.
        """
        rows: list[tuple[Table, Row]] = []
        with self.noting_corruption(), self.engine.connect() as connection:
            for entry in entries:
                table, key = table_of(entry.kind), orjson.loads(entry.key)
                names = {Kind.EVENT: ("id",), Kind.DECISION: ("id",)}.get(Kind(entry.kind), ("stamp_ns", "sensor_id"))
                conditions = [table.c[name] == value for name, value in zip(names, key, strict=True)]
                for found in connection.execute(select(*table.c).where(*conditions)).mappings():
                    row = {str(name): value for name, value in found.items()}
                    if table is EVENTS:
                        del row["id"]  # each database has its own
                    rows.append((table, row))
        return rows

    def close(self) -> None:
        """Close the file."""
        self._let_go()
        self.engine.dispose()

    def _let_go(self) -> None:
        if self._anchor is not None:
            self._anchor.close()
            self._anchor = None


def set_aside(path: Path) -> Path:
    """Rename an SQLite file with its WAL; return the new name."""
    when = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{time.time_ns() % 10**9:09}"
    aside = path.with_name(f"{path.name}.corrupt-{when}")
    for suffix in ("-wal", "-shm", ""):  # the file itself last: what is cut short here is found corrupt again
        file = path.with_name(path.name + suffix)
        if file.exists():
            file.rename(aside.with_name(aside.name + suffix))
    return aside


def _insert_refused(connection: Connection, kind: str, row: Row, at_ns: int, reason: str) -> None:
    payload = orjson.dumps(row, default=str)
    connection.execute(
        insert(REFUSED),
        {"kind": kind, "at_ns": at_ns, "payload": payload, "reason": reason.encode("utf-8", "replace").decode()},
    )
    newest = select(REFUSED.c.id).order_by(REFUSED.c.id.desc()).limit(REFUSED_KEPT)
    connection.execute(delete(REFUSED).where(REFUSED.c.id.not_in(newest)))
