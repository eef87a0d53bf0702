"""What the routes share: the parts of one running bridge, and what happens when the graph speaks."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from fastapi.requests import HTTPConnection

from aegis.bridge.accounts.store import Accounts
from aegis.bridge.accounts.throttle import LoginThrottle
from aegis.bridge.accounts.tokens import Tokens
from aegis.bridge.history.history import History
from aegis.bridge.latest import Frame, Latest, RadarFrame
from aegis.bridge.settings import BridgeSettings
from aegis.bridge.stream.hub import RADAR_FRAME, SYSTEM_STATUS, THREATS, Hub
from aegis.core.types import Threats


@dataclass
class Bridge:
    """One running bridge."""

    settings: BridgeSettings
    tokens: Tokens
    accounts: Accounts
    throttle: LoginThrottle
    hub: Hub
    history: History
    latest: Latest = field(default_factory=Latest)
    started_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._take: dict[str, Callable[[Any], None]] = {
            "detections": self.latest.take_detections,
            "tracks": lambda frame: setattr(self.latest, "tracks", frame),
            "threats": self._take_threats,
            RADAR_FRAME: self._take_radar_frame,  # handed over beside the topics of the graph
            "ew/signals": lambda signals: setattr(self.latest, "signals", signals),
            "ew/advice": lambda advice: setattr(self.latest, "advice", advice),
            "events": self.latest.take_event,
            "status": self.latest.take_status,
            "class_info": lambda classifier: setattr(self.latest, "classifier", classifier),
        }

    def deliver(self, topic: str, item: Any) -> None:
        """Take what the ROS thread handed over; on the event loop."""
        self._take[topic](item)

    def _take_threats(self, frame: Frame[Threats]) -> None:
        self.latest.threats = frame
        rows = orjson.Fragment(frame.rows)
        self.hub.publish(THREATS, lambda: {**frame.head(), "threats": rows}, keep=True)

    def _take_radar_frame(self, frame: RadarFrame) -> None:
        self.hub.publish(RADAR_FRAME, lambda: self.radar_frame(frame), keep=True)

    def radar_frame(self, frame: RadarFrame) -> dict[str, Any]:
        """Return the body of a radar_frame message."""
        pose = self.settings
        return {
            **frame.main.head(),
            # Where the sensor stands in `map`: detections are in its frame.
            "sensor": {
                "x_m": pose.sensor_x,
                "y_m": pose.sensor_y,
                "z_m": pose.sensor_z,
                "heading_deg": (90.0 - pose.sensor_yaw_deg) % 360.0,
            },
            "detections": orjson.Fragment(frame.detections.brief) if frame.detections else None,
            "tracks": orjson.Fragment(frame.tracks.brief) if frame.tracks else None,
        }

    def system_status(self) -> dict[str, Any]:
        """Return the body of a system_status message."""
        latest, settings = self.latest, self.settings
        missing = latest.missing(settings.ready_stages, settings.ready_silence_s)
        return {
            "time_s": time.time(),
            "ready": not missing,
            "missing_stages": missing,
            "stages": {name: latest.stage_row(name) for name in sorted(latest.stages)},
            "data": {
                name: {**frame.head(), "count": len(frame.data)} if frame else None
                for name, frame in (
                    ("detections", latest.detections),
                    ("tracks", latest.tracks),
                    ("threats", latest.threats),
                )
            },
            "scan_rate_hz": latest.scan_rate_hz(),
            "scans_lost": latest.scans_lost,
            "ew": latest.ew(),
            "events": {"received": latest.events, "lost": latest.events_lost},
            "alerts": list(latest.alerts),
            "stream": self.stream_counts(),
        }

    def stream_counts(self) -> dict[str, int]:
        """Return how the WebSocket side is doing; safe to call from another thread."""
        return {
            "clients": len(self.hub),
            "radar_frames": self.hub.frames[RADAR_FRAME],
            "threat_messages": self.hub.frames[THREATS],
            "status_messages": self.hub.frames[SYSTEM_STATUS],
            "dropped_frames": self.hub.dropped,
            "evicted_clients": self.hub.evicted,
            "errors": self.hub.errors,
        }


def bridge_of(connection: HTTPConnection) -> Bridge:
    """Return the bridge behind a request or WebSocket."""
    bridge: Bridge = connection.app.state.bridge
    return bridge
