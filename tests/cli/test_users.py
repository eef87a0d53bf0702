# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis users` on a machine where no bridge runs: what it makes, and what it refuses."""

from pathlib import Path

import pytest
from accounts_data import verify
from click.testing import CliRunner

from aegis.bridge.accounts import audit_table, users
from aegis.bridge.accounts.audit_table import Query
from aegis.bridge.accounts.store import Accounts
from aegis.cli.main import cli


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AEGIS_STATE_DIR", str(tmp_path))

    def command(*words: str):
        return CliRunner().invoke(cli, ["users", *words])

    return command


def last_word(result) -> str:
    assert result.exit_code == 0, result.output
    return result.output.split()[-1]


def test_the_first_account_can_be_made_before_the_bridge_has_ever_run(run, tmp_path: Path):
    password = last_word(run("add", "Ada", "--role", "admin"))
    accounts = Accounts(tmp_path)
    assert verify(accounts, "ada", password) == users.Account("ada", "admin")
    assert accounts.ensure_administrator() is None
    accounts.close()
    assert "never" in run("list").output


def test_a_reset_password_replaces_the_old_one(run, tmp_path: Path):
    old = last_word(run("add", "admin", "--role", "admin"))
    new = last_word(run("reset-password", "admin"))
    accounts = Accounts(tmp_path)
    assert verify(accounts, "admin", old) is None
    assert verify(accounts, "admin", new) is not None
    accounts.close()


def test_each_namespace_has_its_own_accounts(run):
    run("add", "ada", "--role", "viewer")
    assert "ada" in run("list").output
    assert "ada" not in run("list", "--namespace", "rear").output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("reset-password", "nobody"), "no account 'nobody'; there are: admin"),
        (("remove", "nobody"), "there are: admin"),
        (("revoke", "nobody"), "there are: admin"),
        (("set-role", "nobody", "--role", "viewer"), "there are: admin"),
        (("remove", "admin"), "last enabled administrator"),
        (("disable", "admin"), "last enabled administrator"),
        (("set-role", "admin", "--role", "viewer"), "last enabled administrator"),
        (("add", "ADMIN", "--role", "viewer"), "exists already"),
        (("add", "a b", "--role", "viewer"), "letters, digits"),
        (("add", "eve", "--role", "god"), "'god' is not one of"),
        (("invite", "--role", "viewer", "--hours", "0"), "0"),
        (("service-token", "x", "--scope", "admin"), "'admin' is not one of"),
        (("service-token", "a b", "--scope", "metrics:read"), "token name"),
    ],
)
def test_what_cannot_be_done_is_said_and_not_audited(run, tmp_path: Path, words, says):
    run("add", "admin", "--role", "admin")
    result = run(*words)
    assert result.exit_code == 2
    assert says in result.output
    assert "Traceback" not in result.output
    accounts = Accounts(tmp_path)
    assert [row.action for row in accounts.read_now(audit_table.page, Query(10))] == ["users.add"]
    accounts.close()


def test_a_database_that_cannot_be_opened_is_said_plainly(run, tmp_path: Path):
    (tmp_path / "bridge.db").write_bytes(b"this is no database" * 100)
    result = run("list")
    assert result.exit_code == 2
    assert f"{tmp_path / 'bridge.db'}: cannot be used as the database of accounts" in result.output
    assert "file is not a database" in result.output
