# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Ids (of tracks, of EW advice) that are never used twice."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from aegis.core.types import Ints

BLOCK = 4096
LAST_ID = 2**32 - 1  # the messages carry uint32


class UniqueIds:
    """Hands out ids in order; ids are reserved a block at a time, before the first of a block is used.

    Who keeps what `reserve` was last called with, and begins the next run there, repeats no id, however this run ends; what was
    reserved and not used is skipped. `aegis.state` does so.

    Args:
        first: the first id.
        reserve: called with the first id that is not reserved; the ids before it are used only after it has returned. Where it
            could not keep that, it returns an id from which on another run repeats none: ids go on there.
    """

    def __init__(self, first: int = 1, reserve: Callable[[int], int | None] | None = None) -> None:
        self._next = self._reserved = first
        self._reserve = reserve

    def take(self, n: int) -> Ints:
        """Return n new ids.

        Raises:
            OverflowError: the 2^32 - 1 ids are used up.
        """
        end = self._next + n
        if end - 1 > LAST_ID:
            raise OverflowError(f"ids are used up ({LAST_ID}); remove the file that keeps them to begin again at 1")
        if self._reserve is not None and end > self._reserved:
            beyond = self._reserve(end + BLOCK)
            if beyond is not None and beyond > self._next and beyond + n - 1 <= LAST_ID:
                self._next, end = beyond, beyond + n
            self._reserved = end + BLOCK
        out = np.arange(self._next, end, dtype=np.int64)
        self._next = end
        return out
