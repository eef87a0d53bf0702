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

from aegis.core.threat.zone_settings import WHEN
from aegis.core.threat.zone_slots import Flags, Slots
from aegis.core.threat.zones import ZoneArrays
from aegis.core.types import Floats, Ints

LONGEST_GAP_S = 30.0  # between two pictures: over a longer one nobody knows the way
RAISE_S = 8  # column of the kernel's limits
_OF_INSIDE = [WHEN.index(when) for when in ("inside", "enter")]


class Crossed(NamedTuple):
    """Slots that have crossed the bounds of a zone since the last picture; arrays (n,)."""

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
    out: list[tuple[int, int, float]] = []
    now, passed_s = times
    if not 0.0 < passed_s <= LONGEST_GAP_S:
        return out
    rule, limit = rules
    known = at.there == 1
    turned = ((was_inside != at.inside) & known).any(axis=1)  # zones whose bounds somebody has crossed for certain
    ways = _Ways(before, at.place, np.minimum(before, at.place), np.maximum(before, at.place))
    asking = np.flatnonzero(np.isin(rule[:, 1], _OF_INSIDE))
    for z in np.unique(rule[asking, 0]).tolist():
        asks = asking[rule[asking, 0] == z]
        through = passed_s >= limit[asks, RAISE_S].min()  # else nobody is in it for so long between two pictures
        if not (turned[z] or through):
            continue
        found = _crossed(at, zones, z, ways, was_inside[z], known, passed_s, through=bool(through))
        for r in asks.tolist():
            idle = at.active[r, found.slot] == 0
            came = idle & found.is_in & ~found.was
            at.against[r, found.slot[came]] = now - found.inside_s[came]
            long = (found.inside_s > 0.0) & (found.inside_s >= limit[r, RAISE_S])
            for k in np.flatnonzero(idle & ~found.is_in & (found.was | long)).tolist():
                inside_s = _held_s(at, (rule[r], limit[r]), found, k, at.against[r], now - passed_s)
                if inside_s > 0.0 and inside_s >= limit[r, RAISE_S]:
                    out.append((r, int(found.slot[k]), inside_s))
    return out


def _held_s(
    at: Slots, rule: tuple[Ints, Floats], found: Crossed, k: int, since: Floats, before_s: float
) -> float:  # fmt: skip
    """Return for how long a rule has held for one who is out of its zone now; 0 where it has not.

    Args:
        at: the slots; rule: its row in both tables; found: who has crossed; k: which of them.
        since: (S,) when [s] the rule began to hold and was not told; -1: it did not.
        before_s: of the last picture.
    """
    s, (asked, limit) = int(found.slot[k]), rule
    if found.was[k]:
        return before_s + float(found.inside_s[k]) - float(since[s]) if since[s] >= 0.0 else 0.0
    half = limit[4]
    off = abs(np.remainder(at.course[s] - limit[3] + np.pi, 2.0 * np.pi) - np.pi)  # NaN at rest
    fits = asked[2] & at.class_bit[s] and limit[0] <= at.speed[s] <= limit[1] and (half >= np.pi or off <= half)
    return float(found.inside_s[k]) if fits else 0.0


class _Ways(NamedTuple):
    """From the last picture to this one, (3, S) each."""

    start: Floats
    end: Floats
    low: Floats
    high: Floats


def _crossed(
    at: Slots, zones: ZoneArrays, z: int, ways: _Ways, was: Flags, known: NDArray[np.bool_], passed_s: float, *, through: bool
) -> Crossed:  # fmt: skip
    """Return who has come into a zone or gone out of it, and who has gone through it, if that is asked for.

    Args:
        at: the slots; zones: all; z: which one.
        ways: since the last picture; was: (S,) whether it was in the zone then; known: (S,) whether it was there.
        passed_s: time since.
        through: look for who has gone through, too.
    """
    now = at.inside[z]
    some = known & (was != now)
    if through:
        west, south, east, north, floor, ceiling = zones.box[z]
        low, high = ways.low, ways.high
        over = (low[0] <= east) & (high[0] >= west) & (low[1] <= north) & (high[1] >= south)
        beside = np.flatnonzero(over & known & (was == 0) & (now == 0) & (low[2] <= ceiling) & (high[2] >= floor))
        some[beside[_meets(ways.start[:2, beside], ways.end[:2, beside], zones, z)]] = True
    slot: Ints = np.flatnonzero(some)
    share = share_inside(ways.start[:, slot], ways.end[:, slot], zones, z) if len(slot) else np.empty(0)
    return Crossed(slot, share * passed_s, was[slot] > 0, now[slot] > 0)


def _meets(start: Floats, end: Floats, zones: ZoneArrays, z: int) -> NDArray[np.bool_]:
    """Tell which ways over ground from start to end, (2, n), meet an edge of a zone."""
    corner = zones.vertex[zones.first[z] : zones.first[z + 1]]
    edge, way = np.roll(corner, -1, axis=0) - corner, (end - start).T[:, None]
    ahead = corner[None] - start.T[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        across = _cross(way, edge[None])
        along, on = _cross(ahead, edge[None]) / across, _cross(ahead, way) / across
    return np.asarray(((along >= 0.0) & (along <= 1.0) & (on >= 0.0) & (on <= 1.0)).any(axis=1))


def share_inside(start: Floats, end: Floats, zones: ZoneArrays, z: int) -> Floats:
    """Return (n,) which share of the straight way from start to end, (3, n), lies in a zone."""
    corner = zones.vertex[zones.first[z] : zones.first[z + 1]]
    floor, ceiling = zones.box[z, 4:6]
    edge = np.roll(corner, -1, axis=0) - corner
    way = (end - start).T
    # Where along the way it meets the line of an edge, the floor, the ceiling; beyond its ends, and where never: an end.
    ahead = corner[None] - start[:2].T[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        sides = _cross(ahead, edge[None]) / _cross(way[:, None, :2], edge[None])
        levels = (np.array([[floor, ceiling]]) - start[2][:, None]) / way[:, 2:]
    bounds = np.clip(np.nan_to_num(np.hstack([sides, levels]), nan=0.0), 0.0, 1.0)
    n = len(way)
    bounds = np.sort(np.hstack([np.zeros((n, 1)), bounds, np.ones((n, 1))]), axis=1)
    middle = 0.5 * (bounds[:, 1:] + bounds[:, :-1])
    x, y, h = (start[k][:, None] + middle * way[:, k : k + 1] for k in range(3))
    inside = (h >= floor) & (h <= ceiling) & _contains(x, y, corner)
    return np.asarray((np.diff(bounds, axis=1) * inside).sum(axis=1))


def _cross(a: Floats, b: Floats) -> Floats:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])


def _contains(x: Floats, y: Floats, corner: Floats) -> NDArray[np.bool_]:
    """Tell which points are in a polygon: by the crossings of a ray to the east."""
    (ax, ay), (bx, by) = corner.T, np.roll(corner, 1, axis=0).T
    x, y = x[..., None], y[..., None]
    with np.errstate(divide="ignore", invalid="ignore"):
        crosses = ((ay > y) != (by > y)) & (x - ax < (y - ay) * (bx - ax) / (by - ay))
    return np.asarray(crosses.sum(axis=-1) % 2 == 1)
