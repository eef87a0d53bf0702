"""Cells that stand out, joined over the spokes to blobs: sums by which centroid, extent and time are known when one closes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aegis.core.kernels import video as kernels
from aegis.core.types import Floats, Ints

# Columns of a blob's row, as the kernel has them.
(CELLS, WEIGHT, CELL_SUM, CELL_SQUARES, ANGLE_SUM, ANGLE_SQUARES, TIME_SUM, FIRST_CELL, LAST_CELL, FIRST_SPOKE, LAST_SPOKE,
 FIRST_ANGLE, LAST_ANGLE, FIRST_TIME, PEAK, APPROACHING, RECEDING) = range(17)  # fmt: skip
COLUMNS = 17


class Blobs:
    """The blobs that are open; `add` takes a spoke, `closed` gives those that no later spoke can touch.

    Args:
        cells: M, of a spoke.
        most: rows for blobs that are open.
        gap_cells, gap_spokes: cells, and spokes, that may be missing within a blob.
        max_cells: how long, and beside the beam's width how wide, a blob may be [cells]; longer ones are cut.
        beam: width of the beam [rad].
        marks: codes of echoes that approach, and that recede; 0: none.
    """

    def __init__(
        self,
        cells: int,
        *,
        most: int,
        gap_cells: int,
        gap_spokes: int,
        max_cells: int,
        beam: float,
        marks: tuple[int, int],
    ) -> None:
        self._gap, self._max_cells, self._beam, self._marks = gap_cells, max_cells, beam, marks
        self._labels: Ints = np.zeros((gap_spokes + 2, cells), np.int64)
        self._parents: Ints = np.arange(most)
        self._free: Ints = np.arange(most)[::-1].copy()
        self._rows: Floats = np.zeros((most, COLUMNS))
        self._rows[:, LAST_SPOKE] = np.inf  # not in use
        self._counts: Ints = np.array([most, 0])

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
            codes, levels, mask, spoke, angle, time, *self._marks, self._gap, self._max_cells, self._beam, self._labels,
            self._parents, self._free, self._rows, self._counts,
        )  # fmt: skip

    def closed(self, spoke: int) -> Floats:
        """Return (K, COLUMNS) of the blobs that no spoke after this one can touch; forget them."""
        done = np.flatnonzero(self._rows[:, LAST_SPOKE] <= spoke - (len(self._labels) - 1))
        whole = self._rows[done[self._parents[done] == done]]
        self._rows[done, LAST_SPOKE] = np.inf
        n = int(self._counts[0])
        self._free[n : n + len(done)] = done
        self._counts[0] = n + len(done)
        ordered: Floats = whole[np.argsort(whole[:, FIRST_SPOKE], kind="stable")]
        return ordered

    def all(self) -> Floats:
        """Return all that are open, as nothing follows; forget them."""
        self._labels[:] = 0
        return self.closed(np.iinfo(np.int64).max // 2)
