# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The database of accounts, and the threads that work on it.

Of a bridge that is alone it is bridge.db, a local SQLite file, also where the history lives in PostgreSQL: the person who has to
find out why that database is away must be able to log in, and a revocation must be kept without it. Several bridges share it, in
PostgreSQL; while that is away nobody can log in, and who is in stays so.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from aegis.bridge.accounts import audit_table, invites, sessions, users
from aegis.bridge.accounts.account import Account
from aegis.bridge.accounts.audit import Audit
from aegis.bridge.accounts.audit_table import BRIDGE, CONSOLE, Entry
from aegis.bridge.accounts.file import AccountsFile
from aegis.bridge.accounts.freshness import Freshness
from aegis.bridge.accounts.passwords import Passwords, new_password
from aegis.bridge.accounts.revocation_cache import Changes, RevocationCache, read_changes
from aegis.bridge.accounts.server import AccountsServer
from aegis.bridge.accounts.settings import AccountSettings
from aegis.bridge.background import running
from aegis.bridge.database import IMMEDIATE, reason_of
from aegis.bridge.problem import ProblemError

_log = logging.getLogger(__name__)

DATABASE_FILE = "bridge.db"
ADMINISTRATOR = "admin"
POLL_S = 2.0
SHARED_POLL_S = 1.0
START_S, START_PAUSE_S = 20.0, 1.0  # for so long a bridge that starts waits for a server, and so often it tries
SWEEP_S = 3600.0
_WORKERS = 2  # a reader is not to wait for a writer

P = ParamSpec("P")
R = TypeVar("R")


