# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Samples as a raw radar would take them: echoes of points, another radar's chirps, a noise jammer; and their rounding by an ADC.

Everything is added to a frame, float32 (samples, chirps, channels, 2) of I and Q, by the equations that `cube.py` states. For an
echo these are exact for a two-way delay that changes linearly within a chirp; the beat's (or the pulse length's) own change
within a chirp, some thousandths of a cycle, is left out. From chirp to chirp every delay is given, so that range migration, TDM
and micro-motion are in it.

Within a chirp an echo's phase is linear (beside the pulse's own chirp, the same for all): it is made by multiplying by a constant,
in float32, and anew from its phase in float64 every 256 samples, so that rounding stays below -80 dB.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.kernels import synthesis as kernels
from aegis.core.types import Floats, Ints

BLOCK = 256  # chirps x channels that the kernel works on at a time: their state stays in the cache

Frame = NDArray[np.float32]


class Receiver(NamedTuple):
    """What a frame is taken with; as in `cube.Waveform`."""

    transmitter: Ints  # (channels,) that sends for this channel
    carrier_hz: float  # FMCW: in the middle of the samples
    slope_hz_s: float
    sample_rate_hz: float


class Echoes(NamedTuple):
    """Points and their echoes in each chirp of each transmitter; C order."""

    amplitude: Floats  # (points, chirps, transmitters)
    phase: Floats  # (points,) of the reflection [cycles]
    carrier_range: Floats  # (points, chirps, transmitters) half of the path to the array's origin and back [m]
    envelope_range: Floats  # the same, of what is sent; another only for a repeater that delays its modulation
    range_rate: Floats  # (points, chirps, transmitters) the change of carrier_range [m/s]
    channel_range: Floats  # (points, channels) how much shorter the path is by way of this channel's elements [m]


def add_fmcw_echoes(frame: Frame, echoes: Echoes, receiver: Receiver) -> None:
    """Add echoes to a frame of a dechirped FMCW radar (sent times conjugate of received).

    With t from the middle of the chirp's samples, where the ranges hold, phi = f_c tau_c + slope tau_e t - slope tau_e^2 / 2 (the
    last term is what dechirping leaves, "residual video phase").

    Args:
        frame: (samples, chirps, channels, 2), C order.
        echoes: of all points.
        receiver: of this radar.
    """
    points = len(echoes.phase)
    kernels.add_fmcw_echoes(
        frame.reshape(len(frame), -1), *echoes, *receiver, np.empty((2, points, BLOCK)), np.empty((5, points, BLOCK), np.float32),
        np.empty((4, BLOCK), np.float32),
    )  # fmt: skip


def add_pulse_echoes(
    frame: Frame, echoes: Echoes, receiver: Receiver, pulse_width_s: float, first_sample_s: float
) -> None:
    """Add echoes to a frame of a pulse radar: exp(-j 2 pi f_c tau_c(t)) p(t - tau_e).

    p(t) = exp(j pi slope (t - T/2)^2) from 0 to the pulse width T. The ranges hold when the pulse's middle arrives.
    """
    columns = frame.shape[1] * frame.shape[2]
    kernels.add_pulse_echoes(
        frame.reshape(len(frame), -1), *echoes, *receiver, pulse_width_s, first_sample_s, np.empty((2, columns)),
        np.empty((2, columns), np.int64), np.empty((5, columns), np.float32),
    )  # fmt: skip


def add_interference(
    frame: Frame,
    amplitude: float,
    phase: Floats,
    channel_cycles: Floats,
    chirp_time: Floats,
    receiver: Receiver,
    other: tuple[float, float, float, float],
) -> None:
    """Add another FMCW radar's chirps as they cross ours: each a sweep of the beat through the receiver's band.

    Ours is at f_c + slope t, the other's n-th chirp at f_o + slope_o (t - n period): while it lasts, and while their difference is
    between 0 and the sample rate (the ADC's filter), the dechirped sample is exp(j 2 pi integral of the difference).

    Args:
        frame: (samples, chirps, channels, 2), C order.
        amplitude: of the samples within the band.
        phase: (chirps, transmitters) in the middle of our chirp [cycles]: the radars' oscillators are not one.
        channel_cycles: (channels,) path lengths to the receivers [cycles].
        chirp_time: (chirps, transmitters) of the middle of our chirps' samples [s].
        receiver: ours; slope 0: a pulse radar, that takes received minus f_c, between plus and minus half the sample rate.
        other: carrier in the middle of its chirps [Hz], slope [Hz/s], length and period of its chirps [s]; one has its middle at 0.
    """
    kernels.add_interference(frame, amplitude, phase, channel_cycles, chirp_time, *receiver, *other)


def add_plane_noise(frame: Frame, noise: Frame, level: Floats, steering: Frame, transmitter: Ints) -> None:
    """Add noise that comes from one direction.

    Args:
        frame: (samples, chirps, channels, 2), C order.
        noise: (samples, chirps, transmitters, 2) what arrives while each transmitter has its turn.
        level: (samples,) amplitude, as far as the receiver's band is hit.
        steering: (channels, 2) cosine and sine of the receivers' phases.
        transmitter: (channels,) that sends for this channel.
    """
    kernels.add_plane_noise(frame, noise, level, steering, transmitter)


def quantise(frame: Frame, out: NDArray[np.int16], full_scale: int) -> int:
    """Round a frame to whole steps of the ADC, from -full_scale - 1 to full_scale; return how many saturated."""
    rounded = np.rint(frame)
    saturated = np.count_nonzero(rounded > full_scale) + np.count_nonzero(rounded < -full_scale - 1)
    out[...] = np.clip(rounded, -full_scale - 1, full_scale, out=rounded)
    return int(saturated)


def unit_noise(rng: np.random.Generator, shape: tuple[int, ...], rms: float = 1.0) -> Any:
    """Draw white Gaussian noise as float32, `rms` in I and in Q."""
    out = rng.standard_normal(shape, dtype=np.float32)
    out *= np.float32(rms)
    return out
