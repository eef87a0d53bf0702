# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Threat assessment: proximity, time, capability, intent and certainty, each from 0 to 1, in a weighted geometric mean.

The terms follow Johansson and Falkman, A comparison between two approaches to threat evaluation (FUSION 2008): proximity (how near
it comes, time to impact or closest approach), capability (class), intent (heading at the asset, behaviour). The mean is geometric,
because a term that is zero means no threat whatever the others say: an aircraft that recedes does not threaten. What is closer,
faster inbound or known more surely is never less threatening; of several assets, the one most threatened counts. A track that is
not seen keeps at least the score with which it was seen last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from aegis.core.rows import take_rows
from aegis.core.threat.assets import AssetPlace
from aegis.core.threat.behaviour import BehaviourMonitor, Conduct, Observed, words
from aegis.core.threat.geometry import (
    AT_REST_MPS,
    NO_DISTANCE_M,
    closest_approach,
    cpa_distance_sigma,
    entry_probability,
    time_to_impact,
)
from aegis.core.threat.levels import LevelKeeper, SeenScores
from aegis.core.threat.reasons import Assessed, reason_of
from aegis.core.threat.settings import ThreatSettings
from aegis.core.types import ClassId, Floats, Ints, ThreatLevel, Threats, Tracks, TrackStatus

_LEAST_VARIANCE_M2PS2 = 1e-12  # nothing is divided by less


@dataclass(frozen=True)
class LevelChange:
    """A track's level changed; `before` is None when it is assessed for the first time."""

    track_id: int
    before: ThreatLevel | None
    after: ThreatLevel
    score: float
    reason: str


class _Terms(NamedTuple):
    """What is found of N tracks against one asset; arrays (N,) unless said."""

    position: Floats  # (N, 3) relative to the asset
    velocity: Floats  # (N, 3)
    time: Floats
    distance: Floats
    sigma: Floats
    impact: Floats
    entry: Floats
    intent: Floats
    score: Floats


