"""A stated physical model: naive Bayes over radar cross-section, speed and height.

Every number of it is in `TABLE`. It was not trained and its calibration on real targets is not known: it says which classes
are plausible for what was measured, and UNKNOWN where none is. Radar cross-sections follow the order of magnitude of Skolnik,
Introduction to Radar Systems, table 2.1 (X band: bird 0.01, man 1, missile 0.5, light aircraft 1, fighter 6, jumbo jet 100,
helicopter 3, car 100, pleasure boat 2 to 10 m^2) with spreads wide enough for aspect; speeds and heights are what the
objects can do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from aegis.core.types import N_CLASSES, ClassId, Floats

NAME = "physical-1"
BASIS = "stated table of RCS, speed and height per class (aegis.core.classification.physical); not trained"

# Standard deviation of 10 log10 of an exponential variable (Swerling 1): 10/ln(10) * pi/sqrt(6) dB; its mean lies
# 10/ln(10) * Euler's constant = 2.51 dB below the decibels of the mean.
SWERLING1_SIGMA_DB = 5.57
SWERLING1_BIAS_DB = -2.51

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
        log_p = np.log(np.where(self.prior > 0, self.prior, 1e-300))[None, :] * np.ones((n, 1))
        if rcs_dbsm is not None:
            fluctuation = SWERLING1_SIGMA_DB / np.sqrt(np.ones(n) if looks is None else np.maximum(looks, 1.0))
            sigma = np.hypot(self._rcs_sigma[None, :], fluctuation[:, None])
            z = (rcs_dbsm[:, None] - self._rcs[None, :] - SWERLING1_BIAS_DB) / sigma
            log_p += _log(np.exp(-0.5 * z * z) / (sigma * np.sqrt(2 * np.pi)))
        if radial_speed is not None:
            log_p += _log(self._radial_speed_density(radial_speed))
        if speed is not None:
            log_p += _log(_soft_uniform(speed, np.broadcast_to(speed_sigma, (n,)), self._speed))
        if height is not None:
            log_p += _log(_soft_uniform(height, np.broadcast_to(height_sigma, (n,)), self._height))
        log_p -= log_p.max(axis=1, keepdims=True)
        p = np.where(self.prior > 0, np.exp(log_p), 0.0)
        out: Floats = p / p.sum(axis=1, keepdims=True)
        return out

    def _radial_speed_density(self, radial_speed: Floats) -> Floats:
        """Return (n, N_CLASSES) density of abs(v_r), for speed uniform in [a, b] and direction uniform on the sphere.

        There abs(v_r) given the speed s is uniform on [0, s], so the density is ln(b / max(a, abs(v_r))) / (b - a) below b.
        """
        v = np.abs(radial_speed)[:, None]
        low, high = self._speed[None, :, 0], self._speed[None, :, 1]
        lower = np.maximum(np.maximum(low, v), 1e-2 * high)
        return np.where(np.isnan(v), np.nan, np.log(np.maximum(high / lower, 1.0)) / (high - low))


def decide(probability: Floats, threshold: float) -> tuple[np.ndarray, Floats]:
    """Return (class_id, confidence), each (n,): the most probable class, UNKNOWN where it does not reach the threshold.

    The confidence is that of the most probable class, before the threshold.
    """
    if len(probability) == 0:
        return np.empty(0, dtype=np.int64), np.empty(0)
    best = probability.argmax(axis=1)
    confidence: Floats = probability[np.arange(len(best)), best]
    return np.where(confidence >= threshold, best, int(ClassId.UNKNOWN)).astype(np.int64), confidence


def _soft_uniform(x: Floats, sigma: Floats, bounds: Floats) -> Floats:
    """Return (n, N_CLASSES) density of a uniform variable on `bounds` (N_CLASSES, 2) measured with Gaussian error."""
    s = np.maximum(sigma, 1e-3)[:, None]
    low, high = bounds[None, :, 0], bounds[None, :, 1]
    out: Floats = (ndtr((x[:, None] - low) / s) - ndtr((x[:, None] - high) / s)) / (high - low)
    return out


def _log(density: Floats) -> Floats:
    """Return the log of a density; 0 (no information) where the feature is NaN."""
    out: Floats = np.where(np.isnan(density), 0.0, np.log(np.maximum(np.nan_to_num(density), LIKELIHOOD_FLOOR)))
    return out


assert len(TABLE) == N_CLASSES
