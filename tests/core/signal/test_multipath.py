# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Mirror images against their definition."""

import numpy as np

from aegis.core.signal.multipath import height_above, mirrored


def test_an_image_is_as_far_behind_the_plane_and_twice_makes_the_point_again():
    rng = np.random.default_rng(1)
    normal = np.array([1.0, 2.0, -2.0]) / 3
    plane, points = np.array([1.0, 0.0, 5.0]), rng.normal(size=(4, 3, 3))
    image = mirrored(points, plane, normal)
    np.testing.assert_allclose(height_above(image, plane, normal), -height_above(points, plane, normal))
    np.testing.assert_allclose(np.cross(image - points, normal), 0, atol=1e-12)
    np.testing.assert_allclose(mirrored(image, plane, normal), points)


def test_the_ground_turns_heights_round():
    up = np.array([0.0, 0.0, 1.0])
    np.testing.assert_array_equal(mirrored(np.array([[3.0, 4.0, 5.0]]), np.zeros(3), up), [[3.0, 4.0, -5.0]])
