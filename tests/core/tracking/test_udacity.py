# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Lidar and radar in turn on one pedestrian who turns: the pass mark of Udacity's course (RMSE of x, y, vx, vy)."""

import numpy as np
import pytest
from scenes import detections_of, plot_of
from settings_of import settings_of

from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker

PASS = np.array([0.11, 0.11, 0.52, 0.52])


@pytest.fixture(scope="module")
def recording(shared_data):
    """Return rows of (sensor, measurement, stamp [s], truth x y vx vy)."""
    rows = []
    for line in (shared_data / "udacity_ekf/obj_pose-laser-radar-synthetic-input.txt").read_text().splitlines():
        kind, *numbers = line.split()
        values = [float(v) for v in numbers]
        size = 2 if kind == "L" else 3
        rows.append((kind, values[:size], values[size] * 1e-6 % 1e5, values[size + 1 : size + 5]))
    return rows


def test_lidar_and_radar_together_pass(recording):
    s = settings_of(TrackingSettings,
        acceleration_sigma_mps2=1.0, initial_speed_sigma_mps=5.0,
        max_range_m=100.0, clutter_per_scan=1e-3, turn_rate_sigma_degps=30.0, turn_rate_change_degps=10.0,
        mean_straight_s=5.0, mean_turn_s=5.0, gate_probability=0.99999, initial_height_sigma_m=1e-3,
    )  # fmt: skip
    tracker, errors, ids = Tracker(s), [], set()
    for kind, value, stamp, truth in recording:
        if kind == "L":
            scan = plot_of([value], stamp, 0.15, sensor="lidar")
        else:
            radar = [value[0], (value[1] + np.pi) % (2 * np.pi) - np.pi, np.nan, value[2]]
            scan = detections_of(radar, stamp, sigma=np.array([0.3, 0.03, 1.0, 0.3]), sensor="radar")
        tracks = tracker.step(scan).tracks
        best = tracks.existence_probability.argmax() if len(tracks) else None
        if best is not None:
            ids.add(int(tracks.track_id[best]))
            errors.append(tracks.state[best][[0, 1, 3, 4]] - truth)
    assert len(errors) >= len(recording) - 1
    assert len(ids) == 1
    rmse = np.sqrt(np.mean(np.square(errors), axis=0))
    print("RMSE:", np.round(rmse, 3))
    assert (rmse <= PASS).all(), rmse
