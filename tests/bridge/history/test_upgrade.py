# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What earlier versions kept beside the history, journal.db and acknowledged_threats.json, is taken over once and is not lost."""

import asyncio
import json
import sqlite3
import time
from pathlib import Path

import pytest
from history_data import an_event

from aegis.bridge.live.acknowledgements import Acknowledgement
from aegis.core.types import ThreatLevel

NOW_NS = time.time_ns()
SCHEMA = """
    CREATE TABLE messages (
      id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, at_ns INTEGER NOT NULL, payload BLOB NOT NULL
    );
    CREATE TABLE refused (
      id INTEGER NOT NULL PRIMARY KEY, kind TEXT NOT NULL, at_ns INTEGER NOT NULL, payload BLOB NOT NULL, reason TEXT NOT NULL
    );
    CREATE TABLE state (name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL);
"""
POSITION = {"run_id": "run", "epoch": 0, "first": 1, "sequence": 1500, "highest": 1500}
DECISION = {
    "id": "0123456789abcdef",
    "stamp_ns": NOW_NS - 10**9,
    "kind": "threat",
    "target_id": 41,
    "who": "ada",
    "accept": True,
    "detail": '{"level":"HIGH"}',
}


def event(sequence: int) -> dict:
    fields = {"run_id": "run", "stage": "tracking", "epoch": 0, "sequence": sequence, "stamp_ns": NOW_NS + sequence}
    return {**fields, "name": "TRACKING_UPDATED", "severity": 1, "data": f'{{"n":{sequence}}}'}


def threats() -> dict:
    shared = {"stamp_ns": NOW_NS, "sensor_id": "test-radar", "sequence": 7}
    columns = {"track_id": [41, 42], "class_id": [3, 3], "level": [4, 2], "score": [0.9375, 0.5]}
    numbers = {"time_to_cpa": [1.0, None], "cpa_distance": [2.0, 3.0], "cpa_distance_sigma": [None, None]}
    return {**shared, **columns, **numbers, "time_to_impact": [11.75, None], "reason": ["near", "leaving"]}


