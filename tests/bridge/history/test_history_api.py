# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The endpoints of the history: filters, pages, refusals, on both databases."""

import asyncio
import itertools
import json
import math
import time

import numpy as np
import pytest
from bridge_data import some_threats, some_tracks
from history_data import a_frame, an_event

from aegis.bridge.history import paging
from aegis.bridge.models.history import Decisions, HistoryStatus, PastEvents, PastThreats, TrackHistory
from aegis.core.events import Severity
from aegis.core.types import ClassId

SECOND = 1_000_000_000
NOW = time.time_ns() // SECOND * SECOND
MODELS = {
    "/api/threats/history": ("threats:read", PastThreats),
    "/api/radar/tracks/41/history": ("radar:read", TrackHistory),
    "/api/events": ("metrics:read", PastEvents),
    "/api/decisions": ("ew:acknowledge", Decisions),
    "/api/history/status": ("metrics:read", HistoryStatus),
}
SCOPES = {scope for scope, _ in MODELS.values()} | {"controller:write", "admin"}


@pytest.fixture
def past(open_app, database, shipped):
    """The application with 20 scans of threats and tracks, 60 events and 3 decisions in its history."""
    app = open_app(database_url=database.url)
    history = app.bridge.history
    for scan in range(20):
        threats = some_threats(scan, NOW + scan * SECOND, sensor_id=f"radar {scan % 2}")
        threats.level[:] = [1 + scan % 4, 2]
        threats.class_id[:] = [int(ClassId.DRONE) if scan % 3 else int(ClassId.BIRD), int(ClassId.AIRCRAFT)]
        history.put_threats(a_frame(threats))
        tracks = some_tracks(scan, NOW + scan * SECOND)
        tracks.state[1, 2] = np.nan
        history.put_tracks(a_frame(tracks))
    for i in range(60):
        history.put_event(
            an_event(
                i, stamp_ns=NOW + i * SECOND, stage=["tracking", "threat", "ew"][i % 3], name=f"NAME_{i % 5}",
                severity=Severity(i % 4), data={"i": i, "wide": 2**80, "nan": math.nan},
            )
        )  # fmt: skip
    for i in range(3):
        asyncio.run(
            history.put_decision(kind=["threat", "ew_advice"][i % 2], target_id=i, who=f"user{i}", accept=i > 0)
        )
    shipped(history)
    return app


def get(app, path: str, *scopes: str, **parameters):
    return app.client.get(path, params=parameters, headers=app.headers(*(scopes or SCOPES)))


