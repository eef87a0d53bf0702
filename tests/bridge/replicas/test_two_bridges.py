# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Two bridges in this process, without a graph, on a real PostgreSQL and a real Redis: what one knows, the other knows."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from anyio.from_thread import start_blocking_portal
from bridge_data import some_threats
from fastapi.testclient import TestClient

from aegis.bridge.accounts.store import Accounts
from aegis.bridge.accounts.tokens import Principal
from aegis.bridge.app import create_app
from aegis.bridge.bridge import Bridge
from aegis.bridge.live.columns import threat_rows
from aegis.bridge.live.frames import Frame
from aegis.bridge.settings import BridgeSettings
from aegis.bridge.stream.client import EventStreamClient
from aegis.bridge.stream.subscription import Subscription
from aegis.core.params import ConfigError
from aegis.graph.nodes import nodes_beside_bridge
from aegis.ros.stages.base import StageContext

SECRET = bytes(range(32, 96))
PASSWORD = "a good long password"
DEAD_WITHIN_S = 5.0  # a token that was revoked


@dataclass
class App:
    bridge: Bridge
    client: TestClient
    token: str = ""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def log_in(self, name: str = "eve", password: str = PASSWORD):
        return self.client.post("/api/auth/login", json={"username": name, "password": password})

    def watch(self, principal: Principal) -> None:
        """Let somebody have a stream."""
        client = EventStreamClient(principal, Subscription(channels=frozenset({"heartbeat"})), 4)
        self.client.portal.call(self.bridge.hub.add, client)

    def me(self, token: str = "") -> int:
        headers = {"Authorization": f"Bearer {token}"} if token else self.headers
        return self.client.get("/api/auth/me", headers=headers).status_code


@pytest.fixture
def database(postgres) -> str:
    """A database with the accounts admin (admin), eve (viewer) and op (operator)."""
    url = postgres.create_database()
    accounts = Accounts(Path("/nonexistent"), server=url)
    for name, role in (("admin", "admin"), ("eve", "viewer"), ("op", "operator")):
        accounts.add(name, PASSWORD, role)
    accounts.close()
    return url


@pytest.fixture
def opened(tmp_path: Path, database: str, redis_server, monkeypatch) -> Iterator[Callable[..., App]]:
    """Return a function that opens a bridge of a name."""
    monkeypatch.setenv("AEGIS_STATE_DIR", str(tmp_path))  # has the key of decisions
    with ExitStack() as stack:

        def open_one(name: str, *, secret: bytes = SECRET, **parameters: object) -> App:
            state_dir = tmp_path / name
            state_dir.mkdir(exist_ok=True)
            given = {
                "replicas.redis_url": redis_server.url,
                "replicas.name": name,
                "history.database_url": database,
                **parameters,
            }
            settings = BridgeSettings.load(given)
            context = StageContext(state_dir=state_dir, live=True, label=f"bridge_{name}")
            portal = stack.enter_context(start_blocking_portal())
            bridge = stack.enter_context(
                portal.wrap_async_context_manager(
                    Bridge.open(settings, nodes_beside_bridge(), context, secret, join=False)
                )
            )
            client = TestClient(create_app(bridge), raise_server_exceptions=False, base_url="http://127.0.0.1:8000")
            client.portal = portal
            return App(bridge, client)

        yield open_one


@pytest.fixture
def pair(opened, wait_for) -> tuple[App, App]:
    """Bridges a and b, which have met."""
    one, other = opened("a"), opened("b")
    wait_for(lambda: "b" in one.bridge.replicas.others and "a" in other.bridge.replicas.others, "they meet")
    wait_for(lambda: all(app.bridge.history.state.up for app in (one, other)), "history is reached")
    return one, other


def test_who_signs_in_on_one_is_in_on_the_other_until_it_is_revoked(pair, wait_for):
    one, other = pair
    answer = one.log_in().json()
    token = answer["access_token"]
    assert one.me(token) == other.me(token) == 200
    # The next token comes from the other, and the first refresh token is used up at both.
    renewed = other.client.post("/api/auth/refresh", json={"refresh_token": answer["refresh_token"]})
    assert renewed.status_code == 200
    ticket = one.client.post("/api/auth/ws-ticket", headers={"Authorization": f"Bearer {token}"}).json()["ticket"]
    who = other.client.portal.call(other.bridge.tickets.redeem, ticket)
    assert (who.name, who.role) == ("eve", "viewer")
    other.watch(who)
    assert one.client.post("/api/auth/logout", headers={"Authorization": f"Bearer {token}"}).status_code == 204
    ended = time.monotonic()
    wait_for(lambda: other.me(token) == 401, "the other refuses the token")
    assert one.me(token) == 401
    assert time.monotonic() - ended < DEAD_WITHIN_S
    wait_for(lambda: len(other.bridge.hub) == 0, "the other cuts its stream", 5.0)


