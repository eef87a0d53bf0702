# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the detection stage: how to read the sensor's points, how exact they are, how they are grouped."""

from __future__ import annotations

from typing import Literal

from aegis.core.classification.settings import ClassificationSettings
from aegis.core.params import Settings, group, param
from aegis.core.sensor import SensorPose
from aegis.core.types import ClassId

RANGE_RATE_NAMES = ("range_rate", "doppler", "velocity")
SNR_NAMES = ("snr",)
POWER_NAMES = ("power", "intensity")
TIME_NAMES = ("time_offset", "time", "t", "offset_time", "time_stamp", "time_offset_ns", "timestamp")
SECONDS_NAMES = ("time_offset", "time")  # the others count nanoseconds in whole numbers, or seconds in fractions
SIGMA_NAMES = ("range_sigma", "azimuth_sigma", "elevation_sigma", "range_rate_sigma")  # in the order of variances
CLASS_FIELDS = tuple(f"class_{c.name.lower()}" for c in ClassId)  # probabilities, in the order of ClassId


class OdometrySettings(Settings):
    """Which odometry of a moving platform is taken."""

    frame_id: str = param(
        "map", "The frame_id that odometry must have, the picture's; odometry in another is refused. Empty: any.",
        was="odometry_frame_id",
    )  # fmt: skip
    max_gap_s: float = param(
        0.5, "A scan between two odometry messages farther apart than this is dropped.", unit="s", gt=0.0,
        was="odometry_max_gap_s",
    )  # fmt: skip
    delay_s: float = param(
        0.0, "How long before its stamp, or its own time, a point was measured, as `tracking.sensor.delay_s` has it: it is put "
        "where the platform was then. A rig's radars are told so.", unit="s", ge=0.0, le=60.0,
    )  # fmt: skip


class FieldSettings(Settings):
    """Which fields of a cloud are read, and their units and signs."""

    position: Literal["auto", "cartesian", "polar"] = param(
        "auto", "Which fields give the position; auto takes x, y, z where they are, else range, azimuth, elevation."
    )
    x: str = param("x", "Field of x, forward.", unit="m", was="x_field")
    y: str = param("y", "Field of y, left.", unit="m", was="y_field")
    z: str = param("z", "Field of z, up.", unit="m", was="z_field")
    range: str = param("range", "Field of the slant range.", unit="m", was="range_field")
    azimuth: str = param("azimuth", "Field of the azimuth.", was="azimuth_field")
    elevation: str = param("elevation", "Field of the elevation.", was="elevation_field")
    angle_unit: Literal["rad", "deg"] = param("rad", "Unit of the angle fields.")
    azimuth_sign: Literal[1, -1] = param(1, "Sign of the azimuth: -1 where the sensor counts it clockwise.")
    elevation_sign: Literal[1, -1] = param(1, "Sign of the elevation: -1 where the sensor counts it downwards.")
    range_rate: str = param(
        "auto", "Field of the range rate; auto takes range_rate, doppler or velocity.", was="range_rate_field"
    )
    range_rate_scale: float = param(1.0, "Metres a second per unit of the field; negative where closing is positive.")
    snr: str = param(
        "auto", "Field of the SNR; auto takes snr, else power (or intensity) minus noise where both are.",
        was="snr_field",
    )  # fmt: skip
    snr_unit: Literal["db", "linear"] = param("db", "Unit of the SNR field.")
    rcs: str = param("rcs", "Field of the radar cross-section; unknown where the cloud has none.", was="rcs_field")
    rcs_unit: Literal["dbsm", "m2"] = param("dbsm", "Unit of the RCS field.")
    time: str = param(
        "auto", "Field of a point's own time; auto takes time_offset, time, t, offset_time, time_stamp, time_offset_ns or "
        "timestamp. Empty: all points are of the stamp.",
    )  # fmt: skip
    time_unit: Literal["auto", "s", "ms", "us", "ns"] = param(
        "auto", "Unit of the time field, since the stamp or since 1970, as its size tells. auto: seconds for fractions, "
        "nanoseconds for whole numbers, but seconds for time_offset and time.",
    )  # fmt: skip
    noise: str = param(
        "noise", "Field of the noise level; unknown where the cloud has none.", unit="dB", was="noise_field"
    )

    def names(self) -> set[str]:
        """Return every field name that may be read from a cloud."""
        named = {
            self.x, self.y, self.z, self.range, self.azimuth, self.elevation, self.range_rate, self.snr, self.rcs,
            self.noise, self.time,
        }  # fmt: skip
        if self.time == "auto":
            named |= {*TIME_NAMES}
        return (named | {*RANGE_RATE_NAMES, *SNR_NAMES, *POWER_NAMES, *SIGMA_NAMES, *CLASS_FIELDS}) - {"auto", ""}


