# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tracks that others send as ASTERIX: CAT062 of a centre, CAT048 of a radar that tracks by itself; as they are, but in SI units.

After the EUROCONTROL specifications SPEC-0149-9 (CAT062, system track data) and SPEC-0149-4 (CAT048, monoradar target reports),
by way of libasterix.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from aegis.drivers.asterix_records import (
    DAY_NS,
    FLIGHT_LEVEL_M,
    FOOT_M,
    NAUTICAL_MILE_M,
    TICK_NS,
    Item,
    Record,
    RefusedError,
)

UNKNOWN = math.nan
NO_TRACK = "plot without a track number"


@dataclass(frozen=True, slots=True)
class Sigmas:
    """Standard deviations that the maker states; NaN where it does not."""

    east_m: float = UNKNOWN
    north_m: float = UNKNOWN
    height_m: float = UNKNOWN
    east_mps: float = UNKNOWN
    north_mps: float = UNKNOWN
    climb_mps: float = UNKNOWN


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """A track by its maker's number. Its place is on Earth (CAT062) or from the radar (CAT048); what is unknown is NaN."""

    number: int
    time_ticks: int  # since UTC midnight [1/128 s]
    latitude_deg: float = UNKNOWN  # WGS-84
    longitude_deg: float = UNKNOWN
    east_m: float = UNKNOWN  # from the radar, along the ground
    north_m: float = UNKNOWN
    height_m: float = UNKNOWN  # above the ellipsoid (I062/130), or above mean sea level
    by_pressure: bool = False  # the height is a flight level: off by the air pressure
    velocity_east_mps: float = UNKNOWN  # over ground, at the target
    velocity_north_mps: float = UNKNOWN
    climb_mps: float = UNKNOWN
    sigmas: Sigmas = field(default_factory=Sigmas)
    tentative: bool = False
    ended: bool = False  # this is its last record
    emitter: int = 0  # category of the emitter, as in I021/020; 0 where nobody says


def read_system_track(record: Record) -> TrackRecord:
    """Return the track of a CAT062 record.

    Raises:
        RefusedError: it has no number, time or place on Earth, or is simulated.
    """
    number, place, status = record.get_item("040"), record.get_item("105"), record.get_item("080")
    if number is None:
        raise RefusedError("no track number")
    if place is None:
        raise RefusedError("no place on Earth (I062/105)")
    if _flag(status, "SIM"):
        raise RefusedError("simulated track")
    velocity, climb = record.get_item("185"), record.get_item("220")
    height, by_pressure = _height(record)
    return TrackRecord(
        number=int(number.as_uint()),
        time_ticks=_ticks(record.get_item("070")),
        latitude_deg=_part(place, "LAT", "°"),
        longitude_deg=_part(place, "LON", "°"),
        height_m=height,
        by_pressure=by_pressure,
        velocity_east_mps=_part(velocity, "VX", "m/s"),
        velocity_north_mps=_part(velocity, "VY", "m/s"),
        climb_mps=_value(climb, "ft/min") * FOOT_M / 60.0,
        sigmas=_system_sigmas(record.get_item("500")),
        tentative=_flag(status, "CNF"),
        ended=_flag(status, "TSE"),
        emitter=_emitter(record.get_item("380")),
    )


def read_radar_track(record: Record) -> TrackRecord:
    """Return the track of a CAT048 record: the place that the radar's tracker has calculated, else the one that it measured.

    Raises:
        RefusedError: it has no track number, time or place, or is simulated or of a field monitor.
    """
    descriptor, number, status = record.get_item("020"), record.get_item("161"), record.get_item("170")
    if number is None:
        raise RefusedError(NO_TRACK)
    if any(_flag(descriptor, name) for name in ("SIM", "TST", "RAB")):
        raise RefusedError("simulated, test or field monitor")
    height, by_pressure = _part(record.get_item("110"), "3DH", "ft") * FOOT_M, False
    if math.isnan(height):
        height, by_pressure = _valid_level(record.get_item("090")) * FLIGHT_LEVEL_M, True
    velocity, quality = record.get_item("200"), record.get_item("210")
    speed = _part(velocity, "GSP", "NM/s") * NAUTICAL_MILE_M
    heading = math.radians(_part(velocity, "HDG", "°"))
    east, north = _radar_place(record)
    speed_sigma = _part(quality, "SIGV", "NM/s") * NAUTICAL_MILE_M
    across = speed * math.radians(_part(quality, "SIGH", "°"))
    return TrackRecord(
        number=_uint(number, "TRN"),
        time_ticks=_ticks(record.get_item("140")),
        east_m=east,
        north_m=north,
        height_m=height,
        by_pressure=by_pressure and math.isfinite(height),
        velocity_east_mps=speed * math.sin(heading),
        velocity_north_mps=speed * math.cos(heading),
        sigmas=Sigmas(
            _part(quality, "SIGX", "NM") * NAUTICAL_MILE_M,
            _part(quality, "SIGY", "NM") * NAUTICAL_MILE_M,
            # Along and across its course; of the two the larger, in both axes.
            east_mps=max(speed_sigma, across),
            north_mps=max(speed_sigma, across),
        ),
        tentative=_flag(status, "CNF"),
        ended=_flag(status, "TRE"),
    )


