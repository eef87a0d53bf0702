# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How long to wait before the next attempt at what keeps failing."""

from __future__ import annotations

import random

JITTER = (0.5, 1.0)  # the parts of a pause between which chance chooses


class Backoff:
    """Pauses that double up to a bound.

    Args:
        shortest_s: the first pause [s].
        longest_s: the bound [s].
        jitter: shortens each pause by chance, so that several that failed together do not return together; None: exact pauses.
    """

    def __init__(self, shortest_s: float, longest_s: float, jitter: random.Random | None = None) -> None:
        self._shortest_s, self._longest_s, self._jitter = shortest_s, longest_s, jitter
        self.reset()

    def reset(self) -> None:
        """Begin with the shortest pause again: an attempt succeeded."""
        self._next_s = self._shortest_s

    def pause_s(self) -> float:
        """Return the next pause [s]."""
        pause_s, self._next_s = self._next_s, min(2.0 * self._next_s, self._longest_s)
        return pause_s if self._jitter is None else pause_s * self._jitter.uniform(*JITTER)
