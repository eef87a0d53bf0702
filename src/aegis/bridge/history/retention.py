# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Retention: what is too old or too much is deleted in small parts, between the batches that come in."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Engine, Table, delete, func, select

from aegis.bridge.database import IMMEDIATE, give_pages_back
from aegis.bridge.history.records import ON_TIME_NS
from aegis.bridge.history.sizes import size_bytes
from aegis.bridge.history.store import Store
from aegis.bridge.history.tables import DECISIONS, METADATA

_log = logging.getLogger(__name__)

PERIOD_S = 60.0
_FIRST_PERIOD_S = 1.0  # while there is nothing yet: soon the first will be there
CHUNK_ROWS = 5000
FILL = 0.9  # of the bound is left when it was reached, so that there is something to do only now and then
_SHARES = 10  # one such part of the time span goes at a time
_DAY_NS = 86400 * 10**9
_MARGIN_NS = 60 * 10**9  # what guards the decisions counts in whole seconds
_FORGET_S = 3600.0  # after which all rows are looked at again
_VACUUM_PAGES = 2000
_SPARE_PAGES = 10_000  # of an SQLite file
_BY_SIZE = [table for table in METADATA.sorted_tables if table is not DECISIONS]


@dataclass(frozen=True)
class Extent:
    """What the database holds, as of the last look."""

    bytes: int
    oldest_ns: dict[str, int | None]  # by table


class _Part(NamedTuple):
    """Some rows of a table: the column that says when they were received, and what they are known by."""

    time: Column[Any]
    conditions: tuple[ColumnElement[bool], ...]


