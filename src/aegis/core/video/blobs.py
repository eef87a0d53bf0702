# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Cells that stand out, joined over the spokes to echoes: sums by which centroid, extent and time are known when one closes.

What touches is one echo. An echo that is longer or wider than an object may be (land) is given in pieces: its parts in the boxes of
a grid over range and bearing, which is the same in every turn, so that the pieces of what is at rest are at rest too.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from aegis.core.kernels import video as kernels
from aegis.core.types import Floats, Ints

# Columns of a blob's row, as the kernel has them.
(CELLS, WEIGHT, CELL_SUM, CELL_SQUARES, ANGLE_SUM, ANGLE_SQUARES, TIME_SUM, FIRST_CELL, LAST_CELL, FIRST_SPOKE, LAST_SPOKE,
 FIRST_ANGLE, LAST_ANGLE, FIRST_TIME, PEAK, APPROACHING, RECEDING, SECTOR, ECHO) = range(19)  # fmt: skip
COLUMNS = 19
# And of an echo's.
_FIRST_CELL, _LAST_CELL, _FIRST_ANGLE, _LAST_ANGLE, _LAST_SPOKE = range(5)
_ADDED = [CELLS, WEIGHT, CELL_SUM, CELL_SQUARES, APPROACHING, RECEDING]


