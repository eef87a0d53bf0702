# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The application without a graph behind it: who gets in, and what the answers look like."""

import re
import time
from urllib.parse import urljoin

import pytest
from bridge_data import some_detections, some_status, some_threats, some_tracks
from fastapi.routing import APIRoute
from starlette.routing import Route, WebSocketRoute

from aegis.bridge.http.guard import PUBLIC_ROUTES, PUBLIC_WEBSOCKETS
from aegis.bridge.live import columns
from aegis.bridge.live.ew_columns import advice_rows, signal_rows
from aegis.bridge.live.frames import EwFrame, Frame
from aegis.bridge.live.reports import StatusRow
from aegis.bridge.models.radar import RadarStatus, Targets, TrackPicture
from aegis.bridge.models.threats import ActiveThreats
from aegis.bridge.routes.access import needed_scopes, walk_routes
from aegis.core.types import Detections, Threats, Tracks
from aegis.ros.messages.reports import status_rows

PASSWORD = "a good long password"
EVERY_SCOPE = frozenset(
    {"radar:read", "threats:read", "metrics:read", "controller:write", "ew:acknowledge", "zones:write", "admin"}
)
# What is good for everyone who is logged in. Whoever adds a route here says that it shows and does nothing that needs a scope.
ANY_TOKEN = {
    ("GET", "/api/auth/me"),
    ("POST", "/api/auth/logout"),
    ("POST", "/api/auth/password"),
    ("GET", "/api/auth/sessions"),
    ("DELETE", "/api/auth/sessions/{session_id}"),
    ("POST", "/api/auth/ws-ticket"),
}
QUERY = {"/api/stream": {"messages": 1}}  # else it goes on for ever
NEEDED_SCOPE = {
    "/api/radar/status": "radar:read",
    "/api/radar/targets": "radar:read",
    "/api/radar/tracks": "radar:read",
    "/api/threats/active": "threats:read",
    "/api/zones": "threats:read",
    "/metrics": "metrics:read",
    **{
        f"/api/metrics/{name}": "metrics:read"
        for name in ("radar", "detection", "tracking", "threats", "ew", "pipeline", "system")
    },
}


def walk(routes):
    """Yield (method, path) of every route; the method of a WebSocket is WEBSOCKET."""
    for route in routes:
        if hasattr(route, "original_router"):  # newer FastAPI keeps included routers whole
            yield from walk(route.original_router.routes)
        elif isinstance(route, WebSocketRoute):
            yield "WEBSOCKET", route.path
        else:
            assert isinstance(route, Route), f"{route!r}: the walk does not know what this answers"
            for method in route.methods:
                yield method, route.path


def fill(app, *, age_s: float = 0.5):
    """Let the application have heard a scan that is `age_s` old."""
    stamp_ns = time.time_ns() - round(age_s * 1e9)
    d, t, h = some_detections(7, stamp_ns), some_tracks(7, stamp_ns), some_threats(7, stamp_ns)
    now = time.monotonic()
    app.bridge.queue.deliver(Frame[Detections], Frame(d, age_s, now, columns.detection_rows, columns.detection_brief))
    app.bridge.queue.deliver(Frame[Tracks], Frame(t, age_s, now, columns.track_rows, columns.track_brief))
    app.bridge.queue.deliver(Frame[Threats], Frame(h, age_s, now, columns.threat_rows))
    for stage in ("simulator", "detection", "tracking", "threat", "ew"):
        app.bridge.queue.deliver(list[StatusRow], status_rows(some_status(stage)))


def test_every_route_denies_without_a_token_unless_it_is_listed(app):
    routes = set(walk(app.client.app.routes))
    assert {("GET", path) for path in NEEDED_SCOPE} | {("GET", "/openapi.json"), ("GET", "/api/auth/me")} < routes
    assert {("WEBSOCKET", path) for path in PUBLIC_WEBSOCKETS} <= routes
    assert routes >= PUBLIC_ROUTES
    fill(app)
    app.bridge.hub.publish("heartbeat", lambda _: {}, keep=True)
    for method, path in routes:
        if method == "WEBSOCKET":
            assert path in PUBLIC_WEBSOCKETS  # it denies by itself: test_bridge_stream.py
            continue
        status = app.client.request(method, path).status_code
        if (method, path) in PUBLIC_ROUTES:
            assert status not in (401, 403, 404), (method, path)
        else:
            assert status == 401, (method, path)
            admin = app.headers(*EVERY_SCOPE)
            answer = app.client.request(method, path, headers=admin, params=QUERY.get(path))
            assert answer.status_code not in (401, 403, 404), (method, path)


