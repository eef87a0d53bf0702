# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every event of the graph as a line of JSON, in a file for each kind of stage."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import orjson

from aegis.bridge.telemetry.settings import LogSettings
from aegis.bridge.telemetry.writer import LogWriter
from aegis.core.events import Severity
from aegis.ros.messages.reports import ReceivedEvent

# By the first word of an event's name.
FILES = {
    "RADAR": "radar.log",
    "DETECTION": "detection.log",
    "TRACKING": "tracking.log",
    "THREAT": "threat.log",
    "ALARM": "threat.log",
    "EW": "ew.log",
    "PIPELINE": "pipeline.log",
    "BROADCAST": "websocket.log",
}
OTHERS = "pipeline.log"


class StageLog:
    """Takes the events of the graph; those of less than the severity that is logged are left out."""

    def __init__(self, folder: Path, settings: LogSettings) -> None:
        self._least = Severity[settings.level]
        self.writer = LogWriter(folder, settings, "stage-log")

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path, settings: LogSettings) -> AsyncIterator[StageLog]:
        """Log until the end of the block; the arguments are those of the class."""
        log = cls(folder, settings)
        try:
            yield log
        finally:
            await asyncio.get_running_loop().run_in_executor(None, log.writer.close)

    def take(self, event: ReceivedEvent) -> None:
        """Queue an event for its file."""
        if event.severity >= self._least:
            self.writer.put(FILES.get(event.name.partition("_")[0], OTHERS), _line(event))


def _line(event: ReceivedEvent) -> bytes:
    return orjson.dumps(
        {
            "timestamp": timestamp(event.stamp_ns / 1e9),
            "event": event.name,
            "stage": event.stage,
            "severity": event.severity.name,
            "data": orjson.Fragment(event.data_json),
            "run_id": event.run_id,
            "epoch": event.epoch,
            "sequence": event.sequence,
        }
    )


def timestamp(stamp_s: float) -> str:
    """Return seconds since 1970 as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(stamp_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
