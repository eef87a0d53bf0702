# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is not finite becomes null on the way to JSON, and nothing else changes."""

import json

import numpy as np
import pytest

from aegis.core.finite import finite_json, finite_or_none


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), np.float32("nan"), np.float64("inf")])
def test_what_is_not_finite_is_none(value):
    assert finite_or_none(value) is None
    assert finite_or_none(value, 3) is None


def test_numbers_stay_and_are_rounded_where_asked():
    assert finite_or_none(-1.23456) == -1.23456
    assert finite_or_none(np.float64(1.23456), 2) == 1.23
    assert finite_or_none(2.0e9 + 0.4, 0) == 2.0e9
    assert {type(finite_or_none(np.float32(0.5))), type(finite_or_none(np.float64(0.5), 0))} == {float}


def test_at_any_depth():
    nan = float("nan")
    value = {"a": nan, "b": [1.5, -float("inf"), {"c": nan, "d": "NaN"}], "e": 2**70, "f": None, "g": True}
    found = finite_json(value)
    assert found == {"a": None, "b": [1.5, None, {"c": None, "d": "NaN"}], "e": 2**70, "f": None, "g": True}
    json.dumps(found, allow_nan=False)
