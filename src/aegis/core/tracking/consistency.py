# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Is the filter as exact as it says? Normalised innovations squared (NIS) of each sensor, live, and what errors they speak for."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtr, gammaincinv

from aegis.core.types import Floats

SCANS = 100  # that the figure is made of
ENOUGH = 100  # components from which the errors are judged
# A mean NIS is not 1 where objects move otherwise than modelled; between these the errors may be as stated.
USUAL_LOW, USUAL_HIGH = 0.25, 1.5
SLOWNESS = 0.7  # power of the mean NIS by which variances are scaled at once: part of an innovation is the track's own
LARGEST_STEP, SMALLEST_SCALE, LARGEST_SCALE = 2.0, 0.25, 25.0  # of variances


@dataclass(frozen=True)
class Nis:
    """Mean NIS per measured component: 1 where errors are as stated, with the bounds that 95 % of consistent filters keep."""

    mean: float
    low: float
    high: float
    components: int

    def errors(self) -> float | None:
        """Return how many times larger than stated the errors seem to be, as a standard deviation; None: they may be as stated."""
        if self.components < ENOUGH or USUAL_LOW <= self.mean <= USUAL_HIGH or self.low <= self.mean <= self.high:
            return None
        return math.sqrt(self.mean)


class Consistency:
    """Collects NIS by sensor over the last scans, and finds the scale of a sensor's variances at which its mean is 1."""

    def __init__(self, gate: Floats) -> None:
        """Make a collector; `gate` (5,) is the largest distance for a measurement of so many components."""
        size = np.arange(1, 5)
        # What lies beyond the gate is never seen: the mean of a chi-square variable cut off there.
        self._expected = np.ones(5)
        self._expected[1:] = chdtr(size + 2, gate[1:]) / chdtr(size, gate[1:])
        self._scans: dict[str, deque[tuple[float, int]]] = {}
        self._scales: dict[str, float] = {}

    def add(self, sensor_id: str, distance: Floats, size: Floats) -> None:
        """Take the squared distances (K,) of clear detections of one scan, each of so many components (K,)."""
        if len(distance):
            k = size.astype(np.int64)
            scans = self._scans.setdefault(sensor_id, deque(maxlen=SCANS))
            scans.append((float((distance / self._expected[k]).sum()), int(k.sum())))

    def report(self) -> dict[str, Nis]:
        """Return the figure of each sensor."""
        out = {}
        for sensor_id, scans in self._scans.items():
            total, components = sum(s[0] for s in scans), sum(s[1] for s in scans)
            if components:
                low, high = (2.0 * float(gammaincinv(components / 2.0, q)) / components for q in (0.025, 0.975))
                out[sensor_id] = Nis(total / components, low, high, components)
        return out

    def scale(self, sensor_id: str) -> float:
        """Return by how much a sensor's variances are to be multiplied."""
        return self._scales.get(sensor_id, 1.0)

    def scales(self) -> dict[str, float]:
        """Return this of each sensor of which it is not 1."""
        return dict(self._scales)

    def adjust(self, sensor_id: str) -> None:
        """Scale a sensor's variances where what was collected since the last time speaks for it; then collect anew.

        It takes much to begin, as objects may move otherwise than modelled; then the scale is refined, or leads back to 1.
        """
        scale, scans = self.scale(sensor_id), self._scans.get(sensor_id)
        if not scans:
            return
        total, sizes = zip(*scans, strict=True)  # at every scan: in two sums that are quick
        components = sum(sizes)
        if components < ENOUGH:
            return
        mean = sum(total) / components
        if scale == 1.0 and USUAL_LOW <= mean <= USUAL_HIGH:  # as of every scan: no bounds are needed
            return
        nis = self.report()[sensor_id]
        if nis.low <= nis.mean <= nis.high:
            return
        if scale == 1.0 and nis.errors() is None:
            return
        step = min(max(nis.mean**SLOWNESS, 1.0 / LARGEST_STEP), LARGEST_STEP)
        new = min(max(scale * step, SMALLEST_SCALE), LARGEST_SCALE)
        self._scans[sensor_id].clear()
        if scale != 1.0 and (scale - 1.0) * (new - 1.0) <= 0.0:
            del self._scales[sensor_id]
        else:
            self._scales[sensor_id] = new
