# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Points of one object grouped into one detection, with its variance and its class."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from aegis.core.angles import wrapped
from aegis.core.classification.physical import PhysicalModel, decide
from aegis.core.classification.settings import StatedClassesSettings
from aegis.core.classification.stated import fused, one_look
from aegis.core.detection.settings import DetectionSettings, GroupingSettings
from aegis.core.kernels import plots as kernels
from aegis.core.rows import take_rows
from aegis.core.signal.equation import decibels
from aegis.core.types import ClassBasis, ClassId, Detections, Floats, Ints, Scan

# The errors' dependence on SNR is trusted between these bounds only: far above the reference, biases and quantisation
# take over; below the detection threshold there is nothing.
MIN_ERROR_SCALE = 0.2
MAX_ERROR_SCALE = 2.0
ONE_LOOK = StatedClassesSettings()  # how far what is stated counts, for what a detection is called
SAME_LOOK_S = 0.5  # points of one look at an object differ in time by less; those of the next turn by more


class Detector:
    """The detection stage: `step` takes a scan and returns its detections."""

    def __init__(self, settings: DetectionSettings) -> None:
        """Make a detector."""
        self.settings = settings
        self.model = PhysicalModel(settings.classification.class_ids(), settings.classification.class_priors())

    def step(self, scan: Scan) -> tuple[Detections, Counter[str]]:
        """Return the detections of a scan, and how many points or detections were dropped, by reason."""
        s = self.settings
        variance = self.point_variance(scan)
        group = group_points(scan, variance, s.grouping)
        detections = self._merge(scan, variance, group)
        dropped: Counter[str] = Counter()
        if s.grouping.min_points > 1:
            keep = np.flatnonzero(detections.points >= s.grouping.min_points)
            dropped["group too small"] = len(detections) - len(keep)
            detections = take_rows(detections, keep)
        if len(detections) > s.limits.max_targets:
            dropped["over max_targets"] = len(detections) - s.limits.max_targets
            strongest = np.argsort(-np.nan_to_num(detections.snr_db, nan=-np.inf), kind="stable")[
                : s.limits.max_targets
            ]
            detections = take_rows(detections, np.sort(strongest))
        detections.id = np.arange(1, len(detections) + 1)
        self._classify(detections)
        return detections, +dropped

    def point_variance(self, scan: Scan) -> Floats:
        """Return (N, 4) variances of range, azimuth, elevation and range rate of every point; NaN where not measured."""
        s = self.settings.accuracy
        excess = 10.0 ** ((s.reference_snr_db - scan.snr_db) / 20.0)
        scale = np.where(np.isnan(excess), 1.0, np.clip(excess, MIN_ERROR_SCALE, MAX_ERROR_SCALE))
        sigma = np.empty((len(scan), 4))
        if s.cartesian_sigma_m > 0.0:
            sigma[:, 0] = s.cartesian_sigma_m
            sigma[:, 1:3] = (s.cartesian_sigma_m / scan.range)[:, None]
        else:
            sigma[:, 0] = s.range_sigma_m * scale
            sigma[:, 1] = np.deg2rad(s.azimuth_sigma_deg) * scale
            sigma[:, 2] = np.deg2rad(s.elevation_sigma_deg) * scale
        sigma[:, 3] = s.range_rate_sigma_mps * scale
        variance = sigma**2
        if scan.variance is not None and s.cartesian_sigma_m == 0.0:
            variance = np.where(np.isnan(scan.variance), variance, scan.variance)
        variance[np.isnan(scan.elevation), 2] = np.nan
        variance[np.isnan(scan.range_rate), 3] = np.nan
        return variance

    def _merge(self, scan: Scan, variance: Floats, group: Ints) -> Detections:
        """Return one detection a group: means weighted by the inverse variance of range, angles as vectors."""
        n = int(group.max()) + 1 if len(group) else 0
        points: Ints = np.bincount(group, minlength=n).astype(np.int64)
        inverse: Floats = 1.0 / variance[:, 0]
        weight: Floats = inverse / _sum(group, inverse, n)[group]

        def mean(values: Floats) -> Floats:
            return _sum(group, weight * values, n)

        horizontal = np.where(np.isnan(scan.elevation), 1.0, np.cos(scan.elevation)) * scan.range
        x, y = mean(horizontal * np.cos(scan.azimuth)), mean(horizontal * np.sin(scan.azimuth))
        z = mean(scan.range * np.sin(scan.elevation))  # NaN without elevation
        ground = np.hypot(x, y)
        merged = np.empty((n, 4))
        scatter = np.zeros((n, 4))
        merged[:, 0] = np.where(np.isnan(z), ground, np.hypot(ground, np.nan_to_num(z)))
        merged[:, 1] = np.arctan2(y, x)
        merged[:, 2] = np.arctan2(z, ground)
        merged[:, 3] = mean(scan.range_rate)
        values = np.column_stack([scan.range, scan.azimuth, scan.elevation, scan.range_rate])
        residual = values - merged[group]
        residual[:, 1] = wrapped(residual[:, 1])
        combined = np.empty((n, 4))
        for i in range(4):
            # What the points' own errors leave in the mean, and where the points of an extended object lie about it: the
            # mean of its scatterers wanders with those that happen to be seen.
            combined[:, i] = _sum(group, weight**2 * variance[:, i], n)
            scatter[:, i] = mean(residual[:, i] ** 2) / points
        total = combined + scatter
        if self.settings.grouping.range_rate_of == "strongest":
            body = strongest(group, scan.snr_db, n)
            merged[:, 3], total[:, 3] = scan.range_rate[body], variance[body, 3]
        # Whatever was seen of an object, and however exactly: its middle is not known better.
        wander = self.settings.accuracy.object_sigma_m**2
        total[:, 0] += wander
        total[:, 1:3] += wander / np.maximum(merged[:, :1], wander**0.5) ** 2 if wander else 0.0
        total[:, 3] += self.settings.accuracy.object_range_rate_sigma_mps**2
        # Powers add: the echo of an object is that of all its points.
        snr = decibels(_sum(group, 10.0 ** (scan.snr_db / 10.0), n))
        rcs = decibels(_sum(group, 10.0 ** (scan.rcs_dbsm / 10.0), n))
        return Detections(
            stamp_ns=scan.stamp_ns,
            frame_id=scan.frame_id,
            sequence=scan.sequence,
            sensor_id=self.settings.sensor_id,
            cartesian_accuracy=self.settings.accuracy.cartesian_sigma_m > 0.0,
            id=np.arange(1, n + 1),
            range=merged[:, 0],
            azimuth=merged[:, 1],
            elevation=merged[:, 2],
            range_rate=merged[:, 3],
            variance=total,
            snr_db=snr,
            rcs_dbsm=rcs,
            noise_db=mean(scan.noise_db),
            points=points,
            class_id=np.zeros(n, dtype=np.int64),
            confidence=np.zeros(n),
            class_probability=stated_of_groups(scan, group, n),
            time_offset=mean(scan.time_offset),
            sector=scan.sector,
        )

    def _heights(self, d: Detections) -> Floats:
        """Return (N,) how much higher than the sensor, as it is mounted, detections are; NaN without elevation."""
        up = self.settings.rotation()[2]
        level = up[0] * np.cos(d.azimuth) + up[1] * np.sin(d.azimuth)
        return np.asarray(d.range * (level * np.cos(d.elevation) + up[2] * np.sin(d.elevation)))

    def _classify(self, d: Detections) -> None:
        height_sigma = np.sqrt((d.range * np.cos(d.elevation)) ** 2 * d.variance[:, 2])
        stated = _states(d.class_probability)
        derived = self.model.posterior(
            len(d),
            rcs_dbsm=d.rcs_dbsm,
            radial_speed=np.abs(d.range_rate),
            radial_speed_sigma=np.sqrt(d.variance[:, 3]),
            height=self._heights(d),
            height_sigma=np.nan_to_num(height_sigma, nan=1.0),
        )
        # What the sensor states goes on as it is stated: the tracker weighs it. What the detection is called is by both.
        d.class_probability = np.where(stated[:, None], d.class_probability, derived)
        d.class_basis = np.where(stated, int(ClassBasis.STATED), int(ClassBasis.DERIVED))
        if stated.any():
            derived = fused(derived, one_look(d, ONE_LOOK), self.model.prior, ONE_LOOK)
        d.class_id, d.confidence = decide(derived, self.settings.classification.confidence_threshold)


