# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What every stage shares: counters, events, status, diagnostics. Messages in, messages out; no node, no clock."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import ClassVar, Generic, NamedTuple, Self, TypeVar

import numpy as np

from aegis.core.events import DetectionRefused, Event, MessageRefused, StageFailed
from aegis.core.health import Health, Level
from aegis.core.params import Settings
from aegis.ros.messages.columns import MalformedError
from aegis.ros.messages.fields import Message, StampedMessage
from aegis.ros.messages.reports import STATUS_COUNTS, StageStatus, diagnostics_to_msg, event_to_msg, status_to_msg
from aegis.state import not_kept

MOST_REASONS = 4  # that a stage's health names
MOST_INPUTS = 256  # topics with sensors whose sequence numbers are known
TOLD_AGAIN_NS = 60_000_000_000  # an event tells of inputs that are refused for one reason once in so long
# Of objects: what was lost, not left out because a parameter says so.
LOST = (
    "point not finite", "detection not finite, or out of bounds", "track not finite, or there twice",
    "track without a finite state", "over max_targets", "over max_tracks", "over max_points",
)  # fmt: skip
NOT_ACTIVATED = "no lifecycle manager has activated it"
MOST_LOST = 1_000_000  # messages in a row; a sequence number that is farther from the last says nothing of a loss

# Covariant, so that every stage is a Stage[Settings].
SettingsT = TypeVar("SettingsT", bound=Settings, covariant=True)


class Output(NamedTuple):
    """A message to publish on a topic of the graph table."""

    topic: str
    message: Message


class Carried(NamedTuple):
    """A message of another site, to publish on SITE/TOPIC as it is on the wire (CDR)."""

    topic: str
    data: bytes


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
    label: str = ""  # what the stage is called in status, events and diagnostics; empty: its name


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
    refused: Counter[str] = field(default_factory=Counter)  # of these, the inputs that were dropped whole

    def totals(self) -> dict[str, int]:
        """Return what every stage counts, in the words of the status."""
        return {name: getattr(self, name) for name in STATUS_COUNTS}

    def drop(self, reason: str, objects: int | None = None, *, inputs: int = 1) -> None:
        """Count whole inputs dropped, or `objects` of an input that was otherwise accepted."""
        if objects is None:
            self.dropped += inputs
            self.reasons[reason] += inputs
            self.refused[reason] += inputs
        elif objects:
            self.objects_dropped += objects
            self.reasons[reason] += objects

    def note(self, reason: str, times: int = 1) -> None:
        """Count something beside the drops, by a reason of its own; the input was used."""
        if times:
            self.reasons[reason] += times

    def refused_text(self) -> str:
        """Return for which reasons inputs were dropped whole, the most frequent first."""
        return ", ".join(f"{reason} ({n})" for reason, n in self.refused.most_common(MOST_REASONS))

    def copy(self) -> Self:
        """Return the counts of now."""
        return replace(self, reasons=self.reasons.copy(), refused=self.refused.copy())

    def since(self, previous: Counters) -> Self:
        """Return what was counted after `previous`, an earlier copy."""
        return replace(self, **{f.name: getattr(self, f.name) - getattr(previous, f.name) for f in fields(self)})


