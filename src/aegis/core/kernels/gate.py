# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a sensor would measure of a track, and which of the detections near it lie in the gate around it."""

import cython
from cython.cimports.libc.math import atan2, cos, exp, fmod, hypot, log, sin, sqrt

PI = cython.declare(cython.double, 3.141592653589793)
LOG_2PI = cython.declare(cython.double, 1.8378770664093453)
MIN_RANGE_M = cython.declare(cython.double, 1e-3)  # directions are undefined at the sensor itself
INFINITY = cython.declare(cython.double, float("inf"))
AZIMUTH = cython.declare(cython.int, 1)  # component that wraps, in the polar model
TURN = cython.declare(cython.int, 6)  # index of the turn rate
SMALL_ANGLE = cython.declare(cython.double, 1e-4)  # below it the turn's formulas are taken from their series


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def wrapped(angle: cython.double) -> cython.double:
    """Return the angle in [-pi, pi)."""
    turned = fmod(angle + PI, 2.0 * PI)
    if turned < 0.0:
        turned += 2.0 * PI
    return turned - PI


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def expect(
    x: cython.double[:, :, ::1], t: cython.Py_ssize_t, m: cython.Py_ssize_t,
    origin: cython.double[::1], R: cython.double[:, ::1], platform: cython.double[::1], polar: cython.bint,
    value: cython.double[:, ::1], H: cython.double[:, :, :, ::1],
) -> cython.void:  # fmt: skip
    """Write what the sensor is expected to measure of track t in mode m, value[m], and its Jacobian H[t, m].

    Args:
        x: (N, M, n) states, position and velocity in map first.
        t, m: which.
        origin, R, platform: position (3,), rotation (3, 3), sensor to map, and velocity (3,) of the sensor.
        polar: range, azimuth, elevation, range rate; else x, y, z, range rate.
        value: (M, 4); H: (N, M, 4, n), which holds zeros.
    """
    if not polar:
        for i in range(3):
            value[m, i] = x[t, m, i]
            H[t, m, i, i] = 1.0
    dx, dy, dz = x[t, m, 0] - origin[0], x[t, m, 1] - origin[1], x[t, m, 2] - origin[2]
    r = max(sqrt(dx * dx + dy * dy + dz * dz), MIN_RANGE_M)
    ux, uy, uz = dx / r, dy / r, dz / r
    vx, vy, vz = x[t, m, 3] - platform[0], x[t, m, 4] - platform[1], x[t, m, 5] - platform[2]
    range_rate = ux * vx + uy * vy + uz * vz
    value[m, 3] = range_rate
    H[t, m, 3, 0] = (vx - range_rate * ux) / r
    H[t, m, 3, 1] = (vy - range_rate * uy) / r
    H[t, m, 3, 2] = (vz - range_rate * uz) / r
    H[t, m, 3, 3], H[t, m, 3, 4], H[t, m, 3, 5] = ux, uy, uz
    if not polar:
        return
    a = R[0, 0] * dx + R[1, 0] * dy + R[2, 0] * dz  # in the sensor's frame: forward, left, up
    b = R[0, 1] * dx + R[1, 1] * dy + R[2, 1] * dz
    c = R[0, 2] * dx + R[1, 2] * dy + R[2, 2] * dz
    ground = max(hypot(a, b), MIN_RANGE_M)
    value[m, 0], value[m, 1], value[m, 2] = r, atan2(b, a), atan2(c, ground)
    H[t, m, 0, 0], H[t, m, 0, 1], H[t, m, 0, 2] = ux, uy, uz
    azimuth_a, azimuth_b = -b / (ground * ground), a / (ground * ground)
    elevation_a, elevation_b, elevation_c = -a * c / (r * r * ground), -b * c / (r * r * ground), ground / (r * r)
    for i in range(3):
        H[t, m, 1, i] = azimuth_a * R[i, 0] + azimuth_b * R[i, 1]
        H[t, m, 2, i] = elevation_a * R[i, 0] + elevation_b * R[i, 1] + elevation_c * R[i, 2]


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def spread_of(
    P: cython.double[:, :, :, ::1], H: cython.double[:, :, :, ::1], t: cython.Py_ssize_t, m: cython.Py_ssize_t,
    wanted: cython.uchar[::1], S: cython.double[:, :, ::1],
) -> cython.void:  # fmt: skip
    """Write H P H' of the wanted components as S[m]: the covariance of an expected measurement, without the sensor's own error.

    Args:
        P: (N, M, n, n); H: (N, M, 4, n) from `expect`; t, m: which.
        wanted: (4,) components; S: (M, 4, 4).
    """
    for i in range(4):
        if not wanted[i]:
            continue
        for j in range(i + 1):
            if not wanted[j]:
                continue
            # Only the range rate depends on the velocity, and nothing on the turn rate.
            total: cython.double = 0.0
            for a in range(6 if i == 3 else 3):
                row: cython.double = 0.0
                for b in range(6 if j == 3 else 3):
                    row += P[t, m, a, b] * H[t, m, j, b]
                total += H[t, m, i, a] * row
            S[m, i, j] = total
            S[m, j, i] = total


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def expect_earlier(
    x: cython.double[:, :, ::1], P: cython.double[:, :, :, ::1], t: cython.Py_ssize_t, m: cython.Py_ssize_t,
    age: cython.double, noisy: cython.double, turning: cython.bint, noise: cython.double[:, ::1], turn_noise: cython.double,
    origin: cython.double[::1], R: cython.double[:, ::1], platform: cython.double[::1], polar: cython.bint,
    past: cython.double[:, :, ::1], H: cython.double[:, :, :, ::1], value: cython.double[:, ::1],
    slope: cython.double[:, :, :, ::1], p: cython.Py_ssize_t, S: cython.double[:, :, ::1],
) -> cython.void:  # fmt: skip
    """Write what was to be measured of a track some time ago: value[m], its Jacobian slope[p, m] in the state now, and S[m].

    The state is taken back along its motion. What it has been pushed since by the noise of its motion is in its covariance now, and
    was not then: it is taken off. That is the filter's own state at that time, if it has not been updated since.

    Args:
        x: (N, M, n), P: (N, M, n, n) states now; t, m: which.
        age: time since then [s], noisy: the part of it in which noise has come; turning: whether the mode is a turn.
        noise: (N, 2) horizontal and vertical spectral density of the acceleration, turn_noise: of the turn rate's change.
        origin to polar: as in `expect`.
        past: (1, M, n) scratch; H: (1, M, 4, n) scratch that holds zeros.
        value: (M, 4), slope: (K, M, 4, n), p: which, S: (M, 4, 4).
    """
    n = x.shape[2]
    total: cython.double
    row: cython.double
    q: cython.double
    along: cython.double = -age
    across: cython.double = 0.0
    d_along: cython.double = 0.0
    d_across: cython.double = 0.0
    c: cython.double = 1.0
    s: cython.double = 0.0
    vx, vy = x[t, m, 3], x[t, m, 4]
    if turning:  # as in `motion.turn`, over a negative time
        w = x[t, m, TURN]
        angle = -w * age
        s, c = sin(angle), cos(angle)
        if abs(angle) > SMALL_ANGLE:
            along, across = s / w, (1.0 - c) / w
            d_along, d_across = (-age * c * w - s) / (w * w), (-age * s * w - (1.0 - c)) / (w * w)
        else:
            along, across = -age * (1.0 - angle * angle / 6.0), -age * angle / 2.0
            d_along, d_across = -age * age * angle / 3.0, age * age * 0.5
    for i in range(n):
        past[0, m, i] = x[t, m, i]
    past[0, m, 0] += along * vx - across * vy
    past[0, m, 1] += across * vx + along * vy
    past[0, m, 2] -= age * x[t, m, 5]
    past[0, m, 3] = c * vx - s * vy
    past[0, m, 4] = s * vx + c * vy
    expect(past, 0, m, origin, R, platform, polar, value, H)
    for i in range(4):
        a, b, va, vb = H[0, m, i, 0], H[0, m, i, 1], H[0, m, i, 3], H[0, m, i, 4]
        slope[p, m, i, 0], slope[p, m, i, 1], slope[p, m, i, 2] = a, b, H[0, m, i, 2]
        slope[p, m, i, 3] = along * a + across * b + c * va + s * vb
        slope[p, m, i, 4] = -across * a + along * b - s * va + c * vb
        slope[p, m, i, 5] = H[0, m, i, 5] - age * H[0, m, i, 2]
        if n > TURN:
            slope[p, m, i, TURN] = 0.0
            if turning:
                slope[p, m, i, TURN] = (
                    (d_along * vx - d_across * vy) * a + (d_across * vx + d_along * vy) * b
                    + age * (s * vx + c * vy) * va - age * (c * vx - s * vy) * vb
                )  # fmt: skip
    for i in range(4):
        for j in range(i + 1):
            total = 0.0
            for k in range(n):
                row = 0.0
                for h in range(n):
                    row += P[t, m, k, h] * slope[p, m, j, h]
                total += slope[p, m, i, k] * row
            for k in range(3):
                q = noise[t, 1] if k == 2 else noise[t, 0]
                a, b, va, vb = slope[p, m, i, k], slope[p, m, j, k], slope[p, m, i, k + 3], slope[p, m, j, k + 3]
                total -= q * noisy * (noisy * (noisy / 3.0 * a * b + 0.5 * (a * vb + va * b)) + va * vb)
            if turning:
                total -= turn_noise * noisy * slope[p, m, i, TURN] * slope[p, m, j, TURN]
            S[m, i, j] = total
            S[m, j, i] = total


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def mahalanobis(
    innovation: cython.double[:, :, ::1], p: cython.Py_ssize_t, m: cython.Py_ssize_t, S: cython.double[:, :, ::1],
    variance: cython.double[:, ::1], measured: cython.uchar[:, ::1], d: cython.Py_ssize_t,
) -> tuple[cython.double, cython.double, cython.int]:  # fmt: skip
    """Return y' C^-1 y, ln det C and the number of components, with C = S[m] + diag(variance[d]), over what was measured.

    Args:
        innovation: (K, M, 4), y is innovation[p, m]; S: (M, 4, 4).
        variance, measured: (D, 4).
    """
    det: cython.double
    # What a radar without height and Doppler gives, by far the most common case, in closed form.
    if measured[d, 0] and measured[d, 1] and not (measured[d, 2] or measured[d, 3]):
        a, b = innovation[p, m, 0], innovation[p, m, 1]
        u, q, r = S[m, 0, 0] + variance[d, 0], S[m, 1, 0], S[m, 1, 1] + variance[d, 1]
        det = max(u * r - q * q, variance[d, 0] * variance[d, 1])  # never less in exact arithmetic
        return (r * a * a - 2.0 * q * a * b + u * b * b) / det, log(det), 2
    L = cython.declare(cython.double[16])  # the Cholesky factor, 4 x 4
    w = cython.declare(cython.double[4])  # L^-1 y
    index = cython.declare(cython.int[4])  # the components
    distance: cython.double = 0.0
    rest: cython.double
    value: cython.double
    total: cython.double
    det = 1.0
    k: cython.int = 0
    i: cython.int
    j: cython.int
    c: cython.int
    for i in range(4):
        if not measured[d, i]:
            continue
        index[k] = i
        rest, value = S[m, i, i] + variance[d, i], innovation[p, m, i]
        for j in range(k):
            total = S[m, i, index[j]]
            for c in range(j):
                total -= L[4 * k + c] * L[4 * j + c]
            L[4 * k + j] = total / L[4 * j + j]
            rest -= L[4 * k + j] * L[4 * k + j]
            value -= L[4 * k + j] * w[j]
        L[4 * k + k] = sqrt(max(rest, variance[d, i]))  # never less in exact arithmetic
        w[k] = value / L[4 * k + k]
        distance += w[k] * w[k]
        det *= L[4 * k + k]
        k += 1
    return distance, 2.0 * log(det), k


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def gate(
    first: cython.longlong[::1], candidate: cython.longlong[::1],
    x: cython.double[:, :, ::1], P: cython.double[:, :, :, ::1], weight: cython.double[:, ::1],
    origin: cython.double[::1], R: cython.double[:, ::1], platform: cython.double[::1],
    value: cython.double[:, ::1], variance: cython.double[:, ::1],
    measured: cython.uchar[:, ::1], age: cython.double[::1], polar: cython.bint, bound: cython.double[::1],
    elapsed: cython.double, turning: cython.uchar[::1], noise: cython.double[:, ::1], turn_noise: cython.double,
    past: cython.double[:, :, ::1], H_past: cython.double[:, :, :, ::1],
    wanted: cython.uchar[::1], expected: cython.double[:, ::1], S: cython.double[:, :, ::1],
    H: cython.double[:, :, :, ::1], start: cython.longlong[::1], detection: cython.longlong[::1],
    by_mode: cython.double[:, ::1], total: cython.double[::1], distance: cython.double[:, ::1],
    innovation: cython.double[:, :, ::1], slope: cython.double[:, :, :, ::1],
) -> cython.void:  # fmt: skip
    """Write the pairs within the gate of any mode; see `tracking.association.gate`.

    Args:
        first, candidate: (N + 1,), (C,) the detections that are near each track, from `neighbours.near`.
        x to bound: as there; age: (D,) of the detections.
        elapsed to turn_noise: as in `tracking.association.Moved`, of tracks that any detection is older than.
        past: (1, M, n), H_past: (1, M, 4, n) scratch, of which the latter holds zeros.
        wanted: (4,), expected: (M, 4), S: (M, 4, 4) scratch.
        H: (N, M, 4, n) zeros, to be written; not used by a sensor that measures the position itself.
        start: (N + 1,) to be written, as the rest, which have room for C pairs: detection (C,), by_mode (C, M), total (C,),
            distance (C, 2), innovation (C, M, 4); slope (C, M, 4, n), of those older than the tracks, where there are any.
    """
    N, M = x.shape[0], x.shape[1]
    plain: cython.bint
    inside: cython.bint
    known: cython.bint
    likelihood: cython.double
    best: cython.double
    most: cython.double
    d: cython.Py_ssize_t
    count: cython.Py_ssize_t = 0
    for i in range(4):
        wanted[i] = 0
        for d in range(age.shape[0]):
            wanted[i] |= measured[d, i]
    plain = not polar and not wanted[3]  # the measurement is the position itself
    start[0] = 0
    for t in range(N):
        known = False
        for c in range(first[t], first[t + 1]):
            d = candidate[c]
            if age[d] > 0.0:
                for m in range(M):
                    expect_earlier(
                        x, P, t, m, age[d], min(age[d], elapsed), turning[m], noise, turn_noise, origin, R, platform, polar, past,
                        H_past, expected, slope, count, S,
                    )  # fmt: skip
                known = False
            elif not known:
                for m in range(M):
                    if plain:
                        for i in range(3):
                            expected[m, i] = x[t, m, i]
                            for j in range(3):
                                S[m, i, j] = P[t, m, i, j]
                    else:
                        expect(x, t, m, origin, R, platform, polar, expected, H)
                        spread_of(P, H, t, m, wanted, S)
                known = True
            inside, best, most = False, -1.0, -INFINITY
            for m in range(M):
                for i in range(4):
                    innovation[count, m, i] = value[d, i] - expected[m, i]
                if polar:
                    innovation[count, m, AZIMUTH] = wrapped(innovation[count, m, AZIMUTH])
                squared, log_det, k = mahalanobis(innovation, count, m, S, variance, measured, d)
                inside = inside or squared <= bound[k]
                by_mode[count, m] = -0.5 * (squared + log_det + k * LOG_2PI)
                most = max(most, by_mode[count, m])
                if weight[t, m] > best:
                    best = weight[t, m]
                    distance[count, 0], distance[count, 1] = squared, k
            if not inside:
                continue
            total[count] = most
            if M > 1:
                likelihood = 0.0
                for m in range(M):
                    likelihood += weight[t, m] * exp(by_mode[count, m] - most)
                total[count] += log(likelihood)
            detection[count] = d
            count += 1
        start[t + 1] = count
