"""Is the filter as exact as it says? Normalised innovations squared (NIS) of each sensor, live."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtr, gammaincinv

from aegis.core.types import Floats

SCANS = 100  # that the figure is made of


@dataclass(frozen=True)
class Nis:
    """Mean NIS per measured component: 1 where errors are as stated, with the bounds that 95 % of consistent filters keep."""

    mean: float
    low: float
    high: float
    components: int


class Consistency:
    """Collects NIS by sensor over the last scans."""

    def __init__(self, gate: Floats) -> None:
        """Make a collector; `gate` (5,) is the largest distance for a measurement of so many components."""
        size = np.arange(1, 5)
        # What lies beyond the gate is never seen: the mean of a chi-square variable cut off there.
        self._expected = np.ones(5)
        self._expected[1:] = chdtr(size + 2, gate[1:]) / chdtr(size, gate[1:])
        self._scans: dict[str, deque[tuple[float, int]]] = {}

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
            low, high = (2.0 * float(gammaincinv(components / 2.0, q)) / components for q in (0.025, 0.975))
            out[sensor_id] = Nis(total / components, low, high, components)
        return out
