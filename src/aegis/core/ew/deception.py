# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Deception in what is tracked: a gate that is pulled off, and false targets on one line of sight.

A pull-off delays or shifts a copy of the echo: range and Doppler then tell of two motions. The test compares the slope of range
with that of the integrated range rate, which a true target has alike however it manoeuvres.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

import numpy as np
from scipy.special import chdtri, pdtrc

from aegis.core.ew.settings import DeceptionSettings
from aegis.core.types import Detections, Floats, Ints, Signal, SignalKind

SURE = 6.5  # standard deviations: one window is enough (8e-11 in quiet; of 50 tracks, once in 70,000 hours at 10 Hz)
ODD_FIT = 0.01  # a chi-square that is so improbable says that the stated errors are too small
LEAST_OF_NOTE = 3.0  # standard deviations: below, it is not asked which of the two has moved
LEAST_VARIANCE = 1e-6  # [m^2], [m^2/s^2]
MOST_DETECTIONS = 1000  # looked at as the middle of a line of sight: those with the most beside them
ALIKE = 3.0  # times as uncertain as the middle of a line of sight, and no more, is what is on it
MEMORY = 20.0  # scans that a line of sight's usual count is averaged over


class PullOff(NamedTuple):
    """The test of one window."""

    z: float  # mismatch in standard deviations, positive where the range runs away from what the Doppler says
    mismatch_mps: float
    velocity_gate: bool  # it is the Doppler that has moved, and not the range


def pull_off(time: Floats, range_m: Floats, rate: Floats, variance: Floats, span_mps: float = math.inf) -> PullOff:
    """Return the mismatch of range and Doppler in a window.

    The slope of range less the integral of range rate (trapezoids), over its standard deviation, sqrt(var_R / sum (t - mean t)^2
    + 1.2 var_v / n); where the residuals say that the errors are larger than stated, over as much more.

    Args:
        time: (n,) [s]; range_m: (n,) [m]; rate: (n,) [m/s].
        variance: (n, 2) of range and range rate.
        span_mps: width of the interval of range rates that the radar can tell; the mismatch is taken within half of it.
    """
    n = len(time)
    t = time - time.mean()
    spread = max(float((t**2).sum()), 1e-12)
    moved = np.concatenate([[0.0], np.cumsum(0.5 * (rate[1:] + rate[:-1]) * np.diff(time))])
    rest = range_m - moved
    rest = rest - rest.mean()
    slope = float((t * rest).sum()) / spread
    var_range, var_rate = (max(float(v), LEAST_VARIANCE) for v in variance.mean(axis=0))
    chi_square = float(((rest - slope * t) ** 2).sum()) / var_range
    odd = float(chdtri(n - 2, ODD_FIT)) if n > 2 else math.inf
    larger = chi_square / (n - 2) if chi_square > odd else 1.0
    sigma = math.sqrt(larger * var_range / spread + 1.2 * var_rate / n)
    if math.isfinite(span_mps) and span_mps > 0.0:
        slope = (slope + 0.5 * span_mps) % span_mps - 0.5 * span_mps
    if abs(slope) < LEAST_OF_NOTE * sigma:
        return PullOff(slope / sigma, slope, velocity_gate=False)
    # Which of the two accelerates?
    doppler = float((t * (rate - rate.mean())).sum()) / spread
    moves = abs(doppler) > 4.0 * math.sqrt(var_rate / spread)
    curve = float(np.polyfit(t, range_m, 2)[0]) * 2.0 if n > 3 else 0.0
    return PullOff(slope / sigma, slope, moves and abs(curve) < abs(curve - doppler))


class Hit(NamedTuple):
    """A detection of a track."""

    time_s: float
    range_m: float
    rate_mps: float
    range_variance: float
    rate_variance: float
    bearing: float


def hit_of(d: Detections, i: int) -> Hit:
    """Return a detection as what a track was updated with."""
    return Hit(
        d.stamp_ns * 1e-9 + float(d.time_offset[i]), float(d.range[i]), float(d.range_rate[i]), float(d.variance[i, 0]),
        float(d.variance[i, 3]), float(d.azimuth[i]),
    )  # fmt: skip


@dataclass
class _Track:
    hits: deque[Hit]
    odd: int = 0  # windows in a row, with the sign
    fine: int = 0  # windows in a row
    signal: Signal | None = None


