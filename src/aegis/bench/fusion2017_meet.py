# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Scenario 2 of the published comparison of multi-Bernoulli filters (see `fusion2017`): targets that meet.

Six targets that are millimetres from each other half way, where their plots cannot tell them apart; then they part. Williams,
Marginal multi-Bernoulli filters: RFS derivation of MHT, JIPDA, and association-based MeMBer (arXiv 1203.2995), has the motion and
the plots, and publishes a simulation; the first author of FUSION 2017 publishes one after it with his next paper (FUSION 2018), in
which a target begins every ten scans and lives for 51. This is written anew from both. What FUSION 2017 itself took is not at
hand, so that its figures have the size of ours, but are no yardstick to a per cent.
"""

from __future__ import annotations

import numpy as np

from aegis.bench.multitarget import DIM, Meta, Scenario
from aegis.core.tracking.settings import BirthSettings, SensorModel
from aegis.core.types import Floats

TARGETS = 6
NEW_EVERY, LIFE = 10, 51  # scans
SCANS = NEW_EVERY * (TARGETS - 1) + LIFE
MIDDLE = SCANS // 2
TOGETHER_VARIANCE = 1e-6  # of place [m^2] and velocity [m^2/s^2] half way, along each axis
NOISE = 0.01  # spectral density of the white acceleration [m^2/s^3]
SIGMA_M = 1.0  # of a plot, along each axis
HALF_WIDTH_M = 100.0  # of the square region around the origin
# What the filters are told, besides.
SURVIVAL = 0.99  # from one scan to the next
BIRTHS_PER_SCAN = 0.05  # anywhere in the region
BIRTH_SPEED_SIGMA_MPS = 1.0


def paths(rng: np.random.Generator) -> Floats:
    """Return states x vx y vy, (SCANS, TARGETS, 4): from half way on, and from there back, by the nearly constant velocity."""
    forth = np.kron(np.eye(DIM), [[1.0, 1.0], [0.0, 1.0]])
    back = np.linalg.inv(forth)
    root = np.linalg.cholesky(NOISE * np.kron(np.eye(DIM), [[1.0 / 3.0, 0.5], [0.5, 1.0]]))
    out = np.empty((SCANS, TARGETS, 2 * DIM))
    out[MIDDLE] = rng.normal(0.0, np.sqrt(TOGETHER_VARIANCE), (TARGETS, 2 * DIM))
    for k in range(MIDDLE):
        kick = rng.normal(size=(2, TARGETS, 2 * DIM)) @ root.T
        out[MIDDLE + k + 1] = out[MIDDLE + k] @ forth.T + kick[0]
        out[MIDDLE - k - 1] = (out[MIDDLE - k] + kick[1]) @ back.T
    return out


def simulate(pd: float, clutter: float, seed: int) -> Scenario:
    """Return truth and plots of one run: courses, errors, misses and false alarms are drawn.

    Args:
        pd: probability of detection; clutter: mean number of false alarms in a scan.
        seed: of the random numbers.
    """
    rng = np.random.default_rng(seed)
    states = paths(rng)
    begin = NEW_EVERY * np.arange(TARGETS)
    alive = [np.flatnonzero((begin <= k) & (k < begin + LIFE)) for k in range(SCANS)]
    plots, origins = [], []
    for k, there in enumerate(alive):
        seen = there[rng.random(len(there)) < pd]
        false = rng.uniform(-HALF_WIDTH_M, HALF_WIDTH_M, (rng.poisson(clutter), DIM))
        plot = np.concatenate([states[k, seen, ::2] + rng.normal(0.0, SIGMA_M, (len(seen), DIM)), false])
        order = rng.permutation(len(plot))  # the order must not tell which plots are real
        plots.append(plot[order])
        origins.append(np.concatenate([seen, np.full(len(false), -1)])[order])
    z = np.concatenate(plots)
    return Scenario(
        meta=Meta(
            n=TARGETS, scans=SCANS, seed=seed, lam_fa=clutter, lo=(-HALF_WIDTH_M,) * DIM, hi=(HALF_WIDTH_M,) * DIM, pd=pd,
            sigma=SIGMA_M, q=NOISE, p_death=1.0 - SURVIVAL,
        ),
        times=np.arange(SCANS, dtype=float),
        truth_scan=np.repeat(np.arange(SCANS), [len(there) for there in alive]),
        truth_id=np.concatenate(alive),
        truth_x=np.concatenate([states[k, there] for k, there in enumerate(alive)]),
        det_off=np.concatenate([[0], np.cumsum([len(plot) for plot in plots])]),
        det_z=z,
        det_R=np.broadcast_to(SIGMA_M**2 * np.eye(DIM), (len(z), DIM, DIM)).copy(),
        det_truth=np.concatenate(origins),
    )  # fmt: skip


def told(pd: float, clutter: float) -> tuple[SensorModel, BirthSettings]:
    """Return what a tracker is told of sensor and births.

    Args:
        pd, clutter: as for `simulate`.
    """
    # Courses drawn back from the middle may begin outside the region: densities are what matters.
    view_m = 3.0 * HALF_WIDTH_M
    discs = np.pi * view_m**2 / (2.0 * HALF_WIDTH_M) ** 2
    sensor = SensorModel(
        max_range_m=view_m,
        detection_probability=pd,
        clutter_per_scan=clutter * discs,
        births_per_scan=BIRTHS_PER_SCAN * discs,
    )
    return sensor, BirthSettings(initial_speed_sigma_mps=BIRTH_SPEED_SIGMA_MPS)
