# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parts of a scenario that only the signal level of the simulator shows; the measurement level leaves them out."""

from __future__ import annotations

import math
from typing import Literal, Self

from pydantic import Field, model_validator

from aegis.simulation.scenario_base import Emitter, Model, Timed, Vector


class Rotors(Model):
    """Horizontal rotors in the middle of the target. Their rates differ by up to 2 %, and their phases, drawn once."""

    count: int = Field(1, ge=1, le=16)
    blades: int = Field(2, ge=1, le=12, description="of each rotor")
    radius_m: float = Field(gt=0, le=20, description="length of a blade")
    rate_hz: float = Field(gt=0, le=1000, description="revolutions a second")
    blade_rcs_dbsm: float = Field(ge=-80, le=40, description="of one blade, seen broadside; beside rcs_dbsm")


class Wings(Model):
    """Two wings that flap."""

    rate_hz: float = Field(gt=0, le=100, description="beats a second")
    span_m: float = Field(gt=0, le=10, description="tip to tip")
    flap_deg: float = Field(40.0, gt=0, le=85, description="amplitude, up and down")
    rcs_dbsm: float = Field(ge=-80, le=40, description="of both wings; beside the target's rcs_dbsm")


class Gait(Model):
    """A walking person: the target's RCS is shared among body, knees, feet and hands, which move with its speed."""

    height_m: float = Field(1.75, ge=0.5, le=2.5)


class PullOff(Timed):
    """A gate that is pulled off: a target's jammer sends the echo again. Of a range gate it is later and later, and its Doppler
    stays; of a velocity gate its Doppler walks away, and its range stays.
    """

    attached_to: str = Field(description="name of the target")
    gate: Literal["range", "velocity"] = Field("range", description="what walks")
    rcs_dbsm: float = Field(ge=-80, le=80, description="that the false echo seems to have, where the target is")
    acceleration_mps2: float = Field(
        gt=0, le=1e4, description="of the false echo's range, or Doppler, away from the target's"
    )
    hold_s: float = Field(0.0, ge=0, description="time that it stays on the target before it walks")
    max_offset_m: float = Field(
        gt=0, le=1e6, description="there it starts again; of a velocity gate, the way that its Doppler tells of"
    )

    def walked_s(self, t_s: float) -> float:
        """Return for how long the echo has been walking, a time after it appears."""
        walk_s = math.sqrt(2 * self.max_offset_m / self.acceleration_mps2)
        return max(t_s % (self.hold_s + walk_s) - self.hold_s, 0.0)

    def offset_m(self, t_s: float) -> float:
        """Return how far behind the target the echo is, a time after it appears, or the way that its Doppler tells of [m]."""
        return self.acceleration_mps2 * self.walked_s(t_s) ** 2 / 2


class Interferer(Emitter):
    """Another FMCW radar: its chirps, one after another, through our receiver."""

    sweep_hz: float = Field(ge=-1e11, le=1e11, description="of each chirp about frequency_hz; negative sweeps down")
    chirp_s: float = Field(ge=1e-7, le=1, description="length of a chirp")
    period_s: float = Field(ge=1e-6, le=1, description="from one chirp to the next")

    @model_validator(mode="after")
    def _fits_the_period(self) -> Self:
        if self.chirp_s > self.period_s:
            raise ValueError(f"chirp_s {self.chirp_s:g} is longer than period_s {self.period_s:g}")
        return self


class Clutter(Model):
    """Echoes of the surface at z = 0, in front of the sensor."""

    density_db: float = Field(ge=-100, le=20, description="RCS of the surface for its area, m2/m2")
    distribution: Literal["rayleigh", "k", "weibull"] = "rayleigh"
    shape: float | None = Field(
        None,
        ge=0.1,
        le=1000,
        description="k: order of the gamma texture; weibull: exponent of the amplitude, up to 2; large, or 2, is Rayleigh",
    )
    from_m: float = Field(0.0, ge=0, description="nearest range")
    to_m: float = Field(1e6, gt=0, description="farthest range")
    spread_mps: float = Field(
        0.0, ge=0, le=100, description="standard deviation of its range rates; 0 stands still and stays as it is"
    )

    @model_validator(mode="after")
    def _has_a_shape(self) -> Self:
        if (self.shape is None) != (self.distribution == "rayleigh"):
            raise ValueError(f"distribution {self.distribution}: a shape belongs to k and weibull, and to them only")
        if self.distribution == "weibull" and self.shape is not None and self.shape > 2:
            raise ValueError(f"shape {self.shape:g}: of a Weibull amplitude at most 2, which is Rayleigh, is expected")
        if self.from_m >= self.to_m:
            raise ValueError(f"from_m {self.from_m:g} must be below to_m {self.to_m:g}")
        return self


class Reflector(Model):
    """A plane without edges, as the ground or a long wall, in which the sensor sees everything before it again."""

    name: str = Field(min_length=1)
    point_m: Vector = Field((0.0, 0.0, 0.0), description="a point of the plane")
    normal: Vector = Field((0.0, 0.0, 1.0), description="any length, on the side where the sensor is")
    loss_db: float = Field(ge=0, le=100, description="power lost in one reflection")

    @model_validator(mode="after")
    def _has_a_direction(self) -> Self:
        if not any(self.normal):
            raise ValueError("normal is zero; a direction is expected")
        return self
