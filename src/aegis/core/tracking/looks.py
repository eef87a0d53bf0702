# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""From scans to looks: when each detection was measured, and which part of a turn an antenna has looked at meanwhile.

What a plot says of its own time is not believed blindly.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.rows import take_rows
from aegis.core.tracking.antenna import Antenna
from aegis.core.tracking.sweep import SAME_PASS_S, TURN, Sweep
from aegis.core.types import Detections

FIRST_INTERVAL_S = 1.0  # of a sensor's scans, before two have come
LONGEST_LOOK_S = 1.0  # of a turning antenna
LARGEST_LOOK = 0.25  # turns
MOST_LOOKS = 256  # in a scan
SCANS = 20  # by which a sensor's ways are judged
FILLED = 0.5  # share of the time from scan to scan over which an antenna's plots spread that turns all the time
SEVERAL = 1.5  # scans a turn
SEARCHES = 3  # for a turning, in vain: there is none
UNKNOWN = Sweep(0.0, math.nan, math.nan, 0.0)  # whether an antenna turns is not known: no track was surely looked at
LONGEST_SCAN_S = 60.0
COPY_S, COPY_M, COPY_RAD = (
    1e-3,
    0.1,
    1e-5,
)  # what differs by less from a plot of the scans before is that plot once more
COPIED_S = 2.0  # for how long plots are remembered for that
MISSING = 1.5  # times the usual: so much later than the one before, scans between were lost


def in_time(detections: Detections, interval_s: float | None) -> tuple[Detections, int, int]:
    """Return the detections with times that can be, the time of the latest [ns], and of how many it was none.

    Time must not run ahead of the scans: a single plot that is stamped a minute late would have all scans of that minute refused as
    late ones. No plot is later than its sector, or than the stamp by the time from scan to scan.

    Args:
        detections: of a scan.
        interval_s: from the sensor's last scan to this one; None: it is the first.
    """
    offset = detections.time_offset
    if not offset.any() and detections.sector is None:
        return detections, detections.stamp_ns, 0
    # A scan that is stamped in its middle has plots as much before.
    limit = max(FIRST_INTERVAL_S, -float(np.nanmin(offset, initial=0.0))) if interval_s is None else interval_s
    end = limit if detections.sector is None else max(detections.sector.end_s, 0.0)
    unknown = ~np.isfinite(offset)
    wrong = unknown | (offset > end)
    if wrong.any():
        offset = np.where(unknown, 0.0, np.minimum(offset, end))
        detections = replace(detections, time_offset=offset)
    latest = end if detections.sector is not None else max(float(offset.max(initial=0.0)), 0.0)
    return detections, detections.stamp_ns + round(latest * 1e9), int(wrong.sum())


class Look(NamedTuple):
    """What is filtered at once: a scan, or a part of one."""

    detections: Detections
    now_ns: int  # the time of the state afterwards: that of its end
    sweep: Sweep | None = None  # of a turning antenna; None: the whole view


