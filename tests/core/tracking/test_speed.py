# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The speed that the picture shows, and its error, against a Monte Carlo."""

import numpy as np
import pytest

from aegis.core.tracking.motion import Kinematics
from aegis.core.tracking.rows import Rows
from aegis.core.tracking.view import shown_as


def shown_speed(velocity, covariance, *, has_height=True) -> tuple[float, float]:
    rows = Rows.blank(Kinematics(np.zeros((1, 1, 6)), np.zeros((1, 1, 6, 6)), np.ones((1, 1))))
    rows["has_height"] = np.array([has_height])
    mean, P = np.zeros((1, 6)), np.zeros((1, 6, 6))
    mean[0, 3:], P[0, 3:, 3:] = velocity, covariance
    shown = shown_as(rows, np.array([0]), mean, P, 0, 0.0)
    return float(shown.speed[0]), float(shown.speed_sigma[0])


@pytest.mark.parametrize("velocity", [(30.0, -20.0, 5.0), (3.0, 0.0, 0.0), (0.0, 0.0, 120.0)])
def test_the_error_of_the_speed_is_that_of_a_monte_carlo(velocity):
    rng = np.random.default_rng(1)
    root = rng.normal(size=(3, 3)) * np.array([[1.5], [4.0], [0.5]])
    covariance = root @ root.T / 3.0
    speed, sigma = shown_speed(velocity, covariance)
    assert speed == pytest.approx(np.linalg.norm(velocity))
    samples = np.linalg.norm(rng.multivariate_normal(velocity, covariance, 50_000), axis=1)
    actual = np.sqrt(np.mean((samples - speed) ** 2))
    # Never understated; by the second order, overstated where the error is as large as the speed.
    assert 0.98 * actual <= sigma <= 1.8 * actual


def test_at_rest_every_error_is_one_of_the_speed():
    assert shown_speed((0.0, 0.0, 0.0), np.diag([1.0, 4.0, 9.0])) == (0.0, pytest.approx(np.sqrt(14.0)))


def test_a_vertical_speed_that_nobody_measured_is_left_out():
    speed, sigma = shown_speed((6.0, 8.0, 300.0), np.diag([1.0, 1.0, 1e4]), has_height=False)
    assert speed == pytest.approx(10.0)
    assert sigma == pytest.approx(1.0, rel=0.01)
