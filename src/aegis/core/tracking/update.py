"""Measurement update of all tracks: an extended Kalman filter a mode and detection, and the mixture of what may have happened."""

from __future__ import annotations

import math

import numpy as np

from aegis.core.compiled import compiled
from aegis.core.tracking.measurement import AZIMUTH, expect, wrapped
from aegis.core.types import Floats, Ints

NEGLIGIBLE = 1e-3  # share of a hypothesis below which it does not enter the mixture: less than a percent of its spread

SAFE_RATIO = (
    1e-6  # measurement's variance over that of the innovation, above which the plain update loses at most ten digits
)


@compiled
def correct(
    x: Floats, P: Floats, H: Floats, polar: bool, y: Floats, variance: Floats, measured: np.ndarray,
    Ph: Floats, K: Floats, A: Floats, moved: Floats,
) -> None:  # fmt: skip
    """Update a state (n,) and covariance (n, n) in place by a measurement whose components have independent errors.

    One component after the other, linearised at the same point, which is the same as all at once. Where the measurement is far
    more exact than the state, in Joseph's form: the plain difference would lose the covariance to rounding.

    Args:
        H, polar: (4, n) Jacobian; a sensor that is not polar measures x, y, z themselves.
        y: (4,) measured minus expected, both at the state before the update; variance, measured: (4,).
        Ph, K, A, moved: (n,), (n,), (n, n), (n,) scratch.
    """
    n = len(x)
    moved[:] = 0.0
    for c in range(4):
        if not measured[c]:
            continue
        depends = 6 if c == 3 else 3  # only the range rate depends on the velocity
        s, innovation = variance[c], y[c]
        if not polar and c < 3:
            for i in range(n):
                Ph[i] = P[i, c]
            s += Ph[c]
            innovation -= moved[c]
        else:
            for i in range(n):
                total = 0.0
                for j in range(depends):
                    total += P[i, j] * H[c, j]
                Ph[i] = total
            for j in range(depends):
                s += H[c, j] * Ph[j]
                innovation -= H[c, j] * moved[j]
        for i in range(n):
            K[i] = Ph[i] / s
            moved[i] += K[i] * innovation
        if variance[c] > SAFE_RATIO * s:
            for i in range(n):
                for j in range(i + 1):
                    P[i, j] -= K[i] * Ph[j]
                    P[j, i] = P[i, j]
            continue
        for i in range(n):
            for j in range(n):
                A[i, j] = P[i, j] - K[i] * Ph[j]
        for i in range(n):
            total = 0.0
            for j in range(depends):
                total += A[i, j] * H[c, j]
            Ph[i] = total - variance[c] * K[i]
        for i in range(n):
            for j in range(i + 1):
                P[i, j] = A[i, j] - 0.5 * (Ph[i] * K[j] + Ph[j] * K[i])
                P[j, i] = P[i, j]
    for i in range(n):
        x[i] += moved[i]


@compiled
def update(
    x: Floats, P: Floats, weight: Floats, origin: Floats, R: Floats, platform: Floats, wanted: np.ndarray,
    value: Floats, variance: Floats, measured: np.ndarray, polar: bool,
    start: Ints, detection: Ints, by_mode: Floats, total: Floats, share: Floats, missed: Floats,
) -> None:  # fmt: skip
    """Update states (N, M, n), covariances and mode weights by a scan, in place.

    In each mode the hypotheses that the track was missed or gave one of its detections become one Gaussian with the same mean and
    covariance.

    Args:
        x, P, weight: of the predicted tracks, as from `motion.predict`.
        origin, R, platform: of the sensor, as in `measurement.expect`; wanted: (4,) components that any detection has.
        value, variance, measured, polar: the detections.
        start, detection, by_mode, total: the pairs, as from `association.gate`.
        share: (K,) probability of each pair, missed: (N,) of no detection, both given that the track exists; they add up to 1.
    """
    N, M, n = x.shape
    xs, Ps = np.empty(n), np.empty((n, n))
    mean, square = np.empty(n), np.empty((n, n))
    plain = not polar and not wanted[3]  # the measurement is the position itself
    expected, H = np.zeros(4), np.zeros((4, n))
    y, Ph, K, A, moved = np.empty(4), np.empty(n), np.empty(n), np.empty((n, n)), np.empty(n)
    for t in range(N):
        hits = 0
        for p in range(start[t], start[t + 1]):
            hits += share[p] > NEGLIGIBLE
        if hits == 0:
            continue
        certain = hits == 1 and missed[t] <= NEGLIGIBLE
        everything = 0.0
        for m in range(M):
            if plain:
                for i in range(3):
                    expected[i] = x[t, m, i]
            else:
                expect(x[t, m], origin, R, platform, polar, expected, H)
            mass = missed[t] * weight[t, m] if missed[t] > NEGLIGIBLE else 0.0
            if not certain:
                mean[:] = 0.0
                for i in range(n):
                    for j in range(i + 1):
                        square[i, j] = mass * P[t, m, i, j]
            for p in range(start[t], start[t + 1]):
                if share[p] <= NEGLIGIBLE:
                    continue
                part = share[p]
                if M > 1:
                    part *= weight[t, m] * math.exp(by_mode[p, m] - total[p])
                if part <= 0.0:
                    continue
                mass += part
                d = detection[p]
                for i in range(4):
                    y[i] = value[d, i] - expected[i]
                if polar:
                    y[AZIMUTH] = wrapped(y[AZIMUTH])
                if certain:
                    correct(x[t, m], P[t, m], H, polar, y, variance[d], measured[d], Ph, K, A, moved)
                    continue
                xs[:] = x[t, m]
                Ps[:, :] = P[t, m]
                correct(xs, Ps, H, polar, y, variance[d], measured[d], Ph, K, A, moved)
                for i in range(n):
                    xs[i] -= x[t, m, i]
                    mean[i] += part * xs[i]
                    for j in range(i + 1):
                        square[i, j] += part * (Ps[i, j] + xs[i] * xs[j])
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
