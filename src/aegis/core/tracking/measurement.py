"""What a sensor would measure of a state, and how that changes with the state; batched.

Both models have four components, so that everything behind them is one code: polar (range, azimuth, elevation, range rate) and
Cartesian (x, y, z, range rate), for sensors that state their accuracy along x, y, z. A component that was not measured is masked
by the caller. The range rate is that between a moving object and a sensor that may move as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from aegis.core.compiled import compiled
from aegis.core.types import Detections, Floats, Ints, Pose

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
    origin: Floats  # (3,) the sensor in map

    def components(self) -> np.ndarray:
        """Return (4,) which components any detection has."""
        return np.asarray(self.measured.any(axis=0))

    def ordered(self, by: Ints) -> Measurements:
        """Return the measurements in another order, or some of them."""
        columns = _taken(by, self.value, self.variance, self.measured, self.position, self.position_sigma)
        return Measurements(*columns, self.polar, self.origin)


@compiled
def _taken(
    by: Ints, value: Floats, variance: Floats, measured: np.ndarray, position: Floats, sigma: Floats
) -> tuple[Floats, Floats, np.ndarray, Floats, Floats]:
    return value[by], variance[by], measured[by], position[by], sigma[by]


def plausible(d: Detections) -> np.ndarray:
    """Return (D,) whether a detection can be what a radar measured; NaN is allowed for elevation and range rate only."""
    return _plausible(d.range, d.azimuth, d.elevation, d.range_rate, d.variance)


@compiled
def _plausible(r: Floats, azimuth: Floats, elevation: Floats, rate: Floats, variance: Floats) -> np.ndarray:
    usable = np.empty(len(r), np.bool_)
    for i in range(len(r)):
        usable[i] = (
            0.0 < r[i] <= MAX_RANGE_M
            and abs(azimuth[i]) <= 2.0 * math.pi
            and 0.0 < variance[i, 0] < np.inf
            and 0.0 < variance[i, 1] < np.inf
            and not abs(elevation[i]) > math.pi
            and not abs(rate[i]) > SPEED_OF_LIGHT_MPS
        )
    return usable


def from_detections(d: Detections, pose: Pose) -> Measurements:
    """Return the measurements of a scan by a sensor at `pose`."""
    value, variance, measured, position, sigma = _measurements(
        d.range, d.azimuth, d.elevation, d.range_rate, d.variance, d.cartesian_accuracy, pose.position, pose.rotation
    )
    return Measurements(value, variance, measured, position, sigma, not d.cartesian_accuracy, pose.position)


@compiled
def _measurements(
    r: Floats,
    azimuth: Floats,
    elevation: Floats,
    rate: Floats,
    variance: Floats,
    cartesian: bool,
    origin: Floats,
    R: Floats,
) -> tuple[Floats, Floats, np.ndarray, Floats, Floats]:
    D = len(r)
    value, noise, measured = np.zeros((D, 4)), np.zeros((D, 4)), np.zeros((D, 4), np.bool_)
    position, sigma = np.empty((D, 3)), np.empty(D)
    for i in range(D):
        raw = (r[i], azimuth[i], elevation[i], rate[i])
        for c in range(4):
            v = variance[i, c]
            if math.isfinite(raw[c]) and math.isfinite(v) and v > 0.0:
                value[i, c], noise[i, c], measured[i, c] = raw[c], v, True
        up = value[i, 2]  # 0 where it was not measured
        ground, c_ = (r[i] * math.cos(up), r[i] * math.sin(up)) if measured[i, 2] else (r[i], 0.0)
        a, b = ground * math.cos(azimuth[i]), ground * math.sin(azimuth[i])
        for k in range(3):
            position[i, k] = R[k, 0] * a + R[k, 1] * b + R[k, 2] * c_ + origin[k]
        largest = max(noise[i, 0], max(noise[i, 1], noise[i, 2]) * r[i] * r[i])
        sigma[i] = math.sqrt(largest)
        if cartesian:
            for k in range(3):
                if measured[i, k]:
                    value[i, k], noise[i, k] = position[i, k], largest
    return value, noise, measured, position, sigma


@compiled
def expect(x: Floats, origin: Floats, R: Floats, platform: Floats, polar: bool, value: Floats, H: Floats) -> None:
    """Write the expected measurement (4,) and its Jacobian (4, n) of a state (n,).

    Args:
        x: the state, position and velocity in map first.
        origin, R, platform: position (3,), rotation (3, 3), sensor to map, and velocity (3,) of the sensor.
        polar: range, azimuth, elevation, range rate; else x, y, z, range rate.
        value, H: to be written; H holds zeros.
    """
    if not polar:
        for i in range(3):
            value[i] = x[i]
            H[i, i] = 1.0
    dx, dy, dz = x[0] - origin[0], x[1] - origin[1], x[2] - origin[2]
    r = max(math.sqrt(dx * dx + dy * dy + dz * dz), MIN_RANGE_M)
    ux, uy, uz = dx / r, dy / r, dz / r
    vx, vy, vz = x[3] - platform[0], x[4] - platform[1], x[5] - platform[2]
    range_rate = ux * vx + uy * vy + uz * vz
    value[3] = range_rate
    H[3, 0], H[3, 1], H[3, 2] = (vx - range_rate * ux) / r, (vy - range_rate * uy) / r, (vz - range_rate * uz) / r
    H[3, 3], H[3, 4], H[3, 5] = ux, uy, uz
    if not polar:
        return
    a = R[0, 0] * dx + R[1, 0] * dy + R[2, 0] * dz  # in the sensor's frame: forward, left, up
    b = R[0, 1] * dx + R[1, 1] * dy + R[2, 1] * dz
    c = R[0, 2] * dx + R[1, 2] * dy + R[2, 2] * dz
    ground = max(math.hypot(a, b), MIN_RANGE_M)
    value[0], value[1], value[2] = r, math.atan2(b, a), math.atan2(c, ground)
    H[0, 0], H[0, 1], H[0, 2] = ux, uy, uz
    azimuth_a, azimuth_b = -b / (ground * ground), a / (ground * ground)
    elevation_a, elevation_b, elevation_c = -a * c / (r * r * ground), -b * c / (r * r * ground), ground / (r * r)
    for i in range(3):
        H[1, i] = azimuth_a * R[i, 0] + azimuth_b * R[i, 1]
        H[2, i] = elevation_a * R[i, 0] + elevation_b * R[i, 1] + elevation_c * R[i, 2]


@compiled
def spread_of(P: Floats, H: Floats, wanted: np.ndarray, S: Floats) -> None:
    """Write H P H' (4, 4) of the wanted components: the covariance of an expected measurement, without the sensor's own error.

    Args:
        P: (n, n); H: (4, n) from `expect`; wanted: (4,) components; S: to be written.
    """
    for i in range(4):
        if not wanted[i]:
            continue
        for j in range(i + 1):
            if not wanted[j]:
                continue
            # Only the range rate depends on the velocity, and nothing on the turn rate.
            total = 0.0
            for a in range(6 if i == 3 else 3):
                row = 0.0
                for b in range(6 if j == 3 else 3):
                    row += P[a, b] * H[j, b]
                total += H[i, a] * row
            S[i, j] = total
            S[j, i] = total


@compiled
def wrapped(angle: float) -> float:
    """Return the angle in [-pi, pi)."""
    return (angle + math.pi) % (2.0 * math.pi) - math.pi


@compiled
def in_view(
    position: Floats, has_height: np.ndarray, origin: Floats, R: Floats, near: float, far: float, azimuth: float,
    elevation: float,
) -> np.ndarray:  # fmt: skip
    """Return (N,) whether a sensor could have seen objects at (N, 3) in map.

    Args:
        has_height: (N,) whether an object's height is known; its elevation is not asked for otherwise.
        origin, R: position (3,) and rotation (3, 3) of the sensor.
        near, far: its nearest and farthest range [m]; azimuth, elevation: its largest absolute angles [rad].
    """
    out = np.empty(len(position), np.bool_)
    for t in range(len(position)):
        dx, dy, dz = position[t, 0] - origin[0], position[t, 1] - origin[1], position[t, 2] - origin[2]
        r = math.sqrt(dx * dx + dy * dy + dz * dz)
        forward = R[0, 0] * dx + R[1, 0] * dy + R[2, 0] * dz
        left = R[0, 1] * dx + R[1, 1] * dy + R[2, 1] * dz
        out[t] = near <= r <= far and (azimuth >= math.pi or abs(math.atan2(left, forward)) <= azimuth)
        if out[t] and has_height[t]:
            up = R[0, 2] * dx + R[1, 2] * dy + R[2, 2] * dz
            out[t] = abs(math.atan2(up, math.hypot(forward, left))) <= elevation
    return out


@compiled
def background(measured: np.ndarray, log_extent: Floats, clutter: float, births: float) -> Floats:
    """Return (3, D) densities in measurement space: of false alarms, of new objects, and zeros.

    Args:
        measured: (D, 4); log_extent: (4,) ln of the extent of the view in each component.
        clutter, births: expected in the whole view.
    """
    out = np.zeros((3, len(measured)))
    for d in range(len(measured)):
        log_volume = 0.0
        for c in range(4):
            if measured[d, c]:
                log_volume += log_extent[c]
        share = math.exp(-log_volume)
        out[0, d], out[1, d] = clutter * share, births * share
    return out
