# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The measure of birds that are called drones, on networks whose answers are known."""

import numpy as np
import pytest

from aegis.bench import classify_birds
from aegis.bench.classify_birds import flights, rows
from aegis.core.classification.network import Network
from aegis.core.classification.track_memory import FEATURES
from aegis.core.classification.track_model import LOOKS_TO_NAME
from aegis.core.types import N_CLASSES, ClassId

F = len(FEATURES)


def always(class_id: ClassId) -> Network:
    """Return a network that says one class, whatever it is asked."""
    bias = np.full(N_CLASSES, -20.0, np.float32)
    bias[class_id] = 20.0
    return Network(
        np.zeros(F), np.ones(F), np.empty((F, 0)), (np.zeros((2 * F, 4)), np.zeros((4, N_CLASSES))), (np.zeros(4), bias), 1.0,
        np.zeros((1, 4)), np.eye(4), np.array([1e6, 2e6]),
    )  # fmt: skip


@pytest.mark.parametrize(("said", "right", "wrong"), [(ClassId.BIRD, 1.0, 0.0), (ClassId.DRONE, 0.0, 1.0)])
def test_birds_that_are_called_drones_are_counted(said, right, wrong, monkeypatch):
    made = []
    monkeypatch.setattr(classify_birds, "flights", lambda *of: made.append(flights(*of)) or made[-1])
    (row,) = rows(always(said), 0.1)
    looks = np.array([len(one) for one in made[0]])
    told = np.maximum(looks - (LOOKS_TO_NAME - 1), 0)  # that have a name
    share = round(float(told.sum() / looks.sum()), 4)
    assert row["birds"] == len(looks) > 2
    assert (row["bird_looks_right"], row["bird_looks_called_drone"]) == (right * share, wrong * share)
    assert row["birds_called_drone_an_hour"] == pytest.approx(wrong * (told > 0).sum() / 0.1)
    assert (row["drones_found_after_10"], row["drone_looks_called_bird_after_10"]) == (1.0 - right, right)


def test_there_are_as_many_birds_an_hour_as_said():
    found = len(flights(ClassId.BIRD, 0.2))
    assert 8 <= found <= 32  # 20 are expected, of which some come twice, or are not surely told apart
