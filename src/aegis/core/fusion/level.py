# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tracks of sources that measure no height: of height and climb they know nothing, and state a climb of nothing, surely."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aegis.core.fusion.information import Estimate
from aegis.core.tracking.births import UNSEEN_CLIMB_VARIANCE
from aegis.core.types import Floats, Ints

HEIGHT, CLIMB = 2, 5  # of the state
LARGEST_STATED = (
    10.0 * UNSEEN_CLIMB_VARIANCE
)  # of a climb that is not measured; what is measured is never known so well
ANY_HEIGHT, ANY_CLIMB = 1e8, 1e6  # variances of what is anything [m^2, m^2/s^2]


def is_level(P: Floats) -> NDArray[np.bool_]:
    """Return (N,) which covariances (N, 6, 6) are of tracks whose height nobody has measured."""
    return np.asarray(P[:, CLIMB, CLIMB] <= LARGEST_STATED)


def released(tracks: Estimate) -> Estimate:
    """Return the tracks with a height and climb that may be anything, where they are not measured."""
    level = is_level(tracks.P)
    if not level.any():
        return tracks
    P = tracks.P.copy()
    _set_apart(P, level, ANY_HEIGHT, ANY_CLIMB)
    return Estimate(tracks.x, P)


def kept(after: Estimate, before: Estimate, row: Ints, flat: NDArray[np.bool_]) -> Estimate:
    """Return N tracks after a report, with height and climb as they were before, where neither was measured.

    Args:
        after: of the tracks; before: of all that are kept; row: (N,) which of these they are.
        flat: (N,) whether the report measures no height, as `is_level` tells of what it states.
    """
    level = np.flatnonzero(flat)
    level = level[is_level(before.P[row[level]])]
    if not len(level):
        return after
    out, there = Estimate(after.x.copy(), after.P.copy()), row[level]
    out.x[level, HEIGHT], out.x[level, CLIMB] = before.x[there, HEIGHT], before.x[there, CLIMB]
    _set_apart(out.P, level, before.P[there, HEIGHT, HEIGHT], before.P[there, CLIMB, CLIMB])
    return out


def _set_apart(P: Floats, which: Ints | NDArray[np.bool_], height: Floats | float, climb: Floats | float) -> None:
    """Make height and climb independent of the rest, with these variances, in place."""
    for axis, variance in ((HEIGHT, height), (CLIMB, climb)):
        P[which, axis, :] = 0.0
        P[which, :, axis] = 0.0
        P[which, axis, axis] = variance
