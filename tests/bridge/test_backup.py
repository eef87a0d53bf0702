# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Backup and restore of accounts and history, of this release and of earlier ones."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import tarfile
import time
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from click.testing import CliRunner

from aegis.bridge.accounts import users
from aegis.bridge.accounts.store import Accounts
from aegis.bridge.backup import FILES, BackupError, back_up, restore
from aegis.bridge.database import open_engine
from aegis.bridge.history.history import History
from aegis.bridge.history.settings import HistorySettings
from aegis.cli.main import cli
from aegis.graph.incident.past import read_past
from aegis.ros.messages.reports import ReceivedEvent

PASSWORD = "a good long password"


def event(number: int) -> ReceivedEvent:
    from aegis.core.events import Severity

    return ReceivedEvent(
        run_id="run",
        stage="tracking",
        epoch=1,
        sequence=number,
        stamp_ns=time.time_ns(),
        name="TRACK_UPDATED",
        severity=Severity.INFO,
        data={},
        data_json="{}",
    )


def numbers(path: Path) -> list[int]:
    """Return the events of a history, read past the code under test."""
    with sqlite3.connect(path) as connection:
        return [number for (number,) in connection.execute("SELECT sequence FROM events ORDER BY sequence")]


def names(state_dir: Path) -> set[str]:
    accounts = Accounts(state_dir)
    try:
        return {row.username for row in accounts.read_now(users.listing)}
    finally:
        accounts.close()


@pytest.fixture
def bridge(tmp_path: Path, accounts_database: Path, wait_for):
    """A state directory with accounts admin and eve, and a history at work in it with 200 events."""
    state_dir = tmp_path / "state"
    state_dir.mkdir()
    shutil.copy(accounts_database, state_dir)
    history = History(HistorySettings(), state_dir)
    history.start()
    for number in range(1, 201):
        history.put_event(event(number))
    wait_for(lambda: history.counts()["journaled"] == 200, "all is on the disk")
    yield state_dir, history
    history.close()


def test_what_is_backed_up_while_it_is_written_comes_back(bridge, tmp_path):
    state_dir, history = bridge
    target = tmp_path / "monday.tgz"
    parts = back_up(state_dir, target)
    assert set(parts) == {"bridge.db", "history.db"}
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    history.put_event(event(201))  # after the backup
    other = tmp_path / "other"
    restore(target, other)
    assert numbers(other / "history.db") == list(range(1, 201))
    assert names(other) == {"admin", "eve"}
    assert stat.S_IMODE((other / "bridge.db").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["run #2", "50%25", "was?", "F\xf6hr"])
def test_a_folder_may_be_called_anything(tmp_path, accounts_database, wait_for, name):
    state_dir, other, target = tmp_path / name, tmp_path / f"{name} again", tmp_path / "monday.tgz"
    state_dir.mkdir()
    shutil.copy(accounts_database, state_dir)
    history = History(HistorySettings(), state_dir)
    history.start()
    try:
        history.put_event(event(1))
        wait_for(lambda: history.counts()["journaled"] == 1, "it is on the disk")
        assert [one["sequence"] for one in read_past(str(state_dir / "history.db"), 0, 2**62).events] == [1]
        back_up(state_dir, target)
    finally:
        history.close()
    restore(target, other)
    assert numbers(other / "history.db") == [1]
    assert names(other) == {"admin", "eve"}
    assert {path.name for path in tmp_path.iterdir()} == {name, other.name, target.name}, "and nothing beside them"


def test_a_running_bridge_is_not_replaced_and_what_was_there_stays(bridge, tmp_path):
    state_dir, history = bridge
    target = tmp_path / "monday.tgz"
    back_up(state_dir, target)
    with pytest.raises(BackupError, match="stop the bridge"):
        restore(target, state_dir)
    history.put_event(event(201))
    history.close()
    assert len(restore(target, state_dir)) == 2
    assert numbers(state_dir / "history.db") == list(range(1, 201))
    aside = [path for path in state_dir.glob("history.db.before-restore-*") if not path.name.endswith(("-wal", "-shm"))]
    assert numbers(aside[0]) == list(range(1, 202))


