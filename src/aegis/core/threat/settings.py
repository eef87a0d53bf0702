"""Parameters of the threat stage."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from aegis.core.params import Settings, group, param


class Asset(Settings):
    """What is protected: a sphere in `map`."""

    x: float = param(0.0, "Position of the protected asset in map, east.", unit="m", was="asset_x")
    y: float = param(0.0, "Position of the protected asset in map, north.", unit="m", was="asset_y")
    z: float = param(0.0, "Position of the protected asset in map, up.", unit="m", was="asset_z")
    radius_m: float = param(
        100.0, "Entering this distance of the asset counts as impact.", unit="m", gt=0.0, was="asset_radius_m"
    )


class Score(Settings):
    """How the score is made of its four terms, each from 0 to 1: a geometric mean with these weights."""

    half_distance_m: float = param(
        1000.0, "Miss distance, beyond the asset's radius, at which the term of distance is a half.", unit="m", gt=0.0
    )
    half_time_s: float = param(
        60.0, "Time to impact or closest approach at which the term of time is a half.", unit="s", gt=0.0
    )
    weight_distance: float = param(0.3, "Weight of the miss distance in the score, relative to the others.", ge=0.0)
    weight_time: float = param(
        0.3, "Weight of the time to impact or closest approach in the score, relative to the others.", ge=0.0
    )
    weight_capability: float = param(
        0.25, "Weight of the harm that the class can do in the score, relative to the others.", ge=0.0
    )
    weight_intent: float = param(
        0.15, "Weight of the heading at the asset in the score, relative to the others.", ge=0.0
    )

    @model_validator(mode="after")
    def _weighted(self) -> Self:
        if not any(self.weights()):
            raise ValueError("one of the weights above 0 is needed")
        return self

    def weights(self) -> tuple[float, float, float, float]:
        """Return the weights of distance, time, capability and intent; as given, they need not add up to 1."""
        return self.weight_distance, self.weight_time, self.weight_capability, self.weight_intent


class Capability(Settings):
    """How much harm each class can do, stated: what carries a payload by design, what can carry one, what cannot.

    UNKNOWN counts as half, because not knowing is no reason for calm.
    """

    UNKNOWN: float = param(0.5, "Harm that an object of unknown class can do.", ge=0.0, le=1.0)
    DRONE: float = param(0.8, "Harm that a drone can do.", ge=0.0, le=1.0)
    BIRD: float = param(0.02, "Harm that a bird can do.", ge=0.0, le=1.0)
    AIRCRAFT: float = param(0.6, "Harm that an aircraft can do.", ge=0.0, le=1.0)
    HELICOPTER: float = param(0.6, "Harm that a helicopter can do.", ge=0.0, le=1.0)
    MISSILE: float = param(1.0, "Harm that a missile can do.", ge=0.0, le=1.0)
    VEHICLE: float = param(0.4, "Harm that a vehicle can do.", ge=0.0, le=1.0)
    PERSON: float = param(0.2, "Harm that a person can do.", ge=0.0, le=1.0)
    VESSEL: float = param(0.4, "Harm that a vessel can do.", ge=0.0, le=1.0)
    CLUTTER: float = param(0.01, "Harm that clutter can do.", ge=0.0, le=1.0)


class Levels(Settings):
    """Scores from which a level holds."""

    medium: float = param(0.4, "Score from which the level is MEDIUM.", ge=0.0, le=1.0, was="threshold_medium")
    high: float = param(
        0.6, "Score from which the level is HIGH.", ge=0.0, le=1.0, env="THREAT_THRESHOLD_HIGH", was="threshold_high"
    )
    critical: float = param(
        0.8, "Score from which the level is CRITICAL.", ge=0.0, le=1.0,
        env="THREAT_THRESHOLD_CRITICAL", was="threshold_critical",
    )  # fmt: skip
    listed_from: Literal["LOW", "MEDIUM", "HIGH", "CRITICAL"] = param(
        "MEDIUM", "The list of threats begins at this level; LOW lists every confirmed track."
    )
    hysteresis: float = param(0.03, "A level is left only this far below its threshold.", ge=0.0, le=0.5)

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if not self.medium < self.high < self.critical:
            raise ValueError("medium < high < critical is needed")
        return self


class ThreatSettings(Settings):
    """Parameters of the node `threat`."""

    asset: Asset = group(Asset())
    score: Score = group(Score())
    capability: Capability = group(Capability())
    levels: Levels = group(Levels())
