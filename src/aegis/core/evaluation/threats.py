# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whether threats come in the order in which the objects will really be at the asset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aegis.core.evaluation.matching import Kind, Match
from aegis.core.evaluation.scene import Scene
from aegis.core.threat.geometry import time_to_impact
from aegis.core.types import Floats, ThreatLevel, Threats, Tracks


@dataclass(frozen=True)
class ThreatOrder:
    """Of all scans that were assessed."""

    ordered: int  # pairs of objects in the right order
    pairs: int  # pairs of which one at least will be at the asset, both of them assessed
    first_right: int  # scans in which the first threat is the object that will be there first
    scans: int  # scans in which an object in view will be there
    impact_error_s: Floats  # of the stated time to impact, where an object will be there
    false_first: int  # scans in which a false or duplicate track is first, at HIGH or above
    false_critical: int  # scans in which a false or duplicate track is CRITICAL
    assessed: int  # scans


def true_time_to_impact(scene: Scene, asset: Floats, radius_m: float) -> Floats:
    """Return the time (S, N) [s] until each object is within `radius_m` of the asset; infinite where it will not be.

    What happened, where the scene shows it; beyond its end an object goes on straight.
    """
    time_s = scene.time_s
    relative = np.nan_to_num(scene.state[:, :, :3] - asset)
    distance = np.linalg.norm(relative, axis=2)
    out = np.full(scene.there.shape, np.inf)
    for i in range(len(scene.id)):
        there = np.flatnonzero(scene.there[:, i])
        entry = np.inf
        straight = time_to_impact(relative[there, i], np.nan_to_num(scene.state[there, i, 3:]), radius_m)
        if not (distance[there, i] <= radius_m).any():
            later = np.isfinite(straight) & (time_s[there] + straight > (time_s[there[-1]] if len(there) else np.inf))
            out[there, i] = np.where(later, straight, np.inf)
            continue
        for k in range(len(there) - 1, -1, -1):
            s = there[k]
            if distance[s, i] <= radius_m:
                entry = time_s[s]
            elif np.isfinite(entry) and k + 1 < len(there) and entry == time_s[there[k + 1]]:
                step = time_s[there[k + 1]] - time_s[s]
                moved = (relative[there[k + 1], i] - relative[s, i]) / step
                exact = float(time_to_impact(relative[s : s + 1, i], moved[None], radius_m)[0])
                entry = time_s[s] + (min(exact, step) if np.isfinite(exact) else step)
            if np.isfinite(entry):
                out[s, i] = entry - time_s[s]
            elif np.isfinite(straight[k]) and time_s[s] + straight[k] > time_s[there[-1]]:
                out[s, i] = straight[k]
    return out


def threat_order(
    scene: Scene,
    pictures: Sequence[Tracks],
    matches: Sequence[Match],
    threats: Mapping[int, Threats],
    impact_s: Floats,
) -> ThreatOrder:
    """Return how right the order is.

    Args:
        scene, pictures, matches: of S scans.
        threats: by scan.
        impact_s: (S, N), see `true_time_to_impact`.
    """
    ordered = pairs = first_right = scans = false_first = false_critical = 0
    errors: list[float] = []
    for s, listed in threats.items():
        row = {int(name): k for k, name in enumerate(pictures[s].track_id)}
        track_of = matches[s].track
        truth_of = {int(r): i for i, r in enumerate(track_of.tolist()) if r >= 0}
        rows = [row.get(int(name), -1) for name in listed.track_id]
        objects = [truth_of.get(r, -1) if r >= 0 else -1 for r in rows]
        kinds = [int(matches[s].kind[r]) if r >= 0 else int(Kind.OUT_OF_VIEW) for r in rows]
        wrong = [k in (Kind.FALSE, Kind.DUPLICATE) for k in kinds]
        false_first += bool(wrong and wrong[0] and listed.level[0] >= ThreatLevel.HIGH)
        false_critical += any(w and x >= ThreatLevel.CRITICAL for w, x in zip(wrong, listed.level, strict=True))
        due = np.where(scene.in_view[s], impact_s[s], np.inf)
        if len(due) and np.isfinite(due).any():
            scans += 1
            first_right += bool(objects and objects[0] == int(due.argmin()))
        there = [(impact_s[s, i], place) for place, i in enumerate(objects) if i >= 0 and scene.in_view[s, i]]
        errors += [
            float(listed.time_to_impact[place] - true)
            for true, place in there
            if np.isfinite(true) and np.isfinite(listed.time_to_impact[place])
        ]
        for a, (first, _) in enumerate(there):
            for second, _ in there[a + 1 :]:
                if first != second and np.isfinite(min(first, second)):
                    pairs += 1
                    ordered += bool(first < second)
    return ThreatOrder(ordered, pairs, first_right, scans, np.array(errors), false_first, false_critical, len(threats))
