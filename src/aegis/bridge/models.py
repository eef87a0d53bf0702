"""What the REST bodies look like, for the OpenAPI page; the bodies themselves are encoded in `encode.py`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

ClassName = Annotated[
    str, Field(description="UNKNOWN, DRONE, BIRD, AIRCRAFT, HELICOPTER, MISSILE, VEHICLE, PERSON, ...")
]


class Model(BaseModel):
    """Base: a body has the fields named here and no others."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Problem(Model):
    """Why a request was not answered."""

    detail: str = Field(description="in words", examples=["scope radar:read is needed"])


class NotYet(Problem):
    """The stage behind the endpoint has not spoken yet."""

    waiting_for: str = Field(description="the topic that has not been heard", examples=["tracks"])


class LoginRequest(Model):
    """Who wants in."""

    username: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=1024)] = Field(repr=False)


class LoginAnswer(Model):
    """An access token, to be sent as `Authorization: Bearer TOKEN`."""

    access_token: str
    token_type: str = "bearer"
    expires_in: int = Field(description="validity [s]")
    role: str
    scopes: list[str]


class Me(Model):
    """Who the token speaks for."""

    username: str
    scopes: list[str]
    expires_in: int = Field(description="what is left of the token's validity [s]")


class Health(Model):
    """The process works."""

    status: str = "ok"
    uptime_s: float


class Ready(Model):
    """Whether every needed stage was heard within its period."""

    ready: bool
    missing_stages: list[str]
    heard_age_s: dict[str, float | None] = Field(
        description="stage to the age of its last status; null before the first"
    )


class Vector(Model):
    """A vector in `map` (x east, y north, z up)."""

    x: float | None
    y: float | None
    z: float | None


class Frame(Model):
    """What every body of measured data begins with."""

    sequence: int = Field(description="of the radar scan; each sensor counts its own")
    sensor_id: str = Field(description="whose scan it is")
    stamp_s: float = Field(description="time of measurement, seconds since 1970 in the graph's time")
    age_s: float = Field(description="since the measurement; negative where the sensor's clock is ahead")
    frame_id: str


class StageRow(Model):
    """How a stage is doing: rates and times over its last status period, counts since its start."""

    age_s: float = Field(description="since this status")
    rate_hz: float | None
    step_p50_ms: float | None
    step_p99_ms: float | None
    latency_p50_ms: float | None = Field(description="from the time of measurement to the stage's output")
    latency_p99_ms: float | None
    received: int
    published: int
    dropped: int
    objects_dropped: int
    sequence_gaps: int
    errors: int
    detail: dict[str, Any]


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


class Threat(Model):
    """An assessed track."""

    track_id: int
    level: str = Field(description="LOW, MEDIUM, HIGH, CRITICAL")
    class_name: ClassName = Field(alias="class")
    score: float | None
    time_to_cpa_s: float | None
    cpa_distance_m: float | None
    cpa_distance_sigma_m: float | None
    time_to_impact_s: float | None = Field(description="null on a course that misses the asset")
    reason: str


class ActiveThreats(Frame):
    """Every assessed track, most threatening first."""

    count: int
    threats: list[Threat]
