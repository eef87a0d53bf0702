# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Echoes of the ground: at no range rate all ranges hold them, and the cells at other range rates are no reference there.

The CFAR's window reaches over many range rates, of which the ground fills a few: what stands out of it there is ground as well. So
what is detected at almost no range rate has to stand out of the cells of the same range rate, before it and behind it, too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aegis.core.types import Floats, Ints

NEAREST_SHARE = 0.01  # of the farthest range: nearer, the law is not followed
DECAY = 3.0  # the ground's echo goes with this power of the range: its area grows with the range, and R^4 takes it away


class Ground:
    """Tells what stands out of the ground in maps of one shape."""

    def __init__(
        self, shape: tuple[int, int], range_m: Floats, range_rate_step_mps: float, widest_mps: float, margin_db: float,
        windows: tuple[int, int],
    ) -> None:  # fmt: skip
        """Prepare.

        Args:
            shape: of the maps (ranges, range rates), with range rates from 0 up, then the negative ones.
            range_m: (ranges,) of the cells.
            range_rate_step_mps: between two cells.
            widest_mps: the largest range rate of the ground's echoes; 0: there are none.
            margin_db: how far an echo has to stand out.
            windows: cells in range to either side that are no reference (guard), and beyond them those that are.
        """
        rows, columns = shape
        guard, train = windows
        rate = np.fft.fftfreq(columns, 1.0 / columns) * range_rate_step_mps
        self._is_static = (np.abs(rate) <= widest_mps) if widest_mps > 0.0 else np.zeros(columns, dtype=bool)
        self._columns = np.flatnonzero(self._is_static)
        self._place = np.cumsum(self._is_static) - 1  # of a column among these
        self._margin = 10.0 ** (margin_db / 10.0)
        self._law = (np.maximum(range_m, range_m[-1] * NEAREST_SHARE) / range_m[-1]) ** DECAY
        row = np.arange(rows)
        # Windows [from, to) before and behind every range; shorter at the ends, and empty where nothing is left.
        self._before = (np.maximum(row - guard - train, 0), np.maximum(row - guard, 0))
        self._behind = (np.minimum(row + guard + 1, rows), np.minimum(row + guard + train + 1, rows))

    @property
    def is_looked_for(self) -> bool:
        """Tell whether there is anything to do."""
        return len(self._columns) > 0

    def stands_out(self, power: NDArray[np.float32], noise: Floats, rows: Ints, cols: Ints) -> NDArray[np.bool_]:
        """Return which cells (N,) of a map are no ground: those of other range rates, and those that stand out of it.

        Args:
            power: the map; noise: (ranges,) the receiver's noise in it.
            rows, cols: of the cells.
        """
        out: NDArray[np.bool_] = ~self._is_static[cols]
        static = np.flatnonzero(~out)
        if not len(static):
            return out
        # What is more than noise, at one range as strong as at another.
        excess = np.maximum(power[:, self._columns] - noise[:, None], 0.0) * self._law[:, None]
        sums = np.zeros((len(power) + 1, len(self._columns)))
        np.cumsum(excess, axis=0, out=sums[1:])
        row, place = rows[static], self._place[cols[static]]
        # The greater of both means: the ground begins and ends somewhere.
        level = np.maximum(_mean(sums, self._before, row, place), _mean(sums, self._behind, row, place))
        ground = noise[row] + level / self._law[row]
        out[static] = power[row, cols[static]] > self._margin * ground
        return out


def _mean(sums: Floats, window: tuple[Ints, Ints], row: Ints, place: Ints) -> Floats:
    first, last = window[0][row], window[1][row]
    total = sums[last, place] - sums[first, place]
    return np.asarray(total / np.maximum(last - first, 1))
