# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""From a scenario to the paths that its echoes take through one frame: what `core.signal.synthesis` adds up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from aegis.core.signal import equation, micro_doppler
from aegis.core.signal.multipath import height_above, mirrored
from aegis.core.types import Floats
from aegis.simulation.radar import polar
from aegis.simulation.scenario import Target
from aegis.simulation.scenario_effects import Reflector

ROTOR_SPREAD = 0.02  # a multicopter's rotors turn at rates that differ by up to this share, either way
NEAREST_M = 0.1  # what is nearer is on the sensor, and not in front of it


@dataclass
class Points:
    """Point scatterers over the times (S) of a frame, in the sensor's frame."""

    position: Floats  # (N, S, 3) [m]
    velocity: Floats  # (N, S, 3) [m/s]
    amplitude: Floats  # (N, S) square root of the RCS [m]
    phase: Floats  # (N,) of the reflection [cycles]
    delay_m: Floats  # (N,) by which a repeater's modulation comes later than its carrier, as a range [m]

    @classmethod
    def moving(cls, position: Floats, velocity: Floats, amplitude: Floats, times: Floats) -> Points:
        """Return points (N, 3) that move evenly; `amplitude` (N,) or (N, S), `times` (S,) from the middle of the frame [s]."""
        n, s = len(position), len(times)
        return cls(
            position=position[:, None] + velocity[:, None] * times[:, None],
            velocity=np.broadcast_to(velocity[:, None], (n, s, 3)),
            amplitude=np.broadcast_to(amplitude if amplitude.ndim == 2 else amplitude[:, None], (n, s)),
            phase=np.zeros(n),
            delay_m=np.zeros(n),
        )

    @classmethod
    def joined(cls, parts: list[Points]) -> Points:
        """Return the points of all parts."""
        return cls(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("position", "velocity", "amplitude", "phase", "delay_m")
            )
        )

    def displaced(self, by: Floats, velocity: Floats, amplitude: Floats) -> Points:
        """Return parts of one point (this one, N = 1) that move about it: (parts, S, 3) [m], [m/s] and (parts, S) [m]."""
        n = len(by)
        return Points(self.position + by, self.velocity + velocity, amplitude, np.zeros(n), np.zeros(n))


@dataclass
class Paths:
    """Paths of echoes from the array to a point and back, directly or by way of a reflector; S times."""

    amplitude: Floats  # (K, S) square root of the RCS over the ways' lengths, patterns and losses of reflection [1/m]
    phase: Floats  # (K,) [cycles]
    carrier_range: Floats  # (K, S) half of the way [m]
    envelope_range: Floats  # (K, S) the same for the modulation
    range_rate: Floats  # (K, S) change of carrier_range [m/s]
    out: Floats  # (K, 3) unit vector in which it leaves
    back: Floats  # (K, 3) unit vector from which it comes back


