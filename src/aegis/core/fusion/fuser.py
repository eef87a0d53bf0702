# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The fusion stage: each report of a source is associated with what there is, and added to it as what it tells anew."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from aegis.core.fusion import information, level, view
from aegis.core.fusion.association import assigned
from aegis.core.fusion.bias import Bias, Biases
from aegis.core.fusion.comparison import take_pairs
from aegis.core.fusion.information import Estimate, Gain, seconds
from aegis.core.fusion.joining import Joiner
from aegis.core.fusion.settings import FOREIGN, FusionSettings, SourceSettings
from aegis.core.fusion.source import LOST_PERIODS, Source, estimate_of, usable
from aegis.core.fusion.system import MOST_SOURCES, System
from aegis.core.ids import UniqueIds
from aegis.core.rows import take_rows
from aegis.core.types import Floats, Ints, Tracks, TrackStatus

STRIKES = 3  # reports in a row outside the gate after which a source's track is another object's
USUAL = float(chdtri(6, 0.001))  # squared distance beyond which the object manoeuvres: what was known is then less sure
NEWER = 0.5  # part of the last report in how unsure a track is for its sources' biases
LARGEST_STEP = 25.0  # by which its covariance is multiplied at most
NO_IDS = np.empty(0, dtype=np.int64)


@dataclass
class FusionResult:
    """What a report did: the picture, where one is due, or the reason why the report was dropped; and what changed."""

    tracks: Tracks | None = None
    dropped: str | None = None
    reset: bool = False
    late: bool = False  # older than what has been taken of others
    refused: int = 0  # tracks that could not be used
    over_capacity: int = 0  # tracks that would have started one of ours beyond max_tracks
    joined: int = 0  # pairs of ours that turned out to be one
    lost_sources: list[str] = field(default_factory=list)
    back: str = ""  # the source, where it had been lost
    away_s: float = 0.0  # for how long that one had not reported
    confirmed: Ints = field(default_factory=NO_IDS.copy)
    lost: Ints = field(default_factory=NO_IDS.copy)  # ids of confirmed tracks that are no more


