"""Takes what is to be kept, from any thread and without waiting, and commits it to the journal in a thread of its own."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import Counter
from dataclasses import asdict
from typing import Any

from aegis.bridge.history.acknowledged import Position, advance
from aegis.bridge.history.failures import database_backoff, is_corrupt, reason_of
from aegis.bridge.history.journal import Journal, Message, Settled
from aegis.bridge.history.records import Kind
from aegis.bridge.problem import ProblemError

_log = logging.getLogger(__name__)

_CLOSE_S = 3.0  # how long closing tries to write what waits
_LINGER_S = 0.01  # what comes within it shares one commit, and one wait for the disk
_REPORT_S = 10.0  # pause between reports of what is dropped


class Writer:
    """The queue before the journal, and the thread that empties it: all that waits goes in one transaction."""

    def __init__(self, journal: Journal, *, queue_bytes: float, journal_bytes: float) -> None:
        """Prepare.

        Args:
            journal: to write to.
            queue_bytes: what may wait in memory.
            journal_bytes: what may wait in the journal; beyond it tracks are refused, beyond twice as much everything.
        """
        self._journal = journal
        self._queue_limit = queue_bytes
        self._journal_limit = journal_bytes
        self._changed = threading.Condition()
        self._queue: list[Message] = []
        self._settled = Settled()
        self._queue_messages = self._queue_bytes = 0  # what is being written included
        self._backlog_messages = self._backlog_bytes = 0
        self._journaled = self._shipped = self._refused = self._failures = 0
        self._dropped: Counter[str] = Counter()
        self._reported_at = -math.inf
        self._positions: dict[str, Position] = {}
        self._open = False
        self._failing = ""  # why the journal cannot be written at present
        self._stop_by: float | None = None
        self._thread = threading.Thread(target=self._run, name="history-writer", daemon=True)
        self.last_id = 0
        self.committed = threading.Event()  # set at every commit, for who reads the journal

    # From any thread.

    def start(self) -> None:
        """Open the journal, so that what is left in it is known, and begin to write; where it fails, it is tried again later."""
        error = self._attempt([], Settled())
        if error is not None:
            self._failed([], error)
        self._thread.start()

    def put(self, message: Message) -> str:
        """Take a message, or return why not: there is no room for it. Then it is dropped, and counted."""
        with self._changed:
            reason = self._no_room(message)
            if reason:
                self._drop(message.kind, 1, reason)
                return reason
            self._queue.append(message)
            self._queue_messages += 1
            self._queue_bytes += len(message.payload)
            self._changed.notify()
        return ""

    def _no_room(self, message: Message) -> str:
        if self._stop_by is not None:
            return "the bridge is stopping"
        if message.done and self._failing:
            return self._failing
        if self._queue_bytes + len(message.payload) > self._queue_limit:
            return f"{self._queue_messages} messages wait in memory for the journal {self._failing}".rstrip()
        limit = self._journal_limit if message.kind == Kind.TRACKS else 2 * self._journal_limit
        if self._backlog_bytes + self._queue_bytes + len(message.payload) > limit:
            return f"{self._backlog_messages} messages wait in the journal for the database"
        return ""

    def _drop(self, kind: str, n: int, reason: str) -> None:
        self._dropped[str(kind)] += n
        now = time.monotonic()
        if now - self._reported_at >= _REPORT_S:
            self._reported_at = now
            _log.error("history drops messages (%s): %s. Dropped so far: %s", kind, reason, dict(self._dropped))

    def settle(self, settled: Settled) -> None:
        """Let messages go that are at the database, and put aside what it refused; called by who reads the journal."""
        with self._changed:
            self._settled = self._settled.and_then(settled)
            self._changed.notify()

    def reopen(self) -> None:
        """Open the journal again; called by who could not read it."""
        with self._changed:
            self._open = False
            self._changed.notify()

    def counts(self) -> dict[str, Any]:
        """Return the counters since the start, and what waits."""
        with self._changed:
            return {
                "journaled": self._journaled,
                "shipped": self._shipped,
                "refused": self._refused,
                "dropped": dict(self._dropped),
                "backlog_messages": self._backlog_messages,
                "backlog_bytes": self._backlog_bytes,
                "queue_messages": self._queue_messages,
                "queue_bytes": self._queue_bytes,
                "journal_failures": self._failures,
                "journals_set_aside": self._journal.set_aside,
            }

    def acknowledged(self) -> dict[str, dict[str, Any]]:
        """Return each stage's position."""
        positions = self._positions  # replaced at a commit, never changed
        return {stage: asdict(position) for stage, position in positions.items()}

    def close(self) -> None:
        """Take nothing more, write what waits, and join the thread; what could not be written is counted and logged."""
        with self._changed:
            self._stop_by = time.monotonic() + _CLOSE_S
            self._changed.notify()
        self._thread.join()

    # In the thread.

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._queue or self._settled.messages or not self._open or self._stop_by is not None
                )
            time.sleep(_LINGER_S)
            with self._changed:
                batch, self._queue = self._queue, []
                settled, self._settled = self._settled, Settled()
                if self._stop_by is not None and not batch and not settled.messages:
                    return
            self._write(batch, settled)

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
                self._open_journal()
            origins = [message.origin for message in batch if message.origin]
            positions = advance(self._positions, origins) if origins else self._positions
            last_id = self._journal.commit(batch, settled, positions if origins else None)
        except Exception as error:  # noqa: BLE001 - the thread must live on; it is said, counted and tried again
            return error
        self._done(batch, settled, positions, last_id)
        return None

    def _open_journal(self) -> None:
        content = self._journal.open()
        with self._changed:
            self._positions = content.positions
            self._backlog_messages, self._backlog_bytes = content.messages, content.bytes
            self._open = True

    def _done(self, batch: list[Message], settled: Settled, positions: dict[str, Position], last_id: int) -> None:
        size = sum(len(message.payload) for message in batch)
        with self._changed:
            if self._failing:
                _log.warning("the journal can be written again")
                self._failing = ""
            self._positions = positions
            self._journaled += len(batch)
            self._shipped += settled.messages - len(settled.refused)
            self._refused += len(settled.refused)
            self._queue_messages -= len(batch)
            self._queue_bytes -= size
            # A journal that was begun anew has less than was settled.
            self._backlog_messages = max(0, self._backlog_messages + len(batch) - settled.messages)
            self._backlog_bytes = max(0, self._backlog_bytes + size - settled.bytes)
        self.last_id = last_id
        self.committed.set()
        for message in batch:
            if message.done:
                message.done.set_result(None)

    def _failed(self, batch: list[Message], error: Exception) -> list[Message]:
        """Tell those who wait, and return what is left to try again: what nobody waits for."""
        with self._changed:
            self._failures += 1
            if not self._failing:
                _log.error("the journal %s cannot be written: %s", self._journal.path, reason_of(error))
            self._failing = f"the journal cannot be written: {reason_of(error)}"
            if is_corrupt(error):
                self._open = False
            told = [message for message in (*batch, *self._queue) if message.done]
            self._queue = [message for message in self._queue if not message.done]
            self._forget(told)
        for message in told:
            assert message.done is not None
            message.done.set_exception(ProblemError(503, self._failing))
        return [message for message in batch if not message.done]

    def _give_up(self, batch: list[Message]) -> None:
        with self._changed:
            left = batch + self._queue
            self._queue = []
            self._forget(left)
        _log.error("the bridge stops, and %d messages for history are lost: %s", len(left), self._failing)

    def _forget(self, messages: list[Message]) -> None:
        for message in messages:
            self._drop(message.kind, 1, self._failing)
            self._queue_messages -= 1
            self._queue_bytes -= len(message.payload)

    def _pause(self, pause_s: float) -> bool:
        """Wait; return False when the time for closing is up."""
        with self._changed:
            self._changed.wait_for(lambda: self._stop_by is not None, pause_s)
            if self._stop_by is None:
                return True
            left_s = self._stop_by - time.monotonic()
            self._changed.wait(max(0.0, min(pause_s, left_s)))
            return left_s > 0
