# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whether threats come in the order in which they will be there: simulated raids, and calm traffic, simulated and recorded.

A raid is some attackers that fly at the asset, among traffic that does not, seen by the simulated radar and tracked. Weights and
thresholds are chosen with seeds below `SHOWN_SEED`; the figures shown are of the seeds from there on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import spearmanr
from tqdm import tqdm

from aegis.bench import Row, three_digits
from aegis.bench.classes import DRAWS, matches
from aegis.bench.threat_recordings import recorded
from aegis.core.detection.detector import Detector
from aegis.core.detection.settings import DetectionSettings
from aegis.core.threat.assessor import Assessor
from aegis.core.threat.geometry import time_to_impact
from aegis.core.threat.settings import Asset, ThreatSettings
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import Floats, ThreatLevel, Tracks, TrackStatus
from aegis.models.store import track_model
from aegis.simulation.points import Simulator
from aegis.simulation.scenario import Scenario
from aegis.simulation.settings import SimulatorSettings

SHOWN_SEED = 1000
RADIUS_M = 100.0
CALM_S = 600.0  # of calm traffic, a seed
SCANS_TO_BE_FIRST = 5
SOON_S = 60.0  # who is CRITICAL and not there within it was so in vain


class _Attack(NamedTuple):
    """Attackers of a kind."""

    kind: str  # of `DRAWS`
    speed_mps: tuple[float, float]
    height_m: tuple[float, float]
    range_m: tuple[float, float]


_ATTACKS = (
    _Attack("drone", (12.0, 30.0), (40.0, 300.0), (600.0, 2000.0)),
    _Attack("missile", (200.0, 400.0), (50.0, 1500.0), (6000.0, 9500.0)),
    _Attack("jet", (100.0, 250.0), (100.0, 2000.0), (4000.0, 9500.0)),
    _Attack("helicopter", (40.0, 75.0), (50.0, 500.0), (2000.0, 5000.0)),
)
_BYSTANDERS = ("bird", "light aircraft", "airliner", "helicopter", "drone", "car", "boat")


@dataclass
class Watched:
    """What the tracker said of a scenario, and what was really there: for each scan."""

    tracks: list[Tracks] = field(default_factory=list)
    object_of: list[dict[int, int]] = field(default_factory=list)  # track id to object
    impact_s: list[Floats] = field(
        default_factory=list
    )  # (objects,) true time to impact; infinite where there will be none


def raid(seed: int) -> tuple[Scenario, int]:
    """Return a raid, and how many of its targets, the first ones, attack; it lasts until the last of them is there."""
    rng = np.random.default_rng(seed)
    targets: list[dict[str, Any]] = []
    attackers = int(rng.integers(2, 6))
    for k in range(attackers):
        attack = _ATTACKS[rng.integers(len(_ATTACKS))]
        speed, away, height = (
            rng.uniform(*attack.speed_mps),
            rng.uniform(*attack.range_m),
            rng.uniform(*attack.height_m),
        )
        bearing = rng.uniform(0.0, 2.0 * np.pi)
        aim = rng.uniform(-0.4, 0.4, size=2) * RADIUS_M
        start = np.array([away * np.sin(bearing), away * np.cos(bearing), height])
        flat = aim - start[:2]
        seconds = float(np.hypot(*flat)) / speed
        appears = float(rng.uniform(0.0, 20.0))
        targets.append(
            _target(f"{attack.kind} {k}", attack.kind, rng)
            | {
                "appears_s": appears,
                "disappears_s": appears + seconds,
                "motion": {
                    "kind": "straight",
                    "position_m": start.tolist(),
                    "course_deg": float(np.degrees(np.arctan2(*flat))),
                    "speed_mps": speed,
                    "climb_mps": (20.0 - height) / seconds,
                },
            }
        )
    last_s = max(target["disappears_s"] for target in targets)
    targets += [_bystander(k, rng) for k in range(int(rng.integers(4, 9)))]
    return Scenario.model_validate({"name": f"raid {seed}", "duration_s": last_s, "targets": targets}), attackers


def calm(seed: int) -> Scenario:
    """Return calm traffic: what passes, none of it at the asset."""
    rng = np.random.default_rng(seed)
    targets = []
    for k in range(40):
        appears = float(rng.uniform(0.0, CALM_S))
        targets.append(
            _bystander(k, rng) | {"appears_s": appears, "disappears_s": min(appears + rng.uniform(60.0, 200.0), CALM_S)}
        )
    return Scenario.model_validate({"name": f"calm {seed}", "duration_s": CALM_S, "targets": targets})


