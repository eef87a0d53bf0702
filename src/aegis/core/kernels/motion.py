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
    F = cython.declare(cython.double[49])
    FP = cython.declare(cython.double[49])
    total: cython.double
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
    for i in range(49):
        F[i] = 0.0
    for i in range(7):
        F[7 * i + i] = 1.0
    F[3], F[4], F[6] = along, -across, d_along * vx - d_across * vy
    F[10], F[11], F[13] = across, along, d_across * vx + d_along * vy
    F[19] = dt
    F[24], F[25], F[27] = c, -s, -dt * (s * vx + c * vy)
    F[31], F[32], F[34] = s, c, dt * (c * vx - s * vy)
    for i in range(7):
        x_out[to, m, i] = x[t, m, i]
    x_out[to, m, 0] += along * vx - across * vy
    x_out[to, m, 1] += across * vx + along * vy
    x_out[to, m, 2] += dt * x[t, m, 5]
    x_out[to, m, 3] = c * vx - s * vy
    x_out[to, m, 4] = s * vx + c * vy
    for i in range(7):
        for j in range(7):
            total = 0.0
            for k in range(7):
                total += F[7 * i + k] * P[t, m, k, j]
            FP[7 * i + j] = total
    for i in range(7):
        for j in range(i + 1):
            total = 0.0
            for k in range(7):
                total += FP[7 * i + k] * F[7 * j + k]
            P_out[to, m, i, j] = total
            P_out[to, m, j, i] = total


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
    total: cython.double
    mean: cython.double
    value: cython.double
    for b in range(modes):
        total = 0.0
        for a in range(modes):
            total += between[a, b] * weight[t, a]
        weight_out[t, b] = total
        for i in range(n):
            mean = 0.0
            for a in range(modes):
                mean += between[a, b] * weight[t, a] / total * x[t, a, i]
            x_out[0, b, i] = mean
        for i in range(n):
            for j in range(i + 1):
                value = 0.0
                for a in range(modes):
                    share = between[a, b] * weight[t, a] / total
                    value += share * (P[t, a, i, j] + (x[t, a, i] - x_out[0, b, i]) * (x[t, a, j] - x_out[0, b, j]))
                P_out[0, b, i, j] = value
                P_out[0, b, j, i] = value


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def predict(
    x: cython.double[:, :, ::1], P: cython.double[:, :, :, ::1], weight: cython.double[:, ::1], dt: cython.double,
    turning: cython.uchar[::1], between: cython.double[:, ::1], noise: cython.double[:, ::1], class_id: cython.longlong[::1],
    climbs: cython.uchar[::1], turn_variance: cython.double, turn_noise: cython.double,
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
    x: cython.double[:, :, ::1], P: cython.double[:, :, :, ::1], weight: cython.double[:, ::1],
    mean: cython.double[:, ::1], covariance: cython.double[:, :, ::1],
) -> cython.void:  # fmt: skip
    """Write the states (N, 6) and covariances (N, 6, 6) of the mixtures over modes, by their moments; both hold zeros."""
    for t in range(x.shape[0]):
        for m in range(x.shape[1]):
            for i in range(6):
                mean[t, i] += weight[t, m] * x[t, m, i]
        for m in range(x.shape[1]):
            for i in range(6):
                for j in range(6):
                    covariance[t, i, j] += weight[t, m] * (
                        P[t, m, i, j] + (x[t, m, i] - mean[t, i]) * (x[t, m, j] - mean[t, j])
                    )
