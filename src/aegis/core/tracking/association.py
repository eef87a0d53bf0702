"""Which detection belongs to which track: a gate, then the probabilities of all pairs, or the best assignment.

Pairs are kept in compressed rows: the pairs of track t are start[t]:start[t + 1], the index of the detection is in `detection`.
Tracks and detections fall into components that share no pair; each is solved by itself.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.kernels import association as kernels
from aegis.core.kernels import gate as gate_kernels
from aegis.core.tracking.measurement import Plots
from aegis.core.tracking.motion import Kinematics
from aegis.core.types import Floats, Ints, Pose

FEWEST_PAIRS = 64  # that room is made for at first, or two a detection


class Pairs(NamedTuple):
    """K pairs of N tracks in M modes and D detections: those within a gate."""

    start: Ints  # (N + 1,)
    detection: Ints  # (K,)
    by_mode: Floats  # (K, M) ln p(z | track, mode)
    log_likelihood: Floats  # (K,) ln p(z | track)
    distance: Floats  # (K, 2) of the most probable mode: squared, and the components measured
    innovation: Floats  # (K, M, 4) measured minus expected
    jacobian: Floats  # (N, M, 4, n) of what is expected; not filled in where the position itself is measured, nor without pairs

    def of(self, wanted: NDArray[np.bool_] | slice) -> Pairs:
        """Return the same arrays, of some pairs."""
        return Pairs(
            self.start, self.detection[wanted], self.by_mode[wanted], self.log_likelihood[wanted], self.distance[wanted],
            self.innovation[wanted], self.jacobian,
        )  # fmt: skip


class Components(NamedTuple):
    """Tracks with pairs, by component."""

    member: Ints  # (T,) the tracks, component by component
    begin: Ints  # (C + 1,) where each component begins in them


def gate_keys(position: Floats) -> Floats:
    """Return (D,) keys for detections (D, 3) in map, whose order is the one that `gate` wants: by strip, and by x within each."""
    keys = np.empty(len(position))
    gate_kernels.gate_keys(position, keys)
    return keys


def gate(tracks: Kinematics, centre: Floats, spread: Floats, pose: Pose, plots: Plots, bound: Floats) -> Pairs:
    """Return the pairs within the gate of any mode.

    Args:
        tracks: predicted.
        centre, spread: (N, 3) mean and variance of their positions in map.
        pose: of the sensor.
        plots: in the order of `gate_keys`.
        bound: (5,) largest squared distance for a measurement of so many components.
    """
    (N, M, n), D = tracks.x.shape, len(plots)
    room = max(FEWEST_PAIRS, 2 * D)
    start = np.zeros(N + 1, np.int64)
    jacobian = np.zeros((N, M, 4, n))
    scratch = (np.empty(D + 2, np.int64), np.empty((M, 4)), np.empty((M, 4, 4)))
    columns = _columns(room, M)
    done = 0
    while True:
        done = gate_kernels.gate(
            done, centre, spread, *tracks, pose.position, pose.rotation, pose.velocity, plots.components().view(np.uint8),
            plots.position, plots.position_sigma, plots.value, plots.variance, plots.measured.view(np.uint8), plots.polar,
            bound, *scratch, jacobian, start, *columns,
        )  # fmt: skip
        if done == N:
            return Pairs(start, *columns, jacobian).of(slice(start[N]))
        larger = _columns(2 * room, M)
        for column, before in zip(larger, columns, strict=True):
            column[:room] = before
        room, columns = 2 * room, larger


def _columns(room: int, modes: int) -> tuple[Ints, Floats, Floats, Floats, Floats]:
    """Return room for so many pairs: `detection` to `innovation`."""
    return (
        np.empty(room, np.int64), np.empty((room, modes)), np.empty(room), np.empty((room, 2)), np.empty((room, modes, 4))
    )  # fmt: skip


def components(start: Ints, detection: Ints, n_detections: int) -> Components:
    """Return the components of pairs."""
    n = len(start) - 1
    member, begin = np.empty(n, np.int64), np.empty(n + 1, np.int64)
    found = kernels.components(
        start, detection, np.empty(n + n_detections, np.int64), np.empty(n, np.int64), member, begin
    )
    return Components(member[: begin[found]], begin[: found + 1])


def marginals(
    start: Ints, detection: Ints, log_odds: Floats, n_detections: int, parts: Components
) -> tuple[Floats, Floats]:
    """Return the probability of each pair (K,), and of each detection that it belongs to no track (D,).

    Loopy belief propagation: Williams and Lau, Approximate evaluation of marginal association probabilities with belief
    propagation, IEEE Trans. AES 50 (2014), eq. 19-24. Exact in components without loops, so for all tracks that do not share
    two detections.

    Args:
        start, detection: the pairs.
        log_odds: (K,) ln of a pair's weight over that of leaving its track and its detection alone.
        n_detections: D.
        parts: of `components`.
    """
    pairs = len(detection)
    probability, alone = np.empty(pairs), np.ones(n_detections)
    kernels.marginals(
        start, detection, log_odds, *parts, np.empty(n_detections + 1, np.int64), np.empty(pairs, np.int64), np.empty((4, pairs)),
        probability, alone,
    )  # fmt: skip
    return probability, alone


def assign(start: Ints, detection: Ints, gain: Floats, n_detections: int, parts: Components) -> Ints:
    """Return each track's pair (N,) in the assignment of the largest total gain, -1 for none.

    Shortest augmenting paths with potentials on the sparse graph (Jonker and Volgenant, Computing 38, 1987), a component at a
    time. A track may stay alone for a gain of 0, and a pair of less is never taken.
    """
    n = len(start) - 1
    columns = n_detections + n
    chosen = np.empty(n, np.int64)
    kernels.assign(
        start, detection, gain, parts.member, np.zeros(n), np.empty((5, columns), np.int64), np.zeros(columns), np.empty(columns),
        np.empty(columns, np.uint8), chosen,
    )  # fmt: skip
    return chosen
