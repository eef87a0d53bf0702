# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Pulse trains: which repetition intervals are in a stream of arrival times, and which pulses belong to each.

The PRI transform (Nishiguchi and Kobayashi, IEEE Trans. AES 36:407, 2000, with its shifting time origins and overlapping bins) sums
exp(2 pi i t / tau) over pairs of pulses tau apart: a train adds up at its interval and cancels at its multiples, which a
histogram of
differences does not. What stands out is tried from the shortest interval on: the longest chain of pulses that far apart, with
gaps where pulses are missing, is a train and is taken out.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import bdtrc

from aegis.core.types import Floats, Ints

MOST_PULSES = 4000  # of a message; beyond, the last ones are left out and counted by the caller
FEWEST_PULSES = 8
BINS = 300
TOLERANCE = 0.08  # half width of a bin, and of what counts as one interval later: trains jitter
SHARE_OF_TIME = 0.25  # of the pulses that a train of this interval had in the whole time: fewer are none
FALSE_PAIRS = 3.0  # standard deviations of what pairs of other trains add up to
MISSING = 3  # pulses in a row that may be missing in a chain
GAP_COST = 0.6  # of a pulse that is missing: chains with every second one missing are of another train
LEAST_SHARE = 0.6  # of the pulses that a chain had without gaps
CHANCE = 1e-6  # that pulses without order make a chain
CLOSE = 0.03  # intervals nearer than this share are one


class Train(NamedTuple):
    """Pulses of one emitter."""

    interval_s: float  # median
    jitter: float  # standard deviation of the intervals, as a share of their median
    missing: float  # share of pulses missing
    pulses: Ints  # their indices, in the order of time


def pri_transform(toa: Floats, least_s: float, most_s: float) -> tuple[Floats, Floats, Floats]:
    """Return the intervals of the bins (B,), |D| of each, (B,), and the pairs in each, (B,).

    Args:
        toa: (N,) sorted times of arrival [s].
        least_s, most_s: limits of the intervals looked for.
    """
    centres = np.exp(np.linspace(math.log(least_s), math.log(most_s), BINS))
    origin = np.full(BINS, toa[0] if len(toa) else 0.0)
    fresh = np.ones(BINS, dtype=bool)
    total = np.zeros(BINS, dtype=np.complex128)
    pairs = np.zeros(BINS)
    first = np.searchsorted(toa, toa - most_s * (1.0 + TOLERANCE))
    for n in range(1, len(toa)):
        for m in range(n - 1, first[n] - 1, -1):
            gap = toa[n] - toa[m]
            low = int(np.searchsorted(centres, gap / (1.0 + TOLERANCE)))
            high = int(np.searchsorted(centres, gap / (1.0 - TOLERANCE)))
            if low >= high:
                continue
            some = slice(low, high)
            tau = centres[some]
            start = np.where(fresh[some], toa[n], origin[some])
            turns = (toa[n] - start) / tau
            whole = np.floor(turns + 0.4999)
            with np.errstate(divide="ignore", invalid="ignore"):
                off = np.abs(turns / whole - 1.0)
            moved = ((whole == 1.0) & (toa[m] == start)) | ((whole >= 2.0) & (off <= TOLERANCE))
            start = np.where(moved, toa[n], start)
            origin[some], fresh[some] = start, False
            total[some] += np.exp(2j * np.pi * (toa[n] - start) / tau)
            pairs[some] += 1.0
    return centres, np.abs(total), pairs


def candidates(toa: Floats, least_s: float, most_s: float) -> Floats:
    """Return intervals that may be trains, the shortest first: local maxima of the transform above both of its thresholds."""
    if len(toa) < FEWEST_PULSES:
        return np.empty(0)
    span = float(toa[-1] - toa[0])
    most_s = min(most_s, span / 4.0)
    if not least_s < most_s:
        return np.empty(0)
    centres, size, _ = pri_transform(toa, least_s, most_s)
    density = len(toa) / max(span, 1e-12)
    width = 2.0 * TOLERANCE * centres
    # What a train's interval collects; what pairs by chance would (their number is T rho^2 b).
    enough = np.maximum(SHARE_OF_TIME * span / centres, FALSE_PAIRS * np.sqrt(span * density**2 * width))
    inner = np.r_[-np.inf, size, -np.inf]
    peak = (size > enough) & (inner[1:-1] >= inner[:-2]) & (inner[1:-1] >= inner[2:])
    found: list[float] = []
    for k in np.flatnonzero(peak):
        if found and centres[k] < found[-1] * (1.0 + CLOSE):
            continue
        found.append(float(centres[k]))
    return np.array(found)


