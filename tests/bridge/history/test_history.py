# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is put into the history is what is in the database, once, on SQLite and on PostgreSQL."""

import asyncio
import json
import math
import time

import numpy as np
import pytest
from bridge_data import some_threats, some_tracks
from history_data import a_frame, an_event
from hypothesis import given
from hypothesis import strategies as st
from problems import refused

from aegis.bridge.history.records import json_text
from aegis.core.events import Severity

SECOND = 1_000_000_000
NASTY = [
    {},
    {"quotes": "'; DROP TABLE events; --", '"': '\\"', "percent": "%s %(a)s :b ?"},
    {"unicode": "Ünïcödé 漢字 🛩 \u202e", "nul": "a\x00b", "half": "\ud83d"},
    {"numbers": [0, -1, 2**63, -(2**64), 1e308, 5e-324, math.nan, math.inf, -math.inf, True, None]},
    {"huge": "x" * 1_000_000},
    [[[[[[[[[["deep"]]]]]]]]]],
    "a word",
    None,
]


def finite(value):
    """What JSON can say of it."""
    return json.loads(json.dumps(value), parse_constant=lambda _: None)


def test_events_come_back_as_they_were(database, start_history, shipped):
    history = start_history(database)
    stamp_ns = time.time_ns()
    sent = [
        an_event(i, stamp_ns=stamp_ns + i, data=data, name=f"NAME '{i}' 漢", severity=Severity(i % 4))
        for i, data in enumerate(NASTY, 1)
    ]
    sent.append(an_event(2**63 - 1, stage="", run_id="", epoch=2**32 - 1, stamp_ns=0))
    for event in sent:
        history.put_event(event)
    shipped(history)
    columns = ("run_id", "stage", "epoch", "sequence", "stamp_ns", "name")
    found = database.rows(f"SELECT {', '.join(columns)}, severity, data FROM events ORDER BY id")
    expected = [
        (*(getattr(e, c) for c in columns), e.severity, finite(data))
        for e, data in zip(sent, [*NASTY, {"n": 2**63 - 1}], strict=True)
    ]
    assert [(*row[:-1], json.loads(row[-1])) for row in found] == expected


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(json_values)
def test_every_json_value_is_kept_as_json(value):
    text = json_text(value)
    text.encode()  # a database takes no half of a surrogate pair
    assert json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON")) == finite(value)


def test_threats_come_back_whole(database, start_history, shipped):
    history = start_history(database)
    now = time.time_ns()
    history.put_threats(a_frame(some_threats(7, now)))
    history.put_threats(a_frame(some_threats(8, now + 1, sensor_id="other")))
    history.put_threats(a_frame(some_threats(7, now)))  # once more
    shipped(history)
    columns = "sensor_id, sequence, stamp_ns, track_id, class_id, level"
    numbers = "score, time_to_cpa, cpa_distance, cpa_distance_sigma, time_to_impact, reason"
    found = database.rows(f"SELECT {columns}, {numbers} FROM threats ORDER BY stamp_ns, track_id")
    first = (3, 4, 0.9375, 12.25, 30.5, 5.0, 11.75, "impact in 12 s <b>now</b>")
    second = (3, 2, 0.5, 0.0, 900.0, None, None, "close, but leaving")
    assert found == [
        ("test-radar", 7, now, 41, *first),
        ("test-radar", 7, now, 42, *second),
        ("other", 8, now + 1, 41, *first),
        ("other", 8, now + 1, 42, *second),
    ]


