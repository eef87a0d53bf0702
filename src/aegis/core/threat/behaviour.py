# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What in the way of a track speaks of intent: approach, loitering, a swarm, appearing near, a drop of height."""

from __future__ import annotations

from enum import IntFlag
from typing import NamedTuple

import numpy as np

from aegis.core.threat.settings import Behaviour
from aegis.core.types import Floats, Ints

_SAMPLES = 13  # of a way: twelve steps in the window
_DROP_SHARE = 0.25  # of the window: over so long a drop of height is told
_NOISE_SIGMAS = 3.0
# The way of an object at rest through its errors, in standard deviations of a place (of both axes together): its mean,
# sqrt(pi / 2) a step where they are independent, and its scatter, at most 3.5. Errors that last make it shorter.
_WAY_OF_NOISE = (_SAMPLES - 1) * np.sqrt(0.5 * np.pi) + _NOISE_SIGMAS * 3.5
_SWARM_SIGMAS = 2.0  # of a velocity: less may be rest, or no difference
_PAIRS_AT_ONCE = 2_000_000  # that are compared for swarms


class Conduct(IntFlag):
    """How a track behaves."""

    NONE = 0
    APPROACH = 1
    LOITER = 2
    SWARM = 4
    POP_UP = 8
    DROP = 16


class Observed(NamedTuple):
    """What was found of N tracks."""

    conduct: Ints  # (N,) of `Conduct`
    companions: Ints  # (N,) tracks that move together with it
    first_seen_m: Floats  # (N,) how far from the asset it was first seen
    dropped_m: Floats  # (N,) height lost in `drop_s`; NaN where it is not known for so long
    drop_s: float


class _Kept(NamedTuple):
    """Of N tracks, in the order of their ids."""

    id: Ints
    first_ns: Ints
    first_m: Floats
    first_z: Floats  # height then
    closing_ns: Ints  # since when it has come closer; -1: it does not
    way: Floats  # (N, _SAMPLES, 3) the latest position last; NaN before it was there