def tracks() -> dict:
    numbers = {name: [1.5] for name in ("x", "y", "z", "vx", "vy", "vz", "sigma_x", "sigma_y", "sigma_z")}
    shared = {"stamp_ns": NOW_NS, "sensor_id": "test-radar"}
    return {**shared, "track_id": [41], "status": [2], "class_id": [3], **numbers, "existence_probability": [0.75]}


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A journal.db with 1500 events, an assessment, a picture of tracks and a decision that have not reached the database."""
    path = tmp_path / "history_state" / "journal.db"
    path.parent.mkdir(exist_ok=True)
    messages = [("event", event(sequence)) for sequence in range(1, 1501)]
    messages += [("threats", threats()), ("tracks", tracks()), ("decision", DECISION)]
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(SCHEMA)
        rows = [(kind, NOW_NS, json.dumps(values).encode()) for kind, values in messages]
        connection.executemany("INSERT INTO messages (kind, at_ns, payload) VALUES (?, ?, ?)", rows)
        connection.execute("INSERT INTO messages (kind, at_ns, payload) VALUES ('event', 0, x'ff')")
        connection.execute("INSERT INTO refused VALUES (1, 'event', 5, x'7b7d', 'too long')")
        connection.execute(
            "INSERT INTO state VALUES ('acknowledged', ?)", [json.dumps({"tracking": POSITION}).encode()]
        )
    connection.close()
    return path


@pytest.fixture
def acknowledged_file(tmp_path: Path) -> Path:
    """An acknowledged_threats.json: one of it is among the decisions of `journal` too."""
    path = tmp_path / "history_state" / "acknowledged_threats.json"
    path.parent.mkdir(exist_ok=True)
    entries = {
        "41": {"level": 3, "who": "ada", "at_s": NOW_NS / 1e9 - 1.01},
        "7": {"level": 4, "who": "eve", "at_s": NOW_NS / 1e9 - 100.0},
    }
    path.write_text(json.dumps(entries))
    return path


def test_what_the_journal_had_is_in_the_history_and_in_the_database(
    database, database_class, start_history, shipped, journal, tmp_path, caplog
):
    history = start_history(database)
    local = database_class(f"sqlite:///{tmp_path / 'history_state' / 'history.db'}")
    local = local if database.url.startswith("postgresql") else database
    assert not list(journal.parent.glob("journal.db*"))
    assert "message 1504 of the old journal" in caplog.text
    assert history.acknowledged()["tracking"] == POSITION
    assert history.acknowledgements[41] == Acknowledgement(ThreatLevel.HIGH, "ada", (NOW_NS - 10**9) / 1e9)
    history.put_event(an_event(1501))
    shipped(history)
    assert history.acknowledged()["tracking"]["sequence"] == 1501
    for one in {database.url: database, local.url: local}.values():
        found = one.rows("SELECT sequence, data FROM events WHERE stamp_ns > 0 ORDER BY sequence")
        assert [(number, json.loads(data)) for number, data in found] == [(n, {"n": n}) for n in range(1, 1502)]
        assert one.rows("SELECT track_id, level, time_to_impact, reason FROM threats ORDER BY 1") == [
            (41, 4, 11.75, "near"),
            (42, 2, None, "leaving"),
        ]
        assert one.rows("SELECT track_id, x, sigma_z, existence_probability FROM track_samples") == [
            (41, 1.5, 1.5, 0.75)
        ]
        assert one.rows("SELECT id, target_id, who, detail FROM decisions") == [
            ("0123456789abcdef", 41, "ada", '{"level":"HIGH"}')
        ]
    assert local.rows("SELECT kind, at_ns, payload, reason FROM refused") == [("event", 5, b"{}", "too long")]
    assert local.count("outbox") == 0
    history.close()
    again = start_history(database)
    shipped(again)
    assert (database.count("events"), again.acknowledged()["tracking"]["sequence"]) == (1501, 1501)


def test_taking_over_can_be_cut_short_and_done_again(sqlite_database, start_history, shipped, journal):
    content = journal.read_bytes()
    first = start_history(sqlite_database)
    first.put_event(an_event(1501))
    first.close()
    journal.write_bytes(content)  # as if it had been cut short before the journal went
    history = start_history(sqlite_database)
    shipped(history)
    assert (sqlite_database.count("events"), sqlite_database.count("decisions")) == (1501, 1)
    assert history.acknowledged()["tracking"]["sequence"] == 1501


def test_a_journal_that_is_corrupt_is_set_aside(sqlite_database, start_history, shipped, journal, caplog):
    journal.write_bytes(b"this is no database" * 1000)
    history = start_history(sqlite_database)
    history.put_event(an_event(1))
    shipped(history)
    assert list(journal.parent.glob("journal.db.corrupt-*"))
    assert not journal.exists()
    assert "the old journal" in caplog.text
    assert sqlite_database.count("events") == 1


def test_acknowledgements_become_decisions_once(sqlite_database, start_history, shipped, journal, acknowledged_file):
    content = acknowledged_file.read_bytes()
    for _ in range(2):
        history = start_history(sqlite_database)
        shipped(history)
        assert not acknowledged_file.exists()
        acknowledgements = history.acknowledgements
        assert {track: (one.level, one.who) for track, one in acknowledgements.items()} == {
            41: (ThreatLevel.HIGH, "ada"),
            7: (ThreatLevel.CRITICAL, "eve"),
        }
        assert sqlite_database.rows("SELECT target_id, who FROM decisions ORDER BY stamp_ns") == [
            (7, "eve"),
            (41, "ada"),
        ]
        history.close()
        acknowledged_file.write_bytes(content)  # as if it had been cut short before the file went


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"x": 1}', '{"7": {"level": 9, "who": "eve", "at_s": 1}}'])
def test_acknowledgements_that_cannot_be_read_are_none(
    content, sqlite_database, start_history, shipped, acknowledged_file
):
    acknowledged_file.write_text(content)
    history = start_history(sqlite_database)
    shipped(history)
    assert (dict(history.acknowledgements), sqlite_database.count("decisions")) == ({}, 0)


def test_an_acknowledgement_is_there_after_the_next_start(database, start_history, shipped):
    history = start_history(database)
    decide = {"kind": "threat", "target_id": 41, "who": "ada", "detail": {"level": "HIGH"}}
    decision = asyncio.run(history.put_decision(**decide, accept=True))
    expected = {41: Acknowledgement(ThreatLevel.HIGH, "ada", decision.stamp_ns / 1e9)}
    assert dict(history.acknowledgements) == expected
    asyncio.run(history.put_decision(kind="ew_advice", target_id=5, who="ada", accept=True))
    asyncio.run(history.put_decision(**{**decide, "target_id": 6}, accept=False))
    history.close()
    assert dict(start_history(database).acknowledgements) == expected