class Turns:
    """Which part of a turn each scan of one sensor is, if its antenna turns."""

    def __init__(self, period_s: float = 0.0) -> None:
        """Begin; `period_s`: of a turn, where that is known, else 0."""
        self.antenna = Antenna(period_s)
        self._known = period_s > 0.0
        self.forget()

    def forget(self) -> None:
        """Forget all scans, as after a reset."""
        self.antenna.forget()
        self._timed = False  # a plot was not of its scan's stamp
        self._last_ns: int | None = None  # the end of the last scan
        self._until_ns: int | None = None  # up to where all is accounted for
        self._intervals_s: deque[float] = deque(maxlen=SCANS)
        self._spans_s: deque[tuple[float, float]] = deque(maxlen=SCANS)  # of the offsets
        self._plots = np.empty((3, 0))  # the last ones: time [s] after `_zero_ns`, range, azimuth
        self._zero_ns = 0
        self.copies = 0  # plots of the last scan that had come before

    def looks(self, d: Detections, until_ns: int) -> list[Look]:
        """Return a scan's looks in their order.

        Args:
            d: of the scan, as from `in_time`; until_ns: likewise.
        """
        self._timed = self._timed or bool(d.time_offset.any())
        if d.sector is None and not self._known and not self._timed:
            return [Look(d, until_ns)]
        self.antenna.take(d)
        d = self._without_copies(d)
        begin_ns = max(self._begin(d, until_ns), until_ns - round(LONGEST_SCAN_S * 1e9))
        if d.sector is None and not self._turns():
            open_ = self._timed and self._open()
            return [Look(d, until_ns, UNKNOWN if open_ else None)]
        begin_ns = min(begin_ns if self._until_ns is None else max(begin_ns, self._until_ns), until_ns)
        self._until_ns = until_ns if self._until_ns is None else max(self._until_ns, until_ns)
        rate = self.antenna.rate
        duration_s = (until_ns - begin_ns) * 1e-9
        longest_s = SAME_PASS_S if rate is None else min(LONGEST_LOOK_S, LARGEST_LOOK * TURN / abs(rate))
        parts = min(max(math.ceil(duration_s / longest_s), 1), MOST_LOOKS)
        step_s = duration_s / parts
        measured_s = (d.stamp_ns - begin_ns) * 1e-9 + d.time_offset
        part = np.ceil(measured_s / step_s) - 1.0 if step_s > 0.0 else np.zeros(len(d))
        part = np.clip(part, 0.0, parts - 1.0)
        out = []
        for i in range(parts):
            now_ns = until_ns - round(step_s * 1e9 * (parts - 1 - i))
            azimuth = self.antenna.azimuth_at(now_ns)
            sweep = Sweep(step_s, azimuth, math.nan if rate is None else rate, self.antenna.spread)
            out.append(Look(d if parts == 1 else take_rows(d, np.flatnonzero(part == i)), now_ns, sweep))
        return out

    def _without_copies(self, d: Detections) -> Detections:
        """Return the detections without those that came in a scan before: where sectors overlap, or one is sent again."""
        self.copies = 0
        if not len(d):
            return d
        old = self._plots
        if not old.shape[1]:
            self._zero_ns = d.stamp_ns
        new = np.stack([(d.stamp_ns - self._zero_ns) * 1e-9 + d.time_offset, d.range, d.azimuth])
        old = old[:, np.abs(old[0] - new[0].max()) <= COPIED_S]
        limits = np.array([COPY_S, COPY_M, COPY_RAD])
        differences = np.abs(new[:, :, None] - old[:, None, :]) <= limits[:, None, None]
        again: NDArray[np.bool_] = np.logical_and.reduce(differences, axis=0).any(axis=1)
        self._plots = np.concatenate([old, new[:, ~again]], axis=1)
        if not again.any():
            return d
        self.copies = int(again.sum())
        return take_rows(d, np.flatnonzero(~again))

    def _begin(self, d: Detections, until_ns: int) -> int:
        """Return when a scan began, and remember what it says of the sensor's ways."""
        last, self._last_ns = self._last_ns, until_ns
        if len(d):
            self._spans_s.append((float(d.time_offset.min()), float(d.time_offset.max())))
        usual_s = float(np.median(self._intervals_s)) if self._intervals_s else math.inf
        if last is not None and until_ns > last:
            self._intervals_s.append((until_ns - last) * 1e-9)
        if d.sector is not None:
            return d.stamp_ns + round(d.sector.begin_s * 1e9)
        if last is not None and last < until_ns <= last + MISSING * 1e9 * usual_s:
            return last
        return d.stamp_ns + round(float(d.time_offset.min(initial=0.0)) * 1e9)

    def _open(self) -> bool:
        """Tell whether there may be an antenna that turns, of which too little has been seen."""
        antenna = self.antenna
        return antenna.rate is None and not antenna.still and antenna.searches < SEARCHES

    def _turns(self) -> bool:
        """Tell whether an antenna turns that was found to.

        A sensor that looks at all at once, and sees the same each time, looks like one that turns once a scan. But its plots do not
        spread over the time from scan to scan.
        """
        rate = self.antenna.rate
        if rate is None or self._known:
            return rate is not None
        if not self._intervals_s or not self._spans_s:
            return False
        usual_s, spans = float(np.median(self._intervals_s)), np.array(self._spans_s)
        spread_s = float(spans[:, 1].max() - spans[:, 0].min())
        return TURN / abs(rate) > SEVERAL * usual_s or spread_s >= FILLED * usual_s
