"""Where a sensor gives more false alarms than elsewhere: those of the last while, counted around each detection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
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
MOST_PAIRS = 1_000_000  # of a detection and an earlier one; beyond, whole cells are counted, which takes less time
CELLS = 8  # that the radius is long, where whole cells are counted


class Now(NamedTuple):
    """When detections are held against earlier ones."""

    stamp_ns: int
    speed_mps: float  # of a fast object


class Grid(NamedTuple):
    """Square cells over a part of the map."""

    x: float  # its corner
    y: float
    side: float  # of a cell
    nx: int  # cells along each axis
    ny: int

    @property
    def corner(self) -> Floats:
        """Return its corner (2,)."""
        return np.array([self.x, self.y])

    def sums(self) -> Floats:
        """Return room for sums along the rows (ny, nx + 1)."""
        return np.empty((self.ny, self.nx + 1))


class Store:
    """Room for what maps remember: each sees a part of it, and the latest may be followed by more."""

    def __init__(self, room: int) -> None:
        """Make it, for so many detections."""
        self.position, self.weight, self.stamp_ns = np.empty((room, 2)), np.empty(room), np.empty(room, np.int64)
        self.used = 0

    def add(self, position: Floats, weight: Floats, stamp_ns: Ints | int) -> None:
        """Put more behind what is there."""
        end = self.used + len(weight)
        here = slice(self.used, end)
        self.position[here], self.weight[here], self.stamp_ns[here] = position, weight, stamp_ns
        self.used = end


@dataclass(frozen=True)
class ClutterMap:
    """Detections of one sensor over the last scans that may be false alarms. Never changed, but replaced."""

    store: Store  # whose detections from `begin` to `end` are remembered, in the order of time
    begin: int
    end: int
    scans_ns: Ints  # stamps of the scans remembered
    scans: Floats  # how much of a scan each was: less than 1 of an antenna that turns

    @classmethod
    def empty(cls) -> ClutterMap:
        """Return a map that knows nothing."""
        return cls(Store(0), 0, 0, np.empty(0, dtype=np.int64), np.empty(0))

    @property
    def position(self) -> Floats:
        """Return (K, 2) where they were, in map."""
        return self.store.position[self.begin : self.end]

    @property
    def weight(self) -> Floats:
        """Return (K,) the probability that each was a false alarm."""
        return self.store.weight[self.begin : self.end]

    @property
    def stamp_ns(self) -> Ints:
        """Return (K,) when they were, ascending."""
        return self.store.stamp_ns[self.begin : self.end]

    def excess(self, z: Plots, view: SensorView, clutter_per_scan: float, radius_m: float, now: Now) -> Floats:
        """Return how much denser false alarms are around each detection (D,) of a scan than usual.

        The posterior mean of a Poisson rate over the usual rate, which as a prior has the weight of one false alarm.

        Args:
            z: the detections, at least one; view: of the sensor.
            clutter_per_scan: false alarms that a scan usually has, in all of the view.
            radius_m: within which they are counted; 0: a share of the farthest range.
            now: when that is, and how fast objects are.
        """
        place, radius = z.position[:, :2], radius_m or RADIUS * view.far_m
        grid = cells_over(place, view, radius) if len(z) * (self.end - self.begin) > MOST_PAIRS else None
        if grid is not None:
            found, usual = self.in_cells(np.ascontiguousarray(place), view, radius, now, grid, polar=z.polar)
        else:
            seen = (self.scans * (1.0 - (self._hole(self.scans_ns, radius, now) / radius) ** 2)).sum()
            found, usual = self.count(place, radius, now), seen * share_of_disc(place, view, radius, polar=z.polar)
        return np.asarray((1.0 + found) / (1.0 + clutter_per_scan * usual), dtype=np.float64)

    def count(self, position: Floats, radius: float, now: Now) -> Floats:
        """Return (D,) the expected number of earlier false alarms within the radius of each position (D, 2)."""
        out = np.zeros(len(position))
        k = self.end - self.begin
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

    def in_cells(
        self, position: Floats, view: SensorView, radius: float, now: Now, grid: Grid, *, polar: bool
    ) -> tuple[Floats, Floats]:
        """Return the same by whole cells, and as how many times the share of a scan's false alarms that is usually there; (D,).

        The cells whose middle lies within the radius of that of the position's own cell, but those that the hole reaches into. Both
        are of the same cells, so that their shape does not matter.

        Args:
            position: (D, 2); view to now: as for `excess`.
            grid: from `cells_over`; polar: as in `share_of_disc`.
        """
        found, usual = np.zeros((2, len(position)))
        expected, past = _usual_in(grid, _Sector.of(view, polar)), grid.sums()
        for points, scans, hole in self._by_hole(radius, now):
            shape = _ring(hole / grid.side)
            kernels.sum_in_cells(self.position[points], self.weight[points], grid.corner, grid.side, past)
            kernels.around_in_cells(position, grid.corner, grid.side, *shape, past, found)
            here = np.zeros(len(position))
            kernels.around_in_cells(position, grid.corner, grid.side, *shape, expected, here)
            usual += float(self.scans[scans].sum()) * here
        return found, usual

    def _by_hole(self, radius: float, now: Now) -> Iterator[tuple[slice, slice, float]]:
        """Yield the detections and the scans that have a hole of the same size, and this."""
        hole = self._hole(self.scans_ns, radius, now)
        bounds = np.flatnonzero(np.diff(hole, prepend=np.nan, append=np.nan) != 0.0)
        stamps = self.stamp_ns
        for a, b in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            first, last = (
                np.searchsorted(stamps, self.scans_ns[a]),
                np.searchsorted(stamps, self.scans_ns[b - 1], "right"),
            )
            yield slice(int(first), int(last)), slice(a, b), float(hole[a])

    def _hole(self, stamp_ns: Ints, radius: float, now: Now) -> Floats:
        """Return (K,) within which distance detections of these times do not count, as they may be an object's own."""
        recent = stamp_ns >= self.scans_ns[-OWN_SCANS:].min(initial=now.stamp_ns)
        flown = np.where(recent, now.speed_mps * (now.stamp_ns - stamp_ns) * 1e-9, 0.0)
        return np.clip(flown, HOLE * radius, radius)

    def after(self, position: Floats, weight: Floats, stamp_ns: int, memory_ns: int, scan: float = 1.0) -> ClutterMap:
        """Return the map after a scan, or part of one, whose detections (D, 2) were false alarms with these probabilities.

        What is remembered is not copied at every scan: it is a megabyte, where there are many.
        """
        begin = self.begin + int(np.searchsorted(self.stamp_ns, stamp_ns - memory_ns, "right"))
        scans = slice(int(np.searchsorted(self.scans_ns, stamp_ns - memory_ns, "right")), None)
        new = np.flatnonzero(weight > LIKELY)
        store, kept = self.store, self.end - begin
        if store.used != self.end or self.end + len(new) > len(
            store.weight
        ):  # another map went on from here, or it is full
            store, old = Store(2 * (kept + len(new))), slice(begin, self.end)
            store.add(self.store.position[old], self.store.weight[old], self.store.stamp_ns[old])
            begin = 0
        store.add(position[new], weight[new], stamp_ns)
        return ClutterMap(
            store, begin, store.used, np.append(self.scans_ns[scans], stamp_ns), np.append(self.scans[scans], scan)
        )


