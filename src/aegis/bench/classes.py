# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What tracks are called, against the truth: right, wrong or UNKNOWN, by class, on random traffic of the simulated radar.

The traffic is drawn from what such objects do (`DRAWS`), neither from the stated table nor from the kinds that the network was
trained on: a light aircraft may be slower than any airliner, a drone smaller than a gull. All classes are to be met. Settings
are chosen with seeds below `SHOWN_SEED`; the figures shown are of the seeds from there on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from tqdm import tqdm

from aegis.core.detection.detector import Detector
from aegis.core.detection.settings import DetectionSettings
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import N_CLASSES, ClassId, Floats, Ints, TrackStatus
from aegis.models.store import track_model
from aegis.simulation.points import Simulator
from aegis.simulation.scenario import Scenario
from aegis.simulation.settings import SimulatorSettings

SHOWN_SEED = 1000
DURATION_S = 60.0
MATCH_M = 150.0  # a track farther from every object is none of theirs
OBJECTS = 2  # of each kind in a scenario
TURN_SHARE, MOST_TURN_DEG_S = 0.3, 6.0
SURE = 0.9
SHIPPED = TrackingSettings().classification.classifier


@dataclass(frozen=True)
class Draw:
    """What objects of one kind are like: uniform between bounds, but the RCS, which is normal in dBsm."""

    class_id: ClassId
    rcs_dbsm: tuple[float, float]  # mean and standard deviation from one object to the next
    speed_mps: tuple[float, float]
    height_m: tuple[float, float]
    range_m: tuple[float, float]
    still_share: float = 0.0  # of objects that hover or stand
    swerling: tuple[int, ...] = (1,)


DRAWS: dict[str, Draw] = {
    "drone": Draw(ClassId.DRONE, (-16.0, 4.0), (3.0, 25.0), (20.0, 400.0), (400.0, 3000.0), 0.3),
    "bird": Draw(ClassId.BIRD, (-25.0, 4.0), (6.0, 20.0), (10.0, 500.0), (300.0, 2000.0)),
    "light aircraft": Draw(ClassId.AIRCRAFT, (5.0, 3.0), (30.0, 90.0), (150.0, 2500.0), (1000.0, 8000.0)),
    "airliner": Draw(ClassId.AIRCRAFT, (18.0, 4.0), (65.0, 240.0), (300.0, 4000.0), (2000.0, 9000.0)),
    "jet": Draw(ClassId.AIRCRAFT, (4.0, 4.0), (100.0, 320.0), (100.0, 4000.0), (2000.0, 9000.0)),
    "helicopter": Draw(ClassId.HELICOPTER, (8.0, 4.0), (5.0, 80.0), (10.0, 1000.0), (600.0, 8000.0), 0.2, (0, 1)),
    "missile": Draw(ClassId.MISSILE, (-6.0, 4.0), (200.0, 800.0), (30.0, 4000.0), (4000.0, 9000.0)),
    "car": Draw(ClassId.VEHICLE, (12.0, 5.0), (3.0, 40.0), (0.5, 2.0), (300.0, 4000.0), 0.1),
    "walker": Draw(ClassId.PERSON, (-2.0, 3.0), (0.5, 2.5), (0.8, 1.2), (200.0, 2000.0)),
    "boat": Draw(ClassId.VESSEL, (18.0, 9.0), (0.5, 20.0), (1.0, 8.0), (500.0, 7000.0)),
    "mast": Draw(ClassId.CLUTTER, (5.0, 8.0), (0.0, 0.0), (0.0, 30.0), (300.0, 5000.0), 1.0, (0, 1)),
}


def traffic(seed: int) -> Scenario:
    """Return random traffic: `OBJECTS` of each kind, anywhere about the radar."""
    rng = np.random.default_rng(seed)
    targets = [_target(name, draw, k, rng) for name, draw in DRAWS.items() for k in range(OBJECTS)]
    return Scenario.model_validate({"name": f"traffic {seed}", "duration_s": DURATION_S, "targets": targets})


