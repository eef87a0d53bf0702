# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Fluctuation of a target's RCS after Swerling, as factors on its mean.

Case 0 is steady; in 1 and 2 the RCS is exponential (chi-square, 2 degrees of freedom), in 3 and 4 chi-square with 4; in 1 and 3 it
is new with every scan, in 2 and 4 with every pulse. Source: Skolnik, Introduction to Radar Systems, 3rd ed., sec. 2.8.

Pulses are integrated coherently here, and the echo's phase holds through a scan. Of cases 2 and 4 a part then stays in the
target's Doppler cell, the square of the mean amplitude: pi / 4 (-1.05 dB) and 9 pi / 32 (-0.54 dB) of many pulses; the rest spreads
over all cells as noise does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from aegis.core.types import Floats

MANY_PULSES = 1000  # more do not change the mean amplitude's square by more than a few per cent (one sigma)


def pulse_amplitudes(case: NDArray[np.integer[Any]], pulses: int, rng: np.random.Generator) -> Floats:
    """Draw the amplitude of every pulse of a scan, (N, pulses); the mean of their squares is 1."""
    out = np.ones((len(case), pulses))
    for value, order in ((1, 1), (3, 2)):
        rows = np.flatnonzero(case == value)
        out[rows] = _amplitude(order, (len(rows), 1), rng)
    for value, order in ((2, 1), (4, 2)):
        rows = np.flatnonzero(case == value)
        out[rows] = _amplitude(order, (len(rows), pulses), rng)
    return out


def scan_powers(case: NDArray[np.integer[Any]], pulses: int, rng: np.random.Generator) -> Floats:
    """Draw the power in the target's Doppler cell after `pulses` were integrated coherently, (N,), 1 if it were steady."""
    out = np.where(case == 1, rng.standard_exponential(len(case)), 1.0)
    rows = np.flatnonzero(case >= 2)
    if len(rows):
        out[rows] = pulse_amplitudes(case[rows], min(pulses, MANY_PULSES), rng).mean(axis=1) ** 2
    return out


def _amplitude(order: int, shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    return np.asarray(np.sqrt(rng.standard_gamma(order, shape) / order))
