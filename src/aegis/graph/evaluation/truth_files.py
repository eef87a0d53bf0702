# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Truth from a file: positions in time as CSV or GeoJSON, and what aircraft and vessels report of themselves."""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pymap3d
from pydantic import ValidationError

from aegis.bridge.outputs.settings import OutputSettings
from aegis.bridge.settings import BridgeSettings
from aegis.core.evaluation.scene import TrueObject
from aegis.core.params import ConfigError
from aegis.core.site import Site
from aegis.core.types import ClassId
from aegis.graph.config import Parameters
from aegis.graph.evaluation.truth_report import (
    NOT_KNOWN,
    Refused,
    Report,
    UnclearDateError,
    nanoseconds,
    seconds_of,
    velocity_of,
)
from aegis.graph.evaluation.truth_reports import aircraft_json, ais
from aegis.graph.table_text import ANGLES, LENGTHS, SPEEDS, TIMES, encoding_of, head_of, separator_of, with_points

# What a column may be called, without its unit; case and spaces do not count.
NAMES = {
    "time": ("time", "timestamp", "time_stamp", "stamp", "utc", "basedatetime", "t"),
    "id": ("id", "truth_id", "mmsi", "icao24", "icao", "hex", "object"),
    "latitude": ("latitude", "lat"),
    "longitude": ("longitude", "lon", "lng", "long"),
    "altitude": ("altitude", "alt", "height", "geoaltitude", "baroaltitude"),
    "x": ("x", "east"),
    "y": ("y", "north"),
    "z": ("z", "up"),
    "vx": ("vx", "v_east"),
    "vy": ("vy", "v_north"),
    "vz": ("vz", "v_up", "climb", "vertrate"),
    "speed": ("sog", "speed", "gs", "velocity", "ground_speed"),
    "course": ("course", "cog", "track", "true_track"),
    "class": ("class", "class_id", "type"),
    "name": ("name", "callsign", "flight"),
}
# What its numbers are where it states no unit; ours are s, m, m/s and rad.
UNITS: dict[str, tuple[Mapping[str, float], str]] = {
    "time": (TIMES, ""),  # Unix time: its size tells
    **dict.fromkeys(("latitude", "longitude"), (ANGLES, "deg")),
    **dict.fromkeys(("altitude", "x", "y", "z"), (LENGTHS, "m")),
    **dict.fromkeys(("vx", "vy", "vz", "speed"), (SPEEDS, "m/s")),
    "course": (ANGLES, "deg"),
}
IN_KNOTS = "sog"
NEED_A_UNIT = ("speed", "gs", "ground_speed")  # of all these there are, in knots as in metres a second
NUMBERED = ("class", "class_id")  # a number under them is one of our classes; a "type" may be of anything
MOST_NAMED = 8  # columns that are not read
SAME_PLACE_NS = 1_000_000_000  # aircraft.json says a place again and again, its time a little off each time


class _Column(NamedTuple):
    """A column that is read."""

    text: str  # its head, as it stands there
    name: str  # the same without its unit
    scale: float  # what one of it is in our units; NaN of times: their size tells; infinite: a number is no time


@dataclass(frozen=True)
class TruthFile:
    """What was read."""

    objects: list[TrueObject]
    span_ns: tuple[int, int]
    refused: Counter[str]

    def __str__(self) -> str:
        text = f"truth: {len(self.objects)} objects, {sum(len(o.time_ns) for o in self.objects)} places"
        if self.refused:
            text += "; not taken: " + ", ".join(f"{reason} ({n})" for reason, n in self.refused.most_common())
        return text


_ENDINGS = {
    "a table": (".csv", ".tsv"),
    "JSON": (".geojson", ".json", ".jsonl", ".ndjson"),
    "AIS sentences": (".nmea", ".ais", ".txt", ".log"),
}
READ = (
    "truth is read from .csv or .tsv (a table), .json or .geojson (aircraft.json of a receiver, GeoJSON), .nmea, .ais, .txt or .log"
    " (AIS), and of any other name as ASTERIX CAT021, alone or in a capture"
)


def is_file(truth: str) -> bool:
    """Tell whether a word is a file, or is meant to be one, and no topic."""
    return Path(truth).exists() or (truth[-1:] != "/" and "." in Path(truth).name)


