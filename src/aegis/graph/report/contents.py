# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a bag of a graph holds, in numbers: read once, with what a report needs of each message kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from aegis_msgs.msg import Event, ProtectedArray

from aegis.core.events import Severity
from aegis.core.threat.areas import ProtectedArea
from aegis.core.types import Floats, Ints, ThreatLevel, Threats, Tracks, TrackStatus
from aegis.graph.evaluation.recording import Collector, deliver
from aegis.graph.report.before import Alarms, Before
from aegis.graph.report.stages import Stages
from aegis.ros.bag import BagError, GraphBag
from aegis.ros.messages.alarms import alarms_from_msg
from aegis.ros.messages.fields import stamp_of
from aegis.ros.messages.picture import threats_from_msg, tracks_from_msg
from aegis.ros.messages.protected import areas_from_msg
from aegis.ros.messages.reports import ReceivedEvent, event_from_msg, status_rows
from aegis.ros.recording.storage import StoredTopic
from aegis.ros.topics import TOPICS

LEVELS = tuple(ThreatLevel)
READ = ("tracks", "threats", "alarms", "events", "status", "protected")
JUDGED = ("truth", "ew/signals", "ew/advice")  # with these, for what is held against truth


@dataclass
class ThreatOfTrack:
    """How far a track has come up as a threat."""

    level: int  # the highest
    at_ns: int  # when it was first at that
    score: float  # the highest
    reason: str  # in words, at the highest score
    score_ns: int  # when that was
    scans: int = 0  # at HIGH or above


@dataclass
class Shown:
    """The tracks that were shown as objects, of all scans one after the other: P rows."""

    stamp_ns: Ints  # (S,) of the scans
    count: Ints  # (S,) how many are shown in each
    scan: Ints  # (P,)
    track_id: Ints
    place: Floats  # (P, 2) x, y [m]
    class_id: Ints
    coasting: Ints  # 1: without a detection
    since_s: Floats  # since the last detection


@dataclass
class Contents:
    """What was read."""

    path: Path
    topics: list[StoredTopic]
    damage: str = ""  # where the bag ends before its end
    refused: Sequence[str] = ()  # messages that could not be read, by topic: of another version of the messages, say
    begin_ns: int = 0  # time of recording of the first message that was read, and of the last
    end_ns: int = 0
    shown: Shown | None = None
    threat_stamps: list[int] = field(default_factory=list)
    threat_counts: list[list[int]] = field(default_factory=list)  # at each level of LEVELS
    threats: dict[int, ThreatOfTrack] = field(default_factory=dict)
    before: Before = field(init=False)
    alarms: Alarms = field(init=False)
    events: Counter[tuple[str, int]] = field(default_factory=Counter)
    events_before: int = 0  # told again at its begin, and none of `events`
    warnings: list[ReceivedEvent] = field(default_factory=list)  # at WARNING and above
    stages: Stages = field(default_factory=Stages)
    areas: list[ProtectedArea] = field(default_factory=list)
    collected: Collector | None = None  # all of it, where it is to be held against truth

    def has(self, topic: str) -> bool:
        """Tell whether something was on a topic."""
        return any(t.type == TOPICS[topic].type and t.name.endswith(f"/{topic}") for t in self.topics)

    def __post_init__(self) -> None:
        """Prepare."""
        self.before = Before(has_pictures=self.has("tracks") or self.has("threats"))
        self.alarms = Alarms(self.before)

    @property
    def offline(self) -> bool:
        """Tell whether `aegis process` has made it: without a clock, under track ids of its own."""
        return "offline" in self.stages.runs

    @property
    def duration_s(self) -> float:
        """How long it is."""
        return (self.end_ns - self.begin_ns) * 1e-9


def read_contents(path: Path, *, truth_topic: str | None = None, judged: bool | None = None) -> Contents:
    """Read a bag, up to the damage where there is some.

    Args:
        path: rosbag2 folder or file.
        truth_topic: where the truth is; None: on `truth`, where there is such a topic.
        judged: keep all that is evaluated; None: where the bag has truth.

    Raises:
        BagError: it cannot be read at all, nothing of a graph is in it, or it is of several graphs.
    """
    with closing(GraphBag(path, whole=False)) as bag:
        contents = Contents(path, bag.topics)
        if judged is None:
            judged = truth_topic is not None or bag.has("truth")
        for name in (*READ, *JUDGED) if judged else READ:
            named = truth_topic if name == "truth" else None
            if named is not None or bag.has(name):
                bag.take(name, named, option="--truth")
        if not any(bag.has(name) for name in READ):
            there = ", ".join(f"{t.name} [{t.type}]" for t in bag.topics) or "nothing"
            raise BagError(f"{path} has no topic of a graph to report on; it holds {there}")
        if judged:
            contents.collected = Collector()
        reader = _Reader(contents)
        try:
            deliver(bag, reader.take, reader.refuse)
            contents.damage = bag.damage
        except BagError as error:
            contents.damage = str(error)
        contents.refused = [f"{reader.refused[name]} messages on {name}: {why}" for name, why in reader.reasons.items()]
        contents.shown = reader.shown()
    return contents


