# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The lag of the event loop: how late it runs what is due."""

from __future__ import annotations

import asyncio
import time
from collections import deque

import numpy as np
from prometheus_client import CollectorRegistry, Histogram

from aegis.heartbeat import Loop, beat

TICK_S = 0.25
TICKS_KEPT = 240  # a minute
_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)


class LoopLag:
    """Sleeps, and observes how much later it is woken. The loop's timers count in milliseconds. It is the loop's heartbeat too."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._histogram = Histogram(
            "aegis_loop_lag_seconds", "Delay of a timer on the event loop.", buckets=_BUCKETS_S, registry=registry
        )
        self._kept: deque[float] = deque(maxlen=TICKS_KEPT)

    async def run(self) -> None:
        """Observe until cancelled."""
        while True:
            beat(Loop.SERVER)
            due = time.perf_counter() + TICK_S
            await asyncio.sleep(TICK_S)
            lag_s = max(0.0, time.perf_counter() - due)
            self._histogram.observe(lag_s)
            self._kept.append(lag_s)

    def p99_ms(self) -> float | None:
        """Return the 99th percentile of the last minute; None before the first observation."""
        return round(float(np.percentile(self._kept, 99)) * 1e3, 3) if self._kept else None
