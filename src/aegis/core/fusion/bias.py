# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Offset, rotation, range bias and time offset of sources against each other, from tracks that two of them hold.

Where two sources report the same object one after the other, their difference is what the two biases make of it, plus the tracks'
errors; it is linear in the biases. What follows is one least-squares problem over all of them, with what is known of each before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aegis.core.fusion.comparison import Pairs
from aegis.core.fusion.settings import BiasSettings, SourceSettings
from aegis.core.types import Floats

SIZE = 5  # offset east and north [m], rotation [rad], range [m], stamps late by [s], of each source
DRIFT_PER_S = 1e-4  # of the variances known before, a second: biases change slowly
MANY = 8  # sources beyond which each is compared the less often
GATE = 16.0  # squared distance, two components: pairs beyond are no pairs


@dataclass(frozen=True)
class Bias:
    """What is known of a source: what it says minus this is right; each with its standard deviation."""

    offset_m: tuple[float, float]
    rotation_rad: float
    range_m: float
    late_s: float
    offset_sigma_m: float
    rotation_sigma_rad: float
    range_sigma_m: float
    late_sigma_s: float
    pairs: int


class Biases:
    """The estimate; a source is added when it is first heard."""

    def __init__(self, settings: BiasSettings, noise: Floats) -> None:
        """Make it; `noise` is the motion's, as in `information.carried`."""
        self._settings, self._noise = settings, noise
        self._sources: dict[str, int] = {}
        self._places = np.zeros((0, 3))
        self._pairs: list[int] = []
        self._compared_ns: list[int] = []
        self._updated_ns = 0
        self._mean = np.zeros(0)
        self._covariance = np.zeros((0, 0))
        self._prior = np.zeros(0)
        self._clear()

    @property
    def applied(self) -> bool:
        """Tell whether the biases are taken off."""
        return self._settings.mode == "apply"

    def add(self, source: str, settings: SourceSettings) -> int:
        """Return the number of a source, which is added where it is new."""
        if source in self._sources:
            return self._sources[source]
        s = self._settings
        sigma = [s.offset_sigma_m, s.offset_sigma_m, np.deg2rad(s.rotation_sigma_deg), s.range_sigma_m, s.time_sigma_s]
        own = np.square(sigma) if source != s.reference and s.mode != "off" else np.zeros(SIZE)
        n = len(self._mean)
        covariance = np.zeros((n + SIZE, n + SIZE))
        covariance[:n, :n] = self._covariance
        covariance[n:, n:] = np.diag(own)
        self._covariance, self._mean = covariance, np.append(self._mean, np.zeros(SIZE))
        self._prior = np.append(self._prior, own)
        self._places = np.vstack([self._places, [settings.sensor_x, settings.sensor_y, settings.sensor_z]])
        self._pairs.append(0)
        self._compared_ns.append(0)
        self._sources[source] = len(self._sources)
        self._update()
        self._clear()
        return self._sources[source]

    def report(self) -> dict[str, Bias]:
        """Return the bias of every source, where there are several."""
        if len(self._sources) < 2 or self._settings.mode == "off":
            return {}
        sigma = np.sqrt(np.diag(self._covariance)).reshape(-1, SIZE).tolist()
        mean = self._mean.reshape(-1, SIZE).tolist()
        return {
            name: Bias(
                (mean[k][0], mean[k][1]), mean[k][2], mean[k][3], mean[k][4],
                max(sigma[k][:2]), sigma[k][2], sigma[k][3], sigma[k][4], self._pairs[k],
            )
            for name, k in self._sources.items()
        }  # fmt: skip

    def of(self, source: int, x: Floats) -> tuple[Floats, Floats]:
        """Return by how much states (N, 6) of a source are displaced, (N, 6), and the covariance of that in position (N, 2, 2)."""
        n = len(x)
        out = np.zeros((n, 6))
        own = slice(SIZE * source, SIZE * source + SIZE)
        if not self.applied or not self._prior[own].any():
            return out, np.zeros((n, 2, 2))
        slope, mean = self._slope(source, x), self._mean[own]
        out[:, :3] = slope @ mean
        out[:, 3], out[:, 4] = -mean[2] * x[:, 4], mean[2] * x[:, 3]
        ground = slope[:, :2]
        return out, ground @ self._covariance[own, own] @ ground.transpose(0, 2, 1)

    def is_due(self, source: int, now_ns: int) -> bool:
        """Tell whether a source's tracks are to be compared with the others' now."""
        interval_s = self._settings.interval_s * max(1.0, len(self._sources) / MANY)
        return self._settings.mode != "off" and not 0 <= now_ns - self._compared_ns[source] < interval_s * 1e9

    def compare(self, source: int, now_ns: int, pairs: Pairs) -> None:
        """Take what a source, by its number, and others say of the same objects at a time."""
        other, tracks, others, worth = pairs
        self._compared_ns[source] = now_ns
        # One place and velocity for both: what is in their difference and in a slope alike would pass for a bias of all.
        at = (tracks.x + others.x) / 2.0
        ours, theirs = self._slope(source, at)[:, :2], np.empty((len(other), 2, SIZE))
        for k in np.unique(other).tolist():
            theirs[other == k] = self._slope(k, at[other == k])[:, :2]
        difference = tracks.x[:, :2] - others.x[:, :2]
        spread = tracks.P[:, :2, :2] + others.P[:, :2, :2]
        mean, blocks = self._mean.reshape(-1, SIZE), self._blocks()
        innovation = difference - ours @ mean[source] + np.einsum("kij,kj->ki", theirs, mean[other])
        whole = (
            spread
            + ours @ blocks[source] @ ours.transpose(0, 2, 1)
            + theirs @ blocks[other] @ theirs.transpose(0, 2, 1)
        )
        distance = np.einsum("ki,ki->k", innovation, np.linalg.solve(whole, innovation[:, :, None])[:, :, 0])
        good = np.flatnonzero(distance < GATE)
        for k, count in zip(*np.unique(other[good], return_counts=True), strict=True):
            self._pairs[k] += int(count)
            self._pairs[source] += int(count)
        weight = worth[good, None, None] * np.linalg.inv(spread[good])
        mine = ours[good].transpose(0, 2, 1) @ weight
        yours = theirs[good].transpose(0, 2, 1) @ weight
        with_us, k = np.full(len(good), source), other[good]
        for rows, columns, block in (
            (with_us, with_us, mine @ ours[good]), (with_us, k, -mine @ theirs[good]),
            (k, with_us, -yours @ ours[good]), (k, k, yours @ theirs[good]),
        ):  # fmt: skip
            np.add.at(self._information, (rows, columns), block)
        np.add.at(self._vector, with_us, (mine @ difference[good, :, None])[:, :, 0])
        np.add.at(self._vector, k, -(yours @ difference[good, :, None])[:, :, 0])
        if not 0 <= now_ns - self._updated_ns < self._settings.interval_s * 1e9:
            if self._updated_ns and now_ns > self._updated_ns:
                drift = self._prior * DRIFT_PER_S**2 * (now_ns - self._updated_ns) * 1e-9
                self._covariance += np.diag(drift)
            self._updated_ns = now_ns
            self._update()
            self._clear()

    def _slope(self, source: int, x: Floats) -> Floats:
        """Return (N, 3, SIZE) how positions depend on a source's bias."""
        out = np.zeros((len(x), 3, SIZE))
        from_place = x[:, :3] - self._places[source]
        out[:, 0, 0] = out[:, 1, 1] = 1.0
        out[:, 0, 2], out[:, 1, 2] = -from_place[:, 1], from_place[:, 0]
        out[:, :, 3] = from_place / np.maximum(np.linalg.norm(from_place, axis=1), 1.0)[:, None]
        out[:, :, 4] = -x[:, 3:]  # stamped late: it was there before
        return out

    def _blocks(self) -> Floats:
        """Return (S, SIZE, SIZE) the covariance of each source's own bias."""
        n = len(self._sources)
        each = np.arange(n)
        out: Floats = self._covariance.reshape(n, SIZE, n, SIZE)[each, :, each, :]
        return out

    def _clear(self) -> None:
        n = len(self._sources)
        self._information = np.zeros((n, n, SIZE, SIZE))  # of all comparisons since the last update
        self._vector = np.zeros((n, SIZE))

    def _update(self) -> None:
        """Add what the comparisons have said: B' = (B^-1 + Y)^-1, of those that are not known from the start."""
        if not self._information.any():
            return
        n = len(self._information) * SIZE
        scale = np.sqrt(self._prior[:n])  # metres, radians and seconds in one matrix need it
        free = np.flatnonzero(scale > 0.0)
        unit, both = scale[free], np.ix_(free, free)
        Y = self._information.transpose(0, 2, 1, 3).reshape(n, n)
        after = np.linalg.inv(self._covariance[both] / np.outer(unit, unit))
        after = np.linalg.inv(after + Y[both] * np.outer(unit, unit)) * np.outer(unit, unit)
        self._mean[free] += after @ (self._vector.ravel() - Y @ self._mean[:n])[free]
        self._covariance[both] = (after + after.T) / 2.0
