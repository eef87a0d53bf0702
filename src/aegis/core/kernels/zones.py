# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which tracks are in which zones, how near they will come to them, and which rules that makes true: all pairs of a picture.

Zones are polygons over ground with a floor and a ceiling. Tracks have slots, so that what is remembered of a pair stays in place.
"""

import cython
from cython.cimports.libc.math import fabs, isnan, sqrt

# What a rule asks for; as `zones.When`.
ANYWHERE = cython.declare(cython.int, 0)
INSIDE = cython.declare(cython.int, 1)
OUTSIDE = cython.declare(cython.int, 2)
ENTER = cython.declare(cython.int, 3)
LEAVE = cython.declare(cython.int, 4)
STAY = cython.declare(cython.int, 5)
CPA = cython.declare(cython.int, 6)
ENTRY = cython.declare(cython.int, 7)
FULL_TURN = cython.declare(cython.double, 6.283185307179586)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def contains(
    x: cython.double, y: cython.double, vertex: cython.double[:, ::1], first: cython.Py_ssize_t, last: cython.Py_ssize_t
) -> cython.bint:
    """Tell whether a point is in a polygon, whose vertices are from `first` up to `last`: by the crossings of a ray to the east."""
    inside: cython.bint = False
    before: cython.Py_ssize_t = last - 1
    k: cython.Py_ssize_t
    for k in range(first, last):
        # The second line is not looked at where the first is false, so that nothing is divided by 0.
        if (vertex[k, 1] > y) != (vertex[before, 1] > y) and (
            x - vertex[k, 0]
            < (y - vertex[k, 1]) * (vertex[before, 0] - vertex[k, 0]) / (vertex[before, 1] - vertex[k, 1])
        ):
            inside = not inside
        before = k
    return inside


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def to_segment(
    x: cython.double, y: cython.double, ax: cython.double, ay: cython.double, bx: cython.double, by: cython.double
) -> cython.double:
    """Return the squared distance of a point from the segment a b."""
    dx, dy = bx - ax, by - ay
    length2 = dx * dx + dy * dy
    share: cython.double = 0.0
    if length2 > 0.0:
        share = min(max(((x - ax) * dx + (y - ay) * dy) / length2, 0.0), 1.0)
    ex, ey = x - ax - share * dx, y - ay - share * dy
    return ex * ex + ey * ey


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def to_edges(
    x: cython.double, y: cython.double, vertex: cython.double[:, ::1], first: cython.Py_ssize_t, last: cython.Py_ssize_t
) -> cython.double:
    """Return the squared distance of a point from a polygon's edges."""
    least: cython.double = 1e300
    before: cython.Py_ssize_t = last - 1
    k: cython.Py_ssize_t
    for k in range(first, last):
        least = min(least, to_segment(x, y, vertex[before, 0], vertex[before, 1], vertex[k, 0], vertex[k, 1]))
        before = k
    return least


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def locate_in(
    now: cython.double, place: cython.double[:, ::1], there: cython.uchar[::1], vertex: cython.double[:, ::1],
    first: cython.longlong[::1], box: cython.double[:, ::1], margin: cython.double[::1],
    near: cython.uchar[::1], inside: cython.uchar[:, ::1], crossed: cython.uchar[:, ::1], since: cython.double[:, ::1],
) -> cython.void:  # fmt: skip
    """Update which of S slots are in which of Z zones; who is in is out only beyond the margin.

    Args:
        now: time [s].
        place: (3, S) x, y, z; there: (S,) 2: since this picture, 1: for longer, 0: the slot is free.
        vertex: (V, 2) of all zones, one after the other; first: (Z + 1,) where each begins.
        box: (Z, 6) west, south, east, north, floor, ceiling; margin: (Z,) [m].
        near: (S,) scratch.
        inside, crossed: (Z, S) whether it is in, and whether it has been otherwise since it is known.
        since: (Z, S) [s] since when it is so.
    """
    m: cython.double
    was: cython.uchar
    found: cython.uchar
    i: cython.Py_ssize_t
    z: cython.Py_ssize_t
    slots = there.shape[0]
    for z in range(box.shape[0]):
        west, south, east, north, floor, ceiling = box[z, 0], box[z, 1], box[z, 2], box[z, 3], box[z, 4], box[z, 5]
        for i in range(slots):  # without a branch, which the compiler makes many at once of
            near[i] = (
                (place[0, i] >= west) & (place[0, i] <= east) & (place[1, i] >= south) & (place[1, i] <= north)
            ) | inside[z, i]
        for i in range(slots):
            if not near[i] and there[i] != 2:
                continue
            was = inside[z, i]
            m = margin[z] if was else 0.0
            found = 0
            if (
                place[0, i] >= west - m
                and place[0, i] <= east + m
                and place[1, i] >= south - m
                and place[1, i] <= north + m
                and place[2, i] >= floor - m
                and place[2, i] <= ceiling + m
                and there[i]
                and (
                    contains(place[0, i], place[1, i], vertex, first[z], first[z + 1])
                    or (was and to_edges(place[0, i], place[1, i], vertex, first[z], first[z + 1]) <= m * m)
                )
            ):
                found = 1
            if there[i] == 2:
                inside[z, i], crossed[z, i], since[z, i] = found, 0, now
            elif found != was:
                inside[z, i], crossed[z, i], since[z, i] = found, 1, now


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def between(
    px: cython.double, py: cython.double, qx: cython.double, qy: cython.double,
    ax: cython.double, ay: cython.double, bx: cython.double, by: cython.double,
) -> cython.double:  # fmt: skip
    """Return the squared distance of the segments p q and a b; 0 where they cross."""
    dx, dy, ex, ey = qx - px, qy - py, bx - ax, by - ay
    across = dx * ey - dy * ex
    if across != 0.0:
        s = ((ax - px) * ey - (ay - py) * ex) / across
        t = ((ax - px) * dy - (ay - py) * dx) / across
        if 0.0 <= s <= 1.0 and 0.0 <= t <= 1.0:
            return 0.0
    return min(
        min(to_segment(px, py, ax, ay, bx, by), to_segment(qx, qy, ax, ay, bx, by)),
        min(to_segment(ax, ay, px, py, qx, qy), to_segment(bx, by, px, py, qx, qy)),
    )


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def nearest_approach(
    zone: cython.Py_ssize_t, within: cython.double, limit: cython.double, place: cython.double[:, ::1],
    velocity: cython.double[:, ::1], there: cython.uchar[::1], inside: cython.uchar[:, ::1], vertex: cython.double[:, ::1],
    first: cython.longlong[::1], box: cython.double[:, ::1], out: cython.double[::1],
) -> cython.void:  # fmt: skip
    """Write how near each of S slots comes to a zone over ground, on a straight course; 1e300 where it is not nearer than `limit`.

    What stays below the floor or above the ceiling by more than the limit all the time does not come near.

    Args:
        zone: number of the zone; within: the time that is looked ahead [s]; limit: [m].
        place, velocity: (3, S); there, inside, vertex, first, box: as for `locate_in`.
        out: (S,) [m].
    """
    far: cython.double = 1e300
    distance: cython.double
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    before: cython.Py_ssize_t
    west, south, east, north = box[zone, 0] - limit, box[zone, 1] - limit, box[zone, 2] + limit, box[zone, 3] + limit
    floor, ceiling = box[zone, 4] - limit, box[zone, 5] + limit
    for i in range(there.shape[0]):
        out[i] = far
        if not there[i]:
            continue
        if inside[zone, i]:
            out[i] = 0.0
            continue
        qx, qy = place[0, i] + within * velocity[0, i], place[1, i] + within * velocity[1, i]
        qz = place[2, i] + within * velocity[2, i]
        if (
            not (max(place[0, i], qx) >= west and min(place[0, i], qx) <= east)
            or not (max(place[1, i], qy) >= south and min(place[1, i], qy) <= north)
            or not (max(place[2, i], qz) >= floor and min(place[2, i], qz) <= ceiling)
        ):
            continue
        if contains(place[0, i], place[1, i], vertex, first[zone], first[zone + 1]):
            distance = 0.0  # above or below it
        else:
            distance = far
            before = first[zone + 1] - 1
            for k in range(first[zone], first[zone + 1]):
                distance = min(
                    distance,
                    between(
                        place[0, i], place[1, i], qx, qy, vertex[before, 0], vertex[before, 1], vertex[k, 0], vertex[k, 1]
                    ),
                )  # fmt: skip
                before = k
        if distance <= limit * limit:
            out[i] = sqrt(distance)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def enters(
    x: cython.double, y: cython.double, z: cython.double, vx: cython.double, vy: cython.double, vz: cython.double,
    within: cython.double, vertex: cython.double[:, ::1], first: cython.Py_ssize_t, last: cython.Py_ssize_t,
    floor: cython.double, ceiling: cython.double,
) -> cython.bint:  # fmt: skip
    """Tell whether a straight way enters a zone in time: through a side, the floor or the ceiling; or is in it from the start."""
    time: cython.double
    height: cython.double
    before: cython.Py_ssize_t = last - 1
    k: cython.Py_ssize_t
    if z >= floor and z <= ceiling and contains(x, y, vertex, first, last):
        return True
    for k in range(first, last):
        ex, ey = vertex[k, 0] - vertex[before, 0], vertex[k, 1] - vertex[before, 1]
        ax, ay = vertex[before, 0] - x, vertex[before, 1] - y
        across = vx * ey - vy * ex
        before = k
        if across == 0.0:
            continue
        time = (ax * ey - ay * ex) / across
        share = (ax * vy - ay * vx) / across
        if time >= 0.0 and time <= within and share >= 0.0 and share <= 1.0:
            height = z + time * vz
            if height >= floor and height <= ceiling:
                return True
    if vz == 0.0:
        return False
    for k in range(2):
        time = ((floor if k == 0 else ceiling) - z) / vz
        if time >= 0.0 and time <= within and contains(x + time * vx, y + time * vy, vertex, first, last):
            return True
    return False


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def share_entering(
    zone: cython.Py_ssize_t, within: cython.double, mean: cython.double[:, ::1], root: cython.double[:, :, ::1],
    sample: cython.double[:, ::1], vertex: cython.double[:, ::1], first: cython.longlong[::1], box: cython.double[:, ::1],
    out: cython.double[::1],
) -> cython.void:  # fmt: skip
    """Write the share (n,) of the ways that each of n tracks may take straight on which enter a zone in time.

    Args:
        zone, within: as for `nearest_approach`.
        mean: (n, 6) positions and velocities; root: (n, 6, 6) lower triangles, whose square is their covariance.
        sample: (K, 6) of a standard normal distribution.
        vertex, first, box: as for `locate_in`.
        out: (n,).
    """
    count: cython.Py_ssize_t
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    k: cython.Py_ssize_t
    a: cython.double
    b: cython.double
    for i in range(mean.shape[0]):
        count = 0
        for k in range(sample.shape[0]):
            x, y, z, vx, vy, vz = mean[i, 0], mean[i, 1], mean[i, 2], mean[i, 3], mean[i, 4], mean[i, 5]
            for j in range(6):
                a = sample[k, j]
                if j == 0:
                    x += root[i, 0, 0] * a
                if j <= 1:
                    y += root[i, 1, j] * a
                if j <= 2:
                    z += root[i, 2, j] * a
                if j <= 3:
                    vx += root[i, 3, j] * a
                if j <= 4:
                    vy += root[i, 4, j] * a
                b = root[i, 5, j] * a
                vz += b
            count += enters(
                x, y, z, vx, vy, vz, within, vertex, first[zone], first[zone + 1], box[zone, 4], box[zone, 5]
            )
        out[i] = cython.cast(cython.double, count) / sample.shape[0]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def course_off(course: cython.double, middle: cython.double) -> cython.double:
    """Return how far a course is from another one, from 0 to pi; infinity where there is none."""
    if isnan(course):
        return 1e300
    off = fabs(course - middle)
    return min(off, FULL_TURN - off)


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def decide(
    now: cython.double, there: cython.uchar[::1], speed: cython.double[::1], course: cython.double[::1],
    class_bit: cython.longlong[::1], inside: cython.uchar[:, ::1], crossed: cython.uchar[:, ::1],
    since: cython.double[:, ::1], computed: cython.double[:, ::1], rule: cython.longlong[:, ::1],
    limit: cython.double[:, ::1], active: cython.uchar[:, ::1], against: cython.double[:, ::1],
    change: cython.longlong[:, ::1],
) -> cython.Py_ssize_t:  # fmt: skip
    """Update which of R rules hold for which of S slots, and write what has changed; return how many changes, at most (change,).

    A change for which there is no room is left for the next picture.

    Args:
        now: time, 0 or later [s].
        there: (S,), inside, crossed, since: (Z, S), as for `locate_in`.
        speed: (S,) over ground [m/s]; course: (S,) clockwise from north, 0 to 2 pi, NaN at rest; class_bit: (S,) 1 << class.
        computed: (C, S) nearest approaches [m] and probabilities of the rules that ask for them.
        rule: (R, 4) zone (-1: none), what is asked for, allowed classes as bits, row in `computed` (-1: none).
        limit: (R, 11) slowest, fastest [m/s], their margin, middle of the courses, their half width, its margin [rad], limit of
            what is asked for and its margin, seconds until it is raised, until it is ended, and that entering and leaving lasts.
        active: (R, S) raised; against: (R, S) since when [s] the picture has said otherwise; -1: it does not.
        change: (n, 3) rule, slot, raised.
    """
    found: cython.Py_ssize_t = 0
    room = change.shape[0]
    r: cython.Py_ssize_t
    i: cython.Py_ssize_t
    z: cython.Py_ssize_t
    what: cython.int
    on: cython.uchar
    holds: cython.bint
    slack: cython.double
    value: cython.double
    for r in range(rule.shape[0]):
        z, what = rule[r, 0], cython.cast(cython.int, rule[r, 1])
        for i in range(there.shape[0]):
            if not there[i]:
                continue
            on = active[r, i]
            slack = 1.0 if on else 0.0
            if what == ANYWHERE:
                holds = True
            elif what == INSIDE:
                holds = inside[z, i] != 0
            elif what == OUTSIDE:
                holds = inside[z, i] == 0
            elif what == ENTER:
                holds = inside[z, i] != 0 and crossed[z, i] != 0 and now - since[z, i] <= limit[r, 10]
            elif what == LEAVE:
                holds = inside[z, i] == 0 and crossed[z, i] != 0 and now - since[z, i] <= limit[r, 10]
            elif what == STAY:
                holds = inside[z, i] != 0 and now - since[z, i] >= limit[r, 6]
            elif what == CPA:
                holds = computed[rule[r, 3], i] <= limit[r, 6] + slack * limit[r, 7]
            else:
                holds = computed[rule[r, 3], i] >= limit[r, 6] - slack * limit[r, 7]
            if holds:
                holds = (
                    (rule[r, 2] & class_bit[i]) != 0
                    and speed[i] >= limit[r, 0] - slack * limit[r, 2]
                    and speed[i] <= limit[r, 1] + slack * limit[r, 2]
                )
            if holds and limit[r, 4] < 0.5 * FULL_TURN:
                holds = course_off(course[i], limit[r, 3]) <= limit[r, 4] + slack * limit[r, 5]
            if holds == (on != 0):
                if against[r, i] >= 0.0:
                    against[r, i] = -1.0
                continue
            value = against[r, i]
            if value < 0.0:
                value = now
                against[r, i] = now
            if now - value >= (limit[r, 9] if on else limit[r, 8]) and found < room:
                active[r, i], against[r, i] = 0 if on else 1, -1.0
                change[found, 0], change[found, 1], change[found, 2] = r, i, 0 if on else 1
                found += 1
    return found
