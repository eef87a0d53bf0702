"""A stated physical model: naive Bayes over radar cross-section, speed and height.

Every number of it is in `TABLE`. It was not trained and its calibration on real targets is not known: it says which classes
are plausible for what was measured, and UNKNOWN where none is. Radar cross-sections follow the order of magnitude of Skolnik,
Introduction to Radar Systems, table 2.1 (X band: bird 0.01, man 1, missile 0.5, light aircraft 1, fighter 6, jumbo jet 100,
helicopter 3, car 100, pleasure boat 2 to 10 m^2) with spreads wide enough for aspect; speeds and heights are what the
objects can do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from aegis.core.compiled import compiled
from aegis.core.types import N_CLASSES, ClassId, Floats, Ints

NAME = "physical-1"
BASIS = "stated table of RCS, speed and height per class (aegis.core.classification.physical); not trained"

# Standard deviation of 10 log10 of an exponential variable (Swerling 1): 10/ln(10) * pi/sqrt(6) dB; its mean lies
# 10/ln(10) * Euler's constant = 2.51 dB below the decibels of the mean.
SWERLING1_SIGMA_DB = 5.57
SWERLING1_BIAS_DB = -2.51

ROOT_2, ROOT_2PI = math.sqrt(2.0), math.sqrt(2.0 * math.pi)
SHARPEST = 1e-3  # no speed [m/s] and no height [m] is known better
SATURATED = 6.0  # standard deviations from which the normal distribution function is 0 or 1 to within the floor below

UNKNOWN = int(ClassId.UNKNOWN)

LIKELIHOOD_FLOOR = 1e-9  # of one feature: a single wild measurement must not exclude a class for ever


@dataclass(frozen=True)
class ClassTraits:
    """What is typical of a class: mean RCS and its spread from one object to the next, speeds, heights above the sensor."""

    rcs_dbsm: float
    rcs_sigma_db: float
    speed_mps: tuple[float, float]
    height_m: tuple[float, float]
    prior: float


TABLE: dict[ClassId, ClassTraits] = {
    # "None of the others": broad in everything, so that it wins only where no class explains the measurement.
    ClassId.UNKNOWN: ClassTraits(0.0, 20.0, (0.0, 1500.0), (-200.0, 20000.0), 0.1),
    ClassId.DRONE: ClassTraits(-17.0, 5.0, (0.0, 35.0), (2.0, 1500.0), 0.1),
    ClassId.BIRD: ClassTraits(-25.0, 5.0, (5.0, 25.0), (0.0, 1500.0), 0.1),
    ClassId.AIRCRAFT: ClassTraits(10.0, 7.0, (35.0, 350.0), (50.0, 13000.0), 0.1),
    ClassId.HELICOPTER: ClassTraits(5.0, 5.0, (0.0, 90.0), (10.0, 4000.0), 0.1),
    ClassId.MISSILE: ClassTraits(-5.0, 5.0, (150.0, 1200.0), (0.0, 15000.0), 0.1),
    ClassId.VEHICLE: ClassTraits(15.0, 7.0, (0.0, 45.0), (-5.0, 5.0), 0.1),
    ClassId.PERSON: ClassTraits(0.0, 4.0, (0.0, 4.0), (-3.0, 3.0), 0.1),
    ClassId.VESSEL: ClassTraits(12.0, 12.0, (0.0, 25.0), (-10.0, 10.0), 0.1),
    ClassId.CLUTTER: ClassTraits(0.0, 12.0, (0.0, 0.5), (-50.0, 50.0), 0.1),
}


class PhysicalModel:
    """Class probabilities from any subset of the features; a feature that is NaN says nothing."""

    def __init__(self, classes: tuple[ClassId, ...] = tuple(ClassId)) -> None:
        """Restrict the answer to `classes`; UNKNOWN always stays possible."""
        considered = {ClassId.UNKNOWN, *classes}
        rows = [TABLE[c] for c in ClassId]
        self.prior = np.array([t.prior if c in considered else 0.0 for c, t in zip(ClassId, rows, strict=True)])
        self.prior /= self.prior.sum()
        self._rcs = np.array([t.rcs_dbsm for t in rows])
        self._rcs_sigma = np.array([t.rcs_sigma_db for t in rows])
        self._speed = np.array([t.speed_mps for t in rows])
        self._height = np.array([t.height_m for t in rows])

    def posterior(
        self,
        n: int,
        *,
        rcs_dbsm: Floats | None = None,
        looks: Floats | None = None,
        radial_speed: Floats | None = None,
        speed: Floats | None = None,
        speed_sigma: Floats | float = 1.0,
        height: Floats | None = None,
        height_sigma: Floats | float = 1.0,
    ) -> Floats:
        """Return (n, N_CLASSES) probabilities; rows sum to 1.

        Args:
            n: how many objects.
            rcs_dbsm: (n,) mean of the measured RCS in dBsm over `looks` (n,) independent looks (1 if not given).
            radial_speed: (n,) abs(range rate) [m/s], of an object moving in any direction alike.
            speed, speed_sigma: (n,) speed and its standard deviation [m/s]; give either this or `radial_speed`.
            height, height_sigma: (n,) above the sensor and its standard deviation [m].
        """

        def column(values: Floats | float | None) -> Floats:
            # A new array each: views and read-only ones would be compiled apart.
            return np.full(n, np.nan if values is None else values, dtype=np.float64)

        return _posterior(
            self.prior, self._rcs, self._rcs_sigma, self._speed, self._height, column(rcs_dbsm),
            column(1.0 if looks is None else looks), column(radial_speed), column(speed), column(speed_sigma),
            column(height), column(height_sigma),
        )  # fmt: skip


@compiled
def _posterior(
    prior: Floats, rcs_mean: Floats, rcs_sigma: Floats, speed_bounds: Floats, height_bounds: Floats,
    rcs: Floats, looks: Floats, radial_speed: Floats, speed: Floats, speed_sigma: Floats, height: Floats, height_sigma: Floats,
) -> Floats:  # fmt: skip
    """Return (n, N_CLASSES) probabilities; a feature that is NaN says nothing."""
    n, classes = len(rcs), len(prior)
    out = np.zeros((n, classes))
    # Classes share their bounds, many of them: each value is looked up once.
    speed_edges, height_edges = np.unique(speed_bounds), np.unique(height_bounds)
    speed_at, height_at = np.searchsorted(speed_edges, speed_bounds), np.searchsorted(height_edges, height_bounds)
    speed_above, height_above = np.empty(len(speed_edges)), np.empty(len(height_edges))
    for i in range(n):
        if not math.isnan(speed[i]):
            _fill_cdf(speed[i], speed_sigma[i], speed_edges, speed_above)
        if not math.isnan(height[i]):
            _fill_cdf(height[i], height_sigma[i], height_edges, height_above)
        fluctuation = SWERLING1_SIGMA_DB / math.sqrt(max(looks[i], 1.0))
        total = 0.0
        for c in range(classes):
            # The product of a few densities, each at least the floor, is far from underflow.
            value = prior[c]
            if value <= 0.0:
                continue
            if not math.isnan(rcs[i]):
                sigma = math.hypot(rcs_sigma[c], fluctuation)
                z = (rcs[i] - rcs_mean[c] - SWERLING1_BIAS_DB) / sigma
                value *= max(math.exp(-0.5 * z * z) / (sigma * ROOT_2PI), LIKELIHOOD_FLOOR)
            if not math.isnan(radial_speed[i]):
                value *= max(_radial_speed_density(radial_speed[i], speed_bounds[c]), LIKELIHOOD_FLOOR)
            if not math.isnan(speed[i]):
                value *= max(_uniform_density(c, speed_above, speed_at, speed_bounds), LIKELIHOOD_FLOOR)
            if not math.isnan(height[i]):
                value *= max(_uniform_density(c, height_above, height_at, height_bounds), LIKELIHOOD_FLOOR)
            out[i, c] = value
            total += value
        for c in range(classes):
            out[i, c] /= total
    return out


@compiled
def _radial_speed_density(radial_speed: float, bounds: Floats) -> float:
    """Return the density of abs(v_r), for speed uniform in [a, b] and direction uniform on the sphere.

    There abs(v_r) given the speed s is uniform on [0, s], so the density is ln(b / max(a, abs(v_r))) / (b - a) below b.
    """
    low, high = float(bounds[0]), float(bounds[1])
    lower = max(low, abs(radial_speed), 1e-2 * high)
    return math.log(max(high / lower, 1.0)) / (high - low)


@compiled
def _fill_cdf(x: float, sigma: float, edges: Floats, above: Floats) -> None:
    """Write the probability that the true value lies above each edge, x being measured with Gaussian error."""
    inverse = 1.0 / max(sigma, SHARPEST)
    for e in range(len(edges)):
        above[e] = _normal_cdf((x - edges[e]) * inverse)


@compiled
def _uniform_density(c: int, above: Floats, at: Ints, bounds: Floats) -> float:
    """Return the density of a variable uniform on class c's bounds, measured with Gaussian error."""
    return (above[at[c, 0]] - above[at[c, 1]]) / (bounds[c, 1] - bounds[c, 0])  # type: ignore[no-any-return]


@compiled
def _normal_cdf(x: float) -> float:
    if abs(x) > SATURATED:
        return 1.0 if x > 0.0 else 0.0
    return 0.5 * math.erfc(-x / ROOT_2)


def decide(probability: Floats, threshold: float) -> tuple[np.ndarray, Floats]:
    """Return (class_id, confidence), each (n,): the most probable class, UNKNOWN where it does not reach the threshold.

    The confidence is that of the most probable class, before the threshold.
    """
    return _decide(np.ascontiguousarray(probability), threshold)


@compiled
def _decide(probability: Floats, threshold: float) -> tuple[np.ndarray, Floats]:
    n = len(probability)
    class_id, confidence = np.empty(n, np.int64), np.empty(n)
    for i in range(n):
        best = probability[i].argmax()
        confidence[i] = probability[i, best]
        class_id[i] = best if confidence[i] >= threshold else UNKNOWN
    return class_id, confidence


@cache
def warm() -> None:
    """Compile, or load, what `posterior` and `decide` need, so that the first objects need not wait for it."""
    decide(PhysicalModel().posterior(1, rcs_dbsm=np.zeros(1)), 0.5)


assert len(TABLE) == N_CLASSES
