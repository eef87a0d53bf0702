"""Parameters of the tracking stage."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import yaml
from pydantic import model_validator

from aegis.core.params import ConfigError, param
from aegis.core.sensor import SensorPose
from aegis.core.types import ClassId


class SensorModel(SensorPose):
    """What the tracker has to know of a sensor."""

    detection_probability: float = param(
        0.9, "Probability that an object in view gives a detection in a scan.", gt=0.0, lt=1.0
    )
    clutter_per_scan: float = param(2.0, "False alarms expected in a scan.", gt=0.0)
    births_per_scan: float = param(0.5, "New objects expected in a scan, anywhere in the view.", gt=0.0)
    min_range_m: float = param(0.0, "The sensor's view: nearest range.", unit="m", ge=0.0)
    max_range_m: float = param(10_000.0, "The sensor's view: farthest range.", unit="m", gt=0.0)
    azimuth_fov_deg: float = param(
        360.0, "The sensor's view: width in azimuth, about its axis.", unit="deg", gt=0.0, le=360.0
    )
    elevation_fov_deg: float = param(
        65.0, "The sensor's view: width in elevation, about its horizon.", unit="deg", gt=0.0, le=180.0
    )
    range_rate_span_mps: float = param(
        1200.0, "Width of the range rates over which false alarms spread.", unit="m/s", gt=0.0
    )

    @model_validator(mode="after")
    def _view(self) -> SensorModel:
        if self.min_range_m >= self.max_range_m:
            raise ValueError("min_range_m < max_range_m is needed")
        return self


class TrackingSettings(SensorModel):
    """Parameters of the node `tracking`."""

    frame_id: str = param("map", "Frame of the picture.")
    sensors: tuple[str, ...] = param(
        (), "Where several sensors share the picture, what is different for one: 'sensor_id.parameter=value', of the parameters "
        "above and sensor_x, sensor_y, sensor_z, sensor_yaw_deg.",
    )  # fmt: skip
    motion: Literal["cv", "ct", "imm"] = param(
        "imm", "Motion model: constant velocity, coordinated turn, or an IMM of both."
    )
    acceleration_sigma_mps2: float = param(
        3.0, "Manoeuvres: standard deviation of the white acceleration of the motion model, for a step of one second.",
        unit="m/s^2", gt=0.0,
    )  # fmt: skip
    vertical_acceleration_sigma_mps2: float = param(1.5, "The same, vertically.", unit="m/s^2", gt=0.0)
    acceleration_by_class: tuple[str, ...] = param(
        (), "Other values, horizontally and vertically, for tracks of known class: 'VESSEL=0.3'."
    )
    turn_rate_sigma_degps: float = param(
        6.0, "Standard deviation of the turn rate with which a turn begins.", unit="deg/s", gt=0.0
    )
    turn_rate_change_degps: float = param(
        1.0, "How much a turn's rate changes within a second (one sigma).", unit="deg/s", gt=0.0
    )
    mean_straight_s: float = param(60.0, "How long objects go straight on average (imm).", unit="s", gt=0.0)
    mean_turn_s: float = param(20.0, "How long a turn lasts on average (imm).", unit="s", gt=0.0)
    association: Literal["pmb", "gnn"] = param(
        "pmb", "pmb: states averaged over all associations, by their probabilities; gnn: by the best assignment only."
    )
    association_sharpness: float = param(
        1.25, "pmb: exponent of the probabilities; 1 is the plain mean, more keeps tracks of close objects apart, but is "
        "overconfident in clutter.", ge=1.0, le=10.0,
    )  # fmt: skip
    birth_places: tuple[float, ...] = param(
        (), "Where objects enter, besides anywhere: four numbers a place, x, y, sigma [m], objects expected in a scan."
    )
    mean_lifetime_s: float = param(600.0, "How long an object stays in the picture, on average.", unit="s", gt=0.0)
    initial_objects: float = param(0.0, "Objects expected to be there when the first scan comes.", ge=0.0)
    transient_share: float = param(
        0.0, "Share of new objects that are short-lived: reflections, wakes, waves.", ge=0.0, lt=1.0
    )
    transient_life_s: float = param(10.0, "How long those last, on average.", unit="s", gt=0.0)
    mean_visible_s: float = param(
        0.0, "How long an object is in sight before another hides it, on average. 0: nothing hides.", unit="s", ge=0.0
    )
    mean_hidden_s: float = param(7.5, "And for how long, on average.", unit="s", gt=0.0)
    clutter_memory_s: float = param(
        0.0, "False alarms are counted locally over this time, where the sensor has places with more of them. 0: not.",
        unit="s", ge=0.0,
    )  # fmt: skip
    clutter_radius_m: float = param(100.0, "And within this distance.", unit="m", gt=0.0)
    gate_probability: float = param(
        0.997, "Probability that an object's own detection falls into its gate.", gt=0.5, lt=1.0
    )
    initial_speed_sigma_mps: float = param(
        100.0,
        "Standard deviation of an object's unknown velocity components at its first detection.",
        unit="m/s",
        gt=0.0,
    )
    initial_height_sigma_m: float = param(
        500.0, "Standard deviation of the height where the sensor measures no elevation.", unit="m", gt=0.0
    )
    confirm_probability: float = param(0.99, "A track is confirmed at this existence probability.", gt=0.0, lt=1.0)
    demote_probability: float = param(
        0.5,
        "And tentative again below this one: it keeps its id, but is no part of the confirmed picture.",
        ge=0.0,
        lt=1.0,
    )
    delete_probability: float = param(
        0.01, "And deleted below this one, when it has not just been detected.", gt=0.0, lt=1.0
    )
    max_existence: float = param(
        0.999, "Existence probability that repeated detections can reach: how long a track outlives its detections.",
        gt=0.0, lt=1.0,
    )  # fmt: skip
    max_coast_s: float = param(30.0, "A track without detections is deleted after this time.", unit="s", gt=0.0)
    max_extent_m: float = param(
        0.0, "Longest object: more detections of one scan within it give one track. 0: every object is a point.",
        unit="m", ge=0.0,
    )  # fmt: skip
    max_tracks: int = param(20_000, "Most tracks; beyond, detections start no new ones and are counted.", ge=1)
    reorder_window_s: float = param(
        1.0, "A scan that comes late by no more than this is put in its place in time.", unit="s", ge=0.0, le=60.0
    )
    reset_after_s: float = param(
        5.0, "A scan older than its own sensor's last one by more than this resets the tracker (a bag looped, a clock was set).",
        unit="s", gt=0.0,
    )  # fmt: skip
    registration: Literal["off", "report", "apply"] = param(
        "report", "Range and azimuth bias between sensors, from tracks that both see: estimated, and applied or not."
    )
    registration_reference: str = param(
        "", "The sensor_id that is taken to have no bias; empty: all alike, so that only differences are known."
    )
    snapshot_period_s: float = param(
        2.0, "The picture is kept on disk at most this often, to survive a restart. 0: never.", unit="s", ge=0.0
    )
    snapshot_max_age_s: float = param(
        10.0, "After a restart, a kept picture older than this is forgotten.", unit="s", gt=0.0
    )
    confidence_threshold: float = param(
        0.65, "Below this confidence a track's class is UNKNOWN.", ge=0.0, le=1.0, env="DETECTION_THRESHOLD"
    )
    classes: tuple[str, ...] = param(tuple(c.name for c in ClassId), "Classes that can be met here.")

    @model_validator(mode="after")
    def _consistent(self) -> TrackingSettings:
        if not self.delete_probability < self.confirm_probability <= self.max_existence:
            raise ValueError("delete_probability < confirm_probability <= max_existence is needed")
        if self.demote_probability > self.confirm_probability:
            raise ValueError("demote_probability <= confirm_probability is needed")
        _known_classes(self.classes)
        if len(self.birth_places) % 4 or any(v <= 0.0 for v in (*self.birth_places[2::4], *self.birth_places[3::4])):
            raise ValueError("birth_places takes four numbers a place: x, y, sigma > 0, objects a scan > 0")
        self.acceleration()
        self.sensor_models()
        return self

    def acceleration(self) -> dict[ClassId, float]:
        """Return acceleration_by_class, read.

        Raises:
            ValueError: an entry is not CLASS=number above 0.
        """
        out = {}
        for entry in self.acceleration_by_class:
            name, _, text = entry.partition("=")
            _known_classes([name])
            try:
                out[ClassId[name]] = float(text)
            except ValueError:
                out[ClassId[name]] = -1.0
            if not 0.0 < out[ClassId[name]] < 1e4:
                raise ValueError(f"acceleration_by_class: '{entry}' is not CLASS=value with a value above 0")
        return out

    def sensor_models(self) -> dict[str, SensorModel]:
        """Return the models of the sensors that differ from the others, by sensor_id; "" is that of all others.

        Raises:
            ValueError: an entry of `sensors` is malformed, or names an unknown parameter or a value out of bounds.
        """
        common = {name: getattr(self, name) for name in SensorModel.model_fields}
        changed: dict[str, dict[str, Any]] = {"": {}}
        for entry in self.sensors:
            key, equals, text = entry.partition("=")
            sensor_id, dot, name = key.rpartition(".")
            if not (equals and dot and sensor_id):
                raise ValueError(f"sensors: '{entry}' is not sensor_id.parameter=value")
            changed.setdefault(sensor_id, {})[name] = yaml.safe_load(text)
        try:
            return {
                sensor_id: SensorModel.load({**common, **values}, source=f"sensors: {sensor_id}")
                for sensor_id, values in changed.items()
            }
        except ConfigError as error:
            raise ValueError(str(error)) from None


def _known_classes(names: Iterable[str]) -> None:
    wrong = [name for name in names if name not in ClassId.__members__]
    if wrong:
        raise ValueError(f"no class {', '.join(wrong)}; known are: {', '.join(ClassId.__members__)}")