class AccuracySettings(Settings):
    """How exact the points are: one standard deviation, at a reference SNR; errors go with 1/sqrt(SNR)."""

    stated_errors: Literal["auto", "ignore"] = param(
        "auto", "Whether a point's own errors are taken (auto) where the cloud has range_sigma [m], azimuth_sigma, elevation_sigma "
        "[rad] or range_rate_sigma [m/s] and the error is positive, or never (ignore); else those of this group hold.",
    )  # fmt: skip
    range_sigma_m: float = param(4.75, "Range error (one sigma) at the reference SNR.", unit="m", gt=0.0)
    azimuth_sigma_deg: float = param(0.2, "Azimuth error (one sigma) at the reference SNR.", unit="deg", gt=0.0)
    elevation_sigma_deg: float = param(0.4, "Elevation error (one sigma) at the reference SNR.", unit="deg", gt=0.0)
    range_rate_sigma_mps: float = param(1.0, "Range rate error (one sigma) at the reference SNR.", unit="m/s", gt=0.0)
    reference_snr_db: float = param(
        13.0, "SNR at which the errors of this group hold; they go with 1/sqrt(SNR).", unit="dB"
    )
    object_sigma_m: float = param(
        0.0, "How far an object's echo lies from its middle (one sigma), where the sensor resolves objects: added to the position "
        "errors.", unit="m", ge=0.0,
    )  # fmt: skip
    object_range_rate_sigma_mps: float = param(
        0.0, "How much the range rate of an object's echo differs from its own (one sigma): limbs, turning; added to the error.",
        unit="m/s", ge=0.0,
    )  # fmt: skip
    cartesian_sigma_m: float = param(
        0.0, "Position error along each axis, for a sensor that states it so; replaces the polar errors. 0: not.",
        unit="m", ge=0.0,
    )  # fmt: skip


class GroupingSettings(Settings):
    """Which points are of one object."""

    distance_m: float = param(
        20.0, "Points of one object are at most this far apart, beside their errors. 0: no grouping.", unit="m", ge=0.0,
        was="group_distance_m",
    )  # fmt: skip
    large_factor: float = param(
        3.0, "So many times that far where two groups are together as strong as a large object: parts of a ship. 1: no farther.",
        ge=1.0,
    )  # fmt: skip
    large_rcs_dbsm: float = param(
        20.0, "Two groups may be parts of one large object from this RCS of both together; no part is 20 dB weaker than another.",
        unit="dBsm",
    )  # fmt: skip
    range_rate_mps: float = param(
        2.0, "Points of one object differ at most this much in range rate, beside their errors.", unit="m/s", ge=0.0,
        was="group_range_rate_mps",
    )  # fmt: skip
    range_rate_of: Literal["mean", "strongest"] = param(
        "mean", "The range rate of a group: the mean of its points, or that of the strongest, where others are limbs or rotors "
        "that move by themselves (then range_rate_mps is as large as their speeds).",
    )  # fmt: skip
    min_points: int = param(1, "Groups of fewer points are dropped.", ge=1, was="group_min_points")


class LimitSettings(Settings):
    """What is dropped or refused."""

    min_range_m: float = param(0.0, "Points nearer are dropped.", unit="m", ge=0.0)
    max_range_m: float = param(1e6, "Points farther are dropped.", unit="m", gt=0.0)
    max_time_offset_s: float = param(
        30.0,
        "A point whose own time is farther from the stamp is taken as of the stamp, and counted.",
        unit="s",
        gt=0.0,
    )
    max_points: int = param(200_000, "A cloud with more points is refused.", ge=1)
    max_targets: int = param(
        2000,
        "Most detections a scan; beyond, those with the lowest SNR are dropped and counted.",
        ge=1,
        env="MAX_TARGETS",
    )


class DetectionSettings(SensorPose):
    """Parameters of the node `detection`. Where the sensor is matters here on a moving platform only."""

    sensor_id: str = param("radar", "Name of the sensor in detections and status.")
    frame_id: str = param("radar", "The frame_id a cloud must have; a cloud in another is refused. Empty: any.")
    moving_platform: bool = param(
        False, "The sensor rides on a platform whose pose comes on `odometry`; sensor_x, y, z and yaw place it there."
    )
    has_elevation: bool = param(True, "False for a 2D sensor: elevation and z are unknown, never a measured zero.")
    elevation_optional: bool = param(
        False, "Points with range and azimuth whose elevation is not known (NaN) count too, as of a 2D sensor: plots of a radar "
        "that knows some heights only. Else they are dropped as not finite.",
    )  # fmt: skip
    has_doppler: bool = param(True, "False for a sensor without Doppler: range rate is unknown.")
    model_device: Literal["auto", "cpu", "cuda"] = param(
        "auto",
        "Where the class model of single detections runs. The stated table runs on the CPU, whatever is said.",
        env="MODEL_DEVICE",
    )
    odometry: OdometrySettings = group(OdometrySettings())
    fields: FieldSettings = group(FieldSettings())
    accuracy: AccuracySettings = group(AccuracySettings())
    grouping: GroupingSettings = group(GroupingSettings())
    classification: ClassificationSettings = group(ClassificationSettings())
    limits: LimitSettings = group(LimitSettings())
