# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A radar whose antenna turns, by the definition: when its beam meets objects that fly straight on, and what it sends of them."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from scenes import detections_of

from aegis.core.types import Detections, Sector, Tracks

START_S = 1_779_969_600
RANGE_SIGMA_M, AZIMUTH_SIGMA = 60.0, np.deg2rad(0.08)
NORTH = np.pi / 2.0

Course = tuple[tuple[float, float], tuple[float, float]]  # place at the start, velocity


@dataclass
class Plotted:
    """What the antenna has met: time [s], range, azimuth."""

    time: float
    range: float
    azimuth: float


@dataclass
class Antenna:
    """Turns clockwise from north, once in `period_s`."""

    period_s: float
    north_s: float = 0.0
    clockwise: bool = True
    place: tuple[float, float] = (0.0, 0.0)
    rate: float = field(init=False)

    def __post_init__(self) -> None:
        self.rate = (-2.0 if self.clockwise else 2.0) * np.pi / self.period_s

    def azimuth_at(self, time: float) -> float:
        """Return where it looks, from east anticlockwise."""
        return NORTH + self.rate * (time - self.north_s)

    def meets(self, course: Course, until: float) -> Iterator[tuple[float, np.ndarray]]:
        """Yield the times at which it looks at an object, and where that is then, as the antenna sees it."""
        start, velocity = np.array(course[0]) - self.place, np.array(course[1])

        def ahead(time: float) -> float:
            x, y = start + velocity * time
            return (np.arctan2(y, x) - self.azimuth_at(time)) / self.rate % self.period_s

        time = ahead(0.0)
        while time < until:
            for _ in range(5):  # the object moves on meanwhile
                more = ahead(time)
                time += more if more < 0.5 * self.period_s else more - self.period_s
            if 0.0 <= time < until:
                yield time, start + velocity * time
            time += 0.75 * self.period_s
            time += ahead(time)

    def plots(
        self, courses: dict[str, Course], until: float, rng, *, pd: float = 0.95, false: float = 0.0
    ) -> list[Plotted]:
        """Return what it measures of objects, and `false` alarms a turn, in the order of time."""
        out = []
        for course in courses.values():
            for time, (x, y) in self.meets(course, until):
                if rng.random() < pd:
                    noise = rng.normal(0.0, [RANGE_SIGMA_M, AZIMUTH_SIGMA])
                    out.append(Plotted(time, np.hypot(x, y) + noise[0], np.arctan2(y, x) + noise[1]))
        for time in rng.uniform(0.0, until, rng.poisson(false * until / self.period_s)):
            out.append(Plotted(time, rng.uniform(5e3, 120e3), (self.azimuth_at(time) + np.pi) % (2 * np.pi) - np.pi))
        return sorted(out, key=lambda plot: plot.time)


def message(plots: list[Plotted], begin: float, end: float, *, stamp: float | None = None, **options) -> Detections:
    """Return the detections of what was met from `begin` to `end`, with their own times after the stamp, at the end by default."""
    mine = [plot for plot in plots if begin <= plot.time < end]
    stamp = end if stamp is None else stamp
    polar = [[plot.range, plot.azimuth, np.nan, np.nan] for plot in mine]
    d = detections_of(polar, START_S + stamp, sigma=np.array([RANGE_SIGMA_M, AZIMUTH_SIGMA, 1.0, 1.0]), **options)
    d.time_offset = np.array([plot.time - stamp for plot in mine])
    return d


def sectors(
    antenna: Antenna, plots: list[Plotted], until: float, length: float, told: str, **options
) -> Iterator[Detections]:
    """Yield what comes in a while: `told` is angles (of the antenna), times (of the sector only) or nothing."""
    edges = np.arange(0.0, until + 1e-9, length)
    for k, (begin, end) in enumerate(itertools.pairwise(edges)):
        d = message(plots, begin, end, sequence=k + 1, **options)
        if told == "angles":
            d.sector = Sector(begin - end, 0.0, antenna.azimuth_at(end), antenna.rate)
        elif told == "times":
            d.sector = Sector(begin - end, 0.0)
        yield d


class Judge:
    """Holds pictures against the truth."""

    def __init__(self, courses: dict[str, Course]) -> None:
        self.courses = courses
        self.ids: dict[str, set[int]] = {name: set() for name in courses}
        self.nees: list[float] = []  # a dimension
        self.errors: list[float] = []  # [m]
        self.strangers: set[int] = set()
        self.times: list[float] = []

    def take(self, tracks: Tracks, *, within: float = 5000.0) -> None:
        """Look at the confirmed tracks of a picture."""
        now = tracks.stamp_ns * 1e-9 - START_S
        self.times.append(now)
        for i in np.flatnonzero(tracks.status != 1):
            off = {n: np.array(p) + np.array(v) * now - tracks.state[i, :2] for n, (p, v) in self.courses.items()}
            name = min(off, key=lambda n: np.hypot(*off[n]))
            if np.hypot(*off[name]) > within:
                self.strangers.add(int(tracks.track_id[i]))
                continue
            self.ids[name].add(int(tracks.track_id[i]))
            self.errors.append(float(np.hypot(*off[name])))
            self.nees.append(off[name] @ np.linalg.solve(tracks.covariance[i, :2, :2], off[name]) / 2.0)

    def approve(self, nees: float = 1.5) -> None:
        """Assert that every object had one id, nothing else was confirmed, and errors were as stated; print them (pytest -s)."""
        if self.nees:
            rms = np.sqrt(np.mean(np.square(self.errors)))
            print(f"NEES a dimension {np.mean(self.nees):.2f}, error {rms:.0f} m RMS, {max(self.errors):.0f} m at most")
        assert {name: len(ids) for name, ids in self.ids.items()} == dict.fromkeys(self.courses, 1)
        assert not self.strangers
        assert np.mean(self.nees) <= nees
