"""Parameters of the detection stage: how to read the sensor's points, how exact they are, how they are grouped."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from aegis.core.params import param
from aegis.core.sensor import SensorPlacement
from aegis.core.types import ClassId


class DetectionSettings(SensorPlacement):
    """Parameters of the node `detection`. Where the sensor is matters here on a moving platform only."""

    sensor_id: str = param("radar", "Name of the sensor in detections and status.")
    frame_id: str = param("radar", "The frame_id a cloud must have; a cloud in another is refused. Empty: any.")
    moving_platform: bool = param(
        False, "The sensor rides on a platform whose pose comes on `odometry`; sensor_x, y, z and yaw place it there."
    )
    odometry_frame_id: str = param(
        "map", "The frame_id that odometry must have, the picture's; odometry in another is refused. Empty: any."
    )
    odometry_max_gap_s: float = param(
        0.5, "A scan between two odometry messages farther apart than this is dropped.", unit="s", gt=0.0
    )
    position: Literal["auto", "cartesian", "polar"] = param(
        "auto", "Which fields give the position; auto takes x, y, z where they are, else range, azimuth, elevation."
    )
    x_field: str = param("x", "Field of x, forward.", unit="m")
    y_field: str = param("y", "Field of y, left.", unit="m")
    z_field: str = param("z", "Field of z, up.", unit="m")
    range_field: str = param("range", "Field of the slant range.", unit="m")
    azimuth_field: str = param("azimuth", "Field of the azimuth.")
    elevation_field: str = param("elevation", "Field of the elevation.")
    angle_unit: Literal["rad", "deg"] = param("rad", "Unit of the angle fields.")
    azimuth_sign: Literal[1, -1] = param(1, "-1 where the sensor counts azimuth clockwise.")
    elevation_sign: Literal[1, -1] = param(1, "-1 where the sensor counts elevation downwards.")
    range_rate_field: str = param("auto", "Field of the range rate; auto takes range_rate, doppler or velocity.")
    range_rate_scale: float = param(1.0, "Metres a second per unit of the field; negative where closing is positive.")
    snr_field: str = param(
        "auto", "Field of the SNR; auto takes snr, else power (or intensity) minus noise where both are."
    )
    snr_unit: Literal["db", "linear"] = param("db", "Unit of the SNR field.")
    rcs_field: str = param("rcs", "Field of the radar cross-section; unknown where the cloud has none.")
    rcs_unit: Literal["dbsm", "m2"] = param("dbsm", "Unit of the RCS field.")
    noise_field: str = param("noise", "Field of the noise level; unknown where the cloud has none.", unit="dB")
    has_elevation: bool = param(True, "False for a 2D sensor: elevation and z are unknown, never a measured zero.")
    has_doppler: bool = param(True, "False for a sensor without Doppler: range rate is unknown.")
    min_range_m: float = param(0.0, "Points nearer are dropped.", unit="m", ge=0.0)
    max_range_m: float = param(1e6, "Points farther are dropped.", unit="m", gt=0.0)
    max_points: int = param(200_000, "A cloud with more points is refused.", ge=1)

    stated_errors: Literal["auto", "ignore"] = param(
        "auto", "auto takes a point's own errors where the cloud has range_sigma [m], azimuth_sigma, elevation_sigma [rad] or "
        "range_rate_sigma [m/s]; else, and where one is not positive, those below.",
    )  # fmt: skip
    range_sigma_m: float = param(4.75, "Range error (one sigma) at the reference SNR.", unit="m", gt=0.0)
    azimuth_sigma_deg: float = param(0.2, "Azimuth error at the reference SNR.", unit="deg", gt=0.0)
    elevation_sigma_deg: float = param(0.4, "Elevation error at the reference SNR.", unit="deg", gt=0.0)
    range_rate_sigma_mps: float = param(1.0, "Range rate error at the reference SNR.", unit="m/s", gt=0.0)
    reference_snr_db: float = param(13.0, "SNR at which the errors above hold; they go with 1/sqrt(SNR).", unit="dB")
    cartesian_sigma_m: float = param(
        0.0, "Position error along each axis, for a sensor that states it so; replaces the polar errors. 0: not.",
        unit="m", ge=0.0,
    )  # fmt: skip

    group_distance_m: float = param(
        20.0, "Points of one object are at most this far apart, beside their errors. 0: no grouping.", unit="m", ge=0.0
    )
    group_range_rate_mps: float = param(2.0, "And differ at most this much in range rate.", unit="m/s", ge=0.0)
    group_min_points: int = param(1, "Smaller groups are dropped.", ge=1)

    classes: tuple[str, ...] = param(
        tuple(c.name for c in ClassId), "Classes that the sensor can meet; the others get probability 0."
    )
    model_device: Literal["auto", "cpu"] = param(
        "auto", "Where the class model runs; the physical one needs no other device than the CPU.", env="MODEL_DEVICE"
    )
    confidence_threshold: float = param(
        0.65, "Below this confidence the class is UNKNOWN.", ge=0.0, le=1.0, env="DETECTION_THRESHOLD"
    )
    max_targets: int = param(
        2000,
        "Most detections a scan; beyond, those with the lowest SNR are dropped and counted.",
        ge=1,
        env="MAX_TARGETS",
    )

    @field_validator("classes")
    @classmethod
    def _known_classes(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [name for name in names if name not in ClassId.__members__]
        if wrong:
            raise ValueError(f"no class {', '.join(wrong)}; known are: {', '.join(ClassId.__members__)}")
        return names

    def fields(self) -> set[str]:
        """Return every field name that may be read from a cloud."""
        named = {
            self.x_field, self.y_field, self.z_field, self.range_field, self.azimuth_field, self.elevation_field,
            self.range_rate_field, self.snr_field, self.rcs_field, self.noise_field,
        }  # fmt: skip
        return (named | {*RANGE_RATE_NAMES, *SNR_NAMES, *POWER_NAMES, *SIGMA_NAMES}) - {"auto", ""}


RANGE_RATE_NAMES = ("range_rate", "doppler", "velocity")
SNR_NAMES = ("snr",)
POWER_NAMES = ("power", "intensity")
SIGMA_NAMES = ("range_sigma", "azimuth_sigma", "elevation_sigma", "range_rate_sigma")  # in the order of variances
