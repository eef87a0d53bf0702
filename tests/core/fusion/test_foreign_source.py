# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The bookkeeping of somebody else's source: numbers, what is due, stamps that grow."""

import numpy as np

from aegis.core.fusion.foreign import Report
from aegis.core.fusion.foreign_source import ForeignSource, Limits, Taken
from aegis.core.ids import UniqueIds

S = 10**9


def report(stamp_ns: int, east_m: float = 0.0) -> Report:
    return Report(stamp_ns, np.array([east_m, 0.0, 0.0]), np.eye(3), np.array([1.0, 0.0, 0.0]), np.eye(3))


def source(most: int = 2) -> ForeignSource[str]:
    return ForeignSource("foreign/x", Limits(0.5, 5.0, 50.0, most), UniqueIds())


def test_a_picture_comes_when_it_is_due_and_its_stamps_grow():
    one = source()
    assert one.picture(10 * S, "map") is None  # nothing has come
    assert one.take("a", report(9 * S)) is Taken.YES
    first = one.picture(10 * S, "map")
    assert (first.stamp_ns, first.sequence, first.sensor_id, len(first)) == (9 * S, 1, "foreign/x", 1)
    assert one.take("b", report(9 * S, 100.0)) is Taken.YES  # of the same time
    assert one.picture(10 * S + S // 4, "map") is None  # not due
    second = one.picture(10 * S + S // 2, "map")
    assert (second.stamp_ns, second.sequence, len(second)) == (9 * S + 1, 2, 2)
    assert one.picture(20 * S, "map") is None  # nothing new


def test_what_is_late_or_too_much_is_not_taken_and_the_old_goes():
    one = source()
    one.take("a", report(9 * S))
    assert one.take("a", report(9 * S)) is Taken.LATE
    one.take("b", report(9 * S))
    assert one.take("c", report(9 * S)) is Taken.FULL
    one.take("b", report(15 * S))
    assert list(one.picture(16 * S, "map").time_since_update) == [0.0]  # b alone: a is older than 5 s


def test_a_name_that_comes_again_is_the_same_object_or_another_as_its_source_has_it():
    numbers = {}
    for reused in (False, True):
        one = source()
        one.take("a", report(9 * S))
        (before,) = one.picture(10 * S, "map").track_id
        assert one.end("a", reused=reused)
        assert not one.end("a", reused=reused)
        one.take("a", report(10 * S))
        (after,) = one.picture(11 * S, "map").track_id
        numbers[reused] = before == after
    assert numbers == {False: True, True: False}
