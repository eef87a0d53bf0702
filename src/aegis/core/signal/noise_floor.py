# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The receiver's noise in a range-Doppler map, whatever echoes there are: what a point states as its noise.

The CFAR's reference cells hold the neighbours of an echo too: other echoes, their sidelobes, clutter. That is right for a
threshold, and wrong for a noise level: an object would seem jammed by the one beside it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from aegis.core.types import Floats

BAND_ROWS = 16  # ranges that share a level: one object's Doppler spectrum fills a row or two
MOST_CELLS = 8192  # looked at in the whole map; 512 in a band of 256 rows give the level of 12 channels to 0.1 dB


class NoiseFloor:
    """Finds the noise of maps of one shape: medians in bands of ranges, which echoes in less than half of the cells leave alone."""

    def __init__(self, shape: tuple[int, int], channels: int) -> None:
        """Prepare for maps (ranges, range rates) of power that was summed over channels."""
        rows, columns = shape
        self._bands = max(1, round(rows / BAND_ROWS))
        self._edges = np.linspace(0, rows, self._bands + 1).round().astype(np.int64)
        self._stride = max(1, -(-rows * columns // MOST_CELLS))
        # The sum over channels of noise powers of mean 1 has a gamma distribution.
        self._mean_over_median = channels / float(gammaincinv(channels, 0.5))

    def of(self, power: NDArray[np.float32]) -> Floats:
        """Return (ranges,) the mean power of noise, summed over the channels."""
        levels = np.empty(self._bands)
        for band, (first, last) in enumerate(zip(self._edges[:-1], self._edges[1:], strict=True)):
            # Every band begins with another column, so that what is static is not in all of them or in none.
            some = power[first:last, band % self._stride :: self._stride].ravel()
            middle = [(len(some) - 1) // 2, len(some) // 2]
            levels[band] = np.partition(some, middle)[middle].mean()
        return np.repeat(levels * self._mean_over_median, np.diff(self._edges))
