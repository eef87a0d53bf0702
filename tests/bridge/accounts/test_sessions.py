# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Sessions: rotation, reuse, and both ways to expire; the clock is the test's."""

import pytest
from accounts_data import PASSWORD, log_in, refresh
from problems import refused

from aegis.bridge.accounts import sessions, users
from aegis.bridge.accounts.revocation_cache import read_changes
from aegis.bridge.accounts.sessions import Grant, Refusal

HOUR_S, DAY_S = 3600.0, 86400.0


@pytest.fixture(autouse=True)
def _ada(accounts):
    accounts.add("ada", PASSWORD, "viewer")


def revoked(accounts) -> list[str]:
    return list(accounts.read_now(read_changes, 0).revoked)


def test_a_refresh_gives_the_next_token_and_uses_this_one_up(accounts, clock):
    first = log_in(accounts, "ada")
    clock.now += HOUR_S
    second = refresh(accounts, first.refresh_token)
    assert isinstance(second, Grant)
    assert (second.session, second.account) == (first.session, first.account)
    assert len({first.refresh_token, second.refresh_token}) == 2
    assert len(first.refresh_token) >= 43  # 256 bits in base64
    assert isinstance(refresh(accounts, second.refresh_token), Grant)


def test_a_token_that_comes_twice_ends_the_whole_session(accounts):
    other = log_in(accounts, "ada")
    first = log_in(accounts, "ada")
    second = refresh(accounts, first.refresh_token)
    third = refresh(accounts, second.refresh_token)
    assert refresh(accounts, first.refresh_token) == Refusal("reused", "ada", first.session)
    assert refresh(accounts, third.refresh_token) == Refusal("unknown")  # neither the thief nor the owner goes on
    assert revoked(accounts) == [first.session]
    assert isinstance(refresh(accounts, other.refresh_token), Grant)  # another login is another session


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "\ud800", "' OR 1=1 --"])
def test_an_unknown_token_changes_nothing(accounts, token):
    grant = log_in(accounts, "ada")
    assert refresh(accounts, token) == Refusal("unknown")
    assert isinstance(refresh(accounts, grant.refresh_token), Grant)


def test_a_session_that_is_not_used_ends(accounts, clock):
    grant = log_in(accounts, "ada")
    assert grant.refresh_until_s == clock.now + DAY_S
    clock.now += DAY_S - 1
    grant = refresh(accounts, grant.refresh_token)
    clock.now += DAY_S - 1
    grant = refresh(accounts, grant.refresh_token)  # each use counts anew
    clock.now += DAY_S
    assert refresh(accounts, grant.refresh_token) == Refusal("expired", "ada", grant.session)
    assert refresh(accounts, grant.refresh_token) == Refusal("unknown")


def test_a_session_ends_after_its_days_however_it_is_used(accounts, clock):
    begin = clock.now
    grant = log_in(accounts, "ada")
    while clock.now + 12 * HOUR_S < begin + 7 * DAY_S:
        clock.now += 12 * HOUR_S
        grant = refresh(accounts, grant.refresh_token)
        assert grant.session_until_s == begin + 7 * DAY_S
        assert grant.refresh_until_s == min(clock.now + DAY_S, begin + 7 * DAY_S)
    clock.now = begin + 7 * DAY_S
    assert refresh(accounts, grant.refresh_token) == Refusal("expired", "ada", grant.session)


def test_too_many_sessions_end_the_one_unused_for_longest(accounts, clock):
    grants = []
    for _ in range(3):  # as many as may be open here
        clock.now += 1
        grants.append(log_in(accounts, "ada"))
    clock.now += 1
    grants[0] = refresh(accounts, grants[0].refresh_token)
    clock.now += 1
    log_in(accounts, "ada")
    assert revoked(accounts) == [grants[1].session]
    assert isinstance(refresh(accounts, grants[0].refresh_token), Grant)


def test_the_owner_sees_and_ends_the_own_sessions_only(accounts, clock):
    accounts.add("eve", PASSWORD, "viewer")
    mine, other = log_in(accounts, "ada", "192.0.2.7"), log_in(accounts, "eve")
    clock.now += 5
    refresh(accounts, mine.refresh_token, "192.0.2.8")
    (row,) = accounts.read_now(sessions.listing, "ada")
    assert (row.id, row.address, row.last_used_s - row.created_s) == (mine.session, "192.0.2.8", 5.0)
    with refused(404):
        accounts.write_now(None, sessions.end, "ada", other.session, clock.now)
    accounts.write_now(None, sessions.end, "ada", mine.session, clock.now)
    assert revoked(accounts) == [mine.session]
    assert accounts.read_now(sessions.listing, "ada") == []
    assert len(accounts.read_now(sessions.listing, "eve")) == 1


def test_a_changed_password_leaves_the_session_that_changed_it(accounts):
    grants = [log_in(accounts, "ada") for _ in range(3)]
    checked = accounts.read_now(users.credentials, "ada", "192.0.2.1", 0.0)
    accounts.write_now(None, users.change_own_password, checked, "hash", 0.0, grants[1].session)
    assert [row.id for row in accounts.read_now(sessions.listing, "ada")] == [grants[1].session]
    assert set(revoked(accounts)) == {grants[0].session, grants[2].session}


def test_what_is_over_is_swept_out(accounts, clock):
    idle, used = log_in(accounts, "ada"), log_in(accounts, "ada")
    ended = log_in(accounts, "ada")
    accounts.write_now(None, sessions.end, "ada", ended.session, clock.now)
    clock.now += 20 * HOUR_S
    used = refresh(accounts, used.refresh_token)
    clock.now += 6 * HOUR_S
    accounts.write_now(None, sessions.purge, clock.now, accounts.settings)
    assert [row.id for row in accounts.read_now(sessions.listing, "ada")] == [used.session]
    assert refresh(accounts, idle.refresh_token) == Refusal("unknown")
    assert revoked(accounts) == []  # no access token of it can be good any more: they live for 24 h at most


def test_an_address_is_home_for_thirty_days(accounts, clock):
    def at_home(address: str) -> bool:
        return accounts.read_now(users.credentials, "ada", address, clock.now).at_home

    log_in(accounts, "ada", "192.0.2.7")
    log_in(accounts, "ada", "2001:db8:1:2::7")
    assert at_home("192.0.2.7")
    assert not at_home("192.0.2.8")
    assert at_home("2001:db8:1:2:ffff::1")  # the same subscriber's network
    assert not at_home("2001:db8:1:3::7")
    clock.now += 30 * DAY_S + 1
    assert not at_home("192.0.2.7")
