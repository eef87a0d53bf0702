# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which detection belongs to which track: a gate, then the probabilities of all pairs, or the best assignment.

Pairs are kept in compressed rows: the pairs of track t are start[t]:start[t + 1], the index of the detection is in `detection`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.kernels import association as kernels
from aegis.core.kernels import gate as gate_kernels
from aegis.core.kernels import neighbours, resolution
from aegis.core.tracking.measurement import MIN_RANGE_M, Plots, level_with
from aegis.core.tracking.motion import Kinematics
from aegis.core.types import Floats, Ints, Pose

OVERHEAD = 1e-3  # sine of the angle from the sensor's upward axis, below which the azimuth tells nothing
FEWEST_PAIRS = 64  # that room is made for at first, or two a detection


class Moved(NamedTuple):
    """How N tracks came to where they are: what takes them back to a detection that was measured some time ago."""

    elapsed: float  # for how long they have moved since their state before [s]; beyond, no noise is taken off
    turning: NDArray[np.uint8]  # (M,) whether a mode is the coordinated turn
    noise: Floats  # (N, 2) horizontal and vertical spectral density of the acceleration [m^2/s^3]
    turn_noise: float  # of the turn rate's change [rad^2/s^3]

    @classmethod
    def not_at_all(cls, tracks: Kinematics) -> Moved:
        """Return that no time has passed, in which all detections are as old as the tracks."""
        n, modes = tracks.weight.shape
        return cls(0.0, np.zeros(modes, np.uint8), np.zeros((n, 2)), 0.0)


class Pairs(NamedTuple):
    """K pairs of N tracks in M modes and D detections: those within a gate."""

    start: Ints  # (N + 1,)
    detection: Ints  # (K,)
    by_mode: Floats  # (K, M) ln p(z | track, mode)
    log_likelihood: Floats  # (K,) ln p(z | track)
    distance: Floats  # (K, 2) of the most probable mode: squared, and the components measured
    innovation: Floats  # (K, M, 4) measured minus expected
    jacobian: Floats  # (N, M, 4, n) of what is expected; none where the position itself is measured; not filled in without pairs
    slope: Floats = np.empty(
        (0, 0, 4, 0)
    )  # (K, M, 4, n) the same of each pair, where detections are older than the tracks

    def of(self, wanted: NDArray[np.bool_] | slice) -> Pairs:
        """Return the same arrays, of some pairs."""
        return Pairs(
            self.start, self.detection[wanted], self.by_mode[wanted], self.log_likelihood[wanted], self.distance[wanted],
            self.innovation[wanted], self.jacobian, self.slope[wanted] if len(self.slope) else self.slope,
        )  # fmt: skip


def without(pairs: Pairs, taken: NDArray[np.bool_]) -> Pairs:
    """Return the pairs of the tracks that are not taken (N,)."""
    fewer = np.where(taken, 0, np.diff(pairs.start))
    return pairs.of(~np.repeat(taken, np.diff(pairs.start)))._replace(start=np.append(0, np.cumsum(fewer)))


class Known(NamedTuple):
    """What is known of N tracks."""

    sure: NDArray[np.bool_]  # whether it surely exists, and was seen by itself lately
    born_ns: Ints
    apart_ns: Ints


class How(NamedTuple):
    """How detections become hypotheses of tracks."""

    bound: Floats  # (5,) of the gate: largest squared distance for a measurement of so many components
    best_only: bool  # by the best assignment, else by all associations
    sharpness: float  # exponent of the shares of all associations
    cell_sigmas: float = 0.0  # objects so close give one detection; 0: each its own


class Hypotheses(NamedTuple):
    """What may have happened to N tracks, in a scan with K pairs and D detections."""

    probability: Floats  # (K,) that a pair belongs together
    alone: Floats  # (D,) that a detection belongs to no track
    share: Floats  # (K,) of each pair in its track's state, given that the track exists; by the best assignment, or sharpened
    missed: Floats  # (N,) the share of a miss; all shares of a track add up to 1
    existence: Floats  # (N,) afterwards
    hidden: Floats  # (N,) afterwards
    hit: Floats  # (N,) probability that the track gave a detection
    best: Ints  # (N,) most probable pair, or the assigned one; -1 for none


