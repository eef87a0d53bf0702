# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Feeds PostgreSQL from the record on this disk, in order, in a thread of its own, whatever state the database is in."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from sqlalchemy import Table
from sqlalchemy.exc import SQLAlchemyError

from aegis.bridge.database import State, reason_of
from aegis.bridge.history.failures import database_backoff, is_corrupt, is_refusal
from aegis.bridge.history.record import Entry, Record, Settled
from aegis.bridge.history.records import Row
from aegis.bridge.history.retention import Retention
from aegis.bridge.history.store import Store
from aegis.bridge.history.writer import Writer

_log = logging.getLogger(__name__)

BATCH_MESSAGES, BATCH_BYTES = 1000, 2 * 10**6
UNANSWERED_S = 5.0  # beyond which a database is away, whatever comes of it
PAUSE_S = 0.25  # between batches that do not fill up: a transaction of few rows costs almost as much as one of many
_JOIN_S = 10.0


class Shipper:
    """Ships messages, and between two batches deletes what is too old or too much."""

    def __init__(
        self, record: Record, writer: Writer, store: Store, retention: Retention, waits_s: Callable[[], float]
    ) -> None:
        """Prepare.

        Args:
            record: to read.
            writer: of the record.
            store: the database to feed.
            retention: of that database.
            waits_s: returns for how long an answer of the database is waited for now.
        """
        self._record = record
        self._writer = writer
        self._store = store
        self._retention = retention
        self._waits_s = waits_s
        self.failures = 0  # attempts to ship, or to delete
        self._after_id = 0  # the last one that is at the database, or refused
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="history-shipper", daemon=True)
        self._state = State(False, time.time(), "it has not been reached yet")
        self.oldest_ns: int | None = None  # when the first message that is not shipped yet was received

    @property
    def state(self) -> State:
        """How the database is: away, too, while it leaves something unanswered."""
        waits_s = self._waits_s()
        if self._state.up and waits_s > UNANSWERED_S:
            return State(False, time.time() - waits_s, f"it has not answered for {waits_s:.0f} s")
        return self._state

    def start(self) -> None:
        """Begin to ship."""
        self._thread.start()

    def close(self) -> None:
        """Stop and join the thread; what is not shipped yet stays in the outbox."""
        self._stop.set()
        self._writer.committed.set()
        self._thread.join(_JOIN_S)
        if self._thread.is_alive():
            _log.error("the history database did not answer within %g s; what was under way is shipped again", _JOIN_S)
        self._store.engine.dispose()

    def _run(self) -> None:
        backoff = database_backoff()
        while not self._stop.is_set():
            try:
                more = self._ship_batch()
                more = self._retention.step() or more
            except Exception as error:  # noqa: BLE001 - the thread must live on; it is logged and tried again
                self._store.prepared = False  # it may come back without tables
                self._away(error)
                self._stop.wait(backoff.pause_s())
                continue
            backoff.reset()
            self._up()
            if not more and not self._stop.wait(PAUSE_S):
                self._writer.committed.wait(self._retention.due_in_s())

    def _ship_batch(self) -> bool:
        """Ship the next messages; return whether more wait."""
        self._writer.committed.clear()
        entries, rows = self._read() if self._writer.last_id > self._after_id else ([], [])
        if entries:
            self.oldest_ns = entries[0].at_ns
        self._store.prepare()
        if not entries:
            return False
        refused = self._insert(rows)
        for table, _, reason in refused:
            _log.error(
                "the history database refuses message of '%s': %s; it is kept in %s", table, reason, self._record.path
            )
        self._after_id = entries[-1].id
        self.oldest_ns = None
        size = sum(entry.bytes for entry in entries)
        self._writer.settle(Settled(self._after_id, len(entries), size, tuple(refused)))
        return self._writer.last_id > self._after_id

    def _read(self) -> tuple[Sequence[Entry], Sequence[tuple[Table, Row]]]:
        try:
            entries = self._record.outbox(self._after_id, most=BATCH_MESSAGES, most_bytes=BATCH_BYTES)
            return entries, self._record.rows_of(entries)
        except Exception as error:
            if is_corrupt(error):
                self._writer.reopen()
            raise RuntimeError(f"the history {self._record.path} cannot be read: {reason_of(error)}") from error

    def _insert(self, rows: Sequence[tuple[Table, Row]]) -> list[tuple[Table, Row, str]]:
        """Insert; return the rows that the database refuses for themselves, with the reason."""
        try:
            self._store.insert(rows)
        except Exception as error:
            if not is_refusal(error):
                raise
            if len(rows) == 1:
                return [(*rows[0], reason_of(error))]
            middle = len(rows) // 2
            return self._insert(rows[:middle]) + self._insert(rows[middle:])
        return []

    def _away(self, error: Exception) -> None:
        self.failures += 1
        reason = reason_of(error)
        if self._state.up or self._state.reason != reason:
            _log.error(
                "history waits on this disk: %s",
                reason,
                exc_info=None if isinstance(error, SQLAlchemyError) else error,
            )
        self._state = State(False, time.time() if self._state.up else self._state.since_s, reason)

    def _up(self) -> None:
        if not self._state.up:
            _log.info("the history database is there; %d messages have waited for it", self._writer.waiting)
            self._state = State(True, time.time())
