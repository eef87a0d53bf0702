# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The ground in a range-Doppler map: it is told from what stands in it, by its law of range and by range rate."""

import numpy as np
import pytest

from aegis.core.signal.ground import Ground

SHAPE, STEP_MPS = (200, 64), 0.3
RANGE_M = 3.0 + 0.6 * np.arange(SHAPE[0])
NOISE = np.ones(SHAPE[0])


def ground(widest_mps: float = 0.65, margin_db: float = 6.0) -> Ground:
    return Ground(SHAPE, RANGE_M, STEP_MPS, widest_mps, margin_db, (2, 16))


def scene(rng: np.random.Generator, begins_m: float = 5.0) -> np.ndarray:
    """Noise of 12 channels, and from a range on ground at the three lowest range rates, 30 dB above it at 5 m, with R^-3."""
    power = rng.gamma(12, 1 / 12, SHAPE)
    echo = np.where(begins_m <= RANGE_M, 1e3 * (5.0 / RANGE_M) ** 3, 0.0)
    for column in (-1, 0, 1):
        power[:, column] += echo * rng.gamma(4, 1 / 4, SHAPE[0])  # few directions: it varies more than noise
    return power.astype(np.float32)


@pytest.mark.parametrize("begins_m", [3.0, 5.0, 20.0])
def test_the_ground_does_not_stand_out_of_itself_where_it_begins_or_anywhere(begins_m):
    rng = np.random.default_rng(1)
    rows, cols = (a.ravel() for a in np.meshgrid(np.arange(SHAPE[0]), [-2, -1, 0, 1, 2]))
    told = [ground().stands_out(scene(rng, begins_m), NOISE, rows, cols % SHAPE[1]) for _ in range(20)]
    assert np.mean(told) < 1e-3


def test_what_is_stronger_than_the_ground_about_it_stands_out():
    rng = np.random.default_rng(2)
    for row in (10, 60, 150):
        power = scene(rng)
        power[row, 0] = 30.0 * (1.0 + 1e3 * (5.0 / RANGE_M[row]) ** 3)
        assert ground().stands_out(power, NOISE, np.array([row]), np.array([0])).all()


def test_other_range_rates_are_left_alone_and_without_ground_all_are():
    rng = np.random.default_rng(3)
    rows = np.arange(SHAPE[0])
    power = scene(rng)
    assert ground().stands_out(power, NOISE, rows, np.full(len(rows), 3)).all()  # 0.9 m/s
    assert ground(0.0).stands_out(power, NOISE, rows, np.zeros(len(rows), dtype=int)).all()
    assert not ground(0.0).is_looked_for
    assert ground().is_looked_for
