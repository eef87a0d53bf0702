# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Motion models: nearly constant velocity, coordinated turn, and their mixing in an IMM. State: x y z vx vy vz (turn rate).

The turn rate [rad/s], anticlockwise about the vertical, is there wherever a turn is a possible mode. In the mode of constant
velocity it is 0 with the variance that a turn begins with, so that a track which changes to the turn finds it unknown.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.kernels import motion as kernels
from aegis.core.types import Floats, Ints

Model = Literal["cv", "ct", "imm"]
CONSTANT_VELOCITY, COORDINATED_TURN = 0, 1
MODES: dict[str, tuple[int, ...]] = {
    "cv": (CONSTANT_VELOCITY,),
    "ct": (COORDINATED_TURN,),
    "imm": (CONSTANT_VELOCITY, COORDINATED_TURN),
}
TURN = 6  # index of the turn rate


class Kinematics(NamedTuple):
    """Where N tracks are and how they move: a Gaussian of n components in each of M modes."""

    x: Floats  # (N, M, n)
    P: Floats  # (N, M, n, n)
    weight: Floats  # (N, M) of the modes

    def copy(self) -> Kinematics:
        """Return the same in memory of its own."""
        return Kinematics(self.x.copy(), self.P.copy(), self.weight.copy())

    def rows(self, index: Ints) -> Kinematics:
        """Return some of the tracks."""
        return Kinematics(self.x.take(index, axis=0), self.P.take(index, axis=0), self.weight.take(index, axis=0))


class Motion(NamedTuple):
    """How tracks may move."""

    modes: tuple[int, ...]  # CONSTANT_VELOCITY, COORDINATED_TURN
    noise: Floats  # (C, 2) spectral density of the white acceleration of each class, horizontal and vertical [m^2/s^3]
    turn_variance: float = 0.0  # of the rate that a turn begins with [rad^2/s^2]
    turn_noise: float = 0.0  # spectral density of the turn rate's own change [rad^2/s^3]


def dimension(model: Model) -> int:
    """Return the length of the state."""
    return 6 if model == "cv" else 7


def mode_transition(dt: float, mean_straight_s: float, mean_turn_s: float) -> Floats:
    """Return the (2, 2) probabilities to go from straight or turn (row) to either (column) within dt [s].

    A Markov chain in continuous time with these mean durations.
    """
    leave, back = 1.0 / mean_straight_s, 1.0 / mean_turn_s
    total = leave + back
    settled = -math.expm1(-total * dt) / total
    return np.array([[1.0 - leave * settled, leave * settled], [back * settled, 1.0 - back * settled]])


def predict(
    tracks: Kinematics, dt: float, motion: Motion, between: Floats, class_id: Ints, climbs: NDArray[np.bool_]
) -> Kinematics:
    """Return the tracks after dt [s]; the input stays as it is.

    Args:
        tracks: of N tracks in M modes.
        dt: time step [s].
        motion: how they move.
        between: (M, M) mode transition probabilities over dt; of several modes.
        class_id: (N,) of the tracks.
        climbs: (N,) whether height is observed. Where it is not, its variance stays that of the prior, instead of growing for ever.
    """
    x, P, weight = tracks
    out = Kinematics(np.empty_like(x), np.empty_like(P), np.empty_like(weight))
    turning = np.array(motion.modes, np.uint8)
    mixed_x, mixed_P = np.empty((1, *x.shape[1:])), np.empty((1, *P.shape[1:]))
    kernels.predict(
        x, P, weight, dt, turning, between, motion.noise, class_id, climbs.view(np.uint8), motion.turn_variance,
        motion.turn_noise, mixed_x, mixed_P, *out,
    )  # fmt: skip
    return out


def taken_back(
    tracks: Kinematics, dt: float, motion: Motion, class_id: Ints, climbs: NDArray[np.bool_], pushed: NDArray[np.bool_]
) -> Kinematics:
    """Return the tracks as they were dt [s] ago, by what is known now.

    Args:
        tracks, motion, class_id, climbs: as for `predict`.
        dt: time step back [s].
        pushed: (N,) whether nothing has been measured of a track since, so that what the noise of its motion has done is in its
            covariance, and is taken off. Else it stays: of the noise since then little is left after a measurement.
    """
    stay = np.eye(tracks.weight.shape[1])
    still = motion._replace(noise=np.zeros_like(motion.noise), turn_noise=0.0)
    x, P, weight = predict(tracks, -dt, still, stay, class_id, climbs)
    index = np.flatnonzero(pushed)
    before = predict(tracks.rows(index), -dt, motion, stay, class_id[index], climbs[index])
    sound = (np.diagonal(before.P, axis1=2, axis2=3)[:, :, :6] > 0.0).all(axis=(1, 2))
    index = index[sound]
    x[index], P[index], weight[index] = before.x[sound], before.P[sound], before.weight[sound]
    return Kinematics(x, P, weight)


def combine(tracks: Kinematics, index: Ints | None = None) -> tuple[Floats, Floats]:
    """Return the states (N, 6) and covariances (N, 6, 6) of the mixtures over modes, by their moments, of some tracks or all."""
    if index is None:
        index = np.arange(len(tracks.x))
    mean, covariance = np.empty((len(index), 6)), np.empty((len(index), 6, 6))
    kernels.combine(index, *tracks, mean, covariance)
    return mean, covariance
