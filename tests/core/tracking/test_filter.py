# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A state is not changed by what follows from it."""

import copy

import numpy as np
import pytest
from scenes import approach, crossing, detections_of, plot_of

from aegis.core.classification.track_model import TableModel
from aegis.core.ids import UniqueIds
from aegis.core.tracking.filter import Filter
from aegis.core.tracking.filter_state import State
from aegis.core.tracking.settings import TrackingSettings


def arrays_of(state: State) -> list[np.ndarray]:
    entered = state.entered or ()
    clutter = [
        column for local in state.clutter.values() for column in (local.position, local.stamp_ns, local.scans_ns)
    ]
    return [*state.tracks.kinematics, *state.tracks.tables, state.tracks.looks, *entered, *clutter]


@pytest.mark.parametrize(
    ("changes", "model"),
    [
        ({}, TableModel()),
        ({}, TableModel(remembers=True)),
        ({"motion.model": "cv", "association.method": "gnn", "max_extent_m": 20.0}, TableModel()),
        (
            {"clutter.memory_s": 60.0, "birth.places.gate.x": 1000.0, "existence.mean_visible_s": 30.0},
            TableModel(),
        ),
    ],
    ids=["defaults", "looks", "gnn, extended", "clutter map, places, hidden"],
)
def test_advancing_twice_from_one_state_gives_the_same_and_leaves_it(changes, model):
    tracking = Filter(TrackingSettings.load(changes), UniqueIds(), model)
    state = tracking.blank
    scans = [detections_of(np.vstack([approach(k), crossing(k)]), float(k)) for k in range(6)]
    scans.insert(4, detections_of(approach(3.0), 3.0, sensor="other"))  # no time passes
    for serial, scan in enumerate(scans, 1):
        before, undetected = copy.deepcopy(arrays_of(state)), dict(state.undetected)
        once, report = tracking.advance(state, scan, serial, {})
        names = dict(zip(once.tracks["birth"].tolist(), once.tracks["id"].tolist(), strict=True))
        twice, again = tracking.advance(state, scan, serial, names)
        for was, now in zip(before, arrays_of(state), strict=True):
            assert was.tobytes() == np.ascontiguousarray(now).tobytes()
        assert state.undetected == undetected
        for a, b in zip(arrays_of(once), arrays_of(twice), strict=True):
            assert np.ascontiguousarray(a).tobytes() == np.ascontiguousarray(b).tobytes()
        np.testing.assert_array_equal(report.tracks.state, again.tracks.state)
        state = once
    assert len(state.tracks) >= 2
    assert bool(state.tracks.memory.any()) == model.remembers


def test_a_plot_beyond_all_tracks_changes_none_of_them():
    tracking = Filter(TrackingSettings(), UniqueIds(), TableModel())
    state, _ = tracking.advance(tracking.blank, plot_of([[1000.0, 0.0]], 0.0, 5.0), 1, {})
    near, _ = tracking.advance(state, plot_of([[1000.0, 0.0]], 1.0, 5.0), 2, {})
    both, _ = tracking.advance(state, plot_of([[1000.0, 0.0], [-4000.0, 3000.0]], 1.0, 5.0), 2, {})
    assert len(both.tracks) == len(near.tracks) + 1
    np.testing.assert_array_equal(both.tracks.kinematics.x[:1], near.tracks.kinematics.x[:1])
