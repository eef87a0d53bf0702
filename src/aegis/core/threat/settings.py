# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the threat stage: what is protected, how the score is made, when a level holds."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from aegis.core.params import Settings, group, named, param
from aegis.core.threat.zone_settings import AlarmSettings, Rule, Zone


class Asset(Settings):
    """What is protected: a sphere in `map`, or on the platform."""

    x: float = param(0.0, "Position of the protected asset in map, east.", unit="m", was="asset_x")
    y: float = param(0.0, "Position of the protected asset in map, north.", unit="m", was="asset_y")
    z: float = param(0.0, "Position of the protected asset in map, up.", unit="m", was="asset_z")
    radius_m: float = param(
        100.0, "Entering this distance of the asset counts as impact.", unit="m", gt=0.0, was="asset_radius_m"
    )
    on_platform: bool = param(
        False, "The asset moves with the platform: x, y, z are ahead, left, up of its origin, and `odometry` says where that is."
    )  # fmt: skip


class Score(Settings):
    """How the score is made of its five terms, each from 0 to 1: a geometric mean with these weights."""

    half_distance_m: float = param(
        500.0, "Miss distance, beyond the asset's radius, at which the term of distance is a half.", unit="m", gt=0.0
    )
    half_time_s: float = param(
        60.0, "Time to impact or closest approach at which the term of time is a half.", unit="s", gt=0.0
    )
    entry_share: float = param(
        0.25,
        "So much of the term of distance is the probability of entry; the rest is how near it comes.",
        ge=0.0,
        le=1.0,
    )
    doubt_share: float = param(
        0.5, "So much of the miss distance's standard deviation counts as miss distance: what is not known is not near.",
        ge=0.0, le=3.0,
    )  # fmt: skip
    weight_distance: float = param(0.3, "Weight of the miss distance in the score, relative to the others.", ge=0.0)
    weight_time: float = param(
        0.5, "Weight of the time to impact or closest approach in the score, relative to the others.", ge=0.0
    )
    weight_capability: float = param(
        0.15, "Weight of the harm that the class can do in the score, relative to the others.", ge=0.0
    )
    weight_intent: float = param(
        0.15, "Weight of the heading at the asset in the score, relative to the others.", ge=0.0
    )
    weight_certainty: float = param(
        0.1, "Weight of the probability that the track is an object in the score, relative to the others.", ge=0.0
    )

    @model_validator(mode="after")
    def _weighted(self) -> Self:
        if not any(self.weights()):
            raise ValueError("one of the weights above 0 is needed")
        return self

    def weights(self) -> tuple[float, float, float, float, float]:
        """Return the weights of distance, time, capability, intent and certainty; as given, they need not add up to 1."""
        return (
            self.weight_distance,
            self.weight_time,
            self.weight_capability,
            self.weight_intent,
            self.weight_certainty,
        )


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


class Manoeuvre(Settings):
    """How much a track may turn and accelerate until it is there: it widens where the track can be."""

    acceleration_sigma_mps2: float = param(
        1.0, "Standard deviation of the white horizontal acceleration until the closest approach, for a step of one second.",
        unit="m/s^2", ge=0.0, lt=1e3,
    )  # fmt: skip
    vertical_acceleration_sigma_mps2: float = param(
        0.5, "Standard deviation of the white vertical acceleration until the closest approach, for a step of one second.",
        unit="m/s^2", ge=0.0, lt=1e3,
    )  # fmt: skip


