# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where the echoes of a cell come from: one direction or more; and, with transmitters in turn (TDM), at which range rate.

An echo of Doppler frequency f turns by 2 pi f d in a channel that sends a delay d after the first. What is measured of f is known
up to multiples of 1 / T. With n transmitters in turn, each of the n multiples about 0 is tried: the wrong ones spoil the beam. They
do not always: where the transmitters' own places are alone to tell directions, another direction makes up for it, and the beams
are equal. The strongest is believed where it is clear, otherwise the principal value, the one in the interval 1 / T about 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from aegis.core.signal.beamforming import Array, Complexes
from aegis.core.signal.cube import Waveform
from aegis.core.signal.settings import FrontEndSettings
from aegis.core.types import Floats, Ints

CLEAR_LOG_LIKELIHOOD = math.log(1e4)  # of the strongest hypothesis over the second
JOINT_ROUNDS = 4  # of refining several beams in turn, each without the others


@dataclass
class Echoes:
    """One row an echo."""

    cell: Ints  # (E,) which of the cells
    azimuth: Floats
    elevation: Floats
    error: Floats  # (E, 2, 2) covariance of azimuth and elevation, times the SNR
    frequency: Floats  # (E,) Doppler [Hz]
    weights: Complexes  # (E, M) dotted with the channels: the echo's amplitude in one
    doubt: Floats  # (E, 3) variance of frequency, azimuth and elevation from not knowing which multiple; 0 where it is clear
    unresolved: int  # cells whose range rate is the principal value because no multiple was clear


