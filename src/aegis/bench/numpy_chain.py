# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The front end in plain numpy (and scipy's rank filter): the baseline of `aegis bench signal`.

What one writes without compiled code: whole arrays, numpy.fft, CA-CFAR by cumulative sums, OS-CFAR by a rank filter, sub-bin
offsets by the Hann window's closed form, directions by a zero-padded FFT and a parabola. For cubes of I and Q of an FMCW radar
whose transmitters send together, with a line of channels a quarter of a wavelength apart. At the first and last ranges its CFAR
mirrors the map, where ours clips the window.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from aegis.core.signal.cube import Cube, Waveform
from aegis.core.signal.equation import SPEED_OF_LIGHT
from aegis.core.types import Floats, Ints

BEAMS = 64
FINE = 16  # places within a bin that sidelobes are looked at
SIDELOBE_MARGIN = 2.0


class NumpyChain:
    """The chain for one waveform and shape."""

    def __init__(
        self, waveform: Waveform, shape: tuple[int, ...], kind: str, alpha: float, unbias: float, window: tuple[int, int, int, int],
        rank: int,
    ) -> None:  # fmt: skip
        """Plan.

        Args:
            waveform, shape: of the cubes, (samples, chirps, channels, 2).
            kind: "ca" or "os".
            alpha: multiplier of the reference cells' mean, or of the one of this rank.
            unbias: by which that mean, or cell, gives the mean noise.
            window: guard cells in range and Doppler, reference cells in range and Doppler.
            rank: of the ordered cell, from 0.
        """
        samples, chirps, self.channels, _ = shape
        self.kind, self.alpha, self.unbias, self.rank = kind, alpha, unbias, rank
        self.guard, self.half = window[:2], (window[0] + window[2], window[1] + window[3])
        self.footprint = np.ones((2 * self.half[0] + 1, 2 * self.half[1] + 1), dtype=bool)
        self.footprint[window[2] : -window[2], window[3] : -window[3]] = False
        fast, slow = np.hanning(samples + 1)[:-1], np.hanning(chirps + 1)[:-1]
        self.weights = (fast[:, None, None] * slow[:, None]).astype(np.float32)
        self.envelopes = _envelope(fast), _envelope(slow)
        self.range_step = SPEED_OF_LIGHT * waveform.sample_rate_hz / (2.0 * waveform.chirp_slope_hz_s * samples)
        self.rate_step = waveform.range_rate_span_mps / chirps
        self.coupling = waveform.carrier_frequency_hz / waveform.chirp_slope_hz_s

    def step(self, cube: Cube) -> dict[str, Floats]:
        """Return range, range_rate, azimuth and snr_db of the points, by rows and columns of the map."""
        data = cube.data.astype(np.float32)
        x = (data[..., 0] + 1j * data[..., 1]) * self.weights
        z = np.fft.fft(np.fft.fft(x, axis=0), axis=1)
        power = (z.real**2 + z.imag**2).sum(axis=2)
        rows, cols, noise = self._detect(power)
        rows, cols, noise = self._peaks(power, rows, cols, noise)
        chirps = power.shape[1]
        in_range = _offset(power[rows - 1, cols], power[rows, cols], power[rows + 1, cols])
        left, right = power[rows, (cols - 1) % chirps], power[rows, (cols + 1) % chirps]
        in_doppler = _offset(left, power[rows, cols], right)
        doppler = (cols + in_doppler + chirps / 2) % chirps - chirps / 2
        range_rate = doppler * self.rate_step
        azimuth, beam = self._direction(z[rows, cols])
        loss = _response(in_range) * _response(in_doppler)
        return {
            "range": (rows + in_range) * self.range_step - self.coupling * range_rate,
            "range_rate": range_rate,
            "azimuth": azimuth,
            "snr_db": 10.0 * np.log10(beam / (loss**2 * noise)),
        }

    def _detect(self, power: NDArray[Any]) -> tuple[Any, Any, Floats]:
        """Return rows, columns and noise of the cells above the threshold."""
        (h, w), (gh, gw) = self.half, self.guard
        padded = np.pad(np.pad(power, ((h, h), (0, 0)), "symmetric"), ((0, 0), (w, w)), "wrap")
        if self.kind == "os":
            ordered = ndimage.rank_filter(padded, self.rank, footprint=self.footprint)
            reference = ordered[h:-h, w:-w]
        else:
            total = np.pad(padded.astype(np.float64).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))

            def box(a: int, b: int) -> Floats:
                """Return the sums over 2 a + 1 by 2 b + 1 cells."""
                n, m = power.shape
                top, left = h - a, w - b
                low, right = top + 2 * a + 1, left + 2 * b + 1
                return np.asarray(
                    total[low : low + n, right : right + m]
                    - total[top : top + n, right : right + m]
                    - total[low : low + n, left : left + m]
                    + total[top : top + n, left : left + m]
                )

            reference = (box(h, w) - box(gh, gw)) / self.footprint.sum()
        rows, cols = np.nonzero(power > self.alpha * reference)
        return rows, cols, reference[rows, cols] * self.unbias

    def _peaks(self, power: NDArray[Any], rows: Ints, cols: Ints, noise: Floats) -> tuple[Ints, Ints, Floats]:
        """Return the local maxima that the sidelobes of stronger ones do not explain."""
        n, m = power.shape
        around = np.stack([power[np.clip(rows + i, 0, n - 1), (cols + j) % m] for i in (-1, 0, 1) for j in (-1, 0, 1)])
        keep = (power[rows, cols] >= around.max(axis=0)) & (rows > 0) & (rows < n - 1)
        rows, cols, noise = rows[keep], cols[keep], noise[keep]
        strength = power[rows, cols] - noise
        apart = np.abs(rows[:, None] - rows), np.abs(cols[:, None] - cols)
        excess = np.sqrt(power[rows, cols]) - np.sqrt(self.alpha * noise)
        excess = np.maximum(excess**2 * (excess > 0.0), 0.01 * noise)
        reach = self.envelopes[0][apart[0]] * self.envelopes[1][apart[1]] * strength * SIDELOBE_MARGIN
        reach[strength <= strength[:, None]] = 0.0  # only stronger ones count
        keep = excess >= reach.max(axis=1, initial=0.0)
        return rows[keep], cols[keep], noise[keep]

    def _direction(self, snapshot: NDArray[Any]) -> tuple[Floats, Floats]:
        """Return azimuths, and the power of the beam times that of a channel's noise over that of all channels' sum."""
        beams = np.abs(np.fft.fftshift(np.fft.ifft(snapshot, BEAMS, axis=1, norm="forward"), axes=1)) ** 2
        k = np.argmax(beams, axis=1)
        points = np.arange(len(k))
        a, b, c = (beams[points, (k + i) % BEAMS] for i in (-1, 0, 1))
        offset = 0.5 * (a - c) / (a - 2.0 * b + c)
        peak = b - 0.25 * (a - c) * offset
        sine = 2.0 * (k + offset - BEAMS / 2) / BEAMS
        return np.arcsin(np.clip(sine, -1.0, 1.0)), peak


def _envelope(weights: Floats) -> Floats:
    """Return (n,) the largest power that a bin so many bins from a tone's strongest can have, relative to that."""
    n = len(weights)
    spectrum = np.abs(np.fft.fft(weights, FINE * n)) ** 2
    near = np.arange(-FINE // 2, FINE // 2 + 1)
    around = spectrum[(FINE * np.arange(n)[:, None] + near) % (FINE * n)]
    out: Floats = (around / around[0]).max(axis=1)
    return out


def _offset(before: Floats, middle: Floats, after: Floats) -> Floats:
    """Return the offset of a tone from the middle bin under a Hann window, by the larger neighbour."""
    up = after >= before
    ratio = np.sqrt(np.where(up, after, before) / middle)
    return np.asarray(np.where(up, 1.0, -1.0) * (2.0 * ratio - 1.0) / (1.0 + ratio))


def _response(offset: Floats) -> Floats:
    """Return the amplitude of a tone's strongest bin under a Hann window, relative to one at the bin's middle."""
    return np.asarray(np.sinc(offset) / (1.0 - offset**2))
