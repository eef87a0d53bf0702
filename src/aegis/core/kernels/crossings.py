# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Who has gone through zones between two pictures."""

import cython


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def meets_edges(
    px: cython.double, py: cython.double, qx: cython.double, qy: cython.double,
    vertex: cython.double[:, ::1], first: cython.Py_ssize_t, last: cython.Py_ssize_t,
) -> cython.bint:  # fmt: skip
    """Tell whether the way from p to q crosses a polygon's edges."""
    dx, dy = qx - px, qy - py
    before: cython.Py_ssize_t = last - 1
    k: cython.Py_ssize_t
    for k in range(first, last):
        ex, ey = vertex[k, 0] - vertex[before, 0], vertex[k, 1] - vertex[before, 1]
        ax, ay = vertex[before, 0] - px, vertex[before, 1] - py
        across = dx * ey - dy * ex
        if across != 0.0:
            s = (ax * ey - ay * ex) / across
            t = (ax * dy - ay * dx) / across
            if 0.0 <= s <= 1.0 and 0.0 <= t <= 1.0:
                return True
        before = k
    return False


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def gone_through(
    start: cython.double[:, ::1], end: cython.double[:, ::1], there: cython.uchar[::1], was: cython.uchar[:, ::1],
    inside: cython.uchar[:, ::1], vertex: cython.double[:, ::1], first: cython.longlong[::1], box: cython.double[:, ::1],
    asked: cython.uchar[::1], near: cython.uchar[::1], found: cython.longlong[:, ::1],
) -> cython.Py_ssize_t:  # fmt: skip
    """Find who was out of a zone and is, and has met its edges between; return how many pairs, of which as many as fit are written.

    Args:
        start, end: (3, S) places in the last picture and in this one; there: (S,) as for `zones.locate_in`.
        was, inside: (Z, S) whether it was in, and is.
        vertex, first, box: as for `zones.locate_in`; asked: (Z,) whether the zone is looked at.
        near: (S,) scratch.
        found: (N, 2) zone and slot of each pair, by zone and slot.
    """
    count: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    z: cython.Py_ssize_t
    slots = there.shape[0]
    for z in range(box.shape[0]):
        if not asked[z]:
            continue
        west, south, east, north, floor, ceiling = box[z, 0], box[z, 1], box[z, 2], box[z, 3], box[z, 4], box[z, 5]
        for i in range(slots):  # without a branch, which the compiler makes many at once of
            near[i] = (
                ((start[0, i] <= east) | (end[0, i] <= east))
                & ((start[0, i] >= west) | (end[0, i] >= west))
                & ((start[1, i] <= north) | (end[1, i] <= north))
                & ((start[1, i] >= south) | (end[1, i] >= south))
                & ((start[2, i] <= ceiling) | (end[2, i] <= ceiling))
                & ((start[2, i] >= floor) | (end[2, i] >= floor))
                & (was[z, i] == 0)
                & (inside[z, i] == 0)
                & (there[i] == 1)
            )
        for i in range(slots):
            if near[i] and meets_edges(start[0, i], start[1, i], end[0, i], end[1, i], vertex, first[z], first[z + 1]):
                if count < found.shape[0]:
                    found[count, 0], found[count, 1] = z, i
                count += 1
    return count