def site_of(text: str | None, parameters: Parameters) -> Site | None:
    """Return where `map` is on Earth: as a text says, else as the bridge's parameters do; None: nobody says.

    Raises:
        ConfigError: no latitude, longitude and altitude.
    """
    if text is None:
        settings = parameters.settings_as(BridgeSettings, "bridge")
        return Site.of(settings.outputs.site)
    try:
        numbers = OutputSettings(site=tuple(float(word) for word in text.split(","))).site
    except ValidationError as error:
        why = error.errors()[0]["msg"].removeprefix("Value error, ")
    except ValueError as error:
        why = str(error)
    else:
        return Site.of(numbers)
    raise ConfigError(
        f"--site {text}: latitude [deg], longitude [deg] and altitude [m] are expected, as 48.1,11.6,520: {why}"
    )


def read_truth(path: Path, *, site: Site | None, near_ns: int, offset_s: float = 0.0) -> TruthFile:
    """Read truth; its format follows from the name and the content.

    Args:
        path: .csv, .geojson, .json (aircraft.json, or GeoJSON), .nmea, .ais or .txt (AIS sentences), .ast, .ff or a capture
            (ASTERIX CAT021), each of the latter gzipped too; or a folder of aircraft.json.
        site: where `map` is on Earth; needed by what says latitudes.
        near_ns: a time of the picture, for times of day without a date.
        offset_s: added to every time, where its clock is another one.

    Raises:
        ConfigError: it cannot be read, or holds no places; the message says what would be right.
    """
    refused: Refused = Counter()
    try:
        reports = [report for report in _reports(path, near_ns, refused) if _is_placed(report, refused)]
    except (OSError, UnicodeDecodeError, ValueError, csv.Error) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{path} cannot be read as {_kind_of(path)}: {error}; {READ}") from error
    if not reports:
        why = ", ".join(f"{reason} ({n})" for reason, n in refused.most_common()) or "nothing is in it"
        raise ConfigError(f"{path}, read as {_kind_of(path)}, holds no places of objects in time: {why}; {READ}")
    if site is None and any(report.on_earth for report in reports):
        raise ConfigError(f"{path} says latitudes, and where map is on Earth is not known: say --site LAT,LON,ALT")
    objects = _objects(reports, site, round(offset_s * 1e9))
    times = np.concatenate([one.time_ns for one in objects])
    return TruthFile(objects, (int(times.min()), int(times.max())), refused)


def _is_placed(report: Report, refused: Refused) -> bool:
    """Tell whether a report's place is one; count it where it is none, as degrees times 1e7 are."""
    is_none = report.on_earth and not (abs(report.place[0]) <= 90.0 and abs(report.place[1]) <= 360.0)
    if is_none:
        refused["latitude or longitude that is none"] += 1
    return not is_none


def _kind_of(path: Path) -> str:
    """Return as what a file is read, by its name."""
    name = path.name.lower()
    if path.is_dir():
        return "a folder of aircraft.json"
    return next((kind for kind, endings in _ENDINGS.items() if name.endswith(endings)), "ASTERIX")


def _reports(path: Path, near_ns: int, refused: Refused) -> Iterator[Report]:
    name = path.name.lower()
    if path.is_dir():
        return aircraft_json(path, refused)
    if not path.exists():
        raise ConfigError(f"{path} does not exist, and no topic of that name holds truth")
    if name.endswith(_ENDINGS["a table"]):
        return _csv(path, refused)
    if name.endswith(_ENDINGS["JSON"]):
        with path.open(encoding=encoding_of(path), errors="replace") as stream:
            begin = stream.read(4000)
        is_geojson = '"FeatureCollection"' in begin or '"Feature"' in begin
        return _geojson(path, refused) if is_geojson else aircraft_json(path, refused)
    if name.endswith(_ENDINGS["AIS sentences"]):
        return ais(path, refused)
    from aegis.graph.evaluation.truth_asterix import asterix  # its categories take a second

    return asterix(path, near_ns, refused)


def _class_of(text: str) -> ClassId:
    word = text.strip().upper()
    if word in ClassId.__members__:
        return ClassId[word]
    return ClassId(int(word)) if word.isdigit() and int(word) < len(ClassId) else ClassId.UNKNOWN


