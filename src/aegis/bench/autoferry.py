# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A real maritime radar, each recording tracked by a profile that was chosen on the three others; ours and Stone Soup's alike.

The four Autoferry recordings (Helgesen et al., Ocean Engineering 2022): a harbour, two vessels of known place, a turn in 1.7 s.
Quays and moored boats have no truth, so that showing them costs score. Both trackers begin at what the sensor's data sheet and a
harbour tell, and go once through their parameters, each time to the value with the least mean GOSPA on the recordings to tune on.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from aegis.bench import BenchmarkError, Row, tracking
from aegis.bench.multitarget import DIM, Meta, Scenario
from aegis.core import metrics
from aegis.core.evaluation.matching import assign
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import Floats, Ints, TrackStatus

RECORDINGS = Path("../shared/data/autoferry_maritime_radar")
SCENARIOS = (2, 5, 13, 16)
RADAR = 2  # sensorID
CUTOFF_M, ORDER = 20.0, 2.0  # of GOSPA; a vessel is covered by a track within the cutoff
LEAST_COVERAGE = 0.8  # of a choice; a picture of nothing has a GOSPA too
PASSES = 1
VIEW_M, FASTEST_MPS = 1500.0, 10.0  # about the origin of the map: the radar sees 500 m, and moves

Choice = tuple[float, ...]
Pictures = Iterator[tuple[Ints, Floats]]  # ids (M,) and places (M, 2) of what is shown, scan by scan


class Parameter(NamedTuple):
    """What is searched: where it begins, and what else it may be."""

    name: str
    begin: float
    values: tuple[float, ...]


DELAYS_S = (0.0, 0.5, 1.0, 1.5)  # a plot's stamp is of when the radar had made it
OURS = (
    Parameter("sigma_m", 4.0, (3.0, 4.0, 6.0, 8.0)),
    Parameter("sensor.delay_s", 0.0, DELAYS_S),
    Parameter("sensor.detection_probability", 0.9, (0.8, 0.9)),
    Parameter("sensor.births_per_scan", 0.1, (0.03, 0.1, 0.3)),
    Parameter("clutter.radius_m", 0.0, (0.0, 50.0, 100.0, 200.0)),
    Parameter("birth.transient_share", 0.0, (0.0, 0.5, 0.7, 0.85)),
    Parameter("motion.acceleration_sigma_mps2", 0.3, (0.15, 0.3, 0.6)),
    Parameter("existence.mean_visible_s", 60.0, (30.0, 60.0, 170.0)),
    Parameter("existence.mean_hidden_s", 3.0, (3.0, 7.5, 15.0)),
    Parameter("existence.confirm_probability", 0.99, (0.8, 0.9, 0.95, 0.99)),
    Parameter("existence.demote_probability", 0.5, (0.3, 0.5, 0.7, 0.8)),
)
PEERS = (
    Parameter("sigma_m", 4.0, (3.0, 4.0, 6.0, 8.0)),
    Parameter("delay_s", 0.0, DELAYS_S),
    Parameter("acceleration", 0.1, (0.01, 0.03, 0.1, 0.3)),
    Parameter("gate", 4.0, (3.0, 3.5, 4.0, 4.5, 5.5)),
    Parameter("hits", 3, (2, 3, 4, 5, 6)),
    Parameter("misses", 5, (3, 4, 5, 7, 10)),
    Parameter("candidate_gate", 3.0, (2.0, 2.5, 3.0, 4.0)),
    Parameter("candidate_misses", 1, (1, 2, 3)),
)
KNOWN: dict[str, dict[str, float]] = {  # what is not searched
    "sensor": {"max_range_m": VIEW_M, "clutter_per_scan": 4.0},
    "birth": {"initial_speed_sigma_mps": FASTEST_MPS / 2.0, "initial_objects": 20.0},
    "motion": {"turn_rate_sigma_degps": 3.0, "turn_rate_change_degps": 0.5},
    "existence": {"mean_lifetime_s": 2400.0, "max_probability": 0.9999, "max_coast_s": 15.0},
}


