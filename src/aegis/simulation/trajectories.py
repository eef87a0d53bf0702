# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Objects that move as such objects do, not along a closed form: speeds that wander, turns and climbs that come and go.

A `Trajectories` is drawn at even steps; between them places follow a cubic of places and velocities. `Wandering` is a scenario
of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydantic import PrivateAttr

from aegis.core.types import Floats
from aegis.simulation.scenario import Scenario


@dataclass(frozen=True)
class Habits:
    """How one object moves; speeds are over ground."""

    speed_mps: float  # that it keeps to
    speed_spread: float  # share of it by which its speed wanders
    speed_time_s: float  # over which it does
    acceleration_mps2: float  # at most, along the course
    stop_share: float  # of the time that it stands or hovers
    phase_s: float  # mean length of a straight, a turn, a stop, a climb
    turn_share: float  # of the time that it turns
    across_mps2: float  # of a turn, at most
    turn_rate: float  # of a turn, at most [rad/s]
    one_way: bool  # its turns all go one way: it circles
    wobble: float  # wander of the course [rad/sqrt(s)]
    climb_share: float  # of the time that it climbs or sinks
    climb_mps: float  # then, at most
    floor_m: float  # the heights that it keeps to
    ceiling_m: float


@dataclass(frozen=True)
class Trajectories:
    """N objects at T times `step_s` apart."""

    step_s: float
    position: Floats  # (T, N, 3) [m]
    velocity: Floats  # (T, N, 3) [m/s]
    course: Floats  # (T, N) clockwise from north [rad]

    @classmethod
    def drawn(
        cls,
        start: Floats,
        course: Floats,
        habits: list[Habits],
        duration_s: float,
        step_s: float,
        rng: np.random.Generator,
    ) -> Trajectories:
        """Draw them.

        Args:
            start: (N, 3) [m]; course: (N,) [rad] clockwise from north.
            habits: of each; duration_s, step_s: how long, and how finely; rng: random numbers.
        """
        h = {name: np.array([getattr(one, name) for one in habits], np.float64) for name in Habits.__dataclass_fields__}
        n, steps = len(start), int(np.ceil(duration_s / step_s)) + 2
        position, velocity = np.empty((steps, n, 3)), np.empty((steps, n, 3))
        courses = np.empty((steps, n))
        place, course = start.astype(np.float64).copy(), course.astype(np.float64).copy()
        stopped, turning, climbing = (rng.random(n) < h[name] for name in ("stop_share", "turn_share", "climb_share"))
        handed = rng.choice((-1.0, 1.0), n)
        turn, climb = _turns(h, handed, rng), _climbs(h, rng)
        drift = rng.normal(0.0, 1.0, n)
        speed = np.where(stopped, 0.0, h["speed_mps"])
        rise = np.where(climbing, climb, 0.0)
        fade = np.exp(-step_s / h["speed_time_s"])
        for k in range(steps):
            position[k], courses[k] = place, course
            velocity[k] = np.stack([speed * np.sin(course), speed * np.cos(course), rise], axis=1)
            changes = rng.random((3, n)) < step_s / h["phase_s"]
            stopped = np.where(changes[0], rng.random(n) < h["stop_share"], stopped)
            turning = np.where(changes[1], rng.random(n) < h["turn_share"], turning)
            climbing = np.where(changes[2], rng.random(n) < h["climb_share"], climbing)
            turn = np.where(changes[1], _turns(h, handed, rng), turn)
            climb = np.where(changes[2], _climbs(h, rng), climb)
            drift = fade * drift + np.sqrt(1.0 - fade**2) * rng.normal(0.0, 1.0, n)
            aim = np.where(stopped, 0.0, h["speed_mps"] * np.maximum(1.0 + h["speed_spread"] * drift, 0.05))
            most = h["acceleration_mps2"] * step_s
            speed = speed + np.clip(aim - speed, -most, most)
            rate = np.where(
                turning, np.clip(turn, -1.0, 1.0) * np.minimum(h["turn_rate"], h["across_mps2"] / (speed + 0.1)), 0.0
            )
            course = course + rate * step_s + h["wobble"] * np.sqrt(step_s) * rng.normal(0.0, 1.0, n) * (speed > 0.0)
            aim = np.where(climbing, climb, 0.0)
            aim = np.where(
                place[:, 2] > h["ceiling_m"], -np.abs(aim), np.where(place[:, 2] < h["floor_m"], np.abs(aim), aim)
            )
            rise = rise + np.clip(aim - rise, -3.0 * step_s, 3.0 * step_s) * (h["climb_mps"] < 50.0)
            now = np.stack([speed * np.sin(course), speed * np.cos(course), rise], axis=1)
            place = place + 0.5 * step_s * (velocity[k] + now)
            low = np.minimum(h["floor_m"], start[:, 2]) - 1.0
            place[:, 2] = np.maximum(place[:, 2], low)
        return cls(step_s, position, velocity, courses)

    def at(self, t_s: float) -> tuple[Floats, Floats]:
        """Return positions and velocities (N, 3) at a time from 0 to the end: a cubic between steps (Hermite)."""
        k = min(max(int(t_s / self.step_s), 0), len(self.position) - 2)
        h, u = self.step_s, t_s / self.step_s - k
        p0, p1, v0, v1 = self.position[k], self.position[k + 1], self.velocity[k] * h, self.velocity[k + 1] * h
        position = (
            (2 * u**3 - 3 * u**2 + 1) * p0
            + (u**3 - 2 * u**2 + u) * v0
            + (3 * u**2 - 2 * u**3) * p1
            + (u**3 - u**2) * v1
        )
        rate = (6 * u**2 - 6 * u) * (p0 - p1) + (3 * u**2 - 4 * u + 1) * v0 + (3 * u**2 - 2 * u) * v1
        return position, rate / h

    def course_and_rate(self, t_s: float) -> tuple[Floats, Floats]:
        """Return courses (N,) [rad] and their change (N,) [rad/s] at a time."""
        k = min(max(int(t_s / self.step_s), 0), len(self.position) - 2)
        rate = (self.course[k + 1] - self.course[k]) / self.step_s
        return self.course[k] + rate * (t_s - k * self.step_s), rate


def _turns(h: dict[str, Floats], handed: Floats, rng: np.random.Generator) -> Floats:
    """Return shares of the hardest turn (N,); right is positive."""
    size = rng.uniform(0.2, 1.0, len(handed))
    return size * np.where(h["one_way"] > 0.0, handed, rng.choice((-1.0, 1.0), len(handed)))


def _climbs(h: dict[str, Floats], rng: np.random.Generator) -> Floats:
    """Return vertical speeds (N,) [m/s]."""
    return h["climb_mps"] * rng.uniform(-1.0, 1.0, len(h["climb_mps"]))


class Wandering(Scenario):
    """A scenario whose targets move along trajectories; what their `motion` says counts for nothing."""

    _paths: Trajectories = PrivateAttr()

    @classmethod
    def of(cls, scenario: Scenario, paths: Trajectories) -> Wandering:
        """Return the scenario with other motions."""
        out = cls(**{name: getattr(scenario, name) for name in Scenario.model_fields})
        out._paths = paths
        return out

    def position_velocity(self, t_s: float) -> tuple[Floats, Floats]:
        """Return the targets' positions (N, 3) [m] and velocities (N, 3) [m/s] in `map`."""
        return self._paths.at(t_s)

    def course_and_turn_rate(self, t_s: float) -> tuple[Floats, Floats]:
        """Return where the targets' noses point, clockwise from north, (N,) [rad], and its change (N,) [rad/s]."""
        return self._paths.course_and_rate(t_s)