class Assessor:
    """The threat stage: `step` takes the picture and returns the ranked threats and what changed."""

    def __init__(self, settings: ThreatSettings) -> None:
        self._levels = LevelKeeper(settings.levels)
        self._seen_scores = SeenScores()
        self._behaviour = BehaviourMonitor(settings.behaviour)
        self.tune(settings)

    def tune(self, settings: ThreatSettings) -> None:
        """Assess with these settings from the next picture on; levels and ways are remembered."""
        self.settings = settings
        self._names = list(settings.protected())
        self._radius = {name: asset.radius_m for name, asset in settings.protected().items()}
        self._fixed = {
            name: AssetPlace(np.array([asset.x, asset.y, asset.z]), np.zeros(3))
            for name, asset in settings.protected().items()
            if not asset.on_platform
        }
        self._capability = np.array([getattr(settings.capability, c.name) for c in ClassId])
        self._weights = np.array(settings.score.weights()) / sum(settings.score.weights())
        move = settings.manoeuvre
        self._noise = (move.acceleration_sigma_mps2**2, move.vertical_acceleration_sigma_mps2**2)
        self._levels.settings, self._behaviour.settings = settings.levels, settings.behaviour

    def reset(self) -> None:
        """Forget the levels and ways of all tracks."""
        self._levels.reset()
        self._seen_scores.reset()
        self._behaviour.reset()

    def step(self, tracks: Tracks, moving: dict[str, AssetPlace] | None = None) -> tuple[Threats, list[LevelChange]]:
        """Assess every confirmed or coasting track.

        Args:
            tracks: the picture.
            moving: where the assets on the platform are; against one that is not here nothing is assessed.
        """
        shown = take_rows(tracks, np.flatnonzero(tracks.status != int(TrackStatus.TENTATIVE)))
        places = self._fixed | (moving or {})
        names = [name for name in self._names if name in places]
        if not names:
            shown = take_rows(shown, np.empty(0, np.int64))
            names, places = self._names[:1], {self._names[0]: AssetPlace(np.zeros(3), np.zeros(3))}
        capability = np.clip(shown.class_probability, 0.0, 1.0) @ self._capability
        certainty = np.nan_to_num(np.clip(shown.existence_probability, 0.0, 1.0))
        closing = [_closing(shown, places[name]) for name in names]
        nearest = np.argmin([distance for distance, _ in closing], axis=0)
        distance, speed = (np.choose(nearest, [each[part] for each in closing]) for part in (0, 1))
        seen = self._behaviour.step(shown.stamp_ns, shown.track_id, shown.state, shown.covariance, distance, speed)
        by_asset = [self._terms(shown, places[n], self._radius[n], seen, capability, certainty) for n in names]
        worst = np.argmax([terms.score for terms in by_asset], axis=0)
        found = _Terms(*(_chosen([terms[k] for terms in by_asset], worst) for k in range(len(_Terms._fields))))
        coasts = shown.status == int(TrackStatus.COASTING)
        score = self._seen_scores.step(shown.stamp_ns, shown.track_id, found.score, coasts)
        held = score > found.score
        found = found._replace(score=score)
        level, before, left_below, left_in_s = self._levels.step(shown.stamp_ns, shown.track_id, score)
        order = np.lexsort((shown.track_id, -found.score))
        assessed = Assessed(
            order, found.position[order], found.velocity[order], shown.covariance[order], level[order], found.score[order],
            found.time[order], found.distance[order], found.sigma[order], found.impact[order], found.entry[order],
            found.intent[order], seen.conduct[order], seen.companions[order], seen.first_seen_m[order], seen.dropped_m[order],
            [names[k] for k in worst[order].tolist()], before[order], held[order], seen.drop_s,
            left_below[order], left_in_s[order],
        )  # fmt: skip
        return self._threats(shown, assessed), self._changes(shown, assessed)

    def _terms(
        self, tracks: Tracks, place: AssetPlace, radius_m: float, seen: Observed, capability: Floats, certainty: Floats
    ) -> _Terms:
        """Return what is found of tracks against an asset."""
        scale = self.settings.score
        position, velocity = tracks.state[:, :3] - place.position, tracks.state[:, 3:] - place.velocity
        time, distance = closest_approach(position, velocity)
        sigma = cpa_distance_sigma(position, velocity, tracks.covariance, time, self._noise)
        impact = time_to_impact(position, velocity, radius_m)
        entry = entry_probability(position, velocity, tracks.covariance, radius_m, self._noise)
        # Passing close by is not entering: for the full term it has to enter, and with certainty.
        miss2 = np.maximum(distance - radius_m, 0.0) ** 2 + (scale.doubt_share * sigma) ** 2
        nearness = entry + (1.0 - entry) / (1.0 + miss2 / scale.half_distance_m**2)
        proximity = scale.entry_share * entry + (1.0 - scale.entry_share) * nearness
        urgency = 1.0 / (1.0 + (np.where(np.isnan(impact), time, impact) / scale.half_time_s) ** 2)
        intent = self._behaved(_intent(position, velocity, tracks.covariance), position, velocity, seen)
        intent = np.where(impact == 0.0, 1.0, intent)  # already there
        terms = np.stack([proximity, urgency, capability, intent, certainty])
        score = np.prod(np.clip(terms, 0.0, 1.0) ** self._weights[:, None], axis=0)
        return _Terms(position, velocity, time, distance, sigma, impact, entry, intent, score)

    def _behaved(self, intent: Floats, position: Floats, velocity: Floats, seen: Observed) -> Floats:
        """Return the intent (N,), raised by what the behaviour says of it; of what recedes only loitering does."""
        settings = self.settings.behaviour
        comes = np.einsum("ni,ni->n", position, velocity) < 0.0
        doubt = 1.0 - intent
        for flag, weight in (
            (Conduct.APPROACH, settings.weight_approach),
            (Conduct.LOITER, settings.weight_loiter),
            (Conduct.SWARM, settings.weight_swarm),
            (Conduct.POP_UP, settings.weight_pop_up),
            (Conduct.DROP, settings.weight_drop),
        ):
            counts = ((seen.conduct & flag) > 0) & (comes | (flag == Conduct.LOITER))
            doubt = np.where(counts, doubt * (1.0 - weight), doubt)
        return np.asarray(1.0 - doubt)

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
            entry_probability=assessed.entry_probability[listed],
            asset=[assessed.asset[i] for i in listed.tolist()],
            behaviour=[words(int(assessed.conduct[i])) for i in listed.tolist()],
            reason=[self._reason(tracks, assessed, i) for i in listed.tolist()],
            listed_from=int(listed_from),
            unlisted_track_id=tracks.track_id[assessed.row[unlisted]],
            unlisted_level=assessed.level[unlisted],
        )

    def _reason(self, tracks: Tracks, assessed: Assessed, i: int) -> str:
        name = assessed.asset[i]
        return reason_of(tracks, assessed, i, self._radius[name], name if len(self._names) > 1 else "")

    def _changes(self, tracks: Tracks, assessed: Assessed) -> list[LevelChange]:
        """Return the changes since the last picture."""
        changes = []
        changed = (assessed.level != assessed.before) & (
            (assessed.before > 0) | (assessed.level > int(ThreatLevel.LOW))
        )
        for i in np.flatnonzero(changed).tolist():
            before = ThreatLevel(int(assessed.before[i])) if assessed.before[i] else None
            track_id, score = int(tracks.track_id[assessed.row[i]]), float(assessed.score[i])
            after = ThreatLevel(int(assessed.level[i]))
            changes.append(LevelChange(track_id, before, after, score, self._reason(tracks, assessed, i)))
        return changes


def _closing(tracks: Tracks, place: AssetPlace) -> tuple[Floats, Floats]:
    """Return the distances (N,) [m] of tracks from a place, and how fast they shrink [m/s]."""
    position, velocity = tracks.state[:, :3] - place.position, tracks.state[:, 3:] - place.velocity
    distance = np.linalg.norm(position, axis=1)
    return distance, -np.einsum("ni,ni->n", position, velocity) / np.maximum(distance, NO_DISTANCE_M)


def _chosen(columns: list[Floats], which: Ints) -> Floats:
    """Return for each row that of the chosen one of several arrays."""
    return np.asarray(np.stack(columns)[which, np.arange(len(which))])


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
