# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`tracks` to `threats` and `alarms`; with an asset on the platform, by its `odometry`. A person answers by `alarms/handle`.

`zones` has what people have drawn, which is watched beside the zones of the parameters. `protected` tells displays what is
watched: at the start, where something else is drawn, and with each picture where an asset moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from aegis_msgs.srv import HandleAlarm

from aegis.core.events import (
    AlarmEnded,
    AlarmRaised,
    CycleComplete,
    ThreatAssessmentRunning,
    ThreatCritical,
    ThreatLevelChanged,
)
from aegis.core.health import Health, Level
from aegis.core.odometry import PlatformState
from aegis.core.params import Settings
from aegis.core.threat.alarms import AlarmBook
from aegis.core.threat.areas import areas_of
from aegis.core.threat.assessor import Assessor
from aegis.core.threat.assets import AssetPlace, place_on
from aegis.core.threat.drawn_zones import DrawnZone, refusals
from aegis.core.threat.settings import ThreatSettings
from aegis.core.threat.zone_watch import ZoneWatch
from aegis.core.types import Alarm, AlarmState, ThreatLevel, Tracks
from aegis.ros.alarm_file import keep_alarms, take_kept_alarms
from aegis.ros.messages.alarms import alarms_to_msg
from aegis.ros.messages.fields import StampedMessage, stamp_of
from aegis.ros.messages.odometry import odometry_from_msg
from aegis.ros.messages.picture import threats_to_msg, tracks_from_msg
from aegis.ros.messages.protected import areas_to_msg
from aegis.ros.messages.zones import zones_from_msg
from aegis.ros.stages.base import Output, Stage, StageContext
from aegis.ros.zone_files import all_zones
from aegis.state import kept_ids

MAP = "map"
UNPLACED = "asset on the platform without odometry: not assessed"
NOT_WATCHED = "drawn zone that cannot be watched"
NO_ROOM = "alarm over max_alarms"


