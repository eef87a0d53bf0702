# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The physical class model: probabilities, and that each feature moves them as physics says."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from aegis.core.classification.naming import class_in_words, could_be
from aegis.core.classification.physical import TABLE, PhysicalModel, decide
from aegis.core.kernels.classification import fit
from aegis.core.types import N_CLASSES, ClassId

NUMBER = st.one_of(st.floats(-1e6, 1e6), st.just(float("nan")))


@given(NUMBER, NUMBER, NUMBER)
def test_always_a_distribution(rcs, speed, height):
    p = PhysicalModel().posterior(
        1, rcs_dbsm=np.array([rcs]), radial_speed=np.abs(np.array([speed])), height=np.array([height])
    )
    assert p.shape == (1, N_CLASSES)
    assert np.isfinite(p).all()
    assert p.sum() == pytest.approx(1.0)


def test_nothing_measured_gives_the_prior():
    nan = np.array([np.nan])
    model = PhysicalModel()
    np.testing.assert_allclose(model.posterior(1, rcs_dbsm=nan, radial_speed=nan, height=nan)[0], model.prior)


@pytest.mark.parametrize(
    ("rcs", "speed", "height", "expected"),
    [
        (-17.0, 15.0, 120.0, ClassId.DRONE),
        (10.0, 220.0, 9000.0, ClassId.AIRCRAFT),
        (-6.0, 700.0, 300.0, ClassId.MISSILE),
        (0.0, 1.4, 0.0, ClassId.PERSON),
        (40.0, 8.0, 3.0, ClassId.VESSEL),
    ],
)
def test_typical_objects_over_many_looks(rcs, speed, height, expected):
    p = PhysicalModel().posterior(
        1,
        rcs_dbsm=np.array([rcs - 2.51]),
        looks=np.array([50.0]),
        speed=np.array([speed]),
        height=np.array([height]),
    )
    assert p[0].argmax() == expected


def test_car_or_boat_cannot_be_told_apart_and_is_said_to_be_unknown():
    p = PhysicalModel().posterior(1, rcs_dbsm=np.array([22.0]), speed=np.array([8.0]), height=np.array([3.0]))
    assert {p[0].argsort()[-1], p[0].argsort()[-2]} == {ClassId.VEHICLE, ClassId.VESSEL}
    assert decide(p, 0.65)[0][0] == ClassId.UNKNOWN


@given(st.floats(-500.0, 500.0), st.floats(0.01, 100.0), st.floats(-100.0, 100.0), st.floats(0.0, 300.0))
def test_the_fit_is_the_likelihood_of_the_best_value_over_that_of_the_measured_one(value, sigma, low, width):
    likelihoods = norm.pdf(
        value, np.append(np.linspace(low, low + width, 401), np.clip(value, low, low + width)), sigma
    )
    assert fit(value, sigma, low, low + width) == pytest.approx(
        likelihoods.max() / norm.pdf(0.0, scale=sigma), abs=2e-9
    )


def probability_of(rcs: float, speed: float, height: float) -> np.ndarray:
    """Return the class probabilities of an object seen a hundred times, its speed and height known well."""
    measured = {"rcs_dbsm": rcs - 2.51, "looks": 100.0, "speed": speed, "height": height}
    return PhysicalModel().posterior(1, **{name: np.array([value]) for name, value in measured.items()})[0]


@given(st.floats(-5.0, 20.0), st.floats(48.0, 88.0), st.floats(50.0, 5000.0))
def test_a_slow_aircraft_is_not_called_a_helicopter_because_helicopters_can_do_less(rcs, speed, height):
    """Both can fly so; the ranges of speed and height alone, 11 times narrower, named it at .95 and more."""
    p = probability_of(rcs, speed, height)
    assert decide(p[None], 0.65)[0][0] != ClassId.HELICOPTER
    assert p[ClassId.AIRCRAFT] > 0.3


@given(st.sampled_from(range(1, N_CLASSES)), st.floats(1.0, 20.0))
def test_a_wider_range_about_what_is_measured_changes_nothing(widened, factor):
    before = probability_of(0.0, 5.0, 1.0)
    traits = TABLE[ClassId(widened)]
    wider = replace(traits, height_m=(traits.height_m[0] * factor, traits.height_m[1] * factor))
    inside = traits.height_m[0] < 1.0 < traits.height_m[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TABLE, ClassId(widened), wider)
        after = probability_of(0.0, 5.0, 1.0)
    if inside:
        np.testing.assert_allclose(after, before)


@pytest.mark.parametrize(
    ("rcs", "speed", "height", "words", "could"),
    [
        (-6.0, 700.0, 300.0, "MISSILE", ""),
        (8.0, 60.0, 500.0, "class unknown: AIRCRAFT or HELICOPTER", "AIRCRAFT or HELICOPTER"),
        (-20.5, 12.0, 80.0, "class unknown: DRONE or BIRD", "DRONE or BIRD"),
        (5.0, 2500.0, 9000.0, "class unknown, like none of those known", ""),
        (0.0, 0.0, 0.0, "class unknown", ""),  # four classes can be that
    ],
)
def test_what_is_said_of_a_class(rcs, speed, height, words, could):
    p = probability_of(rcs, speed, height)
    class_id, confidence = decide(p[None], 0.65)
    said = class_in_words(int(class_id[0]), p)
    assert re.sub(r" \([01]\.[0-9]{2}\)", "", said) == words
    assert could_be(int(class_id[0]), p) == could
    if said != "class unknown":
        assert f"({confidence[0]:.2f})" in said


def test_a_class_left_out_has_no_probability():
    p = PhysicalModel((ClassId.VESSEL, ClassId.CLUTTER)).posterior(1, speed=np.array([300.0]))
    assert set(np.flatnonzero(p[0])) <= {ClassId.UNKNOWN, ClassId.VESSEL, ClassId.CLUTTER}
    assert p[0].argmax() == ClassId.UNKNOWN


def test_below_the_threshold_the_answer_is_unknown():
    p = np.zeros((2, N_CLASSES))
    p[0, ClassId.DRONE], p[0, ClassId.BIRD] = 0.64, 0.36
    p[1, ClassId.DRONE], p[1, ClassId.BIRD] = 0.65, 0.35
    class_id, confidence = decide(p, 0.65)
    assert class_id.tolist() == [ClassId.UNKNOWN, ClassId.DRONE]
    assert confidence.tolist() == [0.64, 0.65]