def _columns(heads: Sequence[str], refused: Refused) -> dict[str, _Column]:
    """Return the columns by what they mean; count those that are not read in one entry of `refused`.

    Raises:
        ConfigError: a column is in a unit that is none.
    """
    given = {name: head_of(name) for name in heads}
    found: dict[str, _Column] = {}
    for meaning, names in NAMES.items():
        for text in sorted(
            (t for t, head in given.items() if head.name in names), key=lambda t: names.index(given[t].name)
        ):
            head = given[text]
            if meaning in found or (not head.unit and head.name in NEED_A_UNIT):
                continue
            units, usual = UNITS.get(meaning, ({}, ""))
            scale = head.scale(units, units.get("kt" if head.name == IN_KNOTS else usual, math.nan))
            if scale is None and meaning == "time":
                scale = math.inf  # "(local)", "(YYYY-MM-DD)": times in words need no unit
            if scale is None and meaning in UNITS:
                raise ConfigError(f"column '{text}': its unit is one of {', '.join(units)}")
            found[meaning] = _Column(text, head.name, 1.0 if scale is None else scale)
    unread = [text for text in heads if text and text not in {column.text for column in found.values()}]
    if unread:
        more = f" and {len(unread) - MOST_NAMED} more" if len(unread) > MOST_NAMED else ""
        refused[f"columns {', '.join(unread[:MOST_NAMED])}{more}"] += len(unread)
    return found


def _csv(path: Path, refused: Refused) -> Iterator[Report]:
    with path.open(encoding=encoding_of(path), errors="replace", newline="") as stream:
        begin = stream.readline()
        stream.seek(0)
        mark = "\t" if path.suffix.lower() == ".tsv" else separator_of(begin)
        rows = csv.reader(map(with_points, stream) if mark == ";" else stream, delimiter=mark)
        heads = next(rows, [])
        try:
            columns = _columns(heads, refused)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from None
        on_earth = {"latitude", "longitude"} <= columns.keys()
        if "time" not in columns or not (on_earth or {"x", "y"} <= columns.keys()):
            raise ConfigError(
                f"{path} has the columns {', '.join(heads) or 'none'}; time (Unix seconds or ISO 8601) and"
                " latitude, longitude (or x, y in map) are expected, and id, altitude (or z), vx, vy, vz, class, name may be there"
            )
        lacking = "row without a time or place"
        if math.isinf(columns["time"].scale):
            lacking += f" (a number is no time under '{columns['time'].text}': its unit is one of {', '.join(TIMES)})"
        for cells in filter(None, rows):
            row = dict(zip(heads, cells, strict=False))
            meant = {meaning: row.get(column.text, "") for meaning, column in columns.items()}
            try:
                report = _row(columns, meant, on_earth)
            except UnclearDateError as error:
                refused[str(error)] += 1
                continue
            if report is None:
                refused[lacking] += 1
            else:
                yield report


def _row(columns: Mapping[str, _Column], row: Mapping[str, str], on_earth: bool) -> Report | None:
    def number(meaning: str) -> float:
        try:
            return float(row.get(meaning, "")) * columns[meaning].scale
        except (ValueError, KeyError):
            return math.nan

    place = (
        (math.degrees(number("latitude")), math.degrees(number("longitude")), number("altitude"))
        if on_earth
        else (number("x"), number("y"), number("z"))
    )
    try:
        time_ns = nanoseconds(seconds_of(row["time"], columns["time"].scale))
    except UnclearDateError:
        raise
    except ValueError:
        return None
    if not (math.isfinite(place[0]) and math.isfinite(place[1])):
        return None
    velocity = (number("vx"), number("vy"), number("vz"))
    if not math.isfinite(velocity[0]):
        velocity = velocity_of(number("speed"), number("course"), velocity[2])
    told = ClassId.UNKNOWN
    if "class" in columns and (columns["class"].name in NUMBERED or not row["class"].strip().isdigit()):
        told = _class_of(row["class"])
    vessels = "id" in columns and columns["id"].name == "mmsi"
    return Report(
        time_ns=time_ns,
        id=row.get("id", "1"),
        place=place,
        on_earth=on_earth,
        velocity=velocity,
        class_id=ClassId.VESSEL if vessels and told is ClassId.UNKNOWN else told,
        name=row.get("name", "").strip(),
    )


