# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A turning radar's video for displays: a grid of bearings and ranges, as fine as a screen, the strongest cell of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aegis.core.types import Floats
from aegis.core.video.spokes import Spokes

BEARINGS = 1024  # of a turn
MOST_CELLS = 256  # of a spoke
WIDEST = 8  # bearings that a spoke may stand for: some radars have 250 a turn
_TURN = 2.0 * np.pi


@dataclass(frozen=True)
class SweepSector:
    """Some neighbouring bearings of a grid of BEARINGS, clockwise from `first`."""

    stamp_ns: int
    sensor_id: str
    first: int  # bearing k is from 360 k / BEARINGS degrees to the next, clockwise from north
    first_range_m: float  # near edge of the first cell
    cell_m: float
    levels: NDArray[np.uint8]  # (bearings, cells): 255 is full scale


def sweep_sectors(video: Spokes, heading_rad: float) -> list[SweepSector]:
    """Return spokes as sectors; several where they leave bearings out.

    Args:
        video: the spokes.
        heading_rad: of the sensor, clockwise from north, for spokes that do not say it.
    """
    heading = np.where(np.isnan(video.heading), heading_rad, video.heading)
    bearing = _bearing_numbers(heading - video.azimuth)
    step = -(-video.codes.shape[1] // MOST_CELLS)
    levels = _coarser(video.levels(), step)
    scaled = (levels.astype(np.uint16) * 255 // video.full_scale).astype(np.uint8)
    numbers, rows = np.unique(bearing, return_inverse=True)
    grid = np.zeros((len(numbers), scaled.shape[1]), np.uint8)
    np.maximum.at(grid, rows, scaled)
    numbers, grid = _filled(numbers, grid)
    return [
        SweepSector(
            video.stamp_ns, video.sensor_id, int(numbers[run[0]]), video.first_range_m, video.cell_m * step, grid[run]
        )
        for run in _runs(numbers)
    ]


def _bearing_numbers(bearing: Floats) -> NDArray[np.int64]:
    """Return (N,) numbers of bearings [rad clockwise from north]."""
    return np.floor(bearing % _TURN * (BEARINGS / _TURN)).astype(np.int64) % BEARINGS


def _coarser(levels: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    """Return (N, M / step) the largest of so many cells each; the last of what there is."""
    spokes, cells = levels.shape
    padded = np.pad(levels, ((0, 0), (0, -cells % step)))
    coarse: NDArray[np.uint8] = padded.reshape(spokes, -1, step).max(axis=2)
    return coarse


def _filled(numbers: NDArray[np.int64], grid: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return bearings with those up to the next one, which look as they do; the last one is as wide as most."""
    gaps = np.diff(numbers)
    near = gaps[gaps <= WIDEST]
    usual = int(np.median(near)) if len(near) else 1
    wide = np.append(np.where(gaps <= WIDEST, gaps, usual), min(usual, BEARINGS - int(numbers[-1])))
    within = np.arange(wide.sum()) - np.repeat(np.cumsum(wide) - wide, wide)
    return np.repeat(numbers, wide) + within, np.repeat(grid, wide, axis=0)


def _runs(numbers: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the positions of sorted numbers in runs of neighbours. North is between two runs."""
    ends = np.flatnonzero(np.diff(numbers) > 1) + 1
    return [np.asarray(run) for run in np.split(np.arange(len(numbers)), ends)]
