"""The bridge's memory: events, threats, samples of tracks and decisions, kept in a database whatever happens to it.

What is to be kept goes into a queue in memory, from there into the journal on this disk (then it is acknowledged: no kill and no
power failure loses it), and from there into the database. A database that is away lets the journal grow.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection

from aegis.bridge.database import open_engine
from aegis.bridge.history.acknowledged import Origin
from aegis.bridge.history.journal import Journal, Message
from aegis.bridge.history.reader import Reader
from aegis.bridge.history.records import Kind, encode_decision, encode_event, encode_threats, encode_tracks
from aegis.bridge.history.retention import Retention
from aegis.bridge.history.settings import HistorySettings
from aegis.bridge.history.shipper import Shipper
from aegis.bridge.history.store import Store
from aegis.bridge.history.writer import Writer
from aegis.bridge.live.frames import Frame
from aegis.bridge.problem import ProblemError, no_history
from aegis.core.params import ConfigError
from aegis.core.types import Threats, Tracks
from aegis.ros.messages.reports import ReceivedEvent

HISTORY_FILE = "history.db"
_MB = 10**6

T = TypeVar("T")


class History:
    """Keeps what it is given, and answers questions about it. Its threads run from `start` to `close`."""

    def __init__(self, settings: HistorySettings, state_dir: Path) -> None:
        """Prepare; no database is reached yet.

        Raises:
            ConfigError: the URL of the database is none that can be used.
            OSError: the journal's file cannot be made.
        """
        url = settings.database_url.get_secret_value() or f"sqlite:///{state_dir / HISTORY_FILE}"
        try:
            store = Store(open_engine(url))
            self._reader = Reader(url)
        except (ConfigError, OSError) as error:
            raise ConfigError(f"bridge: parameter 'history.database_url': {error}") from error
        self._track_period_ns = round(settings.track_period_s * 1e9)
        self._sampled_ns: int | None = None  # stamp of the last picture of tracks that was taken
        self._scanned_ns = time.time_ns()  # stamp of the last scan
        self._retention = Retention(
            store.engine,
            days=settings.days,
            max_bytes=settings.max_mb * _MB,
            present_ns=self._present_ns,
        )
        self._journal = Journal(state_dir)
        self._writer = Writer(
            self._journal,
            queue_bytes=settings.queue_mb * _MB,
            journal_bytes=settings.journal_max_mb * _MB,
        )
        self._store = store
        self._shipper = Shipper(self._journal, self._writer, store, self._retention)

    def start(self) -> None:
        """Begin to write."""
        self._writer.start()
        self._shipper.start()

    def close(self) -> None:
        """Commit what waits in memory to the journal and join the threads; what waits there is shipped after the next start."""
        self._reader.close()
        self._shipper.close()
        self._writer.close()
        self._store.engine.dispose()
        self._journal.close()

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: HistorySettings, state_dir: Path) -> AsyncIterator[History]:
        """Keep history until the end of the block; the arguments are those of the class."""
        history = cls(settings, state_dir)
        history.start()
        try:
            yield history
        finally:
            await asyncio.get_running_loop().run_in_executor(None, history.close)

    def _present_ns(self) -> int:
        """Return the time in which the radar is: in a replay that of the record, but never ahead of the clock."""
        return min(self._scanned_ns, time.time_ns())

    # What is to be kept: from any thread; nothing waits, and what there is no room for is counted.

    def put_event(self, event: ReceivedEvent) -> None:
        """Keep an event."""
        origin = Origin(event.stage, event.run_id, event.epoch, event.sequence)
        self._put(Kind.EVENT, encode_event(event), origin)

    def put_threats(self, frame: Frame[Threats]) -> None:
        """Keep an assessment."""
        threats = frame.data
        self._scanned_ns = threats.stamp_ns
        if len(threats):
            self._put(Kind.THREATS, encode_threats(threats))

    def put_tracks(self, frame: Frame[Tracks]) -> None:
        """Keep a picture of tracks, if the last one that was kept is old enough; or younger, where time began anew."""
        tracks = frame.data
        self._scanned_ns = tracks.stamp_ns
        due = self._sampled_ns is None or abs(tracks.stamp_ns - self._sampled_ns) >= self._track_period_ns
        if len(tracks) and due and self._put(Kind.TRACKS, encode_tracks(tracks)):
            self._sampled_ns = tracks.stamp_ns

    def _put(self, kind: Kind, payload: bytes, origin: Origin | None = None) -> bool:
        return not self._writer.put(Message(kind, payload, time.time_ns(), origin))

    async def put_decision(
        self, *, kind: str, target_id: int, who: str, accept: bool, detail: Mapping[str, Any] | None = None
    ) -> str:
        """Keep a person's decision; return its id once it is committed to the disk.

        Args:
            kind: what was decided on, such as `threat` or `ew_advice`.
            target_id: of that.
            who: decided.
            accept: acknowledged, or rejected.
            detail: what else is to be known about it.

        Raises:
            ProblemError: 503, it could not be committed.
        """
        now_ns = time.time_ns()
        decision = {
            "id": secrets.token_hex(16),
            "stamp_ns": now_ns,
            "kind": kind,
            "target_id": target_id,
            "who": who,
            "accept": accept,
            "detail": dict(detail or {}),
        }
        done: Future[None] = Future()
        refused = self._writer.put(Message(Kind.DECISION, encode_decision(decision), now_ns, done=done))
        if refused:
            raise ProblemError(503, f"the decision could not be kept: {refused}")
        await asyncio.shield(asyncio.wrap_future(done))  # who asked may go away; what was decided stays
        return str(decision["id"])

    # What is known.

    async def ask(self, question: Callable[[Connection], T]) -> T:
        """Return what a function returns of a read-only connection to the database.

        Raises:
            ProblemError: 503, the database is away, or takes too long.
        """
        if not self._shipper.state.up:
            raise no_history("the history database is away")
        return await self._reader.ask(question)

    @property
    def pending(self) -> int:
        """How many messages wait to get to the database."""
        counts = self._writer.counts()
        return int(counts["queue_messages"] + counts["backlog_messages"])

    def counts(self) -> dict[str, Any]:
        """Return the counters since the start, what waits and for how long, and how the database is."""
        state, oldest_ns, extent = self._shipper.state, self._shipper.oldest_ns, self._retention.extent
        return {
            **self._writer.counts(),
            "backlog_age_s": 0.0 if oldest_ns is None else max(0.0, round((time.time_ns() - oldest_ns) / 1e9, 3)),
            "database": "up" if state.up else "away",
            "database_since_s": round(state.since_s, 3),
            "database_reason": state.reason,
            "database_bytes": extent.bytes if extent else None,
        }

    def acknowledged(self) -> dict[str, dict[str, Any]]:
        """Return for each stage which of its events are committed to the disk; see `acknowledged.Position`."""
        return self._writer.acknowledged()

    def oldest_s(self) -> dict[str, float | None]:
        """Return how far back history goes, by table, in seconds since 1970; None where it holds nothing, as far as is known."""
        extent = self._retention.extent
        return {name: None if ns is None else ns / 1e9 for name, ns in (extent.oldest_ns if extent else {}).items()}
