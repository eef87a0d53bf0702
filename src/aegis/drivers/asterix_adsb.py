# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""ASTERIX CAT021 bytes (editions 2.x) to positions of aircraft: what ADS-B receivers say, for who holds a picture against it.

After the EUROCONTROL specification SPEC-0149-12, by way of libasterix.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from aegis.drivers.asterix_records import FLIGHT_LEVEL_M, FOOT_M, NAUTICAL_MILE_M, Item, Reader, Record, RefusedError

CATEGORY, EDITION = 21, "2.6"
# Emitter categories (I021/020) by what they are; of the others nothing is known.
AIRCRAFT_CATEGORIES = (1, 2, 3, 4, 5, 6, 11, 12, 16, 17, 18)
HELICOPTER_CATEGORY, DRONE_CATEGORY, VEHICLE_CATEGORIES = 10, 13, (20, 21)


@dataclass(frozen=True)
class AdsbReport:
    """A target report. Unknown is NaN."""

    address: int  # 24 bits, ICAO
    time_s: float  # of the position, else of the report, since UTC midnight
    latitude_deg: float
    longitude_deg: float
    altitude_m: float  # above the ellipsoid, else by the flight level
    ground_speed: float  # [m/s]
    track: float  # over ground [rad] clockwise from north
    climb: float  # [m/s]
    category: int  # of the emitter, I021/020; 0 where it does not say
    callsign: str


def adsb_reader() -> Reader:
    """Return what reads the records of a datablock."""
    return Reader(CATEGORY, EDITION)


def read_adsb(record: Record) -> AdsbReport:
    """Return the report of a CAT021 record.

    Raises:
        RefusedError: it has no address, time or position, or is simulated.
    """
    address = record.get_item("080")
    if address is None:
        raise RefusedError("no target address")
    descriptor = record.get_item("040")
    if descriptor is not None and any(_flag(descriptor, name) for name in ("SIM", "TST")):
        raise RefusedError("simulated or test report")
    place = record.get_item("131") or record.get_item("130")
    if place is None:
        raise RefusedError("no position")
    time = next((item for item in map(record.get_item, ("071", "073", "077")) if item is not None), None)
    if time is None:
        raise RefusedError("no time of day")
    height, level = record.get_item("140"), record.get_item("145")
    altitude = _value(height, "ft") * FOOT_M if height is not None else _value(level, "FL") * FLIGHT_LEVEL_M
    vector, rate = record.get_item("160"), record.get_item("157") or record.get_item("155")
    callsign = record.get_item("170")
    category = record.get_item("020")
    return AdsbReport(
        address=int(address.as_uint()),
        time_s=_value(time, "s"),
        latitude_deg=_part(place, "LAT", "°"),
        longitude_deg=_part(place, "LON", "°"),
        altitude_m=altitude,
        ground_speed=_part(vector, "GS", "NM/s") * NAUTICAL_MILE_M,
        track=math.radians(_part(vector, "TA", "°")),
        climb=_part(rate, "GVR" if record.get_item("157") is not None else "BVR", "ft/min") * FOOT_M / 60.0,
        category=0 if category is None else int(category.as_uint()),
        callsign="" if callsign is None else callsign.variation.content.as_string().strip(),  # type: ignore[attr-defined]
    )


def _value(item: Item | None, unit: str) -> float:
    return math.nan if item is None else float(item.variation.content.as_quantity(unit))


def _part(item: Item | None, name: str, unit: str) -> float:
    return math.nan if item is None else _value(item.variation.get_item(name), unit)


def _flag(item: Item, name: str) -> bool:
    part = item.variation.get_item(name)
    return part is not None and bool(part.as_uint())