def _target(name: str, kind: str, rng: np.random.Generator) -> dict[str, object]:
    draw = DRAWS[kind]
    return {
        "name": name,
        "class": draw.class_id.name,
        "rcs_dbsm": float(np.clip(rng.normal(*draw.rcs_dbsm), -45.0, 60.0)),
        "swerling": int(rng.choice(draw.swerling)),
    }


def _bystander(k: int, rng: np.random.Generator) -> dict[str, object]:
    """Return an object that goes its way, and misses the asset by several of its radii."""
    kind = _BYSTANDERS[rng.integers(len(_BYSTANDERS))]
    draw = DRAWS[kind]
    speed, away, height = rng.uniform(*draw.speed_mps), rng.uniform(*draw.range_m), rng.uniform(*draw.height_m)
    bearing = rng.uniform(0.0, 2.0 * np.pi)
    away = max(away, 5.0 * RADIUS_M)  # from nearer by, no course misses by as much
    start = np.array([away * np.sin(bearing), away * np.cos(bearing), height])
    while True:
        course = rng.uniform(0.0, 2.0 * np.pi)
        ahead = np.array([np.sin(course), np.cos(course)])
        time = max(0.0, -float(start[:2] @ ahead))
        if np.linalg.norm([*(start[:2] + ahead * time), height]) > 4.0 * RADIUS_M:
            break
    motion = {"kind": "straight", "position_m": start.tolist(), "course_deg": float(np.degrees(course))}
    return _target(f"{kind} by {k}", kind, rng) | {"motion": motion | {"speed_mps": speed}}


def watch(scenario: Scenario, seed: int) -> Watched:
    """Let the simulated radar look at a scenario, and track what it sees, with the classes that ship."""
    settings = SimulatorSettings(seed=seed)
    radar, detector = Simulator(settings, scenario), Detector(DetectionSettings())
    tracking = TrackingSettings()
    tracker = Tracker(tracking, model=track_model(tracking.classification).model)
    begins = np.array([target.appears_s for target in scenario.targets])
    ends = np.array([target.disappears_s or scenario.duration_s for target in scenario.targets])
    out = Watched()
    for scan in range(round(scenario.duration_s / settings.interval_s)):
        t_s = scan * settings.interval_s
        detections, _ = detector.step(radar.step(t_s, round(t_s * 1e9)))
        picture = tracker.step(detections).tracks
        assert picture is not None  # no scan is late
        position, velocity = scenario.position_velocity(t_s)
        there = (begins <= t_s) & (t_s < ends)
        impact = time_to_impact(position, velocity, RADIUS_M)
        shown = np.flatnonzero(picture.status != int(TrackStatus.TENTATIVE))
        objects = np.flatnonzero(there)
        pairs = matches(picture.state[shown, :3], position[objects])
        out.tracks.append(picture)
        out.object_of.append({int(picture.track_id[shown[row]]): int(objects[k]) for row, k in pairs})
        out.impact_s.append(np.where(there & np.isfinite(impact), impact, np.inf))
    return out


@dataclass
class Raids:
    """What was found of some raids."""

    correlation: list[float] = field(default_factory=list)  # of each raid, between score and how soon, of attackers
    ordered: int = 0  # pairs of objects in a picture in the right order
    pairs: int = 0  # of which one at least attacks
    first: list[bool] = field(
        default_factory=list
    )  # of each attacker that was the next, five scans after it was confirmed
    score: list[float] = field(default_factory=list)
    impact_s: list[float] = field(default_factory=list)


def judge(watched: Watched, attackers: int, settings: ThreatSettings, out: Raids) -> None:
    """Assess a raid, and add what was found."""
    assessor = Assessor(settings)
    scores: list[float] = []
    impacts: list[float] = []
    confirmed_at: dict[int, int] = {}
    for scan, (tracks, object_of, impact) in enumerate(
        zip(watched.tracks, watched.object_of, watched.impact_s, strict=True)
    ):
        threats, _ = assessor.step(tracks)
        rows = [
            (object_of[i], float(s))
            for i, s in zip(threats.track_id.tolist(), threats.score, strict=True)
            if i in object_of
        ]
        for k, _ in rows:
            if k < attackers:
                confirmed_at.setdefault(k, scan)
        due = [(float(impact[k]), s) for k, s in rows]
        scores += [s for t, s in due if np.isfinite(t)]
        impacts += [t for t, s in due if np.isfinite(t)]
        for a, (first, _) in enumerate(due):
            for second, _ in due[a + 1 :]:
                if first != second:
                    out.pairs += 1
                    out.ordered += first < second
        # The next of those that were confirmed five scans ago or earlier has to be first.
        new = [k for k, at in confirmed_at.items() if at == scan - SCANS_TO_BE_FIRST and np.isfinite(impact[k])]
        known = [k for k, _ in rows if np.isfinite(impact[k]) and confirmed_at[k] <= scan - SCANS_TO_BE_FIRST]
        for k in new:
            if known and k == min(known, key=lambda one: impact[one]):
                later = [one for one, _ in rows if confirmed_at.get(one, scan) > scan - SCANS_TO_BE_FIRST]
                ranked = [one for one, _ in rows if one not in later]
                false_first = bool(len(threats)) and int(threats.track_id[0]) not in object_of
                out.first.append(bool(ranked) and ranked[0] == k and not false_first)
    if len(set(impacts)) > 2:
        out.correlation.append(float(spearmanr(scores, np.negative(impacts)).statistic))
    out.score += scores
    out.impact_s += impacts


