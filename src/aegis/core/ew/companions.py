# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Echoes that leave a track: on its line of sight, with its Doppler, ever farther behind it.

So a pulled-off range gate looks to a tracker that believes the Doppler: the true echo keeps its track, and the false one makes a
chain of short tracks behind it, none of which lives for a window. Two objects that part have different Dopplers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from aegis.core.ew.deception import Hit, hit_of
from aegis.core.types import Detections

FIRST_SIGMAS = 12.0  # of range: so near the track it is seen first
LEAST_WALK_M = 20.0  # from then on it is none of the object's own echoes, which a lorry or the like has several of
FASTEST_MPS2 = 200.0  # by which its walk gets faster
SMOOTHED = 0.3  # of the difference to what was expected, that its speed takes on


class _Leaving(NamedTuple):
    time_s: float
    offset_m: float
    speed_mps: float


class Companions:
    """Follows the echo that leaves each track of one sensor, where there is one."""

    def __init__(self, gate_sigma: float, gap_s: float, span_mps: float) -> None:
        """Follow none yet.

        Args:
            gate_sigma: standard deviations within which two are alike.
            gap_s: an echo that was not detected for so long is another one.
            span_mps: width of the interval of range rates that the radar can tell; infinite: all.
        """
        self._gate, self._gap_s, self._span = gate_sigma, gap_s, span_mps
        self._leaving: dict[int, _Leaving] = {}

    def step(self, hits: dict[int, Hit], detections: Detections) -> dict[int, Hit]:
        """Return, by track, the detection of the echo that leaves it, where it is as far as `LEAST_WALK_M`.

        Args:
            hits: of the tracks.
            detections: all of the scan.
        """
        return {track: hit for track, own in hits.items() if (hit := self._behind(track, own, detections)) is not None}

    def keep(self, alive: Iterable[int]) -> None:
        """Forget the tracks that are not alive."""
        self._leaving = {track: self._leaving[track] for track in alive if track in self._leaving}

    def _behind(self, track: int, own: Hit, d: Detections) -> Hit | None:
        last = self._leaving.get(track)
        if last is not None and not 0.0 < own.time_s - last.time_s <= self._gap_s:
            del self._leaving[track]
            last = None
        turn = (d.azimuth - own.bearing + np.pi) % (2.0 * np.pi) - np.pi
        apart = d.range_rate - own.rate_mps
        if math.isfinite(self._span):
            apart = (apart + 0.5 * self._span) % self._span - 0.5 * self._span
        offset = d.range - own.range_m
        with np.errstate(invalid="ignore"):
            like = np.abs(turn) <= self._gate * np.sqrt(2.0 * d.variance[:, 1])
            like &= np.abs(apart) <= self._gate * np.sqrt(own.rate_variance + d.variance[:, 3])
            sigma = np.sqrt(own.range_variance + d.variance[:, 0])
            expected, reach = 0.0, FIRST_SIGMAS * sigma
            if last is not None:
                dt = own.time_s - last.time_s
                expected = last.offset_m + last.speed_mps * dt
                reach = self._gate * sigma + 0.5 * FASTEST_MPS2 * dt**2
            like &= (offset > 0.0) & (np.abs(offset - expected) <= reach)
        found = np.flatnonzero(like)
        if not len(found):
            return None
        i = int(found[np.abs(offset[found] - expected).argmin()])
        speed = 0.0
        if last is not None:
            speed = last.speed_mps + SMOOTHED * (float(offset[i]) - expected) / dt
        self._leaving[track] = _Leaving(own.time_s, float(offset[i]), speed)
        if offset[i] < LEAST_WALK_M:
            return None
        return hit_of(d, i)
