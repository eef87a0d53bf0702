# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The newest of everything that the graph has sent; lives on the event loop."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

import numpy as np

from aegis.bridge.live.frames import EwFrame, Frame, Stamped
from aegis.bridge.live.nodes import OWN_NAME
from aegis.bridge.live.reports import Classifier, StatusRow
from aegis.core.events import Severity
from aegis.core.finite import finite_or_none
from aegis.core.sources import SourceWatch
from aegis.core.threat.areas import ProtectedArea
from aegis.core.types import Advice, AdviceState, Alarm, Detections, Signal, Threats, Tracks
from aegis.ros.messages.reports import ReceivedEvent

ALERTS_KEPT = 10
SCANS_FOR_RATE = 20
MAX_SENSORS = 64
MAX_STAGES = 64  # any DDS participant can send new names; they must not fill the memory, nor displace the graph's own
REQUESTED_S = 5.0  # for so long after a request its objects count as requested
RECENT_SCANS = 20  # a scan may be requested after the next ones have come


class StageBody(TypedDict):
    """A stage's status in named units, as clients see it; None is unknown."""

    age_s: float
    rate_hz: float | None
    step_p50_ms: float | None
    step_p99_ms: float | None
    latency_p50_ms: float | None
    latency_p99_ms: float | None
    received: int
    published: int
    dropped: int
    objects_dropped: int
    sequence_gaps: int
    errors: int
    detail: object


class TroubleBody(TypedDict):
    """A source that is silent or stuck, as clients see it."""

    topic: str
    sensor_id: str
    state: str
    for_s: float


class Alert(TypedDict):
    """An event that is a warning or an error, as clients see it."""

    stamp_s: float
    name: str
    stage: str
    severity: str
    data: object


@dataclass(frozen=True)
class StageReport:
    """The last status row of a stage."""

    row: StatusRow
    at: float  # time.monotonic()

    @property
    def age_s(self) -> float:
        """Seconds since it came."""
        return time.monotonic() - self.at


@dataclass
class _Scans:
    """One sensor's scans."""

    sequence: int  # of the last one
    stamps: deque[int] = field(default_factory=lambda: deque(maxlen=SCANS_FOR_RATE))


