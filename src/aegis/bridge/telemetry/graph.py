# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The graph, as it reports to the bridge, as counts for Prometheus. Names and details come from DDS, and are bounded here."""

from __future__ import annotations

from collections import Counter

import numpy as np

from aegis.bridge.live.state import LiveState
from aegis.bridge.telemetry.sources import MAX_REASONS, Value
from aegis.core.types import ThreatLevel, Threats

OTHER = "other"
_LONGEST_LABEL = 120


def stage_counts(state: LiveState) -> dict[str, Value]:
    """Return the counts of the source STAGE: every stage's last status, the graph's own stages before those of others."""
    order = sorted(state.stages, key=lambda name: not state.is_ours(name))
    reports = {_label(name): state.stages[name] for name in order}
    rows = {name: report.row for name, report in reports.items()}
    reasons: dict[tuple[str, ...], float] = {
        (name, reason): number for name, row in rows.items() for reason, number in _reasons(row["detail"]).items()
    }
    step_s: dict[tuple[str, ...], float] = {}
    output_age_s: dict[tuple[str, ...], float] = {}
    for name, row in rows.items():
        step_s |= {(name, "50"): row["step_p50"], (name, "99"): row["step_p99"]}
        output_age_s |= {(name, "50"): row["latency_p50"], (name, "99"): row["latency_p99"]}
    return {
        "status_age_s": {name: report.age_s for name, report in reports.items()},
        "rate_hertz": {name: row["rate_hz"] for name, row in rows.items()},
        "step_s": step_s,
        "output_age_s": output_age_s,
        "received": {name: row["received"] for name, row in rows.items()},
        "published": {name: row["published"] for name, row in rows.items()},
        "dropped": {name: row["dropped"] for name, row in rows.items()},
        "objects_dropped": {name: row["objects_dropped"] for name, row in rows.items()},
        "sequence_gaps": {name: row["sequence_gaps"] for name, row in rows.items()},
        "errors": {name: row["errors"] for name, row in rows.items()},
        "dropped_by_reason": reasons,
    }


def graph_counts(state: LiveState) -> dict[str, Value]:
    """Return the counts of the source GRAPH."""
    missing = state.missing()
    newest = {"detections": state.detections, "tracks": state.tracks, "threats": state.threats}
    frames = {topic: frame for topic, frame in newest.items() if frame is not None}
    counts: dict[str, Value] = {
        "ready": float(not missing and not state.troubles()),
        "stage_ready": {name: float(name not in missing) for name in state.ready_stages},
        "data_age_s": {topic: frame.age_s for topic, frame in frames.items()},
        "objects": {topic: len(frame.data) for topic, frame in frames.items()},
        "scans_lost": state.scans_lost,
        "events_received": state.events,
        "events_lost": state.events_lost,
        "stages_refused": state.stages_refused,
    }
    if state.threats is not None:
        assessed = state.threats.data
        counts["threats"] = levels(assessed)
    rate_hz = state.scan_rate_hz()
    if rate_hz is not None:
        counts["scan_rate_hertz"] = rate_hz
    return counts


def levels(threats: Threats) -> dict[str, int]:
    """Return how many of those that were assessed have each level, listed or not."""
    level = np.concatenate([threats.level, threats.unlisted_level])
    return {kind.name: int(np.count_nonzero(level == kind)) for kind in ThreatLevel}


def _reasons(detail: object) -> Counter[str]:
    """Return the drops of a status row's detail by reason."""
    by_reason = detail.get("dropped_by_reason") if isinstance(detail, dict) else None
    reasons: Counter[str] = Counter()
    for reason, number in by_reason.items() if isinstance(by_reason, dict) else ():
        if isinstance(number, int):
            label = _label(reason)
            reasons[label if label in reasons or len(reasons) < MAX_REASONS else OTHER] += number
    return reasons


def _label(text: str) -> str:
    """Return a label that is not too long, and can be encoded."""
    return text[:_LONGEST_LABEL].encode("utf-8", "replace").decode("utf-8")
