# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Track numbers of 16 bits for track ids of 32."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable

LAST_NUMBER = 65_535
REST_S = 60.0


class TrackNumbers:
    """Lends each track a number from 1, and lends it again only some time after the track has ended.

    Args:
        last: the highest number.
        rest_s: how long a number is not used again, so that a new track is not taken for the old one.
        now: returns a steady time [s].
    """

    def __init__(
        self, last: int = LAST_NUMBER, rest_s: float = REST_S, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._rest_s = rest_s
        self._now = now
        # With when it was given back, the oldest first.
        self._free = deque((-math.inf, number) for number in range(1, last + 1))
        self._lent: dict[int, int] = {}

    def lend(self, track_ids: Iterable[int]) -> list[int]:
        """Return the numbers of tracks; 0 for those that find none."""
        return [self._lent.get(track_id) or self._new(track_id) for track_id in track_ids]

    def give_back(self, track_ids: Iterable[int]) -> None:
        """Take back the numbers of tracks that have ended."""
        for track_id in track_ids:
            number = self._lent.pop(track_id, 0)
            if number:
                self._free.append((self._now(), number))

    def _new(self, track_id: int) -> int:
        if not self._free or self._now() - self._free[0][0] < self._rest_s:
            return 0
        _, number = self._free.popleft()
        self._lent[track_id] = number
        return number
