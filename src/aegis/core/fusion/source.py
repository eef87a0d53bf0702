# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is remembered of a source: its last report, and which of our tracks each of its tracks is."""

from __future__ import annotations

import statistics
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from aegis.core.fusion.information import Estimate, Gain
from aegis.core.fusion.settings import SourceSettings
from aegis.core.types import Ints, Tracks

LOST_PERIODS = 3.0
INTERVALS_KEPT = 9  # a period is their median


@dataclass
class Source:
    """One tracker."""

    name: str
    number: int
    settings: SourceSettings
    tracks: Tracks | None = None  # its last report
    learned: Gain | None = None  # what was new in that
    link: Ints = field(default_factory=lambda: np.empty(0, np.int64))  # id of ours for each of its tracks, 0 for none
    strikes: Ints = field(
        default_factory=lambda: np.empty(0, np.int64)
    )  # reports in a row in which it was outside the gate
    compared: set[int] = field(default_factory=set)  # numbers of the sources that its last report was compared with
    lost: bool = False
    reports: int = 0
    dropped: int = 0
    intervals_s: deque[float] = field(default_factory=lambda: deque(maxlen=INTERVALS_KEPT))

    @property
    def stamp_ns(self) -> int | None:
        """Return when it has last reported."""
        return None if self.tracks is None else self.tracks.stamp_ns

    def period_s(self) -> float:
        """Return how often it reports; 0 where that is not known."""
        return statistics.median(self.intervals_s) if self.intervals_s else 0.0

    def silent_s(self, now_ns: int) -> float:
        """Return for how long it has not reported."""
        return 0.0 if self.stamp_ns is None else (now_ns - self.stamp_ns) * 1e-9

    def before(self, tracks: Tracks) -> tuple[NDArray[np.bool_], Ints]:
        """Return (N,) which of the tracks were in the last report, and the row of each there; 0 where it was not."""
        last = self.tracks
        if last is None or not len(last):
            return np.zeros(len(tracks), np.bool_), np.zeros(len(tracks), np.int64)
        rows = np.minimum(np.searchsorted(last.track_id, tracks.track_id), len(last) - 1)
        known = last.track_id[rows] == tracks.track_id
        return known, np.where(known, rows, 0)

    def links(self, known: NDArray[np.bool_], before: Ints) -> tuple[Ints, Ints]:
        """Return (N,) links and strikes of tracks that `before` has found."""
        if not len(self.link):
            return np.zeros(len(known), np.int64), np.zeros(len(known), np.int64)
        return np.where(known, self.link[before], 0), np.where(known, self.strikes[before], 0)

    def take(self, tracks: Tracks, link: Ints, strikes: Ints, learned: Gain) -> None:
        """Remember a report."""
        if self.stamp_ns is not None:
            self.intervals_s.append((tracks.stamp_ns - self.stamp_ns) * 1e-9)
        self.tracks, self.link, self.strikes, self.learned = tracks, link, strikes, learned
        self.compared.clear()
        self.reports += 1

    def forget(self) -> None:
        """Forget what it has reported; who it is stays."""
        self.tracks, self.learned, self.lost = None, None, False
        self.link, self.strikes = np.empty(0, np.int64), np.empty(0, np.int64)
        self.compared.clear()
        self.intervals_s.clear()


def estimate_of(tracks: Tracks) -> Estimate:
    """Return the states of a report."""
    return Estimate(np.ascontiguousarray(tracks.state), np.ascontiguousarray(tracks.covariance))


def usable(tracks: Tracks) -> NDArray[np.bool_]:
    """Return (N,) which tracks can be used: finite, each id once."""
    finite = np.isfinite(tracks.state).all(axis=1) & np.isfinite(tracks.covariance).all(axis=(1, 2))
    _, first = np.unique(tracks.track_id, return_index=True)
    once = np.zeros(len(tracks), np.bool_)
    once[first] = True
    return np.asarray(finite & once)
