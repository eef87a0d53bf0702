# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The local density of false alarms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import detections_of, plot_of
from scipy.spatial import cKDTree

from aegis.core.tracking import clutter, measurement
from aegis.core.tracking.clutter import HOLE, ClutterMap
from aegis.core.tracking.measurement import SensorView
from aegis.core.types import Pose

SECOND = 1_000_000_000
STILL = Pose(np.zeros(3), np.eye(3), np.zeros(3))


def view_of(half_deg: float = 180.0, far: float = 1000.0) -> SensorView:
    return SensorView(STILL, 0.0, far, np.deg2rad(half_deg) + 1e-9, -np.pi, np.pi, 0.9)


def plots_at(xy) -> measurement.Plots:
    return measurement.from_detections(plot_of(xy, 0.0, 5.0), STILL)


def sure(n: int) -> np.ndarray:
    return np.ones(n)


def test_it_settles_at_the_rate_of_each_place():
    """East five false alarms a scan on half of the view, west of it one in five scans, where five on all of it are usual."""
    rng = np.random.default_rng(1)
    known, scans = ClutterMap.empty(), 400
    for k in range(scans):
        plots = rng.uniform(-1000.0, 1000.0, (40, 2))
        plots = plots[np.hypot(*plots.T) < 1000.0]
        east, west = plots[plots[:, 0] > 0][: rng.poisson(5.0)], plots[plots[:, 0] < 0][: rng.poisson(0.2)]
        known = known.after(np.concatenate([east, west]), sure(len(east) + len(west)), k * SECOND, scans * SECOND)
    found = known.excess(plots_at([[500.0, 0.0], [-500.0, 0.0]]), view_of(), 5.0, 300.0)
    assert found == pytest.approx([2.0, 0.08], rel=0.25)


def test_nothing_seen_means_the_usual_density_and_then_less():
    at = plots_at([[1.0, 0.0]])
    assert ClutterMap.empty().excess(at, view_of(), 2.0, 100.0) == pytest.approx([1.0])
    known = ClutterMap.empty()
    for k in range(10):
        known = known.after(np.empty((0, 2)), np.empty(0), k * SECOND, 40 * SECOND)
    usual = 2.0 * 0.01 * (1 - HOLE**2)  # a disc of 100 m in one of 1000 m
    assert known.excess(at, view_of(), 2.0, 100.0)[0] == pytest.approx(1.0 / (1.0 + 10 * usual), rel=5e-3)


def test_it_forgets_and_does_not_count_the_object_itself():
    known = ClutterMap.empty().after(np.array([[0.0, 0.0], [50.0, 0.0]]), sure(2), 0, 40 * SECOND)
    at = np.array([[0.0, 0.0]])
    assert known.count(at, 100.0).tolist() == [1.0]  # only the one 50 m away
    later = known.after(np.empty((0, 2)), np.empty(0), 41 * SECOND, 40 * SECOND)
    assert later.count(at, 100.0).tolist() == [0.0]
    assert len(known.position) == 2  # the earlier map is as it was


def test_what_may_be_an_object_counts_as_far_as_it_may_be_none():
    places = np.array([[50.0, 0.0], [60.0, 0.0], [70.0, 0.0]])
    known = ClutterMap.empty().after(places, np.array([0.25, 0.5, 0.01]), 0, 40 * SECOND)
    assert known.count(np.zeros((1, 2)), 100.0).tolist() == [0.75]
    assert len(known.position) == 2  # what is hardly a false alarm is not kept


@given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 50.0, 400.0, 1e5]), st.sampled_from([1.0, 1e3, 1e7]))
def test_counting_by_a_grid_is_counting(seed, radius, spread):
    """Also where all lies in one cell, in a line, or so far apart that the cells are larger than the radius."""
    rng = np.random.default_rng(seed)
    past = rng.normal(0.0, spread, (rng.integers(1, 60), 2)) * rng.choice([0.0, 1.0, 1e-3], 2)
    known = ClutterMap.empty().after(past, sure(len(past)), 0, SECOND)
    at = np.concatenate([past[:5] + rng.normal(0.0, radius, (len(past[:5]), 2)), rng.normal(0.0, 2.0 * spread, (5, 2))])
    tree = cKDTree(past)
    around = tree.query_ball_point(at, radius, return_length=True)
    nearest = tree.query_ball_point(at, HOLE * radius, return_length=True)
    np.testing.assert_array_equal(known.count(at, radius), around - nearest)


@pytest.mark.parametrize("polar", [True, False])
@pytest.mark.parametrize("half_deg", [30.0, 180.0])
def test_the_share_of_a_disc_is_that_of_points_drawn(polar, half_deg):
    """Inside the view, across its edges, around the sensor and outside."""
    rng = np.random.default_rng(3)
    n, half = 400_000, np.deg2rad(half_deg)
    r = 1000.0 * (rng.random(n) if polar else np.sqrt(rng.random(n)))
    azimuth = rng.uniform(-half, half, n)
    drawn = np.stack([r * np.cos(azimuth), r * np.sin(azimuth)], axis=1)
    at = np.array([[500.0, 0.0], [950.0, 0.0], [600.0, 340.0], [30.0, 10.0], [-500.0, 0.0], [2000.0, 0.0]])
    found = clutter.share_of_disc(at, view_of(half_deg), 200.0, polar=polar)
    expected = cKDTree(drawn).query_ball_point(at, 200.0, return_length=True) / n
    np.testing.assert_allclose(found, expected, rtol=0.06, atol=0.0015)


