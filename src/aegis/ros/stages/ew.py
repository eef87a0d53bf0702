# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the radar hears and sees to `ew/signals` and `ew/advice`; a person decides through `ew/acknowledge`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path

from aegis_msgs.srv import AcknowledgeEw

from aegis.core.events import EwAdviceWithdrawn, EwCountermeasure, EwDetection, EwResponseTriggered
from aegis.core.ew.advice import AdviceBook
from aegis.core.ew.emitters import Emitter, library_of
from aegis.core.ew.settings import EwSettings
from aegis.core.ew.watch import Watch
from aegis.core.params import ConfigError
from aegis.core.types import Advice, AdviceState, Signal
from aegis.core.yaml_text import parse_yaml
from aegis.resources import config_file
from aegis.ros.messages.ew import advice_to_msg, noise_from_msg, pulses_from_msg, signals_to_msg
from aegis.ros.messages.fields import StampedMessage, stamp_of
from aegis.ros.messages.picture import detections_from_msg, threats_from_msg, tracks_from_msg
from aegis.ros.stages.base import Output, Stage, StageContext
from aegis.state import kept_ids

REFRESH_NS = 1_000_000_000  # what is said of open advice follows its cause this often


class EwStage(Stage[EwSettings]):
    """Senses jamming, interference, deception and emitters through the radar itself, and proposes; it never acts."""

    name = "ew"
    settings_type = EwSettings

    def __init__(self, settings: EwSettings, context: StageContext) -> None:
        super().__init__(settings, context)
        path = context.state_dir / "advice_ids.json" if context.state_dir is not None else None
        self.book = AdviceBook(settings.advice, kept_ids(path))
        self._signal_ids = count(1)
        self._library = emitter_library(settings.pulses.library)
        self.watch = Watch(settings, self._library, self._signal_ids)
        self._assessed_ns: int | None = None  # stamp of the last assessment
        self._told: list[Advice] = []
        self._told_ns = 0
        self._told_signals: list[int] = []
        self._takers: dict[str, Callable[[StampedMessage], Iterable[Output]]] = {
            "radar/noise": self._take_noise,
            "detections": self._take_detections,
            "tracks": self._take_tracks,
            "ew/pulses": self._take_pulses,
            "threats": self._take_threats,
        }

    @property
    def signals(self) -> list[Signal]:
        """What is active, of all sensors."""
        return self.watch.signals

    def reset(self) -> None:
        """Forget the noise baselines, signals and advice; ids go on."""
        self.watch = Watch(self.settings, self._library, self._signal_ids)
        self.book.reset()
        self._assessed_ns = None

    def start(self, now_ns: int) -> Iterable[Output]:
        """Say that there is no advice: what was open before a restart is not open any more."""
        return [self._advice(now_ns)]

    def on_message(self, topic: str, message: StampedMessage) -> Iterator[Output]:
        """Take what a receiver hears, a scan's detections, the tracks made of it, pulses, or an assessment."""
        stamp_ns = stamp_of(message)
        self.book.expire(stamp_ns)
        yield from self._takers[topic](message)
        for advice in self.book.take_withdrawn():
            yield self.event(EwAdviceWithdrawn(**vars(advice)), stamp_ns)
        if self._is_news(stamp_ns):
            yield self._advice(stamp_ns)

    def _take_noise(self, message: StampedMessage) -> Iterator[Output]:
        report = noise_from_msg(message)
        self.note_sequence("radar/noise", report.sequence, report.sensor_id)
        raised = self.watch.take_noise(report)
        yield from self._changed(raised, message, report.sensor_id, report.sequence, always=False)

    def _take_detections(self, message: StampedMessage) -> Iterator[Output]:
        detections = detections_from_msg(message)
        self.note_sequence("detections", detections.sequence, detections.sensor_id)
        raised = self.watch.take_detections(detections)
        yield from self._changed(raised, message, detections.sensor_id, detections.sequence, always=True)

    def _take_tracks(self, message: StampedMessage) -> Iterator[Output]:
        tracks = tracks_from_msg(message)
        raised = self.watch.take_tracks(tracks)
        yield from self._changed(raised, message, tracks.sensor_id, tracks.sequence, always=False)

    def _take_pulses(self, message: StampedMessage) -> Iterator[Output]:
        pulses = pulses_from_msg(message)
        self.note_sequence("ew/pulses", pulses.sequence, pulses.sensor_id)
        raised, refused = self.watch.take_pulses(pulses)
        self.counters.drop("pulses without a time, or over pulses.max_pulses", refused)
        yield from self._changed(raised, message, pulses.sensor_id, pulses.sequence, always=False)

    def _take_threats(self, message: StampedMessage) -> Iterator[Output]:
        threats = threats_from_msg(message)
        self.note_sequence("threats", threats.sequence, threats.sensor_id)
        stamp_ns = threats.stamp_ns
        # Late scans leave a picture's stamp as it was: it goes back only where time begins anew.
        if self._assessed_ns is not None and stamp_ns < self._assessed_ns:
            self.book.begin_anew(stamp_ns - self._assessed_ns)
        self._assessed_ns = stamp_ns
        yield from self._proposed(self.book.on_threats(threats), stamp_ns)

    def _changed(
        self, raised: list[Signal], message: StampedMessage, sensor_id: str, sequence: int, *, always: bool
    ) -> Iterator[Output]:
        """Tell of signals that began, propose what protects against those that are active, and tell of them all."""
        stamp_ns = stamp_of(message)
        for signal in raised:
            yield self.event(EwDetection(**vars(signal)), stamp_ns)
        signals = self.signals
        new = self.book.on_signals(self.watch.protections(), stamp_ns)
        if always or [signal.id for signal in signals] != self._told_signals:
            self._told_signals = [signal.id for signal in signals]
            yield Output(
                "ew/signals",
                signals_to_msg(
                    signals,
                    stamp_ns=stamp_ns,
                    frame_id=self.watch.frame_id or message.header.frame_id,
                    sequence=sequence,
                    sensor_id=sensor_id,
                ),
            )
        yield from self._proposed(new, stamp_ns)

    def _proposed(self, advice: list[Advice], stamp_ns: int) -> Iterator[Output]:
        for one in advice:
            yield self.event(EwResponseTriggered(**vars(one)), stamp_ns)

    def _is_news(self, stamp_ns: int) -> bool:
        """Tell whether advice has to be told again: at once where there is other advice or a state has changed; else where what is
        said of it has, once in a while.
        """
        advice = self.book.advice
        if [(a.id, a.state) for a in advice] != [(a.id, a.state) for a in self._told]:
            return True
        return advice != self._told and abs(stamp_ns - self._told_ns) >= REFRESH_NS

    def on_service(
        self, service: str, request: AcknowledgeEw.Request, response: AcknowledgeEw.Response, now_ns: int
    ) -> Iterable[Output]:
        """Record a person's decision."""
        try:
            decided = self.book.decide(
                int(request.id), accept=bool(request.accept), operator=str(request.operator_name), now_ns=now_ns
            )
        except ValueError as error:
            response.success, response.message = False, str(error)
            return []
        response.success, response.message = True, f"advice {decided.id}: {decided.state.name}"
        outputs = [self._advice(now_ns)]
        if decided.state is AdviceState.ACKNOWLEDGED:
            outputs.append(self.event(EwCountermeasure(**vars(decided)), now_ns))
        return outputs

    def detail(self) -> dict[str, object]:
        """Add whether the noise floor can be judged at all."""
        advice = self.book.advice
        return {
            "noise_floor": "judged" if self.watch.judged else "no judgement: no or too few noise levels",
            "signals": len(self.signals),
            "advice_open": sum(a.state is AdviceState.PROPOSED for a in advice),
        }

    def _advice(self, stamp_ns: int) -> Output:
        self._told, self._told_ns = self.book.advice, stamp_ns
        return Output("ew/advice", advice_to_msg(self._told, stamp_ns=stamp_ns))


def emitter_library(name: str) -> tuple[Emitter, ...]:
    """Return the library of emitters that ships, or of a YAML file; none of an empty name.

    Raises:
        ConfigError: it cannot be read, or is wrong; the message says which file, and what is expected.
    """
    if not name:
        return ()
    path = Path(name) if name.endswith((".yaml", ".yml")) else None
    try:
        path = path or config_file(f"ew/{name}.yaml")
        return library_of(parse_yaml(path.read_text(encoding="utf-8"), "its text"))
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise ConfigError(f"ew.pulses.library: {path or name}: {error}") from None