def micro_motion(
    target: Target, point: Points, times: Floats, axes: Floats, wavelength_m: float, draws: Floats
) -> Iterator[Points]:
    """Yield the moving parts of one target, beside its body; of a walking person all parts.

    Args:
        target: what it is.
        point: its body, N = 1; of a gait with the RCS of the whole.
        times: (S,) since the scenario's start [s].
        axes: (3, 3) rows are its forward, left and up in the sensor's frame.
        wavelength_m: [m].
        draws: (rotors, 2) drawn once from 0 to 1: of each rotor's phase and rate.
    """
    middle = point.position[0, len(times) // 2]
    if target.rotors is not None:
        rotors = target.rotors
        direction = axes @ middle / np.linalg.norm(middle)
        blade = float(np.sqrt(equation.from_db(rotors.blade_rcs_dbsm)))
        for turn, faster in draws:
            rate_hz = rotors.rate_hz * (1 + ROTOR_SPREAD * (2 * faster - 1))
            place, speed = micro_doppler.rotor(times, rotors.blades, rotors.radius_m, rate_hz, 2 * np.pi * turn)
            pattern = micro_doppler.blade_pattern(place, direction, wavelength_m)
            yield point.displaced(place @ axes, speed @ axes, blade * pattern)
    if target.wings is not None:
        place, speed = micro_doppler.wings(
            times, target.wings.span_m, target.wings.rate_hz, np.radians(target.wings.flap_deg)
        )
        wing = np.full(place.shape[:2], np.sqrt(equation.from_db(target.wings.rcs_dbsm) / 2))
        yield point.displaced(place @ axes, speed @ axes, wing)
    if target.gait is not None:
        speed_mps = float(np.hypot(*(axes @ point.velocity[0, 0])[:2]))
        place, speed = micro_doppler.gait(times, speed_mps, target.gait.height_m)
        parts = np.sqrt(micro_doppler.GAIT_SHARES)[:, None] * point.amplitude
        yield point.displaced(place @ axes, speed @ axes, parts)


class Sight:
    """How the sensor sees points: directly, and in reflectors.

    Args:
        reflectors: of the scenario.
        position: (3,) of the sensor in map.
        rotation: (3, 3) turns vectors of the sensor's frame into map.
        beamwidths: (2,) of an element, in azimuth and elevation [rad].
        sidelobe: of an element, power ratio.
    """

    def __init__(
        self,
        reflectors: tuple[Reflector, ...],
        position: Floats,
        rotation: Floats,
        beamwidths: Floats,
        sidelobe: float,
    ) -> None:
        self._beamwidths, self._sidelobe = beamwidths, sidelobe
        self._planes = []
        for item in reflectors:
            normal = np.array(item.normal) / np.linalg.norm(item.normal)
            plane = (np.array(item.point_m) - position) @ rotation
            normal = normal @ rotation
            if height_above(np.zeros(3), plane, normal) > 0:
                self._planes.append((plane, normal, -(10 ** (-item.loss_db / 20))))

    def pattern(self, direction: Floats) -> Floats:
        """Return an element's power gain, relative to its peak, in directions (N, 3)."""
        _, azimuth, elevation = polar(direction)
        return np.asarray(equation.beam_gain(azimuth, elevation, self._beamwidths, self._sidelobe))

    def paths(self, points: Points) -> Paths:
        """Return all paths to points: four to each of them and each reflector, out and back direct or reflected."""
        direct = self._leg(points.position, points.velocity, 1.0)
        out = [self._joined(points, direct, direct)]
        for plane, normal, coefficient in self._planes:
            before = height_above(points.position[:, points.position.shape[1] // 2], plane, normal) > 0
            image = self._leg(
                mirrored(points.position, plane, normal),
                mirrored(points.velocity, np.zeros(3), normal),
                coefficient * before,
            )
            out += [self._joined(points, *legs) for legs in ((direct, image), (image, direct), (image, image))]
        joined = Paths(*(np.concatenate([getattr(part, name) for part in out]) for name in Paths.__dataclass_fields__))
        keep = np.flatnonzero(joined.amplitude.any(axis=1))
        return Paths(*(getattr(joined, name)[keep] for name in Paths.__dataclass_fields__))

    def _leg(self, position: Floats, velocity: Floats, coefficient: ArrayLike) -> _Leg:
        distance = np.linalg.norm(position, axis=2)
        middle = position.shape[1] // 2
        direction = position[:, middle] / np.maximum(distance[:, middle, None], NEAREST_M)
        there = distance.min(axis=1, initial=np.inf) > NEAREST_M
        gain = np.where(there, coefficient * np.sqrt(self.pattern(direction)), 0.0)
        rate = (position * velocity).sum(axis=2) / np.maximum(distance, NEAREST_M)
        return _Leg(distance, rate, direction, gain[:, None] / np.maximum(distance, NEAREST_M))

    @staticmethod
    def _joined(points: Points, out: _Leg, back: _Leg) -> Paths:
        half = (out.distance + back.distance) / 2
        return Paths(
            amplitude=points.amplitude * out.amplitude * back.amplitude,
            phase=points.phase,
            carrier_range=half,
            envelope_range=half + points.delay_m[:, None],
            range_rate=(out.rate + back.rate) / 2,
            out=out.direction,
            back=back.direction,
        )


@dataclass
class _Leg:
    """One way between the array and points."""

    distance: Floats  # (N, S) [m]
    rate: Floats  # (N, S) [m/s]
    direction: Floats  # (N, 3) unit vector at the array
    amplitude: Floats  # (N, S) with the pattern and the reflection [1/m]
