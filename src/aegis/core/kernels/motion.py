# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The motion of all tracks over a time: straight, in a turn of unknown rate, and mixed as in an IMM; their modes taken together."""

import cython
from cython.cimports.libc.math import cos, sin

TURN = cython.declare(cython.int, 6)  # index of the turn rate
SMALL_ANGLE = cython.declare(cython.double, 1e-4)  # below it the turn's formulas are taken from their series


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def straight(
    x: cython.double[:, :, ::1], P: cython.double[:, :, :, ::1], t: cython.Py_ssize_t, m: cython.Py_ssize_t,
    dt: cython.double, turn_variance: cython.double,
    x_out: cython.double[:, :, ::1], P_out: cython.double[:, :, :, ::1], to: cython.Py_ssize_t,
) -> cython.void:  # fmt: skip
    """Write x_out[to, m] and P_out[to, m], after dt, of x[t, m] and P[t, m]."""
    for i in range(3):
        x_out[to, m, i] = x[t, m, i] + dt * x[t, m, i + 3]
        x_out[to, m, i + 3] = x[t, m, i + 3]
        for j in range(3):
            pv, vp, vv = P[t, m, i, j + 3], P[t, m, i + 3, j], P[t, m, i + 3, j + 3]
            P_out[to, m, i, j] = P[t, m, i, j] + dt * (pv + vp) + dt * dt * vv
            P_out[to, m, i, j + 3] = pv + dt * vv
            P_out[to, m, i + 3, j] = vp + dt * vv
            P_out[to, m, i + 3, j + 3] = vv
    if x.shape[2] > TURN:
        x_out[to, m, TURN] = 0.0
        for i in range(7):
            P_out[to, m, TURN, i] = 0.0
            P_out[to, m, i, TURN] = 0.0
        P_out[to, m, TURN, TURN] = turn_variance


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def turn(
    x: cython.double[:, :, ::1], P: cython.double[:, :, :, ::1], t: cython.Py_ssize_t, m: cython.Py_ssize_t, dt: cython.double,
    x_out: cython.double[:, :, ::1], P_out: cython.double[:, :, :, ::1], to: cython.Py_ssize_t,
) -> cython.void:  # fmt: skip
    """The same in a coordinated turn of unknown rate: Bar-Shalom, Li, Kirubarajan (2001), eq. 11.7.1-4 and 11.7.2-4."""
    FP = cython.declare(cython.double[49])
    along: cython.double
    across: cython.double
    d_along: cython.double
    d_across: cython.double
    vx, vy, w = x[t, m, 3], x[t, m, 4], x[t, m, TURN]
    angle = w * dt
    s, c = sin(angle), cos(angle)
    if abs(angle) > SMALL_ANGLE:
        along, across = s / w, (1.0 - c) / w
        d_along, d_across = (dt * c * w - s) / (w * w), (dt * s * w - (1.0 - c)) / (w * w)
    else:
        along, across = dt * (1.0 - angle * angle / 6.0), dt * angle / 2.0
        d_along, d_across = -dt * dt * angle / 3.0, dt * dt * 0.5
    # The Jacobian F is that of no motion, but for dt in z's row, and in four rows what follows for vx, vy and the turn rate.
    x_w, y_w = d_along * vx - d_across * vy, d_across * vx + d_along * vy
    vx_w, vy_w = -dt * (s * vx + c * vy), dt * (c * vx - s * vy)
    for i in range(7):
        x_out[to, m, i] = x[t, m, i]
    x_out[to, m, 0] += along * vx - across * vy
    x_out[to, m, 1] += across * vx + along * vy
    x_out[to, m, 2] += dt * x[t, m, 5]
    x_out[to, m, 3] = c * vx - s * vy
    x_out[to, m, 4] = s * vx + c * vy
    for j in range(7):
        a, b, w = P[t, m, 3, j], P[t, m, 4, j], P[t, m, TURN, j]
        FP[j] = P[t, m, 0, j] + along * a - across * b + x_w * w
        FP[7 + j] = P[t, m, 1, j] + across * a + along * b + y_w * w
        FP[14 + j] = P[t, m, 2, j] + dt * P[t, m, 5, j]
        FP[21 + j] = c * a - s * b + vx_w * w
        FP[28 + j] = s * a + c * b + vy_w * w
        FP[35 + j] = P[t, m, 5, j]
        FP[42 + j] = w
    for i in range(7):  # its transpose from the right, of which the lower triangle is wanted
        a, b, w = FP[7 * i + 3], FP[7 * i + 4], FP[7 * i + TURN]
        P_out[to, m, i, 0] = FP[7 * i] + a * along - b * across + w * x_w
        if i > 0:
            P_out[to, m, i, 1] = FP[7 * i + 1] + a * across + b * along + w * y_w
        if i > 1:
            P_out[to, m, i, 2] = FP[7 * i + 2] + FP[7 * i + 5] * dt
        if i > 2:
            P_out[to, m, i, 3] = a * c - b * s + w * vx_w
        if i > 3:
            P_out[to, m, i, 4] = a * s + b * c + w * vy_w
        if i > 4:
            P_out[to, m, i, 5] = FP[7 * i + 5]
    P_out[to, m, TURN, TURN] = FP[48]
    for i in range(7):
        for j in range(i):
            P_out[to, m, j, i] = P_out[to, m, i, j]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def mix(
    x: cython.double[:, :, ::1], P: cython.double[:, :, :, ::1], weight: cython.double[:, ::1], t: cython.Py_ssize_t,
    between: cython.double[:, ::1],
    x_out: cython.double[:, :, ::1], P_out: cython.double[:, :, :, ::1], weight_out: cython.double[:, ::1],
) -> cython.void:  # fmt: skip
    """Write x_out[0], P_out[0] and weight_out[t], mixed: Blom and Bar-Shalom, IEEE Trans. Automatic Control 33 (1988)."""
    modes, n = x.shape[1], x.shape[2]
    off = cython.declare(cython.double[7])
    total: cython.double
    share: cython.double
    for b in range(modes):
        total = 0.0
        for a in range(modes):
            total += between[a, b] * weight[t, a]
        weight_out[t, b] = total
        for i in range(n):
            x_out[0, b, i] = 0.0
            for j in range(n):
                P_out[0, b, i, j] = 0.0
        for a in range(modes):
            share = between[a, b] * weight[t, a] / total
            for i in range(n):
                x_out[0, b, i] += share * x[t, a, i]
        for a in range(modes):
            share = between[a, b] * weight[t, a] / total
            for i in range(n):
                off[i] = x[t, a, i] - x_out[0, b, i]
            for i in range(n):
                for j in range(n):
                    P_out[0, b, i, j] += share * (P[t, a, i, j] + off[i] * off[j])


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def predict(
    x: cython.double[:, :, ::1], P: cython.double[:, :, :, ::1], weight: cython.double[:, ::1], dt: cython.double,
    turning: cython.uchar[::1], between: cython.double[:, ::1], noise: cython.double[:, ::1], class_id: cython.longlong[:],
    climbs: cython.uchar[:], turn_variance: cython.double, turn_noise: cython.double,
    mixed_x: cython.double[:, :, ::1], mixed_P: cython.double[:, :, :, ::1],
    x_out: cython.double[:, :, ::1], P_out: cython.double[:, :, :, ::1], weight_out: cython.double[:, ::1],
) -> cython.void:  # fmt: skip
    """Write states, covariances and mode weights after dt; see `tracking.motion.predict`.

    Args:
        x to turn_noise: as there; turning: (M,) whether a mode is the coordinated turn, else it is constant velocity.
        mixed_x, mixed_P: (1, M, n), (1, M, n, n) scratch.
        x_out, P_out, weight_out: (N, M, n), (N, M, n, n), (N, M) to be written.
    """
    N, M = x.shape[0], x.shape[1]
    q: cython.double
    for t in range(N):
        if M > 1:
            mix(x, P, weight, t, between, mixed_x, mixed_P, weight_out)
        else:
            weight_out[t, 0] = 1.0
        for m in range(M):
            if turning[m]:
                if M > 1:
                    turn(mixed_x, mixed_P, 0, m, dt, x_out, P_out, t)
                else:
                    turn(x, P, t, m, dt, x_out, P_out, t)
                P_out[t, m, TURN, TURN] += turn_noise * dt
            elif M > 1:
                straight(mixed_x, mixed_P, 0, m, dt, turn_variance, x_out, P_out, t)
            else:
                straight(x, P, t, m, dt, turn_variance, x_out, P_out, t)
            for a in range(3):
                q = noise[class_id[t], 0]
                if a == 2:
                    q = noise[class_id[t], 1] if climbs[t] else 0.0
                P_out[t, m, a, a] += q * (dt * dt * dt / 3.0)
                P_out[t, m, a, a + 3] += q * (dt * dt / 2.0)
                P_out[t, m, a + 3, a] += q * (dt * dt / 2.0)
                P_out[t, m, a + 3, a + 3] += q * dt


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def combine(
    index: cython.longlong[::1], x: cython.double[:, :, ::1], P: cython.double[:, :, :, ::1], weight: cython.double[:, ::1],
    mean: cython.double[:, ::1], covariance: cython.double[:, :, ::1],
) -> cython.void:  # fmt: skip
    """Write the states (S, 6) and covariances (S, 6, 6) of the mixtures over modes, by their moments, of the tracks `index`."""
    off = cython.declare(cython.double[6])
    modes = x.shape[1]
    for s in range(index.shape[0]):
        t = index[s]
        for i in range(6):
            mean[s, i] = x[t, 0, i] if modes == 1 else 0.0
            for j in range(6):
                covariance[s, i, j] = P[t, 0, i, j] if modes == 1 else 0.0
        if modes == 1:
            continue
        for m in range(modes):
            for i in range(6):
                mean[s, i] += weight[t, m] * x[t, m, i]
        for m in range(modes):
            for i in range(6):
                off[i] = x[t, m, i] - mean[s, i]
            for i in range(6):
                for j in range(6):
                    covariance[s, i, j] += weight[t, m] * (P[t, m, i, j] + off[i] * off[j])
