# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Truth that others report of themselves: aircraft.json and AIS."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

from aegis.core.types import ClassId
from aegis.graph.evaluation.truth_report import LATEST_S, Refused, Report, nanoseconds, seconds_of, velocity_of
from aegis.graph.table_text import encoding_of

FOOT_M, KNOT_MPS = 0.3048, 1852.0 / 3600.0
_AIS = re.compile(r"[!$]..VD[MO],(\d+),(\d+),[^,]*,[^,]*,([^,]*),(\d)\*([0-9A-Fa-f]{2})")
_TAG_TIME = re.compile(r"\\[^\\]*?c:(\d+)[^\\]*\\")
_EMITTERS = {"A7": ClassId.HELICOPTER, "B6": ClassId.DRONE, "C1": ClassId.VEHICLE, "C2": ClassId.VEHICLE}
# Bits of longitude, latitude, speed and course by type of message: ITU-R M.1371-5, tables 48, 74 and 75.
_AIS_FIELDS = {
    1: (61, 89, 50, 116),
    2: (61, 89, 50, 116),
    3: (61, 89, 50, 116),
    18: (57, 85, 46, 112),
    19: (57, 85, 46, 112),
}
_SAR_AIRCRAFT = "111"


def aircraft_json(path: Path, refused: Refused) -> Iterator[Report]:
    """Yield the aircraft of a file of dump1090, readsb or ours: one document, or one a line; of a folder, of all of them."""
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    for file in files:
        text = file.read_text(encoding=encoding_of(file), errors="replace")
        for document in _documents(text, file, refused):
            now = document.get("now")
            rows = document.get("aircraft")
            if not isinstance(now, int | float) or not isinstance(rows, list):
                refused["document without now or aircraft"] += 1
                continue
            for row in rows:
                report = _aircraft(row, float(now), refused) if isinstance(row, dict) else None
                if report is not None:
                    yield report


def _documents(text: str, file: Path, refused: Refused) -> Iterator[dict[str, object]]:
    try:
        whole = json.loads(text)
    except ValueError:
        for line in filter(None, map(str.strip, text.splitlines())):
            try:
                one = json.loads(line)
            except ValueError:
                refused["line that is no JSON"] += 1
                continue
            if isinstance(one, dict):
                yield one
        return
    if isinstance(whole, dict):
        yield whole
    elif isinstance(whole, list):
        yield from (one for one in whole if isinstance(one, dict))


def _aircraft(row: dict[str, object], now_s: float, refused: Refused) -> Report | None:
    def number(name: str) -> float:
        value = row.get(name)
        return float(value) if isinstance(value, int | float) else math.nan

    latitude, longitude = number("lat"), number("lon")
    if not (math.isfinite(latitude) and math.isfinite(longitude)):
        refused["aircraft without a position"] += 1
        return None
    age = number("seen_pos")
    altitude = number("alt_geom") if math.isfinite(number("alt_geom")) else number("alt_baro")
    rate = number("geom_rate") if math.isfinite(number("geom_rate")) else number("baro_rate")
    category = str(row.get("category", ""))
    known = ClassId.AIRCRAFT if category in ("A1", "A2", "A3", "A4", "A5", "A6", "B1", "B4") else ClassId.UNKNOWN
    try:
        time_ns = nanoseconds(now_s - (age if math.isfinite(age) else 0.0))
    except ValueError:
        refused["aircraft without a time"] += 1
        return None
    return Report(
        time_ns=time_ns,
        id=str(row.get("hex", "")),
        place=(latitude, longitude, altitude * FOOT_M),
        on_earth=True,
        velocity=velocity_of(number("gs") * KNOT_MPS, math.radians(number("track")), rate * FOOT_M / 60.0),
        class_id=_EMITTERS.get(category, known),
        name=str(row.get("flight", "")).strip(),
    )


