# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What threatens the protected asset, and what is advised."""

from __future__ import annotations

from pydantic import Field

from aegis.bridge.live import columns, ew_columns
from aegis.bridge.models.common import Frame, Model, Page, with_columns


@with_columns(columns.ASSESSMENT)
class Assessment(Model):
    """What is thought of a track at a time."""


@with_columns(columns.AIM, columns.ACKNOWLEDGEMENT)
class Threat(Assessment):
    """A track as it is assessed now."""


class ActiveThreats(Frame, Page):
    """The threats, most threatening first: tracks from a level on. A track that is neither here nor below was not assessed."""

    threats: list[Threat]
    listed_from: str = Field(description="the level that the list begins at", examples=["MEDIUM"])
    unlisted: dict[str, list[int]] = Field(
        description="the tracks that were assessed and are below it, by level", examples=[{"LOW": [42, 43]}]
    )


class ThreatSummary(Frame):
    """How many threats there are, of which kind, and the worst of them."""

    count: int = Field(description="listed threats", examples=[3])
    assessed: int = Field(description="tracks, those below the list too", examples=[12])
    by_level: dict[str, int] = Field(
        description="of all that are assessed", examples=[{"LOW": 10, "MEDIUM": 1, "HIGH": 0, "CRITICAL": 1}]
    )
    by_class: dict[str, int] = Field(examples=[{"MISSILE": 1, "DRONE": 2}])
    unacknowledged: int = Field(description="HIGH and CRITICAL threats that are not acknowledged", examples=[1])
    worst: Threat | None = Field(description="null without threats")
    next_impact_s: float | None = Field(description="the shortest time to impact; null where nothing would hit")


class Acknowledged(Model):
    """A threat that a person has seen."""

    track_id: int = Field(examples=[41])
    level: str = Field(description="it holds while the threat is at this level or below", examples=["CRITICAL"])
    acknowledged_by: str = Field(examples=["ada"])
    acknowledged_s: float


@with_columns(ew_columns.SIGNAL)
class Signal(Model):
    """An active electronic attack or interference, as the radar itself senses it."""


@with_columns(ew_columns.ADVICE)
class Advice(Model):
    """What is proposed; Aegis has no transmit path, and nothing is done without a person."""


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
