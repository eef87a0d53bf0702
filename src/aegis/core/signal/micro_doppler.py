# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How the moving parts of rotors, birds and walking people move, relative to the target's middle.

Motions are displacements (parts, times, 3) [m] and velocities (parts, times, 3) [m/s] in the target's axes (forward, left, up).
Source of the models: Chen, The Micro-Doppler Effect in Radar, 2nd ed., ch. 3 (rotors), 4 (walking, after Boulic, Thalmann and
Thalmann 1990) and 5 (birds); what is made simpler is stated with each.
"""

from __future__ import annotations

import numpy as np

from aegis.core.types import Floats

# Parts of a walking person and their shares of the RCS. A point is a body's middle, a knee, a foot or a hand.
GAIT_SHARES = np.array([0.5, 0.125, 0.125, 0.05, 0.05, 0.075, 0.075])  # body, knees, feet, hands
_LEG = 0.53  # of the height
_STANCE = 0.6  # share of a cycle in which a foot is on the ground


def tip_frequency(rate_hz: float, radius_m: float, wavelength_m: float) -> float:
    """Return the Doppler frequency of a blade's tip that comes straight on, 4 pi Omega r / lambda [Hz]."""
    return 4.0 * np.pi * rate_hz * radius_m / wavelength_m


def rotor(times: Floats, blades: int, radius_m: float, rate_hz: float, phase_rad: float) -> tuple[Floats, Floats]:
    """Return the motion of the middles of a horizontal rotor's blades.

    A blade is a thin line of even reflectivity: with `blade_pattern` its middle stands for all of it (Chen, eq. 3.35).
    """
    angle = 2 * np.pi * (rate_hz * times + np.arange(blades)[:, None] / blades) + phase_rad
    zero = np.zeros_like(angle)
    arm = np.stack([np.cos(angle), np.sin(angle), zero], axis=-1) * radius_m / 2
    return arm, np.stack([-arm[..., 1], arm[..., 0], zero], axis=-1) * 2 * np.pi * rate_hz


def blade_pattern(middle: Floats, direction: Floats, wavelength_m: float) -> Floats:
    """Return a blade's amplitude, 1 when seen broadside: a sinc of its length along the line of sight.

    Args:
        middle: (..., 3) of the blade, from the hub [m].
        direction: (3,) unit vector of the line of sight, in the same axes.
        wavelength_m: [m].
    """
    return np.asarray(
        np.sinc(4 * (middle @ direction) / wavelength_m)
    )  # 2 L (e . u) / lambda, and the middle is L / 2 e


def wings(times: Floats, span_m: float, rate_hz: float, flap_rad: float) -> tuple[Floats, Floats]:
    """Return the motion of the middles of two wings that flap: up and down with the beat, sideways with its double.

    Simpler than Chen's: one link a wing, no twist, and a fore-and-aft stroke of half the angle, a quarter of a beat later.
    """
    arm, omega = span_m / 4, 2 * np.pi * rate_hz
    flap, flap_rate = flap_rad * np.sin(omega * times), flap_rad * omega * np.cos(omega * times)
    sweep, sweep_rate = -flap_rad / 2 * np.cos(omega * times), flap_rad / 2 * omega * np.sin(omega * times)
    place, speed = [], []
    for side in (1.0, -1.0):
        place.append(np.stack([np.sin(sweep), side * np.cos(flap), np.sin(flap)], axis=-1) * arm)
        rates = [np.cos(sweep) * sweep_rate, -side * np.sin(flap) * flap_rate, np.cos(flap) * flap_rate]
        speed.append(np.stack(rates, axis=-1) * arm)
    return np.array(place), np.array(speed)


def gait_cycle_s(speed_mps: float, height_m: float) -> float:
    """Return how long two steps take after Boulic, 1.346 / sqrt(v), with v in leg lengths a second [s]."""
    return float(1.346 / np.sqrt(speed_mps / (_LEG * height_m)))


def gait(times: Floats, speed_mps: float, height_m: float) -> tuple[Floats, Floats]:
    """Return the motion of a walking person's parts (GAIT_SHARES), relative to even walking at `speed_mps`.

    Cycle length, and the body's rise and fall twice a cycle, are Boulic's. Simpler than his: a foot stands still on the ground for
    0.6 of the cycle and swings forward along a cosine; a knee follows its foot by half; a hand swings as a sine against the foot
    of its side. A person at rest does not move.
    """
    place = np.zeros((len(GAIT_SHARES), len(times), 3))
    speed = np.zeros_like(place)
    hip, half_width = _LEG * height_m, 0.08 * height_m
    if speed_mps > 0:
        cycle_s = gait_cycle_s(speed_mps, height_m)
        omega = 2 * np.pi / cycle_s
        rise = 0.015 * speed_mps
        place[0, :, 2] = rise * np.sin(2 * omega * times)
        speed[0, :, 2] = 2 * omega * rise * np.cos(2 * omega * times)
        arm_swing = min(0.1 * speed_mps / hip, 0.5) * height_m * 0.45
        for side in (0, 1):
            turn = times / cycle_s + side / 2
            foot, foot_speed = _foot(turn % 1.0, speed_mps, cycle_s)
            place[1 + side, :, 0], speed[1 + side, :, 0] = foot / 2, foot_speed / 2
            place[3 + side, :, 0], speed[3 + side, :, 0] = foot, foot_speed
            place[5 + side, :, 0] = -arm_swing * np.cos(2 * np.pi * turn)
            speed[5 + side, :, 0] = arm_swing * omega * np.sin(2 * np.pi * turn)
    place[[1, 3], :, 1], place[[2, 4], :, 1] = half_width, -half_width
    place[5, :, 1], place[6, :, 1] = 2 * half_width, -2 * half_width
    # The target's position is the body's middle, 0.6 of the height above ground.
    place[1:3, :, 2], place[3:5, :, 2], place[5:7, :, 2] = hip / 2 - 0.6 * height_m, -0.6 * height_m, -0.15 * height_m
    return place, speed


def _foot(turn: Floats, speed_mps: float, cycle_s: float) -> tuple[Floats, Floats]:
    """Return a foot's place ahead of the hip [m] and its speed past it [m/s], at a share of the cycle from touching ground on."""
    stride = speed_mps * _STANCE * cycle_s
    swing = (turn - _STANCE) / (1 - _STANCE)
    standing = turn < _STANCE
    place = np.where(standing, stride * (0.5 - turn / _STANCE), -stride / 2 * np.cos(np.pi * swing))
    rate = np.where(standing, -speed_mps, stride / 2 * np.pi * np.sin(np.pi * swing) / ((1 - _STANCE) * cycle_s))
    return np.asarray(place), np.asarray(rate)
