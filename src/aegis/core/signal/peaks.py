# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""From detected cells to peaks: one target, one point."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aegis.core.kernels import cfar as kernels
from aegis.core.types import Floats, Ints


def local_maxima(power: NDArray[np.float32], rows: Ints, cols: Ints) -> NDArray[np.bool_]:
    """Tell of each cell (N,) whether no one of its eight neighbours is stronger; of equals, the first. Doppler is circular."""
    out = np.empty(len(rows), np.bool_)
    kernels.local_maxima(power, rows, cols, out.view(np.uint8))
    return out


def above_sidelobes(
    rows: Ints,
    cols: Ints,
    strength: Floats,
    excess: Floats,
    columns: int,
    by_range: Floats,
    by_doppler: Floats,
    most: int,
) -> tuple[Ints, int]:
    """Return the peaks that stronger ones do not explain, and how many these do.

    A stronger one's sidelobe and noise together are no stronger, as amplitudes, than one plus the other. A peak that is above the
    largest sidelobe by more than noise is likely to be is therefore a target, as surely as one far from any other.

    Args:
        rows, cols: (N,) of the peaks, the strongest first.
        strength: (N,) their power, without the noise.
        excess: (N,) power of what their amplitude is above that of the threshold of detection.
        columns: of the map.
        by_range, by_doppler: envelopes of the response to a target, relative power by distance in cells; 0 beyond.
        most: peaks wanted; the rest is not looked at.
    """
    kept = np.empty(min(len(rows), most), np.int64)
    n, explained = kernels.above_sidelobes(rows, cols, strength, excess, columns, by_range, by_doppler, kept)
    return kept[:n], explained
