# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Range and azimuth bias of sensors, from tracks that two of them see: a Kalman filter over all biases.

When a track's next clear detection comes from another sensor, the first one's position, carried on with the track's velocity, is
compared with the second one's. The difference is what the two biases make of it, plus known errors; it is linear in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from aegis.core.rows import take_rows
from aegis.core.types import Floats, Ints, Pose

RANGE_BIAS_SIGMA_M = 100.0  # before anything is known
AZIMUTH_BIAS_SIGMA_RAD = np.deg2rad(3.0)
DRIFT_PER_S = 1e-4  # of those, squared and a second: biases change slowly (mounting, temperature)
LONGEST_GAP_S = 3.0  # between the two detections
GATE = 16.0  # squared distance, two components: pairs beyond are no pairs


@dataclass(frozen=True)
class Bias:
    """What is known of a sensor."""

    range_m: float
    range_sigma_m: float
    azimuth_rad: float
    azimuth_sigma_rad: float
    pairs: int


@dataclass
class _Last:
    """The last clear detection of each track, ordered by id."""

    id: Ints
    sensor: Ints
    stamp_ns: Ints
    position: Floats  # (N, 2) horizontally, in map
    covariance: Floats  # (N, 2, 2)
    jacobian: Floats  # (N, 2, 2) of the position with respect to range and azimuth


class ClearPlots(NamedTuple):
    """K clear detections of a scan, and the tracks that they are of."""

    track_id: Ints  # (K,)
    velocity: Floats  # (K, 2) of the tracks in map
    velocity_variance: Floats  # (K,) along an axis
    range_m: Floats  # (K,) as measured, uncorrected
    azimuth: Floats  # (K,)
    elevation: Floats  # (K,) 0 where it was not measured
    variance: Floats  # (K, 2) of range and azimuth
    measured_ns: Ints  # (K,) when


