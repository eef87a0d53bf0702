# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""For how much of its time in view an object is shown, how often that is renewed, and where it is missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aegis.core.evaluation.matching import Match, Pairs
from aegis.core.evaluation.scene import Flags, Scene
from aegis.core.types import Floats, Ints


@dataclass(frozen=True)
class Coverage:
    """Of one object."""

    scans: int  # in view
    covered: int  # of these, with a track that shows it
    to_confirmation_s: float  # from its first scan in view to the first track that shows it; NaN: never
    lost_scans: int  # in view, after the first track, without one
    after_scans: int  # in view, from the first track on
    longest_gap_s: float  # the longest time in view between two scans that show it, after the first; 0 without a gap
    gap_begin_s: float  # when that began; NaN without
    update_interval_s: float  # mean time from one update by a detection to the next, while in view; NaN: fewer than two
    longest_interval_s: float
    slots: int  # whole stretches of the update period in view
    slots_updated: int  # of these, with an update at least


def covered_scans(scene: Scene, matches: list[Match]) -> Flags:
    """Return which objects are shown in which scans, (S, N)."""
    tracks = np.array([one.track for one in matches], dtype=np.int64).reshape(scene.there.shape)
    return np.asarray((tracks >= 0) & scene.in_view)


def updated_scans(scene: Scene, pairs: Pairs) -> Flags:
    """Return which objects are shown by a track that got a detection in which scans, (S, N)."""
    out = np.zeros(scene.there.shape, dtype=bool)
    out[pairs.scan, pairs.truth] = pairs.fresh == 1
    return out


def coverage(scene: Scene, covered: Flags, updated: Flags, update_period_s: float) -> list[Coverage]:
    """Return the coverage of every object.

    Args:
        scene: the objects; covered, updated: (S, N).
        update_period_s: length of the stretches in which an update is expected, as EUROCONTROL's ESASSP counts them.
    """
    return [
        _of_one(scene.time_s, scene.in_view[:, i], covered[:, i], updated[:, i], update_period_s, scene.period_s)
        for i in range(len(scene.id))
    ]


def _of_one(
    time_s: Floats, in_view: Flags, covered: Flags, updated: Flags, update_period_s: float, scan_s: float
) -> Coverage:
    seen, shown = np.flatnonzero(in_view), np.flatnonzero(covered)
    first = shown[0] if len(shown) else len(time_s)
    after = seen[seen >= first]
    gap, begin = _longest_gap(time_s, in_view, covered)
    intervals: list[float] = []
    slots = slots_updated = 0
    for run in _runs(in_view):
        times = time_s[run][updated[run]]
        intervals += np.diff(times).tolist()
        # The last scan of a run stands for its period too.
        whole = int((time_s[run[-1]] - time_s[run[0]] + np.nan_to_num(scan_s)) / update_period_s + 1e-9)
        slot = ((times - time_s[run[0]]) / update_period_s + 1e-9).astype(int)
        slots += whole
        slots_updated += len(np.unique(slot[slot < whole]))
    return Coverage(
        scans=len(seen),
        covered=len(shown),
        to_confirmation_s=float(time_s[first] - time_s[seen[0]]) if len(shown) else float("nan"),
        lost_scans=int((~covered[after]).sum()),
        after_scans=len(after),
        longest_gap_s=gap,
        gap_begin_s=begin,
        update_interval_s=float(np.mean(intervals)) if intervals else float("nan"),
        longest_interval_s=float(np.max(intervals)) if intervals else float("nan"),
        slots=slots,
        slots_updated=slots_updated,
    )


def _runs(flags: Flags) -> list[Ints]:
    """Return the indices of each run of True."""
    index = np.flatnonzero(flags)
    return np.split(index, np.flatnonzero(np.diff(index) > 1) + 1) if len(index) else []


def _longest_gap(time_s: Floats, in_view: Flags, covered: Flags) -> tuple[float, float]:
    """Return the longest time in view without a track, after the first one, and when it began.

    A gap lasts from the last scan with a track to the next one, or from where the object comes into view or leaves it.
    """
    longest, begin = 0.0, float("nan")
    first = np.flatnonzero(covered)[:1]
    for run in _runs(in_view):
        for gap in _runs(~covered & in_view) if len(first) else []:
            if gap[0] < max(first[0], run[0]) or gap[-1] > run[-1]:
                continue
            since, until = max(gap[0] - 1, run[0]), min(gap[-1] + 1, run[-1])
            if time_s[until] - time_s[since] > longest:
                longest, begin = float(time_s[until] - time_s[since]), float(time_s[since])
    return longest, begin


def against_range(
    scene: Scene, updated: Flags, sensor: Floats, bins: int = 10
) -> list[tuple[float, float, float, int]]:
    """Return (from [m], to [m], share of the scans in view with an update, how many scans) by distance from the sensor.

    Args:
        scene: the objects; updated: (S, N).
        sensor: (3,) its position in `map`.
        bins: how many, of the same width.
    """
    s, n = np.nonzero(scene.in_view)
    if not len(s):
        return []
    distance = np.sqrt((np.nan_to_num(scene.state[s, n, :3] - sensor) ** 2).sum(axis=1))
    edges = np.linspace(0.0, float(distance.max()) * (1 + 1e-9), bins + 1)
    which = np.clip(np.searchsorted(edges, distance, side="right") - 1, 0, bins - 1)
    count = np.bincount(which, minlength=bins)
    hits = np.bincount(which, weights=updated[s, n].astype(float), minlength=bins)
    return [
        (float(edges[k]), float(edges[k + 1]), float(hits[k] / count[k]) if count[k] else float("nan"), int(count[k]))
        for k in range(bins)
    ]
