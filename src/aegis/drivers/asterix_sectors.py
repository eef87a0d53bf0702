# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Sectors of a turning antenna as they come: ASTERIX plots and markers, cut at the markers, and at least once a second.

A sector is cut by the radar's own time. What comes late goes into the next one, at its own time. Where the antenna looks is known
from its markers (CAT034), if there are any; else who reads the plots finds it from their times and azimuths.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from aegis.core.types import Sector
from aegis.drivers.asterix_records import Plot

TURN = 2.0 * math.pi
SECOND_NS = 1_000_000_000
DELAYS = 51  # of what came last, by which the radar's clock is held against the host's
OUT_OF_PLACE_NS = 10 * SECOND_NS  # from the usual delay, and from what came before: a time that is not the plot's
TURNS_KEPT = 1.2  # of markers: an antenna's speed changes with the wind
SLOWEST_S, FASTEST_S = 30.0, 1.0  # of a turn
# Without a plot, where no markers come: longer, and nobody knows whether anything is heard; nor, once there is one, was.
QUIET_NS, LOST_NS = 15 * SECOND_NS, 30 * SECOND_NS
LATE_MARKER, NO_MORE = 1.5, 3.0  # times the usual from marker to marker: one is missing; none will come
SHORTEST_NS = 1000
DUPLICATES = 4096  # plots among which a second copy is looked for


class Instant(NamedTuple):
    """When something was measured, by the radar's clock (None: it does not say), and when it came [ns]."""

    measured_ns: int | None
    received_ns: int


class Cut(NamedTuple):
    """A sector, and its plots with their times."""

    plots: list[Plot]
    offsets_s: list[float]  # after its end
    end: Instant
    sector: Sector


class Markers:
    """Where the antenna looks, by its markers; angles clockwise from north."""

    def __init__(self) -> None:
        self.period_s: float | None = None  # as the radar says
        self._seen: deque[tuple[int, float]] = deque()  # time [ns] and angle, growing on [rad]

    def add(self, time_ns: int, angle: float) -> None:
        """Take a marker."""
        seen = self._seen
        if seen and 0 <= seen[-1][0] - time_ns <= OUT_OF_PLACE_NS:
            return  # the same again, or out of order
        if seen and not 0 < time_ns - seen[-1][0] <= SLOWEST_S * 1e9:
            seen.clear()
        if seen:
            last_ns, last = seen[-1]
            ahead = (angle - last) % TURN or TURN
            rate = self.rate
            if rate is not None:  # markers may have been lost
                ahead += TURN * max(round((rate * (time_ns - last_ns) * 1e-9 - ahead) / TURN), 0)
            angle = last + ahead
        seen.append((time_ns, angle))
        while len(seen) > 2 and seen[-1][1] - seen[1][1] >= TURNS_KEPT * TURN:
            seen.popleft()

    @property
    def rate(self) -> float | None:
        """Return how fast it turns [rad/s]; None where nobody knows."""
        if len(self._seen) > 1:
            (begin_ns, begin), (end_ns, end) = self._seen[0], self._seen[-1]
            rate = (end - begin) / ((end_ns - begin_ns) * 1e-9)
            if TURN / SLOWEST_S <= rate <= TURN / FASTEST_S:
                return rate
        return TURN / self.period_s if self.period_s and FASTEST_S <= self.period_s <= SLOWEST_S else None

    def angle_at(self, time_ns: int) -> float:
        """Return where it looks; NaN where nobody knows."""
        rate = self.rate
        if rate is None or not self._seen:
            return math.nan
        last_ns, last = self._seen[-1]
        return last + rate * (time_ns - last_ns) * 1e-9

    def quiet_ns(self, time_ns: int) -> float | None:
        """Return how long the radar may be silent at a time; None without markers. Where no more come, forget them."""
        if len(self._seen) < 2:
            return None
        usual_ns = max(b[0] - a[0] for a, b in pairwise(self._seen))
        if time_ns - self._seen[-1][0] > NO_MORE * usual_ns:
            self._seen.clear()
            return None
        return LATE_MARKER * usual_ns


