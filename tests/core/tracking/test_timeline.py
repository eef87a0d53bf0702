# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where a scan belongs in time, at every edge."""

import numpy as np
import pytest
from scenes import SECOND, detections_of

from aegis.core.tracking.filter_state import State
from aegis.core.tracking.rows import Rows
from aegis.core.tracking.timeline import Moment, Timeline

WINDOW_S, RESET_S, AGE_S = 1.0, 5.0, 10.0


def state(stamp_s: float | None) -> State:
    return State(Rows.empty(1, 6), None if stamp_s is None else round(stamp_s * SECOND))


def after(*stamps_s: float, sensor: str = "a") -> Timeline:
    timeline = Timeline(state(None), WINDOW_S, RESET_S, AGE_S)
    for serial, stamp_s in enumerate(stamps_s):
        scan = detections_of(np.empty((0, 4)), stamp_s, sensor=sensor)
        timeline.hear(sensor, scan.stamp_ns)
        timeline.add(Moment(scan.stamp_ns, serial, scan, state(stamp_s)))
    return timeline


@pytest.mark.parametrize(
    ("sensor", "stamp_s", "refusal", "late"),
    [
        ("a", 13.0, None, False),
        ("a", 12.0, "duplicate scan", False),
        ("a", 11.5, "duplicate scan", True),
        ("b", 11.5, None, True),
        ("b", 11.0, None, True),
        ("b", 10.9, "scan older than the reorder window", True),
        ("b", 12.0, None, False),
    ],
)
def test_a_scan_is_next_or_late_or_refused_and_asking_changes_nothing(sensor, stamp_s, refusal, late):
    timeline = after(10.0, 10.5, 11.0, 11.5, 12.0)
    stamp = round(stamp_s * SECOND)
    for _ in range(2):
        assert timeline.refusal(sensor, stamp) == refusal
        assert timeline.is_late(stamp) == late
        assert not timeline.goes_back(sensor, stamp)
        assert timeline.now_ns == 12 * SECOND


def test_going_back_returns_what_has_to_be_done_again():
    timeline = after(10.0, 11.0, 11.5, 12.0)
    later = timeline.go_back(round(11.2 * SECOND))
    assert [moment.stamp_ns / SECOND for moment in later] == [11.5, 12.0]
    assert timeline.now_ns == 11 * SECOND


def test_time_begins_anew_for_all_but_not_for_scans_on_their_way():
    timeline = after(100.0)
    timeline.hear("b", 100 * SECOND)
    assert not timeline.goes_back("a", 95 * SECOND)
    assert timeline.goes_back("a", 94 * SECOND)
    assert not timeline.goes_back("c", 0)  # it was never heard
    timeline.begin_anew()
    assert timeline.now_ns is None
    scan = detections_of(np.empty((0, 4)), 1.0, sensor="a")
    timeline.hear("a", scan.stamp_ns)
    timeline.add(Moment(scan.stamp_ns, 9, scan, state(1.0)))
    assert timeline.refusal("b", 101 * SECOND) == "scan from before the reset"
    assert timeline.refusal("b", 2 * SECOND) is None


@pytest.mark.parametrize(
    ("gap_s", "taken"), [(0.1, True), (AGE_S, True), (AGE_S + 0.1, False), (0.0, False), (-1.0, False)]
)
def test_a_state_of_another_process_is_taken_up_once_if_it_is_young(gap_s, taken):
    timeline = Timeline(state(None), WINDOW_S, RESET_S, AGE_S)
    timeline.wait_for_first_scan(state(50.0))
    assert timeline.now_ns is None
    assert timeline.take_up(round((50.0 + gap_s) * SECOND)) is taken
    assert timeline.now_ns == (50 * SECOND if taken else None)
    assert timeline.take_up(60 * SECOND) is None