@pytest.mark.parametrize("damage", ["cut", "flipped", "no tar", "foreign part"])
def test_a_damaged_backup_changes_nothing(bridge, tmp_path, damage):
    state_dir, _ = bridge
    good, bad = tmp_path / "good.tgz", tmp_path / "bad.tgz"
    back_up(state_dir, good)
    content = bytearray(good.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "flipped":
        content[len(content) // 2] ^= 0x10
    elif damage == "no tar":
        content = bytearray(b"nothing of the kind")
    bad.write_bytes(content)
    if damage == "foreign part":
        folder = tmp_path / "unpacked"
        with tarfile.open(good) as archive:
            archive.extractall(folder, filter="data")
        manifest = (folder / "manifest.json").read_text().replace("bridge.db", "../../evil")
        (folder / "manifest.json").write_text(manifest)
        with tarfile.open(bad, "w:gz") as archive:
            for path in folder.iterdir():
                archive.add(path, path.name)
    other = tmp_path / "other"
    with pytest.raises(BackupError):
        restore(bad, other)
    assert list(other.iterdir()) == []


def test_a_backup_of_a_newer_release_is_refused_with_what_is_wrong(bridge, tmp_path):
    state_dir, history = bridge
    history.close()
    with sqlite3.connect(state_dir / "history.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    back_up(state_dir, tmp_path / "future.tgz")
    with pytest.raises(BackupError, match="newer release"):
        restore(tmp_path / "future.tgz", tmp_path / "other")
    assert list((tmp_path / "other").iterdir()) == []


@pytest.mark.parametrize(("name", "revision"), [("bridge.db", "0001"), ("bridge.db", "0002"), ("history.db", "0001")])
def test_a_backup_of_an_earlier_release_is_brought_forward_with_its_data(tmp_path, name, revision):
    """The tables of an earlier revision, with a row as that release wrote it."""
    state_dir = tmp_path / "old"
    state_dir.mkdir()
    engine = open_engine(f"sqlite:///{state_dir / name}")
    config = Config()
    config.set_main_option("script_location", str(FILES[name]))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        if name == "bridge.db":
            connection.exec_driver_sql(
                "INSERT INTO users (name, password_hash, role, created) VALUES ('ada', 'x', 'admin', '2026-01-01 00:00:00')"
            )
        else:
            connection.exec_driver_sql(
                "INSERT INTO events (run_id, stage, epoch, sequence, stamp_ns, name, severity, data)"
                " VALUES ('run', 'tracking', 1, 7, 1, 'TRACK_UPDATED', 0, '{}')"
            )
    engine.dispose()
    parts = back_up(state_dir, tmp_path / "old.tgz")
    assert parts[name].revision == revision
    restore(tmp_path / "old.tgz", tmp_path / "new")
    if name == "bridge.db":
        assert names(tmp_path / "new") == {"ada"}
    else:
        assert numbers(tmp_path / "new" / name) == [7]
        with sqlite3.connect(tmp_path / "new" / name) as connection:
            connection.execute("SELECT rcs_dbsm FROM track_samples").fetchall()


def test_the_commands_say_what_they_did(bridge, tmp_path, monkeypatch):
    state_dir, history = bridge
    monkeypatch.setenv("AEGIS_STATE_DIR", str(state_dir))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    target = str(tmp_path / "b.tgz")
    done = CliRunner().invoke(cli, ["backup", target])
    assert done.exit_code == 0, done.output
    assert "history.db" in done.output
    again = CliRunner().invoke(cli, ["backup", target])
    assert (again.exit_code, "exists" in again.output) == (1, True)
    refused = CliRunner().invoke(cli, ["restore", target])
    assert (refused.exit_code, "stop the bridge" in refused.output) == (1, True)
    history.close()
    assert CliRunner().invoke(cli, ["restore", target]).exit_code == 0


def test_the_shared_accounts_in_postgresql_come_back(postgres, tmp_path):
    if shutil.which("pg_dump") is None:
        pytest.skip("pg_dump is not on this machine: apt install postgresql-client")
    url, other = postgres.create_database(), postgres.create_database()
    accounts = Accounts(tmp_path, server=url)
    accounts.add("ada", PASSWORD, "admin")
    accounts.close()
    back_up(tmp_path, tmp_path / "shared.tgz", server=url)
    done = restore(tmp_path / "shared.tgz", tmp_path / "state", server=other)
    assert postgres.password not in " ".join(done)
    with psycopg.connect(other) as connection:
        assert connection.execute("SELECT name, role FROM bridge_accounts.users").fetchall() == [("ada", "admin")]
    with psycopg.connect(other) as connection, pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        connection.execute("DELETE FROM bridge_accounts.audit")
    with pytest.raises(BackupError, match="already exists"):
        restore(tmp_path / "shared.tgz", tmp_path / "state", server=other)
