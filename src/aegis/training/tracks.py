# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tracks to learn from: objects of all kinds, before radars of all families, through detection and tracking as they ship.

What a network is shown is what tracking remembers of a track, at some numbers of looks. Each example says of which kind, radar
family and day (family of seeds) it is, so that whole kinds, radars and days can be left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from aegis.core.classification.track_memory import FEATURES, Looks, blank, features, last_look, remembered
from aegis.core.classification.track_model import Measured
from aegis.core.detection.detector import Detector
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import N_CLASSES, Floats, Ints, Scan, unknown
from aegis.simulation.kinds import KINDS, MIXED, STRANGERS, Kind, mixed
from aegis.simulation.points import Simulator
from aegis.simulation.scenario import Scenario
from aegis.simulation.trajectories import Trajectories, Wandering
from aegis.training.radars import FAMILIES, DrawnRadar, drawn_radar

ALL_KINDS: dict[str, Kind] = {**KINDS, **STRANGERS}
SCANS = 60
SHOWN_AT = (1, 2, 3, 5, 7, 10, 14, 20, 30, 40, 50)  # looks
OBJECTS = 26
SEEDS_A_DAY = 1000
MATCH_SIGMAS, LEAST_MATCH_M = 6.0, 3.0
NONE, NONE_MORE = ("anything", MIXED), 2  # objects of no class, and how much oftener than a kind they come
LOWEST_SNR_DB, HIGHEST_SNR_DB = 13.0, 55.0  # at the farthest; an object comes nearer than that
NEAREST_SHARE = 0.3
UNSTATED_HEIGHT_SHARE = 0.3  # of sites where nobody said how high the antenna is: heights are above it there


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


