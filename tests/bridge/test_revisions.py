# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tables forward and back: on what a bridge of revision 0003 has written, in SQLite and in PostgreSQL."""

from __future__ import annotations

import gzip
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from click.testing import CliRunner
from sqlalchemy import MetaData, insert, text

from aegis.bridge.accounts.file import MIGRATIONS as ACCOUNT_MIGRATIONS
from aegis.bridge.accounts.server import SCHEMA
from aegis.bridge.accounts.store import Accounts
from aegis.bridge.database import migrate, migrating, open_engine
from aegis.bridge.history.history import History
from aegis.bridge.history.settings import HistorySettings
from aegis.bridge.history.store import MIGRATIONS as HISTORY_MIGRATIONS
from aegis.bridge.revisions import Database, RevisionError, databases, downgrade, losses, revision_of, revisions
from aegis.cli.main import cli

DATA = Path(__file__).parent.parent / "data"
WRITTEN_AT = "0003"
FOLDERS = {"history": HISTORY_MIGRATIONS, "accounts": ACCOUNT_MIGRATIONS}
FILES = {"history": "history.db", "accounts": "bridge.db"}
NOT_COMPARED = {"alembic_version", "sqlite_sequence"}

Rows = dict[str, list[dict[str, Any]]]


def written(state_dir: Path, part: str) -> Path:
    """Put the file of the bridge of WRITTEN_AT into a state directory."""
    path = state_dir / FILES[part]
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(gzip.decompress((DATA / f"{part}_{WRITTEN_AT}.sql.gz").read_bytes()).decode())
    return path


def fed(url: str, part: str, path: Path) -> None:
    """Make the tables of WRITTEN_AT in a PostgreSQL, with the rows of the file: as the bridges of then have fed it."""
    if part == "accounts":
        with psycopg.connect(url) as connection:
            connection.execute(f"CREATE SCHEMA {SCHEMA}")
    (database,) = [one for one in databases(path.parent, environ_of(url), part) if one.file is None]
    source = open_engine(f"sqlite:///{path}")
    with database.open() as engine:
        with migrating(engine, FOLDERS[part]) as config:
            command.upgrade(config, WRITTEN_AT)
        tables = MetaData()
        tables.reflect(engine)
        with source.connect() as old, engine.begin() as new:
            for table in tables.sorted_tables:
                rows = [dict(row) for row in old.execute(text(f"SELECT * FROM {table.name}")).mappings()]
                if rows and table.name not in (*NOT_COMPARED, "audit_retention"):
                    new.execute(insert(table), [as_typed(table, row) for row in rows])
    source.dispose()


