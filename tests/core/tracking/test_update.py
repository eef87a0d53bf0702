# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The update against the textbook's equations, and its mixtures against sampled moments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import polar_of
from scipy.optimize import approx_fprime

from aegis.core.kernels import gate
from aegis.core.kernels import update as kernels
from aegis.core.tracking import update
from aegis.core.tracking.association import Pairs
from aegis.core.tracking.measurement import Plots
from aegis.core.tracking.motion import Kinematics


def random_case(seed: int, n: int):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(n, n))
    H = np.zeros((4, n))
    H[:3, :3], H[3, :6] = rng.normal(size=(3, 3)), rng.normal(size=6)
    return rng.normal(size=n), root @ root.T + 0.1 * np.eye(n), H, rng.normal(size=4), rng.uniform(0.1, 3.0, 4), rng


def corrected(x, P, H, y, variance, measured):
    """Return the Kalman update, all components at once."""
    H, y, R = H[measured], y[measured], np.diag(variance[measured])
    S = H @ P @ H.T + R
    K = P @ H.T @ np.linalg.inv(S)
    return x + K @ y, P - K @ S @ K.T


def correct(x, P, H, y, variance, measured):
    """Update a state in place, by a polar measurement."""
    kernels.correct(
        x[None, None], P[None, None], 0, 0, H[None, None], 0, True, y[None, None], 0, variance[None],
        measured[None].view(np.uint8), 0,
    )  # fmt: skip


@given(st.integers(0, 10_000), st.sampled_from([6, 7]), st.tuples(*[st.booleans()] * 4))
def test_one_component_after_the_other_is_all_at_once(seed, n, measured):
    x, P, H, y, variance, _ = random_case(seed, n)
    use = np.array(measured)
    wanted = corrected(x, P, H, y, variance, use)
    correct(x, P, H, y, variance, use)
    np.testing.assert_allclose(x, wanted[0], atol=1e-9)
    np.testing.assert_allclose(P, wanted[1], atol=1e-9)


@given(st.integers(0, 10_000), st.sampled_from([1.0, 1e-4, 1e-7, 1e-9]))
def test_a_position_is_a_measurement_like_any_other(seed, ratio):
    """A sensor that is not polar measures x, y and z, also far more exactly than they are known; no Jacobian is made for it."""
    x, P, _, y, variance, _ = random_case(seed, 6)
    use, variance = np.array([True, True, True, False]), ratio * variance
    wanted = corrected(x, P, np.eye(4, 6), y, variance, use)
    kernels.correct(
        x[None, None], P[None, None], 0, 0, np.empty((0, 1, 4, 6)), 0, False, y[None, None], 0, variance[None],
        use[None].view(np.uint8), 0,
    )  # fmt: skip
    np.testing.assert_allclose(x, wanted[0], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(P[:3, :3], wanted[1][:3, :3], rtol=1e-4, atol=1e-3 * variance.min())


@given(st.integers(0, 10_000), st.floats(1e-12, 1e12))
def test_the_covariance_stays_positive_definite_at_extreme_ratios(seed, ratio):
    x, P, H, y, variance, _ = random_case(seed, 6)
    correct(x, P, H, y, variance * ratio, np.ones(4, dtype=bool))
    np.testing.assert_array_equal(P, P.T)
    assert np.linalg.eigvalsh(P).min() > 0.0


@pytest.mark.parametrize("use", [(True, False, True, True), (True, True, False, False), (True,) * 4])
def test_the_mahalanobis_distance_is_that_of_the_components_measured(use):
    _, P, H, y, variance, _ = random_case(3, 6)
    use = np.array(use)
    S = H @ P @ H.T
    got = gate.mahalanobis(y[None, None], 0, 0, S[None], variance[None], use[None].view(np.uint8), 0)
    C = (S + np.diag(variance))[np.ix_(use, use)]
    assert got == pytest.approx((y[use] @ np.linalg.solve(C, y[use]), np.linalg.slogdet(C)[1], use.sum()))


def test_hypotheses_become_one_gaussian_with_their_moments():
    """A miss and two detections, in two modes; a Cartesian sensor, whose Jacobian is plain but for the range rate."""
    rng = np.random.default_rng(4)
    n = 6
    x, P = rng.normal(size=(1, 2, n)) * 5.0 + 100.0, np.empty((1, 2, n, n))
    for m in range(2):
        root = rng.normal(size=(n, n))
        P[0, m] = root @ root.T + np.eye(n)
    weight = np.array([[0.4, 0.6]])
    value, variance = rng.normal(size=(2, 4)) + [100.0, 100.0, 100.0, 150.0], rng.uniform(0.5, 2.0, (2, 4))
    measured = np.array([[True] * 4, [True, True, False, True]])
    by_mode = rng.normal(size=(2, 2))
    total = np.log(np.exp(by_mode) @ weight[0])
    share, missed = np.array([0.5, 0.3]), np.array([0.2])

    def h(state):
        return np.array([*state[:3], polar_of(state)[3]])

    tracks = Kinematics(x.copy(), P.copy(), weight.copy())
    innovation = value[:, None] - [h(x[0, m]) for m in range(2)]
    jacobian = np.array([[approx_fprime(x[0, m], h, 1e-5) for m in range(2)]])
    pairs = Pairs(np.array([0, 2]), np.array([0, 1]), by_mode, total, np.empty((2, 2)), innovation, jacobian)
    plots = Plots(value, variance, measured, value[:, :3].copy(), np.ones(2), np.zeros(2), False, np.zeros(3))
    update.update(tracks, pairs, plots, share, missed)
    x_out, P_out, weight_out = tracks

    masses = np.empty(2)
    for m in range(2):
        H = approx_fprime(x[0, m], h, 1e-5)
        parts = [(missed[0] * weight[0, m], x[0, m], P[0, m])]
        for d in range(2):
            mass = share[d] * weight[0, m] * np.exp(by_mode[d, m] - total[d])
            parts.append((mass, *corrected(x[0, m], P[0, m], H, value[d] - h(x[0, m]), variance[d], measured[d])))
        masses[m] = sum(p[0] for p in parts)
        mean = sum(p[0] * p[1] for p in parts) / masses[m]
        spread = sum(p[0] * (p[2] + np.outer(p[1] - mean, p[1] - mean)) for p in parts) / masses[m]
        np.testing.assert_allclose(x_out[0, m], mean, rtol=1e-6)
        np.testing.assert_allclose(P_out[0, m], spread, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(weight_out[0], masses / masses.sum(), atol=1e-12)
    assert masses.sum() == pytest.approx(1.0)
