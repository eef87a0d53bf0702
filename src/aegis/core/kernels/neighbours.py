# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which detections are near which tracks: a search through strips of the map, and cells of each strip."""

import cython
from cython.cimports.libc.math import hypot, sqrt


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def strips(position: cython.double[:, ::1]) -> tuple[cython.double, cython.double, cython.Py_ssize_t]:
    """Return where strips along y begin [m], their height [m] and number, for detections (D, 3): about sqrt(D) in each."""
    low: cython.double
    high: cython.double
    count: cython.Py_ssize_t = max(1, cython.cast(cython.Py_ssize_t, sqrt(position.shape[0])))
    if position.shape[0] == 0:
        return 0.0, 1.0, count
    low, high = position[0, 1], position[0, 1]
    for d in range(position.shape[0]):
        low, high = min(low, position[d, 1]), max(high, position[d, 1])
    return low, max((high - low) / count, 1e-9), count


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def strip_of(
    y: cython.double, low: cython.double, height: cython.double, count: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """Return the number of the strip that y is in, or the nearest one."""
    return cython.cast(cython.Py_ssize_t, min(max((y - low) / height, 0.0), count - 1.0))


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def gate_keys(position: cython.double[:, ::1], keys: cython.double[::1]) -> cython.void:
    """Write (D,) keys whose order is by strip, and by x within each: the order that `near` wants. position: (D, 3)."""
    if position.shape[0] == 0:
        return
    west: cython.double
    east: cython.double
    low, height, count = strips(position)
    west, east = position[0, 0], position[0, 0]
    for d in range(position.shape[0]):
        west, east = min(west, position[d, 0]), max(east, position[d, 0])
    width = 2.0 * (east - west) + 1.0
    for d in range(position.shape[0]):
        keys[d] = strip_of(position[d, 1], low, height, count) * width + (position[d, 0] - west)


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def ascend(keys: cython.double[::1]) -> cython.bint:
    """Tell whether each of the keys (D,) is larger than the one before."""
    out: cython.bint = True
    for d in range(1, keys.shape[0]):
        out = out and keys[d] > keys[d - 1]
    return out


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def near(
    first_track: cython.Py_ssize_t, centre: cython.double[:, ::1], spread: cython.double[:, ::1], x: cython.double[:, :, ::1],
    position: cython.double[:, ::1], sigma: cython.double[::1], measured: cython.uchar[:, ::1], age: cython.double[::1],
    bound: cython.double, begin: cython.longlong[::1], first: cython.longlong[::1], candidate: cython.longlong[::1],
) -> cython.Py_ssize_t:  # fmt: skip
    """Write the detections that lie in a box around each track, from `first_track` on; see `tracking.association.gate`.

    Args:
        first_track: what is near those before it is written already.
        centre, spread: (N, 3) of the tracks; x: (N, M, n) their states.
        position, sigma, measured, age: (D, 3), (D,), (D, 4), (D,) of the detections, in the order of `gate_keys`.
        bound: largest squared distance along an axis, over the variance.
        begin: (D + 2,) scratch.
        first: (N + 1,), candidate: (C,), to be written: those near track t are candidate[first[t]:first[t + 1]].

    Returns:
        The first track for which there was no room, or N.
    """
    N, M, D = centre.shape[0], x.shape[1], sigma.shape[0]
    room = candidate.shape[0]
    height_known: cython.bint = False
    widest: cython.double = 0.0
    oldest: cython.double = 0.0
    drift: cython.double = 0.0
    drift_up: cython.double = 0.0
    dy: cython.double
    dz: cython.double
    inside: cython.int
    a: cython.Py_ssize_t
    b: cython.Py_ssize_t
    d: cython.Py_ssize_t
    low, height, n_strips = strips(position)
    west_end: cython.double = position[0, 0] if D > 0 else 0.0
    east_end: cython.double = west_end
    for d in range(D):
        west_end, east_end = min(west_end, position[d, 0]), max(east_end, position[d, 0])
    width = max((east_end - west_end) / n_strips, 1e-9)
    for i in range(n_strips * n_strips + 1):
        begin[i] = 0
    for d in range(D):
        widest, oldest = max(widest, sigma[d]), max(oldest, age[d])
        height_known = height_known or measured[d, 2]
        row = strip_of(position[d, 1], low, height, n_strips)
        begin[row * n_strips + strip_of(position[d, 0], west_end, width, n_strips) + 1] += 1
    for i in range(n_strips * n_strips):
        begin[i + 1] += begin[i]
    if first_track == 0:
        first[0] = 0
    count: cython.Py_ssize_t = first[first_track]
    for t in range(first_track, N):
        reach = sqrt(bound * (spread[t, 0] + widest * widest))
        reach_y = sqrt(bound * (spread[t, 1] + widest * widest))
        if oldest > 0.0:  # where it has come from since the oldest detection
            drift = drift_up = 0.0
            for m in range(M):
                drift = max(drift, oldest * hypot(x[t, m, 3], x[t, m, 4]))
                drift_up = max(drift_up, oldest * abs(x[t, m, 5]))
            reach, reach_y = reach + drift, reach_y + drift
        west, east = centre[t, 0] - reach, centre[t, 0] + reach
        column, last_column = strip_of(west, west_end, width, n_strips), strip_of(east, west_end, width, n_strips)
        last = strip_of(centre[t, 1] + reach_y, low, height, n_strips)
        for strip in range(strip_of(centre[t, 1] - reach_y, low, height, n_strips), last + 1):
            a, b = begin[strip * n_strips + column], begin[strip * n_strips + last_column + 1]
            if count + b - a > room:
                return t
            for d in range(a, b):  # without a branch: nobody could guess it
                dy = max(abs(position[d, 1] - centre[t, 1]) - drift, 0.0)
                inside = (position[d, 0] >= west) & (position[d, 0] <= east)
                inside &= dy * dy <= bound * (spread[t, 1] + sigma[d] * sigma[d])
                if height_known:
                    dz = max(abs(position[d, 2] - centre[t, 2]) - drift_up, 0.0)
                    inside &= (measured[d, 2] == 0) | (dz * dz <= bound * (spread[t, 2] + sigma[d] * sigma[d]))
                candidate[count] = d
                count += inside
        first[t + 1] = count
    return N
