# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Sources that fall silent or give the same scan again, by hand-made times."""

import pytest

from aegis.core.sources import FIRST_SILENCE_S, MOST_SOURCES, SourceWatch, State

CHAIN = ("detections", "tracks", "threats")


def regular(watch: SourceWatch, topic: str, sensor: str, period_s: float, until_s: float) -> float:
    """Let a source come from 0 on; return when it came last."""
    n = 0
    while (n + 1) * period_s <= until_s:
        watch.heard(topic, sensor, n * period_s)
        n += 1
    watch.heard(topic, sensor, n * period_s)
    return n * period_s


@pytest.mark.parametrize(("period_s", "limit_s"), [(0.1, 1.5), (0.5, 1.5), (2.5, 7.5)])
def test_silent_after_three_periods_but_not_within_the_least_silence(period_s, limit_s):
    watch = SourceWatch(1.5, 3)
    last_s = regular(watch, "detections", "left", period_s, 20.0)
    assert watch.troubles(last_s + limit_s - 0.01) == []
    (trouble,) = watch.troubles(last_s + limit_s + 0.01)
    assert (trouble.topic, trouble.sensor_id, trouble.state) == ("detections", "left", State.SILENT)
    assert trouble.for_s == pytest.approx(limit_s + 0.01)
    assert watch.silent_s("detections", last_s + limit_s + 0.01) == pytest.approx(limit_s + 0.01)


def test_what_came_once_has_no_period_and_what_never_came_is_not_expected():
    watch = SourceWatch(1.5, 3)
    assert watch.troubles(1e6) == []
    watch.heard("detections", "left", 0.0)
    assert watch.troubles(FIRST_SILENCE_S) == []
    assert len(watch.troubles(FIRST_SILENCE_S + 0.01)) == 1


def test_one_gap_does_not_make_a_slow_source():
    watch = SourceWatch(1.5, 3)
    last_s = regular(watch, "detections", "left", 0.5, 10.0)
    watch.heard("detections", "left", last_s + 60.0)
    watch.heard("detections", "left", last_s + 60.5)
    assert watch.troubles(last_s + 60.5 + 1.51)


def test_one_of_two_sensors_is_silent_and_the_topic_is_not():
    watch = SourceWatch(1.5, 3)
    for n in range(40):
        watch.heard("detections", "left", n * 0.1)
        if n < 20:
            watch.heard("detections", "right", n * 0.1)
    assert [t.sensor_id for t in watch.troubles(3.9)] == ["right"]
    assert watch.silent_s("detections", 3.9) is None


def test_begin_and_end_are_told_once():
    watch = SourceWatch(1.5, 3)
    last_s = regular(watch, "tracks", "", 0.5, 5.0)
    assert watch.news(last_s + 1.0) == ([], [])
    begun, ended = watch.news(last_s + 2.0)
    assert [t.for_s for t in begun] == [pytest.approx(2.0)]
    assert ended == []
    assert watch.news(last_s + 3.0) == ([], [])
    watch.heard("tracks", "", last_s + 3.5)
    begun, ended = watch.news(last_s + 4.0)
    assert begun == []
    assert [t.for_s for t in ended] == [pytest.approx(3.0)]


def test_only_the_cause_is_told():
    """A silent sensor makes tracks and threats silent too, and they come back a little after it."""
    watch = SourceWatch(1.5, 3, CHAIN)
    for topic in CHAIN:
        regular(watch, topic, "left" if topic == "detections" else "", 0.5, 5.0)
    assert [t.topic for t in watch.troubles(8.0)] == list(CHAIN)
    assert [t.topic for t in watch.causes(8.0)] == ["detections"]
    watch.heard("detections", "left", 8.1)
    assert watch.causes(8.2) == []
    for at_s in (8.6, 9.1, 9.6):
        watch.heard("detections", "left", at_s)
    assert watch.causes(9.59) == []
    assert [t.topic for t in watch.causes(9.7)] == ["tracks"]  # it has had its time


def test_the_same_scan_again_and_again_is_stuck():
    watch = SourceWatch(1.5, 3)
    for n in range(4):
        assert watch.troubles(n * 0.5) == []
        watch.heard("detections", "left", n * 0.5, b"the same", objects=5)
    (trouble,) = watch.troubles(1.6)
    assert (trouble.state, trouble.for_s) == (State.STUCK, pytest.approx(1.1))
    watch.heard("detections", "left", 2.0, b"another", objects=5)
    assert watch.troubles(2.0) == []


def test_one_object_at_rest_has_to_come_longer_and_an_empty_scan_is_never_stuck():
    watch = SourceWatch(1.5, 3)
    for n in range(10):
        assert watch.troubles(n * 0.1) == []
        watch.heard("detections", "left", n * 0.1, b"the same", objects=1)
        watch.heard("detections", "right", n * 0.1, b"", objects=0)
    assert [t.sensor_id for t in watch.troubles(1.0)] == ["left"]


def test_no_number_of_stuck_scans_is_never():
    watch = SourceWatch(1.5, 0)
    for n in range(100):
        watch.heard("detections", "left", n * 0.1, b"the same", objects=5)
    assert watch.troubles(9.9) == []


def test_invented_sensors_do_not_pile_up():
    watch = SourceWatch(1.5, 3)
    for n in range(10 * MOST_SOURCES):
        watch.heard("detections", f"sensor {n}", 0.0)
    assert len(watch.troubles(1e3)) == MOST_SOURCES
    watch.clear()
    assert watch.troubles(1e3) == []


def test_what_is_expected_and_never_heard_is_told_after_the_grace_and_is_the_cause():
    watch = SourceWatch(1.5, 3, CHAIN)
    watch.expect([("detections", "left"), ("detections", "right"), ("tracks", ""), ("threats", "")], 15.0)
    assert watch.troubles(100.0) == watch.troubles(115.0) == []  # from the first look on
    assert [(t.topic, t.sensor_id, t.ever_heard) for t in watch.causes(115.5)] == [
        ("detections", "left", False),
        ("detections", "right", False),
    ]
    assert str(watch.causes(115.5)[0]) == "detections of 'left': never heard, 15.5 s after the start"
    regular(watch, "detections", "left", 0.5, 120.0)
    watch.heard("tracks", "", 120.0)
    watch.heard("threats", "", 120.0)
    (right,) = watch.causes(120.1)
    assert (right.sensor_id, right.state, right.ever_heard) == ("right", State.SILENT, False)
    begun, ended = watch.news(120.1)
    assert (begun, ended) == ([right], [])
    watch.heard("detections", "right", 120.2)
    begun, ended = watch.news(120.3)
    assert (begun, [t.sensor_id for t in ended]) == ([], ["right"])


def test_whoever_gives_detections_is_enough_where_no_sensor_is_named():
    watch = SourceWatch(1.5, 3, CHAIN)
    watch.expect([("detections", ""), ("tracks", "")], 5.0)
    assert watch.troubles(0.0) == []
    watch.heard("detections", "any", 4.0)
    assert [(t.topic, t.ever_heard) for t in watch.causes(5.5)] == [
        ("tracks", False)
    ]  # the tracker makes nothing of it
    watch.clear()
    assert watch.troubles(6.0) == []
    assert [t.topic for t in watch.causes(11.5)] == ["detections"]  # expected anew
