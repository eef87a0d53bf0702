# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Jamming and interference in receive-only cells: what the front end (or the simulated radar) measures, held against quiet scans.

A rise of the noise floor, in all cells or in one beam, is tested by F against the baseline; the shape of what is heard says what
it is:
spectral kurtosis of 1 is noise, below a tone, and samples that stand out of a chirp are another radar's. Each is believed in the
second of three scans. A scan that gives evidence, or that is unlike the others, is no part of the baseline.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

import numpy as np
from scipy.special import bdtrc, fdtrc, stdtrit

from aegis.core.ew.noise import LOUD_OF, LOUD_SCANS, NoiseChange
from aegis.core.ew.settings import NoiseSettings
from aegis.core.ew.statistics import chance_text, kurtosis_limits, rise_threshold
from aegis.core.types import Floats, Ints, ReceiverNoise, Signal, SignalKind

LOWEST_DB, HIGHEST_DB = -300.0, 200.0  # of powers that a receiver can state: others are none
ONCE_IN_A_PLACE = 0.5  # bursts that hit one place of more chirps are in step with ours: no other radar's
STROBE_CONTRAST = 2.0  # a beam's excess over that of the beams' median, from which a rise has a bearing
MOST_CELLS = 1e12
WIDEST_STEP = (
    1.4  # beamwidths between two beams; beyond, the second one hears the jammer by its sidelobes, whatever these are
)
BEAM_ERROR = 0.01  # of the beamwidth: what interpolation leaves, whatever the power
# Carriers in which a jammer was heard, or not, are remembered for so many reports.
CARRIERS = 64
MODES = 8  # of the receiver whose noise is remembered; as many as waveforms that a front end plans for
_LEAST = 1e-30
_SAME_SHARE = 2.0  # a quiet scan further from the median of the others than this ratio is not like them


class _Quiet(NamedTuple):
    power: float
    cells: float
    beams: Floats
    beam_cells: float


@dataclass
class _Mode:
    """What is quiet in one mode of the receiver: a power is that of its bandwidth, and of its gain."""

    quiet: deque[_Quiet]
    since: int = 0  # quiet scans since one went into the baseline


class _Floor(NamedTuple):
    power: float
    cells: float  # independent, behind it
    scatter: float  # standard deviation of a scan's mean, relative
    beams: Floats  # of each
    beam_cells: float
    beam_scatter: float
    scans: int


@dataclass(frozen=True)
class Heard:
    """What a signal is, beside what its message says: advice depends on it."""

    signal: Signal
    barrage: bool = False  # heard on carriers farther apart than the receiver's bandwidth
    through_sidelobes: bool = False  # in at least half of the beams, and stronger in one
    strobe_excess_db: float = math.nan  # of the loudest beam over the others
    rise_db: float = math.nan  # of the mean over all cells
    elsewhere_db: float = math.nan  # of the beams' median: beside a strobe; NaN without beams
    bursts: bool = False
    tone: bool = False


class _Evidence(NamedTuple):
    rise: bool
    beam: bool
    bursts: bool
    tone: bool
    ratio: float
    loudest: float
    probability: float
    excess: Floats


