"""The database of accounts, bridge.db, and the threads that work on it.

It is always this local SQLite file, also where the history lives in PostgreSQL: the person who has to find out why that database is
away must be able to log in, and a revocation must be kept without it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from aegis.bridge.accounts import audit_table, invites, sessions, users
from aegis.bridge.accounts.account import Account
from aegis.bridge.accounts.audit import Audit
from aegis.bridge.accounts.audit_table import BRIDGE, CONSOLE, Entry
from aegis.bridge.accounts.file import AccountsFile
from aegis.bridge.accounts.passwords import Passwords, new_password
from aegis.bridge.accounts.revocation_cache import Changes, RevocationCache, read_changes
from aegis.bridge.accounts.settings import AccountSettings
from aegis.bridge.background import running
from aegis.bridge.database import IMMEDIATE
from aegis.bridge.problem import ProblemError

_log = logging.getLogger(__name__)

DATABASE_FILE = "bridge.db"
ADMINISTRATOR = "admin"
POLL_S = 2.0
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
    ) -> None:
        """Open the database, and make or migrate its tables.

        Args:
            state_dir: where it is.
            settings: the parameters; None takes their defaults.
            clock: seconds since 1970.
            on_revoked: called on the event loop with sessions that were just revoked.
            rescue: begin anew where the file is damaged, and work in a copy where it cannot be written.

        Raises:
            ConfigError: a newer release has made the file; without `rescue`, also where it is damaged or cannot be written.
        """
        self.settings = settings or AccountSettings()
        self.now = clock
        self._file = AccountsFile(state_dir / DATABASE_FILE, rescue=rescue)
        self._engine = self._file.engine
        self._writer = self._engine.execution_options(**IMMEDIATE)
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="accounts")
        self.passwords = Passwords(self.settings.passwords.workers, self.settings.passwords.queue)
        self.audit = Audit(self._append, self.settings.audit.refusals_per_minute)
        self.revocations = RevocationCache(on_revoked)
        self.revocations.update(self.read_now(read_changes, 0))
        self.poll_errors = 0

    @classmethod
    @asynccontextmanager
    async def open(
        cls, state_dir: Path, settings: AccountSettings, on_revoked: Callable[[frozenset[str]], None]
    ) -> AsyncIterator[Accounts]:
        """Keep the accounts until the end of the block; the arguments are those of the class."""
        accounts = cls(state_dir, settings, on_revoked=on_revoked, rescue=True)
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

        def both() -> tuple[R, Changes]:
            result = self.write_now(entry, work, *args, **kwargs)
            return result, self.read_now(read_changes, self.revocations.last_revocation)

        result, changes = await self._run(both)
        self.revocations.update(changes)
        return result

    async def poll(self) -> None:
        """Look for what other processes have revoked.

        Raises:
            ProblemError: 503, the database cannot be read.
        """
        self.revocations.update(await self.read(read_changes, self.revocations.last_revocation))

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
                await self.audit.summarise()
                if time.monotonic() >= sweep_at:
                    sweep_at = time.monotonic() + SWEEP_S
                    await self.write(None, self._sweep)
            except Exception:  # noqa: BLE001 - whatever it was, the next look may succeed
                self.poll_errors += 1
                _log.exception("bridge.db could not be looked at; what `aegis users` revokes takes effect later")
            await asyncio.sleep(POLL_S)

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
