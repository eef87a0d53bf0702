# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What happens between two pictures: who has come into a zone when, and for how long those were in it who are out again.

A radar that looks every few seconds may see a fast track before a zone and behind it, and inside once or never. Between two
pictures a track goes straight on.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.kernels import crossings as kernels
from aegis.core.threat.zone_settings import WHEN
from aegis.core.threat.zone_slots import Flags, Slots
from aegis.core.threat.zones import ZoneArrays
from aegis.core.types import Floats, Ints

LONGEST_GAP_S = 30.0  # between two pictures: over a longer one nobody knows the way
MOST_OF_IT = 0.99  # of the time between two pictures: who is out in both is not in for longer
_AT_ONCE = 200_000  # edges that ways are held against
_BESIDE = 1e-9  # of an edge's length: rounding, where a way meets a corner
RAISE_S = 8  # column of the kernel's limits
INSIDE, ENTER = (WHEN.index(when) for when in ("inside", "enter"))


class Crossed(NamedTuple):
    """Tracks that have crossed the bounds of zones since the last picture; arrays (n,), by zone."""

    zone: Ints
    slot: Ints
    inside_s: Floats  # time that it was in the zone since the last picture
    was: NDArray[np.bool_]  # in the zone in the last picture
    is_in: NDArray[np.bool_]  # now


def held_between(
    at: Slots, zones: ZoneArrays, rules: tuple[Ints, Floats], before: Floats, was_inside: Flags, times: tuple[float, float]
) -> list[tuple[int, int, float]]:  # fmt: skip
    """Take what has happened since the last picture; return which rules held for which slots for long enough, and how long.

    Who has come in has been so since it crossed the bounds: `at.against` says so. Who is out again, but was in for as long as an
    alarm takes, is one.

    Args:
        at: the slots, as the kernels have left them in this picture.
        zones, rules: as the kernels take them.
        before: (3, S) places in the last picture; was_inside: (Z, S) who was in which zone then.
        times: now, and the time since the last picture [s].
    """
    now, passed_s = times
    rule, limit = rules
    asking = np.flatnonzero((rule[:, 1] == INSIDE) | (rule[:, 1] == ENTER))
    if not len(asking) or not 0.0 < passed_s <= LONGEST_GAP_S:
        return []
    found = _crossed(at, zones, (rule[asking, 0], limit[asking, RAISE_S]), before, was_inside, passed_s)
    # Each rule with all who have crossed the bounds of its zone.
    first, end = (np.searchsorted(found.zone, rule[asking, 0], side) for side in ("left", "right"))
    count = end - first
    which = np.repeat(asking, count)
    k = np.arange(len(which)) + np.repeat(first - np.cumsum(count) + count, count)
    slot, inside_s, was, is_in = found.slot[k], found.inside_s[k], found.was[k], found.is_in[k]
    idle = at.active[which, slot] == 0
    came = idle & is_in & ~was
    since = at.against[which, slot]
    at.against[which[came], slot[came]] = now - inside_s[came]
    long = (inside_s > 0.0) & (inside_s >= limit[which, RAISE_S])
    out: list[tuple[int, int, float]] = []
    for i in np.flatnonzero(idle & ~is_in & (was | long)).tolist():
        r = int(which[i])
        held_s = _held_s(at, (rule[r], limit[r]), found, int(k[i]), float(since[i]), now - passed_s)
        if held_s > 0.0 and held_s >= limit[r, RAISE_S]:
            out.append((r, int(slot[i]), held_s))
    return out


def _held_s(
    at: Slots, rule: tuple[Ints, Floats], found: Crossed, k: int, since_s: float, before_s: float
) -> float:  # fmt: skip
    """Return for how long a rule has held for one who is out of its zone now; 0 where it has not.

    Args:
        at: the slots; rule: its row in both tables; found: who has crossed; k: which of them.
        since_s: when the rule began to hold and was not told; -1: it did not.
        before_s: of the last picture.
    """
    s, (asked, limit) = int(found.slot[k]), rule
    if found.was[k]:
        return before_s + float(found.inside_s[k]) - since_s if since_s >= 0.0 else 0.0
    half = limit[4]
    off = abs(np.remainder(at.course[s] - limit[3] + np.pi, 2.0 * np.pi) - np.pi)  # NaN at rest
    fits = asked[2] & at.class_bit[s] and limit[0] <= at.speed[s] <= limit[1] and (half >= np.pi or off <= half)
    return float(found.inside_s[k]) if fits else 0.0


