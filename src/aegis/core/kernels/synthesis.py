# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Samples as a raw radar would take them: echoes of points, another radar's chirps, a noise jammer; see `signal.synthesis`."""

import cython
from cython.cimports.libc.math import ceil, cos, floor, sin

SPEED_OF_LIGHT = cython.declare(cython.double, 299_792_458.0)
PI = cython.declare(cython.double, 3.141592653589793)
RESTART = cython.declare(
    cython.Py_ssize_t, 256
)  # samples after which a phase is computed anew: rounding stays below -80 dB
COLUMNS = cython.declare(
    cython.Py_ssize_t, 256
)  # chirps x channels that are worked on at a time: their state stays in the cache


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def angle_of(cycles: cython.double) -> cython.double:
    """Return an angle [rad] in [0, 2 pi)."""
    return 2 * PI * (cycles - floor(cycles))


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def add_fmcw_echoes(
    frame: cython.float[:, ::1], amplitude: cython.double[:, :, ::1], phase: cython.double[::1],
    carrier_range: cython.double[:, :, ::1], envelope_range: cython.double[:, :, ::1], range_rate: cython.double[:, :, ::1],
    channel_range: cython.double[:, ::1], transmitter: cython.longlong[::1],
    carrier_hz: cython.double, slope_hz_s: cython.double, sample_rate_hz: cython.double,
    cycles: cython.double[:, :, ::1], state: cython.float[:, :, ::1], sums: cython.float[:, ::1],
) -> cython.void:  # fmt: skip
    """Add echoes to a frame (samples, chirps x channels x 2); see `signal.synthesis.add_fmcw_echoes`.

    Args:
        amplitude to sample_rate_hz: as there.
        cycles: (2, points, COLUMNS), state: (5, points, COLUMNS), sums: (4, COLUMNS) scratch.
    """
    samples, points, channels = frame.shape[0], phase.shape[0], transmitter.shape[0]
    columns = amplitude.shape[1] * channels
    first = cycles[0]
    turn = cycles[1]  # of the phase, from one sample to the next
    level = state[0]
    zr = state[1]
    zi = state[2]
    wr = state[3]
    wi = state[4]
    width: cython.Py_ssize_t
    a: cython.float
    b: cython.float
    c: cython.float
    d: cython.float
    for block in range((columns + COLUMNS - 1) // COLUMNS):
        begin = block * COLUMNS
        width = min(COLUMNS, columns - begin)
        for k in range(points):
            for j in range(width):
                chirp, channel = (begin + j) // channels, (begin + j) % channels
                t = transmitter[channel]
                speed = SPEED_OF_LIGHT + range_rate[k, chirp, t]  # the echo was made half a delay ago
                tau_c = (2 * carrier_range[k, chirp, t] - channel_range[k, channel]) / speed
                tau_e = (2 * envelope_range[k, chirp, t] - channel_range[k, channel]) / speed
                beat = carrier_hz * 2 * range_rate[k, chirp, t] / speed + slope_hz_s * tau_e
                turn[k, j] = beat / sample_rate_hz
                middle = phase[k] + carrier_hz * tau_c - slope_hz_s * tau_e * tau_e / 2
                first[k, j] = middle - turn[k, j] * (samples - 1) / 2
                level[k, j] = amplitude[k, chirp, t]
                angle = angle_of(turn[k, j])
                wr[k, j] = cos(angle)
                wi[k, j] = sin(angle)
        for n in range(0, samples, 2):  # two samples at a time, as the phasors come from a slower cache than the sums
            if n % RESTART == 0:
                for k in range(points):
                    for j in range(width):
                        angle = angle_of(first[k, j] + n * turn[k, j])
                        zr[k, j] = level[k, j] * cos(angle)
                        zi[k, j] = level[k, j] * sin(angle)
            for i in range(4):
                for j in range(width):
                    sums[i, j] = 0.0
            for k in range(points):
                for j in range(width):
                    a = zr[k, j]
                    b = zi[k, j]
                    sums[0, j] += a
                    sums[1, j] += b
                    c = a * wr[k, j] - b * wi[k, j]
                    d = a * wi[k, j] + b * wr[k, j]
                    sums[2, j] += c
                    sums[3, j] += d
                    zr[k, j] = c * wr[k, j] - d * wi[k, j]
                    zi[k, j] = c * wi[k, j] + d * wr[k, j]
            for i in range(min(samples - n, 2)):
                for j in range(width):
                    frame[n + i, 2 * (begin + j)] += sums[2 * i, j]
                    frame[n + i, 2 * (begin + j) + 1] += sums[2 * i + 1, j]


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def add_pulse_echoes(
    frame: cython.float[:, ::1], amplitude: cython.double[:, :, ::1], phase: cython.double[::1],
    carrier_range: cython.double[:, :, ::1], envelope_range: cython.double[:, :, ::1], range_rate: cython.double[:, :, ::1],
    channel_range: cython.double[:, ::1], transmitter: cython.longlong[::1],
    carrier_hz: cython.double, slope_hz_s: cython.double, sample_rate_hz: cython.double,
    pulse_width_s: cython.double, first_sample_s: cython.double,
    cycles: cython.double[:, ::1], bounds: cython.longlong[:, ::1], state: cython.float[:, ::1],
) -> cython.void:  # fmt: skip
    """Add echoes to a frame (samples, chirps x channels x 2); see `signal.synthesis.add_pulse_echoes`.

    Args:
        amplitude to first_sample_s: as there.
        cycles: (2, columns), bounds: (2, columns), state: (5, columns) scratch.
    """
    samples, channels = frame.shape[0], transmitter.shape[0]
    columns = amplitude.shape[1] * channels
    first = cycles[0]
    turn = cycles[1]
    begin = bounds[0]
    end = bounds[1]
    level = state[0]
    zr = state[1]
    zi = state[2]
    wr = state[3]
    wi = state[4]
    centre: cython.longlong
    low: cython.longlong
    high: cython.longlong
    c: cython.float
    s: cython.float
    a: cython.float
    b: cython.float
    inside: cython.float
    for k in range(phase.shape[0]):
        centre, low, high = 0, samples, 0  # centre: the sample next to the middle of the first column's pulse
        for j in range(columns):
            chirp, channel = j // channels, j % channels
            t = transmitter[channel]
            speed = SPEED_OF_LIGHT + range_rate[k, chirp, t]
            tau_c = (2 * carrier_range[k, chirp, t] - channel_range[k, channel]) / speed
            tau_e = (2 * envelope_range[k, chirp, t] - channel_range[k, channel]) / speed
            arrival = (tau_e - first_sample_s) * sample_rate_hz
            begin[j] = cython.cast(cython.longlong, max(ceil(arrival - 1e-9), 0.0))
            end[j] = cython.cast(cython.longlong, min(ceil(arrival + pulse_width_s * sample_rate_hz - 1e-9), samples))
            low, high = min(low, begin[j]), max(high, end[j])
            middle = arrival + pulse_width_s * sample_rate_hz / 2
            if j == 0:
                centre = cython.cast(cython.longlong, floor(middle))
            late = (centre - middle) / sample_rate_hz  # of sample `centre` after the pulse's middle [s]
            doppler = -carrier_hz * 2 * range_rate[k, chirp, t] / speed
            turn[j] = (doppler + slope_hz_s * late) / sample_rate_hz
            first[j] = phase[k] - carrier_hz * tau_c + doppler * late + slope_hz_s * late * late / 2
            level[j] = amplitude[k, chirp, t]
            angle = angle_of(turn[j])
            wr[j] = cos(angle)
            wi[j] = sin(angle)
        for n in range(low, high):
            if (n - low) % RESTART == 0:
                for j in range(columns):
                    angle = angle_of(first[j] + (n - centre) * turn[j])
                    zr[j] = level[j] * cos(angle)
                    zi[j] = level[j] * sin(angle)
            since = (n - centre) / sample_rate_hz
            own = PI * slope_hz_s * (since * since)  # the pulse's chirp, at whole samples
            c = cos(own)
            s = sin(own)
            for j in range(columns):
                a = zr[j]
                b = zi[j]
                inside = 1.0 if begin[j] <= n < end[j] else 0.0
                frame[n, 2 * j] += inside * (a * c - b * s)
                frame[n, 2 * j + 1] += inside * (a * s + b * c)
                zr[j] = a * wr[j] - b * wi[j]
                zi[j] = a * wi[j] + b * wr[j]


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def add_interference(
    frame: cython.float[:, :, :, ::1], amplitude: cython.double, phase: cython.double[:, ::1], channel_cycles: cython.double[::1],
    chirp_time: cython.double[:, ::1], transmitter: cython.longlong[::1],
    carrier_hz: cython.double, slope_hz_s: cython.double, sample_rate_hz: cython.double,
    other_carrier_hz: cython.double, other_slope_hz_s: cython.double, other_length_s: cython.double, other_period_s: cython.double,
) -> cython.void:  # fmt: skip
    """Add another radar's chirps to a frame (samples, chirps, channels, 2); see `signal.synthesis.add_interference`."""
    samples = frame.shape[0]
    sign = 1.0 if slope_hz_s != 0.0 else -1.0
    lowest = 0.0 if slope_hz_s != 0.0 else -sample_rate_hz / 2
    half = (samples - 1) / 2.0 / sample_rate_hz
    first: cython.longlong
    last: cython.longlong
    for chirp in range(frame.shape[1]):
        for t in range(chirp_time.shape[1]):
            time = chirp_time[chirp, t]
            first = cython.cast(cython.longlong, ceil((time - half - other_length_s / 2) / other_period_s))
            last = cython.cast(cython.longlong, floor((time + half + other_length_s / 2) / other_period_s))
            for q in range(first, last + 1):
                since = time - q * other_period_s  # our chirp's middle after the other's
                difference = carrier_hz - other_carrier_hz - other_slope_hz_s * since
                for n in range(samples):
                    x = n / sample_rate_hz - half
                    beat = sign * (difference + (slope_hz_s - other_slope_hz_s) * x)
                    if not (lowest <= beat < lowest + sample_rate_hz and abs(x + since) <= other_length_s / 2):
                        continue
                    cycles = sign * (difference * x + (slope_hz_s - other_slope_hz_s) * x * x / 2) + phase[chirp, t]
                    for channel in range(frame.shape[2]):
                        if transmitter[channel] == t:
                            angle = 2 * PI * (cycles + channel_cycles[channel])
                            frame[n, chirp, channel, 0] += amplitude * cos(angle)
                            frame[n, chirp, channel, 1] += amplitude * sin(angle)


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def add_plane_noise(
    frame: cython.float[:, :, :, ::1], noise: cython.float[:, :, :, ::1], level: cython.double[::1],
    steering: cython.float[:, ::1], transmitter: cython.longlong[::1],
) -> cython.void:  # fmt: skip
    """Add noise that comes from one direction to a frame (samples, chirps, channels, 2); see `signal.synthesis.add_plane_noise`."""
    scale: cython.float
    a: cython.float
    b: cython.float
    for n in range(frame.shape[0]):
        scale = level[n]
        if scale == 0.0:
            continue
        for i in range(frame.shape[1]):
            for c in range(frame.shape[2]):
                a = scale * noise[n, i, transmitter[c], 0]
                b = scale * noise[n, i, transmitter[c], 1]
                frame[n, i, c, 0] += a * steering[c, 0] - b * steering[c, 1]
                frame[n, i, c, 1] += a * steering[c, 1] + b * steering[c, 0]