def _geojson(path: Path, refused: Refused) -> Iterator[Report]:
    """Yield the places of a GeoJSON: points with a `time`, or lines with `coordTimes` (or `times`), one for each place."""
    content = json.loads(path.read_text(encoding=encoding_of(path)))
    features = content.get("features", [content]) if isinstance(content, dict) else None
    for k, feature in enumerate(features if isinstance(features, list) else [], 1):
        try:
            yield from list(_feature(feature, k, refused))
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            refused["feature that is none"] += 1


def _feature(feature: Mapping[str, Any], number: int, refused: Refused) -> Iterator[Report]:
    """Yield the places of a feature; of JSON that is none, any error of its types follows."""
    geometry, said = feature.get("geometry") or {}, feature.get("properties") or {}
    name = str(said.get("name", said.get("callsign", "")))
    one = str(said.get("id", said.get("mmsi", said.get("hex", feature.get("id", name or number)))))
    kind = geometry.get("type")
    if kind == "Point":
        places, times = [geometry["coordinates"]], [said.get("time", said.get("timestamp"))]
    elif kind == "LineString":
        inner = said.get("coordinateProperties") or {}
        places, times = geometry["coordinates"], said.get("coordTimes", said.get("times", inner.get("times", [])))
    else:
        refused[f"geometry {kind}"] += 1
        return
    if len(times) != len(places):
        refused[f"line of {len(places)} places with {len(times)} times"] += 1
        return
    for place, at in zip(places, times, strict=True):
        try:
            time_ns = nanoseconds(seconds_of(str(at)))
        except ValueError:
            refused["place without a time"] += 1
            continue
        altitude = float(place[2]) if len(place) > 2 else math.nan
        where = (float(place[1]), float(place[0]), altitude)
        yield Report(time_ns, one, where, True, NOT_KNOWN, _class_of(str(said.get("class", ""))), name)


def _objects(reports: Iterable[Report], site: Site | None, offset_ns: int) -> list[TrueObject]:
    by_id: dict[str, list[Report]] = {}
    for report in reports:
        by_id.setdefault(report.id, []).append(report)
    out = []
    for number, one in enumerate(sorted(by_id), 1):
        places = _distinct(sorted(by_id[one], key=lambda r: r.time_ns))
        name = next((r.name for r in places if r.name), "")
        out.append(
            TrueObject(
                id=number,
                name=f"{name} ({one})" if name and name != one else one,
                class_id=int(next((r.class_id for r in places if r.class_id), ClassId.UNKNOWN)),
                time_ns=np.array([r.time_ns for r in places], dtype=np.int64) + offset_ns,
                state=_states(places, site),
                in_view=np.ones(len(places), dtype=bool),
            )
        )
    return out


def _distinct(ordered: Sequence[Report]) -> list[Report]:
    """Return the reports without those of the same time, and without those that repeat the last place at once."""
    out: list[Report] = []
    for report in ordered:
        if out and report.time_ns == out[-1].time_ns:
            continue
        if out and report.place == out[-1].place and report.time_ns - out[-1].time_ns < SAME_PLACE_NS:
            continue
        out.append(report)
    return out


def _states(places: Sequence[Report], site: Site | None) -> np.ndarray:
    """Return (K, 6) states in `map`; on Earth, an unknown altitude is that of the site."""
    place = np.array([r.place for r in places], dtype=float)
    velocity = np.array([r.velocity for r in places], dtype=float)
    if site is not None and places[0].on_earth:
        latitude, longitude, altitude = place.T
        known = np.isfinite(altitude)
        x, y, z = pymap3d.geodetic2enu(
            latitude, longitude, np.where(known, altitude, site.altitude_m),
            site.latitude_deg, site.longitude_deg, site.altitude_m,
        )  # fmt: skip
        # Far away the Earth falls off: the height of what has none is not known here either.
        place = np.column_stack([x, y, np.where(known, z, np.nan)])
    return np.column_stack([place, velocity])
