# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What an uplink may send and in which order it gives on, held against plain models of both."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.core.params import ConfigError
from aegis.core.uplink.bucket import BURST_S, OVERDRAFT_S, TokenBucket
from aegis.core.uplink.order import InOrder
from aegis.core.uplink.settings import UplinkSettings

RATE = 1000.0


@given(st.lists(st.tuples(st.floats(0.0, 0.5), st.integers(1, 2000), st.booleans()), max_size=60))
def test_no_more_is_sent_than_the_bound(steps):
    """In any time from the start: the rate, the burst, what is urgent beyond it, and one message."""
    bucket, now_s, sent = TokenBucket(RATE, 0.0), 0.0, 0
    for pause_s, size, urgent in steps:
        now_s += pause_s
        wait_s = bucket.wait_s(now_s, urgent=urgent)
        now_s += wait_s
        assert bucket.wait_s(now_s + 1e-9, urgent=urgent) < 1e-6
        bucket.take(size, now_s)
        sent += size
        assert sent <= RATE * (now_s + BURST_S + OVERDRAFT_S) + 2000 + 1e-6


def test_an_alarm_does_not_wait_for_the_picture_before_it():
    bucket = TokenBucket(RATE, 0.0)
    bucket.take(900, 0.0)
    assert bucket.wait_s(0.0) == pytest.approx(0.65)
    assert bucket.wait_s(0.0, urgent=True) == 0.0
    bucket.take(400, 0.0)
    assert bucket.wait_s(0.0, urgent=True) == pytest.approx(0.05)
    assert TokenBucket(0.0, 0.0).wait_s(0.0) == 0.0


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 7), st.randoms(use_true_random=False))
def test_each_message_is_given_on_once_and_in_order(arrives, page_size, random):
    """The record keeps all; some of what is sent live arrives, in any order within a few; the rest is asked for in pages."""
    record = {n: f"{n}".encode() for n in range(1, len(arrives) + 1)}
    order, out, last = InOrder(), [], 0
    out += order.heard(7, 1, 0)
    live = [n for n, there in zip(record, arrives, strict=True) if there]
    while live:
        n = live.pop(random.randrange(min(3, len(live))))
        last = max(last, n)
        out += order.take(7, n, record[n])
        if random.random() < 0.3:
            out += order.heard(7, 1, last)
            page = [(k, record[k]) for k in range(order.next, last + 1)][:page_size]
            if order.missing:
                out += order.take_page(7, page)
    out += order.heard(7, 1, len(record))
    while order.missing:
        out += order.take_page(7, [(k, record[k]) for k in range(order.next, len(record) + 1)][:page_size])
    assert out == list(record.values())
    assert order.lost == 0


def test_what_the_record_has_dropped_is_counted_and_what_is_held_is_not_lost():
    order = InOrder()
    order.heard(7, 1, 0)
    assert order.take(7, 1, b"1") == [b"1"]
    assert order.take(7, 4, b"4") == []
    assert order.take(7, 4, b"4") == []
    assert order.repeated == 1
    assert order.missing
    assert order.heard(7, 6, 9) == [b"4"]
    assert (order.lost, order.next) == (3, 6)
    assert order.take_page(7, [(6, b"6"), (9, b"9")]) == [b"6", b"9"]
    assert (order.lost, order.missing) == (5, False)
    order.heard(7, 10, 12)
    assert order.nothing_from(7, 10) == []
    assert (order.lost, order.missing) == (8, False)


def test_another_record_begins_anew_and_an_older_one_goes_on():
    order = InOrder()
    order.heard(7, 1, 3)
    order.take_page(7, [(1, b"a"), (2, b"b"), (3, b"c")])
    order.heard(8, 1, 1)
    assert order.take(7, 4, b"stale") == []
    assert order.take_page(8, [(1, b"x")]) == [b"x"]
    order.heard(7, 1, 4)
    assert (order.next, order.lost) == (4, 0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"site": "north"}, "endpoint"),
        ({"site": "no/rth", "connect": ["tcp/h:1"]}, "no name of a site"),
        ({"receive": ["north"], "mode": "client", "listen": ["tcp/h:1"]}, "router"),
        ({"site": "n", "connect": ["h:1"]}, "tls/HOST:PORT"),
        ({"site": "n", "topics": ["detections"], "connect": ["tcp/h:1"]}, "carries"),
        ({"site": "n", "receive": ["n"], "connect": ["tcp/h:1"]}, "itself"),
    ],
)
def test_a_wrong_parameter_is_refused_with_what_is_right(given, said):
    with pytest.raises(ConfigError, match=said):
        UplinkSettings.load(given)
    assert not UplinkSettings().is_used
