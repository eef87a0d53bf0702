# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What one would write by hand beside `aegis bench tracking`: a filterpy Kalman filter a track, a gate, and scipy's assignment.

filterpy comes with the `bench` extra.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from filterpy.kalman import KalmanFilter
from scipy.optimize import linear_sum_assignment

from aegis.bench.multitarget import DIM, Meta, Scenario
from aegis.core.types import Floats

H = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])  # of the state x vx y vy
NEVER = 1e6  # the cost of a pair outside the gate


@dataclass(frozen=True)
class Tuning:
    """What can be tuned of it."""

    gate: float  # standard deviations between a prediction and a plot that may belong together
    hits: int  # plots that make a track of a candidate
    misses: int  # scans without a plot, in a row, that end a track
    candidate_misses: int  # and that end a candidate


# For the least GOSPA on n50 and d50 themselves (seed 1), which favours it: a search over gates 3-5, hits 2-4, misses 2-4 and
# candidate misses 1-2.
TUNING = {"n": Tuning(5.0, 4, 3, 1), "d": Tuning(4.0, 4, 4, 1)}


@dataclass
class Track:
    """One object, or a candidate for one."""

    filter: KalmanFilter
    hits: int = 1
    misses: int = 0
    confirmed: bool = False


def name() -> str:
    """Return what it is made of."""
    return f"a loop of filterpy {version('filterpy')} filters"


def track(scenario: Scenario, tuning: Tuning) -> Iterator[tuple[float, Floats]]:
    """Track a scenario; yield of each scan the CPU time [ms] and the positions (M, 2) [m] of its confirmed tracks."""
    tracks: list[Track] = []
    for scan in range(len(scenario.times)):
        z, covariance = scenario.plots(scan)
        begin = time.process_time()
        tracks = step(tracks, z, covariance, scenario.meta, tuning)
        spent_ms = (time.process_time() - begin) * 1e3
        yield spent_ms, np.array([t.filter.x[::2] for t in tracks if t.confirmed], dtype=float).reshape(-1, DIM)


def step(tracks: list[Track], z: Floats, covariance: Floats, meta: Meta, tuning: Tuning) -> list[Track]:
    """Return the tracks after a scan of plots (D, 2) with covariances (D, 2, 2); the filters are updated in place."""
    cost = np.full((len(tracks), len(z)), NEVER)
    R = covariance[0] if len(z) else np.zeros((DIM, DIM))
    for row, one in zip(cost, tracks, strict=True):
        one.filter.predict()
        spread = np.linalg.inv(H @ one.filter.P @ H.T + R)
        off = z - H @ one.filter.x
        squared = np.einsum("di,ij,dj->d", off, spread, off)
        inside = squared <= tuning.gate**2
        row[inside] = squared[inside]
    pairs = [(t, d) for t, d in zip(*linear_sum_assignment(cost), strict=True) if cost[t, d] < NEVER]
    for one in tracks:
        one.misses += 1
    for t, d in pairs:
        one = tracks[t]
        one.filter.update(z[d], R=covariance[d])
        one.hits, one.misses = one.hits + 1, 0
        one.confirmed = one.confirmed or one.hits >= tuning.hits
    kept = [one for one in tracks if one.misses < (tuning.misses if one.confirmed else tuning.candidate_misses)]
    taken = {d for _, d in pairs}
    return kept + [Track(begun(z[d], covariance[d], meta)) for d in range(len(z)) if d not in taken]


def begun(z: Floats, covariance: Floats, meta: Meta) -> KalmanFilter:
    """Return the filter of a new candidate from its first plot (2,): its velocity is that of any target of the scenario."""
    dt, speed_variance = meta.dt, (meta.vmin**2 + meta.vmin * meta.vmax + meta.vmax**2) / 6.0  # along one axis
    one = KalmanFilter(dim_x=4, dim_z=DIM)
    one.x = np.array([z[0], 0.0, z[1], 0.0])
    one.P = np.diag([covariance[0, 0], speed_variance, covariance[1, 1], speed_variance])
    one.F, one.H = np.kron(np.eye(DIM), [[1.0, dt], [0.0, 1.0]]), H
    one.Q = np.kron(np.eye(DIM), meta.q * np.array([[dt**3 / 3.0, dt**2 / 2.0], [dt**2 / 2.0, dt]]))
    return one
