# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is learned from: the looks that are kept of simulated tracks are those that tracking itself remembered."""

import numpy as np
import pytest

from aegis.core.classification.track_memory import MEMORY, features
from aegis.core.detection.detector import Detector
from aegis.core.detection.settings import DetectionSettings
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import ClassId
from aegis.simulation.kinds import KINDS, MIXED, STRANGERS, mixed
from aegis.simulation.points import Simulator
from aegis.simulation.settings import SimulatorSettings
from aegis.training.tracks import ALL_KINDS, LOOK, Histories, Watching, histories, observed

SEED = 990_003


@pytest.fixture(scope="module")
def kept() -> Histories:
    return histories(SEED)


def test_features_made_of_kept_looks_are_those_of_the_tracker():
    radar = SimulatorSettings(scenario="drone_swarm", seed=5)
    tracker = Tracker(TrackingSettings(), model=Watching())
    found = observed(Simulator(radar), Detector(DetectionSettings()), tracker, 40)
    assert len(found) >= 8
    rows = tracker.state.tracks
    place = {number: k for k, number in enumerate(rows["id"].tolist())}
    for one in found:
        memory = rows.memory[:, [place[one.track]]]
        assert memory[MEMORY.index("class_looks"), 0] == len(one.looks)
        count, nothing = np.array([len(one.looks)]), np.zeros(1, np.int64)
        history = Histories(one.looks.astype(np.float32), count, nothing, nothing, nothing, nothing, nothing)
        np.testing.assert_allclose(history.examples(count).features, features(memory), rtol=1e-3, atol=2e-3)


def test_each_example_has_the_class_of_its_kind(kept):
    kinds = list(ALL_KINDS)
    assert kept.looks.shape == (kept.many.sum(), LOOK)
    assert [int(ALL_KINDS[kinds[k]].class_id) for k in kept.kind] == kept.class_id.tolist()
    assert {kinds[k] for k in kept.kind} <= set(KINDS)


def test_nobody_trains_on_strangers():
    strange = histories(SEED, strangers=True)
    assert {list(ALL_KINDS)[k] for k in strange.kind} <= set(STRANGERS)
    assert not set(STRANGERS) & set(KINDS)


def test_a_mixed_kind_is_of_three_classes_and_so_of_none():
    rng = np.random.default_rng(1)
    for _ in range(50):
        kind = mixed(rng)
        assert kind.class_id is ClassId.UNKNOWN
        moves, echoes, flies = (
            {k.class_id for k in KINDS.values() if getattr(k, name) == getattr(kind, name)}
            for name in ("speed_mps", "rcs_dbsm", "height_m")
        )
        assert len(moves | echoes | flies) >= 3
    assert KINDS[MIXED].class_id is ClassId.UNKNOWN
