# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What recorded objects are called: counted rightly, and never what they cannot be."""

import numpy as np
import pytest

from aegis.bench import BenchmarkError, real_classes
from aegis.core.types import N_CLASSES, ClassId, Tracks, TrackStatus


def test_a_folder_without_recordings_is_said(tmp_path):
    with pytest.raises(BenchmarkError, match="--recordings"):
        list(real_classes.run(1, tmp_path))


def test_one_who_walks_is_no_aircraft(shared_data):
    file, profile, right, make = real_classes._SOURCES["radhar, walk___20_walk_6"]
    if not (shared_data / file).exists():
        pytest.skip(f"{file} is not in ../shared/data")
    told = real_classes._free(real_classes.Profile.read(profile))
    row = real_classes._counted(told, right, make(shared_data, told))
    assert row["track_scans"] > 300
    assert row["aircraft_or_missile"] == 0.0
    assert row["right"] + row["unknown"] > 0.9
    assert sum(row["told"].values()) == pytest.approx(1.0, abs=0.01)


def test_what_stands_in_traffic_and_what_was_seen_seldom_is_not_judged():
    n = 4
    tracks = Tracks(
        1, "map", 1, "radar", np.arange(1, n + 1), np.array([2, 2, 2, 1]), np.zeros((n, 6)), np.zeros((n, 6, 6)),
        np.full(n, int(ClassId.VEHICLE)), np.full((n, N_CLASSES), 0.1), np.ones(n), np.zeros(n), np.ones(n), np.zeros(n),
        np.array([10, 9, 30, 30]),
    )  # fmt: skip
    assert TrackStatus(2) is TrackStatus.CONFIRMED
    tracks.state[:, 3] = [3.0, 3.0, 0.5, 3.0]
    assert real_classes._judged(tracks, moving_only=True).tolist() == [True, False, False, False]
    assert real_classes._judged(tracks, moving_only=False).tolist() == [True, False, True, False]
