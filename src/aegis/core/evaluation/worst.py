# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The tracks that cost most, for who wants to see what went wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aegis.core.evaluation.identity import TrackLife
from aegis.core.evaluation.matching import Kind, Match
from aegis.core.evaluation.scene import Scene
from aegis.core.types import Tracks

WORST_TRACKS = 5


@dataclass(frozen=True)
class WorstTrack:
    """A track that costs much, and when it did so most."""

    track_id: int
    kind: Kind
    cost: float  # share of GOSPA's sum over all scans
    at_scan: int
    text: str


def worst_tracks(
    scene: Scene, pictures: Sequence[Tracks], matches: Sequence[Match], tracks: Sequence[TrackLife], gate: float
) -> list[WorstTrack]:
    """Return the tracks that cost most: what GOSPA charges for them, error squared or half the gate squared."""
    names, costs, scans = [np.empty(0, dtype=np.int64)], [np.empty(0)], [np.empty(0, dtype=np.int64)]
    for s, (picture, one) in enumerate(zip(pictures, matches, strict=True)):
        seen = np.flatnonzero((one.track >= 0) & scene.in_view[s])
        rows = one.track[seen]
        off = picture.state[rows, :2] - scene.state[s, seen, :2]
        wrong = np.flatnonzero((one.kind == int(Kind.FALSE)) | (one.kind == int(Kind.DUPLICATE)))
        names += [picture.track_id[rows], picture.track_id[wrong]]
        costs += [(off**2).sum(axis=1), np.full(len(wrong), gate**2 / 2.0)]
        scans.append(np.full(len(rows) + len(wrong), s))
    name_of, cost, scan = np.concatenate(names), np.concatenate(costs), np.concatenate(scans)
    ids, index = np.unique(name_of, return_inverse=True)
    total = np.bincount(index, weights=cost, minlength=len(ids))
    life = {one.track_id: one for one in tracks}
    whole = float(total.sum())
    out = []
    for k in np.lexsort((ids, -total))[:WORST_TRACKS].tolist():
        name, mine = int(ids[k]), life[int(ids[k])]
        of = np.flatnonzero(index == k)
        worst = of[np.argmax(cost[of])]  # the first of the highest
        at = int(scan[worst])
        if mine.kind is Kind.MATCHED:
            text = f"shows {scene.name[mine.truth]}, {math.sqrt(cost[worst]):.3g} m off"
            text += f", false in {mine.false_scans} of {mine.scans} scans" if mine.false_scans else ""
        else:
            word = "a duplicate" if mine.kind is Kind.DUPLICATE else "false"
            text = f"{word} in {max(mine.false_scans, mine.duplicate_scans)} of {mine.scans} scans"
        share = float(total[k]) / whole if whole else 0.0
        out.append(WorstTrack(name, mine.kind, share, at, text))
    return out
