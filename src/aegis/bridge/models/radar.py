"""What the radar sees and what is tracked. The bodies are encoded in `encode.py`."""

from __future__ import annotations

from pydantic import Field

from aegis.bridge.models.common import ClassName, Frame, Model, StageRow, Vector


class Classifier(Model):
    """The model that answers with classes."""

    model: str
    basis: str


class RadarStatus(Frame):
    """The radar as the bridge hears it."""

    detections: int = Field(description="in the last scan")
    scan_rate_hz: float | None = Field(description="from the stamps of the last scans")
    scans_lost: int = Field(description="missing sequence numbers on the way to the bridge")
    noise_db: float | None = Field(description="median beside the detections of the last scan")
    classifier: Classifier | None
    stage: StageRow | None = Field(description="status of the detection stage")


class Target(Model):
    """A detection, in the sensor's frame."""

    id: int
    class_name: ClassName = Field(alias="class")
    confidence: float | None
    range_m: float | None
    azimuth_deg: float | None = Field(description="anticlockwise from the sensor's forward axis")
    elevation_deg: float | None = Field(description="above the sensor's horizontal plane; null for a 2D sensor")
    range_rate_mps: float | None = Field(description="positive receding; null for a sensor without Doppler")
    snr_db: float | None
    rcs_dbsm: float | None
    noise_db: float | None
    points: int
    class_probability: dict[str, float | None]


class Targets(Frame):
    """The detections of the last scan."""

    count: int
    targets: list[Target]


class Track(Model):
    """A track, in `map`; range, bearing and elevation are seen from the origin of `map`."""

    track_id: int
    status: str = Field(description="TENTATIVE, CONFIRMED, COASTING")
    class_name: ClassName = Field(alias="class")
    confidence: float | None = Field(description="probability of that class")
    range_m: float | None
    bearing_deg: float | None = Field(description="clockwise from north")
    elevation_deg: float | None
    velocity_mps: float | None = Field(description="speed")
    heading_deg: float | None = Field(description="course over ground, clockwise from north; null for one at rest")
    position_m: Vector
    velocity_vector_mps: Vector
    time_since_update_s: float | None
    range_rate_mps: float | None = Field(description="positive receding")
    position_sigma_m: Vector
    rcs_dbsm: float | None
    existence_probability: float | None
    class_probability: dict[str, float | None]
    age_s: float | None = Field(description="since the first detection")
    hits: int


class TrackPicture(Frame):
    """The picture after the last scan."""

    count: int
    tracks: list[Track]
