"""The outbox: what is to be kept is committed here, on this machine's disk, before it counts as acknowledged."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Column, Engine, Integer, LargeBinary, MetaData, Table, Text, delete, func, insert, select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DatabaseError

from aegis.bridge.database import give_pages_back, open_engine
from aegis.bridge.history.acknowledged import Origin, Position
from aegis.bridge.history.failures import is_corrupt
from aegis.bridge.history.records import Kind

_log = logging.getLogger(__name__)

JOURNAL_FILE = "journal.db"
_SPARE_PAGES, _VACUUM_PAGES = 2000, 2000
REFUSED_KEPT = 1000  # of what the database refused, the last ones, for a person to look at

_METADATA = MetaData()
# Ids are never used twice: what is already at the database may still be here.
_MESSAGES = Table(
    "messages",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("at_ns", Integer, nullable=False),  # when it was taken
    Column("payload", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
_REFUSED = Table(
    "refused",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("at_ns", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
)
_STATE = Table("state", _METADATA, Column("name", Text, primary_key=True), Column("value", LargeBinary, nullable=False))
_ACKNOWLEDGED = "acknowledged"
_BEGIN_SEQUENCE = text(
    "INSERT INTO sqlite_sequence SELECT 'messages', :id WHERE NOT EXISTS (SELECT * FROM sqlite_sequence)"
)
_LAST_ID = text("SELECT seq FROM sqlite_sequence")  # the one table with such a sequence is that of messages
_put_state = sqlite.insert(_STATE)
_put_state = _put_state.on_conflict_do_update(index_elements=["name"], set_={"value": _put_state.excluded.value})


@dataclass(slots=True)
class Message:
    """One message on its way to the journal."""

    kind: Kind
    payload: bytes
    at_ns: int
    origin: Origin | None = None  # of an event
    done: Future[None] | None = None  # where somebody waits for it


class Row(NamedTuple):
    """One message in the journal."""

    id: int
    kind: str
    at_ns: int
    payload: bytes


@dataclass(frozen=True)
class Settled:
    """What became of messages of the journal: all up to `last_id` are at the database, but those it refused."""

    last_id: int = 0
    messages: int = 0
    bytes: int = 0
    refused: dict[int, str] = field(default_factory=dict)  # id to the reason

    def and_then(self, later: Settled) -> Settled:
        """Return both together."""
        return Settled(
            later.last_id, self.messages + later.messages, self.bytes + later.bytes, self.refused | later.refused
        )


@dataclass(frozen=True)
class Content:
    """What a journal holds when it is opened."""

    messages: int
    bytes: int
    positions: dict[str, Position]


class Journal:
    """One SQLite file. One thread opens and commits; another may read."""

    def __init__(self, state_dir: Path) -> None:
        """Make the file where it is missing.

        Raises:
            OSError: it cannot be made.
        """
        self.path = state_dir / JOURNAL_FILE
        self.set_aside = 0
        self._last_id = 0
        self._corrupt = False
        self._emptied = False  # by the last commit
        self._engine = self._connect()

    def _connect(self) -> Engine:
        return open_engine(f"sqlite:///{self.path}")

    def open(self) -> Content:
        """Check the file and return what it holds. A corrupt one is set aside under another name, and a new one begun.

        Raises:
            SQLAlchemyError, OSError: the file cannot be used now.
        """
        if self._corrupt:
            self._begin_anew("found while it was in use")
        try:
            return self._open()
        except DatabaseError as error:
            if not is_corrupt(error):
                raise
            self._begin_anew(str(error.orig))
            return self._open()

    def _open(self) -> Content:
        with self._engine.begin() as connection:
            found = connection.execute(text("PRAGMA quick_check(1)")).scalar_one()
            if found != "ok":
                raise DatabaseError("PRAGMA quick_check", None, _corrupt_error(found))
            _METADATA.create_all(connection)
            # A new file in place of a corrupt one goes on with the numbers.
            connection.execute(_BEGIN_SEQUENCE, {"id": self._last_id})
            size = func.coalesce(func.sum(func.length(_MESSAGES.c.payload)), 0)
            count, size = connection.execute(select(func.count(_MESSAGES.c.id), size)).one()
            kept = connection.execute(select(_STATE.c.value).where(_STATE.c.name == _ACKNOWLEDGED)).scalar()
        positions = {stage: Position(**values) for stage, values in orjson.loads(kept or b"{}").items()}
        return Content(count, size, positions)

    def _begin_anew(self, reason: str) -> None:
        self._engine.dispose()
        when = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{time.time_ns() % 10**9:09}"
        aside = self.path.with_name(f"{self.path.name}.corrupt-{when}")
        for suffix in ("-wal", "-shm", ""):  # the file itself last: what is cut short here is found corrupt again
            file = self.path.with_name(self.path.name + suffix)
            if file.exists():
                file.rename(aside.with_name(aside.name + suffix))
        self.set_aside += 1
        self._corrupt = False
        _log.error(
            "the journal %s is corrupt (%s). It is now %s, and what in it had not reached the database is missing from history:"
            " `sqlite3 %s .recover` may bring it back. Check the disk. The bridge goes on with a new journal",
            self.path, reason, aside, aside,
        )  # fmt: skip
        self._engine = self._connect()

    def commit(self, messages: Sequence[Message], settled: Settled, positions: Mapping[str, Position] | None) -> int:
        """Add messages, drop what is settled, and keep the positions, all or nothing; return the id of the last message.

        Raises:
            SQLAlchemyError: it could not be done now; nothing is changed.
        """
        if self._emptied:
            with self._noting_corruption():
                give_pages_back(self._engine, spare=_SPARE_PAGES, most=_VACUUM_PAGES)
        with self._noting_corruption(), self._engine.begin() as connection:
            if messages:
                rows = [{"kind": m.kind, "at_ns": m.at_ns, "payload": m.payload} for m in messages]
                connection.execute(insert(_MESSAGES), rows)
            if settled.refused:
                self._move_refused(connection, settled.refused)
            if settled.messages:
                connection.execute(delete(_MESSAGES).where(_MESSAGES.c.id <= settled.last_id))
            if positions is not None:
                value = orjson.dumps({stage: asdict(position) for stage, position in positions.items()})
                connection.execute(_put_state, {"name": _ACKNOWLEDGED, "value": value})
            last_id: int = connection.execute(_LAST_ID).scalar_one()
        self._last_id = last_id
        self._emptied = settled.last_id == last_id
        return last_id

    def _move_refused(self, connection: Any, refused: Mapping[int, str]) -> None:
        names = ["id", "kind", "at_ns", "payload", "reason"]
        for row_id, reason in refused.items():
            found = select(*_MESSAGES.c, text(":reason")).where(_MESSAGES.c.id == row_id)
            connection.execute(insert(_REFUSED).from_select(names, found), {"reason": reason})
        newest = select(_REFUSED.c.id).order_by(_REFUSED.c.id.desc()).limit(REFUSED_KEPT)
        connection.execute(delete(_REFUSED).where(_REFUSED.c.id.not_in(newest)))

    def read(self, after_id: int, *, most: int, most_bytes: int) -> list[Row]:
        """Return the next messages, in order; at least one where there is one.

        Raises:
            SQLAlchemyError: the file cannot be read. A corrupt one is set aside when the journal is opened the next time.
        """
        statement = select(*_MESSAGES.c).where(_MESSAGES.c.id > after_id).order_by(_MESSAGES.c.id).limit(most)
        rows: list[Row] = []
        size = 0
        with self._noting_corruption(), self._engine.connect() as connection:
            for found in connection.execute(statement):
                rows.append(Row(*found))
                size += len(found.payload)
                if size >= most_bytes:
                    break
        return rows

    @contextmanager
    def _noting_corruption(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._corrupt = self._corrupt or is_corrupt(error)
            raise

    def close(self) -> None:
        """Close the file."""
        self._engine.dispose()


def _corrupt_error(found: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(found)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error
