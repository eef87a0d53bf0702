# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The fused tracks as arrays: rows are added at the end, and taken out all at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aegis.core.fusion import level
from aegis.core.fusion.information import Estimate, carried, seconds
from aegis.core.types import N_CLASSES, Floats, Ints

MOST_SOURCES = 63  # a bit each
_WHOLES = (
    "id",
    "time_ns",  # of the state
    "first_ns",  # of the first detection of any source
    "held_ns",  # of the last report in which a source had it
    "hits",
    "alone",  # number of the source that all of it is from; -1: several
    "holders",  # a bit for each source that holds it
    "class_id",
)
_ROWS = {
    "x": (6,),
    "P": (6, 6),
    "unsure": (2, 2),  # what is not known of the biases of those that it is from, in position
    "class_probability": (N_CLASSES,),
}
_REALS = ("existence", "rcs_dbsm")
_FLAGS = ("confirmed", "dead")


class System:
    """N tracks, ascending in id; `system["x"]` is a view that may be written to."""

    def __init__(self) -> None:
        self._n = 0
        self._columns: dict[str, NDArray[np.generic]] = {
            **{name: np.zeros(0, np.int64) for name in _WHOLES},
            **{name: np.zeros((0, *shape)) for name, shape in _ROWS.items()},
            **{name: np.zeros(0) for name in _REALS},
            **{name: np.zeros(0, np.bool_) for name in _FLAGS},
        }

    def __len__(self) -> int:
        return self._n

    def whole(self, name: str) -> Ints:
        """Return a column of whole numbers."""
        return self._columns[name][: self._n]  # type: ignore[return-value]

    def real(self, name: str) -> Floats:
        """Return a column of real numbers."""
        return self._columns[name][: self._n]  # type: ignore[return-value]

    def flag(self, name: str) -> NDArray[np.bool_]:
        """Return a column of flags."""
        return self._columns[name][: self._n]  # type: ignore[return-value]

    def estimate(self) -> Estimate:
        """Return all states, each at its own time."""
        return Estimate(self.real("x"), self.real("P"))

    def at(self, row: Ints, stamp_ns: int, noise: Floats) -> Estimate:
        """Return some states at a time, without heights that are none; `noise` as in `information.carried`."""
        return carried(level.released(self.estimate().rows(row)), seconds(stamp_ns - self.whole("time_ns")[row]), noise)

    def with_biases(self, row: Ints) -> Estimate:
        """Return some states, each at its own time, with what is not known of their sources' biases."""
        out = self.estimate().rows(row)
        out.P[:, :2, :2] += self.real("unsure")[row]
        return out

    def add(self, ids: Ints) -> Ints:
        """Add rows of zeros with these ids, which are larger than all others; return their numbers."""
        n = self._n + len(ids)
        if n > len(self._columns["id"]):
            room = max(2 * n, 64)
            for name, column in self._columns.items():
                larger = np.zeros((room, *column.shape[1:]), column.dtype)
                larger[: self._n] = column[: self._n]
                self._columns[name] = larger
        rows = np.arange(self._n, n)
        self._n = n
        for column in self._columns.values():
            column[rows] = 0
        self.whole("id")[rows] = ids
        return rows

    def find(self, ids: Ints) -> Ints:
        """Return the rows with these ids; -1 where there is none, or a dead one."""
        if not self._n:
            return np.full(len(ids), -1)
        own = self.whole("id")
        rows = np.minimum(np.searchsorted(own, ids), self._n - 1)
        return np.where((own[rows] == ids) & ~self.flag("dead")[rows], rows, -1)

    def holder_count(self, row: Ints) -> Ints:
        """Return by how many sources some tracks are held."""
        count: Ints = (self.whole("holders")[row, None] >> np.arange(MOST_SOURCES) & 1).sum(axis=1)
        return count

    def compact(self) -> None:
        """Take the dead rows out."""
        dead = self.flag("dead")
        if not dead.any():
            return
        keep = np.flatnonzero(~dead)
        for column in self._columns.values():
            column[: len(keep)] = column[: self._n][keep]
        self._n = len(keep)