class LiveState:
    """The newest of everything; None is what has never come."""

    def __init__(
        self,
        nodes: Sequence[str] = (),
        ready_stages: Sequence[str] = (),
        silence_s: float = 0.0,
        sources: SourceWatch | None = None,
    ) -> None:
        """Begin with nothing.

        Args:
            nodes: of the graph, beside the bridge; their status rows are always kept.
            ready_stages: that must report for the graph to be ready.
            silence_s: a stage whose last status is older is missing.
            sources: knows whether data keep coming; the ROS thread tells it what does. None: all data are.
        """
        self.nodes = tuple(nodes)
        self.sources = sources or SourceWatch(float("inf"), 0)
        self.ready_stages = tuple(ready_stages)
        self._silence_s = silence_s
        self.detections: Frame[Detections] | None = None
        self.tracks: Frame[Tracks] | None = None
        self.threats: Frame[Threats] | None = None
        self.signals: EwFrame[Signal] | None = None
        self.advice: EwFrame[Advice] | None = None
        self.alarms: EwFrame[Alarm] | None = None
        self.protected: EwFrame[ProtectedArea] | None = None
        self.classifier: Classifier | None = None
        self.stages: dict[str, StageReport] = {}
        self.alerts: deque[Alert] = deque(maxlen=ALERTS_KEPT)
        self.events = 0
        self.events_lost = 0
        self.scans_lost = 0
        self.stages_refused = 0  # status rows of stages beyond the most that are kept
        self._scans: dict[str, _Scans] = {}  # by sensor
        self._event_sequence: dict[str, tuple[tuple[str, int], int]] = {}
        self._recent: deque[Frame[Detections]] = deque(maxlen=RECENT_SCANS)
        self._requested_at: dict[type[Any], float] = {}  # by kind of data, time.monotonic()
        self._awaited: dict[int, list[asyncio.Future[Frame[Detections]]]] = {}

    def take_detections(self, frame: Frame[Detections]) -> None:
        """Take a scan's detections."""
        if frame.data.sensor_id not in self._scans and len(self._scans) >= MAX_SENSORS:
            del self._scans[next(iter(self._scans))]  # the one that was known first: names can be invented
        scans = self._scans.setdefault(frame.data.sensor_id, _Scans(frame.data.sequence))
        self.scans_lost += max(0, frame.data.sequence - scans.sequence - 1)
        scans.sequence = frame.data.sequence
        if scans.stamps and frame.data.stamp_ns <= scans.stamps[-1]:  # the sensor, or its clock, began anew
            scans.stamps.clear()
        scans.stamps.append(frame.data.stamp_ns)
        self.detections = frame
        self._recent.append(frame)
        for coming in self._awaited.get(frame.data.stamp_ns, ()):
            if not coming.done():
                coming.set_result(frame)

    def take_tracks(self, frame: Frame[Tracks]) -> None:
        """Take the picture after a scan."""
        self.tracks = frame

    def take_threats(self, frame: Frame[Threats]) -> None:
        """Take an assessment."""
        self.threats = frame

    def take_signals(self, signals: EwFrame[Signal]) -> None:
        """Take the active signals."""
        self.signals = signals

    def take_advice(self, advice: EwFrame[Advice]) -> None:
        """Take all advice."""
        self.advice = advice

    def take_alarms(self, alarms: EwFrame[Alarm]) -> None:
        """Take all alarms."""
        self.alarms = alarms

    def take_protected(self, protected: EwFrame[ProtectedArea]) -> None:
        """Take what is protected and watched."""
        self.protected = protected

    def take_classifier(self, classifier: Classifier) -> None:
        """Take what the classes rest on."""
        self.classifier = classifier

    def note_request(self, kind: type[Stamped]) -> None:
        """Take note that a client has requested all fields of detections, tracks or threats."""
        self._requested_at[kind] = time.monotonic()

    def is_requested(self, kind: type[Stamped]) -> bool:
        """Return whether clients keep requesting them; safe to call from another thread."""
        return time.monotonic() - self._requested_at.get(kind, -REQUESTED_S) < REQUESTED_S

    async def detections_of(self, stamp_ns: int, timeout_s: float) -> Frame[Detections]:
        """Return the detections of the scan with this stamp, one of the last ones or one that comes.

        Raises:
            TimeoutError: they do not come.
        """
        for frame in self._recent:
            if frame.data.stamp_ns == stamp_ns:
                return frame
        coming: asyncio.Future[Frame[Detections]] = asyncio.get_running_loop().create_future()
        self._awaited.setdefault(stamp_ns, []).append(coming)
        try:
            async with asyncio.timeout(timeout_s):
                return await coming
        finally:
            self._awaited[stamp_ns].remove(coming)
            if not self._awaited[stamp_ns]:
                del self._awaited[stamp_ns]

    def take_event(self, event: ReceivedEvent) -> None:
        """Take an event: count it and those missing before it, keep warnings and errors."""
        self.events += 1
        start = (event.run_id, event.epoch)
        known = self._event_sequence.get(event.stage)
        if known is not None and start != known[0]:
            known = (start, 0)  # it has begun anew, and this bridge was there: its events begin with 1
        if known is not None:
            self.events_lost += max(0, event.sequence - known[1] - 1)
        if known is not None or len(self._event_sequence) < MAX_STAGES:
            self._event_sequence[event.stage] = (start, event.sequence)
        if event.severity >= Severity.WARNING:
            self.alerts.append(
                Alert(
                    stamp_s=event.stamp_ns / 1e9,
                    name=event.name,
                    stage=event.stage,
                    severity=event.severity.name,
                    data=event.data,
                )
            )

    def take_status(self, rows: Sequence[StatusRow]) -> None:
        """Take status rows; those of too many stages are left out and counted."""
        now = time.monotonic()
        for row in rows:
            name = row["stage"]
            if name in self.stages or self.is_ours(name) or len(self.stages) < MAX_STAGES:
                self.stages[name] = StageReport(row, now)
            else:
                self.stages_refused += 1

    def is_ours(self, stage: str) -> bool:
        """Return whether a stage is the graph's own, or the bridge."""
        return stage in self.nodes or stage.partition("_")[0] == OWN_NAME  # or another bridge of the graph

    def stage_row(self, stage: str) -> StageBody | None:
        """Return a stage's status in named units; None before the first.

        Of a rig, that has one for each radar (`front/detection`), the one heard least lately.
        """
        report = self.stages.get(stage)
        if report is None:
            each = [self.stages[name] for name in self.stages if name.endswith(f"/{stage}")]
            report = max(each, key=lambda one: one.age_s, default=None)
        if report is None:
            return None
        row = report.row
        return StageBody(
            age_s=round(report.age_s, 3),
            rate_hz=finite_or_none(row["rate_hz"], 3),
            step_p50_ms=finite_or_none(row["step_p50"] * 1e3, 3),
            step_p99_ms=finite_or_none(row["step_p99"] * 1e3, 3),
            latency_p50_ms=finite_or_none(row["latency_p50"] * 1e3, 3),
            latency_p99_ms=finite_or_none(row["latency_p99"] * 1e3, 3),
            received=row["received"],
            published=row["published"],
            dropped=row["dropped"],
            objects_dropped=row["objects_dropped"],
            sequence_gaps=row["sequence_gaps"],
            errors=row["errors"],
            detail=row["detail"],
        )

    def stage_rows(self) -> dict[str, StageBody | None]:
        """Return the status of every stage that has reported, by name."""
        return {name: self.stage_row(name) for name in sorted(self.stages)}

    def status_age_s(self, stages: Sequence[str]) -> dict[str, float | None]:
        """Return the age of each stage's last status; None before the first."""
        return {name: round(self.stages[name].age_s, 3) if name in self.stages else None for name in stages}

    def missing(self) -> list[str]:
        """Return the needed stages that do not report, or say that they do not work."""
        ages = self.status_age_s(self.ready_stages)
        return [name for name, age in ages.items() if age is None or age > self._silence_s or self.rests(name)]

    def missing_words(self) -> list[str]:
        """Return in words what is the matter with them."""
        states = {name: self.rests(name) for name in self.missing()}
        until = {"finalized": "its process is started anew"}
        return [
            f"the stage '{name}' is {state}: it gives nothing until {until.get(state, 'it is activated (`change_state`)')}"
            if state
            else f"the stage '{name}' does not report"
            for name, state in states.items()
        ]

    def rests(self, stage: str) -> str:
        """Return the state of its lifecycle in which a stage does not work; empty where it works, or has said nothing."""
        return str(self._told(stage, "lifecycle") or "")

    def _told(self, stage: str, name: str) -> object:
        """Return what the detail of a stage's last status has under a name; None where it has nothing."""
        report = self.stages.get(stage)
        detail = report.row["detail"] if report else None
        return detail.get(name) if isinstance(detail, dict) else None

    def stage_warnings(self) -> list[str]:
        """Return in words what stages say that is not as it should be, of those that still report."""
        found = []
        for name, report in sorted(self.stages.items()):
            said = self._told(name, "trouble")
            if said and name.partition("_")[0] != OWN_NAME and report.age_s <= self._silence_s:
                found.append(f"{name}: {said}")
        return found

    def troubles(self) -> list[TroubleBody]:
        """Return the sources that are silent or stuck, as clients see them."""
        return [
            TroubleBody(topic=t.topic, sensor_id=t.sensor_id, state=t.state.name, for_s=round(t.for_s, 3))
            for t in self.sources.troubles(time.monotonic())
        ]

    def trouble_words(self) -> list[str]:
        """Return in words what is the cause of sources that are silent or stuck."""
        return [str(trouble) for trouble in self.sources.causes(time.monotonic())]

    def silent_s(self, topic: str) -> float | None:
        """Return for how long nothing has come on a topic that was heard; None where that is not too long."""
        return self.sources.silent_s(topic, time.monotonic())

    def stage_silent_s(self, stage: str) -> float | None:
        """Return the age of a stage's last status, where it has told one and that is too old; else None."""
        report = self.stages.get(stage)
        return report.age_s if report is not None and report.age_s > self._silence_s else None

    def scan_rate_hz(self) -> float | None:
        """Return the rate of the scans of the sensor that scanned last, by their stamps; None before its second."""
        if self.detections is None:
            return None
        stamps = self._scans[self.detections.data.sensor_id].stamps
        if len(stamps) < 2:
            return None
        return round((len(stamps) - 1) * 1e9 / (stamps[-1] - stamps[0]), 3)

    def noise_db(self) -> float | None:
        """Return the median noise beside the last scan's detections; None where it is unknown."""
        if self.detections is None:
            return None
        noise = self.detections.data.noise_db
        known = noise[np.isfinite(noise)]
        return round(float(np.median(known)), 2) if len(known) else None

    def noise_floor(self) -> str | None:
        """Return whether the EW stage can judge its noise floor, in its words; None before its first status."""
        word = self._told("ew", "noise_floor")
        return word if isinstance(word, str) else None

    def ew(self) -> dict[str, int | None]:
        """Return how many signals are active and how much advice waits for a person.

        None before the first of its kind, and where the stage is silent or does not work: nobody knows.
        """
        if self.stage_silent_s("ew") is not None or self.rests("ew"):
            return {"signals": None, "advice_waiting": None}
        waiting = None if self.advice is None else sum(a.state == AdviceState.PROPOSED for a in self.advice.items)
        return {"signals": None if self.signals is None else len(self.signals.items), "advice_waiting": waiting}