def gate_keys(position: Floats) -> Floats:
    """Return (D,) keys for detections (D, 3) in map, whose order is the one that `gate` wants: by strip, and by x within each."""
    keys = np.empty(len(position))
    neighbours.gate_keys(position, keys)
    return keys


def near(
    centre: Floats, spread: Floats, x: Floats, position: Floats, sigma: Floats, measured: NDArray[np.uint8], age: Floats,
    bound: float,
) -> tuple[Ints, Ints]:  # fmt: skip
    """Return what may be in the gate of each of N tracks, in compressed rows: (N + 1,) where each begins, and which they are.

    Args:
        centre, spread: (N, 3) mean and variance of the tracks' positions; x: (N, M, n) their states, in each mode.
        position: (D, 3), in the order of `gate_keys`; sigma: (D,) error of these [m]; measured: (D, 4); age: (D,) [s].
        bound: largest squared distance.
    """
    N, D = len(centre), len(position)
    found = np.empty(max(FEWEST_PAIRS, 2 * D), np.int64)
    first, begin, done = np.zeros(N + 1, np.int64), np.empty(D + 2, np.int64), 0
    while True:
        done = neighbours.near(
            done, centre, spread, x, position, sigma, measured, age, bound, begin, first, found
        )  # fmt: skip
        if done == N:
            return first, found
        found = np.concatenate((found, np.empty_like(found)))


def seen_flat(centre: Floats, spread: Floats, pose: Pose, sigma: Floats, bound: float) -> Floats:
    """Return the spreads (N, 3) of tracks, wide enough to be near detections without elevation, too.

    Such a detection is put as high as its sensor, and so farther out than what it is of, where that is higher or lower: by nothing
    at the horizon, and by all of its range over the sensor. Whether it is in a gate is asked of range and azimuth themselves.

    Args:
        centre, spread: (N, 3) of the tracks; pose: of the sensor; sigma: (D,) error of the detections [m].
        bound: largest squared distance.
    """
    is_level = not pose.rotation[2, :2].any()
    if is_level and np.abs(centre[:, 2] - pose.position[2]).max(initial=0.0) <= MIN_RANGE_M:
        return spread  # as of all that no other sensor knows the height of
    local = (centre - pose.position) @ pose.rotation
    reach = np.maximum(np.linalg.norm(local, axis=1), MIN_RANGE_M)
    off = level_with(reach, np.arctan2(local[:, 1], local[:, 0]), pose)[:, :2] - centre[:, :2]
    far = np.flatnonzero(np.hypot(off[:, 0], off[:, 1]) > MIN_RANGE_M)
    if not len(far):
        return spread
    # An error of the track is as large there along the line of sight, and by the stretch larger across it.
    deviation = np.sqrt(spread[far])
    line = (centre[far] - pose.position) / reach[far, None]
    across = np.cross(pose.rotation[:, 2], line)
    sine = np.linalg.norm(across, axis=1)[:, None]
    across = np.where(sine > OVERHEAD, across / np.maximum(sine, OVERHEAD) ** 2, 1.0 / OVERHEAD)
    error = (np.abs(line) * deviation).sum(axis=1) ** 2 + (np.abs(across) * deviation).sum(axis=1) ** 2
    # The box has to hold the sum of two ways: (a + b)^2 is at most 2 a^2 + 2 b^2.
    out = spread.copy()
    out[far, :2] = 2.0 * (error[:, None] + off[far] ** 2 / bound) + sigma.max(initial=0.0) ** 2
    return out


