# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The queue of messages to be stored, filled from any thread without waiting, and the thread that commits them."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import TypeAlias

from aegis.bridge.database import State, reason_of
from aegis.bridge.history.decisions import THREAT, acknowledgement_of
from aegis.bridge.history.failures import database_backoff, is_corrupt
from aegis.bridge.history.record import Committed, Record, Settled
from aegis.bridge.history.records import Decision, Kind, Message
from aegis.bridge.history.retention import Retention
from aegis.bridge.live.acknowledgements import Acknowledgements
from aegis.bridge.problem import ProblemError

_log = logging.getLogger(__name__)

_CLOSE_S = 3.0  # how long closing tries to write what waits
# How long a message may wait for others of its kind, to share one commit and one wait for the disk; None is what is settled.
_LINGER_S = {Kind.EVENT: 0.05, Kind.DECISION: 0.01, Kind.THREATS: 0.25, Kind.TRACKS: 0.25, None: 0.01}
_REPORT_S = 10.0  # pause between reports of what is dropped

Counts: TypeAlias = Mapping[str, int | Mapping[str, int]]


class Writer:
    """The queue, and the thread that commits it, in one transaction, as soon as something in it is due.

    Between two batches it deletes what is too old or too much.
    """

    def __init__(
        self,
        record: Record,
        retention: Retention,
        acknowledgements: Acknowledgements,
        *,
        queue_bytes: float,
        backlog_bytes: float,
    ) -> None:
        """Prepare.

        Args:
            record: to write to.
            retention: of the record.
            acknowledgements: receives those of the record, and new ones once they are committed.
            queue_bytes: what may wait in memory.
            backlog_bytes: what may wait for PostgreSQL; beyond it tracks are refused, beyond twice as much everything.
        """
        self._record = record
        self._retention = retention
        self._acknowledgements = acknowledgements
        self._queue_limit = queue_bytes
        self._backlog_limit = backlog_bytes
        self._changed = threading.Condition()
        self._queue: list[Message] = []
        self._settled = Settled()
        self._due_at: dict[Kind | None, float] = {}  # when what is in the two is to be written
        self._queue_messages = self._queue_bytes = 0  # what is being written included
        self._backlog_messages = self._backlog_bytes = 0
        self._committed = self._refused = self._shipped = self._failures = 0
        self._dropped: Counter[str] = Counter()
        self._reported_at = -math.inf
        self._open = False
        self.state = State(False, time.time(), "the history has not been opened yet")
        self._stop_by: float | None = None
        self._thread = threading.Thread(target=self._run, name="history-writer", daemon=True)
        self.last_id = 0  # of the outbox
        self.committed = threading.Event()  # set at every commit, for the shipper

    # From any thread.

    @property
    def failing(self) -> str:
        """Why history.db cannot be written at present; empty where it can."""
        return self.state.reason

    def start(self) -> None:
        """Open history.db and start the thread; an error is logged and tried again later."""
        error = self._attempt([], Settled())
        if error is not None:
            self._failed([], error)
        self._thread.start()

    def put(self, message: Message) -> str:
        """Queue a message; or drop and count it, and return why."""
        with self._changed:
            reason = self._refusal(message)
            if reason:
                self._drop(message.kind, 1, reason)
                return reason
            self._queue.append(message)
            self._queue_messages += 1
            self._queue_bytes += message.bytes
            self._write_soon(message.kind)
        return ""

    def _write_soon(self, kind: Kind | None) -> None:
        if kind not in self._due_at:
            self._due_at[kind] = time.monotonic() + _LINGER_S[kind]
            self._changed.notify()

    def _refusal(self, message: Message) -> str:
        if self._stop_by is not None:
            return "the bridge is stopping"
        if message.done and self.failing:
            return self.failing
        if self._queue_bytes + message.bytes > self._queue_limit:
            return f"{self._queue_messages} messages wait in memory for the disk {self.failing}".rstrip()
        limit = self._backlog_limit if message.kind == Kind.TRACKS else 2 * self._backlog_limit
        if self._backlog_bytes + self._queue_bytes + message.bytes > limit:
            return f"{self._backlog_messages} messages wait on this disk for the database"
        return ""

    def _drop(self, kind: str, n: int, reason: str) -> None:
        self._dropped[str(kind)] += n
        now = time.monotonic()
        if now - self._reported_at >= _REPORT_S:
            self._reported_at = now
            _log.error("history drops messages (%s): %s. Dropped so far: %s", kind, reason, dict(self._dropped))

    def settle(self, settled: Settled) -> None:
        """Delete entries of the outbox that PostgreSQL has, and store what it refused; called by the shipper."""
        with self._changed:
            self._settled = self._settled.and_then(settled)
            self._write_soon(None)

    def reopen(self) -> None:
        """Open history.db again; called where it could not be read."""
        with self._changed:
            self._open = False
            self._changed.notify()

    def counts(self) -> Counts:
        """Return the counters since the start, and what waits."""
        with self._changed:
            return {
                "journaled": self._committed,
                "shipped": self._shipped,
                "refused": self._refused,
                "dropped": dict(self._dropped),
                "backlog_messages": self._backlog_messages,
                "backlog_bytes": self._backlog_bytes,
                "queue_messages": self._queue_messages,
                "queue_bytes": self._queue_bytes,
                "journal_failures": self._failures,
                "journals_set_aside": self._record.set_aside,
            }

    @property
    def waiting(self) -> int:
        """How many messages are on their way."""
        with self._changed:
            return self._queue_messages + self._backlog_messages

    def acknowledged(self) -> dict[str, dict[str, str | int]]:
        """Return each stage's position."""
        return {stage: asdict(position) for stage, position in self._record.positions.items()}

    def close(self) -> None:
        """Refuse further messages, commit what waits, and join the thread; what cannot be written is counted and logged."""
        with self._changed:
            self._stop_by = time.monotonic() + _CLOSE_S
            self._changed.notify()
        self._thread.join()

    # In the thread.

    def _run(self) -> None:
        more = False
        while True:
            with self._changed:
                self._wait(0.0 if more else self._retention.due_in_s())
                batch = self._take()
                settled, self._settled = self._settled, Settled()
                if self._stop_by is not None and not batch and not settled.messages:
                    return
            if batch or settled.messages or not self._open:
                self._write(batch, settled)
            more = self._retain()

    def _wait(self, most_s: float) -> None:
        """Wait until something is to be done."""
        by = time.monotonic() + most_s
        while (
            self._open
            and self._stop_by is None
            and (left_s := min([by, *self._due_at.values()]) - time.monotonic()) > 0
        ):
            self._changed.wait(left_s)

    def _take(self) -> list[Message]:
        """Return the messages: all of them, as soon as those of one kind are due, for a commit costs more than what is in it."""
        batch, self._queue = self._queue, []
        self._due_at = {}
        return batch

    def _write(self, batch: list[Message], settled: Settled) -> None:
        """Write until it is done; while closing, until the time is up."""
        backoff = database_backoff()
        while (error := self._attempt(batch, settled)) is not None:
            batch = self._failed(batch, error)
            if not self._pause(backoff.pause_s()):
                self._give_up(batch)
                return

    def _attempt(self, batch: list[Message], settled: Settled) -> Exception | None:
        """Write; return why it failed."""
        try:
            if not self._open:
                self._open_record()
            committed = self._record.commit(batch, settled)
        except Exception as error:  # noqa: BLE001 - the thread must live on; it is logged, counted and tried again
            return error
        self._done(batch, settled, committed)
        return None

    def _open_record(self) -> None:
        content = self._record.open()
        self._acknowledgements.add(content.acknowledgements)
        with self._changed:
            self._backlog_messages, self._backlog_bytes = content.outbox_messages, content.outbox_bytes
            self._open = True

    def _done(self, batch: list[Message], settled: Settled, committed: Committed) -> None:
        size = sum(message.bytes for message in batch)
        feeds = self._record.feeds
        with self._changed:
            if not self.state.up:
                if self._failures:
                    _log.warning("history can be written again")
                self.state = State(True, time.time())
            self._committed += len(batch)
            self._refused += committed.refused + len(settled.refused)
            self._shipped += (settled.messages - len(settled.refused)) if feeds else len(batch) - committed.refused
            self._queue_messages -= len(batch)
            self._queue_bytes -= size
            if feeds:  # a record that was begun anew has less than was settled
                new = len(batch) - committed.refused - settled.messages
                self._backlog_messages = max(0, self._backlog_messages + new)
                self._backlog_bytes = max(0, self._backlog_bytes + size - settled.bytes)
        self.last_id = committed.last_id
        self.committed.set()
        self._acknowledge([message.content for message in batch if isinstance(message.content, Decision)])
        for message in batch:
            if message.done:
                message.done.set_result(None)

    def _acknowledge(self, decisions: list[Decision]) -> None:
        for one in decisions:
            if one.kind == THREAT and one.accept:
                acknowledgement = acknowledgement_of(one.detail, one.who, one.stamp_ns)
                if acknowledgement:
                    self._acknowledgements.add({one.target_id: acknowledgement})

    def _retain(self) -> bool:
        """Delete a part of what is too old or too much; return whether more is due at once."""
        if not self._open or self._stop_by is not None:
            return False
        try:
            with self._record.noting_corruption():
                return self._retention.step()
        except Exception as error:  # noqa: BLE001 - the thread must live on; it is logged and tried again
            _log.error("old history could not be deleted: %s", reason_of(error))
            if is_corrupt(error):
                self.reopen()
            return False

    def _failed(self, batch: list[Message], error: Exception) -> list[Message]:
        """Fail the messages that a caller waits for, and return the others, to be tried again."""
        with self._changed:
            if self.state.up or not self._failures:
                _log.error("the history %s cannot be written: %s", self._record.path, reason_of(error))
            self._failures += 1
            since_s = time.time() if self.state.up else self.state.since_s
            self.state = State(False, since_s, f"the history cannot be written: {reason_of(error)}")
            if is_corrupt(error):
                self._open = False
            waited_for = [message for message in (*batch, *self._queue) if message.done]
            self._queue = [message for message in self._queue if not message.done]
            self._forget(waited_for)
        for message in waited_for:
            assert message.done is not None
            message.done.set_exception(ProblemError(503, self.failing))
        return [message for message in batch if not message.done]

    def _give_up(self, batch: list[Message]) -> None:
        with self._changed:
            left = batch + self._queue
            self._queue = []
            self._forget(left)
        _log.error("the bridge stops, and %d messages for history are lost: %s", len(left), self.failing)

    def _forget(self, messages: list[Message]) -> None:
        for message in messages:
            self._drop(message.kind, 1, self.failing)
            self._queue_messages -= 1
            self._queue_bytes -= message.bytes

    def _pause(self, pause_s: float) -> bool:
        """Wait; return False when the time for closing is up."""
        with self._changed:
            self._changed.wait_for(lambda: self._stop_by is not None, pause_s)
            if self._stop_by is None:
                return True
            left_s = self._stop_by - time.monotonic()
            self._changed.wait(max(0.0, min(pause_s, left_s)))
            return left_s > 0
