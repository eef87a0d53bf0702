# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""All measures of a recording, held against truth."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from aegis.core.evaluation import errors as position
from aegis.core.evaluation.classes import Classes, classes
from aegis.core.evaluation.coverage import Coverage, against_range, coverage, covered_scans, updated_scans
from aegis.core.evaluation.identity import TrackLife, id_changes, idf1, lives
from aegis.core.evaluation.matching import Kind, Match, Pairs, distances, match, pairs, shown
from aegis.core.evaluation.measures import Measure, percentile, ratio
from aegis.core.evaluation.scene import Flags, Scene, TrueObject, scene_at
from aegis.core.evaluation.t_gospa import near_pairs, t_gospa_of
from aegis.core.evaluation.threats import ThreatOrder, threat_order, true_time_to_impact
from aegis.core.evaluation.warfare import Told, alarms, warfare
from aegis.core.evaluation.worst import WorstTrack, worst_tracks
from aegis.core.events import Severity
from aegis.core.metrics import gospa_of
from aegis.core.types import Advice, Floats, Ints, Signal, Threats, Tracks

LEAST_GATE_M, GATE_SHARE = 10.0, 0.01  # where nobody says: this share of the farthest object's distance
DEFAULT_PERIODS = 5.0  # an update is expected, and a gap is long, within and beyond this many scans, where nobody says


@dataclass
class Recording:
    """What was recorded, and what is known of the truth."""

    pictures: list[Tracks]
    objects: list[TrueObject]
    span_ns: tuple[int, int] | None  # from when to when truth is known; None: always
    threats: list[Threats] = field(default_factory=list)
    events: list[Told] = field(default_factory=list)
    signals: list[tuple[int, list[Signal]]] = field(default_factory=list)
    advice: list[tuple[int, list[Advice]]] = field(default_factory=list)
    emitters: dict[int, int] | None = None  # by stamp, how many are on; None: nobody knows

    @property
    def middle_ns(self) -> int:
        """A time in the middle of the pictures."""
        stamps = [tracks.stamp_ns for tracks in self.pictures]
        return (min(stamps) + max(stamps)) // 2


@dataclass(frozen=True)
class Options:
    """How to count."""

    gate_m: float | None = None  # None: of the size of the scene
    dimensions: int = 2
    update_period_s: float | None = None  # None: five scans
    gap_s: float | None = None  # None: five scans
    max_truth_gap_s: float = 15.0
    sensor: tuple[float, float, float] = (0.0, 0.0, 0.0)
    max_range_m: float = math.inf  # what is in view, besides what truth says
    min_elevation_deg: float = -90.0
    max_elevation_deg: float = 90.0
    assets: tuple[tuple[float, float, float, float], ...] = (
        (0.0, 0.0, 0.0, 100.0),
    )  # x, y, z, radius of those at rest [m]


@dataclass(frozen=True)
class ObjectRow:
    """One object."""

    id: int
    name: str
    class_id: int
    coverage: Coverage
    rms_m: Measure
    rms_along_m: Measure
    rms_across_m: Measure
    nees: position.Nees
    track_ids: list[int]
    id_changes: int
    class_right: Measure
    class_unknown: Measure


@dataclass(frozen=True)
class Evaluation:
    """What came out, with what a page needs to draw it."""

    options: Options
    gate_m: float
    update_period_s: float
    gap_s: float
    scans: int
    left_out: int  # scans outside the time of the truth
    measures: dict[str, Measure]
    nees: position.Nees
    objects: list[ObjectRow]
    classes: Classes
    by_range: list[tuple[float, float, float, int]]
    alarms: Counter[str]
    worst: list[WorstTrack]
    scene: Scene
    pictures: list[Tracks]
    matches: list[Match]
    covered: Flags
    lives: list[TrackLife]
    gospa_m: Floats  # (S,)


