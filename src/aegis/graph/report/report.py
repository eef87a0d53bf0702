# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A report: what a bag holds, what came out against truth where there is some, and what CI is told."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from aegis.core.evaluation.requirements import Requirements
from aegis.core.evaluation.worst import WORST_TRACKS
from aegis.core.finite import finite_json
from aegis.core.types import AlarmState, ThreatLevel
from aegis.graph.config import Parameters
from aegis.graph.evaluation.judge import Judgement, judge, options_for, with_truth_of
from aegis.graph.evaluation.report import as_document, class_name
from aegis.graph.evaluation.truth_files import is_file
from aegis.graph.report.contents import Contents, coasted_most, read_contents

BRIDGE = "http://localhost:8000"


class Worst(NamedTuple):
    """A track to look at, and when."""

    track_id: int
    at_ns: int
    place: tuple[float, float]  # then [m]
    text: str
    link: str  # into replay


@dataclass(frozen=True)
class Report:
    """All of it."""

    contents: Contents
    judgement: Judgement | None
    not_judged: str  # why there is no judgement
    asked: bool  # for requirements
    worst: Sequence[Worst]
    worst_by: str  # what that means, in words
    command: str  # that repeats it
    bridge: str

    @property
    def passed(self) -> bool:
        """Tell whether the bag is whole and can be read, and what was required holds; what could not be judged has not passed."""
        held = self.judgement.passed if self.judgement is not None else not self.asked
        return held and not self.contents.damage and not self.contents.refused


def make_report(
    bag: Path,
    *,
    truth: str | None = None,
    judged: bool = True,
    site: str | None = None,
    requirements: Requirements | None = None,
    parameters: Parameters,
    bridge: str = BRIDGE,
    words: Sequence[str] = (),
) -> Report:
    """Return the report on a bag.

    Args:
        bag: rosbag2 folder or file.
        truth: a file or topic; None: the topic `truth`, where there is one.
        judged: False: leave truth alone.
        site: latitude, longitude, altitude for such a file.
        requirements: to be checked.
        parameters: of the graph that made the bag: where its sensor and its assets were.
        bridge: address whose page replays, for the links.
        words: of the command that makes this report.

    Raises:
        BagError: the bag cannot be read, or has nothing of a graph.
        ConfigError, ValueError: a parameter or the file of truth is wrong.
    """
    path = Path(truth) if truth is not None and is_file(truth) else None
    keep = False if not judged else True if path is not None else None
    contents = read_contents(bag, truth_topic=truth if path is None else None, judged=keep)
    judgement, why = None, "The bag has no truth (topic truth), and no file of it was named (--truth)."
    if not judged:
        why = "Truth was left alone (--no-truth)."
    elif contents.shown is None:
        why = "The bag has no tracks to hold against truth."
    elif contents.collected is not None:
        recording = contents.collected.recording()
        if path is not None:
            recording, why = with_truth_of(recording, path, parameters, site, 0.0)
        judgement = judge(recording, options_for(parameters, requirements), requirements)
        why = ""
    base = bridge.rstrip("/")
    worst, by = _worst(contents, judgement, base)
    asked = requirements is not None
    return Report(contents, judgement, why, asked, worst, by, shlex.join(words), base)


def replay_link(bridge: str, track_id: int, at_ns: int) -> str:
    """Return the address at which a page shows a track at a time."""
    return f"{bridge}/#t={at_ns / 1e9:.1f}&track={track_id}"