class Accounts:
    """Opens bridge.db, runs work on it in threads, and keeps the cache of revocations.

    Work is a function that takes a SQLAlchemy session first, as in `users`, `sessions`, `invites` and `service_tokens`. It is one
    transaction: where it raises, nothing has happened. An audit entry given with it is written in the same transaction.
    """

    def __init__(
        self,
        state_dir: Path,
        settings: AccountSettings | None = None,
        clock: Callable[[], float] = time.time,
        on_revoked: Callable[[frozenset[str]], None] = lambda _sessions: None,
        rescue: bool = False,
        server: str = "",
        freshness: Freshness | None = None,
    ) -> None:
        """Open the database, and make or migrate its tables.

        Args:
            state_dir: where it is.
            settings: the parameters; None takes their defaults.
            clock: seconds since 1970.
            on_revoked: called on the event loop with sessions that were just revoked.
            rescue: begin anew where the file is damaged, and work in a copy where it cannot be written.
            server: URL of the PostgreSQL that several bridges share, in the place of the file.
            freshness: of one of several bridges.

        Raises:
            ConfigError: a newer release has made the database; without `rescue`, also where the file is damaged or cannot be
                written.
            SQLAlchemyError: the server is away.
        """
        self.settings = settings or AccountSettings()
        self.now = clock
        self._shared = bool(server)
        self._file = AccountsServer(server) if server else AccountsFile(state_dir / DATABASE_FILE, rescue=rescue)
        self._engine = self._file.engine
        self._writer = self._engine.execution_options(**IMMEDIATE)
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="accounts")
        self.passwords = Passwords(self.settings.passwords.workers, self.settings.passwords.queue)
        self.audit = Audit(self._append, self.settings.audit.refusals_per_minute)
        self.revocations = RevocationCache(on_revoked, freshness)
        begun_s = time.monotonic()
        self.revocations.update(self.read_now(read_changes, 0))
        self.revocations.freshness.read(begun_s)
        self.poll_errors = 0
        self.trouble = ""  # why the database could not be looked at the last time
        self._look = asyncio.Event()  # that it is to be looked at now
        # For several bridges: tells the others what was revoked, and that something has changed.
        self.tell: Callable[[Sequence[str]], Awaitable[None]] | None = None

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        state_dir: Path,
        settings: AccountSettings,
        on_revoked: Callable[[frozenset[str]], None],
        *,
        server: str = "",
        freshness: Freshness | None = None,
    ) -> AsyncIterator[Accounts]:
        """Keep the accounts until the end of the block; the arguments are those of the class.

        Raises:
            SQLAlchemyError: the server has been away for some time.
        """
        give_up_s = time.monotonic() + START_S
        while True:
            try:
                accounts = cls(
                    state_dir, settings, on_revoked=on_revoked, rescue=True, server=server, freshness=freshness
                )
                break
            except SQLAlchemyError as error:
                if not server or time.monotonic() > give_up_s:
                    raise
                _log.error("the bridge waits for the accounts: PostgreSQL is away (%s)", reason_of(error))
            await asyncio.sleep(START_PAUSE_S)
        try:
            async with running(accounts.watch()):
                yield accounts
        finally:
            await asyncio.get_running_loop().run_in_executor(None, accounts.close)

    # In the caller's thread.

    def read_now(self, work: Callable[Concatenate[Session, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Do work that only reads."""
        with Session(self._engine, expire_on_commit=False) as session:
            return work(session, *args, **kwargs)

    def write_now(
        self, entry: Entry | None, work: Callable[Concatenate[Session, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Do work in a transaction, and write its audit entry in the same one."""
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            self._file.begin_writing(session)
            result = work(session, *args, **kwargs)
            if entry is not None:
                audit_table.append(session, entry, self.now())
        return result

    def add(self, name: str, password: str, role: str, by: str = CONSOLE) -> Account:
        """Add an account from the machine itself.

        Raises:
            ValueError: a name or role that is not allowed, or a name that is taken.
        """
        entry = Entry("users.add", by, name.lower(), detail={"role": role})
        return self.write_now(entry, users.add, name, self.passwords.hash(password), role)

    def ensure_administrator(self) -> str | None:
        """Make the first administrator where there is no account yet; return the new password, else None."""
        if self.read_now(users.count):
            return None
        password = new_password()
        self.add(ADMINISTRATOR, password, "admin", BRIDGE)
        return password

    # On the event loop.

    async def read(self, work: Callable[Concatenate[Session, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Do work that only reads, in a thread.

        Raises:
            ProblemError: 503, the database cannot be read.
        """
        return await self._run(lambda: self.read_now(work, *args, **kwargs))

    async def write(
        self, entry: Entry | None, work: Callable[Concatenate[Session, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Do work in a transaction in a thread, with its audit entry; then what it revoked is refused.

        Raises:
            ProblemError: 503, the database cannot be written.
        """

        def both() -> tuple[R, Changes, float]:
            result = self.write_now(entry, work, *args, **kwargs)
            begun_s = time.monotonic()
            return result, self.read_now(read_changes, self.revocations.last_revocation), begun_s

        result, changes, begun_s = await self._run(both)
        self.revocations.freshness.read(begun_s)
        if self.revocations.update(changes) and self.tell:
            await self.tell(changes.revoked)
        return result

    async def poll(self) -> None:
        """Look for what other processes have revoked.

        Raises:
            ProblemError: 503, the database cannot be read.
        """
        begun_s = time.monotonic()
        self.revocations.update(await self.read(read_changes, self.revocations.last_revocation))
        self.revocations.freshness.read(begun_s)

    def look_soon(self) -> None:
        """Let `watch` look at once."""
        self._look.set()

    def counts(self) -> dict[str, int]:
        """Return what went wrong; safe to call from another thread."""
        return {**self.audit.counts(), "poll_errors": self.poll_errors}

    async def watch(self) -> None:
        """Poll, summarise the audit and sweep out what has expired, until cancelled."""
        sweep_at = time.monotonic()
        while True:
            try:
                await asyncio.get_running_loop().run_in_executor(self._pool, self._file.put_back)
                await self.poll()
                if self.trouble:
                    _log.warning("the accounts can be looked at again")
                    self.trouble = ""
                await self.audit.summarise()
                if time.monotonic() >= sweep_at:
                    sweep_at = time.monotonic() + SWEEP_S
                    await self.write(None, self._sweep)
            except Exception as error:  # noqa: BLE001 - whatever it was, the next look may succeed
                self.poll_errors += 1
                if not self.trouble:
                    _log.exception("the accounts could not be looked at; what others revoke takes effect later")
                self.trouble = reason_of(error.__cause__ or error)
            with suppress(TimeoutError):
                async with asyncio.timeout(SHARED_POLL_S if self._shared else POLL_S):
                    await self._look.wait()
            self._look.clear()

    def close(self) -> None:
        """Stop the threads and close the database."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self.passwords.close()
        self._file.close()

    def _sweep(self, session: Session) -> None:
        now = self.now()
        sessions.purge(session, now, self.settings)
        invites.purge(session, now)
        audit_table.keep_for(session, self.settings.audit.days, now)

    async def _append(self, entry: Entry) -> None:
        await self._run(lambda: self.write_now(None, audit_table.append, entry, self.now()))

    async def _run(self, work: Callable[[], R]) -> R:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except SQLAlchemyError as error:
            # The disk is full, or another program holds the file for too long.
            raise ProblemError(503, "accounts cannot be read or written just now", retry_after=5) from error
