# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`radar/points` to `detections`: any driver's PointCloud2, decoded, grouped, classified; on a platform, with its `odometry`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nav_msgs.msg import Odometry
from sensor_msgs.msg import PointCloud2

from aegis.core.detection.detector import Detector
from aegis.core.detection.points import MISSING_FIELD, PointsError, read_points
from aegis.core.detection.settings import DetectionSettings
from aegis.core.events import (
    DetectionFailed,
    DetectionRefused,
    DetectionRunning,
    ScanComplete,
    TargetsClassified,
    TargetsDetected,
)
from aegis.core.health import Health, Level
from aegis.core.odometry import MovingPlatform, OdometryBuffer, at_the_stamp
from aegis.core.params import Settings
from aegis.core.types import NOT_STAMPED, ClassId, Pose, Scan
from aegis.ros.messages.clouds import CloudError, cloud_fields
from aegis.ros.messages.fields import StampedMessage, stamp_of, unstamped
from aegis.ros.messages.odometry import odometry_from_msg
from aegis.ros.messages.picture import detections_to_msg
from aegis.ros.stages.base import Counters, Output, Stage, StageContext

MOST_NAMES = 40  # of a cloud's fields, that a refusal tells
UNTIMED = "point without a time that can be: the stamp's taken"


@dataclass
class DetectionCounters(Counters):
    """Besides: what came of each kind."""

    clouds: int = 0
    odometry: int = 0  # taken


