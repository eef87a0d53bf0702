"""Tracks to learn from: objects of all kinds, before radars of all families, through detection and tracking as they ship.

What a network is shown is what tracking remembers of a track, at some numbers of looks. Each example says of which kind, radar
family and day (family of seeds) it is, so that whole kinds, radars and days can be left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from aegis.core.classification.track_memory import FEATURES, features
from aegis.core.classification.track_model import Measured
from aegis.core.detection.detector import Detector
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import N_CLASSES, Floats, Ints, Scan, unknown
from aegis.simulation.kinds import KINDS, STRANGERS, Kind
from aegis.simulation.points import Simulator
from aegis.simulation.scenario import Scenario
from aegis.simulation.trajectories import Trajectories, Wandering
from aegis.training.radars import FAMILIES, DrawnRadar, drawn_radar

ALL_KINDS: dict[str, Kind] = {**KINDS, **STRANGERS}
SCANS = 45
SHOWN_AT = (1, 2, 3, 5, 7, 10, 14, 20, 30, 40)  # looks
OBJECTS = 26
SEEDS_A_DAY = 1000
MATCH_SIGMAS, LEAST_MATCH_M = 6.0, 3.0
LOWEST_SNR_DB, HIGHEST_SNR_DB = 13.0, 36.0


class Examples(NamedTuple):
    """N examples; what a track was at some number of looks."""

    features: NDArray[np.float32]  # (N, len(FEATURES))
    class_id: Ints  # (N,)
    kind: Ints  # (N,) index into ALL_KINDS
    radar: Ints  # (N,) index into FAMILIES
    day: Ints  # (N,) the seed's family
    looks: Ints  # (N,)
    track: Ints  # (N,) the same number for all examples of one track

    def __len__(self) -> int:
        return len(self.features)

    def take(self, chosen: NDArray[np.bool_] | Ints) -> Examples:
        """Return the chosen ones."""
        return Examples(
            self.features[chosen], self.class_id[chosen], self.kind[chosen], self.radar[chosen], self.day[chosen],
            self.looks[chosen], self.track[chosen],
        )  # fmt: skip

    @classmethod
    def joined(cls, parts: list[Examples]) -> Examples:
        """Return all examples of several."""
        return cls(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


class _Watching:
    """Gives no class, but makes tracking remember the looks."""

    name, basis, remembers, prior = "none", "none", True, np.ones(N_CLASSES)

    def probability(self, tracks: Measured, memory: Floats) -> Floats:
        out = np.zeros((memory.shape[1], N_CLASSES))
        out[:, 0] = 1.0
        return out


def examples(seed: int, *, strangers: bool = False) -> Examples:
    """Return what one random scene before one random radar gives; with `strangers` of kinds that nobody trains on."""
    rng = np.random.default_rng([seed, 13])
    family = list(FAMILIES)[int(rng.integers(len(FAMILIES)))]
    radar = drawn_radar(family, rng)
    kinds = STRANGERS if strangers else KINDS
    scene, names = _scene(radar, kinds, rng)
    simulator = Simulator(radar.simulator, scene, np.random.default_rng([seed, 14]))
    detector, tracker = Detector(radar.detection), Tracker(radar.tracking, model=_Watching())
    owner: dict[int, int] = {}  # the object of each track, by its number
    doubtful: set[int] = set()
    rows: list[tuple[Floats, int, int, int]] = []  # features, object, looks, track
    known = list(ALL_KINDS)
    for scan in range(SCANS):
        t_s = scan * radar.simulator.scan_interval_s
        points = _as_stated(simulator.step(t_s, 1_000_000_000 + round(t_s * 1e9)), radar)
        detections, _ = detector.step(points)
        tracks = tracker.step(detections).tracks
        if tracks is None or not len(tracks):
            continue
        state = tracker.state.tracks
        place = {int(i): k for k, i in enumerate(state["id"].tolist())}
        row = np.array([place[int(i)] for i in tracks.track_id])
        memory, just = state.memory[:, row], tracks.time_since_update <= 0.0
        for track, target in _matched(tracks.state, tracks.covariance, scene.position_velocity(t_s)[0]):
            number = int(tracks.track_id[track])
            if owner.setdefault(number, target) != target:
                doubtful.add(number)
        shown = np.flatnonzero(just & np.isin(memory[0], SHOWN_AT))
        if len(shown):
            found = features(memory[:, shown])
            for i, one in zip(shown.tolist(), found, strict=True):
                number = int(tracks.track_id[i])
                rows.append((one, owner.get(number, -1), int(memory[0, i]), number))
    rows = [r for r in rows if r[1] >= 0 and r[3] not in doubtful]
    kind = np.array([known.index(names[r[1]]) for r in rows], np.int64)
    n = len(rows)
    return Examples(
        np.array([r[0] for r in rows], np.float32).reshape(n, len(FEATURES)),
        np.array([int(ALL_KINDS[names[r[1]]].class_id) for r in rows], np.int64),
        kind,
        np.full(n, list(FAMILIES).index(family)),
        np.full(n, seed // SEEDS_A_DAY),
        np.array([r[2] for r in rows], np.int64),
        np.array([seed * 1000 + r[3] for r in rows], np.int64),
    )


def _scene(radar: DrawnRadar, kinds: Mapping[str, Kind], rng: np.random.Generator) -> tuple[Wandering, list[str]]:
    """Return random objects that the radar can see, and of which kind each is."""
    s = radar.simulator
    duration = (SCANS + 1) * s.scan_interval_s
    names: list[str] = []
    habits, starts, courses, targets = [], [], [], []
    pool = list(kinds)
    for _ in range(6 * OBJECTS):
        if len(names) == OBJECTS:
            break
        name = pool[int(rng.integers(len(pool)))]
        kind = kinds[name]
        rcs = float(np.clip(rng.normal(*kind.rcs_dbsm), -60.0, 60.0))
        if name == "anything":
            rcs = float(rng.uniform(-60.0, 60.0))
        one = kind.habits(rng)
        far = min(radar.range_at(rng.uniform(LOWEST_SNR_DB, HIGHEST_SNR_DB), rcs), 0.95 * s.farthest_m)
        near = max(s.blind_range_m, 0.03 * s.farthest_m)
        if far < near * 1.2:
            continue
        distance, bearing = rng.uniform(max(near, 0.4 * far), far), rng.uniform(0.0, 2.0 * np.pi)
        low, high = kind.height_m
        high = min(high, max(0.7 * distance, low + 1.0))
        height = low + (high - low) * rng.random() ** 2
        if height > 0.9 * distance:
            continue
        ground = float(np.sqrt(distance**2 - height**2))
        course = rng.uniform(0.0, 2.0 * np.pi)
        start = np.array([ground * np.sin(bearing), ground * np.cos(bearing), height])
        # Begin so that the middle of its way is there.
        start[:2] -= (
            0.5 * duration * one.speed_mps * np.array([np.sin(course), np.cos(course)]) * (one.stop_share < 0.5)
        )
        if np.hypot(*start[:2]) > s.farthest_m:
            continue
        names.append(name)
        habits.append(one)
        starts.append(start)
        courses.append(course)
        targets.append(
            {
                "name": f"{name} {len(names)}", "class": kind.class_id.name, "rcs_dbsm": rcs,
                "swerling": int(rng.choice(kind.swerling)), "motion": {"kind": "hovering", "position_m": [0.0, 0.0, 0.0]},
            }
        )  # fmt: skip
    step = min(0.25, s.scan_interval_s / 2.0)
    paths = Trajectories.drawn(np.array(starts).reshape(-1, 3), np.array(courses), habits, duration, step, rng)
    plain = Scenario.model_validate({"name": "training", "duration_s": duration, "targets": targets})
    return Wandering.of(plain, paths), names


def _as_stated(scan: Scan, radar: DrawnRadar) -> Scan:
    """Return a scan as the radar states it: its RCS wrongly calibrated, RCS or SNR perhaps not at all."""
    rcs = scan.rcs_dbsm + radar.rcs_bias_db if radar.states_rcs else unknown(len(scan))
    return replace(scan, rcs_dbsm=rcs, snr_db=scan.snr_db if radar.states_snr else unknown(len(scan)))


def _matched(state: Floats, covariance: Floats, truth: Floats) -> list[tuple[int, int]]:
    """Return pairs of tracks and objects that are surely the same: nearest together, and far from any other."""
    if not len(truth):
        return []
    distance = np.hypot(state[:, None, 0] - truth[None, :, 0], state[:, None, 1] - truth[None, :, 1])
    reach = np.maximum(MATCH_SIGMAS * np.sqrt(covariance[:, 0, 0] + covariance[:, 1, 1]), LEAST_MATCH_M)
    rows, columns = linear_sum_assignment(np.minimum(distance, reach[:, None]))
    near = (distance[rows, columns] < reach[rows]) & ((distance < 2.0 * reach[:, None]).sum(axis=1)[rows] == 1)
    return list(zip(rows[near].tolist(), columns[near].tolist(), strict=True))