class PullOffMonitor:
    """Watches the tracks of one sensor."""

    def __init__(self, settings: DeceptionSettings, ids: Iterator[int] | None = None) -> None:
        """Make a monitor; signals are numbered by `ids`."""
        self.settings = settings
        self._ids = ids or count(1)
        self._tracks: dict[int, _Track] = {}

    @property
    def signals(self) -> list[Signal]:
        """What is active."""
        return [track.signal for track in self._tracks.values() if track.signal is not None]

    def step(self, hits: dict[int, Hit], alive: set[int]) -> list[Signal]:
        """Take what each track was updated with, and which tracks there are; return the signals that began."""
        s = self.settings
        for track_id in self._tracks.keys() - alive:
            del self._tracks[track_id]
        raised = []
        for track_id, hit in hits.items():
            if not all(map(math.isfinite, hit)):
                continue
            track = self._tracks.setdefault(track_id, _Track(deque(maxlen=s.hits)))
            if track.hits and not 0.0 < hit.time_s - track.hits[-1].time_s <= s.gap_s:
                track.hits.clear()
            track.hits.append(hit)
            if len(track.hits) < s.hits:
                continue
            window = np.array(track.hits)
            track.hits.clear()  # the next window is another: its errors are independent
            found = pull_off(
                window[:, 0], window[:, 1], window[:, 2], window[:, 3:5], s.range_rate_span_mps or math.inf
            )
            new = self._judge(track_id, track, found, window)
            raised += [new] if new is not None else []
        return raised

    def end(self) -> None:
        """End what is active, as nothing tells of it any more."""
        self._tracks.clear()

    def _judge(self, track_id: int, track: _Track, found: PullOff, window: Floats) -> Signal | None:
        s = self.settings
        if abs(found.z) <= s.threshold:
            track.odd, track.fine = 0, track.fine + 1
            if track.fine >= s.clear_after_windows:
                track.signal = None
            return None
        sign = 1 if found.z > 0 else -1
        track.odd = track.odd + sign if track.odd * sign > 0 else sign
        track.fine = 0
        if track.signal is None and abs(track.odd) < s.windows and abs(found.z) < SURE:
            return None
        what = "velocity gate" if found.velocity_gate else "range gate"
        signal = Signal(
            id=track.signal.id if track.signal else next(self._ids),
            kind=SignalKind.DECEPTION,
            bearing=float(window[-1, 5]),
            bearing_sigma=math.nan,
            power_db=math.nan,
            frequency=math.nan,
            confidence=1.0 - math.erfc(abs(found.z) / math.sqrt(2.0)) ** max(1, abs(track.odd)),
            evidence=(
                f"{what} pull-off of track {track_id}: range and Doppler differ by {found.mismatch_mps:+.1f} m/s over"
                f" {window[-1, 0] - window[0, 0]:.1f} s ({abs(found.z):.1f} standard deviations)"
            ),
            track_id=track_id,
        )
        new = track.signal is None
        track.signal = signal
        return signal if new else None