def test_a_ticket_is_good_once_at_all_of_them(pair):
    one, other = pair
    token = one.log_in().json()["access_token"]
    ticket = one.client.post("/api/auth/ws-ticket", headers={"Authorization": f"Bearer {token}"}).json()["ticket"]
    offices = [(app.client.portal, app.bridge.tickets.redeem) for app in pair] * 4
    with ThreadPoolExecutor(len(offices)) as pool:  # at a time
        taken = list(pool.map(lambda office: office[0].call(office[1], ticket), offices))
    assert [who.name for who in taken if who] == ["eve"]
    # What another key has signed is none.
    assert other.client.portal.call(other.bridge.tickets.redeem, token) is None
    assert other.me(ticket) == 401


def test_attempts_are_counted_together(opened, wait_for):
    limits = {"accounts.limits.login_per_account_per_minute": 4}
    one, other = opened("a", **limits), opened("b", **limits)
    codes = [app.log_in(password="a wrong long password").status_code for app in (one, other, one, other, one, other)]
    assert codes == [401] * 4 + [429] * 2


def test_a_revoked_token_is_dead_at_both_without_redis(pair, redis_server, wait_for):
    one, other = pair
    token = one.log_in().json()["access_token"]
    assert other.me(token) == 200
    redis_server.kill()
    wait_for(lambda: not one.bridge.replicas.line.state.up, "its end is noticed")
    warned = one.client.get("/ready").json()["warnings"]
    assert any("Redis" in line for line in warned)
    assert one.client.post("/api/auth/logout", headers={"Authorization": f"Bearer {token}"}).status_code == 204
    ended = time.monotonic()
    wait_for(lambda: other.me(token) == 401, "the other refuses the token")
    assert time.monotonic() - ended < DEAD_WITHIN_S
    # Logins go on; a ticket could be used at each, and is not given.
    again = other.log_in()
    assert again.status_code == 200
    headers = {"Authorization": f"Bearer {again.json()['access_token']}"}
    assert one.client.post("/api/auth/ws-ticket", headers=headers).status_code == 503
    redis_server.start()
    wait_for(lambda: one.client.post("/api/auth/ws-ticket", headers=headers).status_code == 200, "it is back")
    assert not any("Redis" in line for line in one.client.get("/ready").json()["warnings"])


def test_a_redis_that_hangs_holds_nobody_up(pair, redis_server, wait_for):
    one, _ = pair
    redis_server.hang()
    try:
        wait_for(lambda: not one.bridge.replicas.line.state.up, "that it hangs is noticed", 10.0)
        begin = time.monotonic()
        token = one.log_in().json()["access_token"]
        assert time.monotonic() - begin < 5.0  # of which the password's check is most
        assert one.me(token) == 200
        assert any("not answered" in line for line in one.client.get("/ready").json()["warnings"])
    finally:
        redis_server.go_on()
    wait_for(lambda: one.bridge.replicas.line.state.up, "it is back")


def test_with_neither_no_token_is_taken_and_streams_end(opened, redis_server, postgres, wait_for):
    one = opened("a", **{"replicas.unread_s": 2.5})
    answer = one.log_in().json()
    token = answer["access_token"]
    one.watch(one.bridge.tokens.verify(token))
    fresh = one.bridge.replicas.freshness
    # Redis vouches for what was read after it was first heard; before that, no token is taken without the database.
    wait_for(
        lambda: fresh._unbroken_s is not None and fresh._read_s >= fresh._unbroken_s, "the database is read since", 10.0
    )
    postgres.stop("immediate")
    try:
        # Through Redis alone it is still known what was revoked: for longer than the limit, all goes on.
        wait_for(lambda: one.bridge.accounts.trouble != "", "the database's end is noticed", 15.0)
        read_s = fresh._read_s
        wait_for(lambda: time.monotonic() - read_s > 4.0, "the limit is over")
        assert one.me(token) == 200
        assert len(one.bridge.hub) == 1
        assert any("nobody can log in" in line for line in one.client.get("/ready").json()["warnings"])
        assert one.log_in().status_code == 503
        redis_server.kill()
        wait_for(lambda: one.me(token) == 503, "no token is taken", 10.0)
        wait_for(lambda: len(one.bridge.hub) == 0, "the stream is cut", 5.0)
        ready = one.client.get("/ready")
        assert ready.status_code == 503
        assert any("revoked" in line for line in ready.json()["reasons"])
    finally:
        postgres.start()
    wait_for(lambda: one.me(token) == 200, "the database is back: no session is lost", 20.0)


