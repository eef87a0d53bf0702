"""`tracks` to `threats`; with an asset on the platform, by its `odometry`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aegis.core.events import CycleComplete, ThreatAssessmentRunning, ThreatCritical, ThreatLevelChanged
from aegis.core.health import Health, Level
from aegis.core.odometry import PlatformState
from aegis.core.threat.assessor import Assessor
from aegis.core.threat.assets import AssetPlace, place_on
from aegis.core.threat.settings import ThreatSettings
from aegis.core.types import ThreatLevel
from aegis.ros.messages.fields import StampedMessage
from aegis.ros.messages.odometry import odometry_from_msg
from aegis.ros.messages.picture import threats_to_msg, tracks_from_msg
from aegis.ros.stages.base import Output, Stage, StageContext

UNPLACED = "asset on the platform without odometry: not assessed"


class ThreatStage(Stage[ThreatSettings]):
    """Ranks every picture; the last stage of a cycle."""

    name = "threat"
    settings_type = ThreatSettings

    def __init__(self, settings: ThreatSettings, context: StageContext) -> None:
        super().__init__(settings, context)
        self.assessor = Assessor(settings)
        self._critical = 0
        self._levers = {
            name: np.array([asset.x, asset.y, asset.z])
            for name, asset in settings.protected().items()
            if asset.on_platform
        }
        self._platform: PlatformState | None = None
        self._unplaced = False  # in the last picture

    def reads(self, topic: str) -> bool:
        """Read odometry where an asset moves with the platform only."""
        return topic != "odometry" or bool(self._levers)

    def reset(self) -> None:
        """Forget the levels and the ways, and where the platform was."""
        self.assessor.reset()
        self._platform = None

    def on_message(self, topic: str, message: StampedMessage) -> Iterator[Output]:
        """Assess one picture; or take where the platform is."""
        if topic == "odometry":
            self._platform = odometry_from_msg(message)
            return
        tracks = tracks_from_msg(message)
        self.note_sequence(topic, tracks.sequence, tracks.sensor_id)
        yield self.event(ThreatAssessmentRunning(tracks.sequence), tracks.stamp_ns)
        moving = self._moving(tracks.stamp_ns)
        self._unplaced = len(moving) < len(self._levers)
        self.counters.note(UNPLACED, int(self._unplaced))
        threats, changes = self.assessor.step(tracks, moving)
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

    def health(self) -> Health:
        """Tell also where nothing can be said about an asset."""
        health = super().health()
        return Health(Level.WARN, f"no odometry: {UNPLACED}") if self._unplaced and health.level is Level.OK else health

    def _moving(self, stamp_ns: int) -> dict[str, AssetPlace]:
        """Return where the assets on the platform are; without those of which nobody knows."""
        if self._platform is None:
            return {}
        found = {name: place_on(self._platform, lever, stamp_ns) for name, lever in self._levers.items()}
        return {name: place for name, place in found.items() if place is not None}
