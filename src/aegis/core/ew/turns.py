# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whole turns of an antenna, out of its sectors: what counts scans has to see every direction in each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np

from aegis.core.tracking.antenna import Antenna
from aegis.core.tracking.sweep import TURN
from aegis.core.types import Detections

LONGEST_TURN_S = 60.0  # an antenna that is slower stands, or nearly so
MOST_SECTORS = 4096  # of a turn


class Turns:
    """Joins the sectors of one sensor to turns; what is no sector is a scan of all directions."""

    def __init__(self) -> None:
        """Begin."""
        self._antenna = Antenna()
        self._sectors: list[Detections] = []
        self._covered_s = 0.0  # by them
        self._last: Detections | None = None  # sector

    def take(self, detections: Detections) -> Detections | None:
        """Return the turn that is complete with these detections; None where it is not, or nobody knows how the antenna turns."""
        sector = detections.sector
        if sector is None:
            self._begin_anew()
            return detections
        self._antenna.take(detections)
        if self._antenna.rate is None:
            self._begin_anew()
            return detections if self._antenna.still else None
        turn_s = TURN / abs(self._antenna.rate)
        if turn_s > LONGEST_TURN_S:
            self._begin_anew()
            return None
        gap_s = 0.0
        if self._last is not None and self._last.sector is not None:
            gap_s = (detections.stamp_ns - self._last.stamp_ns) * 1e-9 + sector.begin_s - self._last.sector.end_s
            if abs(gap_s) > 0.5 * turn_s or len(self._sectors) >= MOST_SECTORS:
                self._begin_anew()  # a pause, or time has begun anew
                gap_s = 0.0
        self._last = detections
        # With what lies between: a beam may have one time, and no length.
        step_s = max(gap_s, 0.0) + sector.end_s - sector.begin_s
        self._sectors.append(detections)
        self._covered_s += step_s
        if self._covered_s + 0.5 * step_s < turn_s:  # the next one would be nearer to a whole turn
            return None
        whole, self._sectors, self._covered_s = joined(self._sectors), [], 0.0
        return whole

    def _begin_anew(self) -> None:
        self._sectors.clear()
        self._covered_s, self._last = 0.0, None


def joined(parts: Sequence[Detections]) -> Detections:
    """Return the detections of all parts, with their times after the stamp of the last; the sector is none."""
    last = parts[-1]
    whole = replace(last, sector=None)
    for field in fields(last):
        if isinstance(getattr(last, field.name), np.ndarray):
            setattr(whole, field.name, np.concatenate([getattr(one, field.name) for one in parts]))
    later = [np.full(len(one), (one.stamp_ns - last.stamp_ns) * 1e-9) for one in parts]
    whole.time_offset = whole.time_offset + np.concatenate(later)
    return whole
