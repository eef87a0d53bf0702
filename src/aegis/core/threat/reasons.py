# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Why a track is a threat, or is none, in words and with the numbers that it rests on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.classification.naming import class_in_words
from aegis.core.threat.behaviour import Conduct
from aegis.core.threat.geometry import NO_DISTANCE_M
from aegis.core.types import Floats, Ints, ThreatLevel, Tracks, TrackStatus

# Below it, what does not recede is told to have no clear heading at the asset.
CLEAR_INTENT = 0.3
STEADY_MPS = 0.05  # what comes closer, or recedes, more slowly keeps its distance
TOLD_PROBABILITY = 0.01
FAST_MPS = 10.0  # from here on speeds are told without decimals


class Assessed(NamedTuple):
    """Tracks that were assessed; arrays (N,) unless said."""

    row: Ints  # in the picture
    position: Floats  # (N, 3) relative to the asset [m]
    velocity: Floats  # (N, 3)
    covariance: Floats  # (N, 6, 6)
    level: Ints
    score: Floats
    time_to_cpa: Floats
    cpa_distance: Floats
    cpa_distance_sigma: Floats
    time_to_impact: Floats
    entry_probability: Floats
    intent: Floats
    conduct: Ints
    companions: Ints
    first_seen_m: Floats
    dropped_m: Floats
    asset: list[str]  # the name of the one most threatened
    before: Ints  # level in the last picture; 0: none
    held: NDArray[np.bool_]  # the score is that of when the track was seen last
    drop_s: float  # in which `dropped_m` was lost
    left_below: Floats  # as in `levels.Assigned`
    left_in_s: Floats


def reason_of(tracks: Tracks, assessed: Assessed, i: int, radius_m: float, asset: str = "") -> str:
    """Return the reason of one assessed track.

    Args:
        tracks: the picture; assessed: what was found of it; i: which one of these.
        radius_m: of the asset.
        asset: its name, where there are several.
    """
    k = int(assessed.row[i])
    distance, closing, sigma = _closing(assessed, i)
    parts = _course(assessed, i, radius_m, distance, closing, sigma)
    unseen = f"{tracks.time_since_update[k]:.1f} s"
    if assessed.held[i]:
        parts[0] = f"rated as when last seen, {unseen} ago; by prediction: {parts[0]}"
    height = _height(assessed, i)
    if height:
        parts.append(height)
    parts.append(class_in_words(int(tracks.class_id[k]), tracks.class_probability[k]))
    parts += _behaviour(assessed, i)
    if 0.0 < assessed.intent[i] < CLEAR_INTENT and closing > 0.0:
        parts.append("heading not clearly at the asset")
    if int(tracks.status[k]) == int(TrackStatus.COASTING) and not assessed.held[i]:
        parts.append(f"not seen for {unseen}")
    if asset:
        parts.append(f"asset '{asset}'")
    if np.isfinite(assessed.left_below[i]):
        parts.append(_kept_level(assessed, i))
    return "; ".join(parts)


def _kept_level(assessed: Assessed, i: int) -> str:
    """Return until when a level is kept that the score is too low for, or down to which score."""
    level, below, left_s = ThreatLevel(int(assessed.level[i])).name, assessed.left_below[i], assessed.left_in_s[i]
    if np.isfinite(left_s):
        return f"{level} held for {left_s:.1f} s more: the score is below {below:.4g}"
    return f"{level} held: the score is not below {below:.4g}"


def _behaviour(assessed: Assessed, i: int) -> list[str]:
    """Return how it behaves; that it comes closer is told already."""
    conduct, parts = int(assessed.conduct[i]), []
    if conduct & Conduct.LOITER:
        parts.append("loiters")
    if conduct & Conduct.SWARM:
        parts.append(f"moves together with {assessed.companions[i]} others")
    if conduct & Conduct.POP_UP:
        parts.append(f"first seen {assessed.first_seen_m[i]:.0f} m off")
    if conduct & Conduct.DROP:
        parts.append(f"has dropped {assessed.dropped_m[i]:.0f} m in {assessed.drop_s:g} s")
    return parts


def _closing(assessed: Assessed, i: int) -> tuple[float, float, float]:
    """Return the distance from the asset's centre [m], and the speed with which it shrinks, with its standard deviation [m/s]."""
    position, velocity = assessed.position[i], assessed.velocity[i]
    distance = float(np.linalg.norm(position))
    line = -position / max(distance, NO_DISTANCE_M)
    variance = float(line @ assessed.covariance[i, 3:, 3:] @ line)
    return distance, float(line @ velocity), float(np.sqrt(max(variance, 0.0)))


def _course(
    assessed: Assessed, i: int, radius_m: float, distance: float, closing: float, sigma: float
) -> list[str]:  # fmt: skip
    """Return where a track goes, and how fast it comes or leaves."""
    impact, time = float(assessed.time_to_impact[i]), float(assessed.time_to_cpa[i])
    miss_sigma = float(assessed.cpa_distance_sigma[i])
    doubt = f" (+- {speed_text(sigma)})" if sigma > abs(closing) else ""
    comes, leaves = closing >= STEADY_MPS, closing <= -STEADY_MPS
    speed = f"at {speed_text(abs(closing))}{doubt} m/s"
    if impact == 0.0:
        how = f", closing {speed}" if comes else f", moving away {speed}" if leaves else ""
        return [f"inside the asset's radius, {distance:.0f} m from its centre{how}"]
    if leaves:
        return [f"moves away, {distance:.0f} m off, {speed}"]
    if not comes:
        return [f"keeps its distance, {distance:.0f} m"]
    closes = f"closing {speed} from {distance:.0f} m"
    if np.isfinite(impact):
        known = f" (course known to +- {miss_sigma:.0f} m)" if miss_sigma > radius_m else ""
        return [f"on a course into the asset: impact in {impact:.0f} s{known}{_entry(assessed, i)}", closes]
    return [
        f"passes at {assessed.cpa_distance[i]:.0f} m in {time:.0f} s (+- {miss_sigma:.0f} m){_entry(assessed, i)}",
        closes,
    ]


def _entry(assessed: Assessed, i: int) -> str:
    """Return the probability that it enters the asset's radius; empty where there is none to speak of."""
    probability = float(assessed.entry_probability[i])
    return f", entry probability {probability:.2f}" if probability >= TOLD_PROBABILITY else ""


def _height(assessed: Assessed, i: int) -> str:
    """Return how much higher or lower than the asset it is; empty where the error is larger than that."""
    up, sigma = float(assessed.position[i, 2]), float(np.sqrt(max(assessed.covariance[i, 2, 2], 0.0)))
    if abs(up) < max(sigma, 1.0):
        return ""
    return f"{abs(up):.0f} m {'above' if up > 0.0 else 'below'} the asset"


def speed_text(mps: float) -> str:
    """Return a speed in metres a second, to a tenth where it is slow."""
    return f"{mps:.0f}" if mps >= FAST_MPS else f"{mps:.1f}"
