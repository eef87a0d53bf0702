# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The spokes around the one that is judged: which of its cells stand out of their surroundings."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from aegis.core.kernels import video as kernels
from aegis.core.types import Ints
from aegis.core.video.settings import ThresholdSettings

Bytes = NDArray[np.uint8]
Where = tuple[float, float, float]  # a spoke's angle, time, and angle from the bow
Judged = tuple[Bytes, Bytes, Bytes, Where]

MAX_SIDE = 1024  # spokes
LEAST = 16  # cells of a region whose mean is taken
_BEFORE, _AROUND, _BEHIND = 0, 1, 2


class Window:
    """A ring of spokes. A spoke is judged when those on its far side have come; `flush` judges the last ones without.

    Args:
        cells: M, of a spoke.
        settings: the threshold.
        spacing: angle between spokes [rad].
        full_scale: the largest level.
    """

    def __init__(self, cells: int, settings: ThresholdSettings, spacing: float, full_scale: int) -> None:
        self._s = settings
        self._floor = max(1.0, settings.level * full_scale)
        self._guard = min(MAX_SIDE, math.ceil(math.radians(settings.guard_deg) / spacing))
        self._reference = min(MAX_SIDE, max(1, round(math.radians(settings.reference_deg) / spacing)))
        self._along = min(self._guard, max(1, self._guard // 4))  # spokes around, on each side, for nearer and farther
        self._side = self._guard + self._reference
        self._size = 2 * self._side + 1
        self._codes: Bytes = np.zeros((self._size, cells), np.uint8)
        self._levels: Bytes = np.zeros((self._size, cells), np.uint8)
        self._where: list[Where] = [(0.0, 0.0, 0.0)] * self._size
        self._sums: Ints = np.zeros((3, 2, cells), np.int64)
        self._prefix: Ints = np.zeros((3, 2, cells + 1), np.int64)
        self._moments = np.zeros(2)
        self._mask: Bytes = np.zeros(cells, np.uint8)
        self._n = 0  # spokes that came since the begin

    def push(self, codes: Bytes, levels: Bytes, where: Where) -> Judged | None:
        """Take a spoke, (M,) as sent and its levels; return the one that can be judged now, with the cells that stand out.

        What is returned is valid until the next call.
        """
        k = self._n
        self._leave(k)
        at = k % self._size
        self._codes[at], self._levels[at], self._where[at] = codes, levels, where
        self._n = k + 1
        self._enter(k, k + 1)
        return self._judge(k - self._side, k + 1)

    def flush(self) -> Iterator[Judged]:
        """Yield the spokes that wait; then begin anew."""
        n = self._n
        for k in range(n, n + self._side):
            self._leave(k)
            self._enter(k, n)
            judged = self._judge(k - self._side, n)
            if judged is not None:
                yield judged
        self._n = 0
        self._sums[:] = 0

    def _leave(self, k: int) -> None:
        """Take away what is no more in its region when spoke `k` comes; before that takes the place of the oldest."""
        centre = k - self._side
        for region, spoke in (
            (_BEHIND, centre + self._guard),
            (_AROUND, centre - self._along - 1),
            (_BEFORE, centre - self._side - 1),
        ):
            if 0 <= spoke < self._n:
                kernels.slide(self._levels, self._sums, region, -1, spoke % self._size)

    def _enter(self, k: int, n: int) -> None:
        """Add what comes into its region with spoke `k`; there are `n` spokes."""
        centre = k - self._side
        for region, spoke in ((_BEHIND, k), (_AROUND, centre + self._along), (_BEFORE, centre - self._guard - 1)):
            if 0 <= spoke < n:
                kernels.slide(self._levels, self._sums, region, spoke % self._size, -1)

    def _judge(self, centre: int, n: int) -> Judged | None:
        """Return a spoke with the cells that stand out; None before the first. There are `n` spokes."""
        if not 0 <= centre < n:
            return None

        def within(begin: int, end: int) -> int:
            return max(0, min(end, n) - max(begin, 0))

        counts = np.array(
            [
                within(centre - self._side, centre - self._guard),
                within(centre - self._along, centre + self._along + 1),
                within(centre + self._guard + 1, centre + self._side + 1),
            ]
        )
        at, s = centre % self._size, self._s
        kernels.threshold(
            self._levels[at], self._sums, counts, self._prefix, self._moments, s.guard_cells, s.reference_cells, s.guard_cells // 2,
            LEAST, self._floor, s.factor, self._mask,
        )  # fmt: skip
        return self._codes[at], self._levels[at], self._mask, self._where[at]
