# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Clutter's distributions against their closed forms, and their limits against Rayleigh; its Doppler spectrum."""

import math

import numpy as np
import pytest
from scipy import special, stats

from aegis.core.signal import clutter

N = 20_000


def power(texture: np.ndarray, seed: int = 9) -> np.ndarray:
    return texture * np.random.default_rng(seed).standard_exponential(texture.shape)


@pytest.mark.parametrize("shape", [0.5, 2.0, 10.0])
def test_k_clutter_has_bessels_tail(shape: float):
    drawn = power(clutter.k_texture(shape, (N,), np.random.default_rng(1)))

    def cdf(x: np.ndarray) -> np.ndarray:  # of the power: 1 - 2 (nu x)^(nu/2) K_nu(2 sqrt(nu x)) / Gamma(nu)
        z = 2 * np.sqrt(shape * x)
        return 1 - 2 * (z / 2) ** shape * special.kv(shape, z) / special.gamma(shape)

    assert stats.kstest(drawn, cdf).pvalue > 1e-4
    assert stats.kstest(drawn, "expon").pvalue < 1e-4 or shape == 10.0


@pytest.mark.parametrize("shape", [0.6, 1.0, 1.5, 1.9])
def test_weibull_clutter_is_weibull(shape: float):
    texture = clutter.weibull_texture(shape, (N,), np.random.default_rng(2))
    amplitude = np.sqrt(power(texture))
    scale = 1 / math.sqrt(math.gamma(1 + 2 / shape))  # mean power 1
    assert stats.kstest(amplitude, stats.weibull_min(shape, scale=scale).cdf).pvalue > 1e-4


def test_the_limits_are_rayleigh():
    rng = np.random.default_rng(3)
    assert (clutter.weibull_texture(2.0, (10,), rng) == 1).all()
    assert stats.kstest(power(clutter.k_texture(1000.0, (N,), rng)), "expon").pvalue > 1e-4
    near = power(clutter.weibull_texture(1.9999, (N,), rng))
    assert stats.kstest(near, "expon").pvalue > 1e-4


@pytest.mark.parametrize("shape", [0.5, 5.0])
def test_textures_have_mean_1(shape: float):
    drawn = clutter.k_texture(shape, (N,), np.random.default_rng(4))
    assert drawn.mean() == pytest.approx(1, abs=5 / math.sqrt(shape * N))
    drawn = clutter.weibull_texture(1.5, (N,), np.random.default_rng(4))
    assert drawn.mean() == pytest.approx(1, abs=0.05)


def test_doppler_lines_make_a_gaussian_autocorrelation():
    frequency, amplitude = clutter.doppler_lines(40.0, 128, 1e-4)
    assert (amplitude**2).sum() == pytest.approx(1)
    lag = np.arange(0, 112, 8) * 1e-4
    made = ((amplitude**2)[:, None] * np.cos(2 * np.pi * frequency[:, None] * lag)).sum(axis=0)
    np.testing.assert_allclose(made, np.exp(-2 * (np.pi * 40.0 * lag) ** 2), atol=2e-3)
    assert clutter.doppler_lines(0.0, 128, 1e-4)[0].tolist() == [0.0]
    assert len(clutter.doppler_lines(1e6, 128, 1e-4)[0]) == 255  # never more than the chirps can tell apart, twice


def test_patches_add_up_with_their_directions_and_delays():
    rng = np.random.default_rng(5)

    def z(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)

    speckle, amplitude, steering, lines, motion = z(3, 2, 4), rng.uniform(size=(3, 4)), z(3, 4, 5), z(2, 5), z(2, 6)
    made = clutter.patch_echoes(speckle, amplitude, steering, lines, motion)
    expected = np.einsum("rla,ra,rac,lc,lt->rtc", speckle, amplitude, steering, lines, motion)
    np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-4)
