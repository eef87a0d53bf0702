# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Extended objects: a vessel of 80 m gives one track, two objects apart give two."""

import numpy as np
import pytest
from scenes import detections_of, plot_of, polar_of
from settings_of import settings_of

from aegis.core.tracking import measurement
from aegis.core.tracking.extent import Known, also_of, merge
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import Pose, TrackStatus

HERE = Pose(np.zeros(3), np.eye(3), np.zeros(3))
NOBODY = Known(np.empty((0, 3)), np.empty(0), np.empty(0))


def test_points_of_one_object_are_averaged():
    xy = np.array([[1000.0, 0.0], [1030.0, 10.0], [1010.0, -10.0], [1500.0, 0.0]])
    merged = merge(measurement.from_detections(plot_of(xy, 0.0, 2.0), HERE), NOBODY, 80.0)
    assert sorted(np.bincount(merged.group).tolist()) == [1, 3]
    big = int(merged.group[0])
    np.testing.assert_allclose(merged.z.value[big, :2], xy[:3].mean(axis=0), atol=1e-9)
    own = merged.z.variance[big, 0] - 4.0 / 3.0
    spread = ((xy[:3] - xy[:3].mean(axis=0)) ** 2).sum() / 2 / 2 - 4.0  # along an axis, without the sensor's own error
    assert own == pytest.approx(spread / 3.0)
    assert merged.scatter[big] == pytest.approx(spread)
    assert np.isnan(merged.scatter[merged.group[3]])


def test_what_moves_differently_is_not_one_object():
    polar = [[1000.0, 0.0, 0.0, 10.0], [1010.0, 0.0, 0.0, -10.0], [1005.0, 0.0, 0.0, 10.5]]
    merged = merge(measurement.from_detections(detections_of(polar, 0.0), HERE), NOBODY, 80.0)
    assert merged.group[0] == merged.group[2] != merged.group[1]


def test_azimuths_are_averaged_across_the_jump():
    polar = [[1000.0, np.pi - 0.005, 0.0, 0.0], [1000.0, -np.pi + 0.005, 0.0, 0.0]]
    merged = merge(measurement.from_detections(detections_of(polar, 0.0), HERE), NOBODY, 80.0)
    assert abs(merged.z.value[0, 1]) == pytest.approx(np.pi)
    np.testing.assert_allclose(merged.z.position[0], [-1000.0, 0.0, 0.0], atol=0.1)


def vessel(k: int, rng: np.random.Generator, points: int) -> np.ndarray:
    """Return points of a vessel 80 m long that goes north at 8 m/s, seen here and there along its length."""
    along = rng.uniform(-40.0, 40.0, points)
    return np.column_stack([np.full(points, 600.0), -300.0 + 8.0 * k + along]) + rng.normal(0.0, 2.0, (points, 2))


@pytest.mark.parametrize("extent_m", [90.0, 0.0])
def test_a_long_vessel_gives_one_track_where_its_length_is_told(extent_m):
    rng = np.random.default_rng(3)
    s = settings_of(TrackingSettings,
        max_extent_m=extent_m, max_range_m=2000.0, initial_speed_sigma_mps=10.0, acceleration_sigma_mps2=0.3,
        clutter_per_scan=1.0, reorder_window_s=0.0,
    )  # fmt: skip
    tracker, shown, errors = Tracker(s), [], []
    for k in range(60):
        tracks = tracker.step(plot_of(vessel(k, rng, 1 + int(rng.poisson(3.0))), float(k), 2.0)).tracks
        confirmed = tracks.status != TrackStatus.TENTATIVE
        if k >= 10:
            shown.append(int(confirmed.sum()))
            errors.append(np.linalg.norm(tracks.state[confirmed, :2] - [600.0, -300.0 + 8.0 * k], axis=1).min())
    if extent_m == 0.0:
        assert np.mean(shown) > 1.2  # the test's own control: as points, the vessel gives more than one
        return
    assert set(shown) == {1}
    assert np.sqrt(np.mean(np.square(errors))) < 15.0
    assert tracker.state.tracks["scatter"].max() == pytest.approx(80.0 / np.sqrt(12.0) / np.sqrt(2.0), rel=0.5)


def test_two_vessels_farther_apart_than_their_length_stay_two():
    rng = np.random.default_rng(4)
    tracker = Tracker(
        settings_of(TrackingSettings, max_extent_m=40.0, max_range_m=2000.0, initial_speed_sigma_mps=10.0)
    )
    for k in range(20):
        plots = [[x + rng.normal(0, 10), 5.0 * k + rng.normal(0, 2)] for x in (300.0, 450.0) for _ in range(3)]
        tracks = tracker.step(plot_of(plots, float(k), 2.0)).tracks
    assert (tracks.status == TrackStatus.CONFIRMED).sum() == 2


def test_a_radar_with_doppler_sees_one_turning_object_as_one():
    tracker = Tracker(settings_of(TrackingSettings, max_extent_m=20.0))
    for k in range(15):
        parts = [np.array([500.0 + dx, 10.0 * k + dy, 2.0, 0.5, 10.0, 0.0]) for dx, dy in ((0, 0), (2, 4), (-2, -4))]
        polar = np.array([polar_of(part) for part in parts])
        tracks = tracker.step(detections_of(polar, float(k), sigma=np.array([0.5, 0.005, 0.01, 0.2]))).tracks
    assert len(tracks) == 1
    np.testing.assert_allclose(tracks.state[0, :2], [500.0, 140.0], atol=2.0)


def test_two_tracks_of_one_object_are_told_from_two_objects():
    position = np.array([[0.0, 0.0], [2.0, 0.0], [2.2, 0.0], [9.0, 0.0], [9.0, 2.4]])
    velocity = np.array([[8.0, 0.0], [8.0, 0.5], [6.0, 0.0], [8.0, 0.0], [8.0, 0.0]])
    born = np.array([5, 3, 1, 7, 7])
    # The second is older than the first and moves alike; the third passes by; the last two began together, 2.4 m apart.
    assert also_of(position, velocity, born, 5.0).tolist() == [True, False, False, False, True]
    assert not also_of(position, velocity, born, 3.0).any()
    assert also_of(position[:1], velocity[:1], born[:1], 5.0).tolist() == [False]


def test_an_object_that_began_as_two_tracks_becomes_one():
    """A car's front and rear, 4 m apart, are two at first; then it turns and shows its narrow side."""
    rng = np.random.default_rng(6)
    tracker = Tracker(
        settings_of(
            TrackingSettings,
            max_extent_m=5.0,
            max_range_m=200.0,
            initial_speed_sigma_mps=10.0,
            acceleration_sigma_mps2=1.0,
            clutter_per_scan=0.1,
            max_coast_s=2.0,
            mean_hidden_s=1.0,
        )
    )
    counts = []
    for k in range(180):
        half = max(0.8, 2.0 - 0.02 * max(k - 30, 0))
        plots = [[80.0 - 0.4 * k + rng.normal(0.0, 0.2), side * half + rng.normal(0.0, 0.2)] for side in (-1.0, 1.0)]
        tracks = tracker.step(plot_of(plots, 0.05 * k, 0.2)).tracks
        counts.append(int((tracks.status != TrackStatus.TENTATIVE).sum()))
    assert counts[25] == 2
    assert counts[-20:] == [1] * 20