class Directions:
    """The plan for one waveform."""

    def __init__(self, waveform: Waveform, settings: FrontEndSettings) -> None:
        """Plan."""
        self.settings = settings
        self.array = Array(
            waveform.channel_position,
            waveform.wavelength_m,
            settings.windows.angle,
            settings.windows.chebyshev_sidelobe_db,
        )
        self._delay = waveform.channel_delay_s
        self._period = waveform.chirp_period_s
        turns = len(np.unique(np.round(self._delay / self._period, 6)))
        self.delayed = turns > 1
        self.hypotheses = turns if settings.doppler.ambiguity == "tdm" else 1

    def find(self, snapshot: Complexes, frequency: Floats, noise: Floats) -> Echoes:
        """Return the echoes in some cells.

        Args:
            snapshot: (K, M) a cell's channels.
            frequency: (K,) Doppler, the principal value [Hz].
            noise: (K,) mean noise power of one channel.
        """
        doubt = np.zeros((len(frequency), 3))
        unresolved = 0
        if self.hypotheses > 1:
            frequency, unresolved = self._resolve(snapshot, frequency, noise, doubt)
        z = snapshot * self._turn(frequency)
        azimuth, elevation = self.array.coarse(z)
        amplitude, error = self.array.refine(z, azimuth, elevation)
        if self.settings.beams.per_cell == 1 or not (self.array.finds_azimuth or self.array.finds_elevation):
            cell: Ints = np.arange(len(z))
            weights = self._alone(azimuth, elevation)
        else:
            cell, azimuth, elevation, error, weights = self._separate(z, noise, azimuth, elevation, amplitude, error)
        frequency = frequency[cell]
        return Echoes(
            cell, azimuth, elevation, error, frequency, weights * self._turn(frequency), doubt[cell], unresolved
        )

    def _alone(self, azimuth: Floats, elevation: Floats) -> Complexes:
        """Return (K, M) the weights of the array's beams."""
        out: Complexes = self.array.weights / self.array.weights.sum() * self.array.steering(azimuth, elevation).conj()
        return out

    def _turn(self, frequency: Floats) -> Complexes:
        """Return (K, M) factors that take the Doppler's phase out of the channels."""
        if not self.delayed:
            return np.ones((1, 1), dtype=np.complex128)
        out: Complexes = np.exp(-2j * np.pi * np.multiply.outer(frequency, self._delay))
        return out

    def _resolve(self, snapshot: Complexes, frequency: Floats, noise: Floats, doubt: Floats) -> tuple[Floats, int]:
        """Return (K,) frequencies and how many are not clear; write `doubt` of these."""
        n, K = self.hypotheses, len(frequency)
        multiple = np.ceil(-0.5 * n - frequency * self._period) + np.arange(n)[:, None]
        found = np.empty((n, K, 3))  # frequency, azimuth, elevation
        power = np.empty((n, K))
        for h in range(n):
            trial = frequency + multiple[h] / self._period
            z = snapshot * self._turn(trial)
            azimuth, elevation = self.array.coarse(z)
            power[h] = np.abs(self.array.refine(z, azimuth, elevation)[0]) ** 2
            found[h] = np.column_stack([trial, azimuth, elevation])
        ordered = np.sort(power, axis=0)
        log_likelihood = (power - ordered[-1]) * self.gain / noise
        second = (ordered[-2] - ordered[-1]) * self.gain / noise
        margin = 10.0 ** (self.settings.doppler.tdm_margin_db / 10.0)
        clear = (ordered[-1] >= ordered[-2] * margin) & (second < -CLEAR_LOG_LIKELIHOOD)
        principal = np.argmin(np.abs(multiple), axis=0)
        chosen = np.where(clear, np.argmax(power, axis=0), principal)
        at = found[chosen, np.arange(K)]
        belief = np.exp(np.maximum(log_likelihood, -700.0))
        spread = (belief[..., None] * (found - at) ** 2).sum(axis=0) / belief.sum(axis=0)[:, None]
        doubt[~clear] = spread[~clear]
        return at[:, 0], int((~clear).sum())

    @property
    def gain(self) -> float:
        """Return the SNR of a beam over that of a channel."""
        return float(self.array.weights.sum() ** 2 / (self.array.weights**2).sum())

    def _separate(
        self, z: Complexes, noise: Floats, azimuth: Floats, elevation: Floats, amplitude: Complexes, error: Floats
    ) -> tuple[Ints, Floats, Floats, Floats, Complexes]:
        """Return cell, azimuth, elevation, error and weights of the echoes in cells (K, M) that may hold several.

        Each weaker one is looked for in what the others leave; then all are refined in turn, each without the others.
        """
        most, array = self.settings.beams.per_cell, self.array
        # One false echo in 1 / pfa cells: as many directions are independent as there are channels.
        weakest = -math.log(self.settings.cfar.pfa / z.shape[1]) / self.gain * noise
        margin = 10.0 ** (-self.settings.beams.margin_db / 10.0)
        rest = z - amplitude[:, None] * array.steering(azimuth, elevation)
        beside, _ = array.refine(rest, *array.coarse(rest))
        single = np.abs(beside) ** 2 < np.maximum(weakest, margin * np.abs(amplitude) ** 2)
        cell: Ints = np.flatnonzero(single)
        parts = [(cell, azimuth[cell], elevation[cell], error[cell], self._alone(azimuth[cell], elevation[cell]))]
        for i in np.flatnonzero(~single):
            a, e = azimuth[i : i + 1], elevation[i : i + 1]
            beam, covariance = amplitude[i : i + 1], error[i : i + 1]
            while len(a) < most:
                more = array.coarse((z[i] - beam @ array.steering(a, e))[None])
                trial = _joint(array, z[i], np.append(a, more[0]), np.append(e, more[1]))
                power = np.abs(trial[2]) ** 2
                if power.min() < max(weakest[i], margin * power.max()):
                    break
                a, e, beam, covariance = trial
            # Of several, each one's weights are blind to the others.
            weights = self._alone(a, e) if len(a) == 1 else _blind(array, a, e)
            parts.append((np.full(len(a), i), a, e, covariance, weights))
        cell, azimuth, elevation, error = (np.concatenate([part[k] for part in parts]) for k in range(4))
        order = np.argsort(cell, kind="stable")
        weights = np.concatenate([part[4] for part in parts])
        return cell[order], azimuth[order], elevation[order], error[order], weights[order]


def _blind(array: Array, azimuth: Floats, elevation: Floats) -> Complexes:
    """Return (n, M) weights, each for one direction and with a null in the others."""
    out: Complexes = np.linalg.pinv(array.steering(azimuth, elevation).T).astype(np.complex128)
    return out


def _joint(array: Array, z: Complexes, azimuth: Floats, elevation: Floats) -> tuple[Floats, Floats, Complexes, Floats]:
    """Return azimuths, elevations, amplitudes and errors (n,) of several echoes in one snapshot (M,), refined in turn."""
    a: Floats = azimuth.copy()
    e: Floats = elevation.copy()
    error: Floats = np.empty((len(a), 2, 2))
    beam = _blind(array, a, e) @ z
    for _ in range(JOINT_ROUNDS):
        for j in range(len(a)):
            others = np.arange(len(a)) != j
            alone = z - beam[others] @ array.steering(a[others], e[others])
            value, error[j : j + 1] = array.refine(alone[None], a[j : j + 1], e[j : j + 1])
            beam[j] = value[0]
    return a, e, np.asarray(beam), error
