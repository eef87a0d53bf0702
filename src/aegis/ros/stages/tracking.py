"""`detections` to `tracks`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aegis.core.events import Event, EventName, Severity
from aegis.core.ids import UniqueIds
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker
from aegis.ros import convert
from aegis.ros.stages.base import Output, Stage, StageContext


class TrackingStage(Stage):
    """One picture a scan."""

    name = "tracking"
    settings_type = TrackingSettings

    def __init__(self, settings: TrackingSettings, context: StageContext) -> None:
        super().__init__(settings, context)
        path = context.state_dir / "track_ids.json" if context.state_dir is not None else None
        self.tracker = Tracker(settings, UniqueIds(path))
        self._tracks = 0

    def reset(self) -> None:
        """Drop all tracks; ids go on."""
        self.tracker.reset()

    def on_message(self, topic: str, message: Any) -> Iterator[Output]:
        """Track one scan."""
        detections = convert.detections_from_msg(message)
        self.note_sequence(topic, detections.sequence, detections.sensor_id)
        stamp_ns = detections.stamp_ns
        sequence = {"sequence": detections.sequence}
        yield self.event(Event(EventName.TRACKING_RUNNING, Severity.DEBUG, sequence), stamp_ns)
        result = self.tracker.step(detections)
        if result.tracks is None:
            self.counters.drop(result.dropped or "")
            return
        if result.reset:
            self.counters.reasons["time went backwards: reset"] += 1
        self.counters.drop("detection not finite", result.refused)
        self.counters.drop("over max_tracks", result.over_capacity)
        self._tracks = len(result.tracks)
        yield Output("tracks", convert.tracks_to_msg(result.tracks))
        data = {**sequence, "tracks": self._tracks, "confirmed": result.confirmed.tolist(), "reset": result.reset}
        yield self.event(Event(EventName.TRACKING_UPDATED, data=data), stamp_ns)
        for track_id in result.lost.tolist():
            yield self.event(Event(EventName.TRACKING_LOST, data={"track_id": track_id}), stamp_ns)

    def detail(self) -> dict[str, Any]:
        """Add the size of the picture."""
        return {"tracks": self._tracks}
