# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The level of each track: thresholds of the score, with hysteresis in score and in time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aegis.core.threat.settings import Levels
from aegis.core.types import Floats, Ints, ThreatLevel


class Assigned(NamedTuple):
    """Arrays (N,)."""

    level: Ints
    before: Ints  # 0: not assessed yet


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
        known = np.zeros(len(track_id), bool)
        at = np.searchsorted(self._id, track_id)
        inside = at < len(self._id)
        known[inside] = self._id[at[inside]] == track_id[inside]
        reached, since_ns = np.zeros((len(track_id), 3), bool), np.full((len(track_id), 3), -1, np.int64)
        reached[known], since_ns[known] = self._reached[at[known]], self._since_ns[at[known]]
        before = np.where(known, _level_of(reached), 0)

        settings = self.settings
        threshold = np.array(settings.thresholds())
        above = score[:, None] >= np.where(reached, threshold - settings.hysteresis, threshold)
        against = above != reached
        since_ns = np.where(against, np.where(since_ns < 0, stamp_ns, since_ns), -1)
        wait_ns = np.where(reached, round(settings.hold_s * 1e9), round(settings.rise_s * 1e9))
        change = against & (stamp_ns - since_ns >= wait_ns)
        self._id, self._reached, self._since_ns = track_id.copy(), reached ^ change, np.where(change, -1, since_ns)
        return Assigned(_level_of(self._reached), before)


def _level_of(reached: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Ints:
    """Return (N,) the highest level reached of (N, 3)."""
    best = np.where(reached, np.arange(int(ThreatLevel.MEDIUM), int(ThreatLevel.CRITICAL) + 1), int(ThreatLevel.LOW))
    return np.asarray(best.max(axis=1, initial=int(ThreatLevel.LOW)), np.int64)
