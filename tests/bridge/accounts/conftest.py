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


@pytest.fixture(params=["sqlite", "postgresql"] if os.environ.get("AEGIS_NIGHTLY") else ["sqlite"])
def accounts(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock, revoked: list[str]):
    """Accounts without anybody in them; sessions of 7 days, 24 h idle, 3 at a time."""
    server = "" if request.param == "sqlite" else request.getfixturevalue("postgres").create_database()
    made = Accounts(tmp_path, AccountSettings(sessions_per_account=3), clock, revoked.extend, server=server)
    yield made
    made.close()
