"""New tracks: what a first detection says of an object, and places where objects are known to enter."""

from __future__ import annotations

import numpy as np

from aegis.core.kernels import update as kernels
from aegis.core.tracking.association import gate
from aegis.core.tracking.measurement import Plots
from aegis.core.tracking.motion import CONSTANT_VELOCITY, Kinematics, Motion, predict
from aegis.core.tracking.update import update
from aegis.core.types import Floats, Ints, Pose

NEGLIGIBLE_OBJECTS = 1e-4  # expected objects of a component of the undetected, below which it is dropped
UNSEEN_CLIMB_VARIANCE = (
    1e-6  # [m^2/s^2] where height is not observed it is not to move; but a covariance is positive definite
)


def first_state(z: Plots, index: Ints, pose: Pose, speed_sigma: float, height_sigma: float) -> tuple[Floats, Floats]:
    """Return states (n, 6) and covariances (n, 6, 6) from first detections: the position measured, the velocity unknown.

    Args:
        z: measurements of a scan; index: (n,) the chosen ones.
        pose: of the sensor.
        speed_sigma: standard deviation of a velocity component that is not measured [m/s].
        height_sigma: the same of the height, where no elevation is measured [m].
    """
    x, P = np.zeros((len(index), 6)), np.zeros((len(index), 6, 6))
    kernels.first_state(
        z.value, z.variance, z.measured.view(np.uint8), z.position, z.polar, index, pose.position, pose.rotation, pose.velocity,
        speed_sigma**2, height_sigma**2, UNSEEN_CLIMB_VARIANCE, x, P,
    )  # fmt: skip
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
        noise_of = Motion((CONSTANT_VELOCITY,), np.array([[noise, 0.0]]))
        here = Kinematics(self._x, self._P, np.ones((k, 1)))
        x, P, _ = predict(here, dt, noise_of, np.ones((1, 1)), np.zeros(k, dtype=np.int64), np.zeros(k, dtype=bool))
        self._x, self._P = np.concatenate([x, self._new_x]), np.concatenate([P, self._new_P])
        self._objects = np.concatenate([self._objects * survival, self._new_objects])

    def detected(self, z: Plots, pose: Pose, bound: Floats, seen: float) -> tuple[Floats, Floats, Floats]:
        """Return the density of first detections at each measurement (D,), and state (D, 6) and covariance (D, 6, 6) then.

        Args:
            z: D measurements; pose: of the sensor; bound: (5,) of the gate; seen: probability of detection.
        """
        density, state, covariance = np.zeros(len(z)), np.zeros((len(z), 6)), np.zeros((len(z), 6, 6))
        places = Kinematics(self._x, self._P, np.ones((len(self._objects), 1)))
        centre = np.ascontiguousarray(self._x[:, 0, :3])
        spread = np.ascontiguousarray(self._P[:, 0, (0, 1, 2), (0, 1, 2)])
        pairs = gate(places, centre, spread, pose, z, bound)
        d = pairs.detection
        if len(d):
            who = np.repeat(np.arange(len(self._objects)), np.diff(pairs.start))
            here = places.rows(who)  # each pair by itself, as if it were sure
            pairs = pairs._replace(start=np.arange(len(d) + 1), jacobian=pairs.jacobian[who])
            update(here, pairs, z, np.ones(len(d)), np.zeros(len(d)))
            x, P = here.x[:, 0], here.P[:, 0]
            part = seen * self._objects[who] * np.exp(pairs.log_likelihood)
            np.add.at(density, d, part)
            share = part / density[d]
            np.add.at(state, d, share[:, None] * x)
            off = x - state[d]
            np.add.at(covariance, d, share[:, None, None] * (P + off[:, :, None] * off[:, None, :]))
        return density, state, covariance

    def missed(self, seen: float) -> None:
        """Keep those that the scan did not show."""
        self._objects = self._objects * (1.0 - seen)
        keep = self._objects > NEGLIGIBLE_OBJECTS
        self._x, self._P, self._objects = self._x[keep], self._P[keep], self._objects[keep]
