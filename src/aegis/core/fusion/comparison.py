# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tracks of which two sources tell at about the same time, for what their biases are against each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from aegis.core.fusion import information
from aegis.core.fusion.information import Estimate, Gain
from aegis.core.fusion.source import Source
from aegis.core.fusion.system import System
from aegis.core.types import Floats, Ints

PARTNERS, MOST_PAIRS = 4, 25  # sources that one is compared with at a time, and tracks of each
LONGEST_GAP = 0.6  # between two reports that are compared, in periods: the objects' velocities are in the difference


class Pairs(NamedTuple):
    """K pairs: what a source and others have learned in their last reports of the same objects, at one time."""

    other: Ints  # (K,) numbers of the others
    ours: Estimate  # (K, ...) of the source, with errors that are independent of those before
    theirs: Estimate  # of the others
    weight: Floats  # (K,) 2 / h: the h holders of an object are h (h - 1) / 2 pairs with h - 1 independent differences


def take_pairs(system: System, source: Source, others: Sequence[Source]) -> Pairs | None:
    """Return what a source's last report and some others' can be compared by, others each time; None for nothing.

    Each report is compared with another source once, so that no error counts twice.

    Args:
        system: our tracks; source, others: without lost ones.
    """
    assert source.tracks is not None
    assert source.learned is not None
    linked = system.find(source.link)
    index = np.flatnonzero(linked >= 0)
    row = linked[index]
    first = source.reports % max(len(others), 1)
    fresh = [one for one in (*others[first:], *others[:first]) if len(one.link) and source.number not in one.compared]
    found: list[Pairs] = []
    for one in fresh[:PARTNERS]:
        assert one.tracks is not None
        assert one.learned is not None
        gap_s = (source.tracks.stamp_ns - one.tracks.stamp_ns) * 1e-9
        at = np.full(len(system), -1)
        there = system.find(one.link)
        at[there[there >= 0]] = np.flatnonzero(there >= 0)
        shared = np.flatnonzero(at[row] >= 0)
        if not len(shared) or abs(gap_s) > LONGEST_GAP * max(one.period_s(), source.period_s()):
            continue
        if len(shared) > MOST_PAIRS:
            shared = shared[np.linspace(0, len(shared) - 1, MOST_PAIRS).astype(np.int64)]
        mine, theirs = index[shared], at[row[shared]]
        ours = _measured(source.learned.rows(mine), source.tracks.state[mine])
        last = _measured(one.learned.rows(theirs), one.tracks.state[theirs])
        last.x[:, :3] += gap_s * last.x[:, 3:]
        last.P[:, :2, :2] += gap_s**2 * one.tracks.covariance[theirs, 3:5, 3:5]
        weight = 2.0 / system.holder_count(row[shared])
        found.append(Pairs(np.full(len(shared), one.number), ours, last, weight))
        source.compared.add(one.number)
        one.compared.add(source.number)
    if not found:
        return None
    return Pairs(
        np.concatenate([one.other for one in found]),
        Estimate(np.concatenate([one.ours.x for one in found]), np.concatenate([one.ours.P for one in found])),
        Estimate(np.concatenate([one.theirs.x for one in found]), np.concatenate([one.theirs.P for one in found])),
        np.concatenate([one.weight for one in found]),
    )


def _measured(learned: Gain, state: Floats) -> Estimate:
    """Return what was learned as measurements, with the velocities of the tracks: in one report little is learned of these."""
    out = information.equivalent(learned)
    out.x[:, 3:] = state[:, 3:]
    return out
