# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The micro-Doppler signature: what the slow-time signal of one object says of its moving parts, in units of the object.

Of a signal of any pulse rate, length and carrier; what it cannot show (offsets beyond the unambiguous speed, modulation slower than
its length) is NaN. Speeds are half a wavelength times the frequency.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from aegis.core.types import Floats

OFFSETS_MPS = (0.15, 0.4, 1.0, 2.5, 6.0, 15.0, 40.0, 100.0, 300.0)  # edges, from the body's line
RATIOS = (-1.5, -0.25, 0.25, 0.75, 0.93, 1.07, 1.35, 2.2, 5.0)  # edges, of the body's speed
RATES_HZ = (1.0, 2.5, 6.0, 14.0, 30.0, 60.0, 120.0, 240.0, 480.0, 1000.0, 4000.0)  # edges, of the envelope's modulation
LINE_BINS = 2  # to each side, that the body's line takes after a Hann window
LEAST_SHARE = 1e-4
SLOWEST_TURNS = 3.06  # within a signal, of a modulation that is told
GATE_ABOVE_NOISE = 9.0  # a line stands out by it, and by what the largest of as many bins of noise has

SIGNATURE = (
    "log_length", "log_prf", "log_wavelength", "is_real", "line_snr", "rest_snr", "body_share", "body_speed", "body_aliased",
    "mean_speed", "speed_spread", "symmetry", "rest_peak", "rest_flatness", "rate_peak", "rate_peak_hz",
    *(f"offset_{edge:g}" for edge in OFFSETS_MPS[:-1]),
    *(f"ratio_{edge:g}" for edge in RATIOS[:-1]),
    *(f"rate_{edge:g}" for edge in RATES_HZ[:-1]),
)  # fmt: skip


def stands_out(line_snr: Floats, samples: int) -> NDArray[np.bool_]:
    """Tell whether the strongest line is surely no noise, from its log10 above it (n,) and the number of samples."""
    return np.asarray(10.0**line_snr > np.log(samples) + GATE_ABOVE_NOISE)


def signature(x: NDArray[np.complex128] | Floats, prf_hz: float, wavelength_m: float) -> Floats:
    """Return the signatures (n, len(SIGNATURE)) of slow-time signals.

    Args:
        x: (n, S) samples, complex (I/Q) or real (one channel: no sign of Doppler).
        prf_hz: samples a second.
        wavelength_m: of the carrier [m].
    """
    samples = x.shape[1]
    real = not np.iscomplexobj(x)
    window = np.hanning(samples + 2)[1:-1]
    spectrum = np.fft.fft((x - x.mean(axis=1, keepdims=True)) * window, axis=1)
    used = np.fft.fftfreq(samples) >= 0.0 if real else np.ones(samples, np.bool_)
    spectrum[:, ~used] = 0.0
    noise = np.median(np.abs(spectrum[:, used]) ** 2, axis=1) / np.log(2.0) + 1e-300
    return described(spectrum, noise, prf_hz, wavelength_m, real=real)


