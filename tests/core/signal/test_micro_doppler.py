# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Moving parts against their own derivative, geometry, and the closed forms of their spectra."""

import numpy as np
import pytest

from aegis.core.signal import micro_doppler as md

TIMES = np.linspace(0.0, 1.3, 50_001)


@pytest.mark.parametrize(
    "motion",
    [
        lambda t: md.rotor(t, 3, 0.2, 12.0, 0.4),
        lambda t: md.wings(t, 0.8, 5.0, 0.7),
        lambda t: md.gait(t, 1.4, 1.75),
        lambda t: md.gait(t, 0.0, 1.75),
    ],
)
def test_velocity_is_the_derivative(motion):
    place, speed = motion(TIMES)
    slope = np.gradient(place, TIMES, axis=1)[:, 1:-1]
    wrong = np.abs(slope - speed[:, 1:-1]).max(axis=(0, 2)) > 0.01
    assert wrong.mean() < 5e-4  # but where a foot touches ground or leaves it: its speed jumps


def test_a_blades_tip_moves_at_the_tip_frequency():
    _, speed = md.rotor(TIMES, 2, 0.15, 80.0, 0.0)
    wavelength = 0.0039
    tip_speed = 2 * np.abs(speed[0, :, 0]).max()  # the model's point is the middle of the blade
    assert 2 * tip_speed / wavelength == pytest.approx(md.tip_frequency(80.0, 0.15, wavelength), rel=1e-4)


@pytest.mark.parametrize(("blades", "flashes_a_turn"), [(2, 2), (3, 6), (4, 4)])
def test_flashes(blades: int, flashes_a_turn: int):
    """A blade flashes when it is seen broadside, coming and going: those of an even count do so together, two at once."""
    rate, radius, wavelength = 10.0, 0.5, 0.004
    t = np.arange(0, 1.0, 2e-6)
    place, speed = md.rotor(t, blades, radius, rate, 0.3)
    direction = np.array([1.0, 0.0, 0.0])
    pattern = md.blade_pattern(place, direction, wavelength)
    bright = np.abs(pattern) > 0.9
    together = bright.any(axis=0)
    assert np.count_nonzero(np.diff(together.astype(int)) == 1) == pytest.approx(flashes_a_turn * rate, abs=1)
    coming = (speed[..., 0] < 0) & bright
    assert np.count_nonzero(np.diff(coming.any(axis=0).astype(int)) == 1) == pytest.approx(blades * rate, abs=1)
    at_once = bright.sum(axis=0)[together].max()
    assert at_once == (2 if blades % 2 == 0 else 1)


def rotor_spectrum(blades: int, radius: float, rate: float, wavelength: float) -> tuple[np.ndarray, np.ndarray]:
    t = np.arange(0, 1.0, 1 / 65536)
    place, _ = md.rotor(t, blades, radius, rate, 0.7)
    direction = np.array([0.8, 0.6, 0.0])
    z = (md.blade_pattern(place, direction, wavelength) * np.exp(4j * np.pi * (place @ direction) / wavelength)).sum(
        axis=0
    )
    return np.fft.fftfreq(len(t), 1 / 65536), np.abs(np.fft.fft(z)) ** 2


@pytest.mark.parametrize("blades", [2, 3])
def test_a_rotors_spectrum_is_lines_up_to_the_tip_frequency(blades: int):
    frequency, spectrum = rotor_spectrum(blades, 0.15, 16.0, 0.004)
    tip = md.tip_frequency(16.0, 0.15, 0.004)
    total = spectrum.sum()
    lines = np.isclose(frequency % (blades * 16.0), 0)
    assert spectrum[lines].sum() > 0.999 * total
    inside = np.abs(frequency) <= tip
    assert spectrum[inside].sum() > 0.99 * total
    edge = (np.abs(frequency) > 0.85 * tip) & inside
    assert spectrum[edge].sum() > 0.03 * total  # a line reaches its tip


def test_a_blade_is_the_sum_of_its_points():
    """The pattern is the closed form of many points along the blade (Chen, eq. 3.35)."""
    t = np.linspace(0, 0.05, 40)
    place, _ = md.rotor(t, 1, 0.1, 20.0, 0.1)
    u = np.array([0.6, 0.0, 0.8])
    middle = np.exp(4j * np.pi * (place[0] @ u) / 0.01) * md.blade_pattern(place[0], u, 0.01)
    along = (np.arange(4000) + 0.5) / 2000  # of the half length
    points = np.exp(4j * np.pi * np.multiply.outer(place[0] @ u, along) / 0.01).mean(axis=1)
    np.testing.assert_allclose(middle, points, atol=1e-5)


def test_wings_show_the_beat_from_below_and_its_double_from_the_side():
    t = np.arange(0, 2.0, 1e-3)
    place, _ = md.wings(t, 0.8, 5.0, 0.6)
    for axis, strongest in ((2, 5.0), (1, 10.0), (0, 5.0)):
        spectrum = np.abs(np.fft.rfft(place[0, :, axis] - place[0, :, axis].mean()))
        assert np.argmax(spectrum) / 2.0 == strongest
    np.testing.assert_allclose(place[0, :, 1], -place[1, :, 1])


@pytest.mark.parametrize("speed", [0.8, 1.4, 2.0])
def test_a_foot_stands_on_the_ground_and_the_person_gets_on(speed: float):
    cycle = md.gait_cycle_s(speed, 1.75)
    t = np.linspace(0, 3 * cycle, 6001)
    place, rate = md.gait(t, speed, 1.75)
    feet = rate[3:5, :, 0] + speed
    standing = np.abs(feet) < 1e-9
    assert standing.mean() == pytest.approx(0.6, abs=0.01)
    assert standing.any(axis=0).all()  # walking, not running: one foot is always on the ground
    assert np.trapezoid(rate[3, :, 0], t) == pytest.approx(0, abs=0.01 * speed)
    assert feet.max() == pytest.approx(speed * (1 + np.pi / 2 * 0.6 / 0.4), rel=1e-3)
    np.testing.assert_allclose(place[:, 0], place[:, -1], atol=1e-6)
    assert 0.5 < cycle < 1.6
    assert (place[3:5, :, 2] < place[1:3, :, 2]).all()
    assert md.GAIT_SHARES.sum() == pytest.approx(1)
