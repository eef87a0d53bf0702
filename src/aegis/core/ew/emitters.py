# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Emitters: pulse trains with what they are known by, and a small library of what they may be."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import NamedTuple, Self

import numpy as np

from aegis.core.ew.descriptors import Pulses
from aegis.core.ew.pulses import Train, deinterleave
from aegis.core.ew.settings import PulseSettings
from aegis.core.types import Floats, Ints, Signal, SignalKind

MOST = 0.95  # of a train's pulses are below the upper, and above the lower end of its band: some are another's
BOUNDED = 1e12  # no time [s], frequency [Hz] or level beyond


@dataclass(frozen=True)
class Emitter:
    """An entry of the library: limits, both included; of what it does not say, anything fits."""

    name: str
    frequency_hz: tuple[float, float] = (0.0, math.inf)
    interval_s: tuple[float, float] = (0.0, math.inf)
    pulse_width_s: tuple[float, float] = (0.0, math.inf)

    @classmethod
    def of(cls, name: str, entry: object) -> Self:
        """Return an entry of a YAML file.

        Raises:
            ValueError: it is none; the message says what is expected.
        """
        keys = ("frequency_hz", "interval_s", "pulse_width_s")
        if not isinstance(entry, Mapping) or not entry or not set(entry) <= set(keys):
            raise ValueError(f"emitter '{name}': a mapping with some of {', '.join(keys)} is expected, not {entry!r}")
        limits: dict[str, tuple[float, float]] = {}
        for key, value in entry.items():
            numbers = isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2
            try:
                low, high = (float(v) for v in value) if numbers else (math.nan, math.nan)
            except (TypeError, ValueError):
                low = high = math.nan
            if not 0.0 <= low <= high < math.inf:
                raise ValueError(f"emitter '{name}', {key}: [least, most] of two numbers is expected, not {value!r}")
            limits[str(key)] = (low, high)
        return cls(name, **limits)

    def fit(self, frequency_hz: float, interval_s: float, pulse_width_s: float, agility_hz: float = 0.0) -> float:
        """Return how well a train fits: how narrow the limits are that it is within, summed in decades; -inf where it does not.

        What was not measured (NaN) neither fits nor misfits. Of an agile one all carriers have to fit: to `agility_hz` on both
        sides of `frequency_hz`.
        """
        total = 0.0
        pairs = (
            (frequency_hz, agility_hz, self.frequency_hz),
            (interval_s, 0.0, self.interval_s),
            (pulse_width_s, 0.0, self.pulse_width_s),
        )
        for value, reach, (low, high) in pairs:
            if math.isnan(value) or (low == 0.0 and math.isinf(high)):
                continue
            if not low <= value - reach <= value + reach <= high:
                return -math.inf
            total += 1.0 + max(0.0, 3.0 - math.log10(max(high / max(low, 1e-12), 1.0)))
        return total if total > 0.0 else -math.inf


def library_of(content: object) -> tuple[Emitter, ...]:
    """Return the emitters of a YAML file's content.

    Raises:
        ValueError: it is no mapping of names to emitters, or one is wrong.
    """
    if not isinstance(content, Mapping) or not content:
        raise ValueError("a mapping of names to emitters is expected")
    return tuple(Emitter.of(str(name), entry) for name, entry in content.items())


def named(
    library: Sequence[Emitter], frequency_hz: float, interval_s: float, pulse_width_s: float, agility_hz: float = 0.0
) -> str:
    """Return the name of the emitter that fits best; empty where none does, or where two fit alike."""
    fits = sorted(((e.fit(frequency_hz, interval_s, pulse_width_s, agility_hz), e.name) for e in library), reverse=True)
    if not fits or fits[0][0] == -math.inf or (len(fits) > 1 and fits[1][0] == fits[0][0]):
        return ""
    return fits[0][1]


class _Heard(NamedTuple):
    """When an emitter was heard last, and as what."""

    stamp_ns: int
    interval_s: float
    band_hz: tuple[float, float]  # its carriers, the lowest and the highest; NaN: nobody says


