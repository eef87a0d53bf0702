"""Accounts: the first administrator, hashes, roles, the pool that checks passwords."""

import asyncio
import sqlite3
import stat
import statistics
import time
from pathlib import Path

import argon2
import pytest

from aegis.bridge.accounts.store import DATABASE_FILE, Accounts, BusyError, Scope, reset_password


@pytest.fixture
def accounts(tmp_path: Path):
    made = Accounts(tmp_path)
    yield made
    made.close()


def test_the_first_administrator_is_made_once(accounts):
    password = accounts.ensure_administrator()
    assert password is not None
    assert len(password) >= 16
    assert accounts.ensure_administrator() is None
    account = accounts.verify("admin", password)
    assert account is not None
    assert account.scopes == frozenset(Scope)
    assert accounts.verify("admin", password + "x") is None


def test_the_database_is_its_owners_and_holds_an_argon2id_hash_only(accounts, tmp_path: Path):
    password = accounts.ensure_administrator()
    path = tmp_path / DATABASE_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert password.encode() not in path.read_bytes()
    with sqlite3.connect(path) as database:
        (stored,) = database.execute("select password_hash from users").fetchone()
    # The reference library reads the parameters and agrees on the password.
    parameters = argon2.extract_parameters(stored)
    assert (parameters.type, parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (
        argon2.Type.ID,
        19 * 1024,
        2,
        1,
    )
    assert argon2.PasswordHasher().verify(stored, password)


def test_roles_give_growing_scopes(accounts):
    scopes = {role: accounts.add(role, "a password", role).scopes for role in ("viewer", "operator", "admin")}
    assert scopes["viewer"] == {Scope.RADAR_READ, Scope.THREATS_READ}
    assert scopes["viewer"] < scopes["operator"] < scopes["admin"]
    assert Scope.ADMIN not in scopes["operator"]


@pytest.mark.parametrize(("name", "role"), [("", "viewer"), ("a b", "viewer"), ("x" * 65, "viewer"), ("ok", "god")])
def test_a_wrong_name_or_role_is_refused(accounts, name, role):
    with pytest.raises(ValueError, match=r"^(account name|role) '"):
        accounts.add(name, "a password", role)


def test_names_are_unique_whatever_their_case(accounts):
    accounts.add("Ada", "a password", "viewer")
    with pytest.raises(ValueError, match="exists already"):
        accounts.add("aDA", "a password", "viewer")
    assert accounts.verify("ADA", "a password") is not None


def test_a_reset_password_replaces_the_old_one(tmp_path: Path):
    accounts = Accounts(tmp_path)
    old = accounts.ensure_administrator()
    new = reset_password(tmp_path, "admin")
    assert accounts.verify("admin", old) is None
    assert accounts.verify("admin", new) is not None
    with pytest.raises(LookupError, match="there are: admin"):
        reset_password(tmp_path, "nobody")
    accounts.close()


def test_an_unknown_name_takes_as_long_as_a_wrong_password(accounts):
    accounts.ensure_administrator()

    def median_s(name: str) -> float:
        times = []
        for _ in range(15):
            begin = time.perf_counter()
            assert accounts.verify(name, "wrong") is None
            times.append(time.perf_counter() - begin)
        return statistics.median(times)

    # Without the dummy hash it would be about 1 : 20.
    assert 0.5 < median_s("nobody") / median_s("admin") < 2.0


def test_logins_beyond_the_queue_are_told_to_come_back(tmp_path: Path):
    accounts = Accounts(tmp_path, workers=1, queue=2)
    password = accounts.ensure_administrator()

    async def many():
        return await asyncio.gather(
            *(accounts.authenticate("admin", password) for _ in range(5)), return_exceptions=True
        )

    results = asyncio.run(many())
    assert sum(isinstance(result, BusyError) for result in results) == 2
    assert sum(getattr(result, "name", "") == "admin" for result in results) == 3
    accounts.close()


def test_checking_a_password_does_not_hold_up_the_event_loop(accounts):
    password = accounts.ensure_administrator()

    async def beats_while_checking() -> int:
        check = asyncio.create_task(accounts.authenticate("admin", password))
        beats = 0
        while not check.done():
            await asyncio.sleep(0.001)
            beats += 1
        assert check.result() is not None
        return beats

    assert asyncio.run(beats_while_checking()) >= 3  # a check on the loop would allow one