def test_every_route_refuses_the_wrong_scope_and_takes_the_right_one(app):
    fill(app)
    app.bridge.hub.publish("heartbeat", lambda _: {}, keep=True)
    seen = {}
    for route in walk_routes(app.client.app.routes):
        if not isinstance(route, APIRoute):
            continue
        for method in route.methods - {method for method, path in PUBLIC_ROUTES if path == route.path}:
            scopes = needed_scopes(route.dependant)
            assert scopes or (method, route.path) in ANY_TOKEN, f"{method} {route.path} is open to every token"
            for scope in scopes:
                wrong = app.headers(*(EVERY_SCOPE - {scope}))
                assert app.client.request(method, route.path, headers=wrong).status_code == 403, (method, route.path)
            right = app.client.request(method, route.path, headers=app.headers(*scopes), params=QUERY.get(route.path))
            assert right.status_code not in (401, 403, 404), (method, route.path)
            seen[method, route.path] = scopes
    assert {("GET", path): {scope} for path, scope in NEEDED_SCOPE.items()}.items() <= seen.items()
    rooms = ("/api/users", "/api/invites", "/api/service-tokens", "/api/audit")
    administration = {key for key in seen if key[1].startswith(rooms)}
    assert len(administration) == 11
    assert all(seen[key] == {"admin"} for key in administration)


def test_the_openapi_page_says_each_operations_scope(app):
    page = app.client.get("/openapi.json", headers=app.headers()).json()
    said = {
        (method.upper(), path): operation["x-scope"]
        for path, operations in page["paths"].items()
        for method, operation in operations.items()
    }
    assert {("GET", path): scope for path, scope in NEEDED_SCOPE.items()}.items() <= said.items()
    assert {key for key, scope in said.items() if scope == "public"} <= PUBLIC_ROUTES
    assert {key for key, scope in said.items() if scope == "any"} <= ANY_TOKEN
    for operations in page["paths"].values():
        for operation in operations.values():
            scope = operation["x-scope"]
            assert {"public": "Public: ", "any": "Any valid token "}.get(scope, f"Scope {scope}.") in operation[
                "description"
            ]
            assert ("401" in operation["responses"]) or scope == "public"
            assert ("403" in operation["responses"]) or scope in ("public", "any")
            assert "HTTPValidationError" not in str(operation["responses"])  # which is answered with 400
    assert {key for key, value in said.items() if value == "zones:write"} == {
        ("PUT", "/api/zones/{name}"),
        ("DELETE", "/api/zones/{name}"),
    }


@pytest.mark.parametrize(
    "path",
    ["/redoc", "/openapi.json", "/nothing", "/api", "/health/", "/health/x", "/HEALTH", "/static/app.js"],
)
def test_what_is_not_listed_denies_whether_it_exists_or_not(app, path):
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"):
        assert app.client.request(method, path).status_code == 401


def test_the_page_of_the_api_tells_nothing_of_it_without_a_token(app):
    routes = {path for _, path in walk(app.client.app.routes) if path.startswith("/api/")}
    assert routes
    for path in ("/docs", "/docs.js"):
        page = app.client.get(path).text
        assert not [route for route in routes if route in page]
    assert "unsafe" not in app.client.get("/docs").headers["content-security-policy"]
    described = app.client.get("/openapi.json", headers=app.headers()).json()["paths"]
    assert described.keys() >= NEEDED_SCOPE.keys()


def test_an_unlisted_websocket_is_refused(app):
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), app.client.websocket_connect("/ws/other"):
        pass


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a.b.c", "Bearer e30.e30."])
def test_a_bad_authorization_is_401_and_says_nothing_about_why(app, authorization):
    answer = app.client.get("/api/radar/tracks", headers={"Authorization": authorization})
    assert answer.status_code == 401
    assert answer.json() == {"detail": "a valid access token is needed"}
    assert answer.headers["www-authenticate"] == "Bearer"


def test_the_wrong_scope_is_403_and_the_right_one_is_enough(app):
    fill(app)
    for path, scope in NEEDED_SCOPE.items():
        assert app.client.get(path, headers=app.headers(*(EVERY_SCOPE - {scope}))).status_code == 403
        assert app.client.get(path, headers=app.headers(scope)).status_code == 200
    assert app.client.get("/api/auth/me", headers=app.headers()).status_code == 200


