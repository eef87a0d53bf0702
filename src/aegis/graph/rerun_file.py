# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A recording as a file of Rerun (rerun.io): tracks, detections and events in columns, batch by batch; extra `rerun`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from aegis.bridge.settings import BridgeSettings
from aegis.bridge.stream.bodies import positions_in_map
from aegis.core.palette import LEVEL_HEX, UNASSESSED_HEX
from aegis.core.params import ConfigError
from aegis.core.sensor import SensorPoses
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.types import ClassId, Detections, Floats, ThreatLevel, Threats, Tracks, TrackStatus
from aegis.graph.config import Parameters
from aegis.graph.evaluation.recording import deliver
from aegis.ros.bag import BagError, GraphBag
from aegis.ros.messages.picture import detections_from_msg, threats_from_msg, tracks_from_msg
from aegis.ros.messages.reports import ReceivedEvent, event_from_msg

if TYPE_CHECKING:
    import rerun

BATCH = 500  # messages of a topic that are written at once
TIMELINE = "stamp"
TRACKS, LEADERS, DETECTIONS, COUNT, EVENTS = "tracks", "tracks/velocity", "detections", "plots/tracks", "events"
LEADER_S = 5.0  # how far ahead velocities are drawn
_PLOT_HEX = "#c3d3df"
_COLOURS = {level: int(text[1:] + "ff", 16) for level, text in LEVEL_HEX.items()}
_UNASSESSED, _PLOT = int(UNASSESSED_HEX[1:] + "ff", 16), int(_PLOT_HEX[1:] + "ff", 16)


class _Picture(NamedTuple):
    stamp_ns: int
    places: Floats  # (N, 3) in map [m]
    ways: Floats  # (N, 3) what tracks go in LEADER_S [m]; (0, 3) of detections
    colours: list[int]
    names: list[str]


def write_rerun(bag_path: Path, out: Path, parameters: Parameters, from_ns: int, to_ns: int) -> Counter[str]:
    """Write what a bag has of a time; return how many messages of each kind.

    Args:
        bag_path: a recording of the graph.
        out: the file (.rrd), which must not exist.
        parameters: of the graph: where sensors stand whose detections do not say it.
        from_ns, to_ns: by the time of recording.

    Raises:
        BagError: the bag cannot be read, or has nothing of that time; or the file is there.
        ConfigError: the extra `rerun` is not installed.
    """
    if find_spec("rerun") is None:
        raise ConfigError("--rerun needs rerun-sdk: pip install 'aegis[rerun]' (170 MB)")
    import rerun

    if out.exists():
        raise BagError(f"{out} exists already; remove it or name another output")
    temporary = out.with_name(f".{out.name}.part")
    stream = rerun.RecordingStream("aegis", recording_id=out.stem)
    try:
        stream.save(temporary)
        written = _Writer(stream, _places(parameters))
        with closing(GraphBag(bag_path, whole=False)) as bag:
            takers: Mapping[str, Callable[[Any], None]] = {
                "tracks": lambda m: written.take_tracks(tracks_from_msg(m)),
                "threats": lambda m: written.take_levels(threats_from_msg(m)),
                "detections": lambda m: written.take_detections(detections_from_msg(m)),
                "events": lambda m: written.take_event(event_from_msg(m)),
            }
            for name in filter(bag.has, takers):
                bag.take(name)
            deliver(bag, lambda ns, topic, m: takers[topic](m) if from_ns <= ns <= to_ns else None)
            if bag.damage:
                raise BagError(f"{bag_path}: {bag.damage}")
        written.close()
        stream.disconnect()
        if not written.counts.total():
            raise BagError(f"{bag_path} has no tracks, detections or events of that time")
        temporary.replace(out)
    finally:
        stream.disconnect()
        temporary.unlink(missing_ok=True)
    return written.counts


def _places(parameters: Parameters) -> SensorPoses:
    """Return where sensors stand: as the bridge is told, and of a rig's radars, as tracking is."""
    told = parameters.settings_as(BridgeSettings, "bridge")
    rig = parameters.settings_as(TrackingSettings, "tracking").sensors
    return told.model_copy(update={"sensors": {**rig, **told.sensors}})