def evaluate(recording: Recording, options: Options) -> Evaluation:
    """Return all measures.

    Raises:
        ValueError: no picture is within the time of the truth.
    """
    everything = sorted(recording.pictures, key=lambda tracks: tracks.stamp_ns)
    span = recording.span_ns
    kept = [t for t in everything if span is None or span[0] <= t.stamp_ns <= span[1]]
    if not kept:
        raise ValueError(f"none of the {len(everything)} pictures is within the time of the truth")
    pictures = [shown(tracks) for tracks in kept]
    scene = scene_at(
        recording.objects, np.array([t.stamp_ns for t in pictures], dtype=np.int64), options.max_truth_gap_s
    )
    scene = _looked_at(scene, options)
    gate = options.gate_m if options.gate_m is not None else gate_of(scene, np.array(options.sensor))
    period = options.update_period_s or DEFAULT_PERIODS * (scene.period_s if scene.period_s > 0 else 1.0)
    gap = options.gap_s or DEFAULT_PERIODS * (scene.period_s if scene.period_s > 0 else 1.0)

    matches = match(scene, pictures, gate, options.dimensions)
    paired = pairs(scene, pictures, matches)
    off = position.errors(paired)
    covered, updated = covered_scans(scene, matches), updated_scans(scene, paired)
    each = coverage(scene, covered, updated, period)
    ids, changes = id_changes(paired, len(scene.id))
    tracks = lives(pictures, matches, paired)
    classed = classes(paired, scene.class_id)
    listed = _by_scan(kept, recording.threats)
    impact = np.full(scene.there.shape, np.inf)
    for *place, radius_m in options.assets:
        impact = np.minimum(impact, true_time_to_impact(scene, np.array(place), radius_m))
    order = threat_order(scene, pictures, matches, listed, impact)
    told = alarms(recording.events, int(Severity.WARNING))
    nees = position.nees_summary(off.nees)

    measures = {
        **_coverage_measures(scene, each, updated, gap),
        **_error_measures(off, nees),
        **_identity_measures(scene, pictures, matches, paired, changes, ids),
        **_false_measures(scene, matches, tracks),
        "class_right": Measure(classed.right, classed.n),
        "class_wrong": Measure(classed.wrong, classed.n),
        "class_unknown": Measure(classed.unknown, classed.n),
        "calibration_error": Measure(classed.calibration_error, classed.n),
        **_threat_measures(order, scene),
        "alarms": Measure(float(sum(told.values())), len(pictures)),
        "alarms_per_hour": Measure(sum(told.values()) / scene.hours, len(pictures)),
        **_warfare_measures(recording),
    }
    scores, parts, long_term = _gospa_measures(scene, pictures, matches, gate, options.dimensions)
    measures |= parts | long_term
    rows = [_object(scene, i, each[i], paired, off, ids[i], changes[i]) for i in range(len(scene.id))]
    return Evaluation(
        options=options,
        gate_m=gate,
        update_period_s=period,
        gap_s=gap,
        scans=len(pictures),
        left_out=len(everything) - len(kept),
        measures=measures,
        nees=nees,
        objects=[row for row in rows if row.coverage.scans],
        classes=classed,
        by_range=against_range(scene, updated, np.array(options.sensor)),
        alarms=told,
        worst=worst_tracks(scene, pictures, matches, tracks, gate),
        scene=scene,
        pictures=pictures,
        matches=matches,
        covered=covered,
        lives=tracks,
        gospa_m=scores,
    )


def gate_of(scene: Scene, sensor: Floats) -> float:
    """Return the gate where nobody says: a hundredth of the farthest object's distance in view, of 10, 20, 50, 100 m ..."""
    s, n = np.nonzero(scene.in_view)
    if not len(s):
        return LEAST_GATE_M
    farthest = float(np.hypot(*(scene.state[s, n, :2] - sensor[:2]).T).max())
    wanted = max(GATE_SHARE * farthest, LEAST_GATE_M)
    decade = 10.0 ** math.floor(math.log10(wanted))
    return min((step * decade for step in (1.0, 2.0, 5.0, 10.0)), key=lambda value: abs(math.log(value / wanted)))


def _looked_at(scene: Scene, options: Options) -> Scene:
    """Return the scene with what is in view by the options too."""
    relative = scene.state[:, :, :3] - np.array(options.sensor)
    ground = np.hypot(relative[:, :, 0], relative[:, :, 1])
    height = np.nan_to_num(relative[:, :, 2])
    elevation = np.degrees(np.arctan2(height, ground))
    inside = (
        (np.hypot(ground, height) <= options.max_range_m)
        & (elevation >= options.min_elevation_deg)
        & (elevation <= options.max_elevation_deg)
    )
    return Scene(scene.time_ns, scene.id, scene.name, scene.class_id, scene.state, scene.there, scene.in_view & inside)


def _by_scan(kept: Sequence[Tracks], threats: Sequence[Threats]) -> dict[int, Threats]:
    """Return the threats by the scan that they assess."""
    scan = {(t.stamp_ns, t.sensor_id): s for s, t in enumerate(kept)}
    found = ((scan.get((t.stamp_ns, t.sensor_id)), t) for t in threats)
    return {s: t for s, t in found if s is not None}


