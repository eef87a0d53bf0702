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
    cost: dict[int, dict[int, float]] = {}
    for s, (picture, one) in enumerate(zip(pictures, matches, strict=True)):
        for i in np.flatnonzero((one.track >= 0) & scene.in_view[s]).tolist():
            place = picture.state[one.track[i], :2] - scene.state[s, i, :2]
            cost.setdefault(int(picture.track_id[one.track[i]]), {})[s] = float(place @ place)
        for k in np.flatnonzero((one.kind == int(Kind.FALSE)) | (one.kind == int(Kind.DUPLICATE))).tolist():
            cost.setdefault(int(picture.track_id[k]), {})[s] = gate**2 / 2.0
    life = {one.track_id: one for one in tracks}
    whole = sum(sum(by_scan.values()) for by_scan in cost.values())
    out = []
    for name in sorted(cost, key=lambda n: (-sum(cost[n].values()), n))[:WORST_TRACKS]:
        mine, of = life[name], cost[name]
        at = min(of, key=lambda s: (-of[s], s))
        if mine.kind is Kind.MATCHED:
            text = f"shows {scene.name[mine.truth]}, {math.sqrt(cost[name][at]):.3g} m off"
            text += f", false in {mine.false_scans} of {mine.scans} scans" if mine.false_scans else ""
        else:
            word = "a duplicate" if mine.kind is Kind.DUPLICATE else "false"
            text = f"{word} in {max(mine.false_scans, mine.duplicate_scans)} of {mine.scans} scans"
        share = sum(cost[name].values()) / whole if whole else 0.0
        out.append(WorstTrack(name, mine.kind, share, at, text))
    return out