def described(
    spectrum: NDArray[np.complex128], noise: Floats, prf_hz: float, wavelength_m: float, *, real: bool = False
) -> Floats:
    """Return the signatures (n, len(SIGNATURE)) of spectra of slow time.

    Args:
        spectrum: (n, S) of samples under a window; of real samples, 0 at negative frequencies.
        noise: (n,) mean power of noise in a bin.
        prf_hz: samples a second.
        wavelength_m: of the carrier [m].
        real: of one channel.
    """
    n, samples = spectrum.shape
    frequency = np.fft.fftfreq(samples, 1.0 / prf_hz)
    used = frequency >= 0.0 if real else np.ones(samples, np.bool_)
    power = np.abs(spectrum) ** 2
    length_s, top = samples / prf_hz, 0.5 * prf_hz
    signal = np.where(used, np.maximum(power - 3.0 * noise[:, None], 0.0), 0.0)
    # What stood still is gone with the mean, and the window has spread it over the bins beside.
    signal[:, [0, 1, -1]] = 0.0
    total = signal.sum(axis=1) + 1e-300
    body = signal.argmax(axis=1)
    rows = np.arange(n)
    near = (body[:, None] + np.arange(-LINE_BINS, LINE_BINS + 1)) % samples
    rest = signal.copy()
    rest[rows[:, None], near] = 0.0
    rest_total = rest.sum(axis=1) + 1e-300
    speed = frequency * wavelength_m / 2.0
    own = speed[body]
    shifted = frequency[None, :] - frequency[body][:, None]
    offset = shifted if real else (shifted + top) % prf_hz - top
    offset *= wavelength_m / 2.0
    step_mps, top_mps = wavelength_m / 2.0 / length_s, top * wavelength_m / 2.0
    share = signal / total[:, None]

    def binned(values: Floats, edges: tuple[float, ...], weight: Floats) -> Floats:
        place = np.searchsorted(np.array(edges), values, side="right") - 1
        inside = (place >= 0) & (place < len(edges) - 1)
        index = (rows[:, None] * (len(edges) - 1) + place)[inside]
        out = np.bincount(index, weight[inside], minlength=n * (len(edges) - 1)).reshape(n, -1)
        return np.asarray(np.log10(out + LEAST_SHARE))

    offsets = binned(np.abs(offset), OFFSETS_MPS, np.where(rest > 0.0, share, 0.0))
    low, high = np.array(OFFSETS_MPS[:-1]), np.array(OFFSETS_MPS[1:])
    offsets[:, (high < 3.0 * step_mps) | (low > top_mps)] = np.nan
    moving = np.abs(own) > 4.0 * step_mps
    ratio = speed[None, :] / np.where(moving, own, 1.0)[:, None]
    ratios = np.where(moving[:, None], binned(ratio, RATIOS, share), np.nan)
    rates, rate_peak, rate_peak_hz = _modulation(np.where(rest > 0.0, spectrum, 0.0), prf_hz, length_s, binned)
    mirrored = np.take_along_axis(rest, (2 * body[:, None] - np.arange(samples)) % samples, axis=1)
    symmetry = np.minimum(rest, mirrored).sum(axis=1) / rest_total
    mean = (share * speed).sum(axis=1)
    spread = np.sqrt((share * (speed - mean[:, None]) ** 2).sum(axis=1))
    bins = np.maximum((rest > 0.0).sum(axis=1), 1)
    logs = np.where(rest > 0.0, np.log(np.maximum(rest, 1e-300)), 0.0).sum(axis=1) / bins
    constant = np.ones(n)
    out = [
        np.log(length_s) * constant, np.log(prf_hz) * constant, np.log(wavelength_m) * constant, float(real) * constant,
        np.log10(np.maximum(power[rows, body], 1e-300) / noise), np.log10(rest_total / noise + 1e-3),
        signal[rows[:, None], near].sum(axis=1) / total, np.arcsinh(np.abs(own)), np.log10(top_mps / (np.abs(own) + step_mps)),
        np.arcsinh(np.abs(mean)), np.arcsinh(spread), np.full(n, np.nan) if real else symmetry,
        np.log10(rest.max(axis=1) / rest_total + 1e-6), logs - np.log(rest_total / bins), rate_peak, rate_peak_hz,
    ]  # fmt: skip
    return np.column_stack([*out, offsets, ratios, rates])


Binned = Callable[[Floats, tuple[float, ...], Floats], Floats]


def _modulation(
    spectrum: NDArray[np.complex128], prf_hz: float, length_s: float, binned: Binned
) -> tuple[Floats, Floats, Floats]:
    """Return logarithms: shares of the envelope's modulation by rate (n, R), its strongest line's share and rate (n,)."""
    n, samples = spectrum.shape
    envelope = np.abs(np.fft.ifft(spectrum, axis=1)) ** 2
    envelope -= envelope.mean(axis=1, keepdims=True)
    half = samples // 2
    power = np.abs(np.fft.fft(envelope * np.hanning(samples), axis=1)[:, :half]) ** 2
    rate = np.arange(half) * prf_hz / samples
    power[:, rate < 2.0 / length_s] = 0.0
    total = power.sum(axis=1) + 1e-300
    share = power / total[:, None]
    rates = binned(np.broadcast_to(rate, share.shape), RATES_HZ, share)
    low, high = np.array(RATES_HZ[:-1]), np.array(RATES_HZ[1:])
    # A look of half a second stands just at an edge: a little either way, rounding would decide whether this is measured.
    rates[:, (high < SLOWEST_TURNS / length_s) | (low > 0.4 * prf_hz)] = np.nan
    peak = share.argmax(axis=1)
    return rates, np.log10(share[np.arange(n), peak] + 1e-6), np.log10(rate[peak] + 0.1)
