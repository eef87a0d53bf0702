# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The event bus: one dataclass for each thing that a stage says of itself. `docs/events.md` is made from them.

A new event is a class here and its use in a stage. Its fields are the JSON object in the message's `data`; its docstring says when.
Two classes may share a name, where one event has data of two shapes.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum
from typing import Annotated, ClassVar

from aegis.core.finite import finite_json
from aegis.core.severity import Severity as Severity
from aegis.core.types import Advice, Alarm, Signal, ThreatLevel

ScanNumber = Annotated[int, "number of the sensor's scan"]
TrackId = Annotated[int, "id of the track"]


@dataclass(frozen=True)
class Event:
    """Something that happened in a stage."""

    name: ClassVar[str]  # in the message
    severity: ClassVar[Severity] = Severity.INFO
    ordinary: ClassVar[bool] = True  # False: of a rare fault, which no run of a whole graph is expected to show

    def data(self) -> dict[str, object]:
        """Return the fields as JSON holds them: words of enumerations, null for what is not finite.

        A field that may be left out has None as its default, and is left out where it is None.
        """
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        left_out = {f.name for f in fields(self) if f.default is None and values[f.name] is None}
        return {n: v.name if isinstance(v, Enum) else finite_json(v) for n, v in values.items() if n not in left_out}


@dataclass(frozen=True)
class ScanStarted(Event):
    """A radar of ours has looked: the simulator, or a driver that got a whole frame."""

    name = "RADAR_SCAN_STARTED"
    sequence: ScanNumber
    driver: Annotated[str | None, "which driver; only of a driver"] = None
    scenario: Annotated[str | None, "name of the scenario; only of the simulator"] = None
    frequency_hz: Annotated[float | None, "carrier [Hz]; only of the simulator"] = None


@dataclass(frozen=True)
class ScanComplete(Event):
    """A scan's points have come and could be read."""

    name = "RADAR_SCAN_COMPLETE"
    sequence: ScanNumber
    points: Annotated[int, "points in it"]


@dataclass(frozen=True)
class TargetsDetected(Event):
    """A scan has points at all."""

    name = "RADAR_TARGETS_DETECTED"
    sequence: ScanNumber
    points: Annotated[int, "points in it"]


@dataclass(frozen=True)
class DetectionRunning(Event):
    """The detection begins with a scan."""

    name = "DETECTION_RUNNING"
    severity = Severity.DEBUG
    sequence: ScanNumber


@dataclass(frozen=True)
class TargetsClassified(Event):
    """The detection is through with a scan."""

    name = "DETECTION_TARGETS_CLASSIFIED"
    sequence: ScanNumber
    detections: Annotated[int, "detections in it"]
    classes: Annotated[dict[str, int], "how many of each class"]


@dataclass(frozen=True)
class DetectionRefused(Event):
    """A cloud, odometry or a scan without a pose was refused."""

    name = "DETECTION_ERROR"
    severity = Severity.WARNING
    refused: Annotated[str, "the reason, in the few words by which it is counted"]
    message: Annotated[str, "the whole reason"]


@dataclass(frozen=True)
class TrackingRunning(Event):
    """The tracking begins with a scan."""

    name = "TRACKING_RUNNING"
    severity = Severity.DEBUG
    sequence: ScanNumber


@dataclass(frozen=True)
class TrackingUpdated(Event):
    """The picture after a scan is out."""

    name = "TRACKING_UPDATED"
    sequence: ScanNumber
    tracks: Annotated[int, "tracks in the picture, tentative ones too"]
    confirmed: Annotated[list[int], "ids of the tracks that this scan has confirmed"]
    reset: Annotated[bool, "the picture began anew"] = False
    reordered: Annotated[bool | None, "true where the scan came late and was put in its place"] = None
    resumed: Annotated[bool | None, "true where the picture goes on from the one of the process before"] = None


@dataclass(frozen=True)
class TrackingReset(TrackingUpdated):
    """The same, where the stamps went back (a bag from its start again), so that all tracks were dropped."""

    severity = Severity.WARNING
    ordinary = False
    reset: Annotated[bool, "the picture began anew"] = True
    reason: Annotated[str, "why"] = "time went backwards"


@dataclass(frozen=True)
class TrackLost(Event):
    """A track was given up."""

    name = "TRACKING_LOST"
    track_id: TrackId


