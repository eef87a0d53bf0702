# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the API shows of detections, tracks and threats: a column for each property, and what makes rows of them.

A column says how its values come from the graph's arrays, and holds their description; `models/` makes the OpenAPI
models of the same tables. Numbers are rounded to what they can mean (centimetres, 0.0001 degree), for a whole column at once;
unknown is NaN here and null in JSON. The live stream leaves out what a picture does not need: every client gets every frame.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, Literal, Protocol, TypeVar

import numpy as np

from aegis.bridge.live.acknowledgements import Acknowledgement
from aegis.bridge.live.encoded import EncodedRows, Row
from aegis.core.classification.naming import could_be
from aegis.core.types import ClassId, Detections, Floats, Ints, ThreatLevel, Threats, Tracks, TrackStatus

T = TypeVar("T", contravariant=True)
Kind = Literal[
    "number",
    "known number",
    "integer",
    "integer or null",
    "text",
    "texts",
    "text or null",
    "vector",
    "corners",
    "probabilities",
]


@dataclass(frozen=True)
class Column(Generic[T]):
    """One property of all objects."""

    name: str  # in JSON, its unit included
    kind: Kind
    values: Callable[[T], Sequence[object]]  # from the data, one for each object, ready for JSON
    doc: str = ""
    example: object = None
    live: bool = True  # in the live stream too


class Table(Generic[T]):
    """The columns of one kind of object, in the order of the JSON."""

    def __init__(self, *columns: Column[T]) -> None:
        self.columns = columns

    def live(self) -> Table[T]:
        """Return the columns that are in the live stream too."""
        return Table(*(column for column in self.columns if column.live))

    def rows(self, data: T) -> list[Row]:
        """Return an object for each row of the data."""
        return join((self, data))