def test_an_acknowledgement_is_seen_and_kept_by_the_other(pair, database, wait_for):
    one, other = pair
    for app in pair:
        threats = some_threats(1, time.time_ns())
        frame = Frame(
            threats, 0.0, time.monotonic(), lambda t, app=app: threat_rows(t, app.bridge.history.acknowledgements)
        )
        app.client.portal.call(app.bridge.state.take_threats, frame)
    track = int(some_threats(1, 1).track_id[0])
    token = one.log_in("op").json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert one.client.post(f"/api/threats/{track}/acknowledge", headers=headers).status_code == 200

    def acknowledged_by() -> object:
        rows = other.client.get("/api/threats/active", headers=headers).json()["threats"]
        return next(row["acknowledged_by"] for row in rows if row["track_id"] == track)

    wait_for(lambda: acknowledged_by() == "op", "the other shows it", 5.0)
    kept = other.bridge.history._record.path  # on the other's disk too: no kill of the first loses it
    import sqlite3

    def rows() -> list[tuple[str, int]]:
        with sqlite3.connect(kept) as connection:
            return connection.execute("SELECT who, target_id FROM decisions").fetchall()

    wait_for(lambda: rows() == [("op", track)], "the other keeps it", 10.0)

    def in_postgres() -> int:
        with psycopg.connect(database) as connection:
            return connection.execute("SELECT count(*) FROM decisions").fetchone()[0]

    wait_for(lambda: in_postgres() == 1, "PostgreSQL has it once")
    admin = other.log_in("admin").json()["access_token"]
    page = other.client.get("/api/audit?action=threat.acknowledge", headers={"Authorization": f"Bearer {admin}"}).json()
    assert [(row["who"], row["target"]) for row in page["entries"]] == [("op", str(track))]


def test_a_bridge_that_begins_later_knows_what_was_acknowledged(opened, wait_for):
    one = opened("a")
    wait_for(lambda: one.bridge.history.state.up, "history is reached")

    async def decide() -> None:
        await one.bridge.history.put_decision(
            kind="threat", target_id=7, who="op", accept=True, detail={"level": "HIGH"}
        )

    one.client.portal.call(decide)
    wait_for(lambda: one.bridge.history.pending == 0, "PostgreSQL has it")
    late = opened("late")
    wait_for(lambda: 7 in late.bridge.history.acknowledgements, "the late one knows", 15.0)
    assert late.bridge.history.acknowledgements[7].who == "op"


def test_a_zone_that_is_drawn_at_one_is_at_the_other(pair, wait_for):
    one, other = pair
    headers = {"Authorization": f"Bearer {one.log_in('op').json()['access_token']}"}
    published: list[int] = []
    other.bridge.zones.on_change = lambda: published.append(len(other.bridge.zones.drawn))
    body = {"outline_m": [[0, 0], [100, 0], [100, 100]], "rule": {"when": "enter"}}
    made = one.client.put("/api/zones/pier", headers=headers, json=body)
    assert made.status_code in (200, 201), made.text
    wait_for(lambda: [z.name for z in other.bridge.zones.drawn] == ["pier"], "the other has it", 5.0)
    assert published == [1]  # and has told the graph


def test_bridges_with_another_key_do_not_begin(opened):
    opened("a")
    with pytest.raises(ConfigError, match="JWT_SECRET"):
        opened("b", secret=bytes(range(64, 128)))


def test_what_no_bridge_has_signed_is_not_taken(pair, redis_server, wait_for):
    import redis

    one, _ = pair
    token = one.log_in().json()["access_token"]
    line = one.bridge.replicas.line
    with redis.Redis.from_url(redis_server.url) as forger:
        forger.xadd(f"{line.prefix}news", {"told": json.dumps({"by": "x", "kind": "accounts"})})
    wait_for(lambda: line.foreign == 1, "it is counted")
    assert one.me(token) == 200


def test_the_audit_in_postgresql_is_append_only(pair, database):
    one, _ = pair
    one.log_in()
    for statement in (
        "UPDATE bridge_accounts.audit SET who = 'nobody'",
        "DELETE FROM bridge_accounts.audit",
        "TRUNCATE bridge_accounts.audit",
    ):
        with psycopg.connect(database) as connection, pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            connection.execute(statement)


def test_of_the_last_two_administrators_one_stays(pair):
    """Each of two bridges removes one at the same time."""
    one, other = pair
    assert one.bridge.accounts.add("second", PASSWORD, "admin").role == "admin"
    headers = {"Authorization": f"Bearer {one.log_in('admin').json()['access_token']}"}
    with ThreadPoolExecutor(2) as pool:
        codes = list(
            pool.map(
                lambda what: what[0].client.delete(f"/api/users/{what[1]}", headers=headers).status_code,
                [(one, "admin"), (other, "second")],
            )
        )
    with psycopg.connect(one.bridge.settings.history.database_url.get_secret_value()) as connection:
        left = connection.execute("SELECT count(*) FROM bridge_accounts.users WHERE role = 'admin'").fetchone()[0]
    assert left == 1, codes
