# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Directions from the phases between channels: a coarse beam by FFT or steering matrix, then the maximum itself.

Channel c of an echo from the unit vector u holds A exp(-j 4 pi / lambda p_c . u): `p` are phase centres, so the phase is two-way.
Where the array has no vertical (or no horizontal) extent, the echo is taken to come from the horizon (from the axis).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from aegis.core.kernels import cells as kernels
from aegis.core.signal.settings import WindowName
from aegis.core.signal.windows import taper
from aegis.core.types import Floats, Ints

OVERSAMPLING = 4  # coarse beams to a beamwidth
EXTENT = 1e-2  # of an array along an axis that counts [wavelengths]
LINE = 1e-2  # elements are on one line where they extend no more than this share across it
LATTICE = 1e-2  # how far from a lattice an element may be [wavelengths]
LARGEST_LATTICE = 4096  # places, with holes; beyond, the steering matrix is used
LARGEST_GRID = 65_536  # directions of the steering matrix
LARGEST_BATCH = 2**20  # beams in memory

Complexes = NDArray[np.complex128]


class Array:
    """The virtual array of one waveform, at one wavelength."""

    def __init__(self, position: Floats, wavelength_m: float, name: WindowName, sidelobe_db: float) -> None:
        """Plan beams for channels at these phase centres (M, 3) [m]."""
        self.position = np.ascontiguousarray(position - position.mean(axis=0))
        self.wavenumber = 4.0 * np.pi / wavelength_m
        self.weights = taper(name, position[:, 1], sidelobe_db) * taper(name, position[:, 2], sidelobe_db)
        extent = np.ptp(position, axis=0) / wavelength_m
        self.finds_azimuth = bool(max(extent[0], extent[1]) > EXTENT)
        self.finds_elevation = bool(extent[2] > EXTENT)
        if self.finds_azimuth and self.finds_elevation:
            # Elements on one slanted line tell no two angles: what they tell is taken as the one that they extend in more.
            spread = np.linalg.svd(self.position, compute_uv=False)
            if spread[1] < LINE * spread[0]:
                self.finds_azimuth = bool(max(extent[0], extent[1]) >= extent[2])
                self.finds_elevation = not self.finds_azimuth
        self.flat = bool(extent[0] <= EXTENT)  # then behind cannot be told from in front
        self._lattice = _lattice(self.position, wavelength_m) if self.flat else None
        if self._lattice is None:
            self.azimuth, self.elevation = self._grid(extent)
            direction = unit_vectors(self.azimuth, self.elevation)
            self._steering = np.exp(1j * self.wavenumber * (self.position @ direction.T)).astype(np.complex64)
        else:
            self.azimuth, self.elevation = self._lattice_directions(wavelength_m)

    def _grid(self, extent: Floats) -> tuple[Floats, Floats]:
        """Return (G,) azimuths and elevations a fraction of a beam apart."""
        half_turn = np.pi / 2 if self.flat else np.pi
        size = np.array([extent[:2].max(), extent[2]]) * 2.0  # beams in a unit of direction cosine
        azimuths, elevations = np.zeros(1), np.zeros(1)
        across = self.finds_elevation and self.finds_azimuth
        share = math.sqrt(LARGEST_GRID) if across else LARGEST_GRID
        if self.finds_azimuth:
            n = int(min(2 * half_turn * size[0] * OVERSAMPLING, share)) + 8
            azimuths = -half_turn + 2 * half_turn * (np.arange(n) + 0.5) / n
        if self.finds_elevation:
            n = int(min(np.pi * max(size[1], size[0] * across) * OVERSAMPLING, share)) + 8
            elevations = -np.pi / 2 + np.pi * (np.arange(n) + 0.5) / n
        a, e = np.meshgrid(azimuths, elevations, indexing="ij")
        return a.ravel(), e.ravel()

    def _lattice_directions(self, wavelength_m: float) -> tuple[Floats, Floats]:
        """Return (G,) the azimuths and elevations of the FFT's bins, and keep which of them are directions at all."""
        assert self._lattice is not None
        places, pitch = self._lattice
        self._size = [1, 1]
        cosines = [np.zeros(1), np.zeros(1)]
        for axis, wanted in enumerate((self.finds_azimuth, self.finds_elevation)):
            if wanted:
                count = int(places[:, axis].max()) + 1
                self._size[axis] = fft.next_fast_len(OVERSAMPLING * count)
                cosines[axis] = fft.fftfreq(self._size[axis]) * wavelength_m / (2.0 * pitch[axis])
        row, column = (places[:, axis] * (self._size[axis] > 1) for axis in range(2))
        self._places = np.atleast_1d(row * self._size[1] + column)
        y, z = (c.ravel() for c in np.meshgrid(*cosines, indexing="ij"))
        visible = y**2 + z**2 < 1.0
        self._visible = np.flatnonzero(visible)
        y, z = y[visible], z[visible]
        elevation = np.arcsin(z)
        return np.arcsin(np.clip(y / np.cos(elevation), -1.0, 1.0)), elevation

    def coarse(self, snapshot: Complexes) -> tuple[Floats, Floats]:
        """Return (K,) azimuth and elevation of the strongest coarse beam of each snapshot (K, M)."""
        weighted = (snapshot * self.weights).astype(np.complex64)
        many = max(1, LARGEST_BATCH // len(self.azimuth))
        best = np.empty(len(weighted), dtype=np.int64)
        for begin in range(0, len(weighted), many):
            beams = self._beams(weighted[begin : begin + many])
            best[begin : begin + many] = np.argmax(beams.real**2 + beams.imag**2, axis=1)
        return self.azimuth[best], self.elevation[best]

    def _beams(self, z: NDArray[np.complex64]) -> NDArray[np.complex64]:
        """Return (K, G) coarse beams of weighted snapshots (K, M)."""
        if self._lattice is None:
            steered: NDArray[np.complex64] = z @ self._steering
            return steered
        grid = np.zeros((len(z), self._size[0] * self._size[1]), dtype=np.complex64)
        for c, place in enumerate(self._places):  # elements at one place add
            grid[:, place] += z[:, c]
        beams = fft.ifft2(grid.reshape(-1, *self._size), norm="forward", overwrite_x=True)
        out: NDArray[np.complex64] = beams.reshape(len(z), -1)[:, self._visible]
        return out

    def refine(self, snapshot: Complexes, azimuth: Floats, elevation: Floats) -> tuple[Complexes, Floats]:
        """Move directions (K,), in place, to the maximum of their beam.

        Returns:
            The beams (K,): the amplitude of one channel; and (K, 2, 2), their errors: the covariance of azimuth and elevation
            times the SNR of the beam; NaN of what the array does not find.
        """
        beam, error = np.empty(len(snapshot), np.complex128), np.full((len(snapshot), 2, 2), np.nan)
        kernels.refine(
            np.ascontiguousarray(snapshot), self.position, self.weights, self.wavenumber, self.finds_azimuth,
            self.finds_elevation, azimuth, elevation, np.empty((len(self.position), 2)), beam, error,
        )  # fmt: skip
        return beam, error

    def steering(self, azimuth: Floats, elevation: Floats) -> Complexes:
        """Return (K, M) what an echo of amplitude 1 gives in the channels."""
        out: Complexes = np.exp(-1j * self.wavenumber * (unit_vectors(azimuth, elevation) @ self.position.T))
        return out

    def resolution(self, azimuth: Floats, elevation: Floats) -> tuple[Floats, Floats]:
        """Return (K,) beamwidths in azimuth and elevation [rad]; NaN of what the array does not find.

        As of a filled aperture of the same second moment.
        """
        along, up = tangents(azimuth, elevation)
        widths = []
        for direction, found in ((along, self.finds_azimuth), (up, self.finds_elevation)):
            aperture = np.sqrt(12.0) * (direction @ self.position.T).std(axis=1)
            width = 2.0 * np.pi / (self.wavenumber * np.maximum(aperture, 1e-12))
            widths.append(width if found else np.full(len(azimuth), np.nan))
        return widths[0] / np.cos(elevation), widths[1]


def unit_vectors(azimuth: Floats, elevation: Floats) -> Floats:
    """Return (K, 3) unit vectors."""
    c = np.cos(elevation)
    return np.column_stack([c * np.cos(azimuth), c * np.sin(azimuth), np.sin(elevation)])


def tangents(azimuth: Floats, elevation: Floats) -> tuple[Floats, Floats]:
    """Return (K, 3) the unit vectors that a direction moves along with azimuth and with elevation."""
    a, e = azimuth, elevation
    zero = np.zeros(len(a))
    up = np.column_stack([-np.sin(e) * np.cos(a), -np.sin(e) * np.sin(a), np.cos(e)])
    return np.column_stack([-np.sin(a), np.cos(a), zero]), up


def _lattice(position: Floats, wavelength_m: float) -> tuple[Ints, Floats] | None:
    """Return (M, 2) whole numbers n and (2,) pitches [m] with y, z = first + n pitch; None where there are none."""
    places = np.zeros((len(position), 2), dtype=np.int64)
    pitch = np.ones(2)
    tolerance = LATTICE * wavelength_m
    for axis in range(2):
        y = position[:, axis + 1] - position[:, axis + 1].min()
        steps = np.diff(np.sort(y))
        steps = steps[steps > tolerance]
        if not len(steps):
            continue
        # The smallest step, made exact by the whole numbers that it gives.
        n = np.round(y / steps.min())
        pitch[axis] = (n @ y) / (n @ n)
        if np.abs(y - n * pitch[axis]).max() > tolerance:
            return None
        places[:, axis] = n
    if np.prod(places.max(axis=0) + 1) > LARGEST_LATTICE:
        return None
    return places, pitch
