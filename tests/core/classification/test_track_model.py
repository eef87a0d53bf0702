# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Classes over a track: evidence, no flips, and looks that say nothing, through the tracker itself."""

import numpy as np
import pytest
from class_looks import LOOKS, ByLooks, scan
from hypothesis import given
from hypothesis import strategies as st

from aegis.core.classification.physical import decide
from aegis.core.classification.track_model import LOOKS_TO_RENAME, TableModel, kept, named, relative_priors
from aegis.core.detection.detector import Detector
from aegis.core.detection.settings import DetectionSettings
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import N_CLASSES, ClassId


def told(model, scans, **settings) -> list[tuple[int, np.ndarray]]:
    detector = Detector(DetectionSettings())
    tracker = Tracker(TrackingSettings.load({f"classification.{k}": v for k, v in settings.items()}), model=model)
    out = []
    for one in scans:
        tracks = tracker.step(detector.step(one)[0]).tracks
        if len(tracks):
            out.append((int(tracks.class_id[0]), tracks.class_probability[0]))
    return out


def test_a_track_takes_another_class_only_after_looks_that_say_so():
    drone, bird = int(ClassId.DRONE), int(ClassId.BIRD)
    # Looks are counted from the first that the picture shows.
    model = ByLooks([0, drone, drone, drone, bird, drone, bird, bird, bird, bird])
    found = [class_id for class_id, _ in told(model, [scan(k) for k in range(10)])]
    waits = [0] * (int(LOOKS_TO_RENAME) - 1)
    assert found == [drone, drone, drone, 0, drone, *waits, bird, bird]


DRONE, BIRD = int(ClassId.DRONE), int(ClassId.BIRD)


def followed(best: list[int], sure: list[float], threshold: float, first_look: int) -> list[int]:
    """Return what is told look after look, of looks from the first one on."""
    last, out = np.zeros(1, np.int64), []
    for k, (class_id, p) in enumerate(zip(best, sure, strict=True)):
        probability = np.full((1, N_CLASSES), (1.0 - p) / (N_CLASSES - 1))
        probability[0, class_id] = p
        last = kept(decide(probability, 0.65)[0], probability, last, np.array([float(first_look + k)]), threshold)
        out.append(int(last[0]))
    return out


def test_a_track_keeps_its_class_while_that_is_the_likeliest_and_likely_enough():
    """Told from .65 on, kept from .55 on: what it lost it gets back as it got it."""
    sure = [0.6, 0.7, 0.6, 0.56, 0.54, 0.6, 0.66, 0.56]
    assert followed([DRONE] * 8, sure, 0.55, 40) == [0, DRONE, DRONE, DRONE, 0, 0, DRONE, DRONE]
    assert followed([DRONE, BIRD, DRONE], [0.7, 0.6, 0.6], 0.55, 40) == [DRONE, 0, 0]
    assert followed([DRONE] * 4, [0.7, 0.6, 0.7, 0.6], 0.65, 40) == [DRONE, 0, DRONE, 0]


def test_what_was_told_early_is_taken_back_until_the_window_is_full():
    assert followed([DRONE] * 4, [0.7, 0.6, 0.7, 0.6], 0.55, 32 - 3) == [DRONE, 0, DRONE, DRONE]


def test_the_tracker_keeps_a_class_by_its_looks():
    model = ByLooks([DRONE], [0.7] * 33 + [0.6] * 4 + [0.5])
    found = [class_id for class_id, _ in told(model, [scan(k) for k in range(40)])]
    assert found[30:] == [DRONE] * 6 + [0] * 3
    early = ByLooks([DRONE], [0.7] * 5 + [0.6])
    assert [class_id for class_id, _ in told(early, [scan(k) for k in range(8)])] == [DRONE] * 4 + [0] * 3


def test_without_a_look_nothing_changes():
    model = ByLooks([0, *[int(c) for c in (ClassId.DRONE, ClassId.BIRD, ClassId.VESSEL) * 10]])
    scans = [scan(k) for k in range(6)] + [scan(6 + k, there=False) for k in range(2)]
    found = told(model, scans)
    for class_id, probability in found[-2:]:
        assert class_id == found[-3][0]
        np.testing.assert_array_equal(probability, found[-3][1])


@pytest.mark.parametrize(("weak", "counts"), [({"snr": 3.0}, 5), ({"noise": -80.0}, 5), ({}, 10)])
def test_looks_that_are_weak_or_jammed_do_not_count(weak, counts):
    model = ByLooks([0, int(ClassId.DRONE)])
    told(model, [scan(k) for k in range(6)] + [scan(6 + k, **weak) for k in range(5)])
    assert model.memory[LOOKS, 0] == counts


@given(st.lists(st.tuples(st.integers(0, N_CLASSES - 1), st.booleans()), min_size=1, max_size=40))
def test_no_class_follows_another_without_looks_between(steps):
    before, rival = np.zeros(1), np.zeros(1)
    last, since = 0, 0.0
    for class_id, looked in steps:
        class_id, before, rival = named(np.array([class_id]), before, rival, np.array([looked]))
        since += looked
        if class_id[0]:
            assert class_id[0] == last or last == 0 or since >= LOOKS_TO_RENAME
            last, since = class_id[0], 0.0


def test_priors_and_classes_that_cannot_be_met():
    prior = relative_priors((ClassId.DRONE, ClassId.BIRD), {ClassId.BIRD: 10.0})
    assert prior[[ClassId.UNKNOWN, ClassId.DRONE, ClassId.BIRD]].tolist() == [1.0, 1.0, 10.0]
    assert prior.sum() == 12.0
    table = TableModel(priors={ClassId.BIRD: 10.0})
    assert table.prior[ClassId.BIRD] == pytest.approx(10.0 * table.prior[ClassId.DRONE])
