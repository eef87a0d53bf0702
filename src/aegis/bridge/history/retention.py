# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Retention: what is too old or too much is deleted in small parts, between the batches that come in."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from sqlalchemy import Engine, Table, delete, func, select

from aegis.bridge.database import give_pages_back
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
_VACUUM_PAGES = 2000
_SPARE_PAGES = 10_000  # of an SQLite file
_BY_SIZE = [table for table in METADATA.sorted_tables if table is not DECISIONS]


@dataclass(frozen=True)
class Extent:
    """What the database holds, as of the last look."""

    bytes: int
    oldest_ns: dict[str, int | None]  # by table


class Retention:
    """Deletes by age and by size. Decisions go by age only."""

    def __init__(
        self,
        store: Store,
        *,
        days: float,
        max_bytes: float,
        present_ns: Callable[[], int],
        decision_days: float | None = None,
    ) -> None:
        """Prepare.

        Args:
            store: the history database.
            days: how far back it may go.
            max_bytes: how large it may be.
            present_ns: returns the time that age counts from; nothing is newer, or its stamp is wrong.
            decision_days: how far back decisions go, where that is farther.
        """
        self._store = store
        self._span_ns = round(days * _DAY_NS)
        self._decision_span_ns = max(self._span_ns, round((decision_days or 0.0) * _DAY_NS))
        self._max_bytes = max_bytes
        self._present_ns = present_ns
        self._round: Iterator[None] | None = None
        self._due_at = 0.0
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
        for table in METADATA.sorted_tables:
            span_ns = self._decision_span_ns + _MARGIN_NS if table is DECISIONS else self._span_ns
            yield from self._delete_before(table, self._present_ns() - span_ns)
        size = self._size()
        if size > self._max_bytes:
            size = yield from self._shrink(size)
        if self._engine().dialect.name == "sqlite":
            yield from self._vacuum()
        self.extent = Extent(size, {str(table.name): self._oldest_ns(table) for table in METADATA.sorted_tables})

    def _shrink(self, size: int) -> Generator[None, None, int]:
        """Delete the oldest until the size is well below the bound; return it."""
        while size > FILL * self._max_bytes:
            cut_ns = self._first_share_ends_ns()
            if cut_ns is None:
                _log.error("history is larger than history.max_mb, and what is left in it goes by history.days only")
                break
            for table in _BY_SIZE:
                yield from self._delete_before(table, cut_ns)
            size = self._size()
        return size

    def _first_share_ends_ns(self) -> int | None:
        """Return where the first tenth of the time span ends that history covers; None of an empty one."""
        with self._engine().connect() as connection:
            spans = [
                connection.execute(select(func.min(table.c.stamp_ns), func.max(table.c.stamp_ns))).one()
                for table in _BY_SIZE
            ]
        known = [(first, last) for first, last in spans if first is not None]
        if not known:
            return None
        oldest, newest = min(first for first, _ in known), max(last for _, last in known)
        if oldest < self._present_ns():  # or one wrong stamp would make everything old
            newest = min(newest, self._present_ns())
        return int(oldest + max(1, (newest - oldest) // _SHARES))

    def _delete_before(self, table: Table, cut_ns: int) -> Iterator[None]:
        stamp = table.c.stamp_ns
        while True:
            with self._engine().begin() as connection:
                chunk = select(stamp).where(stamp < cut_ns).order_by(stamp).offset(CHUNK_ROWS).limit(1)
                last_ns = connection.execute(chunk).scalar()
                connection.execute(delete(table).where(stamp < cut_ns if last_ns is None else stamp <= last_ns))
            if last_ns is None:
                return
            yield

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
