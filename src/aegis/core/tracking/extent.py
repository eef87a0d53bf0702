# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Extended objects: several detections of one object in a scan become one, with the spread of its scatterers in its errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from aegis.core.angles import wrapped
from aegis.core.tracking.measurement import AZIMUTH, Plots
from aegis.core.types import Floats, Ints

SAME_RANGE_RATE_MPS = 2.0  # parts of one object differ in range rate by no more, beside their errors
SAME_VELOCITY_MPS = 2.0  # two tracks of one object differ by no more, over ground
REACH_SIGMAS = 3.0


@dataclass(frozen=True)
class Known:
    """Confirmed tracks: position (N, 3) and its largest standard deviation (N,), spread of each object's scatterers (N,) [m]."""

    position: Floats
    sigma: Floats
    scatter: Floats


@dataclass(frozen=True)
class Merged:
    """G objects in a scan of D detections."""

    z: Plots  # (G)
    group: Ints  # (D,) the object of each detection
    scatter: Floats  # (G,) variance of its detections about their mean along an axis [m^2]; NaN of a single one


def also_of(position: Floats, velocity: Floats, born_ns: Ints, max_extent_m: float) -> NDArray[np.bool_]:
    """Return which confirmed tracks (N,) are of an object that an older one has: what two parts of it began.

    They are within half of an object's length and move alike, as the parts of a rigid object do.

    Args:
        position, velocity: (N, 2) over ground; born_ns: (N,) of their first detections.
        max_extent_m: length of the longest object.
    """
    out = np.zeros(len(position), dtype=bool)
    if len(position) < 2:
        return out
    pairs = cKDTree(position).query_pairs(0.5 * max_extent_m, output_type="ndarray")
    i, j = pairs[:, 0], pairs[:, 1]
    alike = np.linalg.norm(velocity[i] - velocity[j], axis=1) <= SAME_VELOCITY_MPS
    i, j = i[alike], j[alike]
    out[np.where((born_ns[i] < born_ns[j]) | ((born_ns[i] == born_ns[j]) & (i < j)), j, i)] = True
    return out


def merge(z: Plots, known: Known, max_extent_m: float) -> Merged:
    """Return one measurement an object.

    Detections within an object's length of a known track belong to it, or to the nearest of several; of the others, those that lie
    together within half that length are one new object.

    Args:
        z: D detections; known: the tracks; max_extent_m: length of the longest object.
    """
    n = len(z.position)
    owner = np.full(n, -1)
    flat = 3 if n and z.measured[:, 2].all() else 2
    if n and len(known.position):
        tree = cKDTree(known.position[:, :flat])
        distance, nearest = tree.query(z.position[:, :flat])
        reach = 0.5 * max_extent_m + REACH_SIGMAS * np.hypot(z.position_sigma, known.sigma[nearest])
        owner = np.where(distance <= reach, nearest, -1)
    pairs = (
        cKDTree(z.position[:, :flat]).query_pairs(max_extent_m, output_type="ndarray")
        if n > 1
        else np.empty((0, 2), int)
    )
    i, j = pairs[:, 0], pairs[:, 1]
    close = np.linalg.norm(z.position[i, :flat] - z.position[j, :flat], axis=1) <= 0.5 * max_extent_m
    linked = (owner[i] == owner[j]) & ((owner[i] >= 0) | close)
    both = z.measured[i, 3] & z.measured[j, 3]
    allowed = SAME_RANGE_RATE_MPS + REACH_SIGMAS * np.sqrt(z.variance[i, 3] + z.variance[j, 3])
    linked &= ~both | (np.abs(z.value[i, 3] - z.value[j, 3]) <= allowed)
    graph = coo_array((np.ones(linked.sum(), dtype=np.int8), (i[linked], j[linked])), shape=(n, n))
    _, label = connected_components(graph, directed=False)
    group: Ints = label.astype(np.int64)
    size = np.bincount(group)
    groups = len(size)
    _, first = np.unique(group, return_index=True)

    def mean(values: Floats, weight: Floats) -> Floats:
        total = np.bincount(group, weight, minlength=groups)
        return np.bincount(group, weight * values, minlength=groups) / np.where(total > 0.0, total, 1.0)

    difference = z.value - z.value[first[group]]
    if z.polar:
        difference[:, AZIMUTH] = wrapped(difference[:, AZIMUTH])
    value, variance = np.empty((groups, 4)), np.empty((groups, 4))
    for c in range(4):
        here = z.measured[:, c].astype(float)
        value[:, c] = z.value[first, c] + mean(difference[:, c], here)
        count = np.maximum(np.bincount(group, here, minlength=groups), 1.0)
        variance[:, c] = mean(z.variance[:, c], here) / count
    if z.polar:
        value[:, AZIMUTH] = wrapped(value[:, AZIMUTH])
    one = np.ones(n)
    position = np.column_stack([mean(z.position[:, a], one) for a in range(3)])
    squares = ((z.position[:, :flat] - position[group, :flat]) ** 2).sum(axis=1) / flat
    with np.errstate(invalid="ignore", divide="ignore"):
        scatter = np.where(size > 1, np.bincount(group, squares, minlength=groups) / (size - 1), np.nan)
    scatter = np.maximum(scatter - mean(z.position_sigma**2, one), 0.0)  # NaN stays
    # Where the centre of the object lies about the mean of the scatterers seen: as the track knows, else as they show.
    expected = np.where(
        owner[first] >= 0, known.scatter[owner[first]] ** 2 if len(known.scatter) else 0.0, np.nan_to_num(scatter)
    )
    wander = np.maximum(expected, np.nan_to_num(scatter)) / size
    measured = np.zeros((groups, 4), dtype=bool)
    np.logical_or.at(measured, group, z.measured)
    reach_m = np.maximum(np.linalg.norm(position - z.origin, axis=1), 1.0) if z.polar else np.ones(groups)
    for c in range(3):
        variance[:, c] += np.where(measured[:, c], wander / (reach_m**2 if z.polar and c else 1.0), 0.0)
    return Merged(
        Plots(
            value, variance, measured, position, np.sqrt(mean(z.position_sigma**2, one) / size + wander), mean(z.age, one),
            z.polar, z.origin,
        ),
        group,
        scatter,
    )  # fmt: skip