def test_before_a_stage_has_spoken_its_endpoint_is_503(app):
    headers = app.headers("radar:read", "threats:read")
    for path, topic in (("status", "detections"), ("targets", "detections"), ("tracks", "tracks")):
        answer = app.client.get(f"/api/radar/{path}", headers=headers)
        assert (answer.status_code, answer.json()["waiting_for"]) == (503, topic)
    assert app.client.get("/api/threats/active", headers=headers).json()["waiting_for"] == "threats"
    assert app.client.get("/health").json()["status"] == "ok"
    ready = app.client.get("/ready")
    assert ready.status_code == 503
    assert ready.json()["missing_stages"] == ["detection", "tracking", "threat", "ew"]


def test_a_stage_that_was_taken_out_of_active_is_not_ready_and_what_it_said_before_holds_no_more(app):
    """It still reports: that EW has no signals is then not that there are none."""
    fill(app)
    state, headers = app.bridge.state, app.headers("threats:read")
    state.take_signals(EwFrame([], signal_rows([]), time.time_ns(), 0.1, time.monotonic()))
    state.take_advice(EwFrame([], advice_rows([]), time.time_ns(), 0.1, time.monotonic()))
    assert app.client.get("/ready").status_code == 200
    assert state.ew() == {"signals": 0, "advice_waiting": 0}
    assert app.client.get("/api/ew/advice", headers=headers).status_code == 200
    state.take_status(status_rows(some_status("ew", {"lifecycle": "inactive"})))
    ready = app.client.get("/ready")
    assert (ready.status_code, ready.json()["missing_stages"]) == (503, ["ew"])
    assert ready.json()["reasons"] == [
        "the stage 'ew' is inactive: it gives nothing until it is activated (`change_state`)"
    ]
    assert state.ew() == {"signals": None, "advice_waiting": None}
    refused = app.client.get("/api/ew/advice", headers=headers)
    assert (refused.status_code, refused.json()["detail"]) == (503, "the stage 'ew' is inactive")


@pytest.mark.parametrize(
    ("box", "why"),
    [
        ("1", "x_min,y_min,x_max,y_max in metres is expected: four numbers, as -1000,-1000,1000,5000"),
        ("a,b,c,d", "x_min,y_min,x_max,y_max in metres is expected: four numbers, as -1000,-1000,1000,5000"),
        (
            "5,5,1,1",
            "x_min,y_min,x_max,y_max in metres is expected: x_min_m <= x_max_m and y_min_m <= y_max_m is needed",
        ),
    ],
)
def test_a_wrong_box_is_told_what_one_is(app, box, why):
    answer = app.client.get("/api/radar/tracks", params={"box": box}, headers=app.headers("radar:read"))
    assert (answer.status_code, answer.json()["detail"]) == (400, f"query.box: {why}")


@pytest.mark.parametrize(("query", "meant"), [("clas", "did you mean 'class'? "), ("zzz", "")])
def test_a_parameter_that_there_is_not_says_which_there_are(app, query, meant):
    answer = app.client.get("/api/radar/tracks", params={query: "1"}, headers=app.headers("radar:read"))
    why = f"there is no such parameter; {meant}there are class, box, offset, limit, status, level"
    assert (answer.status_code, answer.json()["detail"]) == (400, f"query.{query}: {why}")


