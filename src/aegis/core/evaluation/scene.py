# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Truth at the times of the scans, made of what is known of each object at times of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aegis.core.types import Floats, Ints, Truth

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class TrueObject:
    """What is known of one object: K places in time, in `map`. NaN where a coordinate or a speed is not known."""

    id: int
    name: str
    class_id: int
    time_ns: Ints  # (K,), increasing
    state: Floats  # (K, 6) x y z vx vy vz [m, m/s]
    in_view: Flags  # (K,) in the sensor's field of view


@dataclass(frozen=True)
class Scene:
    """The N objects at S times."""

    time_ns: Ints  # (S,)
    id: Ints  # (N,)
    name: list[str]
    class_id: Ints  # (N,)
    state: Floats  # (S, N, 6); NaN where an object is not there
    there: Flags  # (S, N)
    in_view: Flags  # (S, N)

    @property
    def time_s(self) -> Floats:
        """Seconds since the first time, (S,)."""
        return np.asarray((self.time_ns - self.time_ns[:1]) * 1e-9)

    @property
    def period_s(self) -> float:
        """The median time from one scan to the next; NaN for fewer than two."""
        return float(np.median(np.diff(self.time_s))) if len(self.time_ns) > 1 else float("nan")

    @property
    def hours(self) -> float:
        """How long the scans lasted, the last one's period too."""
        return float(self.time_s[-1] + self.period_s) / 3600.0 if len(self.time_ns) > 1 else float("nan")


def objects_of(truths: Sequence[Truth]) -> list[TrueObject]:
    """Return the objects of a simulation's truth, by id; of two truths with the same stamp the first one counts."""
    if not truths:
        return []
    counts = np.array([len(truth.truth_id) for truth in truths])
    ids = np.concatenate([truth.truth_id for truth in truths])
    stamps = np.repeat(np.array([truth.stamp_ns for truth in truths], dtype=np.int64), counts)
    if not len(ids):
        return []
    state = np.concatenate([truth.state for truth in truths])
    in_view = np.concatenate([truth.in_view for truth in truths]).astype(bool)
    order = np.lexsort((stamps, ids))  # stable: of equal ones the first stays first
    is_new = np.ones(len(order), dtype=bool)
    is_new[1:] = (np.diff(ids[order]) != 0) | (np.diff(stamps[order]) != 0)
    order = order[is_new]
    known, first = np.unique(ids, return_index=True)
    ends = np.cumsum(counts)
    out = []
    for one, at, mine in zip(
        known.tolist(), first.tolist(), np.split(order, np.flatnonzero(np.diff(ids[order])) + 1), strict=True
    ):
        told = int(np.searchsorted(ends, at, side="right"))  # who named it first
        i, truth = at - int(ends[told] - counts[told]), truths[told]
        name = truth.name[i] if truth.name else str(one)
        out.append(TrueObject(one, name, int(truth.class_id[i]), stamps[mine], state[mine], in_view[mine]))
    return out


def scene_at(objects: Sequence[TrueObject], time_ns: Ints, max_gap_s: float) -> Scene:
    """Return the objects at given times: between two of its places an object moves evenly.

    Args:
        objects: what is known.
        time_ns: (S,) increasing.
        max_gap_s: where two places of an object are farther apart in time, it is not there in between.
    """
    s, n = len(time_ns), len(objects)
    state, in_view = np.full((s, n, 6), np.nan), np.zeros((s, n), dtype=bool)
    for i, one in enumerate(objects):
        state[:, i], in_view[:, i] = _at(one, time_ns, max_gap_s)
    there = np.isfinite(state[:, :, :2]).all(axis=2)
    return Scene(
        time_ns=time_ns,
        id=np.array([o.id for o in objects], dtype=np.int64),
        name=[o.name for o in objects],
        class_id=np.array([o.class_id for o in objects], dtype=np.int64),
        state=state,
        there=there,
        in_view=in_view & there,
    )


def _at(one: TrueObject, time_ns: Ints, max_gap_s: float) -> tuple[Floats, Flags]:
    """Return states (S, 6), NaN where it is not there, and whether it is in view (S,)."""
    known = one.time_ns
    after = np.clip(np.searchsorted(known, time_ns), 0, max(len(known) - 1, 0))
    exact = known[after] == time_ns
    before = np.where(exact, after, np.maximum(after - 1, 0))
    gap_ns = known[after] - known[before]
    inside = exact | ((known[before] <= time_ns) & (time_ns <= known[after]) & (gap_ns <= max_gap_s * 1e9))
    share = np.where(gap_ns > 0, (time_ns - known[before]) / np.maximum(gap_ns, 1), 0.0)[:, None]
    first, second = one.state[before], one.state[after]
    state = first + share * (second - first)
    # Where nobody said how fast it is, its places do.
    step = np.where(gap_ns > 0, gap_ns, np.nan)[:, None] * 1e-9
    if len(known) > 1:
        neighbour = np.where(after > 0, after, 1)
        step = (known[neighbour] - known[neighbour - 1])[:, None] * 1e-9
        moved = (one.state[neighbour, :3] - one.state[neighbour - 1, :3]) / step
        moved = np.where(step <= max_gap_s, moved, np.nan)
        state[:, 3:] = np.where(np.isfinite(state[:, 3:]), state[:, 3:], moved)
    return np.where(inside[:, None], state, np.nan), inside & one.in_view[before] & one.in_view[after]