def as_typed(table: Any, row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of SQLite as PostgreSQL takes it: booleans, JSON and times are what they are there."""
    import datetime
    import json

    kinds = {column.name: column.type.python_type for column in table.columns}
    made = {bool: bool, dict: json.loads, datetime.datetime: datetime.datetime.fromisoformat}
    return {name: made.get(kinds[name], lambda v: v)(v) if v is not None else None for name, v in row.items()}


def environ_of(url: str) -> dict[str, str]:
    return {"DATABASE_URL": url, "REDIS_URL": "redis://somewhere"} if url else {}


def rows_of(database: Database) -> Rows:
    """Return all rows, by table, read by the bare driver."""
    if database.file is not None:
        names = "SELECT name FROM sqlite_master WHERE type = 'table'"
        connection: Any = sqlite3.connect(database.file)
    else:
        names = f"SELECT tablename FROM pg_tables WHERE schemaname = '{database.schema or 'public'}'"
        connection = psycopg.connect(database.url, options=f"-c search_path={database.schema or 'public'}")
    found = {}
    with closing(connection):
        for (name,) in connection.execute(names).fetchall():
            if name not in NOT_COMPARED:
                cursor = connection.execute(f"SELECT * FROM {name}")
                columns = [one[0] for one in cursor.description]
                found[name] = sorted((dict(zip(columns, row, strict=True)) for row in cursor), key=repr)
    return found


def without(rows: Rows, lost: dict[str, int]) -> Rows:
    """Return the rows without the tables and columns that were lost."""
    return {
        table: sorted(({k: v for k, v in row.items() if f"{table}.{k}" not in lost} for row in found), key=repr)
        for table, found in rows.items()
        if table not in lost and table != "audit_retention"  # which has what the migration puts into it
    }


@pytest.fixture(params=["sqlite", "postgresql"])
def make(request: pytest.FixtureRequest, tmp_path: Path):
    """Return a function that gives the database of a part, of each kind, as WRITTEN_AT has left it."""

    def made(part: str) -> Database:
        path = written(tmp_path, part)
        if request.param == "sqlite":
            return databases(tmp_path, {}, part)[0]
        url = request.getfixturevalue("postgres").create_database()
        fed(url, part, path)
        return databases(tmp_path, environ_of(url), part)[-1]

    return made


@pytest.mark.parametrize("part", FOLDERS)
def test_forward_back_step_by_step_and_forward_again_keeps_the_rows(make, part):
    database = make(part)
    before, lost = rows_of(database), {}
    assert sum(map(len, before.values())) > 20
    with database.open() as engine:
        migrate(engine, database.migrations)
        newest = rows_of(database)
        for to in reversed([one.name for one in revisions(database.migrations)[:-1]]):
            with engine.connect() as connection:
                named = losses(connection, database.migrations, to)
            if to == WRITTEN_AT:  # what the version before has written is all there
                assert named == {}
            assert downgrade(engine, database.migrations, to, list(named)) == named
            lost |= named
            with engine.connect() as connection:
                assert revision_of(connection) == to
            back = rows_of(database)
            if to == WRITTEN_AT:
                assert back == before
            for table, found in back.items():
                kept = without({table: newest[table]}, {**lost, **added(newest, back)})
                assert without({table: found}, {}) == kept
        migrate(engine, database.migrations)
    again = rows_of(database)
    assert without(again, lost) == without(newest, lost)
    assert again.keys() == newest.keys()


def added(newer: Rows, older: Rows) -> dict[str, int]:
    """Return the columns that the older form does not have, by table.column."""
    return {
        f"{table}.{name}": 0
        for table, found in older.items()
        if found
        for name in newer[table][0]
        if name not in found[0]
    }


def test_what_would_be_lost_has_to_be_named_and_else_nothing_changes(make):
    database = make("accounts")
    with database.open() as engine:
        before = rows_of(database)
        with pytest.raises(
            RevisionError, match=r"lose zones \(1 rows\), users.disabled \(1 rows\).*--lose zones --lose users"
        ):
            downgrade(engine, database.migrations, "0001")
        with engine.connect() as connection:
            every = losses(connection, database.migrations, "0001")
        all_but_one = [name for name in every if name != "audit"]
        with pytest.raises(RevisionError, match=r"lose audit \(10 rows\); to lose that, say --lose audit$"):
            downgrade(engine, database.migrations, "0001", all_but_one)
        with pytest.raises(RevisionError, match="'9' is no revision before 0003"):
            downgrade(engine, database.migrations, "9")
    assert rows_of(database) == before


def test_a_way_back_that_fails_in_the_middle_leaves_all_as_it_was(make, tmp_path):
    database = make("history")
    folder = shutil.copytree(database.migrations, tmp_path / "migrations")
    for script in (folder / "versions").glob("0002_*.py"):  # the last thing that it does
        script.write_text(script.read_text() + "    raise RuntimeError('in the middle')\n")
    before = rows_of(database)
    with database.open() as engine:
        with pytest.raises(RuntimeError, match="in the middle"):
            downgrade(engine, folder, "0001", ["track_samples.rcs_dbsm", *DECISIONS_LOST])
        with engine.connect() as connection:
            assert revision_of(connection) == WRITTEN_AT
    assert rows_of(database) == before


DECISIONS_LOST = ("decisions.number", "decisions.address", "decisions.request_id")


def test_no_way_back_under_a_running_bridge(make, tmp_path):
    database = make("history")
    with database.open() as engine:
        migrate(engine, database.migrations)
        other = open_engine(database.url)  # as a bridge has it open
        with other.connect() as connection:
            connection.execute(text("SELECT 1"))
            with pytest.raises(RevisionError, match="stop the bridge"):
                downgrade(engine, database.migrations, "0002", ["track_samples.rcs_dbsm"])
        other.dispose()
        downgrade(engine, database.migrations, "0002", ["track_samples.rcs_dbsm", *later(database)])


def later(database: Database) -> list[str]:
    with database.open() as engine, engine.connect() as connection:
        return list(losses(connection, database.migrations, "0002"))


def test_the_guards_of_the_accounts_and_of_the_decisions_are_there_again(make, tmp_path):
    """Triggers refuse changes of the audit; they went and came with its table."""
    database = make("accounts")
    with database.open() as engine:
        migrate(engine, database.migrations)
        with engine.connect() as connection:
            every = losses(connection, database.migrations, "0001")
        downgrade(engine, database.migrations, "0001", list(every))
        migrate(engine, database.migrations)
        with engine.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO audit (at_s, who, address, request_id, action, target, outcome, detail)"
                    " VALUES (1e12, 'a', '', '', 'x', '', 'ok', '{}')"
                )
            )
        for statement in ("DELETE FROM audit", "UPDATE audit SET who = 'b'"):
            with pytest.raises(Exception, match="append-only"), engine.begin() as connection:
                connection.execute(text(statement))


def test_the_commands(tmp_path, monkeypatch, wait_for):
    monkeypatch.setenv("AEGIS_STATE_DIR", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    written(tmp_path, "history")

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli, ["database", *words])
        return done.exit_code, done.output

    code, said = run("status")
    assert code == 0, said
    assert "history.db is at 0003" in said
    assert "there is no" in said  # bridge.db
    code, said = run("downgrade", "history", "--to", "0002")
    assert (code, "--lose track_samples.rcs_dbsm" in said) == (2, True)
    assert run("downgrade", "accounts", "--to", "0002")[0] == 2
    assert not (tmp_path / "bridge.db").exists()
    code, said = run("downgrade", "history", "--to", "0002", "--lose", "track_samples.rcs_dbsm")
    assert (code, "lost: track_samples.rcs_dbsm (75 rows)" in said) == (0, True), said
    assert "at 0002" in run("downgrade", "history", "--to", "0002")[1]
    assert run("upgrade", "history")[0] == 0
    history = History(HistorySettings(), tmp_path)  # and the bridge goes on with it
    history.start()
    try:
        wait_for(lambda: history.state.up, "the history is open")
        assert run("downgrade", "history", "--to", "0002")[0] == 2
    finally:
        history.close()


def test_shared_accounts_are_those_of_the_server(postgres, tmp_path, monkeypatch):
    url = postgres.create_database()
    accounts = Accounts(tmp_path, server=url)
    accounts.add("ada", "a good long password", "admin")
    accounts.close()
    monkeypatch.setenv("AEGIS_STATE_DIR", str(tmp_path))
    for name, value in environ_of(url).items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(cli, ["database", "downgrade", "accounts", "--to", "0002"])
    assert done.exit_code == 0, done.output
    assert postgres.password not in done.output
    with psycopg.connect(url) as connection:
        assert connection.execute(f"SELECT name FROM {SCHEMA}.users").fetchall() == [("ada",)]
        assert connection.execute(f"SELECT version_num FROM {SCHEMA}.alembic_version").fetchall() == [("0002",)]
