# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Echoes against the equations of cube.py evaluated sample by sample in float64; interference against the integral of its beat."""

import numpy as np
import pytest

from aegis.core.signal import synthesis
from aegis.core.signal.synthesis import Echoes, Receiver

C = 299_792_458.0
RNG = np.random.default_rng(11)


def echoes(points: int, chirps: int, transmitters: int, channels: int, ranges: tuple[float, float]) -> Echoes:
    """Return points that go through range cells, each chirp with its own range, amplitude and range rate."""
    shape = (points, chirps, transmitters)
    start = RNG.uniform(*ranges, (points, 1, 1))
    carrier = start + RNG.uniform(-1, 1, (points, 1, 1)) * np.linspace(0, 2, chirps)[:, None] + np.zeros(shape)
    return Echoes(
        amplitude=RNG.uniform(0.5, 2.0, shape),
        phase=RNG.uniform(size=points),
        carrier_range=carrier,
        envelope_range=carrier + RNG.uniform(0, 3, (points, 1, 1)),
        range_rate=RNG.uniform(-60, 60, shape),
        channel_range=RNG.uniform(-0.05, 0.05, (points, channels)),
    )


def delays(e: Echoes, receiver: Receiver) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return amplitude, tau_c, tau_e and d tau_c / dt, each (points, chirps, channels).

    What arrives at t was reflected at t - tau / 2: c tau = 2 R(t - tau / 2), so that tau = 2 R(t) / (c + v).
    """
    at = receiver.transmitter
    v = e.range_rate[:, :, at]
    shorter = e.channel_range[:, None, :]
    tau_c = (2 * e.carrier_range[:, :, at] - shorter) / (C + v)
    tau_e = (2 * e.envelope_range[:, :, at] - shorter) / (C + v)
    return e.amplitude[:, :, at], tau_c, tau_e, 2 * v / (C + v)


def as_complex(frame: np.ndarray) -> np.ndarray:
    return frame[..., 0] + 1j * frame[..., 1]


@pytest.mark.parametrize(
    ("samples", "chirps", "channels"), [(64, 3, 2), (700, 50, 6)]
)  # below and above a tile and a restart
def test_fmcw_echoes_are_the_equation(samples: int, chirps: int, channels: int):
    receiver = Receiver(np.arange(channels) % 2, 77e9, 2e13, 20e6)
    e = echoes(4, chirps, 2, channels, (5, 100))
    frame = np.full((samples, chirps, channels, 2), 0.25, np.float32)
    synthesis.add_fmcw_echoes(frame, e, receiver)
    a, tau_c, tau_e, change = delays(e, receiver)
    t = ((np.arange(samples) - (samples - 1) / 2) / 20e6)[:, None, None, None]
    # Sent times conjugate of received: the phase 2 pi (f_c t + slope t^2 / 2) less itself tau earlier.
    phase = 77e9 * (tau_c + change * t) + 2e13 * (tau_e * t - tau_e**2 / 2) + e.phase[:, None, None]
    expected = (a * np.exp(2j * np.pi * phase)).sum(axis=1) + 0.25 + 0.25j
    error = np.abs(as_complex(frame) - expected).max()
    assert error < 1e-4 * np.abs(expected).max()  # -80 dB


@pytest.mark.parametrize("slope", [0.0, 5e12])
@pytest.mark.parametrize("width", [0.4e-6, 40e-6])
def test_pulse_echoes_are_the_equation(slope: float, width: float):
    samples, chirps, channels = 1000, 5, 4
    receiver = Receiver(np.arange(channels) % 2, 9.4e9, slope * 1e-6 / width, 20e6)
    e = echoes(3, chirps, 2, channels, (0.5 * C * width, 0.5 * C * 40e-6))
    frame = np.zeros((samples, chirps, channels, 2), np.float32)
    synthesis.add_pulse_echoes(frame, e, receiver, width, width)
    a, tau_c, tau_e, change = delays(e, receiver)
    t = (width + np.arange(samples) / 20e6)[:, None, None, None]
    since = t - tau_e
    pulse = np.where(
        (since >= 0) & (since < width), np.exp(1j * np.pi * receiver.slope_hz_s * (since - width / 2) ** 2), 0
    )
    tau = tau_c + change * (since - width / 2)  # the ranges hold when the pulse's middle arrives
    expected = (a * np.exp(2j * np.pi * (e.phase[:, None, None] - 9.4e9 * tau)) * pulse).sum(axis=1)
    assert np.abs(expected).max() > 0.5
    np.testing.assert_allclose(as_complex(frame), expected, atol=3e-4)


def test_an_echo_outside_the_samples_changes_nothing_and_one_at_the_edge_is_cut():
    receiver = Receiver(np.zeros(1, np.int64), 9.4e9, 0.0, 20e6)
    for begin, expected in ((-30, 0), (-3, 8), (95, 4), (100, 0), (500, 0)):
        tau = (begin + 0.25) / 20e6 + 0.5e-6
        one = np.ones((1, 1, 1))
        e = Echoes(one, np.zeros(1), one * C * tau / 2, one * C * tau / 2, 0 * one, np.zeros((1, 1)))
        frame = np.zeros((100, 1, 1, 2), np.float32)
        synthesis.add_pulse_echoes(frame, e, receiver, 0.5e-6, 0.5e-6)
        assert np.count_nonzero(np.abs(as_complex(frame)) > 0.5) == expected, begin


def beat_of(x: np.ndarray, since: float, other: tuple[float, ...], slope: float) -> np.ndarray:
    """Return our frequency less the other's, at x from the middle of our chirp, `since` after the middle of the other's."""
    return (77e9 + slope * x) - (other[0] + other[1] * (x + since))


def test_interference_is_a_chirp_of_the_beat_within_the_band_only():
    fs, samples, slope = 20e6, 512, 10e12
    other = (77.01e9, -15e12, 40e-6, 50e-6)
    receiver = Receiver(np.zeros(2, np.int64), 77e9, slope, fs)
    time = np.array([[3e-6], [1e-3 + 17e-6]])
    phase = np.array([[0.3], [0.6]])
    frame = np.zeros((samples, 2, 2, 2), np.float32)
    synthesis.add_interference(frame, 2.0, phase, np.array([0.0, 0.25]), time, receiver, other)
    z = as_complex(frame)
    x = (np.arange(samples) - (samples - 1) / 2) / fs
    for chirp in range(2):
        since = (time[chirp, 0] + 25e-6) % 50e-6 - 25e-6
        beat = beat_of(x, since, other, slope)
        inside = (beat >= 0) & (beat < fs) & (np.abs(x + since) <= 20e-6)
        assert 5 < inside.sum() < samples / 4  # a crossing takes fs / (difference of the slopes) = 0.8 us
        np.testing.assert_allclose(np.abs(z[:, chirp, 0]), np.where(inside, 2.0, 0.0), atol=1e-6)
        # Its phase is the integral of the beat: the sum of trapezoids is exact, as the beat is linear.
        run = np.unwrap(np.angle(z[inside, chirp, 0])) / (2 * np.pi)
        steps = (beat[inside][:-1] + beat[inside][1:]) / 2 / fs
        np.testing.assert_allclose((np.diff(run) - steps + 0.5) % 1 - 0.5, 0, atol=1e-5)
        # The other receiver has the plane wave's phase.
        np.testing.assert_allclose(z[inside, chirp, 1] / z[inside, chirp, 0], 1j, atol=1e-5)


def test_interference_of_a_chirp_alike_ours_is_a_constant_tone():
    receiver = Receiver(np.zeros(1, np.int64), 77e9, 10e12, 20e6)
    frame = np.zeros((256, 4, 1, 2), np.float32)
    time = (np.arange(4) * 50e-6)[:, None]
    late = (77e9 - 3e6, 10e12, 40e-6, 50e-6)  # always 3 MHz below
    synthesis.add_interference(frame, 1.0, np.zeros((4, 1)), np.zeros(1), time, receiver, late)
    np.testing.assert_allclose(np.abs(as_complex(frame)), 1.0, atol=1e-6)
    spectrum = np.abs(np.fft.fft(as_complex(frame)[:, 0, 0]))
    assert np.argmax(spectrum) == pytest.approx(256 * 3 / 20, abs=0.5)


def test_a_pulse_receiver_takes_a_sweep_about_its_carrier():
    receiver = Receiver(np.zeros(1, np.int64), 9.4e9, 0.0, 10e6)
    frame = np.zeros((400, 1, 1, 2), np.float32)
    other = (9.4e9, 1e12, 1e-3, 1e-3)
    synthesis.add_interference(frame, 1.0, np.zeros((1, 1)), np.zeros(1), np.zeros((1, 1)), receiver, other)
    z = as_complex(frame)[:, 0, 0]
    inside = np.abs(z) > 0.5
    assert inside.sum() == pytest.approx(10e6 / 1e12 * 10e6, abs=2)  # 10 MHz at 1 MHz a us: 10 us
    slope = np.polyfit(np.flatnonzero(inside)[1:], np.diff(np.unwrap(np.angle(z[inside]))), 1)[0]
    assert slope * 10e6**2 / (2 * np.pi) == pytest.approx(1e12, rel=1e-3)  # upwards, as it was sent


def test_plane_noise_has_its_direction_and_its_level():
    rng = np.random.default_rng(3)
    noise = synthesis.unit_noise(rng, (64, 8, 2, 2))
    cycles = np.array([0.0, 0.2, 0.0, 0.2])
    steering = np.stack([np.cos(2 * np.pi * cycles), np.sin(2 * np.pi * cycles)], axis=1).astype(np.float32)
    level = np.r_[np.zeros(32), np.full(32, 3.0)]
    frame = np.zeros((64, 8, 4, 2), np.float32)
    synthesis.add_plane_noise(frame, noise, level, steering, np.array([0, 0, 1, 1]))
    z = as_complex(frame)
    assert not z[:32].any()
    np.testing.assert_allclose(z[32:, :, 0], 3 * as_complex(noise)[32:, :, 0], rtol=1e-6)
    np.testing.assert_allclose(z[32:, :, 1], z[32:, :, 0] * np.exp(0.4j * np.pi), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(z[32:, :, 2], 3 * as_complex(noise)[32:, :, 1], rtol=1e-6)  # another turn, other noise


def test_rounding_and_saturation():
    values = np.array([0.4, 0.6, -0.6, 2.5, 7.4, 7.6, 1e9, -8.4, -8.6, -1e9], np.float32)
    out = np.empty((1, 1, 5, 2), np.int16)
    assert synthesis.quantise(values.reshape(out.shape), out, 7) == 4
    assert out.ravel().tolist() == [0, 1, -1, 2, 7, 7, 7, -8, -8, -8]
