# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The micro-Doppler signature, against closed forms of rotors and bodies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.core.classification.signature import SIGNATURE, signature, stands_out
from aegis.core.signal.micro_doppler import blade_pattern, rotor

WAVELENGTH = 0.03
AT = {name: i for i, name in enumerate(SIGNATURE)}


def rotor_signal(prf, seconds, blades=2, rate=70.0, radius=0.12, body=1.0):
    """Return a rotor and its body, which recedes at 6 m/s, in a little noise."""
    t = np.arange(round(prf * seconds)) / prf
    sight = np.array([0.96, 0.0, 0.28])
    place, _ = rotor(t, blades, radius, rate, 0.3)
    pattern = blade_pattern(place, sight, WAVELENGTH)
    k = 4j * np.pi / WAVELENGTH
    rng = np.random.default_rng(0)
    noise = 0.01 * (rng.normal(size=len(t)) + 1j * rng.normal(size=len(t)))
    return (body + (pattern * np.exp(-k * (place @ sight))).sum(axis=0)) * np.exp(-k * 6.0 * t) + noise


@pytest.mark.parametrize("prf", [12_000.0, 30_000.0])
def test_a_rotor_flashes_at_blades_times_its_rate(prf):
    found = signature(rotor_signal(prf, 0.5)[None], prf, WAVELENGTH)[0]
    rate = 10.0 ** found[AT["rate_peak_hz"]] - 0.1
    assert rate / (2 * 70.0) == pytest.approx(
        round(rate / 140.0), abs=0.03
    )  # two blades; even counts flash twice as often
    assert np.sinh(found[AT["body_speed"]]) == pytest.approx(6.0, abs=0.1)
    assert found[AT["symmetry"]] > 0.5  # blades come and go alike


def test_the_pulse_rate_changes_little():
    slow, fast = (signature(rotor_signal(prf, 0.5)[None], prf, WAVELENGTH)[0] for prf in (12_000.0, 30_000.0))
    for name in ("body_share", "body_speed", "mean_speed", "offset_6", "offset_15", "ratio_0.93", "rate_120"):
        assert slow[AT[name]] == pytest.approx(fast[AT[name]], abs=0.15), name


@given(st.floats(1.0, 60.0), st.booleans())
def test_the_body_has_its_speed_in_one_channel_as_in_two(speed, real):
    t = np.arange(4096) / 16_000.0
    x = np.exp(4j * np.pi / WAVELENGTH * speed * t)
    found = signature((x.real if real else x)[None], 16_000.0, WAVELENGTH)[0]
    assert np.sinh(found[AT["body_speed"]]) == pytest.approx(speed, abs=0.1)
    assert found[AT["body_share"]] > 0.95


@pytest.mark.parametrize("prf", [8_000.0, 12_000.0, 44_100.0])
def test_half_a_second_is_measured_as_half_a_second_less_a_sample(prf):
    # What the model learned had the one length, recordings the other: a feature that training never saw was measured of each.
    x = rotor_signal(prf, 0.6)
    samples = round(0.5 * prf)
    exact, less, more = (signature(x[None, : samples + k], prf, WAVELENGTH)[0] for k in (0, -1, 1))
    assert np.array_equal(np.isnan(exact), np.isnan(less))
    assert np.array_equal(np.isnan(exact), np.isnan(more))


def test_noise_does_not_stand_out():
    rng = np.random.default_rng(0)
    for samples in (64, 1024):
        x = rng.normal(size=(1500, samples)) + 1j * rng.normal(size=(1500, samples))
        found = signature(x, 5000.0, WAVELENGTH)
        assert stands_out(found[:, AT["line_snr"]], samples).mean() < 0.01


@given(st.integers(32, 200), st.booleans(), st.floats(500.0, 1e5), st.floats(1e-3, 0.3))
def test_no_signal_makes_infinity(samples, real, prf, wavelength):
    rng = np.random.default_rng(samples)
    x = rng.normal(size=(3, samples)) * np.array([[0.0], [1.0], [1e6]])
    found = signature(x if real else x + 0j, prf, wavelength)
    assert found.shape == (3, len(SIGNATURE))
    assert not np.isinf(found).any()
