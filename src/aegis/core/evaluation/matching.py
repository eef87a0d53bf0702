# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which track shows which object, scan by scan.

An object keeps its track as long as that is within the gate of it; the others are assigned anew with the least sum of squared
distances: Bernardin, Stiefelhagen, Evaluating multiple object tracking performance: the CLEAR MOT metrics (2008), section 2.1.5.
A track without an object is a duplicate where an object is within the gate, and false otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from scipy.optimize import linear_sum_assignment

from aegis.core.evaluation.scene import Scene
from aegis.core.rows import take_rows
from aegis.core.types import Floats, Ints, Tracks, TrackStatus


class Kind(IntEnum):
    """What a track is in a scan."""

    MATCHED = 0  # it shows an object in view
    DUPLICATE = 1  # an object in view is here, and has a track already
    FALSE = 2  # nothing is here
    OUT_OF_VIEW = 3  # it shows an object that is outside the field of view: neither right nor wrong


@dataclass(frozen=True)
class Match:
    """One scan of N objects and M tracks."""

    track: Ints  # (N,) row of the track that shows the object, -1 for none
    kind: Ints  # (M,) Kind
    near_truth: Ints  # (Q,) the objects of the pairs that are within the gate of each other, in order
    near_track: Ints  # (Q,) rows of their tracks


@dataclass(frozen=True)
class Pairs:
    """Every scan in which a track shows an object in view; arrays (P,), or (P, *row)."""

    scan: Ints
    truth: Ints  # index of the object in the scene
    track_id: Ints
    true: Floats  # (P, 6)
    state: Floats  # (P, 6)
    covariance: Floats  # (P, 2, 2) of x and y
    class_id: Ints
    class_probability: Floats  # (P, C)
    fresh: Ints  # 1: updated by a detection of this scan

    def __len__(self) -> int:
        return len(self.scan)


def shown(tracks: Tracks) -> Tracks:
    """Return the tracks that are shown as objects: confirmed or coasting, at finite places."""
    kept = (tracks.status != int(TrackStatus.TENTATIVE)) & np.isfinite(tracks.state[:, :3]).all(axis=1)
    return tracks if kept.all() else take_rows(tracks, kept)


def distances(truth: Floats, estimate: Floats, dimensions: int) -> Floats:
    """Return (N, M) distances [m] of places (N, 3) and (M, 3), over ground or in space; infinite where one is not known.

    In space, an object of unknown height is compared over ground.
    """
    out: Floats = truth[:, None, 0] - estimate[None, :, 0]  # in place from here on: memory takes longer than the sums
    out *= out
    for k in range(1, dimensions):
        along = truth[:, None, k] - estimate[None, :, k]
        if k == 2:
            np.nan_to_num(along, copy=False)
        along *= along
        out += along
    np.sqrt(out, out=out)
    if np.isnan(truth[:, :2]).any() or np.isnan(estimate[:, :2]).any():
        out[np.isnan(out)] = np.inf
    return out


def assign(distance: Floats, gate: float) -> tuple[Ints, Ints]:
    """Return rows and columns of the assignment with most pairs within the gate, and of these the least sum of squares."""
    cost = np.where(distance <= gate, distance**2, 0.0)
    # A pair beyond the gate costs more than all others together, so that as few as possible are taken.
    beyond = gate**2 * (min(distance.shape) + 1)
    i, j = linear_sum_assignment(np.where(distance <= gate, cost, beyond))
    near = distance[i, j] <= gate
    return i[near], j[near]


