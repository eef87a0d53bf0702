# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""ASTERIX bytes to plots and service messages, as they are: SI units and radians, but angles clockwise from north.

After the EUROCONTROL specifications SPEC-0149-4 (CAT048, monoradar target reports) and SPEC-0149-2b (CAT034, monoradar service
messages), by way of libasterix, whose classes are made from them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import asterix.generated as specifications
from asterix.base import Bits, ParsingMode

NAUTICAL_MILE_M = 1852.0
FLIGHT_LEVEL_M = 30.48  # 100 ft
FOOT_M = 0.3048
DAY_NS = 86_400_000_000_000
TICK_NS = 7_812_500  # of times of day: 1/128 s
# Warnings and errors (I048/030) by which a report is of no target there.
FALSE_REASONS = {
    code: f"the radar says: {what}"
    for code, what in ((1, "reflection"), (2, "side lobe"), (4, "second time around"), (10, "phantom"))
}
MAX_RHO = 0xFFFF  # 256 NM, and what is beyond
# libasterix copies what is left of its input with every field: it gets no more than the longest record that is sensible.
MAX_RECORD_BYTES = 4096


class Content(Protocol):
    """What the bits of a part of an item mean, by libasterix."""

    def as_quantity(self, unit: str) -> float:
        """Return the value in the unit, which must be that of the specification."""


class Variation(Protocol):
    """How an item is made of parts, by libasterix."""

    content: Content

    def get_item(self, name: str) -> Item | None:
        """Return a part."""

    def get_list(self) -> Sequence[Item]:
        """Return the parts of one that is repeated."""


class Item(Protocol):
    """An item of a record, or a part of one, by libasterix."""

    variation: Variation

    def as_uint(self) -> int:
        """Return its bits."""


class Record(Protocol):
    """A record, by libasterix."""

    def get_item(self, name: str) -> Item | None:
        """Return an item by its number."""


class RefusedError(ValueError):
    """A datablock or a record is not taken; `reason` is a short key for counting."""

    def __init__(self, reason: str, text: str = "") -> None:
        super().__init__(text or reason)
        self.reason = reason


@dataclass(slots=True)
class Plot:
    """A target report of CAT048. Unknown, doubtful and garbled values are NaN."""

    time_ticks: int | None  # since UTC midnight [1/128 s]
    range: float  # [m] slant
    theta: float  # [rad] clockwise from north
    doppler: float  # [m/s] positive as the radar has it
    height: float  # [m] above mean sea level, measured by a 3D radar
    flight_altitude: float  # [m] above the 1013.25 hPa level, as the transponder says
    power: float  # [dBm] of the primary plot
    mode_3a: float  # the number: code 7777 is 4095
    address: float  # 24 bits, Mode S
    track_number: float
    track_range: float  # [m] of the position that the radar's own tracker has calculated
    track_theta: float
    track_speed: float  # [m/s] over ground
    track_heading: float  # [rad] clockwise from north
    report_type: int  # I048/020 TYP; 1 single PSR, 2 single SSR, 3 both, 4 to 7 Mode S


@dataclass(slots=True)
class ServiceMessage:
    """A message of CAT034. Unknown is None."""

    kind: int  # 1 north marker, 2 sector crossing
    time_ticks: int | None
    sector_angle: float | None  # [rad] clockwise from north, where the sector begins
    rotation_period_s: float | None
    no_go: bool | None  # the data shall not be used operationally
    overload: bool | None
    time_valid: bool | None


class Reader:
    """Reads the records of one category in one edition.

    Args:
        category: 48 or 34.
        edition: as in "1.32".
    """

    def __init__(self, category: int, edition: str) -> None:
        self.category = category
        self._record = getattr(specifications, f"Cat_{category:03d}_{edition.replace('.', '_')}").cv_record

    def records(self, data: bytes) -> Iterator[Record]:
        """Yield the records of a datablock.

        Raises:
            RefusedError: at the first one that cannot be read: where the next begins is not known then.
        """
        begin = 0
        while begin < len(data):
            window = Bits.from_bytes(data[begin : begin + MAX_RECORD_BYTES])
            parsed = self._record.parse(ParsingMode.StrictParsing, window)
            if isinstance(parsed, ValueError):
                raise RefusedError(f"CAT{self.category:03d} record unreadable", str(parsed))
            record, rest = parsed
            if record.is_empty():
                raise RefusedError(f"CAT{self.category:03d} record without items")
            yield record
            begin += (len(window) - len(rest)) // 8


