"""Threat assessment: proximity, time, capability and intent, each from 0 to 1, in a weighted geometric mean.

The terms follow Johansson and Falkman, A comparison between two approaches to threat evaluation (FUSION 2008): proximity (distance
at the closest point of approach, time to it or to impact), capability (class), intent (heading at the asset). A geometric mean,
because a term that is zero means no threat whatever the others say: an aircraft that recedes does not threaten.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from aegis.core.classification.naming import class_in_words
from aegis.core.threat.geometry import (
    AT_REST_MPS,
    NO_DISTANCE_M,
    closest_approach,
    cpa_distance_sigma,
    time_to_impact,
)
from aegis.core.threat.settings import ThreatSettings
from aegis.core.types import ClassId, Floats, Ints, ThreatLevel, Threats, Tracks, TrackStatus

# Below it, what does not recede is told to have no clear heading at the asset.
CLEAR_INTENT = 0.3
_LEAST_VARIANCE_M2PS2 = 1e-12  # nothing is divided by less


@dataclass(frozen=True)
class LevelChange:
    """A track's level changed; `before` is None when it is assessed for the first time."""

    track_id: int
    before: ThreatLevel | None
    after: ThreatLevel
    score: float
    reason: str


class Assessor:
    """The threat stage: `step` takes the picture and returns the ranked threats and what changed."""

    def __init__(self, settings: ThreatSettings) -> None:
        self.settings = settings
        self._asset = np.array([settings.asset.x, settings.asset.y, settings.asset.z])
        self._capability = np.array([getattr(settings.capability, c.name) for c in ClassId])
        self._weights = np.array(settings.score.weights()) / sum(settings.score.weights())
        self._levels: dict[int, ThreatLevel] = {}

    def reset(self) -> None:
        """Forget the levels of all tracks."""
        self._levels.clear()

    def step(self, tracks: Tracks) -> tuple[Threats, list[LevelChange]]:
        """Assess every confirmed or coasting track."""
        radius_m, scale = self.settings.asset.radius_m, self.settings.score
        index = np.flatnonzero(tracks.status != int(TrackStatus.TENTATIVE))
        position = tracks.state[index, :3] - self._asset
        velocity = tracks.state[index, 3:]
        covariance = tracks.covariance[index]
        time, distance = closest_approach(position, velocity)
        sigma = cpa_distance_sigma(position, velocity, covariance, time)
        impact = time_to_impact(position, velocity, radius_m)

        proximity = 1.0 / (1.0 + (np.maximum(distance - radius_m, 0.0) / scale.half_distance_m) ** 2)
        urgency = 1.0 / (1.0 + (np.where(np.isnan(impact), time, impact) / scale.half_time_s) ** 2)
        capability = tracks.class_probability[index] @ self._capability
        intent = _intent(position, velocity, covariance)
        intent = np.where(impact == 0.0, 1.0, intent)  # already there
        distance_weight, time_weight, capability_weight, intent_weight = self._weights
        score = (
            proximity**distance_weight * urgency**time_weight * capability**capability_weight * intent**intent_weight
        )
        track_id = tracks.track_id[index]
        level = np.array([self._level(int(i), float(v)) for i, v in zip(track_id, score, strict=True)], dtype=np.int64)
        order = np.lexsort((track_id, -score))
        threats = Threats(
            stamp_ns=tracks.stamp_ns,
            frame_id=tracks.frame_id,
            sequence=tracks.sequence,
            sensor_id=tracks.sensor_id,
            track_id=track_id[order],
            level=level[order],
            class_id=tracks.class_id[index][order],
            score=score[order],
            time_to_cpa=time[order],
            cpa_distance=distance[order],
            cpa_distance_sigma=sigma[order],
            time_to_impact=impact[order],
        )
        threats.reason = _reasons(threats, tracks, index[order], np.linalg.norm(position, axis=1)[order], intent[order])
        return threats, self._changes(threats)

    def _level(self, track_id: int, score: float) -> ThreatLevel:
        levels = self.settings.levels
        before = self._levels.get(track_id, ThreatLevel.LOW)
        level = ThreatLevel.LOW
        for candidate, threshold in (
            (ThreatLevel.MEDIUM, levels.medium),
            (ThreatLevel.HIGH, levels.high),
            (ThreatLevel.CRITICAL, levels.critical),
        ):
            if score >= threshold - (levels.hysteresis if before >= candidate else 0.0):
                level = candidate
        return level

    def _changes(self, threats: Threats) -> list[LevelChange]:
        """Return the changes since the last picture, and remember the levels of the tracks that are in this one."""
        changes = []
        now: dict[int, ThreatLevel] = {}
        for i, track_id in enumerate(threats.track_id.tolist()):
            level = ThreatLevel(int(threats.level[i]))
            now[track_id] = level
            before = self._levels.get(track_id)
            if before is not level and (before is not None or level is not ThreatLevel.LOW):
                changes.append(LevelChange(track_id, before, level, float(threats.score[i]), threats.reason[i]))
        self._levels = now
        return changes


def _intent(position: Floats, velocity: Floats, covariance: Floats) -> Floats:
    """Return (N,) how surely and how straight each track heads for the asset: 0 when it recedes or may as well stand still.

    The cosine between course and the line to the asset, times how far the closing speed stands out of its error.
    """
    distance = np.maximum(np.linalg.norm(position, axis=1), NO_DISTANCE_M)
    line = -position / distance[:, None]
    closing = np.einsum("ni,ni->n", line, velocity)
    sigma = np.sqrt(np.maximum(np.einsum("ni,nij,nj->n", line, covariance[:, 3:, 3:], line), _LEAST_VARIANCE_M2PS2))
    cosine = closing / np.maximum(np.linalg.norm(velocity, axis=1), AT_REST_MPS)
    out: Floats = np.clip(cosine, 0.0, 1.0) * np.clip(2.0 * ndtr(closing / sigma) - 1.0, 0.0, 1.0)
    return out


def _reasons(threats: Threats, tracks: Tracks, index: Ints, distance: Floats, intent: Floats) -> list[str]:
    """Return each threat's reason in words, with the numbers that it rests on."""
    reasons = []
    for i, k in enumerate(index.tolist()):
        speed = float(np.linalg.norm(tracks.state[k, 3:]))
        parts = []
        if threats.time_to_impact[i] == 0.0:
            parts.append(f"inside the asset's radius, {distance[i]:.0f} m from its centre")
        elif np.isfinite(threats.time_to_impact[i]):
            parts.append(f"on a course into the asset: impact in {threats.time_to_impact[i]:.0f} s")
        elif threats.time_to_cpa[i] > 0.0:
            parts.append(f"passes at {threats.cpa_distance[i]:.0f} m in {threats.time_to_cpa[i]:.0f} s")
        else:
            parts.append(f"moves away, {distance[i]:.0f} m off")
        if threats.time_to_cpa[i] > 0.0:
            parts.append(f"closing at {speed:.0f} m/s from {distance[i]:.0f} m")
        parts.append(class_in_words(int(tracks.class_id[k]), tracks.class_probability[k]))
        if 0.0 < intent[i] < CLEAR_INTENT and threats.time_to_cpa[i] > 0.0:
            parts.append("heading not clearly at the asset")
        if int(tracks.status[k]) == int(TrackStatus.COASTING):
            parts.append(f"not seen for {tracks.time_since_update[k]:.1f} s")
        reasons.append("; ".join(parts))
    return reasons
