# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the receiver hears where no echo of its own is: noise, and who jams it. Measured here, judged in `core/ew`.

Receive-only cells are those of the farthest quarter of the ranges, off the ground's range rates, that do not stand out of their
median: echoes fall with the fourth power of range, a jammer is in every cell. Powers come from a lattice of cells that is wide
enough for windowed neighbours to be independent.

The beams are formed by the receivers alone: a jammer's way is one way. Channels of one transmitter have the same delay; twice the
distances of their phase centres are those of their receivers.

Kurtosis and bursts need time series: the farthest quarter of the beats of a dechirped chirp (by a smooth filter, its edges
dropped), or the farthest gates of a pulse.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from aegis.core.ew.statistics import spectral_kurtosis
from aegis.core.signal.cube import Cube, Waveform, WaveformKind
from aegis.core.types import Floats, Ints, ReceiverNoise

FARTHEST = 0.25  # share of the ranges
FEWEST_ROWS = 4
SPACING = 2  # cells of the lattice: of Hann windows, neighbours' powers correlate by 0.03 then
OFF_GROUND = 3  # Doppler cells about 0 that are left out
STANDS_OUT = 1e-4  # probability that noise stands out so far that its cell is left out
BURST_PROBABILITY = 1e-6
MOST_CELLS = 2048
SEGMENTS = 3  # of the gates: an echo is in one or two of them, a tone in all
POWERS = 256  # M of the kurtosis, where there are so many chirps and transmitters
EDGE = 0.125  # of the filtered time series to either side
_LEAST = 1e-300


