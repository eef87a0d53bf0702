# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Roots against those that the functions were made with, and against scipy's."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from aegis.core.roots import root_between


@given(st.floats(-5.0, 5.0), st.sampled_from([1, 3, 5]), st.floats(1e-13, 1e-3))
def test_the_root_of_a_power_is_found_within_the_tolerance(root, power, tolerance):
    assert root_between(lambda x: (x - root) ** power, -7.0, 9.0, tolerance) == pytest.approx(root, abs=2 * tolerance)


@pytest.mark.parametrize(
    ("function", "low", "high"),
    [
        (lambda x: math.exp(x) - 2.0, -10.0, 10.0),
        (lambda x: math.cos(x) - x, 0.0, 2.0),
        (lambda x: math.tanh(50.0 * (x - 0.123)), -100.0, 100.0),
        (lambda x: -1.0 if x < 0.7 else 1.0, 0.0, 1.0),
    ],
    ids=["exp", "cosine", "steep", "step"],
)
def test_the_root_is_scipys(function, low, high):
    calls = []

    def counted(x):
        calls.append(x)
        return function(x)

    wanted = brentq(function, low, high, xtol=1e-13)
    assert root_between(counted, low, high, 1e-13) == pytest.approx(wanted, rel=1e-9, abs=2e-13)
    assert len(calls) < 150


def test_an_end_may_be_the_root_and_equal_signs_are_refused():
    assert root_between(lambda x: x, 0.0, 1.0, 1e-12) == pytest.approx(0.0, abs=1e-12)
    assert root_between(lambda x: x - 1.0, 0.0, 1.0, 1e-12) == pytest.approx(1.0, abs=1e-12)
    with pytest.raises(ValueError, match="different signs"):
        root_between(lambda x: x * x + 1.0, -1.0, 1.0, 1e-9)
