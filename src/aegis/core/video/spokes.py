# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Some spokes of a turning radar's video, as the radar sent them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aegis.core.types import Floats

MAX_CELLS = 1 << 16
MAX_SPOKES = 1 << 14


class VideoError(ValueError):
    """Video that contradicts itself; `reason` is a short key for counting."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass
class Spokes:
    """Spokes that follow one another, N of M cells each.

    Raises:
        VideoError: on making, where shapes or values are no video's.
    """

    stamp_ns: int
    frame_id: str
    sequence: int
    sensor_id: str
    azimuth: Floats  # (N,) [rad] anticlockwise from x, which is forward on the platform
    heading: Floats  # (N,) [rad] of the platform, clockwise from true north; NaN unknown
    time_offset: Floats  # (N,) [s] when each was measured, after the stamp
    first_range_m: float  # near edge of the first cell
    cell_m: float  # length of a cell
    full_scale: int  # largest level that a sample has
    codes: NDArray[np.uint8]  # (N, M) levels, or the two below
    approaching: int = 0  # code of an echo that comes nearer, whose level is not told; 0: there is none
    receding: int = 0

    def __post_init__(self) -> None:
        n, m = self.codes.shape if self.codes.ndim == 2 else (-1, -1)
        if n < 1 or m < 1 or n > MAX_SPOKES or m > MAX_CELLS or self.codes.dtype != np.uint8:
            raise VideoError(
                "video shape",
                f"samples of {self.codes.dtype} {self.codes.shape}; bytes of (spokes, cells) are expected",
            )
        for name in ("azimuth", "heading", "time_offset"):
            if getattr(self, name).shape != (n,):
                raise VideoError("video shape", f"{name} has {getattr(self, name).size} values for {n} spokes")
        if not (np.isfinite(self.azimuth).all() and np.isfinite(self.time_offset).all()):
            raise VideoError("video not finite", "an azimuth or a time of a spoke is not finite")
        if not (np.isfinite(self.cell_m) and self.cell_m > 0.0 and np.isfinite(self.first_range_m)):
            raise VideoError(
                "video range", f"cells of {self.cell_m} m from {self.first_range_m} m; a length above 0 is expected"
            )
        if not 1 <= self.full_scale <= 255:
            raise VideoError("video scale", f"full scale {self.full_scale}; 1 to 255 are expected")

    def __len__(self) -> int:
        return len(self.codes)

    def levels(self) -> NDArray[np.uint8]:
        """Return (N, M) levels, full scale where a code is a mark."""
        if not (self.approaching or self.receding):
            return np.minimum(self.codes, np.uint8(self.full_scale))
        table = np.minimum(np.arange(256), self.full_scale).astype(np.uint8)
        return table[self.codes]  # marks are codes above full scale