class Score(NamedTuple):
    """How good the pictures of a recording are."""

    gospa: float  # mean over the scans [m]
    coverage: float  # share of the vessels shown, over all scans
    id_changes: int


def run(runs: int, recordings: Path = RECORDINGS) -> Iterator[Row]:
    """Yield a row for each recording, tracked by what was chosen on the others, and one of their means.

    Args:
        runs: of no use here: the same is found each time.
        recordings: folder of the recordings.

    Raises:
        BenchmarkError: a recording is not there, or Stone Soup is not installed.
    """
    del runs
    if importlib.util.find_spec("stonesoup") is None:
        raise BenchmarkError(
            "the peer, Stone Soup, is not installed; it comes with the extra: pip install 'aegis[bench]'"
        )
    absent = [s for s in SCENARIOS if not _file(recordings, s, "detections").is_file()]
    if absent:
        raise BenchmarkError(
            f"{recordings} has no scenario{absent[0]}; --recordings names the folder that has all of scenario"
            f"{', '.join(map(str, SCENARIOS))}"
        )
    scenarios = {s: read(recordings, s) for s in SCENARIOS}
    ways = {"": (OURS, _scorer(scenarios, ours)), "peer_": (PEERS, _scorer(scenarios, peers))}
    found: dict[str, list[Score]] = {prefix: [] for prefix in ways}
    for held in tqdm(SCENARIOS, unit="recording", disable=None):
        row: dict[str, object] = {"bench": "autoferry", "recording": held}
        for prefix, (parameters, scored) in ways.items():
            choice = chosen([s for s in SCENARIOS if s != held], parameters, scored)
            found[prefix].append(scored(choice, held))
            row |= _columns(prefix, found[prefix][-1:])
            row[f"{prefix}chosen"] = {p.name: v for p, v in zip(parameters, choice, strict=True)}
        yield row
    means: dict[str, object] = {"bench": "autoferry", "recording": "mean"}
    for prefix, scores in found.items():
        means |= _columns(prefix, scores)
    yield means


def _columns(prefix: str, scores: Sequence[Score]) -> dict[str, object]:
    return {prefix + name: round(float(np.mean([getattr(one, name) for one in scores])), 3) for name in Score._fields}


def _scorer(
    scenarios: Mapping[int, Scenario], follow: Callable[[Scenario, Choice], Pictures]
) -> Callable[[Choice, int], Score]:
    """Return what gives the score of a choice on a recording, once."""

    @cache
    def scored(choice: Choice, recording: int) -> Score:
        return score(scenarios[recording], follow(scenarios[recording], choice))

    return scored


def chosen(
    recordings: Sequence[int], parameters: Sequence[Parameter], scored: Callable[[Choice, int], Score]
) -> Choice:
    """Return the values with the least mean GOSPA on these recordings that a search along one parameter after another finds."""

    def cost(choice: Choice) -> tuple[bool, float]:
        scores = [scored(choice, recording) for recording in recordings]
        too_few = np.mean([one.coverage for one in scores]) < LEAST_COVERAGE
        return bool(too_few), float(np.mean([one.gospa for one in scores]))

    best = tuple(float(p.begin) for p in parameters)
    for _ in range(PASSES):
        for i, parameter in enumerate(parameters):
            tried = [(*best[:i], float(value), *best[i + 1 :]) for value in parameter.values]
            best = min([best, *tried], key=cost)
    return best


def ours(scenario: Scenario, choice: Choice) -> Pictures:
    """Yield our tracker's pictures of a recording."""
    values = dict(zip((p.name for p in OURS), choice, strict=True))
    scenario = with_errors(scenario, values.pop("sigma_m"))
    groups = {group: dict(known) for group, known in KNOWN.items()}
    for name, value in values.items():
        group, key = name.split(".")
        groups.setdefault(group, {})[key] = value
    settings = TrackingSettings.model_validate(groups)
    tracker = Tracker(settings)
    for k in range(len(scenario.times)):
        tracks = tracker.step(tracking.detections_of(scenario, k, settings)).tracks
        if tracks is None:
            raise RuntimeError(f"scan {k} was dropped: the recording's times must increase")
        confirmed = tracks.status != TrackStatus.TENTATIVE
        yield tracks.track_id[confirmed], tracks.state[confirmed, :DIM]


