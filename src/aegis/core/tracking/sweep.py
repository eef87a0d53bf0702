# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What of its view a turning antenna has swept: which tracks it should have shown, and which it has shown in this pass already."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from aegis.core.types import Floats, Ints, Pose

TURN = 2.0 * math.pi
MOST_OF_RATE = 0.8  # of the antenna's rate: no track goes round the sensor faster, in this
NEGLIGIBLE = 1e-3  # probability of having looked somewhere
SAME_PASS_S = 0.5  # before the antenna's rate is known


class Sweep(NamedTuple):
    """The antenna's way in the time up to the state's."""

    duration_s: float  # 0: not even whether there is one is known
    azimuth: float  # at its end, from x towards y [rad]; NaN: nobody knows
    rate: float  # [rad/s]; NaN: nobody knows
    spread: float  # standard deviation of what is detected about where it looks [rad]

    @property
    def share(self) -> float:
        """Return the part of a turn, at most a whole one; where nobody knows, the part of the shortest time it could be of."""
        if math.isnan(self.rate):
            return min(self.duration_s / (2.0 * SAME_PASS_S), 1.0) or 1.0
        return min(self.duration_s * abs(self.rate) / TURN, 1.0)

    @property
    def same_pass_s(self) -> float:
        """Return the time within which nothing is passed twice."""
        if math.isnan(self.rate):
            return SAME_PASS_S if self.duration_s > 0.0 else 0.0
        return math.pi / abs(self.rate)


def covered(sweep: Sweep, state: Floats, covariance: Floats, pose: Pose) -> Floats:
    """Return the probability (N,) that a sweep went over an object: 0 or 1 but at its edges, where the next one has the rest.

    Args:
        sweep: the antenna's.
        state, covariance: (N, 6) and (N, 6, 6) of the objects at its end.
        pose: of the sensor.
    """
    n = len(state)
    if math.isnan(sweep.rate) or math.isnan(sweep.azimuth) or sweep.duration_s <= 0.0:
        return np.zeros(n)
    # Seen from above, in the sensor's own frame.
    across = pose.rotation.T
    x, y = across[:2] @ (state[:, :3] - pose.position).T
    vx, vy = across[:2] @ (state[:, 3:] - pose.velocity).T
    square = np.maximum(x * x + y * y, 1.0)
    direction = (np.stack([-y, x]).T / square[:, None]) @ across[:2]  # slope of the azimuth in map
    variance = np.einsum("ni,nij,nj->n", direction, covariance[:, :3, :3], direction)
    sigma = np.sqrt(np.maximum(variance, 0.0) + sweep.spread**2)
    sign = math.copysign(1.0, sweep.rate)
    most = MOST_OF_RATE * abs(sweep.rate)
    going = np.clip(sign * (x * vy - y * vx) / square, -most, most)  # with the antenna [rad/s]
    begin = sweep.azimuth - sweep.rate * sweep.duration_s
    ahead = np.mod(sign * (np.arctan2(y, x) - begin) - going * sweep.duration_s, TURN)  # of the antenna, when it began
    way = (abs(sweep.rate) - going) * sweep.duration_s
    total = np.zeros(n)
    for turn in (-TURN, 0.0, TURN):
        total += ndtr((way - ahead - turn) / sigma) - ndtr((-ahead - turn) / sigma)
    return np.minimum(total, 1.0)


class Passed(NamedTuple):
    """What a sensor has done with K tracks in this pass of its antenna: it shows each of them once, if at all."""

    birth: Ints  # (K,) which, ascending
    when_ns: Ints  # (K,) when last
    shown: NDArray[np.bool_]  # (K,) whether it has shown them
    covered: Floats  # (K,) else the probability that it has looked at them, in vain

    @classmethod
    def nobody(cls) -> Passed:
        """Return that there was none."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.bool_), np.empty(0))

    def of(self, birth: Ints, since_ns: int) -> tuple[NDArray[np.bool_], Floats]:
        """Return (N,) whether tracks have been shown since a time, and else the probability that they were looked at in vain."""
        if not len(self.birth):
            return np.zeros(len(birth), np.bool_), np.zeros(len(birth))
        at = np.minimum(np.searchsorted(self.birth, birth), len(self.birth) - 1)
        known = (self.birth[at] == birth) & (self.when_ns[at] >= since_ns)
        return known & self.shown[at], np.where(known & ~self.shown[at], self.covered[at], 0.0)

    def after(self, shown: tuple[Ints, Ints], looked: tuple[Ints, Floats], now_ns: int, since_ns: int) -> Passed:
        """Return the same after one more look.

        Args:
            shown: births of the tracks shown, and when each was.
            looked: births of tracks, and the probability that they have been looked at in vain, in this pass.
            now_ns: the time; since_ns: what was before is forgotten.
        """
        vain = ~np.isin(looked[0], shown[0])
        birth = np.concatenate((shown[0], looked[0][vain]))
        old = (self.when_ns >= since_ns) & ~np.isin(self.birth, birth)
        n, k = len(shown[0]), int(vain.sum())
        births = np.append(self.birth[old], birth)
        order = np.argsort(births)
        return Passed(
            births[order], np.concatenate((self.when_ns[old], shown[1], np.full(k, now_ns)))[order],
            np.append(self.shown[old], np.arange(n + k) < n)[order],
            np.concatenate((self.covered[old], np.zeros(n), looked[1][vain]))[order],
        )  # fmt: skip
