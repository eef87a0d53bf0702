# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which rules hold for which tracks: every picture against every zone and rule, with hysteresis in space and time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from aegis.core.kernels import zones as kernels
from aegis.core.params import ConfigError
from aegis.core.threat.crossings import held_between
from aegis.core.threat.drawn_zones import DrawnZone
from aegis.core.threat.settings import Manoeuvre, ThreatSettings
from aegis.core.threat.zone_settings import WHEN, Rule, Zone
from aegis.core.threat.zone_slots import Flags, Slots
from aegis.core.threat.zones import arrays_of
from aegis.core.types import ClassId, Floats, Ints, Tracks, TrackStatus

_FIRST_SLOTS = 256
_MOST_CHANGES = 4096  # in one picture; more wait for the next one
_WAYS = 128  # that a track may take, for the probability to enter
_SIGMAS = 4.0  # a zone farther away than so many standard deviations is not entered
_LEAST_VARIANCE = 1e-9


class RuleChange(NamedTuple):
    """A rule begins or ends to hold for a track."""

    rule: str
    track_id: int
    raised: bool
    row: int  # of the track in the picture; -1: it is not there any more
    value: float  # nearest approach [m] or probability, of rules that ask for it; else NaN
    inside_s: float = np.nan  # of one who was in the zone and is out again before it was told, for so long; else NaN


class Redrawn(NamedTuple):
    """What is over with zones that were removed or drawn anew."""

    rules: set[str]
    changes: list[RuleChange]  # for the tracks for which they held


