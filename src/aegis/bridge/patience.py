# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Connections to PostgreSQL that give up a server which does not answer, while its end of the connection lives.

The server's own limits do not help where it is the server that hangs, as a stopped process or a disk of its own do, and TCP's
neither: its kernel acknowledges all that comes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from typing import Any

from sqlalchemy import Engine, event


class Patience:
    """How long the connections of an engine have waited for their server."""

    def __init__(self, engine: Engine, limit_s: float) -> None:
        """Give up what has not answered within a limit [s], on connections of the engine that are made from now on."""
        import psycopg

        self._limit_s = limit_s
        self._since_s: dict[int, float] = {}  # by thread, when the answer that it waits for was asked for
        patience = self

        class Connection(psycopg.Connection[Any]):
            def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
                thread = threading.get_ident()
                patience._since_s[thread] = time.monotonic()
                try:
                    return super().wait(patience._within(gen), *arguments, **options)
                except TimeoutError as error:
                    self.pgconn.finish()
                    raise psycopg.OperationalError(str(error)) from None
                finally:
                    patience._since_s.pop(thread, None)

        @event.listens_for(engine, "do_connect")
        def connect(
            _dialect: object, _record: object, words: list[Any], parameters: dict[str, Any]
        ) -> psycopg.Connection[Any]:
            return Connection.connect(*words, **parameters)

    def waits_s(self) -> float:
        """Return for how long the longest wait that goes on has lasted; 0 where there is none."""
        return max((time.monotonic() - since_s for since_s in [*self._since_s.values()]), default=0.0)

    def _within(self, steps: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """Let psycopg's steps go on until they end, or the time is over; psycopg looks ten times a second.

        Raises:
            TimeoutError: it is.
        """
        end_s = time.monotonic() + self._limit_s
        try:
            wanted = next(steps)
            while True:
                came = yield wanted
                if not came and time.monotonic() > end_s:
                    raise TimeoutError(
                        f"the server has not answered for {self._limit_s:g} s, and its connection is alive"
                    )
                wanted = steps.send(came)
        except StopIteration as end:
            return end.value
