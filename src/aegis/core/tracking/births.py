"""New tracks: what a first detection says of an object, and places where objects are known to enter."""

from __future__ import annotations

import math

import numpy as np

from aegis.core.compiled import compiled
from aegis.core.tracking import measurement
from aegis.core.tracking.association import gate
from aegis.core.tracking.measurement import Measurements
from aegis.core.tracking.motion import CONSTANT_VELOCITY, predict
from aegis.core.tracking.update import update
from aegis.core.types import Floats, Ints, Pose

NEGLIGIBLE_OBJECTS = 1e-4  # expected objects of a component of the undetected, below which it is dropped
MIN_SINE = 1e-6
UNSEEN_CLIMB_VARIANCE = (
    1e-6  # [m^2/s^2] where height is not observed it is not to move; but a covariance is positive definite
)


def first_state(
    z: Measurements, index: Ints, pose: Pose, speed_sigma: float, height_sigma: float
) -> tuple[Floats, Floats]:
    """Return states (n, 6) and covariances (n, 6, 6) from first detections: the position measured, the velocity unknown.

    Args:
        z: measurements of a scan; index: (n,) the chosen ones.
        pose: of the sensor.
        speed_sigma: standard deviation of a velocity component that is not measured [m/s].
        height_sigma: the same of the height, where no elevation is measured [m].
    """
    return _first_state(
        z.value, z.variance, z.measured, z.position, z.polar, index, pose.position, pose.rotation, pose.velocity,
        speed_sigma**2, height_sigma**2,
    )  # fmt: skip


@compiled
def _first_state(
    value: Floats, variance: Floats, measured: np.ndarray, position: Floats, polar: bool, index: Ints,
    origin: Floats, R: Floats, platform: Floats, speed_variance: float, height_variance: float,
) -> tuple[Floats, Floats]:  # fmt: skip
    n = len(index)
    x, P = np.zeros((n, 6)), np.zeros((n, 6, 6))
    line, side, lift = np.empty(3), np.empty(3), np.empty(3)
    for k in range(n):
        d = index[k]
        r = 0.0
        for i in range(3):
            x[k, i] = position[d, i]
            line[i] = position[d, i] - origin[i]
            r += line[i] * line[i]
        r = max(math.sqrt(r), measurement.MIN_RANGE_M)
        rate = value[d, 3]
        for i in range(3):
            line[i] /= r
            rate += line[i] * platform[i]
        for i in range(3):
            P[k, i + 3, i + 3] = speed_variance
        if measured[d, 3]:
            for i in range(3):
                x[k, i + 3] = line[i] * rate
                for j in range(3):
                    P[k, i + 3, j + 3] += line[i] * line[j] * (variance[d, 3] - speed_variance)
        if polar:
            # Across the line of sight: along the azimuth, which is about the sensor's upward axis, and along the elevation.
            for i in range(3):
                side[i] = R[(i + 1) % 3, 2] * line[(i + 2) % 3] - R[(i + 2) % 3, 2] * line[(i + 1) % 3]
            sine = max(math.sqrt(side[0] ** 2 + side[1] ** 2 + side[2] ** 2), MIN_SINE)
            for i in range(3):
                side[i] /= sine
            for i in range(3):
                lift[i] = line[(i + 1) % 3] * side[(i + 2) % 3] - line[(i + 2) % 3] * side[(i + 1) % 3]
            across, upward = r * r * sine * sine * variance[d, 1], r * r * variance[d, 2]
            for i in range(3):
                for j in range(3):
                    P[k, i, j] = (
                        line[i] * line[j] * variance[d, 0] + side[i] * side[j] * across + lift[i] * lift[j] * upward
                    )
        else:
            for i in range(3):
                P[k, i, i] = variance[d, 0]
        if not measured[d, 2]:
            for i in (2, 5):
                P[k, i, :] = 0.0
                P[k, :, i] = 0.0
            P[k, 2, 2] = height_variance
            P[k, 5, 5] = UNSEEN_CLIMB_VARIANCE
    return x, P


