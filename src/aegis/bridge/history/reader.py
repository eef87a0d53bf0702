# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Read-only queries of a history database, in a few threads of their own, each within a time limit."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, event
from sqlalchemy.exc import SQLAlchemyError

from aegis.bridge.database import open_engine, reason_of
from aegis.bridge.history.failures import is_corrupt
from aegis.bridge.patience import Patience
from aegis.bridge.problem import no_history

_log = logging.getLogger(__name__)

QUERY_TIMEOUT_S = 5.0
_WORKERS = 2
_QUEUE = 32
_SQLITE_STEPS = 10_000  # of its virtual machine between two looks at the clock; about a millisecond
# On a network that drops everything the thread hangs until TCP gives up; the caller does not.
_PATIENCE_S = 2.0

T = TypeVar("T")


class Reader:
    """Runs functions of a connection that cannot write."""

    def __init__(
        self, url: str | URL, *, timeout_s: float = QUERY_TIMEOUT_S, on_corrupt: Callable[[], None] = lambda: None
    ) -> None:
        """Prepare.

        Args:
            url: of the database.
            timeout_s: that a query may take.
            on_corrupt: called in a thread when a query finds that the file is damaged.
        """
        self._timeout_s = timeout_s
        self._on_corrupt = on_corrupt
        engine = open_engine(url, statement_timeout_s=timeout_s)
        if engine.dialect.name == "postgresql":
            Patience(engine, timeout_s + _PATIENCE_S)
        self._engine = _read_only(engine)
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="history-reader")
        self._waiting = 0

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run a query, a function of a connection, and return its result; called on the event loop.

        Raises:
            ProblemError: 503, the database is away or takes too long, or too many queries wait.
        """
        if self._waiting >= _WORKERS + _QUEUE:
            raise no_history("too many questions to the history at a time")
        self._waiting += 1
        answer = asyncio.get_running_loop().run_in_executor(self._pool, self._run, query)
        answer.add_done_callback(self._answered)
        try:
            return await asyncio.wait_for(asyncio.shield(answer), self._timeout_s + _PATIENCE_S)
        except TimeoutError:
            raise no_history("the history database does not answer") from None

    def _answered(self, answer: asyncio.Future[Any]) -> None:
        self._waiting -= 1
        if not answer.cancelled():
            answer.exception()  # retrieved, also where the caller is gone

    def _run(self, query: Callable[[Connection], T]) -> T:
        end = time.monotonic() + self._timeout_s
        try:
            with self._engine.connect() as connection:
                if self._engine.dialect.name == "sqlite":
                    raw: Any = connection.connection.driver_connection
                    raw.set_progress_handler(lambda: time.monotonic() > end, _SQLITE_STEPS)
                return query(connection)
        except SQLAlchemyError as error:
            if time.monotonic() > end:
                raise no_history(
                    f"the answer would take longer than {self._timeout_s:g} s; narrow the question with since_s and until_s"
                ) from None
            _log.warning("the history database cannot be asked: %s", reason_of(error))
            if is_corrupt(error):
                self._on_corrupt()
            raise no_history("the history database cannot be asked now") from None

    def reconnect(self) -> None:
        """Forget the connections: the file is another one."""
        self._engine.dispose()

    def close(self) -> None:
        """Refuse further queries, wait for the threads, and close the connections."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._engine.dispose()


def _read_only(engine: Engine) -> Engine:
    if engine.dialect.name == "postgresql":
        return engine.execution_options(postgresql_readonly=True)

    @event.listens_for(engine, "connect")
    def forbid_writing(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA query_only=ON")

    return engine
