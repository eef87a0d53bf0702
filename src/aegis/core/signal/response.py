# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a point target looks like in the cells about its peak, and from it where between the cells it is.

Three cells a spacing apart, k - D, k, k + D, hold A h_i(delta) + noise: a complex amplitude, the response of the window (or of the
matched filter) to a target `delta` cells from the middle one, and noise whose correlation between cells the window gives. The
offset is the maximum-likelihood one: scoring on delta and A, with the weights tabulated over delta. It has no bias besides that
of the tables (below 1e-4 cells), for any window, and an error that the same tables state:

    var(delta) = noise / (2 |A|^2 information(delta)),

with the noise of one cell. With a Hann window that is 0.68 to 0.86 / sqrt(2 SNR) cells, SNR as at the peak of the response; the
Cramer-Rao bound of all samples, unweighted, would be 0.45 (Richards, Fundamentals of Radar Signal Processing, 2nd ed., 7.3).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from aegis.core.kernels import cells as kernels
from aegis.core.types import Floats, Ints

Complexes = NDArray[np.complex128]
Table = Callable[[Floats], Complexes]

POINTS = 257  # of the tables
REACH = 0.75  # of the tables, to either side, in spacings
HALF = 8  # offsets in half a cell that the envelope is taken over


class Response(NamedTuple):
    """Tables over the offset, `POINTS` from -reach to reach cells."""

    spacing: int  # D
    reach: float
    amplitude: Complexes  # (POINTS, 3) dotted with the three cells: A
    offset: Complexes  # (POINTS, 3) real part of the dot product over A: what is missing in the offset
    gain: Floats  # (POINTS,) |response| of the middle cell
    information: Floats  # (POINTS,)
    envelope: Floats  # (n,) largest power in a cell so many cells from the peak's cell, relative to that one's
    alike: Floats  # (n,) correlation of the noise power of cells so many apart


def of_window(weights: Floats) -> Response:
    """Return the response of a DFT of samples under a window (n,) real; cells are its bins."""
    n = len(weights)
    centre = (weights * np.arange(n)).sum() / weights.sum()
    # Each cell's phase is its own; the offset's is taken at the middle, where it does not turn with the offset.
    samples = np.arange(n) - centre

    def response(x: Floats) -> Complexes:
        turn = np.exp((-2j * np.pi / n) * np.multiply.outer(x, samples))
        out: Complexes = turn @ weights / weights.sum()
        return out

    lags = np.fft.fft(weights**2) / (weights**2).sum() * np.exp(2j * np.pi * centre * np.arange(n) / n)
    around = np.abs(np.fft.fft(weights, 2 * HALF * n))
    magnitude = around[np.add.outer(np.arange(-HALF, HALF + 1), 2 * HALF * np.arange(n))]  # the spectrum is circular
    return _tables(response, lags, 1, magnitude, np.exp(-2j * np.pi * centre / n))


def of_pulse(replica: Complexes, pulse: Table, unmodulated: bool) -> Response:
    """Return the response of a matched filter; cells are samples.

    Args:
        replica: (L,) the filter's taps are its conjugate: the pulse in the middle of every sample, under a window.
        pulse: the pulse sent, by samples after its beginning, of magnitude 1; 0 outside.
        unmodulated: it has no phase: its response is a triangle, between samples too.
    """
    n = len(replica)
    total = np.abs(replica).sum()

    def response(x: Floats) -> Complexes:
        if unmodulated:
            triangle: Complexes = np.maximum(1.0 - np.abs(x) / n, 0.0).astype(np.complex128)
            return triangle
        out: Complexes = pulse(np.add.outer(x, np.arange(n) + 0.5)) @ replica.conj() / total
        return out

    lags = signal.correlate(replica, replica)[n - 1 :] / (np.abs(replica) ** 2).sum()
    # By the offset within a cell (rows), and by whole cells.
    offsets = np.arange(-HALF, HALF + 1) / (2.0 * HALF)
    if unmodulated:
        magnitude = response(np.add.outer(offsets, np.arange(float(n + 1)))).real
    else:
        sent = (pulse(np.arange(-1.0, n + 1.0) + 0.5 + offset) for offset in offsets)
        magnitude = np.abs([signal.correlate(p, replica)[n:] for p in sent]) / total
    half = np.argmax(magnitude[HALF] < 0.5)  # the first whole cell that is below
    below, above = magnitude[HALF, half], magnitude[HALF, half - 1]
    spacing = max(1, round(float(half - 1 + (above - 0.5) / (above - below))))
    return _tables(response, lags, spacing, magnitude, 1.0)


