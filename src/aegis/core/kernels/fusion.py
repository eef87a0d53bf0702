# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tracks of several sources into one: what each has learned since its last report, added to what is known; covariance intersection.

States are x y z vx vy vz. What a source has learned is a likelihood, of a state about a base: exp(g' d - d' Y d / 2), d = x - base.
"""

import cython
from cython.cimports.libc.math import log, sqrt

NAN = cython.declare(cython.double, float("nan"))
# Gains that are smaller by rounding alone are none: relative to the information that the source has.
ROUNDING = cython.declare(cython.double, 1e-6)
HALVINGS = cython.declare(cython.int, 12)  # of the interval that the weight of covariance intersection is searched in


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def factor(A: cython.p_double, L: cython.p_double) -> cython.double:
    """Write the Cholesky factor of a symmetric (6, 6); return ln of its determinant, or NaN where it is not positive definite."""
    total: cython.double
    log_determinant: cython.double = 0.0
    for i in range(6):
        for j in range(i + 1):
            total = A[6 * i + j]
            for k in range(j):
                total -= L[6 * i + k] * L[6 * j + k]
            if i == j:
                if not total > 0.0:
                    return NAN
                L[7 * i] = sqrt(total)
                log_determinant += log(total)
            else:
                L[6 * i + j] = total / L[7 * j]
    return log_determinant


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def inverse(A: cython.p_double, out: cython.p_double) -> cython.double:
    """Write the inverse of a symmetric (6, 6); return as `factor` does."""
    L = cython.declare(cython.double[36])
    W = cython.declare(cython.double[36])  # L^-1
    total: cython.double
    log_determinant = factor(A, L)
    if log_determinant != log_determinant:
        return log_determinant
    for j in range(6):
        W[7 * j] = 1.0 / L[7 * j]
        for i in range(j + 1, 6):
            total = 0.0
            for k in range(j, i):
                total -= L[6 * i + k] * W[6 * k + j]
            W[6 * i + j] = total / L[7 * i]
    for i in range(6):
        for j in range(i + 1):
            total = 0.0
            for k in range(i, 6):
                total += W[6 * k + i] * W[6 * k + j]
            out[6 * i + j] = total
            out[6 * j + i] = total
    return log_determinant


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def carried(
    x: cython.double[:, ::1], P: cython.double[:, :, ::1], dt: cython.double[::1], noise: cython.double[::1],
    x_out: cython.double[:, ::1], P_out: cython.double[:, :, ::1],
) -> cython.void:  # fmt: skip
    """Write the states after dt, at constant velocity; back in time without the noise that has come since.

    Args:
        x, P: (N, 6), (N, 6, 6); dt: (N,) [s].
        noise: (2,) spectral density of the acceleration, horizontal and vertical [m^2/s^3].
        x_out, P_out: as x, P, to be written.
    """
    s: cython.double
    q: cython.double
    pv: cython.double
    vp: cython.double
    vv: cython.double
    for t in range(x.shape[0]):
        s = dt[t]
        for i in range(3):
            x_out[t, i] = x[t, i] + s * x[t, i + 3]
            x_out[t, i + 3] = x[t, i + 3]
            for j in range(3):
                pv, vp, vv = P[t, i, j + 3], P[t, i + 3, j], P[t, i + 3, j + 3]
                P_out[t, i, j] = P[t, i, j] + s * (pv + vp) + s * s * vv
                P_out[t, i, j + 3] = pv + s * vv
                P_out[t, i + 3, j] = vp + s * vv
                P_out[t, i + 3, j + 3] = vv
        if s > 0.0:
            for i in range(3):
                q = noise[1] if i == 2 else noise[0]
                P_out[t, i, i] += q * (s * s * s / 3.0)
                P_out[t, i, i + 3] += q * (s * s / 2.0)
                P_out[t, i + 3, i] += q * (s * s / 2.0)
                P_out[t, i + 3, i + 3] += q * s


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def gained(
    x: cython.double[:, ::1], P: cython.double[:, :, ::1], base: cython.double[:, ::1], before: cython.double[:, :, ::1],
    known: cython.uchar[::1], Y: cython.double[:, :, ::1], g: cython.double[:, ::1], sound: cython.uchar[::1],
) -> cython.void:  # fmt: skip
    """Write what N tracks have learned since the state that was expected of them: P^-1 - before^-1, and P^-1 (x - base).

    Args:
        x, P: (N, 6), (N, 6, 6) as reported; base, before: the same as expected from the last report.
        known: (N,) whether there was one; else all that the track says is new, and `base` becomes x.
        Y, g: (N, 6, 6), (N, 6) to be written.
        sound: (N,) to be written: 0 where P is no covariance, 2 where the gain is negative in some direction, else 1.
    """
    A = cython.declare(cython.double[36])
    B = cython.declare(cython.double[36])
    C = cython.declare(cython.double[36])
    L = cython.declare(cython.double[36])
    sign: cython.double
    for t in range(x.shape[0]):
        for i in range(36):
            C[i] = P[t, i // 6, i % 6]
        sign = inverse(C, A)
        sound[t] = 1
        if sign != sign:
            sound[t] = 0
            continue
        for i in range(6):
            if not known[t]:
                base[t, i] = x[t, i]
            g[t, i] = 0.0
            for j in range(6):
                Y[t, i, j] = A[6 * i + j]
        if not known[t]:
            continue
        for i in range(36):
            C[i] = before[t, i // 6, i % 6]
        sign = inverse(C, B)
        if sign != sign:
            sound[t] = 0
            continue
        for i in range(6):
            for j in range(6):
                g[t, i] += A[6 * i + j] * (x[t, j] - base[t, j])
                Y[t, i, j] -= B[6 * i + j]
                C[6 * i + j] = Y[t, i, j] + ROUNDING * A[6 * i + j]
        sign = factor(C, L)
        if sign != sign:
            sound[t] = 2


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def absorbed(
    x: cython.double[:, ::1], P: cython.double[:, :, ::1], base: cython.double[:, ::1], Y: cython.double[:, :, ::1],
    g: cython.double[:, ::1], sound: cython.uchar[::1],
) -> cython.void:  # fmt: skip
    """Add what was learned to states, in place; sound: (N,) to be written, 0 where that is not possible and nothing was changed."""
    A = cython.declare(cython.double[36])
    B = cython.declare(cython.double[36])
    h = cython.declare(cython.double[6])
    sign: cython.double
    for t in range(x.shape[0]):
        for i in range(36):
            A[i] = P[t, i // 6, i % 6]
        sign = inverse(A, B)
        sound[t] = 0
        if sign != sign:
            continue
        for i in range(6):
            h[i] = g[t, i]
            for j in range(6):
                h[i] += Y[t, i, j] * (base[t, j] - x[t, j])
                B[6 * i + j] += Y[t, i, j]
        sign = inverse(B, A)
        if sign != sign:
            continue
        sound[t] = 1
        for i in range(6):
            for j in range(6):
                x[t, i] += A[6 * i + j] * h[j]
                P[t, i, j] = A[6 * i + j]


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def intersected(
    x: cython.double[:, ::1], P: cython.double[:, :, ::1], z: cython.double[:, ::1], R: cython.double[:, :, ::1],
) -> cython.void:  # fmt: skip
    """Take the covariance intersection of states x, P and z, R, in place, with the smallest determinant.

    Julier and Uhlmann, A non-divergent estimation algorithm in the presence of unknown correlations, ACC 1997. ln det of
    w P^-1 + (1 - w) R^-1 is concave in w, so that the sign of its derivative, tr((w P^-1 + (1 - w) R^-1)^-1 (P^-1 - R^-1)), leads
    to the best w. What is no covariance changes nothing.
    """
    A = cython.declare(cython.double[36])
    B = cython.declare(cython.double[36])
    C = cython.declare(cython.double[36])
    D = cython.declare(cython.double[36])
    h = cython.declare(cython.double[6])
    w: cython.double
    low: cython.double
    high: cython.double
    slope: cython.double
    sign: cython.double
    for t in range(x.shape[0]):
        for i in range(36):
            C[i] = P[t, i // 6, i % 6]
            D[i] = R[t, i // 6, i % 6]
        sign = inverse(C, A)
        if sign != sign:
            continue
        sign = inverse(D, B)
        if sign != sign:
            continue
        slope = -6.0  # at w = 1: 6 - tr(P R^-1)
        for i in range(36):
            slope += C[i] * B[i]
        w = 1.0
        if slope > 0.0:
            low, high = 0.0, 1.0
            for _ in range(HALVINGS):
                w = 0.5 * (low + high)
                for i in range(36):
                    C[i] = w * A[i] + (1.0 - w) * B[i]
                sign = inverse(C, D)
                slope = 0.0
                for i in range(36):
                    slope += D[i] * (A[i] - B[i])
                if slope > 0.0:
                    low = w
                else:
                    high = w
        for i in range(36):
            C[i] = w * A[i] + (1.0 - w) * B[i]
        sign = inverse(C, D)
        if sign != sign:
            continue
        for i in range(6):
            h[i] = 0.0
            for j in range(6):
                h[i] += (1.0 - w) * B[6 * i + j] * (z[t, j] - x[t, j])
        for i in range(6):
            for j in range(6):
                x[t, i] += D[6 * i + j] * h[j]
                P[t, i, j] = D[6 * i + j]


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def distances(
    a: cython.longlong[::1], b: cython.longlong[::1], x: cython.double[:, ::1], P: cython.double[:, :, ::1],
    z: cython.double[:, ::1], R: cython.double[:, :, ::1], out: cython.double[::1],
) -> cython.void:  # fmt: skip
    """Write (K,) the squared distances of states x[a] and z[b], over P[a] + R[b]; NaN where that is no covariance."""
    S = cython.declare(cython.double[36])
    L = cython.declare(cython.double[36])
    w = cython.declare(cython.double[6])
    total: cython.double
    for k in range(a.shape[0]):
        p, r = a[k], b[k]
        for i in range(36):
            S[i] = P[p, i // 6, i % 6] + R[r, i // 6, i % 6]
        total = factor(S, L)
        out[k] = NAN
        if total != total:
            continue
        out[k] = 0.0
        for i in range(6):
            total = z[r, i] - x[p, i]
            for j in range(i):
                total -= L[6 * i + j] * w[j]
            w[i] = total / L[7 * i]
            out[k] += w[i] * w[i]
