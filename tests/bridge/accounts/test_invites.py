# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Invites: once, in time, with their role, and never shown again."""

from accounts_data import PASSWORD
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from problems import refused

from aegis.bridge.accounts import invites


def make(accounts, role="operator"):
    return accounts.write_now(None, invites.make, role, "admin", accounts.now(), 3600.0)


def use(accounts, code, name="ada"):
    return accounts.write_now(None, invites.use, code, name, "hash", accounts.now())


def test_an_invite_makes_one_account_with_its_role(accounts):
    row, code = make(accounts)
    assert accounts.read_now(invites.find, code, accounts.now()) == row
    assert use(accounts, code).role == "operator"
    with refused(403):
        use(accounts, code, "second")
    assert accounts.read_now(invites.listing, accounts.now()) == []


def test_an_invite_expires(accounts, clock):
    _, code = make(accounts)
    clock.now += 3600.0
    with refused(403):
        use(accounts, code)
    assert accounts.read_now(invites.listing, clock.now) == []
    accounts.write_now(None, invites.purge, clock.now)


def test_a_taken_name_leaves_the_invite(accounts):
    accounts.add("ada", PASSWORD, "viewer")
    row, code = make(accounts)
    with refused(409):
        use(accounts, code)
    assert accounts.read_now(invites.listing, accounts.now()) == [row]
    assert use(accounts, code, "bob").name == "bob"


def test_a_withdrawn_invite_is_no_good(accounts):
    row, code = make(accounts)
    accounts.write_now(None, invites.remove, row.id)
    with refused(403):
        use(accounts, code)
    with refused(404):
        accounts.write_now(None, invites.remove, row.id)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(code=st.text(max_size=256))
def test_no_other_code_is_an_invite(accounts, code):
    make(accounts)
    with refused(403):
        accounts.read_now(invites.find, code, accounts.now())
