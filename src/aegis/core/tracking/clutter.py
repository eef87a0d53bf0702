# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where a sensor gives more false alarms than elsewhere: those of the last while, counted around each detection."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np

from aegis.core.kernels import clutter as kernels
from aegis.core.tracking.measurement import Plots, SensorView
from aegis.core.types import Floats, Ints

HOLE = 0.2  # share of the radius within which earlier detections do not count: they are the object's own
RADIUS = 0.2  # of the discs, as a share of the farthest range, where nothing is said of it
LIKELY = 0.05  # a detection less likely a false alarm than this is not kept
MOST_CELLS = 65_536  # of the grid in which they are counted
MOST_PAIRS = 1_000_000  # of a detection and an earlier one; beyond, whole cells are counted, which takes less time
CELLS = 8  # that the radius is long, where whole cells are counted


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

    def take(self, other: Store, begin: int, end: int) -> None:
        """Begin with what another store has from `begin` to `end`."""
        self.used = end - begin
        self.position[: self.used] = other.position[begin:end]
        self.weight[: self.used], self.stamp_ns[: self.used] = other.weight[begin:end], other.stamp_ns[begin:end]

    def remember(self, position: Floats, weight: Floats, stamp_ns: int) -> None:
        """Put the detections of a scan, with the probability that each was a false alarm, behind what is there."""
        free = slice(self.used, None)
        self.used += kernels.remember(
            position, weight, LIKELY, stamp_ns, self.position[free], self.weight[free], self.stamp_ns[free]
        )


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

    def excess(self, z: Plots, view: SensorView, clutter_per_scan: float, radius_m: float) -> Floats:
        """Return how much denser false alarms are around each detection (D,) of a scan than usual.

        The posterior mean of a Poisson rate over the usual rate, which as a prior has the weight of one false alarm.

        Args:
            z: the detections, at least one; view: of the sensor.
            clutter_per_scan: false alarms that a scan usually has, in all of the view.
            radius_m: within which they are counted; 0: a share of the farthest range.
        """
        radius = radius_m or RADIUS * view.far_m
        grid = cells_over(z.position, view, radius) if len(z) * (self.end - self.begin) > MOST_PAIRS else None
        if grid is not None:
            found, usual = self.in_cells(z.position, view, radius, grid, polar=z.polar)
        else:
            found, usual = self.count(z.position, radius), share_of_disc(z.position, view, radius, polar=z.polar)
            usual *= (1.0 - HOLE**2) * self.scans.sum()
        return np.asarray((1.0 + found) / (1.0 + clutter_per_scan * usual), dtype=np.float64)

    def count(self, position: Floats, radius: float) -> Floats:
        """Return (D,) the expected number of earlier false alarms within the radius of each position (D, 2), or more columns."""
        k = self.end - self.begin
        if not k or not len(position):
            return np.zeros(len(position))
        out = np.empty(len(position))
        kernels.count(
            position, self.position, self.weight, radius, HOLE * radius, MOST_CELLS,
            np.empty(2 * MOST_CELLS + 4, np.int64), np.empty((k, 3)), out,
        )  # fmt: skip
        return out

    def in_cells(
        self, position: Floats, view: SensorView, radius: float, grid: Grid, *, polar: bool
    ) -> tuple[Floats, Floats]:
        """Return the same by whole cells, and as how many times the share of a scan's false alarms that is usually there; (D,).

        The cells whose middle lies within the radius of that of the position's own cell, but those that the hole reaches into. Both
        are of the same cells, so that their shape does not matter.

        Args:
            position: (D, 2), or more columns; view, radius: as for `excess`.
            grid: from `cells_over`; polar: as in `share_of_disc`.
        """
        found, usual = np.empty((2, len(position)))
        past, corner = grid.sums(), grid.corner
        kernels.sum_in_cells(self.position, self.weight, corner, grid.side, past)
        kernels.around_in_cells(
            position, corner, grid.side, *_ring(), past, *_usual_in(grid, _Sector.of(view, polar)), found, usual
        )
        return found, self.scans.sum() * usual

    def after(self, position: Floats, weight: Floats, stamp_ns: int, memory_ns: int, scan: float = 1.0) -> ClutterMap:
        """Return the map after a scan, or part of one, whose detections (D, 2) were false alarms with these probabilities (D,).

        What is remembered is not copied at every scan: it is a megabyte, where there are many. Positions may have more columns.
        """
        begin = self.begin + int(self.stamp_ns.searchsorted(stamp_ns - memory_ns, "right"))
        scans = slice(int(self.scans_ns.searchsorted(stamp_ns - memory_ns, "right")), None)
        store, kept = self.store, self.end - begin
        if store.used != self.end or self.end + len(weight) > len(
            store.weight
        ):  # another map went on from here, or it is full
            store = Store(2 * (kept + len(weight)))
            store.take(self.store, begin, self.end)
            begin = 0
        store.remember(position, weight, stamp_ns)
        return ClutterMap(
            store,
            begin,
            store.used,
            np.concatenate((self.scans_ns[scans], (stamp_ns,))),
            np.concatenate((self.scans[scans], (scan,))),
        )


def cells_over(position: Floats, view: SensorView, radius: float) -> Grid | None:
    """Return a grid that has the discs around positions (D, 2) in it, or None where that takes too many cells."""
    side = radius / CELLS
    x, y, far = float(view.pose.position[0]), float(view.pose.position[1]), view.far_m
    west, south, east, north = kernels.extent(position)
    i, last = math.floor((min(west, x - far) - radius) / side) - 1, math.floor((max(east, x + far) + radius) / side) + 1
    j, top = (
        math.floor((min(south, y - far) - radius) / side) - 1,
        math.floor((max(north, y + far) + radius) / side) + 1,
    )
    nx, ny = last - i + 1, top - j + 1
    return Grid(i * side, j * side, side, nx, ny) if nx * ny <= MOST_CELLS else None


@cache
def _ring() -> tuple[Ints, Ints]:
    """Return `outer` and `inner` of `kernels.around_in_cells`."""
    away, hole = np.arange(CELLS + 1), HOLE * CELLS
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
def _usual_in(grid: Grid, sector: _Sector) -> tuple[Floats, Floats]:
    """Return the sums of `kernels.usual_in_cells`, and room for what `kernels.around_in_cells` makes of them, cell by cell."""
    out, (near, far, half, polar, origin, rotation) = grid.sums(), sector
    turned = np.array(rotation).reshape(3, 3)
    kernels.usual_in_cells(grid.corner, grid.side, np.array(origin), turned, near, far, half, polar, out)
    return out, np.full((grid.ny, grid.nx), np.nan)


def share_of_disc(position: Floats, view: SensorView, radius: float, *, polar: bool) -> Floats:
    """Return (D,) the share of a view's false alarms that usually lie in a disc around each position (D, 2) in map.

    Args:
        position: of the discs' centres; radius: of the discs [m].
        view: of the sensor.
        polar: false alarms spread evenly over range and azimuth, so thinner over the ground farther out; else over the ground.
    """
    out, pose = np.empty(len(position)), view.pose
    kernels.share(position, pose.position, pose.rotation, view.near_m, view.far_m, view.azimuth_rad, polar, radius, out)
    return out
