# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every answer has a number that the log has too, and every request its line."""

import logging
import re
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aegis.bridge.http.request_id import ACCESS_LOG

HEADER = "X-Request-ID"
WELL_FORMED = r"[A-Za-z0-9._-]{8,64}"


@pytest.mark.parametrize("given_id", ["12345678", "Trace.of_some-thing", "x" * 64])
def test_a_well_formed_id_is_kept(app, given_id):
    assert app.client.get("/health", headers={HEADER: given_id}).headers[HEADER] == given_id


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=70)
    | st.from_regex(WELL_FORMED, fullmatch=True)
)
def test_another_gets_a_new_one(app, given_id):
    answered = app.client.get("/health", headers={HEADER: given_id}).headers[HEADER]
    if re.fullmatch(WELL_FORMED, given_id):
        assert answered == given_id
    else:
        assert re.fullmatch(r"[0-9a-f]{32}", answered)


def test_every_kind_of_answer_has_one_and_its_own(app, monkeypatch):
    def broken(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr(app.bridge.throttle, "attempt", broken)
    login = {"json": {"username": "a", "password": "b"}}
    headers = {"headers": app.headers("radar:read")}
    size = app.bridge.settings.requests.max_body_bytes
    answers = {
        200: app.client.get("/health"),
        400: app.client.post("/api/auth/login", content=b"{"),
        401: app.client.get("/api/radar/tracks"),
        403: app.client.get("/metrics", **headers),
        404: app.client.get("/nothing", **headers),
        405: app.client.put("/api/radar/tracks", **headers),
        413: app.client.post("/api/auth/login", content=b"x" * (size + 1)),
        500: app.client.post("/api/auth/login", **login),
        503: app.client.get("/api/radar/tracks", **headers),
    }
    assert {status: answer.status_code for status, answer in answers.items()} == {status: status for status in answers}
    assert len({answer.headers[HEADER] for answer in answers.values()}) == len(answers)
    assert answers[500].json()["request_id"] == answers[500].headers[HEADER]


def test_a_websocket_has_one_too(app):
    with app.client.websocket_connect("/ws/radar-stream", headers={HEADER: "stream-number-1"}) as socket:
        assert {name.lower(): value for name, value in socket.extra_headers}[b"x-request-id"] == b"stream-number-1"
        socket.send_json({"type": "ping"})
        assert socket.receive()["code"] == 4401


def lines(caplog) -> list[dict]:
    return [record.fields for record in caplog.records if record.name == ACCESS_LOG]


def test_every_request_has_its_line(app, caplog):
    caplog.set_level(logging.INFO)
    begin_s = time.monotonic()
    body = app.client.get("/api/radar/status?token=secret", headers=app.headers("radar:read")).content
    took_ms = 1e3 * (time.monotonic() - begin_s)
    app.client.post("/api/auth/login", json={"username": "eve", "password": "wrong"})
    app.client.get("/" + "n" * 1000)
    with app.client.websocket_connect("/ws/radar-stream?token=secret") as socket:
        socket.send_json({})
        socket.receive()
    radar, login, unknown, stream = lines(caplog)
    duration_ms = radar.pop("duration_ms")
    assert 0.0 < duration_ms < took_ms
    assert radar == {
        "method": "GET", "path": "/api/radar/status", "route": "/api/radar/status", "status": 503,
        "address": "testclient", "bytes": len(body),
    }  # fmt: skip
    assert (login["method"], login["status"]) == ("POST", 401)
    assert (unknown["route"], unknown["status"]) == ("unmatched", 401)
    assert len(unknown["path"]) == 256
    assert (stream["method"], stream["path"], stream["status"]) == ("WEBSOCKET", "/ws/radar-stream", 101)
    assert "secret" not in str(lines(caplog))


def test_above_info_no_request_is_logged(app, caplog):
    caplog.set_level(logging.WARNING)
    app.client.get("/health")
    assert lines(caplog) == []
