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


class Turns:
    """Joins the sectors of one sensor to turns; what is no sector is a scan of all directions."""

    def __init__(self) -> None:
        """Begin."""
        self._antenna = Antenna()
        self._sectors: list[Detections] = []

    def take(self, detections: Detections) -> Detections | None:
        """Return the turn that is complete with these detections; None where it is not, or nobody knows how the antenna turns."""
        sector = detections.sector
        if sector is None:
            self._sectors.clear()
            return detections
        self._antenna.take(detections)
        if self._antenna.rate is None:
            self._sectors.clear()
            return detections if self._antenna.still else None
        turn_s = TURN / abs(self._antenna.rate)
        if self._sectors:
            before = self._sectors[-1]
            assert before.sector is not None
            apart_s = (detections.stamp_ns - before.stamp_ns) * 1e-9 + sector.begin_s - before.sector.end_s
            if abs(apart_s) > 0.5 * turn_s:
                self._sectors.clear()  # a pause, or time has begun anew
        self._sectors.append(detections)
        lengths = [one.sector.end_s - one.sector.begin_s for one in self._sectors if one.sector is not None]
        if sum(lengths) + 0.5 * lengths[-1] < turn_s:  # the next one would be nearer to a whole turn
            return None
        whole, self._sectors = joined(self._sectors), []
        return whole


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
