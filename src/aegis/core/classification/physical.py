"""A stated physical model: naive Bayes over radar cross-section, speed and height.

Every number of it is in `TABLE`. It was not trained and its calibration on real targets is not known: it says which classes
are plausible for what was measured, and UNKNOWN where none is. Radar cross-sections follow the order of magnitude of Skolnik,
Introduction to Radar Systems, table 2.1 (X band: bird 0.01, man 1, missile 0.5, light aircraft 1, fighter 6, jumbo jet 100,
helicopter 3, car 100, pleasure boat 2 to 10 m^2) with spreads wide enough for aspect; speeds and heights are what the
objects can do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from aegis.core.kernels import classification as kernels
from aegis.core.types import N_CLASSES, ClassId, Floats, Ints

NAME = "physical-1"
BASIS = "stated table of RCS, speed and height per class (aegis.core.classification.physical); not trained"


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


class _Bounds(NamedTuple):
    """What a feature of each class can be; classes share their bounds, many of them, so that each is looked up once."""

    bounds: Floats  # (C, 2) lowest and highest
    edges: Floats  # (E,) all of them, each once
    edge: Ints  # (C, 2) which of them a bound is

    @classmethod
    def of(cls, bounds: Floats) -> _Bounds:
        edges = np.unique(bounds)
        return cls(bounds, edges, np.searchsorted(edges, bounds))


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
        self._speed = _Bounds.of(np.array([t.speed_mps for t in rows]))
        self._height = _Bounds.of(np.array([t.height_m for t in rows]))

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
            return np.full(n, np.nan if values is None else values)

        out = np.zeros((n, N_CLASSES))
        kernels.posterior(
            self.prior, self._rcs, self._rcs_sigma, *self._speed, *self._height,
            column(rcs_dbsm), column(1.0 if looks is None else looks), column(radial_speed), column(speed), column(speed_sigma),
            column(height), column(height_sigma), np.empty_like(self._speed.edges), np.empty_like(self._height.edges), out,
        )  # fmt: skip
        return out


def decide(probability: Floats, threshold: float) -> tuple[Ints, Floats]:
    """Return (class_id, confidence), each (n,): the most probable class, UNKNOWN where it does not reach the threshold.

    The confidence is that of the most probable class, before the threshold.
    """
    class_id, confidence = np.empty(len(probability), np.int64), np.empty(len(probability))
    kernels.decide(np.ascontiguousarray(probability), threshold, class_id, confidence)
    return class_id, confidence


assert len(TABLE) == N_CLASSES
