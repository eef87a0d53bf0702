"""What threatens the protected asset. The bodies are encoded in `encode.py`."""

from __future__ import annotations

from pydantic import Field

from aegis.bridge.models.common import ClassName, Frame, Model


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
