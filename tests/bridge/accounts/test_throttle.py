# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Limits: per address, per account at an address, per account anywhere, per device; time is not waited for."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.bridge.accounts.addresses import subscriber
from aegis.bridge.accounts.devices import Devices
from aegis.bridge.accounts.settings import LimitSettings
from aegis.bridge.accounts.throttle import Throttle
from aegis.bridge.problem import ProblemError

KEY = bytes(range(64))


@pytest.fixture
def throttle() -> Throttle:
    return Throttle(
        LimitSettings(
            login_per_account_per_minute=3,
            login_per_address_per_minute=8,
            login_per_account_anywhere_per_minute=5,
            register_per_address_per_minute=2,
            refresh_per_address_per_minute=2,
        )
    )


def passed(act, times: int = 50) -> int:
    """Return how many of so many attempts may go on."""
    n, waits = 0, []
    for _ in range(times):
        try:
            asyncio.run(act())
            n += 1
        except ProblemError as error:
            waits.append((error.status, error.retry_after))
    assert all(status == 429 and 1 <= wait_s <= 60 for status, wait_s in waits)
    return n


def test_an_account_is_limited_at_one_address_and_free_at_another(throttle):
    assert passed(lambda: throttle.attempt("ada", "192.0.2.1")) == 3
    assert passed(lambda: throttle.attempt("ADA", "192.0.2.1")) == 0
    assert passed(lambda: throttle.attempt("ada", "192.0.2.2"), 1) == 1


def test_an_address_is_limited_over_all_accounts(throttle):
    names = iter(range(100))
    assert passed(lambda: throttle.attempt(f"user{next(names)}", "192.0.2.1")) == 8


def test_an_account_is_limited_over_all_addresses(throttle):
    assert passed(lambda: throttle.attempt_anywhere("ada")) == 5
    assert passed(lambda: throttle.attempt_anywhere("eve")) == 5


def test_a_known_device_has_a_count_of_its_own(throttle):
    passed(lambda: throttle.attempt("ada", "192.0.2.1"))
    assert passed(lambda: throttle.attempt("ada", "192.0.2.1", "device 1")) == 3
    assert passed(lambda: throttle.attempt("ada", "192.0.2.1", "device 2")) == 3
    asyncio.run(throttle.succeeded("ada", "192.0.2.1", "device 1"))
    assert passed(lambda: throttle.attempt("ada", "192.0.2.1", "device 1")) == 3


def test_a_success_clears_the_account_at_its_address_only(throttle):
    for address in ("192.0.2.1", "192.0.2.2"):
        assert passed(lambda address=address: throttle.attempt("ada", address), 3) == 3
    asyncio.run(throttle.succeeded("Ada", "192.0.2.1"))
    assert passed(lambda: throttle.attempt("ada", "192.0.2.1"), 3) == 3
    assert passed(lambda: throttle.attempt("ada", "192.0.2.2"), 3) == 0


def test_registrations_and_refreshes_are_limited_per_address(throttle):
    for act in (throttle.register, throttle.refresh):
        assert passed(lambda act=act: act("192.0.2.1")) == 2
        assert passed(lambda act=act: act("192.0.2.2")) == 2


def test_one_subscriber_of_ipv6_is_one_address(throttle):
    hosts = iter(range(100))
    assert passed(lambda: throttle.register(f"2001:db8:1:2::{next(hosts):x}")) == 2


@pytest.mark.parametrize(
    ("address", "who"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_who_stands_behind_an_address(address, who):
    assert subscriber(address) == who


def test_keys_of_the_past_are_forgotten(throttle, wait_for, monkeypatch):
    kept = throttle._window.storage.events
    for i in range(200):
        asyncio.run(throttle.refresh(f"192.0.2.{i}"))
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 61)

    def over() -> bool:
        asyncio.run(throttle.attempt("ada", "198.51.100.1", "device"))
        asyncio.run(throttle.succeeded("ada", "198.51.100.1", "device"))
        return not any(kept.values())

    wait_for(over, "their minute is over")
    assert len(kept) >= 200
    monkeypatch.setattr(throttle._window, "most_keys", 10)
    asyncio.run(throttle.attempt_anywhere("ada"))
    assert len(kept) == 1


def test_a_device_token_is_good_for_its_account_and_its_time():
    devices = Devices(KEY, 100.0)
    token = devices.issue("Ada", 1000.0)
    assert devices.recognise(token, "ada", 1099.0) == token.split(".")[0]
    assert devices.recognise(token, "eve", 1000.0) is None
    assert devices.recognise(token, "ada", 1100.0) is None
    assert Devices(bytes(64), 100.0).recognise(token, "ada", 1000.0) is None
    assert devices.issue("ada", 1000.0) != token  # each login is a device of its own


@given(st.text(max_size=200), st.text(max_size=64))
def test_no_text_is_a_device_token(token, account):
    assert Devices(KEY, 100.0).recognise(token, account, 0.0) is None


@given(st.data())
def test_a_changed_device_token_is_none(data):
    devices = Devices(KEY, 100.0)
    token = devices.issue("ada", 1000.0)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters().filter(lambda c: c != token[at]))
    assert devices.recognise(token[:at] + other + token[at + 1 :], "ada", 1000.0) is None
