# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""CFAR detection on a range-Doppler map of power summed over channels: CA, GO, SO and OS, see `cfar_theory`.

A cell's reference is the rectangle around it without the guard cells. Doppler is circular. In range the rectangle is clipped at the
edges of the map, and a row there has the exact threshold for the cells that are left to it. GO and SO compare the cells before with
those behind in range; of the cell's own row the left part belongs to those before and the right part to those behind. Where an edge
leaves less than half of one of these halves, both are averaged as in CA.

The threshold holds for reference cells that are independent. A window over fast or slow time makes neighbours alike, and there are
then more false alarms than stated.

CA, GO and SO only ever add, so that a strong target leaves no rounding error behind in cells that do not contain it; with float32
the mean is within 1e-6 of the exact one. OS is exact: x / alpha > k-th smallest just if at least k reference cells are below
x / alpha. Cells are first looked at by their power as 8 bits of eighths of an octave, 16 at once and in an even share of their
reference: there, almost every cell of noise is seen to have too few cells below. What is left is counted exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from aegis.core.kernels import cfar as kernels
from aegis.core.signal import cfar_theory
from aegis.core.signal.cfar_theory import KINDS, Kind
from aegis.core.signal.cube import CubeError
from aegis.core.types import Floats, Ints

Values = NDArray[Any]

MAX_POWER = 1e30  # sums of it stay within float32
MAX_REFERENCE = 30_000  # cells; counted in 16 bits
CHUNK = 16  # rows of the map that OS looks at together: what it needs of them stays in the fastest cache
UNROLLED = 8  # reference cells that the kernel counts at a time
SUM, GREATEST, SMALLEST = 0, 1, 2


@dataclass(frozen=True)
class CfarWindow:
    """Half widths of the reference window [cells]: the cell itself, then guard cells, then reference cells."""

    guard_range: int
    guard_doppler: int
    train_range: int
    train_doppler: int

    def __post_init__(self) -> None:
        """Check.

        Raises:
            ValueError: a width is negative, or there is no reference cell.
        """
        if min(self.guard_range, self.guard_doppler, self.train_range, self.train_doppler) < 0:
            raise ValueError(f"{self}: a width is negative")
        if self.train_range + self.train_doppler == 0:
            raise ValueError(f"{self} has no reference cells")

    @property
    def half_range(self) -> int:
        """Return the half width in range."""
        return self.guard_range + self.train_range

    @property
    def half_doppler(self) -> int:
        """Return the half width in Doppler."""
        return self.guard_doppler + self.train_doppler

    def offsets(self) -> Ints:
        """Return (N, 2) range and Doppler of the reference cells, relative to the cell under test, in order."""
        r, d = np.mgrid[-self.half_range : self.half_range + 1, -self.half_doppler : self.half_doppler + 1]
        reference = (abs(r) > self.guard_range) | (abs(d) > self.guard_doppler)
        return np.stack([r[reference], d[reference]], axis=1)


