# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Surface clutter: compound-Gaussian echoes (texture x Rayleigh speckle) of patches in range and azimuth, with a Doppler spread.

Sources: Ward, Tough and Watts, Sea Clutter, 2nd ed. (K distribution); Kanter, Ann. Probab. 3 (1975) (stable variables, from which
a Weibull amplitude of exponent below 2 is Rayleigh speckle with a texture).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aegis.core.types import Floats


def k_texture(shape: float, size: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Draw the local mean power of K clutter, mean 1: gamma of order `shape`; a large one is Rayleigh."""
    return np.asarray(rng.standard_gamma(shape, size) / shape)


def weibull_texture(shape: float, size: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Draw the local mean power, mean 1, that makes the speckle's amplitude Weibull with exponent `shape`, up to 2 (Rayleigh).

    The power's tail, exp(-x^a) with a = shape / 2, is the Laplace transform E[exp(-x S)] of a positive stable variable S: so
    the power is exponential with mean 1 / S. Its mean is Gamma(1 + 2 / shape), which is taken out.
    """
    a = shape / 2
    if a == 1.0:
        return np.ones(size)
    angle = rng.uniform(0.0, np.pi, size)
    # Kanter's S = (A(angle) / E)^((1 - a) / a), in logarithms as it runs over many decades.
    log_a = (
        (a / (1 - a)) * np.log(np.sin(a * angle)) + np.log(np.sin((1 - a) * angle)) - np.log(np.sin(angle)) / (1 - a)
    )
    log_s = (log_a - np.log(rng.standard_exponential(size))) * (1 - a) / a
    return np.asarray(np.exp(-log_s) / math.gamma(1 + 1 / a))


def doppler_lines(spread_hz: float, chirps: int, chirp_period_s: float) -> tuple[Floats, Floats]:
    """Return frequencies [Hz] and amplitudes of lines that make a Gaussian spectrum of unit power in a frame; both (lines,).

    Lines half a resolution cell apart have a period of two frames: echoes at a frame's two ends are independent.
    """
    step = 1.0 / (2 * chirps * chirp_period_s)
    # Beyond chirps - 1, the spectrum covers all that the chirps tell apart.
    most = min(math.ceil(4 * spread_hz / step), chirps - 1)
    frequency: Floats = np.arange(-most, most + 1, dtype=np.float64) * step
    if spread_hz == 0 or most == 0:
        return np.zeros(1), np.ones(1)
    amplitude = np.exp(-(frequency**2) / (4 * spread_hz**2))
    scaled: Floats = amplitude / np.sqrt((amplitude**2).sum())
    return frequency, scaled


def patch_echoes(
    speckle: NDArray[Any], amplitude: Floats, steering: NDArray[Any], lines: NDArray[Any], motion: NDArray[Any]
) -> NDArray[np.complex64]:
    """Return the echoes of every range cell: the sum over azimuth of patches, each with its own Doppler lines.

    Args:
        speckle: complex (ranges, lines, azimuths), unit power.
        amplitude: (ranges, azimuths) of each patch.
        steering: complex (ranges, azimuths, channels) of the array.
        lines: complex (lines, channels) amplitude of the line and its phase at the channel's delay.
        motion: complex (lines, chirps) phases of the lines.

    Returns:
        complex64 (ranges, chirps, channels).
    """
    weighted = (speckle * amplitude[:, None, :]).astype(np.complex64)
    by_channel = weighted @ steering.astype(np.complex64)  # (ranges, lines, channels)
    by_channel *= lines.astype(np.complex64)
    return np.asarray(motion.T.astype(np.complex64) @ by_channel)
