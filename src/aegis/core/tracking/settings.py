# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the tracking stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from aegis.core.classification.settings import ClassName, TrackClassificationSettings
from aegis.core.params import Settings, group, named, param
from aegis.core.sensor import SensorPose

Acceleration = Annotated[float, Field(gt=0.0, lt=1e4)]


class SensorModel(Settings):
    """What the tracker has to know of a sensor, besides where it is."""

    detection_probability: float = param(
        0.9, "Probability that an object in view gives a detection in a scan.", gt=0.0, lt=1.0
    )
    clutter_per_scan: float = param(2.0, "False alarms expected in a scan.", gt=0.0)
    births_per_scan: float = param(0.05, "New objects expected in a scan, anywhere in the view.", gt=0.0)
    min_range_m: float = param(0.0, "The sensor's view: nearest range.", unit="m", ge=0.0)
    max_range_m: float = param(
        10_000.0, "The sensor's view: farthest range. Outside the view no track is confirmed.", unit="m", gt=0.0
    )
    azimuth_fov_deg: float = param(
        360.0, "The sensor's view: width in azimuth, about its axis.", unit="deg", gt=0.0, le=360.0
    )
    elevation_fov_deg: float = param(
        180.0, "The sensor's view: width in elevation, about elevation_axis_deg. 180: no limit is known.",
        unit="deg", gt=0.0, le=180.0,
    )  # fmt: skip
    elevation_axis_deg: float = param(
        0.0, "The sensor's view: elevation of its middle, where that is not the horizon.", unit="deg", ge=-90.0, le=90.0
    )
    elevation_span_deg: float = param(
        65.0, "Width of the elevations over which false alarms spread; no more than that of the view.", unit="deg", gt=0.0, le=180.0
    )  # fmt: skip
    delay_s: float = param(
        0.0, "How long before its stamp, or its own time, a detection was measured, where the sensor's processing takes a known "
        "time: tracks are carried on over it.", unit="s", ge=0.0, le=60.0,
    )  # fmt: skip
    range_rate_span_mps: float = param(
        1200.0, "Width of the range rates over which false alarms spread.", unit="m/s", gt=0.0
    )

    turn_period_s: float = param(
        0.0, "Time of a turn of the sensor's antenna. 0: as the detections say, or as their own times and azimuths show.", unit="s",
        ge=0.0, le=120.0,
    )  # fmt: skip

    @model_validator(mode="after")
    def _view(self) -> Self:
        if self.min_range_m >= self.max_range_m:
            raise ValueError("min_range_m < max_range_m is needed")
        return self


class Sensor(SensorModel, SensorPose):
    """One sensor: what the tracker has to know of it, and where it is."""


class MotionSettings(Settings):
    """How objects move."""

    model: Literal["cv", "ct", "imm"] = param(
        "imm", "Motion model: constant velocity (cv), coordinated turn (ct), or an IMM of both (imm).", was="motion"
    )
    acceleration_sigma_mps2: float = param(
        2.0, "Manoeuvres: standard deviation of the white acceleration of the motion model, for a step of one second.",
        unit="m/s^2", gt=0.0,
    )  # fmt: skip
    vertical_acceleration_sigma_mps2: float = param(
        1.0, "Manoeuvres: standard deviation of the white vertical acceleration of the motion model, for a step of one second.",
        unit="m/s^2", gt=0.0,
    )  # fmt: skip
    acceleration_by_class: dict[ClassName, Acceleration] = named(
        "CLASS", "Standard deviation of the acceleration, horizontally and vertically, of tracks of this class, once it is known.",
        unit="m/s^2", was="acceleration_by_class",
    )  # fmt: skip
    turn_rate_sigma_degps: float = param(
        10.0, "Standard deviation of the turn rate with which a turn begins.", unit="deg/s", gt=0.0
    )
    turn_rate_change_degps: float = param(
        1.0, "How much a turn's rate changes within a second (one sigma).", unit="deg/s", gt=0.0
    )
    mean_straight_s: float = param(120.0, "How long objects go straight on average (imm).", unit="s", gt=0.0)
    mean_turn_s: float = param(10.0, "How long a turn lasts on average (imm).", unit="s", gt=0.0)


