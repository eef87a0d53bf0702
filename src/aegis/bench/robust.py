# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The tracker as it ships in worlds that are not what it was told, beside Stone Soup's, tuned for the nominal one.

Neither is told which world it is in: our parameters are the defaults, which are right for the nominal world, as is what the peer is
told. At the end, what robustness costs where nothing is wrong: GOSPA of the families n and d at the defaults and at what is best.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from aegis.bench import BenchmarkError, Row, multitarget, tracking
from aegis.bench.mismatch import DURATION_S, VIEW_M, WORLDS, World, simulate
from aegis.bench.multitarget import GOSPA_CUTOFF_M, GOSPA_ORDER, Scenario
from aegis.core import metrics
from aegis.core.evaluation.identity import id_changes, lives
from aegis.core.evaluation.matching import Kind, match, pairs, shown
from aegis.core.evaluation.scene import Scene
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import N_CLASSES, ClassId, Tracks, TrackStatus

NOMINAL = {"n50": 50, "n200": 50, "d50": 50}  # scenarios in which nothing is wrong, and their scans
# What is best there: misses by chance, false alarms where and as many as stated, errors as stated, a plot of each object.
UNSUSPECTING: dict[str, dict[str, float | str]] = {
    "existence": {"mean_visible_s": 0.0},
    "clutter": {"memory_s": 0.0},
    "association": {"gate_probability": 0.997, "cell_sigmas": 0.0},
    "consistency": {"mode": "off"},
}


@dataclass(frozen=True)
class Score:
    """How good the pictures of a run are."""

    gospa: float  # mean over the scans [m]
    false_per_minute: float  # tracks that showed nothing for most of their lives
    id_changes: float  # in the run, of all targets
    coverage: float  # share of the targets in view that a track showed, over all scans


def run(runs: int, worlds: Sequence[World] = WORLDS, nominal: Sequence[str] = tuple(NOMINAL)) -> Iterator[Row]:
    """Yield a row for each world, of means over the seeds 1 to `runs`; then those of the nominal families.

    Raises:
        BenchmarkError: Stone Soup is not installed.
    """
    if importlib.util.find_spec("stonesoup") is None:
        raise BenchmarkError(
            "the peer, Stone Soup, is not installed; it comes with the extra: pip install 'aegis[bench]'"
        )
    for world in tqdm(worlds, unit="world", disable=None):
        scenarios = [simulate(world, seed) for seed in range(1, runs + 1)]
        mine, theirs = (
            [score(scenario, tracked) for scenario, tracked in zip(scenarios, map(way, scenarios), strict=True)]
            for way in (ours, peers)
        )
        row: dict[str, object] = {"bench": "robust", "world": world.name, "runs": runs}
        for prefix, scores in (("", mine), ("peer_", theirs)):
            for name, digits in (("gospa", 1), ("false_per_minute", 2), ("id_changes", 2), ("coverage", 3)):
                row[prefix + name] = round(float(np.mean([getattr(one, name) for one in scores])), digits)
        yield row
    for name in nominal:
        yield {"bench": "robust", "world": f"{name}, as stated", "runs": runs, **_cost(name, runs)}


def _cost(name: str, runs: int) -> dict[str, float]:
    """Return GOSPA of a scenario in which nothing is wrong: at the defaults and at what is best there."""
    found: dict[str, list[float]] = {"gospa": [], "unsuspecting_gospa": []}
    for seed in range(1, runs + 1):
        scenario = multitarget.generate(name, NOMINAL[name], seed)
        stated = tracking.settings_of(scenario.meta)
        hiding = stated.existence.model_copy(update={"mean_visible_s": TrackingSettings().existence.mean_visible_s})
        values = stated.model_dump()
        unsuspecting = TrackingSettings.model_validate(
            {**values, **{group: {**values[group], **said} for group, said in UNSUSPECTING.items()}}
        )
        for key, settings in (
            ("gospa", stated.model_copy(update={"existence": hiding})), ("unsuspecting_gospa", unsuspecting)
        ):  # fmt: skip
            per_scan = [
                multitarget.gospa(scenario.truth(k), tracks.state[tracks.status != TrackStatus.TENTATIVE, :2])
                for k, tracks in enumerate(_pictures(scenario, settings))
            ]
            found[key].append(multitarget.rms_gospa(per_scan))
    out = {key: round(float(np.mean(values)), 1) for key, values in found.items()}
    return {**out, "cost": round(out["gospa"] / out["unsuspecting_gospa"] - 1.0, 3)}


