# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The picture of a time in the past: which one it is, what is in it, and the ways that led there."""

import time

import numpy as np
import pytest
from bridge_data import some_threats, some_tracks
from history_data import a_frame

from aegis.bridge.history import replay
from aegis.bridge.models.history import Replay

SECOND = 1_000_000_000
BEGIN = time.time_ns() // SECOND * SECOND - 3600 * SECOND
GAP = range(40, 70)  # seconds without anything on record
SCOPES = ("radar:read", "threats:read")


def east_of(second: int) -> float:
    """Where track 41 is."""
    return 100.0 + 20.0 * second


@pytest.fixture
def past(open_app, database, shipped):
    """The application after 100 s of two tracks and their threats, with a gap."""
    app = open_app(database_url=database.url)
    for second in range(100):
        if second in GAP:
            continue
        stamp_ns = BEGIN + second * SECOND
        tracks = some_tracks(second, stamp_ns)
        tracks.state[0, :2] = east_of(second), 7.0
        if second % 2:
            tracks.state[1, 0] = np.nan
        threats = some_threats(second, stamp_ns)
        threats.score[:] = [0.5 + second / 1000, 0.2]
        app.bridge.history.put_tracks(a_frame(tracks))
        app.bridge.history.put_threats(a_frame(threats))
    shipped(app.bridge.history)
    return app


def at(app, second: float, **parameters) -> dict:
    answer = app.client.get(
        "/api/replay", params={"t": BEGIN / 1e9 + second, **parameters}, headers=app.headers(*SCOPES)
    )
    assert answer.status_code == 200, answer.text
    Replay.model_validate_json(answer.text, strict=True)
    return answer.json()


@pytest.mark.parametrize(
    ("second", "shown"),
    [(0.0, 0), (20.0, 20), (20.999, 20), (39.5, 39), (51.5, None), (52.0, None), (70.0, 70), (99.0, 99)],
)
def test_the_last_picture_before_a_time_is_shown_if_it_is_not_old(past, second, shown):
    picture = at(past, second)
    if shown is None:
        assert (picture["stamp_s"], picture["age_s"], picture["tracks"], picture["threats"]) == (None, None, [], [])
        return
    assert picture["stamp_s"] == pytest.approx(BEGIN / 1e9 + shown, abs=1e-6)
    assert picture["age_s"] == pytest.approx(second - shown, abs=2e-3)
    first, second_track = picture["tracks"]
    assert (first["track_id"], first["position_m"]["x"], first["position_m"]["y"]) == (41, east_of(shown), 7.0)
    assert (second_track["track_id"], second_track["position_m"]["x"] is None) == (42, shown % 2 == 1)
    assert [threat["track_id"] for threat in picture["threats"]] == [41, 42]  # the most threatening first
    assert picture["threats"][0]["score"] == pytest.approx(0.5 + shown / 1000, abs=1e-4)


def test_nothing_is_on_record_of_the_future_and_before_the_beginning(past):
    assert at(past, -1.0)["stamp_s"] is None
    assert at(past, 200.0)["stamp_s"] is None


def test_ways_go_back_as_far_as_is_asked_and_over_gaps(past):
    assert at(past, 20.0)["trails"] == {}
    picture = at(past, 20.0, trail_s=10.0)
    seconds = [round(stamp - BEGIN / 1e9) for stamp in picture["trail_stamps_s"]]
    assert seconds == list(range(11, 21))
    assert picture["trails"]["41"] == [[east_of(second), 7.0] for second in seconds]
    assert [point is None for point in picture["trails"]["42"]] == [second % 2 == 1 for second in seconds]
    over = at(past, 75.0, trail_s=60.0)
    assert {round(stamp - BEGIN / 1e9) for stamp in over["trail_stamps_s"]} == {*range(16, 40), *range(70, 76)}


def test_long_ways_are_thinned_out_and_keep_their_ends(past, monkeypatch):
    monkeypatch.setattr(replay, "MOST_TRAIL_STAMPS", 5)
    seconds = [round(stamp - BEGIN / 1e9) for stamp in at(past, 39.0, trail_s=39.0)["trail_stamps_s"]]
    assert (len(seconds), seconds[0], seconds[-1]) == (5, 1, 39)


@pytest.mark.parametrize(
    "parameters", [{}, {"t": "soon"}, {"t": "nan"}, {"t": 0, "trail_s": -1}, {"t": 0, "trail_s": 1e9}]
)
def test_what_is_no_time_is_refused(past, parameters):
    answer = past.client.get("/api/replay", params=parameters, headers=past.headers(*SCOPES))
    assert (answer.status_code, "trail_s" in answer.json()["detail"] or "t:" in answer.json()["detail"]) == (400, True)


@pytest.mark.parametrize("missing", SCOPES)
def test_both_scopes_are_needed(past, missing):
    headers = past.headers(*(set(SCOPES) - {missing}))
    assert past.client.get("/api/replay", params={"t": 0}, headers=headers).status_code == 403
