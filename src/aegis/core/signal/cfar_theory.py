# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How high a CFAR threshold must be, what it detects, and what it loses: exact for a sum of channels.

The cell under test and every reference cell are sums of `channels` (M) square-law samples of unit mean noise power: gamma variables
of shape M. The threshold is alpha times a statistic Z of the reference cells, which are independent of the cell under test:

- CA, cell averaging: their mean;
- GO, greatest of, and SO, smallest of: of the means of two halves;
- OS, order statistic: the k-th smallest of them.

Everything about them is a mean over Z, so that a `Statistic` is its distribution as nodes and weights: the trapezoidal rule over
log Z, whose density is smooth and dies out on both sides, where this rule converges faster than any power of the step.

Sources: Rohling, "Radar CFAR thresholding in clutter and multiple target situations", IEEE Trans. AES 19(4), 1983 (OS); Gandhi and
Kassam, "Analysis of CFAR processors in nonhomogeneous background", IEEE Trans. AES 24(4), 1988 (all four, one channel).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from aegis.core.roots import root_between
from aegis.core.signal import detection_probability
from aegis.core.types import Floats

Kind = Literal["ca", "go", "so", "os"]
KINDS: tuple[Kind, ...] = get_args(Kind)

LOWEST_PFA = 1e-15
TAIL = 1e-30  # probability left out on either side; far below any Pfa
NODES = 1024


@dataclass(frozen=True)
class Statistic:
    """The distribution of what is multiplied by alpha, in noise of unit mean power a channel."""

    channels: int
    node: Floats  # (n,) values of Z
    weight: Floats  # (n,) their probabilities

    @property
    def mean(self) -> float:
        """Return the mean of Z; that of a cell is `channels`."""
        return float(self.weight @ self.node)

    def pfa(self, alpha: float) -> float:
        """Return the probability that a cell of noise exceeds alpha Z."""
        return float(self.weight @ special.gammaincc(self.channels, alpha * self.node))

    def alpha(self, pfa: float) -> float:
        """Return the multiplier of Z for this probability of false alarm a cell: the inverse of `pfa`.

        Raises:
            ValueError: pfa is not at least LOWEST_PFA and below 1.
        """
        check_pfa(pfa)

        def excess(log_alpha: float) -> float:
            return math.log(max(self.pfa(math.exp(log_alpha)), 1e-300) / pfa)

        low = high = 0.0
        while excess(low) < 0.0:
            low -= 1.0
        while excess(high) > 0.0:
            high += 1.0
        return math.exp(root_between(excess, low, high, 1e-13)) if low < high else 1.0

    def pd(self, snr: ArrayLike, alpha: float, swerling: int = 0) -> Any:
        """Return the probability that a target of this mean SNR in every channel exceeds alpha Z, whose cells hold noise only.

        Raises:
            ValueError: a threshold too high to compute, as with two or three reference cells and a small Pfa.
        """
        seen = self.weight > 1e-16  # what is left out is less than 1e-13
        level = alpha * self.node[seen]
        at_least, step = detection_probability.mixture(snr, level, swerling, self.channels)
        return self.pfa(alpha) + at_least @ (self.weight[seen] @ step)

    def required_snr(self, wanted: float, pfa: float, swerling: int = 0) -> float:
        """Return the SNR for a probability of detection `wanted`; it is more than with known noise by the CFAR loss.

        Raises:
            ValueError: it is not above `pfa`, or not reached; or see `pd`.
        """
        alpha = self.alpha(pfa)
        return detection_probability.snr_for(wanted, lambda snr: self.pd(snr, alpha, swerling))

    def loss_db(self, wanted: float, pfa: float, swerling: int = 1) -> float:
        """Return the CFAR loss [dB]: the SNR needed over that where the noise is known."""
        known = detection_probability.required_snr(wanted, pfa, swerling, self.channels)
        return 10.0 * math.log10(self.required_snr(wanted, pfa, swerling) / known)