class Stage(ABC, Generic[SettingsT]):
    """Base of the adapters. A subclass sets `name` and `settings_type` and implements `on_message`."""

    name: ClassVar[str]
    settings_type: ClassVar[type[Settings]]
    counters_type: ClassVar[type[Counters]] = Counters
    error_event: ClassVar[type[StageFailed]] = StageFailed
    # Parameters that may be set while the stage runs, as patterns of fnmatch: those that only change numbers.
    tunable: ClassVar[tuple[str, ...]] = ()
    # Whether it takes messages as they are on the wire, by `on_bytes`, and publishes what comes so from other sites.
    carries_bytes: ClassVar[bool] = False

    def __init__(self, settings: SettingsT, context: StageContext) -> None:
        self.settings = settings
        self.context = context
        self.label = context.label or self.name
        self.counters = self.counters_type()
        self._reported = self.counters.copy()  # by the last status
        # Tells whether anybody listens to a topic of this stage; the live host replaces it, a bag takes everything.
        self.has_listeners: Callable[[str], bool] = lambda topic: True
        # Has `on_wake` called soon, from whatever thread; the live host replaces it.
        self.wake: Callable[[], None] = lambda: None
        # The lifecycle state in which it does not work, and why it is in that; empty: it works. The live host sets them.
        self.idle = self.idle_because = ""
        self._event_sequence = 0
        self._refusal_told_ns: dict[str, int] = {}  # when an event last told of a reason
        self._input_sequence: dict[tuple[str, str], int] = {}
        self._step_s: list[float] = []
        self._latency_s: list[float] = []
        self._status_at_ns: int | None = None
        self._last_refusal = (
            ""  # what the last refused input was refused for, in words; empty where a subclass does not say
        )

    # What a subclass may or must provide.

    @property
    def period_s(self) -> float | None:
        """How often `on_timer` wants to be called, by a steady clock; None for never."""
        return None

    @property
    def is_watched(self) -> bool:
        """Whether somebody waits for what this stage gives; else it gets its messages a moment later, many at once."""
        return True

    def reads(self, topic: str) -> bool:
        """Tell whether the parameters make this stage read a topic of its node's row in the graph table."""
        return True

    def writes(self, topic: str) -> bool:
        """Tell whether the parameters make this stage publish a topic of that row."""
        return True

    def start(self, now_ns: int) -> Iterable[Output]:
        """Say what is to be known from the start (latched topics)."""
        return ()

    @abstractmethod
    def on_message(self, topic: str, message: StampedMessage) -> Iterable[Output]:
        """Take one message of a subscribed topic; return what to publish. The caller counts and reports exceptions."""

    def on_timer(self, now_ns: int) -> Iterable[Output | Carried]:
        """Do periodic work; only live."""
        return ()

    def on_bytes(self, topic: str, data: bytes) -> Iterable[Output]:
        """Take one message as it is on the wire, where the stage carries such."""
        raise KeyError(topic)

    def on_wake(self, now_ns: int) -> Iterable[Output | Carried]:
        """Take what another thread has said by `wake` that there is; only live."""
        return ()

    def on_service(self, service: str, request: Message, response: Message, now_ns: int) -> Iterable[Output]:
        """Fill `response` of a service of this node's row in the graph table; return what to publish besides."""
        raise KeyError(service)

    def reset(self) -> None:
        """Go back to the state at start; ids and counters go on."""

    def finish(self, now_ns: int) -> Iterable[Output]:
        """Settle what still waits for more input; offline, when there is none."""
        return ()

    def tune(self, settings: Settings) -> None:
        """Go on with these settings; they differ from the ones before in tunable parameters only."""
        raise TypeError(f"{self.name} has no tunable parameters")

    def detail(self) -> dict[str, object]:
        """Return what else belongs into the status, JSON-serialisable."""
        return {}

    def pause(self) -> None:
        """Let go of what it need not hold while it does not work (a radar's line); it takes that up again by itself."""

    def close(self) -> None:
        """Release what the stage holds (sockets, files)."""

    # What the hosts (live node, offline run) call.

    def note_step(self, step_s: float) -> None:
        """Remember how long a step took."""
        self._step_s.append(step_s)

    def note_latency(self, latency_s: float) -> None:
        """Remember the age of an output when it was published."""
        self._latency_s.append(latency_s)

    def refuse_ahead(self, topic: str, ahead_s: float, now_ns: int) -> Iterator[Output]:
        """Count an input whose stamp is ahead of the clock; taken, it would have all that follows refused as late."""
        text = (
            f"{topic} is stamped {ahead_s:.1f} s ahead of the clock: synchronise the clock of what publishes it (NTP, PTP),"
            " or set use_sim_time where /clock is meant"
        )
        yield from self._refuse_input("stamp ahead of the clock", text, now_ns)

    def _refuse_input(
        self, reason: str, text: str, now_ns: int, kind: type[MessageRefused | DetectionRefused] = MessageRefused
    ) -> Iterator[Output]:
        """Count a refused input, and tell of it by an event of a kind where that has not been done lately."""
        self.counters.drop(reason)
        self._last_refusal = text
        if self._refusal_is_news(reason, now_ns):
            yield self.event(kind(reason, text), now_ns)

    def _refusal_is_news(self, reason: str, now_ns: int) -> bool:
        """Return whether an event is to tell of a refusal: the first one for this reason in a minute."""
        last_ns = self._refusal_told_ns.get(reason)
        if last_ns is not None and abs(now_ns - last_ns) < TOLD_AGAIN_NS:
            return False
        self._refusal_told_ns[reason] = now_ns
        return True

    def refuse_another(self, topic: str, owner: str) -> None:
        """Count an input that comes from a second publisher: mixed in, it would make one picture of two."""
        self.counters.drop(f"another publisher of {topic}")
        whose = f" of '{owner}'" if owner else ""
        self._last_refusal = (
            f"{topic}{whose} has a second publisher: stop it, give it another name (sensor_id, frame_id) where it is another"
            " sensor, or another namespace or ROS_DOMAIN_ID where it is another graph"
        )

    def refuse_stranger(self, topic: str, why: str) -> None:
        """Count an input that did not come from a node of this graph."""
        self.counters.drop(f"not of this graph: {topic}")
        self._last_refusal = f"{topic}: {why}"

    def refuse_decision(self, name: str, why: str) -> None:
        """Count a person's decision, or a command, that did not come from the graph's own bridge."""
        self.counters.drop(f"decision refused: {name}")
        self._last_refusal = f"{name}: {why}"

    @property
    def last_refusal(self) -> str:
        """What the last refused input was refused for, in words."""
        return self._last_refusal

    def caught(self, error: Exception, now_ns: int) -> Iterator[Output]:
        """Count an exception from a callback, and tell of it: a message that cannot be read is refused, all else is a fault."""
        if isinstance(error, MalformedError):
            yield from self._refuse_input(f"malformed {error.kind}", str(error), now_ns)
        else:
            yield self.failed(error, now_ns)

    def failed(self, error: BaseException, stamp_ns: int) -> Output:
        """Count an exception from a callback and return the event that reports it."""
        self.counters.errors += 1
        return self.event(self.error_event(f"{type(error).__name__}: {error}"), stamp_ns)

    def event(self, event: Event, stamp_ns: int) -> Output:
        """Number an event and make its message."""
        self._event_sequence += 1
        message = event_to_msg(
            event,
            stage=self.label,
            stamp_ns=stamp_ns,
            run_id=self.context.run_id,
            epoch=self.context.epoch,
            sequence=self._event_sequence,
        )
        return Output("events", message)

    def note_sequence(self, topic: str, sequence: int, sensor_id: str = "") -> None:
        """Count the inputs that are missing between a sender's last sequence number and this one.

        A number that is not larger than the last, or larger by more than could have been lost, means that the sender began anew,
        which is no gap. Sensors that share a topic count each for itself.
        """
        last = self._input_sequence.get((topic, sensor_id))
        if last is not None and 1 < sequence - last <= MOST_LOST:
            self.counters.sequence_gaps += sequence - last - 1
        elif last is None and len(self._input_sequence) >= MOST_INPUTS:
            del self._input_sequence[next(iter(self._input_sequence))]  # names of sensors can be invented
        self._input_sequence[topic, sensor_id] = sequence

    def forget_told(self, reason: str) -> None:
        """Let the next refusal for this reason be told of, as after an input that was taken."""
        self._refusal_told_ns.pop(reason, None)

    def status(self, now_ns: int) -> list[Output]:
        """Make the `status` row and, where anybody listens, the `/diagnostics` entry, and begin a new status period."""
        health = (
            Health(Level.STALE, f"{self.idle}: {self.idle_because or NOT_ACTIVATED}") if self.idle else self.health()
        )
        detail = self.detail() | ({"lifecycle": self.idle} if self.idle else {})
        if self.context.live and health.level in (Level.WARN, Level.ERROR):
            detail["trouble"] = health.text
        outputs = [self._status_row(now_ns, detail)]
        if self.has_listeners("/diagnostics"):
            outputs.append(self._diagnosis(now_ns, detail, health))
        self._step_s.clear()
        self._latency_s.clear()
        self._status_at_ns = now_ns
        self._reported = self.counters.copy()
        return outputs

    def _status_row(self, now_ns: int, detail: Mapping[str, object]) -> Output:
        live, counters = self.context.live, self.counters
        rate_hz = float("nan")
        if live and self._status_at_ns is not None and now_ns > self._status_at_ns:
            rate_hz = counters.since(self._reported).published * 1e9 / (now_ns - self._status_at_ns)
        step_p50, step_p99 = _quantiles(self._step_s if live else [])
        latency_p50, latency_p99 = _quantiles(self._latency_s if live else [])
        row = StageStatus(
            stage=self.label,
            rate_hz=rate_hz,
            step_p50=step_p50,
            step_p99=step_p99,
            latency_p50=latency_p50,
            latency_p99=latency_p99,
            **counters.totals(),
            detail=json.dumps({"dropped_by_reason": counters.reasons, **detail}, sort_keys=True),
        )
        return Output("status", status_to_msg([row], run_id=self.context.run_id, stamp_ns=now_ns))

    def _diagnosis(self, now_ns: int, detail: Mapping[str, object], health: Health) -> Output:
        reasons = {f"dropped: {reason}": count for reason, count in sorted(self.counters.reasons.items())}
        namespace, name = self.context.namespace.strip("/"), self.label.rpartition("/")[2]
        message = diagnostics_to_msg(
            f"aegis: {namespace}/{name}" if namespace else f"aegis: {name}",
            health,
            {**self.counters.totals(), **reasons, **detail},
            now_ns,
        )
        return Output("/diagnostics", message)

    def health(self) -> Health:
        """Return how the stage did in the status period that ends now."""
        new = self.counters.since(self._reported)
        if new.errors:
            return Health(Level.ERROR, f"{new.errors} exceptions caught since the last status; see the log")
        if new.dropped:
            why = f"; the last: {self._last_refusal}" if self._last_refusal else f": {new.refused_text()}"
            return Health(Level.WARN, f"{new.dropped} inputs refused since the last status{why}")
        if lost := [f"{new.reasons[reason]} {reason}" for reason in LOST if new.reasons[reason]]:
            return Health(Level.WARN, f"objects in its input lost since the last status: {', '.join(lost)}")
        if self._input_expected() and not new.received:
            return Health(Level.STALE, "no data")
        missing = not_kept() if self.context.live else []
        if missing:
            return Health(Level.WARN, f"not kept on disk, and lost at the next start: {'; '.join(missing)}")
        return Health()

    def _input_expected(self) -> bool:
        """Tell whether silence means that something upstream is missing."""
        return True


def _quantiles(values: list[float]) -> tuple[float, float]:
    """Return the median and the 99th percentile, NaN of nothing."""
    if not values:
        return float("nan"), float("nan")
    p50, p99 = np.percentile(values, [50, 99])
    return float(p50), float(p99)