def _tables(response: Table, correlation: Complexes, spacing: int, magnitude: Floats, cell_phase: complex) -> Response:
    """Return the response.

    Args:
        response: by cells from the target.
        correlation: (n,) of the noise, by whole cells; 0 beyond.
        spacing: D.
        magnitude: (2 HALF + 1, n) of the response: rows are offsets from -1/2 to 1/2, columns whole cells from 0.
        cell_phase: by which the noise of a cell, and the response, is turned from one cell to the next.
    """
    delta = np.linspace(-REACH * spacing, REACH * spacing, POINTS)
    place = np.array([-spacing, 0, spacing])
    phase = cell_phase**place
    step = 1e-3 * spacing

    def cells(offset: Floats) -> Complexes:
        out: Complexes = phase * response(np.subtract.outer(-offset, -place))
        return out

    h, slope = cells(delta), (cells(delta + step) - cells(delta - step)) / (2.0 * step)
    lag = np.abs(np.subtract.outer(place, place))
    noise = np.append(correlation, 0.0)[np.minimum(lag, len(correlation))]
    noise = np.where(place[:, None] >= place, noise, noise.conj())
    noise = noise * np.outer(phase, phase.conj())
    inverse = np.linalg.inv(noise + 1e-9 * np.eye(3))

    def inner(a: Complexes, b: Complexes) -> Any:
        return np.einsum("gi,ij,gj->g", a.conj(), inverse, b)

    amplitude = (h.conj() @ inverse) / inner(h, h)[:, None]
    across = slope - h * (inner(h, slope) / inner(h, h))[:, None]  # what no change of A can imitate
    information = np.ascontiguousarray(inner(across, across).real)
    offset = (across.conj() @ inverse) / information[:, None]
    return Response(
        spacing, REACH * spacing, np.ascontiguousarray(amplitude), np.ascontiguousarray(offset), np.abs(h[:, 1]),
        information, (magnitude / magnitude[:, :1]).max(axis=0) ** 2,
        np.abs(correlation) ** 2,
    )  # fmt: skip


def conjugate(r: Response) -> Response:
    """Return the response of conjugated cells."""
    return r._replace(amplitude=r.amplitude.conj(), offset=r.offset.conj())


def locate(before: complex, middle: complex, after: complex, response: Response) -> tuple[float, complex, float, float]:
    """Return the offset [cells] from the middle cell, the amplitude at the peak, the middle cell's gain, the information."""
    found: tuple[float, complex, float, float] = kernels.locate(before, middle, after, *_line(response))
    return found


def measure(
    z: NDArray[np.complex64], rows: Ints, cols: Ints, weights: Complexes, conjugated: bool,
    by_range: Response, by_doppler: Response,
) -> Floats:  # fmt: skip
    """Return (K, 6) of the echo in each cell: offsets in range and Doppler [cells], power in a channel at the peak; what to
    multiply the SNR with for the information on both offsets, and for the SNR of the cell itself.

    Args:
        z: (R, D, M) cells; none of rows is nearer to the first or last than the response's spacing.
        rows, cols: (K,).
        weights: (K, M) dotted with the channels: the echo's amplitude.
        conjugated: the cells are conjugates.
        by_range, by_doppler: responses.
    """
    out = np.empty((len(rows), 6))
    kernels.measure(
        z,
        rows,
        cols,
        weights,
        conjugated,
        by_range.spacing,
        *_line(by_range),
        by_doppler.spacing,
        *_line(by_doppler),
        out,
    )
    return out


def _line(response: Response) -> tuple[float, Complexes, Complexes, Floats, Floats]:
    """Return what the kernels need of a response."""
    return response.reach, response.amplitude, response.offset, response.gain, response.information
