# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How far back history goes: by days and by bytes, in small steps, on both databases."""

import secrets
import time
from dataclasses import asdict

import pytest
from bridge_data import some_threats, some_tracks
from history_data import a_frame, an_event
from sqlalchemy import Table

from aegis.bridge.database import open_engine
from aegis.bridge.history import retention as retention_module
from aegis.bridge.history.record import Settled
from aegis.bridge.history.records import Decision, Message
from aegis.bridge.history.retention import Retention
from aegis.bridge.history.sizes import size_bytes
from aegis.bridge.history.store import Store
from aegis.bridge.history.tables import DECISIONS, EVENTS, THREATS, TRACK_SAMPLES

HOUR_NS = 3600 * 10**9
MB = 10**6
NOW = time.time_ns()


@pytest.fixture
def store(database):
    """The database with its tables."""
    one = Store(open_engine(database.url))
    one.prepare()
    yield one
    one.engine.dispose()


def fill(store: Store, n: int, step_ns: int, *, text: str = "") -> None:
    """Insert n events, threats, samples and n / 100 decisions; the last now, each `step_ns` before the one that follows."""
    rows = []
    for i in reversed(range(n)):
        stamp_ns = NOW - i * step_ns
        rows.append(event_row(n - i, stamp_ns, text))  # received at its stamp, as a live one is
        threat = {
            "stamp_ns": stamp_ns, "sensor_id": "radar", "sequence": n - i, "track_id": 7, "class_id": 1, "level": 1 + i % 4,
            "score": 0.5, "time_to_cpa": 1.5, "cpa_distance": 2.5, "cpa_distance_sigma": None, "time_to_impact": None,
            "reason": "closing " + text,
        }  # fmt: skip
        track = {
            "stamp_ns": stamp_ns, "track_id": 7, "sensor_id": "radar", "status": 2, "class_id": 1,
            **dict.fromkeys(("x", "y", "z", "vx", "vy", "vz", "sigma_x", "sigma_y", "sigma_z", "existence_probability"), 1.5),
        }  # fmt: skip
        rows += [(THREATS, threat), (TRACK_SAMPLES, track)]
        if i % 100 == 0:
            decision = Decision(f"{i}", stamp_ns, "threat", 7, "eve", True, "{}")
            rows.append((DECISIONS, asdict(decision)))
    store.insert(rows)


def event_row(
    sequence: int, stamp_ns: int, text: str = "", stage: str = "tracking", received_ns: int = 0
) -> tuple[Table, dict]:
    (row,) = Message(
        an_event(sequence, stamp_ns=stamp_ns, stage=stage, data={"text": text}), received_ns or stamp_ns
    ).rows()
    return EVENTS, row


def play(store: Store, n: int, received_ns: int) -> None:
    """Insert what a recording of 2019 gives that is played at a time: n events, pictures of a track, assessments of two."""
    for i in range(n):
        stamp_ns = 1_560_000_000 * 10**9 + i * 10**9
        tracks, threats = some_tracks(1, stamp_ns, n=1), some_threats(1, stamp_ns)
        rows = [(TRACK_SAMPLES, row) for row in Message(tracks, received_ns).rows()]
        rows += [(THREATS, row) for row in Message(threats, received_ns).rows()]
        store.insert([event_row(i, stamp_ns, stage="played", received_ns=received_ns), *rows])


def make(store: Store, *, days: float = 1e4, max_mb: float = 1e6, now_ns: int = NOW, **more) -> Retention:
    return Retention(store, days=days, max_bytes=max_mb * MB, now_ns=lambda: now_ns, **more)


def run(retention: Retention) -> int:
    """Finish one round; return its steps."""
    steps = 1
    while retention.step():
        steps += 1
        assert steps < 2000
    return steps


def size(store: Store) -> int:
    with store.engine.begin() as connection:
        return size_bytes(connection)


TABLES = ("events", "threats", "track_samples", "decisions")


