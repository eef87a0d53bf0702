"""From detected cells to peaks: one target, one point."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aegis.core.compiled import compiled
from aegis.core.types import Floats, Ints

SIDELOBE_MARGIN = 2.0  # power; sidelobes may be this much higher than the window has them: targets move, radars drift


@compiled
def local_maxima(power: NDArray[np.float32], rows: Ints, cols: Ints) -> NDArray[np.bool_]:
    """Tell of each cell (N,) whether no one of its eight neighbours is stronger; of equals, the first. Doppler is circular."""
    R, D = power.shape
    out = np.ones(len(rows), np.bool_)
    for i in range(len(rows)):
        r, d = rows[i], cols[i]
        value = power[r, d]
        for dr in range(-1, 2):
            for dd in range(-1, 2):
                row, col = r + dr, (d + dd) % D
                if row < 0 or row >= R or (row == r and col == d):
                    continue
                other = power[row, col]
                if other > value or (other == value and (row < r or (row == r and col < d))):
                    out[i] = False
    return out


@compiled
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
    n, explained = 0, 0
    for i in range(len(rows)):
        if n == most:
            break
        alone = True
        for k in range(n):
            j = kept[k]
            dr, dd = abs(rows[i] - rows[j]), abs(cols[i] - cols[j])
            dd = min(dd, columns - dd)
            if dr < len(by_range) and dd < len(by_doppler):
                reach = strength[j] * by_range[dr] * by_doppler[dd]
                if excess[i] < SIDELOBE_MARGIN * reach:
                    alone = False
                    break
        if alone:
            kept[n] = i
            n += 1
        else:
            explained += 1
    return kept[:n], explained
