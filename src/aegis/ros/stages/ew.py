"""`detections` and `threats` to `ew/signals` and `ew/advice`; a person decides through `ew/acknowledge`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aegis_msgs.srv import AcknowledgeEw

from aegis.core.events import EwCountermeasure, EwDetection, EwResponseTriggered
from aegis.core.ew.advice import AdviceBook
from aegis.core.ew.noise import NoiseMonitor
from aegis.core.ew.settings import EwSettings
from aegis.core.types import Advice, AdviceState
from aegis.ros.messages.ew import advice_to_msg, signals_to_msg
from aegis.ros.messages.fields import StampedMessage, stamp_of
from aegis.ros.messages.picture import detections_from_msg, threats_from_msg
from aegis.ros.stages.base import Output, Stage, StageContext
from aegis.state import kept_ids


class EwStage(Stage[EwSettings]):
    """Senses jamming through the radar's own noise levels, and proposes; it never acts."""

    name = "ew"
    settings_type = EwSettings

    def __init__(self, settings: EwSettings, context: StageContext) -> None:
        super().__init__(settings, context)
        path = context.state_dir / "advice_ids.json" if context.state_dir is not None else None
        self.monitor = NoiseMonitor(settings.noise)
        self.book = AdviceBook(settings.advice, kept_ids(path))
        self._assessed_ns: int | None = None  # stamp of the last assessment

    def reset(self) -> None:
        """Forget the noise baseline, signals and advice; ids go on."""
        self.monitor.reset()
        self.book.reset()
        self._assessed_ns = None

    def start(self, now_ns: int) -> Iterable[Output]:
        """Say that there is no advice: what was open before a restart is not open any more."""
        return [self._advice(now_ns)]

    def on_message(self, topic: str, message: StampedMessage) -> Iterator[Output]:
        """Take a scan's detections (noise levels) or an assessment (critical threats)."""
        stamp_ns = stamp_of(message)
        changed = self.book.expire(stamp_ns)
        new: list[Advice] = []
        if topic == "detections":
            detections = detections_from_msg(message)
            self.note_sequence(topic, detections.sequence, detections.sensor_id)
            change = self.monitor.step(detections)
            if change.raised is not None:
                yield self.event(EwDetection(**vars(change.raised)), stamp_ns)
                new.append(self.book.on_signal(change.raised, stamp_ns))
            active = [self.monitor.signal] if self.monitor.signal is not None else []
            yield Output(
                "ew/signals",
                signals_to_msg(
                    active,
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
                changed = changed or bool(self.book.advice)
            self._assessed_ns = stamp_ns
            new += self.book.on_threats(threats)
        for advice in new:
            yield self.event(EwResponseTriggered(**vars(advice)), stamp_ns)
        if new or changed:
            yield self._advice(stamp_ns)

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
            "noise_floor": "judged" if self.monitor.judged else "no judgement: no or too few noise levels",
            "signals": int(self.monitor.signal is not None),
            "advice_open": sum(a.state is AdviceState.PROPOSED for a in advice),
        }

    def _advice(self, stamp_ns: int) -> Output:
        return Output("ew/advice", advice_to_msg(self.book.advice, stamp_ns=stamp_ns))
