"""What the radar sees and what is tracked. The bodies are encoded in `encode.py`."""

from __future__ import annotations

from pydantic import Field

from aegis.bridge.models.common import ClassName, Frame, Model, Page, StageRow, Vector


class Classifier(Model):
    """The model that answers with classes."""

    model: str = Field(examples=["physical-1"])
    basis: str = Field(description="what its answers rest on")


class RadarStatus(Frame):
    """The radar as the bridge hears it."""

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
    """How well the radar hears."""

    detections: int = Field(description="in the last scan", examples=[12])
    snr_db: Spread
    noise_db: Spread
    rcs_dbsm: Spread
    range_sigma_m: Spread = Field(description="1 sigma that the detections claim")
    azimuth_sigma_deg: Spread
    noise_floor: str | None = Field(
        description="whether the EW stage can judge the noise floor; null before it has spoken", examples=["judged"]
    )
    signals: int | None = Field(description="jammers and interference heard now; null before the EW stage has spoken")
    scans_lost: int = Field(examples=[0])


class Target(Model):
    """A detection, in the sensor's frame."""

    id: int = Field(description="within the scan", examples=[0])
    class_name: ClassName = Field(alias="class")
    confidence: float | None = Field(description="probability of the class", examples=[0.82])
    range_m: float | None = Field(examples=[1520.0])
    azimuth_deg: float | None = Field(description="anticlockwise from the sensor's forward axis", examples=[30.0])
    elevation_deg: float | None = Field(description="above the sensor's horizontal plane; null for a 2D sensor")
    range_rate_mps: float | None = Field(description="positive receding; null for a sensor without Doppler")
    snr_db: float | None = Field(examples=[21.5])
    rcs_dbsm: float | None = Field(examples=[-10.0])
    noise_db: float | None = Field(examples=[3.0])
    points: int = Field(description="radar points grouped into it", examples=[4])
    class_probability: dict[str, float | None]


class Targets(Frame, Page):
    """Detections of the last scan."""

    targets: list[Target]


class ScanAnswer(Targets):
    """The scan that was asked for, as it was detected."""

    message: str = Field(description="what the radar answered", examples=["scan 7 has 31 points"])


class Track(Model):
    """A track, in `map`; range, bearing and elevation are seen from the origin of `map`."""

    track_id: int = Field(description="never used for another object", examples=[41])
    status: str = Field(description="TENTATIVE, CONFIRMED, COASTING", examples=["CONFIRMED"])
    class_name: ClassName = Field(alias="class")
    confidence: float | None = Field(description="probability of that class", examples=[0.93])
    range_m: float | None = Field(examples=[600.0])
    bearing_deg: float | None = Field(description="clockwise from north", examples=[30.0])
    elevation_deg: float | None = Field(examples=[4.2])
    velocity_mps: float | None = Field(description="speed", examples=[20.0])
    heading_deg: float | None = Field(description="course over ground, clockwise from north; null for one at rest")
    position_m: Vector
    velocity_vector_mps: Vector
    time_since_update_s: float | None = Field(examples=[0.0])
    range_rate_mps: float | None = Field(description="positive receding", examples=[-20.0])
    position_sigma_m: Vector
    rcs_dbsm: float | None = Field(examples=[-10.0])
    existence_probability: float | None = Field(examples=[0.98])
    class_probability: dict[str, float | None]
    age_s: float | None = Field(description="since the first detection", examples=[12.5])
    hits: int = Field(description="detections it was updated with", examples=[25])


class TrackPicture(Frame, Page):
    """Tracks of the picture after the last scan."""

    tracks: list[Track]


class OneTrack(Frame):
    """One track of the picture after the last scan."""

    track: Track
