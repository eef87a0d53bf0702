# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How targets move: the YAML's `motion`, and its closed form, which can be asked for any time without integration errors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from aegis.core.types import Floats
from aegis.simulation.scenario_base import Model, Vector


class Straight(Model):
    """Constant velocity."""

    kind: Literal["straight"]
    position_m: Vector = Field(description="where it appears")
    speed_mps: float = Field(ge=0, le=3000, description="over ground")
    course_deg: float = Field(ge=-360, le=360, description="clockwise from north, as on a compass")
    climb_mps: float = Field(0.0, ge=-3000, le=3000, description="vertical speed, up")


class Turning(Model):
    """Constant speed on a circle (a helix, with `climb_mps`)."""

    kind: Literal["turning"]
    position_m: Vector = Field(description="where it appears")
    speed_mps: float = Field(gt=0, le=3000, description="over ground")
    course_deg: float = Field(ge=-360, le=360, description="where it appears, clockwise from north")
    turn_rate_deg_s: float = Field(ge=-90, le=90, description="positive turns right")
    climb_mps: float = Field(0.0, ge=-3000, le=3000, description="vertical speed, up")


class Hovering(Model):
    """At a place, swaying about it."""

    kind: Literal["hovering"]
    position_m: Vector = Field(description="the middle of the sway")
    course_deg: float = Field(0.0, ge=-360, le=360, description="where its nose points and the sway goes")
    sway_m: float = Field(0.0, ge=0, le=1000, description="amplitude of the sway")
    sway_period_s: float = Field(10.0, ge=0.1, le=3600)


class Climbing(Model):
    """Straight over ground, climbing (or descending) to an altitude and level from there."""

    kind: Literal["climbing"]
    position_m: Vector = Field(description="where it appears")
    speed_mps: float = Field(ge=0, le=3000, description="over ground")
    course_deg: float = Field(ge=-360, le=360, description="clockwise from north")
    climb_mps: float = Field(ge=-3000, le=3000, description="vertical speed, up")
    level_m: float = Field(description="the altitude (z) at which it goes on level")

    @model_validator(mode="after")
    def _reaches_level(self) -> Self:
        if (self.level_m - self.position_m[2]) * self.climb_mps <= 0:
            raise ValueError(
                f"level_m {self.level_m:g} is not reached from z = {self.position_m[2]:g} with climb_mps"
                f" {self.climb_mps:g}; the sign of climb_mps must lead there"
            )
        return self


Motion = Annotated[Straight | Turning | Hovering | Climbing, Field(discriminator="kind")]
MOTION_KINDS = ("straight", "turning", "hovering", "climbing")


class MotionArrays:
    """All motions as arrays, N of them: one closed form, of which each kind uses a part.

    Turn at constant speed: the chord after t is v t sinc(w t / 2), in the direction course + w t / 2; a straight line
    is w = 0. Added to it: a vertical speed until `climb_time`, and a sway.
    """

    def __init__(self, n: int) -> None:
        self.start = np.zeros((n, 3))
        self.speed = np.zeros(n)
        self.course = np.zeros(n)  # [rad] clockwise from north
        self.turn_rate = np.zeros(n)  # [rad/s] clockwise
        self.climb = np.zeros(n)
        self.climb_time = np.full(n, np.inf)
        self.sway = np.zeros(n)
        self.sway_rate = np.ones(n)  # [rad/s]

    @classmethod
    def of(cls, motions: Iterable[Motion]) -> Self:
        """Turn motions into arrays."""
        motions = list(motions)
        out = cls(len(motions))
        for i, motion in enumerate(motions):
            out.start[i] = motion.position_m
            out.course[i] = np.radians(motion.course_deg)
            if isinstance(motion, Hovering):
                out.sway[i] = motion.sway_m
                out.sway_rate[i] = 2 * np.pi / motion.sway_period_s
                continue
            out.speed[i] = motion.speed_mps
            out.climb[i] = motion.climb_mps
            if isinstance(motion, Turning):
                out.turn_rate[i] = np.radians(motion.turn_rate_deg_s)
            elif isinstance(motion, Climbing):
                out.climb_time[i] = (motion.level_m - motion.position_m[2]) / motion.climb_mps
        return out

    def position_velocity(self, dt: Floats) -> tuple[Floats, Floats]:
        """Return positions and velocities, each (N, 3), a time `dt` (N,) [s] after each one's start."""
        half_turn = self.turn_rate * dt / 2
        chord = self.speed * dt * np.sinc(half_turn / np.pi)
        sway = self.sway * np.sin(self.sway_rate * dt)
        sway_speed = self.sway * self.sway_rate * np.cos(self.sway_rate * dt)
        east, north = np.sin(self.course), np.cos(self.course)
        position = self.start.copy()
        position[:, 0] += chord * np.sin(self.course + half_turn) + sway * east
        position[:, 1] += chord * np.cos(self.course + half_turn) + sway * north
        position[:, 2] += self.climb * np.minimum(dt, self.climb_time)
        now = self.course + 2 * half_turn
        velocity = np.empty_like(position)
        velocity[:, 0] = self.speed * np.sin(now) + sway_speed * east
        velocity[:, 1] = self.speed * np.cos(now) + sway_speed * north
        velocity[:, 2] = np.where(dt < self.climb_time, self.climb, 0.0)
        return position, velocity
