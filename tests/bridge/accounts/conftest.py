# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Accounts of the tests: a database of their own, and a clock."""

import os
import time
from pathlib import Path

import pytest
from accounts_data import Clock

from aegis.bridge.accounts.settings import AccountSettings
from aegis.bridge.accounts.store import Accounts


@pytest.fixture
def clock() -> Clock:
    return Clock(time.time())


@pytest.fixture
def revoked() -> list[str]:
    """Sessions that the accounts have said to be revoked."""
    return []


# What is of accounts and not of a file holds on the database of several bridges too.
ON_BOTH = {"test_sessions", "test_users", "test_invites"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "accounts" in metafunc.fixturenames:
        both = os.environ.get("AEGIS_NIGHTLY") and metafunc.module.__name__.rpartition(".")[2] in ON_BOTH
        metafunc.parametrize("accounts", ["sqlite", "postgresql"] if both else ["sqlite"], indirect=True, ids=str)


@pytest.fixture
def accounts(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock, revoked: list[str]):
    """Accounts without anybody in them; sessions of 7 days, 24 h idle, 3 at a time."""
    server = "" if request.param == "sqlite" else request.getfixturevalue("postgres").create_database()
    made = Accounts(tmp_path, AccountSettings(sessions_per_account=3), clock, revoked.extend, server=server)
    yield made
    made.close()