def test_tracks_come_back_about_once_a_second(database, start_history, shipped):
    history = start_history(database)
    now = time.time_ns()
    offsets_s = [0.0, 0.4, 0.99, 1.0, 1.9, 2.5, 1.2, -60.0, -59.5]  # the last ones: time began anew
    kept_s = [0.0, 1.0, 2.5, 1.2, -60.0]
    for sequence, offset_s in enumerate(offsets_s):
        tracks = some_tracks(sequence, now + round(offset_s * SECOND))
        tracks.state[1, 2] = np.nan
        tracks.covariance[1, 0, 0] = -1.0
        tracks.rcs_dbsm[:] = [-12.5, np.nan]
        history.put_tracks(a_frame(tracks))
    shipped(history)
    stamps = [row[0] for row in database.rows("SELECT DISTINCT stamp_ns FROM track_samples")]
    assert sorted(stamps) == sorted(now + round(s * SECOND) for s in kept_s)
    found = database.rows(
        "SELECT track_id, sensor_id, status, class_id, x, y, z, vx, vy, vz, sigma_x, sigma_y, sigma_z, existence_probability,"
        f" rcs_dbsm FROM track_samples WHERE stamp_ns = {now} ORDER BY track_id"
    )
    state = some_tracks(0, now).state.tolist()
    common = ("test-radar", 2, 3)
    assert found == [
        (41, *common, *state[0], 2.0, 3.0, 4.0, 0.97, -12.5),
        (42, *common, *state[1][:2], None, *state[1][3:], None, 3.0, 4.0, 0.97, None),
    ]


def test_an_empty_picture_leaves_nothing(database, start_history, shipped):
    history = start_history(database)
    history.put_tracks(a_frame(some_tracks(1, time.time_ns(), n=0)))
    empty = some_threats(1, time.time_ns())
    for name in ("track_id", "level", "class_id", "score"):
        setattr(empty, name, getattr(empty, name)[:0])
    history.put_threats(a_frame(empty))
    history.put_event(an_event(1))
    shipped(history)
    assert (database.count("track_samples"), database.count("threats"), database.count("events")) == (0, 0, 1)
    assert history.counts()["journaled"] == 1


def test_decisions_are_committed_before_they_are_answered(database, start_history, shipped):
    history = start_history(database)
    before = time.time_ns()
    detail = {"technique": "frequency hop", "benefit_db": math.nan}
    first = asyncio.run(
        history.put_decision(kind="ew_advice", target_id=4, who="Eve 漢", accept=True, detail=detail)
    ).id
    second = asyncio.run(history.put_decision(kind="threat", target_id=41, who="admin", accept=False)).id
    assert history.counts()["journaled"] == 2
    shipped(history)
    found = database.rows("SELECT id, kind, target_id, who, accept, detail FROM decisions ORDER BY stamp_ns")
    assert [(*row[:4], bool(row[4]), json.loads(row[5])) for row in found] == [
        (first, "ew_advice", 4, "Eve 漢", True, {"technique": "frequency hop", "benefit_db": None}),
        (second, "threat", 41, "admin", False, {}),
    ]
    (first_ns,), (second_ns,) = database.rows("SELECT stamp_ns FROM decisions ORDER BY stamp_ns")
    assert before <= first_ns <= second_ns <= time.time_ns()


def test_the_same_events_again_change_nothing(database, start_history, shipped):
    history = start_history(database)
    for _ in range(3):
        for sequence in range(1, 51):
            history.put_event(an_event(sequence))
        shipped(history)
    assert [row[0] for row in database.rows("SELECT sequence FROM events ORDER BY sequence")] == list(range(1, 51))
    assert history.acknowledged()["tracking"] == {
        "run_id": "run", "epoch": 0, "first": 1, "sequence": 50, "highest": 50,
    }  # fmt: skip


def test_what_was_not_shipped_is_shipped_after_the_next_start(database, start_history, shipped, wait_for):
    history = start_history(database)
    shipped(history)
    history.close()
    history = start_history(database)
    for sequence in range(1, 1001):
        history.put_event(an_event(sequence))
    history.close()  # at once: what waits in memory is still committed
    assert history.counts()["journaled"] == 1000
    assert database.count("events") + history.counts()["backlog_messages"] >= 1000
    again = start_history(database)
    shipped(again)
    assert database.count("events") == 1000
    assert again.acknowledged() == history.acknowledged()


def test_a_decision_is_refused_by_a_history_that_is_not_running(database, start_history):
    history = start_history(database)
    history.close()
    with refused(503, "stopping"):
        asyncio.run(history.put_decision(kind="threat", target_id=1, who="eve", accept=True))
