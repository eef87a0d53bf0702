# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""All tracks as arrays, one row a track."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aegis.core.classification.stated import LOOK_STATED, STATED
from aegis.core.classification.track_memory import MEMORY
from aegis.core.kernels import rows as kernels
from aegis.core.tracking import motion
from aegis.core.tracking.existence import Existence
from aegis.core.tracking.motion import Kinematics
from aegis.core.types import Floats, Ints

# The kernels know this order.
REALS = (
    "existence",  # probability that the object exists
    "lasting",  # probability that an existing one is no transient
    "hidden",  # probability that an existing one is hidden
    "rcs_sum",  # [dBsm] over `rcs_looks` detections
    "rcs_looks",
    "scatter",  # standard deviation of an extended object's detections about its centre [m]
)
WHOLES = (
    "id",  # 0 as long as the track has none
    "birth",  # number of the first detection, unique
    "born_ns",
    "updated_ns",
    "hits",
    "class_id",
    "looked_ns",  # when it was last to be seen; later than updated_ns: it was not
    "apart_ns",  # when it was last detected with no other sure track in the same cell of the sensor; 0: never
    "noted_ns",  # when the last detection was that its memory of looks has taken
    "missed_ns",  # when a scan last said that it is not seen (`misses`); later than updated_ns: it is not
    "held_by",  # number of the sensor that detected it last; 0: not known
)
FLAGS = ("confirmed", "has_height")
# For classification by a model that remembers the looks at a track; else there is no such table.
LOOKS = (
    # Of the last detection:
    "look_rcs",  # [dBsm]
    "look_snr",  # [dB]
    "look_counts",  # 1: it says something of the class; 0: its SNR is too low, or it was jammed
    *LOOK_STATED,  # log-likelihood ratios of the classes that it stated; NaN: none
    *STATED,  # what was stated of it, remembered
    *MEMORY,
)
_MEMORY = slice(len(LOOKS) - len(MEMORY), None)
_STATED = slice(_MEMORY.start - len(STATED), _MEMORY.start)
_LOOK_STATED = slice(_STATED.start - len(LOOK_STATED), _STATED.start)
_OF_LOOKS = 3
CLOSE_IDS = 4  # so many times as many as there are tracks, up to which they are put in order by counting
_PLACE = {name: (k, i) for k, names in enumerate((REALS, WHOLES, FLAGS, LOOKS)) for i, name in enumerate(names)}