class _Writer:
    """Gathers messages, and writes some hundred at a time."""

    def __init__(self, stream: rerun.RecordingStream, mounted: SensorPoses) -> None:
        self._stream, self._mounted = stream, mounted
        self._pictures: dict[str, list[_Picture]] = {TRACKS: [], DETECTIONS: []}
        self._events: list[ReceivedEvent] = []
        self._levels: dict[int, ThreatLevel] = {}  # by track, of the last assessment
        self.counts: Counter[str] = Counter()

    def take_levels(self, threats: Threats) -> None:
        """Colour the tracks that come from now on; an assessment comes after its tracks."""
        pairs = zip(threats.track_id.tolist(), threats.level.tolist(), strict=True)
        self._levels = {one: ThreatLevel(level) for one, level in pairs if level in ThreatLevel}

    def take_tracks(self, tracks: Tracks) -> None:
        """Take a picture, without what is tentative or has no place."""
        shown = (tracks.status != int(TrackStatus.TENTATIVE)) & np.isfinite(tracks.state).all(axis=1)
        ids = tracks.track_id[shown].tolist()
        names = [f"{one} {_class_name(c)}" for one, c in zip(ids, tracks.class_id[shown].tolist(), strict=True)]
        colours = [self._colour(one) for one in ids]
        state = tracks.state[shown]
        self._add(TRACKS, _Picture(tracks.stamp_ns, state[:, :3], state[:, 3:] * LEADER_S, colours, names))

    def take_detections(self, detections: Detections) -> None:
        """Take a scan."""
        places = positions_in_map(detections, self._mounted.pose(detections.sensor_id))
        places = places[np.isfinite(places).all(axis=1)]
        self._add(DETECTIONS, _Picture(detections.stamp_ns, places, np.empty((0, 3)), [_PLOT] * len(places), []))

    def take_event(self, event: ReceivedEvent) -> None:
        """Take an event."""
        self._events.append(event)
        self.counts[EVENTS] += 1
        if len(self._events) >= BATCH:
            self._write_events()

    def close(self) -> None:
        """Write what is left."""
        for entity in self._pictures:
            self._write(entity)
        self._write_events()

    def _colour(self, track_id: int) -> int:
        level = self._levels.get(track_id)
        return _UNASSESSED if level is None else _COLOURS.get(level, _UNASSESSED)

    def _add(self, entity: str, picture: _Picture) -> None:
        self._pictures[entity].append(picture)
        self.counts[entity] += 1
        if len(self._pictures[entity]) >= BATCH:
            self._write(entity)

    def _write(self, entity: str) -> None:
        import rerun

        pictures = self._pictures[entity]
        if not pictures:
            return
        self._pictures[entity] = []
        when = [rerun.TimeColumn(TIMELINE, timestamp=[_instant(one.stamp_ns) for one in pictures])]
        lengths = [len(one.places) for one in pictures]
        places = np.concatenate([one.places for one in pictures])
        colours = np.array([colour for one in pictures for colour in one.colours], dtype=np.uint32)
        names = [name for one in pictures for name in one.names]
        points = rerun.Points3D.columns(positions=places, colors=colours, labels=names or None).partition(
            lengths=lengths
        )
        rerun.send_columns(entity, indexes=when, columns=points, recording=self._stream)
        if entity != TRACKS:
            return
        ways = np.concatenate([one.ways for one in pictures])
        arrows = rerun.Arrows3D.columns(origins=places, vectors=ways, colors=colours).partition(lengths=lengths)
        rerun.send_columns(LEADERS, indexes=when, columns=arrows, recording=self._stream)
        counted = rerun.Scalars.columns(scalars=lengths)
        rerun.send_columns(COUNT, indexes=when, columns=counted, recording=self._stream)

    def _write_events(self) -> None:
        import rerun

        events, self._events = self._events, []
        if not events:
            return
        when = [rerun.TimeColumn(TIMELINE, timestamp=[_instant(one.stamp_ns) for one in events])]
        words = [f"{one.stage} {one.name} {one.data_json}" for one in events]
        levels = ["WARN" if one.severity.name == "WARNING" else one.severity.name for one in events]
        logged = rerun.TextLog.columns(text=words, level=levels)
        rerun.send_columns(EVENTS, indexes=when, columns=logged, recording=self._stream)


def _instant(stamp_ns: int) -> np.datetime64:
    return np.datetime64(stamp_ns, "ns")


def _class_name(class_id: int) -> str:
    known = {int(one): one.name.lower() for one in ClassId}
    return known.get(class_id, "unknown")
