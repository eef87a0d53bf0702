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
MOST_OF_IT = 0.99  # of the time between two pictures: who is out in both is not in for longer
RAISE_S = 8  # column of the kernel's limits
_OF_INSIDE = [WHEN.index(when) for when in ("inside", "enter")]


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
    out: list[tuple[int, int, float]] = []
    now, passed_s = times
    rule, limit = rules
    asking = np.flatnonzero(np.isin(rule[:, 1], _OF_INSIDE))
    if not len(asking) or not 0.0 < passed_s <= LONGEST_GAP_S:
        return out
    found = _crossed(at, zones, (rule[asking, 0], limit[asking, RAISE_S]), before, was_inside, passed_s)
    first, end = (np.searchsorted(found.zone, rule[asking, 0], side) for side in ("left", "right"))
    for r, some in zip(asking.tolist(), map(slice, first.tolist(), end.tolist()), strict=True):
        if some.start == some.stop:
            continue
        slot, inside_s = found.slot[some], found.inside_s[some]
        idle = at.active[r, slot] == 0
        came = idle & found.is_in[some] & ~found.was[some]
        at.against[r, slot[came]] = now - inside_s[came]
        long = (inside_s > 0.0) & (inside_s >= limit[r, RAISE_S])
        for k in np.flatnonzero(idle & ~found.is_in[some] & (found.was[some] | long)).tolist():
            held_s = _held_s(at, (rule[r], limit[r]), found, some.start + k, at.against[r], now - passed_s)
            if held_s > 0.0 and held_s >= limit[r, RAISE_S]:
                out.append((r, int(slot[k]), held_s))
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
    known, end = at.there == 1, at.place
    wanted = np.zeros(len(zones.names), dtype=bool)
    wanted[asked[0]] = True
    zone, slot = np.nonzero((was_inside != at.inside) & known & wanted[:, None])
    through = np.unique(asked[0][asked[1] < MOST_OF_IT * passed_s])
    if len(through):
        low, high = np.minimum(start, end), np.maximum(start, end)
        beside = [
            _went_through(at, zones, z, (start, end, low, high), known & (was_inside[z] == 0)) for z in through.tolist()
        ]
        zone = np.concatenate([zone, np.repeat(through, [len(each) for each in beside])])
        slot = np.concatenate([slot, *beside])
        order = np.argsort(zone, kind="stable")
        zone, slot = zone[order], slot[order]
    share = share_inside(start[:, slot], end[:, slot], zones, zone) if len(slot) else np.empty(0)
    return Crossed(zone, slot, share * passed_s, was_inside[zone, slot] > 0, at.inside[zone, slot] > 0)


def _went_through(
    at: Slots, zones: ZoneArrays, z: int, ways: tuple[Floats, Floats, Floats, Floats], out: NDArray[np.bool_]
) -> Ints:
    """Return which slots have met the edges of a zone, of those that were out of it, (S,), and are.

    Args:
        at: the slots; zones: all; z: which one.
        ways: (3, S) their places in the last picture and in this one, the least and the greatest of both.
        out: as above.
    """
    start, end, low, high = ways
    west, south, east, north, floor, ceiling = zones.box[z]
    over = (low[0] <= east) & (high[0] >= west) & (low[1] <= north) & (high[1] >= south)
    slot: Ints = np.flatnonzero(over & out & (at.inside[z] == 0) & (low[2] <= ceiling) & (high[2] >= floor))
    corner = zones.vertex[zones.first[z] : zones.first[z + 1]]
    edge, way = np.roll(corner, -1, axis=0) - corner, (end[:2, slot] - start[:2, slot]).T[:, None]
    ahead = corner[None] - start[:2, slot].T[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        across = _cross(way, edge[None])
        along, on = _cross(ahead, edge[None]) / across, _cross(ahead, way) / across
    met = (along >= 0.0) & (along <= 1.0) & (on >= 0.0) & (on <= 1.0)
    return np.asarray(slot[met.any(axis=1)])


def share_inside(start: Floats, end: Floats, zones: ZoneArrays, zone: Ints) -> Floats:
    """Return (n,) which share of each straight way from start to end, (3, n), lies in the zone beside it (n,)."""
    count = zones.first[zone + 1] - zones.first[zone]
    # Of those with fewer corners than others, the last one again and again.
    corner = zones.vertex[zones.first[zone][:, None] + np.minimum(np.arange(count.max()), count[:, None] - 1)]
    floor, ceiling = zones.box[zone, 4:6].T[:, :, None]
    edge = np.roll(corner, -1, axis=1) - corner
    way = (end - start).T
    # Where along the way it meets the line of an edge, the floor, the ceiling; beyond its ends, and where never: an end.
    ahead = corner - start[:2].T[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        sides = _cross(ahead, edge) / _cross(way[:, None, :2], edge)
        levels = (np.hstack([floor, ceiling]) - start[2][:, None]) / way[:, 2:]
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
    """Tell which points (n, K) are in the polygons (n, E, 2) beside them: by the crossings of a ray to the east."""
    before = np.roll(corner, 1, axis=1)
    ax, ay, bx, by = (c[:, None] for c in (corner[..., 0], corner[..., 1], before[..., 0], before[..., 1]))
    x, y = x[..., None], y[..., None]
    with np.errstate(divide="ignore", invalid="ignore"):
        crosses = ((ay > y) != (by > y)) & (x - ax < (y - ay) * (bx - ax) / (by - ay))
    return np.asarray(crosses.sum(axis=-1) % 2 == 1)
