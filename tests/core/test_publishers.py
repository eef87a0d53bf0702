# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""One publisher of a source at a time, by made-up numbers."""

import itertools
import random

from aegis.core.publishers import MOST_SOURCES, OnePublisher


def taken(one: OnePublisher, messages: list[tuple[float, str, int]]) -> list[str]:
    """Return who was taken; a message is (time, who, its publisher's number)."""
    return [who for at_s, who, number in messages if one.takes("tracks", "", number, at_s)]


def test_one_publisher_is_taken_whatever_it_loses():
    numbers = [1, 2, 3, 7, 8, 2000, 2001]
    assert len(taken(OnePublisher(), [(n * 0.1, "a", number) for n, number in enumerate(numbers)])) == len(numbers)


def test_a_second_publisher_is_not_mixed_in():
    ours = [(0.1 * n, "ours", 500 + n) for n in range(100)]
    strangers = [(3.05 + 0.03 * n, "stranger", 1 + n) for n in range(200)]
    assert set(taken(OnePublisher(), sorted(ours + strangers))) == {"ours"}
    assert taken(OnePublisher(), sorted(ours + strangers)).count("ours") == 100


def test_two_graphs_that_began_together_are_never_mixed_for_longer_than_a_message():
    random.seed(5)
    for _ in range(50):
        a, b = random.randint(1, 30), random.randint(1, 30)
        messages = sorted(
            [(0.5 * n + random.random() * 0.1, "a", a + n) for n in range(60)]
            + [(0.5 * n + 0.2 + random.random() * 0.1, "b", b + n) for n in range(60)]
        )
        found = taken(OnePublisher(), messages)
        changes = sum(x != y for x, y in itertools.pairwise(found))
        assert changes <= 1, found
        assert len(found) >= 58


def test_a_publisher_that_was_restarted_is_taken():
    before = [(0.1 * n, "before", 500 + n) for n in range(50)]
    after = [(8.0 + 0.1 * n, "after", 1 + n) for n in range(50)]
    assert taken(OnePublisher(), before + after).count("after") == 50


def test_a_slow_publisher_has_not_ended_between_two_messages():
    slow = [(5.0 * n, "slow", 100 + n) for n in range(20)]
    strangers = [(12.0 + 0.5 * n, "stranger", 1 + n) for n in range(40)]
    assert "stranger" not in taken(OnePublisher(), sorted(slow + strangers))


def test_without_numbers_everything_is_taken():
    one = OnePublisher()
    assert one.takes("tracks", "", None, 0.0)
    assert one.takes("tracks", "", 0, 0.0)


def test_invented_sensors_do_not_pile_up():
    one = OnePublisher()
    for n in range(10 * MOST_SOURCES):
        assert one.takes("detections", f"sensor {n}", 1, 0.0)
    assert len(one._streams) == MOST_SOURCES


def test_a_restart_is_no_second_publisher_and_a_stranger_is_one_as_soon_as_ours_goes_on():
    one = OnePublisher()
    assert not one.are_several("tracks", "")
    taken(one, [(0.5 * n, "before", 500 + n) for n in range(10)])  # killed after 4.5 s
    assert taken(one, [(5.2, "after", 1)]) == []
    assert not one.are_several("tracks", "")
    assert taken(one, [(5.7, "after", 2), (6.2, "after", 3)]) == ["after", "after"]
    assert not one.are_several("tracks", "")
    assert taken(one, [(6.3, "stranger", 50_000)]) == []
    assert not one.are_several("tracks", "")
    assert taken(one, [(6.7, "after", 4), (6.8, "stranger", 50_001)]) == ["after"]
    assert one.are_several("tracks", "")
    assert not one.are_several("tracks", "another source")


def test_it_is_told_once_a_minute_at_most():
    one = OnePublisher()
    assert [one.is_news("tracks", "", at_s) for at_s in (0.0, 0.1, 30.0, 89.0, 150.0)] == [
        True,
        False,
        False,
        False,
        True,
    ]


def test_what_is_lost_between_two_messages_is_counted_of_the_one_that_is_taken():
    one = OnePublisher()
    taken(
        one,
        [
            (0.0, "a", 10),
            (0.1, "a", 11),
            (0.2, "a", 15),
            (0.25, "stranger", 50_000),
            (0.26, "stranger", 50_009),
            (0.3, "a", 16),
            (0.4, "a", 26),
        ],
    )
    assert one.lost == 3 + 9