class ZoneWatch:
    """Keeps for every rule and track whether it holds."""

    def __init__(
        self, settings: ThreatSettings, zones: Mapping[str, Zone], rules: Mapping[str, Rule] | None = None
    ) -> None:
        """Prepare.

        Args:
            settings: with the rules, and the assets, which are zones too.
            zones: by name; those of the settings and of files.
            rules: of files, beside those of the settings.

        Raises:
            ConfigError: a rule names a zone that there is not.
        """
        circles = {
            name: Zone(x=asset.x, y=asset.y, radius_m=asset.radius_m)
            for name, asset in settings.protected().items()
            if not asset.on_platform and name not in zones
        }
        known = {**circles, **zones}
        for name, rule in settings.rules.items():
            if rule.zone and rule.zone not in known:
                raise ConfigError(f"rules.{name}.zone: no zone '{rule.zone}'; known are: {', '.join(known) or 'none'}")
        self._known, self._given = known, {**settings.rules, **(rules or {})}  # by the parameters
        self._define({}, self._given)
        self.tune(settings.manoeuvre)
        self._sample = _normal_points(_WAYS)
        self._change = np.empty((_MOST_CHANGES, 3), np.int64)
        self._stamp_ns: int | None = None
        self._begin_ns: int | None = None
        self._id = np.empty(0, np.int64)  # of the tracks in slots, in order
        self._slot = np.empty(0, np.int64)  # of each
        self._at = Slots.empty(0, 0, 0, 0)
        self._clear()

    def tune(self, move: Manoeuvre) -> None:
        """Watch with these manoeuvres from the next picture on."""
        self._noise = np.array([move.acceleration_sigma_mps2**2] * 2 + [move.vertical_acceleration_sigma_mps2**2])

    @property
    def stamp_ns(self) -> int | None:
        """The stamp of the last picture; None before the first."""
        return self._stamp_ns

    def watch_drawn(self, drawn: Sequence[DrawnZone]) -> Redrawn:
        """Watch these zones beside those of the parameters; return what is over.

        What is the same as before goes on. To a new or changed zone, the tracks of the last picture are first seen where they are.
        """
        zones, rules, shapes, at = self.zones, self.rules, self._shapes, self._at
        own = {name: rule for one in drawn for name, rule in one.named_rules.items()}
        self._define({one.name: one.zone for one in drawn}, {**self._given, **own})
        same = [
            name
            for name, rule in rules.items()
            if self.rules.get(name) == rule and self._shapes.get(rule.zone) == shapes.get(rule.zone)
        ]
        over = at.active.copy()
        over[[list(rules).index(name) for name in same]] = 0
        redrawn = Redrawn(rules.keys() - same, self._holding(list(rules), over, at.track_id))
        if self._stamp_ns is None or not rules or not self.rules:
            self._clear()
            return redrawn
        self._at = at.of(len(self.zones.names), len(self.rules), len(self._computing))
        first_seen = np.where(at.there > 0, 2, 0).astype(np.uint8)
        self._locate(first_seen)
        for name in same:
            old, new = list(rules).index(name), self._names.index(name)
            self._at.active[new], self._at.against[new] = at.active[old], at.against[old]
        for name in {rules[name].zone for name in same} - {""}:
            old, new = zones.names.index(name), self.zones.names.index(name)
            for mine, before in (
                (self._at.inside, at.inside),
                (self._at.crossed, at.crossed),
                (self._at.since, at.since),
            ):
                mine[new] = before[old]
        return redrawn

    def reset(self) -> list[RuleChange]:
        """Forget all tracks; return what does not hold any more."""
        ended = self._ended(self._at.track_id[self._at.there > 0], np.flatnonzero(self._at.there))
        self._clear()
        return ended

    def step(self, tracks: Tracks) -> list[RuleChange]:
        """Return what has changed with a picture, of which tentative tracks are left out. A stamp that goes back begins anew."""
        if not self.rules:
            return []
        out: list[RuleChange] = []
        if self._stamp_ns is not None and tracks.stamp_ns < self._stamp_ns:
            out += self.reset()
        passed_s = 0.0 if self._stamp_ns is None else (tracks.stamp_ns - self._stamp_ns) * 1e-9
        self._stamp_ns = tracks.stamp_ns
        if self._begin_ns is None:
            self._begin_ns = tracks.stamp_ns
        now = self._now_s()
        row = np.flatnonzero(tracks.status != int(TrackStatus.TENTATIVE))
        out += self._seat(tracks.track_id[row])
        slot, before, was_inside = self._slot, self._at.place.copy(), self._at.inside.copy()
        columns = np.ascontiguousarray(tracks.state[row].T)
        for k in range(3):
            self._at.place[k][slot], self._at.velocity[k][slot] = columns[k], columns[3 + k]
        speed = np.sqrt(columns[3] ** 2 + columns[4] ** 2)
        self._at.speed[slot] = speed
        if self._courses:
            course = np.arctan2(columns[3], columns[4])
            self._at.course[slot] = np.where(speed > 0.0, np.where(course < 0.0, course + 2.0 * np.pi, course), np.nan)
        self._at.class_bit[slot] = np.left_shift(1, tracks.class_id[row])
        self._locate(self._at.there)
        self._compute(tracks, row)
        passed = held_between(self._at, self.zones, (self._rule, self._limit), before, was_inside, (now, passed_s))
        changes = kernels.decide(
            now, self._at.there, self._at.speed, self._at.course, self._at.class_bit, self._at.inside, self._at.crossed,
            self._at.since, self._at.computed, self._rule, self._limit, self._at.active, self._at.against, self._change,
        )  # fmt: skip
        self._at.there[slot] = 1
        if changes or passed:
            self._at.row[slot] = row
        for r, s, raised in self._change[:changes].tolist():
            k = int(self._rule[r, 3])
            value = float(self._at.computed[k, s]) if k >= 0 else float("nan")
            out.append(RuleChange(self._names[r], int(self._at.track_id[s]), bool(raised), int(self._at.row[s]), value))
        for r, s, inside_s in passed:
            self._at.active[r, s] = 1
            nothing = float("nan")
            out.append(
                RuleChange(self._names[r], int(self._at.track_id[s]), True, int(self._at.row[s]), nothing, inside_s)
            )
        return out

    def _define(self, drawn: Mapping[str, Zone], rules: Mapping[str, Rule]) -> None:
        """Make the tables of rules, and of the zones that they name: those of the parameters, and drawn ones."""
        known = {**self._known, **drawn}
        used = {rule.zone for rule in rules.values()}
        self._shapes = {name: zone for name, zone in known.items() if name in used}
        self.zones = arrays_of(self._shapes)
        self.rules = dict(rules)
        self._names = list(self.rules)
        self._computing = [rule for rule in self.rules.values() if rule.when in ("cpa", "entry")]
        self._courses = any(rule.course_width_deg < 360.0 for rule in self.rules.values())
        self._rule, self._limit = self._tables()
        self._margin = np.zeros(len(self.zones.names))
        for rule in self.rules.values():
            if rule.zone:
                z = self.zones.names.index(rule.zone)
                self._margin[z] = max(self._margin[z], rule.margin_m)

    def _now_s(self) -> float:
        """Return the time of the last picture since the first."""
        assert self._stamp_ns is not None
        assert self._begin_ns is not None
        return (self._stamp_ns - self._begin_ns) * 1e-9

    def _locate(self, there: Flags) -> None:
        """Update which slots are in which zones."""
        kernels.locate_in(
            self._now_s(), self._at.place, there, self.zones.vertex, self.zones.first, self.zones.box, self._margin, self._at.near,
            self._at.inside, self._at.crossed, self._at.since,
        )  # fmt: skip

    def _tables(self) -> tuple[Ints, Floats]:
        """Return the rules as the kernel takes them."""
        rule = np.empty((len(self.rules), 4), np.int64)
        limit = np.empty((len(self.rules), 11))
        every = (1 << len(ClassId)) - 1
        computing = 0
        for r, one in enumerate(self.rules.values()):
            classes = sum(1 << ClassId[name] for name in one.classes) or every
            computes = one.when in ("cpa", "entry")
            rule[r] = (
                self.zones.names.index(one.zone) if one.zone else -1,
                WHEN.index(one.when),
                classes,
                computing if computes else -1,
            )
            computing += computes
            asked = {"stay": (one.stay_s, 0.0), "cpa": (one.cpa_m, one.margin_m)}
            asked["entry"] = (one.probability, min(one.margin_probability, one.probability - 1e-9))
            course, half = np.radians(one.course_deg), np.radians(one.course_width_deg) / 2.0
            limit[r] = (
                one.min_speed_mps, one.max_speed_mps, one.margin_mps, course, half, np.radians(one.margin_deg),
                *asked.get(one.when, (0.0, 0.0)), one.raise_s, one.end_s, one.hold_s,
            )  # fmt: skip
        return rule, limit

    def _clear(self) -> None:
        self._stamp_ns = self._begin_ns = None
        self._id, self._slot = np.empty(0, np.int64), np.empty(0, np.int64)
        self._at = Slots.empty(_FIRST_SLOTS, len(self.zones.names), len(self.rules), len(self._computing))

    def _seat(self, track_id: Ints) -> list[RuleChange]:
        """Give new tracks (N,) a slot, and take it from those that are gone; return what does not hold any more."""
        if np.array_equal(track_id, self._id):
            return []
        stays = np.isin(self._id, track_id, assume_unique=True)
        gone = self._slot[~stays]
        ended = self._ended(self._id[~stays], gone)
        self._at.there[gone] = 0
        self._at.active[:, gone], self._at.against[:, gone], self._at.inside[:, gone] = 0, -1.0, 0
        new = track_id[~np.isin(track_id, self._id, assume_unique=True)]
        free = np.flatnonzero(self._at.there == 0)
        if len(free) < len(new):
            self._at = self._at.grown(len(self._at.there) + len(new))
            free = np.flatnonzero(self._at.there == 0)
        taken = free[: len(new)]
        self._at.there[taken], self._at.track_id[taken] = 2, new
        ids, slots = np.concatenate([self._id[stays], new]), np.concatenate([self._slot[stays], taken])
        order = np.argsort(ids)
        at = order[np.searchsorted(ids[order], track_id)]
        self._id, self._slot = track_id.copy(), slots[at]
        return ended

    def _ended(self, track_id: Ints, slot: Ints) -> list[RuleChange]:
        return self._holding(self._names, self._at.active[:, slot], track_id)

    @staticmethod
    def _holding(names: Sequence[str], active: Flags, track_id: Ints) -> list[RuleChange]:
        """Return that nothing holds any more of what holds: (R, K) rules for K tracks."""
        r, k = np.nonzero(active)
        pairs = zip(r.tolist(), track_id[k].tolist(), strict=True)
        return [RuleChange(names[rule], one, False, -1, float("nan")) for rule, one in pairs]

    def _compute(self, tracks: Tracks, row: Ints) -> None:
        """Update nearest approaches and probabilities, of the rules that ask for them."""
        for k, rule in enumerate(self._computing):
            z = self.zones.names.index(rule.zone)
            if rule.when == "cpa":
                kernels.nearest_approach(
                    z, rule.within_s, rule.cpa_m + rule.margin_m, self._at.place, self._at.velocity, self._at.there,
                    self._at.inside, self.zones.vertex, self.zones.first, self.zones.box, self._at.computed[k],
                )  # fmt: skip
            else:
                self._at.computed[k] = 0.0
                self._at.computed[k, self._slot] = self.entry_probability(z, rule, tracks, row)

    def entry_probability(self, zone: int, rule: Rule, tracks: Tracks, row: Ints) -> Floats:
        """Return (n,) the probability to enter a zone in time, of some tracks; 1 of those inside.

        The share of straight ways that enter, drawn from the track's error (quasi-random normal points). What the noise of the
        motion adds to the position by the time of the closest approach, q t^3 / 3, is taken for an error of the velocity.

        Args:
            zone: its number; rule: says how far to look ahead.
            tracks: the picture; row: which of them.
        """
        west, south, east, north = self.zones.box[zone, :4]
        middle, radius = (
            np.array([(west + east) / 2.0, (south + north) / 2.0]),
            np.hypot(east - west, north - south) / 2.0,
        )
        state = tracks.state[row]
        offset, speed2 = middle - state[:, :2], np.maximum(state[:, 3] ** 2 + state[:, 4] ** 2, _LEAST_VARIANCE)
        time = np.clip(np.einsum("ni,ni->n", offset, state[:, 3:5]) / speed2, 0.0, rule.within_s)
        miss = np.linalg.norm(offset - state[:, 3:5] * time[:, None], axis=1) - radius
        variance = np.einsum("nii->ni", tracks.covariance[row])
        spread2 = variance[:, 0] + variance[:, 1] + (variance[:, 3] + variance[:, 4]) * time**2
        spread2 = spread2 + 2.0 * self._noise[0] * time**3 / 3.0
        near = np.flatnonzero(miss <= _SIGMAS * np.sqrt(np.maximum(spread2, 0.0)))
        out = np.zeros(len(row))
        if len(near):
            covariance = tracks.covariance[row[near]].copy()
            pushed = self._noise * np.maximum(time[near], 1.0)[:, None] / 3.0
            covariance[:, range(3, 6), range(3, 6)] += pushed
            covariance[:, range(6), range(6)] += _LEAST_VARIANCE
            found = np.empty(len(near))
            kernels.share_entering(
                zone, rule.within_s, np.ascontiguousarray(state[near]), np.linalg.cholesky(covariance), self._sample,
                self.zones.vertex, self.zones.first, self.zones.box, found,
            )  # fmt: skip
            out[near] = found
        out[self._at.inside[zone, self._slot] > 0] = 1.0
        return out


def _normal_points(n: int) -> Floats:
    """Return (n, 6) points of a standard normal distribution, evenly spread: R_6 of Roberts, and its mirror image.

    Roberts, The unreasonable effectiveness of quasirandom sequences, 2018: multiples of powers of 1 / g, where g^7 = g + 1.
    """
    g = 1.0
    for _ in range(60):
        g = (1.0 + g) ** (1.0 / 7.0)
    half = n // 2
    uniform = (0.5 + np.arange(1, half + 1)[:, None] * g ** -np.arange(1.0, 7.0)) % 1.0
    points = ndtri(uniform)
    return np.ascontiguousarray(np.concatenate([points, -points]))
