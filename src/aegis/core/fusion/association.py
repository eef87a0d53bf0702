# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which source's track is which of ours: a gate, then the assignment of the smallest total distance, as the tracker's."""

from __future__ import annotations

import numpy as np

from aegis.core.fusion.information import Estimate, carried, distances
from aegis.core.kernels import association as kernels
from aegis.core.tracking.association import gate_keys, near
from aegis.core.types import Floats, Ints


def assigned(ours: Estimate, dt: Floats, theirs: Estimate, noise: Floats, gate: float) -> tuple[Ints, Ints]:
    """Return the pairs (K,) and (K,) of N tracks of ours and D of a source that belong together; each is in one at most.

    Args:
        ours: at times of their own; dt: (N,) from these to that of the source's [s].
        theirs: of the source, with all that is unsure of them.
        noise: as in `information.carried`.
        gate: largest squared distance.
    """
    none = np.empty(0, np.int64)
    if not len(dt) or not len(theirs.x):
        return none, none
    first, them = _near(ours, dt, theirs, noise, gate)
    us = np.repeat(np.arange(len(dt)), np.diff(first))
    some, place = np.unique(us, return_inverse=True)
    there = carried(ours.rows(some), np.ascontiguousarray(dt[some]), noise)
    gain = gate - distances(place, them, there, theirs)
    good = gain > 0.0  # not where there is no distance
    us, them, gain = us[good], them[good], np.ascontiguousarray(gain[good])
    some, place = np.unique(us, return_inverse=True)
    chosen = _best(np.append(0, np.cumsum(np.bincount(place, minlength=len(some)))), them, gain, len(theirs.x))
    held = chosen[chosen >= 0]
    return us[held], them[held]


def near_each(ours: Estimate, dt: Floats, some: Ints, then: Estimate, gate: float, noise: Floats) -> tuple[Ints, Ints]:
    """Return pairs of tracks, each once, the second one of `some`, that may be nearer than a squared distance at a time.

    Args:
        ours, dt, noise: as in `assigned`.
        some: (K,) numbers of tracks; then: those at that time.
        gate: the squared distance.
    """
    first, them = _near(ours, dt, then, noise, gate)
    one, other = np.repeat(np.arange(len(dt)), np.diff(first)), some[them]
    among = np.zeros(len(dt), np.bool_)
    among[some] = True
    once = (one < other) | ((one != other) & ~among[one])
    return one[once], other[once]


def _near(ours: Estimate, dt: Floats, theirs: Estimate, noise: Floats, bound: float) -> tuple[Ints, Ints]:
    """Return those of theirs that may be in the gate of each of ours, in compressed rows."""
    d = len(theirs.x)
    centre = ours.x[:, :3] + dt[:, None] * ours.x[:, 3:]
    variance = np.diagonal(ours.P, axis1=1, axis2=2)
    between = ours.P[:, [0, 1, 2], [3, 4, 5]]
    ahead = np.maximum(dt, 0.0)[:, None]
    step = dt[:, None]
    spread = variance[:, :3] + 2.0 * step * between + step**2 * variance[:, 3:] + noise[[0, 0, 1]] * ahead**3 / 3.0
    order = np.argsort(gate_keys(np.ascontiguousarray(theirs.x[:, :3])), kind="stable")
    position = np.ascontiguousarray(theirs.x[order, :3])
    sigma = np.sqrt(np.maximum(theirs.P[order, 0, 0], theirs.P[order, 1, 1]))
    first, found = near(
        centre, spread, ours.x[:, None, :], position, sigma, np.zeros((d, 4), np.uint8), np.zeros(d), bound
    )
    return first, order[found[: first[-1]]]


def _best(start: Ints, detection: Ints, gain: Floats, detections: int) -> Ints:
    """Return each row's pair in the assignment of the largest total gain, -1 for none."""
    n = len(start) - 1
    member, begin = np.empty(n, np.int64), np.empty(n + 1, np.int64)
    parts = kernels.components(
        start, detection, np.empty(n + detections, np.int64), np.empty(n, np.int64), member, begin
    )
    columns, chosen = detections + n, np.empty(n, np.int64)
    whole, real = np.empty(6 * columns, np.int64), np.empty(n + 2 * columns)
    kernels.assign(start, detection, gain, member[: begin[parts]], whole, real, chosen)
    return chosen
