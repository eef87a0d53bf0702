# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Detections made by hand, for tests of the tracker."""

from collections.abc import Callable

import numpy as np

from aegis.core.types import N_CLASSES, Detections, Pose

SECOND = 1_000_000_000
SIGMA = np.array([5.0, 0.005, 0.005, 0.2])


def transition(dt: float) -> np.ndarray:
    """Return the (6, 6) transition of constant velocity over dt [s]."""
    return np.eye(6) + dt * np.eye(6, k=3)


def process_noise(dt: float, horizontal: float, vertical: float) -> np.ndarray:
    """Return the (6, 6) covariance that white acceleration leaves, of these standard deviations for a step of one second.

    Bar-Shalom, Li, Kirubarajan, Estimation with Applications to Tracking and Navigation (2001), eq. 6.2.2-12.
    """
    axis = np.array([[dt**3 / 3.0, dt**2 / 2.0], [dt**2 / 2.0, dt]])
    return np.kron(axis, np.diag(np.array([horizontal, horizontal, vertical]) ** 2))


def detections_of(
    polar,
    stamp_s: float,
    *,
    sigma=SIGMA,
    sequence=1,
    cartesian=False,
    sensor="test",
    pose: Pose | None = None,
    rcs=None,
) -> Detections:
    """Return detections of rows (range, azimuth, elevation, range rate); NaN is unknown."""
    polar = np.asarray(polar, dtype=float).reshape(-1, 4)
    n = len(polar)
    variance = np.where(np.isfinite(polar), np.broadcast_to(np.asarray(sigma) ** 2, (n, 4)), np.nan)
    if cartesian:
        variance[:, :3] = np.where(
            np.isfinite(polar[:, :3]),
            sigma[0] ** 2 / np.column_stack([np.ones(n), polar[:, 0], polar[:, 0]]) ** [0, 2, 2],
            np.nan,
        )
    unknown = np.full(n, np.nan)
    return Detections(
        stamp_ns=round(stamp_s * SECOND), frame_id="radar", sequence=sequence, sensor_id=sensor, cartesian_accuracy=cartesian,
        id=np.arange(1, n + 1), range=polar[:, 0], azimuth=polar[:, 1], elevation=polar[:, 2], range_rate=polar[:, 3],
        variance=variance, snr_db=unknown, rcs_dbsm=unknown if rcs is None else np.asarray(rcs, dtype=float), noise_db=unknown,
        points=np.ones(n, dtype=int), class_id=np.zeros(n, dtype=int), confidence=np.zeros(n),
        class_probability=np.zeros((n, N_CLASSES)), pose=pose,
    )  # fmt: skip


def polar_of(state: np.ndarray, origin=(0.0, 0.0, 0.0), yaw=0.0, velocity=(0.0, 0.0, 0.0)) -> np.ndarray:
    """Return (range, azimuth, elevation, range rate) of a state, by the definition."""
    c, s = np.cos(-yaw), np.sin(-yaw)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    p, v = turn @ (state[:3] - np.asarray(origin)), turn @ (state[3:6] - np.asarray(velocity))
    r = np.linalg.norm(p)
    return np.array([r, np.arctan2(p[1], p[0]), np.arcsin(p[2] / r), p @ v / r])


def central_difference(function: Callable[[np.ndarray], np.ndarray], x: np.ndarray, step: float) -> np.ndarray:
    """Return the Jacobian of a function at x: errors go with the square of the step, not with the step."""
    return np.stack([(function(x + d) - function(x - d)) / (2 * step) for d in np.eye(len(x)) * step], axis=1)


def plot_of(xy, stamp_s: float, sigma: float, **options) -> Detections:
    """Return detections of a two-dimensional sensor that states its accuracy along x and y: rows of x, y."""
    xy = np.asarray(xy, dtype=float).reshape(-1, 2)
    unknown = np.full(len(xy), np.nan)
    polar = np.column_stack([np.hypot(xy[:, 0], xy[:, 1]), np.arctan2(xy[:, 1], xy[:, 0]), unknown, unknown])
    return detections_of(polar, stamp_s, sigma=np.array([sigma, 0.0, 0.0, 1.0]), cartesian=True, **options)


def approach(k: float) -> np.ndarray:
    """Return the polar detection of a target that comes nearer along x, at second k."""
    return polar_of(np.array([4000.0 - 50.0 * k, 500.0, 200.0, -50.0, 0.0, 0.0]))


def crossing(k: int) -> np.ndarray:
    """Return the polar detections of two targets that meet at second 10."""
    a = np.array([2000.0, -400.0 + 40.0 * k, 100.0, 0.0, 40.0, 0.0])
    b = np.array([2050.0, 400.0 - 40.0 * k, 100.0, 0.0, -40.0, 0.0])
    return np.array([polar_of(a), polar_of(b)])