class AssociationSettings(Settings):
    """Which detection is of which track."""

    method: Literal["pmb", "gnn"] = param(
        "pmb", "What a track's state is made of: all associations, by their probabilities (pmb), or the best assignment (gnn).",
        was="association",
    )  # fmt: skip
    sharpness: float = param(
        1.25, "Exponent of the probabilities (pmb): 1 is the plain mean, more keeps tracks of close objects apart, but is "
        "overconfident in clutter.", ge=1.0, le=10.0, was="association_sharpness",
    )  # fmt: skip
    gate_probability: float = param(
        0.99999, "Probability that an object's own detection falls into its gate. Where errors are larger than stated, or objects "
        "manoeuvre harder, a wide gate keeps their detections.", gt=0.5, lt=1.0,
    )  # fmt: skip
    cell_sigmas: float = param(
        4.0, "Objects that come closer than about so many standard deviations of a detection give one detection in place of two: "
        "then the misses of their tracks hardly count. 0: each object gives its own.", ge=0.0, le=20.0,
    )  # fmt: skip


class BirthPlace(Settings):
    """Where objects enter: a Gaussian about a point."""

    x: float = param(0.0, "Where objects enter, east.", unit="m")
    y: float = param(0.0, "Where objects enter, north.", unit="m")
    sigma_m: float = param(
        100.0, "Standard deviation of the place where objects enter, along each axis.", unit="m", gt=0.0
    )
    objects_per_scan: float = param(0.1, "Objects expected to enter at this place in a scan.", gt=0.0)


class BirthSettings(Settings):
    """Where objects come from, and what is known of them at their first detection; how many, `sensor.births_per_scan` says."""

    places: dict[str, BirthPlace] = named("place", "Where objects enter, besides anywhere.", was="birth_places")
    initial_objects: float = param(0.0, "Objects expected to be there when the first scan comes.", ge=0.0)
    transient_share: float = param(
        0.0, "Share of new objects that are short-lived: reflections, wakes, waves.", ge=0.0, lt=1.0
    )
    initial_speed_sigma_mps: float = param(
        100.0, "Standard deviation of an object's unknown velocity components at its first detection.",
        unit="m/s", gt=0.0,
    )  # fmt: skip
    initial_height_sigma_m: float = param(
        500.0, "Standard deviation of an object's height where the sensor measures no elevation.", unit="m", gt=0.0
    )


class ExistenceSettings(Settings):
    """How long objects are there, and which tracks are believed."""

    mean_lifetime_s: float = param(600.0, "How long an object stays in the picture, on average.", unit="s", gt=0.0)
    transient_life_s: float = param(
        10.0,
        "How long a short-lived object (birth.transient_share) stays in the picture, on average.",
        unit="s",
        gt=0.0,
    )
    mean_visible_s: float = param(
        60.0, "Misses come in runs: how long an object is in sight, on average, before something hides it. 0: each miss is by "
        "chance, so that a few in a row end a track.", unit="s", ge=0.0,
    )  # fmt: skip
    mean_hidden_s: float = param(
        3.0, "How long an object then stays hidden, on average, but no less than three looks of the sensor. A track whose misses "
        "go on for several times as long is no part of the confirmed picture any more, and then is deleted.", unit="s", gt=0.0,
    )  # fmt: skip
    confirm_probability: float = param(0.99, "A track is confirmed at this existence probability.", gt=0.0, lt=1.0)
    demote_probability: float = param(
        0.5, "A confirmed track is tentative again below this existence probability: it keeps its id, but is no part of the "
        "confirmed picture.", ge=0.0, lt=1.0,
    )  # fmt: skip
    delete_probability: float = param(
        0.01, "A track is deleted below this existence probability, when it has not just been detected: misses lower it.",
        gt=0.0, lt=1.0,
    )  # fmt: skip
    max_probability: float = param(
        0.999, "Existence probability that repeated detections can reach: how long a track outlives its detections.",
        gt=0.0, lt=1.0, was="max_existence",
    )  # fmt: skip
    max_coast_s: float = param(
        30.0, "A track without detections for so long, or for three and a half periods of the sensor that looks most seldom, if "
        "that is longer, is deleted, whatever its existence probability. In a sensor's view most end sooner: by misses, as "
        "existence.mean_hidden_s says.",
        unit="s", gt=0.0,
    )  # fmt: skip

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.delete_probability < self.confirm_probability <= self.max_probability:
            raise ValueError("delete_probability < confirm_probability <= max_probability is needed")
        if self.demote_probability > self.confirm_probability:
            raise ValueError("demote_probability <= confirm_probability is needed")
        return self


