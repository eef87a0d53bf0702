"""`radar/points` to `detections`: any driver's PointCloud2, decoded, grouped, classified."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from aegis.core.classification import physical
from aegis.core.detection.detector import Detector
from aegis.core.detection.points import PointsError, read_points
from aegis.core.detection.settings import DetectionSettings
from aegis.core.events import Event, EventName, Severity
from aegis.core.types import ClassId
from aegis.ros import convert
from aegis.ros.convert import CloudError
from aegis.ros.stages.base import Output, Stage, StageContext


class DetectionStage(Stage):
    """Refuses a cloud that it cannot read rightly, counts it by reason, and says so in an event and in diagnostics."""

    name = "detection"
    settings_type = DetectionSettings
    error_event = EventName.DETECTION_ERROR

    def __init__(self, settings: DetectionSettings, context: StageContext) -> None:
        super().__init__(settings, context)
        self.detector = Detector(settings)
        self._fields = settings.fields()
        self._sequence = 0
        self._last_refusal = ""

    def start(self, now_ns: int) -> Iterable[Output]:
        """Say what the class numbers mean."""
        info = convert.class_info_to_msg(
            self.detector.model.prior, model=physical.NAME, basis=physical.BASIS, stamp_ns=now_ns
        )
        return [Output("class_info", info)]

    def on_message(self, topic: str, message: Any) -> Iterator[Output]:
        """Detect in one cloud."""
        stamp_ns = convert.stamp_ns(message)
        try:
            scan = self._read(message, stamp_ns)
        except (CloudError, PointsError) as error:
            self.counters.drop(error.reason)
            self._last_refusal = str(error)
            data = {"refused": error.reason, "message": str(error)}
            yield self.event(Event(EventName.DETECTION_ERROR, Severity.WARNING, data), stamp_ns)
            return
        counted = {"sequence": scan.sequence, "points": len(scan)}
        yield self.event(Event(EventName.RADAR_SCAN_COMPLETE, data=counted), stamp_ns)
        if len(scan):
            yield self.event(Event(EventName.RADAR_TARGETS_DETECTED, data=counted), stamp_ns)
        yield self.event(Event(EventName.DETECTION_RUNNING, Severity.DEBUG, {"sequence": scan.sequence}), stamp_ns)
        detections, dropped = self.detector.step(scan)
        for reason, objects in dropped.items():
            self.counters.drop(reason, objects)
        yield Output("detections", convert.detections_to_msg(detections))
        names = [ClassId(c).name for c in sorted(set(detections.class_id.tolist()))]
        classes = {name: int((detections.class_id == int(ClassId[name])).sum()) for name in names}
        data_ = {"sequence": scan.sequence, "detections": len(detections), "classes": classes}
        yield self.event(Event(EventName.DETECTION_TARGETS_CLASSIFIED, data=data_), stamp_ns)

    def detail(self) -> dict[str, Any]:
        """Add the sensor, and what the last refused cloud was refused for."""
        return {"sensor_id": self.settings.sensor_id, "last_refusal": self._last_refusal}

    def _read(self, message: Any, stamp_ns: int) -> Any:
        """Return the Scan of a cloud.

        Raises:
            CloudError, PointsError: with the reason.
        """
        s = self.settings
        frame_id = message.header.frame_id
        if s.frame_id and frame_id != s.frame_id:
            raise CloudError(
                "foreign frame_id", f"frame_id '{frame_id}', but '{s.frame_id}' is expected (parameter frame_id)"
            )
        if int(message.height) * int(message.width) > s.max_points:
            raise CloudError(
                "too many points", f"{message.height} x {message.width} points; max_points is {s.max_points}"
            )
        columns = convert.cloud_fields(message, self._fields)
        self._sequence += 1
        scan, dropped = read_points(columns, s, stamp_ns=stamp_ns, frame_id=frame_id, sequence=self._sequence)
        for reason, objects in dropped.items():
            self.counters.drop(reason, objects)
        return scan