class ReceiveOnly:
    """The plan for one waveform and shape of cube."""

    def __init__(
        self,
        waveform: Waveform,
        samples: int,
        shape: tuple[int, int],
        conjugated: bool,
        noise_gain: float,
        *,
        real: bool,
    ) -> None:
        """Plan.

        Args:
            waveform: of the cube.
            samples: in fast time.
            shape: of the range-Doppler map.
            conjugated: the cells are the conjugate of what the channels' positions say.
            noise_gain: of a cell, for noise of a sample.
            real: the samples are real; they do not tell from which side something comes, and make no beams.
        """
        self._waveform, self._noise_gain, self._conjugated = waveform, noise_gain, conjugated
        rows, columns = shape
        many = min(rows, max(FEWEST_ROWS, round(FARTHEST * rows)))
        row = np.arange(rows - many, rows, SPACING)
        column = np.arange(0, columns, SPACING)
        off = np.minimum(column, columns - column) >= OFF_GROUND
        column = column[off] if off.any() else column
        stride = max(1, -(-len(row) * len(column) // MOST_CELLS))
        r, c = np.meshgrid(row, column, indexing="ij")
        self._rows: Ints = r.ravel()[::stride]
        self._columns: Ints = c.ravel()[::stride]

        delay = waveform.channel_delay_s
        self._groups = [np.flatnonzero(delay == value) for value in np.unique(delay)]
        channels = len(delay)
        self._channels = channels
        # As of one channel: what a jammer adds is the same in all of them, and must not stand out by that.
        self._out = -float(np.log(STANDS_OUT)) / float(np.log(2.0))
        self._azimuth, self._steering, self.beamwidth = self._beams() if not real else (np.empty(0), None, float("nan"))

        fmcw = waveform.kind is WaveformKind.FMCW
        self._fmcw = fmcw
        self._real = real
        spectrum = samples // 2 if real else samples
        band = max(8, round(FARTHEST * spectrum))
        self._band = slice(spectrum - band, spectrum) if fmcw else slice(samples - max(8, samples // 2), samples)
        if fmcw and waveform.chirp_slope_hz_s < 0.0 and not real:  # the farthest beats are the most negative
            self._band = slice(1, 1 + band)
        self._taper = np.hanning(band + 2)[1:-1].astype(np.float32)
        # Of each transmitter one channel: a jammer's noise is another while another sends.
        self._some = np.array([group[0] for group in self._groups])

    def _beams(self) -> tuple[Floats, NDArray[np.complex128] | None, float]:
        """Return azimuths (B,), steering (receivers, B) and the beamwidth of the receivers beside one another; none of one."""
        group = self._groups[0]
        if len(group) < 2 or any(len(other) != len(group) for other in self._groups):
            return np.empty(0), None, float("nan")
        position = self._waveform.channel_position[group]
        position = position - position.mean(axis=0)
        for other in self._groups[1:]:
            place = self._waveform.channel_position[other]
            if not np.allclose(place - place.mean(axis=0), position, atol=1e-2 * self._waveform.wavelength_m):
                return np.empty(0), None, float("nan")
        wavenumber = 4.0 * np.pi / self._waveform.wavelength_m
        across = np.unique(np.round(position[:, 1] / self._waveform.wavelength_m, 3))
        if len(across) < 2:
            return np.empty(0), None, float("nan")
        aperture = 2.0 * (np.ptp(across) * len(across) / (len(across) - 1))  # of the receivers [wavelengths]
        many = 2 * int(np.ceil(2.0 * aperture)) + 1
        sine = np.linspace(-1.0, 1.0, many + 2)[1:-1]
        azimuth = np.arcsin(sine)
        direction = np.stack([np.cos(azimuth), sine, np.zeros(many)])
        phase = wavenumber * (position @ direction)
        return azimuth, np.exp(-1j * phase), float(0.886 / aperture)

    def measure(self, cube: Cube, z: NDArray[np.complex64], power: NDArray[np.float32]) -> ReceiverNoise:
        """Return what is heard.

        Args:
            cube: the frame.
            z: (rows, columns, channels) its cells.
            power: (rows, columns) their power, summed over the channels.
        """
        w = self._waveform
        cell_power = power[self._rows, self._columns].astype(np.float64)
        kept = cell_power <= self._out * float(np.median(cell_power))
        n = int(kept.sum())
        mean = float(cell_power[kept].mean()) / (self._channels * self._noise_gain) if n else 0.0
        out = ReceiverNoise(
            stamp_ns=cube.stamp_ns,
            frame_id=cube.frame_id,
            sequence=cube.sequence,
            sensor_id=cube.sensor_id,
            carrier_frequency=w.carrier_frequency_hz,
            bandwidth=w.sample_rate_hz,
            power_db=_db(mean),
            cells=float(n * self._channels),
            beamwidth=self.beamwidth,
            beam_cells=float(n * len(self._groups)),
            simultaneous=True,
            azimuth=self._azimuth,
            elevation=np.full(len(self._azimuth), np.nan),
            beam_power_db=self._beam_power_db(z, kept),
        )
        self._time_series(cube, out)
        return out

    def _beam_power_db(self, z: NDArray[np.complex64], kept: NDArray[np.bool_]) -> Floats:
        if self._steering is None or not kept.any():
            return np.full(len(self._azimuth), np.nan)
        snapshot = z[self._rows[kept], self._columns[kept]].astype(np.complex128)
        if self._conjugated:
            snapshot = snapshot.conj()
        total = np.zeros(len(self._azimuth))
        for group in self._groups:
            some = snapshot[:, group]
            covariance = some.T @ some.conj() / len(some)
            total += np.einsum("cb,cd,db->b", self._steering.conj(), covariance, self._steering).real
        receivers = len(self._groups[0])
        out: Floats = 10.0 * np.log10(np.maximum(total / (len(self._groups) * receivers * self._noise_gain), _LEAST))
        return out

    def _time_series(self, cube: Cube, out: ReceiverNoise) -> None:
        """Fill in kurtosis and bursts."""
        chirps = cube.data.shape[1]
        some = self._some[: max(1, -(-POWERS // chirps))]
        data: NDArray[Any] = cube.data[:, :, some]
        if data.ndim == 4:
            data = data[..., 0] + np.complex64(1j) * data[..., 1]
        series = self._far(data.astype(np.float32 if self._real else np.complex64))
        m = series.shape[1]
        if m < 4 or len(series) < 4:
            return
        powers = np.abs(series) ** 2
        # Kurtosis by frequency.
        if self._fmcw:
            segments = [series]
        else:
            segments = np.array_split(series, SEGMENTS)
            segments = [part[: min(map(len, segments))] for part in segments]
        taper = np.hanning(len(segments[0]) + 2)[1:-1].astype(np.float32)[:, None]
        estimates = [spectral_kurtosis(np.abs(fft.fft(part * taper, axis=0)) ** 2) for part in segments]
        finite = np.nan_to_num(np.stack(estimates).astype(np.float64), nan=1.0)
        out.kurtosis_samples, out.kurtosis_bins = m, finite.shape[1]
        out.kurtosis_median = float(np.median(finite))
        if not self._fmcw:
            out.kurtosis_least = float(finite.max(axis=0).min())
        # Bursts.
        floor = float(np.median(powers)) / np.log(2.0)
        hit = powers > -np.log(BURST_PROBABILITY) * floor
        out.bursts, out.burst_samples, out.burst_probability = int(hit.sum()), int(hit.size), BURST_PROBABILITY
        if out.bursts:
            out.burst_power_db = _db(float(powers[hit].mean()) / max(floor, _LEAST))
            out.burst_repeats = float(hit.mean(axis=1).max())

    def _far(self, data: NDArray[Any]) -> NDArray[np.complex64]:
        """Return (times, chirps) what is left without echoes."""
        data = data.reshape(len(data), -1)
        if not self._fmcw:
            return data[self._band]
        spectrum = fft.rfft(data, axis=0) if self._real else fft.fft(data, axis=0)
        series = fft.ifft(spectrum[self._band] * self._taper[:, None], axis=0)
        edge = round(EDGE * len(series))
        out: NDArray[np.complex64] = series[edge : len(series) - edge]
        return out


def _db(power: float) -> float:
    return 10.0 * float(np.log10(max(power, _LEAST)))
