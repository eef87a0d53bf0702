"""Which detection belongs to which track: gate, connected components, exact assignment in each."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from aegis.core.types import Floats, Ints


def near_pairs(track_position: Floats, track_radius: Floats, position: Floats) -> tuple[Ints, Ints]:
    """Return (track, detection) index pairs, each (K,), with the detection within the track's radius [m].

    Args:
        track_position: (N, D); track_radius: (N,); position: (M, D) of the detections.
    """
    if not len(track_position) or not len(position):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    found = cKDTree(position).query_ball_point(track_position, track_radius, return_sorted=True)
    counts = np.fromiter((len(f) for f in found), dtype=np.int64, count=len(found))
    detection = np.concatenate([np.asarray(f, dtype=np.int64) for f in found])
    return np.repeat(np.arange(len(found)), counts), detection


def assign(track: Ints, detection: Ints, gain: Floats, n_tracks: int, n_detections: int) -> Ints:
    """Return the indices of the pairs that make up the assignment of the largest total gain.

    A pair of gain 0 or less is worth no more than leaving both alone, and is never taken.

    Args:
        track, detection, gain: (K,) the gated pairs.
    """
    useful = np.flatnonzero(gain > 0.0)
    if not len(useful):
        return useful
    t, d, g = track[useful], detection[useful], gain[useful]
    graph = coo_array((np.ones(len(t), dtype=np.int8), (t, n_tracks + d)), shape=(n_tracks + n_detections,) * 2)
    _, label = connected_components(graph, directed=False)
    component = label[t]
    size = np.bincount(component)
    chosen = [useful[size[component] == 1]]  # a pair that shares neither end with another
    order = np.argsort(component, kind="stable")
    order = order[size[component[order]] > 1]
    for members in np.split(order, np.flatnonzero(np.diff(component[order])) + 1):
        if not len(members):
            continue
        rows, row = np.unique(t[members], return_inverse=True)
        columns, column = np.unique(d[members], return_inverse=True)
        matrix = np.zeros((len(rows), len(columns)))
        which = np.full((len(rows), len(columns)), -1)
        matrix[row, column] = g[members]
        which[row, column] = useful[members]
        i, j = linear_sum_assignment(matrix, maximize=True)
        taken = which[i, j]
        chosen.append(taken[taken >= 0])
    out: Ints = np.sort(np.concatenate(chosen))
    return out
