# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Oracles: the table of published numbers, and the equations' own symmetries."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.core.signal import equation as eq

positive = st.floats(1e-3, 1e3)


def radar(**changes: float) -> eq.Radar:
    values = {
        "frequency_hz": 9.4e9,
        "peak_power_w": 1e3,
        "pulse_width_s": 1e-6,
        "gain": 2500.0,
        "system_temperature_k": 870.0,
        "loss": 4.0,
        "pulses": 25.0,
    }
    return eq.Radar(**(values | changes))


def test_snr_of_a_published_example():
    example = radar(
        frequency_hz=eq.SPEED_OF_LIGHT / 0.0375,
        peak_power_w=1e6,
        pulse_width_s=0.4e-6,
        gain=10**3.8,
        system_temperature_k=3423.0,
        loss=10**0.4,
        pulses=1.0,
    )
    assert eq.to_db(example.snr(3.98, 60e3)) == pytest.approx(14.66, abs=0.01)


@pytest.mark.parametrize(
    ("gain_db", "rcs_m2", "loss_db", "range_m"), [(20.0, 1.0, 0.0, 41_057.0), (40.0, 0.1, 3.0, 194_260.0)]
)
def test_range_of_published_examples(gain_db: float, rcs_m2: float, loss_db: float, range_m: float):
    example = radar(
        frequency_hz=10e9,
        peak_power_w=1e6,
        pulse_width_s=10e-6,
        gain=10 ** (gain_db / 10),
        system_temperature_k=290.0,
        loss=10 ** (loss_db / 10),
        pulses=1.0,
    )
    assert example.range(rcs_m2, 10**0.6) == pytest.approx(range_m, rel=1e-4)


def test_one_way_link_echo_and_burn_through_of_a_published_example():
    # 5 GHz, 70 dBm, 5 dB line loss (twice for the echo, once for the jammer), 45 dB, 31 km, 9 m^2; jammer 25 dBm EIRP.
    example = radar(frequency_hz=5e9, peak_power_w=1e4, gain=10**4.5, loss=10.0)
    wavelength = example.wavelength_m
    assert eq.to_db(eq.free_space_loss(wavelength, 31e3)) == pytest.approx(136.25, abs=0.01)
    assert eq.to_db(example.echo_power(9.0, 31e3)) + 30 == pytest.approx(-77.53, abs=0.01)
    burn_through = 15_050.0
    jamming = eq.link_power(10**-0.5, example.gain, wavelength, burn_through, loss=10**0.5)
    assert eq.to_db(example.echo_power(9.0, burn_through) / jamming) == pytest.approx(0.0, abs=0.02)


def test_errors_at_13_db():
    snr = 10**1.3
    assert eq.sigma_range(1e6, snr) == pytest.approx(23.73, abs=0.01)
    assert np.degrees(eq.sigma_angle(np.radians(2.0), snr)) == pytest.approx(0.198, abs=5e-4)
    # lambda / 2T is the width of a Doppler filter in m/s, as c / 2B is that of a range cell: the same law.
    filter_width = 0.03 / (2 * 2.5e-3)
    cell_width = eq.SPEED_OF_LIGHT / 2e6
    assert eq.sigma_range_rate(0.03, 2.5e-3, snr) / filter_width == pytest.approx(eq.sigma_range(1e6, snr) / cell_width)


@given(positive, st.floats(10, 1e6), st.floats(10, 1e5))
def test_rcs_and_range_invert_snr(rcs_m2: float, range_m: float, temperature_k: float):
    snr = radar().snr(rcs_m2, range_m, temperature_k)
    assert radar().rcs(snr, range_m, temperature_k) == pytest.approx(rcs_m2, rel=1e-12)
    assert radar().range(rcs_m2, snr, temperature_k) == pytest.approx(range_m, rel=1e-12)


@given(positive, st.floats(10, 1e6), st.floats(1.1, 10))
def test_snr_scales_as_the_equation_says(rcs_m2: float, range_m: float, factor: float):
    snr = radar().snr(rcs_m2, range_m)
    assert radar().snr(rcs_m2, range_m * factor) == pytest.approx(snr / factor**4)
    assert radar().snr(rcs_m2 * factor, range_m) == pytest.approx(snr * factor)
    assert radar().snr(rcs_m2, range_m, 870.0 * factor) == pytest.approx(snr / factor)
    assert radar(gain=2500.0 * factor).snr(rcs_m2, range_m) == pytest.approx(snr * factor**2)
    assert radar(pulses=25.0 * factor).snr(rcs_m2, range_m) == pytest.approx(snr * factor)


def test_arrays_broadcast():
    snr = radar().snr(np.array([[0.1], [1.0]]), np.array([1e3, 2e3, 4e3]))
    assert snr.shape == (2, 3)
    assert snr[1, 2] == pytest.approx(radar().snr(1.0, 4e3))


def test_beam_falls_to_half_at_half_its_width_and_to_the_floor_outside():
    widths = np.radians([2.0, 4.0])
    assert eq.beam_gain(0.0, 0.0, widths, 1e-3) == 1.0
    assert eq.beam_gain(np.radians(1.0), 0.0, widths, 1e-3) == pytest.approx(0.5)
    assert eq.beam_gain(0.0, np.radians(-2.0), widths, 1e-3) == pytest.approx(0.5)
    assert eq.beam_gain(1.0, 0.5, widths, 1e-3) == 1e-3


def test_noise_power_is_minus_174_dbm_per_hertz_at_290_k():
    assert eq.noise_power_dbm(290.0, 1.0) == pytest.approx(-173.98, abs=0.01)


def test_no_power_is_minus_infinity_db_without_a_warning():
    assert eq.to_db(0.0) == -np.inf
    assert eq.from_db(eq.to_db(2.5)) == pytest.approx(2.5)
