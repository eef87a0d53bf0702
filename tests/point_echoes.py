# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Raw cubes of point targets, straight from the formulas of core/signal/cube.py, sample by sample in float64."""

from dataclasses import dataclass

import numpy as np

from aegis.core.signal.cube import Cube, Waveform, WaveformKind

C = 299_792_458.0


@dataclass
class Target:
    range: float  # [m] in the middle of the frame
    range_rate: float = 0.0
    azimuth: float = 0.0
    elevation: float = 0.0
    amplitude: float = 1.0
    phase: float = 0.0


def line(channels: int, carrier_hz: float, axis: int = 1) -> np.ndarray:
    """Phase centres a quarter of a wavelength apart: no ambiguity in direction."""
    position = np.zeros((channels, 3))
    position[:, axis] = np.arange(channels) * C / carrier_hz / 4
    return position


def fmcw(position: np.ndarray, *, slope=30e12, delay=None, period=60e-6, rate=5e6, rcs_offset=np.nan) -> Waveform:
    delay = np.zeros(len(position)) if delay is None else np.asarray(delay)
    return Waveform(WaveformKind.FMCW, 77e9, rate, slope, period, position, delay, rcs_offset_db=rcs_offset)


def pulsed(position: np.ndarray, *, slope: float, width=4e-6, first=10e-6) -> Waveform:
    zeros = np.zeros(len(position))
    return Waveform(WaveformKind.PULSE, 3e9, 20e6, slope, 200e-6, position, zeros, width, first)


def samples(
    w: Waveform, shape: tuple[int, int, int], targets: list[Target], noise: float = 0.0, rng=None
) -> np.ndarray:
    """Complex samples (S, chirps, channels) of these targets and of noise of this power a sample."""
    S, chirps, _ = shape
    x = np.zeros(shape, dtype=np.complex128)
    begin = (np.arange(chirps) - (chirps - 1) / 2) * w.chirp_period_s
    begin = begin[:, None] + w.channel_delay_s - w.channel_delay_s.mean()
    for target in targets:
        a, e = target.azimuth, target.elevation
        u = np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])
        amplitude = target.amplitude * np.exp(1j * target.phase)
        if w.kind is WaveformKind.FMCW:
            fast = ((np.arange(S) - (S - 1) / 2) / w.sample_rate_hz)[:, None, None]
        else:
            fast = (w.first_sample_s + np.arange(S) / w.sample_rate_hz)[:, None, None]
        tau = 2 * (target.range + target.range_rate * (begin + fast) - w.channel_position @ u) / C
        if w.kind is WaveformKind.FMCW:
            x += amplitude * np.exp(2j * np.pi * (w.carrier_frequency_hz * tau + w.chirp_slope_hz_s * tau * fast))
        else:
            t = fast - tau
            pulse = np.exp(1j * np.pi * w.chirp_slope_hz_s * (t - w.pulse_width_s / 2) ** 2)
            pulse = np.where((t >= 0) & (t < w.pulse_width_s), pulse, 0)
            x += amplitude * np.exp(-2j * np.pi * w.carrier_frequency_hz * tau) * pulse
    if noise:
        x += np.sqrt(noise / 2) * (rng.normal(size=shape) + 1j * rng.normal(size=shape))
    return x


def cube(w: Waveform, x: np.ndarray, form: str = "complex64", sequence: int = 1) -> Cube:
    """A cube of complex samples in one of the forms."""
    if form == "complex64":
        data = x.astype(np.complex64)
    elif form == "iq":
        data = np.stack([np.round(x.real), np.round(x.imag)], axis=-1).astype(np.int16)
    else:
        data = np.round(x.real).astype(np.int16)
    data.flags.writeable = False
    return Cube(1_000, "radar", sequence, "test", w, data)
