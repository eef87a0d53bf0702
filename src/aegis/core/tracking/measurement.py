# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A scan's detections as measurements, and the view that they come from.

Both kinds of measurement have four components, so that everything behind them is one code: polar (range, azimuth, elevation,
range rate) and Cartesian (x, y, z, range rate), for sensors that state their accuracy along x, y, z. What was not measured is
masked. The range rate is that between a moving object and a sensor that may move as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from aegis.core.kernels import plots as kernels
from aegis.core.types import Detections, Floats, Ints, Pose

AZIMUTH = 1  # component that wraps, in the polar model
MIN_RANGE_M = 1e-3  # directions are undefined at the sensor itself


@dataclass(frozen=True)
class Plots:
    """One scan's detections as vectors: value (D, 4), variance (D, 4), both 0 where `measured` (D, 4) is False."""

    value: Floats
    variance: Floats
    measured: NDArray[np.bool_]
    position: Floats  # (D, 3) in map, height of the sensor where elevation was not measured
    position_sigma: Floats  # (D,) largest standard deviation along any axis [m]
    age: Floats  # (D,) how long ago they were measured [s]
    polar: bool
    origin: Floats  # (3,) the sensor in map

    def __len__(self) -> int:
        return len(self.position_sigma)

    def components(self) -> NDArray[np.bool_]:
        """Return (4,) which components any detection has."""
        return np.asarray(self.measured.any(axis=0))

    def ordered(self, by: Ints) -> Plots:
        """Return the measurements in another order, or some of them."""
        return Plots(
            self.value.take(by, axis=0), self.variance.take(by, axis=0), self.measured.take(by, axis=0),
            self.position.take(by, axis=0), self.position_sigma.take(by), self.age.take(by), self.polar, self.origin,
        )  # fmt: skip

    def measured_ns(self, now_ns: int) -> Ints:
        """Return (D,) when they were measured, where it is `now_ns`."""
        if not self.age.any():
            return np.full(len(self), now_ns)
        return now_ns - np.rint(self.age * 1e9).astype(np.int64)


@dataclass(frozen=True)
class SensorView:
    """Where a sensor is, and what it can see from there."""

    pose: Pose
    near_m: float  # nearest and farthest range
    far_m: float
    azimuth_rad: float  # largest absolute angle
    lowest_rad: float  # elevations
    highest_rad: float
    detection_probability: float  # of an object in view that is not hidden


def plausible(d: Detections) -> NDArray[np.bool_]:
    """Return (D,) whether a detection can be what a radar measured; NaN is allowed for elevation and range rate only."""
    out = np.empty(len(d), np.bool_)
    kernels.plausible(d.range, d.azimuth, d.elevation, d.range_rate, d.variance, out.view(np.uint8))
    return out


def infinite_as_unknown(d: Detections) -> Detections:
    """Return detections with NaN for what is infinite of what may be unknown: elevation, range rate, their variances, the RCS."""
    optional = (d.elevation, d.range_rate, d.variance[:, 2:], d.rcs_dbsm)
    if not any(np.isinf(values).any() for values in optional):
        return d
    elevation, range_rate, errors, rcs_dbsm = (np.where(np.isinf(values), np.nan, values) for values in optional)
    variance = np.column_stack([d.variance[:, :2], errors])
    return replace(d, elevation=elevation, range_rate=range_rate, variance=variance, rcs_dbsm=rcs_dbsm)


def from_detections(d: Detections, pose: Pose, now_ns: int | None = None) -> Plots:
    """Return the measurements of a scan by a sensor at `pose`; their ages are as of `now_ns`, or else of the stamp."""
    n = len(d)
    value, variance, measured = np.empty((n, 4)), np.empty((n, 4)), np.empty((n, 4), np.bool_)
    position, sigma = np.empty((n, 3)), np.empty(n)
    kernels.measurements(
        d.range, d.azimuth, d.elevation, d.range_rate, d.variance, d.cartesian_accuracy, pose.position, pose.rotation,
        value, variance, measured.view(np.uint8), position, sigma,
    )  # fmt: skip
    if not d.cartesian_accuracy and pose.rotation[2, :2].any():
        flat = np.flatnonzero(~measured[:, 2])  # the sensor's own plane is not level
        position[flat] = level_with(d.range[flat], d.azimuth[flat], pose)
    since_stamp_s = 0.0 if now_ns is None else (now_ns - d.stamp_ns) * 1e-9
    age = np.maximum(since_stamp_s - d.time_offset, 0.0)
    return Plots(value, variance, measured, position, sigma, age, not d.cartesian_accuracy, pose.position)


def level_with(reach: Floats, azimuth: Floats, pose: Pose) -> Floats:
    """Return (N, 3) where in map something is that is as high as its sensor, which may be tilted.

    Args:
        reach: (N,) range [m]; azimuth: (N,) in the sensor's frame; pose: of the sensor.
    """
    forward, left, up = pose.rotation[2]
    c, s = np.cos(azimuth), np.sin(azimuth)
    # To this side of its own axis, also where it hangs upside down.
    elevation = np.arctan2(-np.copysign(1.0, up) * (forward * c + left * s), np.abs(up))
    ground = reach * np.cos(elevation)
    local = np.stack([ground * c, ground * s, reach * np.sin(elevation)], axis=1)
    return np.asarray(local @ pose.rotation.T + pose.position)


def in_view(position: Floats, has_height: NDArray[np.bool_], view: SensorView) -> NDArray[np.bool_]:
    """Return (N,) whether a sensor could have seen objects at (N, 3) in map.

    Args:
        position: of the objects.
        has_height: (N,) whether an object's height is known; its elevation is not asked for otherwise.
        view: the sensor's.
    """
    out = np.empty(len(position), np.bool_)
    kernels.in_view(
        position, has_height.view(np.uint8), view.pose.position, view.pose.rotation, view.near_m, view.far_m,
        view.azimuth_rad, view.lowest_rad, view.highest_rad, out.view(np.uint8),
    )  # fmt: skip
    return out


def ranges_outside(z: Plots, view: SensorView) -> Floats:
    """Return the ranges (K,) [m] of the measurements that lie outside the sensor's view, as it is stated."""
    inside = in_view(z.position, z.measured[:, 2], view)
    if inside.all():
        return np.empty(0)
    outside = z.position[~inside]
    return np.asarray(np.sqrt(((outside - view.pose.position) ** 2).sum(axis=1)), dtype=np.float64)


def background(measured: NDArray[np.bool_], log_extent: Floats, clutter: float, births: float) -> Floats:
    """Return (3, D) densities in measurement space: of false alarms, of new objects, and zeros.

    Args:
        measured: (D, 4); log_extent: (4,) ln of the extent of the view in each component.
        clutter, births: expected in the whole view.
    """
    out = np.empty((3, len(measured)))
    kernels.background(measured.view(np.uint8), log_extent, clutter, births, out)
    return out


def log_of_all(density: Floats) -> Floats:
    """Return (D,) ln of the density of detections from anywhere but tracks; density: (3, D)."""
    out = np.empty(density.shape[1])
    kernels.log_of_all(density, out)
    return out
