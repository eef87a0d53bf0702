# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The measure of what tracks are called, and that named classes are right, on seeds that nothing was chosen on."""

import numpy as np
import pytest

from aegis.bench.classes import DRAWS, MATCH_M, SHOWN_SEED, matches, run, traffic


def test_classes_named_by_the_table_are_right():
    *kinds, everything = run(2, classifier="table")
    assert [row["kind"] for row in kinds] == list(DRAWS)
    assert everything["track_scans"] == sum(row["track_scans"] for row in kinds) > 3000
    assert everything["wrong_%"] <= 1.0
    assert everything["right_%"] >= 20.0  # else it says nothing
    (light,) = (row for row in kinds if row["kind"] == "light aircraft")
    assert light["called"] == {}  # was HELICOPTER in 84 %
    for row in kinds:
        assert row["right_%"] + row["wrong_%"] + row["unknown_%"] == pytest.approx(100.0, abs=0.2)


def test_the_network_names_more_and_is_seldom_surely_wrong():
    """On traffic of another kind than it was trained on."""
    *_, everything = run(2, classifier="trained")
    assert everything["right_%"] >= 45.0
    assert everything["surely_wrong_%"] <= 1.0


def test_the_traffic_is_as_drawn():
    scenario = traffic(SHOWN_SEED)
    position, velocity = scenario.position_velocity(0.0)
    for target, where, speed in zip(scenario.targets, position, np.linalg.norm(velocity, axis=1), strict=True):
        draw = DRAWS[target.name.rsplit(" ", 1)[0]]
        assert target.class_id is draw.class_id
        low, high = (0.0 if draw.still_share else draw.speed_mps[0]), draw.speed_mps[1]
        assert low - 1e-9 <= speed <= high + 1e-9
        assert draw.range_m[0] <= np.hypot(*where[:2]) <= draw.range_m[1]


def test_a_track_is_of_the_object_that_is_near():
    truth = np.array([[0.0, 0.0, 0.0], [100.0, 0.0, 0.0], [9000.0, 0.0, 0.0]])
    tracks = np.array([[90.0, 0.0, 0.0], [9000.0, 2.0 * MATCH_M, 0.0], [20.0, 0.0, 0.0]])
    assert sorted(matches(tracks, truth)) == [(0, 1), (2, 0)]
