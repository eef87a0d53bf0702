# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Accounts over HTTP: login, refresh, logout, registration, one's own sessions and password, tickets."""

import pytest
from accounts_data import PASSWORD
from fastapi.testclient import TestClient
from forged_tokens import NO_TOKENS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aegis.bridge.accounts import audit_table
from aegis.bridge.accounts.audit_table import Query
from aegis.bridge.accounts.settings import LimitSettings
from aegis.bridge.accounts.throttle import Throttle

NEW = "three herons over a grey lake"


class Client:
    """Somebody who is logged in."""

    def __init__(self, app, name: str, password: str = PASSWORD) -> None:
        self.app = app
        self.login = app.client.post("/api/auth/login", json={"username": name, "password": password})
        assert self.login.status_code == 200, self.login.text
        self.tokens = self.login.json()

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens['access_token']}"}

    def ask(self, method: str, path: str, body: object = None):
        return self.app.client.request(method, f"/api/{path}", json=body, headers=self.headers)

    def works(self) -> bool:
        status = self.ask("GET", "auth/me").status_code
        assert status in (200, 401)
        return status == 200

    def refresh(self):
        return self.app.client.post("/api/auth/refresh", json={"refresh_token": self.tokens["refresh_token"]})


@pytest.fixture
def patient(app):
    """The application with limits that no test here meets."""
    generous = LimitSettings(**dict.fromkeys(LimitSettings.model_fields, 1000))
    app.bridge.throttle = Throttle(generous)
    return app


def audit(app, **query) -> list[tuple[str, str, str, str]]:
    """Return (action, who, target, outcome) of the entries, the newest first."""
    rows = app.bridge.accounts.read_now(audit_table.page, Query(**{"limit": 100, **query}))
    return [(row.action, row.who, row.target, row.outcome) for row in rows]


def test_a_login_gives_what_is_needed_to_stay_in(app):
    eve = Client(app, "eve")
    answer = eve.tokens
    assert (answer["role"], answer["expires_in"], answer["refresh_expires_in"]) == ("viewer", 900, 86400)
    assert len({answer["access_token"], answer["refresh_token"], answer["device_token"]}) == 3
    me = eve.ask("GET", "auth/me").json()
    assert (me["username"], me["role"]) == ("eve", "viewer")
    assert audit(app)[0] == ("auth.login", "eve", "", "ok")


def test_a_refresh_token_is_good_once_and_its_reuse_ends_the_session(app):
    eve, other = Client(app, "eve"), Client(app, "eve")
    first = eve.tokens
    answer = eve.refresh()
    assert answer.status_code == 200
    assert answer.json().keys() == first.keys() - {"device_token"}
    eve.tokens = answer.json()
    assert eve.works()
    eve.tokens = first
    assert eve.refresh().status_code == 401
    assert audit(app)[0][:2] == ("auth.refresh", "eve")
    assert not eve.works()  # the access tokens of before
    eve.tokens = answer.json()
    assert not eve.works()  # and of after
    assert eve.refresh().status_code == 401
    assert other.works()


def test_logging_out_ends_this_session_at_once(app):
    eve, other = Client(app, "eve"), Client(app, "eve")
    assert eve.ask("POST", "auth/logout").status_code == 204
    assert not eve.works()
    assert eve.refresh().status_code == 401
    assert other.works()
    assert ("auth.logout", "eve") in [entry[:2] for entry in audit(app)]


def test_a_session_that_is_over_in_the_database_can_still_log_out(app):
    headers = app.headers("radar:read")  # a token that is good, of a session that was swept out
    assert app.client.post("/api/auth/logout", headers=headers).status_code == 204
    assert app.client.get("/api/auth/me", headers=headers).status_code == 401


def test_changing_the_password_ends_the_other_sessions(patient):
    eve, other = Client(patient, "eve"), Client(patient, "eve")
    assert eve.ask("POST", "auth/password", {"old": "wrong", "new": NEW}).status_code == 403
    weak = eve.ask("POST", "auth/password", {"old": PASSWORD, "new": "eve's own password"})
    assert (weak.status_code, weak.json()["detail"]) == (400, "the password contains the username")
    assert other.works()
    assert eve.ask("POST", "auth/password", {"old": PASSWORD, "new": NEW}).status_code == 204
    assert eve.works()
    assert eve.refresh().status_code == 200
    assert not other.works()
    Client(patient, "eve", NEW)
    who = {"username": "eve", "password": PASSWORD}
    assert patient.client.post("/api/auth/login", json=who).status_code == 401


def test_old_passwords_cannot_be_guessed_with_a_stolen_token(app):
    eve = Client(app, "eve")
    statuses = [eve.ask("POST", "auth/password", {"old": "wrong", "new": NEW}).status_code for _ in range(6)]
    assert statuses == [403] * 5 + [429]


