# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Noise-floor rise: an F-test of a scan's noise levels against a baseline of quiet scans.

The F-test rests on levels that are means of so many independent noise cells. Where the levels of quiet scans differ by more than
that explains (levels that other echoes raise, cells that are not independent), the test is as much less sensitive.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

import numpy as np
from scipy.special import fdtrc, stdtrit

from aegis.core.ew.settings import NoiseSettings
from aegis.core.ew.statistics import chance_text, rise_threshold
from aegis.core.types import Detections, Floats, Ints, Signal, SignalKind

# From this mean resultant length of the directions, 0 (all around) to 1 (all the same), a rise has a bearing.
BEARING_CONCENTRATION = 0.5
# A rise that the mean does not show, in one direction, is believed in the second of three scans.
LOUD_SCANS, LOUD_OF = 2, 3
LOWEST_DB, HIGHEST_DB = -300.0, 200.0  # levels that a receiver can state; what is beyond is taken as unknown
BASELINE_OVER = 100.0  # a level counts in the baseline for no more than this over the scan's median
UNLIKE = 4.0  # a scan further from the median of the others than this ratio is no part of the floor
_LEAST_RATIO = 1e-12  # of powers: the F distribution is asked about no less
_LEAST_POWER = 1e-30


@dataclass
class NoiseChange:
    """What a scan changed: a signal that began, and one that ended."""

    raised: Signal | None = None
    ended: Signal | None = None


class _Scan(NamedTuple):
    """Sums over the levels of a scan, for the baseline."""

    levels: int
    cells: float
    power: float  # of the cells
    square: float  # cells times the level's square
    largest: float  # level

    @property
    def mean(self) -> float:
        return self.power / self.cells


class _Baseline(NamedTuple):
    """What quiet scans say."""

    floor: float  # mean power of a cell
    reference: float  # independent cells behind it
    excess: float  # variance of a level over that of the mean of its cells, at least 1
    scatter: float  # standard deviation of a scan's mean, relative to the floor
    largest: float  # level of all, relative to the floor
    scans: int