class _Reader:
    def __init__(self, contents: Contents) -> None:
        self._to = contents
        self._stamps: list[int] = []
        self.refused: Counter[str] = Counter()
        self.reasons: dict[str, str] = {}
        self._rows: list[tuple[Ints, Floats, Ints, Ints, Floats]] = []
        self._takers: dict[str, Callable[[Any], None]] = {
            "events": self._event,
            "alarms": lambda m: self._to.alarms.take(stamp_of(m), alarms_from_msg(m)),
            "protected": self._protected,
            "status": lambda m: self._to.stages.take(str(m.run_id), stamp_of(m), status_rows(m)),
        }

    def take(self, time_ns: int, topic: str, message: Any) -> None:
        to = self._to
        to.begin_ns = to.begin_ns or time_ns
        to.end_ns = max(to.end_ns, time_ns)
        to.before.message(time_ns)
        if topic == "tracks":
            tracks = tracks_from_msg(message)
            to.before.picture(tracks.stamp_ns)
            self._tracks(tracks)
            if to.collected is not None:
                to.collected.tracks.append(tracks)
            return
        if topic == "threats":
            threats = threats_from_msg(message)
            to.before.picture(threats.stamp_ns)
            self._threats(threats)
            if to.collected is not None:
                to.collected.threats.append(threats)
            return
        if topic in self._takers:
            self._takers[topic](message)
        if to.collected is not None:
            to.collected.take(topic, message)

    def refuse(self, topic: str, why: str) -> None:
        self.refused[topic] += 1
        self.reasons.setdefault(topic, why)

    def shown(self) -> Shown | None:
        if not self._stamps:
            return None
        count = np.array([len(ids) for ids, *_ in self._rows], dtype=np.int64)
        track_id, place, class_id, coasting, since = (np.concatenate(part) for part in zip(*self._rows, strict=True))
        scan = np.repeat(np.arange(len(count)), count)
        return Shown(np.array(self._stamps), count, scan, track_id, place, class_id, coasting, since)

    def _tracks(self, tracks: Tracks) -> None:
        kept = (tracks.status != int(TrackStatus.TENTATIVE)) & np.isfinite(tracks.state[:, :2]).all(axis=1)
        self._stamps.append(tracks.stamp_ns)
        coasting = tracks.status[kept] == int(TrackStatus.COASTING)
        self._rows.append(
            (
                tracks.track_id[kept], tracks.state[kept, :2], tracks.class_id[kept], coasting.astype(np.int64),
                tracks.time_since_update[kept],
            )
        )  # fmt: skip

    def _threats(self, threats: Threats) -> None:
        to = self._to
        counts = np.bincount(threats.level, minlength=int(ThreatLevel.CRITICAL) + 1)
        to.threat_stamps.append(threats.stamp_ns)
        to.threat_counts.append([int(counts[level]) for level in LEVELS])
        for k, (track_id, level) in enumerate(zip(threats.track_id.tolist(), threats.level.tolist(), strict=True)):
            score = float(threats.score[k])
            known = to.threats.get(track_id)
            if known is None:
                known = to.threats[track_id] = ThreatOfTrack(
                    level, threats.stamp_ns, score, threats.reason[k], threats.stamp_ns
                )
            if level > known.level:
                known.level, known.at_ns = level, threats.stamp_ns
            if score > known.score:
                known.score, known.reason, known.score_ns = score, threats.reason[k], threats.stamp_ns
            known.scans += level >= ThreatLevel.HIGH

    def _event(self, message: Event) -> None:
        if self._to.before.was(stamp_of(message)):
            self._to.events_before += 1
            return
        self._to.events[str(message.name), int(message.severity)] += 1
        if message.severity >= Severity.WARNING:  # of the others, thousands a minute, the number does
            self._to.warnings.append(event_from_msg(message))

    def _protected(self, message: ProtectedArray) -> None:
        self._to.areas = areas_from_msg(message)


def coasted_most(shown: Shown, count: int) -> Iterator[tuple[int, int, str]]:
    """Yield (track, scan, text) of the tracks that were shown longest without a detection: what can be said without truth."""
    of: dict[int, int] = Counter(shown.track_id[shown.coasting == 1].tolist())
    for track_id in sorted(of, key=lambda one: (-of[one], one))[:count]:
        rows = np.flatnonzero(shown.track_id == track_id)
        worst = int(rows[np.argmax(shown.since_s[rows])])
        text = (
            f"without a detection in {of[track_id]} of the {len(rows)} scans that show it,"
            f" {shown.since_s[worst]:.1f} s at the longest"
        )
        yield track_id, int(shown.scan[worst]), text
