# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a file says of one object at one time, whatever its format."""

from __future__ import annotations

import math
import re
from collections import Counter
from datetime import UTC, datetime
from typing import NamedTuple

from aegis.core.types import ClassId
from aegis.graph.table_text import unix_unit

Refused = Counter[str]  # what of a file was not taken, by reason
LATEST_S = 2.0**33  # of Unix time; in nanoseconds an integer of 64 bits ends not far beyond
MONTHS = 12
_DATE = re.compile(r"(\d{1,2})([./])(\d{1,2})\2(\d{4})(?= |T|$)")
NOT_KNOWN = (math.nan, math.nan, math.nan)


class UnclearDateError(ValueError):
    """A date of which nobody can tell the day from the month."""

    def __init__(self) -> None:
        super().__init__("date whose day and month may be taken for each other: 2026-03-04 says it")


class Report(NamedTuple):
    """One place of one object. NaN is unknown."""

    time_ns: int
    id: str
    place: tuple[
        float, float, float
    ]  # latitude, longitude [deg], altitude above the ellipsoid [m]; or x, y, z in map [m]
    on_earth: bool  # the former
    velocity: tuple[float, float, float]  # east, north, up [m/s]
    class_id: ClassId
    name: str


def velocity_of(speed: float, course: float, climb: float) -> tuple[float, float, float]:
    """Return east, north, up of a speed over ground, a course clockwise from north [rad] and a rate of climb."""
    if speed == 0.0:
        return 0.0, 0.0, climb
    return speed * math.sin(course), speed * math.cos(course), climb


def seconds_of(text: str, unit_s: float = math.nan) -> float:
    """Return Unix seconds of a number, or of ISO 8601 (31.12.2026 or 12/31/2026 too), which is UTC where it does not say.

    Args:
        text: the time.
        unit_s: of a number; NaN: s, ms, us or ns, as its size tells.

    Raises:
        ValueError: none of these.
        UnclearDateError: 4/3/2026.
    """
    try:
        number = float(text)
        seconds = number * (unix_unit(number) if math.isnan(unit_s) else unit_s)
    except ValueError:
        at = datetime.fromisoformat(_iso(text.strip().replace(" UTC", "+00:00")))
        return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()
    if not math.isfinite(seconds):
        raise ValueError(f"{text} is no time")
    return seconds


def _iso(text: str) -> str:
    """Return a time as ISO 8601 has it."""
    found = _DATE.match(text)
    if found is None:
        return text
    first, second = int(found[1]), int(found[3])
    day, month = (first, second) if found[2] == "." or first > MONTHS else (second, first)
    if found[2] == "/" and first <= MONTHS and second <= MONTHS and first != second:
        raise UnclearDateError
    return f"{found[4]}-{month:02d}-{day:02d}{text[found.end() :]}"


def nanoseconds(seconds: float) -> int:
    """Return Unix time in nanoseconds.

    Raises:
        ValueError: one that no clock shows.
    """
    if not abs(seconds) < LATEST_S:
        raise ValueError(f"{seconds:g} s is no time since 1970")
    return round(seconds * 1e9)
