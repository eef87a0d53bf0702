# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tracks as Cursor on Target events, whatever they are written in.

The meaning of the fields is that of MITRE's base schema ("Event-PUBLIC.xsd", version 2.0); types and `how` are from the list that
goes with it, CoTtypes.xml.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

import numpy as np

from aegis.bridge.live.columns import CLASS_NAMES, STATUS_NAMES
from aegis.bridge.outputs.feed import Picture
from aegis.core.finite import finite_or_none
from aegis.core.types import ClassId, Floats, ThreatLevel

UNKNOWN = 9_999_999.0  # of ce and le
MS_NS = 1_000_000

# Battle dimension and function by class. MIL-STD-2525, from which they are, has drones and helicopters as civil or as military
# ones only: these are those that CoTtypes.xml takes for "uav" and "helo". It has none for birds.
TYPES = {
    ClassId.UNKNOWN: "Z",  # unknown dimension
    ClassId.DRONE: "A-M-F-Q",  # air, drone
    ClassId.BIRD: "A",
    ClassId.AIRCRAFT: "A",  # air
    ClassId.HELICOPTER: "A-M-H",  # air, rotary wing
    ClassId.MISSILE: "A-W-M",  # air, weapon, missile in flight
    ClassId.VEHICLE: "G-E-V",  # ground, equipment, vehicle
    ClassId.PERSON: "G",  # ground
    ClassId.VESSEL: "S",  # sea surface
    ClassId.CLUTTER: "Z",
}
AFFILIATION_UNKNOWN, AFFILIATION_HOSTILE = "u", "h"
# How a position came about: by a machine, and that a tracker, or a simulation.
HOW_TRACKER, HOW_SIMULATED = "m-a", "m-s"

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2


@dataclass(frozen=True, slots=True)
class CotEvent:
    """One event."""

    uid: str
    type: str
    how: str
    time_ms: int  # since 1970, of the measurement; the event is valid from then
    stale_ms: int  # and until then
    latitude_deg: float
    longitude_deg: float
    height_m: float  # above the ellipsoid
    circular_error_m: float  # "the one sigma point for a zero mean normal distribution", in its worst direction
    linear_error_m: float  # the same of the height
    callsign: str
    course_deg: float | None  # None: at rest
    speed_mps: float
    remarks: str
    simulated: bool


@dataclass(frozen=True)
class CotStyle:
    """How tracks are written.

    Args:
        uid_prefix: goes before the track's id; no other sender's is the same.
        stale_ms: how long an event is valid.
        hostile_from: the threat level from which on a track is hostile; None: none is.
        simulated: they are no real tracks.
    """

    uid_prefix: str
    stale_ms: int
    hostile_from: ThreatLevel | None = None
    simulated: bool = False


def events(picture: Picture, style: CotStyle) -> dict[int, CotEvent]:
    """Return the established tracks' events, by track id."""
    tracks, placed, assessed = picture.tracks, picture.placed, picture.assessed
    time_ms = tracks.stamp_ns // MS_NS
    chosen = np.flatnonzero(picture.established)

    def column(values: Floats) -> list[float]:
        out: list[float] = values[chosen].tolist()
        return out

    out = {}
    for i, latitude, longitude, height, ce, le, course, speed in zip(
        chosen.tolist(),
        column(placed.latitude_deg),
        column(placed.longitude_deg),
        column(placed.altitude_m),
        column(np.nan_to_num(placed.horizontal_sigma, nan=UNKNOWN)),
        column(np.nan_to_num(placed.position_sigma[:, 2], nan=UNKNOWN)),
        column(placed.course_deg),
        column(placed.ground_speed),
        strict=True,
    ):
        track_id, class_id = int(tracks.track_id[i]), int(tracks.class_id[i])
        level, reason = assessed.get(track_id, (None, None))
        name = CLASS_NAMES[class_id]
        probabilities = tracks.class_probability[i]
        named = class_id != ClassId.UNKNOWN and class_id < len(probabilities)
        probability = float(probabilities[class_id]) if named else math.nan
        out[track_id] = CotEvent(
            uid=f"{style.uid_prefix}.{track_id}",
            type=_type(class_id, level, style.hostile_from),
            how=HOW_SIMULATED if style.simulated else HOW_TRACKER,
            time_ms=time_ms,
            stale_ms=time_ms + style.stale_ms,
            latitude_deg=latitude,
            longitude_deg=longitude,
            height_m=height,
            circular_error_m=ce,
            linear_error_m=le,
            callsign=f"{name} {track_id}",
            course_deg=finite_or_none(course),
            speed_mps=speed,
            remarks=_remarks(name, probability, STATUS_NAMES[int(tracks.status[i])], level, reason),
            simulated=style.simulated,
        )
    return out


def ended(event: CotEvent, time_ms: int) -> CotEvent:
    """Return the last event of a track that is there no more: not valid from the beginning, so that it disappears."""
    return replace(event, time_ms=time_ms, stale_ms=time_ms)


def _type(class_id: int, level: ThreatLevel | None, hostile_from: ThreatLevel | None) -> str:
    hostile = level is not None and hostile_from is not None and level >= hostile_from
    known = class_id if class_id in TYPES else ClassId.UNKNOWN
    return f"a-{AFFILIATION_HOSTILE if hostile else AFFILIATION_UNKNOWN}-{TYPES[ClassId(known)]}"


def _remarks(name: str, probability: float, status: str, level: ThreatLevel | None, reason: str | None) -> str:
    sure = f" {probability:.0%}" if math.isfinite(probability) else ""
    threat = "" if level is None or reason is None else f"; threat {level.name}: {reason}"
    return _NOT_IN_XML.sub("\ufffd", f"{name}{sure}, {status.lower()}{threat}")
