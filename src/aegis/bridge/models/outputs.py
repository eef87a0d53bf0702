# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The picture in other people's formats."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from aegis.bridge.models.common import Frame, Model
from aegis.bridge.models.radar import Track


class TrackProperties(Track):
    """A track as in /api/radar/tracks, and how it moves over ground at its own place."""

    ground_speed_mps: float | None = Field(description="null for a track without a place", examples=[61.2])
    course_deg: float | None = Field(
        description="over ground, clockwise from true north at the track's place; null for one at rest",
        examples=[137.5],
    )
    climb_rate_mps: float | None = Field(description="away from the ellipsoid", examples=[-1.5])
    threat_level: str | None = Field(
        description="LOW, MEDIUM, HIGH, CRITICAL; null for a track that is not assessed, and without scope threats:read",
        examples=["HIGH"],
    )


class Point(Model):
    """A place (RFC 7946, 3.1.2)."""

    type: Literal["Point"]
    coordinates: Annotated[list[float], Field(min_length=3, max_length=3)] = Field(
        description="longitude [deg], latitude [deg], height above the WGS-84 ellipsoid [m]",
        examples=[[13.405, 52.52, 350.0]],
    )


class Feature(Model):
    """A track (RFC 7946, 3.2)."""

    type: Literal["Feature"]
    id: int = Field(description="the track's id", examples=[41])
    geometry: Point | None = Field(description="null for a track without a sensible position")
    properties: TrackProperties


class TrackCollection(Frame):
    """The picture after the last scan (RFC 7946, 3.3)."""

    type: Literal["FeatureCollection"]
    features: list[Feature]


class Aircraft(Model):
    """A track in the words of readsb; what is unknown is left out."""

    hex: str = Field(description="the track's id modulo 2^24; '~' marks it as no ICAO address", examples=["~000029"])
    type: Literal["tisb_trackfile"] = Field(description="a target of a primary radar, by its track number")
    category: str | None = Field(None, description="emitter category: A7 rotorcraft, B6 unmanned", examples=["B6"])
    lat: float = Field(examples=[52.52])
    lon: float = Field(examples=[13.405])
    alt_geom: int | None = Field(
        None,
        description="height above the WGS-84 ellipsoid [ft]; absent where the error is above 486 m",
        examples=[1148],
    )
    gs: float = Field(description="speed over ground [kt]", examples=[119.0])
    track: float | None = Field(None, description="course over ground [deg]; absent for one at rest", examples=[137.5])
    geom_rate: int | None = Field(None, description="climb rate [ft/min]; absent as the height is", examples=[-295])
    messages: int = Field(description="detections in the track", examples=[25])
    seen: float = Field(description="since the last detection [s]", examples=[0.4])
    seen_pos: float = Field(description="the same", examples=[0.4])


class AircraftList(Model):
    """What dump1090 and readsb call aircraft.json: confirmed and coasting tracks."""

    now: float = Field(description="seconds since 1970", examples=[1767225600.123])
    messages: int = Field(description="tracks in all pictures so far", examples=[123456])
    aircraft: list[Aircraft]


class Receiver(Model):
    """What dump1090 and readsb call receiver.json."""

    version: str = Field(examples=["aegis 0.1.0"])
    refresh: int = Field(description="how often to ask for aircraft.json [ms]", examples=[1000])
    history: int = Field(description="stored copies of aircraft.json: none", examples=[0])
    lat: float = Field(description="of the origin of `map`", examples=[52.52])
    lon: float = Field(examples=[13.405])
