# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""T-GOSPA: GOSPA for trajectories, which charges for a change of the track that shows an object.

Garcia-Fernandez, Rahmathullah, Svensson, A metric on the space of finite sets of trajectories for evaluation of multi-target
tracking algorithms, IEEE Trans. Signal Process. 68 (2020), eq. 8 (the metric) and 23 (its linear program, solved here).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from aegis.core.evaluation.matching import distances
from aegis.core.types import Floats, Ints


@dataclass(frozen=True)
class TrajectoryGospa:
    """`total`^p is the sum of the four parts."""

    total: float
    localisation: float  # sum of distance^p over assigned pairs and scans
    missed: float  # c^p / 2 for each object in each scan
    false: float  # the same for each track
    switch: float  # gamma^p for each change from one track to another, half of it from or to none


@dataclass(frozen=True)
class _Component:
    """Objects and tracks that are near each other, directly or through others: R pairs in the K scans where it matters."""

    truth: Ints  # (R,)
    track: Ints  # (R,)
    gain: Floats  # (K, R) what assigning the pair saves over leaving both alone; at least 0


def t_gospa(truth: Floats, estimate: Floats, *, c: float, gamma: float, p: float = 2.0) -> TrajectoryGospa:
    """Return the metric by its linear program: a lower bound of the one over assignments, and a metric itself.

    Args:
        truth: (S, N, 3) places in S scans; NaN where an object is not there.
        estimate: (S, M, 3) the same of the tracks.
        c: distance beyond which a pair counts as one missed and one false object.
        gamma: penalty of a change of track.
        p: order.

    Raises:
        RuntimeError: the solver failed.
    """
    scans, n, m = truth.shape[0], truth.shape[1], estimate.shape[1]
    dimensions = truth.shape[2]
    there, shown = np.isfinite(truth[:, :, 0]), np.isfinite(estimate[:, :, 0])
    near = [np.empty((0, 4))]
    for s in range(scans):
        i, j = np.flatnonzero(there[s]), np.flatnonzero(shown[s])
        near.append(near_pairs(s, i, j, distances(truth[s, i], estimate[s, j], dimensions), c))
    told = (int(there.sum()), int(shown.sum()))
    return t_gospa_of(np.concatenate(near), (n, m), told, c=c, gamma=gamma, p=p)


def near_pairs(scan: int, truth: Ints, track: Ints, distance: Floats, c: float) -> Floats:
    """Return rows (scan, truth, track, distance) of the pairs of a scan that are nearer than c.

    Args:
        scan: its number.
        truth, track: (N,) and (M,) numbers of the objects and the tracks in it.
        distance: (N, M).
        c: see `t_gospa`.
    """
    a, b = np.divmod(np.flatnonzero(distance < c), max(len(track), 1))
    return np.column_stack([np.full(len(a), scan), truth[a], track[b], distance[a, b]])


def t_gospa_of(
    near: Floats, size: tuple[int, int], told: tuple[int, int], *, c: float, gamma: float, p: float = 2.0
) -> TrajectoryGospa:
    """Return the same of all scans' `near_pairs`.

    Args:
        near: (Q, 4) of all scans.
        size: how many objects and tracks there are.
        told: in how many scans they are there, summed over the objects and over the tracks.
        c, gamma, p: see `t_gospa`.

    Raises:
        RuntimeError: the solver failed.
    """
    unit = c**p / 2.0
    near = np.column_stack([near[:, :3], near[:, 3] ** p])  # what each pair in each scan costs
    localisation = assigned = switch = 0.0
    for one, rows in _components(near, *size, c**p):
        weight = _solve(one, gamma**p / 2.0)
        cost = c**p - one.gain
        is_near = one.gain > 0.0
        localisation += float((weight * cost)[is_near].sum())
        assigned += float(weight[is_near].sum())
        changed = np.abs(np.diff(weight, axis=0)).sum() if rows else 0.0
        switch += gamma**p / 2.0 * float(changed)
    missed, false = unit * (told[0] - assigned), unit * (told[1] - assigned)
    total = max(localisation + missed + false + switch, 0.0) ** (1.0 / p)
    return TrajectoryGospa(total, localisation, missed, false, switch)