class FalseTargetMonitor:
    """Watches one sensor for many detections that come at once on one line of sight."""

    def __init__(self, settings: DeceptionSettings, ids: Iterator[int] | None = None) -> None:
        """Make a monitor; signals are numbered by `ids`."""
        self.settings = settings
        self._ids = ids or count(1)
        self._usual = np.zeros(settings.sectors)  # detections a scan in each sector of azimuth
        self._scans = 0
        self._seen: deque[float | None] = deque(maxlen=3)  # bearings of the last scans' clusters
        self._fine = 0
        self.signal: Signal | None = None

    def step(self, detections: Detections) -> Signal | None:
        """Take a scan; return a signal that began."""
        s = self.settings
        known = np.isfinite(detections.azimuth) & np.isfinite(detections.range) & ~np.isnan(detections.variance[:, 1])
        azimuth, reach = detections.azimuth[known], detections.range[known]
        sigma = np.sqrt(np.clip(detections.variance[known, 1], 1e-8, 1.0))
        members = self._cluster(azimuth, reach, sigma)
        self._learn(azimuth, members)
        bearing = float(np.angle(np.exp(1j * azimuth[members]).mean())) if len(members) else None
        self._seen.append(bearing)
        if bearing is None:
            self._fine += 1
            if self._fine >= s.clear_after_scans:
                self.signal = None
            return None
        self._fine = 0
        width = 6.0 * float(sigma[members].max())
        again = sum(b is not None and abs(math.remainder(b - bearing, 2 * math.pi)) <= width for b in self._seen)
        if self.signal is None and again < 2:
            return None
        new = self.signal is None
        self.signal = Signal(
            id=self.signal.id if self.signal else next(self._ids),
            kind=SignalKind.DECEPTION,
            bearing=bearing,
            bearing_sigma=float(sigma[members].mean() / math.sqrt(len(members))),
            power_db=math.nan,
            frequency=math.nan,
            confidence=1.0 - s.false_alarm_probability,
            evidence=(
                f"{len(members)} detections on one line of sight, {reach[members].min():.0f} to {reach[members].max():.0f} m,"
                f" where {self._usual[self._sector(np.array([bearing]))][0]:.1f} are usual"
            ),
        )
        return self.signal if new else None

    def end(self) -> None:
        """End what is active, as nothing tells of it any more; what is usual stays."""
        self.signal, self._fine = None, 0
        self._seen.clear()

    def _sector(self, azimuth: Floats) -> Ints:
        out: Ints = np.floor((azimuth + np.pi) / (2.0 * np.pi) * self.settings.sectors).astype(np.int64)
        return np.asarray(out % self.settings.sectors)

    def _cluster(self, azimuth: Floats, reach: Floats, sigma: Floats) -> Ints:
        """Return which detections are on the line of sight with the most of them, where these are too many to be chance."""
        s, none = self.settings, np.empty(0, dtype=np.int64)
        if self._scans < s.warmup_scans or len(azimuth) < s.false_targets:
            return none
        some = _crowded(azimuth, sigma)
        apart = np.abs((azimuth[some][:, None] - azimuth[None, :] + np.pi) % (2 * np.pi) - np.pi)
        near = apart <= 3.0 * np.sqrt(sigma[some][:, None] ** 2 + sigma[None, :] ** 2)
        near &= sigma[None, :] <= ALIKE * sigma[some][:, None]  # what may be anywhere is not on this line
        counts = near.sum(axis=1)
        enough = np.flatnonzero(counts >= s.false_targets)
        if not len(enough):
            return none
        beside = near[enough] @ sigma**2 / counts[enough]
        width = 6.0 * np.sqrt(sigma[some[enough]] ** 2 + beside)
        chance = len(azimuth) * pdtrc(counts[enough] - 1, self._usual_within(azimuth[some[enough]], width))
        best = int(enough[chance.argmin()])
        members = np.flatnonzero(near[best])
        # A swarm is as wide as it is deep; copies of one echo are on a line.
        across = float(np.median(reach[members]) * 3.0 * sigma[members].mean())
        if np.ptp(reach[members]) < max(s.least_depth_m, 3.0 * across):
            return none
        return members if float(chance.min()) < s.false_alarm_probability else none

    def _usual_within(self, middle: Floats, width: Floats) -> Floats:
        """Return (n,) how many detections are usual in a scan within a width [rad] about a direction; in whole sectors."""
        sectors = len(self._usual)
        begin, end = self._sector(middle - 0.5 * width), self._sector(middle + 0.5 * width)
        through = np.concatenate([[0.0], np.cumsum(np.tile(self._usual, 2))])
        inside = through[np.where(end < begin, end + sectors, end) + 1] - through[begin]
        # In the sector whole: what stands in it may all stand in one place.
        most = np.stack([self._usual[begin], self._usual[self._sector(middle)], self._usual[end]]).max(axis=0)
        apart = np.where(width < 2.0 * np.pi / sectors, most, inside)
        even = self._usual.sum() * np.minimum(width / (2.0 * np.pi), 1.0)
        return np.asarray(np.maximum(np.maximum(apart, even), 1e-3))

    def _learn(self, azimuth: Floats, members: Ints) -> None:
        if len(members) or any(bearing is not None for bearing in self._seen) or self.signal is not None:
            return
        counts = np.bincount(self._sector(azimuth), minlength=self.settings.sectors).astype(np.float64)
        self._scans += 1
        self._usual += (counts - self._usual) / min(self._scans, MEMORY)


def _crowded(azimuth: Floats, sigma: Floats) -> Ints:
    """Return which detections to look at as the middle of a line of sight; of too many, those with the most within it."""
    n = len(azimuth)
    if n <= MOST_DETECTIONS:
        return np.arange(n)
    around = np.sort(azimuth)
    around = np.concatenate([around - 2.0 * np.pi, around, around + 2.0 * np.pi])
    half = np.minimum(3.0 * math.sqrt(2.0) * sigma, np.pi)
    counts = np.searchsorted(around, azimuth + half, side="right") - np.searchsorted(around, azimuth - half)
    # Per width: else the least certain would be first.
    order: Ints = np.argsort(-counts / half, kind="stable")[:MOST_DETECTIONS]
    return order