class Fuser:
    """The fusion stage: `step` takes a report of a source."""

    def __init__(self, settings: FusionSettings, ids: UniqueIds | None = None) -> None:
        """Make a fuser whose tracks get names from `ids`."""
        s = self.settings = settings
        self._ids = ids or UniqueIds()
        self._noise = np.square([s.acceleration_sigma_mps2, s.vertical_acceleration_sigma_mps2])
        self._gate = float(chdtri(6, 1.0 - s.gate_probability))
        self._named = {sensor: name for name, one in s.sources.items() for sensor in one.sensors or (name,)}
        self._biases, self._joiner = Biases(s.bias, self._noise), Joiner(self._noise)
        self.sources: dict[str, Source] = {}
        self.reset()

    def reset(self) -> None:
        """Forget all tracks and the time; ids, and what is known of the sources, go on."""
        self.system = System()
        self.now_ns = 0  # the latest stamp
        self._due_ns = 0
        self._confirmed = NO_IDS
        for source in self.sources.values():
            source.forget()

    def biases(self) -> dict[str, Bias]:
        """Return the bias of each source, where there are several."""
        return self._biases.report()

    def step(self, tracks: Tracks) -> FusionResult:
        """Take a report; what it tells anew is added to our tracks."""
        result = FusionResult()
        source = self._source(tracks.sensor_id)
        if source is None:
            result.dropped = f"more than {MOST_SOURCES} sources"
            return result
        stamp, latest_ns = tracks.stamp_ns, round(self.settings.latest_s * 1e9)
        last = source.stamp_ns
        if last is not None and last - stamp > latest_ns:
            result.reset = self.now_ns - stamp > latest_ns
            if result.reset:
                shown = self._confirmed
                self.reset()
                self._confirmed = shown  # whose end is still to be told
            self._release(source)
            source.forget()
        elif last is not None and stamp <= last:
            result.dropped = "no later than its source's last one"
        elif self.now_ns - stamp > latest_ns:
            result.dropped = "too late"
        if result.dropped is not None:
            source.dropped += 1
            return result
        good = usable(tracks)
        if not good.all():
            result.refused = int((~good).sum())
            tracks = take_rows(tracks, np.flatnonzero(good))
        if (np.diff(tracks.track_id) < 0).any():
            tracks = take_rows(tracks, np.argsort(tracks.track_id))
        result.late = stamp < self.now_ns
        if source.lost:
            result.back, result.away_s = source.name, source.silent_s(stamp)
        source.lost = False
        self._take(source, tracks, result)
        self.now_ns = max(self.now_ns, stamp)
        result.joined = self._joiner.step(self.system, self.sources.values(), self.now_ns)
        result.lost_sources = self._look_for_lost()
        if self.now_ns >= self._due_ns:
            self._show(tracks, result)
        return result

    def _source(self, sensor_id: str) -> Source | None:
        """Return the source of a picture; None where there are too many."""
        name = self._named.get(sensor_id, sensor_id)
        if name not in self.sources:
            if len(self.sources) >= MOST_SOURCES:
                return None
            settings = self.settings.sources.get(name, SourceSettings(foreign=name.startswith(FOREIGN)))
            self.sources[name] = Source(name, self._biases.add(name, settings), settings)
        return self.sources[name]

    def _take(self, source: Source, tracks: Tracks, result: FusionResult) -> None:
        """Associate a report's tracks, and add what they tell."""
        system, reported, stamp = self.system, level.released(estimate_of(tracks)), tracks.stamp_ns
        known, before = source.before(tracks)
        gain, sound, jumped = self._learned(source, reported, known, before, stamp)
        shift, unsure = self._biases.of(source.number, reported.x)
        place = Estimate(reported.x - shift, reported.P.copy())
        place.P[:, :2, :2] += unsure
        learned = gain  # as it was reported
        gain = gain._replace(base=gain.base - shift)
        link, strikes = source.links(known, before)
        row = np.where(sound, system.find(link), -1)
        result.refused += int((~sound).sum())

        distance = self._held_distance(row, place, stamp)
        outside = (row >= 0) & ~self._is_alone(source, row) & ~(distance <= self._gate)
        strikes = np.where(outside, strikes + 1, 0)
        left = strikes >= STRIKES
        row[left], strikes[left] = -1, 0
        ours = row >= 0
        self._release(source)
        joining, targets = self._join(row, place, sound, stamp)
        met = ours & jumped
        row[joining], met[joining] = targets, True
        new = np.flatnonzero((row < 0) & sound)
        room = max(0, self.settings.max_tracks - len(system))
        result.over_capacity = max(0, len(new) - room)
        new = new[:room]
        row[new] = self._begin(source, new, tracks, place)
        alone = self._is_alone(source, row)
        follow, add = np.flatnonzero(ours & alone), np.flatnonzero(ours & ~alone & ~outside & ~jumped)
        self._follow(row[follow], Estimate(place.x, tracks.covariance), follow, stamp)
        flat, less_sure = level.is_level(tracks.covariance), np.maximum(distance / USUAL, 1.0)
        self._add(source, row[add], gain.rows(add), place.rows(add), flat[add], less_sure[add], stamp)
        meet = np.flatnonzero(met & ~alone & ~outside)
        self._meet(source, row[meet], place.rows(meet), flat[meet], tracks.age[meet], stamp)
        self._note(source, row, tracks, known, before)
        held = row[row >= 0]
        system.real("unsure")[held] += NEWER * (unsure[row >= 0] - system.real("unsure")[held])
        found = row >= 0
        link = np.zeros(len(row), np.int64)
        link[found] = system.whole("id")[row[found]]
        source.take(tracks, link, strikes, learned)
        if self._biases.is_due(source.number, stamp):
            others = [one for one in self.sources.values() if one is not source and not one.lost]
            if pairs := take_pairs(system, source, others):
                self._biases.compare(source.number, stamp, pairs)

    def _learned(
        self, source: Source, reported: Estimate, known: NDArray[np.bool_], before: Ints, stamp: int
    ) -> tuple[Gain, NDArray[np.bool_], NDArray[np.bool_]]:
        """Return what a report's tracks have learned since the last one, whether they can be used, and which are not where they
        were to be expected, so that nothing can be made of the difference.
        """
        if source.tracks is None or not known.any():
            new = np.zeros(len(known), np.bool_)
            return *information.learned(reported, reported, new), new
        elapsed = np.full(len(known), (stamp - source.tracks.stamp_ns) * 1e-9)
        last = level.released(estimate_of(source.tracks).rows(before))
        expected = information.carried(last, elapsed, self._noise)
        each = np.arange(len(known))
        jumped = known & ~(information.distances(each, each, expected, reported) <= self._gate)
        return *information.learned(reported, expected, known), jumped

    def _is_alone(self, source: Source, row: Ints) -> NDArray[np.bool_]:
        """Return (N,) whether all of what we have of a source's tracks is from it."""
        out = row >= 0
        out[out] = self.system.whole("alone")[row[out]] == source.number
        return out

    def _held_distance(self, row: Ints, place: Estimate, stamp: int) -> Floats:
        """Return (N,) squared distances from what the tracks are linked to; NaN where they are not."""
        out = np.full(len(row), np.nan)
        linked = np.flatnonzero(row >= 0)
        if len(linked):
            there = self.system.at(row[linked], stamp, self._noise)
            there.P[:, :2, :2] += self.system.real("unsure")[row[linked]]
            out[linked] = information.distances(np.arange(len(linked)), linked, there, place)
        return out

    def _join(self, row: Ints, place: Estimate, sound: NDArray[np.bool_], stamp: int) -> tuple[Ints, Ints]:
        """Return tracks of a report that are linked to none of ours and are one, and which; none of these has the source."""
        system = self.system
        mine = np.flatnonzero((row < 0) & sound)
        if not len(mine):
            return NO_IDS, NO_IDS
        others = ~system.flag("dead")
        others[row[row >= 0]] = False
        free = np.flatnonzero(others & self._about(place.rows(mine), stamp))
        dt = seconds(stamp - system.whole("time_ns")[free])
        us, them = assigned(level.released(system.with_biases(free)), dt, place.rows(mine), self._noise, self._gate)
        return mine[them], free[us]

    def _about(self, said: Estimate, stamp: int) -> NDArray[np.bool_]:
        """Return (N,) which of ours may be in the gate of any of a source's tracks: those in the box about all of them."""
        x, P = self.system.real("x"), self.system.real("P")
        dt = seconds(stamp - self.system.whole("time_ns"))
        out = np.ones(len(dt), np.bool_)
        for axis in range(2):
            there = x[:, axis] + dt * x[:, axis + 3]
            spread = 2.0 * (P[:, axis, axis] + dt**2 * P[:, axis + 3, axis + 3]) + self._noise[0] * np.abs(dt) ** 3
            spread += self.system.real("unsure")[:, axis, axis] + said.P[:, axis, axis].max()
            reach = np.sqrt(self._gate * spread)
            out &= (there + reach >= said.x[:, axis].min()) & (there - reach <= said.x[:, axis].max())
        return out

    def _begin(self, source: Source, index: Ints, tracks: Tracks, place: Estimate) -> Ints:
        """Start tracks of ours from a report's; return their rows."""
        system = self.system
        rows = system.add(self._ids.take(len(index)))
        system.real("x")[rows], system.real("P")[rows] = place.x[index], tracks.covariance[index]
        system.whole("time_ns")[rows] = tracks.stamp_ns
        system.whole("alone")[rows] = -1 if source.settings.foreign else source.number
        system.real("unsure")[rows] = place.P[index, :2, :2] - tracks.covariance[index, :2, :2]
        system.whole("first_ns")[rows] = tracks.stamp_ns
        return rows

    def _follow(self, row: Ints, said: Estimate, index: Ints, stamp: int) -> None:
        """Take over what the only source of tracks says of them."""
        system = self.system
        system.real("x")[row], system.real("P")[row] = said.x[index], said.P[index]
        system.whole("time_ns")[row] = stamp

    def _then(self, row: Ints, stamp: int) -> tuple[Estimate, Ints, Floats]:
        """Return rows of ours at a report's time, those for which it is late at their own; which these are, and by how much each
        row is behind the report [s].
        """
        behind = seconds(stamp - self.system.whole("time_ns")[row])
        there, late = self.system.at(row, stamp, self._noise), np.flatnonzero(behind < 0.0)
        there.x[late], there.P[late] = level.released(self.system.estimate().rows(row[late]))
        return there, late, behind

    def _add(
        self,
        source: Source,
        row: Ints,
        gain: Gain,
        place: Estimate,
        flat: NDArray[np.bool_],
        less_sure: Floats,
        stamp: int,
    ) -> None:
        """Add to tracks of ours what a source that holds them has learned, or intersect them with what a foreign one says."""
        system = self.system
        there, late, behind = self._then(row, stamp)
        there.P[:] *= np.minimum(less_sure, LARGEST_STEP)[:, None, None]
        if source.settings.foreign:
            said = self._brought_to(place, late, behind)
            after = information.intersected(there, said)
        else:
            if len(late):
                moved = information.later(gain.rows(late), -behind[late], self._noise)
                for column, values in zip(gain, moved, strict=True):
                    column[late] = values
            after, _ = information.absorbed(there, gain)
        system.real("x")[row], system.real("P")[row] = level.kept(after, system.estimate(), row, flat)
        system.whole("time_ns")[row] = np.maximum(system.whole("time_ns")[row], stamp)

    def _meet(
        self, source: Source, row: Ints, place: Estimate, flat: NDArray[np.bool_], age_s: Floats, stamp: int
    ) -> None:
        """Bring a source's tracks together with ours that it has not held until now.

        What two tracks have in common is the process noise of the time in which both have followed the object. Where that is
        little, all that the new one says is new; else the two are intersected.
        """
        system = self.system
        there, late, behind = self._then(row, stamp)
        said = self._brought_to(place, late, behind)
        followed_s = seconds(stamp - system.whole("first_ns")[row])
        shared = information.share_noise(np.minimum(age_s, followed_s), there, said, self._noise)
        shared |= source.settings.foreign
        everything, _ = information.learned(said, said, np.zeros(len(row), np.bool_))
        added, _ = information.absorbed(there, everything)
        after = information.intersected(there, said)
        after.x[~shared], after.P[~shared] = added.x[~shared], added.P[~shared]
        system.real("x")[row], system.real("P")[row] = level.kept(after, system.estimate(), row, flat)
        system.whole("time_ns")[row] = np.maximum(system.whole("time_ns")[row], stamp)
        system.whole("alone")[row] = -1

    def _brought_to(self, place: Estimate, late: Ints, behind: Floats) -> Estimate:
        """Return what a report says, carried on to our own time where it is late."""
        if not len(late):
            return place
        ahead = np.zeros(len(behind))
        ahead[late] = -behind[late]
        return information.carried(place, ahead, self._noise)

    def _note(self, source: Source, row: Ints, tracks: Tracks, known: NDArray[np.bool_], before: Ints) -> None:
        """Take note of who holds what."""
        system, stamp = self.system, tracks.stamp_ns
        held = np.flatnonzero(row >= 0)
        to = row[held]
        system.whole("holders")[to] |= 1 << source.number
        system.whole("held_ns")[to] = np.maximum(system.whole("held_ns")[to], stamp)
        last = source.tracks
        hits = tracks.hits - (np.where(known, last.hits[before], 0) if last is not None and len(last) else 0)
        system.whole("hits")[to] += np.maximum(hits[held], 0)
        begun = stamp - np.round(tracks.age[held] * 1e9).astype(np.int64)
        system.whole("first_ns")[to] = np.minimum(system.whole("first_ns")[to], begun)
        system.flag("confirmed")[to] |= tracks.status[held] == int(TrackStatus.CONFIRMED)

    def _release(self, source: Source) -> None:
        """Have a source hold nothing."""
        self.system.whole("holders")[:] &= ~(1 << source.number)

    def _look_for_lost(self) -> list[str]:
        """Return the sources that are lost from now on; what they hold is left to the others."""
        found = []
        for source in self.sources.values():
            limit_s = max(self.settings.lost_after_s, LOST_PERIODS * source.period_s())
            if not source.lost and source.silent_s(self.now_ns) > limit_s:
                source.lost = True
                self._release(source)
                found.append(source.name)
        return found

    def _show(self, tracks: Tracks, result: FusionResult) -> None:
        """Make a picture, and take out what is over."""
        s, system = self.settings, self.system
        unheld_s = (self.now_ns - system.whole("held_ns")) * 1e-9
        unheld = system.whole("holders") == 0
        system.flag("dead")[:] |= unheld & (~system.flag("confirmed") | (unheld_s > max(s.memory_s, s.coast_s)))
        system.compact()
        result.tracks = view.picture(
            system, self.sources.values(), self._noise, self.now_ns, s.coast_s, s.confirm_probability, tracks
        )
        shown = result.tracks.track_id[result.tracks.status != int(TrackStatus.TENTATIVE)]
        result.confirmed = np.setdiff1d(shown, self._confirmed, assume_unique=True)
        result.lost = np.setdiff1d(self._confirmed, shown, assume_unique=True)
        self._confirmed = shown
        period_ns = round(s.period_s * 1e9)
        on_grid = self.now_ns < self._due_ns + period_ns
        self._due_ns = (self._due_ns if on_grid else self.now_ns) + period_ns
