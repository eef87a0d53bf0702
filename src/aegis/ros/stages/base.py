"""What every stage shares: counters, events, status, diagnostics. Messages in, messages out; no node, no clock."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from aegis_msgs.msg import PipelineStatus
from diagnostic_msgs.msg import DiagnosticStatus

from aegis.core.events import Event, EventName, Severity
from aegis.core.params import Settings
from aegis.ros.messages.fields import make_header
from aegis.ros.messages.reports import diagnostics_to_msg, event_to_msg


class Output(NamedTuple):
    """A message to publish on a topic of the graph table."""

    topic: str
    message: Any


@dataclass(frozen=True)
class StageContext:
    """Where a stage runs.

    `state_dir` is where it keeps what outlives a restart; None keeps nothing (offline, where the same input must give
    the same output). `live` says that stamps can be compared with the clock.
    """

    run_id: str = ""
    epoch: int = 0
    state_dir: Path | None = None
    live: bool = False
    namespace: str = ""


@dataclass
class Counters:
    """What a stage has seen since its start; all of it is in `status` and `/diagnostics`."""

    received: int = 0
    published: int = 0
    dropped: int = 0
    objects_dropped: int = 0
    sequence_gaps: int = 0
    errors: int = 0
    reasons: Counter[str] = field(default_factory=Counter)  # drops and refusals by reason

    def drop(self, reason: str, objects: int | None = None) -> None:
        """Count a whole input dropped, or `objects` of an input that was otherwise accepted."""
        if objects is None:
            self.dropped += 1
            self.reasons[reason] += 1
        elif objects:
            self.objects_dropped += objects
            self.reasons[reason] += objects


class Stage(ABC):
    """Base of the adapters. A subclass sets `name` and `settings_type` and implements `on_message`."""

    name: ClassVar[str]
    settings_type: ClassVar[type[Settings]]
    error_event: ClassVar[EventName] = EventName.PIPELINE_ERROR

    def __init__(self, settings: Any, context: StageContext) -> None:
        self.settings = settings
        self.context = context
        self.counters = Counters()
        # Tells whether anybody listens to a topic of this stage; the live host replaces it, a bag takes everything.
        self.has_listeners: Callable[[str], bool] = lambda topic: True
        self._event_sequence = 0
        self._input_sequence: dict[tuple[str, str], int] = {}
        self._step_s: list[float] = []
        self._latency_s: list[float] = []
        self._status_at_ns: int | None = None
        self._published_before = 0
        self._dropped_before = 0
        self._errors_before = 0
        self._received_before = 0

    # What a subclass may or must provide.

    @classmethod  # noqa: B027 - most have nothing to compile
    def prepare(cls) -> None:
        """Compile what the stage runs, or load it where that has been done before.

        The first time this can take half a minute: the live host lets it be done before the process has signal handlers and is
        seen by others. What is left undone here, the stage does when it is made.
        """

    @property
    def period_s(self) -> float | None:
        """How often `on_timer` wants to be called, by a steady clock; None for never."""
        return None

    def reads(self, topic: str) -> bool:
        """Tell whether the parameters make this stage read a topic of its node's row in the graph table."""
        return True

    def start(self, now_ns: int) -> Iterable[Output]:
        """Say what is to be known from the start (latched topics)."""
        return ()

    @abstractmethod
    def on_message(self, topic: str, message: Any) -> Iterable[Output]:
        """Take one message of a subscribed topic; return what to publish. The caller counts and reports exceptions."""

    def on_timer(self, now_ns: int) -> Iterable[Output]:
        """Do periodic work; only live."""
        return ()

    def on_service(self, service: str, request: Any, response: Any, now_ns: int) -> Iterable[Output]:
        """Fill `response` of a service of this node's row in the graph table; return what to publish besides."""
        raise KeyError(service)

    def reset(self) -> None:  # noqa: B027 - a stage without state has nothing to do
        """Go back to the state at start; ids and counters go on."""

    def finish(self, now_ns: int) -> Iterable[Output]:
        """Settle what still waits for more input; offline, when there is none."""
        return ()

    def detail(self) -> dict[str, Any]:
        """Return what else belongs into the status, JSON-serialisable."""
        return {}

    def close(self) -> None:  # noqa: B027 - most hold nothing
        """Release what the stage holds (sockets, files)."""

    # What the hosts (live node, offline run) call.

    def note_step(self, step_s: float) -> None:
        """Remember how long a step took."""
        self._step_s.append(step_s)

    def note_latency(self, latency_s: float) -> None:
        """Remember the age of an output when it was published."""
        self._latency_s.append(latency_s)

    def failed(self, error: BaseException, stamp_ns: int) -> Output:
        """Count an exception from a callback and return the event that reports it."""
        self.counters.errors += 1
        return self.event(
            Event(self.error_event, Severity.ERROR, {"error": f"{type(error).__name__}: {error}"}), stamp_ns
        )

    def event(self, event: Event, stamp_ns: int) -> Output:
        """Number an event and make its message."""
        self._event_sequence += 1
        message = event_to_msg(
            event,
            stage=self.name,
            stamp_ns=stamp_ns,
            run_id=self.context.run_id,
            epoch=self.context.epoch,
            sequence=self._event_sequence,
        )
        return Output("events", message)

    def note_sequence(self, topic: str, sequence: int, sensor_id: str = "") -> None:
        """Count the inputs that are missing between a sender's last sequence number and this one.

        A number that is not larger than the last means that the sender began anew, which is no gap. Sensors that share a topic
        count each for itself.
        """
        last = self._input_sequence.get((topic, sensor_id))
        if last is not None and sequence > last + 1:
            self.counters.sequence_gaps += sequence - last - 1
        self._input_sequence[topic, sensor_id] = sequence

    def status(self, now_ns: int) -> list[Output]:
        """Make the `status` row and the `/diagnostics` entry, and begin a new status period."""
        counters = self.counters
        rate = float("nan")
        if self.context.live and self._status_at_ns is not None and now_ns > self._status_at_ns:
            rate = (counters.published - self._published_before) * 1e9 / (now_ns - self._status_at_ns)
        detail = {"dropped_by_reason": dict(sorted(counters.reasons.items())), **self.detail()}
        row = PipelineStatus()
        row.header = make_header(now_ns, "")
        row.run_id = self.context.run_id
        row.stage = [self.name]
        row.rate_hz = [rate]
        live = self.context.live
        row.step_p50, row.step_p99 = _quantiles(self._step_s if live else [])
        row.latency_p50, row.latency_p99 = _quantiles(self._latency_s if live else [])
        row.received = [counters.received]
        row.published = [counters.published]
        row.dropped = [counters.dropped]
        row.objects_dropped = [counters.objects_dropped]
        row.sequence_gaps = [counters.sequence_gaps]
        row.errors = [counters.errors]
        row.detail = [json.dumps(detail, sort_keys=True)]

        level, text = self.health()
        values = {
            "received": counters.received,
            "published": counters.published,
            "dropped": counters.dropped,
            "objects_dropped": counters.objects_dropped,
            "sequence_gaps": counters.sequence_gaps,
            "errors": counters.errors,
            **{f"dropped: {reason}": count for reason, count in sorted(counters.reasons.items())},
            **self.detail(),
        }
        prefix = f"{self.context.namespace.strip('/')}/" if self.context.namespace.strip("/") else ""
        diagnostics = diagnostics_to_msg(f"aegis: {prefix}{self.name}", level, text, values, now_ns)

        self._step_s.clear()
        self._latency_s.clear()
        self._status_at_ns = now_ns
        self._published_before = counters.published
        self._dropped_before = counters.dropped
        self._errors_before = counters.errors
        self._received_before = counters.received
        return [Output("status", row), Output("/diagnostics", diagnostics)]

    def health(self) -> tuple[bytes, str]:
        """Return the diagnostic level and a sentence, for the status period that ends now."""
        counters = self.counters
        errors = counters.errors - self._errors_before
        if errors:
            return DiagnosticStatus.ERROR, f"{errors} exceptions caught since the last status; see the log"
        dropped = counters.dropped - self._dropped_before
        if dropped:
            return DiagnosticStatus.WARN, f"{dropped} inputs refused since the last status"
        if self._input_expected() and counters.received == self._received_before:
            return DiagnosticStatus.STALE, "no data"
        return DiagnosticStatus.OK, "running"

    def _input_expected(self) -> bool:
        """Tell whether silence means that something upstream is missing."""
        return True


def _quantiles(values: list[float]) -> tuple[list[float], list[float]]:
    """Return ([median], [99th percentile]), NaN of nothing."""
    if not values:
        return [float("nan")], [float("nan")]
    p50, p99 = np.percentile(values, [50, 99])
    return [float(p50)], [float(p99)]