class ReceiverMonitor:
    """Watches one sensor's receive-only cells."""

    def __init__(self, settings: NoiseSettings, ids: Iterator[int] | None = None) -> None:
        """Make a monitor; signals are numbered by `ids`."""
        self.settings = settings
        self._ids = ids or count(1)
        self.reset()

    def reset(self) -> None:
        """Forget the baseline and the signal; ids go on."""
        self._modes: dict[tuple[float, int], _Mode] = {}  # by bandwidth and number of beams, the last heard of last
        self._evident: deque[bool] = deque(maxlen=LOUD_OF)
        self._carriers: dict[float, bool] = {}  # jammed or not, the last heard of last
        self.heard: Heard | None = None
        self._quiet_scans = 0
        self.judged = False

    @property
    def signal(self) -> Signal | None:
        """What is active."""
        return None if self.heard is None else self.heard.signal

    def step(self, report: ReceiverNoise) -> NoiseChange:
        """Judge a report; `self.heard` is what is active afterwards."""
        s = self.settings
        if not (0.0 < report.cells <= MOST_CELLS and LOWEST_DB <= report.power_db <= HIGHEST_DB):
            self.judged = False
            return NoiseChange()
        beams = np.where(
            (report.beam_power_db >= LOWEST_DB) & (report.beam_power_db <= HIGHEST_DB), report.beam_power_db, np.nan
        )
        beam_cells = report.beam_cells if 0.0 < report.beam_cells <= MOST_CELLS else 0.0
        scan = _Quiet(_linear(report.power_db), report.cells, 10.0 ** (beams / 10.0), beam_cells)
        mode = self._mode(report.bandwidth, len(beams))
        self.judged = len(mode.quiet) >= s.warmup_scans
        if not self.judged:
            mode.quiet.append(scan)
            return NoiseChange()
        found = self._evidence(report, scan, _floor(mode.quiet))
        evident = found.rise or found.beam or found.bursts or found.tone
        self._evident.append(evident)
        self._note_carrier(report.carrier_frequency, found.rise or found.beam)
        if evident and (self.heard is not None or sum(self._evident) >= LOUD_SCANS):
            self._quiet_scans = 0
            new = self.heard is None
            self.heard = self._describe(report, found)
            return NoiseChange(raised=self.heard.signal if new else None)
        if not evident:
            if self.heard is None and not any(self._evident):
                self._learn(mode, scan)
            return self._no_evidence()
        return NoiseChange()

    def _mode(self, bandwidth: float, beams: int) -> _Mode:
        """Return the receiver's mode: a radar may change between some, and has another floor in each."""
        key = (float(f"{bandwidth:.3g}") if math.isfinite(bandwidth) else 0.0, beams)
        mode = self._modes.pop(key, None) or _Mode(deque(maxlen=self.settings.baseline_scans))
        self._modes[key] = mode
        while len(self._modes) > MODES:
            del self._modes[next(iter(self._modes))]
        return mode

    def _learn(self, mode: _Mode, scan: _Quiet) -> None:
        mode.since += 1
        if len(mode.quiet) < self.settings.baseline_scans or mode.since >= self.settings.baseline_every:
            mode.quiet.append(scan)
            mode.since = 0

    def _evidence(self, report: ReceiverNoise, scan: _Quiet, floor: _Floor) -> _Evidence:
        s = self.settings
        pfa, least = s.false_alarm_probability, 10.0 ** (s.min_rise_db / 10.0)
        spread = -float(stdtrit(floor.scans - 1, pfa))  # Student's t: the scatter is known from a few scans
        ratio = scan.power / floor.power
        enough = max(rise_threshold(scan.cells, floor.cells, pfa), 1.0 + spread * floor.scatter, least)
        probability = float(fdtrc(2 * scan.cells, 2 * floor.cells, max(ratio, _LEAST)))
        beams = scan.beams / floor.beams
        n = int(np.isfinite(beams).sum())
        loudest, beam = ratio, False
        if n and scan.beam_cells > 0.0 and floor.beam_cells > 0.0:
            loudest = max(ratio, float(np.nanmax(beams)))
            share = pfa / n
            wide = -float(stdtrit(max(floor.scans * n - 1, 2), share))
            most = max(rise_threshold(scan.beam_cells, floor.beam_cells, share), 1.0 + wide * floor.beam_scatter, least)
            beam = float(np.nanmax(beams)) > most
            single = n * float(fdtrc(2 * scan.beam_cells, 2 * floor.beam_cells, max(float(np.nanmax(beams)), _LEAST)))
            probability = min(probability, single)
        bursts = False
        if report.burst_samples > 0 and 0.0 < report.burst_probability < 1.0 and report.bursts > 0:
            chance = float(
                bdtrc(min(report.bursts, report.burst_samples) - 1, report.burst_samples, report.burst_probability)
            )
            bursts = chance < pfa and report.burst_repeats < ONCE_IN_A_PLACE
            probability = min(probability, chance) if bursts else probability
        tone = False
        if report.kurtosis_samples >= 8 and report.kurtosis_bins > 0:
            low, _ = kurtosis_limits(min(report.kurtosis_samples, 2**20), pfa / report.kurtosis_bins)
            tone = report.kurtosis_least < low
            probability = min(probability, pfa) if tone else probability
        return _Evidence(
            ratio > enough, beam, bursts, tone, ratio, loudest, min(probability, 1.0), np.maximum(beams - 1.0, 0.0)
        )

    def _describe(self, report: ReceiverNoise, found: _Evidence) -> Heard:
        bearing, sigma = self._strobe(report, found.excess)
        finite = found.excess[np.isfinite(found.excess)]
        median = float(np.median(finite)) if len(finite) else 0.0
        raised = median > 10.0 ** (self.settings.min_rise_db / 10.0) - 1.0
        kind = SignalKind.INTERFERENCE if found.bursts or found.tone else SignalKind.NOISE_JAMMING
        what = [f"noise floor {_db(found.ratio):+.1f} dB over {report.cells:.0f} receive-only cells (F-test)"]
        if len(finite):
            what.append(f"loudest of {len(finite)} beams {_db(found.loudest):+.1f} dB")
        if report.kurtosis_samples:
            shape = "a tone" if found.tone else "noise"
            least = report.kurtosis_least
            if math.isfinite(least):
                what.append(f"spectral kurtosis down to {least:.2f} ({shape})")
        if found.bursts:
            what.append(
                f"{report.bursts} of {report.burst_samples} samples stand out, by {report.burst_power_db:.0f} dB"
            )
        barrage = self._is_barrage(report.bandwidth)
        if barrage:
            what.append(f"on carriers {self._jammed_span() / 1e6:.0f} MHz apart")
        what.append(f"probability {chance_text(found.probability)} in quiet noise")
        signal = Signal(
            id=self.heard.signal.id if self.heard else next(self._ids),
            kind=kind,
            bearing=bearing,
            bearing_sigma=sigma,
            power_db=_db(found.loudest),
            frequency=report.carrier_frequency if math.isfinite(report.carrier_frequency) else math.nan,
            confidence=1.0 - found.probability,
            evidence=", ".join(what),
        )
        return Heard(
            signal,
            barrage=barrage,
            through_sidelobes=raised and math.isfinite(bearing) and not report.simultaneous,
            strobe_excess_db=_db((1.0 + float(finite.max())) / (1.0 + median)) if len(finite) else math.nan,
            rise_db=_db(found.ratio),
            elsewhere_db=_db(1.0 + median) if len(finite) else math.nan,
            bursts=found.bursts,
            tone=found.tone,
        )

    def _strobe(self, report: ReceiverNoise, excess: Floats) -> tuple[float, float]:
        """Return the bearing of the loudest beam, between the beams, and its standard deviation [rad]; NaN where there is none."""
        finite = np.isfinite(excess)
        if not finite.any() or not excess[finite].max() > STROBE_CONTRAST * max(
            float(np.median(excess[finite])), _LEAST
        ):
            return math.nan, math.nan
        best = int(np.nanargmax(np.where(finite, excess, -1.0)))
        row = finite & ((report.elevation == report.elevation[best]) | np.isnan(report.elevation))
        return strobe(report, excess, best, np.flatnonzero(row))

    def _note_carrier(self, carrier: float, jammed: bool) -> None:
        if not math.isfinite(carrier):
            return
        self._carriers.pop(carrier, None)
        self._carriers[carrier] = jammed
        while len(self._carriers) > CARRIERS:
            del self._carriers[next(iter(self._carriers))]

    def _jammed_span(self) -> float:
        jammed = [carrier for carrier, is_jammed in self._carriers.items() if is_jammed]
        return max(jammed) - min(jammed) if jammed else 0.0

    def _is_barrage(self, bandwidth: float) -> bool:
        quiet = sum(not is_jammed for is_jammed in self._carriers.values())
        jammed = len(self._carriers) - quiet
        return jammed > quiet and self._jammed_span() > (bandwidth if math.isfinite(bandwidth) else 0.0) > 0.0

    def _no_evidence(self) -> NoiseChange:
        if self.heard is None:
            return NoiseChange()
        self._quiet_scans += 1
        return self.end() if self._quiet_scans >= self.settings.clear_after_scans else NoiseChange()

    def end(self) -> NoiseChange:
        """End what is active, as nothing tells of it any more; the baseline stays."""
        if self.heard is None:
            return NoiseChange()
        ended = self.heard.signal
        self.heard = None
        self._quiet_scans = 0
        self._evident.clear()
        self._carriers = dict.fromkeys(self._carriers, False)
        return NoiseChange(ended=ended)


