# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How the stages were doing, by their status messages."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

COUNTS = ("received", "published", "dropped", "objects_dropped", "sequence_gaps", "errors")
OFFLINE = "offline"  # the run of `aegis process`, which counts from the begin of the bag


@dataclass
class StageRecord:
    """One stage."""

    stamp_ns: list[int] = field(default_factory=list)
    latency_p50: list[float] = field(default_factory=list)  # [s] from the measurement to its output; NaN offline
    latency_p99: list[float] = field(default_factory=list)
    step_p99: list[float] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)  # within the recording
    reasons: Counter[str] = field(default_factory=Counter)  # of what was dropped
    restarts: int = 0
    last: Counter[str] = field(default_factory=Counter)  # as last told: since the stage's start
    last_reasons: Counter[str] = field(default_factory=Counter)
    run: str = ""


class Stages:
    """All of them, as their messages come."""

    def __init__(self) -> None:
        self.of: dict[str, StageRecord] = {}
        self.runs: dict[str, None] = {}  # in order

    def take(self, run_id: str, stamp_ns: int, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take a message. Its numbers count since the stage's start: what is less than before has begun anew."""
        self.runs[run_id] = None
        for row in rows:
            one = self.of.get(str(row["stage"]))
            now = Counter({name: int(row[name]) for name in COUNTS})
            reasons = Counter({str(k): int(n) for k, n in (row["detail"].get("dropped_by_reason") or {}).items()})
            if one is None:
                one = self.of[str(row["stage"])] = StageRecord(run=run_id)
                if run_id != OFFLINE:  # what was before the recording is none of it
                    one.last, one.last_reasons = now, reasons
            elif run_id != one.run or any(now[name] < one.last[name] for name in COUNTS):
                one.restarts += 1
                one.last, one.last_reasons, one.run = Counter(), Counter(), run_id
            one.counts.update({name: now[name] - one.last[name] for name in COUNTS})
            one.reasons.update({name: n - one.last_reasons[name] for name, n in reasons.items()})
            one.last, one.last_reasons = now, reasons
            one.stamp_ns.append(stamp_ns)
            one.latency_p50.append(float(row["latency_p50"]))
            one.latency_p99.append(float(row["latency_p99"]))
            one.step_p99.append(float(row["step_p99"]))

    @property
    def has_latencies(self) -> bool:
        """Tell whether any stage has said how late it is."""
        return any(math.isfinite(value) for one in self.of.values() for value in one.latency_p99)
