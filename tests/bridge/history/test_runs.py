# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is shown of a time is of the run that lived then: a recording that is played later changes nothing of it."""

import json
import time
from collections.abc import Iterable

import pytest
from bridge_data import some_threats, some_tracks
from history_data import an_event

from aegis.bridge.database import open_engine
from aegis.bridge.history.records import TABLES, Message
from aegis.bridge.history.store import Store
from aegis.bridge.models.history import PastEvents, Replay

SECOND = 1_000_000_000
BEGIN_S = int(time.time()) - 3600
SCOPES = ("radar:read", "threats:read", "metrics:read")
EMPTY = range(21, 50)  # seconds in which the live run's tracker had no track


def a_run(name: str, first_id: int, seconds: Iterable[int], delay_s: float, empty: Iterable[int] = ()) -> list[Message]:
    """Return what a run sends: an update a second, two tracks with their threats, and a critical one at second 15."""
    sent: list[object] = []
    for second in seconds:
        stamp_ns = (BEGIN_S + second) * SECOND
        sent.append(an_event(second, stamp_ns=stamp_ns, run_id=name))
        if second == 15:
            sent.append(an_event(1, stamp_ns=stamp_ns, run_id=name, stage="threat", name="THREAT_CRITICAL"))
        if second in empty:
            continue
        for made in (some_tracks(second, stamp_ns), some_threats(second, stamp_ns)):
            made.track_id[:] = first_id, first_id + 1
            sent.append(made)
    return [Message(one, one.stamp_ns + round(delay_s * SECOND)) for one in sent]


@pytest.fixture
def past(open_app, database, wait_for):
    """A run of 60 s that was played 15 minutes later; 20 s that nobody lived, played twice; and events that came late."""
    at_18 = (BEGIN_S + 18) * SECOND
    late = (
        an_event(1, stamp_ns=at_18, run_id="live", stage="driver", name="WAITED"),
        an_event(1, stamp_ns=at_18, run_id="north's", stage="north/threat", name="BROUGHT", site="north"),
    )
    messages = [
        *a_run("live", 41, range(60), 0.1, EMPTY),
        *a_run("played", 141, range(60), 900.0),
        *a_run("played once", 241, range(200, 220), 1000.0),
        *a_run("played again", 341, range(200, 220), 2000.0),
        *(Message(one, at_18 + 120 * SECOND) for one in late),
    ]
    store = Store(open_engine(database.url))
    store.prepare()
    store.insert([(TABLES[message.kind], row) for message in messages for row in message.rows()])
    store.engine.dispose()
    app = open_app(database_url=database.url)
    wait_for(lambda: app.bridge.history.counts()["database"] == "up", "the database is open")
    return app


def get(app, path: str, **parameters) -> dict:
    answer = app.client.get(path, params=parameters, headers=app.headers(*SCOPES))
    assert answer.status_code == 200, answer.text
    return answer.json()


def at(app, second: float, **parameters) -> dict:
    found = get(app, "/api/replay", t=BEGIN_S + second, **parameters)
    Replay.model_validate_json(json.dumps(found), strict=True)
    return found


def ids(found: dict) -> tuple[list[int], list[int]]:
    return [one["track_id"] for one in found["tracks"]], [one["track_id"] for one in found["threats"]]


def test_replay_shows_the_run_that_lived_then_and_another_when_it_is_asked_for(past):
    found = at(past, 15.5, trail_s=3.0)
    assert ids(found) == ([41, 42], [41, 42])
    assert [one["level"] for one in found["threats"]].count("CRITICAL") == 1
    assert (found["run_id"], found["received_s"], found["runs"]) == ("live", None, ["live", "played"])
    assert set(found["trails"]) == {"41", "42"}
    played = at(past, 15.5, trail_s=3.0, run_id="played")
    assert ids(played) == ([141, 142], [141, 142])
    assert (played["run_id"], played["received_s"]) == ("played", pytest.approx(BEGIN_S + 915, abs=1e-3))
    assert [point is None for point in played["trails"]["141"]] == [False] * 3
    assert ids(at(past, 15.5, run_id="live")) == ([41, 42], [41, 42])
    assert at(past, 15.5, run_id="nobody")["stamp_s"] is None


def test_where_the_run_that_lived_then_had_no_track_none_of_what_was_played_is_shown(past):
    found = at(past, 40.0)
    assert (found["stamp_s"], found["tracks"], found["runs"]) == (None, [], ["live", "played"])
    assert ids(at(past, 40.0, run_id="played")) == ([141, 142], [141, 142])


def test_where_none_lived_it_is_what_was_played_last(past):
    found = at(past, 210.0, trail_s=3.0)
    assert (found["run_id"], ids(found)) == ("played again", ([341, 342], [341, 342]))
    assert found["received_s"] == pytest.approx(BEGIN_S + 2210, abs=1e-3)
    assert None not in found["trails"]["341"]
    assert ids(at(past, 210.0, run_id="played once")) == ([241, 242], [241, 242])


def test_lists_have_what_was_played_only_where_none_lived_or_it_is_asked_for(past):
    def events(**parameters) -> list[tuple[str, int]]:
        found = get(past, "/api/events", limit=1000, **parameters)
        PastEvents.model_validate(found, strict=True)
        return sorted((one["run_id"], round(one["stamp_s"]) - BEGIN_S) for one in found["items"])

    assert events(name="THREAT_CRITICAL") == [("live", 15)]
    assert events(name="THREAT_CRITICAL", run_id="played") == [("played", 15)]
    lived = [("live", second) for second in range(60)] + [("live", 15), ("live", 18), ("north's", 18)]
    twice = [(name, second) for name in ("played once", "played again") for second in range(200, 220)]
    assert events() == sorted(lived + twice)
    waited, brought = (get(past, "/api/events", name=name)["items"][0] for name in ("WAITED", "BROUGHT"))
    assert waited["received_s"] == brought["received_s"] == BEGIN_S + 138
    for run, counts in ((None, [60 - len(EMPTY), 0, 20]), ("played", [0, 60, 0])):
        asked = {"limit": 1000} | ({"run_id": run} if run else {})
        tracks = [get(past, f"/api/radar/tracks/{one}/history", **asked)["items"] for one in (41, 141, 241)]
        threats = [get(past, "/api/threats/history", track_id=one, **asked)["items"] for one in (41, 141, 241)]
        assert list(map(len, tracks)) == list(map(len, threats)) == counts