def _components(near: Floats, n: int, m: int, most: float) -> list[tuple[_Component, int]]:
    """Return the components of the graph of objects and tracks, each with its number of scans.

    Scans in which no pair of a component is near are left out: there the assignment before them can stay, at no cost.
    """
    if not len(near):
        return []
    scan, truth, track = near[:, :3].astype(np.int64).T
    graph = coo_array((np.ones(len(near)), (truth, n + track)), shape=(n + m, n + m))
    _, label = connected_components(graph, directed=False)
    out = []
    of_entry = label[truth]
    for component in np.unique(of_entry).tolist():
        mine = np.flatnonzero(of_entry == component)
        pair, column = np.unique(truth[mine] * m + track[mine], return_inverse=True)
        times, row = np.unique(scan[mine], return_inverse=True)
        gain = np.zeros((len(times), len(pair)))
        gain[row, column] = most - near[mine, 3]
        out.append((_Component(pair // m, pair % m, gain), len(times)))
    return out


def _solve(one: _Component, half_switch: float) -> Floats:
    """Return the weights (K, R) of the pairs in each scan that minimise the cost."""
    k, r = one.gain.shape
    if r == 1:  # a scan in which it gains nothing is not among these
        return np.ones((k, 1))
    if len(np.unique(one.truth)) == 1 or len(np.unique(one.track)) == 1:
        return _one_at_a_time(one.gain, half_switch)
    weights = k * r
    steps = (k - 1) * r
    cost = np.concatenate([-one.gain.ravel(), np.full(steps, half_switch)])
    index = np.arange(weights).reshape(k, r)
    # |w[t + 1] - w[t]| <= e[t], in two rows each.
    later, earlier, slack = index[1:].ravel(), index[:-1].ravel(), weights + np.arange(steps)
    row = np.arange(steps)
    parts = [
        (row, later, 1.0), (row, earlier, -1.0), (row, slack, -1.0),
        (steps + row, later, -1.0), (steps + row, earlier, 1.0), (steps + row, slack, -1.0),
    ]  # fmt: skip
    # Every object has one track at most, and every track one object, in each scan.
    begin = 2 * steps
    for side in (one.truth, one.track):
        names, group = np.unique(side, return_inverse=True)
        rows = begin + np.arange(k)[:, None] * len(names) + group[None, :]
        parts.append((rows.ravel(), index.ravel(), 1.0))
        begin += k * len(names)
    matrix = csr_array(
        (
            np.concatenate([np.full(len(rows), value) for rows, _, value in parts]),
            (np.concatenate([rows for rows, _, _ in parts]), np.concatenate([columns for _, columns, _ in parts])),
        ),
        shape=(begin, weights + steps),
    )
    bound = np.concatenate([np.zeros(2 * steps), np.ones(begin - 2 * steps)])
    # The stubs do not know that it takes sparse matrices.
    solved = linprog(cost, A_ub=matrix, b_ub=bound, bounds=(0.0, None), method="highs")  # type: ignore[call-overload]
    if not solved.success:
        raise RuntimeError(f"T-GOSPA's linear program of {weights} weights was not solved: {solved.message}")
    return np.asarray(solved.x[:weights]).reshape(k, r)


def _one_at_a_time(gain: Floats, half_switch: float) -> Floats:
    """Return the weights (K, R), 0 and 1, where one pair at most can hold: of one object, or of one track.

    The cost of a change is that of a way by way of none, half there and half from there, so that the linear program is one of
    shortest paths, and has whole numbers: Viterbi's algorithm finds them.
    """
    k, r = gain.shape
    cost = -gain[0].copy()  # of the best way that ends with each pair
    idle = 0.0  # of the best that ends with none
    came_from = np.empty((k, r), dtype=np.int64)  # the pair before; r: none
    idle_from = np.empty(k, dtype=np.int64)
    for t in range(1, k):
        best = int(cost.argmin())
        dropped = cost[best] + half_switch
        idle_from[t], free = (best, dropped) if dropped < idle else (r, idle)
        taken = free + half_switch
        stays = cost <= taken
        came_from[t] = np.where(stays, np.arange(r), idle_from[t])
        cost = np.where(stays, cost, taken) - gain[t]
        idle = free
    out = np.zeros((k, r))
    now = int(cost.argmin()) if cost.min() < idle else r
    for t in range(k - 1, -1, -1):
        if now < r:
            out[t, now] = 1.0
        if t:
            now = int(came_from[t, now]) if now < r else int(idle_from[t])
    return out