def check_pfa(pfa: float) -> None:
    """Check a probability of false alarm.

    Raises:
        ValueError: it is not at least LOWEST_PFA and below 1.
    """
    if not LOWEST_PFA <= pfa < 1.0:
        raise ValueError(f"pfa is {pfa:g}; at least {LOWEST_PFA:g} and less than 1 is expected")


def alpha_ca(pfa: float, channels: int, count: int) -> float:
    """Return the multiplier of the mean of `count` reference cells, in closed form: cell over mean is an F variable.

    N (Pfa^(-1/N) - 1) for one channel.

    Raises:
        ValueError: pfa is not at least LOWEST_PFA and below 1.
    """
    check_pfa(pfa)
    return float(special.fdtri(2 * channels, 2 * channels * count, 1.0 - pfa))


def average(channels: int, count: int) -> Statistic:
    """Return the statistic of CA: the mean of `count` cells."""
    shape = channels * count
    log_z = _grid(*_gamma_bounds(shape, count))
    return _statistic(channels, log_z, _log_density(shape, count, log_z))


def greatest(channels: int, lower: int, upper: int) -> Statistic:
    """Return the statistic of GO: the greater of the means of `lower` and of `upper` cells."""
    return _of_halves(channels, (lower, upper), special.gammainc)


def smallest(channels: int, lower: int, upper: int) -> Statistic:
    """Return the statistic of SO: the smaller of the means of `lower` and of `upper` cells."""
    return _of_halves(channels, (lower, upper), special.gammaincc)


def ordered(channels: int, count: int, rank: int) -> Statistic:
    """Return the statistic of OS: the `rank`-th smallest of `count` cells, counted from 1.

    Raises:
        ValueError: there is no such cell.
    """
    if not 1 <= rank <= count:
        raise ValueError(f"the {rank}-th smallest of {count} cells; 1 to {count} is expected")
    above = count - rank
    # Z's place in the distribution of a cell is a beta variable.
    low = special.gammaincinv(channels, special.betaincinv(rank, above + 1, TAIL))
    high = special.gammainccinv(channels, special.betaincinv(above + 1, rank, TAIL))
    log_z = _grid(float(low), float(high))
    z = np.exp(log_z)
    below = special.xlogy(rank - 1, special.gammainc(channels, z)) + special.xlogy(
        above, special.gammaincc(channels, z)
    )
    return _statistic(channels, log_z, _log_density(channels, 1, log_z) + below - special.betaln(rank, above + 1))


def _of_halves(channels: int, counts: tuple[int, int], other_is_beyond: np.ufunc) -> Statistic:
    """Return GO's or SO's statistic: either half is at z, and the other is on the side that leaves z the result."""
    bounds = [_gamma_bounds(channels * n, n) for n in counts]
    log_z = _grid(min(low for low, _ in bounds), max(high for _, high in bounds))
    z = np.exp(log_z)
    density = np.zeros(NODES)
    for this, other in (counts, counts[::-1]):
        density += np.exp(_log_density(channels * this, this, log_z)) * other_is_beyond(channels * other, other * z)
    with np.errstate(divide="ignore"):
        return _statistic(channels, log_z, np.log(density))


def _gamma_bounds(shape: int, count: int) -> tuple[float, float]:
    """Return the bounds of a mean of `count` cells, a gamma variable of this shape over count."""
    return float(special.gammaincinv(shape, TAIL)) / count, float(special.gammainccinv(shape, TAIL)) / count


def _grid(low: float, high: float) -> Floats:
    """Return the nodes in log Z."""
    return np.linspace(math.log(low), math.log(high), NODES)


def _log_density(shape: int, count: int, log_z: Floats) -> Floats:
    """Return the log of the density, in log Z, of a gamma variable of this shape over count."""
    log_x = log_z + math.log(count)
    return shape * log_x - np.exp(log_x) - special.gammaln(shape)


def _statistic(channels: int, log_z: Floats, log_density: Floats) -> Statistic:
    """Return the statistic whose log Z has this log density."""
    return Statistic(channels, np.exp(log_z), np.exp(log_density) * (log_z[1] - log_z[0]))
