# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How long ago it was read what has been revoked: a bridge that cannot know that any more takes no tokens."""

from __future__ import annotations

import time
from collections.abc import Callable

from aegis.bridge.problem import ProblemError


class Freshness:
    """Of one of several bridges, which learn from a database and from each other.

    That a bridge hears the others counts as having read only while it has missed nothing since it last read the database.
    """

    def __init__(self, limit_s: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin as if it had just been read; 0 is no limit.

        A bridge that is alone makes all revocations itself, but for the console's.
        """
        self._limit_s = limit_s
        self._clock = clock
        self._read_s = self._known_s = clock()
        self._unbroken_s: float | None = None  # since when the others are heard without a gap

    def read(self, begun_s: float) -> None:
        """Note that the database was read; `begun_s` is when that began."""
        self._read_s = max(self._read_s, begun_s)
        self._known_s = max(self._known_s, begun_s)

    def heard(self, gap: bool) -> None:
        """Note that the others are heard; with a gap, something may have been missed before."""
        now = self._clock()
        if gap or self._unbroken_s is None:
            self._unbroken_s = now
        if self._read_s >= self._unbroken_s:
            self._known_s = now

    @property
    def is_over(self) -> bool:
        """Whether it is not known any more what was revoked."""
        return self._limit_s > 0.0 and self._clock() - self._known_s > self._limit_s

    def require(self) -> None:
        """Refuse where that is so.

        Raises:
            ProblemError: 503.
        """
        if self.is_over:
            raise ProblemError(
                503,
                "no token is taken now: this bridge reaches neither PostgreSQL nor Redis, and cannot know what was revoked",
                retry_after=2,
            )
