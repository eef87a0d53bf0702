# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Simulated dwells that the front end's class model learns from."""

import numpy as np

from aegis.core.classification.dwell import DWELL, LEAST_SNR_DB
from aegis.core.types import ClassId
from aegis.training.dwells import JUDGED, simulated

EXCESS, LINE_SNR = DWELL.index("excess"), DWELL.index("line_snr")


def test_the_same_seed_gives_the_same_points_and_weak_ones_say_nothing():
    first, again = (simulated(3, 25, dwells=2) for _ in range(2))
    np.testing.assert_array_equal(first.features, again.features)
    assert first.features.shape == (25, 2, len(DWELL))
    weak = np.isnan(first.features[..., LINE_SNR])
    assert np.isnan(first.features[weak]).all()
    assert (10.0 * first.features[~weak][:, LINE_SNR] >= LEAST_SNR_DB - 1e-4).all()
    assert len(first.of_strong().features) == (~weak[:, 0]).sum()
    assert 3 not in JUDGED


def test_bare_objects_have_less_beside_their_line():
    """Of people and drones, whose limbs and rotors are much of what is seen."""
    whole, bare = (simulated(5, 250, bare=b) for b in (False, True))

    def beside(points):
        moving = np.isin(points.class_id, [ClassId.PERSON, ClassId.DRONE])
        return np.nanmedian(points.features[moving, 0, EXCESS])

    assert beside(bare) < beside(whole) - 0.3
