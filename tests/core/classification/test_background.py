# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a sensor adds from a recording's first to its last look is taken out, and what moves stays, against closed forms."""

import numpy as np
import pytest

from aegis.core.classification.background import (
    LEAST_LOOKS,
    by_blocks,
    halved,
    is_empty_above,
    without_flicker,
    without_tones,
)
from aegis.core.classification.doppler import cleaned

PRF, LOOK = 16_000.0, 8_000
ROAD = 299_792_458.0 / 24e9
HOVER = 299_792_458.0 / 3.4e9


def times(looks):
    return np.arange(looks * LOOK) / PRF


def noise(looks, seed=1, level=0.01):
    rng = np.random.default_rng(seed)
    return level * (rng.normal(size=looks * LOOK) + 1j * rng.normal(size=looks * LOOK))


def level_db(x, low_hz, high_hz):
    """Return the mean power of what lies between two frequencies, of samples of the whole recording [dB]."""
    frequency = np.fft.fftfreq(len(x), 1.0 / PRF)
    spectrum = np.fft.fft(x) / len(x)
    inside = (np.abs(frequency) >= low_hz) & (np.abs(frequency) <= high_hz)
    return 10.0 * np.log10((np.abs(spectrum[inside]) ** 2).sum())


def brakes(t):
    """Return a car that comes at 20 m/s and brakes to 5: its Doppler goes from 3.2 kHz to 0.8, and it grows as it comes."""
    speed = np.interp(t, [0.0, t[-1]], [20.0, 5.0])
    way = np.cumsum(speed) / PRF
    return np.exp(4j * np.pi / ROAD * way) * (0.1 + 0.9 * (t / t[-1]) ** 2)


@pytest.mark.parametrize("real", [False, True])
@pytest.mark.parametrize("drift_hz", [0.0, 2.0])
def test_a_supplys_tone_goes_and_a_car_stays(real, drift_hz):
    t = times(12)
    phase = 2 * np.pi * (6000.0 * t + drift_hz * 2.0 * np.sin(2 * np.pi * t / 12.0))
    car = brakes(t)
    x = car + noise(12) + 20.0 * np.cos(phase)
    x = x.real if real else x
    found, tones = without_tones(x, PRF, ROAD, LOOK)
    assert tones == pytest.approx([6000.0], abs=4.0)
    assert np.iscomplexobj(found) != real
    assert level_db(found, 5800.0, 6200.0) < level_db(x, 5800.0, 6200.0) - 35.0
    assert level_db(found, 700.0, 3500.0) == pytest.approx(level_db(car.real if real else car, 700.0, 3500.0), abs=0.3)


def test_hum_goes_at_any_carrier():
    t = times(8)
    hum = sum(np.cos(2 * np.pi * 50.0 * k * t) / k for k in range(1, 5))
    found, tones = without_tones(hum + noise(8), PRF, HOVER, LOOK)
    assert tones == pytest.approx([50.0, 100.0, 150.0, 200.0])
    assert level_db(found, 20.0, 300.0) < -40.0


def test_what_moves_is_no_tone():
    t, rng = times(12), np.random.default_rng(2)
    fading = np.repeat(rng.rayleigh(size=12), LOOK)  # at one speed, as its echo fluctuates
    same = fading * np.exp(4j * np.pi / ROAD * 12.0 * t)
    for x, wavelength in (
        (brakes(t), ROAD),
        (same, ROAD),
        (np.exp(4j * np.pi / HOVER * 0.5 * t), HOVER),  # so slow that it stays where it is
    ):
        found, tones = without_tones(x + noise(12), PRF, wavelength, LOOK)
        assert not len(tones)
        assert np.array_equal(found, x + noise(12))


def test_the_comb_of_a_steady_rotor_stays():
    t = times(16)
    rotor = sum(np.exp(2j * np.pi * 173.0 * k * t) for k in range(-6, 7))
    found, tones = without_tones(rotor + noise(16) + np.cos(2 * np.pi * 5000.0 * t), PRF, HOVER, LOOK)
    assert tones == pytest.approx([5000.0])
    assert level_db(found, 100.0, 1200.0) == pytest.approx(level_db(rotor, 100.0, 1200.0), abs=0.1)


def test_the_lines_of_four_steady_rotors_stay():
    t = times(8)
    rotors = sum(np.exp(2j * np.pi * rate * k * t) for rate in (211.0, 223.0, 230.0, 239.0) for k in (-2, -1, 1, 2))
    found, tones = without_tones(rotors + noise(8) + 5.0 * np.cos(2 * np.pi * 5000.0 * t), PRF, HOVER, LOOK)
    assert tones == pytest.approx([5000.0])
    assert level_db(found, 150.0, 600.0) == pytest.approx(level_db(rotors, 150.0, 600.0), abs=0.1)


def test_of_few_looks_nothing_is_known():
    x = np.cos(2 * np.pi * 6000.0 * times(LEAST_LOOKS - 1))
    assert without_tones(x, PRF, ROAD, LOOK)[0] is x


def test_flicker_goes_and_what_moves_stays():
    t = times(20)
    rng = np.random.default_rng(3)
    frequency = np.fft.rfftfreq(len(t), 1.0 / PRF)
    flicker = np.fft.irfft(np.fft.rfft(rng.normal(size=len(t))) * np.sqrt(30.0 / np.maximum(frequency, 0.5)), len(t))
    car = brakes(t).real
    found = without_flicker(car + flicker, PRF, ROAD, LOOK)
    assert level_db(flicker, 0.0, 20.0) - level_db(found, 0.0, 20.0) > 8.0
    assert level_db(found, 700.0, 3500.0) == pytest.approx(level_db(car + flicker, 700.0, 3500.0), abs=0.01)


@pytest.mark.parametrize("real", [False, True])
def test_half_the_rate_is_the_same_signal(real):
    t = np.arange(16_000) / 16_000.0
    x = 3.0 * np.exp(2j * np.pi * 1000.0 * t + 0.4j)
    found = halved(x.real if real else x)
    expected = 3.0 * np.exp(2j * np.pi * 1000.0 * t[::2] + 0.4j)
    np.testing.assert_allclose(found, expected.real if real else expected, atol=1e-9)


@pytest.mark.parametrize(("line_hz", "rate"), [(3000.0, 48_000.0), (40_000.0, 96_000.0), (60_000.0, 192_000.0)])
def test_the_rate_is_halved_until_something_would_be_lost(line_hz, rate):
    t, rng = np.arange(288_000) / 192_000.0, np.random.default_rng(5)
    x = np.exp(2j * np.pi * line_hz * t) + 0.1 * (rng.normal(size=len(t)) + 1j * rng.normal(size=len(t)))
    found = cleaned(x, 192_000.0, ROAD)
    assert found.prf_hz == rate
    spectrum = np.abs(np.fft.fft(found.samples))
    at = np.fft.fftfreq(len(spectrum), 1.0 / found.prf_hz)[spectrum.argmax()]
    assert at == pytest.approx(line_hz, abs=1.0)
    assert is_empty_above(x, 96_000) == (rate < 192_000.0)


def test_blocks_cover_every_sample_once():
    for length in (1, 100, 240, 250, 479, 480, 1000):
        x, sizes = np.arange(float(length)), []

        def kept(part, sizes=sizes):
            sizes.append(len(part))
            return part

        assert np.array_equal(by_blocks(kept, x, 1), x)
        assert min(sizes) >= min(length, 120)
        assert max(sizes) < 240 or length < 240
