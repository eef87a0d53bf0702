# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The table of accounts: names, roles, and that somebody can always administer."""

import re

import pytest
from accounts_data import PASSWORD, log_in, verify
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from problems import refused

from aegis.bridge.accounts import sessions, users
from aegis.bridge.accounts.scopes import ROLES, RoleName, Scope
from aegis.bridge.problem import ProblemError


def change(accounts, name, **what):
    return accounts.write_now(None, users.change, name, accounts.now(), **what)


def test_roles_give_growing_scopes(accounts):
    scopes = {role: accounts.add(role, PASSWORD, role).scopes for role in ("viewer", "operator", "admin")}
    assert scopes["viewer"] == {Scope.RADAR_READ, Scope.THREATS_READ}
    assert scopes["viewer"] < scopes["operator"] < scopes["admin"]
    assert Scope.ADMIN not in scopes["operator"]
    assert set(RoleName.__args__) == set(ROLES)


@pytest.mark.parametrize(("name", "role"), [("", "viewer"), ("a b", "viewer"), ("x" * 65, "viewer"), ("ok", "god")])
def test_a_wrong_name_or_role_is_refused(accounts, name, role):
    with pytest.raises(ValueError, match=r"^(account name|role) '"):
        accounts.add(name, PASSWORD, role)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(name=st.text(max_size=70) | st.from_regex(r"[A-Za-z0-9._-]{1,66}\n?", fullmatch=True))
def test_a_name_is_taken_as_it_is_or_refused(accounts, name):
    allowed = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name) is not None
    known = {row.username for row in accounts.read_now(users.listing)}
    try:
        account = accounts.write_now(None, users.add, name, "hash", "viewer")
    except ProblemError as error:
        status = error.status
        assert (status, name.lower() in known) == (409, True)
    except ValueError:
        assert not allowed
    else:
        assert allowed
        assert account.name == name.lower()


def test_names_are_unique_whatever_their_case(accounts):
    accounts.add("Ada", PASSWORD, "viewer")
    with refused(409, "exists already"):
        accounts.add("aDA", PASSWORD, "viewer")
    assert verify(accounts, "ADA", PASSWORD) is not None


def test_the_last_enabled_administrator_stays(accounts):
    accounts.add("admin", PASSWORD, "admin")
    accounts.add("other", PASSWORD, "admin")
    change(accounts, "other", disabled=True)
    for what in ({"role": "operator"}, {"disabled": True}):
        with refused(409):
            change(accounts, "admin", **what)
    with refused(409):
        accounts.write_now(None, users.remove, "admin", accounts.now())
    assert [(row.username, row.role, row.disabled) for row in accounts.read_now(users.listing)] == [
        ("admin", "admin", False),
        ("other", "admin", True),
    ]
    change(accounts, "other", disabled=False)
    accounts.write_now(None, users.remove, "admin", accounts.now())
    assert [row.username for row in accounts.read_now(users.listing)] == ["other"]


@pytest.mark.parametrize(
    ("act", "open_after"),
    [
        (lambda a: change(a, "ada", role="operator"), 0),
        (lambda a: change(a, "ada", disabled=True), 0),
        (lambda a: change(a, "ada", role="viewer", disabled=False), 2),  # nothing changed
        (lambda a: a.write_now(None, users.set_password, "ada", "hash", a.now()), 0),
    ],
)
def test_a_change_ends_the_sessions(accounts, act, open_after):
    accounts.add("admin", PASSWORD, "admin")
    accounts.add("ada", PASSWORD, "viewer")
    for name in ("ada", "ada", "admin"):
        log_in(accounts, name)
    act(accounts)
    assert {row.username: row.sessions for row in accounts.read_now(users.listing)} == {"admin": 1, "ada": open_after}


def test_what_does_not_exist_is_said(accounts):
    for work, args in ((users.change, (0.0,)), (users.remove, (0.0,)), (users.set_password, ("hash", 0.0))):
        with refused(404, "no account 'nobody'"):
            accounts.write_now(None, work, "nobody", *args)


def test_a_login_that_was_overtaken_by_a_change_opens_nothing(accounts):
    accounts.add("admin", PASSWORD, "admin")
    for n, act in enumerate(
        (
            lambda a, name: change(a, name, disabled=True),
            lambda a, name: change(a, name, role="operator"),
            lambda a, name: a.write_now(None, users.set_password, name, "hash", 0.0),
            lambda a, name: a.write_now(None, users.remove, name, 0.0),
        )
    ):
        name = f"user{n}"
        accounts.add(name, PASSWORD, "viewer")
        checked = accounts.read_now(users.credentials, name, "192.0.2.1", 0.0)
        act(accounts, name)
        with refused(409):
            accounts.write_now(None, sessions.begin, checked, "192.0.2.1", 0.0, accounts.settings)
        if n == 2:
            with refused(409):
                accounts.write_now(None, users.change_own_password, checked, "hash 2", 0.0, "")