def peers(scenario: Scenario, choice: Choice) -> Pictures:
    """Yield the pictures of Stone Soup's tracker."""
    from aegis.bench import stonesoup_gnn

    sigma, delay_s, acceleration, gate, hits, misses, candidate_gate, candidate_misses = choice
    tuning = stonesoup_gnn.Tuning(
        gate, round(hits), round(misses), candidate_gate, round(candidate_misses), acceleration
    )
    for ids, state, _ in stonesoup_gnn.follow(with_errors(scenario, sigma), tuning):
        yield ids, state[:, ::2] + delay_s * state[:, 1::2]


def score(scenario: Scenario, pictures: Pictures) -> Score:
    """Return how good the pictures of a recording are."""
    totals, covered, vessels, changes = [], 0, 0, 0
    holder: dict[int, int] = {}
    for k, (ids, place) in enumerate(pictures):
        truth = scenario.truth(k)
        totals.append(metrics.gospa(truth, place, c=CUTOFF_M, p=ORDER).total)
        vessels += len(truth)
        rows, columns = assign(np.linalg.norm(truth[:, None] - place, axis=2), CUTOFF_M)
        covered += len(rows)
        for vessel, track in zip(rows.tolist(), ids[columns].tolist(), strict=True):
            changes += holder.get(vessel, track) != track
            holder[vessel] = track
    return Score(float(np.mean(totals)), covered / vessels, changes)


def _file(folder: Path, scenario: int, what: str) -> Path:
    return folder / f"scenario{scenario}" / f"scenario{scenario}_{what}.json"


def read(folder: Path, scenario: int) -> Scenario:
    """Return the radar's plots and the two vessels of a recording, east and north in the fixed frame."""
    rows, vessels = (json.loads(_file(folder, scenario, what).read_text()) for what in ("detections", "groundTruth"))
    times, plots, truth = [], [], []
    for row, there in zip(rows, vessels, strict=True):
        if row["sensorID"] == RADAR:
            # North and east of the ship, one plot a column.
            measured = np.array(row["measurement"], dtype=float).reshape(DIM, -1).T + row["ownshipPosition"][:DIM]
            times.append(row["time"])
            plots.append(measured[:, ::-1])
            truth.append(np.array([one["position"][:DIM] for one in there])[:, ::-1])
    scans, z = len(times), np.concatenate(plots)
    state = np.zeros((scans, len(truth[0]), 2 * DIM))
    state[:, :, ::2] = truth
    return Scenario(
        meta=Meta(
            n=state.shape[1], scans=scans, seed=0, lam_fa=4.0, lo=(-VIEW_M, -VIEW_M), hi=(VIEW_M, VIEW_M),
            dt=float(np.median(np.diff(times))), vmin=0.0, vmax=FASTEST_MPS,
        ),
        times=np.array(times),
        truth_scan=np.repeat(np.arange(scans), state.shape[1]),
        truth_id=np.tile(np.arange(state.shape[1]), scans),
        truth_x=state.reshape(-1, 2 * DIM),
        det_off=np.cumsum([0, *map(len, plots)]),
        det_z=z,
        det_R=np.tile(np.eye(DIM), (len(z), 1, 1)),
        det_truth=np.full(len(z), -1),
    )  # fmt: skip


def with_errors(scenario: Scenario, sigma_m: float) -> Scenario:
    """Return the scenario with this error of every plot along each axis."""
    return replace(
        scenario, meta=replace(scenario.meta, sigma=sigma_m), det_R=np.tile(sigma_m**2 * np.eye(DIM), (len(scenario.det_z), 1, 1))
    )  # fmt: skip