class Retention:
    """Deletes by age and by size, and counts what it deletes. Decisions go by age only.

    Age and order are those of receipt. Most rows were received at their stamp, have no other time, and are found by it. Among them
    may be any number of others, which a recording gave: up to the stamp `_looked_to` there are none but those.
    """

    def __init__(
        self,
        store: Store,
        *,
        days: float,
        max_bytes: float,
        waiting_ns: Callable[[], int | None] = lambda: None,
        decision_days: float | None = None,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Prepare.

        Args:
            store: the history database.
            days: how far back it may go.
            max_bytes: how large it may be.
            waiting_ns: returns when the first message was received that is still to be copied from here, and must stay; or None.
            decision_days: how far back decisions go, where that is farther.
            now_ns: returns the time.
        """
        self._store = store
        self._span_ns = round(days * _DAY_NS)
        self._decision_span_ns = max(self._span_ns, round((decision_days or 0.0) * _DAY_NS))
        self._max_bytes = max_bytes
        self._waiting_ns = waiting_ns
        self._now_ns = now_ns
        self._round: Iterator[None] | None = None
        self._due_at = 0.0
        self._looked_to: dict[str, int] = {}  # by table, a stamp
        self._forget_at = 0.0
        self.removed_by_age: Counter[str] = Counter()  # rows, by table
        self.removed_by_size: Counter[str] = Counter()
        self.extent: Extent | None = None

    def _engine(self) -> Engine:
        return self._store.engine

    def due_in_s(self) -> float:
        """Return when to look again [s]."""
        return max(0.0, self._due_at - time.monotonic())

    def step(self) -> bool:
        """Do a part of what is due; return whether more is to be done at once.

        Raises:
            SQLAlchemyError: the database cannot be reached; the round begins again later.
        """
        if self._round is None and self.due_in_s() > 0:
            return False
        work, self._round = self._round or self._look(), None  # forgotten where it fails
        if next(work, False) is None:
            self._round = work
            return True
        begun = self.extent and any(self.extent.oldest_ns.values())
        self._due_at = time.monotonic() + (PERIOD_S if begun else _FIRST_PERIOD_S)
        return False

    def _look(self) -> Iterator[None]:
        if time.monotonic() >= self._forget_at:  # clocks are set, and rows are copied to here late
            self._forget_at = time.monotonic() + _FORGET_S
            self._looked_to.clear()
        for table in METADATA.sorted_tables:
            span_ns = self._decision_span_ns + _MARGIN_NS if table is DECISIONS else self._span_ns
            yield from self._delete_before(table, self._now_ns() - span_ns, self.removed_by_age)
        size = self._size()
        if size > self._max_bytes:
            size = yield from self._shrink(size)
        if self._engine().dialect.name == "sqlite":
            yield from self._vacuum()
        self.extent = Extent(size, {str(table.name): self._oldest_ns(table) for table in METADATA.sorted_tables})

    def _shrink(self, size: int) -> Generator[None, None, int]:
        """Delete what was received first until the size is well below the bound; return it."""
        while size > FILL * self._max_bytes:
            cut_ns = self._first_share_ends_ns()
            if cut_ns is None:
                _log.error(
                    "history is larger than history.max_mb, and what is left in it goes by history.days only, or waits for"
                    " PostgreSQL"
                )
                break
            for table in _BY_SIZE:
                yield from self._delete_before(table, cut_ns, self.removed_by_size)
            size = self._size()
        return size

    def _first_share_ends_ns(self) -> int | None:
        """Return where the first tenth of the time span ends that history covers; None where nothing in it may go."""
        spans = [self._span(part) for table in _BY_SIZE for part in self._parts(table)]
        known = [span for span in spans if span is not None]
        if not known:
            return None
        oldest, newest = min(first for first, _ in known), max(last for _, last in known)
        if oldest < self._now_ns():  # or one wrong stamp would make everything old
            newest = min(newest, self._now_ns())
        waiting_ns = self._waiting_ns()
        if waiting_ns is not None and oldest >= waiting_ns - ON_TIME_NS:
            return None
        return int(oldest + max(1, (newest - oldest) // _SHARES))

    def _span(self, part: _Part) -> tuple[int, int] | None:
        """Return when the first and the last row of a part was received."""
        ordered = select(part.time).where(*part.conditions)
        with self._engine().connect() as connection:  # not min() and max(), which would read all that the index has not
            first = connection.execute(ordered.order_by(part.time).limit(1)).scalar()
            last = connection.execute(ordered.order_by(part.time.desc()).limit(1)).scalar()
        return None if first is None or last is None else (first, last)

    def _parts(self, table: Table) -> list[_Part]:
        """Return the rows of a table in parts, each with the column that says when they were received."""
        stamp = table.c.stamp_ns
        if table is DECISIONS:  # their stamp is the time of receipt
            return [_Part(stamp, ())]
        looked_to = self._looked_to.get(table.name)
        on_time = (table.c.received_ns.is_(None), *([stamp >= looked_to] if looked_to is not None else []))
        return [_Part(table.c.received_ns, (table.c.received_ns.is_not(None),)), _Part(stamp, on_time)]

    def _delete_before(self, table: Table, cut_ns: int, removed: Counter[str]) -> Iterator[None]:
        """Delete what was received before a time, unless it is still to be copied; in parts."""
        waiting_ns = self._waiting_ns()
        if waiting_ns is not None:
            cut_ns = min(cut_ns, waiting_ns - ON_TIME_NS)
        for part in self._parts(table):
            while True:
                with self._engine().execution_options(**IMMEDIATE).begin() as connection:
                    old = (part.time < cut_ns, *part.conditions)
                    chunk = select(part.time).where(*old).order_by(part.time).offset(CHUNK_ROWS).limit(1)
                    last_ns = connection.execute(chunk).scalar()
                    some = old if last_ns is None else (part.time <= last_ns, *part.conditions)
                    gone = connection.execute(delete(table).where(*some)).rowcount
                if gone:
                    removed[table.name] += gone
                if last_ns is None:
                    break
                yield
        self._looked_to[table.name] = min(cut_ns, self._now_ns() - 2 * ON_TIME_NS)

    def _vacuum(self) -> Iterator[None]:
        while give_pages_back(self._engine(), spare=_SPARE_PAGES, most=_VACUUM_PAGES):
            yield

    def _size(self) -> int:
        with self._engine().begin() as connection:
            return size_bytes(connection)

    def _oldest_ns(self, table: Table) -> int | None:
        with self._engine().connect() as connection:
            oldest: int | None = connection.execute(select(func.min(table.c.stamp_ns))).scalar()
            return oldest
