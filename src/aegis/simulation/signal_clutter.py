# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Surface clutter of a scenario in the cells of a simulated radar."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from aegis.core.signal import clutter, equation
from aegis.core.signal.cube import Waveform, WaveformKind
from aegis.core.types import Floats
from aegis.simulation.scenario_effects import Clutter
from aegis.simulation.signal_paths import Sight


class SurfaceClutter:
    """The surface at z = 0 in front of the sensor, in patches of one range cell and one beam of the array.

    Its texture is drawn once, and so is the speckle where nothing moves; otherwise that is new with every scan.

    Args:
        item: of the scenario.
        height_m: of the sensor above the surface.
        ranges_m: (ranges,) of the range cells, evenly spaced.
        beams: patches beside one another, evenly spaced in the sine of the azimuth.
        chirps: of a frame, of each transmitter.
        rng: random generator.
        turn: (3, 3) from a level sensor's frame, which looks the same way, to that of the sensor.
    """

    def __init__(
        self, item: Clutter, height_m: float, ranges_m: Floats, beams: int, chirps: int, rng: np.random.Generator, turn: Floats
    ) -> None:  # fmt: skip
        self.item = item
        self._chirps = chirps
        nearest = max(item.from_m, height_m, ranges_m[1] - ranges_m[0])
        first, last = np.searchsorted(ranges_m, [nearest, item.to_m], side="right")
        self.cells = slice(int(first), max(int(first), int(last)))
        self._range_m = ranges_m[self.cells]
        edges = np.arcsin(np.linspace(-1.0, 1.0, beams + 1))
        azimuth = np.arcsin((np.arange(beams) + 0.5) * 2 / beams - 1)
        area = (ranges_m[1] - ranges_m[0]) * self._range_m[:, None] * np.diff(edges)
        up = -height_m / self._range_m[:, None]
        ground = np.sqrt(1 - up**2)
        self.direction = (
            np.stack(np.broadcast_arrays(ground * np.cos(azimuth), ground * np.sin(azimuth), up), axis=-1) @ turn.T
        )  # (ranges, beams, 3)
        size = (len(self._range_m), beams)
        texture = np.ones(size)
        if item.distribution == "k":
            texture = clutter.k_texture(float(item.shape or 1), size, rng)
        elif item.distribution == "weibull":
            texture = clutter.weibull_texture(float(item.shape or 2), size, rng)
        self._amplitude = np.sqrt(equation.from_db(item.density_db) * area * texture) / self._range_m[:, None] ** 2
        self._still = self._speckle(1, rng) if item.spread_mps == 0 else None

    def _speckle(self, lines: int, rng: np.random.Generator) -> NDArray[Any]:
        shape = (len(self._range_m), lines, self._amplitude.shape[1], 2)
        pair = rng.standard_normal(shape, dtype=np.float32) * np.float32(math.sqrt(0.5))
        return np.asarray(pair.view(np.complex64)[..., 0])

    def tune(self, waveform: Waveform, sight: Sight, unit: float, seen: NDArray[np.bool_]) -> None:
        """Take a waveform.

        Args:
            waveform: of the radar.
            sight: of the radar.
            unit: amplitude of a sample for a square root of RCS over range squared of 1.
            seen: (ranges, beams) what is illuminated.
        """
        sign = -1.0 if waveform.kind is WaveformKind.FMCW else 1.0
        cycles = sign * 2 * (self.direction @ waveform.channel_position.T) / waveform.wavelength_m
        self._steering = np.exp(2j * np.pi * cycles).astype(np.complex64)  # (ranges, beams, channels)
        pattern = sight.pattern(self.direction.reshape(-1, 3)).reshape(seen.shape)
        self._level = (unit * self._amplitude * pattern * seen).astype(np.float32)
        spread_hz = 2 * self.item.spread_mps / waveform.wavelength_m
        frequency, weight = clutter.doppler_lines(spread_hz, self._chirps, waveform.chirp_period_s)
        chirp_time = np.arange(self._chirps) * waveform.chirp_period_s
        self._motion = np.exp(2j * np.pi * frequency[:, None] * chirp_time).astype(np.complex64)
        delay = np.exp(2j * np.pi * frequency[:, None] * waveform.channel_delay_s)
        self._lines = (weight[:, None] * delay).astype(np.complex64)

    def echoes(self, rng: np.random.Generator) -> NDArray[np.complex64]:
        """Return the amplitude of every range cell in `cells`, complex64 (cells, chirps, channels)."""
        speckle = self._speckle(len(self._lines), rng) if self._still is None else self._still
        return clutter.patch_echoes(speckle, self._level, self._steering, self._lines, self._motion)


def range_cells(waveform: Waveform, samples: int) -> Floats:
    """Return the ranges [m] of the cells that `add_cells` takes."""
    if waveform.kind is WaveformKind.FMCW:
        cell_s = waveform.sample_rate_hz / (samples * waveform.chirp_slope_hz_s)
        return np.arange(samples) * cell_s * equation.SPEED_OF_LIGHT / 2
    length = pulse_samples(waveform)
    start_s = waveform.first_sample_s - (length - 0.5) / waveform.sample_rate_hz
    delay_s = start_s + np.arange(samples + length - 1) / waveform.sample_rate_hz
    return delay_s * equation.SPEED_OF_LIGHT / 2


def pulse_samples(waveform: Waveform) -> int:
    """Return the samples that a pulse covers."""
    return max(round(waveform.pulse_width_s * waveform.sample_rate_hz), 1)


def add_cells(frame: NDArray[np.float32], cells: NDArray[Any], waveform: Waveform) -> None:
    """Add echoes that come from the middle of range cells to a frame (samples, chirps, channels, 2).

    Args:
        frame: float32, C order.
        cells: complex64 (cells, chirps, channels), a row for each of `range_cells`.
        waveform: of the radar.
    """
    samples = len(frame)
    if waveform.kind is WaveformKind.FMCW:
        out = scipy.fft.ifft(cells, axis=0, norm="forward", overwrite_x=True)
    else:
        length = pulse_samples(waveform)
        since = (np.arange(length) + 0.5) / waveform.sample_rate_hz - waveform.pulse_width_s / 2
        pulse = np.exp(1j * np.pi * waveform.chirp_slope_hz_s * since**2).astype(np.complex64)
        size = scipy.fft.next_fast_len(len(cells) + length - 1)
        spectrum = scipy.fft.fft(cells, size, axis=0) * scipy.fft.fft(pulse, size)[:, None, None]
        out = scipy.fft.ifft(spectrum, axis=0)[length - 1 : length - 1 + samples]
    frame.view(np.complex64)[..., 0] += out
