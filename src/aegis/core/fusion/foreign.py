# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Somebody else's objects, reported one by one: what is known of each, as a state that the fusion can take.

Where a report has a velocity, it is the state as it stands. Where it has only a place, the velocity is what a Kalman filter of
constant velocity makes of the object's places: whose each is, the report says.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from aegis.core.fusion.information import Estimate, carried, seconds
from aegis.core.types import N_CLASSES, ClassId, Floats, Tracks, TrackStatus, unknown

SURE = 0.5  # least probability of a class that is named
CONFIRMED_HITS = 2  # reports of an object, before which it is tentative
LIKELY = 0.5  # existence below which it is, too
MANOEUVRE_SIGMA_MPS2 = (2.0, 1.0)  # of objects whose velocity is not stated; horizontal, vertical


@dataclass(frozen=True)
class Report:
    """One report of one object, in `map`."""

    stamp_ns: int
    position: Floats  # (3,) [m]
    position_covariance: Floats  # (3, 3) [m^2]
    velocity: Floats | None = None  # (3,) [m/s]; None: not stated
    velocity_covariance: Floats | None = None  # (3, 3) [m^2/s^2]
    class_probability: Floats = field(default_factory=lambda: np.eye(N_CLASSES)[int(ClassId.UNKNOWN)])
    existence: float = 1.0


class ForeignObject:
    """One object of somebody else's.

    Args:
        report: the first one.
        speed_sigma_mps: standard deviation of its speed along each axis, where nobody states it.
        noise: (2,) of its motion, as in `information.carried`.
    """

    def __init__(self, report: Report, speed_sigma_mps: float, noise: Floats) -> None:
        self._speed_variance = np.eye(3) * speed_sigma_mps**2
        self._noise = noise
        self.first_ns = report.stamp_ns
        self.hits = 0
        self.stamp_ns = report.stamp_ns
        self._begin(report)
        self._note(report)

    def take(self, report: Report) -> bool:
        """Take a later report; return whether it is later."""
        if report.stamp_ns <= self.stamp_ns:
            return False
        if report.velocity is None:
            self._measure(report)
        else:
            self._begin(report)
        self._note(report)
        return True

    def at(self, stamp_ns: int) -> Estimate:
        """Return its state at a time, (1, 6) and (1, 6, 6)."""
        own = Estimate(self.x[None].copy(), self.P[None].copy())
        return carried(own, np.array([(stamp_ns - self.stamp_ns) * 1e-9]), self._noise)

    def class_id(self) -> ClassId:
        """Return what it is; UNKNOWN where no class is likelier than all others together."""
        best = int(np.argmax(self.class_probability))
        return ClassId(best) if self.class_probability[best] >= SURE else ClassId.UNKNOWN

    def _begin(self, report: Report) -> None:
        stated = report.velocity is not None
        self.x = np.concatenate([report.position, report.velocity if report.velocity is not None else np.zeros(3)])
        self.P = np.zeros((6, 6))
        self.P[:3, :3] = report.position_covariance
        unstated = self._speed_variance
        self.P[3:, 3:] = report.velocity_covariance if stated and report.velocity_covariance is not None else unstated

    def _measure(self, report: Report) -> None:
        """Update the state with a place (Bar-Shalom, Li, Kirubarajan 2001, 5.2.3; covariance in Joseph's form)."""
        x, P = (column[0] for column in self.at(report.stamp_ns))
        S = P[:3, :3] + report.position_covariance
        K = np.linalg.solve(S, P[:3]).T
        keep = np.eye(6)
        keep[:, :3] -= K
        self.x = x + K @ (report.position - x[:3])
        self.P = keep @ P @ keep.T + K @ report.position_covariance @ K.T

    def _note(self, report: Report) -> None:
        self.stamp_ns = report.stamp_ns
        self.hits += 1
        self.class_probability, self.existence = report.class_probability, report.existence


def picture_of(
    numbered: Iterable[tuple[int, ForeignObject]], stamp_ns: int, sequence: int, sensor_id: str, frame_id: str
) -> Tracks:
    """Return the objects of one source as its picture, each carried to the picture's time.

    Args:
        numbered: the objects with their track ids.
        stamp_ns: the picture's time.
        sequence: its number.
        sensor_id: of the source.
        frame_id: of the picture.
    """
    found = sorted(numbered, key=lambda pair: pair[0])
    objects = [one for _, one in found]
    states = [one.at(stamp_ns) for one in objects]
    n, stamps = len(objects), np.array([one.stamp_ns for one in objects], np.int64)
    first = np.array([one.first_ns for one in objects], np.int64)
    existence = np.array([one.existence for one in objects])
    hits = np.array([one.hits for one in objects], np.int64)
    confirmed = (hits >= CONFIRMED_HITS) & (existence >= LIKELY)
    return Tracks(
        stamp_ns=stamp_ns,
        frame_id=frame_id,
        sequence=sequence,
        sensor_id=sensor_id,
        track_id=np.array([number for number, _ in found], np.int64),
        status=np.where(confirmed, int(TrackStatus.CONFIRMED), int(TrackStatus.TENTATIVE)),
        state=np.concatenate([np.empty((0, 6)), *(one.x for one in states)]),
        covariance=np.concatenate([np.empty((0, 6, 6)), *(one.P for one in states)]),
        class_id=np.array([int(one.class_id()) for one in objects], np.int64),
        class_probability=np.array([one.class_probability for one in objects]).reshape(n, N_CLASSES),
        existence_probability=existence,
        rcs_dbsm=unknown(n),
        age=seconds(stamp_ns - first),
        time_since_update=seconds(stamp_ns - stamps),
        hits=hits,
    )
