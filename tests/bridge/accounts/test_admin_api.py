# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Administration over HTTP: accounts, invites, service tokens, and the audit of all that."""

import pytest
from accounts_data import PASSWORD
from sqlalchemy import event


@pytest.fixture
def admin(app):
    """Return a function that asks as the administrator."""
    answer = app.client.post("/api/auth/login", json={"username": "admin", "password": PASSWORD}).json()
    headers = {"Authorization": f"Bearer {answer['access_token']}"}

    def ask(method: str, path: str, body: object = None):
        return app.client.request(method, f"/api/{path}", json=body, headers=headers)

    return ask


def log_in(app, name: str, password: str = PASSWORD):
    return app.client.post("/api/auth/login", json={"username": name, "password": password})


def works(app, token: str, path: str = "/api/auth/me") -> int:
    return app.client.get(path, headers={"Authorization": f"Bearer {token}"}).status_code


def test_accounts_are_listed_without_their_hashes(app, admin):
    answer = admin("GET", "users")
    rows = {row["username"]: row for row in answer.json()["users"]}
    assert {name: (row["role"], row["disabled"], row["sessions"]) for name, row in rows.items()} == {
        "admin": ("admin", False, 1),
        "eve": ("viewer", False, 0),
    }
    assert rows["eve"]["last_login_s"] is None
    assert rows["admin"]["last_login_s"] >= rows["admin"]["created_s"]
    assert "argon2" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "users/eve", {"role": "operator"}),
        ("PATCH", "users/EVE", {"disabled": True}),
        ("DELETE", "users/eve", None),
        ("POST", "users/eve/reset-password", None),
    ],
)
def test_a_change_ends_the_sessions_at_once(app, admin, method, path, body):
    eve = log_in(app, "eve").json()
    assert works(app, eve["access_token"]) == 200
    assert admin(method, path, body).status_code in (200, 204)
    assert works(app, eve["access_token"]) == 401
    assert app.client.post("/api/auth/refresh", json={"refresh_token": eve["refresh_token"]}).status_code == 401
    entry = admin("GET", "audit?who=admin&limit=1").json()["entries"][0]
    assert (entry["action"].split(".")[0], entry["target"], entry["address"]) == ("users", "eve", "testclient")


def test_a_role_a_disabled_account_and_a_new_password_count_at_the_next_login(app, admin):
    admin("PATCH", "users/eve", {"role": "operator"})
    assert log_in(app, "eve").json()["role"] == "operator"
    admin("PATCH", "users/eve", {"disabled": True})
    assert log_in(app, "eve").status_code == 401
    admin("PATCH", "users/eve", {"disabled": False})
    password = admin("POST", "users/eve/reset-password").json()["password"]
    assert log_in(app, "eve").status_code == 401
    assert log_in(app, "eve", password).status_code == 200


def test_the_last_administrator_stays(admin):
    for method, body in (("PATCH", {"role": "viewer"}), ("PATCH", {"disabled": True}), ("DELETE", None)):
        answer = admin(method, "users/admin", body)
        assert (answer.status_code, "last enabled administrator" in answer.json()["detail"]) == (409, True)
    assert admin("GET", "users").status_code == 200


IMPOSSIBLE = (
    ("PATCH", "users/nobody", {"disabled": True}, 404),
    ("DELETE", "users/nobody", None, 404),
    ("POST", "users/nobody/reset-password", None, 404),
    ("PATCH", "users/eve", {}, 400),
    ("PATCH", "users/eve", {"role": "god"}, 400),
    ("PATCH", "users/eve", {"name": "adam"}, 400),
    ("DELETE", "users/a%20b", None, 400),
    ("DELETE", "users/..%2F..", None, 404),
    ("POST", "invites", {"role": "god"}, 400),
    ("POST", "invites", {"valid_hours": 0}, 400),
    ("DELETE", "invites/99", None, 404),
    ("DELETE", "invites/99999999999999999999", None, 400),
    ("POST", "service-tokens", {"name": "x", "scopes": ["admin"]}, 400),
    ("POST", "service-tokens", {"name": "x", "scopes": []}, 400),
    ("POST", "service-tokens", {"name": "a b", "scopes": ["metrics:read"]}, 400),
    ("DELETE", "service-tokens/99", None, 404),
    ("GET", "audit?limit=0", None, 400),
    ("GET", "audit?cursor=x", None, 400),
    ("GET", "audit?since_s=nan", None, 400),
)


def test_what_cannot_be_done_is_said(admin):
    for method, path, body, status in IMPOSSIBLE:
        answer = admin(method, path, body)
        assert answer.status_code == status, (method, path, body)
        assert answer.json()["detail"]


