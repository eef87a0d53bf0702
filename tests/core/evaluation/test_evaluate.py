# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures of pictures made by hand, whose right values can be counted."""

import math

import numpy as np
import pytest
from evaluation_data import SECOND, picture, recording, straight
from hypothesis import given
from hypothesis import strategies as st

from aegis.core.evaluation.evaluate import Options, evaluate
from aegis.core.evaluation.matching import Kind
from aegis.core.evaluation.measures import MEANINGS
from aegis.core.evaluation.requirements import Requirement, Requirements, check
from aegis.core.evaluation.scene import scene_at
from aegis.core.types import ClassId, Threats, TrackStatus

GATE = Options(gate_m=50.0)


def values(found) -> dict[str, float]:
    return {name: measure.value for name, measure in found.measures.items()}


def flight(n: int = 20):
    """One object that flies north at 100 m/s for n seconds."""
    return straight(1, np.arange(n), (0, 1000, 0), (0, 100, 0))


def on_it(k: int, ids, dx=0.0, dy=0.0):
    """Return a picture at k seconds with tracks where that object is."""
    return picture(k, [(name, dx, 1000 + 100 * k + dy, 0, 100) for name in ids])


def test_a_perfect_picture_is_perfect():
    found = evaluate(recording([on_it(k, [7]) for k in range(20)], [flight()]), GATE)
    got = values(found)
    assert (got["coverage"], got["rms_m"], got["gospa_m"], got["t_gospa_m"], got["idf1"]) == (1.0, 0.0, 0.0, 0.0, 1.0)
    assert (got["id_changes"], got["false_tracks"], got["duplicate_tracks"], got["class_right"]) == (0, 0, 0, 1.0)
    assert got.keys() == MEANINGS.keys()


def test_errors_are_told_along_and_across_the_course():
    got = values(evaluate(recording([on_it(k, [7], dx=3.0, dy=-4.0) for k in range(20)], [flight()]), GATE))
    assert (got["rms_m"], got["rms_across_m"], got["rms_along_m"]) == pytest.approx((5.0, 3.0, 4.0))
    assert got["nees"] == pytest.approx((3.0**2 + 4.0**2) / 5.0**2)


def test_nees_of_errors_as_stated_is_two_and_in_its_band():
    rng = np.random.default_rng(1)
    pictures = [on_it(k, [7], *rng.normal(0, 5.0, 2)) for k in range(400)]
    found = evaluate(recording(pictures, [straight(1, np.arange(400), (0, 1000, 0), (0, 100, 0))]), GATE)
    assert found.nees.low < found.nees.mean < found.nees.high
    assert found.nees.low < 2.0 < found.nees.high
    assert found.nees.within_95 == pytest.approx(0.95, abs=0.03)


def test_a_change_of_track_and_a_gap_are_counted():
    ids = [[]] * 2 + [[7]] * 8 + [[]] * 4 + [[9]] * 6
    found = evaluate(recording([on_it(k, one) for k, one in enumerate(ids)], [flight()]), GATE)
    got, (row,) = values(found), found.objects
    assert (row.track_ids, row.id_changes) == ([7, 9], 1)
    assert got["coverage"] == 14 / 20
    assert got["to_confirmation_s"] == 2.0
    assert (got["longest_gap_s"], row.coverage.gap_begin_s) == (5.0, 9.0)  # from the last scan with it to the next
    assert got["gap_share"] == 4 / 18
    assert got["idf1"] == pytest.approx(2 * 8 / (20 + 14))
    assert got["main_track_share"] == 8 / 14


def test_coming_back_under_the_old_id_is_no_change():
    ids = [[7]] * 8 + [[]] * 4 + [[7]] * 8
    assert (
        values(evaluate(recording([on_it(k, one) for k, one in enumerate(ids)], [flight()]), GATE))["id_changes"] == 0
    )


def test_duplicates_are_not_false_and_false_ones_are():
    def at(k):
        return picture(k, [(7, 0, 1000 + 100 * k, 0, 100), (8, 20, 1000 + 100 * k, 0, 100), (9, 5000, 0, 0, 0)])

    found = evaluate(recording([at(k) for k in range(20)], [flight()]), GATE)
    got = values(found)
    assert (got["false_tracks"], got["duplicate_tracks"]) == (1, 1)
    assert got["false_tracks_per_hour"] == pytest.approx(180.0)  # one in 20 s
    assert got["false_share"] == pytest.approx(1 / 3)
    assert {life.track_id: life.kind for life in found.lives} == {7: Kind.MATCHED, 8: Kind.DUPLICATE, 9: Kind.FALSE}
    assert found.worst[0].track_id in (8, 9)


def test_tentative_tracks_are_not_shown():
    pictures = [picture(k, [(7, 0, 1000 + 100 * k, 0, 100)], status=TrackStatus.TENTATIVE) for k in range(20)]
    got = values(evaluate(recording(pictures, [flight()]), GATE))
    assert (got["coverage"], got["never_shown"]) == (0.0, 1.0)


