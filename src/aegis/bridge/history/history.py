# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Storage of events, threats, samples of tracks and decisions: in history.db on this disk, and where configured in PostgreSQL too.

Messages go into a queue in memory and from there into history.db. Then they are acknowledged: no kill and no power failure loses
them. PostgreSQL is fed from history.db; while it is away, the outbox grows.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias, TypeVar

from sqlalchemy import Connection, make_url
from sqlalchemy.exc import ArgumentError

from aegis.bridge.database import State, file_url, open_engine
from aegis.bridge.history.reader import Reader
from aegis.bridge.history.record import Record
from aegis.bridge.history.records import Content, Decision, Message, json_text
from aegis.bridge.history.retention import Retention
from aegis.bridge.history.settings import HistorySettings
from aegis.bridge.history.shipper import Shipper
from aegis.bridge.history.store import Store
from aegis.bridge.history.writer import Writer
from aegis.bridge.live.acknowledgements import Acknowledgements
from aegis.bridge.live.frames import Frame
from aegis.bridge.patience import Patience
from aegis.bridge.problem import ProblemError, no_history
from aegis.core.params import ConfigError
from aegis.core.types import Threats, Tracks
from aegis.ros.messages.reports import ReceivedEvent

Counts: TypeAlias = dict[str, float | str | Mapping[str, int] | None]

HISTORY_FILE = "history.db"
KEPT_WITHIN_S = 5.0
STATEMENT_S, ANSWER_S = 30.0, 32.0  # that PostgreSQL has for a statement, and then to say that it was too long
_MB = 10**6

T = TypeVar("T")


