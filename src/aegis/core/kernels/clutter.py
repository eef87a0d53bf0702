# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Earlier false alarms counted around each detection, and how many of them would be usual there."""

import cython
from cython.cimports.libc.math import acos, atan2, floor, isnan, sqrt

PI = cython.declare(cython.double, 3.141592653589793)
MIN_RANGE_M = cython.declare(cython.double, 1e-3)  # directions are undefined at the sensor itself
RINGS = cython.declare(cython.int, 12)  # of ranges, over which the share of a disc is summed
AT_ORIGIN = cython.declare(
    cython.double, 0.283
)  # of a cell's side: 1 over this is the mean of 1/r in a cell about the origin


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def cell_of(
    value: cython.double, lowest: cython.double, side: cython.double, cells: cython.longlong
) -> cython.longlong:
    """Return the number of the cell that a coordinate is in, -1 or `cells` where it is outside."""
    place = floor((value - lowest) / side)
    if place < 0.0:
        return -1
    if place >= cells:
        return cells
    return cython.cast(cython.longlong, place)


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def extent(position: cython.double[:, ::1]) -> tuple[cython.double, cython.double, cython.double, cython.double]:
    """Return the lowest x and y, and the highest, of positions (D, 2), at least one; more columns do not count."""
    west: cython.double = position[0, 0]
    south: cython.double = position[0, 1]
    east: cython.double = west
    north: cython.double = south
    for d in range(position.shape[0]):
        west, east = min(west, position[d, 0]), max(east, position[d, 0])
        south, north = min(south, position[d, 1]), max(north, position[d, 1])
    return west, south, east, north


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def count(
    position: cython.double[:, ::1], past: cython.double[:, ::1], weight: cython.double[::1], radius: cython.double,
    hole: cython.double, most_cells: cython.double, begin: cython.longlong[::1], sorted_past: cython.double[:, ::1],
    out: cython.double[::1],
) -> cython.void:  # fmt: skip
    """Write (D,) the summed weight of what lies around each position, by a grid.

    Args:
        position: (D, 2) or more columns; past: (K, 2), at least one, with weight (K,).
        radius, hole: what is nearer than the hole or farther than the radius does not count.
        most_cells: of the grid, about.
        begin: (2 most_cells + 4,), sorted_past: (K, 3) scratch.
        out: to be written.
    """
    i: cython.longlong
    j: cython.longlong
    cell: cython.longlong
    k: cython.longlong
    total: cython.double
    inside: cython.int
    least, most = hole * hole, radius * radius
    corner = cython.declare(cython.double[2])
    west, south, east, north = extent(past)
    corner[0], corner[1] = west, south
    side = max(
        radius, max(sqrt((east - west) * (north - south) / most_cells), max(east - west, north - south) / most_cells)
    )
    nx: cython.longlong = cython.cast(cython.longlong, (east - west) / side) + 1
    ny: cython.longlong = cython.cast(cython.longlong, (north - south) / side) + 1
    for i in range(nx * ny + 1):
        begin[i] = 0
    for k in range(past.shape[0]):
        i = min(cell_of(past[k, 0], corner[0], side, nx), nx - 1)
        j = min(cell_of(past[k, 1], corner[1], side, ny), ny - 1)
        begin[i * ny + j] += 1
    for i in range(nx * ny):
        begin[i + 1] += begin[i]
    for k in range(past.shape[0] - 1, -1, -1):
        i = min(cell_of(past[k, 0], corner[0], side, nx), nx - 1)
        j = min(cell_of(past[k, 1], corner[1], side, ny), ny - 1)
        cell = i * ny + j
        begin[cell] -= 1
        to = begin[cell]
        sorted_past[to, 0], sorted_past[to, 1], sorted_past[to, 2] = past[k, 0], past[k, 1], weight[k]
    for d in range(position.shape[0]):
        total = 0.0
        x = cell_of(position[d, 0], corner[0], side, nx)
        y = cell_of(position[d, 1], corner[1], side, ny)
        for i in range(max(x - 1, 0), min(x + 2, nx)):
            for j in range(max(y - 1, 0), min(y + 2, ny)):
                cell = i * ny + j
                for m in range(begin[cell], begin[cell + 1]):
                    dx, dy = sorted_past[m, 0] - position[d, 0], sorted_past[m, 1] - position[d, 1]
                    square = dx * dx + dy * dy
                    inside = (least < square) & (square <= most)  # no branch: nobody could guess it
                    total += sorted_past[m, 2] * inside
        out[d] = total


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def share(
    position: cython.double[:, ::1], origin: cython.double[::1], rotation: cython.double[:, ::1], near: cython.double,
    far: cython.double, half: cython.double, polar: cython.bint, radius: cython.double, out: cython.double[::1],
) -> cython.void:  # fmt: skip
    """Write (D,) the share of the view's usual false alarms that a disc about each place has.

    Args:
        position: (D, 2) or more columns, of the places in map; origin, rotation: position (3,) and rotation (3, 3), sensor to map.
        near, far, half: ranges of the view, and half its width [rad].
        polar: false alarms spread evenly over range and azimuth; else over the ground.
        radius: of the discs; out: to be written.
    """
    width: cython.double
    total: cython.double
    overlap: cython.double
    whole = 2.0 * half * (far - near) if polar else half * (far * far - near * near)
    for d in range(position.shape[0]):
        dx, dy = position[d, 0] - origin[0], position[d, 1] - origin[1]
        forward, left = rotation[0, 0] * dx + rotation[1, 0] * dy, rotation[0, 1] * dx + rotation[1, 1] * dy
        azimuth, R = atan2(left, forward), max(sqrt(forward * forward + left * left), MIN_RANGE_M)
        first, last = max(near, R - radius), min(far, R + radius)
        total = 0.0
        if last > first:
            step = (last - first) / RINGS
            for i in range(RINGS):
                r = first + (i + 0.5) * step
                width = acos(min(max((r * r + R * R - radius * radius) / (2.0 * r * R), -1.0), 1.0))
                overlap = 2.0 * width  # of the disc's arc at this range, within the view
                if half < PI:
                    overlap = max(min(azimuth + width, half) - max(azimuth - width, -half), 0.0)
                total += overlap * step * (1.0 if polar else r)
        out[d] = total / whole


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def usual_in_cells(
    corner: cython.double[::1], side: cython.double, origin: cython.double[::1], R: cython.double[:, ::1],
    near: cython.double, far: cython.double, half: cython.double, polar: cython.bint, out: cython.double[:, ::1],
) -> cython.void:  # fmt: skip
    """Write (ny, nx + 1) sums along each row of cells: the share of the view's usual false alarms in all cells before one.

    Args:
        corner: (2,) of the grid in map; side: of a cell.
        origin, R: position (3,) and rotation (3, 3), sensor to map.
        near to polar: as in `share`.
        out: to be written.
    """
    whole = 2.0 * half * (far - near) if polar else half * (far * far - near * near)
    usual = side * side / whole
    total: cython.double
    for j in range(out.shape[0]):
        total = 0.0
        dy = corner[1] + (j + 0.5) * side - origin[1]
        for i in range(out.shape[1]):
            out[j, i] = total
            dx = corner[0] + (i + 0.5) * side - origin[0]
            r = sqrt(dx * dx + dy * dy)
            if near <= r <= far:
                forward, left = R[0, 0] * dx + R[1, 0] * dy, R[0, 1] * dx + R[1, 1] * dy
                if half >= PI or abs(atan2(left, forward)) <= half:
                    total += usual / max(r, AT_ORIGIN * side) if polar else usual


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def sum_in_cells(
    past: cython.double[:, ::1], weight: cython.double[::1], corner: cython.double[::1], side: cython.double,
    out: cython.double[:, ::1],
) -> cython.void:  # fmt: skip
    """Write (ny, nx + 1) sums along each row of cells: the weight of what lies in all cells before one.

    Args:
        past: (K, 2), with weight (K,); what is outside the grid does not count.
        corner, side: of the grid, as in `usual_in_cells`; out: to be written.
    """
    i: cython.longlong
    j: cython.longlong
    total: cython.double
    ny, nx = out.shape[0], out.shape[1] - 1
    for j in range(ny):
        for i in range(nx + 1):
            out[j, i] = 0.0
    for k in range(past.shape[0]):
        x, y = (past[k, 0] - corner[0]) / side, (past[k, 1] - corner[1]) / side
        if 0.0 <= x < nx and 0.0 <= y < ny:
            out[cython.cast(cython.longlong, y), cython.cast(cython.longlong, x) + 1] += weight[k]
    for j in range(ny):
        total = 0.0
        for i in range(1, nx + 1):
            total += out[j, i]
            out[j, i] = total


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def around(
    i: cython.longlong, j: cython.longlong, outer: cython.longlong[::1], inner: cython.longlong[::1], sums: cython.double[:, ::1]
) -> cython.double:  # fmt: skip
    """Return what is in the cells around cell i, j, from sums along rows; see `around_in_cells`."""
    row: cython.longlong
    away: cython.longlong
    total: cython.double = 0.0
    W = outer.shape[0] - 1
    for row in range(-W, W + 1):
        away = abs(row)
        if inner[away] >= outer[away]:
            continue
        total += sums[j + row, i + outer[away] + 1] - sums[j + row, i - outer[away]]
        if inner[away] >= 0:
            total -= sums[j + row, i + inner[away] + 1] - sums[j + row, i - inner[away]]
    return total


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def around_in_cells(
    position: cython.double[:, ::1], corner: cython.double[::1], side: cython.double, outer: cython.longlong[::1],
    inner: cython.longlong[::1], past: cython.double[:, ::1], usual: cython.double[:, ::1], usual_around: cython.double[:, ::1],
    found: cython.double[::1], expected: cython.double[::1],
) -> cython.void:  # fmt: skip
    """Write (D,) what is in the cells around each position, and what usually is, from sums along rows.

    Args:
        position: (D, 2) or more columns, at least as many cells inside the grid as `outer` has.
        corner, side: of the grid.
        outer, inner: (W + 1,) of the rows so many cells away: cells up to outer and beyond inner columns away count; -1: all do.
        past, usual: (ny, nx + 1) as from `sum_in_cells` and `usual_in_cells`.
        usual_around: (ny, nx) what usually is around each cell; NaN: not worked out yet, and then written.
        found, expected: to be written.
    """
    i: cython.longlong
    j: cython.longlong
    for d in range(position.shape[0]):
        i = cython.cast(cython.longlong, (position[d, 0] - corner[0]) / side)
        j = cython.cast(cython.longlong, (position[d, 1] - corner[1]) / side)
        found[d] = around(i, j, outer, inner, past)
        if isnan(usual_around[j, i]):
            usual_around[j, i] = around(i, j, outer, inner, usual)
        expected[d] = usual_around[j, i]


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def unexplained(
    start: cython.longlong[::1], detection: cython.longlong[::1], probability: cython.double[::1],
    confirmed: cython.uchar[:], out: cython.double[::1],
) -> cython.void:  # fmt: skip
    """Write (D,) the probability that a detection belongs to no confirmed track.

    Args:
        start, detection, probability: (N + 1,), (K,), (K,) the pairs of tracks and detections.
        confirmed: (N,); out: to be written.
    """
    for d in range(out.shape[0]):
        out[d] = 0.0
    for t in range(start.shape[0] - 1):
        if confirmed[t]:
            for p in range(start[t], start[t + 1]):
                out[detection[p]] += probability[p]
    for d in range(out.shape[0]):
        out[d] = 1.0 - out[d]


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def remember(
    position: cython.double[:, ::1], weight: cython.double[::1], least: cython.double, now_ns: cython.longlong,
    past: cython.double[:, ::1], kept: cython.double[::1], stamp_ns: cython.longlong[::1],
) -> cython.Py_ssize_t:  # fmt: skip
    """Write what is likely enough a false alarm, and return how many that are.

    Args:
        position, weight: (D, 2) or more columns, and (D,) the probability that each is one; least: of those remembered.
        now_ns: when that is; past, kept, stamp_ns: (D, 2), (D,), (D,) to be written.
    """
    n: cython.Py_ssize_t = 0
    for d in range(position.shape[0]):
        if weight[d] > least:
            past[n, 0], past[n, 1], kept[n], stamp_ns[n] = position[d, 0], position[d, 1], weight[d], now_ns
            n += 1
    return n