@dataclass(frozen=True)
class ThreatAssessmentRunning(Event):
    """The assessment begins with a picture."""

    name = "THREAT_ASSESSMENT_RUNNING"
    severity = Severity.DEBUG
    sequence: ScanNumber


@dataclass(frozen=True)
class ThreatLevelChanged(Event):
    """A track's threat level is another than before."""

    name = "THREAT_LEVEL_CHANGED"
    track_id: TrackId
    before: Annotated[ThreatLevel | None, "the level before; null for a track that was not assessed yet"]
    level: Annotated[ThreatLevel, "the level now"]
    score: Annotated[float, "from 0 to 1"]
    reason: Annotated[str, "in words, strongest first"]


@dataclass(frozen=True)
class ThreatCritical(ThreatLevelChanged):
    """A track has become critical."""

    name = "THREAT_CRITICAL"
    severity = Severity.WARNING


@dataclass(frozen=True)
class AlarmRaised(Alarm, Event):
    """A zone rule is broken, or an alarm that was shelved and is still on is no longer. Not told of what is shelved."""

    name = "ALARM_RAISED"
    severity = Severity.WARNING
    ordinary = False


@dataclass(frozen=True)
class AlarmEnded(Alarm, Event):
    """A zone rule holds again for the track, or the track is gone."""

    name = "ALARM_ENDED"
    ordinary = False


@dataclass(frozen=True)
class EwDetection(Signal, Event):
    """Jamming or interference has begun."""

    name = "EW_DETECTION"
    severity = Severity.WARNING


@dataclass(frozen=True)
class EwResponseTriggered(Advice, Event):
    """Advice is proposed and waits for a person."""

    name = "EW_RESPONSE_TRIGGERED"
    severity = Severity.WARNING


@dataclass(frozen=True)
class EwAdviceWithdrawn(Advice, Event):
    """The cause of open advice is gone: the threat is no longer critical or of another class, the signal has ended."""

    name = "EW_ADVICE_WITHDRAWN"


@dataclass(frozen=True)
class EwCountermeasure(Advice, Event):
    """A person has acknowledged advice."""

    name = "EW_COUNTERMEASURE"


@dataclass(frozen=True)
class CycleComplete(Event):
    """The assessment of a picture is out: the last stage is through with a scan."""

    name = "PIPELINE_CYCLE_COMPLETE"
    sequence: ScanNumber
    tracks: Annotated[int, "tracks in the picture"]
    threats: Annotated[int, "threats among them"]
    critical: Annotated[int, "critical ones"]


@dataclass(frozen=True)
class ParametersChanged(Event):
    """Parameters of a stage were set while it runs; they hold from its next input on, until its process ends."""

    name = "PARAMETERS_CHANGED"
    ordinary = False
    changed: Annotated[list[str], "each as `name: before -> after`"]


@dataclass(frozen=True)
class StageTakenOut(Event):
    """Somebody on DDS, a manager or a stranger, has called `change_state` of a managed stage: it does not work any more."""

    name = "STAGE_TAKEN_OUT"
    severity = Severity.WARNING
    ordinary = False
    before: Annotated[str, "its state in the lifecycle"]
    state: Annotated[str, "that of now"]
    returns_in_s: Annotated[float | None, "when it goes back by itself [s]; only where it does"] = None


@dataclass(frozen=True)
class StageFailed(Event):
    """An exception was caught in a stage other than the detection; it goes on with its next input."""

    name = "PIPELINE_ERROR"
    severity = Severity.ERROR
    error: Annotated[str, "type and text of the exception"]


@dataclass(frozen=True)
class DetectionFailed(StageFailed):
    """An exception was caught in the detection; it goes on with its next input."""

    name = "DETECTION_ERROR"
    ordinary = False


@dataclass(frozen=True)
class MessageRefused(Event):
    """A message cannot be read: its fields contradict each other or hold what there is not. Or a cube cannot be processed."""

    name = "PIPELINE_ERROR"
    severity = Severity.WARNING
    ordinary = False
    refused: Annotated[str, "the reason, in the few words by which it is counted"]
    message: Annotated[str, "the whole reason"]