def ours(scenario: Scenario) -> list[Tracks]:
    """Return the pictures of the tracker at its defaults."""
    return _pictures(scenario, TrackingSettings())


def peers(scenario: Scenario) -> list[Tracks]:
    """Return the pictures of Stone Soup's tracker, tuned for the nominal world."""
    from aegis.bench import stonesoup_gnn

    out = []
    for k, (ids, state, covariance) in enumerate(stonesoup_gnn.follow(scenario, stonesoup_gnn.TUNING["mismatch"])):
        n = len(ids)
        whole, spread = np.zeros((n, 6)), np.tile(np.eye(6), (n, 1, 1))
        whole[:, [0, 3, 1, 4]] = state
        spread[np.ix_(range(n), [0, 3, 1, 4], [0, 3, 1, 4])] = covariance
        out.append(_picture(round(scenario.times[k] * 1e9), ids, whole, spread))
    return out


def _pictures(scenario: Scenario, settings: TrackingSettings) -> list[Tracks]:
    tracker, out = Tracker(settings), []
    for k in range(len(scenario.times)):
        tracks = tracker.step(tracking.detections_of(scenario, k, settings)).tracks
        if tracks is None:
            raise RuntimeError(f"scan {k} was dropped: the scenario's times must increase")
        out.append(tracks)
    return out


def _picture(stamp_ns: int, ids: np.ndarray, state: np.ndarray, covariance: np.ndarray) -> Tracks:
    """Return confirmed tracks of which no more is known."""
    n = len(ids)
    return Tracks(
        stamp_ns=stamp_ns, frame_id="map", sequence=0, sensor_id="", track_id=ids,
        status=np.full(n, int(TrackStatus.CONFIRMED)), state=state, covariance=covariance,
        class_id=np.full(n, int(ClassId.UNKNOWN)), class_probability=np.zeros((n, N_CLASSES)),
        existence_probability=np.ones(n), rcs_dbsm=np.full(n, np.nan), age=np.zeros(n), time_since_update=np.zeros(n),
        hits=np.ones(n, dtype=np.int64),
    )  # fmt: skip


def score(scenario: Scenario, pictures: Sequence[Tracks]) -> Score:
    """Return the score of pictures. What shows a target out of view is neither right nor wrong."""
    scans, targets = len(scenario.times), int(scenario.truth_id.max()) + 1
    state = np.zeros((scans, targets, 6))
    state[:, :, [0, 3, 1, 4]] = scenario.truth_x.reshape(scans, targets, 4)
    in_view = np.hypot(state[:, :, 0], state[:, :, 1]) <= VIEW_M
    scene = Scene(
        time_ns=np.rint(scenario.times * 1e9).astype(np.int64), id=np.arange(targets), name=[str(i) for i in range(targets)],
        class_id=np.zeros(targets, dtype=np.int64), state=state, there=np.ones_like(in_view), in_view=in_view,
    )  # fmt: skip
    believed = [shown(tracks) for tracks in pictures]
    matches = match(scene, believed, GOSPA_CUTOFF_M)
    found = pairs(scene, believed, matches)
    totals = [
        metrics.gospa(
            state[k, in_view[k], :2], tracks.state[one.kind != Kind.OUT_OF_VIEW, :2], c=GOSPA_CUTOFF_M, p=GOSPA_ORDER
        ).total
        for k, (tracks, one) in enumerate(zip(believed, matches, strict=True))
    ]
    false = sum(life.kind == Kind.FALSE for life in lives(believed, matches, found))
    _, changes = id_changes(found, targets)
    return Score(
        gospa=float(np.mean(totals)),
        false_per_minute=false / (DURATION_S / 60.0),
        id_changes=float(sum(changes)),
        coverage=len(found) / int(in_view.sum()),
    )
