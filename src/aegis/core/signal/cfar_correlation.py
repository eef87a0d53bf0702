# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""CFAR where windows make neighbouring cells alike: the reference cells then tell less of the noise than as many independent ones.

A sum of N correlated cells of power has nearly the distribution of a sum of fewer independent ones (gamma, with the same mean and
variance). With Hann windows in both dimensions 248 cells are worth about 71: at a Pfa of 1e-6, the threshold for 248 independent
cells would give twice to four times as many false alarms.
"""

from __future__ import annotations

import numpy as np
from scipy import signal, special

from aegis.core.signal import cfar_theory
from aegis.core.signal.cfar import CfarWindow
from aegis.core.signal.cfar_theory import Kind
from aegis.core.types import Floats


def independent_share(window: CfarWindow, by_range: Floats, by_doppler: Floats) -> float:
    """Return how many independent cells one of the reference cells is worth.

    Args:
        window: the reference cells.
        by_range, by_doppler: correlation of the power of cells so many apart, 1 first; 0 beyond.
    """
    offsets = window.offsets() + [window.half_range, window.half_doppler]
    mask = np.zeros((2 * window.half_range + 1, 2 * window.half_doppler + 1))
    mask[offsets[:, 0], offsets[:, 1]] = 1.0
    pairs = signal.correlate(mask, mask, method="fft")  # by distance, (0, 0) in the middle
    range_lag, doppler_lag = (abs(np.arange(n) - n // 2) for n in pairs.shape)
    alike = np.outer(_at(by_range, range_lag), _at(by_doppler, doppler_lag))
    return float(len(offsets) / (pairs * alike).sum())


def _at(values: Floats, index: np.ndarray) -> Floats:
    out: Floats = np.append(values, 0.0)[np.minimum(index, len(values))]
    return out


def pfa_if_independent(kind: Kind, pfa: float, channels: int, count: int, share: float) -> float:
    """Return the Pfa that a threshold would have among independent cells, if it has `pfa` among these.

    GO and SO as for halves of the window; OS as CA.
    """
    worth = count * share
    if kind in ("go", "so"):
        statistic = cfar_theory.greatest if kind == "go" else cfar_theory.smallest
        half = max(1, round(0.5 * worth))
        alpha = statistic(channels, half, half).alpha(pfa)
        independent = statistic(channels, count // 2, count // 2).pfa(alpha)
    else:
        alpha = float(special.fdtri(2 * channels, 2 * channels * worth, 1.0 - pfa))
        independent = float(special.fdtrc(2 * channels, 2 * channels * count, alpha))
    return max(independent, cfar_theory.LOWEST_PFA)
