# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Motion models against closed forms, filterpy and a matrix exponential."""

import numpy as np
from filterpy.common import Q_continuous_white_noise
from hypothesis import given
from hypothesis import strategies as st
from scenes import central_difference, process_noise, transition
from scipy.linalg import expm

from aegis.core.tracking import motion

ONE_MODE = np.ones((1, 1))


def predicted(x: np.ndarray, P: np.ndarray, dt: float, kind: int, noise=(0.0, 0.0), turn=(0.0, 0.0)):
    """Return the state and covariance of a single track in a single mode."""
    model = motion.Motion((kind,), np.array([noise]), *turn)
    tracks = motion.Kinematics(x[None, None], P[None, None], ONE_MODE)
    x, P, _ = motion.predict(tracks, dt, model, ONE_MODE, np.array([0]), np.array([True]))
    return x[0, 0], P[0, 0]


@given(st.floats(0.01, 10.0), st.floats(0.1, 20.0))
def test_process_noise_is_that_of_filterpy(dt, sigma):
    _, ours = predicted(np.zeros(6), np.zeros((6, 6)), dt, motion.CONSTANT_VELOCITY, noise=(sigma**2, sigma**2))
    theirs = Q_continuous_white_noise(dim=2, dt=dt, spectral_density=sigma**2, block_size=3, order_by_dim=False)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_constant_velocity_is_the_matrix_product():
    rng = np.random.default_rng(1)
    root = rng.normal(size=(6, 6))
    x, P = rng.normal(size=6), root @ root.T
    F = transition(0.7)
    after, spread = predicted(x, P, 0.7, motion.CONSTANT_VELOCITY, noise=(4.0, 9.0))
    np.testing.assert_allclose(after, F @ x)
    noise = process_noise(0.7, 2.0, 3.0)
    np.testing.assert_allclose(spread, F @ P @ F.T + noise, atol=1e-12)


@given(st.floats(-1.0, 1.0), st.floats(0.05, 5.0))
def test_a_coordinated_turn_runs_on_a_circle(rate, dt):
    x = np.array([100.0, -50.0, 20.0, 30.0, 40.0, 1.0, rate])
    after, _ = predicted(x, np.eye(7), dt, motion.COORDINATED_TURN)
    steps = 4000  # the oracle: many small straight pieces, each along the mean direction of its arc
    p, v = x[:2].copy(), x[3:5].copy()
    h = dt / steps
    c, s = np.cos(rate * h / 2), np.sin(rate * h / 2)
    half = np.array([[c, -s], [s, c]])
    for _ in range(steps):
        v = half @ v
        p = p + v * h
        v = half @ v
    np.testing.assert_allclose(after, [*p, 20.0 + dt, *v, 1.0, rate], atol=1e-4)


@given(st.one_of(st.floats(-1.0, 1.0), st.floats(-1e-3, 1e-3)), st.floats(0.05, 5.0))
def test_the_covariance_of_a_turn_follows_its_jacobian(rate, dt):
    rng = np.random.default_rng(2)
    x = np.array([100.0, -50.0, 20.0, 30.0, 40.0, 1.0, rate])
    root = rng.normal(size=(7, 7))
    P = root @ root.T
    F = central_difference(lambda s: predicted(s, P, dt, motion.COORDINATED_TURN)[0], x, 1e-5)
    _, spread = predicted(x, P, dt, motion.COORDINATED_TURN, turn=(0.0, 0.25))
    wanted = F @ P @ F.T
    wanted[6, 6] += 0.25 * dt
    np.testing.assert_allclose(spread, wanted, rtol=1e-5, atol=1e-3)


@given(st.floats(0.01, 100.0), st.floats(1.0, 1000.0), st.floats(1.0, 1000.0))
def test_mode_transitions_are_those_of_a_markov_chain(dt, straight, turn):
    generator = np.array([[-1 / straight, 1 / straight], [1 / turn, -1 / turn]])
    np.testing.assert_allclose(motion.mode_transition(dt, straight, turn), expm(generator * dt), atol=1e-12)


def test_modes_taken_together_have_the_moments_of_the_mixture():
    rng = np.random.default_rng(3)
    x, weight = rng.normal(size=(1, 2, 7)), np.array([[0.3, 0.7]])
    P = np.array([[np.eye(7) * 2.0, np.eye(7) * 5.0]])
    mean, covariance = motion.combine(motion.Kinematics(x, P, weight))
    samples = np.concatenate([rng.multivariate_normal(x[0, m], P[0, m], n) for m, n in ((0, 300_000), (1, 700_000))])
    np.testing.assert_allclose(mean[0], samples[:, :6].mean(axis=0), atol=0.01)
    np.testing.assert_allclose(covariance[0], np.cov(samples[:, :6].T), atol=0.05)