class DetectionStage(Stage[DetectionSettings]):
    """Refuses a cloud that it cannot read rightly, counts it by reason, and says so in an event and in diagnostics."""

    name = "detection"
    settings_type = DetectionSettings
    counters_type = DetectionCounters
    counters: DetectionCounters
    error_event = DetectionFailed
    tunable = (
        "accuracy.*",
        "grouping.distance_m",
        "grouping.large_*",
        "grouping.range_rate_mps",
        "grouping.min_points",
        "limits.*",
        "classification.confidence_threshold",
        "classification.priors.*",
    )

    def __init__(self, settings: DetectionSettings, context: StageContext) -> None:
        super().__init__(settings, context)
        self.detector = Detector(settings)
        self._fields = settings.fields.names()
        self._sequence = 0
        self._platform: MovingPlatform | None = None
        if settings.moving_platform:
            buffer = OdometryBuffer(settings, max_gap_s=settings.odometry.max_gap_s)
            self._platform = MovingPlatform(buffer)
        self._odometry_refusal = ""  # of the last odometry; empty where it was taken

    def tune(self, settings: Settings) -> None:
        """Detect with these settings from now on."""
        assert isinstance(settings, DetectionSettings)
        self.settings, self.detector = settings, Detector(settings)

    def reads(self, topic: str) -> bool:
        """Read odometry on a moving platform only."""
        return topic != "odometry" or self._platform is not None

    def reset(self) -> None:
        """Forget the odometry, and the scans that wait for it."""
        if self._platform is not None:
            self._platform.restart()

    def on_message(self, topic: str, message: StampedMessage) -> Iterator[Output]:
        """Detect in one cloud: now, or on a moving platform as soon as odometry says where the sensor was."""
        stamp_ns = stamp_of(message)
        if topic == "odometry":
            yield from self._on_odometry(message, stamp_ns)
            return
        self.counters.clouds += 1
        try:
            scan = self._read(message, stamp_ns)
        except (CloudError, PointsError) as error:
            yield from self._refuse(error.reason, str(error), stamp_ns)
            return
        if self._platform is None:
            yield from self._detect(scan, None)
            return
        self._platform.add_scan(scan)
        yield from self._settle(self._platform)

    def finish(self, now_ns: int) -> Iterator[Output]:
        """Drop the scans that wait for odometry that will not come."""
        if self._platform is not None:
            yield from self._settle(self._platform, final=True)

    def _on_odometry(self, message: Odometry, stamp_ns: int) -> Iterator[Output]:
        """Take odometry and detect in the scans that have waited for it. What is refused is told once, until one is taken."""
        assert self._platform is not None  # `reads` says so
        expected, frame_id = self.settings.odometry.frame_id, message.header.frame_id
        reason, text = "", ""
        if expected and frame_id != expected:
            reason = "odometry: foreign frame_id"
            text = f"odometry's frame_id '{frame_id}', but '{expected}' is expected (parameter odometry.frame_id)"
        else:
            try:
                if self._platform.add_odometry(odometry_from_msg(message)):
                    self.counters.note("odometry went backwards: reset")
                self.counters.odometry += 1
            except ValueError as error:
                reason = "odometry: not valid" if stamp_ns else f"odometry: {NOT_STAMPED}"
                text = str(error) if stamp_ns else unstamped("odometry")
        if reason and not self._odometry_refusal:
            self.forget_told(reason)
            yield from self._refuse(reason, text, stamp_ns)
        elif reason:
            self.counters.drop(reason)
        self._odometry_refusal = text
        yield from self._settle(self._platform)

    def _settle(self, platform: MovingPlatform, *, final: bool = False) -> Iterator[Output]:
        for scan, pose, reason in platform.settled(final=final):
            if pose is None:
                text = f"scan {scan.sequence} has no pose: {reason}"
                yield from self._refuse(reason, text, scan.stamp_ns)
            else:
                delay_s = self.settings.odometry.delay_s
                yield from self._detect(at_the_stamp(scan, pose, platform.pose_at, delay_s), pose)

    def _refuse(self, reason: str, text: str, stamp_ns: int) -> Iterator[Output]:
        return self._refuse_input(reason, text, stamp_ns, DetectionRefused)

    def _detect(self, scan: Scan, pose: Pose | None) -> Iterator[Output]:
        stamp_ns = scan.stamp_ns
        yield self.event(ScanComplete(scan.sequence, len(scan)), stamp_ns)
        if len(scan):
            yield self.event(TargetsDetected(scan.sequence, len(scan)), stamp_ns)
        yield self.event(DetectionRunning(scan.sequence), stamp_ns)
        detections, dropped = self.detector.step(scan)
        detections.pose = pose
        for reason, objects in dropped.items():
            self.counters.drop(reason, objects)
        yield Output("detections", detections_to_msg(detections))
        names = [ClassId(c).name for c in sorted(set(detections.class_id.tolist()))]
        classes = {name: int((detections.class_id == int(ClassId[name])).sum()) for name in names}
        yield self.event(TargetsClassified(scan.sequence, len(detections), classes), stamp_ns)

    def detail(self) -> dict[str, object]:
        """Add the sensor, and what the last refused input was refused for."""
        waiting = {} if self._platform is None else {"scans_waiting": self._platform.waiting}
        return {"sensor_id": self.settings.sensor_id, "last_refusal": self._last_refusal, **waiting}

    def health(self) -> Health:
        """Tell also where odometry is missing, and where odometry is all that comes."""
        health = super().health()
        if self._platform is None or health.level is Level.ERROR:
            return health
        new = self.counters.since(self._reported)
        if self._platform.waiting and not new.odometry:
            refused = f"; refused: {self._odometry_refusal}" if self._odometry_refusal else ""
            return Health(Level.STALE, f"no odometry: {self._platform.waiting} scans wait for it{refused}")
        if health.level is Level.OK and not new.clouds:
            return Health(Level.STALE, "no data")
        return health

    def _read(self, message: PointCloud2, stamp_ns: int) -> Scan:
        """Return the Scan of a cloud.

        Raises:
            CloudError, PointsError: with the reason.
        """
        s = self.settings
        frame_id = message.header.frame_id
        if stamp_ns == 0:
            raise CloudError(NOT_STAMPED, unstamped("cloud"))
        if s.frame_id and frame_id != s.frame_id:
            raise CloudError(
                "foreign frame_id", f"frame_id '{frame_id}', but '{s.frame_id}' is expected (parameter frame_id)"
            )
        if int(message.height) * int(message.width) > s.limits.max_points:
            raise CloudError(
                "too many points",
                f"{message.height} x {message.width} points; limits.max_points is {s.limits.max_points}",
            )
        columns = cloud_fields(message, self._fields)
        self._sequence += 1
        try:
            scan, dropped = read_points(columns, s, stamp_ns=stamp_ns, frame_id=frame_id, sequence=self._sequence)
        except PointsError as error:
            if error.reason != MISSING_FIELD:
                raise
            there = ", ".join(field.name for field in message.fields[:MOST_NAMES])
            raise PointsError(error.reason, f"{error}. The cloud has {there}") from None
        for reason, objects in dropped.items():
            self.counters.drop(reason, objects)
        self.counters.note(UNTIMED, scan.untimed)
        return scan