class BirthPlaces:
    """Objects that have entered at known places and have not been detected yet: a Poisson intensity of Gaussians."""

    def __init__(self, places: tuple[float, ...], speed_sigma: float, height_sigma: float) -> None:
        """Make the places.

        Args:
            places: x, y, sigma [m], objects expected in a scan, for each.
            speed_sigma: of a velocity component [m/s]; height_sigma: of the height [m].
        """
        table = np.array(places).reshape(-1, 4)
        k = len(table)
        self._new_x = np.zeros((k, 1, 6))
        self._new_x[:, 0, :2] = table[:, :2]
        self._new_P = np.zeros((k, 1, 6, 6))
        axes = np.arange(6)
        self._new_P[:, 0, axes, axes] = [
            0.0, 0.0, height_sigma**2, speed_sigma**2, speed_sigma**2, UNSEEN_CLIMB_VARIANCE
        ]  # fmt: skip
        self._new_P[:, 0, 0, 0] = self._new_P[:, 0, 1, 1] = table[:, 2] ** 2
        self._new_objects = table[:, 3]
        self.forget()

    def forget(self) -> None:
        """Begin anew: nobody has entered."""
        self._x, self._P = self._new_x[:0], self._new_P[:0]
        self._objects = self._new_objects[:0]

    def kept(self) -> tuple[Floats, Floats, Floats]:
        """Return the state, to be given to `restore`."""
        return self._x, self._P, self._objects

    def restore(self, kept: tuple[Floats, Floats, Floats] | None) -> None:
        """Go back to a state from `kept`, or to the beginning."""
        if kept is None:
            self.forget()
        else:
            self._x, self._P, self._objects = kept

    def predict(self, dt: float, survival: float, noise: float) -> None:
        """Move on by dt [s], and let new objects enter; `noise`: spectral density of the acceleration [m^2/s^3]."""
        k = len(self._objects)
        x, P, _ = predict(
            self._x, self._P, np.ones((k, 1)), dt, np.array([CONSTANT_VELOCITY]), np.ones((1, 1)),
            np.array([[noise, 0.0]]), np.zeros(k, dtype=np.int64), np.zeros(k, dtype=bool), 0.0, 0.0,
        )  # fmt: skip
        self._x, self._P = np.concatenate([x, self._new_x]), np.concatenate([P, self._new_P])
        self._objects = np.concatenate([self._objects * survival, self._new_objects])

    def detected(self, z: Measurements, pose: Pose, bound: Floats, seen: float) -> tuple[Floats, Floats, Floats]:
        """Return the density of first detections at each measurement (D,), and state (D, 6) and covariance (D, 6, 6) then.

        Args:
            z: D measurements; pose: of the sensor; bound: (5,) of the gate; seen: probability of detection.
        """
        density, state, covariance = (
            np.zeros(len(z.position)),
            np.zeros((len(z.position), 6)),
            np.zeros((len(z.position), 6, 6)),
        )
        weight = np.ones((len(self._objects), 1))
        sensor = (pose.position, pose.rotation, pose.velocity, z.components())
        spread = np.ascontiguousarray(self._P[:, 0, (0, 1, 2), (0, 1, 2)])
        start, d, by_mode, total, _ = gate(
            np.ascontiguousarray(self._x[:, 0, :3]), spread, self._x, self._P, weight, *sensor,
            z.position, z.position_sigma, z.value, z.variance, z.measured, z.polar, bound,
        )  # fmt: skip
        if len(d):
            who = np.repeat(np.arange(len(weight)), np.diff(start))
            each = np.arange(len(d) + 1)
            x, P = self._x[who], self._P[who]
            update(
                x, P, weight[who], *sensor, z.value, z.variance, z.measured, z.polar,
                each, d, by_mode, total, np.ones(len(d)), np.zeros(len(d)),
            )  # fmt: skip
            part = seen * self._objects[who] * np.exp(total)
            np.add.at(density, d, part)
            share = part / density[d]
            np.add.at(state, d, share[:, None] * x[:, 0])
            off = x[:, 0] - state[d]
            np.add.at(covariance, d, share[:, None, None] * (P[:, 0] + off[:, :, None] * off[:, None, :]))
        return density, state, covariance

    def missed(self, seen: float) -> None:
        """Keep those that the scan did not show."""
        self._objects = self._objects * (1.0 - seen)
        keep = self._objects > NEGLIGIBLE_OBJECTS
        self._x, self._P, self._objects = self._x[keep], self._P[keep], self._objects[keep]
