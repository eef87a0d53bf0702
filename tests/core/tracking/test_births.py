# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""First detections against samples, and places where objects enter against the closed form."""

import numpy as np
import pytest
from scenes import SIGMA, detections_of, plot_of, polar_of
from scipy.stats import multivariate_normal

from aegis.core.tracking import measurement
from aegis.core.tracking.births import BirthPlaces, Entered, first_detections, first_state, missed
from aegis.core.types import Pose

HERE = Pose(np.zeros(3), np.eye(3), np.zeros(3))
BOUND = np.array([0.0, 25.0, 25.0, 25.0, 25.0])


def test_the_first_state_has_the_errors_of_its_measurement():
    """Many measurements of one target: their first states scatter about it with the covariance that each of them states."""
    rng = np.random.default_rng(1)
    truth = np.array([3000.0, 2000.0, 800.0, 40.0, -30.0, 5.0])
    pose = Pose(np.array([100.0, -200.0, 10.0]), np.eye(3), np.array([12.0, 3.0, 0.0]))
    polar = polar_of(truth, pose.position, velocity=pose.velocity) + rng.normal(0.0, SIGMA, (20_000, 4))
    z = measurement.from_detections(detections_of(polar, 0.0), pose)
    x, P = first_state(z, np.arange(len(polar)), pose, 100.0, 500.0)
    np.testing.assert_allclose(x[:, :3].mean(axis=0), truth[:3], atol=1.0)
    np.testing.assert_allclose(np.cov(x[:, :3].T), P[:, :3, :3].mean(axis=0), rtol=0.05, atol=10.0)
    line = (truth[:3] - pose.position) / np.linalg.norm(truth[:3] - pose.position)
    assert x[:, 3:].mean(axis=0) @ line == pytest.approx(truth[3:] @ line, abs=0.1)  # the platform's motion taken out
    assert line @ P[0, 3:, 3:] @ line == pytest.approx(SIGMA[3] ** 2, abs=0.2)
    across = np.cross(line, [0.0, 0.0, 1.0])
    across /= np.linalg.norm(across)
    assert across @ P[0, 3:, 3:] @ across == pytest.approx(1e4, rel=1e-3)
    assert np.linalg.eigvalsh(P).min() > 0.0


def test_what_was_not_measured_stays_unknown():
    z = measurement.from_detections(detections_of([1000.0, 0.3, np.nan, np.nan], 0.0), HERE)
    x, P = first_state(z, np.array([0]), HERE, 50.0, 400.0)
    assert x[0, 2:].tolist() == [0.0, 0.0, 0.0, 0.0]
    assert P[0, 2, 2] == pytest.approx(400.0**2)
    assert P[0, 3, 3] == P[0, 4, 4] == pytest.approx(2500.0)
    assert P[0, 5, 5] < 1e-3
    assert not P[0, :2, 2].any()


def places_at(*rows: tuple[float, float, float, float]) -> tuple[BirthPlaces, Entered]:
    places = BirthPlaces(rows, 10.0, 1.0)
    return places, places.predict(places.nobody(), 0.0, 1.0, 1.0)


def test_a_detection_at_a_place_has_the_density_of_those_that_enter_there():
    _, entered = places_at((0.0, 0.0, 10.0, 0.1), (400.0, -600.0, 20.0, 0.3))
    z = measurement.from_detections(plot_of([[3.0, 4.0], [410.0, -590.0], [5000.0, 0.0]], 0.0, 5.0), HERE)
    density, state, covariance = first_detections(entered, z, HERE, BOUND, 0.8)
    first = 0.8 * 0.1 * multivariate_normal.pdf([3.0, 4.0], [0.0, 0.0], np.eye(2) * 125.0)
    second = 0.8 * 0.3 * multivariate_normal.pdf([10.0, 10.0], [0.0, 0.0], np.eye(2) * 425.0)
    np.testing.assert_allclose(density, [first, second, 0.0])
    np.testing.assert_allclose(state[0, :2], np.array([3.0, 4.0]) * 100.0 / 125.0)
    np.testing.assert_allclose(np.diag(covariance[0])[[0, 1, 3, 4]], [20.0, 20.0, 100.0, 100.0])


def test_those_missed_wait_and_move_and_are_forgotten_in_time():
    places, entered = places_at((0.0, 0.0, 10.0, 0.1))
    entered = places.predict(missed(entered, 0.5), 2.0, 0.9, 1.0)
    z = measurement.from_detections(plot_of([[1e-3, 0.0]], 0.0, 5.0), HERE)
    density, _, _ = first_detections(entered, z, HERE, BOUND, 0.5)
    moved = 100.0 + 4.0 * 100.0 + 8.0 / 3.0 + 25.0
    expected = 0.5 * (0.1 / (2 * np.pi * 125.0) + 0.1 * 0.5 * 0.9 / (2 * np.pi * moved))
    assert density[0] == pytest.approx(expected)
    for _ in range(40):
        entered = places.predict(missed(entered, 0.5), 1.0, 0.99, 1.0)
    assert len(entered.objects) < 15
    assert len(places.nobody().objects) == 0
