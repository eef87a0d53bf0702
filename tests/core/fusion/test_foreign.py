# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Objects of others: what a filter makes of places alone, and states as they are stated; their way through the fusion."""

import numpy as np
from fused_tracks import Kalman, report

from aegis.core.fusion.foreign import ForeignObject, Report
from aegis.core.fusion.fuser import Fuser
from aegis.core.fusion.settings import FOREIGN, FusionSettings
from aegis.core.types import N_CLASSES, ClassId

Q = 4.0
NOISE = np.array([Q, Q])
SIGMA = 20.0
R = np.eye(3) * SIGMA**2


def at(t: float) -> int:
    return round((1000.0 + t) * 1e9)


def test_places_alone_give_the_state_of_a_kalman_filter():
    rng, whole = np.random.default_rng(3), Kalman(Q)
    x = np.array([1000.0, 2000.0, 300.0, 50.0, -20.0, 1.0])
    known = None
    for k in range(30):
        t = 0.7 * k
        z = x[:3] + t * x[3:] + rng.normal(0.0, SIGMA, 3)
        whole.measure(t, z, SIGMA)
        said = Report(at(t), z, R)
        if known is None:
            known = ForeignObject(said, 1e4, NOISE)
        else:
            assert known.take(said)
    assert not known.take(said)  # the same again tells nothing
    state = known.at(at(t))
    np.testing.assert_allclose(state.x[0], whole.x[0], atol=0.05)
    np.testing.assert_allclose(state.P[0], whole.P, rtol=1e-3, atol=1e-3)


def test_a_velocity_that_is_stated_is_taken_as_it_is():
    said = Report(at(0.0), np.ones(3), R, np.array([3.0, 4.0, 0.0]), np.eye(3) * 0.25)
    state = ForeignObject(said, 50.0, NOISE).at(at(2.0))
    np.testing.assert_allclose(state.x[0], [7.0, 9.0, 1.0, 3.0, 4.0, 0.0])
    assert state.P[0, 0, 0] == SIGMA**2 + 4.0 * 0.25 + Q * 8.0 / 3.0


def test_a_class_is_named_only_where_it_is_likely():
    p = np.zeros(N_CLASSES)
    p[[ClassId.DRONE, ClassId.BIRD]] = 0.45, 0.55
    assert ForeignObject(Report(0, np.zeros(3), R, class_probability=p), 50.0, NOISE).class_id() == ClassId.BIRD
    p[[ClassId.DRONE, ClassId.BIRD, ClassId.VESSEL]] = 0.34, 0.33, 0.33
    assert ForeignObject(Report(0, np.zeros(3), R, class_probability=p), 50.0, NOISE).class_id() == ClassId.UNKNOWN


def test_whose_name_says_so_is_foreign_and_is_not_added_but_intersected():
    """Ours and a copy of it by somebody else: the picture must not be surer than one of both."""
    given = {
        "acceleration_sigma_mps2": 2.0,
        "vertical_acceleration_sigma_mps2": 2.0,
        "bias.mode": "off",
        "period_s": 0.0,
    }
    fused, own = Fuser(FusionSettings.load(given)), Kalman(Q)
    rng = np.random.default_rng(4)
    for k in range(20):
        own.measure(0.5 * k, np.array([1000.0 + 10.0 * k, 0.0, 100.0]) + rng.normal(0.0, SIGMA, 3), SIGMA)
        fused.step(report("radar", 0.5 * k, *own.tracks(), age=0.5 * k))
        copy = report(f"{FOREIGN}sapient/copy", 0.5 * k + 0.001, *own.tracks(), age=0.5 * k)
        picture = fused.step(copy).tracks
    assert fused.sources[f"{FOREIGN}sapient/copy"].settings.foreign
    assert not fused.sources["radar"].settings.foreign
    assert picture.sources == [f"{FOREIGN}sapient/copy,radar"]
    ratio = np.linalg.eigvalsh(np.linalg.solve(own.P, picture.covariance[0]))
    assert ratio.min() > 0.9
