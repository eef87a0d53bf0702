# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Class probabilities that detections state: against Bayes' rule and a plain sum over looks, and through the tracker."""

from dataclasses import replace

import numpy as np
import pytest
from class_looks import ByLooks, scan
from hypothesis import given
from hypothesis import strategies as st

from aegis.core.classification import stated
from aegis.core.classification.settings import StatedClassesSettings, TrackClassificationSettings
from aegis.core.classification.stated import NAMED, STATED, WRONG, fused, log_ratios, remembered
from aegis.core.detection.detector import Detector
from aegis.core.detection.settings import DetectionSettings
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import N_CLASSES, ClassBasis, ClassId
from aegis.models.store import track_model

DRONE, BIRD = int(ClassId.DRONE), int(ClassId.BIRD)
RNG = np.random.default_rng(3)
PRIOR = np.ones(N_CLASSES)
NOBODY = np.full(N_CLASSES, np.nan)
DETECTOR = Detector(DetectionSettings())
EMPTY = np.zeros((len(STATED), 1))


def detections(*rows, basis=ClassBasis.STATED):
    """Return detections that state these rows of probabilities."""
    one = scan(0)
    many = replace(one, **{n: np.repeat(getattr(one, n), len(rows)) for n in ("azimuth", "elevation", "range_rate")},
                   **{n: np.repeat(getattr(one, n), len(rows)) for n in ("snr_db", "rcs_dbsm", "noise_db", "time_offset")},
                   range=1000.0 + 500.0 * np.arange(len(rows)))  # fmt: skip
    found = DETECTOR.step(many)[0]
    return replace(found, class_probability=np.array(rows), class_basis=np.full(len(rows), int(basis)))


def after(rows, settings):
    """Return what is remembered of one track after looks that state these rows."""
    memory = EMPTY
    for column in log_ratios(detections(*rows), settings).T:
        memory = remembered(memory, column[:, None])
    return memory


def says(class_id, p, rest=0.0):
    out = np.full(N_CLASSES, rest)
    out[0], out[class_id] = 0.0, p
    return out


def test_one_look_is_bayes_rule_against_the_stated_priors():
    settings = StatedClassesSettings(doubt=0.0, priors={"BIRD": 3.0})
    model, p = (np.append(0.0, row) for row in RNG.dirichlet(np.ones(len(NAMED)), 2))
    prior = np.where(np.arange(1, N_CLASSES) == BIRD, 3.0, 1.0) / (len(NAMED) + 2.0)
    expected = model[1:] * ((1.0 - WRONG) * p[1:] / prior + WRONG)
    found = fused(model[None], after([p], settings), PRIOR, settings)[0]
    np.testing.assert_allclose(found[1:], expected / expected.sum(), rtol=1e-9)


def test_many_looks_are_a_sum_of_log_likelihood_ratios_of_looks_that_are_not_independent():
    """The oracle goes look by look, with Kish's number of independent looks, and shares out what the model does not know."""
    settings = StatedClassesSettings(doubt=0.15, correlation=0.4)
    rows = RNG.dirichlet(np.ones(N_CLASSES), 50) * 0.9  # a tenth of each is left open
    rows[7] = NOBODY
    model = np.append(0.3, 0.7 * RNG.dirichlet(np.ones(len(NAMED))))
    evidence, count, age = np.zeros(len(NAMED)), 0.0, 0
    for row in rows[::-1]:
        if np.isnan(row).any():
            continue
        weight, left_open = np.exp(-age / 32.0), 1.0 - row[1:].sum()
        ratio = (1.0 - left_open) * row[1:] / row[1:].sum() * len(NAMED) + left_open
        evidence += weight * np.log(0.98 * ratio + 0.02)
        count, age = count + weight, age + 1
    independent = count / (1.0 + (count - 1.0) * 0.4)
    q = np.exp(evidence / count * independent)
    ratio = 0.85 * len(NAMED) * q / q.sum() + 0.15
    expected = np.empty(N_CLASSES)
    goes_over = model[0] * np.maximum(ratio - 1.0, 0.0) / len(NAMED)
    expected[1:], expected[0] = model[1:] * ratio + goes_over, model[0] - goes_over.sum()
    found = fused(model[None], after(rows, settings), PRIOR, settings)[0]
    np.testing.assert_allclose(found, expected / expected.sum(), rtol=1e-9)


@pytest.mark.parametrize(
    ("row", "basis"),
    [
        (NOBODY, ClassBasis.STATED),
        (np.zeros(N_CLASSES), ClassBasis.STATED),
        (says(ClassId.DRONE, 0.9), ClassBasis.DERIVED),
        (np.eye(N_CLASSES)[0], ClassBasis.STATED),  # UNKNOWN
        (says(ClassId.DRONE, -0.5), ClassBasis.STATED),
        (says(ClassId.DRONE, 7.0), ClassBasis.STATED),
        (says(ClassId.DRONE, 0.9), 7),  # no basis that there is
    ],
)
def test_what_says_nothing_changes_nothing(row, basis):
    found = detections(row, basis=basis)
    settings = StatedClassesSettings()
    memory = remembered(EMPTY, log_ratios(found, settings))
    model = RNG.dirichlet(np.ones(N_CLASSES), 1)
    np.testing.assert_allclose(fused(model, memory, PRIOR, settings), model, rtol=1e-12)
    assert stated.refused(found) == int(bool((row < 0.0).any() or (row > 1.0).any() or basis == 7))


