# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a soak has shown: growth, latencies, losses, wrong outputs, each against its bound; as JSON and in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

SETTLED_S = 3600.0  # after which a process has what it needs
LONG_S = 1800.0  # a stretch of a process's life that a rate is told of
MOST_GROWTH_MB_H = 1.0
# Of shorter lives: caches fill, pictures grow. A leak of a message at 10 Hz is more within minutes.
MOST_GROWTH_MB = 30.0
BACK_P95_S = 5.0
LATENCY_P95_S = 0.5
SHARE_SETTLING = 0.25  # of a shorter life, which is not looked at


@dataclass
class Life:
    """The memory of one process, from its start to its end."""

    name: str
    pid: int
    at_s: list[float] = field(default_factory=list)
    mb: list[float] = field(default_factory=list)

    @property
    def lasted_s(self) -> float:
        """How long it was looked at."""
        return self.at_s[-1] - self.at_s[0]

    @property
    def is_long(self) -> bool:
        """Whether enough of it is left after its first hour to tell a rate."""
        return self.lasted_s >= SETTLED_S + LONG_S

    def settled(self) -> tuple[list[float], list[float]]:
        """Return times and memory without the time in which it begins."""
        after_s = SETTLED_S if self.is_long else SHARE_SETTLING * self.lasted_s
        first = next(k for k, at_s in enumerate(self.at_s) if at_s - self.at_s[0] >= after_s)
        return self.at_s[first:], self.mb[first:]


@dataclass(frozen=True)
class Growth:
    """How the memory of a process has grown in its longest life."""

    process: str
    lives: int
    longest_s: float
    first_mb: float
    last_mb: float
    mb_per_hour: float | None  # None of a life that is too short for a rate

    @property
    def grew_mb(self) -> float:
        """By how much, once it was settled."""
        return self.last_mb - self.first_mb


@dataclass(frozen=True)
class Fault:
    """A fault that was injected."""

    kind: str
    at_s: float  # since the start
    back_s: float | None  # until the graph was whole again; None where it was not, in time


@dataclass
class Seen:
    """What was heard and read."""

    lives: list[Life] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    latency_s: list[float] = field(default_factory=list)  # of tracks, from stamp to here, with no fault under way
    wrong: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    step_p99_s: dict[str, float] = field(default_factory=dict)  # the longest that a stage has told
    ended: str = ""  # why before its time

    @property
    def back_s(self) -> list[float]:
        """How long the graph took to be whole again after each fault after which it was."""
        return [fault.back_s for fault in self.faults if fault.back_s is not None]


def growth_of(lives: Sequence[Life]) -> list[Growth]:
    """Return the growth of each process."""
    out = []
    for name in dict.fromkeys(life.name for life in lives):
        own = [life for life in lives if life.name == name]
        longest = max(own, key=lambda life: life.lasted_s)
        at_s, mb = longest.settled()
        rate = float(np.polyfit(at_s, mb, 1)[0]) * 3600.0 if longest.is_long else None
        few = max(1, len(mb) // 10)
        first, last = float(np.median(mb[:few])), float(np.median(mb[-few:]))
        out.append(Growth(name, len(own), longest.lasted_s, first, last, rate))
    return out


@dataclass(frozen=True)
class Report:
    """A soak, judged."""

    hours: float
    asked_hours: float
    seed: int
    seen: Seen
    growth: list[Growth]
    failures: list[str]

    @classmethod
    def of(cls, seen: Seen, *, lasted_s: float, hours: float, seed: int, slack: float = 1.0) -> Report:
        """Hold what was seen against the bounds, those of times multiplied by `slack`."""
        growth = growth_of([life for life in seen.lives if len(life.mb) > 1])
        bad = [seen.ended] if seen.ended else []
        bad += [f"wrong output: {what} ({times} times)" for what, times in seen.wrong.items()]
        bad += [f"lost: {what} ({times})" for what, times in seen.lost.items() if times]
        bad += [f"{one.kind} at {one.at_s:.0f} s: not whole again in time" for one in seen.faults if one.back_s is None]
        for one in growth:
            if one.mb_per_hour is not None and one.mb_per_hour > MOST_GROWTH_MB_H:
                bad.append(f"{one.process} grows by {one.mb_per_hour:.2f} MB an hour; {MOST_GROWTH_MB_H:g} is allowed")
            elif one.mb_per_hour is None and one.grew_mb > MOST_GROWTH_MB:
                bad.append(f"{one.process} grew by {one.grew_mb:.1f} MB; {MOST_GROWTH_MB:g} is allowed")
        for what, values, most in (
            ("whole again", seen.back_s, BACK_P95_S),
            ("latency", seen.latency_s, LATENCY_P95_S),
        ):
            if values and _p95(values) > most * slack:
                bad.append(f"{what}: p95 {_p95(values):.2f} s; {most * slack:g} is allowed")
        if not seen.latency_s:
            bad.append("no tracks were heard with no fault under way")
        return cls(lasted_s / 3600.0, hours, seed, seen, growth, bad)

    @property
    def passed(self) -> bool:
        """Whether every bound was kept, to the end."""
        return not self.failures

    def document(self) -> dict[str, object]:
        """Return it for JSON."""
        return {
            "passed": self.passed,
            "failures": self.failures,
            "hours": round(self.hours, 4),
            "asked_hours": self.asked_hours,
            "seed": self.seed,
            "growth": [{**asdict(one), "grew_mb": one.grew_mb} for one in self.growth],
            "latency_s": _quantiles(self.seen.latency_s),
            "back_s": _quantiles(self.seen.back_s),
            "faults": [asdict(one) for one in self.seen.faults],
            "wrong": dict(self.seen.wrong),
            "lost": dict(self.seen.lost),
            "counts": dict(self.seen.counts),
            "longest_step_p99_s": self.seen.step_p99_s,
        }

    def lines(self) -> list[str]:
        """Return it in words."""
        out = [f"{self.hours * 60:.1f} minutes, seed {self.seed}: {'passed' if self.passed else 'FAILED'}"]
        out += [f"  {why}" for why in self.failures]
        for one in sorted(self.growth, key=lambda each: each.process):
            rate = "" if one.mb_per_hour is None else f", {one.mb_per_hour:+.2f} MB/h"
            lives = f"{one.lives} {'life' if one.lives == 1 else 'lives'}, the longest {one.longest_s / 60:.1f} min"
            out.append(f"  {one.process:12} {one.last_mb:7.1f} MB ({one.grew_mb:+.1f}{rate}); {lives}")
        for what, values in (
            ("latency", self.seen.latency_s),
            ("whole again", self.seen.back_s),
        ):
            if values:
                q = _quantiles(values)
                out.append(f"  {what}: p50 {q['p50']:.3f}, p95 {q['p95']:.3f}, max {q['max']:.3f} s ({q['n']})")
        kinds = Counter(one.kind for one in self.seen.faults)
        out.append("  faults: " + (", ".join(f"{kind} {n}" for kind, n in sorted(kinds.items())) or "none"))
        out.append("  " + ", ".join(f"{what} {n}" for what, n in sorted(self.seen.counts.items())))
        return out


def _p95(values: Sequence[float]) -> float:
    return float(np.percentile(values, 95))


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {"n": 0}
    p50, p95 = np.percentile(values, [50, 95])
    return {"n": len(values), "p50": round(float(p50), 4), "p95": round(float(p95), 4), "max": round(max(values), 4)}