def items(app, path: str, **parameters) -> list[dict]:
    answer = get(app, path, **parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def test_bodies_are_as_the_openapi_page_says_and_need_their_scope(past):
    page = past.client.get("/openapi.json", headers=past.headers("admin")).json()
    for path, (scope, model) in MODELS.items():
        answer = get(past, path, scope)
        model.model_validate_json(answer.text, strict=True)
        described = page["paths"][path.replace("41", "{track_id}")]["get"]
        schema = described["responses"]["200"]["content"]["application/json"]["schema"]
        assert schema["$ref"].endswith("/" + model.__name__)
        assert scope in described["description"]
        assert get(past, path, *(SCOPES - {scope})).status_code == 403


def test_threats_are_as_they_were(past):
    newest = items(past, "/api/threats/history", limit=2)
    assert newest == [
        {
            "stamp_s": NOW / 1e9 + 19, "sensor_id": "radar 1", "sequence": 19, "track_id": 42, "level": "MEDIUM",
            "class": "AIRCRAFT", "score": 0.5, "time_to_cpa_s": 0.0, "cpa_distance_m": 900.0, "cpa_distance_sigma_m": None,
            "time_to_impact_s": None, "reason": "close, but leaving",
        },
        {
            "stamp_s": NOW / 1e9 + 19, "sensor_id": "radar 1", "sequence": 19, "track_id": 41, "level": "CRITICAL",
            "class": "DRONE", "score": 0.9375, "time_to_cpa_s": 12.25, "cpa_distance_m": 30.5, "cpa_distance_sigma_m": 5.0,
            "time_to_impact_s": 11.75, "reason": "impact in 12 s <b>now</b>",
        },
    ]  # fmt: skip


def test_threats_are_filtered(past):
    every = items(past, "/api/threats/history", limit=1000)
    assert len(every) == 40
    for level, kind, track_id, since, until in itertools.product(
        ([], ["CRITICAL"], ["LOW", "CRITICAL"], ["HIGH", "CRITICAL"]), ([], ["BIRD"]), (None, 41), (None, 5), (None, 16)
    ):
        wanted = {"level": level, "class": kind, "track_id": track_id}
        wanted["since_s"] = since and NOW / 1e9 + since
        wanted["until_s"] = until and NOW / 1e9 + until
        found = items(past, "/api/threats/history", limit=1000, **{k: v for k, v in wanted.items() if v})
        assert found == [
            item
            for item in every
            if (not level or item["level"] in level)
            and (not kind or item["class"] in kind)
            and (not track_id or item["track_id"] == track_id)
            and (not since or item["stamp_s"] >= wanted["since_s"])
            and (not until or item["stamp_s"] <= wanted["until_s"])
        ]
        assert found or (level == ["CRITICAL"] and kind)


def test_a_row_is_found_by_the_stamp_that_it_is_shown_with(past, shipped):
    history = past.bridge.history
    odd = [NOW + 100 * SECOND + k for k in (1, 123_456_789, 499_999_999, 999_999_999)]
    for sequence, stamp_ns in enumerate(odd):
        history.put_event(an_event(sequence, stage="odd", stamp_ns=stamp_ns))
    shipped(history)
    for item in items(past, "/api/events", stage="odd"):
        found = items(past, "/api/events", stage="odd", since_s=repr(item["stamp_s"]), until_s=repr(item["stamp_s"]))
        assert found == [item]


def test_a_track_is_where_it_was(past):
    found = items(past, "/api/radar/tracks/41/history", limit=1000)
    assert [item["stamp_s"] for item in found] == [NOW / 1e9 + i for i in reversed(range(20))]
    assert found[0] == {
        "stamp_s": NOW / 1e9 + 19, "sensor_id": "test-radar", "status": "CONFIRMED", "class": "AIRCRAFT", "range_m": 600.0,
        "bearing_deg": 30.0, "elevation_deg": 0.0, "velocity_mps": 20.0, "heading_deg": 30.0,
        "position_m": {"x": 300.0, "y": 519.62, "z": 0.0}, "velocity_vector_mps": {"x": 10.0, "y": 17.321, "z": 0.0},
        "position_sigma_m": {"x": 2.0, "y": 3.0, "z": 4.0}, "existence_probability": 0.97,
        "rcs_dbsm": None,
    }  # fmt: skip
    unknown = items(past, "/api/radar/tracks/42/history", limit=1)[0]
    assert (unknown["range_m"], unknown["position_m"]["z"], unknown["bearing_deg"]) == (None, None, 210.0)
    window = items(past, "/api/radar/tracks/41/history", since_s=NOW / 1e9 + 3, until_s=NOW / 1e9 + 5)
    assert [item["stamp_s"] - NOW / 1e9 for item in window] == [5, 4, 3]


def test_a_track_that_never_was_has_an_empty_history(past):
    answer = get(past, "/api/radar/tracks/4000000000/history")
    assert answer.status_code == 200
    assert answer.json() == {"track_id": 4000000000, "count": 0, "pending": 0, "next_cursor": None, "items": []}


def test_events_are_filtered(past):
    every = items(past, "/api/events", limit=1000)
    assert [item["sequence"] for item in every] == list(reversed(range(60)))
    assert every[0]["data"] == {"i": 59, "wide": 2**80, "nan": None}
    for stage, name, severity in itertools.product(
        ([], ["ew"], ["ew", "threat"]),
        ([], ["NAME_0", "NAME_3"]),
        ([], ["INFO"], ["WARNING", "ERROR"], ["DEBUG", "ERROR"]),
    ):
        found = items(past, "/api/events", limit=1000, stage=stage, name=name, severity=severity)
        assert found == [
            item
            for item in every
            if (not stage or item["stage"] in stage)
            and (not name or item["name"] in name)
            and (not severity or item["severity"] in severity)
        ]
        assert found


def test_decisions_say_who_decided_what(past):
    every = items(past, "/api/decisions")
    assert [(i["kind"], i["target_id"], i["who"], i["accept"], i["detail"]) for i in every] == [
        ("threat", 2, "user2", True, {}),
        ("ew_advice", 1, "user1", True, {}),
        ("threat", 0, "user0", False, {}),
    ]
    assert items(past, "/api/decisions", who="user1") == [every[1]]
    assert items(past, "/api/decisions", kind="threat", target_id=0) == [every[2]]
    assert items(past, "/api/decisions", since_s=time.time() + 60) == []


def test_pages_are_the_whole(past):
    for path in list(MODELS)[:4]:
        found, cursor = [], {}
        while True:
            body = get(past, path, limit=7, **cursor).json()
            assert body["count"] == len(body["items"]) <= 7
            found += body["items"]
            if body["next_cursor"] is None:
                break
            cursor = {"cursor": body["next_cursor"]}
        assert found == items(past, path, limit=1000)


def test_a_page_of_long_events_has_fewer_of_them(past, shipped, monkeypatch):
    history = past.bridge.history
    for i in range(10):
        history.put_event(an_event(i, stage="long", data="x" * 1000 * (i + 1)))
    shipped(history)
    monkeypatch.setattr(paging, "PAGE_CHARACTERS", 8000)
    counts, cursor = [], {}
    while True:
        body = get(past, "/api/events", stage="long", **cursor).json()
        counts.append(body["count"])
        if body["next_cursor"] is None:
            break
        cursor = {"cursor": body["next_cursor"]}
    assert sum(counts) == 10
    assert counts[0] == 1  # one that is too long alone still comes
    assert max(counts) > 1


BAD = [
    "limit=0", "limit=1001", "limit=x", "limit=" + "9" * 5000, "limit=1e2", "limit=", "limit=%00", "sinze_s=3", "since_s=nan",
    "since_s=inf", "since_s=1e300", "since_s=-1e300", "until_s=x", "since_s=2&until_s=1", "cursor=" + "A" * 2000,
]  # fmt: skip
BAD_OF_ITS_OWN = {
    "/api/threats/history": ["track_id=-1", "track_id=4294967296", "level=low", "level=", "class=ROCKET", "level=LOW&level=x"],
    "/api/events": ["stage=", "name=%00", "stage=a%00b", "severity=FATAL", "stage=" + "x" * 300, "&".join(["name=x"] * 40)],
    "/api/decisions": ["kind=", "who=%00", "target_id=" + "9" * 30],
}  # fmt: skip
BAD_CURSORS = ["x", "%00", "W10", "WzFd%20", "%F0%9F%9B%A9", "A"]


def assert_refused(app, path: str, query: str) -> None:
    answer = app.client.get(f"{path}?{query}", headers=app.headers(*SCOPES))
    assert answer.status_code == 400, (query[:50], answer.text)
    assert query.partition("=")[0] in answer.json()["detail"], (query[:50], answer.text)
    assert set(answer.json()) == {"detail"}


def test_a_bad_parameter_is_400_with_a_reason(app):
    for path in list(MODELS)[:4]:
        for query in BAD + BAD_OF_ITS_OWN.get(path, []):
            assert_refused(app, path, query)


def test_a_bad_cursor_is_400(past):
    for path, cursor in itertools.product(list(MODELS)[:4], BAD_CURSORS):
        assert_refused(past, path, f"cursor={cursor}")


def test_a_bad_track_id_is_400(app):
    for track_id in ("-1", "4294967296", "x", "9" * 5000, "1.5", "%00"):
        answer = app.client.get(f"/api/radar/tracks/{track_id}/history", headers=app.headers(*SCOPES))
        assert answer.status_code == 400
        assert "track_id" in answer.json()["detail"]


def test_before_the_database_is_reached_the_answer_is_503(open_app, nowhere):
    app = open_app(database_url=nowhere.url)
    for path in list(MODELS)[:4]:
        answer = get(app, path)
        assert (answer.status_code, answer.json()["waiting_for"]) == (503, "database")
        assert answer.headers["retry-after"]
    status = get(app, "/api/history/status")
    assert status.status_code == 200
    HistoryStatus.model_validate_json(status.text, strict=True)
    assert status.json()["database"]["state"] == "away"


def test_the_status_tells_what_is_there(past, wait_for, shipped):
    def status() -> dict:
        return get(past, "/api/history/status").json()

    wait_for(lambda: status()["oldest_s"].get("events") is not None, "the database has been looked at")
    found = status()
    assert found["database"]["state"] == "up"
    assert found["database"]["bytes"] > 10_000
    assert (found["journaled"], found["shipped"], found["refused"], found["dropped"]) == (103, 103, 0, {})
    assert found["backlog"] == {"messages": 0, "bytes": 0, "age_s": 0.0}
    assert found["oldest_s"]["events"] == found["oldest_s"]["threats"] == NOW / 1e9
    assert set(found["acknowledged"]) == {"tracking", "threat", "ew"}
    assert json.dumps(past.bridge.history.counts())  # it is part of the bridge's status on the graph
