# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the radar sees and what is tracked."""

from __future__ import annotations

from math import pi
from typing import Literal

from pydantic import Field

from aegis.bridge.live import columns
from aegis.bridge.models.common import Frame, Model, Page, StageRow, with_columns


class Classifier(Model):
    """The model that answers with classes."""

    model: str = Field(examples=["physical-1"])
    basis: str = Field(description="what its answers rest on")


class RadarStatus(Frame):
    """The radar as the bridge receives it."""

    detections: int = Field(description="in the last scan", examples=[12])
    scan_rate_hz: float | None = Field(description="from the stamps of the last scans", examples=[2.0])
    scans_lost: int = Field(description="missing sequence numbers on the way to the bridge", examples=[0])
    noise_db: float | None = Field(description="median beside the detections of the last scan", examples=[3.2])
    classifier: Classifier | None
    stage: StageRow | None = Field(description="status of the detection stage")


class Spread(Model):
    """How a quantity is spread over the last scan's detections; null where the sensor does not state it."""

    median: float | None = Field(examples=[18.4])
    p10: float | None = Field(description="10th percentile", examples=[13.9])
    p90: float | None = Field(description="90th percentile", examples=[27.0])


class SignalQuality(Frame):
    """The quality of the radar's detections."""

    detections: int = Field(description="in the last scan", examples=[12])
    snr_db: Spread
    noise_db: Spread
    rcs_dbsm: Spread
    range_sigma_m: Spread = Field(description="1 sigma that the detections claim")
    azimuth_sigma_deg: Spread
    noise_floor: str | None = Field(
        description="whether the EW stage can judge the noise floor; null before it has spoken", examples=["judged"]
    )
    signals: int | None = Field(description="active jammers and interference; null before the EW stage has reported")
    scans_lost: int = Field(examples=[0])


@with_columns(columns.DETECTION)
class Target(Model):
    """A detection, in the sensor's frame."""


class SensorPlace(Model):
    """Where a sensor is in `map`."""

    x_m: float = Field(description="east")
    y_m: float = Field(description="north")
    z_m: float = Field(description="up")
    heading_deg: float = Field(description="of its forward axis, clockwise from north", examples=[90.0])


class Targets(Frame, Page):
    """Detections of the last scan."""

    sensor: SensorPlace = Field(description="where the targets are seen from")
    targets: list[Target]


class ScanAnswer(Targets):
    """The requested scan, as it was detected."""

    message: str = Field(description="what the radar answered", examples=["scan 7 has 31 points"])


class Sector(Model):
    """A sector of azimuth, anticlockwise, in the radar's frame."""

    begin_rad: float = Field(ge=-2 * pi, le=2 * pi)
    end_rad: float = Field(ge=-2 * pi, le=2 * pi)


class ModeRequest(Model):
    """How the radar is to work; what is left out stays as it is."""

    radar: str = Field("", max_length=64, description="which radar of a rig; left out: the only one", examples=[""])
    mode: Literal["STANDBY", "SEARCH", "ON_DEMAND"] | None = Field(
        None, description="no scans; scans at its interval; scans when asked", examples=["SEARCH"]
    )
    frequency_hz: float | None = Field(None, gt=0, le=1e12, description="carrier", examples=[9.6e9])
    blanking: list[Sector] | None = Field(
        None, max_length=64, description="all sectors without transmission; none: an empty list"
    )
    agility_hz: float | None = Field(
        None, ge=0, le=1e12, description="width of the band in which it hops; 0: it stays", examples=[4e8]
    )
    chirp_jitter_s: float | None = Field(
        None, ge=0, le=1, description="by which chirps come at random earlier or later"
    )


class ModeAnswer(Model):
    """How the radar works now, in its own words."""

    message: str = Field(examples=["SEARCH, 9600000000 Hz, 0 blanked sectors"])


@with_columns(columns.TRACK)
class Track(Model):
    """A track, in `map`; range, bearing and elevation are seen from the origin of `map`."""


class TrackPicture(Frame, Page):
    """Tracks of the picture after the last scan."""

    tracks: list[Track]


class OneTrack(Frame):
    """One track of the picture after the last scan."""

    track: Track
