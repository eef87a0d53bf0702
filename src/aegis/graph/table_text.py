# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tables as text, as people have them: in which encoding, with which separator, in which units."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

# Units by what they measure, in ours: s, m, m/s, rad.
TIMES = {
    "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "msec": 1e-3, "milliseconds": 1e-3, "us": 1e-6,
    "\u00b5s": 1e-6, "\u03bcs": 1e-6, "usec": 1e-6, "microseconds": 1e-6, "ns": 1e-9, "nanoseconds": 1e-9, "min": 60.0, "h": 3600.0,
}  # fmt: skip
LENGTHS = {
    "m": 1.0, "meter": 1.0, "meters": 1.0, "metre": 1.0, "metres": 1.0, "km": 1e3, "ft": 0.3048, "feet": 0.3048, "nm": 1852.0,
    "nmi": 1852.0,
}  # fmt: skip
SPEEDS = {
    "m/s": 1.0, "mps": 1.0, "kt": 1852.0 / 3600.0, "kts": 1852.0 / 3600.0, "kn": 1852.0 / 3600.0, "knots": 1852.0 / 3600.0,
    "km/h": 1.0 / 3.6, "kmh": 1.0 / 3.6, "kph": 1.0 / 3.6, "mph": 0.44704, "ft/min": 0.3048 / 60.0, "fpm": 0.3048 / 60.0,
    "ft/s": 0.3048,
}  # fmt: skip
ANGLES = {"deg": 0.017453292519943295, "degree": 0.017453292519943295, "degrees": 0.017453292519943295,
          "\u00b0": 0.017453292519943295, "rad": 1.0, "radian": 1.0, "radians": 1.0}  # fmt: skip
_UNITS = {**TIMES, **LENGTHS, **SPEEDS, **ANGLES}
# What stands in the brackets of a head too, and is no unit.
_NO_UNITS = {
    "utc", "gmt", "z", "unix", "posix", "epoch", "since", "start", "iso", "iso8601", "iso-8601", "8601", "wgs84", "wgs-84", "msl",
    "amsl", "hae", "above", "ellipsoid", "gps", "gnss", "baro", "barometric", "geometric", "enu", "map", "true", "north", "east",
    "up", "x", "y", "decimal", "dd", "n", "e", "\u00b0n", "\u00b0e",
}  # fmt: skip
_IN_BRACKETS = re.compile(r"^(.*?)\s*[(\[]\s*([^)\]]*?)\s*[)\]]\s*$")
_POINTED = re.compile(r"(?:^|;)\s*\"?[-+]?\d*\.\d+(?:[eE][-+]?\d+)?\"?\s*(?=;|$)")
_PIECE = 1 << 20


class Head(NamedTuple):
    """The head of a column: a name in small letters, and the unit that it states; empty where it states none."""

    name: str
    unit: str

    def scale(self, units: Mapping[str, float], otherwise: float) -> float | None:
        """Return how much one of it is; `otherwise` where it states no unit; None: its unit is none of these."""
        return units.get(self.unit) if self.unit else otherwise


def decoded(data: bytes) -> str:
    """Return a file's text; see `encoding_of`."""
    return data.decode(_encoding_of(io.BytesIO(data)), "replace")


def encoding_of(path: Path) -> str:
    """Return in which encoding a file is: UTF-16 where a mark says so, else UTF-8; what is none of these is Windows' Latin-1.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return _encoding_of(file)


def _encoding_of(file: BinaryIO) -> str:
    utf_8 = codecs.getincrementaldecoder("utf-8-sig")()
    piece = file.read(_PIECE)
    if piece.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        while piece:
            utf_8.decode(piece)
            piece = file.read(_PIECE)
        utf_8.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def unix_unit(time: float) -> float:
    """Return in which unit [s] a time since 1970 is, by its size: s, ms, us or ns. In seconds, 1e11 is the year 5138."""
    return next((unit for least, unit in ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3)) if abs(time) >= least), 1.0)


def separator_of(line: str) -> str:
    """Return what is between the cells of a line: the first of these that is in it, else blanks."""
    return next((mark for mark in (";", "\t", ",") if mark in line), " ")


def with_points(line: str) -> str:
    """Return a line of a table whose cells are between semicolons, with decimal points: a comma is one there.

    The points of a date (31.12.2026) are none of a number; where a number has a point, commas are none.
    """
    if _POINTED.search(line):
        return line
    return ";".join(cell if "." in cell else cell.replace(",", ".") for cell in line.split(";"))


def head_of(text: str) -> Head:
    """Return a column's head: of "Altitude (ft)", "altitude [ft]" and "altitude_ft" altitude and ft."""
    name = text.strip("\ufeff#%\"' \t").lower()
    said: list[str] = []
    in_brackets = _IN_BRACKETS.match(name)
    is_plain = in_brackets is None
    while in_brackets is not None:
        name = in_brackets[1]
        said = [*(word for word in re.split(r"[\s,;_]+", in_brackets[2]) if word and word not in _NO_UNITS), *said]
        in_brackets = _IN_BRACKETS.match(name)
    if not is_plain:
        return Head(_plain(name), " ".join(said))
    name = _plain(name)
    begin, _, unit = name.rpartition("_")
    return Head(begin, unit) if begin and unit in _UNITS else Head(name, "")


def _plain(name: str) -> str:
    return re.sub(r"[\s,]+", "_", name.strip())