def _sum(group: Ints, values: Floats, n: int) -> Floats:
    """Return (n,) sums of the values of each group; NaN where one of them is."""
    return np.bincount(group, values, minlength=n).astype(np.float64)


def _states(probability: Floats) -> NDArray[np.bool_]:
    """Tell which rows (n,) of class probabilities (n, N_CLASSES) state anything, and be it that the class is not known."""
    return np.asarray((np.nan_to_num(probability) != 0.0).any(axis=1))


def stated_of_groups(scan: Scan, group: Ints, n: int) -> Floats:
    """Return (n, N_CLASSES) what the points of each group state of its class on average; NaN: nothing."""
    if scan.class_probability is None:
        return np.full((n, len(ClassId)), np.nan)
    said = np.flatnonzero(_states(scan.class_probability))
    p, where = scan.class_probability[said], group[said]
    count = np.array([np.bincount(where, np.isfinite(column), minlength=n) for column in p.T])
    total = np.array([np.bincount(where, np.nan_to_num(column), minlength=n) for column in p.T])
    return np.where(count > 0.0, total / np.maximum(count, 1.0), np.nan).T


def strongest(group: Ints, snr_db: Floats, n: int) -> Ints:
    """Return (n,) which point of each group has the highest SNR; of unknown ones any."""
    order = np.lexsort((np.nan_to_num(snr_db, nan=-np.inf), group))
    return order[np.searchsorted(group[order], np.arange(n), side="right") - 1]


