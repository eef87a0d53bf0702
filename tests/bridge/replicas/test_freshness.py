# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""When it is not known any more what was revoked."""

import pytest
from accounts_data import Clock

from aegis.bridge.accounts.freshness import Freshness
from aegis.bridge.problem import ProblemError


@pytest.fixture
def clock() -> Clock:
    return Clock(100.0)


@pytest.fixture
def freshness(clock) -> Freshness:
    return Freshness(4.0, clock)


def test_it_is_over_when_neither_was_read_for_the_limit(freshness, clock):
    freshness.heard(gap=True)
    clock.now += 4.0
    freshness.require()
    clock.now += 0.1
    with pytest.raises(ProblemError) as refused:
        freshness.require()
    assert refused.value.status == 503
    freshness.read(clock.now)
    freshness.require()


def test_the_others_stand_in_for_the_database_from_a_look_at_it_on(freshness, clock):
    clock.now += 1
    freshness.heard(gap=True)  # at 101; the database was read at 100: what came between was missed
    clock.now += 3.5
    freshness.heard(gap=False)
    assert freshness.is_over
    freshness.read(clock.now)
    for _ in range(10):  # from here on they tell everything
        clock.now += 3.5
        freshness.heard(gap=False)
        assert not freshness.is_over


def test_after_a_gap_the_others_do_not_stand_in(freshness, clock):
    freshness.heard(gap=True)
    freshness.read(clock.now)
    clock.now += 3
    freshness.heard(gap=True)
    clock.now += 3
    freshness.heard(gap=False)
    assert freshness.is_over


def test_a_look_counts_from_its_begin(freshness, clock):
    begun_s = clock.now
    clock.now += 5.0
    freshness.read(begun_s)
    assert freshness.is_over


def test_a_bridge_that_is_alone_has_no_limit(clock):
    alone = Freshness(0.0, clock)
    clock.now += 1e6
    alone.require()
