# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The disk full, files corrupt, the database away, locked or picky: nothing acknowledged is lost, and what is lost is counted."""

import asyncio
import json
import os
import secrets
import signal
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from bridge_data import some_threats, some_tracks
from history_data import a_frame, an_event
from problems import refused
from sqlalchemy import select

from aegis.bridge.database import open_engine
from aegis.bridge.history import history as history_module
from aegis.bridge.history import shipper
from aegis.bridge.history.store import Store
from aegis.bridge.history.tables import EVENTS
from aegis.bridge.problem import ProblemError
from aegis.core.params import ConfigError

SECOND = 1_000_000_000


def fill(disk: Path) -> Path:
    """Fill a file system to the last byte; return the file that does it."""
    path = disk / "filler"
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass
    return path


def lock_writing(database) -> Any:
    """Let nobody else write to a database, until the connection is closed."""
    if database.url.startswith("postgresql"):
        connection = psycopg.connect(database.url)
        connection.execute("LOCK TABLE events, decisions IN EXCLUSIVE MODE")
        return connection
    connection = sqlite3.connect(database.url.removeprefix("sqlite:///"), isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    return connection


@pytest.fixture
def record(tmp_path: Path, database_class):
    """The record on this disk beside a PostgreSQL."""
    return database_class(f"sqlite:///{tmp_path / 'history_state' / 'history.db'}")


@pytest.fixture
def remote(postgres, database_class):
    """An empty PostgreSQL."""
    return database_class(postgres.create_database())


def decide(history) -> str:
    return asyncio.run(history.put_decision(kind="threat", target_id=1, who="eve", accept=True)).id


def acknowledged(history) -> int:
    return history.acknowledged().get("tracking", {}).get("sequence", 0)


@pytest.fixture
def small_database(database_class, small_disk: Path):
    """A file on the small file system."""
    return database_class(f"sqlite:///{small_disk / 'history.db'}")


def test_two_bridges_that_keep_the_same_events_do_not_block_each_other(remote):
    """In opposite orders, at once, again and again: PostgreSQL would end one of them for a deadlock."""
    stores = [Store(open_engine(remote.url)) for _ in range(2)]
    stores[0].prepare()
    meet = threading.Barrier(2)
    row = {"run_id": "run", "stage": "tracking", "epoch": 0, "name": "N", "severity": 0, "data": "{}"}

    def insert(store: Store, sequences: range, first_id: int) -> None:
        for begin in range(0, 4000, 200):
            meet.wait(30)
            numbers = [begin + k for k in sequences]
            store.insert([(EVENTS, {**row, "id": first_id + n, "sequence": n, "stamp_ns": n}) for n in numbers])

    with ThreadPoolExecutor(2) as pool:
        up = pool.submit(insert, stores[0], range(200), 0)
        down = pool.submit(insert, stores[1], range(199, -1, -1), 10**6)
        assert (up.result(60), down.result(60)) == (None, None)
    for store in stores:
        store.engine.dispose()
    assert remote.count("events") == 4000


def test_a_full_disk_holds_up_what_the_memory_can_keep_and_counts_the_rest(
    small_database, start_history, shipped, small_disk, wait_for, caplog
):
    history = start_history(small_database, queue_mb=0.1)
    history.put_event(an_event(1))
    wait_for(lambda: acknowledged(history) == 1, "the first is acknowledged")
    filler = fill(small_disk)
    sent = 1
    while not history.counts()["dropped"]:
        sent += 1
        history.put_event(an_event(sent, data={"text": "x" * 1000}))
        assert sent < 10_000
    wait_for(lambda: history.counts()["journal_failures"] > 0, "the disk is tried")
    assert "full" in caplog.text
    assert history.counts()["database"] == "away"
    assert "full" in history.counts()["database_reason"]
    with refused(503, "full"):
        decide(history)
    assert history.counts()["dropped"] == {"event": 1, "decision": 1}
    before = acknowledged(history)
    assert before < sent - 1
    filler.unlink()
    wait_for(lambda: acknowledged(history) == sent - 1, "what was held is acknowledged")
    decision = decide(history)
    shipped(history)
    found = [row[0] for row in small_database.rows("SELECT sequence FROM events ORDER BY sequence")]
    assert found == list(range(1, sent))
    assert small_database.rows("SELECT id FROM decisions") == [(decision,)]
    assert history.counts()["refused"] == 0


def test_a_disk_that_is_full_at_the_start_does_not_keep_the_history_from_starting(
    small_database, start_history, shipped, small_disk
):
    filler = fill(small_disk)
    history = start_history(small_database)
    history.put_event(an_event(1))
    assert history.counts()["journal_failures"] > 0
    assert acknowledged(history) == 0
    filler.unlink()
    shipped(history)
    assert (acknowledged(history), small_database.count("events")) == (1, 1)


def test_a_backlog_that_grows_too_large_takes_no_tracks_and_then_nothing(nowhere, start_history, wait_for, caplog):
    history = start_history(nowhere, backlog_max_mb=0.05, track_period_s=0)
    now = time.time_ns()

    def put_until_refused(kind: str, put) -> int:
        n = 0
        while kind not in history.counts()["dropped"]:
            put(n)
            n += 1
            assert n < 5000
        return history.counts()["backlog_bytes"] + history.counts()["queue_bytes"]

    at_tracks = put_until_refused("tracks", lambda i: history.put_tracks(a_frame(some_tracks(i, now + i))))
    assert 45_000 < at_tracks <= 50_000
    at_threats = put_until_refused("threats", lambda i: history.put_threats(a_frame(some_threats(i, now + i))))
    at_events = put_until_refused("event", lambda i: history.put_event(an_event(i + 1)))
    assert 95_000 < at_threats <= at_events <= 100_000
    with refused(503, "wait on this disk for the database"):
        decide(history)
    assert history.counts()["dropped"] == {"tracks": 1, "threats": 1, "event": 1, "decision": 1}
    assert history.counts()["database"] == "away"
    wait_for(lambda: history.counts()["backlog_age_s"] > 0, "the backlog ages")
    for kind in ("tracks", "database"):
        assert kind in caplog.text
    assert "a-secret-word" not in caplog.text + str(history.counts())


def test_a_database_that_appears_late_gets_everything(postgres, database_class, start_history, shipped, wait_for):
    name = f"late_{secrets.token_hex(4)}"
    database = database_class(postgres.url(name))
    history = start_history(database)
    for sequence in range(1, 2501):
        history.put_event(an_event(sequence))
    decision = decide(history)
    wait_for(lambda: acknowledged(history) == 2500, "all are acknowledged")
    wait_for(lambda: name in history.counts()["database_reason"], "the reason is known")
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    shipped(history)
    assert [row[0] for row in database.rows("SELECT sequence FROM events ORDER BY 1")] == list(range(1, 2501))
    assert database.rows("SELECT id FROM decisions") == [(decision,)]


def test_a_database_that_comes_back_empty_gets_its_tables_again(postgres, database_class, start_history, shipped):
    database = database_class(postgres.create_database())
    history = start_history(database)
    history.put_event(an_event(1))
    shipped(history)
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    history.put_event(an_event(2))
    shipped(history)
    assert database.rows("SELECT sequence FROM events") == [(2,)]


def test_a_locked_database_holds_up_no_acknowledgement(remote, start_history, shipped, wait_for):
    history = start_history(remote)
    shipped(history)
    lock = lock_writing(remote)
    history.put_event(an_event(1))
    wait_for(lambda: acknowledged(history) == 1, "it is acknowledged")
    decide(history)
    assert history.counts()["backlog_messages"] == 2
    lock.close()
    shipped(history)
    assert (remote.count("events"), remote.count("decisions")) == (1, 1)


def processes_of(postgres, remote) -> list[int]:
    """Return the server itself, and what of it serves the database."""
    server = (postgres._folder / "data" / "postmaster.pid").read_text().split()[0]
    others = remote.rows(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    return [int(server), *(pid for (pid,) in others)]


def test_a_database_that_hangs_is_given_up_said_and_gets_everything_later(
    postgres, remote, start_history, shipped, wait_for, monkeypatch
):
    """Its processes are stopped: the kernel goes on to accept connections, and to acknowledge what is sent."""
    monkeypatch.setattr(history_module, "ANSWER_S", 1.5)
    monkeypatch.setattr(shipper, "UNANSWERED_S", 0.5)
    history = start_history(remote)
    history.put_event(an_event(1))
    shipped(history)
    stopped = processes_of(postgres, remote)
    assert len(stopped) > 1
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        began_s = time.monotonic()
        history.put_event(an_event(2))
        wait_for(lambda: acknowledged(history) == 2, "it is acknowledged all the same")
        wait_for(lambda: "has not answered for" in history.state.reason, "it is said", 10)
        assert history.counts()["database"] == "away"
        asked_s = time.monotonic()
        with refused(503, "the history database is away"):
            asyncio.run(history.read(lambda connection: connection.execute(select(EVENTS.c.id)).all()))
        assert time.monotonic() - asked_s < 1.0
        wait_for(lambda: history.counts()["database_failures"] > 0, "it is given up, and counted", 10)
        history.put_event(an_event(3))
        wait_for(lambda: acknowledged(history) == 3, "and the next")
        assert "connection is alive" in history.state.reason or "timeout" in history.state.reason
        assert time.monotonic() - began_s < 20
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    shipped(history)
    assert remote.rows("SELECT sequence FROM events ORDER BY sequence") == [(1,), (2,), (3,)]
    assert history.counts()["dropped"] == {}


def test_a_record_that_another_program_locks_acknowledges_nothing_and_loses_nothing(
    sqlite_database, start_history, shipped, wait_for
):
    history = start_history(sqlite_database)
    shipped(history)
    lock = lock_writing(sqlite_database)
    for sequence in range(1, 11):
        history.put_event(an_event(sequence))
    wait_for(lambda: history.counts()["journal_failures"] > 0, "it is tried")
    assert acknowledged(history) == 0
    lock.close()
    shipped(history)
    assert (acknowledged(history), sqlite_database.count("events"), history.counts()["dropped"]) == (10, 10, {})


def test_a_message_that_a_database_refuses_holds_up_no_other(
    database, start_history, shipped, tmp_path, caplog, record
):
    bad = [an_event(2**63, stage="beyond 64 bits")]  # SQLite does not take it
    if database.url.startswith("postgresql"):
        # PostgreSQL takes no NUL, and no index entry so long; the record on this disk does.
        bad += [an_event(1, stage="a\x00b"), an_event(1, stage=secrets.token_hex(20_000))]
    good = [an_event(sequence) for sequence in range(1, 101)]
    history = start_history(database)
    for sequence, event in enumerate(good):
        if sequence % 40 == 0 and bad[sequence // 40 :]:
            history.put_event(bad[sequence // 40])
        history.put_event(event)
    shipped(history)
    assert [row[0] for row in database.rows("SELECT sequence FROM events ORDER BY 1")] == list(range(1, 101))
    counts = history.counts()
    assert (counts["refused"], counts["shipped"], counts["database"]) == (len(bad), 100, "up")
    assert caplog.text.count("refuses message") == len(bad)
    local = record if database.url.startswith("postgresql") else database
    kept = local.rows("SELECT payload, reason FROM refused ORDER BY id")
    assert local.count("outbox") == 0
    assert [json.loads(payload)["stage"] for payload, _ in kept] == [event.stage for event in bad]
    assert all(reason for _, reason in kept)


def damage_header(path: Path) -> None:
    path.write_bytes(b"this is no database" * 1000)


def damage_middle(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(3 * 4096)
        file.write(os.urandom(path.stat().st_size - 4 * 4096))


def cut_short(path: Path) -> None:
    os.truncate(path, 5000)


@pytest.mark.parametrize("damage", [damage_header, damage_middle, cut_short])
def test_a_corrupt_record_is_set_aside(damage, sqlite_database, start_history, shipped, tmp_path, caplog):
    path = Path(sqlite_database.url.removeprefix("sqlite:///"))
    first = start_history(sqlite_database)
    for sequence in range(1, 501):
        first.put_event(an_event(sequence))
    first.close()
    damage(path)
    content = path.read_bytes()
    history = start_history(sqlite_database)
    history.put_event(an_event(501))
    shipped(history)
    assert sqlite_database.rows("SELECT sequence FROM events") == [(501,)]
    assert history.counts()["journals_set_aside"] == 1
    (aside,) = tmp_path.glob("history.db.corrupt-*")
    assert aside.read_bytes()[4096:] == content[4096:]  # the first page counts who opened the file
    assert "is corrupt" in caplog.text
    assert str(aside) in caplog.text
    assert acknowledged(history) == 501  # and no word of those that are gone
    assert history.acknowledged()["tracking"]["first"] == 501


def test_a_record_that_becomes_corrupt_is_set_aside(remote, record, start_history, shipped, wait_for, tmp_path, caplog):
    history = start_history(remote)
    shipped(history)
    lock = lock_writing(remote)
    for sequence in range(1, 601):  # more than one batch, and more than SQLite keeps in memory
        history.put_event(an_event(sequence, data={"text": "x" * 20_000}))
    wait_for(lambda: acknowledged(history) == 600, "all are acknowledged")
    state_dir = tmp_path / "history_state"
    damage_middle(state_dir / "history.db")
    lock.close()
    wait_for(lambda: history.counts()["journals_set_aside"] == 1, "it is set aside")
    assert list(state_dir.glob("history.db.corrupt-*"))
    assert "is corrupt" in caplog.text
    history.put_event(an_event(601))
    shipped(history)
    assert remote.rows("SELECT max(sequence) FROM events") == [(601,)]
    assert record.rows("SELECT sequence FROM events") == [(601,)]


def test_a_query_that_finds_damage_lets_the_record_be_set_aside(
    sqlite_database, start_history, shipped, wait_for, tmp_path
):
    history = start_history(sqlite_database)
    for sequence in range(1, 601):
        history.put_event(an_event(sequence, data={"text": "x" * 20_000}))
    shipped(history)
    path = Path(sqlite_database.url.removeprefix("sqlite:///"))
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damage_middle(path)

    def count(connection) -> int:
        return sum(len(row.data) for row in connection.execute(select(EVENTS)))

    def asked() -> bool:
        with suppress(ProblemError):
            asyncio.run(history.read(count))
        return history.counts()["journals_set_aside"] == 1

    wait_for(asked, "it is set aside")
    assert list(tmp_path.glob("history.db.corrupt-*"))
    history.put_event(an_event(601))
    shipped(history)
    assert asyncio.run(history.read(count)) > 0


def test_a_record_that_is_removed_while_it_is_in_use_is_put_back(
    sqlite_database, start_history, shipped, tmp_path, caplog
):
    history = start_history(sqlite_database)
    history.put_event(an_event(1))
    decision = decide(history)
    path = Path(sqlite_database.url.removeprefix("sqlite:///"))
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()
    history.put_event(an_event(2))
    second = decide(history)
    shipped(history)
    assert "was removed or replaced while it was in use" in caplog.text
    assert [row[0] for row in sqlite_database.rows("SELECT sequence FROM events ORDER BY sequence")] == [1, 2]
    assert {row[0] for row in sqlite_database.rows("SELECT id FROM decisions")} == {decision, second}
    assert history.counts()["database"] == "up"


def test_what_waits_for_a_database_is_there_after_the_next_start(
    postgres, database_class, record, start_history, shipped
):
    name = f"late_{secrets.token_hex(4)}"
    remote = database_class(postgres.url(name))
    first = start_history(remote)
    for sequence in range(1, 51):
        first.put_event(an_event(sequence))
    now = time.time_ns()
    for i in range(5):
        first.put_threats(a_frame(some_threats(i, now + i)))
        first.put_tracks(a_frame(some_tracks(i, now + 2 * i * SECOND)))
    decide(first)
    first.close()
    assert (record.count("events"), record.count("threats"), record.count("outbox")) == (50, 10, 61)
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    history = start_history(remote)
    assert history.counts()["backlog_messages"] == 61
    shipped(history)
    for table in ("threats", "track_samples", "decisions"):
        columns = "*" if table != "decisions" else "id, stamp_ns, kind, target_id, who, number"
        order = "ORDER BY 1, 2" if table != "threats" else "ORDER BY stamp_ns, track_id"
        assert remote.rows(f"SELECT {columns} FROM {table} {order}") == record.rows(
            f"SELECT {columns} FROM {table} {order}"
        )
    columns = "run_id, stage, epoch, sequence, stamp_ns, name, severity, data"
    query = f"SELECT {columns} FROM events ORDER BY sequence"
    assert remote.rows(query) == record.rows(query)
    assert record.count("outbox") == 0


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nonsense a-secret-word", "not a URL"),
        ("mysql://eve:a-secret-word@host/name", "'mysql' are not supported"),
        ("sqlite:////no/such/folder/history.db", "/no/such/folder/history.db"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_its_password(url, says, database_class, start_history):
    with pytest.raises(ConfigError) as refusal:
        start_history(database_class(url))
    assert says in str(refusal.value)
    assert "database_url" in str(refusal.value)
    assert "a-secret-word" not in str(refusal.value)