@dataclass(frozen=True)
class Rows:
    """N tracks. Who changes columns, `rows["hits"]`, does so in a `copy` of its own; kinematics are replaced.

    Columns of one type are one table, so that few operations choose, copy and join rows.
    """

    kinematics: Kinematics
    tables: tuple[Floats, Ints, NDArray[np.bool_]]  # (reals, N), (wholes, N), (flags, N)
    looks: Floats  # (looks, N), or (0, N) where classification remembers none: they are more than all others together

    def __len__(self) -> int:
        return int(self.tables[0].shape[1])

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of all that are there."""
        return (*REALS, *WHOLES, *FLAGS, *LOOKS[: len(self.looks)])

    def __getitem__(self, column: str) -> NDArray[Any]:
        table, row = _PLACE[column]
        out: NDArray[Any] = self.looks[row] if table == _OF_LOOKS else self.tables[table][row]
        return out

    def __setitem__(self, column: str, values: NDArray[Any] | float) -> None:
        self[column][:] = values

    @classmethod
    def blank(cls, kinematics: Kinematics, *, remember: bool = False) -> Rows:
        """Return tracks with these kinematics, and zeros in all columns; `remember`: also looks."""
        n = len(kinematics.x)
        reals, wholes = np.zeros((len(REALS), n)), np.zeros((len(WHOLES), n), np.int64)
        looks = np.zeros((len(LOOKS) if remember else 0, n))
        return cls(kinematics, (reals, wholes, np.zeros((len(FLAGS), n), np.bool_)), looks)

    @classmethod
    def empty(cls, modes: int, n: int, *, remember: bool = False) -> Rows:
        """Return no tracks."""
        none = Kinematics(np.empty((0, modes, n)), np.empty((0, modes, n, n)), np.empty((0, modes)))
        return cls.blank(none, remember=remember)

    def copy(self, kinematics: Kinematics | None = None) -> Rows:
        """Return the same tracks with columns of their own, and with these kinematics, if any are given."""
        reals, wholes, flags = self.tables
        return Rows(kinematics or self.kinematics, (reals.copy(), wholes.copy(), flags.copy()), self.looks.copy())

    def predicted(self, kinematics: Kinematics, existing: Existence) -> Rows:
        """Return the same tracks later: only what existence says is in columns of its own."""
        reals, wholes, flags = self.tables
        out = Rows(kinematics, (reals.copy(), wholes, flags), self.looks)
        out["existence"], out["lasting"] = existing
        return out

    @property
    def memory(self) -> Floats:
        """Return what classification remembers of their looks (M, N), or (0, N); a view."""
        return self.looks[_MEMORY]

    @property
    def stated(self) -> Floats:
        """Return what detections stated of their classes, remembered (len(STATED), N), or (0, N); a view."""
        return self.looks[_STATED]

    @property
    def look_stated(self) -> Floats:
        """Return what their last detections stated of their classes (len(LOOK_STATED), N), or (0, N); a view."""
        return self.looks[_LOOK_STATED]

    def existing(self) -> Existence:
        """Return what is known of their existence."""
        return Existence(self["existence"], self["lasting"])

    def keep_and_add(self, index: Ints, born: Rows) -> Rows:
        """Return the rows `index` (K,), ascending, and `born` after them."""
        if not len(born) and len(index) == len(self):
            return self
        n = len(index) + len(born)
        kinematics = Kinematics(*(np.empty((n, *old.shape[1:])) for old in self.kinematics))
        reals, wholes = np.empty((len(REALS), n)), np.empty((len(WHOLES), n), np.int64)
        flags = np.empty((len(FLAGS), n), np.bool_)
        out = Rows(kinematics, (reals, wholes, flags), np.empty((len(self.looks), n)))
        kernels.join(index, *self._as_tables(), *born._as_tables(), *out._as_tables())
        return out

    def _as_tables(self) -> tuple[Floats, Floats, Floats, Floats, Floats, Ints, NDArray[np.uint8]]:
        """Return the same memory, all that belongs to a track in one row of the kinematics, and the columns."""
        n, (x, P, weight), (reals, wholes, flags) = len(self), self.kinematics, self.tables
        return (
            x.reshape(n, math.prod(x.shape[1:])),
            P.reshape(n, math.prod(P.shape[1:])),
            weight,
            reals,
            self.looks,
            wholes,
            flags.view(np.uint8),
        )

    def mean(self, index: Ints | None = None) -> tuple[Floats, Floats]:
        """Return states (N, 6) and covariances (N, 6, 6), modes taken together, of some rows or all. Of all they may be views."""
        x, P, _ = self.kinematics
        if index is None and x.shape[1] == 1:
            return np.ascontiguousarray(x[:, 0, :6]), np.ascontiguousarray(P[:, 0, :6, :6])
        return motion.combine(self.kinematics, index)


def note_hits(
    rows: Rows, hit: Floats, close: Floats, best: Ints, detection: Ints, rcs: Floats, measured: NDArray[np.bool_],
    measured_ns: Ints,
) -> Ints:  # fmt: skip
    """Write into the columns what a scan says of them, and return the rows (F,) that it probably showed.

    Args:
        rows: changed in place.
        hit, close: (N,) probability that a track gave a detection; that it is in one cell of the sensor with another sure one.
        best: (N,) its most probable pair, -1 for none.
        detection: (K,) of each pair; rcs (D,), measured (D, 4): of the detections.
        measured_ns: (D,) when they were.
    """
    found = np.empty(len(hit), np.int64)
    reals, wholes, flags = rows.tables
    n = kernels.note_hits(
        hit, close, best, detection, measured_ns, rcs, measured.view(np.uint8), reals, wholes, flags.view(np.uint8), found
    )  # fmt: skip
    return found[:n]


def clear(rows: Rows, found: Ints, best: Ints, probability: Floats, probability_from: float, hits_from: int) -> Ints:
    """Return (C,) which of the rows `found` (F,) gave a detection surely, and did before.

    Args:
        rows: before the scan.
        best: (N,) most probable pair of each row; probability: (K,) of the pairs.
        probability_from: what is sure; hits_from: how many detections there have to have been.
    """
    out = np.empty(len(found), np.int64)
    n = kernels.clear(found, best, probability, rows.tables[1], probability_from, hits_from, out)
    return out[:n]


def by_id(rows: Rows, index: Ints) -> Ints:
    """Return the rows `index` (S,) in the order of their ids."""
    ids = rows["id"].take(index)
    lowest, highest = int(ids.min()), int(ids.max())
    if highest - lowest > CLOSE_IDS * len(ids):
        return index[np.argsort(ids, kind="stable")]
    out = np.empty_like(index)
    kernels.sort(rows.tables[1], index, lowest, np.zeros(highest - lowest + 2, np.int64), out)
    return out


def worth_keeping(rows: Rows, stamp_ns: int, begin_ns: int, lowest: float, max_coast_ns: int) -> Ints:
    """Return (K,) the rows that stay: those just detected, and those still likely to exist and not silent for too long.

    A new track that nobody has looked at since is as likely as it was.

    Args:
        rows: the tracks.
        stamp_ns: the time; begin_ns: of the first detection of what has just been seen, at the latest that time.
        lowest: existence probability; max_coast_ns: without a detection.
    """
    out = np.empty(len(rows), np.int64)
    n = kernels.worth_keeping(
        rows["existence"], rows["updated_ns"], rows["looked_ns"], stamp_ns, begin_ns, lowest, max_coast_ns, out
    )
    return out[:n]


def changes(before: Ints, after: Ints) -> tuple[Ints, Ints]:
    """Return what is only in `after`, and what is only in `before`; all ascending, each once."""
    gained, lost = np.empty(len(after), np.int64), np.empty(len(before), np.int64)
    g, k = kernels.changes(before, after, gained, lost)
    return gained[:g], lost[:k]