class NoiseMonitor:
    """Watches the noise levels beside the detections. A sensor that reports none gives no judgement, never an all-clear."""

    def __init__(self, settings: NoiseSettings, ids: Iterator[int] | None = None) -> None:
        """Make a monitor of one sensor; signals are numbered by `ids`."""
        self.settings = settings
        self._ids = ids or count(1)
        self.reset()

    def reset(self) -> None:
        """Forget the baseline and the signal; ids go on."""
        self._quiet: deque[_Scan] = deque(maxlen=self.settings.baseline_scans)
        self._loud: deque[bool] = deque(maxlen=LOUD_OF)
        self.signal: Signal | None = None
        self._quiet_scans = 0
        self._heard_ns = 0
        self.judged = False

    def step(self, detections: Detections) -> NoiseChange:
        """Judge a scan; `self.signal` is what is active afterwards."""
        s = self.settings
        known = (detections.noise_db >= LOWEST_DB) & (detections.noise_db <= HIGHEST_DB)
        level = 10.0 ** (detections.noise_db[known] / 10.0)
        cells = detections.points[known] * s.cells
        self.judged = len(self._quiet) >= s.warmup_scans and int(cells.sum()) > 0
        if not len(level) or not cells.sum():
            silent_ns = detections.stamp_ns - self._heard_ns
            return self.end() if self.signal and silent_ns > round(s.hold_s * 1e9) else NoiseChange()
        self._heard_ns = detections.stamp_ns
        scan = _scan(level, cells)
        quiet = _scan(np.minimum(level, BASELINE_OVER * float(np.median(level))), cells)
        if not self.judged:
            self._quiet.append(quiet)
            return NoiseChange()
        signal = self._judge(scan, level, cells, detections.azimuth[known])
        if signal is None:
            if self.signal is not None:
                return self._no_evidence()
            if not any(self._loud):
                self._quiet.append(quiet)
            return NoiseChange()
        self._quiet_scans = 0
        change = NoiseChange(raised=signal if self.signal is None else None)
        self.signal = signal
        return change

    def _judge(self, scan: _Scan, level: Floats, cells: Ints, azimuth: Floats) -> Signal | None:
        """Return the signal that a scan gives evidence of."""
        s, quiet = self.settings, self._baseline()
        least_rise = 10.0 ** (s.min_rise_db / 10.0)
        samples = scan.cells / quiet.excess
        ratio = scan.mean / quiet.floor
        # Student's t: the scatter of scans is known from a few of them.
        usual = 1.0 - float(stdtrit(quiet.scans - 1, s.false_alarm_probability)) * quiet.scatter
        enough = max(rise_threshold(samples, quiet.reference, s.false_alarm_probability), usual, least_rise)
        # What is everywhere shows without the loudest level too.
        others = np.arange(len(level)) != int(level.argmax()) if len(level) > 1 else np.ones(1, dtype=bool)
        rest = float((level * cells)[others].sum() / cells[others].sum()) / quiet.floor
        everywhere = min(ratio, rest) > enough
        # One jammed direction among many quiet ones hardly moves the mean: the loudest level is tested too, at a false alarm
        # probability shared among all of them.
        loudest = float(level.max()) / quiet.floor
        one = float(cells.min()) / quiet.excess
        single = rise_threshold(one, quiet.reference, s.false_alarm_probability / len(level))
        loud = loudest > max(single, quiet.largest * least_rise)
        self._loud.append(loud)
        if not everywhere and not (loud and (self.signal is not None or sum(self._loud) >= LOUD_SCANS)):
            return None
        probability = float(fdtrc(2 * samples, 2 * quiet.reference, max(ratio, _LEAST_RATIO)))
        probability = min(probability, len(level) * float(fdtrc(2 * one, 2 * quiet.reference, loudest)))
        bearing, spread = _direction(np.maximum(level / quiet.floor - 1.0, 0.0), azimuth)
        return Signal(
            id=self.signal.id if self.signal else next(self._ids),
            kind=SignalKind.NOISE_JAMMING,
            bearing=bearing,
            bearing_sigma=spread,
            power_db=10.0 * float(np.log10(max(loudest, ratio))),
            frequency=float("nan"),
            confidence=1.0 - min(1.0, probability),
            evidence=(
                f"noise floor {10.0 * np.log10(ratio):+.1f} dB over {scan.cells:.0f} cells, loudest"
                f" {10.0 * np.log10(loudest):+.1f} dB, against {quiet.reference:.0f} quiet cells (F-test, probability"
                f" {chance_text(probability)} in quiet noise)"
            ),
        )

    def _baseline(self) -> _Baseline:
        middle = max(float(np.median([scan.mean for scan in self._quiet])), _LEAST_POWER)
        scans = [scan for scan in self._quiet if middle / UNLIKE <= scan.mean <= middle * UNLIKE]
        cells = sum(scan.cells for scan in scans)
        floor = max(sum(scan.power for scan in scans) / cells, _LEAST_POWER)
        # Of n exponential cells, the mean has a variance of 1/n of the floor's square.
        squares = sum(s.square / floor**2 - 2.0 * s.power / floor + s.cells for s in scans)
        excess = max(1.0, squares / sum(scan.levels for scan in scans))
        scatter = float(np.std([scan.mean / floor for scan in scans], ddof=1)) if len(scans) > 1 else 0.0
        largest = max(scan.largest for scan in scans) / floor
        return _Baseline(floor, cells / excess, excess, scatter, largest, max(len(scans), 2))

    def _no_evidence(self) -> NoiseChange:
        self._quiet_scans += 1
        return self.end() if self._quiet_scans >= self.settings.clear_after_scans else NoiseChange()

    def end(self) -> NoiseChange:
        """End what is active, as nothing tells of it any more; the baseline stays."""
        change = NoiseChange(ended=self.signal)
        self.signal = None
        self._quiet_scans = 0
        self._loud.clear()
        return change


def _scan(level: Floats, cells: Ints) -> _Scan:
    """Return the sums over a scan's levels, (N,), and the cells behind each."""
    return _Scan(
        len(level),
        float(cells.sum()),
        float((level * cells).sum()),
        float((level**2 * cells).sum()),
        float(level.max()),
    )


def _direction(excess: Floats, azimuth: Floats) -> tuple[float, float]:
    """Return where a rise comes from, and how far that spreads [rad]; NaN where it comes from all around.

    Args:
        excess: (N,) power above the floor; azimuth: (N,) [rad].
    """
    vector = complex((excess * np.exp(1j * azimuth)).sum() / max(excess.sum(), _LEAST_RATIO))
    # Circular statistics: directions that cancel mean a rise everywhere, which has no bearing.
    concentration = abs(vector)
    if not concentration > BEARING_CONCENTRATION:
        return float("nan"), float("nan")
    return float(np.angle(vector)), float(np.sqrt(-2.0 * np.log(min(concentration, 1.0))))
