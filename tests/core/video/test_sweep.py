# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Video made coarser for displays, against every cell put where it belongs, one by one."""

import math
from itertools import pairwise
from statistics import median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aegis.core.video.spokes import Spokes
from aegis.core.video.sweep import BEARINGS, MOST_CELLS, WIDEST, sweep_sectors

HEADING = 0.7


def spokes_of(azimuth, heading, codes, **more) -> Spokes:
    n = len(azimuth)
    return Spokes(
        5, "radar", 1, "left", np.array(azimuth, float), np.array(heading, float), np.zeros(n), 12.0, 4.0,
        more.pop("full_scale", 200), codes, **more,
    )  # fmt: skip


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 700))
def test_each_cell_of_the_grid_is_the_strongest_of_what_lies_in_it(seed, spokes, cells):
    rng = np.random.default_rng(seed)
    azimuth = rng.uniform(-7.0, 7.0) - np.cumsum(rng.uniform(0.0, 0.02, spokes))
    heading = np.where(rng.random(spokes) < 0.5, rng.uniform(0.0, 6.0), np.nan)
    codes = rng.integers(0, 201, (spokes, cells)).astype(np.uint8)
    found = sweep_sectors(spokes_of(azimuth, heading, codes), HEADING)
    step = math.ceil(cells / MOST_CELLS)
    expected: dict[tuple[int, int], int] = {}
    for k in range(spokes):
        towards = (HEADING if math.isnan(heading[k]) else heading[k]) - azimuth[k]
        bearing = math.floor((towards % math.tau) / math.tau * BEARINGS) % BEARINGS
        for m in range(cells):
            key = bearing, m // step
            expected[key] = max(expected.get(key, 0), int(codes[k, m]) * 255 // 200)
    # Between spokes that are near to one another, and after the last of them, it looks as at the spoke before.
    hit = sorted({bearing for bearing, _ in expected})
    gaps = [after - before for before, after in pairwise(hit)]
    usual = int(median([gap for gap in gaps if gap <= WIDEST] or [1]))
    for bearing, gap in zip(hit, [*gaps, BEARINGS], strict=True):
        for more in range(1, gap if gap <= WIDEST else min(usual, BEARINGS - bearing)):
            expected |= {(bearing + more, m): level for (at, m), level in expected.items() if at == bearing}
    got = {
        (one.first + i, j): int(level)
        for one in found
        for i, row in enumerate(one.levels)
        for j, level in enumerate(row)
    }
    assert got == expected
    assert {(one.first_range_m, one.cell_m, one.sensor_id) for one in found} == {(12.0, 4.0 * step, "left")}
    assert all(one.first + len(one.levels) <= BEARINGS for one in found)  # none goes on beyond north


@pytest.mark.parametrize(("code", "level"), [(9, 255), (10, 255), (3, 85)])
def test_a_mark_of_an_echo_that_moves_is_full_scale(code, level):
    codes = np.array([[0, code]], np.uint8)
    (sector,) = sweep_sectors(spokes_of([0.0], [0.0], codes, full_scale=9, approaching=10), HEADING)
    assert sector.levels.tolist() == [[0, level]]