def test_what_is_older_than_so_many_days_goes(database, store, monkeypatch):
    monkeypatch.setattr(retention_module, "CHUNK_ROWS", 50)
    fill(store, 1000, HOUR_NS)
    retention = make(store, days=10)
    assert run(retention) > 40  # in pieces of 50
    cut_ns = NOW - 240 * HOUR_NS
    for table, n in zip(TABLES, (241, 241, 241, 3), strict=True):
        assert database.count(table) == n
        assert database.rows(f"SELECT min(stamp_ns) FROM {table}")[0][0] >= cut_ns
    assert retention.extent.oldest_ns["events"] == cut_ns
    assert retention.removed_by_age == dict(zip(TABLES, (759, 759, 759, 7), strict=True))
    assert not retention.removed_by_size
    assert not retention.step()  # and now there is a pause
    assert 50 < retention.due_in_s() <= 60


def test_many_rows_of_one_time_go_too(database, store, monkeypatch):
    monkeypatch.setattr(retention_module, "CHUNK_ROWS", 50)
    fill(store, 300, 0)
    run(make(store, days=1, now_ns=NOW + 25 * HOUR_NS))
    assert [database.count(table) for table in TABLES] == [0, 0, 0, 0]


def test_beyond_so_many_bytes_the_oldest_goes_but_no_decision(database, store):
    fill(store, 5000, 10**9, text="x" * 200)
    before = size(store)
    assert before > 4 * MB
    retention = make(store, max_mb=3)
    run(retention)
    after = size(store)
    assert after <= 0.9 * 3 * MB
    assert after > 0.7 * 3 * MB  # a tenth of the span at a time, and no more than needed
    assert retention.extent.bytes == after
    kept = database.count("events")
    assert database.count("decisions") == 50
    for table in TABLES[:3]:  # over all tables alike, and the newest stay
        assert database.count(table) == kept
        assert database.rows(f"SELECT min(stamp_ns), max(stamp_ns) FROM {table}") == [(NOW - (kept - 1) * 10**9, NOW)]
    assert run(make(store, max_mb=3)) == 1  # nothing more to do


def test_a_recording_that_is_years_old_counts_from_when_it_was_played(database, store, monkeypatch):
    monkeypatch.setattr(retention_module, "CHUNK_ROWS", 7)
    fill(store, 48, HOUR_NS)
    play(store, 20, NOW)
    retention = make(store, days=1)
    run(retention)
    assert [database.count(table) for table in TABLES[:3]] == [25 + 20, 25 + 40, 25 + 20]
    later = make(store, days=1, now_ns=NOW + 23 * HOUR_NS)
    run(later)
    assert [database.count(table) for table in TABLES[:3]] == [2 + 20, 2 + 40, 2 + 20]
    run(make(store, days=1, now_ns=NOW + 25 * HOUR_NS))
    assert [database.count(table) for table in TABLES[:3]] == [0, 0, 0]


def test_beyond_so_many_bytes_what_was_received_first_goes_and_not_what_is_stamped_first(database, store):
    fill(store, 5000, 10**9, text="x" * 200)
    play(store, 50, NOW)
    retention = make(store, max_mb=3)
    run(retention)
    assert size(store) <= 0.9 * 3 * MB
    for table, n in zip(TABLES[:3], (50, 100, 50), strict=True):
        assert database.rows(f"SELECT count(*) FROM {table} WHERE stamp_ns < 1600000000000000000") == [(n,)]
    assert retention.removed_by_size["events"] == 5050 - database.count("events") > 1000
    assert not retention.removed_by_age


def test_what_comes_late_is_removed_too(database, store, monkeypatch):
    """PostgreSQL is fed late: what is stamped before what was looked at already is found within the hour."""
    play(store, 5, NOW)
    retention = make(store, days=1)
    run(retention)
    store.insert([event_row(77, NOW - 30 * HOUR_NS)])
    for forgotten, n in ((False, 6), (True, 5)):
        retention._due_at = 0.0
        if forgotten:
            retention._forget_at = 0.0
        run(retention)
        assert database.count("events") == n


