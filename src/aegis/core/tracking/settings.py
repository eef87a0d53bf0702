"""Parameters of the tracking stage."""

from __future__ import annotations

from pydantic import model_validator

from aegis.core.params import param
from aegis.core.sensor import SensorPose
from aegis.core.types import ClassId


class TrackingSettings(SensorPose):
    """Parameters of the node `tracking`."""

    frame_id: str = param("map", "Frame of the picture.")
    detection_probability: float = param(
        0.9, "Probability that an object in view gives a detection in a scan.", gt=0.0, lt=1.0
    )
    clutter_per_scan: float = param(2.0, "False alarms expected in a scan.", gt=0.0)
    births_per_scan: float = param(0.5, "New objects expected in a scan.", gt=0.0)
    mean_lifetime_s: float = param(600.0, "How long an object stays in the picture, on average.", unit="s", gt=0.0)
    min_range_m: float = param(0.0, "The sensor's view: nearest range.", unit="m", ge=0.0)
    max_range_m: float = param(10_000.0, "The sensor's view: farthest range.", unit="m", gt=0.0)
    azimuth_fov_deg: float = param(
        360.0, "The sensor's view: width in azimuth, about its axis.", unit="deg", gt=0.0, le=360.0
    )
    elevation_fov_deg: float = param(
        65.0, "The sensor's view: extent in elevation, over which false alarms spread.", unit="deg", gt=0.0, le=180.0
    )
    range_rate_span_mps: float = param(
        1200.0, "Width of the range rates over which false alarms spread.", unit="m/s", gt=0.0
    )
    gate_probability: float = param(
        0.997, "Probability that an object's own detection falls into its gate.", gt=0.5, lt=1.0
    )
    acceleration_sigma_mps2: float = param(
        3.0, "Manoeuvres: standard deviation of the white acceleration of the motion model, for a step of one second.",
        unit="m/s^2", gt=0.0,
    )  # fmt: skip
    vertical_acceleration_sigma_mps2: float = param(1.5, "The same, vertically.", unit="m/s^2", gt=0.0)
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
    delete_probability: float = param(0.01, "And deleted below this one.", gt=0.0, lt=1.0)
    max_existence: float = param(
        0.999, "Existence probability that repeated detections can reach: how long a track outlives its detections.",
        gt=0.0, lt=1.0,
    )  # fmt: skip
    max_coast_s: float = param(30.0, "A track without detections is deleted after this time.", unit="s", gt=0.0)
    birth_exclusion_m: float = param(
        0.0, "No new track this near to a confirmed one that has just been detected (more plots of one object).",
        unit="m", ge=0.0,
    )  # fmt: skip
    max_tracks: int = param(5000, "Most tracks; beyond, detections start no new ones and are counted.", ge=1)
    reset_after_s: float = param(
        5.0, "A scan older than the picture by more than this resets the tracker (a bag looped, a clock was set).",
        unit="s", gt=0.0,
    )  # fmt: skip
    confidence_threshold: float = param(
        0.65, "Below this confidence a track's class is UNKNOWN.", ge=0.0, le=1.0, env="DETECTION_THRESHOLD"
    )
    classes: tuple[str, ...] = param(tuple(c.name for c in ClassId), "Classes that can be met here.")

    @model_validator(mode="after")
    def _consistent(self) -> TrackingSettings:
        if not self.delete_probability < self.confirm_probability <= self.max_existence:
            raise ValueError("delete_probability < confirm_probability <= max_existence is needed")
        if self.min_range_m >= self.max_range_m:
            raise ValueError("min_range_m < max_range_m is needed")
        wrong = [name for name in self.classes if name not in ClassId.__members__]
        if wrong:
            raise ValueError(f"no class {', '.join(wrong)}; known are: {', '.join(ClassId.__members__)}")
        return self
