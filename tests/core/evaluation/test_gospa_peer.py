# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""GOSPA against Stone Soup's, on random pictures."""

import datetime

import numpy as np
import pytest

from aegis.core.metrics import gospa


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_gospa_is_that_of_stone_soup(p):
    pytest.importorskip("stonesoup", reason="the peer; pip install '.[bench]'")
    from stonesoup.metricgenerator.ospametric import GOSPAMetric
    from stonesoup.types.state import State

    rng = np.random.default_rng(5)
    peer = GOSPAMetric(c=20.0, p=p)
    now = datetime.datetime(2026, 1, 1)
    for _ in range(60):
        truth, estimate = (rng.uniform(0, 60, (rng.integers(1, 7), 2)) for _ in range(2))
        theirs, _ = peer.compute_gospa_metric(
            [State(row[:, None], timestamp=now) for row in estimate],
            [State(row[:, None], timestamp=now) for row in truth],
        )
        ours = gospa(truth, estimate, c=20.0, p=p)
        assert ours.total == pytest.approx(theirs.value["distance"], rel=1e-9)
        assert ours.localisation == pytest.approx(theirs.value["localisation"], rel=1e-9, abs=1e-9)
        assert ours.missed == pytest.approx(theirs.value["missed"])
        assert ours.false == pytest.approx(theirs.value["false"])
