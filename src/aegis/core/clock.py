# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A sensor's clock against the host's: from the times at which frames were measured and received to stamps without jitter.

Of a frame measured at s (by the sensor's clock) and received at r (by the host's) only d = r - s is seen: the offset of the
clocks, plus the way, which is never shorter than its shortest. The line below all d over s that lies closest to them is the
offset with its drift: an edge of the lower convex hull, the one over the mean of s (Zhang, Liu, Xia: Clock synchronization
algorithms for network measurements, INFOCOM 2002). What is constant in the way cannot be seen; a parameter takes it off.
"""

from __future__ import annotations

import math
from collections import deque

WINDOW_S = 60.0
MAX_POINTS = 4096
FIT_PERIOD_S = 1.0  # a line stays below all points while none comes below it; what left the window shows after this
MAX_DRIFT = 500e-6  # crystals have 100e-6 at most; a steeper edge is of a window that is too short
MIN_DRIFT_SPAN_S = 5.0  # over less, the way's jitter is taken for drift
STEP_S = 0.1  # a frame that comes earlier than ever by more than this, or a run of later ones: a clock was set
LATE_RUN = 20  # one late frame is a delay; so many in a row are a step


class SensorClock:
    """The estimate; `stamp` takes one frame after the other.

    Args:
        delay_s: the shortest time from the middle of a measurement to its receipt [s], where it is known.
    """

    def __init__(self, delay_s: float = 0.0) -> None:
        self.delay_ns = round(delay_s * 1e9)
        self.steps = 0  # how often one of the clocks was set
        self._forget()

    def _forget(self) -> None:
        self._origin: tuple[int, int] | None = None  # (sensor time, d) [ns] of the first frame: what floats count from
        self._points: deque[tuple[float, float]] = deque(maxlen=MAX_POINTS)  # (s, d) [s]
        self._intercept = self._slope = 0.0
        self._fit_at = -math.inf
        self._late = 0

    def stamp(self, sensor_ns: int | None, received_ns: int) -> int:
        """Return when a frame was measured, by the host's clock [ns]; never later than it was received.

        Args:
            sensor_ns: the same by the sensor's clock; None where it does not say.
            received_ns: by the host's clock.
        """
        if sensor_ns is None:
            return received_ns - self.delay_ns
        way_ns = received_ns - sensor_ns
        s, d = self._relative(sensor_ns, way_ns)
        if self._points:
            above = d - self._line(s)
            self._late = self._late + 1 if above > STEP_S else 0
            if s < self._points[-1][0] - STEP_S or above < -STEP_S or self._late >= LATE_RUN:
                self.steps += 1
                self._forget()
                s, d = self._relative(sensor_ns, way_ns)
        self._points.append((s, d))
        while self._points[-1][0] - self._points[0][0] > WINDOW_S:
            self._points.popleft()
        if d < self._line(s) or s >= self._fit_at:
            self._fit()
            self._fit_at = s + FIT_PERIOD_S
        assert self._origin is not None
        offset_ns = self._origin[1] + round(min(self._line(s), d) * 1e9)
        return sensor_ns + offset_ns - self.delay_ns

    def _relative(self, sensor_ns: int, way_ns: int) -> tuple[float, float]:
        if self._origin is None:
            self._origin = (sensor_ns, way_ns)
        return (sensor_ns - self._origin[0]) * 1e-9, (way_ns - self._origin[1]) * 1e-9

    def _line(self, s: float) -> float:
        return self._intercept + self._slope * s

    def _fit(self) -> None:
        points = sorted(self._points)
        hull: list[tuple[float, float]] = []
        for p in points:
            while len(hull) > 1 and _turn(hull[-2], hull[-1], p) <= 0.0:
                hull.pop()
            if hull and hull[-1][0] == p[0]:
                continue  # the same time twice: the lower came first
            hull.append(p)
        mean = sum(s for s, _ in points) / len(points)
        self._slope = 0.0
        if points[-1][0] - points[0][0] >= MIN_DRIFT_SPAN_S:
            right = next(i for i, p in enumerate(hull) if p[0] >= mean)
            (s0, d0), (s1, d1) = hull[max(right, 1) - 1], hull[max(right, 1)]
            self._slope = min(max((d1 - d0) / (s1 - s0), -MAX_DRIFT), MAX_DRIFT)
        self._intercept = min(d - self._slope * s for s, d in hull)

    @property
    def offset_s(self) -> float:
        """Return host time minus sensor time at the last frame, delay included [s]; NaN before the first."""
        if self._origin is None:
            return math.nan
        return self._origin[1] * 1e-9 + self._line(self._points[-1][0])

    @property
    def drift_ppm(self) -> float:
        """Return by how much the host's clock is faster [1e-6]; 0 before there is enough to tell."""
        return self._slope * 1e6

    @property
    def jitter_s(self) -> float:
        """Return the standard deviation of the way's length over the last minute [s]; NaN before the second frame."""
        n = len(self._points)
        if n < 2:
            return math.nan
        above = [d - self._line(s) for s, d in self._points]
        mean = sum(above) / n
        return math.sqrt(sum((a - mean) ** 2 for a in above) / (n - 1))


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    """Return twice the signed area of a triangle: positive where a, b, c turn left."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