def test_one_sees_and_ends_ones_own_sessions(app):
    eve, other, admin = Client(app, "eve"), Client(app, "eve"), Client(app, "admin")
    rows = eve.ask("GET", "auth/sessions").json()["sessions"]
    assert sorted(row["current"] for row in rows) == [False, True]
    assert {row["address"] for row in rows} == {"testclient"}
    (current,) = (row for row in other.ask("GET", "auth/sessions").json()["sessions"] if row["current"])
    assert admin.ask("DELETE", f"auth/sessions/{current['id']}").status_code == 404
    assert eve.ask("DELETE", f"auth/sessions/{current['id']}").status_code == 204
    assert eve.ask("DELETE", f"auth/sessions/{current['id']}").status_code == 404
    assert eve.ask("DELETE", "auth/sessions/all").status_code == 400
    assert not other.works()
    assert eve.works()
    assert admin.works()


def register(app, headers=None, **who):
    return app.client.post("/api/auth/register", json=who, headers=headers)


def test_an_invite_lets_somebody_register_once(patient):
    admin = Client(patient, "admin")
    made = admin.ask("POST", "invites", {"role": "operator"}).json()
    code = made["invite"]
    assert code not in admin.ask("GET", "invites").text
    weak = register(patient, username="ada", password="password1234", invite=code)
    assert weak.status_code == 400
    assert "common password" in weak.json()["detail"]
    assert "password1234" not in weak.text
    assert register(patient, username="EVE", password=NEW, invite=code).status_code == 409
    assert register(patient, username="ada", password=NEW, invite=code, role="admin").status_code == 403
    answer = register(patient, username="Ada", password=NEW, invite=code)
    assert (answer.status_code, answer.json()) == (200, {"username": "ada", "role": "operator"})
    assert register(patient, username="bob", password=NEW, invite=code).status_code == 403
    assert Client(patient, "ada", NEW).tokens["role"] == "operator"
    assert ("auth.register", "ada", "ada", "ok") in audit(patient)


def test_an_administrator_registers_others(patient):
    admin = Client(patient, "admin")
    assert register(patient, admin.headers, username="ada", password=NEW).json()["role"] == "viewer"
    assert register(patient, admin.headers, username="bob", password=NEW, role="admin").json()["role"] == "admin"
    assert register(patient, admin.headers, username="bob", password=NEW).status_code == 409
    assert ("auth.register", "admin", "bob", "ok") in audit(patient)


def test_nobody_else_registers(patient):
    eve = Client(patient, "eve")
    for headers in (None, eve.headers, {"Authorization": "Bearer a.b.c"}, {"Authorization": "Basic YTpi"}):
        assert register(patient, headers, username="ada", password=NEW).status_code == 403
    assert register(patient, username="ada", password=NEW, invite="A" * 43).status_code == 403
    assert audit(patient)[:2] == [("access", "", "POST /api/auth/register", "denied")] * 2


def test_a_weak_password_is_not_looked_at_before_the_permission(patient):
    assert register(patient, username="ada", password="password1234", invite="A" * 43).status_code == 403


def test_registrations_and_refreshes_are_limited(app):
    app.bridge.throttle = Throttle(LimitSettings(register_per_address_per_minute=2, refresh_per_address_per_minute=2))
    for path, body in (
        ("register", {"username": "ada", "password": NEW}),
        ("refresh", {"refresh_token": "x"}),
    ):
        answers = [app.client.post(f"/api/auth/{path}", json=body) for _ in range(3)]
        assert [answer.status_code for answer in answers][2] == 429
        assert 1 <= int(answers[2].headers["retry-after"]) <= 60


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    username=st.text(max_size=70) | st.from_regex(r"[A-Za-z0-9._-]{1,10}", fullmatch=True),
    password=st.text(max_size=20),
    invite=st.none() | st.text(max_size=60),
)
def test_no_text_breaks_registration_or_login(patient, username, password, invite):
    patient.bridge.throttle = Throttle(LimitSettings(register_per_address_per_minute=1000))
    who = {"username": username, "password": password}
    answer = register(patient, **who, invite=invite)
    assert answer.status_code in (400, 403)
    answer = patient.client.post("/api/auth/login", json={**who, "device_token": invite or ""})
    assert answer.status_code in (400, 401)


