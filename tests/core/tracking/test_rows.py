# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The table of tracks: its order by id, and which of its rows were surely detected, against numpy."""

import numpy as np
import pytest

from aegis.core.tracking import rows
from aegis.core.tracking.motion import Kinematics
from aegis.core.tracking.rows import Rows


def table(n: int) -> Rows:
    return Rows.blank(Kinematics(np.zeros((n, 1, 6)), np.zeros((n, 1, 6, 6)), np.ones((n, 1))))


@pytest.mark.parametrize("highest", [60, 10**9], ids=["close ids", "far ids"])
def test_rows_are_in_the_order_of_their_ids_and_those_of_one_id_stay_in_theirs(highest):
    rng = np.random.default_rng(3)
    tracks = table(80)
    tracks["id"] = rng.integers(5, highest, 80)
    index = np.sort(rng.choice(80, 40, replace=False))
    order = np.lexsort((index, tracks["id"][index]))
    assert rows.by_id(tracks, index).tolist() == index[order].tolist()


def test_a_clear_detection_is_probable_and_not_among_the_first():
    rng = np.random.default_rng(4)
    tracks = table(50)
    tracks["hits"] = rng.integers(1, 6, 50)
    best, probability = rng.permutation(50), rng.random(50)
    found = np.flatnonzero(rng.random(50) < 0.8)
    wanted = [t for t in found.tolist() if probability[best[t]] > 0.4 and tracks["hits"][t] >= 3]
    assert rows.clear(tracks, found, best, probability, 0.4, 3).tolist() == wanted
