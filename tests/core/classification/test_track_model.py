# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Classes over a track: evidence, no flips, and looks that say nothing, through the tracker itself."""

import numpy as np
import pytest
from class_looks import LOOKS, ByLooks, scan
from hypothesis import given
from hypothesis import strategies as st

from aegis.core.classification.physical import decide
from aegis.core.classification.track_model import LOOKS_TO_NAME, TableModel, named, relative_priors
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


DRONE, BIRD = int(ClassId.DRONE), int(ClassId.BIRD)


def followed(best: list[int], sure: list[float], first_look: int = 1, looked: list[bool] | None = None) -> list[int]:
    """Return what is told look after look, of looks from the first one on; told from .65 on, kept from .55 on."""
    last, met, looks, out = np.zeros(1, np.int64), np.zeros(1), np.zeros(1), []
    for k, (class_id, p) in enumerate(zip(best, sure, strict=True)):
        probability = np.full((1, N_CLASSES), (1.0 - p) / (N_CLASSES - 1))
        probability[0, class_id] = p
        last, met, looks = named(
            decide(probability, 0.65)[0], probability, last, np.array([float(first_look + k)]), met, looks,
            np.array([looked is None or looked[k]]), 0.55,
        )  # fmt: skip
        out.append(int(last[0]))
    return out


def test_a_class_is_told_after_five_looks_that_have_it():
    assert followed([DRONE] * 6, [0.7] * 6) == [0, 0, 0, 0, DRONE, DRONE]
    # Looks between that have none take nothing away, and add nothing, however near they are.
    assert followed([DRONE] * 8, [0.7, 0.64, 0.7, 0.7, 0.64, 0.64, 0.7, 0.7]) == [0] * 7 + [DRONE]


def test_one_noisy_look_names_nothing_that_then_stays():
    """As walkers were called clutter and vessels birds: .66 once, .6 from then on."""
    assert followed([DRONE] * 10, [0.6, 0.66, *[0.6] * 8], 40) == [0] * 10


def test_another_class_needs_as_many_looks_of_its_own():
    best = [*[DRONE] * 5, *[BIRD] * 3, DRONE, *[BIRD] * 6]
    assert followed(best, [0.7] * 15) == [0] * 4 + [DRONE] + [0] * 8 + [BIRD] * 2
    # A bird once, and it is no drone until five looks have said so again.
    best = [*[DRONE] * 5, BIRD, *[DRONE] * 6]
    assert followed(best, [0.7] * 12) == [0] * 4 + [DRONE] + [0] * 5 + [DRONE] * 2


def test_a_class_that_is_told_is_kept_while_it_is_the_likeliest_and_likely_enough():
    """What it lost it gets back from .65 on."""
    sure = [*[0.7] * 5, 0.6, 0.56, 0.54, 0.6, 0.66, 0.56]
    assert followed([DRONE] * 11, sure, 40) == [0] * 4 + [DRONE] * 3 + [0, 0, DRONE, DRONE]
    assert followed([*[DRONE] * 5, BIRD, DRONE], [*[0.7] * 5, 0.6, 0.6], 40) == [0] * 4 + [DRONE, 0, 0]


def test_what_was_told_early_is_taken_back_until_the_window_is_full():
    sure = [*[0.7] * 5, 0.6, 0.7, 0.6]
    assert followed([DRONE] * 8, sure, 32 - 7) == [0] * 4 + [DRONE, 0, DRONE, DRONE]


def test_pictures_without_a_look_count_for_nothing():
    """As those of an antenna that turns, of which one picture in many is a look at the track."""
    looked = [k % 4 == 0 for k in range(20)]
    assert followed([DRONE] * 20, [0.7] * 20, looked=looked) == [0] * 16 + [DRONE] * 4


def test_the_tracker_names_and_keeps_a_class_by_its_looks():
    # The first look that the picture shows is the track's second detection.
    model = ByLooks([DRONE], [0.7] * 33 + [0.6] * 4 + [0.5])
    found = [class_id for class_id, _ in told(model, [scan(k) for k in range(40)])]
    assert found[:6] == [0] * 4 + [DRONE] * 2
    assert found[30:] == [DRONE] * 6 + [0] * 3
    early = ByLooks([DRONE], [0.7] * 8 + [0.6])
    assert [class_id for class_id, _ in told(early, [scan(k) for k in range(10)])] == [0] * 4 + [DRONE] * 3 + [0] * 2


def test_the_looks_that_name_a_class_go_on_over_a_restart():
    detections = [Detector(DetectionSettings()).step(scan(k))[0] for k in range(6)]
    first, second = (Tracker(TrackingSettings(), model=ByLooks([DRONE])) for _ in range(2))
    assert [first.step(one).tracks.class_id.tolist() for one in detections[:5]] == [[], *[[0]] * 4]
    second.resume(first.snapshot())
    assert second.step(detections[5]).tracks.class_id.tolist() == [DRONE]


def test_without_a_look_nothing_changes():
    model = ByLooks([*[DRONE] * 6, BIRD, int(ClassId.VESSEL)])
    scans = [scan(k) for k in range(6)] + [scan(6 + k, there=False) for k in range(2)]
    found = told(model, scans)
    assert found[-3][0] == DRONE
    for class_id, probability in found[-2:]:
        assert class_id == found[-3][0]
        np.testing.assert_array_equal(probability, found[-3][1])


@pytest.mark.parametrize(("weak", "counts"), [({"snr": 3.0}, 5), ({"noise": -80.0}, 5), ({}, 10)])
def test_looks_that_are_weak_or_jammed_do_not_count(weak, counts):
    model = ByLooks([0, int(ClassId.DRONE)])
    told(model, [scan(k) for k in range(6)] + [scan(6 + k, **weak) for k in range(5)])
    assert model.memory[LOOKS, 0] == counts


@given(
    st.lists(
        st.tuples(st.integers(0, N_CLASSES - 1), st.sampled_from([0.5, 0.6, 0.7]), st.booleans()),
        min_size=1,
        max_size=60,
    )
)
def test_what_is_told_was_the_class_of_five_looks_and_of_none_other_since(steps):
    """Counted again from the whole sequence, not step by step."""
    best, sure, looked = (list(column) for column in zip(*steps, strict=True))
    for k, class_id in enumerate(followed(best, sure, 20, looked)):
        had = [c for c, p, look in steps[: k + 1] if look and p >= 0.65 and c]
        if class_id:
            assert had[-int(LOOKS_TO_NAME) :] == [class_id] * int(LOOKS_TO_NAME)
            assert best[k] == class_id
            assert sure[k] >= 0.55


def test_priors_and_classes_that_cannot_be_met():
    prior = relative_priors((ClassId.DRONE, ClassId.BIRD), {ClassId.BIRD: 10.0})
    assert prior[[ClassId.UNKNOWN, ClassId.DRONE, ClassId.BIRD]].tolist() == [1.0, 1.0, 10.0]
    assert prior.sum() == 12.0
    table = TableModel(priors={ClassId.BIRD: 10.0})
    assert table.prior[ClassId.BIRD] == pytest.approx(10.0 * table.prior[ClassId.DRONE])
