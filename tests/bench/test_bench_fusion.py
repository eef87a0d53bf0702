# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis bench fusion`, short: the fusion is about as good as one tracker, and what is wrong is worse."""

from aegis.bench import fusion


def test_fused_tracks_are_about_as_good_as_one_trackers():
    row = fusion.rig(2, range(50, 51), duration_s=20.0, settled_s=12.0)
    assert 0.5 < row["gospa_ratio"] < 1.2
    assert row["fused_nees"] < row["naive_nees"]
    assert row["fused_gospa_m"] < row["intersection_gospa_m"]
    assert 0.0 < row["bytes_ratio"] < 1.0


def test_the_load_is_of_so_many_sources_and_tracks():
    row = fusion.load(1, tracks=480)
    assert row["reported_tracks"] == 960
    assert 480 <= row["tracks"] < 520
    assert row["ms_per_cycle"] > 0.0