class SectorCutter:
    """Cuts what comes into sectors of at most `longest_s`; gives those that are complete."""

    def __init__(self, longest_s: float, max_plots: int) -> None:
        self._longest_ns, self._max_plots = round(longest_s * SECOND_NS), max_plots
        self.refused: Counter[str] = Counter()
        self.markers = Markers()
        self._begin_ns: int | None = None  # of the sector that is open, by the radar's clock
        self._heard_ns = 0  # when something was last measured
        self._plots: list[Plot] = []
        self._times_ns: list[int] = []
        self._delays_ns: deque[int] = deque(maxlen=DELAYS)  # from measurement to receipt, the clocks' difference in it
        self._timed = False  # the radar says times
        self._keys: deque[tuple[int, float, float]] = deque()
        self._known: set[tuple[int, float, float]] = set()

    def plot(self, plot: Plot, when: Instant) -> list[Cut]:
        """Take a plot."""
        time_ns = self._time_of(when)
        out = self._go_on(time_ns)
        if plot.time_ticks is not None and self._is_second(plot):
            self.refused["duplicate plot"] += 1
            return out
        self._plots.append(plot)
        self._times_ns.append(time_ns)
        return out + ([self._cut(time_ns)] if len(self._plots) >= self._max_plots else [])

    def marker(self, angle: float, when: Instant) -> list[Cut]:
        """Take a marker: where the antenna looks at that time, clockwise from north [rad]."""
        time_ns = self._time_of(when)
        out = self._go_on(time_ns)
        self.markers.add(time_ns, angle)
        if self._begin_ns is not None and time_ns > self._begin_ns:
            out.append(self._cut(time_ns))
        return out

    def tick(self, now_ns: int) -> list[Cut]:
        """Return the sectors that are complete by the host's clock, where nothing else has come."""
        if self._begin_ns is None or not self._delays_ns:
            return []
        return self._complete(now_ns - round(median(self._delays_ns)), QUIET_NS)

    def finish(self) -> list[Cut]:
        """Return the sector that is open."""
        if self._begin_ns is None or (not self._plots and self._heard_ns <= self._begin_ns):
            return []
        out = [self._cut(self._heard_ns)]
        self._begin_ns = None
        return out

    def _time_of(self, when: Instant) -> int:
        """Return when something was measured, by the radar's clock; by its receipt, where the radar says nothing sensible."""
        delays = self._delays_ns
        if when.measured_ns is not None:
            delay = when.received_ns - when.measured_ns
            since = abs(when.measured_ns - self._heard_ns)
            if not delays or min(abs(delay - median(delays)), since) <= OUT_OF_PLACE_NS:
                delays.append(delay)
                self._timed = True
                return when.measured_ns
            self.refused["time of day out of place"] += 1
            delays.append(delay)  # where most agree on another, a clock was set
        elif not self._timed:
            delays.append(0)
        return when.received_ns - round(median(delays))

    def _go_on(self, time_ns: int) -> list[Cut]:
        """Go on to a time at which something was measured; return the sectors before it."""
        if self._begin_ns is None:
            self._begin_ns = self._heard_ns = time_ns
            return []
        if time_ns < self._begin_ns - OUT_OF_PLACE_NS or self._is_quiet(time_ns, LOST_NS):
            out = [self._cut(self._heard_ns)] if self._plots else []
            self._begin_ns = self._heard_ns = time_ns
            self._known.clear()
            self._keys.clear()
            return out
        out = self._complete(time_ns, LOST_NS)
        self._heard_ns = max(self._heard_ns, time_ns)
        return out

    def _complete(self, time_ns: int, quiet_ns: int) -> list[Cut]:
        """Return the sectors that end in time before a time, as long as the radar has not been silent for too long."""
        assert self._begin_ns is not None
        out = []
        while time_ns - self._begin_ns >= self._longest_ns and not self._is_quiet(
            self._begin_ns + self._longest_ns, quiet_ns
        ):
            out.append(self._cut(self._begin_ns + self._longest_ns))
        return out

    def _is_quiet(self, time_ns: int, quiet_ns: int) -> bool:
        """Tell whether the radar has been silent for so long at a time that nobody knows what it has seen."""
        return time_ns - self._heard_ns > (self.markers.quiet_ns(time_ns) or quiet_ns)

    def _cut(self, end_ns: int) -> Cut:
        """End the open sector, after its begin, and begin the next."""
        assert self._begin_ns is not None
        end_ns = max(end_ns, self._begin_ns + SHORTEST_NS)  # no two have one stamp
        begin_ns, self._begin_ns = self._begin_ns, end_ns
        both = list(zip(self._plots, self._times_ns, strict=True))
        plots = [plot for plot, time_ns in both if time_ns <= end_ns]
        offsets = [(time_ns - end_ns) * 1e-9 for _, time_ns in both if time_ns <= end_ns]
        self._plots = [plot for plot, time_ns in both if time_ns > end_ns]
        self._times_ns = [time_ns for _, time_ns in both if time_ns > end_ns]
        rate = self.markers.rate
        sector = Sector(
            (begin_ns - end_ns) * 1e-9, 0.0, self.markers.angle_at(end_ns), math.nan if rate is None else rate
        )
        end = Instant(end_ns if self._timed else None, end_ns + min(self._delays_ns))
        return Cut(plots, offsets, end, sector)

    def _is_second(self, plot: Plot) -> bool:
        """Tell whether a plot has come before; radars behind two networks send each twice."""
        assert plot.time_ticks is not None
        key = plot.time_ticks, plot.range, plot.theta
        if key in self._known:
            return True
        self._known.add(key)
        self._keys.append(key)
        if len(self._keys) > DUPLICATES:
            self._known.discard(self._keys.popleft())
        return False