class EmitterMonitor:
    """Turns the pulses of one warning receiver into emitters that are heard for as long as their pulses come."""

    def __init__(
        self, settings: PulseSettings, library: Sequence[Emitter] = (), ids: Iterator[int] | None = None
    ) -> None:
        """Make a monitor; signals are numbered by `ids`."""
        self.settings, self.library = settings, tuple(library)
        self._ids = ids or count(1)
        self._heard: dict[int, _Heard] = {}  # by signal
        self._signals: dict[int, Signal] = {}
        self.unassigned = 0  # pulses of the last message that belong to no train
        self.refused = 0  # pulses of the last message whose time of arrival was none, or that were too many

    @property
    def signals(self) -> list[Signal]:
        """What is heard."""
        return list(self._signals.values())

    def step(self, pulses: Pulses) -> list[Signal]:
        """Take the pulses of a message; return the emitters that were not heard before."""
        s = self.settings
        fine = np.flatnonzero(np.abs(pulses.toa) < BOUNDED)
        fine = fine[np.argsort(pulses.toa[fine], kind="stable")][: s.max_pulses]
        self.refused = len(pulses) - len(fine)
        trains, rest = deinterleave(pulses.toa[fine], s.least_interval_s, s.most_interval_s)
        self.unassigned = len(rest)
        new = []
        for train in trains:
            index = fine[train.pulses]
            heard = _Heard(pulses.stamp_ns, train.interval_s, self._band(pulses.frequency[index]))
            signal = self._signal(pulses, train, index, heard.band_hz)
            known = self._known(signal, heard)
            if known is None:
                new.append(signal)
            else:
                signal = replace(signal, id=known)
            self._signals[signal.id] = signal
            self._heard[signal.id] = heard
        held_ns = round(s.hold_s * 1e9)
        for number, before in list(self._heard.items()):
            if not -held_ns <= pulses.stamp_ns - before.stamp_ns <= held_ns:
                del self._heard[number], self._signals[number]
        return new

    def end(self) -> None:
        """End all that is heard, as no pulses come any more."""
        self._heard.clear()
        self._signals.clear()

    def _known(self, signal: Signal, now: _Heard) -> int | None:
        """Return which signal was heard before: alike in interval, and in carrier and bearing as far as both are known."""
        for number, heard in self._heard.items():
            before = self._signals[number]
            apart = (
                abs(math.remainder(signal.bearing - before.bearing, 2.0 * math.pi))
                if _both(signal.bearing, before.bearing)
                else 0.0
            )
            reach = 4.0 * math.hypot(_or(signal.bearing_sigma, 0.1), _or(before.bearing_sigma, 0.1)) + 0.05
            # Bands that overlap, or nearly so; NaN is no gap.
            gap = max(now.band_hz[0] - heard.band_hz[1], heard.band_hz[0] - now.band_hz[1])
            tuned = not gap >= self.settings.same_frequency_hz
            if abs(now.interval_s / heard.interval_s - 1.0) < self.settings.same_interval and apart < reach and tuned:
                return number
        return None

    def _band(self, frequency: Floats) -> tuple[float, float]:
        """Return the band that nearly all of the pulses are in, (NaN, NaN) where nobody says; of one carrier, that twice."""
        known = frequency[np.abs(frequency) < BOUNDED]
        if not len(known):
            return math.nan, math.nan
        low, middle, high = (float(f) for f in np.quantile(known, [1.0 - MOST, 0.5, MOST]))
        return (low, high) if high - low > self.settings.same_frequency_hz else (middle, middle)

    def _signal(self, pulses: Pulses, train: Train, index: Ints, band_hz: tuple[float, float]) -> Signal:
        frequency, width, level = (
            _median(values[index]) for values in (pulses.frequency, pulses.pulse_width, pulses.amplitude_db)
        )
        bearing, sigma = _bearing(pulses.azimuth[index], pulses.azimuth_sigma[index])
        low, high = band_hz
        name = named(self.library, 0.5 * (low + high), train.interval_s, width, 0.5 * (high - low))
        said = [
            f"{len(index)} pulses every {train.interval_s * 1e6:.1f} us"
            f" (jitter {100 * train.jitter:.1f} %, {100 * train.missing:.0f} % missing)"
        ]
        if high > low:
            said.append(f"agile, {low / 1e9:.3f} to {high / 1e9:.3f} GHz")
        elif math.isfinite(frequency):
            said.append(f"{frequency / 1e9:.3f} GHz")
        said += [f"{width * 1e6:.2f} us wide"] if math.isfinite(width) else []
        said += [f"fits {name}" if name else "fits no single emitter of the library"]
        return Signal(
            id=next(self._ids),
            kind=SignalKind.EMITTER,
            bearing=bearing,
            bearing_sigma=sigma,
            power_db=level,
            frequency=frequency,
            confidence=max(0.0, 1.0 - math.exp(-len(index) * (1.0 - train.missing) / 4.0)),
            evidence=", ".join(said),
            emitter=name,
        )


def _median(values: Floats) -> float:
    known = values[np.abs(values) < BOUNDED]
    return float(np.median(known)) if len(known) else math.nan


def _bearing(azimuth: Floats, sigma: Floats) -> tuple[float, float]:
    known = np.abs(azimuth) <= 2.0 * np.pi
    if not known.any():
        return math.nan, math.nan
    vector = np.exp(1j * azimuth[known]).mean()
    stated = sigma[known][(sigma[known] > 0.0) & (sigma[known] < np.pi)]
    n = int(known.sum())
    spread = math.sqrt(max(-2.0 * math.log(max(abs(vector), 1e-9)), 0.0))
    each = max(spread, float(np.median(stated)) if len(stated) else 0.0)
    return float(np.angle(vector)), each / math.sqrt(n)


def _both(a: float, b: float) -> bool:
    return math.isfinite(a) and math.isfinite(b)


def _or(value: float, other: float) -> float:
    return value if math.isfinite(value) else other
