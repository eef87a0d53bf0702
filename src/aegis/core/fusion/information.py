# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a source's track has learned since its last report, as an equivalent measurement, and what that makes of another track.

A report is the sum of all that its source has measured. What it has learned since the last one is the difference in information
between the report and what was to be expected of the last: P^-1 - (F P' F' + Q)^-1. It is uncorrelated with the past, so that it
can be added to other sources' as a measurement is (equivalent measurements; Frenkel, Multisensor tracking of ballistic targets,
SPIE 1995; Tian and Bar-Shalom, Track-to-track fusion configurations and association in a sliding window, JAIF 4, 2009). At the
full rate that is exactly the filter that has all measurements.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.kernels import fusion as kernels
from aegis.core.types import Floats, Ints

NOTHING = 1e-9
COMMON = 0.1  # part of a variance up to which process noise that two tracks share is as good as none


class Estimate(NamedTuple):
    """N states and their covariances."""

    x: Floats  # (N, 6)
    P: Floats  # (N, 6, 6)

    def rows(self, index: Ints | NDArray[np.bool_]) -> Estimate:
        """Return some of them, in memory of their own."""
        return Estimate(np.ascontiguousarray(self.x[index]), np.ascontiguousarray(self.P[index]))


class Gain(NamedTuple):
    """What N tracks have learned: the likelihood exp(g' d - d' Y d / 2) of a state, d being its difference from the base."""

    base: Floats  # (N, 6)
    Y: Floats  # (N, 6, 6) information
    g: Floats  # (N, 6)

    def rows(self, index: Ints | NDArray[np.bool_]) -> Gain:
        """Return some of them, in memory of their own."""
        return Gain(*(np.ascontiguousarray(column[index]) for column in self))


def seconds(ns: Ints) -> Floats:
    """Return nanoseconds in seconds."""
    return np.asarray(ns * 1e-9, dtype=np.float64)


def carried(tracks: Estimate, dt: Floats, noise: Floats) -> Estimate:
    """Return the tracks after (N,) dt [s] at constant velocity; back in time without the noise that has come since.

    `noise` (2,) is the spectral density of the acceleration, horizontal and vertical [m^2/s^3].
    """
    out = Estimate(np.empty_like(tracks.x), np.empty_like(tracks.P))
    kernels.carried(*tracks, dt, noise, *out)
    return out


def learned(tracks: Estimate, expected: Estimate, known: NDArray[np.bool_]) -> tuple[Gain, NDArray[np.bool_]]:
    """Return what N tracks have learned, and (N,) whether their covariances are any.

    Args:
        tracks: as reported; expected: of the last report, carried on to this one.
        known: (N,) whether there was a last report; else all is new.
    """
    n = len(tracks.x)
    gain = Gain(np.where(known[:, None], expected.x, tracks.x), np.empty((n, 6, 6)), np.empty((n, 6)))
    sound = np.empty(n, np.uint8)
    kernels.gained(*tracks, gain.base, expected.P, known.view(np.uint8), gain.Y, gain.g, sound)
    if (some := np.flatnonzero(sound == 2)).size:
        gain.Y[some], gain.g[some] = _positive_part(tracks.x[some] - expected.x[some], tracks.P[some], expected.P[some])
    return gain, sound > 0


def _positive_part(step: Floats, P: Floats, before: Floats) -> tuple[Floats, Floats]:
    """Return Y and g of tracks that have lost information in some directions (missed, or manoeuvring): nothing there."""
    root = np.linalg.cholesky(before)
    back = np.linalg.inv(root)
    value, vector = np.linalg.eigh(root.transpose(0, 2, 1) @ np.linalg.inv(P) @ root)
    more = value > 1.0
    vector = back.transpose(0, 2, 1) @ vector
    turned = vector.transpose(0, 2, 1)
    information = vector * np.where(more, value - 1.0, 0.0)[:, None, :] @ turned
    pull = vector * np.where(more, value, 0.0)[:, None, :] @ turned @ step[:, :, None]
    return information, pull[:, :, 0]


def later(gain: Gain, dt: Floats, noise: Floats) -> Gain:
    """Return what was learned (N,) dt [s] ago as it counts now: carried on, less what the motion's noise has made of it since.

    The noise is taken to be another one than that in the track to which it is added, which is on the safe side. Where there is
    none, no order of reports matters.
    """
    n = len(dt)
    ahead, q = np.tile(np.eye(6), (n, 1, 1)), np.zeros((n, 6, 6))
    density = noise[[0, 0, 1]]
    for i in range(3):
        ahead[:, i, i + 3] = dt
        q[:, i, i], q[:, i, i + 3] = density[i] * dt**3 / 3.0, density[i] * dt**2 / 2.0
        q[:, i + 3, i], q[:, i + 3, i + 3] = q[:, i, i + 3], density[i] * dt
    back = ahead.copy()
    back[:, [0, 1, 2], [3, 4, 5]] *= -1.0
    turned = back.transpose(0, 2, 1)
    M = turned @ gain.Y @ back
    g = turned @ gain.g[:, :, None]
    both = np.linalg.solve(np.eye(6) + M @ q, np.concatenate([M, g], axis=2))
    Y = both[:, :, :6]
    return Gain(
        (ahead @ gain.base[:, :, None])[:, :, 0],
        np.ascontiguousarray((Y + Y.transpose(0, 2, 1)) / 2.0),
        np.ascontiguousarray(both[:, :, 6]),
    )


def equivalent(gain: Gain) -> Estimate:
    """Return what was learned as measurements of the states: independent of those before, and of other sources'."""
    n = len(gain.g)
    least = NOTHING * np.trace(gain.Y, axis1=1, axis2=2)  # where nothing was learned of a direction
    P = np.linalg.inv(gain.Y + np.maximum(least, NOTHING)[:, None, None] * np.tile(np.eye(6), (n, 1, 1)))
    return Estimate(gain.base + (P @ gain.g[:, :, None])[:, :, 0], P)


def absorbed(tracks: Estimate, gain: Gain) -> tuple[Estimate, NDArray[np.bool_]]:
    """Return the tracks with what was learned, and (N,) where that was possible; the others are as they were."""
    out = Estimate(tracks.x.copy(), tracks.P.copy())
    sound = np.empty(len(out.x), np.uint8)
    kernels.absorbed(*out, *gain, sound)
    return out, sound > 0


def intersected(tracks: Estimate, others: Estimate) -> Estimate:
    """Return the covariance intersection of tracks and others: never too sure, whatever the two have in common."""
    out = Estimate(tracks.x.copy(), tracks.P.copy())
    kernels.intersected(*out, *others)
    return out


def distances(a: Ints, b: Ints, tracks: Estimate, others: Estimate) -> Floats:
    """Return (K,) squared distances of tracks[a] and others[b]; NaN where the sum of their covariances is none."""
    out = np.empty(len(a))
    kernels.distances(a, b, *tracks, *others, out)
    return out


def share_noise(together_s: Floats, tracks: Estimate, others: Estimate, noise: Floats) -> NDArray[np.bool_]:
    """Return (N,) whether two tracks of an object share more process noise than can be passed over.

    Args:
        together_s: (N,) for how long both have followed it [s]; tracks, others: the two; noise: as in `carried`.
    """
    smaller = np.minimum(np.diagonal(tracks.P, axis1=1, axis2=2), np.diagonal(others.P, axis1=1, axis2=2))
    density = noise[[0, 0, 1]]
    position, velocity = density * together_s[:, None] ** 3 / 3.0, density * together_s[:, None]
    return np.asarray((np.hstack([position, velocity]) > COMMON * smaller).any(axis=1))
