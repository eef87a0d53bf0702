# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The level of each track: thresholds of the score, with hysteresis in score and in time; the score of what is not seen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.threat.settings import Levels
from aegis.core.types import Floats, Ints, ThreatLevel


class Assigned(NamedTuple):
    """Arrays (N,)."""

    level: Ints
    before: Ints  # 0: not assessed yet
    left_below: Floats  # the score below which a level is left that it has no longer the score for; NaN: it has
    left_in_s: Floats  # so long the score has to be below that still; NaN: it is not


class SeenScores:
    """Remembers of each track the score that it had when it was last seen."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all tracks."""
        self._id, self._score = np.empty(0, np.int64), np.empty(0)
        self._stamp_ns: int | None = None

    def step(self, stamp_ns: int, track_id: Ints, score: Floats, coasts: NDArray[np.bool_]) -> Floats:
        """Return scores (N,): of a track that coasts, no less than when it was last seen.

        Where it would be by now is a prediction. That it has passed the asset by, or moved away, nobody has seen: it is no reason
        for calm. Closer by now, it counts as closer.

        Args:
            stamp_ns: of the picture; one that goes back begins anew.
            track_id: of its tracks, ascending (N,). Of others, none is remembered.
            score: by their predicted states (N,).
            coasts: which were missed when they were last to be seen (N,).
        """
        if self._stamp_ns is not None and stamp_ns < self._stamp_ns:
            self.reset()
        known, at = _among(self._id, track_id)
        last = np.zeros(len(track_id))
        last[known] = self._score[at]
        out = np.where(coasts, np.maximum(score, last), score)
        self._stamp_ns, self._id, self._score = stamp_ns, track_id.copy(), np.where(coasts & known, last, score)
        return np.asarray(out)


class LevelKeeper:
    """Remembers of each track what it has reached, and since when the score says otherwise."""

    def __init__(self, settings: Levels) -> None:
        self.settings = settings
        self.reset()

    def reset(self) -> None:
        """Forget all tracks."""
        self._id = np.empty(0, np.int64)
        self._reached = np.empty((0, 3), bool)  # MEDIUM, HIGH, CRITICAL
        self._since_ns = np.empty(
            (0, 3), np.int64
        )  # since when the score has spoken against `_reached`; -1: it does not
        self._stamp_ns: int | None = None

    def step(self, stamp_ns: int, track_id: Ints, score: Floats) -> Assigned:
        """Return the levels of the tracks of a picture, which are in the order of their ids (N,). Of others, none is remembered.

        A stamp that goes back begins anew.
        """
        if self._stamp_ns is not None and stamp_ns < self._stamp_ns:
            self.reset()
        self._stamp_ns = stamp_ns
        known, at = _among(self._id, track_id)
        reached, since_ns = np.zeros((len(track_id), 3), bool), np.full((len(track_id), 3), -1, np.int64)
        reached[known], since_ns[known] = self._reached[at], self._since_ns[at]
        before = np.where(known, _level_of(reached), 0)

        settings = self.settings
        threshold = np.array(settings.thresholds())
        above = score[:, None] >= np.where(reached, threshold - settings.hysteresis, threshold)
        against = above != reached
        since_ns = np.where(against, np.where(since_ns < 0, stamp_ns, since_ns), -1)
        wait_ns = np.where(reached, round(settings.hold_s * 1e9), round(settings.rise_s * 1e9))
        change = against & (stamp_ns - since_ns >= wait_ns)
        self._id, self._reached, self._since_ns = track_id.copy(), reached ^ change, np.where(change, -1, since_ns)
        level = _level_of(self._reached)
        step = np.maximum(level - int(ThreatLevel.MEDIUM), 0)
        held = (level > int(ThreatLevel.LOW)) & (score < threshold[step])
        since_ns = self._since_ns[np.arange(len(level)), step]
        waits = held & (since_ns >= 0)
        left_in_s = np.where(waits, settings.hold_s - (stamp_ns - since_ns) * 1e-9, np.nan)
        return Assigned(level, before, np.where(held, threshold[step] - settings.hysteresis, np.nan), left_in_s)


def _among(ids: Ints, wanted: Ints) -> tuple[NDArray[np.bool_], Ints]:
    """Return which of `wanted` (N,) are among `ids`, both ascending, and where those that are have their place there."""
    at = np.searchsorted(ids, wanted)
    known = at < len(ids)
    known[known] = ids[at[known]] == wanted[known]
    return known, at[known]


def _level_of(reached: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Ints:
    """Return (N,) the highest level reached of (N, 3)."""
    best = np.where(reached, np.arange(int(ThreatLevel.MEDIUM), int(ThreatLevel.CRITICAL) + 1), int(ThreatLevel.LOW))
    return np.asarray(best.max(axis=1, initial=int(ThreatLevel.LOW)), np.int64)
