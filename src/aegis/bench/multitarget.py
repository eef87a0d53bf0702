# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The synthetic multi-target scenarios on which trackers are compared: made here, or read from a file; and their score.

A scenario is known by its name: the letter of its family and the number of targets, as n1000 or d50. Targets fly straight
(nearly constant velocity) over a square region; a plot is a position with its error. Each target dies with a given
probability a scan and a new one takes its place, so that their number stays. They may leave the region and are still seen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from aegis.core import metrics
from aegis.core.types import Floats, Ints

DIM = 2  # positions on the ground
GOSPA_CUTOFF_M, GOSPA_ORDER = 200.0, 2.0
FIRST_SCORED_SCAN = 10  # until then any tracker still waits for second and third detections


@dataclass(frozen=True)
class Family:
    """What the scenarios of one letter have in common."""

    spacing_m: float  # mean: the square root of the area that each target has
    false_alarms_per_target: float  # mean number in a scan


FAMILIES = {"n": Family(spacing_m=2000.0, false_alarms_per_target=0.2), "d": Family(1500.0, 1.0)}


@dataclass(frozen=True)
class Meta:
    """What a tracker may know of a scenario. The names are those of the files."""

    n: int  # targets at any time
    scans: int
    seed: int
    lam_fa: float  # mean number of false alarms in a scan, uniform over the region
    lo: tuple[float, ...]  # corners of the region [m]
    hi: tuple[float, ...]
    dim: int = DIM
    dt: float = 1.0  # between scans [s]
    pd: float = 0.9  # probability that a target is detected in a scan
    sigma: float = 30.0  # of the error of a plot along each axis [m]
    q: float = 1.0  # spectral density of the targets' white acceleration [m^2/s^3]
    vmin: float = 50.0  # speeds at birth are uniform between these [m/s]
    vmax: float = 250.0
    p_death: float = 0.005  # in a scan

    @property
    def area(self) -> float:
        """Of the region [m^2]."""
        return float(np.prod(np.subtract(self.hi, self.lo)))