class BehaviourMonitor:
    """Watches the ways of tracks from picture to picture."""

    def __init__(self, settings: Behaviour) -> None:
        self.settings = settings
        self.reset()

    def reset(self) -> None:
        """Forget all tracks."""
        none = np.empty(0, np.int64)
        self._kept = _Kept(none, none, np.empty(0), np.empty(0), none, np.empty((0, _SAMPLES, 3)))
        self._way_ns = np.zeros(_SAMPLES, np.int64)  # of the samples of all ways
        self._sampled_ns: int | None = None
        self._stamp_ns: int | None = None

    def step(
        self, stamp_ns: int, track_id: Ints, state: Floats, covariance: Floats, distance: Floats, closing: Floats
    ) -> Observed:
        """Return how the tracks of a picture behave; it begins anew where the stamp goes back.

        Args:
            stamp_ns: of the picture.
            track_id: (N,) in order.
            state, covariance: (N, 6), (N, 6, 6) in `map`.
            distance: (N,) from the asset [m].
            closing: (N,) how fast it shrinks [m/s].
        """
        if self._stamp_ns is not None and stamp_ns < self._stamp_ns:
            self.reset()
        self._stamp_ns = stamp_ns
        settings = self.settings
        kept = self._remember(stamp_ns, track_id, state[:, :3], distance, closing)
        conduct = np.zeros(len(track_id), np.int64)
        lasting = (kept.closing_ns >= 0) & (stamp_ns - kept.closing_ns >= settings.approach_s * 1e9)
        conduct[lasting] |= Conduct.APPROACH
        near = (kept.first_m <= settings.pop_up_m) & (stamp_ns - kept.first_ns <= settings.pop_up_s * 1e9)
        conduct[near] |= Conduct.POP_UP
        sigma = np.sqrt(np.maximum(np.einsum("nii->ni", covariance[:, :3, :3]), 0.0))
        conduct[self._loiters(kept.way, sigma)] |= Conduct.LOITER
        drop_s = _DROP_SHARE * settings.window_s
        dropped = self._height_at(stamp_ns - round(drop_s * 1e9)) - state[:, 2]
        with np.errstate(invalid="ignore"):
            drops = dropped >= np.maximum(settings.drop_m, _NOISE_SIGMAS * sigma[:, 2])
        conduct[drops & (closing > 0.0)] |= Conduct.DROP
        companions = self._companions(state, covariance)
        conduct[companions + 1 >= settings.swarm_members] |= Conduct.SWARM
        return Observed(conduct, companions, kept.first_m, dropped, drop_s)

    def _remember(self, stamp_ns: int, track_id: Ints, position: Floats, distance: Floats, closing: Floats) -> _Kept:
        """Return what is known of the tracks now, and keep it."""
        old, n = self._kept, len(track_id)
        at = np.searchsorted(old.id, track_id)
        at[at >= len(old.id)] = 0
        known = old.id[at] == track_id if len(old.id) else np.zeros(n, bool)
        first_ns, first_m, first_z = np.full(n, stamp_ns), distance.copy(), position[:, 2].copy()
        closing_ns, way = np.full(n, -1), np.full((n, _SAMPLES, 3), np.nan)
        row = at[known]
        first_ns[known], first_m[known], first_z[known] = old.first_ns[row], old.first_m[row], old.first_z[row]
        closing_ns[known], way[known] = old.closing_ns[row], old.way[row]
        closing_ns = np.where(closing > 0.0, np.where(closing_ns < 0, stamp_ns, closing_ns), -1)
        step_ns = round(self.settings.window_s * 1e9 / (_SAMPLES - 1))
        if self._sampled_ns is None:
            self._sampled_ns = stamp_ns
            self._way_ns[:] = stamp_ns
        elif stamp_ns - self._sampled_ns >= step_ns:  # on a grid, so that the window is as long as is said
            steps = int((stamp_ns - self._sampled_ns) // step_ns)
            self._sampled_ns += steps * step_ns
            self._shift(way, position, stamp_ns, min(steps, _SAMPLES - 1))
        way[:, -1], self._way_ns[-1] = position, stamp_ns
        self._kept = _Kept(track_id.copy(), first_ns, first_m, first_z, closing_ns, way)
        return self._kept

    def _shift(self, way: Floats, position: Floats, stamp_ns: int, steps: int) -> None:
        """Make room for so many samples; those for which no picture came are on the line to where the tracks are now."""
        way[:, :-steps], self._way_ns[:-steps] = way[:, steps:].copy(), self._way_ns[steps:].copy()
        before, before_ns = way[:, -steps - 1].copy(), int(self._way_ns[-steps - 1])
        for k in range(1, steps):
            share = k / steps
            way[:, k - steps - 1] = before + share * (position - before)
            self._way_ns[k - steps - 1] = before_ns + round(share * (stamp_ns - before_ns))

    def _height_at(self, time_ns: int) -> Floats:
        """Return the heights (N,) of the tracks at a time, between the samples about it; NaN before a track was there."""
        kept, after = self._kept, int(np.searchsorted(self._way_ns, time_ns, side="right"))
        if not 0 < after < _SAMPLES:
            return np.full(len(kept.id), np.nan)
        before_ns, before_z = np.full(len(kept.id), self._way_ns[after - 1]), kept.way[:, after - 1, 2]
        # A track that came between the two was first there in between.
        came = np.isnan(before_z) & (kept.first_ns <= time_ns)
        before_ns, before_z = np.where(came, kept.first_ns, before_ns), np.where(came, kept.first_z, before_z)
        share = (time_ns - before_ns) / (self._way_ns[after] - before_ns)
        return np.asarray(before_z + share * (kept.way[:, after, 2] - before_z))

    def _loiters(self, way: Floats, sigma: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Tell which tracks have gone far and got nowhere, over ground, in the whole window."""
        settings = self.settings
        steps = np.hypot(np.diff(way[:, :, 0], axis=1), np.diff(way[:, :, 1], axis=1))
        length = steps.sum(axis=1)  # NaN where it was not there all the time
        onwards = np.hypot(way[:, -1, 0] - way[:, 0, 0], way[:, -1, 1] - way[:, 0, 1])
        noise = _WAY_OF_NOISE * np.hypot(sigma[:, 0], sigma[:, 1])
        with np.errstate(invalid="ignore"):
            moves = length >= np.maximum(settings.loiter_speed_mps * settings.window_s, noise)
            return np.asarray(moves & (onwards <= settings.loiter_share * length), bool)

    def _companions(self, state: Floats, covariance: Floats) -> Ints:
        """Return (N,) how many others each track moves together with; what stands, or may as well stand, moves with none."""
        settings, n = self.settings, len(state)
        count = np.zeros(n, np.int64)
        speed, doubt = (
            np.hypot(state[:, 3], state[:, 4]),
            np.sqrt(np.maximum(covariance[:, 3, 3] + covariance[:, 4, 4], 0.0)),
        )
        moving = np.flatnonzero(speed >= np.maximum(settings.loiter_speed_mps, _SWARM_SIGMAS * doubt))
        order = moving[np.argsort(state[moving, 0], kind="stable")]
        x = state[order, 0]
        last = np.searchsorted(x, x + settings.swarm_distance_m, side="right")
        ahead = last - np.arange(len(order)) - 1  # how many may be near to the east
        doubt2 = np.einsum("nii->n", covariance[:, 3:, 3:])
        begin = 0
        while begin < len(order):
            end = begin + max(1, int(np.searchsorted(np.cumsum(ahead[begin:]), _PAIRS_AT_ONCE)))
            left = np.repeat(np.arange(begin, min(end, len(order))), ahead[begin:end])
            first = np.repeat(np.cumsum(ahead[begin:end]) - ahead[begin:end], ahead[begin:end])
            a, b = order[left], order[np.minimum(left + 1 + np.arange(len(left)) - first, len(order) - 1)]
            near = np.linalg.norm(state[a, :3] - state[b, :3], axis=1) <= settings.swarm_distance_m
            a, b = a[near], b[near]
            apart = np.linalg.norm(state[a, 3:] - state[b, 3:], axis=1)
            alike = apart <= settings.swarm_speed_mps + _SWARM_SIGMAS * np.sqrt(np.maximum(doubt2[a] + doubt2[b], 0.0))
            np.add.at(count, a[alike], 1)
            np.add.at(count, b[alike], 1)
            begin = end
        return count


def words(conduct: int) -> str:
    """Return the names of what a track does, separated by spaces; empty for nothing."""
    return " ".join(flag.name for flag in Conduct if flag.name and conduct & flag)
