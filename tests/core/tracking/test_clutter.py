"""The local density of false alarms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import detections_of, plot_of
from scipy.spatial import cKDTree

from aegis.core.tracking import clutter, measurement
from aegis.core.tracking.clutter import HOLE, ClutterMap, Now
from aegis.core.tracking.measurement import SensorView
from aegis.core.types import Pose

SECOND = 1_000_000_000
LATER = Now(1000 * SECOND, 0.0)
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
    found = known.excess(plots_at([[500.0, 0.0], [-500.0, 0.0]]), view_of(), 5.0, 300.0, LATER)
    assert found == pytest.approx([2.0, 0.08], rel=0.25)


def test_nothing_seen_means_the_usual_density_and_then_less():
    at = plots_at([[1.0, 0.0]])
    assert ClutterMap.empty().excess(at, view_of(), 2.0, 100.0, LATER) == pytest.approx([1.0])
    known = ClutterMap.empty()
    for k in range(10):
        known = known.after(np.empty((0, 2)), np.empty(0), k * SECOND, 40 * SECOND)
    usual = 2.0 * 0.01 * (1 - HOLE**2)  # a disc of 100 m in one of 1000 m
    assert known.excess(at, view_of(), 2.0, 100.0, LATER)[0] == pytest.approx(1.0 / (1.0 + 10 * usual), rel=5e-3)


def test_it_forgets_and_does_not_count_the_object_itself():
    known = ClutterMap.empty().after(np.array([[0.0, 0.0], [50.0, 0.0]]), sure(2), 0, 40 * SECOND)
    at = np.array([[0.0, 0.0]])
    assert known.count(at, 100.0, LATER).tolist() == [1.0]  # only the one 50 m away
    later = known.after(np.empty((0, 2)), np.empty(0), 41 * SECOND, 40 * SECOND)
    assert later.count(at, 100.0, LATER).tolist() == [0.0]
    assert len(known.position) == 2  # the earlier map is as it was


def test_what_a_fast_object_may_have_given_in_the_last_scans_does_not_count():
    """Every second a plot 150 m farther on, as of an object of 150 m/s: only what is older than three scans counts."""
    known = ClutterMap.empty()
    for k in range(6):
        known = known.after(np.array([[150.0 * k, 0.0]]), sure(1), k * SECOND, 40 * SECOND)
    at = np.array([[150.0 * 6, 0.0]])
    assert known.count(at, 1000.0, Now(6 * SECOND, 0.0)).tolist() == [5.0]  # the last one lies in the hole
    assert known.count(at, 1000.0, Now(6 * SECOND, 200.0)).tolist() == [3.0]


def test_what_may_be_an_object_counts_as_far_as_it_may_be_none():
    places = np.array([[50.0, 0.0], [60.0, 0.0], [70.0, 0.0]])
    known = ClutterMap.empty().after(places, np.array([0.25, 0.5, 0.01]), 0, 40 * SECOND)
    assert known.count(np.zeros((1, 2)), 100.0, LATER).tolist() == [0.75]
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
    np.testing.assert_array_equal(known.count(at, radius, LATER), around - nearest)


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
    said, unsaid = (known.excess(at, view_of(), 2.0, radius, LATER) for radius in (200.0, 0.0))
    assert said == unsaid
    assert known.excess(at, view_of(far=1300.0), 2.0, 0.0, LATER) > said
