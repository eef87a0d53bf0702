"""`detections` and `threats` to `ew/signals` and `ew/advice`; a person decides through `ew/acknowledge`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count

from aegis_msgs.srv import AcknowledgeEw

from aegis.core.events import EwAdviceWithdrawn, EwCountermeasure, EwDetection, EwResponseTriggered
from aegis.core.ew.advice import AdviceBook
from aegis.core.ew.noise import NoiseMonitor
from aegis.core.ew.settings import EwSettings
from aegis.core.types import Advice, AdviceState, Signal
from aegis.ros.messages.ew import advice_to_msg, signals_to_msg
from aegis.ros.messages.fields import StampedMessage, stamp_of
from aegis.ros.messages.picture import detections_from_msg, threats_from_msg
from aegis.ros.stages.base import Output, Stage, StageContext
from aegis.state import kept_ids

MAX_SENSORS = 64  # watched; the first is forgotten for one more
REFRESH_NS = 1_000_000_000  # what is said of open advice follows its cause this often


class EwStage(Stage[EwSettings]):
    """Senses jamming through the radar's own noise levels, and proposes; it never acts."""

    name = "ew"
    settings_type = EwSettings

    def __init__(self, settings: EwSettings, context: StageContext) -> None:
        super().__init__(settings, context)
        path = context.state_dir / "advice_ids.json" if context.state_dir is not None else None
        self.book = AdviceBook(settings.advice, kept_ids(path))
        self._signal_ids = count(1)
        self._monitors: dict[str, NoiseMonitor] = {}  # by sensor
        self._assessed_ns: int | None = None  # stamp of the last assessment
        self._told: list[Advice] = []
        self._told_ns = 0

    @property
    def signals(self) -> list[Signal]:
        """What is active, of all sensors."""
        return [monitor.signal for monitor in self._monitors.values() if monitor.signal is not None]

    def reset(self) -> None:
        """Forget the noise baselines, signals and advice; ids go on."""
        self._monitors.clear()
        self.book.reset()
        self._assessed_ns = None

    def start(self, now_ns: int) -> Iterable[Output]:
        """Say that there is no advice: what was open before a restart is not open any more."""
        return [self._advice(now_ns)]

    def on_message(self, topic: str, message: StampedMessage) -> Iterator[Output]:
        """Take a scan's detections (noise levels) or an assessment (critical threats)."""
        stamp_ns = stamp_of(message)
        self.book.expire(stamp_ns)
        if topic == "detections":
            detections = detections_from_msg(message)
            self.note_sequence(topic, detections.sequence, detections.sensor_id)
            change = self._monitor(detections.sensor_id).step(detections)
            if change.raised is not None:
                yield self.event(EwDetection(**vars(change.raised)), stamp_ns)
            new = self.book.on_signals(self.signals, stamp_ns)
            yield Output(
                "ew/signals",
                signals_to_msg(
                    self.signals,
                    stamp_ns=stamp_ns,
                    frame_id=detections.frame_id,
                    sequence=detections.sequence,
                    sensor_id=detections.sensor_id,
                ),
            )
        else:
            threats = threats_from_msg(message)
            self.note_sequence(topic, threats.sequence, threats.sensor_id)
            # Late scans leave a picture's stamp as it was: it goes back only where time begins anew.
            if self._assessed_ns is not None and stamp_ns < self._assessed_ns:
                self.book.begin_anew(stamp_ns - self._assessed_ns)
            self._assessed_ns = stamp_ns
            new = self.book.on_threats(threats)
        for advice in self.book.take_withdrawn():
            yield self.event(EwAdviceWithdrawn(**vars(advice)), stamp_ns)
        for advice in new:
            yield self.event(EwResponseTriggered(**vars(advice)), stamp_ns)
        if self._is_news(stamp_ns):
            yield self._advice(stamp_ns)

    def _monitor(self, sensor_id: str) -> NoiseMonitor:
        if sensor_id not in self._monitors and len(self._monitors) >= MAX_SENSORS:
            self._monitors.pop(next(iter(self._monitors)))
        return self._monitors.setdefault(sensor_id, NoiseMonitor(self.settings.noise, self._signal_ids))

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
        judged = any(monitor.judged for monitor in self._monitors.values())
        return {
            "noise_floor": "judged" if judged else "no judgement: no or too few noise levels",
            "signals": len(self.signals),
            "advice_open": sum(a.state is AdviceState.PROPOSED for a in advice),
        }

    def _advice(self, stamp_ns: int) -> Output:
        self._told, self._told_ns = self.book.advice, stamp_ns
        return Output("ew/advice", advice_to_msg(self._told, stamp_ns=stamp_ns))
