"""What the bridge has heard of the graph, as counts for Prometheus. Names and details are anybody's on DDS, and bounded here."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from aegis.bridge.live.state import Latest
from aegis.bridge.settings import BridgeSettings
from aegis.bridge.telemetry.sources import REASONS_TOLD, Value
from aegis.core.types import ThreatLevel

OTHER = "other"
_LONGEST_LABEL = 120
_COUNTS = ("received", "published", "dropped", "objects_dropped", "sequence_gaps", "errors")
_PERCENTILES = {"50": "p50", "99": "p99"}


def stage_counts(latest: Latest) -> dict[str, Value]:
    """Return the counts of the source STAGE: every stage's last status, the graph's own stages before those of others."""
    now = time.monotonic()
    order = sorted(latest.stages, key=lambda name: not latest.is_ours(name))
    heard = {_label(name): latest.stages[name] for name in order}
    rows = {name: stage.row for name, stage in heard.items()}
    reasons: dict[tuple[str, ...], float] = {
        (name, reason): number for name, row in rows.items() for reason, number in _reasons(row["detail"]).items()
    }
    return {
        "status_age_s": {name: now - stage.at for name, stage in heard.items()},
        "rate_hertz": {name: row["rate_hz"] for name, row in rows.items()},
        "step_s": _percentiles(rows, "step"),
        "output_age_s": _percentiles(rows, "latency"),
        **{count: {name: row[count] for name, row in rows.items()} for count in _COUNTS},
        "dropped_by_reason": reasons,
    }


def graph_counts(latest: Latest, settings: BridgeSettings) -> dict[str, Value]:
    """Return the counts of the source GRAPH."""
    missing = latest.missing(settings.ready_stages, settings.ready_silence_s)
    frames = {"detections": latest.detections, "tracks": latest.tracks, "threats": latest.threats}
    heard = {topic: frame for topic, frame in frames.items() if frame is not None}
    counts: dict[str, Value] = {
        "ready": float(not missing),
        "stage_ready": {name: float(name not in missing) for name in settings.ready_stages},
        "data_age_s": {topic: frame.age_s for topic, frame in heard.items()},
        "objects": {topic: len(frame.data) for topic, frame in heard.items()},
        "scans_lost": latest.scans_lost,
        "events_received": latest.events,
        "events_lost": latest.events_lost,
        "stages_refused": latest.stages_refused,
    }
    if latest.threats is not None:
        counts["threats"] = levels(latest.threats.data.level)
    rate_hz = latest.scan_rate_hz()
    if rate_hz is not None:
        counts["scan_rate_hertz"] = rate_hz
    return counts


def levels(level: np.ndarray[Any, Any]) -> dict[str, int]:
    """Return how many threats (N,) have each level."""
    return {kind.name: int(np.count_nonzero(level == kind)) for kind in ThreatLevel}


def _percentiles(rows: Mapping[str, Mapping[str, Any]], name: str) -> dict[tuple[str, ...], float]:
    return {
        (stage, percent): row[f"{name}_{column}"]
        for stage, row in rows.items()
        for percent, column in _PERCENTILES.items()
    }


def _reasons(detail: Any) -> Counter[str]:
    """Return the drops of a status row's detail by reason."""
    told = detail.get("dropped_by_reason") if isinstance(detail, dict) else None
    reasons: Counter[str] = Counter()
    for reason, number in told.items() if isinstance(told, dict) else ():
        if isinstance(number, int):
            label = _label(reason)
            reasons[label if label in reasons or len(reasons) < REASONS_TOLD else OTHER] += number
    return reasons


def _label(text: str) -> str:
    """Return a label that is not too long, and can be encoded."""
    return text[:_LONGEST_LABEL].encode("utf-8", "replace").decode("utf-8")