class History:
    """Stores messages and runs queries. Its threads run from `start` to `close`."""

    def __init__(self, settings: HistorySettings, state_dir: Path, *, decision_days: float = 0.0) -> None:
        """Prepare; no database is reached yet.

        Args:
            settings: of the history.
            state_dir: the folder of history.db, unless the settings name another file.
            decision_days: how long decisions are kept, where that is longer than `days`.

        Raises:
            ConfigError: the URL of the database is none that can be used.
            OSError: the record's file cannot be made.
        """
        self._track_period_ns = round(settings.track_period_s * 1e9)
        self._sampled_ns: int | None = None  # stamp of the last picture of tracks that was taken
        self.acknowledgements = Acknowledgements()  # of threats, from the decisions
        self.on_decision: Callable[[Decision], Awaitable[None]] | None = None  # called when one is on the disk
        days = max(settings.days, decision_days)

        def retention(store: Store, waiting_ns: Callable[[], int | None]) -> Retention:
            return Retention(
                store,
                days=settings.days,
                max_bytes=settings.max_mb * _MB,
                waiting_ns=waiting_ns,
                decision_days=days,
            )

        try:
            path, remote = places(settings.database_url.get_secret_value(), state_dir)
            self.source = remote or str(path.absolute())  # what is read: a URL, with its password, or a file
            record = Record(path, state_dir, outbox=bool(remote), decision_days=days, on_set_aside=self._reconnect)
            kept = retention(record.store, record.waiting_ns)
            self._writer = Writer(
                record,
                kept,
                self.acknowledgements,
                queue_bytes=settings.queue_mb * _MB,
                backlog_bytes=settings.backlog_max_mb * _MB,
            )
            self._record = record
            self._local = Reader(file_url(path), on_corrupt=self._writer.reopen)
            self._shipper: Shipper | None = None
            self._reader, self._retention = self._local, kept
            if remote:
                engine = open_engine(remote, statement_timeout_s=STATEMENT_S)
                waits_s = Patience(engine, ANSWER_S).waits_s
                store = Store(engine)
                self._reader, self._retention = Reader(remote), retention(store, lambda: None)
                self._shipper = Shipper(record, self._writer, store, self._retention, waits_s)
        except (ConfigError, OSError) as error:
            raise ConfigError(f"bridge: parameter 'history.database_url': {error}") from error

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: HistorySettings, state_dir: Path, *, decision_days: float) -> AsyncIterator[History]:
        """Run a history until the end of the block; the arguments are those of the class."""
        history = cls(settings, state_dir, decision_days=decision_days)
        history.start()
        try:
            yield history
        finally:
            await asyncio.get_running_loop().run_in_executor(None, history.close)

    def start(self) -> None:
        """Begin to write."""
        self._writer.start()
        if self._shipper:
            self._shipper.start()

    def close(self) -> None:
        """Commit what waits in memory and join the threads; what waits for PostgreSQL is shipped after the next start."""
        self._reader.close()
        self._local.close()
        if self._shipper:
            self._shipper.close()
        self._writer.close()
        self._record.close()

    def _reconnect(self) -> None:
        self._local.reconnect()

    # Storing: from any thread, without waiting; what does not fit is counted.

    def put_event(self, event: ReceivedEvent) -> None:
        """Keep an event."""
        self._put(event)

    def put_threats(self, frame: Frame[Threats]) -> None:
        """Keep an assessment."""
        threats = frame.data
        if len(threats):
            self._put(threats)

    def put_tracks(self, frame: Frame[Tracks]) -> None:
        """Keep a picture of tracks, if the last one that was kept is old enough; or younger, where time began anew."""
        tracks = frame.data
        due = self._sampled_ns is None or abs(tracks.stamp_ns - self._sampled_ns) >= self._track_period_ns
        if len(tracks) and due and self._put(tracks):
            self._sampled_ns = tracks.stamp_ns

    def _put(self, content: Content) -> bool:
        return not self._writer.put(Message(content, time.time_ns()))

    async def put_decision(
        self,
        *,
        kind: str,
        target_id: int,
        who: str,
        accept: bool,
        detail: Mapping[str, object] | None = None,
        address: str | None = None,
        request_id: str | None = None,
    ) -> Decision:
        """Keep a person's decision; return it once it is committed to the disk.

        Args:
            kind: what was decided on, such as `threat` or `ew_advice`.
            target_id: of that.
            who: decided.
            accept: acknowledged, or rejected.
            detail: what else is to be known about it.
            address, request_id: of the request in which it came; None where the audit of accounts has them.

        Raises:
            ProblemError: 503, it could not be committed, or has not been within some seconds.
        """
        now_ns = time.time_ns()
        text = json_text(dict(detail or {}))
        decision = Decision(secrets.token_hex(16), now_ns, kind, target_id, who, accept, text, address, request_id)
        done: Future[None] = Future()
        refused = self._writer.put(Message(decision, now_ns, done))
        if refused:
            raise ProblemError(503, f"the decision could not be kept: {refused}")
        try:
            async with asyncio.timeout(KEPT_WITHIN_S):
                await asyncio.shield(asyncio.wrap_future(done))  # the decision stays when its caller goes away
        except TimeoutError:
            raise ProblemError(503, f"the decision was not on the disk within {KEPT_WITHIN_S:g} s") from None
        if self.on_decision:
            await self.on_decision(decision)
        return decision

    def put_decision_of_another(self, decision: Decision) -> None:
        """Keep a decision that another bridge of the graph took, and has committed; it is counted where it cannot be kept."""
        self._put(decision)

    # Reading.

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run a query, a function of a read-only connection to the database.

        Raises:
            ProblemError: 503, the database is away, or takes too long.
        """
        if not self.state.up:
            raise no_history("the history database is away")
        return await self._reader.read(query)

    async def read_record(self, query: Callable[[Connection], T]) -> T:
        """Run a query on history.db, whichever database `read` uses.

        Raises:
            ProblemError: 503, it cannot be read, or takes too long.
        """
        return await self._local.read(query)

    @property
    def state(self) -> State:
        """How the database is: PostgreSQL, or else history.db."""
        return self._shipper.state if self._shipper else self._writer.state

    @property
    def pending(self) -> int:
        """How many messages wait to get to the database."""
        return self._writer.waiting

    def counts(self) -> Counts:
        """Return the counters since the start, what waits and for how long, and how the database is."""
        state, extent = self.state, self._retention.extent
        oldest_ns = self._shipper.oldest_ns if self._shipper else None
        return {
            **self._writer.counts(),
            "backlog_age_s": 0.0 if oldest_ns is None else max(0.0, round((time.time_ns() - oldest_ns) / 1e9, 3)),
            "database_failures": self._shipper.failures if self._shipper else 0,
            "removed_by_age": self._retention.removed_by_age.copy(),
            "removed_by_size": self._retention.removed_by_size.copy(),
            "database": "up" if state.up else "away",
            "database_since_s": round(state.since_s, 3),
            "database_reason": state.reason,
            "database_bytes": extent.bytes if extent else None,
        }

    def acknowledged(self) -> dict[str, dict[str, str | int]]:
        """Return for each stage which of its events are committed to the disk; see `acknowledged.Position`."""
        return self._writer.acknowledged()

    def oldest_s(self) -> dict[str, float | None]:
        """Return how far back history goes, by table, in seconds since 1970; None where it holds nothing, as far as is known."""
        extent = self._retention.extent
        return {name: None if ns is None else ns / 1e9 for name, ns in (extent.oldest_ns if extent else {}).items()}


def places(url: str, state_dir: Path) -> tuple[Path, str]:
    """Return where the record is, and the URL of the database that is fed from it; empty for none.

    Raises:
        ConfigError: it is no URL, or one of SQLite without a file, or in a folder that is not there.
    """
    if not url:
        return state_dir / HISTORY_FILE, ""
    try:
        parsed = make_url(url)
    except ArgumentError:  # its text repeats the URL, and with it a password
        raise ConfigError("not a URL of a database; 'sqlite:////path' or 'postgresql://...' is expected") from None
    if parsed.get_backend_name() != "sqlite":
        return state_dir / HISTORY_FILE, url
    if not parsed.database or parsed.database == ":memory:":
        raise ConfigError("'sqlite:////path' is expected, with the path of a file")
    path = Path(parsed.database)
    if not path.parent.is_dir():  # somebody has written it: the state directory alone may be missing
        raise ConfigError(f"there is no folder '{path.parent}' for {path}")
    return path, ""
