"""Moves what the journal holds to the history database, in order, in a thread of its own, whatever state the database is in."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from aegis.bridge.history.failures import database_backoff, is_corrupt, is_refusal, reason_of
from aegis.bridge.history.journal import Journal, Row, Settled
from aegis.bridge.history.retention import Retention
from aegis.bridge.history.store import Store
from aegis.bridge.history.writer import Writer

_log = logging.getLogger(__name__)

BATCH_MESSAGES, BATCH_BYTES = 1000, 2 * 10**6
PAUSE_S = 0.25  # between batches that do not fill up: a transaction of few rows costs almost as much as one of many
_JOIN_S = 10.0


@dataclass(frozen=True)
class State:
    """How the database is."""

    up: bool
    since_s: float  # since 1970
    reason: str = ""


class Shipper:
    """Ships, and lets history that is too old or too large go between two batches."""

    def __init__(self, journal: Journal, writer: Writer, store: Store, retention: Retention) -> None:
        self._journal = journal
        self._writer = writer
        self._store = store
        self._retention = retention
        self._after_id = 0  # the last one that is at the database, or refused
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="history-shipper", daemon=True)
        self.state = State(False, time.time(), "it has not been reached yet")
        self.oldest_ns: int | None = None  # when the first message was taken that could not be shipped yet

    def start(self) -> None:
        """Begin to ship."""
        self._thread.start()

    def close(self) -> None:
        """Stop and join the thread; what is not shipped yet stays in the journal."""
        self._stop.set()
        self._writer.committed.set()
        self._thread.join(_JOIN_S)
        if self._thread.is_alive():
            _log.error("the history database did not answer within %g s; what was under way is shipped again", _JOIN_S)

    def _run(self) -> None:
        backoff = database_backoff()
        while not self._stop.is_set():
            try:
                more = self._ship_batch()
                more = self._retention.step() or more
            except Exception as error:  # noqa: BLE001 - the thread must live on; it is said and tried again
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
        rows = self._read() if self._writer.last_id > self._after_id else []
        if rows:
            self.oldest_ns = rows[0].at_ns
        self._store.prepare()
        if not rows:
            return False
        refused = self._insert(rows)
        for row_id, reason in refused.items():
            _log.error(
                "the history database refuses message %d: %s; it is kept in %s", row_id, reason, self._journal.path
            )
        self._after_id = rows[-1].id
        self.oldest_ns = None
        size = sum(len(row.payload) for row in rows)
        self._writer.settle(Settled(self._after_id, len(rows), size, refused))
        return self._writer.last_id > self._after_id

    def _read(self) -> Sequence[Row]:
        try:
            return self._journal.read(self._after_id, most=BATCH_MESSAGES, most_bytes=BATCH_BYTES)
        except Exception as error:
            if is_corrupt(error):
                self._writer.reopen()
            raise RuntimeError(f"the journal {self._journal.path} cannot be read: {reason_of(error)}") from error

    def _insert(self, rows: Sequence[Row]) -> dict[int, str]:
        """Insert; of messages that the database refuses for themselves, return the reasons by id."""
        try:
            self._store.insert(rows)
        except Exception as error:
            if not is_refusal(error):
                raise
            if len(rows) == 1:
                return {rows[0].id: reason_of(error)}
            middle = len(rows) // 2
            return self._insert(rows[:middle]) | self._insert(rows[middle:])
        return {}

    def _away(self, error: Exception) -> None:
        reason = reason_of(error)
        if self.state.up or self.state.reason != reason:
            _log.error(
                "history waits in the journal: %s",
                reason,
                exc_info=None if isinstance(error, SQLAlchemyError) else error,
            )
        self.state = State(False, time.time() if self.state.up else self.state.since_s, reason)

    def _up(self) -> None:
        if not self.state.up:
            _log.info(
                "the history database is there; %d messages have waited for it",
                self._writer.counts()["backlog_messages"],
            )
            self.state = State(True, time.time())
