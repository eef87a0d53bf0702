# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The age of measurements when they come to the bridge."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Histogram

from aegis.bridge.live.frames import Frame
from aegis.core.types import Detections, Threats, Tracks

# What comes, and the stage that it comes from.
STAGES: dict[type, str] = {Detections: "detection", Tracks: "tracking", Threats: "threat"}
LAST_STAGE = "threat"
OBSERVATIONS_KEPT = 1000
RATE_WINDOW_S = 10.0
_BUCKETS_S = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.015,
    0.02,
    0.03,
    0.04,
    0.06,
    0.1,
    0.15,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    60.0,
)


class StageLatency:
    """Observes detections, tracks and threats. A stamp in the future has no latency, and is counted."""

    def __init__(self, registry: CollectorRegistry) -> None:
        histogram = Histogram(
            "aegis_stage_latency_seconds",
            "Age of a measurement when the bridge received the stage's output.",
            ["stage"],
            buckets=_BUCKETS_S,
            registry=registry,
        )
        ahead = Counter(
            "aegis_stage_clock_ahead", "Outputs whose stamp was in the future.", ["stage"], registry=registry
        )
        self._histogram = {stage: histogram.labels(stage) for stage in STAGES.values()}
        self._ahead = {stage: ahead.labels(stage) for stage in STAGES.values()}
        # Time of receipt by the steady clock, and age [s]; by stage.
        self._kept = {stage: deque[tuple[float, float]](maxlen=OBSERVATIONS_KEPT) for stage in STAGES.values()}

    def take(self, frame: Frame[Any]) -> None:
        """Observe what has come."""
        stage = STAGES[type(frame.data)]
        if frame.age_at_receipt_s < 0.0:
            self._ahead[stage].inc()
            return
        self._histogram[stage].observe(frame.age_at_receipt_s)
        self._kept[stage].append((frame.received_at, frame.age_at_receipt_s))

    def report(self) -> dict[str, dict[str, float | int] | None]:
        """Return the exact percentiles [ms] of the observations kept, by stage; None before the first."""
        return {stage: _percentiles([age for _, age in kept]) for stage, kept in self._kept.items()}

    def rate_hz(self, stage: str) -> float | None:
        """Return how often the stage's output came within the last seconds; None before its second output."""
        kept = self._kept[stage]
        if len(kept) < 2:
            return None
        now = time.monotonic()
        recent = [at for at, _ in kept if now - at <= RATE_WINDOW_S]
        return round((len(recent) - 1) / (now - recent[0]), 3) if len(recent) > 1 else 0.0


def _percentiles(ages_s: list[float]) -> dict[str, float | int] | None:
    if not ages_s:
        return None
    p50, p90, p99, highest = (round(float(v) * 1e3, 3) for v in np.percentile(ages_s, [50, 90, 99, 100]))
    return {"observations": len(ages_s), "p50_ms": p50, "p90_ms": p90, "p99_ms": p99, "max_ms": highest}