def test_the_radius_follows_the_view_where_nothing_is_said_of_it():
    known = ClutterMap.empty().after(np.array([[150.0, 0.0], [250.0, 0.0]]), sure(2), 0, 40 * SECOND)
    at = measurement.from_detections(detections_of([[1.0, 0.0, np.nan, np.nan]], 0.0), STILL)
    said, unsaid = (known.excess(at, view_of(), 2.0, radius) for radius in (200.0, 0.0))
    assert said == unsaid
    assert known.excess(at, view_of(far=1300.0), 2.0, 0.0) > said


def test_maps_that_part_do_not_touch_each_other():
    """A scan that came late has the state gone back, and what was remembered after it done again."""
    known = ClutterMap.empty()
    for k in range(5):
        known = known.after(np.full((2, 2), float(k)), sure(2), k * SECOND, 40 * SECOND)
    on = known.after(np.full((1, 2), 10.0), sure(1), 5 * SECOND, 40 * SECOND)
    other = known.after(np.full((1, 2), 20.0), sure(1), 6 * SECOND, 40 * SECOND)
    expected = np.repeat(np.arange(5.0), 2)
    np.testing.assert_array_equal(known.position[:, 0], expected)
    np.testing.assert_array_equal(on.position[:, 0], np.append(expected, 10.0))
    np.testing.assert_array_equal(other.position[:, 0], np.append(expected, 20.0))
    assert (on.stamp_ns[-1], other.stamp_ns[-1]) == (5 * SECOND, 6 * SECOND)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.booleans())
def test_counting_by_whole_cells_is_counting_them(seed, polar, sector):
    """Every cell by itself: its middle within the radius of the middle of the position's own cell, no point of it in the hole."""
    rng = np.random.default_rng(seed)
    view, radius = view_of(40.0 if sector else 180.0), 200.0
    known = ClutterMap.empty()
    for k in range(6):
        past = rng.uniform(-1100.0, 1100.0, (rng.integers(0, 30), 2))
        known = known.after(past, rng.uniform(0.1, 1.0, len(past)), k * SECOND, 40 * SECOND, 0.5)
    at = rng.uniform(-1000.0, 1000.0, (4, 2))
    grid = clutter.cells_over(at, view, radius)
    found, usual = known.in_cells(at, view, radius, grid, polar=polar)
    side = radius / clutter.CELLS
    middles = side * (
        np.floor(np.stack(np.meshgrid(*2 * [np.arange(-1300.0, 1300.0, side)]), -1).reshape(-1, 2) / side) + 0.5
    )
    reach, azimuth = np.hypot(*middles.T), np.arctan2(middles[:, 1], middles[:, 0])
    there = (reach <= 1000.0) & (np.abs(azimuth) <= view.azimuth_rad)
    share = side**2 * there / (view.azimuth_rad * 1e6)
    if polar:
        share = side**2 * there / np.maximum(reach, 0.283 * side) / (2.0 * view.azimuth_rad * 1000.0)
    for d in range(len(at)):
        own = side * (np.floor(at[d] / side) + 0.5)

        def counts(middle, own=own):
            off = np.abs(middle - own)
            nearest = np.hypot(*np.maximum(off - side, 0.0).T)
            return (np.hypot(*off.T) <= radius * (1 + 1e-9)) & (nearest >= HOLE * radius * (1 - 1e-9))

        expected = known.weight[counts(side * (np.floor(known.position / side) + 0.5))].sum()
        expected_usual = 6 * 0.5 * share[counts(middles)].sum()
        assert found[d] == pytest.approx(expected, rel=1e-9, abs=1e-9)
        assert usual[d] == pytest.approx(expected_usual, rel=1e-9)


def test_whole_cells_say_what_discs_say(monkeypatch):
    """Of many false alarms, three times as many east as west: each within the chance of what it counts."""
    rng = np.random.default_rng(5)
    known = ClutterMap.empty()
    for k in range(50):
        x = np.where(rng.random(400) < 0.75, 1.0, -1.0) * rng.uniform(0.0, 700.0, 400)
        known = known.after(np.stack([x, rng.uniform(-700.0, 700.0, 400)], 1), sure(400), k * SECOND, 60 * SECOND)
    at = plots_at([[350.0, 0.0], [-350.0, 100.0], [300.0, 600.0], [0.0, -300.0]])
    discs = known.excess(at, view_of(), 400.0, 200.0)
    monkeypatch.setattr(clutter, "MOST_PAIRS", 0)
    cells = known.excess(at, view_of(), 400.0, 200.0)
    assert discs[0] / discs[1] == pytest.approx(3.0, rel=0.15)
    np.testing.assert_allclose(cells, discs, rtol=0.08)


def test_where_cells_would_be_too_many_discs_are_counted():
    assert clutter.cells_over(np.zeros((1, 2)), view_of(far=1e5), 500.0) is None
