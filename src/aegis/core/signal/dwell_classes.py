# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a cube's points say of their classes by themselves: the Doppler spectrum of each one's range cell, in its direction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aegis.core.classification.dwell import LEAST_SNR_DB, dwell_signature, says_anything
from aegis.core.classification.track_model import Posterior
from aegis.core.signal.cube import Waveform
from aegis.core.types import N_CLASSES, ClassId, Floats, Ints

MOST_POINTS = 32  # of a cube, the strongest: what the others would cost, their echoes do not pay for
# Below it nothing stands out: then the look says nothing, rather than that there are no moving parts. Chosen on `aegis bench
# dwell_classes`, seeds 1 to 6.
LEAST_PROBABILITY = 0.3
OWN_BINS = 1  # the strongest line in a point's spectrum is no farther from its own
PRIOR = np.ones(N_CLASSES)
NOTHING = np.eye(N_CLASSES)[int(ClassId.UNKNOWN)]


def beam_spectra(
    z: NDArray[np.complex64],
    rows: Ints,
    cols: Ints,
    weights: NDArray[np.complex128],
    waveform: Waveform,
    *,
    conjugated: bool,
) -> NDArray[np.complex128]:
    """Return (P, C) Doppler spectra of points' range cells, in their directions.

    A channel that sends later sees each Doppler's phase turned further (TDM); the weights are those of the point's own Doppler.

    Args:
        z: (ranges, C, M) spectra of the channels.
        rows, cols: (P,) the points' cells.
        weights: (P, M) dotted with the channels, at the points' own Doppler.
        waveform: of the cube.
        conjugated: the channels are to be.
    """
    chirps = z.shape[1]
    delays, transmitter = np.unique(waveform.channel_delay_s, return_inverse=True)
    out = np.zeros((len(rows), chirps), np.complex128)
    apart = (np.arange(chirps)[None, :] - cols[:, None] + chirps // 2) % chirps - chirps // 2
    frequency = apart / (chirps * waveform.chirp_period_s)  # from the point's own [Hz]
    for k, delay in enumerate(delays):
        mine = np.flatnonzero(transmitter == k)
        taken = weights[:, mine]
        for i, row in enumerate(
            rows
        ):  # the channels of one transmitter, one range cell: a product of a matrix and a vector
            cell = z[row][:, mine]
            beam = (cell.conj() if conjugated else cell) @ taken[i]
            out[i] += beam * np.exp(-2j * np.pi * frequency[i] * (delay - delays[0])) if len(delays) > 1 else beam
    return out


def stated_classes(
    z: NDArray[np.complex64], rows: Ints, cols: Ints, weights: NDArray[np.complex128], noise: Floats, snr_db: Floats,
    waveform: Waveform, model: Posterior, *, conjugated: bool,
) -> Floats | None:  # fmt: skip
    """Return (P, N_CLASSES) class probabilities of points, UNKNOWN where nothing stands out; NaN of those that are not looked at;
    None where no point of such a cube says anything.

    Args:
        z, rows, cols, weights, waveform, conjugated: as for `beam_spectra`.
        noise: (P,) the receiver's in a bin of the beam; snr_db: (P,) of the points.
        model: of signatures (`aegis.core.classification.dwell`).
    """
    prf_hz = 1.0 / waveform.chirp_period_s
    if not says_anything(z.shape[1], prf_hz):
        return None
    out = np.full((len(rows), N_CLASSES), np.nan)
    strong = np.flatnonzero(snr_db >= LEAST_SNR_DB)
    strong = strong[np.argsort(-snr_db[strong], kind="stable")[:MOST_POINTS]]
    if not len(strong):
        return out
    spectrum = beam_spectra(z, rows[strong], cols[strong], weights[strong], waveform, conjugated=conjugated)
    # Where another object is stronger in the same range cell, the spectrum is rather of that one.
    chirps = z.shape[1]
    power = np.abs(spectrum)
    power[:, [0, 1, -1]] = 0.0
    off = (power.argmax(axis=1) - cols[strong] + chirps // 2) % chirps - chirps // 2
    own = np.abs(off) <= OWN_BINS
    if own.any():
        found = strong[own]
        said = model.posterior(dwell_signature(spectrum[own], noise[found], prf_hz, waveform.wavelength_m), PRIOR)
        said[said[:, 1:].max(axis=1) < LEAST_PROBABILITY] = NOTHING
        out[found] = said
    return out