def _floor(quiet: deque[_Quiet]) -> _Floor:
    """Return what quiet scans say."""
    power = np.array([scan.power for scan in quiet])
    middle = max(float(np.median(power)), _LEAST)
    # One odd report in the warm-up is no part of the baseline.
    like = (power < _SAME_SHARE * middle) & (power > middle / _SAME_SHARE)
    kept = [scan for scan, same in zip(quiet, like, strict=True) if same] or list(quiet)
    n = len(kept)
    mean = max(float(np.mean([scan.power for scan in kept])), _LEAST)
    scatter = float(np.std([scan.power / mean for scan in kept], ddof=1)) if n > 1 else 0.0
    levels = np.stack([scan.beams for scan in kept])
    beams = np.where(np.isfinite(levels).all(axis=0), levels.mean(axis=0), np.nan)
    beam_scatter = 0.0
    if n > 1 and np.isfinite(beams).any():
        beam_scatter = math.sqrt(float(np.nanmean((levels / beams - 1.0) ** 2)) * n / (n - 1))
    cells = sum(scan.cells for scan in kept)
    return _Floor(mean, cells, scatter, beams, sum(scan.beam_cells for scan in kept), beam_scatter, max(n, 2))


def strobe(report: ReceiverNoise, excess: Floats, best: int, row: Ints) -> tuple[float, float]:
    """Return where between the beams a jammer is [rad], and the standard deviation [rad].

    Of beams formed from the same samples: a parabola through the logarithm of the excess of the best beam and its neighbours; the
    error is theta3 / (1.6 sqrt(2 K J^2 / (1 + J))), the bound of K snapshots at a jammer-to-noise ratio J in the beam; of beams
    that look one after another the powers scatter each for itself.

    Args:
        report: with its beams.
        excess: (N,) power above the floor, relative to it.
        best: beam with the largest.
        row: beams at the same elevation, the best one among them.
    """
    order = row[np.argsort(report.azimuth[row], kind="stable")]
    at = int(np.flatnonzero(order == best)[0])
    n = len(order)
    width, middle = report.beamwidth, float(report.azimuth[best])
    around = not report.simultaneous and n > 2 and _gap(report.azimuth[order]) < 2.0 * 2.0 * math.pi / n
    sides = [order[at - 1], order[(at + 1) % n]] if around or 0 < at < n - 1 else []
    between = _between_formed if report.simultaneous else _between_turning
    if not sides or not 0.0 < width < math.pi:
        return middle, _anywhere(width)
    return between(report, excess, best, (int(sides[0]), int(sides[1])))


