# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""GOSPA against a search of all assignments, and against its closed forms."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aegis.core.metrics import gospa

POINT = st.floats(-100, 100)


def exhaustive(truth: np.ndarray, estimate: np.ndarray, c: float, p: float) -> float:
    """Return GOSPA (alpha 2) from its definition: the best over every assignment of the smaller set."""
    if len(truth) > len(estimate):
        truth, estimate = estimate, truth
    best = min(
        sum(min(np.linalg.norm(truth[i] - estimate[j]), c) ** p for i, j in enumerate(order))
        for order in permutations(range(len(estimate)), len(truth))
    )
    return float((best + c**p / 2 * (len(estimate) - len(truth))) ** (1 / p))


@given(
    arrays(float, st.tuples(st.integers(0, 4), st.just(2)), elements=POINT),
    arrays(float, st.tuples(st.integers(0, 4), st.just(2)), elements=POINT),
    st.sampled_from([1.0, 2.0]),
)
def test_agrees_with_the_definition(truth, estimate, p):
    assert gospa(truth, estimate, c=20.0, p=p).total == pytest.approx(exhaustive(truth, estimate, 20.0, p), abs=1e-9)


def test_parts_add_up():
    g = gospa(np.array([[0.0, 0.0], [100.0, 0.0]]), np.array([[3.0, 4.0], [500.0, 0.0]]), c=20.0)
    assert (g.localisation, g.missed, g.false) == (25.0, 200.0, 200.0)
    assert g.total == pytest.approx(np.sqrt(425.0))