def join(*parts: tuple[Table[Any], Any]) -> list[Row]:
    """Return an object for each row of several data, which are of the same objects; each with its table."""
    columns = {column.name: column.values(data) for table, data in parts for column in table.columns}
    names = tuple(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


# How values are made. Numbers without a name are UNKNOWN.


def _names(kinds: type[ClassId] | type[TrackStatus] | type[ThreatLevel]) -> list[str]:
    """Return the name of every uint8."""
    names = ["UNKNOWN"] * 256
    for kind in kinds:
        names[kind] = kind.name
    return names


CLASS_NAMES = _names(ClassId)
STATUS_NAMES = _names(TrackStatus)
LEVEL_NAMES = _names(ThreatLevel)
_CLASSES = [kind.name for kind in ClassId]


def _rounded(values: Floats, digits: int) -> Any:
    return (np.round(values, digits) + 0.0).tolist()


def rounded(values: Floats, digits: int) -> list[float]:
    """Return a list of the rounded values, (N,); zero has no sign."""
    out: list[float] = _rounded(values, digits)
    return out


def _compass(east: Floats, north: Floats) -> list[float]:
    """Return directions in degrees clockwise from north, 0 <= d < 360; NaN where there is none."""
    angle = np.round(np.degrees(np.arctan2(east, north)), 4) % 360.0
    return rounded(np.where(np.hypot(east, north) > 0.0, angle, np.nan), 4)


def class_confidence(class_id: Ints, probability: Floats) -> list[float]:
    """Return the probability of each object's class; NaN where it is UNKNOWN or has no column."""
    named = (class_id != int(ClassId.UNKNOWN)) & (class_id < probability.shape[1])
    column = np.where(named, class_id, 0)[:, None]
    return rounded(np.where(named, np.take_along_axis(probability, column, axis=1)[:, 0], np.nan), 4)


def plot_confidence(d: Detections) -> list[float]:
    """Return the probability of each detection's class; NaN where it is UNKNOWN.

    It is of all that the detection says, where `class_probability` is what its sensor stated; of who does not say it, that.
    """
    stated = np.array(class_confidence(d.class_id, d.class_probability))
    named = (d.class_id != int(ClassId.UNKNOWN)) & (d.confidence > 0.0)
    return rounded(np.where(named, d.confidence, stated), 4)


class Classified(Protocol):
    """What has classes."""

    @property
    def class_id(self) -> Ints:
        """(N,) as in ClassId."""

    @property
    def class_probability(self) -> Floats:
        """(N, N_CLASSES)."""


def _could_be(classified: Classified) -> list[str]:
    """Return what each object of class UNKNOWN could be."""
    rows = zip(classified.class_id.tolist(), classified.class_probability, strict=True)
    return [could_be(class_id, probability) for class_id, probability in rows]


def number(
    name: str,
    digits: int,
    values: Callable[[T], Floats],
    doc: str = "",
    example: float | None = None,
    live: bool = True,
) -> Column[T]:
    """Return a column of (N,) numbers."""
    return Column(name, "number", lambda data: rounded(values(data), digits), doc, example, live)


def degrees(name: str, radians: Callable[[T], Floats], doc: str = "", example: float | None = None) -> Column[T]:
    """Return a column of (N,) angles."""
    return Column(name, "number", lambda data: rounded(np.degrees(radians(data)), 4), doc, example)


def direction(name: str, east_north: Callable[[T], Floats], doc: str, example: float | None = None) -> Column[T]:
    """Return a column of compass directions of (N, 2 or more) vectors."""

    def values(data: T) -> list[float]:
        vectors = east_north(data)
        return _compass(vectors[:, 0], vectors[:, 1])

    return Column(name, "number", values, doc, example)


def integer(
    name: str, values: Callable[[T], Ints], doc: str = "", example: int | None = None, live: bool = True
) -> Column[T]:
    """Return a column of (N,) whole numbers."""
    return Column(name, "integer", lambda data: values(data).tolist(), doc, example, live)


def word(
    name: str, names: list[str], values: Callable[[T], Ints], doc: str = "", example: str | None = None
) -> Column[T]:
    """Return a column of the names of (N,) numbers."""
    return Column(name, "text", lambda data: [names[i] for i in values(data).tolist()], doc, example)


def vector(name: str, digits: int, values: Callable[[T], Floats], live: bool = True) -> Column[T]:
    """Return a column of (N, 3) vectors."""

    def vectors(data: T) -> list[dict[str, float]]:
        return [{"x": x, "y": y, "z": z} for x, y, z in _rounded(values(data), digits)]

    return Column(name, "vector", vectors, live=live)


def _probabilities(values: Callable[[T], Floats]) -> Column[T]:
    """Return the column of (N, N_CLASSES) class probabilities."""

    def named(data: T) -> list[dict[str, float]]:
        return [dict(zip(_CLASSES, row, strict=True)) for row in _rounded(values(data), 4)]

    return Column("class_probability", "probabilities", named, live=False)


def each(
    name: str, kind: Kind, value: Callable[[T], object], doc: str = "", example: object = None
) -> Column[Sequence[T]]:
    """Return a column of what a list of objects has, one by one."""
    return Column(name, kind, lambda objects: [value(one) for one in objects], doc, example)


def class_word(values: Callable[[T], Ints]) -> Column[T]:
    """Return the column of (N,) classes."""
    doc = "UNKNOWN, DRONE, BIRD, AIRCRAFT, HELICOPTER, MISSILE, VEHICLE, PERSON, ..."
    return word("class", CLASS_NAMES, values, doc)


# The tables.

CONFIDENCE: Column[Classified] = Column(
    "confidence",
    "number",
    lambda c: class_confidence(c.class_id, c.class_probability),
    "probability of that class; null where it is UNKNOWN",
    0.93,
)
COULD_BE: Column[Classified] = Column(
    "could_be",
    "text",
    _could_be,
    "what an UNKNOWN one could be; empty where that says nothing",
    "DRONE or BIRD",
    live=False,
)

DETECTION: Table[Detections] = Table(
    integer("id", lambda d: d.id, "within the scan", 0),
    class_word(lambda d: d.class_id),
    Column("confidence", "number", plot_confidence, CONFIDENCE.doc, 0.93),
    COULD_BE,
    number("range_m", 2, lambda d: d.range, example=1520.0),
    degrees("azimuth_deg", lambda d: d.azimuth, "anticlockwise from the sensor's forward axis", 30.0),
    degrees("elevation_deg", lambda d: d.elevation, "above the sensor's horizontal plane; null for a 2D sensor"),
    number("range_rate_mps", 3, lambda d: d.range_rate, "positive receding; null for a sensor without Doppler"),
    number("snr_db", 2, lambda d: d.snr_db, example=21.5),
    number("rcs_dbsm", 2, lambda d: d.rcs_dbsm, example=-10.0),
    number("noise_db", 2, lambda d: d.noise_db, example=3.0, live=False),
    integer("points", lambda d: d.points, "radar points grouped into it", 4, live=False),
    number("time_offset_s", 3, lambda d: d.time_offset, "after the stamp: when it was measured", -0.25, live=False),
    _probabilities(lambda d: d.class_probability),
)


class Moving(Protocol):
    """What has states."""

    @property
    def state(self) -> Floats:
        """(N, 6): x y z vx vy vz in `map` [m, m/s]."""


def _distance(moving: Moving) -> Floats:
    distance: Floats = np.linalg.norm(moving.state[:, :3], axis=1)
    return distance


def _elevation(moving: Moving) -> Floats:
    x, y, z = moving.state[:, :3].T
    angle: Floats = np.arctan2(z, np.hypot(x, y))
    return angle


def _range_rate(moving: Moving) -> Floats:
    position, velocity = moving.state[:, :3], moving.state[:, 3:]
    with np.errstate(invalid="ignore", divide="ignore"):
        rate: Floats = np.einsum("ij,ij->i", position, velocity) / _distance(moving)
    return rate


def position_sigma(tracks: Tracks) -> Floats:
    """Return (N, 3) one-sigma errors of the positions [m]; NaN of what is no variance."""
    with np.errstate(invalid="ignore"):
        return np.sqrt(np.diagonal(tracks.covariance, axis1=1, axis2=2)[:, :3])


# Where objects are, seen from the origin of `map`, and where they go.
MOTION: Table[Moving] = Table(
    number("range_m", 2, _distance, example=600.0),
    direction("bearing_deg", lambda m: m.state[:, :2], "clockwise from north", 30.0),
    degrees("elevation_deg", _elevation, example=4.2),
    number("velocity_mps", 3, lambda m: np.linalg.norm(m.state[:, 3:], axis=1), "speed", 20.0),
    direction(
        "heading_deg", lambda m: m.state[:, 3:5], "course over ground, clockwise from north; null for one at rest"
    ),
    vector("position_m", 2, lambda m: m.state[:, :3]),
    vector("velocity_vector_mps", 3, lambda m: m.state[:, 3:]),
)

TRACK: Table[Tracks] = Table(
    integer("track_id", lambda t: t.track_id, "never used for another object", 41),
    word("status", STATUS_NAMES, lambda t: t.status, "TENTATIVE, CONFIRMED, COASTING", "CONFIRMED"),
    class_word(lambda t: t.class_id),
    CONFIDENCE,
    COULD_BE,
    *MOTION.columns,
    number("time_since_update_s", 3, lambda t: t.time_since_update, example=0.0),
    number("range_rate_mps", 3, _range_rate, "positive receding", -20.0, live=False),
    vector("position_sigma_m", 3, position_sigma, live=False),
    number("rcs_dbsm", 2, lambda t: t.rcs_dbsm, example=-10.0, live=False),
    number("existence_probability", 4, lambda t: t.existence_probability, example=0.98, live=False),
    _probabilities(lambda t: t.class_probability),
    number("age_s", 3, lambda t: t.age, "since the first detection", 12.5, live=False),
    integer("hits", lambda t: t.hits, "detections it was updated with", 25, live=False),
    Column(
        "sources",
        "texts",
        lambda t: [names.split(",") if names else [] for names in t.sources],
        "the trackers of the rig that hold it; none where one tracker makes the picture",
        ["front", "left"],
        live=False,
    ),
)

# What is thought of tracks at a time.
ASSESSMENT: Table[Threats] = Table(
    integer("track_id", lambda t: t.track_id, example=41),
    word("level", LEVEL_NAMES, lambda t: t.level, "LOW, MEDIUM, HIGH, CRITICAL", "CRITICAL"),
    class_word(lambda t: t.class_id),
    number("score", 4, lambda t: t.score, "0 to 1", 0.94),
    number("time_to_cpa_s", 2, lambda t: t.time_to_cpa, "to the closest point of approach", 12.3),
    number("cpa_distance_m", 2, lambda t: t.cpa_distance, example=30.5),
    number("cpa_distance_sigma_m", 2, lambda t: t.cpa_distance_sigma, example=5.0),
    number("time_to_impact_s", 2, lambda t: t.time_to_impact, "null on a course that misses the asset", 11.8),
    Column("reason", "text", lambda t: list(t.reason), example="impact in 12 s; missile; heading at the asset"),
)

# What else is told of those that are threats now.
AIM: Table[Threats] = Table(
    number("entry_probability", 3, lambda t: t.entry_probability, "of entering the asset's radius", 0.87),
    Column("asset", "text", lambda t: list(t.asset), "name of the protected asset that it threatens most", "asset"),
    Column(
        "behaviour",
        "text",
        lambda t: list(t.behaviour),
        "APPROACH, LOITER, SWARM, POP_UP, DROP; separated by spaces, empty for none",
        "APPROACH SWARM",
    ),
)

# Who has seen them.
ACKNOWLEDGEMENT: Table[Sequence[Acknowledgement | None]] = Table(
    each(
        "acknowledged_by",
        "text or null",
        lambda a: a.who if a else None,
        "who has acknowledged it, at this level or a higher one; null: not acknowledged",
    ),
    each("acknowledged_s", "number", lambda a: round(a.at_s, 3) if a else None, "when, seconds since 1970"),
)

_LIVE_DETECTION, _LIVE_TRACK = DETECTION.live(), TRACK.live()


def unlisted(t: Threats) -> dict[str, object]:
    """Return where the list of threats begins, and the tracks that were assessed and are below it, by level."""
    below: dict[str, list[int]] = {}
    for track_id, level in zip(t.unlisted_track_id.tolist(), t.unlisted_level.tolist(), strict=True):
        below.setdefault(LEVEL_NAMES[level], []).append(track_id)
    return {"listed_from": LEVEL_NAMES[t.listed_from], "unlisted": below}


def detection_rows(d: Detections) -> EncodedRows:
    """Return a scan's detections, all fields."""
    return EncodedRows(lambda: DETECTION.rows(d))


def detection_brief(d: Detections) -> EncodedRows:
    """Return a scan's detections, for the live stream."""
    return EncodedRows(lambda: _LIVE_DETECTION.rows(d))


def track_rows(t: Tracks) -> EncodedRows:
    """Return the picture's tracks, all fields."""
    return EncodedRows(lambda: TRACK.rows(t))


def track_brief(t: Tracks) -> EncodedRows:
    """Return the picture's tracks, for the live stream."""
    return EncodedRows(lambda: _LIVE_TRACK.rows(t))


def threat_rows(t: Threats, acknowledged: Mapping[int, Acknowledgement] = MappingProxyType({})) -> EncodedRows:
    """Return the threats, most threatening first, and who has acknowledged them at their level or above."""

    def rows() -> list[Row]:
        known = [acknowledged.get(track_id) for track_id in t.track_id.tolist()]
        holds = [a if a and a.level >= level else None for a, level in zip(known, t.level.tolist(), strict=True)]
        return join((ASSESSMENT, t), (AIM, t), (ACKNOWLEDGEMENT, holds))

    return EncodedRows(rows)