@pytest.mark.parametrize(
    "body", [b'{"username": "\\ud800", "password": "x"}', b'{"username": "a", "password": "\\udfff"}']
)
def test_half_a_character_is_400(app, body):
    answer = app.client.post("/api/auth/login", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


def test_a_disabled_account_gets_the_answer_of_a_wrong_password(app):
    same = {"X-Request-ID": "the-same-one"}
    wrong = app.client.post("/api/auth/login", json={"username": "eve", "password": "wrong"}, headers=same)
    Client(app, "admin").ask("PATCH", "users/eve", {"disabled": True})
    disabled = app.client.post("/api/auth/login", json={"username": "eve", "password": PASSWORD}, headers=same)
    assert (disabled.status_code, disabled.content) == (wrong.status_code, wrong.content)
    assert dict(disabled.headers) == dict(wrong.headers)


def test_failed_logins_are_audited_and_what_was_typed_is_not_written_down(app):
    for name in ("eve", "my secret password"):
        app.client.post("/api/auth/login", json={"username": name, "password": "wrong one"})
    assert audit(app)[:2] == [("auth.login", "", "", "failed"), ("auth.login", "", "eve", "failed")]
    rows = app.bridge.accounts.read_now(audit_table.page, Query(100))
    assert not any("secret" in str(vars(row)) or "wrong one" in str(vars(row)) for row in rows)
    for _ in range(6):
        app.client.post("/api/auth/login", json={"username": "eve", "password": "wrong one"})
    assert audit(app)[0] == ("auth.login", "", "", "limited")


def test_a_device_token_gets_its_owner_in_past_a_flood_from_the_same_address(app):
    eve = Client(app, "eve")
    who = {"username": "eve", "password": PASSWORD}
    for _ in range(20):
        app.client.post("/api/auth/login", json={**who, "password": "wrong"})
    assert app.client.post("/api/auth/login", json=who).status_code == 429
    assert app.client.post("/api/auth/login", json={**who, "device_token": "x.1.y"}).status_code == 429
    device_token = eve.tokens["device_token"]
    assert app.client.post("/api/auth/login", json={**who, "device_token": device_token}).status_code == 200
    guesses = [
        app.client.post("/api/auth/login", json={**who, "password": "wrong", "device_token": device_token}).status_code
        for _ in range(6)
    ]
    assert guesses == [401] * 5 + [429]  # a stolen one opens no more guesses than an address


def test_a_ticket_speaks_for_who_got_it(app):
    eve = Client(app, "eve")
    ticket = eve.ask("POST", "auth/ws-ticket").json()
    assert ticket["expires_in"] == 30
    principal = app.client.portal.call(app.bridge.tickets.redeem, ticket["ticket"])
    assert (principal.name, principal.scopes) == ("eve", {"radar:read", "threats:read"})
    assert app.client.portal.call(app.bridge.tickets.redeem, ticket["ticket"]) is None


def test_denials_are_audited_with_who_and_why(app):
    numbered = {**app.headers("radar:read"), "X-Request-ID": "number-4711"}
    assert app.client.get("/api/users", headers=numbered).status_code == 403
    assert audit(app)[0] == ("access", "somebody", "GET /api/users", "denied")
    (row,) = app.bridge.accounts.read_now(audit_table.page, Query(0))
    assert (row.address, row.request_id) == ("testclient", "number-4711")
    for token in NO_TOKENS[2:]:
        answer = app.client.get("/api/users", headers={"Authorization": f"Bearer {token}".encode("latin-1", "replace")})
        assert answer.status_code == 401
        assert answer.json() == {"detail": "a valid access token is needed"}
    rows = app.bridge.accounts.read_now(audit_table.page, Query(100))
    assert rows[0].detail["reason"]
    before = len(rows)
    assert app.client.get("/api/users").status_code == 401
    assert app.bridge.audit.counts()["anonymous_denials"] == 1
    assert len(audit(app)) == before  # anybody may be told to log in without a word in the audit


def test_a_flood_of_bad_tokens_does_not_fill_the_audit(app):
    for _ in range(200):
        app.client.get("/api/users", headers={"Authorization": "Bearer a.b.c"})
    assert len(audit(app, action="access")) <= 30
    assert app.bridge.audit.counts()["audit_suppressed"] >= 170


def guess(app, address: str, password: str = "wrong") -> int:
    """Try to log in as eve from an address."""
    client = TestClient(app.client.app, base_url="http://127.0.0.1:8000", client=(address, 5000))
    return client.post("/api/auth/login", json={"username": "eve", "password": password}).status_code


def test_guessing_from_many_addresses_is_bounded_and_the_owners_own_address_is_free(app):
    app.bridge.throttle = Throttle(
        LimitSettings(login_per_account_per_minute=2, login_per_account_anywhere_per_minute=6)
    )
    assert guess(app, "192.0.2.7", PASSWORD) == 200  # eve's home
    assert [guess(app, "198.51.100.1") for _ in range(20)] == [401] * 2 + [429] * 18
    statuses = [guess(app, f"203.0.113.{n}") for n in range(10)]
    assert statuses == [401] * 3 + [429] * 7  # 6 less eve's own and two: what was refused before does not count
    assert guess(app, "203.0.113.200", PASSWORD) == 429
    assert guess(app, "192.0.2.7", PASSWORD) == 200
    home = TestClient(app.client.app, base_url="http://127.0.0.1:8000", client=("192.0.2.7", 5000))
    assert home.post("/api/auth/login", json={"username": "admin", "password": PASSWORD}).status_code == 200
