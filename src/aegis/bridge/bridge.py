"""What the routes share: the parts of one running bridge, and what happens when the graph speaks."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fastapi.requests import HTTPConnection

from aegis.bridge.accounts.audit import Audit
from aegis.bridge.accounts.devices import Devices
from aegis.bridge.accounts.store import Accounts
from aegis.bridge.accounts.throttle import Throttle
from aegis.bridge.accounts.tickets import Tickets
from aegis.bridge.accounts.tokens import Tokens
from aegis.bridge.history.history import History
from aegis.bridge.live import columns
from aegis.bridge.live.acknowledgements import Acknowledgements
from aegis.bridge.live.frames import EwFrame, Frame, RadarFrame
from aegis.bridge.live.nodes import GraphNodes
from aegis.bridge.live.services import Graph, NoGraph
from aegis.bridge.live.state import Latest
from aegis.bridge.outputs.feed import Feed
from aegis.bridge.settings import BridgeSettings
from aegis.bridge.stream import bodies
from aegis.bridge.stream.channels import EW, RADAR_FRAME, SYSTEM_STATUS, THREATS
from aegis.bridge.stream.hub import Hub
from aegis.bridge.telemetry.sources import ACCOUNTS, STREAM
from aegis.bridge.telemetry.telemetry import Telemetry
from aegis.core.types import Advice, Signal, Threats


@dataclass
class Bridge:
    """One running bridge."""

    settings: BridgeSettings
    nodes: GraphNodes
    tokens: Tokens
    accounts: Accounts
    throttle: Throttle
    devices: Devices
    hub: Hub
    state_dir: Path
    acknowledgements: Acknowledgements
    history: History
    feed: Feed
    run_id: str = ""
    graph: Graph = field(default_factory=NoGraph)
    started_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.latest = Latest(self.nodes.names)
        self.telemetry = Telemetry(self.latest, self.settings, self.state_dir)
        self.telemetry.metrics.add_source(STREAM, self.stream_counts)
        self.telemetry.metrics.add_source(ACCOUNTS, self.accounts.counts)
        self.tickets = Tickets(self.accounts.mirror)
        self.accounts.mirror.on_revoked = self.hub.close_sessions
        self._take: dict[str, Callable[[Any], None]] = {
            "detections": self.latest.take_detections,
            "tracks": lambda frame: setattr(self.latest, "tracks", frame),
            "threats": self._take_threats,
            RADAR_FRAME: self._take_radar_frame,  # handed over beside the topics of the graph
            "ew/signals": self._take_signals,
            "ew/advice": self._take_advice,
            "events": self.latest.take_event,
            "status": self.latest.take_status,
            "class_info": lambda classifier: setattr(self.latest, "classifier", classifier),
        }

    @property
    def audit(self) -> Audit:
        """Where acts and refusals are written."""
        return self.accounts.audit

    def deliver(self, topic: str, item: Any) -> None:
        """Take what the ROS thread handed over; on the event loop."""
        self.telemetry.latency.take(topic, item)
        self._take[topic](item)
        self.feed.take(topic, item)

    def _take_threats(self, frame: Frame[Threats]) -> None:
        self.latest.threats = frame
        self.hub.publish(THREATS, lambda wanted: bodies.threats(frame, self.latest.tracks, wanted), keep=True)

    def show_acknowledgements(self) -> None:
        """Show the threats anew, with who has acknowledged them by now."""
        frame = self.latest.threats
        if frame is not None:
            rows = columns.threat_rows(frame.data, self.acknowledgements)
            self._take_threats(replace(frame, encode=lambda _: rows, revision=frame.revision + 1))

    def _take_radar_frame(self, frame: RadarFrame) -> None:
        self.hub.publish(RADAR_FRAME, lambda wanted: bodies.radar_frame(frame, self.settings, wanted), keep=True)

    def _take_signals(self, signals: EwFrame[Signal]) -> None:
        before = self.latest.signals
        self.latest.signals = signals
        if before is None or signals.items or before.items:  # nothing is said again and again of nothing
            self._publish_ew()

    def _take_advice(self, advice: EwFrame[Advice]) -> None:
        self.latest.advice = advice
        self._publish_ew()

    def _publish_ew(self) -> None:
        self.hub.publish(EW, lambda _: bodies.ew(self.latest.signals, self.latest.advice), keep=True)

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
            "queued_frames": self.hub.queued,
            "dropped_frames": self.hub.dropped,
            "evicted_clients": self.hub.evicted,
            "errors": self.hub.errors,
        }


def bridge_of(connection: HTTPConnection) -> Bridge:
    """Return the bridge behind a request or WebSocket."""
    bridge: Bridge = connection.app.state.bridge
    return bridge
