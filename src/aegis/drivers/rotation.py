# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How fast an antenna turns, and so when each spoke of a packet was measured."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from aegis.core.types import Floats

TURN = 2.0 * math.pi
SPAN_NS = 2_000_000_000  # over which the rate is taken
LEAST_SPAN_NS = 300_000_000
SLOWEST, FASTEST = TURN / 15.0, TURN / 0.5  # [rad/s]; what is beyond is of a broken packet
USUAL = TURN / 2.5
JUMP = math.radians(20.0)


class Rotation:
    """The rate of an antenna that turns clockwise, from the angles of packets and the times at which they came."""

    def __init__(self) -> None:
        self.rate = USUAL
        self._seen: deque[tuple[int, float]] = deque()  # time [ns] and angle, growing on [rad]

    @property
    def turn_s(self) -> float:
        """Return the time of a turn [s]."""
        return TURN / self.rate

    def reset(self) -> None:
        """Forget what has come."""
        self._seen.clear()

    def offsets(self, angles: Floats, received_ns: int) -> Floats:
        """Return when spokes were measured, (N,) [s] after receipt (0 or less); `angles` (N,) clockwise [rad], newest last."""
        newest = float(angles[-1])
        seen = self._seen
        if seen:
            turned = (newest - seen[-1][1]) % TURN
            passed_s = (received_ns - seen[-1][0]) * 1e-9
            if not 0.0 <= passed_s <= 1.0 or turned > passed_s * FASTEST + 0.5:
                seen.clear()
            else:
                newest = seen[-1][1] + turned
        seen.append((received_ns, newest))
        while received_ns - seen[0][0] > SPAN_NS:
            seen.popleft()
        span_ns = received_ns - seen[0][0]
        if span_ns >= LEAST_SPAN_NS:
            self.rate = min(max((newest - seen[0][1]) / (span_ns * 1e-9), SLOWEST), FASTEST)
        steps = np.diff(angles) % TURN
        if len(steps) and steps.max() > JUMP:  # a loss, or the antenna's zero was set: how long it took is not known
            steps[steps > JUMP] = 0.0
        behind = np.concatenate([np.cumsum(steps[::-1])[::-1], [0.0]])
        return np.asarray(-behind / self.rate, dtype=np.float64)
