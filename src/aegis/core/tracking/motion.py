"""Motion models: nearly constant velocity, coordinated turn, and their mixing in an IMM. State: x y z vx vy vz (turn rate).

The turn rate [rad/s], anticlockwise about the vertical, is there wherever a turn is a possible mode. In the mode of constant
velocity it is 0 with the variance that a turn begins with, so that a track which changes to the turn finds it unknown.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from aegis.core.compiled import compiled
from aegis.core.types import Floats, Ints

Model = Literal["cv", "ct", "imm"]
CONSTANT_VELOCITY, COORDINATED_TURN = 0, 1
MODES: dict[str, tuple[int, ...]] = {
    "cv": (CONSTANT_VELOCITY,),
    "ct": (COORDINATED_TURN,),
    "imm": (CONSTANT_VELOCITY, COORDINATED_TURN),
}
TURN = 6  # index of the turn rate
SMALL_ANGLE = 1e-4  # below it the turn's formulas are taken from their series


def dimension(model: Model) -> int:
    """Return the length of the state."""
    return 6 if model == "cv" else 7


def transition(dt: float) -> Floats:
    """Return the (6, 6) transition of constant velocity over dt [s]."""
    out = np.eye(6)
    out[[0, 1, 2], [3, 4, 5]] = dt
    return out


def process_noise(dt: float, sigma: Floats) -> Floats:
    """Return (N, 6, 6) process noise of white acceleration of spectral density sigma^2 [m^2/s^3].

    Bar-Shalom, Li, Kirubarajan, Estimation with Applications to Tracking and Navigation (2001), eq. 6.2.2-12.

    Args:
        dt: time step [s].
        sigma: (N, 3) per axis; a white acceleration of standard deviation sigma [m/s^2] over a step of one second.
    """
    out = np.zeros((len(sigma), 6, 6))
    for i in range(len(sigma)):
        _add_noise(out[i], dt, sigma[i, 0] ** 2, sigma[i, 1] ** 2, sigma[i, 2] ** 2)
    return out


def mode_transition(dt: float, mean_straight_s: float, mean_turn_s: float) -> Floats:
    """Return the (2, 2) probabilities to go from straight or turn (row) to either (column) within dt [s].

    A Markov chain in continuous time with these mean durations.
    """
    leave, back = 1.0 / mean_straight_s, 1.0 / mean_turn_s
    total = leave + back
    settled = -math.expm1(-total * dt) / total
    return np.array([[1.0 - leave * settled, leave * settled], [back * settled, 1.0 - back * settled]])


@compiled
def _add_noise(P: Floats, dt: float, qx: float, qy: float, qz: float) -> None:
    for a, q in ((0, qx), (1, qy), (2, qz)):
        P[a, a] += q * (dt * dt * dt / 3.0)
        P[a, a + 3] += q * (dt * dt / 2.0)
        P[a + 3, a] += q * (dt * dt / 2.0)
        P[a + 3, a + 3] += q * dt


@compiled
def _straight(x: Floats, P: Floats, dt: float, turn_variance: float, x_out: Floats, P_out: Floats) -> None:
    for i in range(3):
        x_out[i] = x[i] + dt * x[i + 3]
        x_out[i + 3] = x[i + 3]
        for j in range(3):
            pv, vp, vv = P[i, j + 3], P[i + 3, j], P[i + 3, j + 3]
            P_out[i, j] = P[i, j] + dt * (pv + vp) + dt * dt * vv
            P_out[i, j + 3] = pv + dt * vv
            P_out[i + 3, j] = vp + dt * vv
            P_out[i + 3, j + 3] = vv
    if x.shape[0] > TURN:
        x_out[TURN] = 0.0
        P_out[TURN, :] = 0.0
        P_out[:, TURN] = 0.0
        P_out[TURN, TURN] = turn_variance


@compiled
def _turn(x: Floats, P: Floats, dt: float, F: Floats, x_out: Floats, P_out: Floats, scratch: Floats) -> None:
    """Coordinated turn of unknown rate: Bar-Shalom, Li, Kirubarajan (2001), eq. 11.7.1-4 and 11.7.2-4. F is scratch."""
    vx, vy, w = x[3], x[4], x[TURN]
    angle = w * dt
    s, c = math.sin(angle), math.cos(angle)
    if abs(angle) > SMALL_ANGLE:
        along, across = s / w, (1.0 - c) / w
        d_along, d_across = (dt * c * w - s) / (w * w), (dt * s * w - (1.0 - c)) / (w * w)
    else:
        along, across = dt * (1.0 - angle * angle / 6.0), dt * angle / 2.0
        d_along, d_across = -dt * dt * angle / 3.0, dt * dt * 0.5
    F[:, :] = 0.0
    for i in range(7):
        F[i, i] = 1.0
    F[0, 3], F[0, 4], F[0, TURN] = along, -across, d_along * vx - d_across * vy
    F[1, 3], F[1, 4], F[1, TURN] = across, along, d_across * vx + d_along * vy
    F[2, 5] = dt
    F[3, 3], F[3, 4], F[3, TURN] = c, -s, -dt * (s * vx + c * vy)
    F[4, 3], F[4, 4], F[4, TURN] = s, c, dt * (c * vx - s * vy)
    for i in range(7):
        x_out[i] = x[i]
    x_out[0] += along * vx - across * vy
    x_out[1] += across * vx + along * vy
    x_out[2] += dt * x[5]
    x_out[3] = c * vx - s * vy
    x_out[4] = s * vx + c * vy
    for i in range(7):
        for j in range(7):
            total = 0.0
            for k in range(7):
                total += F[i, k] * P[k, j]
            scratch[i, j] = total
    for i in range(7):
        for j in range(i + 1):
            total = 0.0
            for k in range(7):
                total += scratch[i, k] * F[j, k]
            P_out[i, j] = total
            P_out[j, i] = total


@compiled
def _mix(
    x: Floats, P: Floats, weight: Floats, between: Floats, x_out: Floats, P_out: Floats, weight_out: Floats
) -> None:
    """Mixing step of the IMM: Blom and Bar-Shalom, IEEE Trans. Automatic Control 33 (1988)."""
    modes, n = x.shape
    for b in range(modes):
        total = 0.0
        for a in range(modes):
            total += between[a, b] * weight[a]
        weight_out[b] = total
        for i in range(n):
            mean = 0.0
            for a in range(modes):
                mean += between[a, b] * weight[a] / total * x[a, i]
            x_out[b, i] = mean
        for i in range(n):
            for j in range(i + 1):
                value = 0.0
                for a in range(modes):
                    share = between[a, b] * weight[a] / total
                    value += share * (P[a, i, j] + (x[a, i] - x_out[b, i]) * (x[a, j] - x_out[b, j]))
                P_out[b, i, j] = value
                P_out[b, j, i] = value


@compiled
def predict(
    x: Floats, P: Floats, weight: Floats, dt: float, kind: np.ndarray, between: Floats,
    noise: Floats, class_id: Ints, climbs: np.ndarray, turn_variance: float, turn_noise: float,
) -> tuple[Floats, Floats, Floats]:  # fmt: skip
    """Return states (N, M, n), covariances (N, M, n, n) and mode weights (N, M) after dt [s]; the input stays as it is.

    Args:
        x, P, weight: of N tracks in M modes.
        kind: (M,) CONSTANT_VELOCITY or COORDINATED_TURN.
        between: (M, M) mode transition probabilities over dt.
        noise: (C, 2) spectral density of the white acceleration of each class, horizontal and vertical [m^2/s^3].
        class_id: (N,) of the tracks; climbs: (N,) whether height is observed. Where it is not, its variance stays that of the
            prior, instead of growing for ever.
        turn_variance: of the rate that a turn begins with [rad^2/s^2].
        turn_noise: spectral density of the turn rate's own change [rad^2/s^3].
    """
    N, M, n = x.shape
    x_out, P_out, weight_out = np.empty_like(x), np.empty_like(P), np.empty_like(weight)
    mixed_x, mixed_P = np.empty((M, n)), np.empty((M, n, n))
    F, scratch = np.empty((7, 7)), np.empty((7, 7))
    for t in range(N):
        level = noise[class_id[t], 0]
        if M > 1:
            _mix(x[t], P[t], weight[t], between, mixed_x, mixed_P, weight_out[t])
        else:
            mixed_x, mixed_P = x[t], P[t]
            weight_out[t, 0] = 1.0
        for m in range(M):
            if kind[m] == CONSTANT_VELOCITY:
                _straight(mixed_x[m], mixed_P[m], dt, turn_variance, x_out[t, m], P_out[t, m])
            else:
                _turn(mixed_x[m], mixed_P[m], dt, F, x_out[t, m], P_out[t, m], scratch)
                P_out[t, m, TURN, TURN] += turn_noise * dt
            _add_noise(P_out[t, m], dt, level, level, noise[class_id[t], 1] if climbs[t] else 0.0)
    return x_out, P_out, weight_out


@compiled
def combine(x: Floats, P: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Return the states (N, 6) and covariances (N, 6, 6) of the mixtures over modes, by their moments."""
    N, M, _ = x.shape
    mean, covariance = np.zeros((N, 6)), np.zeros((N, 6, 6))
    for t in range(N):
        for m in range(M):
            for i in range(6):
                mean[t, i] += weight[t, m] * x[t, m, i]
        for m in range(M):
            for i in range(6):
                for j in range(6):
                    covariance[t, i, j] += weight[t, m] * (
                        P[t, m, i, j] + (x[t, m, i] - mean[t, i]) * (x[t, m, j] - mean[t, j])
                    )
    return mean, covariance