def _target(name: str, draw: Draw, k: int, rng: np.random.Generator) -> dict[str, Any]:
    bearing, course = rng.uniform(0.0, 2.0 * np.pi), rng.uniform(0.0, 360.0)
    distance, height = rng.uniform(*draw.range_m), rng.uniform(*draw.height_m)
    position = [float(distance * np.sin(bearing)), float(distance * np.cos(bearing)), float(height)]
    motion: dict[str, Any] = {"kind": "hovering", "position_m": position, "course_deg": course}
    if rng.random() >= draw.still_share:
        motion = {"kind": "straight", "position_m": position, "course_deg": course}
        motion["speed_mps"] = float(rng.uniform(*draw.speed_mps))
        if rng.random() < TURN_SHARE:
            motion |= {"kind": "turning", "turn_rate_deg_s": float(rng.uniform(-MOST_TURN_DEG_S, MOST_TURN_DEG_S))}
    return {
        "name": f"{name} {k}",
        "class": draw.class_id.name,
        "rcs_dbsm": float(np.clip(rng.normal(*draw.rcs_dbsm), -45.0, 60.0)),
        "swerling": int(rng.choice(draw.swerling)),
        "motion": motion,
    }


def confusion(seed: int, classifier: str = SHIPPED) -> dict[str, Ints]:
    """Return how many scans of tracks each kind of object (a key of `DRAWS`) was called each class, and at last surely wrongly.

    Arrays (N_CLASSES + 1,).
    """
    scenario = traffic(seed)
    settings = SimulatorSettings(seed=seed)
    radar, detector = Simulator(settings, scenario), Detector(DetectionSettings())
    tracking = TrackingSettings.load({"classification.classifier": classifier})
    tracker = Tracker(tracking, model=track_model(tracking.classification).model)
    kinds = [target.name.rsplit(" ", 1)[0] for target in scenario.targets]
    counts: dict[str, Ints] = {name: np.zeros(N_CLASSES + 1, dtype=np.int64) for name in DRAWS}
    for scan in range(round(DURATION_S / settings.interval_s)):
        t_s = scan * settings.interval_s
        detections, _ = detector.step(radar.step(t_s, round(t_s * 1e9)))
        picture = tracker.step(detections).tracks
        assert picture is not None  # no scan is late
        shown = np.flatnonzero(picture.status == int(TrackStatus.CONFIRMED))
        position, _ = scenario.position_velocity(t_s)
        for track, target in matches(picture.state[shown, :3], position):
            told = int(picture.class_id[shown[track]])
            counts[kinds[target]][told] += 1
            sure = picture.class_probability[shown[track], told] > SURE
            counts[kinds[target]][-1] += sure and told not in (ClassId.UNKNOWN, scenario.targets[target].class_id)
    return counts


def matches(tracks: Floats, truth: Floats) -> list[tuple[int, int]]:
    """Return pairs of tracks and objects, each in one at most, nearest together as a whole and no farther than `MATCH_M`."""
    distance = np.linalg.norm(tracks[:, None] - truth[None], axis=2)
    rows, columns = linear_sum_assignment(np.minimum(distance, MATCH_M))
    near = distance[rows, columns] < MATCH_M
    return list(zip(rows[near].tolist(), columns[near].tolist(), strict=True))


def run(runs: int, first_seed: int = SHOWN_SEED, classifier: str = SHIPPED) -> Iterator[dict[str, Any]]:
    """Measure on `runs` seeds what `classifier`, a parameter of tracking, says; yield a row for each kind and one for all."""
    total = {name: np.zeros(N_CLASSES + 1, dtype=np.int64) for name in DRAWS}
    for seed in tqdm(range(first_seed, first_seed + runs), unit="scenario", disable=None):
        for name, counts in confusion(seed, classifier).items():
            total[name] += counts
    sums = {"right": 0, "wrong": 0, "unknown": 0}
    surely = 0
    for name, counts in total.items():
        called = int(counts[:-1].sum())
        surely += int(counts[-1])
        right, unknown = int(counts[DRAWS[name].class_id]), int(counts[ClassId.UNKNOWN])
        parts = {"right": right, "wrong": called - right - unknown, "unknown": unknown}
        for part, count in parts.items():
            sums[part] += count
        wrong = {
            c.name: int(counts[c]) for c in ClassId if counts[c] and c not in (ClassId.UNKNOWN, DRAWS[name].class_id)
        }
        yield {"bench": "classes", "kind": name, "class": DRAWS[name].class_id.name, **_shares(parts), "called": wrong}
    share = round(100.0 * surely / max(sum(sums.values()), 1), 2)
    seeds = f"{first_seed}-{first_seed + runs - 1}"
    yield {"bench": "classes", "kind": "all", "seeds": seeds, **_shares(sums), "surely_wrong_%": share}


def _shares(parts: dict[str, int]) -> dict[str, Any]:
    total = max(sum(parts.values()), 1)
    return {
        "track_scans": sum(parts.values()),
        **{f"{name}_%": round(100.0 * n / total, 1) for name, n in parts.items()},
    }
