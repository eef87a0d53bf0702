"""Threat assessment: proximity, time, capability and intent, each from 0 to 1, in a weighted geometric mean.

The terms follow Johansson and Falkman, A comparison between two approaches to threat evaluation (FUSION 2008): proximity (distance
at the closest point of approach, time to it or to impact), capability (class), intent (heading at the asset). A geometric mean,
because a term that is zero means no threat whatever the others say: an aircraft that recedes does not threaten.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from aegis.core.threat.geometry import (
    AT_REST_MPS,
    NO_DISTANCE_M,
    closest_approach,
    cpa_distance_sigma,
    time_to_impact,
)
from aegis.core.threat.reasons import Assessed, reason_of
from aegis.core.threat.settings import ThreatSettings
from aegis.core.types import ClassId, Floats, ThreatLevel, Threats, Tracks, TrackStatus

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
        chosen = Assessed(
            index[order], position[order], velocity[order], covariance[order], level[order], score[order], time[order],
            distance[order], sigma[order], impact[order], intent[order],
        )  # fmt: skip
        return self._threats(tracks, chosen), self._changes(tracks, chosen)

    def _threats(self, tracks: Tracks, assessed: Assessed) -> Threats:
        """Return the list, and who is not in it."""
        listed_from = ThreatLevel[self.settings.levels.listed_from]
        listed, unlisted = np.flatnonzero(assessed.level >= listed_from), np.flatnonzero(assessed.level < listed_from)
        row = assessed.row[listed]
        return Threats(
            stamp_ns=tracks.stamp_ns,
            frame_id=tracks.frame_id,
            sequence=tracks.sequence,
            sensor_id=tracks.sensor_id,
            track_id=tracks.track_id[row],
            level=assessed.level[listed],
            class_id=tracks.class_id[row],
            score=assessed.score[listed],
            time_to_cpa=assessed.time_to_cpa[listed],
            cpa_distance=assessed.cpa_distance[listed],
            cpa_distance_sigma=assessed.cpa_distance_sigma[listed],
            time_to_impact=assessed.time_to_impact[listed],
            reason=[self._reason(tracks, assessed, i) for i in listed.tolist()],
            listed_from=int(listed_from),
            unlisted_track_id=tracks.track_id[assessed.row[unlisted]],
            unlisted_level=assessed.level[unlisted],
        )

    def _reason(self, tracks: Tracks, assessed: Assessed, i: int) -> str:
        return reason_of(tracks, assessed, i, self.settings.asset.radius_m)

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

    def _changes(self, tracks: Tracks, assessed: Assessed) -> list[LevelChange]:
        """Return the changes since the last picture, and remember the levels of the tracks that are in this one."""
        changes = []
        now: dict[int, ThreatLevel] = {}
        for i, track_id in enumerate(tracks.track_id[assessed.row].tolist()):
            level = ThreatLevel(int(assessed.level[i]))
            now[track_id] = level
            before = self._levels.get(track_id)
            if before is not level and (before is not None or level is not ThreatLevel.LOW):
                reason = self._reason(tracks, assessed, i)
                changes.append(LevelChange(track_id, before, level, float(assessed.score[i]), reason))
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
