"""Samples as a raw radar would take them: echoes of points, another radar's chirps, a noise jammer; and their rounding by an ADC.

Everything is added to a frame, float32 (samples, chirps, channels, 2) of I and Q, by the equations that `cube.py` states. For an
echo these are exact for a two-way delay that changes linearly within a chirp; the beat's (or the pulse length's) own change
within a chirp, some thousandths of a cycle, is left out. From chirp to chirp every delay is given, so that range migration, TDM
and micro-motion are in it.

Within a chirp an echo's phase is linear (beside the pulse's own chirp, the same for all): it is made by multiplying by a constant,
in float32, and anew from its phase in float64 every `RESTART` samples, so that rounding stays below -80 dB.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.compiled import compiled
from aegis.core.signal.equation import SPEED_OF_LIGHT
from aegis.core.types import Floats, Ints

RESTART = 256
_COLUMNS = 256  # chirps x channels that are worked on at a time: their state stays in the cache

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


@compiled
def add_fmcw_echoes(frame: Frame, echoes: Echoes, receiver: Receiver) -> None:
    """Add echoes to a frame of a dechirped FMCW radar (sent times conjugate of received).

    With t from the middle of the chirp's samples, where the ranges hold, phi = f_c tau_c + slope tau_e t - slope tau_e^2 / 2 (the
    last term is what dechirping leaves, "residual video phase").

    Args:
        frame: (samples, chirps, channels, 2), C order.
        echoes: of all points.
        receiver: of this radar.
    """
    amplitude, phase, carrier_range, envelope_range, range_rate, channel_range = echoes
    transmitter, carrier_hz, slope_hz_s, sample_rate_hz = receiver
    samples, chirps, channels, _ = frame.shape
    flat = frame.reshape(samples, chirps * channels * 2)
    points, columns = len(amplitude), chirps * channels
    first = np.empty((points, _COLUMNS))
    turn = np.empty((points, _COLUMNS))
    level = np.empty((points, _COLUMNS), np.float32)
    zr = np.empty((points, _COLUMNS), np.float32)
    zi = np.empty((points, _COLUMNS), np.float32)
    wr = np.empty((points, _COLUMNS), np.float32)
    wi = np.empty((points, _COLUMNS), np.float32)
    re = np.empty(_COLUMNS, np.float32)
    im = np.empty(_COLUMNS, np.float32)
    for begin in range(0, columns, _COLUMNS):
        width = min(_COLUMNS, columns - begin)
        for k in range(points):
            for j in range(width):
                chirp, channel = divmod(begin + j, channels)
                t = transmitter[channel]
                speed = SPEED_OF_LIGHT + range_rate[k, chirp, t]  # the echo was made half a delay ago
                tau_c = (2 * carrier_range[k, chirp, t] - channel_range[k, channel]) / speed
                tau_e = (2 * envelope_range[k, chirp, t] - channel_range[k, channel]) / speed
                beat = carrier_hz * 2 * range_rate[k, chirp, t] / speed + slope_hz_s * tau_e
                turn[k, j] = beat / sample_rate_hz
                middle = phase[k] + carrier_hz * tau_c - slope_hz_s * tau_e * tau_e / 2
                first[k, j] = middle - turn[k, j] * (samples - 1) / 2
                level[k, j] = amplitude[k, chirp, t]
                angle = 2 * math.pi * (turn[k, j] - math.floor(turn[k, j]))
                wr[k, j] = math.cos(angle)
                wi[k, j] = math.sin(angle)
        for n in range(samples):
            if n % RESTART == 0:
                for k in range(points):
                    for j in range(width):
                        cycles = first[k, j] + n * turn[k, j]
                        angle = 2 * math.pi * (cycles - math.floor(cycles))
                        zr[k, j] = level[k, j] * math.cos(angle)
                        zi[k, j] = level[k, j] * math.sin(angle)
            re[:] = 0
            im[:] = 0
            for k in range(points):
                for j in range(width):
                    a = zr[k, j]
                    b = zi[k, j]
                    re[j] += a
                    im[j] += b
                    zr[k, j] = a * wr[k, j] - b * wi[k, j]
                    zi[k, j] = a * wi[k, j] + b * wr[k, j]
            for j in range(width):
                flat[n, 2 * (begin + j)] += re[j]
                flat[n, 2 * (begin + j) + 1] += im[j]


@compiled
def add_pulse_echoes(
    frame: Frame, echoes: Echoes, receiver: Receiver, pulse_width_s: float, first_sample_s: float
) -> None:
    """Add echoes to a frame of a pulse radar: exp(-j 2 pi f_c tau_c(t)) p(t - tau_e).

    p(t) = exp(j pi slope (t - T/2)^2) from 0 to the pulse width T. The ranges hold when the pulse's middle arrives.
    """
    amplitude, phase, carrier_range, envelope_range, range_rate, channel_range = echoes
    transmitter, carrier_hz, slope_hz_s, sample_rate_hz = receiver
    samples, chirps, channels, _ = frame.shape
    flat = frame.reshape(samples, chirps * channels * 2)
    columns = chirps * channels
    first = np.empty(columns)
    turn = np.empty(columns)
    begin = np.empty(columns, np.int64)
    end = np.empty(columns, np.int64)
    level = np.empty(columns, np.float32)
    zr = np.empty(columns, np.float32)
    zi = np.empty(columns, np.float32)
    wr = np.empty(columns, np.float32)
    wi = np.empty(columns, np.float32)
    for k in range(len(amplitude)):
        centre = 0  # sample next to the middle of the first column's pulse
        for j in range(columns):
            chirp, channel = divmod(j, channels)
            t = transmitter[channel]
            speed = SPEED_OF_LIGHT + range_rate[k, chirp, t]
            tau_c = (2 * carrier_range[k, chirp, t] - channel_range[k, channel]) / speed
            tau_e = (2 * envelope_range[k, chirp, t] - channel_range[k, channel]) / speed
            arrival = (tau_e - first_sample_s) * sample_rate_hz
            begin[j] = max(math.ceil(arrival - 1e-9), 0)
            end[j] = min(math.ceil(arrival + pulse_width_s * sample_rate_hz - 1e-9), samples)
            middle = arrival + pulse_width_s * sample_rate_hz / 2
            if j == 0:
                centre = math.floor(middle)
            late = (centre - middle) / sample_rate_hz  # of sample `centre` after the pulse's middle [s]
            doppler = -carrier_hz * 2 * range_rate[k, chirp, t] / speed
            turn[j] = (doppler + slope_hz_s * late) / sample_rate_hz
            first[j] = phase[k] - carrier_hz * tau_c + doppler * late + slope_hz_s * late * late / 2
            level[j] = amplitude[k, chirp, t]
            angle = 2 * math.pi * (turn[j] - math.floor(turn[j]))
            wr[j] = math.cos(angle)
            wi[j] = math.sin(angle)
        low = begin.min()
        for n in range(low, end.max()):
            if (n - low) % RESTART == 0:
                for j in range(columns):
                    cycles = first[j] + (n - centre) * turn[j]
                    angle = 2 * math.pi * (cycles - math.floor(cycles))
                    zr[j] = level[j] * math.cos(angle)
                    zi[j] = level[j] * math.sin(angle)
            own = math.pi * slope_hz_s * ((n - centre) / sample_rate_hz) ** 2  # the pulse's chirp, at whole samples
            c = np.float32(math.cos(own))
            s = np.float32(math.sin(own))
            for j in range(columns):
                a = zr[j]
                b = zi[j]
                inside = np.float32(1.0) if begin[j] <= n < end[j] else np.float32(0.0)
                flat[n, 2 * j] += inside * (a * c - b * s)
                flat[n, 2 * j + 1] += inside * (a * s + b * c)
                zr[j] = a * wr[j] - b * wi[j]
                zi[j] = a * wi[j] + b * wr[j]


@compiled
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
    samples, chirps, channels, _ = frame.shape
    transmitter, carrier_hz, slope_hz_s, sample_rate_hz = receiver
    carrier_o, slope_o, length_o, period_o = other
    sign = 1.0 if slope_hz_s != 0 else -1.0
    lowest = 0.0 if slope_hz_s != 0 else -sample_rate_hz / 2
    half = (samples - 1) / 2 / sample_rate_hz
    for chirp in range(chirps):
        for t in range(chirp_time.shape[1]):
            time = chirp_time[chirp, t]
            first = math.ceil((time - half - length_o / 2) / period_o)
            last = math.floor((time + half + length_o / 2) / period_o)
            for q in range(first, last + 1):
                since = time - q * period_o  # our chirp's middle after the other's
                difference = carrier_hz - carrier_o - slope_o * since
                for n in range(samples):
                    x = n / sample_rate_hz - half
                    beat = sign * (difference + (slope_hz_s - slope_o) * x)
                    if not (lowest <= beat < lowest + sample_rate_hz and abs(x + since) <= length_o / 2):
                        continue
                    cycles = sign * (difference * x + (slope_hz_s - slope_o) * x * x / 2) + phase[chirp, t]
                    for channel in range(channels):
                        if transmitter[channel] == t:
                            angle = 2 * math.pi * (cycles + channel_cycles[channel])
                            frame[n, chirp, channel, 0] += amplitude * math.cos(angle)
                            frame[n, chirp, channel, 1] += amplitude * math.sin(angle)


@compiled
def add_plane_noise(frame: Frame, noise: Frame, level: Floats, steering: Frame, transmitter: Ints) -> None:
    """Add noise that comes from one direction.

    Args:
        frame: (samples, chirps, channels, 2), C order.
        noise: (samples, chirps, transmitters, 2) what arrives while each transmitter has its turn.
        level: (samples,) amplitude, as far as the receiver's band is hit.
        steering: (channels, 2) cosine and sine of the receivers' phases.
        transmitter: (channels,) that sends for this channel.
    """
    samples, chirps, channels, _ = frame.shape
    for n in range(samples):
        scale = np.float32(level[n])
        if scale == 0:
            continue
        for i in range(chirps):
            for c in range(channels):
                a = scale * noise[n, i, transmitter[c], 0]
                b = scale * noise[n, i, transmitter[c], 1]
                frame[n, i, c, 0] += a * steering[c, 0] - b * steering[c, 1]
                frame[n, i, c, 1] += a * steering[c, 1] + b * steering[c, 0]


@compiled
def quantise(frame: Frame, out: NDArray[np.int16], full_scale: int) -> int:
    """Round a frame to whole steps of the ADC, from -full_scale - 1 to full_scale; return how many saturated."""
    values, codes = frame.reshape(-1), out.reshape(-1)
    high = np.float32(full_scale)
    low = -high - np.float32(1.0)
    saturated = 0
    for i in range(len(values)):
        x = np.float32(np.rint(values[i]))
        saturated += int(x > high or x < low)
        codes[i] = np.int16(min(max(x, low), high))
    return saturated


def compile_all() -> None:
    """Compile everything for the arrays that it is used with, so that no frame has to wait for it."""
    frame = np.zeros((2, 1, 1, 2), np.float32)
    transmitter, one, none = np.zeros(1, np.int64), np.ones((1, 1, 1)), np.zeros((1, 1))
    receiver = Receiver(transmitter, 1e9, 1e12, 1e6)
    echoes = Echoes(0 * one, np.zeros(1), one, one, one, none)
    add_fmcw_echoes(frame, echoes, receiver)
    add_pulse_echoes(frame, echoes, receiver, 1e-6, 1e-6)
    add_interference(frame, 0.0, none, np.zeros(1), none, receiver, (1e9, 1e12, 1e-5, 1e-5))
    add_plane_noise(frame, frame, np.zeros(2), np.zeros((1, 2), np.float32), transmitter)
    quantise(frame, np.zeros(frame.shape, np.int16), 1)


def unit_noise(rng: np.random.Generator, shape: tuple[int, ...], rms: float = 1.0) -> Any:
    """Draw white Gaussian noise as float32, `rms` in I and in Q."""
    out = rng.standard_normal(shape, dtype=np.float32)
    out *= np.float32(rms)
    return out
