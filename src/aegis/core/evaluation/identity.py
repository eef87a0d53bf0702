# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whether an object keeps its track, and what each track was over its life."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from aegis.core.evaluation.matching import Kind, Match, Pairs
from aegis.core.types import Tracks


@dataclass(frozen=True)
class TrackLife:
    """A track over all scans in which it was shown."""

    track_id: int
    kind: Kind  # what it was in most of them
    scans: int
    false_scans: int
    duplicate_scans: int
    first_scan: int
    last_scan: int
    truth: int  # index of the object that it showed most; -1 for none


def id_changes(pairs: Pairs, n: int) -> tuple[list[list[int]], list[int]]:
    """Return for each of n objects the ids of the tracks that showed it, in order of appearance, and how often it changed.

    Coming back under the old id after a gap is no change; coming back under another one is.
    """
    ids: list[list[int]] = [[] for _ in range(n)]
    changes = [0] * n
    last: dict[int, int] = {}
    for truth, track in zip(pairs.truth.tolist(), pairs.track_id.tolist(), strict=True):
        changes[truth] += last.get(truth, track) != track
        last[truth] = track
        if track not in ids[truth]:
            ids[truth].append(track)
    return ids, changes


def idf1(near: Counter[tuple[int, int]], truth_scans: Counter[int], track_scans: Counter[int]) -> float:
    """Return IDF1: the share of scans that one track for each object, the best over all its time, shows rightly.

    Ristani et al., Performance measures and a data set for multi-target, multi-camera tracking (2016), eq. 7 to 10.

    Args:
        near: (object, track): in how many scans the track is within the gate of the object.
        truth_scans, track_scans: in how many scans each is there. Without either NaN.
    """
    total = sum(truth_scans.values()) + sum(track_scans.values())
    if not total:
        return float("nan")
    truths, tracks = sorted(truth_scans), sorted(track_scans)
    overlap = np.zeros((len(truths), len(tracks)))
    at_truth, at_track = {t: i for i, t in enumerate(truths)}, {t: i for i, t in enumerate(tracks)}
    for (truth, track), scans in near.items():
        overlap[at_truth[truth], at_track[track]] = scans
    i, j = linear_sum_assignment(overlap, maximize=True)
    return float(2.0 * overlap[i, j].sum() / total)


def lives(pictures: Sequence[Tracks], matches: Sequence[Match], pairs: Pairs) -> list[TrackLife]:
    """Return every track's life, by id."""
    if not pictures:
        return []
    scan = np.repeat(np.arange(len(pictures)), [len(picture) for picture in pictures])
    ids, index = np.unique(np.concatenate([picture.track_id for picture in pictures]), return_inverse=True)
    kinds = np.zeros((len(ids), len(Kind)), dtype=np.int64)
    np.add.at(kinds, (index, np.concatenate([one.kind for one in matches])), 1)
    first, last = np.full(len(ids), len(pictures)), np.zeros(len(ids), dtype=np.int64)
    np.minimum.at(first, index, scan)
    np.maximum.at(last, index, scan)
    shows: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for truth, track in zip(pairs.truth.tolist(), pairs.track_id.tolist(), strict=True):
        shows[track][truth] += 1
    out = []
    for k, track in enumerate(ids.tolist()):
        count = kinds[k].tolist()
        # Where two are equal, the better one: the order of Kind, but what is out of view before what is false.
        order = (Kind.MATCHED, Kind.OUT_OF_VIEW, Kind.DUPLICATE, Kind.FALSE)
        kind = max(order, key=lambda k: (count[k], -order.index(k)))
        truth = shows[track].most_common(1)[0][0] if track in shows else -1
        out.append(
            TrackLife(
                track, kind, sum(count), count[Kind.FALSE], count[Kind.DUPLICATE], int(first[k]), int(last[k]), truth,
            )
        )  # fmt: skip
    return out