def test_a_class_that_the_sensor_does_not_know_is_neither_likelier_nor_less_likely():
    settings = StatedClassesSettings()
    row = NOBODY.copy()
    row[[ClassId.VEHICLE, ClassId.PERSON]] = 0.8, 0.1
    ratio = np.exp(log_ratios(detections(row), settings)[:, 0])
    known = [int(ClassId.VEHICLE) - 1, int(ClassId.PERSON) - 1]
    np.testing.assert_allclose(np.delete(ratio, known), 1.0)
    assert ratio[known[0]] > 1.0 > ratio[known[1]]
    assert (ratio[known] @ [0.5, 0.5]) == pytest.approx(1.0)  # against any object of those that it knows


probabilities = st.lists(st.floats(0.0, 1.0), min_size=N_CLASSES, max_size=N_CLASSES)


@given(
    st.lists(probabilities, min_size=1, max_size=12), probabilities, st.lists(st.booleans(), min_size=10, max_size=10)
)
def test_whatever_is_stated_the_classes_are_probabilities_of_what_can_be_met(rows, model, met):
    settings = StatedClassesSettings()
    prior = np.where(met, 1.0, 0.0)
    prior[0] = 1.0
    model = (np.array(model) + 1e-9) * prior
    model /= model.sum()
    found = fused(model[None], after(rows, settings), prior, settings)[0]
    assert found.sum() == pytest.approx(1.0)
    assert (found >= -1e-12).all()
    assert (found[prior == 0.0] == 0.0).all()


def test_the_same_again_and_again_is_not_sure_for_ever():
    """However many looks say the same, of one object in ten what is stated is wrong."""
    settings = StatedClassesSettings()
    flat = np.append(0.0, np.full(len(NAMED), 1.0 / len(NAMED)))
    found = fused(flat[None], after([says(DRONE, 1.0)] * 500, settings), PRIOR, settings)[0]
    assert found[DRONE] == pytest.approx(0.9 + 0.1 / 9.0, abs=1e-6)


def told(model, rows, *, basis=ClassBasis.STATED, weak=()) -> list[int]:
    """Return what a track is called look by look, where its detections state these rows."""
    tracker, out = Tracker(TrackingSettings(), model=model), []
    for k, row in enumerate(rows):
        found = DETECTOR.step(scan(k, snr=3.0 if k in weak else 20.0))[0]
        n = len(found)
        found = replace(found, class_probability=np.tile(row, (n, 1)), class_basis=np.full(n, int(basis)))
        tracks = tracker.step(found).tracks
        out += tracks.class_id.tolist()
    return out


def test_what_detections_state_decides_where_the_motion_does_not():
    undecided = ByLooks([DRONE], [0.5])
    bird = says(BIRD, 0.7, 0.03)
    assert BIRD not in told(undecided, [NOBODY] * 12)
    assert told(undecided, [bird] * 12)[-1] == BIRD
    assert BIRD not in told(undecided, [bird] * 12, basis=ClassBasis.DERIVED)
    assert BIRD not in told(undecided, [bird] * 12, weak=range(12))


def test_what_detections_state_counts_beside_the_table_too():
    """By Bayes' rule, what is stated of the other classes alike leaves their odds by the table as they were."""
    table = track_model(TrackClassificationSettings(classifier="table")).model
    silent, stating = (Tracker(TrackingSettings(), model=table) for _ in range(2))
    for k in range(12):
        found = DETECTOR.step(scan(k))[0]
        before = silent.step(found).tracks
        row, basis = says(DRONE, 0.84, 0.02)[None], np.full(1, int(ClassBasis.STATED))
        tracks = stating.step(replace(found, class_probability=row, class_basis=basis)).tracks
    assert (before.class_id.tolist(), tracks.class_id.tolist()) == ([ClassId.HELICOPTER], [DRONE])
    odds = tracks.class_probability[0, 1:] / before.class_probability[0, 1:]
    np.testing.assert_allclose(np.delete(odds, DRONE - 1), odds[BIRD - 1])
    assert odds[DRONE - 1] > 3.0 * odds[BIRD - 1]


def test_a_track_with_a_class_needs_looks_that_state_another_one():
    """Five of them, as for any other evidence; until then it is UNKNOWN."""
    undecided = ByLooks([0], [0.2])
    found = told(undecided, [says(DRONE, 0.9, 0.01)] * 5 + [says(BIRD, 0.9, 0.01)] * 20)
    change = found.index(BIRD)
    assert DRONE in found[:change]
    assert found[change - 4 : change] == [0] * 4
    assert DRONE not in found[change:]


def test_the_cloud_of_a_sensor_that_states_classes():
    """Points of one group are averaged; of the others the class follows from place, speed and echo."""
    from aegis.core.detection.points import read_points

    columns = {"range": np.array([500.0, 501.0, 900.0]), "azimuth": np.zeros(3), "elevation": np.full(3, 0.1)}
    columns |= {"range_rate": np.full(3, 9.0), "snr": np.full(3, 20.0), "rcs": np.full(3, -18.0)}
    columns |= {f"class_{c.name.lower()}": np.array([0.0, 0.0, np.nan]) for c in NAMED}
    columns |= {"class_drone": np.array([0.95, 0.85, np.nan]), "class_bird": np.array([0.02, 0.08, np.nan])}
    settings = DetectionSettings()
    assert set(columns) <= settings.fields.names()
    read, _ = read_points(columns, settings, stamp_ns=1, frame_id="radar", sequence=1)
    found = Detector(settings).step(read)[0]
    assert found.class_basis.tolist() == [int(ClassBasis.STATED), int(ClassBasis.DERIVED)]
    np.testing.assert_allclose(found.class_probability[0, [DRONE, BIRD]], [0.9, 0.05])
    assert np.isnan(found.class_probability[0, ClassId.UNKNOWN])
    assert found.class_id[0] == DRONE
    assert found.class_probability[1].sum() == pytest.approx(1.0)
