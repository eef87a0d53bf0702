# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""New tracks: what a first detection says of an object, and places where objects are known to enter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from aegis.core.kernels import update as kernels
from aegis.core.tracking.association import Moved, gate
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


def carried_on(x: Floats, P: Floats, age: Floats, noise: Floats) -> tuple[Floats, Floats]:
    """Return states (n, 6) and covariances (n, 6, 6) some time after they held: straight on.

    Args:
        x, P: then; age: (n,) how long ago [s].
        noise: (n, 2) horizontal and vertical spectral density of the acceleration [m^2/s^3].
    """
    F = np.eye(6) + age[:, None, None] * np.eye(6, k=3)
    P = F @ P @ F.transpose(0, 2, 1)
    q = noise[:, [0, 0, 1]]
    for power, (a, b) in ((3, (0, 0)), (2, (0, 3)), (2, (3, 0)), (1, (3, 3))):
        for axis in range(3):
            P[:, a + axis, b + axis] += q[:, axis] * age**power / power
    return np.einsum("nij,nj->ni", F, x), P


class Entered(NamedTuple):
    """Objects that have entered at known places and have not been detected yet: a Poisson intensity of K Gaussians."""

    x: Floats  # (K, 1, 6)
    P: Floats  # (K, 1, 6, 6)
    objects: Floats  # (K,) expected


class FirstDetections(NamedTuple):
    """What D measurements would be, were they the first ones of objects that entered at known places."""

    density: Floats  # (D,)
    x: Floats  # (D, 6) state
    P: Floats  # (D, 6, 6) covariance


class BirthPlaces:
    """Places where objects enter."""

    def __init__(
        self, places: Sequence[tuple[float, float, float, float]], speed_sigma: float, height_sigma: float
    ) -> None:
        """Make the places.

        Args:
            places: x, y, sigma [m], objects expected in a scan, for each.
            speed_sigma: of a velocity component [m/s]; height_sigma: of the height [m].
        """
        table = np.array(places, np.float64)
        k = len(table)
        x, P = np.zeros((k, 1, 6)), np.zeros((k, 1, 6, 6))
        x[:, 0, :2] = table[:, :2]
        axes = np.arange(6)
        P[:, 0, axes, axes] = [0.0, 0.0, height_sigma**2, speed_sigma**2, speed_sigma**2, UNSEEN_CLIMB_VARIANCE]
        P[:, 0, 0, 0] = P[:, 0, 1, 1] = table[:, 2] ** 2
        self._new = Entered(x, P, table[:, 3])

    def nobody(self) -> Entered:
        """Return the beginning: nobody has entered."""
        x, P, objects = self._new
        return Entered(x[:0], P[:0], objects[:0])

    def predict(self, entered: Entered, dt: float, survival: float, noise: float, share: float = 1.0) -> Entered:
        """Return them after dt [s], with those who enter now, in that share of a scan; `noise`: spectral density [m^2/s^3]."""
        k = len(entered.objects)
        motion = Motion((CONSTANT_VELOCITY,), np.array([[noise, 0.0]]))
        here = Kinematics(entered.x, entered.P, np.ones((k, 1)))
        x, P, _ = predict(here, dt, motion, np.ones((1, 1)), np.zeros(k, dtype=np.int64), np.zeros(k, dtype=bool))
        return Entered(
            np.concatenate([x, self._new.x]),
            np.concatenate([P, self._new.P]),
            np.concatenate([entered.objects * survival, self._new.objects * share]),
        )


def first_detections(
    entered: Entered, z: Plots, pose: Pose, bound: Floats, seen: float, moved: Moved | None = None
) -> FirstDetections:
    """Return the density of first detections at each measurement, and the state then.

    Args:
        entered: predicted.
        z: D measurements; pose: of the sensor; bound: (5,) of the gate; seen: probability of detection.
        moved: how they came here, for measurements that are older; None: not at all.
    """
    density, state, covariance = np.zeros(len(z)), np.zeros((len(z), 6)), np.zeros((len(z), 6, 6))
    places = Kinematics(entered.x, entered.P, np.ones((len(entered.objects), 1)))
    centre = np.ascontiguousarray(entered.x[:, 0, :3])
    spread = np.ascontiguousarray(entered.P[:, 0, (0, 1, 2), (0, 1, 2)])
    pairs = gate(places, centre, spread, pose, z, bound, moved)
    d = pairs.detection
    if len(d):
        who = np.repeat(np.arange(len(entered.objects)), np.diff(pairs.start))
        here = places.rows(who)  # each pair by itself, as if it were sure
        jacobian = pairs.jacobian[who] if len(pairs.jacobian) else pairs.jacobian
        pairs = pairs._replace(start=np.arange(len(d) + 1), jacobian=jacobian)
        each = None if moved is None else moved._replace(noise=moved.noise[who])
        update(here, pairs, z, np.ones(len(d)), np.zeros(len(d)), each)
        x, P = here.x[:, 0], here.P[:, 0]
        part = seen * entered.objects[who] * np.exp(pairs.log_likelihood)
        np.add.at(density, d, part)
        share = part / density[d]
        np.add.at(state, d, share[:, None] * x)
        off = x - state[d]
        np.add.at(covariance, d, share[:, None, None] * (P + off[:, :, None] * off[:, None, :]))
    return FirstDetections(density, state, covariance)


def missed(entered: Entered, seen: float | Floats) -> Entered:
    """Return those that a scan did not show; `seen`: probability that it shows one (K,)."""
    objects = entered.objects * (1.0 - seen)
    keep = objects > NEGLIGIBLE_OBJECTS
    return Entered(entered.x[keep], entered.P[keep], objects[keep])