def _coverage_measures(scene: Scene, each: Sequence[Coverage], updated: Flags, gap_s: float) -> dict[str, Measure]:
    seen = [one for one in each if one.scans]
    intervals = np.concatenate([np.diff(scene.time_s[updated[:, i]]) for i in range(len(scene.id))] or [np.empty(0)])
    confirmed = [one.to_confirmation_s for one in seen if math.isfinite(one.to_confirmation_s)]
    n = len(intervals)
    return {
        "coverage": ratio(sum(o.covered for o in seen), sum(o.scans for o in seen)),
        "update_probability": ratio(sum(o.slots_updated for o in seen), sum(o.slots for o in seen)),
        "update_interval_s": Measure(float(intervals.mean()) if n else math.nan, n),
        "long_gap_share": ratio(float((intervals > gap_s * (1 + 1e-9)).sum()), n),
        "longest_gap_s": Measure(max((o.longest_gap_s for o in seen), default=math.nan), sum(o.after_scans for o in seen)),
        "gap_share": ratio(sum(o.lost_scans for o in seen), sum(o.after_scans for o in seen)),
        "never_shown": Measure(float(sum(not o.covered for o in seen)), len(seen)),
        "to_confirmation_s": Measure(float(np.mean(confirmed)) if confirmed else math.nan, len(confirmed)),
    }  # fmt: skip


def _error_measures(off: position.Errors, nees: position.Nees) -> dict[str, Measure]:
    course = np.degrees(off.course)
    return {
        "rms_m": Measure(*position.rms(off.ground)),
        "rms_along_m": Measure(*position.rms(off.along)),
        "rms_across_m": Measure(*position.rms(off.across)),
        "rms_height_m": Measure(*position.rms(off.height)),
        "rms_speed_mps": Measure(*position.rms(off.speed)),
        "rms_course_deg": Measure(*position.rms(course)),
        "p95_m": percentile(off.ground, 95),
        "p90_along_m": percentile(off.along, 90),
        "p90_across_m": percentile(off.across, 90),
        "p90_speed_mps": percentile(off.speed, 90),
        "p90_course_deg": percentile(course, 90),
        "nees": Measure(nees.mean, nees.n),
        "nees_within_95": Measure(nees.within_95, nees.n),
    }


def _identity_measures(
    scene: Scene,
    pictures: Sequence[Tracks],
    matches: Sequence[Match],
    paired: Pairs,
    changes: Sequence[int],
    ids: Sequence[list[int]],
) -> dict[str, Measure]:
    counted_ids, near_truth, near_track = ([np.empty(0, dtype=np.int64)] for _ in range(3))
    for s, (picture, one) in enumerate(zip(pictures, matches, strict=True)):
        counted = one.kind != int(Kind.OUT_OF_VIEW)
        counted_ids.append(picture.track_id[counted])
        counts = counted[one.near_track] & scene.in_view[s, one.near_truth]
        near_truth.append(one.near_truth[counts])
        near_track.append(picture.track_id[one.near_track[counts]])
    name, n = np.unique(np.concatenate(counted_ids), return_counts=True)
    tracks = Counter(dict(zip(name.tolist(), n.tolist(), strict=True)))
    column = np.searchsorted(name, np.concatenate(near_track))  # one number a pair: many times faster than two
    pair, n = np.unique(np.concatenate(near_truth) * max(len(name), 1) + column, return_counts=True)
    truth, column = np.divmod(pair, max(len(name), 1))
    near = Counter(dict(zip(zip(truth.tolist(), name[column].tolist(), strict=True), n.tolist(), strict=True)))
    truths = Counter({i: int(n) for i, n in enumerate(scene.in_view.sum(axis=0)) if n})
    held: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for truth, track in zip(paired.truth.tolist(), paired.track_id.tolist(), strict=True):
        held[truth][track] += 1
    known = [len(one) for one in ids if one]
    return {
        "idf1": Measure(idf1(near, truths, tracks), sum(truths.values()) + sum(tracks.values())),
        "main_track_share": ratio(sum(c.most_common(1)[0][1] for c in held.values()), len(paired)),
        "id_changes": Measure(float(sum(changes)), len(known)),
        "ids_per_object": Measure(float(np.mean(known)) if known else math.nan, len(known)),
    }


def _false_measures(scene: Scene, matches: Sequence[Match], tracks: Sequence[TrackLife]) -> dict[str, Measure]:
    kinds = np.concatenate([one.kind for one in matches]) if matches else np.empty(0, dtype=np.int64)
    n, scans = len(kinds), len(matches)
    false = sum(life.kind is Kind.FALSE for life in tracks)
    double = sum(life.kind is Kind.DUPLICATE for life in tracks)
    with_false = sum(bool((one.kind == int(Kind.FALSE)).any()) for one in matches)
    shown = [int(np.count_nonzero(one.kind != int(Kind.OUT_OF_VIEW))) for one in matches]
    near = sum(abs(n_shown - int(there.sum())) <= 1 for n_shown, there in zip(shown, scene.in_view, strict=True))
    return {
        "count_within_1": ratio(near, scans),
        "false_tracks": Measure(float(false), scans),
        "false_tracks_per_hour": Measure(false / scene.hours, scans),
        "false_share": ratio(float((kinds == int(Kind.FALSE)).sum()), n),
        "false_scans_share": ratio(with_false, scans),
        "duplicate_tracks": Measure(float(double), scans),
        "duplicate_tracks_per_hour": Measure(double / scene.hours, scans),
        "duplicate_share": ratio(float((kinds == int(Kind.DUPLICATE)).sum()), n),
    }