def datablocks(packet: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield category and records of each datablock of a datagram.

    Raises:
        RefusedError: at the first one whose length is wrong.
    """
    begin = 0
    while begin < len(packet):
        length = int.from_bytes(packet[begin + 1 : begin + 3], "big")
        if length < 4 or begin + length > len(packet):
            raise RefusedError("datablock length")
        yield packet[begin], packet[begin + 3 : begin + length]
        begin += length
    if not packet:
        raise RefusedError("datablock length")


def source(record: Record) -> tuple[int, int]:
    """Return (SAC, SIC) of a record.

    Raises:
        RefusedError: it has none.
    """
    item = record.get_item("010")
    if item is None:
        raise RefusedError("no SAC/SIC")
    sac, sic = divmod(int(item.as_uint()), 256)
    return sac, sic


def read_plot(record: Record) -> Plot:
    """Return the plot of a CAT048 record.

    Raises:
        RefusedError: nothing was measured, or no real target: the position is extrapolated or missing, the report simulated.
    """
    report_type = -1
    descriptor = record.get_item("020")
    if descriptor is not None:
        report_type = _uint(descriptor, "TYP")
        if report_type == 0:
            raise RefusedError("no detection")
        if _uint(descriptor, "SIM") or _uint(descriptor, "TST"):
            raise RefusedError("simulated or test report")
        if _uint(descriptor, "RAB"):
            raise RefusedError("field monitor")
    position = record.get_item("040")
    if position is None:
        raise RefusedError("no measured position")
    if _uint(position, "RHO") == MAX_RHO:
        raise RefusedError("beyond the range of the format")
    track_range, track_theta = _cartesian(record.get_item("042"))
    velocity = record.get_item("200")
    track, address = record.get_item("161"), record.get_item("220")
    return Plot(
        time_ticks=_ticks(record.get_item("140")),
        range=_quantity(position, "RHO", "NM") * NAUTICAL_MILE_M,
        theta=math.radians(_quantity(position, "THETA", "°")),
        doppler=_doppler(record.get_item("120")),
        height=_quantity(record.get_item("110"), "3DH", "ft") * FOOT_M,
        flight_altitude=_flight_level(record.get_item("090")) * FLIGHT_LEVEL_M,
        power=_quantity(record.get_item("130"), "PAM", "dBm"),
        mode_3a=_valid(record.get_item("070"), "MODE3A"),
        address=math.nan if address is None else float(address.as_uint()),
        track_number=math.nan if track is None else float(_uint(track, "TRN")),
        track_range=track_range,
        track_theta=track_theta,
        track_speed=_quantity(velocity, "GSP", "NM/s") * NAUTICAL_MILE_M,
        track_heading=math.radians(_quantity(velocity, "HDG", "°")),
        report_type=report_type,
    )


def called_false(record: Record) -> str:
    """Return what a CAT048 record says that its report is instead of a target (I048/030), as a reason; empty where it does not."""
    conditions = record.get_item("030")
    if conditions is None:
        return ""
    stated = [int(one.as_uint()) for one in conditions.variation.get_list()]
    return next((FALSE_REASONS[one] for one in stated if one in FALSE_REASONS), "")


def read_service_message(record: Record) -> ServiceMessage:
    """Return the message of a CAT034 record.

    Raises:
        RefusedError: it does not say what it is, or when.
    """
    kind = record.get_item("000")
    if kind is None:
        raise RefusedError("no message type")
    rotation, status, sector = record.get_item("041"), record.get_item("050"), record.get_item("020")
    common = None if status is None else status.variation.get_item("COM")
    return ServiceMessage(
        kind=int(kind.as_uint()),
        time_ticks=_ticks(record.get_item("030")),
        sector_angle=None if sector is None else sector.as_uint() * 2.0 * math.pi / 256.0,
        rotation_period_s=None if rotation is None else float(rotation.variation.content.as_quantity("s")),
        no_go=None if common is None else bool(_uint(common, "NOGO")),
        overload=None if common is None else bool(_uint(common, "OVLRDP") or _uint(common, "OVLXMT")),
        time_valid=None if common is None else not _uint(common, "TSV"),
    )


def utc_ns(ticks: int, received_ns: int) -> int:
    """Return the Unix time [ns] of a time of day [1/128 s]: on the day that puts it nearest to when it was received."""
    difference = (ticks * TICK_NS - received_ns) % DAY_NS
    return received_ns + (difference if difference < DAY_NS // 2 else difference - DAY_NS)


def _ticks(item: Item | None) -> int | None:
    """Return a time of day [1/128 s].

    Raises:
        RefusedError: a time that no day has.
    """
    if item is None:
        return None
    ticks = int(item.as_uint())
    if ticks * TICK_NS >= DAY_NS:
        raise RefusedError("time of day beyond a day")
    return ticks


def _uint(item: Item, name: str) -> int:
    """Return the bits of a part of an item; 0 where an extended item ends before it."""
    part = item.variation.get_item(name)
    return 0 if part is None else int(part.as_uint())


def _quantity(item: Item | None, name: str, unit: str) -> float:
    """Return a part of an item in a unit; NaN where there is no item, or a compound one without that part."""
    part = None if item is None else item.variation.get_item(name)
    return math.nan if part is None else float(part.variation.content.as_quantity(unit))


def _valid(item: Item | None, name: str) -> float:
    """Return the bits of a transponder's code; NaN where it is absent, not validated, or garbled."""
    if item is None or _uint(item, "V") or _uint(item, "G"):
        return math.nan
    return float(_uint(item, name))


def _flight_level(item: Item | None) -> float:
    """Return the flight level. Libasterix has it unsigned in editions before 1.32, but levels below 0 are as old as the item."""
    quarters = _valid(item, "FL")
    return (quarters - 2**14 if quarters >= 2**13 else quarters) / 4.0


def _doppler(item: Item | None) -> float:
    """Return the calculated Doppler speed [m/s]; NaN where it is doubtful. The raw one is ambiguous and not read."""
    calculated = None if item is None else item.variation.get_item("CAL")
    if calculated is None or _uint(calculated, "D"):
        return math.nan
    return _quantity(calculated, "CAL", "m/s")


def _cartesian(item: Item | None) -> tuple[float, float]:
    """Return (range [m], angle clockwise from north) of an item with X to the east and Y to the north."""
    x, y = _quantity(item, "X", "NM"), _quantity(item, "Y", "NM")
    return math.hypot(x, y) * NAUTICAL_MILE_M, math.atan2(x, y)
