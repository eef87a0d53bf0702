# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Two objects in one cell of the sensor: one detection of both, and two tracks afterwards, but none for a mistake."""

import numpy as np
import pytest
from scenes import plot_of
from settings_of import settings_of

from aegis.core.tracking.association import Known, Pairs, in_one_cell
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker

SIGMA = 20.0


def known(sure, born, apart) -> Known:
    return Known(np.array(sure), np.array(born), np.array(apart))


def pairs_of(*detections: list[int]) -> Pairs:
    """Return pairs of tracks with these detections in their gates."""
    start = np.cumsum([0, *map(len, detections)])
    k, n = int(start[-1]), len(detections)
    detection = np.array([d for row in detections for d in row], dtype=np.int64)
    return Pairs(
        start, detection, np.zeros((k, 1)), np.zeros(k), np.zeros((k, 2)), np.zeros((k, 1, 4)), np.zeros((n, 1, 4, 6)),
        np.zeros((0, 1, 4, 6)),
    )  # fmt: skip


def test_it_falls_with_the_distance_and_asks_of_tracks_that_share_a_detection():
    centre = np.array([[0.0, 0.0, 0.0], [60.0, 80.0, 500.0], [0.0, 10.0, 0.0]])
    sigma = np.array([20.0, 1000.0])
    both = known([True] * 3, [0, 0, 0], [1, 1, 1])
    near, apart = in_one_cell(pairs_of([0], [0], [1]), centre, sigma, both, 4.0)
    expected = np.exp(-0.5 * (100.0 / 80.0) ** 2)
    assert near == pytest.approx([expected, expected, 0.0])
    assert apart == pytest.approx(near)


@pytest.mark.parametrize(
    ("sure", "born", "apart"),
    [([True, True], [0, 5], [5, 9]), ([True, True], [0, 5], [9, 0])],
    ids=["the older one not since the younger one was born", "the younger one never"],
)
def test_of_two_never_seen_side_by_side_one_may_be_a_mistake(sure, born, apart):
    near, hidden = in_one_cell(pairs_of([0], [0]), np.zeros((2, 3)), np.ones(1), known(sure, born, apart), 4.0)
    assert near.tolist() == [1.0, 1.0]
    assert hidden.tolist() == [0.0, 0.0]


def test_one_that_may_not_exist_hides_nothing():
    near, hidden = in_one_cell(
        pairs_of([0], [0]), np.zeros((2, 3)), np.ones(1), known([True, False], [0, 0], [1, 1]), 4.0
    )
    assert near.tolist() == hidden.tolist() == [0.0, 0.0]


def fly_together(seconds: int, **settings) -> tuple[list[int], list[int]]:
    """Return the ids before and after two objects fly as one, for so long, after having come from the sides."""
    rng = np.random.default_rng(5)
    tracker = Tracker(settings_of(TrackingSettings, **settings))
    ids = []
    for k in range(60 + seconds):
        aside = max(0.0, 30.0 - k, k - 30.0 - seconds) * 20.0 + 5.0
        truth = np.array([[-3000.0 + 60.0 * k, aside], [-3000.0 + 60.0 * k, -aside]])
        place = truth if aside > 40.0 else truth.mean(axis=0, keepdims=True)
        tracks = tracker.step(plot_of(place + rng.normal(0.0, SIGMA, place.shape), float(k), SIGMA)).tracks
        if k in {25, 59 + seconds}:
            ids.append(tracks.track_id.tolist())
    return ids[0], ids[1]


@pytest.mark.parametrize("seconds", [5, 20])
def test_two_that_fly_as_one_for_a_while_are_two_again(seconds):
    before, after = fly_together(seconds)
    assert before == after == [1, 2]
    # Else one of them is lost and found again.
    assert fly_together(20, cell_sigmas=0.0)[1] != [1, 2]
