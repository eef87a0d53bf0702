# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Two of our tracks that are one object: found by their distance, and made one."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.special import chdtri

from aegis.core.fusion import information, level
from aegis.core.fusion.association import near_each
from aegis.core.fusion.source import Source
from aegis.core.fusion.system import System
from aegis.core.types import Floats, Ints

INTERVAL_S = 1.0  # how often it is looked whether two of our tracks are one
AT_ONCE = 500  # tracks for which that is looked each time, of more in turn
GATE = float(chdtri(6, 0.01))  # squared distance within which 99 % of the tracks of one object are
CLEAR = 9.0  # so much farther has every other track to be: it is e^4.5 times less likely to be the one


class Joiner:
    """Looks now and then whether two of our tracks are one, and has them so."""

    def __init__(self, noise: Floats) -> None:
        """Make it; `noise` is the motion's, as in `information.carried`."""
        self._noise = noise
        self._looked_ns = 0
        self._looks = 0

    def step(self, system: System, sources: Iterable[Source], now_ns: int) -> int:
        """Look, where it is time to; return how many pairs were joined.

        No source holds both of a pair, as one that does sees two objects. Who else does not matter: a track that two radars began
        beside that of three others stays beside it until somebody looks.
        """
        if 0 <= now_ns - self._looked_ns < INTERVAL_S * 1e9:
            return 0
        self._looked_ns = now_ns
        pairs = self._pairs(system, now_ns)
        for one, other in pairs:
            merge(system, sources, one, other, now_ns, self._noise)
        return len(pairs)

    def _pairs(self, system: System, now_ns: int) -> list[tuple[int, int]]:
        """Return pairs of rows that are one object; each row is in one pair at most."""
        alive = np.flatnonzero(~system.flag("dead"))
        if len(alive) < 2:
            return []
        looked = np.take(alive, self._looks * AT_ONCE + np.arange(min(len(alive), AT_ONCE)), mode="wrap")
        self._looks += 1
        dt = information.seconds(now_ns - system.whole("time_ns"))
        whole = level.released(system.with_biases(np.arange(len(system))))
        some = information.carried(whole.rows(looked), dt[looked], self._noise)
        a, b = near_each(whole, dt, looked, some, GATE + CLEAR, self._noise)
        holders, dead = system.whole("holders"), system.flag("dead")
        a, b = a[~dead[a]], b[~dead[a]]
        apart = (holders[a] & holders[b] == 0) & (holders[a] | holders[b] != 0)
        concerned = np.zeros(len(system), np.bool_)
        concerned[a[apart]] = concerned[b[apart]] = True
        counts = concerned[a] | concerned[b]
        a, b, apart = a[counts], b[counts], apart[counts]
        rows, place = np.unique(np.concatenate([a, b]), return_inverse=True)
        there = information.carried(whole.rows(rows), dt[rows], self._noise)
        distance = information.distances(place[: len(a)], place[len(a) :], there, there)
        distance = np.nan_to_num(distance, nan=2.0 * (GATE + CLEAR))  # no distance is a far one
        return [(int(a[k]), int(b[k])) for k in _clear(a, b, distance).tolist() if apart[k] and distance[k] <= GATE]


def _clear(a: Ints, b: Ints, distance: Floats) -> Ints:
    """Return the pairs that are by far the nearest of both: which of several a track is, cannot be told."""
    each, pair = np.concatenate([a, b]), np.tile(np.arange(len(a)), 2)
    order = np.lexsort((distance[pair], each))
    each, pair = each[order], pair[order]
    first = np.flatnonzero(np.diff(each, prepend=-1))
    second = np.flatnonzero(np.diff(each, append=-1) == 0) + 1  # all but the first of each
    gap = np.full(len(each) + 1, np.inf)
    gap[second - 1] = distance[pair[second]] - distance[pair[second - 1]]
    nearest, count = np.unique(pair[first[gap[first] >= CLEAR]], return_counts=True)
    return np.asarray(nearest[count == 2])


def merge(system: System, sources: Iterable[Source], a: int, b: int, stamp_ns: int, noise: Floats) -> None:
    """Make one of two tracks of ours, the older. The other's sources are its from now on."""
    stays, goes = min(a, b), max(a, b)
    now = max(stamp_ns, *system.whole("time_ns")[[stays, goes]].tolist())
    both = system.at(np.array([stays, goes]), now, noise)
    one = information.intersected(both.rows(np.array([0])), both.rows(np.array([1])))
    one = level.kept(one, system.estimate(), np.array([stays]), level.is_level(system.real("P")[[goes]]))
    system.real("x")[stays], system.real("P")[stays] = one.x[0], one.P[0]
    system.whole("time_ns")[stays] = now
    system.whole("alone")[stays] = -1
    system.whole("holders")[stays] |= system.whole("holders")[goes]
    system.whole("hits")[stays] += system.whole("hits")[goes]
    system.whole("first_ns")[stays] = system.whole("first_ns")[[stays, goes]].min()
    system.whole("held_ns")[stays] = system.whole("held_ns")[[stays, goes]].max()
    system.flag("confirmed")[stays] |= system.flag("confirmed")[goes]
    system.flag("dead")[goes] = True
    ids = system.whole("id")
    for source in sources:
        source.link[source.link == ids[goes]] = ids[stays]