def chain(toa: Floats, interval_s: float, tolerance: float = TOLERANCE) -> Ints:
    """Return the pulses of the best chain of one interval, (K,) in the order of time.

    The chain with the most pulses, where each missing one costs `GAP_COST` and each departure from the interval a little.
    """
    n = len(toa)
    score = np.ones(n)
    before = np.full(n, -1, dtype=np.int64)
    reach = []
    for steps in range(1, MISSING + 2):
        slack = tolerance * math.sqrt(steps)
        low = np.searchsorted(toa, toa - interval_s * (steps + slack))
        high = np.searchsorted(toa, toa - interval_s * (steps - slack))
        reach.append((low, high, steps, slack))
    for i in range(n):
        for low, high, steps, slack in reach:
            if low[i] >= high[i]:
                continue
            some = slice(int(low[i]), int(high[i]))
            off = (toa[i] - toa[some]) / interval_s - steps
            value = score[some] + 1.0 - GAP_COST * (steps - 1) - 0.25 * (off / slack) ** 2
            best = int(value.argmax())
            if value[best] > score[i]:
                score[i], before[i] = value[best], some.start + best
    at = int(score.argmax())
    out = []
    while at >= 0:
        out.append(at)
        at = int(before[at])
    return np.array(out[::-1], dtype=np.int64)


def _by_chance(density: float, pulses: int, steps: float, spread_s: float) -> bool:
    """Tell whether pulses without any order make such a chain.

    A step is hit where one of them lies within three standard deviations to either side; the search has its choice of chains, which
    counts as twice as many pulses.
    """
    hit = 1.0 - math.exp(-2.0 * density * 6.0 * spread_s)
    return float(bdtrc(pulses - 1, round(steps), hit)) > CHANCE


def deinterleave(toa: Floats, least_s: float = 1e-5, most_s: float = 1e-2) -> tuple[list[Train], Ints]:
    """Return the trains in a stream of pulses, and the pulses that belong to none.

    Args:
        toa: (N,) times of arrival [s], in any order.
        least_s, most_s: limits of the intervals looked for.

    Returns:
        Trains, with the most pulses first; (R,) indices of the rest.
    """
    order = np.argsort(toa, kind="stable")[:MOST_PULSES]
    left = order
    trains: list[Train] = []
    while len(left) >= FEWEST_PULSES:
        times = toa[left]
        best: tuple[float, Ints, float] | None = None
        for interval in candidates(times, least_s, most_s):
            pulses = chain(times, float(interval))
            gaps = np.diff(times[pulses])
            if len(pulses) < FEWEST_PULSES:
                continue
            middle = float(np.median(gaps))
            pulses = chain(times, middle) if abs(middle / interval - 1.0) < 2.0 * TOLERANCE else pulses
            gaps = np.diff(times[pulses])
            steps = np.maximum(np.rint(gaps / middle), 1.0)
            share = len(pulses) / (steps.sum() + 1.0)
            if len(pulses) < FEWEST_PULSES or share < LEAST_SHARE:
                continue
            # How regular it is decides between the interval, its multiples and chains across several trains.
            spread = float(np.std(gaps / steps / middle))
            if _by_chance(
                len(left) / float(times[-1] - times[0]), len(pulses), float(steps.sum()) + 1.0, spread * middle
            ):
                continue
            worth = len(pulses) * share * max(0.0, 1.0 - spread / TOLERANCE) ** 2
            if best is None or worth > best[0]:
                best = (worth, pulses, middle)
        if best is None or best[0] <= FEWEST_PULSES / 2:
            break
        _, pulses, middle = best
        gaps = np.diff(times[pulses])
        steps = np.maximum(np.rint(gaps / middle), 1.0)
        single = gaps[steps == 1.0]
        trains.append(
            Train(
                float(np.median(single)) if len(single) else middle,
                float(np.std(single / middle)) if len(single) else math.nan,
                1.0 - len(pulses) / float(steps.sum() + 1.0),
                left[pulses],
            )
        )
        left = np.delete(left, pulses)
    rest = np.setdiff1d(np.arange(len(toa)), np.concatenate([t.pulses for t in trains]) if trains else [])
    return sorted(trains, key=lambda train: -len(train.pulses)), rest.astype(np.int64)