def ais(path: Path, refused: Refused) -> Iterator[Report]:
    r"""Yield the vessels of NMEA sentences (AIVDM, AIVDO): position reports of types 1, 2, 3, 18 and 19.

    Each line says when: in a tag block (`\c:1452603731*5C\!AIVDM,...`), or as Unix seconds or ISO 8601 before the
    sentence, or as Unix seconds behind it.
    """
    for line in path.read_text(encoding="ascii", errors="replace").splitlines():
        found = _AIS.search(line)
        if found is None:
            if line.strip() and not line.startswith("#"):
                refused["line without a sentence of AIS"] += 1
            continue
        count, _, payload, fill, checksum = found.groups()
        sentence = found.group(0)[1:].split("*")[0]
        if int(checksum, 16) != _xor(sentence):
            refused["wrong checksum"] += 1
            continue
        if count != "1":
            refused["sentence of several parts"] += 1
            continue
        time_ns = _ais_time_ns(line, found)
        if time_ns is None:
            refused["sentence without a time"] += 1
            continue
        report = _ais_report(payload, int(fill), time_ns, refused)
        if report is not None:
            yield report


def _xor(text: str) -> int:
    out = 0
    for character in text.encode():
        out ^= character
    return out


def _ais_time_ns(line: str, found: re.Match[str]) -> int | None:
    tag = _TAG_TIME.search(line[: found.start()])
    if tag is not None:
        seconds = int(tag.group(1))
        time_ns = (seconds * 10**6) if seconds > 10**11 else seconds * 10**9  # some write milliseconds
        return time_ns if time_ns < LATEST_S * 1e9 else None
    before = line[: found.start()].strip(" ,;\t\"'[]")
    behind = line[found.end() :].strip(" ,;\t\"'[]")
    for text in (before, behind):
        try:
            return nanoseconds(seconds_of(text))
        except ValueError:
            continue
    return None


def _ais_report(payload: str, fill: int, time_ns: int, refused: Refused) -> Report | None:
    try:
        bits = "".join(f"{_six_bits(character):06b}" for character in payload)
    except ValueError:
        refused["payload of other characters"] += 1
        return None
    bits = bits[: len(bits) - fill]
    kind = int(bits[:6] or "0", 2)
    if kind not in _AIS_FIELDS:
        refused[f"AIS message of type {kind}"] += 1
        return None
    longitude_at, latitude_at, speed_at, course_at = _AIS_FIELDS[kind]
    if len(bits) < course_at + 12:
        refused["position report that is too short"] += 1
        return None

    def signed(at: int, length: int) -> int:
        value = int(bits[at : at + length], 2)
        return value - (1 << length) if value >> (length - 1) else value

    longitude, latitude = signed(longitude_at, 28) / 600_000.0, signed(latitude_at, 27) / 600_000.0
    if abs(longitude) > 180.0 or abs(latitude) > 90.0:  # 181 and 91: not available
        refused["vessel without a position"] += 1
        return None
    speed, course = int(bits[speed_at : speed_at + 10], 2), int(bits[course_at : course_at + 12], 2)
    mmsi = f"{int(bits[8:38], 2):09d}"
    return Report(
        time_ns=time_ns,
        id=mmsi,
        place=(latitude, longitude, math.nan),
        on_earth=True,
        velocity=velocity_of(
            math.nan if speed == 1023 else speed / 10.0 * KNOT_MPS,
            math.nan if course >= 3600 else math.radians(course / 10.0),
            0.0,
        ),
        class_id=ClassId.AIRCRAFT if mmsi.startswith(_SAR_AIRCRAFT) else ClassId.VESSEL,
        name="",
    )


def _six_bits(character: str) -> int:
    """Return the value of a character of the payload: ITU-R M.1371 by IEC 61162-1, annex C."""
    value = ord(character) - 48
    if 0 <= value <= 39:
        return value
    if 48 <= value <= 71:
        return value - 8
    raise ValueError(character)
