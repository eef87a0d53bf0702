# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Probabilities of detection: a square-law detector, and `pulses` samples of one cell summed noncoherently.

SNR is the mean power ratio of one sample; linear unless a name says `_db`. Where a radar sums its channels,
`pulses` are the channels.

One formula holds for all of Swerling's targets. Given the target's power, the sum is a gamma variable of shape n + J, where J is
Poisson with mean n SNR. The RCS of cases 1 to 4 is a gamma variable, so that J is negative binomial. With T the level,

    Pd = P(X_n > T) + sum over j >= 1 of P(J >= j) exp(-T) T^(n+j-1) / (n+j-1)!

as one step more of shape adds just that Poisson term to the probability. All terms are positive: nothing cancels.

Sources: Richards, Fundamentals of Radar Signal Processing, 2nd ed., ch. 6 (Swerling, Albersheim, Shnidman); Shnidman,
"Determination of required SNR values", IEEE Trans. AES 38(3), 2002 (the negative binomial form, the approximation).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from aegis.core.roots import root_between
from aegis.core.types import Floats

HIGHEST_SNR_DB = 120.0  # looked for by `snr_for`
HIGHEST_LEVEL = 1e4  # the sum has as many terms as this


def rcs_shape(swerling: int, pulses: int) -> float:
    """Return the shape of the gamma variable that the summed RCS is; infinite for a steady target (case 0).

    Cases 1 and 2 are exponential, 3 and 4 of four degrees of freedom; 1 and 3 fluctuate from frame to frame, 2 and 4 from
    sample to sample.

    Raises:
        ValueError: no case of Swerling's.
    """
    shapes = {0: math.inf, 1: 1.0, 2: float(pulses), 3: 2.0, 4: 2.0 * pulses}
    if swerling not in shapes:
        raise ValueError(f"Swerling case {swerling}; 0, 1, 2, 3 or 4 is expected")
    return shapes[swerling]


def threshold(pfa: ArrayLike, pulses: int = 1) -> Any:
    """Return the level on the sum of `pulses` square-law samples of unit mean noise power; -ln(Pfa) for one."""
    return special.gammainccinv(pulses, np.asarray(pfa, np.float64))


def mixture(snr: ArrayLike, level: ArrayLike, swerling: int, pulses: int) -> tuple[Floats, Floats]:
    """Return the two factors of the sum above for j = 1, 2, ... on a last axis: P(J >= j) of `snr`, the rest of `level`.

    Raises:
        ValueError: a level above HIGHEST_LEVEL, or no case of Swerling's.
    """
    level = np.asarray(level, np.float64)[..., None]
    highest = float(np.max(level, initial=0.0))
    if not highest <= HIGHEST_LEVEL:
        raise ValueError(f"a threshold of {highest:g} mean noise powers; at most {HIGHEST_LEVEL:g} is expected")
    j = np.arange(1, max(2.0, highest + 12.0 * math.sqrt(highest) + 60.0 - pulses))  # beyond, there is less than 1e-20
    mean = pulses * np.asarray(snr, np.float64)[..., None]
    shape = rcs_shape(swerling, pulses)
    at_least = special.gammainc(j, mean) if math.isinf(shape) else special.betainc(j, shape, mean / (shape + mean))
    step = np.exp(special.xlogy(pulses + j - 1.0, level) - level - special.gammaln(pulses + j))
    return np.asarray(at_least), np.asarray(step)


def pd(snr: ArrayLike, level: ArrayLike, swerling: int = 0, pulses: int = 1) -> Any:
    """Return the exact probability of detection of one of Swerling's targets.

    Args:
        snr: mean of a single sample. Broadcasts with `level`.
        level: threshold on the sum, in mean noise powers of a sample, as `threshold` gives it.
        swerling: 0 to 4, see `rcs_shape`.
        pulses: samples summed.

    Raises:
        ValueError: a level above HIGHEST_LEVEL, or no case of Swerling's.
    """
    at_least, step = mixture(snr, level, swerling, pulses)
    return special.gammaincc(pulses, np.asarray(level, np.float64)) + (at_least * step).sum(axis=-1)


def snr_for(wanted: float, probability: Callable[[float], Floats | float]) -> float:
    """Return the SNR at which `probability`, a function that rises with SNR, is as wanted.

    Raises:
        ValueError: wanted is not above its value without a signal, or not reached at HIGHEST_SNR_DB.
    """
    low, high = float(probability(0.0)), float(probability(10.0 ** (HIGHEST_SNR_DB / 10.0)))
    if not low < wanted < min(high, 1.0):
        raise ValueError(f"Pd {wanted:g} is not between {low:g}, that without a signal, and {high:g}")
    lowest_db = -10.0
    while probability(10.0 ** (lowest_db / 10.0)) > wanted:
        lowest_db *= 2.0
    db = root_between(
        lambda x: float(probability(10.0 ** (x / 10.0))) - wanted, lowest_db, HIGHEST_SNR_DB, tolerance=1e-9
    )
    return float(10.0 ** (db / 10.0))


def required_snr(wanted: float, pfa: float, swerling: int = 0, pulses: int = 1) -> float:
    """Return the exact SNR of one sample for a probability of detection `wanted`: the inverse of `pd` at `threshold`.

    Raises:
        ValueError: it is not above `pfa`, or not below 1.
    """
    level = float(threshold(pfa, pulses))
    return snr_for(wanted, lambda snr: pd(snr, level, swerling, pulses))


def albersheim_db(pd: float, pfa: float, pulses: int = 1) -> float:
    """Return Albersheim's approximation of the SNR [dB] that a steady target needs, linear detector.

    Within 0.2 dB for Pd 0.1 to 0.9, Pfa 1e-7 to 1e-3 and 1 to 8096 pulses.
    """
    a, b = math.log(0.62 / pfa), math.log(pd / (1.0 - pd))
    slope = 6.2 + 4.54 / math.sqrt(pulses + 0.44)
    return -5.0 * math.log10(pulses) + slope * math.log10(a + 0.12 * a * b + 1.7 * b)


def shnidman_db(pd: float, pfa: float, pulses: int = 1, swerling: int = 0) -> float:
    """Return Shnidman's approximation of the SNR [dB] that a target needs, square-law detector.

    Within 0.5 dB for Pfa 1e-9 to 1e-3 and 1 to 100 pulses.

    Raises:
        ValueError: Pd outside 0.1 to 0.99, for which it was not fitted; no case of Swerling's.
    """
    if not 0.1 <= pd <= 0.99:
        raise ValueError(f"Pd {pd:g}; Shnidman's equation holds from 0.1 to 0.99")
    shape = rcs_shape(swerling, pulses)
    alpha = 0.0 if pulses < 40 else 0.25
    eta = math.sqrt(-0.8 * math.log(4.0 * pfa * (1.0 - pfa)))
    eta += math.copysign(math.sqrt(-0.8 * math.log(4.0 * pd * (1.0 - pd))), pd - 0.5)
    steady = eta * (eta + 2.0 * math.sqrt(pulses / 2.0 + (alpha - 0.25)))
    fluctuation_db = (((17.7006 * pd - 18.4496) * pd + 14.5339) * pd - 3.525) / shape
    if pd > 0.872:
        small_pfa = 0.7 * math.log(1e-5 / pfa) + (2.0 * pulses - 20.0) / 80.0
        fluctuation_db += (math.exp(27.31 * pd - 25.14) + (pd - 0.8) * small_pfa) / shape
    return 10.0 * math.log10(steady / pulses) + fluctuation_db