class Registration:
    """Estimates the biases; a sensor is added when it is first heard."""

    def __init__(self, reference: str) -> None:
        """Make an estimator; `reference` is the sensor_id that is taken to have no bias, if any."""
        self._reference = reference
        self._sensors: list[str] = []
        self._mean = np.zeros(0)
        self._covariance = np.zeros((0, 0))
        self._pairs: dict[str, int] = {}
        self._stamp_ns: int | None = None
        self.forget()

    def forget(self) -> None:
        """Forget the detections, as after a reset; what is known of the sensors stays."""
        self._last = _Last(
            np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 2)), np.empty((0, 2, 2)),
            np.empty((0, 2, 2)),
        )  # fmt: skip

    def bias(self, sensor_id: str) -> Bias:
        """Return what is known of a sensor's bias; the measured value minus the bias is right."""
        if sensor_id not in self._sensors:
            return Bias(0.0, RANGE_BIAS_SIGMA_M, 0.0, float(AZIMUTH_BIAS_SIGMA_RAD), 0)
        k = 2 * self._sensors.index(sensor_id)
        sigma = np.sqrt(np.diag(self._covariance))
        return Bias(
            float(self._mean[k]), float(sigma[k]), float(self._mean[k + 1]), float(sigma[k + 1]),
            self._pairs.get(sensor_id, 0),
        )  # fmt: skip

    def report(self) -> dict[str, Bias]:
        """Return the bias of every sensor heard, where there are several."""
        return {name: self.bias(name) for name in self._sensors} if len(self._sensors) > 1 else {}

    def observe(self, sensor_id: str, stamp_ns: int, pose: Pose, plots: ClearPlots) -> None:
        """Take the clear detections of a scan: each is a track's only candidate."""
        track_id, velocity, velocity_variance, range_m, azimuth, elevation, variance, measured_ns = plots
        s = self._number(sensor_id)
        ground = range_m * np.cos(elevation)
        forward, left = np.cos(azimuth), np.sin(azimuth)
        turn = pose.rotation[:2, :2]
        local = np.stack([ground * forward, ground * left], axis=1)
        position = local @ turn.T + pose.position[:2]
        slope = np.cos(elevation)
        jacobian = np.empty((len(range_m), 2, 2))
        jacobian[:, :, 0] = np.stack([slope * forward, slope * left], axis=1) @ turn.T
        jacobian[:, :, 1] = np.stack([-local[:, 1], local[:, 0]], axis=1) @ turn.T
        covariance = np.einsum("kij,kj,klj->kil", jacobian, variance, jacobian)
        order = np.argsort(track_id)
        now = _Last(track_id, np.full(len(track_id), s), measured_ns, position, covariance, jacobian)
        now = take_rows(now, order)
        if self._stamp_ns is not None and len(self._mean):
            dt = max(0.0, (stamp_ns - self._stamp_ns) * 1e-9)
            prior = np.tile([RANGE_BIAS_SIGMA_M**2, AZIMUTH_BIAS_SIGMA_RAD**2], len(self._sensors))
            moving = np.array([name != self._reference for name in self._sensors]).repeat(2)
            self._covariance += np.diag(prior * DRIFT_PER_S**2 * dt * moving)
        self._stamp_ns = stamp_ns
        last = self._last
        _, a, b = np.intersect1d(last.id, now.id, assume_unique=True, return_indices=True)
        gap = (now.stamp_ns[b] - last.stamp_ns[a]) * 1e-9
        usable = (last.sensor[a] != s) & (gap >= 0.0) & (gap <= LONGEST_GAP_S)
        for i, j, dt in zip(a[usable], b[usable], gap[usable], strict=True):
            moved = last.position[i] + velocity[order[j]] * dt
            noise = last.covariance[i] + now.covariance[j] + np.eye(2) * velocity_variance[order[j]] * dt**2
            h = np.zeros((2, len(self._mean)))
            h[:, 2 * s : 2 * s + 2] = now.jacobian[j]
            k = 2 * int(last.sensor[i])
            h[:, k : k + 2] = -last.jacobian[i]
            self._update(now.position[j] - moved, h, noise, (sensor_id, self._sensors[int(last.sensor[i])]))
        # A detection serves one comparison: two that share one would not be independent.
        fresh = np.ones(len(now.id), dtype=bool)
        fresh[b[usable]] = False
        stay = ~np.isin(last.id, now.id)
        stay &= (stamp_ns - last.stamp_ns) * 1e-9 <= LONGEST_GAP_S
        both = _join(take_rows(last, np.flatnonzero(stay)), take_rows(now, np.flatnonzero(fresh)))
        self._last = take_rows(both, np.argsort(both.id))

    def _update(self, difference: Floats, h: Floats, noise: Floats, names: tuple[str, str]) -> None:
        spread = h @ self._covariance @ h.T + noise
        innovation = difference - h @ self._mean
        if float(innovation @ np.linalg.solve(spread, innovation)) > GATE:
            return
        gain = np.linalg.solve(spread, h @ self._covariance).T
        keep = np.eye(len(self._mean)) - gain @ h
        self._mean = self._mean + gain @ innovation
        self._covariance = keep @ self._covariance @ keep.T + gain @ noise @ gain.T
        for name in names:
            self._pairs[name] = self._pairs.get(name, 0) + 1

    def _number(self, sensor_id: str) -> int:
        if sensor_id not in self._sensors:
            self._sensors.append(sensor_id)
            known = 0.0 if sensor_id == self._reference else 1.0
            added = np.array([RANGE_BIAS_SIGMA_M**2, AZIMUTH_BIAS_SIGMA_RAD**2]) * known
            n = len(self._mean)
            covariance = np.zeros((n + 2, n + 2))
            covariance[:n, :n] = self._covariance
            covariance[[n, n + 1], [n, n + 1]] = added
            self._covariance, self._mean = covariance, np.concatenate([self._mean, np.zeros(2)])
        return self._sensors.index(sensor_id)


def _join(a: _Last, b: _Last) -> _Last:
    return _Last(*(np.concatenate([getattr(a, name), getattr(b, name)]) for name in a.__dataclass_fields__))
