"""Names of the event bus, and what a stage says through it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any


class EventName(StrEnum):
    """Every event of the graph."""

    RADAR_SCAN_STARTED = "RADAR_SCAN_STARTED"
    RADAR_SCAN_COMPLETE = "RADAR_SCAN_COMPLETE"
    RADAR_TARGETS_DETECTED = "RADAR_TARGETS_DETECTED"
    DETECTION_RUNNING = "DETECTION_RUNNING"
    DETECTION_TARGETS_CLASSIFIED = "DETECTION_TARGETS_CLASSIFIED"
    DETECTION_ERROR = "DETECTION_ERROR"
    TRACKING_RUNNING = "TRACKING_RUNNING"
    TRACKING_UPDATED = "TRACKING_UPDATED"
    TRACKING_LOST = "TRACKING_LOST"
    THREAT_ASSESSMENT_RUNNING = "THREAT_ASSESSMENT_RUNNING"
    THREAT_LEVEL_CHANGED = "THREAT_LEVEL_CHANGED"
    THREAT_CRITICAL = "THREAT_CRITICAL"
    EW_DETECTION = "EW_DETECTION"
    EW_RESPONSE_TRIGGERED = "EW_RESPONSE_TRIGGERED"
    EW_COUNTERMEASURE = "EW_COUNTERMEASURE"
    PIPELINE_CYCLE_COMPLETE = "PIPELINE_CYCLE_COMPLETE"
    PIPELINE_ERROR = "PIPELINE_ERROR"
    BROADCAST_RADAR_FRAME = "BROADCAST_RADAR_FRAME"
    BROADCAST_THREATS = "BROADCAST_THREATS"
    BROADCAST_SYSTEM_STATUS = "BROADCAST_SYSTEM_STATUS"


class Severity(IntEnum):
    """As in aegis_msgs/Event."""

    DEBUG = 0
    INFO = 1
    WARNING = 2
    ERROR = 3


@dataclass(frozen=True)
class Event:
    """Something that happened in a stage."""

    name: EventName
    severity: Severity = Severity.INFO
    data: dict[str, Any] = field(default_factory=dict)