@dataclass
class Quiet:
    """What was found of calm traffic."""

    hours: float = 0.0
    critical: int = 0  # times that a track became CRITICAL
    in_vain: int = 0  # of these: that never entered the asset within `SOON_S`
    high: int = 0


def judge_calm(
    pictures: list[Tracks],
    settings: ThreatSettings,
    hours: float,
    out: Quiet,
    entered: dict[int, list[float]] | None = None,
) -> None:
    """Assess calm traffic, and add what was found; `entered` has the times [s] at which each track enters the asset, if any."""
    assessor = Assessor(settings)
    out.hours += hours
    for tracks in pictures:
        for change in assessor.step(tracks)[1]:
            before = change.before or ThreatLevel.LOW
            out.high += change.after >= ThreatLevel.HIGH > before
            if change.after is ThreatLevel.CRITICAL:
                out.critical += 1
                now = tracks.stamp_ns * 1e-9
                out.in_vain += not any(0.0 <= at - now <= SOON_S for at in (entered or {}).get(change.track_id, ()))


def settings_listing_all(asset: Asset | None = None) -> ThreatSettings:
    """Return the settings that ship, with all tracks in the list."""
    return ThreatSettings(asset=asset or Asset(), levels={"listed_from": "LOW"})  # type: ignore[arg-type]


def run(runs: int, *, recordings: Path | None = None, first_seed: int = SHOWN_SEED) -> Iterator[Row]:
    """Measure.

    Args:
        runs: 20 raids and three hours of calm traffic for each.
        recordings: a folder with recorded traffic (`stonesoup_demos`, `cat062_30min`); None for none.
        first_seed: of the raids and of the traffic.
    """
    settings = settings_listing_all()
    found = Raids()
    for seed in tqdm(range(first_seed, first_seed + 20 * runs), unit="raid", disable=None):
        scenario, attackers = raid(seed)
        judge(watch(scenario, seed), attackers, settings, found)
    yield {
        "bench": "threat",
        "traffic": "raids",
        "raids": 20 * runs,
        "seeds": f"{first_seed}-{first_seed + 20 * runs - 1}",
        "rank_correlation": three_digits(float(np.mean(found.correlation))),
        "rank_correlation_worst_tenth": three_digits(float(np.quantile(found.correlation, 0.1))),
        "rank_correlation_pooled": three_digits(float(spearmanr(found.score, np.negative(found.impact_s)).statistic)),
        "pairs_in_order": three_digits(found.ordered / max(found.pairs, 1)),
        "first_right": three_digits(float(np.mean(found.first))),
        "attackers_next": len(found.first),
    }
    quiet = Quiet()
    for seed in tqdm(range(first_seed, first_seed + 18 * runs), unit="calm", disable=None):
        judge_calm(watch(calm(seed), seed).tracks, settings, CALM_S / 3600.0, quiet)
    yield _calm_row("simulated", quiet)
    if recordings is not None:
        for name, scenes in recorded(recordings):
            quiet = Quiet()
            for scene in tqdm(scenes, unit="place", disable=None):
                judge_calm(scene.tracks, settings_listing_all(scene.asset), scene.hours, quiet, scene.entered)
            yield _calm_row(name, quiet)


def _calm_row(traffic: str, quiet: Quiet) -> Row:
    return {
        "bench": "threat",
        "traffic": traffic,
        "hours": round(quiet.hours, 2),
        "critical": quiet.critical,
        "critical_in_vain": quiet.in_vain,
        "false_critical_per_hour": three_digits(quiet.in_vain / quiet.hours),
        "alarms_per_hour": three_digits(quiet.critical / quiet.hours),
        "became_high_per_hour": three_digits(quiet.high / quiet.hours),
    }