class Cfar:
    """A detector for maps of one shape. It keeps its memory.

    Attributes:
        alpha: (R,) multiplier of the reference's statistic in every row: of the mean (of a half), or of the ordered cell.
        count: (R,) number of reference cells of every row.
    """

    def __init__(
        self, kind: Kind, window: CfarWindow, pfa: float, channels: int, shape: tuple[int, int], rank: float = 0.75
    ) -> None:
        """Make a detector.

        Args:
            kind: "ca", "go", "so" or "os".
            window: the reference cells.
            pfa: probability of false alarm of one cell, 1e-15 to less than 1.
            channels: square-law samples that were summed in every cell of the map.
            shape: (R, D) ranges and Dopplers of the map.
            rank: OS takes the k-th smallest of N cells with k = N rank, rounded up.

        Raises:
            ValueError: a value out of bounds, or a window that does not fit the map; the message says which.
        """
        ranges, dopplers = shape
        half_range, half_doppler = window.half_range, window.half_doppler
        if kind not in KINDS:
            raise ValueError(f"CFAR kind {kind!r}; one of {', '.join(get_args(Kind))} is expected")
        if channels < 1 or min(shape) < 1:
            raise ValueError(f"{channels} channels and a map of shape {shape}; positive numbers are expected")
        if not 0.0 < rank <= 1.0:
            raise ValueError(f"rank is {rank:g}; more than 0 and at most 1 is expected")
        if 2 * half_doppler + 1 > dopplers:
            raise ValueError(f"{window} is {2 * half_doppler + 1} cells wide in Doppler; the map has {dopplers}")
        cells = window.offsets()
        if len(cells) > MAX_REFERENCE:
            raise ValueError(f"{window} has {len(cells)} reference cells; at most {MAX_REFERENCE} are expected")
        place = np.arange(ranges)[:, None] + cells[:, 0]
        inside = (place >= 0) & (place < ranges)
        self.count: Ints = inside.sum(axis=1)
        if not self.count.all():
            raise ValueError(f"{window} leaves row {int(self.count.argmin())} of {ranges} without reference cells")
        self.kind, self.window, self.pfa, self.channels, self.shape = kind, window, pfa, channels, (ranges, dopplers)

        # The map with a margin: circular in Doppler; in range what neither adds to a sum nor is below a level.
        self._power = np.full(
            (ranges + 2 * half_range, dopplers + 2 * half_doppler), np.inf if kind == "os" else 0.0, np.float32
        )
        self._found = np.empty(ranges * dopplers, np.int64)
        self._noise = np.empty(ranges * dopplers)
        if kind == "os":
            self._prepare_ordered(cells, inside, rank)
        else:
            self._prepare_average(cells, inside)

    def detect(self, power: NDArray[np.floating[Any]]) -> tuple[Ints, Ints, Floats]:
        """Return the row, the column and the mean noise power (of the sum) of every cell above its threshold, by row.

        The noise is estimated from the cell's reference, without bias in homogeneous noise. A cell whose reference gives no
        noise at all is no detection: it has no SNR.

        Args:
            power: (R, D) real; it is only read.

        Raises:
            CubeError: a cell that is not finite, negative, or above MAX_POWER.
            ValueError: another shape, or values that are not real.
        """
        if power.shape != self.shape or power.dtype.kind != "f":
            raise ValueError(f"a map of {power.dtype} {power.shape}; real values of shape {self.shape} are expected")
        if not (power.min() >= 0.0 and power.max() <= MAX_POWER):
            row, column = np.argwhere(~((power >= 0.0) & (power <= MAX_POWER)))[0]
            raise CubeError(
                "power", f"power {power[row, column]:g} in cell ({row}, {column}); 0 to {MAX_POWER:g} is expected"
            )
        half_range, half_doppler = self.window.half_range, self.window.half_doppler
        ranges, dopplers = self.shape
        rows = self._power[half_range : half_range + ranges]
        rows[:, half_doppler : half_doppler + dopplers] = power
        rows[:, :half_doppler] = power[:, dopplers - half_doppler :]
        rows[:, half_doppler + dopplers :] = power[:, :half_doppler]
        n = self._search()
        row, column = np.divmod(self._found[:n], dopplers)
        return row, column, self._noise[:n].copy()

    def _prepare_average(self, cells: Ints, inside: NDArray[np.bool_]) -> None:
        """Set up CA, GO and SO."""
        before = (cells[:, 0] < 0) | ((cells[:, 0] == 0) & (cells[:, 1] < 0))
        halves = np.stack([(inside & before).sum(axis=1), (inside & ~before).sum(axis=1)], axis=1)
        mode = np.full(len(halves), SUM)
        if self.kind != "ca":
            whole = 4 * halves.min(axis=1) >= len(cells)
            mode[whole] = GREATEST if self.kind == "go" else SMALLEST
        self.alpha = np.empty(len(halves))
        mean = np.empty(len(halves))
        for row, (lower, upper) in enumerate(halves):
            self.alpha[row], mean[row] = _average_alpha(int(mode[row]), self.pfa, self.channels, int(lower), int(upper))
        self._mode = mode
        self._weight = (self.alpha[:, None] / np.where(mode == SUM, self.count, halves.T).T).astype(np.float32)
        self._unbias = self.channels / (mean * self.alpha)
        self._sums = np.empty((3, self._power.shape[1]), np.float32)
        self._level = np.empty((2, self.shape[1]), np.float32)

    def _prepare_ordered(self, cells: Ints, inside: NDArray[np.bool_], rank: float) -> None:
        """Set up OS."""
        self._rank = np.maximum(np.ceil(rank * self.count - 1e-9), 1).astype(np.int64)
        self.alpha = np.empty(len(self.count))
        self._unbias = np.empty(len(self.count))
        for row, (count, k) in enumerate(zip(self.count.tolist(), self._rank.tolist(), strict=True)):
            self.alpha[row], mean = _ordered_alpha(self.pfa, self.channels, count, k)
            self._unbias[row] = self.channels / mean
        self._inverse = (1.0 / self.alpha).astype(np.float32)
        width = self._power.shape[1]
        self._offset = cells[:, 0] * width + cells[:, 1]
        # A cell can detect only if enough of this share of its reference is below its level: all but one more than N - k
        # cells would do, and twice as many let far less noise through.
        n, above = len(cells), len(cells) - max(1, math.ceil(rank * len(cells) - 1e-9))
        share = np.linspace(0, n - 1, min(n, 2 * (above + 1))).astype(np.int64)
        self._need = (self._rank - self.count + inside[:, share].sum(axis=1)).astype(np.int16)
        # Counting the last one more than once is on the safe side.
        self._share = np.append(self._offset[share], np.repeat(self._offset[share[-1]], -len(share) % UNROLLED))
        self._code = np.empty(self._power.size, np.int8)
        self._reference = np.empty(n, np.int32)
        self._chunk = np.zeros((2, CHUNK * width), np.int8), np.zeros(CHUNK * width, np.int16)
        self._limit = np.empty(self.shape, np.float32)
        self._statistic = np.empty(self._found.size, np.int32)

    def _search(self) -> int:
        """Return the number of detections found in the map with margin; they are in `_found` and `_noise`."""
        w = self.window
        if self.kind != "os":
            count: int = kernels.average(
                self._power, w.half_range, w.half_doppler, w.guard_range, w.guard_doppler, self._mode, self._weight,
                self._unbias, self._sums, self._level, self._found, self._noise,
            )  # fmt: skip
            return count
        inner = self._power[w.half_range :, w.half_doppler :][: self.shape[0], : self.shape[1]]
        np.multiply(inner, self._inverse[:, None], out=self._limit)
        n: int = kernels.ordered(
            self._power.reshape(-1).view(np.int32), self._limit.view(np.int32), w.half_range, w.half_doppler, self._offset,
            self._share, self._need, self._rank, self._code, *self._chunk[0], self._chunk[1], self._reference, self._found,
            self._statistic,
        )  # fmt: skip
        row = self._found[:n] // self.shape[1]
        np.multiply(self._statistic[:n].view(np.float32), self._unbias[row], out=self._noise[:n])
        return n


@cache
def _average_alpha(mode: int, pfa: float, channels: int, lower: int, upper: int) -> tuple[float, float]:
    """Return the multiplier, and the mean of what it multiplies."""
    if mode == SUM:
        return cfar_theory.alpha_ca(pfa, channels, lower + upper), float(channels)
    statistic = (cfar_theory.greatest if mode == GREATEST else cfar_theory.smallest)(channels, lower, upper)
    return statistic.alpha(pfa), statistic.mean


@cache
def _ordered_alpha(pfa: float, channels: int, count: int, rank: int) -> tuple[float, float]:
    """Return the multiplier, and the mean of what it multiplies."""
    statistic = cfar_theory.ordered(channels, count, rank)
    return statistic.alpha(pfa), statistic.mean