def _crossed(
    at: Slots, zones: ZoneArrays, asked: tuple[Ints, Floats], start: Floats, was_inside: Flags, passed_s: float
) -> Crossed:
    """Return who has come into zones or gone out of them, and who has gone through, where that can take long enough.

    Args:
        at: the slots; zones: all.
        asked: zones, and how long one has to be in them [s], of each rule that asks.
        start: (3, S) places in the last picture; was_inside: (Z, S) who was in which zone then.
        passed_s: time since.
    """
    zone, slot = np.divmod(np.flatnonzero(was_inside != at.inside), len(at.there))
    wanted = np.zeros(len(zones.names), np.uint8)
    wanted[asked[0]] = 1
    known = (at.there[slot] == 1) & (wanted[zone] == 1)
    zone, slot = zone[known], slot[known]
    wanted[:] = 0
    wanted[asked[0][asked[1] < MOST_OF_IT * passed_s]] = 1
    if wanted.any():
        beside = _gone_through(at, zones, start, was_inside, wanted)
        zone, slot = np.concatenate([zone, beside[:, 0]]), np.concatenate([slot, beside[:, 1]])
        order = np.argsort(zone, kind="stable")
        zone, slot = zone[order], slot[order]
    share = share_inside(start[:, slot], at.place[:, slot], zones, zone) if len(slot) else np.empty(0)
    return Crossed(zone, slot, share * passed_s, was_inside[zone, slot] > 0, at.inside[zone, slot] > 0)


def _gone_through(at: Slots, zones: ZoneArrays, start: Floats, was_inside: Flags, asked: Flags) -> Ints:
    """Return (n, 2) zones and slots of those that were out of a zone, have met its edges, and are out of it.

    Args:
        at: the slots; zones: all; asked: (Z,) which zones are looked at.
        start: (3, S) places in the last picture; was_inside: (Z, S) who was in which zone then.
    """
    found, count = np.empty((0, 2), np.int64), len(at.there)
    while count > len(found):  # seldom twice
        found = np.empty((count, 2), np.int64)
        count = kernels.gone_through(
            start,
            at.place,
            at.there,
            was_inside,
            at.inside,
            zones.vertex,
            zones.first,
            zones.box,
            asked,
            at.near,
            found,
        )
    return found[:count]


def share_inside(start: Floats, end: Floats, zones: ZoneArrays, zone: Ints) -> Floats:
    """Return (n,) which share of each straight way from start to end, (3, n), lies in the zone beside it (n,)."""
    corners = zones.first[zone + 1] - zones.first[zone]
    out = np.zeros(len(zone))
    # Those with alike many corners together, and not too many at once: one zone may be a coast of thousands.
    order = np.argsort(corners, kind="stable")
    begin = 0
    while begin < len(order):
        few = int(corners[order[begin]])
        alike = int(np.searchsorted(corners[order], 2 * few, side="right"))
        some = order[begin : min(alike, begin + max(1, _AT_ONCE // (2 * few)))]
        out[some] = _share_inside(start[:, some], end[:, some], zones, zone[some])
        begin += len(some)
    return out


def _share_inside(start: Floats, end: Floats, zones: ZoneArrays, zone: Ints) -> Floats:
    count = zones.first[zone + 1] - zones.first[zone]
    # Of those with fewer corners than others, the last one again and again.
    corner = zones.vertex[zones.first[zone][:, None] + np.minimum(np.arange(count.max()), count[:, None] - 1)]
    floor, ceiling = zones.box[zone, 4:6].T[:, :, None]
    edge = np.roll(corner, -1, axis=1) - corner
    way = (end - start).T
    # Where along the way it meets an edge, the floor, the ceiling; beyond its ends, and where never: an end.
    ahead = corner - start[:2].T[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        across = _cross(way[:, None, :2], edge)
        sides, along = _cross(ahead, edge) / across, _cross(ahead, way[:, None, :2]) / across
        levels = (np.hstack([floor, ceiling]) - start[2][:, None]) / way[:, 2:]
        sides[~(np.abs(along - 0.5) <= 0.5 + _BESIDE)] = 0.0  # the line of the edge, beside it
    bounds = np.sort(np.clip(np.nan_to_num(np.hstack([sides, levels]), nan=0.0), 0.0, 1.0), axis=1)
    n = len(way)
    met = int((bounds > 0.0).sum(axis=1).max())  # seldom more than two: the others are the way's begin
    bounds = np.hstack([np.zeros((n, 1)), bounds[:, bounds.shape[1] - met :], np.ones((n, 1))])
    middle = 0.5 * (bounds[:, 1:] + bounds[:, :-1])
    share = np.zeros(n)
    for k in range(middle.shape[1]):
        x, y, h = start + middle[:, k] * way.T
        inside = (h >= floor[:, 0]) & (h <= ceiling[:, 0]) & _contains(x, y, corner)
        share += (bounds[:, k + 1] - bounds[:, k]) * inside
    return share


def _cross(a: Floats, b: Floats) -> Floats:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])


def _contains(x: Floats, y: Floats, corner: Floats) -> NDArray[np.bool_]:
    """Tell which points (n,) are in the polygons (n, E, 2) beside them: by the crossings of a ray to the east."""
    before = np.roll(corner, 1, axis=1)
    ax, ay, bx, by = corner[..., 0], corner[..., 1], before[..., 0], before[..., 1]
    x, y = x[:, None], y[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        crosses = ((ay > y) != (by > y)) & (x - ax < (y - ay) * (bx - ax) / (by - ay))
    return np.asarray(crosses.sum(axis=1) % 2 == 1)
