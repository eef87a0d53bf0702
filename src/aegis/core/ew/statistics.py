# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The distributions that decide whether receive-only cells hold more than noise.

Noise-floor rise: the mean of M exponential powers against that of N is F-distributed (`rise_threshold`). It sees every kind of
jamming that adds power, and cannot tell which.

Spectral kurtosis (Nita and Gary, PASP 122:595, 2010): M powers of one frequency, S1 their sum and S2 that of their squares,

    SK = (M + 1) / (M - 1) (M S2 / S1^2 - 1)

is 1 of Gaussian noise, whatever its power: so it is blind to a noise jammer that is always on. A tone of jammer-to-noise ratio J
has 1 - (J / (1 + J))^2; what comes in bursts has more than 1.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy.special import fdtri, ndtri

from aegis.core.types import Floats

_FEWEST = 4  # powers
LEAST_TOLD = 1e-12


def rise_threshold(samples: float, reference: float, false_alarm_probability: float) -> float:
    """Return the ratio of mean powers of `samples` to `reference` exponential noise cells that quiet noise exceeds so rarely.

    The mean power of M cells is chi-square with 2M degrees of freedom, so that the ratio has an F distribution.
    """
    return float(fdtri(2 * samples, 2 * reference, 1.0 - false_alarm_probability))


def spectral_kurtosis(power: Floats) -> Floats:
    """Return the estimate of each row.

    Args:
        power: (..., M) of one frequency, at M times; M at least 2.

    Returns:
        (...,); NaN where there is no power at all.
    """
    m = power.shape[-1]
    scaled = power / np.maximum(
        power.max(axis=-1, keepdims=True), 1e-300
    )  # squares of the largest powers do not overflow
    first, second = scaled.sum(axis=-1), (scaled**2).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        out: Floats = (m + 1) / (m - 1) * (m * second / first**2 - 1.0)
    return out


@lru_cache(maxsize=64)
def kurtosis_moments(samples: int) -> tuple[float, float, float]:
    """Return mean, variance (4 / M for large M) and skewness of the spectral kurtosis of noise.

    Exact: M exponential powers over their sum are uniform on the simplex, so that E prod p_i^a_i = prod a_i! (M-1)! / (M-1+sum a)!.

    Raises:
        ValueError: fewer than four powers.
    """
    m = samples
    if m < _FEWEST:
        raise ValueError(f"{m} powers; at least {_FEWEST} are expected")

    def over(order: int) -> float:
        return math.prod(1.0 / (m + i) for i in range(order))

    first = 2.0 * m * over(2)
    second = (24.0 * m + 4.0 * m * (m - 1)) * over(4)
    third = (720.0 * m + 3 * 48.0 * m * (m - 1) + 8.0 * m * (m - 1) * (m - 2)) * over(6)
    variance = second - first**2
    skewness = (third - 3 * first * second + 2 * first**3) / variance**1.5
    scale = (m + 1) / (m - 1) * m
    return (m + 1) / (m - 1) * (m * first - 1.0), variance * scale**2, skewness


@lru_cache(maxsize=256)
def kurtosis_limits(samples: int, false_alarm_probability: float) -> tuple[float, float]:
    """Return what the spectral kurtosis of noise is below, and above, with about this probability each.

    By the shifted lognormal distribution of the three moments: of 256 powers, at 1e-5, by Monte Carlo 6 and 4 times as often (the
    gamma distribution, Pearson's type III: 21 and 5).
    """
    mean, variance, skewness = kurtosis_moments(samples)
    # Skewness (w + 2) sqrt(w - 1), a cubic in sqrt(w - 1).
    excess = (2.0 * math.sinh(math.asinh(0.5 * skewness) / 3.0)) ** 2
    width = math.sqrt(math.log1p(excess))
    scale = math.sqrt(variance / ((1.0 + excess) * excess))
    start = mean - scale * math.sqrt(1.0 + excess)
    reach = width * float(ndtri(false_alarm_probability))
    return start + scale * math.exp(reach), start + scale * math.exp(-reach)


def chance_text(probability: float) -> str:
    """Return a probability for an evidence: in the tail, the distribution is no longer that of a real receiver."""
    return f"below {LEAST_TOLD:.0e}" if probability < LEAST_TOLD else f"{probability:.1e}"
