# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis bench fleet`, small: two sites whose lines are slow and lossy, and cut for a moment."""

import pytest

pytest.importorskip("zenoh", reason="the extra uplink is not installed")

from aegis.bench.faulty_line import Quality
from aegis.bench.fleet import Case, measure


def test_a_small_fleet_loses_nothing():
    case = Case("small", 2, Quality(kbit_s=2000.0, delay_s=0.01, loss=0.02), cut_s=1.5, measure_s=1.5, tracks=20)
    row = measure(case)
    assert row["sites"] == 2
    assert row["pictures"] >= 3
    assert row["p99_ms"] >= row["p50_ms"] >= 10.0  # the line's delay
    assert row["events_sent"] > 20
    assert row["events_lost"] == row["events_out_of_order_or_twice"] == 0
    assert 0.0 < row["picture_right_after_s"] < 10.0
