# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What comes out of a radar: frames of points or of raw samples, how the radar does, and what its bytes are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aegis.core.health import Health
from aegis.core.signal.cube import Waveform
from aegis.core.types import Floats, Sector

# What a PointFrame may hold, in SI units and radians, our signs: azimuth anticlockwise, range rate positive receding. Columns of
# other names are carried to `radar/points` as they are. Unknown is NaN; what a sensor never measures is left out. All frames of a
# driver have the same columns.
POINT_COLUMNS = (
    "x", "y", "z", "range", "azimuth", "elevation", "range_rate", "snr", "rcs", "noise",
    "range_sigma", "azimuth_sigma", "elevation_sigma", "range_rate_sigma", "time_offset",
)  # fmt: skip
BEAMS_A_TURN = 8  # by which a cloud says where an antenna has looked


class FormatError(ValueError):
    """Bytes that are not what their format says; the message is a reason of a few fixed words, to count by."""


@dataclass
class PointFrame:
    """One scan of a radar that detects by itself. `columns` has (N,) arrays, named as in POINT_COLUMNS."""

    columns: dict[str, Floats]
    sensor_time_ns: int | None  # of measurement (mid dwell), by the sensor's own clock; None: it does not say
    received_ns: int  # host clock: of the scan's first packet; of the end, where plots come as the antenna turns
    sector: Sector | None = None  # what an antenna that turns has looked at; None: all of the view, or it does not say

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))


def with_beams(columns: Mapping[str, Floats], sector: Sector) -> dict[str, Floats]:
    """Return the columns and, behind the points, some without a range: where the antenna has looked, and when.

    A PointCloud2 has no other place for it. Who does not know of beams finds points that are not finite.
    """
    span_s = sector.end_s - sector.begin_s
    turned = abs(sector.rate) * span_s / (2.0 * np.pi) if np.isfinite(sector.rate) else 0.0
    times = np.linspace(sector.begin_s, sector.end_s, 2 + int(BEAMS_A_TURN * turned))
    azimuth = np.mod(sector.azimuth + sector.rate * times + np.pi, 2.0 * np.pi) - np.pi
    beams = {"time_offset": times, "azimuth": azimuth}
    nothing = np.full(len(times), np.nan)
    return {name: np.append(values, beams.get(name, nothing)) for name, values in columns.items()}


@dataclass
class CubeFrame:
    """One frame of raw samples; `data` as in `core.signal.cube.Cube`."""

    waveform: Waveform
    data: NDArray[Any]
    sensor_time_ns: int | None
    received_ns: int


@dataclass(frozen=True)
class PlatformFix:
    """Where the platform is, and how it moves over ground."""

    east_m: float  # of where it was first known, or of the site
    north_m: float
    east_mps: float
    north_mps: float


@dataclass
class VideoFrame:
    """Some spokes of a turning radar; as in `core.video.spokes.Spokes`."""

    azimuth: Floats
    heading: Floats
    time_offset: Floats  # (N,) [s] after the frame's time
    first_range_m: float
    cell_m: float
    full_scale: int
    codes: NDArray[np.uint8]
    sensor_time_ns: int | None
    received_ns: int
    approaching: int = 0
    receding: int = 0
    platform: PlatformFix | None = None  # at the frame's time; None: not on a platform that says it

    def __len__(self) -> int:
        return len(self.codes)


Frame = PointFrame | CubeFrame | VideoFrame


class Fields(dict[str, float]):
    """The numbers of one record, by their names in its layout."""

    def integer(self, name: str) -> int:
        """Return a number that is sent as an integer."""
        return int(self[name])


Reading = str | int | float | bool | None  # one value that a radar tells of itself


@dataclass(frozen=True)
class DriverHealth(Health):
    """How a driver does; `values` go to `/diagnostics` beside what all drivers count."""

    values: Mapping[str, Reading] = field(default_factory=dict)


def finite_or_nan(values: ArrayLike) -> Floats:
    """Return values as float64, with NaN for what is infinite: what a broken packet may hold, and no number."""
    with np.errstate(invalid="ignore"):  # a signalling NaN
        out = np.array(values, dtype=np.float64)
    out[~np.isfinite(out)] = np.nan
    return out
