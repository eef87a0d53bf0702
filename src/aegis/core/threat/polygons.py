# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whether a polygon over ground is one that can be watched: what is wrong with it, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aegis.core.types import Floats

MOST_CORNERS = 200
FARTHEST_M = 1e7  # from the origin of map: farther is nowhere on Earth


def what_is_wrong(outline: Sequence[tuple[float, float]]) -> str:
    """Return what is wrong with a polygon, and what would be right; empty for a simple one. Corners are counted from 1.

    Args:
        outline: corners (east, north) in map [m], the last not the first again.
    """
    n = len(outline)
    if not 3 <= n <= MOST_CORNERS:
        return f"has {n} corners; 3 to {MOST_CORNERS} are expected"
    corner = np.array(outline, dtype=np.float64)
    far = np.flatnonzero(~(np.abs(corner) <= FARTHEST_M).all(axis=1))  # NaN is not near either
    if len(far):
        return f"corner {far[0] + 1} is at {tuple(corner[far[0]].tolist())}; finite numbers up to {FARTHEST_M:g} m are expected"
    edge = np.roll(corner, -1, axis=0) - corner
    same = np.flatnonzero(~edge.any(axis=1))
    if len(same):
        return f"corners {same[0] + 1} and {(same[0] + 1) % n + 1} are the same place; each corner is expected once"
    crossing = _first_crossing(corner)
    if crossing:
        words = " and ".join(f"from corner {k + 1} to {(k + 1) % n + 1}" for k in crossing)
        return f"crosses or touches itself: the edges {words} meet; edges that meet at their common corner only are expected"
    return ""


def _first_crossing(corner: Floats) -> tuple[int, int] | None:
    """Return two edges that meet where they should not, by the numbers of their first corners."""
    n = len(corner)
    after = np.roll(corner, -1, axis=0)
    edge = after - corner

    def sides(points: Floats) -> Floats:
        """Return (edges, points) on which side of each edge's line each point is: -1, 0, 1."""
        offset = points[None] - corner[:, None]
        return np.sign(edge[:, None, 0] * offset[..., 1] - edge[:, None, 1] * offset[..., 0])

    apart = sides(corner) * sides(after) <= 0.0  # the ends of edge j are not on one side of edge i
    low, high = np.minimum(corner, after), np.maximum(corner, after)
    close = ((low[:, None] <= high[None]) & (low[None] <= high[:, None])).all(axis=2)
    meet = apart & apart.T & close
    i, j = np.arange(n), (np.arange(n) + 1) % n
    meet[i, i] = False
    # Two edges at a corner meet there; they overlap only where the second goes straight back.
    turn = edge[i, 0] * edge[j, 1] - edge[i, 1] * edge[j, 0]
    back = (turn == 0.0) & ((edge[i] * edge[j]).sum(axis=1) < 0.0)
    meet[i, j] = meet[j, i] = back
    found = np.argwhere(np.triu(meet))
    return (int(found[0, 0]), int(found[0, 1])) if len(found) else None
