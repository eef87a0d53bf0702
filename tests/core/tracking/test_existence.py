# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Existence against Bayes' rule written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_calls import after_scan, pair_log_odds, sharpen
from scipy.linalg import expm

from aegis.core.tracking import existence
from aegis.core.tracking.existence import Existence, Hiding

PROBABILITY = st.floats(0.01, 0.99)


@given(PROBABILITY, PROBABILITY, PROBABILITY)
def test_a_miss_makes_an_object_less_likely_or_hidden(r, pd, h):
    """All that may be: no object; one hidden; one in sight. None gives a detection in this scan."""
    nothing, behind, in_sight = 1.0 - r, r * h, r * (1.0 - h) * (1.0 - pd)
    total = nothing + behind + in_sight
    seen = np.array([pd * (1.0 - h)])
    after, hidden, _, missed, hit, best = after_scan(
        np.array([0, 0]), np.empty(0), np.array([r]), seen, np.array([h]), np.array([True]), pd
    )
    assert after[0] == pytest.approx((behind + in_sight) / total)
    assert hidden[0] == pytest.approx(behind / (behind + in_sight))
    assert (missed[0], hit[0], best[0]) == (pytest.approx(1.0), 0.0, -1)


@given(PROBABILITY, PROBABILITY, PROBABILITY, st.floats(-8.0, 8.0))
def test_one_detection_in_the_gate(r, pd, h, log_likelihood_ratio):
    """No object and a false alarm; an object that was missed, and a false alarm; an object that was detected."""
    likelihood, background = np.exp(log_likelihood_ratio) * 1e-3, 1e-3
    nothing, behind = (1.0 - r) * background, r * h * background
    in_sight, detected = r * (1.0 - h) * (1.0 - pd) * background, r * (1.0 - h) * pd * likelihood
    total = nothing + behind + in_sight + detected
    start, detection, seen = np.array([0, 1]), np.array([0]), np.array([pd * (1.0 - h)])
    odds = pair_log_odds(start, detection, np.log([likelihood]), np.array([r]), seen, seen, np.log([background]))
    probability = 1.0 / (1.0 + np.exp(-odds))
    assert probability[0] == pytest.approx(detected / total)
    after, hidden, share, missed, hit, best = after_scan(
        start, probability, np.array([r]), seen, np.array([h]), np.array([True]), pd
    )
    assert after[0] == pytest.approx((behind + in_sight + detected) / total)
    assert hidden[0] == pytest.approx(behind / (behind + in_sight + detected))
    assert share[0] == pytest.approx(detected / (behind + in_sight + detected))
    assert share[0] + missed[0] == pytest.approx(1.0)
    assert hit[0] == pytest.approx(detected / total)
    assert best[0] == 0


def test_out_of_view_nothing_changes():
    after, hidden, *_ = after_scan(
        np.array([0, 0]), np.empty(0), np.array([0.7]), np.array([0.0]), np.array([0.2]), np.array([False]), 0.9
    )
    assert (after[0], hidden[0]) == (pytest.approx(0.7), pytest.approx(0.2))


@given(PROBABILITY, PROBABILITY, st.floats(0.1, 20.0))
def test_transients_end_sooner_and_what_stays_is_lasting(r, w, dt):
    life, brief = np.exp(-dt / 600.0), np.exp(-dt / 10.0)
    exists, lasting = existence.predict(Existence(np.array([r]), np.array([w])), life, brief)
    assert exists[0] == pytest.approx(r * (w * life + (1 - w) * brief))
    assert lasting[0] == pytest.approx(w * life / (w * life + (1 - w) * brief))


def test_hiding_settles_where_its_markov_chain_does():
    visible_s, hidden_s = 60.0, 10.0
    h, one, now_ns = np.zeros(1), np.ones(1), 100_000_000
    for _ in range(5000):
        h = existence.hide(h, one, np.zeros(1, np.int64), now_ns, one > 0, Hiding(visible_s, hidden_s, 3.0))
    generator = np.array([[-1 / visible_s, 1 / visible_s], [1 / hidden_s, -1 / hidden_s]])
    assert h[0] == pytest.approx(expm(generator * 500.0)[0, 1], rel=0.01)


def test_a_sensor_that_looks_seldom_finds_objects_hidden_for_some_looks():
    """Every 4 s: 3 looks are 12 s. Out of view, and where no time has gone by, nothing changes."""
    since, now_ns = np.array([0, 0, 4_000_000_000]), 4_000_000_000
    hidden, lasting = np.full(3, 0.8), np.full(3, 0.5)
    after = existence.hide(hidden, lasting, since, now_ns, np.array([True, False, True]), Hiding(60.0, 3.0, 3.0))
    stays, goes = np.exp(-4.0 / 12.0), 0.5 * (1.0 - np.exp(-4.0 / 60.0))
    assert after == pytest.approx([0.8 * stays + 0.2 * goes, 0.8, 0.8])


def test_a_track_that_has_left_the_view_is_expected_for_as_long_as_objects_hide():
    updated = np.array([0, 0, 7, 8]) * 1_000_000_000
    in_view = np.array([True, False, False, False])
    how, now_ns = Hiding(60.0, 3.0, 3.0), 10_000_000_000
    assert existence.expected(updated, now_ns, in_view, 0.5, how).tolist() == [True, False, True, True]
    assert existence.expected(updated - 5_000_000_000, now_ns, in_view, 3.0, how).tolist() == [True, False, True, True]


def test_sharpened_shares_add_up_and_keep_their_order():
    start, share, missed = np.array([0, 2, 2]), np.array([0.5, 0.3]), np.array([0.2, 1.0])
    same, alike = sharpen(start, share, missed, 1.0)
    np.testing.assert_allclose(same, share)
    np.testing.assert_allclose(alike, missed)
    sharp, rest = sharpen(start, share, missed, 2.0)
    np.testing.assert_allclose([*sharp, rest[0]], np.array([0.25, 0.09, 0.04]) / 0.38)
    assert rest[1] == 1.0