def _worst(contents: Contents, judgement: Judgement | None, bridge: str) -> tuple[list[Worst], str]:
    shown = contents.shown
    if shown is None:
        return [], ""
    if judgement is None:
        by = "Without truth: those that were shown longest without a detection."
        found = []
        for track_id, scan, text in coasted_most(shown, WORST_TRACKS):
            (row,) = np.flatnonzero((shown.track_id == track_id) & (shown.scan == scan))
            found.append((track_id, int(shown.stamp_ns[scan]), shown.place[row], text))
    else:
        by = "By what GOSPA charges for them: error squared, or half the gate squared where they are false."
        scene, pictures = judgement.found.scene, judgement.found.pictures
        found = [
            (
                one.track_id, int(scene.time_ns[one.at_scan]),
                pictures[one.at_scan].state[pictures[one.at_scan].track_id == one.track_id][0, :2],
                f"{one.text}; {100 * one.cost:.0f} % of the cost of all tracks",
            )
            for one in judgement.found.worst
        ]  # fmt: skip
    return [
        Worst(track_id, at_ns, (float(place[0]), float(place[1])), text, replay_link(bridge, track_id, at_ns))
        for track_id, at_ns, place, text in found
    ], by


def document(report: Report) -> dict[str, object]:
    """Return the report ready for JSON: what is not known, or not there, is null."""
    contents, shown = report.contents, report.contents.shown
    out: Mapping[str, object] = {
        "bag": str(contents.path),
        "command": report.command,
        "passed": report.passed,
        "damage": contents.damage or None,
        "refused": list(contents.refused),
        "begin_ns": contents.begin_ns,
        "duration_s": contents.duration_s,
        "topics": [{"name": t.name, "type": t.type, "messages": t.messages} for t in contents.topics],
        "tracks": None
        if shown is None
        else {
            "scans": len(shown.stamp_ns),
            "ids": len(np.unique(shown.track_id)),
            "most_at_once": int(shown.count.max()),
            "classes": classes_told(report),
        },
        "threats": None
        if not contents.has("threats")
        else [
            {
                "track_id": track_id,
                "level": ThreatLevel(one.level).name,
                "at_ns": one.at_ns,
                "score": one.score,
                "score_at_ns": one.score_ns,
                "reason": one.reason,
                "scans_high_or_above": one.scans,
            }
            for track_id, one in sorted(contents.threats.items())
        ],
        "alarms": None
        if not contents.has("alarms")
        else [
            {
                "id": a.id,
                "rule": a.rule,
                "zone": a.zone,
                "track_id": a.track_id,
                "priority": a.priority,
                "raised_ns": a.raised_ns,
                "on_at_begin": contents.alarms.was_on(a),
                "ended_ns": a.ended_ns if a.state is AlarmState.ENDED else None,
                "text": a.text,
                "acknowledged_by": a.acknowledged_by or None,
                "note": a.note or None,
            }
            for a in contents.alarms.of_bag
        ],
        "alarms_ended_before": None if not contents.has("alarms") else contents.alarms.ended_before,
        "events": None if not contents.has("events") else {name: n for (name, _), n in sorted(contents.events.items())},
        "events_before": None if not contents.has("events") else contents.events_before,
        "stages": None
        if not contents.has("status")
        else {
            name: {
                "latency_p50_s": _median(one.latency_p50),
                "latency_p99_s": _largest(one.latency_p99),
                "step_p99_s": _largest(one.step_p99),
                **dict(one.counts),
                "dropped_by_reason": dict(one.reasons),
                "restarts": one.restarts,
            }
            for name, one in contents.stages.of.items()
        },
        "worst_tracks": [one._asdict() for one in report.worst],
        "worst_by": report.worst_by or None,
        "evaluation": None if report.judgement is None else as_document(report.judgement.found, report.judgement.rows),
        "not_evaluated": report.not_judged or None,
    }
    finite = finite_json(out)
    assert isinstance(finite, dict)
    return finite


def classes_told(report: Report) -> dict[str, int]:
    """Return how many tracks have each class in their last scan."""
    shown = report.contents.shown
    if shown is None:
        return {}
    _, last = np.unique(shown.track_id[::-1], return_index=True)
    number, n = np.unique(shown.class_id[::-1][last], return_counts=True)
    return {class_name(int(k)): int(c) for k, c in zip(number, n, strict=True)}


def _median(values: Sequence[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.median(known)) if known else float("nan")


def _largest(values: Sequence[float]) -> float:
    return max((value for value in values if np.isfinite(value)), default=float("nan"))
