# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How much of a straight way lies in a zone, also of one with very many corners."""

import tracemalloc

import numpy as np
import pytest

from aegis.core.threat.crossings import share_inside
from aegis.core.threat.zone_settings import Zone
from aegis.core.threat.zones import arrays_of


def circle(corners: int, radius: float) -> Zone:
    angle = np.linspace(0.0, 2.0 * np.pi, corners, endpoint=False)
    return Zone(polygon=tuple((radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)).ravel().tolist()))


@pytest.mark.parametrize(("corners", "ways"), [(3000, 60), (200, 3000)])
def test_many_ways_through_many_corners_are_chords_of_circles_and_take_little_memory(corners, ways):
    radius, rng = 1000.0, np.random.default_rng(5)
    zones = arrays_of(
        {"box": Zone(polygon=(0.0, -500.0, 800.0, -500.0, 800.0, 500.0, 0.0, 500.0)), "circle": circle(corners, radius)}
    )
    y = rng.uniform(-400.0, 400.0, ways)
    start = np.stack([np.full(ways, -4000.0), y, np.full(ways, 50.0)])
    end = np.stack([np.full(ways, 4000.0), y, np.full(ways, 50.0)])
    zone = np.arange(ways) % 2
    tracemalloc.start()
    share = share_inside(start, end, zones, zone)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    expected = np.where(zone == 0, 800.0, 2.0 * np.sqrt(radius**2 - y**2)) / 8000.0
    assert share == pytest.approx(expected, rel=1e-3)
    assert most < 60e6
