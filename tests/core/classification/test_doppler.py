# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What looks at one object say together."""

import numpy as np
import pytest

from aegis.core.classification.doppler import CORRELATION, DOUBT, fused
from aegis.core.types import N_CLASSES, ClassId

EVEN = np.ones(N_CLASSES)


def look(**shares):
    rest = (1.0 - sum(shares.values())) / (N_CLASSES - len(shares))
    return np.array([shares.get(c.name, rest) for c in ClassId])


def test_of_one_look_its_own_less_what_is_doubted():
    one = look(VEHICLE=0.8)
    np.testing.assert_allclose(fused(one[None], EVEN), (1.0 - DOUBT) * one + DOUBT / N_CLASSES)


def test_many_looks_alike_count_as_one_over_their_correlation():
    one = look(VEHICLE=0.6)
    odds = (one[ClassId.VEHICLE] / one[ClassId.BIRD]) ** (1.0 / CORRELATION)
    expected = odds / (odds + N_CLASSES - 1.0)
    found = fused(np.tile(one, (100_000, 1)), EVEN)
    assert found[ClassId.VEHICLE] == pytest.approx((1.0 - DOUBT) * expected + DOUBT / N_CLASSES, rel=1e-3)
    assert found.sum() == pytest.approx(1.0)


def test_none_is_surer_than_is_doubted():
    found = fused(np.tile(look(DRONE=1.0 - 1e-6), (50, 1)), EVEN)
    assert found.max() <= 1.0 - DOUBT + DOUBT / N_CLASSES + 1e-12


def test_a_class_that_cannot_be_met_stays_impossible():
    prior = EVEN.copy()
    prior[ClassId.BIRD] = 0.0
    one = look(BIRD=0.0, VEHICLE=0.7)
    assert fused(np.tile(one, (7, 1)), prior)[ClassId.BIRD] == 0.0