class ThreatStage(Stage[ThreatSettings]):
    """Ranks every picture; the last stage of a cycle."""

    name = "threat"
    settings_type = ThreatSettings
    tunable = (
        "score.*", "capability.*", "manoeuvre.*", "levels.medium", "levels.high", "levels.critical", "levels.hysteresis",
        "levels.rise_s", "levels.hold_s", "behaviour.weight_*",
    )  # fmt: skip

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
        self._zones, file_rules = all_zones(settings)
        self.watch = ZoneWatch(settings, self._zones, file_rules)
        folder = context.state_dir
        ids = kept_ids(folder / "alarm_ids.json" if folder is not None else None)
        self.book = AlarmBook(settings.alarms, self.watch.rules, ids)
        self._kept_in = folder / "alarms.json" if folder is not None else None
        take_kept_alarms(self.book, self._kept_in)
        self._told: list[Alarm] = []
        self._taken = {
            *self._zones,
            *settings.rules,
            *file_rules,
            *settings.protected(),
        }  # names that no drawn zone may have
        self._drawn: list[DrawnZone] = []
        self._refused: dict[str, str] = {}  # drawn zones that cannot be watched, and why

    def reads(self, topic: str) -> bool:
        """Read odometry where an asset moves with the platform only."""
        return topic != "odometry" or bool(self._levers)

    def start(self, now_ns: int) -> Iterable[Output]:
        """Say what is watched, and which alarms are on: those that were before a restart, until the rules say otherwise."""
        return [self._protected({}, now_ns), self._alarms(now_ns)]

    def tune(self, settings: Settings) -> None:
        """Assess with these settings from the next picture on."""
        assert isinstance(settings, ThreatSettings)
        self.settings = settings
        self.assessor.tune(settings)
        self.watch.tune(settings.manoeuvre)

    def reset(self) -> None:
        """Forget the levels and the ways, where the platform was, and the alarms; ids go on."""
        self.assessor.reset()
        self.watch.reset()
        self.book.reset()
        self._platform = None

    def on_message(self, topic: str, message: StampedMessage) -> Iterator[Output]:
        """Assess one picture; or take where the platform is."""
        if topic == "odometry":
            self._platform = odometry_from_msg(message)
            return
        if topic == "zones":
            yield from self._on_zones(message)
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
        yield from self._on_rules(tracks)
        if self._levers:
            yield self._protected(moving, tracks.stamp_ns)
        done = CycleComplete(tracks.sequence, len(tracks), len(threats), self._critical)
        yield self.event(done, tracks.stamp_ns)

    def on_service(
        self, service: str, request: HandleAlarm.Request, response: HandleAlarm.Response, now_ns: int
    ) -> Iterable[Output]:
        """Do what a person wants of an alarm."""
        one, who, text = int(request.id), str(request.operator_name), str(request.text)
        try:
            match request.action:
                case HandleAlarm.Request.ACKNOWLEDGE:
                    alarm = self.book.acknowledge(one, who)
                case HandleAlarm.Request.SHELVE:
                    alarm = self.book.shelve(one, who, text, float(request.duration_s), now_ns)
                case HandleAlarm.Request.UNSHELVE:
                    alarm = self.book.unshelve(one, who)
                case HandleAlarm.Request.NOTE:
                    alarm = self.book.note(one, who, text)
                case action:
                    raise ValueError(f"action {action} is none; 1 to 4 are")
        except ValueError as error:
            response.success, response.message = False, str(error)
            return []
        response.success, response.message = True, f"alarm {alarm.id} of rule '{alarm.rule}'"
        return [self._alarms(now_ns, durable=True)]

    def detail(self) -> dict[str, object]:
        """Add how many threats are critical, and how many alarms are on."""
        on = sum(alarm.state is AlarmState.ACTIVE for alarm in self.book.alarms)
        said: dict[str, object] = {
            "critical": self._critical,
            "alarms": on,
            "rules": len(self.watch.rules),
            "drawn_zones": len(self._drawn),
        }
        return {**said, "refused_zones": self._refused} if self._refused else said

    def health(self) -> Health:
        """Tell also where nothing can be said about an asset, and what is drawn but not watched."""
        health = super().health()
        if health.level is not Level.OK:
            return health
        if self._refused:
            return Health(
                Level.WARN, f"drawn zone not watched: {'; '.join(f'{k}: {v}' for k, v in self._refused.items())}"
            )
        return Health(Level.WARN, f"no odometry: {UNPLACED}") if self._unplaced else health

    def _on_rules(self, tracks: Tracks) -> Iterator[Output]:
        """Hold a picture against the rules of zones."""
        if not self.watch.rules and not self.book.alarms:
            return
        refused = self.book.refused
        changes = self.book.take(self.watch.step(tracks), tracks)
        self.counters.note(NO_ROOM, self.book.refused - refused)
        for alarm in changes.raised:
            yield self.event(AlarmRaised(**vars(alarm)), tracks.stamp_ns)
        for alarm in changes.ended:
            yield self.event(AlarmEnded(**vars(alarm)), tracks.stamp_ns)
        if self.book.alarms != self._told:
            yield self._alarms(tracks.stamp_ns)

    def _on_zones(self, message: StampedMessage) -> Iterator[Output]:
        """Watch what people have drawn, all of which is in a message; what it has not is over."""
        zones, wrong = zones_from_msg(message)
        refused = {**wrong, **refusals(zones, self._taken)}
        self.counters.note(NOT_WATCHED, len(refused.keys() - self._refused.keys()))
        self._refused = refused
        self._drawn = [one for one in zones if one.name not in refused]
        over = self.watch.watch_drawn(self._drawn)
        stamp_ns = self.watch.stamp_ns or stamp_of(message)
        for alarm in self.book.take_rules(self.watch.rules, over, stamp_ns):
            yield self.event(AlarmEnded(**vars(alarm)), stamp_ns)
        yield self._protected(self._moving(stamp_ns), stamp_ns)
        if self.book.alarms != self._told:
            yield self._alarms(stamp_ns)

    def _alarms(self, stamp_ns: int, *, durable: bool = False) -> Output:
        """Return all alarms to tell, kept for the next start."""
        self._told = self.book.alarms
        keep_alarms(self.book, self._kept_in, durable=durable)
        return Output("alarms", alarms_to_msg(self._told, stamp_ns=stamp_ns))

    def _protected(self, moving: dict[str, AssetPlace], stamp_ns: int) -> Output:
        areas = areas_of(self.settings.protected(), self._zones, moving, self._drawn)
        return Output("protected", areas_to_msg(areas, stamp_ns=stamp_ns, frame_id=MAP))

    def _moving(self, stamp_ns: int) -> dict[str, AssetPlace]:
        """Return where the assets on the platform are; without those of which nobody knows."""
        if self._platform is None:
            return {}
        found = {name: place_on(self._platform, lever, stamp_ns) for name, lever in self._levers.items()}
        return {name: place for name, place in found.items() if place is not None}