def _threat_measures(order: ThreatOrder, scene: Scene) -> dict[str, Measure]:
    return {
        "threat_order": ratio(order.ordered, order.pairs),
        "threat_first_right": ratio(order.first_right, order.scans),
        "impact_error_s": Measure(*position.rms(order.impact_error_s)),
        "false_first_s": Measure(order.false_first * scene.period_s, order.assessed),
        "false_critical_s": Measure(order.false_critical * scene.period_s, order.assessed),
    }


def _warfare_measures(recording: Recording) -> dict[str, Measure]:
    emitters: Mapping[int, int] = recording.emitters or {}
    found = warfare(recording.signals, recording.advice, emitters)
    scans = len(emitters)  # 0, no data, where nobody knows who radiates
    return {
        "ew_signals": Measure(float(found.signals), len(recording.signals)),
        "ew_false_signals": Measure(float(found.false_signals), scans),
        "ew_advice": Measure(float(found.advice), len(recording.signals)),
        "ew_false_advice": Measure(float(found.false_advice), scans),
        "ew_signalled": ratio(found.scans_signalled, found.scans_on),
        "ew_advised": ratio(found.scans_advised, found.scans_on),
    }


def _gospa_measures(
    scene: Scene, pictures: Sequence[Tracks], matches: Sequence[Match], gate: float, dimensions: int
) -> tuple[Floats, dict[str, Measure], dict[str, Measure]]:
    """Return GOSPA of each scan, the measures of it, and those of T-GOSPA."""
    names = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *(picture.track_id for picture in pictures)]))
    scans = len(pictures)
    truth = scene.state[:, :, :dimensions]
    if dimensions > 2:
        truth = np.dstack([truth[:, :, :2], np.nan_to_num(truth[:, :, 2])])
    parts = np.zeros((scans, 3))
    near = []
    shown_scans = 0
    for s, (picture, one) in enumerate(zip(pictures, matches, strict=True)):
        counted, seen = one.kind != int(Kind.OUT_OF_VIEW), np.flatnonzero(scene.in_view[s])
        distance = distances(truth[s, seen], picture.state[counted, :3], dimensions)
        score = gospa_of(distance, c=gate)
        parts[s] = score.localisation, score.missed, score.false
        near.append(near_pairs(s, seen, np.searchsorted(names, picture.track_id[counted]), distance, gate))
        shown_scans += int(counted.sum())
    localisation, missed, false = parts.mean(axis=0)
    told = (int(scene.in_view.sum()), shown_scans)
    long_term = t_gospa_of(np.concatenate(near), (len(scene.id), len(names)), told, c=gate, gamma=gate / 2.0)
    return (
        np.sqrt(parts.sum(axis=1)),
        {
            "gospa_m": Measure(float(np.sqrt(parts.sum(axis=1).mean())), scans),
            "gospa_localisation_m2": Measure(float(localisation), scans),
            "gospa_missed_m2": Measure(float(missed), scans),
            "gospa_false_m2": Measure(float(false), scans),
        },
        {
            "t_gospa_m": Measure(long_term.total / math.sqrt(scans), scans),
            "t_gospa_switch_m2": Measure(long_term.switch / scans, scans),
        },
    )


def _object(
    scene: Scene, i: int, covered: Coverage, paired: Pairs, off: position.Errors, ids: list[int], changes: int
) -> ObjectRow:
    mine: Ints = np.flatnonzero(paired.truth == i)
    told = paired.class_id[mine]
    known = bool(scene.class_id[i])
    n = len(mine) if known else 0
    return ObjectRow(
        id=int(scene.id[i]),
        name=scene.name[i],
        class_id=int(scene.class_id[i]),
        coverage=covered,
        rms_m=Measure(*position.rms(off.ground[mine])),
        rms_along_m=Measure(*position.rms(off.along[mine])),
        rms_across_m=Measure(*position.rms(off.across[mine])),
        nees=position.nees_summary(off.nees[mine]),
        track_ids=ids,
        id_changes=changes,
        class_right=ratio(float((told == scene.class_id[i]).sum()) if known else 0.0, n),
        class_unknown=ratio(float((told == 0).sum()) if known else 0.0, n),
    )