def match(scene: Scene, pictures: Sequence[Tracks], gate: float, dimensions: int = 2) -> list[Match]:
    """Return the match of every scan.

    Args:
        scene: S times of N objects.
        pictures: the S pictures, of tracks that are `shown`.
        gate: distance within which a track shows an object [m].
        dimensions: 2 over ground, 3 in space.
    """
    out = []
    holder = np.full(len(scene.id), -1, dtype=np.int64)  # by object, id of its track
    for s, picture in enumerate(pictures):
        there = np.flatnonzero(scene.there[s])
        distance = distances(scene.state[s, there, :3], picture.state[:, :3], dimensions)
        track = np.full(len(scene.id), -1, dtype=np.int64)
        free_truth, free_track = np.ones(len(there), dtype=bool), np.ones(len(picture), dtype=bool)
        k, row = _held(holder[there], picture.track_id, distance, gate)
        track[there[k]], free_truth[k], free_track[row] = row, False, False
        left, right = np.flatnonzero(free_truth), np.flatnonzero(free_track)
        if len(left) and len(right):
            a, b = assign(distance[np.ix_(left, right)], gate)
            track[there[left[a]]] = right[b]
        matched = np.flatnonzero(track >= 0)
        holder[matched] = picture.track_id[track[matched]]
        a, b = np.divmod(np.flatnonzero(distance <= gate), max(len(picture), 1))
        out.append(Match(track, _kinds(scene, s, there, distance, track, gate), there[a], b))
    return out


def _held(wanted: Ints, track_id: Ints, distance: Floats, gate: float) -> tuple[Ints, Ints]:
    """Return which of N objects still have, within the gate, the track that they want (its id), and its rows in a picture.

    Of two that want one track, the first gets it.
    """
    order = np.argsort(track_id, kind="stable")
    at = np.searchsorted(track_id, wanted, side="right", sorter=order) - 1
    row = order[np.maximum(at, 0)] if len(order) else np.zeros(len(wanted), dtype=np.int64)
    here = at >= 0
    here[here] = track_id[row[here]] == wanted[here]
    here[here] = distance[np.flatnonzero(here), row[here]] <= gate
    k = np.flatnonzero(here)
    rows, first = np.unique(row[k], return_index=True)
    return k[first], rows


def _kinds(scene: Scene, s: int, there: Ints, distance: Floats, track: Ints, gate: float) -> Ints:
    """Return what each track of a scan is, (M,)."""
    kind = np.full(distance.shape[1], int(Kind.FALSE), dtype=np.int64)
    matched = there[track[there] >= 0]
    kind[track[matched]] = np.where(scene.in_view[s, matched], int(Kind.MATCHED), int(Kind.OUT_OF_VIEW))
    if not len(there):
        return kind
    alone = np.ones(len(kind), dtype=bool)
    alone[track[matched]] = False
    others = np.flatnonzero(alone)
    nearest = distance[:, others].argmin(axis=0)
    close = distance[nearest, others] <= gate
    seen = scene.in_view[s, there[nearest]]
    kind[others[close]] = np.where(seen[close], int(Kind.DUPLICATE), int(Kind.OUT_OF_VIEW))
    return kind


def pairs(scene: Scene, pictures: Sequence[Tracks], matches: Sequence[Match]) -> Pairs:
    """Return every track in every scan that shows an object in view."""
    truths = [np.flatnonzero((one.track >= 0) & scene.in_view[s]) for s, one in enumerate(matches)]
    rows = [one.track[seen] for one, seen in zip(matches, truths, strict=True)]

    def column(name: str, *shape: int) -> Floats:
        values = [getattr(picture, name)[row] for picture, row in zip(pictures, rows, strict=True)]
        return np.concatenate([np.empty((0, *shape)), *(v.reshape(len(v), *shape) for v in values)])

    at = np.repeat(np.arange(len(truths)), [len(seen) for seen in truths])
    of = np.concatenate([np.empty(0, dtype=np.int64), *truths])
    classes = pictures[0].class_probability.shape[1] if pictures else 0
    return Pairs(
        scan=at,
        truth=of,
        track_id=column("track_id").astype(np.int64),
        true=scene.state[at, of],
        state=column("state", 6),
        covariance=np.concatenate(
            [
                np.empty((0, 2, 2)),
                *(picture.covariance[row, :2, :2] for picture, row in zip(pictures, rows, strict=True)),
            ]
        ),
        class_id=column("class_id").astype(np.int64),
        class_probability=column("class_probability", classes),
        fresh=(column("time_since_update") <= 1e-6).astype(np.int64),
    )
