# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The tracker in the published comparison of multi-Bernoulli filters: mean GOSPA, beside that of the PMB and the PMBM filter.

Xia, Granstrom, Svensson, Garcia-Fernandez, Performance evaluation of multi-Bernoulli conjugate priors for multi-target filtering
(FUSION 2017). Scenario 1: twelve targets that fly straight, five of them born at the same time and place as another one.
Scenario 2, `fusion2017_meet`: six that meet half way. The published figures are means of 200 runs with other random numbers.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from aegis.bench import Row, fusion2017_meet
from aegis.bench.multitarget import DIM, Meta, Scenario
from aegis.bench.tracking import detections_of
from aegis.core import metrics
from aegis.core.tracking.settings import (
    AssociationSettings,
    BirthPlace,
    BirthSettings,
    ClutterSettings,
    ExistenceSettings,
    MotionSettings,
    RegistrationSettings,
    SensorModel,
    TimelineSettings,
    TrackingSettings,
)
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import Floats

SEED = 2017
FEWEST_RUNS = 40  # a cell; fewer leave a standard error that hides the difference
SCANS = 100
HALF_WIDTH_M = 1000.0  # of the square region around the origin
POSITION_SIGMA_M = 10.0  # of a plot, and of a target's first position, along each axis
GOSPA_CUTOFF_M, GOSPA_ORDER = 100.0, 1.0

# A target a row: x [m], vx [m/s], y, vy, first scan, last scan; scans count from 1.
TARGETS = np.array(
    [
        (0.0, 0.0, 0.0, -10.0, 1, 50),
        (-200.0, -3.0, 800.0, -15.0, 1, 100),
        (-800.0, 20.0, -200.0, -5.0, 1, 50),
        (400.0, -7.0, -600.0, -4.0, 20, 70),
        (400.0, -2.5, -600.0, 10.0, 20, 100),
        (400.0, -10.0, -600.0, 5.0, 20, 100),
        (-200.0, 15.0, 800.0, -5.0, 40, 100),
        (-200.0, 15.0, 800.0, -10.0, 40, 100),
        (-800.0, 3.0, -200.0, 15.0, 60, 100),
        (0.0, 7.5, 0.0, -5.0, 60, 100),
        (0.0, -20.0, 0.0, -15.0, 80, 100),
        (-800.0, 12.0, -200.0, 7.0, 80, 100),
    ]
)

# What the filters of the paper are told. The velocity's sigma is not in the table that we have: it is of the size of the targets'
# velocities.
BIRTH_PLACES_M = ((0.0, 0.0), (400.0, -600.0), (-800.0, -200.0), (-200.0, 800.0))
BIRTHS_PER_PLACE = 0.1  # in a scan
BIRTH_SPEED_SIGMA_MPS = 10.0
ACCELERATION_SIGMA_MPS2 = 5.0
SURVIVAL = 0.99  # from one scan to the next

# What is ours, chosen on this scenario with other random numbers; one choice for all cells.
SHARPNESS = 2.0  # of the shares of associations: targets that begin in one place are told apart sooner
NAMED_EXISTENCE = 0.5  # below, no track is worth to be reported
KEPT_EXISTENCE = 1e-3  # below, a track that is not detected is dropped
BIRTHS_ELSEWHERE = 0.01  # expected in a scan anywhere in the view: how a target that was lost is found again


@dataclass(frozen=True)
class Cell:
    """A column of the published tables."""

    pd: float
    clutter: float  # mean number of false alarms in a scan
    published: float  # mean GOSPA of the PMB filter with loopy belief propagation
    published_pmbm: float | None = None  # of the PMBM filter; None: not at hand
    scenario: int = 1