def gate(
    tracks: Kinematics, centre: Floats, spread: Floats, pose: Pose, plots: Plots, bound: Floats,
    moved: Moved | None = None,
) -> Pairs:  # fmt: skip
    """Return the pairs within the gate of any mode.

    Args:
        tracks: predicted.
        centre, spread: (N, 3) mean and variance of their positions in map.
        pose: of the sensor.
        plots: in the order of `gate_keys`.
        bound: (5,) largest squared distance for a measurement of so many components.
        moved: how they came here, for detections that are older; None: not at all.
    """
    moved = moved or Moved.not_at_all(tracks)
    N, M, n = tracks.x.shape
    measured = plots.measured.view(np.uint8)
    if plots.polar and not plots.measured[:, 2].all():
        spread = seen_flat(centre, spread, pose, plots.position_sigma, float(bound[4]))
    first, candidate = near(
        centre, spread, tracks.x, plots.position, plots.position_sigma, measured, plots.age, float(bound[4])
    )
    start = np.zeros(N + 1, np.int64)
    # Where the position itself is measured, and nothing else, there is no need for it.
    needed = plots.polar or bool(plots.measured[:, 3].any())
    jacobian = np.zeros((N if needed else 0, M, 4, n))
    past = np.empty((1, M, n)), np.zeros((1, M, 4, n))
    columns = _columns(int(first[N]), M, n if plots.age.any() else 0)
    gate_kernels.gate(
        first, candidate, *tracks, pose.position, pose.rotation, pose.velocity, plots.value, plots.variance, measured, plots.age,
        plots.polar, bound, *moved, *past, np.empty(4, np.uint8), np.empty((M, 4)), np.empty((M, 4, 4)), jacobian, start, *columns,
    )  # fmt: skip
    return Pairs(start, *columns[:-1], jacobian, columns[-1]).of(slice(start[N]))


def _columns(room: int, modes: int, n: int) -> tuple[Ints, Floats, Floats, Floats, Floats, Floats]:
    """Return room for so many pairs: `detection` to `innovation`, and `slope` with n columns, if any."""
    return (
        np.empty(room, np.int64), np.empty((room, modes)), np.empty(room), np.empty((room, 2)), np.empty((room, modes, 4)),
        np.empty((room if n else 0, modes, 4, n)),
    )  # fmt: skip


def in_one_cell(pairs: Pairs, centre: Floats, sigma: Floats, known: Known, cell_sigmas: float) -> Floats:
    """Return (2, N) the probability that a track's object and another one are so close that the sensor gives one detection of both.

    Of any other track that surely exists, and of those that were detected apart from this one: one of two that never were may be
    a mistake for the other.

    It falls with their distance over ground, as in Koch and van Keuk, Multiple hypothesis track maintenance with possibly
    unresolved measurements, IEEE Trans. AES 33 (1997), and a cell of the sensor is as large as some errors of its detections.

    Args:
        pairs: as from `gate`: only tracks that have a detection in both their gates are asked of.
        centre: (N, 3) of the tracks; sigma: (D,) error of the detections [m].
        known: of the tracks; cell_sigmas: size of a cell, in standard deviations of a detection.
    """
    out = np.empty((2, len(centre)))
    resolution.in_one_cell(
        pairs.start, pairs.detection, centre, sigma, known.sure.view(np.uint8), known.born_ns, known.apart_ns,
        cell_sigmas, np.empty(len(sigma) + 1, np.int64), np.empty(len(pairs.detection), np.int64), out,
    )  # fmt: skip
    return out


def associate(
    pairs: Pairs, existence: Floats, hidden: Floats, looked: Floats, in_vain: Floats, detection_probability: float,
    log_background: Floats, how: How,
) -> Hypotheses:  # fmt: skip
    """Return the hypotheses.

    Args:
        pairs: as from `gate`.
        existence, hidden: (N,) probability that a track exists, and that an existing one is hidden.
        looked: (N,) probability that it was in view; in_vain: (N,) that it was before, in the same pass of an antenna; at most 1
            together.
        detection_probability: of one in view that is not hidden.
        log_background: (D,) ln of the density of detections from false alarms and new objects.
        how: to associate.
    """
    N, D, K = len(existence), len(log_background), len(pairs.detection)
    probability, alone, share = np.empty(K), np.empty(D), np.empty(K)
    after, best = np.empty((4, N)), np.empty(N, np.int64)
    scratch = np.empty(10 * N + 8 * D + K + 2, np.int64), np.empty(5 * N + 2 * D + 5 * K)
    kernels.associate(
        pairs.start, pairs.detection, pairs.log_likelihood, existence, hidden, looked, in_vain, log_background,
        detection_probability, how.best_only, how.sharpness, *scratch, probability, alone, after, share, best,
    )  # fmt: skip
    return Hypotheses(probability, alone, share, after[2], after[0], after[1], after[3], best)
