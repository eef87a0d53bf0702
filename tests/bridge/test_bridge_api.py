"""The application without a graph behind it: who gets in, and what the answers look like."""

import re
import time

import pytest
from bridge_data import some_detections, some_threats, some_tracks
from starlette.routing import Route, WebSocketRoute

from aegis.bridge import encode
from aegis.bridge.accounts.scopes import Scope
from aegis.bridge.http.guard import PUBLIC_ROUTES, PUBLIC_WEBSOCKETS
from aegis.bridge.latest import Frame
from aegis.bridge.models.radar import RadarStatus, Targets, TrackPicture
from aegis.bridge.models.threats import ActiveThreats

PASSWORD = "a good long password"
NEEDED_SCOPE = {
    "/api/radar/status": "radar:read",
    "/api/radar/targets": "radar:read",
    "/api/radar/tracks": "radar:read",
    "/api/threats/active": "threats:read",
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
    app.bridge.deliver("detections", Frame(d, age_s, now, encode.detection_brief(d), encode.detection_rows))
    app.bridge.deliver("tracks", Frame(t, age_s, now, encode.track_brief(t), encode.track_rows))
    app.bridge.deliver("threats", Frame(h, age_s, now, encode.threat_rows(h), encode.threat_rows))


def test_every_route_denies_without_a_token_unless_it_is_listed(app):
    routes = set(walk(app.client.app.routes))
    assert {("GET", path) for path in NEEDED_SCOPE} | {("GET", "/openapi.json"), ("GET", "/api/auth/me")} < routes
    assert {("WEBSOCKET", path) for path in PUBLIC_WEBSOCKETS} <= routes
    assert routes >= PUBLIC_ROUTES
    admin = app.headers(*Scope)
    for method, path in routes:
        if method == "WEBSOCKET":
            assert path in PUBLIC_WEBSOCKETS  # it denies by itself: test_bridge_stream.py
            continue
        status = app.client.request(method, path).status_code
        if (method, path) in PUBLIC_ROUTES:
            assert status not in (401, 403, 404), (method, path)
        else:
            assert status == 401, (method, path)
            assert app.client.request(method, path, headers=admin).status_code not in (401, 403, 404), (method, path)


@pytest.mark.parametrize(
    "path",
    ["/docs", "/redoc", "/openapi.json", "/nothing", "/api", "/health/", "/health/x", "/HEALTH", "/static/app.js"],
)
def test_what_is_not_listed_denies_whether_it_exists_or_not(app, path):
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"):
        assert app.client.request(method, path).status_code == 401


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
    every = {"radar:read", "threats:read", "metrics:read", "controller:write", "ew:acknowledge", "admin"}
    for path, scope in NEEDED_SCOPE.items():
        assert app.client.get(path, headers=app.headers(*(every - {scope}))).status_code == 403
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
    first = app.client.get("/api/radar/tracks", headers=headers)
    assert first.json()["age_s"] == pytest.approx(100.0, abs=5.0)
    assert first.json()["age_s"] == pytest.approx(time.time() - first.json()["stamp_s"], abs=0.1)
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
    frame = app.bridge.latest.tracks
    assert frame.rows is frame.rows
    headers = app.headers("radar:read")
    bodies = [app.client.get("/api/radar/tracks", headers=headers).content for _ in range(2)]
    assert all(frame.rows in body for body in bodies)


def login(app, username="admin", password=PASSWORD):
    return app.client.post("/api/auth/login", json={"username": username, "password": password})


def test_login_gives_a_token_that_works(app):
    answer = login(app, "EVE").json()
    assert (answer["token_type"], answer["expires_in"], answer["role"]) == ("bearer", 900, "viewer")
    me = app.client.get("/api/auth/me", headers={"Authorization": f"Bearer {answer['access_token']}"}).json()
    assert me["username"] == "eve"
    assert me["scopes"] == answer["scopes"] == ["radar:read", "threats:read"]
    assert 890 <= me["expires_in"] <= 900


def test_a_wrong_password_and_an_unknown_user_get_the_same_answer(app):
    wrong, unknown = login(app, "admin", "wrong"), login(app, "nobody", "wrong")
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
    size = app.bridge.settings.max_body_bytes

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
    assert answer.json() == {"detail": "internal error"}
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
    for path in re.findall(r'from "([^"]+)"', app.client.get("/app.js").text):
        assert app.client.get(path).headers["content-type"].startswith("text/javascript")