@dataclass(frozen=True)
class DriverFailed(Event):
    """A driver's line cannot be opened or is lost, or its frame makes no cube."""

    name = "PIPELINE_ERROR"
    severity = Severity.ERROR
    ordinary = False
    driver: Annotated[str, "which driver"]
    message: Annotated[str, "what went wrong"]
    sequence: Annotated[int | None, "number of the frame; only where it makes no cube"] = None


@dataclass(frozen=True)
class SourceSilent(Event):
    """The bridge, the fusion or the uplink hears nothing any more of what came regularly, or was expected: a sensor's
    detections, what a stage makes of them, or (topic `uplink`) another site, which is then `sensor_id`."""

    name = "SOURCE_SILENT"
    severity = Severity.WARNING
    ordinary = False
    topic: Annotated[str, "what does not come"]
    sensor_id: Annotated[str, "whose; empty where the topic is the whole picture's"]
    for_s: Annotated[float, "since when [s]"]
    ever_heard: Annotated[bool, "false where it has never come: since the bridge's start"] = True


@dataclass(frozen=True)
class SourceStuck(Event):
    """A sensor gives the same detections again and again, under new stamps."""

    name = "SOURCE_STUCK"
    severity = Severity.WARNING
    ordinary = False
    topic: Annotated[str, "what comes again"]
    sensor_id: Annotated[str, "whose"]
    for_s: Annotated[float, "since when [s]"]


@dataclass(frozen=True)
class SourceBack(Event):
    """What was silent, stuck or away is as it should be."""

    name = "SOURCE_BACK"
    ordinary = False
    topic: Annotated[str, "what comes again; `history` of its database"]
    sensor_id: Annotated[str, "whose; empty where the topic is the whole picture's"]
    was: Annotated[str, "silent, stuck or away"]
    for_s: Annotated[float, "how long it was so, to half a second [s]"]


@dataclass(frozen=True)
class AnotherPublisher(Event):
    """A topic, or one sensor's data on it, has a second publisher. What it publishes is not mixed in. A node that is none of the
    graph's is told of where it publishes `status`, which each node does. Told once a minute at most.
    """

    name = "ANOTHER_PUBLISHER"
    severity = Severity.ERROR
    ordinary = False
    topic: Annotated[str, "what it publishes"]
    sensor_id: Annotated[str, "as whose; its frame of points; empty where the topic is the whole picture's"]
    nodes: Annotated[list[str], "all nodes that publish the topic now"]
    reason: Annotated[str, "why a message was not taken, of a topic whose messages carry a proof; else empty"] = ""


@dataclass(frozen=True)
class HistoryAway(Event):
    """The history's database cannot be written or does not answer. What comes is kept on the bridge's disk, as far as that goes."""

    name = "HISTORY_AWAY"
    severity = Severity.WARNING
    ordinary = False
    reason: Annotated[str, "why"]


@dataclass(frozen=True)
class DecisionRefused(Event):
    """Somebody other than the graph's own bridge has sent a person's decision or a command; it was not taken. Told once a minute at
    most.
    """

    name = "DECISION_REFUSED"
    severity = Severity.ERROR
    ordinary = False
    to: Annotated[str, "the service that was called, or the topic"]
    operator: Annotated[str, "who it says has decided"]
    reason: Annotated[str, "why it was refused"]


@dataclass(frozen=True)
class _Broadcast(Event):
    messages: Annotated[int, "how many since the last event of this name"]
    clients: Annotated[int, "clients of the stream now"]


@dataclass(frozen=True)
class RadarFramesBroadcast(_Broadcast):
    """The bridge has sent radar frames to the clients of its stream."""

    name = "BROADCAST_RADAR_FRAME"


@dataclass(frozen=True)
class ThreatsBroadcast(_Broadcast):
    """The bridge has sent threats to the clients of its stream."""

    name = "BROADCAST_THREATS"


@dataclass(frozen=True)
class StatusBroadcast(_Broadcast):
    """The bridge has sent the system's status to the clients of its stream."""

    name = "BROADCAST_SYSTEM_STATUS"


def _kinds(base: type[Event]) -> list[type[Event]]:
    """Return all subclasses that have a name, in the order of their definition."""
    out: list[type[Event]] = []
    for kind in base.__subclasses__():
        out += [kind, *_kinds(kind)] if hasattr(kind, "name") else _kinds(kind)
    return out


EVENTS = tuple(_kinds(Event))
EVENT_NAMES = tuple(dict.fromkeys(kind.name for kind in EVENTS))