def test_bodies_are_as_the_openapi_page_says(app):
    fill(app)
    headers = app.headers("radar:read", "threats:read")
    models = {
        "radar/status": RadarStatus,
        "radar/targets": Targets,
        "radar/tracks": TrackPicture,
        "threats/active": ActiveThreats,
    }
    page = app.client.get("/openapi.json", headers=headers).json()
    for path, model in models.items():
        body = app.client.get(f"/api/{path}", headers=headers).text
        model.model_validate_json(body, strict=True)  # extra and missing fields are refused
        said = page["paths"][f"/api/{path}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
        assert said.endswith("/" + model.__name__)


def test_the_age_goes_on_while_the_frame_stays(app, wait_for):
    fill(app, age_s=100.0)
    headers = app.headers("radar:read")
    begin_s = time.time()
    first = app.client.get("/api/radar/tracks", headers=headers)
    end_s = time.time()
    assert first.json()["age_s"] == pytest.approx(100.0, abs=5.0)
    assert begin_s - 0.1 <= first.json()["stamp_s"] + first.json()["age_s"] <= end_s + 0.001
    wait_for(
        lambda: app.client.get("/api/radar/tracks", headers=headers).json()["age_s"] > first.json()["age_s"], "it ages"
    )
    same = app.client.get("/api/radar/tracks", headers={**headers, "If-None-Match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert float(same.headers["x-data-age"]) > first.json()["age_s"]
    fill(app)
    changed = app.client.get("/api/radar/tracks", headers={**headers, "If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert changed.json()["age_s"] < 10.0


def test_a_frame_is_encoded_once(app):
    fill(app)
    frame = app.bridge.state.tracks
    assert frame.rows is frame.rows
    headers = app.headers("radar:read")
    bodies = [app.client.get("/api/radar/tracks", headers=headers).content for _ in range(2)]
    assert all(frame.rows.all_json in body for body in bodies)


def login(app, username="admin", password=PASSWORD, **headers):
    return app.client.post("/api/auth/login", json={"username": username, "password": password}, headers=headers)


def test_login_gives_a_token_that_works(app):
    answer = login(app, "EVE").json()
    assert (answer["token_type"], answer["expires_in"], answer["role"]) == ("bearer", 900, "viewer")
    me = app.client.get("/api/auth/me", headers={"Authorization": f"Bearer {answer['access_token']}"}).json()
    assert me["username"] == "eve"
    assert me["scopes"] == answer["scopes"] == ["radar:read", "threats:read"]
    assert 890 <= me["expires_in"] <= 900


def test_a_wrong_password_and_an_unknown_user_get_the_same_answer(app):
    same = {"X-Request-ID": "one-and-the-same"}
    wrong, unknown = login(app, "admin", "wrong", **same), login(app, "nobody", "wrong", **same)
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.content == unknown.content
    assert dict(wrong.headers) == dict(unknown.headers)


def test_logins_are_limited_per_account(app):
    for _ in range(5):
        assert login(app, "admin", "wrong").status_code == 401
    refused = login(app)  # the right password does not help now
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert login(app, "eve").status_code == 200


def test_logins_are_limited_per_address(app):
    for i in range(12):
        assert login(app, f"user{i}", "wrong").status_code == 401
    assert login(app).status_code == 429


def test_a_successful_login_clears_its_accounts_count(app):
    for _ in range(2):
        for _ in range(4):
            assert login(app, "admin", "wrong").status_code == 401
        assert login(app).status_code == 200


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"username": "a"}', b'{"username": 1, "password": "secret-x"}', b"\xff"]
)
def test_a_malformed_login_is_400_and_repeats_nothing(app, body):
    answer = app.client.post("/api/auth/login", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert "secret-x" not in answer.text


def test_a_body_that_is_too_large_is_413(app):
    headers = {"Content-Type": "application/json"}
    size = app.bridge.settings.requests.max_body_bytes

    def pieces():
        for _ in range(size // 1000 + 1):
            yield b" " * 1000

    assert app.client.post("/api/auth/login", content=b" " * (size + 1), headers=headers).status_code == 413
    assert app.client.post("/api/auth/login", content=pieces(), headers=headers).status_code == 413  # no Content-Length
    assert app.client.post("/api/auth/login", content=b" " * size, headers=headers).status_code == 400  # just no JSON


def test_an_error_inside_tells_nothing(app, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("the inside of the house")

    monkeypatch.setattr(app.bridge.throttle, "attempt", broken)
    answer = login(app)
    assert answer.status_code == 500
    assert answer.json() == {"detail": "internal error", "request_id": answer.headers["x-request-id"]}
    assert "inside" not in answer.text
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/", "/app.js", "/health", "/api/radar/tracks", "/nothing"])
def test_every_answer_carries_the_security_headers(app, path):
    headers = app.client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "server" not in headers


def test_the_page_needs_nothing_from_elsewhere_and_nothing_inline(app):
    page = app.client.get("/").text
    for tag in re.findall(r"<script\b[^>]*>", page):
        assert re.search(r'src="/[^/]', tag), tag
    assert not re.search(r"\son\w+=|\sstyle=|<style|https?://|javascript:", page)
    for path in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert app.client.get(path).status_code == 200
    scripts = ["/app.js"]
    for path in scripts:  # and what those import, and so on
        answer = app.client.get(path)
        assert answer.headers["content-type"].startswith("text/javascript")
        imported = [urljoin(path, name) for name in re.findall(r'\bimport\b[^"]*"(\./[^"]+)"', answer.text)]
        scripts += [one for one in imported if one not in scripts]
    assert scripts == ["/app.js", "/session.js"]
