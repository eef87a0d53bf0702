"""Earlier false alarms counted around each detection, and how many of them would be usual there."""

import cython
from cython.cimports.libc.math import acos, floor

PI = cython.declare(cython.double, 3.141592653589793)
RINGS = cython.declare(cython.int, 12)  # of ranges, over which the share of a disc is summed


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
def count(
    position: cython.double[:, ::1], past: cython.double[:, ::1], weight: cython.double[::1], hole: cython.double[::1],
    radius: cython.double, corner: cython.double[::1], cells: cython.longlong[::1],
    side: cython.double, begin: cython.longlong[::1], member: cython.longlong[::1], out: cython.double[::1],
) -> cython.void:  # fmt: skip
    """Write (D,) the summed weight of what lies around each position, by a grid.

    Args:
        position: (D, 2); past: (K, 2), with weight (K,).
        hole: (K,), radius: what is nearer than its hole or farther than the radius does not count.
        corner: (2,) lowest coordinates of `past`; cells: (2,) of the grid along each axis; side: of a cell, at least the radius.
        begin: (cells[0] * cells[1] + 1,), member: (K,) scratch.
        out: to be written.
    """
    i: cython.longlong
    j: cython.longlong
    cell: cython.longlong
    k: cython.longlong
    total: cython.double
    nx, ny = cells[0], cells[1]
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
        member[begin[cell]] = k
    for d in range(position.shape[0]):
        total = 0.0
        x = cell_of(position[d, 0], corner[0], side, nx)
        y = cell_of(position[d, 1], corner[1], side, ny)
        for i in range(max(x - 1, 0), min(x + 2, nx)):
            for j in range(max(y - 1, 0), min(y + 2, ny)):
                cell = i * ny + j
                for m in range(begin[cell], begin[cell + 1]):
                    k = member[m]
                    dx, dy = past[k, 0] - position[d, 0], past[k, 1] - position[d, 1]
                    square = dx * dx + dy * dy
                    if hole[k] * hole[k] < square <= radius * radius:
                        total += weight[k]
        out[d] = total


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def share(
    reach: cython.double[::1], azimuth: cython.double[::1], near: cython.double, far: cython.double, half: cython.double,
    polar: cython.bint, radius: cython.double, out: cython.double[::1],
) -> cython.void:  # fmt: skip
    """Write (D,) the share of the view's usual false alarms that a disc about each place has.

    Args:
        reach, azimuth: (D,) of the places, from the sensor.
        near, far, half: ranges of the view, and half its width [rad].
        polar: false alarms spread evenly over range and azimuth; else over the ground.
        radius: of the discs; out: to be written.
    """
    width: cython.double
    total: cython.double
    overlap: cython.double
    whole = 2.0 * half * (far - near) if polar else half * (far * far - near * near)
    for d in range(reach.shape[0]):
        R = reach[d]
        first, last = max(near, R - radius), min(far, R + radius)
        total = 0.0
        if last > first:
            step = (last - first) / RINGS
            for i in range(RINGS):
                r = first + (i + 0.5) * step
                width = acos(min(max((r * r + R * R - radius * radius) / (2.0 * r * R), -1.0), 1.0))
                overlap = 2.0 * width  # of the disc's arc at this range, within the view
                if half < PI:
                    overlap = max(min(azimuth[d] + width, half) - max(azimuth[d] - width, -half), 0.0)
                total += overlap * step * (1.0 if polar else r)
        out[d] = total / whole
