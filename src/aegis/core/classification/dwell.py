# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The micro-Doppler signature of one point in one dwell of a radar: what lies beside the body's line in its cell's spectrum.

Of milliseconds, with the receiver's noise known from elsewhere: what rotors spread evenly over all Dopplers is then seen to be no
noise. How fast the body itself is says nothing here: the tracker knows that better, and would count it twice.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aegis.core.classification.signature import LINE_BINS, SIGNATURE, described
from aegis.core.types import Floats

_LEFT_OUT = ("is_real", "body_speed", "body_aliased", "mean_speed")
_TAKEN = tuple(name for name in SIGNATURE if name not in _LEFT_OUT and not name.startswith("ratio_"))
_COLUMNS = [SIGNATURE.index(name) for name in _TAKEN]
EXTENTS = (0.5, 2.0, 8.0)  # offsets from the body's line [m/s] within which the rest lies, as shares
DWELL = (*_TAKEN, "floor", "excess", "beyond", "flatness_db", *(f"within_{edge:g}" for edge in EXTENTS))
LEAST_CHIRPS, LEAST_S, LONGEST_S = 32, 4e-3, 0.13
LEAST_PRF_HZ, LARGEST_PRF_HZ = 1.4e3, 3e4
LEAST_SNR_DB = 14.0  # that a point must have: below, nothing beside the line is above the noise


def says_anything(chirps: int, prf_hz: float) -> bool:
    """Tell whether a dwell is of those that the model was shown: long enough, and with Dopplers enough."""
    length = chirps / prf_hz
    return chirps >= LEAST_CHIRPS and LEAST_S <= length <= LONGEST_S and LEAST_PRF_HZ <= prf_hz <= LARGEST_PRF_HZ


def dwell_signature(spectrum: NDArray[np.complex128], noise: Floats, prf_hz: float, wavelength_m: float) -> Floats:
    """Return the signatures (n, len(DWELL)).

    Args:
        spectrum: (n, S) of a range cell, in the point's direction, over Doppler, under a window.
        noise: (n,) the receiver's, mean power in a bin.
        prf_hz: chirps a second.
        wavelength_m: of the carrier [m].
    """
    n, bins = spectrum.shape
    taken = described(spectrum, noise, prf_hz, wavelength_m)[:, _COLUMNS]
    power = np.abs(spectrum) ** 2 / np.maximum(noise, 1e-300)[:, None]
    power[:, [0, 1, -1]] = np.nan  # what stands still
    body = np.nanargmax(power, axis=1)
    rows = np.arange(n)
    line = power[rows, body]
    apart = (np.arange(bins)[None, :] - body[:, None] + bins // 2) % bins - bins // 2
    rest = np.where(np.abs(apart) > LINE_BINS, power, np.nan)
    step_mps = 0.5 * wavelength_m * prf_hz / bins
    over = np.maximum(rest - 1.0, 0.0)
    total = np.nansum(over, axis=1) + 1e-3
    far = np.abs(apart) > bins // 4
    within = [np.nansum(np.where(np.abs(apart) * step_mps < edge, over, 0.0), axis=1) / total for edge in EXTENTS]
    mean = np.nanmean(rest, axis=1)
    out = [
        np.log10(np.maximum(np.nanmedian(rest, axis=1) / np.log(2.0), 1e-2)),
        np.log10(np.maximum(mean - 1.0, 1e-3)) - np.log10(line),
        np.log10(np.maximum(np.nanmean(np.where(far, rest, np.nan), axis=1) - 1.0, 1e-2)),
        np.log10(np.nanmax(rest, axis=1) / mean),
        *within,
    ]
    return np.column_stack([taken, *out])