def test_nothing_goes_before_it_is_shipped(nowhere, start_history, wait_for, caplog):
    """By neither bound, as long as PostgreSQL is away; then all of it, counted."""
    history = start_history(nowhere)
    for sequence in range(200):
        history.put_event(an_event(sequence, data={"text": "x" * 1000}))
    wait_for(lambda: history.counts()["journaled"] == 200, "all is on the disk")
    record = history._record
    far = time.time_ns() + 400 * 24 * HOUR_NS
    kept = make(record.store, days=1, max_mb=0.1, now_ns=far, waiting_ns=record.waiting_ns)
    run(kept)
    with record.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM events").scalar() == 200
    assert "waits for PostgreSQL" in caplog.text
    assert not kept.removed_by_age + kept.removed_by_size
    history._writer.settle(Settled(history._writer.last_id, 200))  # as when PostgreSQL has them
    wait_for(lambda: record.waiting_ns() is None, "nothing waits")
    kept._due_at = 0.0
    run(kept)
    assert kept.removed_by_age == {"events": 200}


def test_a_bridge_that_is_started_again_keeps_what_was_played(sqlite_database, start_history, wait_for):
    """The whole way: a picture of 2019 goes in, the bridge is started anew, and the picture is still there after the first look."""
    stamp_ns = 1_560_000_000 * 10**9
    for _ in range(2):
        history = start_history(sqlite_database)
        history.put_tracks(a_frame(some_tracks(1, stamp_ns, n=1)))
        wait_for(lambda history=history: history.oldest_s().get("track_samples"), "a look")
        assert history.oldest_s()["track_samples"] == stamp_ns / 1e9
        assert history.counts()["removed_by_age"] == {}
        history.close()
    assert sqlite_database.count("track_samples") == 1


def test_a_bound_that_nothing_can_meet_ends(database, store, caplog):
    fill(store, 200, 10**9)
    run(make(store, max_mb=1e-6))
    assert [database.count(table) for table in TABLES] == [0, 0, 0, 2]
    assert "larger than history.max_mb" in caplog.text


def test_one_stamp_of_a_wrong_clock_makes_nothing_old(database, store):
    fill(store, 2000, 10**9, text="x" * 300)
    future_ns = NOW + 20 * 365 * 24 * HOUR_NS
    store.insert([event_row(9999, future_ns)])
    run(make(store, days=1, max_mb=0.9 * size(store) / MB))
    assert 1000 < database.count("events") < 2000
    assert database.count("threats") > 1000


def test_new_rows_come_in_between_the_steps(database, store, monkeypatch):
    monkeypatch.setattr(retention_module, "CHUNK_ROWS", 20)
    fill(store, 500, HOUR_NS)
    retention = make(store, days=1)
    sequence = 1000
    while retention.step():
        sequence += 1
        store.insert([event_row(sequence, NOW)])
    assert sequence > 1020
    assert database.count("events") == 25 + sequence - 1000


def test_the_size_is_about_what_the_database_says(database, store):
    fill(store, 2000, 10**9, text="x" * 100)  # few enough pages that the sample is all of them
    if database.url.startswith("sqlite"):
        ((pages,),) = database.rows("SELECT sum(pgsize) FROM dbstat")
        assert size(store) == pytest.approx(pages, rel=0.01)
        return
    relations = "SELECT " + " + ".join(f"pg_total_relation_size('{table}')" for table in TABLES)
    ((whole,),) = database.rows(relations)
    assert size(store) == pytest.approx(whole, rel=0.25)
    store.insert([event_row(1, NOW, secrets.token_hex(3 * MB), stage="large")])
    ((more,),) = database.rows(relations)
    assert size(store) == pytest.approx(more, rel=0.25)  # what is stored out of line counts


def test_sqlite_gives_pages_back(sqlite_database, monkeypatch):
    monkeypatch.setattr(retention_module, "_SPARE_PAGES", 20)
    monkeypatch.setattr(retention_module, "_VACUUM_PAGES", 50)
    store = Store(open_engine(sqlite_database.url))
    store.prepare()
    fill(store, 3000, HOUR_NS, text="x" * 200)

    def pages() -> int:
        return sqlite_database.rows("PRAGMA page_count")[0][0]

    before = pages()
    assert run(make(store, days=1)) > 5
    assert pages() < before / 10
    assert sqlite_database.count("events") == 25
    store.engine.dispose()
