"""`tracks` to `threats`."""

from __future__ import annotations

from collections.abc import Iterator

from aegis.core.events import CycleComplete, ThreatAssessmentRunning, ThreatCritical, ThreatLevelChanged
from aegis.core.threat.assessor import Assessor
from aegis.core.threat.settings import ThreatSettings
from aegis.core.types import ThreatLevel
from aegis.ros.messages.fields import StampedMessage
from aegis.ros.messages.picture import threats_to_msg, tracks_from_msg
from aegis.ros.stages.base import Output, Stage, StageContext


class ThreatStage(Stage[ThreatSettings]):
    """Ranks every picture; the last stage of a cycle."""

    name = "threat"
    settings_type = ThreatSettings

    def __init__(self, settings: ThreatSettings, context: StageContext) -> None:
        super().__init__(settings, context)
        self.assessor = Assessor(settings)
        self._critical = 0

    def reset(self) -> None:
        """Forget the levels."""
        self.assessor.reset()

    def on_message(self, topic: str, message: StampedMessage) -> Iterator[Output]:
        """Assess one picture."""
        tracks = tracks_from_msg(message)
        self.note_sequence(topic, tracks.sequence, tracks.sensor_id)
        yield self.event(ThreatAssessmentRunning(tracks.sequence), tracks.stamp_ns)
        threats, changes = self.assessor.step(tracks)
        self._critical = int((threats.level == int(ThreatLevel.CRITICAL)).sum())
        yield Output("threats", threats_to_msg(threats))
        for change in changes:
            what = (change.track_id, change.before, change.after, round(change.score, 4), change.reason)
            yield self.event(ThreatLevelChanged(*what), tracks.stamp_ns)
            if change.after is ThreatLevel.CRITICAL:
                yield self.event(ThreatCritical(*what), tracks.stamp_ns)
        done = CycleComplete(tracks.sequence, len(tracks), len(threats), self._critical)
        yield self.event(done, tracks.stamp_ns)

    def detail(self) -> dict[str, object]:
        """Add how many threats are critical now."""
        return {"critical": self._critical}
