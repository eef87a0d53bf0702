# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Radars with biases and rates of their own that look at the same objects: what each of them detects, and the truth."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from aegis.core.types import N_CLASSES, Detections, Floats, Pose, unknown

ACCELERATION_MPS2 = 2.0  # of the objects, for a step of one second: as the trackers' defaults have it
VERTICAL_MPS2 = 1.0
SIGMA = np.array([10.0, math.radians(0.2), math.radians(0.3)])  # of range, azimuth, elevation
DETECTION_PROBABILITY, FALSE_ALARMS = 0.9, 5.0
PERIODS_S = (0.1, 0.2, 0.25, 0.5)
RANGE_BIAS_M, AZIMUTH_BIAS_RAD, TIME_BIAS_S = (
    15.0,
    math.radians(0.3),
    0.02,
)  # standard deviations; the first radar has none
HEIGHT_M = 1500.0
EPOCH_S = 1_700_000_000


@dataclass(frozen=True)
class Radar:
    """Where it stands, what it sees, and what is wrong with it."""

    name: str
    position: Floats  # (3,)
    period_s: float
    begin_s: float
    reach_m: float
    range_bias_m: float
    azimuth_bias_rad: float
    late_s: float  # its stamps


@dataclass(frozen=True)
class Scene:
    """Radars and objects, known at `step_s`."""

    radars: list[Radar]
    truth: Floats  # (K, N, 6)
    step_s: float

    def at(self, time_s: float) -> Floats:
        """Return the objects (N, 6) at a time."""
        k = min(int(time_s / self.step_s), len(self.truth) - 1)
        out: Floats = self.truth[k].copy()
        out[:, :3] += (time_s - k * self.step_s) * out[:, 3:]
        return out

    def scans(self, rng: np.random.Generator) -> Iterator[tuple[float, Radar, Detections]]:
        """Yield (time [s], radar, what it detects) in the order of time."""
        end_s = (len(self.truth) - 1) * self.step_s
        looks = sorted(
            (time, i)
            for i, radar in enumerate(self.radars)
            for time in np.arange(radar.begin_s, end_s, radar.period_s).tolist()
        )
        for number, (time, i) in enumerate(looks):
            yield time, self.radars[i], _detected(self.radars[i], self.at(time), time, number, rng)


def around(n_radars: int, n_objects: int, duration_s: float, seed: int) -> Scene:
    """Return radars on a ring of 3 km that all see the whole region, 12 km wide."""
    rng = np.random.default_rng(seed)
    angle = 2.0 * np.pi * np.arange(n_radars) / n_radars
    places = np.column_stack([3000.0 * np.cos(angle), 3000.0 * np.sin(angle), np.zeros(n_radars)])
    start = np.column_stack([
        rng.uniform(-6000.0, 6000.0, (n_objects, 2)), np.full(n_objects, HEIGHT_M), rng.normal(0.0, 60.0, (n_objects, 2)),
        np.zeros(n_objects),
    ])  # fmt: skip
    return Scene(_radars(places, 20_000.0, rng), _flown(start, duration_s, rng), 0.1)


def in_a_row(n_radars: int, n_objects: int, duration_s: float, seed: int) -> Scene:
    """Return radars 9 km from each other that see 6 km each, and objects that fly long loops past all of them, each at a height."""
    rng = np.random.default_rng(seed)
    places = np.column_stack([9000.0 * np.arange(n_radars), np.zeros(n_radars), np.zeros(n_radars)])
    half, wide = 4500.0 * (n_radars - 1), 800.0
    rate = rng.uniform(60.0, 100.0, n_objects) / half
    phase = rng.uniform(0.0, 2.0 * np.pi, n_objects) + np.arange(0.0, duration_s, 0.1)[:, None] * rate
    lane = 200.0 * (np.arange(n_objects) - (n_objects - 1) / 2.0)
    truth = np.zeros((*phase.shape, 6))
    truth[:, :, 0], truth[:, :, 3] = half * (1.0 + np.cos(phase)), -half * rate * np.sin(phase)
    truth[:, :, 1], truth[:, :, 4] = lane + wide * np.sin(phase), wide * rate * np.cos(phase)
    truth[:, :, 2] = rng.permutation(500.0 + 150.0 * np.arange(n_objects))
    return Scene(_radars(places, 6000.0, rng), truth, 0.1)


def _radars(places: Floats, reach_m: float, rng: np.random.Generator) -> list[Radar]:
    out = []
    for i, place in enumerate(places):
        period_s = PERIODS_S[i % len(PERIODS_S)]
        bias = rng.normal(0.0, [RANGE_BIAS_M, AZIMUTH_BIAS_RAD, TIME_BIAS_S]) * (i > 0)
        out.append(Radar(f"r{i}", place, period_s, rng.uniform(0.0, period_s), reach_m, *bias.tolist()))
    return out


def _flown(start: Floats, duration_s: float, rng: np.random.Generator) -> Floats:
    """Return (K, N, 6): constant velocity with white acceleration, every 0.1 s."""
    dt, steps = 0.1, round(duration_s / 0.1) + 1
    acceleration = [ACCELERATION_MPS2, ACCELERATION_MPS2, VERTICAL_MPS2]
    root = np.linalg.cholesky([[dt**3 / 3.0, dt**2 / 2.0], [dt**2 / 2.0, dt]])
    out = np.empty((steps, *start.shape))
    out[0] = start
    for k in range(1, steps):
        out[k] = out[k - 1]
        out[k, :, :3] += dt * out[k - 1, :, 3:]
        push = rng.normal(size=(len(start), 3, 2)) @ root.T  # axis, position and velocity
        out[k, :, :3] += push[:, :, 0] * acceleration
        out[k, :, 3:] += push[:, :, 1] * acceleration
    return out


def _detected(radar: Radar, there: Floats, time_s: float, number: int, rng: np.random.Generator) -> Detections:
    seen = there.copy()
    seen[:, :3] -= radar.late_s * seen[:, 3:]
    away = seen[:, :3] - radar.position
    ground = np.hypot(away[:, 0], away[:, 1])
    polar = np.column_stack(
        [np.linalg.norm(away, axis=1), np.arctan2(away[:, 1], away[:, 0]), np.arctan2(away[:, 2], ground)]
    )
    polar = polar[(polar[:, 0] < radar.reach_m) & (rng.random(len(polar)) < DETECTION_PROBABILITY)]
    polar += rng.normal(0.0, SIGMA, polar.shape) + [radar.range_bias_m, radar.azimuth_bias_rad, 0.0]
    false = rng.uniform([200.0, -np.pi, 0.0], [radar.reach_m, np.pi, 0.5], (rng.poisson(FALSE_ALARMS), 3))
    z = np.concatenate([polar, false])
    z = z[rng.permutation(len(z))]
    n = len(z)
    return Detections(
        stamp_ns=round((EPOCH_S + time_s) * 1e9),
        frame_id=radar.name,
        sequence=number,
        sensor_id=radar.name,
        cartesian_accuracy=False,
        id=np.arange(1, n + 1),
        range=z[:, 0],
        azimuth=z[:, 1],
        elevation=z[:, 2],
        range_rate=unknown(n),
        variance=np.column_stack([np.tile(SIGMA**2, (n, 1)), unknown(n)]),
        snr_db=unknown(n),
        rcs_dbsm=unknown(n),
        noise_db=unknown(n),
        points=np.ones(n, np.int64),
        class_id=np.zeros(n, np.int64),
        confidence=np.zeros(n),
        class_probability=np.zeros((n, N_CLASSES)),
        pose=Pose(radar.position, np.eye(3), np.zeros(3)),
    )