class Blobs:
    """The echoes that are open; `add` takes a spoke, `closed` gives those that no later spoke can touch.

    Args:
        cells: M, of a spoke.
        most: rows for blobs that are open, and for echoes.
        gap_cells, gap_spokes: cells, and spokes, that may be missing within an echo.
        max_cells: how long, and beside the beam's width how wide, an echo may be to be one object [cells].
        piece_cells: the same of the pieces of a larger one.
        beam: width of the beam [rad].
        marks: codes of echoes that approach, and that recede; 0: none.
    """

    def __init__(
        self, cells: int, *, most: int, gap_cells: int, gap_spokes: int, max_cells: int, piece_cells: int, beam: float,
        marks: tuple[int, int],
    ) -> None:  # fmt: skip
        self._gap, self._max_cells, self._piece, self._beam, self._marks = (
            gap_cells,
            max_cells,
            piece_cells,
            beam,
            marks,
        )
        middle = (np.arange(cells // piece_cells + 1) + 0.5) * piece_cells
        self._sectors: Ints = np.maximum(1, 2.0 * math.pi / (beam + piece_cells / middle)).astype(np.int64)
        self._labels: Ints = np.zeros((gap_spokes + 2, cells), np.int64)
        self._parents, self._echo_parents = np.arange(most), np.arange(most)
        self._free, self._echo_free = np.arange(most)[::-1].copy(), np.arange(most)[::-1].copy()
        self._rows: Floats = np.zeros((most, COLUMNS))
        self._echoes: Floats = np.zeros((most, 5))
        self._rows[:, LAST_SPOKE] = self._echoes[:, _LAST_SPOKE] = np.inf  # not in use
        self._counts: Ints = np.array([most, 0, most])
        self._waiting: Floats = np.zeros((0, COLUMNS))  # closed blobs of echoes that are not

    @property
    def dropped(self) -> int:
        """Return how many cells found no row so far."""
        return int(self._counts[1])

    def add(
        self,
        codes: NDArray[np.uint8],
        levels: NDArray[np.uint8],
        mask: NDArray[np.uint8],
        spoke: int,
        angle: float,
        time: float,
    ) -> None:
        """Take the next spoke: (M,) as sent, its levels, which cells stand out; number, angle [rad] and time [s], which grow."""
        self._labels[1:] = self._labels[:-1]
        kernels.join(
            codes, levels, mask, spoke, angle, time, *self._marks, self._gap, self._piece, self._sectors, self._labels,
            self._parents, self._free, self._rows, self._echo_parents, self._echo_free, self._echoes, self._counts,
        )  # fmt: skip

    def closed(self, spoke: int) -> Floats:
        """Return (K, COLUMNS) of what no spoke after this one can touch, an object or a piece of land each; forget them."""
        last = spoke - (len(self._labels) - 1)
        # Every blob names the echo that its own was joined to; those that were are free then.
        used = np.flatnonzero(np.isfinite(self._rows[:, LAST_SPOKE]))
        self._rows[used, ECHO] = self._roots(self._rows[used, ECHO])
        self._waiting[:, ECHO] = self._roots(self._waiting[:, ECHO])
        done = used[self._rows[used, LAST_SPOKE] <= last]
        pending = np.concatenate([self._waiting, self._rows[done[self._parents[done] == done]]])
        self._rows[done, LAST_SPOKE] = np.inf
        self._put_back(self._free, 0, done)

        echo = pending[:, ECHO].astype(np.int64)
        large, over = self._is_large(echo), self._echoes[echo, _LAST_SPOKE] <= last
        self._waiting = pending[~(large | over)]
        objects = _merged(pending[over & ~large])
        in_use = np.flatnonzero(np.isfinite(self._echoes[:, _LAST_SPOKE]))
        gone = in_use[(self._echo_parents[in_use] != in_use) | (self._echoes[in_use, _LAST_SPOKE] <= last)]
        self._echoes[gone, _LAST_SPOKE] = np.inf
        self._put_back(self._echo_free, 2, gone)
        out = np.concatenate([pending[large], objects])
        ordered: Floats = out[np.argsort(out[:, FIRST_SPOKE], kind="stable")]
        return ordered

    def open_since(self) -> float:
        """Return the time [s] at which the oldest echo that is open began, other than land; infinity where none is."""
        used = np.flatnonzero(np.isfinite(self._rows[:, LAST_SPOKE]))
        used = used[self._parents[used] == used]
        small = used[~self._is_large(self._roots(self._rows[used, ECHO]))]
        times = np.concatenate([self._rows[small, FIRST_TIME], self._waiting[:, FIRST_TIME]])
        return float(times.min(initial=np.inf))

    def all(self) -> Floats:
        """Return all that are open, as nothing follows; forget them."""
        self._labels[:] = 0
        return self.closed(np.iinfo(np.int64).max // 2)

    def _put_back(self, free: Ints, which: int, rows: Ints) -> None:
        n = int(self._counts[which])
        free[n : n + len(rows)] = rows
        self._counts[which] = n + len(rows)

    def _roots(self, echoes: Floats) -> Ints:
        """Return the echoes that these were joined to."""
        found = echoes.astype(np.int64)
        while len(found) and (self._echo_parents[found] != found).any():
            found = self._echo_parents[found]
        return found

    def _is_large(self, echoes: Ints) -> NDArray[np.bool_]:
        """Return whether echoes are larger than an object."""
        e = self._echoes[echoes]
        length = e[:, _LAST_CELL] - e[:, _FIRST_CELL] + 1.0
        across = (
            (e[:, _LAST_ANGLE] - e[:, _FIRST_ANGLE] - self._beam) * 0.5 * (e[:, _LAST_CELL] + e[:, _FIRST_CELL] + 1.0)
        )
        return np.asarray((length > self._max_cells) | (across > self._max_cells))


def _merged(blobs: Floats) -> Floats:
    """Return one row for each echo of these blobs."""
    if not len(blobs):
        return blobs
    _, index = np.unique(blobs[:, ECHO], return_inverse=True)
    n = int(index.max()) + 1
    out = np.zeros((n, COLUMNS))
    for column in (FIRST_CELL, FIRST_SPOKE, FIRST_ANGLE, FIRST_TIME):
        out[:, column] = np.inf
        np.minimum.at(out[:, column], index, blobs[:, column])
    for column in (LAST_CELL, LAST_SPOKE, LAST_ANGLE, PEAK):
        np.maximum.at(out[:, column], index, blobs[:, column])
    for column in _ADDED:
        out[:, column] = np.bincount(index, blobs[:, column], n)
    weight = blobs[:, WEIGHT]
    shift = blobs[:, FIRST_ANGLE] - out[index, FIRST_ANGLE]
    later = blobs[:, FIRST_TIME] - out[index, FIRST_TIME]
    squares = blobs[:, ANGLE_SQUARES] + 2.0 * shift * blobs[:, ANGLE_SUM] + shift**2 * weight
    out[:, ANGLE_SQUARES] = np.bincount(index, squares, n)
    out[:, ANGLE_SUM] = np.bincount(index, blobs[:, ANGLE_SUM] + shift * weight, n)
    out[:, TIME_SUM] = np.bincount(index, blobs[:, TIME_SUM] + later * weight, n)
    return out
