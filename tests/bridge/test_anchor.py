# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Databases whose files are removed or replaced while they are in use."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from aegis.bridge.accounts import users
from aegis.bridge.accounts.file import AccountsFile
from aegis.bridge.accounts.store import DATABASE_FILE, Accounts
from aegis.bridge.anchor import Anchor

PASSWORD = "a good long password"


def rows(path: Path) -> list[tuple]:
    """Return what another process finds in the file."""
    ask = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT * FROM t').fetchall())"
    done = subprocess.run([sys.executable, "-c", ask, path], capture_output=True, text=True, check=True)
    return eval(done.stdout)


@pytest.fixture
def database(tmp_path: Path):
    path = tmp_path / "folder" / "one.db"
    path.parent.mkdir()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t (x)")
    connection.execute("INSERT INTO t VALUES (1)")
    yield path, connection
    connection.close()


def test_a_file_that_is_there_is_left_alone(database):
    path, _ = database
    anchor = Anchor(path)
    before = path.stat().st_ino
    assert not anchor.put_back()
    assert path.stat().st_ino == before
    anchor.close()


@pytest.mark.parametrize("also", ["nothing", "its log", "its folder"])
def test_a_file_that_was_removed_is_put_back_with_all_that_was_committed(database, also, caplog):
    path, connection = database
    anchor = Anchor(path)
    for file in path.parent.iterdir():
        if file == path or also != "nothing":
            file.unlink()
    if also == "its folder":
        path.parent.rmdir()
    connection.execute("INSERT INTO t VALUES (2)")  # into the file without a name
    assert anchor.put_back()
    assert rows(path) == [(1,), (2,)]
    assert path.stat().st_mode & 0o777 == 0o600
    assert "was removed or replaced while it was in use" in caplog.text
    assert not anchor.put_back()
    anchor.close()


def test_a_file_that_was_replaced_is_put_back_and_the_other_one_kept(database):
    path, _ = database
    anchor = Anchor(path)
    other = path.with_name("other")
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.execute("INSERT INTO t VALUES (99)")
    connection.close()
    other.replace(path)
    assert anchor.put_back()
    assert rows(path) == [(1,)]
    (aside,) = path.parent.glob("one.db.replaced-*")
    assert rows(aside) == [(99,)]
    anchor.close()


def test_accounts_outlive_the_removal_of_their_file(tmp_path):
    accounts = Accounts(tmp_path)
    accounts.add("eve", PASSWORD, "viewer")
    for file in tmp_path.glob(f"{DATABASE_FILE}*"):
        file.unlink()
    accounts._file.put_back()  # as the watch does every two seconds
    accounts.add("adam", PASSWORD, "viewer")
    accounts.close()
    again = Accounts(tmp_path)
    assert {row.username for row in again.read_now(users.listing)} == {"eve", "adam"}
    again.close()


def test_a_database_of_accounts_is_not_put_back_where_it_never_was(tmp_path):
    file = AccountsFile(tmp_path / DATABASE_FILE, rescue=True)
    file.put_back()
    assert not list(tmp_path.glob("*.replaced-*"))
    file.close()
