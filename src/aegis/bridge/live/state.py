"""The last that was heard of everything; lives on the event loop."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aegis.bridge.live.frames import EwFrame, Frame
from aegis.bridge.live.nodes import OWN_NAME
from aegis.core.finite import finite_or_none
from aegis.core.types import Advice, AdviceState, Detections, Signal, Threats, Tracks

ALERTS_KEPT = 10
SCANS_FOR_RATE = 20
MAX_STAGES = 64  # names come from the graph: a stranger there must not fill the memory, nor take the place of our own
ASKED_S = 5.0  # for so long after a request its topic counts as asked for
RECENT_SCANS = 20  # somebody who asked for a scan may hear of it after the next ones have come


@dataclass(frozen=True)
class Heard:
    """The last status row of a stage."""

    row: dict[str, Any]
    at: float  # time.monotonic()


@dataclass
class _Scans:
    """One sensor's scans."""

    sequence: int  # of the last one
    stamps: deque[int] = field(default_factory=lambda: deque(maxlen=SCANS_FOR_RATE))


@dataclass
class Latest:
    """The last of everything; None is what has never been heard.

    Args:
        nodes: of the graph, beside the bridge; their status rows are kept whatever strangers say.
    """

    nodes: tuple[str, ...] = ()
    detections: Frame[Detections] | None = None
    tracks: Frame[Tracks] | None = None
    threats: Frame[Threats] | None = None
    signals: EwFrame[Signal] | None = None
    advice: EwFrame[Advice] | None = None
    classifier: dict[str, str] | None = None
    stages: dict[str, Heard] = field(default_factory=dict)
    alerts: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=ALERTS_KEPT))
    events: int = 0
    events_lost: int = 0
    scans_lost: int = 0
    stages_refused: int = 0  # status rows of stages beyond the most that are kept
    _scans: dict[str, _Scans] = field(default_factory=dict)  # by sensor
    _event_sequence: dict[str, tuple[tuple[str, int], int]] = field(default_factory=dict)
    _recent: deque[Frame[Detections]] = field(default_factory=lambda: deque(maxlen=RECENT_SCANS))
    _asked_at: dict[str, float] = field(default_factory=dict)  # by topic, time.monotonic()
    _awaited: dict[int, list[asyncio.Future[Frame[Detections]]]] = field(default_factory=dict)

    def take_detections(self, frame: Frame[Detections]) -> None:
        """Take a scan's detections."""
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

    def note_asked(self, topic: str) -> None:
        """Take note that a client has asked for all fields of a topic's objects."""
        self._asked_at[topic] = time.monotonic()

    def asked_for(self, topic: str) -> bool:
        """Tell whether clients ask for a topic again and again; safe to call from another thread."""
        return time.monotonic() - self._asked_at.get(topic, -ASKED_S) < ASKED_S

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

    def take_event(self, event: dict[str, Any]) -> None:
        """Take an event: count it and those missing before it, keep warnings and errors."""
        self.events += 1
        start, sequence = (event["run_id"], event["epoch"]), event["sequence"]
        last_start, last_sequence = self._event_sequence.get(event["stage"], (start, sequence - 1))
        if start == last_start:
            self.events_lost += max(0, sequence - last_sequence - 1)
        self._event_sequence[event["stage"]] = (start, sequence)
        if event["severity"] in ("WARNING", "ERROR"):
            self.alerts.append({name: event[name] for name in ("stamp_s", "name", "stage", "severity", "data")})

    def take_status(self, rows: Sequence[dict[str, Any]]) -> None:
        """Take status rows, as `status_rows` gives them; those of too many stages are left out and counted."""
        now = time.monotonic()
        for row in rows:
            name = row["stage"]
            if name in self.stages or self.is_ours(name) or len(self.stages) < MAX_STAGES:
                self.stages[name] = Heard(row, now)
            else:
                self.stages_refused += 1

    def is_ours(self, stage: str) -> bool:
        """Tell whether a stage is the graph's own, or the bridge."""
        return stage in self.nodes or stage == OWN_NAME

    def stage_row(self, stage: str) -> dict[str, Any] | None:
        """Return a stage's status in named units; None before the first."""
        heard = self.stages.get(stage)
        if heard is None:
            return None
        row = heard.row
        return {
            "age_s": round(time.monotonic() - heard.at, 3),
            "rate_hz": finite_or_none(row["rate_hz"], 3),
            "step_p50_ms": finite_or_none(row["step_p50"] * 1e3, 3),
            "step_p99_ms": finite_or_none(row["step_p99"] * 1e3, 3),
            "latency_p50_ms": finite_or_none(row["latency_p50"] * 1e3, 3),
            "latency_p99_ms": finite_or_none(row["latency_p99"] * 1e3, 3),
            **{
                name: row[name]
                for name in ("received", "published", "dropped", "objects_dropped", "sequence_gaps", "errors", "detail")
            },
        }

    def heard_age_s(self, stages: Sequence[str]) -> dict[str, float | None]:
        """Return the age of each stage's last status; None before the first."""
        now = time.monotonic()
        return {name: round(now - self.stages[name].at, 3) if name in self.stages else None for name in stages}

    def missing(self, stages: Sequence[str], silence_s: float) -> list[str]:
        """Return the stages that were not heard for `silence_s`."""
        return [name for name, age in self.heard_age_s(stages).items() if age is None or age > silence_s]

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
        """Return what the EW stage says of its noise floor; None before it has spoken."""
        heard = self.stages.get("ew")
        said = heard.row["detail"].get("noise_floor") if heard else None
        return said if isinstance(said, str) else None

    def ew(self) -> dict[str, int | None]:
        """Return how many signals are active and how much advice waits for a person; None before the stage spoke."""
        waiting = None if self.advice is None else sum(a.state == AdviceState.PROPOSED for a in self.advice.items)
        return {"signals": None if self.signals is None else len(self.signals.items), "advice_waiting": waiting}
