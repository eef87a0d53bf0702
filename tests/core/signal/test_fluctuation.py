# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Swerling's cases against the chi-square laws that define them."""

import math

import numpy as np
import pytest
from scipy import stats

from aegis.core.signal import fluctuation

LAWS = {1: stats.expon(), 2: stats.expon(), 3: stats.gamma(2, scale=0.5), 4: stats.gamma(2, scale=0.5)}


def powers(case: int, n: int, pulses: int) -> np.ndarray:
    return fluctuation.pulse_amplitudes(np.full(n, case), pulses, np.random.default_rng(case)) ** 2


@pytest.mark.parametrize("case", [1, 3])
def test_scan_to_scan_is_one_draw_a_scan(case: int):
    drawn = powers(case, 5000, 4)
    assert (drawn == drawn[:, :1]).all()
    assert stats.kstest(drawn[:, 0], LAWS[case].cdf).pvalue > 1e-4


@pytest.mark.parametrize("case", [2, 4])
def test_pulse_to_pulse_is_one_draw_a_pulse(case: int):
    drawn = powers(case, 100, 50)
    assert stats.kstest(drawn.ravel(), LAWS[case].cdf).pvalue > 1e-4
    assert abs(np.corrcoef(drawn[:, :-1].ravel(), drawn[:, 1:].ravel())[0, 1]) < 0.06


def test_a_steady_target_is_steady_beside_others():
    drawn = fluctuation.pulse_amplitudes(np.array([0, 1, 0]), 3, np.random.default_rng(1))
    assert (drawn[[0, 2]] == 1).all()
    assert not (drawn[1] == 1).any()


@pytest.mark.parametrize(("case", "share"), [(0, 1.0), (1, 1.0), (2, math.pi / 4), (3, 1.0), (4, 9 * math.pi / 32)])
def test_what_stays_in_the_doppler_cell(case: int, share: float):
    drawn = fluctuation.scan_powers(np.full(4000, case), 500, np.random.default_rng(5))
    if case in (1, 3):
        assert stats.kstest(drawn, LAWS[case].cdf).pvalue > 1e-4
    # Of 500 pulses the mean amplitude has a variance of (1 - share) / 500 itself.
    assert drawn.mean() == pytest.approx(share + (1 - share) / 500, abs=5 * drawn.std() / math.sqrt(4000) + 1e-12)


def test_of_one_pulse_there_is_nothing_to_lose():
    drawn = fluctuation.scan_powers(np.full(4000, 2), 1, np.random.default_rng(5))
    assert stats.kstest(drawn, "expon").pvalue > 1e-4
