# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What detections say of states: a new track's first one, and the update of all tracks by extended Kalman filters."""

import cython
from cython.cimports.libc.math import exp, sqrt

NEGLIGIBLE = cython.declare(
    cython.double, 1e-3
)  # a smaller share does not enter the mixture: below a percent of its spread
SAFE_RATIO = cython.declare(
    cython.double, 1e-6
)  # of variances, measurement over innovation: above, at most ten digits are lost

TURN = cython.declare(cython.int, 6)  # index of the turn rate
MIN_RANGE_M = cython.declare(cython.double, 1e-3)  # directions are undefined at the sensor itself
MIN_SINE = cython.declare(cython.double, 1e-6)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def add_noise(
    P: cython.double[:, :, :, ::1], t: cython.Py_ssize_t, m: cython.Py_ssize_t, horizontal: cython.double,
    vertical: cython.double, turn_noise: cython.double, dt: cython.double, sign: cython.double,
) -> cython.void:  # fmt: skip
    """Add what noise of these spectral densities does to a covariance P[t, m] within dt, or take it off (sign -1)."""
    q: cython.double
    for a in range(3):
        q = sign * (vertical if a == 2 else horizontal)
        P[t, m, a, a] += q * (dt * dt * dt / 3.0)
        P[t, m, a, a + 3] += q * (dt * dt / 2.0)
        P[t, m, a + 3, a] += q * (dt * dt / 2.0)
        P[t, m, a + 3, a + 3] += q * dt
    if P.shape[2] > TURN:
        P[t, m, TURN, TURN] += sign * turn_noise * dt


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def correct(
    x: cython.double[:, :, ::1], P: cython.double[:, :, :, ::1], t: cython.Py_ssize_t, m: cython.Py_ssize_t,
    H: cython.double[:, :, :, ::1], at: cython.Py_ssize_t, polar: cython.bint,
    innovation: cython.double[:, :, ::1], p: cython.Py_ssize_t,
    variance: cython.double[:, ::1], measured: cython.uchar[:, ::1], d: cython.Py_ssize_t, whole: cython.bint = False,
) -> cython.void:  # fmt: skip
    """Update a state x[t, m] (n,) and its covariance in place by a measurement whose components have independent errors.

    One component after the other, linearised at the same point, which is the same as all at once. Where the measurement is far
    more exact than the state, in Joseph's form: the plain difference would lose the covariance to rounding.

    Args:
        x, P: (N, M, n), (N, M, n, n), n at most 7; t, m: which.
        H, polar: (., M, 4, n) Jacobians, H[at, m] is used; a sensor that is not polar measures x, y, z themselves.
        innovation: (K, M, 4) measured minus expected, both at the state before the update; p: which, innovation[p, m].
        variance, measured: (D, 4); d: which.
        whole: every component may depend on the whole state, and H is used whatever the sensor.
    """
    n: cython.int = x.shape[2]
    Ph = cython.declare(cython.double[7])
    K = cython.declare(cython.double[7])
    moved = cython.declare(cython.double[7])
    A = cython.declare(cython.double[49])
    s: cython.double
    y: cython.double
    total: cython.double
    for i in range(n):
        moved[i] = 0.0
    for c in range(4):
        if not measured[d, c]:
            continue
        depends: cython.int = n if whole else 6 if c == 3 else 3  # only the range rate depends on the velocity
        s, y = variance[d, c], innovation[p, m, c]
        plain: cython.bint = not polar and c < 3 and not whole  # the component is one of the state
        if plain:
            for i in range(n):
                Ph[i] = P[t, m, i, c]
            s += Ph[c]
            y -= moved[c]
        else:
            for i in range(n):
                total = 0.0
                for j in range(depends):
                    total += P[t, m, i, j] * H[at, m, c, j]
                Ph[i] = total
            for j in range(depends):
                s += H[at, m, c, j] * Ph[j]
                y -= H[at, m, c, j] * moved[j]
        for i in range(n):
            K[i] = Ph[i] / s
            moved[i] += K[i] * y
        if variance[d, c] > SAFE_RATIO * s:
            for i in range(n):
                if K[i] == 0.0:  # as of a height that nothing has been measured of
                    continue
                for j in range(i + 1):
                    P[t, m, i, j] -= K[i] * Ph[j]
                    P[t, m, j, i] = P[t, m, i, j]
            continue
        for i in range(n):
            for j in range(n):
                A[n * i + j] = P[t, m, i, j] - K[i] * Ph[j]
        for i in range(n):
            total = 0.0
            if plain:
                total = A[n * i + c]
            else:
                for j in range(depends):
                    total += A[n * i + j] * H[at, m, c, j]
            Ph[i] = total - variance[d, c] * K[i]
        for i in range(n):
            for j in range(i + 1):
                P[t, m, i, j] = A[n * i + j] - 0.5 * (Ph[i] * K[j] + Ph[j] * K[i])
                P[t, m, j, i] = P[t, m, i, j]
    for i in range(n):
        x[t, m, i] += moved[i]


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def update(
    x: cython.double[:, :, ::1], P: cython.double[:, :, :, ::1], weight: cython.double[:, ::1],
    start: cython.longlong[::1], detection: cython.longlong[::1], by_mode: cython.double[:, ::1],
    log_likelihood: cython.double[::1], innovation: cython.double[:, :, ::1], H: cython.double[:, :, :, ::1],
    slope: cython.double[:, :, :, ::1], polar: cython.bint,
    variance: cython.double[:, ::1], measured: cython.uchar[:, ::1], age: cython.double[::1],
    elapsed: cython.double, turning: cython.uchar[::1], noise: cython.double[:, ::1], turn_noise: cython.double,
    share: cython.double[::1], missed: cython.double[::1],
    xs: cython.double[:, :, ::1], Ps: cython.double[:, :, :, ::1], square: cython.double[:, ::1],
) -> cython.void:  # fmt: skip
    """Update x, P and weight in place; see `tracking.update.update`, which gives the scratch xs, Ps, square as well.

    Args:
        x to missed: as there.
        xs: (1, M, n), Ps: (1, M, n, n), square: (n, n).
    """
    N, M, n = x.shape[0], x.shape[1], x.shape[2]
    mean = cython.declare(cython.double[7])
    mass: cython.double
    part: cython.double
    everything: cython.double
    hits: cython.int
    certain: cython.bint
    noisy: cython.double = 0.0
    wander: cython.double = 0.0
    for t in range(N):
        hits = 0
        for p in range(start[t], start[t + 1]):
            hits += share[p] > NEGLIGIBLE
        if hits == 0:
            continue
        certain = hits == 1 and missed[t] <= NEGLIGIBLE
        everything = 0.0
        for m in range(M):
            mass = missed[t] * weight[t, m] if missed[t] > NEGLIGIBLE else 0.0
            if not certain:
                for i in range(n):
                    mean[i] = 0.0
                    for j in range(i + 1):
                        square[i, j] = mass * P[t, m, i, j]
            for p in range(start[t], start[t + 1]):
                if share[p] <= NEGLIGIBLE:
                    continue
                part = share[p]
                if M > 1:
                    part *= weight[t, m] * exp(by_mode[p, m] - log_likelihood[p])
                if part <= 0.0:
                    continue
                mass += part
                d = detection[p]
                if age[d] > 0.0:
                    noisy, wander = min(age[d], elapsed), turn_noise if turning[m] else 0.0
                if certain and age[d] > 0.0:
                    add_noise(P, t, m, noise[t, 0], noise[t, 1], wander, noisy, -1.0)
                    correct(x, P, t, m, slope, p, polar, innovation, p, variance, measured, d, True)
                    add_noise(P, t, m, noise[t, 0], noise[t, 1], wander, noisy, 1.0)
                    continue
                if certain:
                    correct(x, P, t, m, H, t, polar, innovation, p, variance, measured, d)
                    continue
                for i in range(n):
                    xs[0, m, i] = x[t, m, i]
                    for j in range(n):
                        Ps[0, m, i, j] = P[t, m, i, j]
                if age[d] > 0.0:
                    add_noise(Ps, 0, m, noise[t, 0], noise[t, 1], wander, noisy, -1.0)
                    correct(xs, Ps, 0, m, slope, p, polar, innovation, p, variance, measured, d, True)
                    add_noise(Ps, 0, m, noise[t, 0], noise[t, 1], wander, noisy, 1.0)
                else:
                    correct(xs, Ps, 0, m, H, t, polar, innovation, p, variance, measured, d)
                for i in range(n):
                    xs[0, m, i] -= x[t, m, i]
                    mean[i] += part * xs[0, m, i]
                    for j in range(i + 1):
                        square[i, j] += part * (Ps[0, m, i, j] + xs[0, m, i] * xs[0, m, j])
            weight[t, m] = mass
            everything += mass
            if certain or mass <= 0.0:
                continue  # without weight it stays as predicted
            for i in range(n):
                mean[i] /= mass
                x[t, m, i] += mean[i]
                for j in range(i + 1):
                    P[t, m, i, j] = square[i, j] / mass - mean[i] * mean[j]
                    P[t, m, j, i] = P[t, m, i, j]
        for m in range(M):
            weight[t, m] /= everything


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def first_state(
    value: cython.double[:, ::1], variance: cython.double[:, ::1], measured: cython.uchar[:, ::1], position: cython.double[:, ::1],
    polar: cython.bint, index: cython.longlong[::1], origin: cython.double[::1], R: cython.double[:, ::1],
    platform: cython.double[::1], speed_variance: cython.double, height_variance: cython.double,
    unseen_climb_variance: cython.double, x: cython.double[:, ::1], P: cython.double[:, :, ::1],
) -> cython.void:  # fmt: skip
    """Write states x (n, 6) and covariances P (n, 6, 6), which hold zeros; see `tracking.births.first_state`."""
    line = cython.declare(cython.double[3])
    side = cython.declare(cython.double[3])
    lift = cython.declare(cython.double[3])
    r: cython.double
    rate: cython.double
    for k in range(index.shape[0]):
        d = index[k]
        r = 0.0
        for i in range(3):
            x[k, i] = position[d, i]
            line[i] = position[d, i] - origin[i]
            r += line[i] * line[i]
        r = max(sqrt(r), MIN_RANGE_M)
        rate = value[d, 3]
        for i in range(3):
            line[i] /= r
            rate += line[i] * platform[i]
        for i in range(3):
            P[k, i + 3, i + 3] = speed_variance
        if measured[d, 3]:
            for i in range(3):
                x[k, i + 3] = line[i] * rate
                for j in range(3):
                    P[k, i + 3, j + 3] += line[i] * line[j] * (variance[d, 3] - speed_variance)
        if polar:
            # Across the line of sight: along the azimuth, which is about the sensor's upward axis, and along the elevation.
            for i in range(3):
                side[i] = R[(i + 1) % 3, 2] * line[(i + 2) % 3] - R[(i + 2) % 3, 2] * line[(i + 1) % 3]
            sine = max(sqrt(side[0] * side[0] + side[1] * side[1] + side[2] * side[2]), MIN_SINE)
            for i in range(3):
                side[i] /= sine
            for i in range(3):
                lift[i] = line[(i + 1) % 3] * side[(i + 2) % 3] - line[(i + 2) % 3] * side[(i + 1) % 3]
            across, upward = r * r * sine * sine * variance[d, 1], r * r * variance[d, 2]
            for i in range(3):
                for j in range(3):
                    P[k, i, j] = (
                        line[i] * line[j] * variance[d, 0] + side[i] * side[j] * across + lift[i] * lift[j] * upward
                    )
        else:
            for i in range(3):
                P[k, i, i] = variance[d, 0]
        if not measured[d, 2]:
            for i in range(6):
                P[k, 2, i] = P[k, 5, i] = P[k, i, 2] = P[k, i, 5] = 0.0
            P[k, 2, 2] = height_variance
            P[k, 5, 5] = unseen_climb_variance