def group_points(scan: Scan, variance: Floats, settings: GroupingSettings) -> Ints:
    """Return (N,) group numbers, from 0, in the order of each group's first point.

    Two points are neighbours when range, both cross-ranges and range rate differ by no more than the distances, widened by the
    standard deviation of the difference, and when they are of one look; groups are the connected components (single linkage).
    Where two groups are together as strong as a large object, their points may be farther apart.

    Args:
        scan: N points; variance: (N, 4) of range, azimuth, elevation and range rate; settings: the distances.
    """
    s, n = settings, len(scan)
    if n < 2 or s.distance_m <= 0.0:
        return np.arange(n)
    order = np.argsort(scan.range)
    wider = float(np.sqrt(2.0 * variance[:, 0].max()))
    echo, out = np.zeros(n), np.empty(n, np.int64)

    def link(farthest_m: float, large_m2: float) -> None:
        kernels.group(
            order, scan.range, scan.azimuth, scan.elevation, scan.range_rate, scan.time_offset, variance, farthest_m + wider,
            s.distance_m, s.range_rate_mps, SAME_LOOK_S, s.large_factor * s.distance_m, large_m2, echo, np.empty(n, np.int64), out,
        )  # fmt: skip

    link(s.distance_m, np.inf)
    large_m2 = 10.0 ** (s.large_rcs_dbsm / 10.0)
    echo = _sum(out, np.nan_to_num(10.0 ** (scan.rcs_dbsm / 10.0)), n)[out]
    if s.large_factor > 1.0 and 2.0 * echo.max() >= large_m2:
        link(s.large_factor * s.distance_m, large_m2)
    return out
