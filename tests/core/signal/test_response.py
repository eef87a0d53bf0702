# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Offsets between cells: against closed forms, and against the Cramer-Rao bound."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aegis.core.signal.response import conjugate, locate, of_pulse, of_window
from aegis.core.signal.windows import window

N = 64
NAMES = ("none", "hann", "hamming", "blackman", "chebyshev")


def bins(weights: np.ndarray, frequency: float, amplitude: complex = 1.0) -> np.ndarray:
    return np.fft.fft(weights * amplitude * np.exp(2j * np.pi * frequency * np.arange(len(weights)) / len(weights)))


def at(z: np.ndarray, k: int, response) -> tuple:
    return locate(z[(k - 1) % len(z)], z[k], z[(k + 1) % len(z)], response)


@pytest.mark.parametrize("name", NAMES)
@given(offset=st.floats(-0.5, 0.5), k=st.integers(1, N - 2), phase=st.floats(0, 6.28))
@settings(max_examples=60)
def test_the_offset_of_a_tone_is_found_without_bias(name, offset, k, phase):
    weights = window(name, N)
    amplitude = 3.0 * np.exp(1j * phase)
    delta, found, gain, _ = at(bins(weights, k + offset, amplitude), k, of_window(weights))
    # At 20 dB the standard deviation is at least 0.04 cells: this is nothing beside it.
    assert delta == pytest.approx(offset, abs=5e-4)
    assert abs(found) == pytest.approx(3.0 * weights.sum(), rel=2e-3)
    assert gain == pytest.approx(abs(bins(weights, k + offset)[k]) / weights.sum(), rel=2e-3)


def test_a_hann_windows_offset_is_that_of_the_closed_form():
    weights = window("hann", N)
    for offset in np.linspace(0.0, 0.5, 6):
        z = bins(weights, 20 + offset)
        ratio = abs(z[21]) / abs(z[20])
        assert at(z, 20, of_window(weights))[0] == pytest.approx((2 * ratio - 1) / (1 + ratio), abs=5e-4)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("offset", [0.0, 0.3, -0.5])
def test_the_stated_information_is_the_scatter(name, offset):
    rng = np.random.default_rng(4)
    weights, response = window(name, N), of_window(window(name, N))
    sigma2, runs = 0.5, 3000
    tone = np.exp(2j * np.pi * (20 + offset) * np.arange(N) / N)
    noise = np.sqrt(sigma2 / 2) * (rng.normal(size=(runs, N)) + 1j * rng.normal(size=(runs, N)))
    z = np.fft.fft(weights * (tone + noise), axis=1)
    found = np.array([at(row, 20, response)[0] for row in z])
    _, amplitude, _, information = at(np.fft.fft(weights * tone), 20, response)
    variance = sigma2 * (weights**2).sum() / (2 * abs(amplitude) ** 2 * information)
    assert found.std() == pytest.approx(np.sqrt(variance), rel=0.06)
    assert abs(found.mean() - offset) < 4 * np.sqrt(variance / runs) + 0.1 * np.sqrt(variance)
    bound = 6 * sigma2 / ((2 * np.pi) ** 2 * N) * N**2 / (N**2 - 1)  # of all samples, in bins^2
    assert variance > bound


def test_conjugated_cells_give_the_same_offset():
    weights = window("hann", N)
    z = bins(weights, 20.3)
    delta, amplitude, _, _ = at(z.conj(), 20, conjugate(of_window(weights)))
    assert delta == pytest.approx(0.3, abs=5e-4)
    assert abs(amplitude) == pytest.approx(weights.sum(), rel=2e-3)


def test_the_noise_of_neighbours_is_as_alike_as_theory_says():
    """Hann: neighbours' noise has amplitude correlation 2/3 and 1/6 (Harris 1978)."""
    alike = of_window(window("hann", N)).alike
    assert alike[:4] == pytest.approx([1.0, 4 / 9, 1 / 36, 0.0], abs=1e-9)


def test_no_cell_is_above_the_envelope():
    weights = window("hann", N)
    envelope = of_window(weights).envelope
    for offset in np.linspace(-0.5, 0.5, 41):
        power = np.abs(bins(weights, 20 + offset)) ** 2
        for k in range(N):
            distance = min((k - 20) % N, (20 - k) % N)
            assert power[k] <= power[20] * (envelope[distance] * 1.02 + 1e-12)


@pytest.mark.parametrize("offset", [-0.4, 0.0, 0.25])
def test_an_unmodulated_pulse_is_a_triangle(offset):
    n = 20
    response = of_pulse(np.ones(n, dtype=complex), None, True)
    assert response.spacing == 10
    before, middle, after = (max(0.0, 1 - abs(offset - x) / n) for x in (-10, 0, 10))
    assert locate(before + 0j, middle + 0j, after + 0j, response)[0] == pytest.approx(offset, abs=0.02)


def test_nothing_is_no_error():
    assert locate(0j, 0j, 0j, of_window(window("hann", N)))[:2] == (0.0, 0.0)
