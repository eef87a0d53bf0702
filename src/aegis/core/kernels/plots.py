# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A scan's points grouped; its detections as measurements in map, and the view that they come from."""

import cython
from cython.cimports.libc.math import atan2, cos, exp, floor, hypot, isfinite, isnan, log, sin, sqrt

PI = cython.declare(cython.double, 3.141592653589793)
INFINITY = cython.declare(cython.double, float("inf"))
MAX_RANGE_M = cython.declare(
    cython.double, 1e8
)  # no radar picture reaches farther; squares of larger numbers would overflow in time
PART = cython.declare(cython.double, 0.001)  # of the stronger echo: a weaker one is another object, or noise
SPEED_OF_LIGHT_MPS = cython.declare(cython.double, 299_792_458.0)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def near(difference: cython.double, spread: cython.double, limit: cython.double) -> cython.bint:
    """Tell whether two values differ by no more than a limit, widened by the variance of their difference; NaN is near all."""
    return isnan(difference) or abs(difference) <= limit + (0.0 if isnan(spread) else sqrt(spread))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def first_of(root: cython.longlong[::1], i: cython.longlong) -> cython.longlong:
    """Return the first point of a point's group, and shorten the way to it."""
    while root[i] != i:
        root[i] = root[root[i]]
        i = root[i]
    return i


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def group(
    order: cython.longlong[::1], r: cython.double[:], azimuth: cython.double[:], elevation: cython.double[:],
    rate: cython.double[:], when: cython.double[:], variance: cython.double[:, :], widest: cython.double, distance: cython.double,
    rate_distance: cython.double, time_distance: cython.double, large_distance: cython.double, large: cython.double,
    echo: cython.double[::1], root: cython.longlong[::1], out: cython.longlong[::1],
) -> cython.void:  # fmt: skip
    """Write (N,) group numbers; see `detection.detector.group_points`.

    Args:
        order: (N,) the points by range; r, azimuth, elevation, rate: (N,); when: (N,) [s]; variance: (N, 4) of the first four.
        widest: the largest difference in range of two neighbours; distance, rate_distance, time_distance: see there.
        large_distance: in place of distance where two echoes are `large` together; echo: (N,) of the object of each point [m^2].
        root: (N,) scratch; out: to be written.
    """
    middle: cython.double
    turn: cython.double
    level: cython.double
    reach: cython.double
    count: cython.longlong = 0
    a: cython.longlong
    b: cython.longlong
    n = order.shape[0]
    for i in range(n):
        root[i] = i
    for p in range(n):
        a = order[p]
        for q in range(p + 1, n):
            b = order[q]
            if r[b] - r[a] > widest:
                break
            reach = distance
            if echo[a] + echo[b] >= large and min(echo[a], echo[b]) >= PART * max(echo[a], echo[b]):
                reach = large_distance
            if not near(r[b] - r[a], variance[a, 0] + variance[b, 0], reach):
                continue
            if abs(when[b] - when[a]) > time_distance:
                continue
            if not near(rate[b] - rate[a], variance[a, 3] + variance[b, 3], rate_distance):
                continue
            middle = 0.5 * (r[a] + r[b])
            # A turn in azimuth is less of a way the higher they are.
            level = cos(0.5 * (elevation[a] + elevation[b]))
            if isnan(level):
                level = 1.0
            turn = azimuth[b] - azimuth[a]
            turn -= 2.0 * PI * floor((turn + PI) / (2.0 * PI))
            if not near(
                middle * level * turn,
                (variance[a, 1] * r[a] * r[a] + variance[b, 1] * r[b] * r[b]) * level * level,
                reach,
            ):
                continue
            turn = elevation[b] - elevation[a]
            if not near(middle * turn, variance[a, 2] * r[a] * r[a] + variance[b, 2] * r[b] * r[b], reach):
                continue
            first, other = first_of(root, a), first_of(root, b)
            root[max(first, other)] = min(first, other)
    for i in range(n):  # a group's first point is met first
        if root[i] == i:
            out[i] = count
            count += 1
        else:
            out[i] = out[first_of(root, i)]


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def plausible(
    r: cython.double[:], azimuth: cython.double[:], elevation: cython.double[:], rate: cython.double[:],
    variance: cython.double[:, :], out: cython.uchar[::1],
) -> cython.void:  # fmt: skip
    """Write (D,) whether a detection can be what a radar measured; see `tracking.measurement.plausible`."""
    for d in range(r.shape[0]):
        out[d] = (
            0.0 < r[d] <= MAX_RANGE_M
            and abs(azimuth[d]) <= 2.0 * PI
            and 0.0 < variance[d, 0] < INFINITY
            and 0.0 < variance[d, 1] < INFINITY
            and not abs(elevation[d]) > PI
            and not abs(rate[d]) > SPEED_OF_LIGHT_MPS
        )


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def measurements(
    r: cython.double[:], azimuth: cython.double[:], elevation: cython.double[:], rate: cython.double[:],
    stated: cython.double[:, :], cartesian: cython.bint, origin: cython.double[::1], R: cython.double[:, ::1],
    value: cython.double[:, ::1], variance: cython.double[:, ::1], measured: cython.uchar[:, ::1],
    position: cython.double[:, ::1], sigma: cython.double[::1],
) -> cython.void:  # fmt: skip
    """Write the columns of `tracking.measurement.Plots`.

    Args:
        r, azimuth, elevation, rate: (D,) as detected; stated: (D, 4) their variances; NaN where not measured.
        cartesian: the accuracy is the same along x, y, z.
        origin, R: position (3,) and rotation (3, 3), sensor to map, of the sensor.
    """
    a: cython.double
    b: cython.double
    up: cython.double
    largest: cython.double
    raw: cython.double
    for d in range(r.shape[0]):
        for c in range(4):
            raw = r[d] if c == 0 else azimuth[d] if c == 1 else elevation[d] if c == 2 else rate[d]
            value[d, c], variance[d, c], measured[d, c] = 0.0, 0.0, False
            if isfinite(raw) and isfinite(stated[d, c]) and stated[d, c] > 0.0:
                value[d, c], variance[d, c], measured[d, c] = raw, stated[d, c], True
        ground, up = (r[d] * cos(value[d, 2]), r[d] * sin(value[d, 2])) if measured[d, 2] else (r[d], 0.0)
        a, b = ground * cos(azimuth[d]), ground * sin(azimuth[d])
        for k in range(3):
            position[d, k] = R[k, 0] * a + R[k, 1] * b + R[k, 2] * up + origin[k]
        largest = max(variance[d, 0], max(variance[d, 1], variance[d, 2]) * r[d] * r[d])
        sigma[d] = sqrt(largest)
        if cartesian:
            for k in range(3):
                if measured[d, k]:
                    value[d, k], variance[d, k] = position[d, k], largest


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def in_view(
    position: cython.double[:, ::1], has_height: cython.uchar[:], origin: cython.double[::1], R: cython.double[:, ::1],
    near: cython.double, far: cython.double, azimuth: cython.double, lowest: cython.double, highest: cython.double,
    out: cython.uchar[::1],
) -> cython.void:  # fmt: skip
    """Write (N,) whether a sensor could have seen objects at (N, 3) in map; see `tracking.measurement.in_view`."""
    for t in range(position.shape[0]):
        dx, dy, dz = position[t, 0] - origin[0], position[t, 1] - origin[1], position[t, 2] - origin[2]
        r = sqrt(dx * dx + dy * dy + dz * dz)
        forward = R[0, 0] * dx + R[1, 0] * dy + R[2, 0] * dz
        left = R[0, 1] * dx + R[1, 1] * dy + R[2, 1] * dz
        out[t] = near <= r <= far and (azimuth >= PI or abs(atan2(left, forward)) <= azimuth)
        if out[t] and has_height[t]:
            up = R[0, 2] * dx + R[1, 2] * dy + R[2, 2] * dz
            out[t] = lowest <= atan2(up, hypot(forward, left)) <= highest


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def background(
    measured: cython.uchar[:, ::1], log_extent: cython.double[::1], clutter: cython.double, births: cython.double,
    out: cython.double[:, ::1],
) -> cython.void:  # fmt: skip
    """Write the densities of false alarms and of new objects, and zeros (3, D); see `tracking.measurement.background`."""
    log_volume: cython.double
    last: cython.double = 0.0  # most detections have the same components
    share: cython.double = 1.0
    for d in range(measured.shape[0]):
        log_volume = 0.0
        for c in range(4):
            if measured[d, c]:
                log_volume += log_extent[c]
        if log_volume != last:
            last, share = log_volume, exp(-log_volume)
        out[0, d], out[1, d], out[2, d] = clutter * share, births * share, 0.0


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def log_of_all(density: cython.double[:, ::1], out: cython.double[::1]) -> cython.void:
    """Write (D,) ln of the sum of densities (3, D)."""
    for d in range(out.shape[0]):
        out[d] = log(density[0, d] + density[1, d] + density[2, d])