def _between_formed(report: ReceiverNoise, excess: Floats, best: int, sides: tuple[int, int]) -> tuple[float, float]:
    middle, width = float(report.azimuth[best]), report.beamwidth
    left, right = sides
    if not min(excess[left], excess[right]) > 0.0:
        return middle, _anywhere(width)
    y = np.log(np.maximum(excess[[left, best, right]], _LEAST))
    sine = np.sin(report.azimuth[[left, best, right]])
    step = 0.5 * float(sine[2] - sine[0])
    curve = float(y[0] - 2.0 * y[1] + y[2])
    if not curve < 0.0:
        return middle, _anywhere(width)
    offset = float(np.clip(0.5 * step * (y[0] - y[2]) / curve, -0.5 * step, 0.5 * step))
    bearing = math.asin(float(np.clip(sine[1] + offset, -1.0, 1.0)))
    jammer, cells = float(excess[best]), float(np.clip(report.beam_cells, 1.0, MOST_CELLS))
    wide = width / max(math.cos(bearing), 0.1)
    sigma = wide / (1.6 * math.sqrt(2.0 * cells * jammer**2 / (1.0 + jammer)))
    return bearing, min(math.hypot(sigma, BEAM_ERROR * wide), math.pi)


def _between_turning(report: ReceiverNoise, excess: Floats, best: int, sides: tuple[int, int]) -> tuple[float, float]:
    middle, width = float(report.azimuth[best]), report.beamwidth
    other = max(sides, key=lambda side: float(excess[side]))
    step = _wrap(float(report.azimuth[other]) - middle)
    if not excess[other] > 0.0:
        return middle, _anywhere(width)
    if abs(step) > WIDEST_STEP * width:
        return middle, _anywhere(abs(step))
    slope = width**2 / (8.0 * math.log(2.0) * step)
    offset = 0.5 * step + slope * math.log(float(excess[other] / excess[best]))
    pair = excess[[best, other]]
    sigma = (
        abs(slope)
        * float(np.linalg.norm((1.0 + pair) / pair))
        / math.sqrt(float(np.clip(report.beam_cells, 1.0, MOST_CELLS)))
    )
    offset = float(np.clip(offset, min(0.0, 0.5 * step), max(0.0, 0.5 * step)))
    return _wrap(middle + offset), min(math.hypot(sigma, BEAM_ERROR * width), _anywhere(width))


def _anywhere(width: float) -> float:
    """Return the standard deviation of a bearing that is anywhere in a beam."""
    return width / math.sqrt(12.0)


def _gap(sorted_azimuth: Floats) -> float:
    """Return the gap between the last and the first of sorted directions [rad]."""
    return float(sorted_azimuth[0] + 2.0 * math.pi - sorted_azimuth[-1])


def _wrap(angle: float) -> float:
    return float((angle + math.pi) % (2.0 * math.pi) - math.pi)


def _linear(db: float) -> float:
    return float(10.0 ** (db / 10.0))


def _db(ratio: float) -> float:
    return 10.0 * math.log10(max(ratio, _LEAST))