def _radar_place(record: Record) -> tuple[float, float]:
    calculated, measured = record.get_item("042"), record.get_item("040")
    if calculated is not None:
        return _part(calculated, "X", "NM") * NAUTICAL_MILE_M, _part(calculated, "Y", "NM") * NAUTICAL_MILE_M
    if measured is None:
        raise RefusedError("no position")
    distance = _part(measured, "RHO", "NM") * NAUTICAL_MILE_M
    azimuth = math.radians(_part(measured, "THETA", "°"))
    return distance * math.sin(azimuth), distance * math.cos(azimuth)


def _height(record: Record) -> tuple[float, bool]:
    """Return a height [m], and whether it is by the air pressure: geometric, else calculated, else as the transponder says."""
    geometric, calculated, measured = (record.get_item(name) for name in ("130", "135", "136"))
    if geometric is not None:
        return _value(geometric, "ft") * FOOT_M, False
    if calculated is not None:
        return _part(calculated, "CTB", "FL") * FLIGHT_LEVEL_M, True
    return _value(measured, "FL") * FLIGHT_LEVEL_M, measured is not None


def _system_sigmas(item: Item | None) -> Sigmas:
    """Return what I062/500 states: of the place along the axes (APC), of geometric or barometric height, of velocity and climb."""
    if item is None:
        return Sigmas()
    place, velocity = item.variation.get_item("APC"), item.variation.get_item("ATV")
    height = _part(item, "AGA", "ft") * FOOT_M
    if math.isnan(height):
        height = _part(item, "ABA", "FL") * FLIGHT_LEVEL_M
    return Sigmas(
        _part(place, "X", "m"),
        _part(place, "Y", "m"),
        height,
        _part(velocity, "X", "m/s"),
        _part(velocity, "Y", "m/s"),
        _part(item, "ARC", "ft/min") * FOOT_M / 60.0,
    )


def _emitter(item: Item | None) -> int:
    category = None if item is None else item.variation.get_item("EMC")
    return 0 if category is None else int(category.as_uint())


def _ticks(item: Item | None) -> int:
    """Return a time of day.

    Raises:
        RefusedError: there is none, or no day has it.
    """
    if item is None:
        raise RefusedError("no time of day")
    ticks = int(item.as_uint())
    if ticks * TICK_NS >= DAY_NS:
        raise RefusedError("time of day beyond a day")
    return ticks


def _valid_level(item: Item | None) -> float:
    """Return a flight level; NaN where it is absent, not validated, or garbled. Libasterix has it unsigned before edition 1.32."""
    if item is None or _flag(item, "V") or _flag(item, "G"):
        return UNKNOWN
    quarters = _uint(item, "FL")
    return (quarters - 2**14 if quarters >= 2**13 else quarters) / 4.0


def _value(item: Item | None, unit: str) -> float:
    return UNKNOWN if item is None else float(item.variation.content.as_quantity(unit))


def _part(item: Item | None, name: str, unit: str) -> float:
    return UNKNOWN if item is None else _value(item.variation.get_item(name), unit)


def _uint(item: Item, name: str) -> int:
    part = item.variation.get_item(name)
    return 0 if part is None else int(part.as_uint())


def _flag(item: Item | None, name: str) -> bool:
    return item is not None and bool(_uint(item, name))
