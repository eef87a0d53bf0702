# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Rotations against scipy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation, Slerp

from aegis.core.rotation import between, matrix_of, quaternion_of

SEEDS = st.integers(0, 2**32 - 1)
# Turns by half a circle, where the real part vanishes, and such that leave some axis.
EDGES = [
    (1, 0, 0, 0),
    (0, 1, 0, 0),
    (0, 0, 1, 0),
    (0, 0, 0, 1),
    (1, 1, 0, 0),
    (1, 0, 0, 1),
    (1e-9, 0, 0, 1),
    (1, 0, 0, 1e-9),
]


def random(seed: int) -> np.ndarray:
    return Rotation.random(rng=np.random.default_rng(seed)).as_quat()


@given(SEEDS)
def test_matrices_are_scipys(seed):
    np.testing.assert_allclose(matrix_of(random(seed)), Rotation.from_quat(random(seed)).as_matrix(), atol=1e-15)


@given(SEEDS)
def test_quaternions_are_scipys(seed):
    matrix = Rotation.from_quat(random(seed)).as_matrix()
    found, wanted = quaternion_of(matrix), Rotation.from_matrix(matrix).as_quat()
    np.testing.assert_allclose(found * np.sign(found @ wanted), wanted, atol=1e-14)


@pytest.mark.parametrize("edge", EDGES)
def test_there_and_back_at_the_edges(edge):
    q = np.array(edge, dtype=float) / np.linalg.norm(edge)
    back = quaternion_of(matrix_of(q))
    np.testing.assert_allclose(back * np.sign(back @ q), q, atol=1e-12)


@given(SEEDS, SEEDS, st.floats(0.0, 1.0))
def test_what_is_between_is_scipys(one, other, share):
    first, second = random(one), random(other)
    wanted = Slerp([0.0, 1.0], Rotation.from_quat([first, second]))(share).as_matrix()
    np.testing.assert_allclose(matrix_of(between(first, second, share)), wanted, atol=1e-9)


@given(SEEDS, st.floats(0.0, 1.0), st.floats(0.0, 1e-5))
def test_what_is_between_neighbours_is_scipys(seed, share, angle):
    turn = Rotation.from_rotvec([0.0, angle, 0.0])
    first = Rotation.from_quat(random(seed))
    ends = np.stack([first.as_quat(), (first * turn).as_quat()])
    wanted = Slerp([0.0, 1.0], Rotation.from_quat(ends))(share).as_matrix()
    np.testing.assert_allclose(matrix_of(between(*ends, share)), wanted, atol=1e-12)
