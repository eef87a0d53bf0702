# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A stated physical model: which classes can be what was measured, by radar cross-section, speed and height.

Every number of it is in `TABLE`. It was not trained and its calibration on real targets is not known. Speeds and heights are
ranges of what the objects can do: they exclude, and within its range no class is likelier for having a narrower one, as nobody
knows how often objects use which part. What no range tells apart, the radar cross-sections have to, and else the answer is
UNKNOWN. These follow the order of magnitude of Skolnik, Introduction to Radar Systems, table 2.1 (X band: bird 0.01, man 1,
missile 0.5, light aircraft 1, fighter 6, jumbo jet 100, helicopter 3, car 100, pleasure boat 2 to 10 m^2), with spreads wide enough
for objects, aspects and the calibration of a radar.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aegis.core.kernels import classification as kernels
from aegis.core.types import N_CLASSES, ClassId, Floats, Ints

NAME = "physical-2"
BASIS = "stated table of RCS, speeds and heights per class (aegis.core.classification.physical); not trained"


@dataclass(frozen=True)
class ClassTraits:
    """What is typical of a class: mean RCS and its spread from one object to the next; what it can do; how common it is."""

    rcs_dbsm: float
    rcs_sigma_db: float
    speed_mps: tuple[float, float]
    height_m: tuple[float, float]  # above the sensor
    prior: float  # relative to the others


_ANY = (-np.inf, np.inf)

TABLE: dict[ClassId, ClassTraits] = {
    # "None of the others": explains everything, but is rare. It wins only where no class explains the measurement.
    ClassId.UNKNOWN: ClassTraits(0.0, np.inf, _ANY, _ANY, 0.01),
    ClassId.DRONE: ClassTraits(-17.0, 7.0, (0.0, 40.0), (0.0, 1500.0), 1.0),
    ClassId.BIRD: ClassTraits(-25.0, 7.0, (4.0, 30.0), (0.0, 3000.0), 1.0),
    ClassId.AIRCRAFT: ClassTraits(8.0, 14.0, (25.0, 350.0), (20.0, 15000.0), 1.0),
    ClassId.HELICOPTER: ClassTraits(8.0, 11.0, (0.0, 90.0), (10.0, 6000.0), 1.0),
    ClassId.MISSILE: ClassTraits(-7.0, 8.5, (120.0, 1500.0), (0.0, 20000.0), 1.0),
    ClassId.VEHICLE: ClassTraits(12.0, 11.0, (0.0, 60.0), (-30.0, 5.0), 1.0),
    ClassId.PERSON: ClassTraits(-2.0, 5.5, (0.0, 7.0), (-30.0, 3.0), 1.0),
    ClassId.VESSEL: ClassTraits(18.0, 17.0, (0.0, 20.0), (-30.0, 10.0), 1.0),
    ClassId.CLUTTER: ClassTraits(3.0, 21.0, (0.0, 0.5), (-50.0, 50.0), 1.0),
}


class PhysicalModel:
    """Class probabilities from any subset of the features; a feature that is NaN says nothing."""

    def __init__(
        self, classes: tuple[ClassId, ...] = tuple(ClassId), priors: Mapping[ClassId, float] | None = None
    ) -> None:
        """Restrict the answer to `classes`; UNKNOWN always stays possible. `priors` multiply those of the table."""
        considered, factor = {ClassId.UNKNOWN, *classes}, priors or {}
        rows = [TABLE[c] for c in ClassId]
        self.prior = np.array(
            [t.prior * factor.get(c, 1.0) if c in considered else 0.0 for c, t in zip(ClassId, rows, strict=True)]
        )
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
        radial_speed_sigma: Floats | float = 1.0,
        speed: Floats | None = None,
        speed_sigma: Floats | float = 1.0,
        height: Floats | None = None,
        height_sigma: Floats | float = 1.0,
    ) -> Floats:
        """Return (n, N_CLASSES) probabilities; rows sum to 1.

        Args:
            n: how many objects.
            rcs_dbsm: (n,) mean of the measured RCS in dBsm over `looks` (n,) independent looks (1 if not given).
            radial_speed, radial_speed_sigma: (n,) abs(range rate) and its standard deviation [m/s].
            speed, speed_sigma: (n,) speed and its standard deviation [m/s]; give either this or `radial_speed`.
            height, height_sigma: (n,) above the sensor and its standard deviation [m].
        """

        def column(values: Floats | float | None) -> Floats:
            if isinstance(values, np.ndarray):
                return np.ascontiguousarray(values)
            return np.full(n, np.nan if values is None else values)

        out = np.zeros((n, N_CLASSES))
        kernels.posterior(
            self.prior, self._rcs, self._rcs_sigma, self._speed, self._height,
            column(rcs_dbsm), column(1.0 if looks is None else looks),
            column(radial_speed), column(radial_speed_sigma), column(speed), column(speed_sigma),
            column(height), column(height_sigma), out,
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
