# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""From a cube to cells of range and range rate: windows, range FFT or matched filter, Doppler FFT, power over the channels.

The cube's own layout (channels fastest) is kept throughout, as the FFT of scipy is as fast across it as along it. Whatever the
kind of the waveform, its slope and its data type, the cells' phases end up, after `conjugated`, with the signs of an FMCW cube:
+2 pi f_c tau.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from aegis.core.kernels import cells as kernels
from aegis.core.signal import response
from aegis.core.signal.cube import Cube, CubeError, Waveform, WaveformKind
from aegis.core.signal.equation import SPEED_OF_LIGHT
from aegis.core.signal.response import Complexes
from aegis.core.signal.settings import FrontEndSettings
from aegis.core.signal.windows import window
from aegis.core.types import Floats

LARGEST = 1e10  # of a complex64 sample: beyond, sums of powers could overflow
FEWEST = 4  # samples, and chirps

Array32 = NDArray[np.float32]


@dataclass
class Cells:
    """A frame after the FFTs. Columns are Doppler bins from 0 up, the negative frequencies after the positive ones."""

    z: NDArray[np.complex64]  # (rows, columns, channels)
    power: Array32  # (rows, columns) summed over the channels
    saturated: int  # samples at the ADC's full scale


class RangeDoppler:
    """The plan for one waveform and one shape of cube; `step` reuses its memory."""

    def __init__(self, waveform: Waveform, shape: tuple[int, ...], settings: FrontEndSettings) -> None:
        """Plan.

        Raises:
            CubeError: the waveform and the shape, or the range limits, leave nothing to look at.
        """
        samples, chirps, self.channels = shape[:3]
        if min(samples, chirps) < FEWEST:
            raise CubeError("cube size", f"{samples} samples of {chirps} chirps; {FEWEST} of each are the least")
        self.settings = settings
        self.real = len(shape) == 3  # Cube's complex64 data come here as pairs of float32
        self.pulse = waveform.kind is WaveformKind.PULSE
        falling = waveform.chirp_slope_hz_s < 0.0
        # Of real samples the spectrum's positive half is kept: with a falling chirp, that is the conjugate of the echo.
        self.conjugated = self.pulse or (self.real and falling)
        self._range_inverse = not self.pulse and not self.real and falling

        doppler = window(settings.windows.doppler, chirps, settings.windows.chebyshev_sidelobe_db)
        if self.pulse:
            fast, taps, first_m, step_m, count = self._plan_pulse(waveform, samples)
        else:
            fast = window(settings.windows.range, samples, settings.windows.chebyshev_sidelobe_db)
            taps = fast.astype(np.complex128)
            first_m, count = 0.0, samples // 2 if self.real else samples
            step_m = SPEED_OF_LIGHT * waveform.sample_rate_hz / (2.0 * abs(waveform.chirp_slope_hz_s) * samples)
            self.range_response = response.of_window(fast)
        if self.conjugated or self._range_inverse:
            self.range_response = response.conjugate(self.range_response)
        self.doppler_response = response.of_window(doppler)

        # One row more to either side of what is asked for: a peak needs its neighbours.
        reach = self.range_response.spacing
        looks = settings.coverage
        first = max(0, int((looks.min_range_m - first_m) / step_m) - reach)
        last = count
        if looks.max_range_m > 0.0:
            last = min(count, int(np.ceil((looks.max_range_m - first_m) / step_m)) + reach + 1)
        if last - first < 2 * reach + 1:
            raise CubeError(
                "range limits",
                f"min_range_m {looks.min_range_m:g} and max_range_m {looks.max_range_m:g} leave nothing of the waveform's "
                f"{first_m:.4g} to {first_m + (count - 1) * step_m:.4g} m",
            )
        self._rows = slice(first, last)
        self.first_range_m, self.range_step_m = first_m + first * step_m, step_m
        self.shape = (last - first, chirps)
        self.range_rate_step_mps = waveform.range_rate_span_mps / chirps
        # What a sample's amplitude becomes at the peak of a cell, and its noise power in any cell of one channel.
        weights = np.abs(taps)
        self.signal_gain = float(weights.sum() * doppler.sum()) * (0.5 if self.real else 1.0)
        self.noise_gain = float((weights**2).sum() * (doppler**2).sum())

        per_chirp = self.channels * (1 if self.real else 2)
        self._fast = fast.astype(np.float32)
        self._slow = np.repeat(doppler, per_chirp).astype(np.float32)
        self._mean = np.zeros((samples, per_chirp), dtype=np.float32)
        self._weighted = np.empty((samples, chirps * per_chirp), dtype=np.float32)
        self._power = np.empty(self.shape, dtype=np.float32)

    def _plan_pulse(self, waveform: Waveform, samples: int) -> tuple[Floats, Complexes, float, float, int]:
        """Return the weights of the samples, the filter's taps, the first gate [m], the gates' distance [m], their number."""
        if self.real:
            raise CubeError("cube type", "a pulse radar's cube of real samples; I and Q are needed")
        rate, slope, width = waveform.sample_rate_hz, waveform.chirp_slope_hz_s, waveform.pulse_width_s
        length = max(1, round(width * rate))
        count = samples - length + 1  # gates into which the whole pulse falls
        if count < 1:
            raise CubeError("pulse width", f"a pulse of {length} samples in a window of {samples}")

        def pulse(t: Floats) -> Complexes:
            phase = np.pi * slope * ((t - 0.5 * length) / rate) ** 2
            out: Complexes = np.where((t >= 0.0) & (t < length), np.exp(1j * phase), 0.0)
            return out

        name = self.settings.windows.range if slope != 0.0 else "none"
        taper = window(name, length, self.settings.windows.chebyshev_sidelobe_db)
        taps: Complexes = pulse(np.arange(length, dtype=np.float64) + 0.5) * taper
        self.range_response = response.of_pulse(taps, pulse, slope == 0.0)
        self._length = fft.next_fast_len(samples)
        # The cross-correlation's spectrum. Only gates that the circular one gets right are kept.
        self._filter = fft.fft(taps, self._length).conj().astype(np.complex64)[:, None]
        step_m = SPEED_OF_LIGHT / (2.0 * rate)
        # The echo begins, on average, half a sample before the first sample that it is in.
        return np.ones(samples), taps, (waveform.first_sample_s * rate - 0.5) * step_m, step_m, count

    def step(self, cube: Cube) -> Cells:
        """Return the cells of a cube of this plan; they are overwritten by the next one's.

        Raises:
            CubeError: a sample is not finite, or beyond any receiver.
        """
        data: NDArray[Any] = np.ascontiguousarray(cube.data)
        if data.dtype == np.complex64:
            data = data.view(np.float32)
        samples = len(data)
        data = data.reshape(samples, -1)
        if self.settings.doppler.remove_static:
            per_chirp = self._mean.shape[1]
            np.mean(data.reshape(samples, -1, per_chirp), axis=1, dtype=np.float32, out=self._mean)
        saturated = 0
        if data.dtype == np.int16:
            full = self.settings.adc_full_scale
            if data.max() >= full or data.min() <= -full:
                saturated = int(np.count_nonzero((data >= full) | (data <= -full)))
        elif not within(data, LARGEST):
            raise CubeError("sample value", f"a sample is not finite, or larger than {LARGEST:g}")
        weigh(data, self._fast, self._slow, self._mean if self.settings.doppler.remove_static else None, self._weighted)
        chirps = self.shape[1]
        if self.real:
            spectrum: NDArray[Any] = fft.rfft(self._weighted.reshape(samples, chirps, self.channels), axis=0)
        else:
            weighted = self._weighted.view(np.complex64)
            if self.pulse:
                spectrum = fft.fft(weighted, self._length, axis=0, overwrite_x=True)
                spectrum *= self._filter
                spectrum = fft.ifft(spectrum, axis=0, overwrite_x=True)
            elif self._range_inverse:
                spectrum = fft.ifft(weighted, axis=0, norm="forward", overwrite_x=True)
            else:
                spectrum = fft.fft(weighted, axis=0, overwrite_x=True)
            spectrum = spectrum.reshape(-1, chirps, self.channels)
        rows = spectrum[self._rows]
        turned = fft.ifft if self.conjugated else fft.fft
        z = turned(rows, axis=1, norm="forward" if self.conjugated else None, overwrite_x=True)
        kernels.sum_power(z.view(np.float32), self._power)
        return Cells(z, self._power, saturated)


def weigh(data: NDArray[Any], fast: Array32, slow: Array32, mean: Array32 | None, out: Array32) -> None:
    """Write (data - mean) times both windows.

    Args:
        data: (S, chirps * K) int16 or float32; fast: (S,); slow: (chirps * K,).
        mean: (S, K), if it is to be taken off.
        out: (S, chirps * K), to be written.
    """
    if data.dtype == np.int16:
        off = np.zeros((1, 1), np.float32) if mean is None else mean
        kernels.weigh(np.require(data, requirements=["C", "W"]), fast, slow, off, mean is not None, out)
        return
    np.multiply(fast[:, None], slow, out=out)
    if mean is None:
        out *= data
    else:
        by_chirp = out.reshape(len(data), -1, mean.shape[1])
        by_chirp *= data.reshape(by_chirp.shape) - mean[:, None]


def within(data: Array32, limit: float) -> bool:
    """Tell whether every sample is finite and no larger than the limit."""
    return bool(data.max() <= limit and data.min() >= -limit)  # NaN is neither