CELLS = (
    Cell(0.98, 10.0, 64.7, 65.3), Cell(0.98, 30.0, 69.3, 70.7), Cell(0.75, 10.0, 90.3, 89.4), Cell(0.75, 30.0, 103.8, 103.4),
    *(
        Cell(pd, clutter, published, scenario=2)
        for pd, clutter, published in ((0.98, 10.0, 9.9), (0.98, 30.0, 12.4), (0.75, 10.0, 25.0), (0.75, 30.0, 30.6))
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Score:
    """Means over the scans of a run: GOSPA and what it is made of."""

    gospa: float
    localisation: float  # sum of the errors of the targets found [m]
    missed: float  # targets
    false: float  # estimates


def run(runs: int, cells: Sequence[Cell] = CELLS) -> Iterator[Row]:
    """Track every cell `runs` times, but no fewer than `FEWEST_RUNS`; yield a row a cell."""
    runs = max(runs, FEWEST_RUNS)
    with tqdm(total=runs * len(cells), unit="run", disable=None) as progress:
        for cell in cells:
            scores, seconds = [], []
            for k in range(runs):
                score, spent_s = measure(cell, SEED + k)
                scores.append(score)
                seconds.append(spent_s)
                progress.update()
            yield row(cell, scores, seconds)


def row(cell: Cell, scores: Sequence[Score], seconds: Sequence[float]) -> Row:
    """Return what is reported of a cell, from two or more runs and the CPU time [s] of each."""
    gospa = np.array([score.gospa for score in scores])
    return {
        "bench": "fusion2017",
        "pd": cell.pd,
        "clutter": cell.clutter,
        "runs": len(scores),
        "gospa": round(float(gospa.mean()), 2),
        "se": round(float(gospa.std(ddof=1) / np.sqrt(len(gospa))), 2),
        "published_pmb_lbp": cell.published,
        # Of scenario 2 the parameters of the paper are not known.
        "ratio": round(float(gospa.mean() / cell.published), 3) if cell.scenario == 1 else None,
        "published_pmbm": cell.published_pmbm,
        "ratio_pmbm": None if cell.published_pmbm is None else round(float(gospa.mean() / cell.published_pmbm), 3),
        "scenario": cell.scenario,
        "localisation": round(float(np.mean([score.localisation for score in scores])), 2),
        "missed": round(float(np.mean([score.missed for score in scores])), 3),
        "false": round(float(np.mean([score.false for score in scores])), 3),
        "cpu_s_per_run": round(float(np.median(seconds)), 4),
        "seed": SEED,
    }


def measure(cell: Cell, seed: int) -> tuple[Score, float]:
    """Return the score of one run, and the CPU time that the tracker took [s]."""
    scenario = simulate(cell, seed)
    settings = settings_of(cell)
    scans = [detections_of(scenario, k, settings) for k in range(len(scenario.times))]
    tracker = Tracker(settings)
    estimates, spent_s = [], 0.0
    for detections in scans:
        begin = time.process_time()
        tracks = tracker.step(detections).tracks
        spent_s += time.process_time() - begin
        if tracks is None:
            raise RuntimeError(f"scan {detections.sequence} was dropped: the scenario's times must increase")
        worth = worth_reporting(tracks.existence_probability, tracks.covariance[:, :DIM, :DIM])
        estimates.append(tracks.state[worth, :DIM])
    return score(scenario, estimates), spent_s


def simulate(cell: Cell, seed: int) -> Scenario:
    """Return truth and plots of one run. Of scenario 1 the targets' first positions, errors, misses and false alarms are drawn."""
    if cell.scenario == 2:
        return fusion2017_meet.simulate(cell.pd, cell.clutter, seed)
    rng = np.random.default_rng(seed)
    start = TARGETS[:, :4].copy()
    start[:, ::2] += rng.normal(0.0, POSITION_SIGMA_M, (len(TARGETS), DIM))
    first, last = TARGETS[:, 4], TARGETS[:, 5]
    ids, states, plots, origins = [], [], [], []
    for scan in range(1, SCANS + 1):
        alive = np.flatnonzero((first <= scan) & (scan <= last))
        state = start[alive]
        state[:, ::2] += state[:, 1::2] * (scan - first[alive])[:, None]
        ids.append(alive)
        states.append(state)
        seen = np.flatnonzero(rng.random(len(alive)) < cell.pd)
        false = rng.uniform(-HALF_WIDTH_M, HALF_WIDTH_M, (rng.poisson(cell.clutter), DIM))
        plot = np.concatenate([state[seen, ::2] + rng.normal(0.0, POSITION_SIGMA_M, (len(seen), DIM)), false])
        order = rng.permutation(len(plot))  # the order must not tell which plots are real
        plots.append(plot[order])
        origins.append(np.concatenate([alive[seen], np.full(len(false), -1)])[order])
    z = np.concatenate(plots)
    return Scenario(
        meta=Meta(
            n=len(TARGETS), scans=SCANS, seed=seed, lam_fa=cell.clutter, lo=(-HALF_WIDTH_M,) * DIM, hi=(HALF_WIDTH_M,) * DIM,
            pd=cell.pd, sigma=POSITION_SIGMA_M, q=ACCELERATION_SIGMA_MPS2**2, p_death=1.0 - SURVIVAL,
        ),
        times=np.arange(SCANS, dtype=float),
        truth_scan=np.repeat(np.arange(SCANS), [len(alive) for alive in ids]),
        truth_id=np.concatenate(ids),
        truth_x=np.concatenate(states),
        det_off=np.concatenate([[0], np.cumsum([len(plot) for plot in plots])]),
        det_z=z,
        det_R=np.broadcast_to(POSITION_SIGMA_M**2 * np.eye(DIM), (len(z), DIM, DIM)).copy(),
        det_truth=np.concatenate(origins),
    )  # fmt: skip


def settings_of(cell: Cell) -> TrackingSettings:
    """Return the tracker's parameters: what the paper's filters are told, and what is ours, above."""
    if cell.scenario == 2:
        sensor, birth = fusion2017_meet.told(cell.pd, cell.clutter)
        acceleration, survival = float(np.sqrt(fusion2017_meet.NOISE)), fusion2017_meet.SURVIVAL
    else:
        sensor, birth = _told(cell)
        acceleration, survival = ACCELERATION_SIGMA_MPS2, SURVIVAL
    return TrackingSettings(
        sensor=sensor,
        birth=birth,
        motion=MotionSettings(model="cv", acceleration_sigma_mps2=acceleration),
        association=AssociationSettings(
            method="pmb",
            sharpness=SHARPNESS,
            gate_probability=0.9999,
            cell_sigmas=0.0,  # each target gives a plot of its own, however close another is
        ),
        existence=ExistenceSettings(
            mean_lifetime_s=float(-1.0 / np.log(survival)),
            mean_visible_s=0.0,  # each miss is by chance
            confirm_probability=NAMED_EXISTENCE,
            delete_probability=KEPT_EXISTENCE,
            max_probability=0.9999,
        ),
        clutter=ClutterSettings(memory_s=0.0),  # false alarms are where and as many as stated
        timeline=TimelineSettings(reorder_window_s=0.0),
        registration=RegistrationSettings(mode="off"),
    )


def _told(cell: Cell) -> tuple[SensorModel, BirthSettings]:
    """Return what is told of sensor and births in scenario 1."""
    # The view is a disc around the region; false alarms are scaled to it, since it is their density that matters.
    view_m = float(np.hypot(HALF_WIDTH_M, HALF_WIDTH_M))
    discs = np.pi * view_m**2 / (2.0 * HALF_WIDTH_M) ** 2
    places = {
        f"place{i}": BirthPlace(x=x, y=y, sigma_m=POSITION_SIGMA_M, objects_per_scan=BIRTHS_PER_PLACE)
        for i, (x, y) in enumerate(BIRTH_PLACES_M)
    }
    sensor = SensorModel(
        max_range_m=view_m,
        detection_probability=cell.pd,
        clutter_per_scan=cell.clutter * discs,
        births_per_scan=BIRTHS_ELSEWHERE * discs,
    )
    return sensor, BirthSettings(places=places, initial_speed_sigma_mps=BIRTH_SPEED_SIGMA_MPS)


def worth_reporting(existence: Floats, covariance: Floats) -> NDArray[np.bool_]:
    """Return which tracks (N,) are the estimate with the least expected GOSPA of order 1, each by itself.

    A track that is reported costs its error where it exists, and otherwise half the cutoff; one that is not, half the cutoff where
    it exists. The mean distance is that of a round Gaussian of the same variance.

    Args:
        existence: (N,) probabilities; covariance: (N, 2, 2) of the places [m^2].
    """
    variance = np.trace(covariance, axis1=1, axis2=2) / DIM
    error = np.minimum(np.sqrt(np.pi / 2.0 * variance), GOSPA_CUTOFF_M)
    return np.asarray(existence * (GOSPA_CUTOFF_M - error) > GOSPA_CUTOFF_M / 2.0)


def score(scenario: Scenario, estimates: Sequence[Floats]) -> Score:
    """Return the score of estimates, (M, 2) positions [m] for each scan."""
    parts = [
        metrics.gospa(scenario.truth(k), estimate, c=GOSPA_CUTOFF_M, p=GOSPA_ORDER)
        for k, estimate in enumerate(estimates)
    ]
    one = GOSPA_CUTOFF_M**GOSPA_ORDER / 2.0  # what a missed or a false object costs
    return Score(
        gospa=float(np.mean([part.total for part in parts])),
        localisation=float(np.mean([part.localisation for part in parts])),
        missed=float(np.mean([part.missed for part in parts])) / one,
        false=float(np.mean([part.false for part in parts])) / one,
    )