def cells_over(position: Floats, view: SensorView, radius: float) -> Grid | None:
    """Return a grid that has the discs around positions (D, 2) in it, or None where that takes too many cells."""
    side = radius / CELLS
    middle = view.pose.position[:2]
    low, high = (
        np.minimum(position.min(axis=0), middle - view.far_m),
        np.maximum(position.max(axis=0), middle + view.far_m),
    )
    first, last = np.floor((low - radius) / side) - 1.0, np.floor((high + radius) / side) + 1.0
    nx, ny = last - first + 1.0
    x, y = (first * side).tolist()
    return Grid(x, y, side, int(nx), int(ny)) if nx * ny <= MOST_CELLS else None


@lru_cache
def _ring(hole: float) -> tuple[Ints, Ints]:
    """Return `outer` and `inner` of `kernels.around_in_cells` for a hole, whose radius is so many cells."""
    away = np.arange(CELLS + 1)
    outer = np.floor(np.sqrt(CELLS**2 - away**2)).astype(np.int64)
    nearest = np.maximum(away - 1, 0)  # that what is so many rows away can be
    inner = np.where(nearest < hole, np.ceil(np.sqrt(np.maximum(hole**2 - nearest**2, 0.0))), -1.0)
    return outer, inner.astype(np.int64)


class _Sector(NamedTuple):
    """Where a view's false alarms usually are, in numbers that can be compared."""

    near: float
    far: float
    half: float
    polar: bool
    origin: tuple[float, ...]
    rotation: tuple[float, ...]

    @classmethod
    def of(cls, view: SensorView, polar: bool) -> _Sector:
        """Return that of a view."""
        pose = view.pose
        place, turned = tuple(pose.position.tolist()), tuple(pose.rotation.ravel().tolist())
        return cls(view.near_m, view.far_m, view.azimuth_rad, polar, place, turned)


@lru_cache(maxsize=8)
def _usual_in(grid: Grid, sector: _Sector) -> Floats:
    """Return the sums of `kernels.usual_in_cells`."""
    out, (near, far, half, polar, origin, rotation) = grid.sums(), sector
    turned = np.array(rotation).reshape(3, 3)
    kernels.usual_in_cells(grid.corner, grid.side, np.array(origin), turned, near, far, half, polar, out)
    return out


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
