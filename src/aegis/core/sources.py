# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whether what should keep coming does: a source that falls silent, or that gives the same scan again and again."""

from __future__ import annotations

import statistics
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum

SILENT_PERIODS = 3.0
INTERVALS_KEPT = 9  # the period is their median: one gap does not make a slow source
FIRST_SILENCE_S = 30.0  # while the period is not known, before the second message
# As many numbers of a scan as must come again: one object that a coarse sensor sees at rest may have the same ones for a while.
STUCK_OBJECTS = 3
MOST_SOURCES = 64


class State(Enum):
    """What is wrong with a source."""

    SILENT = "silent"
    STUCK = "stuck"


@dataclass(frozen=True)
class Trouble:
    """A source that is silent or stuck, and for how long [s]."""

    topic: str
    sensor_id: str
    state: State
    for_s: float
    ever_heard: bool = True

    def __str__(self) -> str:
        source = f"{self.topic} of '{self.sensor_id}'" if self.sensor_id else self.topic
        if not self.ever_heard:
            return f"{source}: never heard, {self.for_s:.1f} s after the start"
        what = "no message" if self.state is State.SILENT else "the same scan again and again"
        return f"{source}: {what} for {self.for_s:.1f} s"


@dataclass
class _Source:
    last_s: float
    resumed_s: float = -float("inf")  # when it was heard after it had been silent
    intervals_s: deque[float] = field(default_factory=lambda: deque(maxlen=INTERVALS_KEPT))
    content: int = 0  # hash of the last scan
    repeats: int = 0  # scans in a row that were as the one before
    objects: int = 0  # in each of them
    repeats_since_s: float = 0.0


class SourceWatch:
    """Learns how often each source comes. Safe to use from several threads; times are of one steady clock."""

    def __init__(self, least_silence_s: float, stuck_after: int, order: Sequence[str] = ()) -> None:
        """Prepare.

        Args:
            least_silence_s: nothing is silent that was heard within this time.
            stuck_after: so many scans in a row that are as the one before are a stuck sensor; 0: never.
            order: topics, each made from the one before it: where that is silent, its silence says nothing more.
        """
        self._least_silence_s = least_silence_s
        self._stuck_after = stuck_after
        self._before = dict(zip(order[1:], order, strict=False))
        self._sources: dict[tuple[str, str], _Source] = {}
        self._told: dict[tuple[str, str, State], Trouble] = {}
        self._expected: set[tuple[str, str]] = set()
        self._first_s = 0.0
        self._awaited: set[tuple[str, str]] = set()  # of those expected, what was not heard yet
        self._awaited_since_s: float | None = None
        self._lock = threading.Lock()

    def expect(self, sources: Iterable[tuple[str, str]], within_s: float) -> None:
        """Expect sources from the next look on, each a topic and a sensor; of no sensor, whoever it is of.

        Those that were not heard within that time are silent.
        """
        with self._lock:
            self._expected, self._first_s = set(sources), within_s
            self._awaited, self._awaited_since_s = set(self._expected), None

    def heard(self, topic: str, sensor_id: str, at_s: float, content: bytes = b"", objects: int = 0) -> None:
        """Take note of a message; `content` is what of it must differ from the next one's, where it has objects."""
        with self._lock:
            self._awaited -= {(topic, sensor_id), (topic, "")}
            source = self._sources.get((topic, sensor_id))
            if source is None:
                if len(self._sources) < MOST_SOURCES:
                    self._sources[topic, sensor_id] = _Source(at_s, content=hash(content))
                return
            if at_s - source.last_s > self._limit_s(source):
                source.resumed_s = at_s
            source.intervals_s.append(at_s - source.last_s)
            source.last_s = at_s
            if objects and hash(content) == source.content:
                if not source.repeats:
                    source.repeats_since_s = at_s
                source.repeats, source.objects = source.repeats + 1, objects
            else:
                source.repeats = 0
            source.content = hash(content)

    def silent_s(self, topic: str, now_s: float) -> float | None:
        """Return for how long all sources of a topic have been silent; None where one is not, or none was ever heard."""
        with self._lock:
            ages = [now_s - s.last_s for (name, _), s in self._sources.items() if name == topic]
            silent = [self._is_silent(s, now_s) for (name, _), s in self._sources.items() if name == topic]
        return min(ages) if silent and all(silent) else None

    def troubles(self, now_s: float) -> list[Trouble]:
        """Return what is wrong with all sources."""
        out = []
        with self._lock:
            since_s = self._awaited_since_s = now_s if self._awaited_since_s is None else self._awaited_since_s
            if now_s - since_s > self._first_s:
                for topic, sensor_id in sorted(self._awaited):
                    out.append(Trouble(topic, sensor_id, State.SILENT, now_s - since_s, ever_heard=False))
            for (topic, sensor_id), source in self._sources.items():
                if self._is_silent(source, now_s):
                    out.append(Trouble(topic, sensor_id, State.SILENT, now_s - source.last_s))
                elif self._is_stuck(source):
                    out.append(Trouble(topic, sensor_id, State.STUCK, now_s - source.repeats_since_s))
        return out

    def causes(self, now_s: float) -> list[Trouble]:
        """Return the same without what follows from another of them, or has followed from one that has just ended."""
        found = self.troubles(now_s)
        silent = {topic for topic in self._before.values() if self.silent_s(topic, now_s) is not None}
        silent |= {t.topic for t in found if not t.ever_heard and not self._is_known(t.topic)}
        return [t for t in found if t.state is State.STUCK or not self._follows(t, silent, now_s)]

    def news(self, now_s: float) -> tuple[list[Trouble], list[Trouble]]:
        """Return the causes that have begun since this was last asked, and those that have ended, as they were told last."""
        found = {(t.topic, t.sensor_id, t.state): t for t in self.causes(now_s)}
        begun = [trouble for key, trouble in found.items() if key not in self._told]
        ended = [trouble for key, trouble in self._told.items() if key not in found]
        self._told = found
        return begun, ended

    def clear(self) -> None:
        """Forget every source: none but those of `expect` is expected any more, and these anew."""
        with self._lock:
            self._sources.clear()
            self._told.clear()
            self._awaited, self._awaited_since_s = set(self._expected), None

    def _is_known(self, topic: str) -> bool:
        with self._lock:
            return any(name == topic for name, _ in self._sources)

    def _follows(self, trouble: Trouble, silent: set[str], now_s: float) -> bool:
        before = self._before.get(trouble.topic)
        if before is None:
            return False
        if before in silent:
            return True
        if not trouble.ever_heard:
            return False
        with self._lock:
            source = self._sources[trouble.topic, trouble.sensor_id]
            resumed = max((s.resumed_s for (name, _), s in self._sources.items() if name == before), default=0.0)
            return now_s - resumed <= self._limit_s(source)

    def _limit_s(self, source: _Source) -> float:
        if not source.intervals_s:
            return max(FIRST_SILENCE_S, self._least_silence_s)
        return max(self._least_silence_s, SILENT_PERIODS * statistics.median(source.intervals_s))

    def _is_silent(self, source: _Source, now_s: float) -> bool:
        return now_s - source.last_s > self._limit_s(source)

    def _is_stuck(self, source: _Source) -> bool:
        least = self._stuck_after
        return 0 < least <= source.repeats and source.repeats * source.objects >= least * STUCK_OBJECTS
