# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A disk that is full, not there or gives back rubbish: everything starts, repeats no id, and says what it cannot keep."""

import contextlib
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from aegis import state
from aegis.bridge.accounts import users
from aegis.bridge.accounts.secret import SECRET_FILE, load_secret
from aegis.bridge.accounts.settings import AccountSettings
from aegis.bridge.accounts.store import DATABASE_FILE, Accounts
from aegis.core.health import Level
from aegis.core.params import ConfigError, Settings
from aegis.ros.stages.base import Stage, StageContext
from aegis.state import STARTS, kept_ids, next_epoch, not_kept, state_dir

DAMAGED = ["", "{}", "[1]", '{"next_id": "many"}', '{"next_id": null}', "\0" * 100]


class Quiet(Stage):
    name = "quiet"
    settings_type = Settings

    def on_message(self, topic, message):
        return ()

    def _input_expected(self):
        return False


@pytest.fixture(autouse=True)
def _nothing_failed_before(monkeypatch):
    monkeypatch.setattr(state, "_not_kept", {})
    monkeypatch.delenv(STARTS, raising=False)


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    """A folder that is not there and cannot be made, not even by root: its parent is a file."""
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "state"


def test_without_a_disk_a_folder_is_named_and_nothing_fails(nowhere, monkeypatch):
    monkeypatch.setenv("AEGIS_STATE_DIR", str(nowhere))
    assert state_dir("left") == nowhere / "left"


def test_without_a_disk_epochs_are_the_supervisors_count(nowhere, monkeypatch, caplog):
    assert next_epoch(nowhere, "tracking", "run") == 0
    monkeypatch.setenv(STARTS, "3")
    assert next_epoch(nowhere, "tracking", "run") == 3
    assert len([r for r in caplog.records if "cannot be written" in r.message]) == 1  # said once
    assert "epoch_tracking.json" in not_kept()[0]


def test_epochs_do_not_go_back_when_the_disk_is_there_again(tmp_path, monkeypatch):
    assert next_epoch(tmp_path, "tracking", "run") == 0
    monkeypatch.setenv(STARTS, "4")  # three starts that could not be kept
    assert next_epoch(tmp_path, "tracking", "run") == 4
    monkeypatch.setenv(STARTS, "5")
    assert next_epoch(tmp_path, "tracking", "run") == 5
    assert next_epoch(tmp_path, "tracking", "another") == 5  # never less than the count


def test_without_a_disk_no_run_repeats_an_id(nowhere):
    take = (
        "import sys; from pathlib import Path; from aegis.state import kept_ids\n"
        "print(*kept_ids(Path(sys.argv[1])).take(5).tolist())\n"
    )

    def run() -> list[int]:
        done = subprocess.run(
            [sys.executable, "-c", take, nowhere / "ids.json"], capture_output=True, text=True, check=True
        )
        assert "cannot be written" in done.stderr
        return [int(word) for word in done.stdout.split()]

    seen = run() + run()
    assert len(set(seen)) == 10


def test_a_disk_that_fills_up_and_is_there_again_repeats_no_id(tmp_path, monkeypatch):
    folder = tmp_path / "state"
    folder.mkdir()
    first = kept_ids(folder / "ids.json")
    seen = first.take(10).tolist()
    folder.rename(tmp_path / "away")
    seen += [i for _ in range(3) for i in first.take(4000).tolist()]  # beyond what was reserved
    assert not_kept()
    (tmp_path / "away").rename(folder)
    seen += kept_ids(folder / "ids.json").take(10).tolist()  # the next run
    seen += first.take(9000).tolist()
    assert not_kept() == []
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("content", DAMAGED)
def test_damaged_files_are_moved_aside_and_said(tmp_path, caplog, content):
    for name in ("ids.json", "epoch_ew.json", SECRET_FILE):
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(0o600)
    earlier = 1_000_000  # ids that the file may have known of
    assert kept_ids(tmp_path / "ids.json").take(1).item() > earlier
    assert next_epoch(tmp_path, "ew", "run") == 0
    secret = load_secret(AccountSettings(), tmp_path)
    assert load_secret(AccountSettings(), tmp_path) == secret
    aside = sorted(p.name.split(".damaged-")[0] for p in tmp_path.glob("*.damaged-*"))
    assert aside == ["epoch_ew.json", "ids.json", SECRET_FILE]
    assert all(path.read_text() == content for path in tmp_path.glob("*.damaged-*"))
    for name in aside:
        assert f"{name} was damaged" in caplog.text


