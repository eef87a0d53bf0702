# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How far the tracks are from the objects that they show, and whether their covariances say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import gammaincinv

from aegis.core.angles import wrapped
from aegis.core.evaluation.matching import Pairs
from aegis.core.types import Floats

MIN_SPEED_MPS = 1.0  # below, an object has no course: along is north then, and its course is not compared


@dataclass(frozen=True)
class Errors:
    """Of P pairs; arrays (P,). NaN where it is not known."""

    ground: Floats  # distance over ground [m]
    along: Floats  # along the object's course [m], positive ahead of it
    across: Floats  # positive to the right of it [m]
    height: Floats  # [m]
    speed: Floats  # over ground [m/s]
    course: Floats  # [rad]
    nees: Floats  # of the place over ground: 2 on average where the covariance is right


class Nees(NamedTuple):
    """Mean normalised squared error of n pairs, and where it would be in 95 of 100 cases if they were independent."""

    mean: float
    low: float
    high: float
    within_95: float  # share of the pairs inside their own 95 % ellipse
    n: int


def errors(pairs: Pairs) -> Errors:
    """Return the errors of every pair.

    NEES: Bar-Shalom, Li, Kirubarajan, Estimation with Applications to Tracking and Navigation (2001), section 5.4.
    """
    difference = pairs.state - pairs.true
    velocity = np.nan_to_num(pairs.true[:, 3:5])
    speed = np.hypot(*velocity.T)
    moving = speed >= MIN_SPEED_MPS
    east, north = np.where(moving, velocity.T, np.array([[0.0], [1.0]])) / np.where(moving, speed, 1.0)
    x, y = difference[:, 0], difference[:, 1]
    course = wrapped(np.arctan2(pairs.state[:, 4], pairs.state[:, 3]) - np.arctan2(velocity[:, 1], velocity[:, 0]))
    return Errors(
        ground=np.hypot(x, y),
        along=x * east + y * north,
        across=x * north - y * east,
        height=difference[:, 2],
        speed=np.where(np.isfinite(pairs.true[:, 3]), np.hypot(pairs.state[:, 3], pairs.state[:, 4]) - speed, np.nan),
        course=np.where(moving, course, np.nan),
        nees=_nees(difference[:, :2], pairs.covariance),
    )


def _nees(difference: Floats, covariance: Floats) -> Floats:
    """Return d' P^-1 d of (P, 2) and (P, 2, 2), NaN where P is no covariance; its inverse in closed form."""
    (a, b), (_, c) = np.moveaxis(covariance, 0, -1)
    determinant = a * c - b * b
    x, y = difference.T
    usable = np.isfinite(determinant) & (determinant > 0.0) & (a > 0.0)
    squared = x * x * c - 2.0 * x * y * b + y * y * a
    return np.where(usable, squared / np.where(usable, determinant, 1.0), np.nan)


def rms(values: Floats) -> tuple[float, int]:
    """Return the root mean square of the finite values and how many these are; NaN of none."""
    finite = values[np.isfinite(values)]
    return (float(np.sqrt(np.mean(finite**2))) if len(finite) else float("nan")), len(finite)


def share(hits: Floats) -> tuple[float, int]:
    """Return the mean of the finite values and how many these are; NaN of none."""
    finite = hits[np.isfinite(hits)]
    return (float(np.mean(finite)) if len(finite) else float("nan")), len(finite)


def nees_summary(values: Floats, dimensions: int = 2) -> Nees:
    """Return the mean and its band. Errors of one scan and the next are alike, so that the true band is wider."""
    finite = values[np.isfinite(values)]
    n = len(finite)
    if not n:
        nan = float("nan")
        return Nees(nan, nan, nan, nan, 0)
    low, high = (_chi_square(p, n * dimensions) / n for p in (0.025, 0.975))
    within = float(np.mean(finite <= _chi_square(0.95, dimensions)))
    return Nees(float(finite.mean()), low, high, within, n)


def _chi_square(p: float, degrees: int) -> float:
    """Return what a chi-square variable is below with probability p; scipy.stats has it too, and takes half a second to load."""
    return float(2.0 * gammaincinv(degrees / 2.0, p))
