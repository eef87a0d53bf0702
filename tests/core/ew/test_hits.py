# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which detection is whose, of many tracks: each track's nearest in its gate, which no other track claims."""

import math
import tracemalloc
from collections import Counter

import numpy as np
import pytest
from scenes import detections_of
from threat_tracks import tracks_of

from aegis.core.ew.settings import EwSettings
from aegis.core.ew.watch import Watch
from aegis.core.types import Detections, Tracks

SIGMA = np.array([8.0, 0.002, 1.0, 1.0])
AT_S = 100.0


def picture(n: int, seed: int = 3) -> tuple[Detections, Tracks]:
    """Return detections that a turning antenna has made in 4 s up to now, and where their objects are now."""
    rng = np.random.default_rng(seed)
    reach, azimuth = rng.uniform(500.0, 30e3, n), rng.uniform(-np.pi, np.pi, n)
    time, velocity = rng.uniform(-4.0, 0.0, n), np.column_stack([rng.normal(0.0, 60.0, (n, 2)), np.zeros(n)])
    then = np.column_stack([reach * np.cos(azimuth), reach * np.sin(azimuth), np.zeros(n)])
    nan = np.full(n, np.nan)
    d = detections_of(np.column_stack([reach, azimuth, nan, rng.normal(0.0, 30.0, n)]), AT_S, sigma=SIGMA)
    d.time_offset = time
    now = then - velocity * time[:, None] + rng.normal(0.0, 12.0, (n, 3)) * [1.0, 1.0, 0.0]
    order = rng.permutation(n)
    tracks = tracks_of(*((k + 1, 0, tuple(now[i]), tuple(velocity[i])) for k, i in enumerate(order)))
    tracks.stamp_ns = d.stamp_ns
    return d, tracks


def hits_of(d: Detections, tracks: Tracks):
    return Watch(EwSettings())._hits(d, tracks, np.arange(len(tracks.track_id)), np.zeros(3), np.eye(3))


def test_each_has_what_a_search_of_all_pairs_says():
    d, tracks = picture(250)
    gate, nearest = EwSettings().deception.gate_sigma, {}
    for k, (state, covariance) in enumerate(zip(tracks.state, tracks.covariance, strict=True)):
        spread, best = math.sqrt(np.trace(covariance[:3, :3]) / 3.0), (gate**2, -1)
        for i in range(len(d)):
            x, y, z = (float(c) for c in state[:3] + d.time_offset[i] * state[3:])
            off = (math.hypot(x, y, z) - d.range[i]) / (SIGMA[0] + spread)
            turn = math.remainder(math.atan2(y, x) - d.azimuth[i], 2.0 * math.pi)
            aside = turn * d.range[i] / (SIGMA[1] * d.range[i] + spread)
            best = min(best, (off**2 + aside**2, i))
        if best[1] >= 0:
            nearest[int(tracks.track_id[k])] = best[1]
    claims = Counter(nearest.values())
    expected = {track: float(d.range[i]) for track, i in nearest.items() if claims[i] == 1}
    assert len(expected) > 150
    assert {track: hit.range_m for track, hit in hits_of(d, tracks).items()} == pytest.approx(expected)


def test_thousands_of_tracks_and_detections_take_little_memory():
    d, tracks = picture(3000)
    tracemalloc.start()
    found = hits_of(d, tracks)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) > 1000
    assert most < 60e6


def test_what_is_not_known_of_one_is_not_missing_of_the_others():
    d, tracks = picture(300)
    before = hits_of(d, tracks)
    d.time_offset[5] = d.variance[6, 0] = tracks.state[7, 0] = tracks.covariance[8, 0, 0] = np.nan
    assert len(before) - 8 <= len(hits_of(d, tracks)) <= len(before) + 8