def test_what_is_out_of_view_is_neither_missed_nor_false():
    one = straight(1, np.arange(20), (0, 1000, 0), (0, 100, 0), in_view=np.arange(20) < 10)
    got = values(evaluate(recording([on_it(k, [7]) for k in range(20)], [one]), GATE))
    assert (got["coverage"], got["false_share"], got["gospa_m"], got["idf1"]) == (1.0, 0.0, 0.0, 1.0)


def test_an_empty_sky_has_no_data_but_false_tracks():
    pictures = [picture(k, [(9, 500, 0, 0, 0)] if k < 5 else []) for k in range(20)]
    found = evaluate(recording(pictures, [], emitters={}), GATE)
    got = found.measures
    assert got["false_tracks"].value == 1
    assert got["false_scans_share"].value == 5 / 20
    assert got["coverage"].n == 0
    assert math.isnan(got["coverage"].value)


def test_an_update_is_expected_in_every_period_and_coasting_is_none():
    pictures = [picture(k, [(7, 0, 1000 + 100 * k, 0, 100)], fresh=k % 4 == 0) for k in range(20)]
    found = evaluate(recording(pictures, [flight()]), Options(gate_m=50.0, update_period_s=2.0, gap_s=3.0))
    got = values(found)
    assert got["update_probability"] == 5 / 10
    assert (got["update_interval_s"], got["long_gap_share"]) == (4.0, 1.0)
    assert got["coverage"] == 1.0


def test_threats_in_the_order_of_their_true_impact():
    near = straight(1, np.arange(10), (2000, 0, 0), (-100, 0, 0))
    far = straight(2, np.arange(10), (0, 5000, 0), (0, -100, 0))
    away = straight(3, np.arange(10), (3000, 3000, 0), (50, 50, 0))
    order = [1, 3, 2]

    def assessed(k):
        return Threats(
            k * SECOND, "map", 1, "radar", np.array(order), np.full(3, 4), np.full(3, 3), np.full(3, 0.5), np.zeros(3), np.zeros(3),
            np.zeros(3), np.array([19.0 - k, np.nan, 50.0 - k]), [""] * 3,
        )  # fmt: skip

    pictures = [
        picture(k, [(1, 2000 - 100 * k, 0, -100, 0), (2, 0, 5000 - 100 * k, 0, -100), (3, 3000 + 50 * k, 3000 + 50 * k, 50, 50)])
        for k in range(10)
    ]  # fmt: skip
    truth = recording(pictures, [near, far, away], threats=[assessed(k) for k in range(10)])
    got = values(evaluate(truth, Options(gate_m=50.0, assets=((0.0, 0.0, 0.0, 100.0),))))
    assert got["threat_order"] == pytest.approx(2 / 3)  # the one that flies away is before one that comes
    assert got["threat_first_right"] == 1.0
    assert got["impact_error_s"] == pytest.approx(math.sqrt((0.0**2 + 1.0**2) / 2), abs=1e-9)


def test_classes_right_wrong_and_unknown():
    told = [ClassId.AIRCRAFT] * 5 + [ClassId.BIRD] * 3 + [ClassId.UNKNOWN] * 2
    pictures = [picture(k, [(7, 0, 1000 + 100 * k, 0, 100)], class_id=one) for k, one in enumerate(told)]
    found = evaluate(recording(pictures, [flight(10)]), GATE)
    got = values(found)
    assert (got["class_right"], got["class_wrong"], got["class_unknown"]) == (0.5, 0.3, 0.2)
    assert got["calibration_error"] == pytest.approx(0.5)  # always sure, right in half
    assert found.classes.confusion[ClassId.AIRCRAFT, ClassId.BIRD] == 3


@given(st.floats(-1e4, 1e4), st.floats(-300, 300), st.lists(st.floats(0, 9), min_size=1, max_size=8))
def test_between_two_places_an_object_moves_evenly(x, speed, times):
    one = straight(1, [0, 3, 9], (x, 0, 0), (speed, 0, 0))
    ask = np.unique(np.round(np.array(times) * SECOND).astype(np.int64))
    scene = scene_at([one], ask, max_gap_s=10.0)
    np.testing.assert_allclose(scene.state[:, 0, 0], x + speed * ask / SECOND, atol=1e-4)
    assert scene.there.all()


def test_across_a_long_gap_and_beyond_its_ends_an_object_is_not_there():
    one = straight(1, [10, 20, 60, 70], (0, 0, 0), (1, 0, 0))
    ask = np.array([5, 10, 15, 40, 65, 75]) * SECOND
    assert scene_at([one], ask, max_gap_s=15.0).there[:, 0].tolist() == [False, True, True, False, True, False]


def test_no_data_is_no_pass():
    found = evaluate(recording([picture(k, []) for k in range(5)], []), GATE)
    wanted = Requirements(
        name="test",
        requirements=(
            Requirement(measure="coverage", at_least=0.0),
            Requirement(measure="rms_m", at_most=1e9),
            Requirement(measure="false_tracks", at_most=0.0),
        ),
    )
    rows = check(wanted, found.measures)
    assert [row.passed for row in rows] == [False, False, True]
    assert [row.verdict for row in rows] == ["no data", "no data", "pass"]
    (nan,) = check(wanted.model_copy(update={"requirements": wanted.requirements[1:2]}), {"rms_m": (math.nan, 3)})
    assert not nan.passed