def test_invites_are_listed_and_withdrawn(admin):
    made = admin("POST", "invites", {"role": "operator", "valid_hours": 2})
    assert made.status_code == 201
    row = made.json()
    code = row.pop("invite")
    assert admin("GET", "invites").json() == {"invites": [row]}
    assert row["expires_s"] - row["created_s"] == pytest.approx(7200)
    assert (row["created_by"], row["role"]) == ("admin", "operator")
    assert admin("DELETE", f"invites/{row['id']}").status_code == 204
    assert admin("GET", "invites").json() == {"invites": []}
    who = {"username": "ada", "password": "three herons over a grey lake", "invite": code}
    assert admin("POST", "auth/register", who).status_code == 403


@pytest.mark.parametrize(
    "path", ["ew/advice/1/acknowledge", "ew/advice/1/reject", "threats/41/acknowledge", "alarms/7/acknowledge"]
)
def test_no_service_decides_in_a_persons_place(app, admin, path):
    scopes = ["radar:read", "threats:read", "controller:write", "ew:acknowledge"]
    token = admin("POST", "service-tokens", {"name": "robot", "scopes": scopes, "valid_days": 1}).json()["token"]
    answer = app.client.post(f"/api/{path}", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403, answer.text
    assert "no person" in answer.json()["detail"]
    person = app.client.post(f"/api/{path}", headers=app.headers(*scopes))
    assert person.status_code == 503  # nothing was heard yet: the scope is enough for a person


def test_a_service_token_is_good_for_its_scopes_until_it_is_revoked(app, admin):
    made = admin("POST", "service-tokens", {"name": "Prometheus", "scopes": ["radar:read"], "valid_days": 1})
    assert made.status_code == 201
    row = made.json()
    token = row.pop("token")
    assert token.startswith("aegis_")
    assert token not in (listed := admin("GET", "service-tokens")).text
    assert listed.json() == {"service_tokens": [row]}
    assert admin("POST", "service-tokens", {"name": "prometheus", "scopes": ["radar:read"]}).status_code == 409

    assert works(app, token, "/api/radar/tracks") == 503
    assert works(app, token, "/api/threats/active") == 403
    assert works(app, token, "/api/users") == 403
    headers = {"Authorization": f"Bearer {token}"}
    me = app.client.get("/api/auth/me", headers=headers).json()
    assert (me["username"], me["role"], me["scopes"]) == ("service:prometheus", "service", ["radar:read"])
    for method, path in (("POST", "logout"), ("GET", "sessions"), ("POST", "password")):
        answer = app.client.request(method, f"/api/auth/{path}", headers=headers)
        assert (answer.status_code, "log in" in answer.json()["detail"]) == (403, True)
    ticket = app.client.post("/api/auth/ws-ticket", headers=headers).json()["ticket"]

    assert admin("DELETE", f"service-tokens/{row['id']}").status_code == 204
    assert works(app, token) == 401
    assert app.client.portal.call(app.bridge.tickets.redeem, ticket) is None


def test_the_audit_is_read_page_by_page(app, admin):
    for n in range(7):
        admin("POST", "invites", {"valid_hours": n + 1})
    hours, cursor = [], None
    while True:
        query = f"audit?action=invites.make&limit=3{f'&cursor={cursor}' if cursor else ''}"
        page = admin("GET", query).json()
        hours += [entry["detail"]["valid_hours"] for entry in page["entries"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert hours == [7, 6, 5, 4, 3, 2, 1]
    newest = admin("GET", "audit?limit=1").json()["entries"][0]["time_s"]
    assert len(admin("GET", f"audit?since_s={newest}").json()["entries"]) == 1
    assert all(entry["time_s"] < newest for entry in admin("GET", f"audit?until_s={newest}").json()["entries"])
    assert {entry["who"] for entry in admin("GET", "audit?who=console").json()["entries"]} == {"console"}
    app.client.get("/api/audit", headers=app.headers("radar:read"))
    assert admin("GET", "audit?limit=1").json()["entries"][0]["outcome"] == "denied"


def test_without_a_disk_to_write_to_nothing_is_done_and_nothing_told(app, admin):
    engine = app.bridge.accounts._engine
    engine.dispose()

    @event.listens_for(engine, "connect")
    def read_only(connection, _record):
        connection.execute("PRAGMA query_only = ON")

    answer = admin("DELETE", "users/eve")
    assert (answer.status_code, answer.json()) == (503, {"detail": "accounts cannot be read or written just now"})
    assert answer.headers["retry-after"]
    assert log_in(app, "eve").status_code == 503
    assert len(admin("GET", "users").json()["users"]) == 2
    assert (
        app.client.get("/api/users", headers={"Authorization": "Bearer a.b.c"}).status_code == 401
    )  # denied all the same
    assert app.bridge.audit.counts()["audit_lost"] >= 1
