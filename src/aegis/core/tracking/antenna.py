# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where a turning antenna looks: told by the radar, or found from its plots, each of which has a time and an azimuth.

The azimuth of all that an antenna measures goes evenly with time, false alarms and all: nothing but an antenna's turning does that.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from aegis.core.angles import wrapped
from aegis.core.tracking.sweep import TURN
from aegis.core.types import Detections, Floats

SHORTEST_TURN_S, LONGEST_TURN_S = 1.0, 30.0
SAMPLES = 128  # plots that a turning is found from
SPACING_S = 0.2  # from one to the next, so that they span a turn
WINDOW_S = 60.0
TURNS_FITTED = 4.0  # an antenna's speed changes with the wind
MORE = 1.5  # times as many plots for the next search
MOST_SEARCHES = 12
FEWEST = 6  # plots: fewer fit some turning by chance
CERTAIN = 0.99  # resultant of all plots' angles from where the antenna looked: within some 8 degrees
LIKELY = 0.9  # the same, before the turning is fitted
TOGETHER = 0.97  # resultant of the plots' own azimuths: all within some 15 degrees fit any turning of the scans' period
AWAY = math.radians(15.0)  # a plot that far from where the antenna looked is not of this turning
LOST = 6  # such plots in a row: it turns otherwise
TORN, FEWEST_TORN = 0.2, 4  # share, and number, of plots that came sooner than an antenna turns: it does not
LEAST_SPREAD = math.radians(0.3)
TOLD_SPREAD = math.radians(0.5)


class Antenna:
    """Estimates a sensor's turning; `rate` is None before it is known, and where there is none."""

    def __init__(self, period_s: float = 0.0) -> None:
        """Begin; `period_s`: of a turn, where that is known, else 0."""
        self._known_rate = TURN / period_s if period_s > 0.0 else 0.0
        self.forget()

    def forget(self) -> None:
        """Forget all plots, as after a reset."""
        self.rate: float | None = None  # [rad/s] positive from x towards y
        self.spread = LEAST_SPREAD  # standard deviation of plots from where it looked [rad]
        self._zero_ns = 0
        self._phase = 0.0  # where it looked at `_zero_ns`
        self._plots: deque[tuple[float, float]] = deque(maxlen=SAMPLES)  # time [s] after `_zero_ns`, azimuth
        self._away = 0
        self._pairs = self._torn = 0  # neighbours in time, and those that no antenna could have looked at so soon
        self._searched = 0  # plots that there were at the last search
        self.searches = 0  # in vain, so far

    def azimuth_at(self, time_ns: int) -> float:
        """Return where it looks at a time [rad]; NaN where nobody knows."""
        if self.rate is None:
            return math.nan
        return self._phase + self.rate * ((time_ns - self._zero_ns) * 1e-9)

    def take(self, d: Detections) -> None:
        """Learn from what a sensor has sent."""
        sector = d.sector
        if sector is not None and math.isfinite(sector.azimuth) and math.isfinite(sector.rate) and sector.rate != 0.0:
            self._zero_ns, self._phase, self.rate, self.spread = d.stamp_ns, sector.azimuth, sector.rate, TOLD_SPREAD
            self._plots.clear()
            return
        self._compare(d)
        fresh = self._add(d)
        if not fresh or self.still:
            return
        if self.rate is not None:
            for time, azimuth in fresh:
                off = abs(math.remainder(azimuth - self._phase - self.rate * time, TURN))
                self._away = self._away + 1 if off > AWAY else 0
            if self._away < LOST:
                self._fit(self.rate)
                return
            self.rate, self._away, self._searched, self.searches = None, 0, 0, 0
            for _ in range(len(self._plots) - LOST):
                self._plots.popleft()
        enough = max(FEWEST, min(math.ceil(MORE * self._searched), SAMPLES))
        if len(self._plots) >= enough and self.searches < MOST_SEARCHES:
            self._searched = len(self._plots)
            self.searches += 1
            self._search()

    @property
    def still(self) -> bool:
        """Tell whether plots came from all over within less time than any antenna turns in."""
        return self._torn >= max(FEWEST_TORN, TORN * self._pairs)

    def _compare(self, d: Detections) -> None:
        """Count neighbours in time that are too far apart for an antenna that turns."""
        if len(d) < 2:
            return
        order = np.argsort(d.time_offset, kind="stable")
        dt = np.diff(d.time_offset[order])
        apart = np.abs(wrapped(np.diff(d.azimuth[order])))
        close = dt < SPACING_S
        self._pairs += int(close.sum())
        self._torn += int((close & (apart > TURN / SHORTEST_TURN_S * dt + AWAY)).sum())

    def _add(self, d: Detections) -> list[tuple[float, float]]:
        """Remember plots, some time apart; return which."""
        if not self._plots:
            self._phase, self._zero_ns = self.azimuth_at(d.stamp_ns), d.stamp_ns
        since = (d.stamp_ns - self._zero_ns) * 1e-9
        last = self._plots[-1][0] if self._plots else -math.inf
        fresh = []
        for i in np.argsort(d.time_offset, kind="stable").tolist():
            time = since + float(d.time_offset[i])
            if time >= last + SPACING_S:
                fresh.append((time, float(d.azimuth[i])))
                last = time
        self._plots.extend(fresh)
        while self._plots and self._plots[0][0] < last - WINDOW_S:
            self._plots.popleft()
        return fresh

    def _search(self) -> None:
        """Find the turning: the slowest one that all plots agree with; of two directions alike, clockwise."""
        t, azimuth = self._samples()
        span = float(t[-1] - t[0])
        if span <= 0.0 or np.abs(np.exp(1j * azimuth).mean()) > TOGETHER:
            return
        slowest, fastest = TURN / min(LONGEST_TURN_S, span), TURN / SHORTEST_TURN_S
        if self._known_rate:
            rates = np.array([-self._known_rate, self._known_rate])
        elif slowest < fastest:
            rates = np.arange(slowest, fastest, 0.5 / span)
            rates = np.stack([-rates, rates], axis=1).ravel()  # by speed, and clockwise first
        else:
            return
        resultant = np.abs(np.exp(1j * (azimuth - np.outer(rates, t))).mean(axis=1))
        for rate in rates[resultant > LIKELY].tolist():
            if self._fit(rate) > CERTAIN:
                return
        self.rate = None

    def _samples(self) -> tuple[Floats, Floats]:
        table = np.array(self._plots)
        return table[:, 0], table[:, 1]

    def _fit(self, rate: float) -> float:
        """Fit phase and rate near a rate to the last turns' plots; return their resultant about it."""
        t, azimuth = self._samples()
        last = t >= t[-1] - max(TURNS_FITTED * TURN / abs(rate), 1.0)
        if last.sum() >= FEWEST:
            t, azimuth = t[last], azimuth[last]
        middle = float(t.mean())
        phase = float(np.angle(np.exp(1j * (azimuth - rate * (t - middle))).mean()))
        for _ in range(2):
            off = wrapped(azimuth - phase - rate * (t - middle))
            near = np.abs(off) <= AWAY
            if near.sum() < 2:
                break
            moment = ((t[near] - middle) ** 2).sum()
            if not self._known_rate and moment > 0.0:
                rate += float((off[near] * (t[near] - middle)).sum() / moment)
            phase += float(off[near].mean())
        off = wrapped(azimuth - phase - rate * (t - middle))
        self.rate, self._phase = rate, phase - rate * middle
        self.spread = max(LEAST_SPREAD, 1.5 * float(np.median(np.abs(off))))
        return float(np.abs(np.exp(1j * off).mean()))