class Histories(NamedTuple):
    """All looks at N tracks, in all L; features are made of them, so that those can change without simulating anew."""

    looks: NDArray[np.float32]  # (L, LOOK) one after the other of the first track, of the second...; see `looks_of`
    many: Ints  # (N,) looks of each track
    class_id: Ints  # (N,)
    kind: Ints  # (N,) index into ALL_KINDS
    radar: Ints  # (N,) index into FAMILIES
    seed: Ints  # (N,)
    track: Ints  # (N,)

    @classmethod
    def joined(cls, parts: list[Histories]) -> Histories:
        """Return all tracks of several."""
        return cls(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def examples(self, at_looks: Collection[int] = SHOWN_AT) -> Examples:
        """Return what each track was after some numbers of looks."""
        begin = np.cumsum(self.many) - self.many
        memory = blank(len(self.many))
        found: list[NDArray[np.float32]] = []
        chosen: list[Ints] = []
        at: list[Ints] = []
        for k in range(int(self.many.max(initial=0))):
            here = np.flatnonzero(self.many > k)
            memory[:, here] = remembered(memory[:, here], looks_of(self.looks[begin[here] + k].astype(np.float64)))
            if k + 1 in at_looks:
                found.append(features(memory[:, here]).astype(np.float32))
                chosen.append(here)
                at.append(np.full(len(here), k + 1))
        if not found:
            return Examples(np.empty((0, len(FEATURES)), np.float32), *(np.empty(0, np.int64) for _ in range(6)))
        which = np.concatenate(chosen)
        return Examples(
            np.concatenate(found), self.class_id[which], self.kind[which], self.radar[which], self.seed[which] // SEEDS_A_DAY,
            np.concatenate(at), self.track[which],
        )  # fmt: skip


LOOK = 14  # numbers of a look


def _flat(looks: Looks) -> Floats:
    """Return (F, LOOK) numbers."""
    return np.column_stack([looks.dt_s, looks.state, *looks[2:]])


def looks_of(flat: Floats) -> Looks:
    """Return the looks of (F, LOOK) numbers."""
    return Looks(flat[:, 0], flat[:, 1:7], *flat[:, 7:].T)


class Watching:
    """Gives no class, but makes tracking remember the looks."""

    name, basis, remembers, prior = "none", "none", True, np.ones(N_CLASSES)

    def probability(self, tracks: Measured, memory: Floats) -> Floats:
        """Return (S, N_CLASSES): surely UNKNOWN."""
        out = np.zeros((memory.shape[1], N_CLASSES))
        out[:, 0] = 1.0
        return out


def histories(seed: int, *, strangers: bool = False) -> Histories:
    """Return what one random scene before one random radar gives; with `strangers` of kinds that nobody trains on."""
    rng = np.random.default_rng([seed, 13])
    family = list(FAMILIES)[int(rng.integers(len(FAMILIES)))]
    radar = drawn_radar(family, rng)
    scene, names = drawn_scene(radar, STRANGERS if strangers else KINDS, rng)
    tracking = radar.tracking
    if np.random.default_rng([seed, 15]).random() < UNSTATED_HEIGHT_SHARE:
        tracking = tracking.model_copy(update={"sensor_z": 0.0})
    simulator = Simulator(radar.simulator, scene, np.random.default_rng([seed, 14]))
    found = observed(
        simulator,
        Detector(radar.detection),
        Tracker(tracking, model=Watching()),
        SCANS,
        lambda s: _as_stated(s, radar),
    )
    known, n = list(ALL_KINDS), len(found)
    return Histories(
        np.concatenate([np.empty((0, LOOK)), *(one.looks for one in found)]).astype(np.float32),
        np.array([len(one.looks) for one in found], np.int64),
        np.array([int(ALL_KINDS[names[one.target]].class_id) for one in found], np.int64),
        np.array([known.index(names[one.target]) for one in found], np.int64),
        np.full(n, list(FAMILIES).index(family)),
        np.full(n, seed),
        np.array([seed * 1000 + one.track for one in found], np.int64),
    )


class Observed(NamedTuple):
    """A track that shows one object."""

    track: int
    target: int  # of the scenario
    looks: Floats  # (K, LOOK)


def observed(
    simulator: Simulator,
    detector: Detector,
    tracker: Tracker,
    scans: int,
    stated: Callable[[Scan], Scan] = lambda scan: scan,
) -> list[Observed]:
    """Return the tracks that surely show one object each, with their looks.

    Args:
        simulator: of the radar and its scenario.
        detector, tracker: what follows it; the tracker has a model that remembers.
        scans: how many.
        stated: what the radar says of a scan.
    """
    owner: dict[int, int] = {}  # the object of each track, by its number
    doubtful: set[int] = set()
    before: dict[int, float] = {}  # the seconds that its memory held
    seen: dict[int, list[Floats]] = {}  # its looks
    for scan in range(scans):
        t_s = scan * simulator.settings.interval_s
        detections, _ = detector.step(stated(simulator.step(t_s, 1_000_000_000 + round(t_s * 1e9))))
        tracks = tracker.step(detections).tracks
        if tracks is None or not len(tracks):
            continue
        state = tracker.state.tracks
        place = {int(i): k for k, i in enumerate(state["id"].tolist())}
        memory = state.memory[:, [place[int(i)] for i in tracks.track_id]]
        there = np.flatnonzero(simulator.scenario.present(t_s))
        truth = simulator.scenario.position_velocity(t_s)[0][there]
        for track, target in _matched(tracks.state, tracks.covariance, truth):
            number = int(tracks.track_id[track])
            if owner.setdefault(number, int(there[target])) != there[target]:
                doubtful.add(number)
        numbers = tracks.track_id.tolist()
        flat = _flat(last_look(memory, np.array([before.get(number, np.nan) for number in numbers])))
        for i in np.flatnonzero((tracks.time_since_update <= 0.0) & (memory[0] > 0.0)).tolist():
            mine = seen.setdefault(numbers[i], [])
            if len(mine) < memory[0, i]:  # a new one that counts
                mine.append(flat[i])
                before[numbers[i]] = float(memory[1, i])
    return [
        Observed(number, owner[number], np.array(seen[number]))
        for number in seen
        if number in owner and number not in doubtful
    ]


def drawn_scene(
    radar: DrawnRadar, kinds: Mapping[str, Kind], rng: np.random.Generator, objects: int = OBJECTS, scans: int = SCANS
) -> tuple[Wandering, list[str]]:
    """Return random objects that the radar can see, as many where there is room, and of which kind each is."""
    s = radar.simulator
    duration = (scans + 1) * s.scan_interval_s
    names: list[str] = []
    habits, starts, courses, targets = [], [], [], []
    pool = list(kinds) + [name for name in NONE for _ in range(NONE_MORE) if name in kinds]
    for _ in range(6 * objects):
        if len(names) == objects:
            break
        name = pool[int(rng.integers(len(pool)))]
        kind = kinds[name]
        if name == MIXED:
            kind = mixed(rng)
        rcs = float(np.clip(rng.normal(*kind.rcs_dbsm), -60.0, 60.0))
        if name == "anything":
            rcs = float(rng.uniform(-60.0, 60.0))
        one = kind.habits(rng)
        far = min(radar.range_at(rng.uniform(LOWEST_SNR_DB, HIGHEST_SNR_DB), rcs), 0.95 * s.farthest_m)
        near = max(s.blind_range_m, 0.03 * s.farthest_m)
        if far < near * 1.2:
            continue
        distance, bearing = rng.uniform(max(near, NEAREST_SHARE * far), far), rng.uniform(0.0, 2.0 * np.pi)
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
                "name": f"{name} {len(names)}", "class": kinds[name].class_id.name, "rcs_dbsm": rcs,
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
