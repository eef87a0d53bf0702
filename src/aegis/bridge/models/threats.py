"""What threatens the protected asset, and what is advised. The bodies are encoded in `encode.py`."""

from __future__ import annotations

from pydantic import Field

from aegis.bridge.models.common import ClassName, Frame, Model, Page


class Assessment(Model):
    """What is thought of a track at a time."""

    track_id: int = Field(examples=[41])
    level: str = Field(description="LOW, MEDIUM, HIGH, CRITICAL", examples=["CRITICAL"])
    class_name: ClassName = Field(alias="class")
    score: float | None = Field(description="0 to 1", examples=[0.94])
    time_to_cpa_s: float | None = Field(description="to the closest point of approach", examples=[12.3])
    cpa_distance_m: float | None = Field(examples=[30.5])
    cpa_distance_sigma_m: float | None = Field(examples=[5.0])
    time_to_impact_s: float | None = Field(description="null on a course that misses the asset", examples=[11.8])
    reason: str = Field(examples=["impact in 12 s; missile; heading at the asset"])


class Threat(Assessment):
    """A track as it is assessed now."""

    acknowledged_by: str | None = Field(description="who has seen it, at this level or a higher one; null: nobody")
    acknowledged_s: float | None = Field(description="when, seconds since 1970")


class ActiveThreats(Frame, Page):
    """Assessed tracks, most threatening first."""

    threats: list[Threat]


class ThreatSummary(Frame):
    """How many threats there are, of which kind, and the worst of them."""

    count: int = Field(examples=[3])
    by_level: dict[str, int] = Field(examples=[{"LOW": 1, "MEDIUM": 1, "HIGH": 0, "CRITICAL": 1}])
    by_class: dict[str, int] = Field(examples=[{"MISSILE": 1, "DRONE": 2}])
    unacknowledged: int = Field(description="HIGH and CRITICAL threats that nobody has acknowledged", examples=[1])
    worst: Threat | None = Field(description="null without threats")
    next_impact_s: float | None = Field(description="the shortest time to impact; null where nothing would hit")


class Acknowledged(Model):
    """A threat that a person has seen."""

    track_id: int = Field(examples=[41])
    level: str = Field(description="it holds while the threat is at this level or below", examples=["CRITICAL"])
    acknowledged_by: str = Field(examples=["ada"])
    acknowledged_s: float


class Signal(Model):
    """An active electronic attack or interference, as the radar itself senses it."""

    id: int
    kind: str = Field(description="NOISE_JAMMING, DECEPTION, INTERFERENCE, EMITTER", examples=["NOISE_JAMMING"])
    azimuth_deg: float | None = Field(description="in the sensor's frame, anticlockwise from forward; null: none known")
    azimuth_sigma_deg: float | None
    power_db: float | None = Field(description="above the quiet noise floor", examples=[8.3])
    frequency_hz: float | None
    confidence: float | None = Field(description="1 - probability that quiet noise does this", examples=[0.999999])
    evidence: str


class Advice(Model):
    """What is proposed; Aegis has no transmit path, and nothing is done without a person."""

    id: int = Field(examples=[3])
    track_id: int | None = Field(description="the threat it answers")
    signal_id: int | None = Field(description="the signal it answers")
    technique: str = Field(examples=["frequency agility: move the carrier out of the jammed band through set_mode"])
    priority: int = Field(description="1 is most urgent", examples=[2])
    rationale: str
    expected_benefit_db: float | None = Field(description="null where it cannot be computed")
    valid_until_s: float = Field(description="seconds since 1970, in the graph's time")
    state: str = Field(description="PROPOSED, ACKNOWLEDGED, REJECTED, EXPIRED", examples=["PROPOSED"])
    decided_by: str | None


class Signals(Model):
    """All signals active now."""

    stamp_s: float
    age_s: float
    items: list[Signal]


class AllAdvice(Model):
    """All advice that is open, or was until recently."""

    stamp_s: float
    age_s: float
    items: list[Advice]


class EwStatus(Model):
    """Electronic warfare as the radar senses it, and what waits for a person."""

    signals: Signals | None = Field(description="null before the stage has spoken of signals")
    advice: AllAdvice | None = Field(description="null before the stage has spoken of advice")
    advice_waiting: int | None = Field(description="how much of it is open", examples=[1])
    noise_floor: str | None = Field(description="whether the noise floor can be judged", examples=["judged"])


class Decision(Model):
    """What a person has decided on a piece of advice."""

    id: int = Field(examples=[3])
    state: str = Field(examples=["ACKNOWLEDGED"])
    decided_by: str = Field(examples=["ada"])
