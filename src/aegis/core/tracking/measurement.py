"""What a sensor would measure of a state, and how that changes with the state; batched.

Both models have four components, so that everything behind them is one code: polar (range, azimuth, elevation, range rate) and
Cartesian (x, y, z, range rate), for sensors that state their accuracy along x, y, z. A component that was not measured is masked
by the caller.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aegis.core.types import Detections, Floats

AZIMUTH = 1  # component that wraps, in the polar model
MIN_RANGE_M = 1e-3  # directions are undefined at the sensor itself
MAX_RANGE_M = 1e8  # no radar picture reaches farther; squares of larger numbers would overflow in time
SPEED_OF_LIGHT_MPS = 299_792_458.0


@dataclass(frozen=True)
class Measurements:
    """One scan's detections as vectors: value (D, 4), variance (D, 4), both 0 where `measured` (D, 4) is False."""

    value: Floats
    variance: Floats
    measured: np.ndarray
    position: Floats  # (D, 3) in map, height of the sensor where elevation was not measured
    position_sigma: Floats  # (D,) largest standard deviation along any axis [m]
    polar: bool


def plausible(d: Detections) -> np.ndarray:
    """Return (D,) whether a detection can be what a radar measured; NaN is allowed for elevation and range rate only."""
    usable: np.ndarray = (d.range > 0.0) & (d.range <= MAX_RANGE_M) & (np.abs(d.azimuth) <= 2.0 * np.pi)
    usable &= ((d.variance[:, :2] > 0.0) & np.isfinite(d.variance[:, :2])).all(axis=1)
    usable &= ~(np.abs(d.elevation) > np.pi) & ~(np.abs(d.range_rate) > SPEED_OF_LIGHT_MPS)
    return usable


def from_detections(d: Detections, origin: Floats, rotation: Floats) -> Measurements:
    """Return the measurements of a scan by a sensor at `origin` (3,) with `rotation` (3, 3), sensor to map."""
    value = np.column_stack([d.range, d.azimuth, d.elevation, d.range_rate])
    variance = d.variance.copy()
    measured = np.isfinite(value) & np.isfinite(variance) & (variance > 0.0)
    elevation = np.where(measured[:, 2], d.elevation, 0.0)
    ground = d.range * np.cos(elevation)
    local = np.column_stack([ground * np.cos(d.azimuth), ground * np.sin(d.azimuth), d.range * np.sin(elevation)])
    position = local @ rotation.T + origin
    cross = np.where(measured[:, 1:3], variance[:, 1:3] * d.range[:, None] ** 2, 0.0)
    sigma = np.sqrt(np.maximum(variance[:, 0], cross.max(axis=1, initial=0.0)))
    if d.cartesian_accuracy:
        value[:, :3] = position
        variance[:, :3] = (sigma**2)[:, None]
    return Measurements(
        np.where(measured, value, 0.0), np.where(measured, variance, 0.0), measured, position, sigma,
        polar=not d.cartesian_accuracy,
    )  # fmt: skip


def expected(state: Floats, origin: Floats, rotation: Floats, *, polar: bool) -> tuple[Floats, Floats]:
    """Return the expected measurement (N, 4) and its Jacobian (N, 4, 6) of states (N, 6)."""
    p = (state[:, :3] - origin) @ rotation
    v = state[:, 3:] @ rotation
    r = np.maximum(np.linalg.norm(p, axis=1), MIN_RANGE_M)
    ground = np.maximum(np.hypot(p[:, 0], p[:, 1]), MIN_RANGE_M)
    u = p / r[:, None]
    range_rate = np.einsum("ni,ni->n", u, v)
    jacobian = np.zeros((len(state), 4, 6))
    if polar:
        value = np.column_stack([r, np.arctan2(p[:, 1], p[:, 0]), np.arctan2(p[:, 2], ground), range_rate])
        jacobian[:, 0, :3] = u
        jacobian[:, 1, 0] = -p[:, 1] / ground**2
        jacobian[:, 1, 1] = p[:, 0] / ground**2
        jacobian[:, 2, 0] = -p[:, 0] * p[:, 2] / (r**2 * ground)
        jacobian[:, 2, 1] = -p[:, 1] * p[:, 2] / (r**2 * ground)
        jacobian[:, 2, 2] = ground / r**2
    else:
        value = np.column_stack([state[:, :3], range_rate])
        jacobian[:, 0, :3], jacobian[:, 1, :3], jacobian[:, 2, :3] = rotation  # rotated back below
    jacobian[:, 3, :3] = (v - range_rate[:, None] * u) / r[:, None]
    jacobian[:, 3, 3:] = u
    jacobian[:, :, :3] = jacobian[:, :, :3] @ rotation.T
    jacobian[:, :, 3:] = jacobian[:, :, 3:] @ rotation.T
    return value, jacobian


def residual(measured: Floats, value: Floats, *, polar: bool) -> Floats:
    """Return measured - value (.., 4), the azimuth wrapped to [-pi, pi)."""
    out = measured - value
    if polar:
        out[..., AZIMUTH] = (out[..., AZIMUTH] + np.pi) % (2.0 * np.pi) - np.pi
    return out
