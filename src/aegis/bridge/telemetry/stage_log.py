"""Every event of the graph as a line of JSON, in a file for each kind of stage."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from aegis.bridge.telemetry.settings import TelemetrySettings
from aegis.bridge.telemetry.writer import LogWriter
from aegis.core.events import Severity

# By the first word of an event's name.
FILES = {
    "RADAR": "radar.log",
    "DETECTION": "detection.log",
    "TRACKING": "tracking.log",
    "THREAT": "threat.log",
    "EW": "ew.log",
    "PIPELINE": "pipeline.log",
    "BROADCAST": "websocket.log",
}
OTHERS = "pipeline.log"


class StageLog:
    """Takes the events that the bridge hears; those of less than the severity that is logged are left out."""

    def __init__(self, folder: Path, settings: TelemetrySettings) -> None:
        self._least = Severity[settings.log_level]
        self.writer = LogWriter(folder, settings, "stage-log")

    def take(self, event: dict[str, Any]) -> None:
        """Queue an event, as `event_from_msg` gives it, for its file."""
        if Severity[event["severity"]] >= self._least:
            self.writer.put(FILES.get(event["name"].partition("_")[0], OTHERS), _line(event))


def _line(event: dict[str, Any]) -> bytes:
    document = {
        "timestamp": timestamp(event["stamp_s"]),
        "event": event["name"],
        "stage": event["stage"],
        "severity": event["severity"],
        "data": event["data"],
        "run_id": event["run_id"],
        "epoch": event["epoch"],
        "sequence": event["sequence"],
    }
    try:
        return orjson.dumps(document)
    except orjson.JSONEncodeError:  # an integer beyond 64 bits, half a surrogate pair: allowed in JSON, but not here
        return orjson.dumps({**document, "data": json.dumps(event["data"])})


def timestamp(stamp_s: float) -> str:
    """Return seconds since 1970 as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(stamp_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
