"""Where a sensor gives more false alarms than elsewhere: those of the last while, counted around each detection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from aegis.core.kernels import clutter as kernels
from aegis.core.tracking.measurement import MIN_RANGE_M, Plots, SensorView
from aegis.core.types import Floats, Ints

HOLE = 0.2  # share of the radius within which earlier detections do not count: they are the object's own
OWN_SCANS = 3  # the last ones, in which an object that is no track yet may have been as far off as it flies
RADIUS = 0.2  # of the discs, as a share of the farthest range, where nothing is said of it
LIKELY = 0.05  # a detection less likely a false alarm than this is not kept
MOST_CELLS = 65_536  # of the grid in which they are counted


class Now(NamedTuple):
    """When detections are held against earlier ones."""

    stamp_ns: int
    speed_mps: float  # of a fast object


@dataclass(frozen=True)
class ClutterMap:
    """Detections of one sensor over the last scans that may be false alarms. Never changed, but replaced."""

    position: Floats  # (K, 2) in map
    weight: Floats  # (K,) the probability that it was a false alarm
    stamp_ns: Ints  # (K,)
    scans_ns: Ints  # stamps of the scans remembered
    scans: Floats  # how much of a scan each was: less than 1 of an antenna that turns

    @classmethod
    def empty(cls) -> ClutterMap:
        """Return a map that knows nothing."""
        stamps = np.empty(0, dtype=np.int64)
        return cls(np.empty((0, 2)), np.empty(0), stamps, stamps, np.empty(0))

    def excess(self, z: Plots, view: SensorView, clutter_per_scan: float, radius_m: float, now: Now) -> Floats:
        """Return how much denser false alarms are around each detection (D,) of a scan than usual.

        The posterior mean of a Poisson rate over the usual rate, which as a prior has the weight of one false alarm.

        Args:
            z: the detections; view: of the sensor.
            clutter_per_scan: false alarms that a scan usually has, in all of the view.
            radius_m: within which they are counted; 0: a share of the farthest range.
            now: when that is, and how fast objects are.
        """
        place, radius = z.position[:, :2], radius_m or RADIUS * view.far_m
        usual = clutter_per_scan * share_of_disc(place, view, radius, polar=z.polar)
        seen = (self.scans * (1.0 - (self._hole(self.scans_ns, radius, now) / radius) ** 2)).sum()
        return np.asarray((1.0 + self.count(place, radius, now)) / (1.0 + usual * seen), dtype=np.float64)

    def count(self, position: Floats, radius: float, now: Now) -> Floats:
        """Return (D,) the expected number of earlier false alarms within the radius of each position (D, 2)."""
        out = np.zeros(len(position))
        k = len(self.position)
        if not k or not len(position):
            return out
        lowest, extent = self.position.min(axis=0), np.ptp(self.position, axis=0)
        side = max(radius, float(np.sqrt(extent.prod() / MOST_CELLS)), float(extent.max()) / MOST_CELLS)
        cells = np.floor(extent / side).astype(np.int64) + 1
        kernels.count(
            np.ascontiguousarray(position), self.position, self.weight, self._hole(self.stamp_ns, radius, now), radius,
            lowest, cells, side, np.empty(int(cells.prod()) + 1, np.int64), np.empty(k, np.int64), out,
        )  # fmt: skip
        return out

    def _hole(self, stamp_ns: Ints, radius: float, now: Now) -> Floats:
        """Return (K,) within which distance detections of these times do not count, as they may be an object's own."""
        recent = stamp_ns >= self.scans_ns[-OWN_SCANS:].min(initial=now.stamp_ns)
        flown = np.where(recent, now.speed_mps * (now.stamp_ns - stamp_ns) * 1e-9, 0.0)
        return np.clip(flown, HOLE * radius, radius)

    def after(self, position: Floats, weight: Floats, stamp_ns: int, memory_ns: int, scan: float = 1.0) -> ClutterMap:
        """Return the map after a scan, or part of one, whose detections (D, 2) were false alarms with these probabilities."""
        recent = self.stamp_ns > stamp_ns - memory_ns
        scans = self.scans_ns > stamp_ns - memory_ns
        new = weight > LIKELY
        return ClutterMap(
            np.concatenate([self.position[recent], position[new]]),
            np.concatenate([self.weight[recent], weight[new]]),
            np.concatenate([self.stamp_ns[recent], np.full(int(new.sum()), stamp_ns)]),
            np.append(self.scans_ns[scans], stamp_ns),
            np.append(self.scans[scans], scan),
        )


def share_of_disc(position: Floats, view: SensorView, radius: float, *, polar: bool) -> Floats:
    """Return (D,) the share of a view's false alarms that usually lie in a disc around each position (D, 2) in map.

    Args:
        position: of the discs' centres; radius: of the discs [m].
        view: of the sensor.
        polar: false alarms spread evenly over range and azimuth, so thinner over the ground farther out; else over the ground.
    """
    local = (position - view.pose.position[:2]) @ view.pose.rotation[:2, :2]
    reach = np.maximum(np.sqrt((local**2).sum(axis=1)), MIN_RANGE_M)
    out = np.empty(len(position))
    kernels.share(
        reach, np.arctan2(local[:, 1], local[:, 0]), view.near_m, view.far_m, view.azimuth_rad, polar, radius, out
    )
    return out