class Behaviour(Settings):
    """What in a track's way speaks of intent, and how much: each raises the term of heading towards 1 by its weight."""

    weight_approach: float = param(0.2, "Weight of having come closer all the time, for approach_s.", ge=0.0, le=1.0)
    weight_loiter: float = param(0.3, "Weight of loitering: much way, and little of it onwards.", ge=0.0, le=1.0)
    weight_swarm: float = param(0.3, "Weight of moving together with others.", ge=0.0, le=1.0)
    weight_pop_up: float = param(0.2, "Weight of having appeared near the asset.", ge=0.0, le=1.0)
    weight_drop: float = param(0.3, "Weight of dropping height while it comes closer.", ge=0.0, le=1.0)
    approach_s: float = param(10.0, "So long a track comes closer for an approach.", unit="s", gt=0.0, le=600.0)
    window_s: float = param(
        40.0, "The way of so long is looked at for loitering, a quarter of it for a drop of height.", unit="s", gt=0.0, le=3600.0
    )  # fmt: skip
    loiter_share: float = param(
        0.4, "It loiters where it has got no farther than this share of its way.", gt=0.0, lt=1.0
    )
    loiter_speed_mps: float = param(
        3.0, "What is slower than this on average does not loiter: it stands.", unit="m/s", gt=0.0
    )
    swarm_members: int = param(3, "So many tracks that move together are a swarm.", ge=2, le=1000)
    swarm_distance_m: float = param(300.0, "Tracks that move together are no farther apart.", unit="m", gt=0.0)
    swarm_speed_mps: float = param(
        5.0, "Their velocities differ by no more, beside two of their standard deviations.", unit="m/s", gt=0.0
    )
    pop_up_m: float = param(2000.0, "What is first seen no farther from the asset has popped up.", unit="m", ge=0.0)
    pop_up_s: float = param(30.0, "For so long after it was first seen.", unit="s", ge=0.0)
    drop_m: float = param(
        50.0, "It drops height where it has lost so much, and three standard deviations.", unit="m", gt=0.0
    )


class Levels(Settings):
    """Scores from which a level holds."""

    medium: float = param(0.5, "Score from which the level is MEDIUM.", ge=0.0, le=1.0, was="threshold_medium")
    high: float = param(
        0.75, "Score from which the level is HIGH.", ge=0.0, le=1.0, env="THREAT_THRESHOLD_HIGH", was="threshold_high"
    )
    critical: float = param(
        0.9, "Score from which the level is CRITICAL.", ge=0.0, le=1.0,
        env="THREAT_THRESHOLD_CRITICAL", was="threshold_critical",
    )  # fmt: skip
    listed_from: Literal["LOW", "MEDIUM", "HIGH", "CRITICAL"] = param(
        "MEDIUM", "The list of threats begins at this level; LOW lists every confirmed track."
    )
    hysteresis: float = param(0.03, "A level is left only this far below its threshold.", ge=0.0, le=0.5)
    rise_s: float = param(
        0.0, "A level is taken only where the score has been at it for so long.", unit="s", ge=0.0, le=60.0
    )
    hold_s: float = param(
        2.0, "A level is left only where the score has been below it for so long.", unit="s", ge=0.0, le=600.0
    )

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if not self.medium < self.high < self.critical:
            raise ValueError("medium < high < critical is needed")
        return self

    def thresholds(self) -> tuple[float, float, float]:
        """Return the scores from which MEDIUM, HIGH and CRITICAL hold."""
        return self.medium, self.high, self.critical


class ThreatSettings(Settings):
    """Parameters of the node `threat`."""

    asset: Asset = group(Asset())
    assets: dict[str, Asset] = named(
        "name", "The protected assets, where there are several: they take the place of `asset`."
    )
    score: Score = group(Score())
    capability: Capability = group(Capability())
    manoeuvre: Manoeuvre = group(Manoeuvre())
    behaviour: Behaviour = group(Behaviour())
    levels: Levels = group(Levels())
    zones: dict[str, Zone] = named("name", "Zones, for the rules.")
    rules: dict[str, Rule] = named("name", "Rules of zones: what is an alarm.")
    alarms: AlarmSettings = group(AlarmSettings())
    zone_file: str = param("", "A file of more zones: GeoJSON (.geojson, .json) or YAML; see docs/zones.md.")
    site: tuple[float, ...] = param(
        (), "Latitude, longitude [deg] and altitude [m] of the origin of map, for a zone_file in degrees."
    )

    @model_validator(mode="after")
    def _placed(self) -> Self:
        if len(self.site) not in (0, 3):
            raise ValueError(f"site has {len(self.site)} numbers; latitude, longitude, altitude are expected")
        return self

    def protected(self) -> dict[str, Asset]:
        """Return the protected assets by name."""
        return self.assets or {"asset": self.asset}