class ClutterSettings(Settings):
    """Places with more false alarms than others."""

    memory_s: float = param(
        60.0, "False alarms are counted locally over this time, so that places with more of them, or more than stated everywhere, "
        "make no tracks. 0: not.", unit="s", ge=0.0, was="clutter_memory_s",
    )  # fmt: skip
    radius_m: float = param(
        0.0, "False alarms are counted locally within this distance. 0: a fifth of the sensor's farthest range.", unit="m", ge=0.0,
        was="clutter_radius_m",
    )  # fmt: skip


class TimelineSettings(Settings):
    """Scans that come late, and clocks that are set."""

    reorder_window_s: float = param(
        1.0,
        "A scan that comes late by no more than this, and by no more than 256 scans or sectors of all sensors, is put in its "
        "place in time.",
        unit="s",
        ge=0.0,
        le=60.0,
    )
    reset_after_s: float = param(
        5.0, "A scan older than its own sensor's last one by more than this resets the tracker (a clock was set, a bag looped); "
        "a shorter loop is known by its start.",
        unit="s", gt=0.0,
    )  # fmt: skip


class RegistrationSettings(Settings):
    """Bias between sensors."""

    mode: Literal["off", "report", "apply"] = param(
        "report", "Range and azimuth bias between sensors, from tracks that both see: not estimated (off), estimated (report), or "
        "also taken off (apply).", was="registration",
    )  # fmt: skip
    reference: str = param(
        "", "The sensor_id that is taken to have no bias; empty: all alike, so that only differences are known.",
        was="registration_reference",
    )  # fmt: skip


class ConsistencySettings(Settings):
    """Errors that turn out to be other than stated."""

    mode: Literal["off", "warn", "apply"] = param(
        "apply", "Whether a sensor's errors are as stated, from how far its detections lie from the tracks (NIS): not asked (off), "
        "warned of where they are not (warn), or its variances also scaled until they are (apply).",
    )  # fmt: skip


class SnapshotSettings(Settings):
    """The picture on disk, which survives a restart."""

    period_s: float = param(
        2.0, "The picture is kept on disk at most this often, to survive a restart. 0: never.", unit="s", ge=0.0,
        was="snapshot_period_s",
    )  # fmt: skip
    max_age_s: float = param(
        10.0,
        "After a restart, a kept picture older than this is forgotten.",
        unit="s",
        gt=0.0,
        was="snapshot_max_age_s",
    )


class TrackingSettings(SensorPose):
    """Parameters of the node `tracking`."""

    frame_id: str = param("map", "Frame of the picture.")
    sensor_ids: tuple[str, ...] = param(
        (), "The sensors whose detections are tracked, where others' are on the topic too; empty: all. `aegis up --fusion` gives "
        "each radar's tracker its own.",
    )  # fmt: skip
    max_extent_m: float = param(
        0.0, "Longest object: more detections of one scan within it give one track. 0: every object is a point.",
        unit="m", ge=0.0,
    )  # fmt: skip
    max_tracks: int = param(20_000, "Most tracks; beyond, detections start no new ones and are counted.", ge=1)
    sensor: SensorModel = group(SensorModel())
    sensors: dict[str, Sensor] = named(
        "sensor_id", "What is different for one of several sensors that share the picture; the rest is as for all."
    )
    motion: MotionSettings = group(MotionSettings())
    association: AssociationSettings = group(AssociationSettings())
    birth: BirthSettings = group(BirthSettings())
    existence: ExistenceSettings = group(ExistenceSettings())
    clutter: ClutterSettings = group(ClutterSettings())
    timeline: TimelineSettings = group(TimelineSettings())
    registration: RegistrationSettings = group(RegistrationSettings())
    consistency: ConsistencySettings = group(ConsistencySettings())
    snapshot: SnapshotSettings = group(SnapshotSettings())
    classification: TrackClassificationSettings = group(TrackClassificationSettings())

    @model_validator(mode="before")
    @classmethod
    def _as_for_all(cls, values: object) -> object:
        """Give each of several sensors what it does not say itself: what is said for all."""
        if not (isinstance(values, Mapping) and isinstance(values.get("sensors"), Mapping)):
            return values
        common = {name: values[name] for name in SensorPose.model_fields if name in values}
        model = values.get("sensor", {})
        common |= dict(model) if isinstance(model, (Mapping, SensorModel)) else {}
        own = values["sensors"].items()
        return {**values, "sensors": {key: {**common, **v} if isinstance(v, Mapping) else v for key, v in own}}

    def sensor_models(self) -> dict[str, Sensor]:
        """Return the sensors that differ from the others, by sensor_id; "" is all others."""
        pose = {name: getattr(self, name) for name in SensorPose.model_fields}
        return {"": Sensor(**pose, **dict(self.sensor)), **self.sensors}