@dataclass(frozen=True)
class Scenario:
    """Truth and plots of a number of scans. The names are those of the files."""

    meta: Meta
    times: Floats  # (K,) [s]
    truth_scan: Ints  # (T,)
    truth_id: Ints  # (T,)
    truth_x: Floats  # (T, 2 dim): x vx y vy [m, m/s]
    det_off: Ints  # (K + 1,): the plots of scan k are rows det_off[k]:det_off[k + 1]
    det_z: Floats  # (D, dim) [m]
    det_R: Floats  # noqa: N815  # (D, dim, dim) covariance of the plots' errors [m^2]
    det_truth: Ints  # (D,) the target behind each plot, -1 for a false alarm; for checks, never for a tracker

    def truth(self, scan: int) -> Floats:
        """Return the targets' positions (N, dim) in a scan [m]."""
        return self.truth_x[self.truth_scan == scan, ::2]

    def plots(self, scan: int) -> tuple[Floats, Floats]:
        """Return the positions (M, dim) [m] of the plots of a scan, and their covariances (M, dim, dim) [m^2]."""
        rows = slice(int(self.det_off[scan]), int(self.det_off[scan + 1]))
        return self.det_z[rows], self.det_R[rows]

    def write(self, path: Path) -> None:
        """Write a file that `read` reads: numpy's npz, `meta` as JSON text."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "meta"}
        np.savez_compressed(path, meta=np.array(json.dumps(asdict(self.meta))), **arrays)


def read(path: Path) -> Scenario:
    """Return the scenario in a file.

    Raises:
        ValueError: the file lacks something, or is not of two dimensions.
    """
    with np.load(path) as file:
        absent = [f.name for f in fields(Scenario) if f.name not in file]
        if absent:
            raise ValueError(f"{path}: no {', '.join(absent)}; these belong to a scenario file")
        stated: dict[str, Any] = json.loads(str(file["meta"]))
        arrays = {f.name: file[f.name] for f in fields(Scenario) if f.name != "meta"}
    known = {f.name: stated[f.name] for f in fields(Meta) if f.name in stated}
    meta = Meta(**{**known, "scans": len(arrays["times"]), "lo": tuple(stated["lo"]), "hi": tuple(stated["hi"])})
    if meta.dim != DIM:
        raise ValueError(f"{path}: {meta.dim} dimensions; only {DIM} are supported here")
    return Scenario(meta, **arrays)


def generate(name: str, scans: int, seed: int) -> Scenario:
    """Return the scenario of a name (n1000, d50), drawn with a seed.

    Raises:
        ValueError: no such family.
    """
    parts = re.fullmatch(r"([a-z]+)([1-9]\d*)", name)
    if parts is None or parts[1] not in FAMILIES:
        raise ValueError(f"no scenario '{name}'; a name is one of the letters {', '.join(FAMILIES)} and a number")
    n, family = int(parts[2]), FAMILIES[parts[1]]
    side = float(family.spacing_m * np.sqrt(n))
    meta = Meta(n, scans, seed, family.false_alarms_per_target * n, (0.0,) * DIM, (side,) * DIM)
    rng = np.random.default_rng(seed)
    target, state = np.arange(n), _born(n, meta, rng)
    ids: list[Ints] = []
    states: list[Floats] = []
    plots: list[Floats] = []
    origins: list[Ints] = []
    for scan in range(scans):
        if scan:
            state = _moved(state, meta, rng)
            dead = np.flatnonzero(rng.random(n) < meta.p_death)
            state[dead] = _born(len(dead), meta, rng)
            target = target.copy()
            target[dead] = np.arange(len(dead)) + (max(int(i.max()) for i in ids) + 1)
        ids.append(target)
        states.append(state)
        seen = np.flatnonzero(rng.random(n) < meta.pd)
        false = rng.uniform(meta.lo, meta.hi, (rng.poisson(meta.lam_fa), DIM))
        plot = np.concatenate([state[seen, ::2] + rng.normal(0.0, meta.sigma, (len(seen), DIM)), false])
        order = rng.permutation(len(plot))  # the order must not tell which plots are real
        plots.append(plot[order])
        origins.append(np.concatenate([target[seen], np.full(len(false), -1)])[order])
    det_z = np.concatenate(plots)
    return Scenario(
        meta=meta,
        times=np.arange(scans, dtype=np.float64) * meta.dt,
        truth_scan=np.repeat(np.arange(scans), n),
        truth_id=np.concatenate(ids),
        truth_x=np.concatenate(states),
        det_off=np.concatenate([[0], np.cumsum([len(plot) for plot in plots])]),
        det_z=det_z,
        det_R=np.broadcast_to(meta.sigma**2 * np.eye(DIM), (len(det_z), DIM, DIM)).copy(),
        det_truth=np.concatenate(origins),
    )


def _born(n: int, meta: Meta, rng: np.random.Generator) -> Floats:
    """Return (n, 4) states of new targets: anywhere in the region, on any course."""
    position = rng.uniform(meta.lo, meta.hi, (n, DIM))
    speed, course = rng.uniform(meta.vmin, meta.vmax, n), rng.uniform(0.0, 2.0 * np.pi, n)
    return np.column_stack([position[:, 0], speed * np.cos(course), position[:, 1], speed * np.sin(course)])


def _moved(state: Floats, meta: Meta, rng: np.random.Generator) -> Floats:
    """Return (n, 4) states one scan on: constant velocity with white acceleration.

    Bar-Shalom, Li, Kirubarajan, Estimation with Applications to Tracking and Navigation (2001), eq. 6.2.2-12.
    """
    dt = meta.dt
    noise = meta.q * np.array([[dt**3 / 3.0, dt**2 / 2.0], [dt**2 / 2.0, dt]])
    kicks = rng.multivariate_normal(np.zeros(2), noise, (len(state), DIM))  # (n, axis, position and velocity)
    moved = state + kicks.reshape(len(state), 2 * DIM)
    moved[:, ::2] += state[:, 1::2] * dt
    return moved


def gospa(truth: Floats, estimate: Floats) -> float:
    """Return GOSPA of positions (N, 2) and (M, 2) [m]; the same as `metrics.gospa`, for thousands of objects.

    A pair farther apart than the cutoff costs as much as one missed and one false object, so that what is not within the
    cutoff of one another, directly or through others, can be assigned separately.
    """
    near = cKDTree(truth).sparse_distance_matrix(cKDTree(estimate), GOSPA_CUTOFF_M, output_type="coo_matrix")
    size = len(truth) + len(estimate)
    graph = coo_array((np.ones(near.nnz, dtype=np.int8), (near.row, len(truth) + near.col)), shape=(size, size))
    count, label = connected_components(graph, directed=False)
    rows = np.split(np.argsort(label, kind="stable"), np.cumsum(np.bincount(label, minlength=count))[:-1])
    power = 0.0
    for members in rows:
        of_truth = members < len(truth)
        part = metrics.gospa(
            truth[members[of_truth]], estimate[members[~of_truth] - len(truth)], c=GOSPA_CUTOFF_M, p=GOSPA_ORDER
        )
        power += part.localisation + part.missed + part.false
    return float(power ** (1.0 / GOSPA_ORDER))


def rms_gospa(per_scan: Sequence[float]) -> float:
    """Return the root mean square over the scans that count, of GOSPA of every scan from the first on.

    Raises:
        ValueError: no scan counts.
    """
    scored = np.asarray(per_scan[FIRST_SCORED_SCAN:], dtype=float)
    if not len(scored):
        raise ValueError(f"{len(per_scan)} scans: the score begins at scan {FIRST_SCORED_SCAN}")
    return float(np.sqrt(np.mean(scored**2)))