def test_a_key_that_only_is_weak_is_refused_and_stays(tmp_path):
    path = tmp_path / SECRET_FILE
    path.write_text("a" * 64)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="repeats few characters"):
        load_secret(AccountSettings(), tmp_path)
    assert path.exists()


def test_without_a_disk_the_key_is_of_this_process(nowhere):
    one, two = (load_secret(AccountSettings(), nowhere) for _ in range(2))
    assert one != two
    assert min(len(one), len(two)) >= 64


def test_diagnostics_say_what_is_not_kept_and_no_more_when_it_is(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    stage = Quiet(Settings(), StageContext(live=True))
    assert stage.health().level is Level.OK
    path = tmp_path / "away" / "ids.json"
    assert not state.try_to_keep(path, b"1")
    assert stage.health().level is Level.WARN
    assert "ids.json: No such file or directory" in stage.health().text
    path.parent.mkdir()
    assert state.try_to_keep(path, json.dumps(1).encode())
    assert stage.health().level is Level.OK
    assert "can be written again" in caplog.text


def names(accounts: Accounts) -> set[str]:
    return {row.username for row in accounts.read_now(users.listing)}


@pytest.mark.parametrize("content", [b"", b"no database at all" * 1000, b"SQLite format 3\0" + bytes(5000)])
def test_a_damaged_database_of_accounts_is_moved_aside_and_the_bridge_says_so(tmp_path, caplog, content):
    (tmp_path / DATABASE_FILE).write_bytes(content)
    accounts = Accounts(tmp_path, rescue=True)
    try:
        assert accounts.ensure_administrator() is not None
    finally:
        accounts.close()
    (aside,) = tmp_path.glob(f"{DATABASE_FILE}.damaged-*")
    assert aside.read_bytes() == content
    assert "all accounts were in it" in caplog.text


def test_without_a_disk_the_bridge_has_accounts_of_its_own(nowhere, caplog):
    accounts = Accounts(nowhere, rescue=True)
    try:
        assert accounts.ensure_administrator() is not None
        accounts.add("eve", "a good long password", "viewer")
        assert "is forgotten when the bridge ends" in " ".join(caplog.text.split())
        assert any(DATABASE_FILE in line for line in not_kept())
    finally:
        accounts.close()


def test_on_a_full_disk_the_bridge_starts_and_everybody_gets_in(small_disk, caplog):
    accounts = Accounts(small_disk)
    accounts.add("eve", "a good long password", "viewer")
    accounts.close()
    with (small_disk / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 512)
    accounts = Accounts(small_disk, rescue=True)
    try:
        assert "eve" in names(accounts)
    finally:
        accounts.close()
    assert next_epoch(small_disk, "tracking", "run") == 0
    assert kept_ids(small_disk / "ids.json").take(1).item() >= 1
    assert len(not_kept()) >= 2


def test_on_a_read_only_disk_everybody_still_gets_in(small_disk, caplog):
    accounts = Accounts(small_disk)
    accounts.add("eve", "a good long password", "viewer")
    accounts.close()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    try:
        accounts = Accounts(small_disk, rescue=True)
        try:
            assert accounts.ensure_administrator() is None  # there are accounts
            accounts.add("adam", "a good long password", "viewer")
            assert {"eve", "adam"} <= names(accounts)
        finally:
            accounts.close()
        assert "cannot be written" in caplog.text
    finally:
        subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)


def test_the_command_line_changes_no_copy(nowhere):
    with pytest.raises(ConfigError, match="cannot be used as the database of accounts"):
        Accounts(nowhere)
