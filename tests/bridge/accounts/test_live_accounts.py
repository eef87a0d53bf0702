# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Accounts of a real bridge process: forged tokens, password guessing, and `aegis users` while it runs."""

import contextlib
import json
import re
import time
from collections import Counter
from collections.abc import Callable

import httpx
import jwt
import pytest
from click.testing import CliRunner, Result
from forged_tokens import FORGERIES, NO_TOKENS, forge, unsigned, with_more_scopes
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from aegis.bridge.accounts.secret import SECRET_FILE
from aegis.cli.main import cli

OTHER_ADDRESS = "127.0.0.9"


@pytest.fixture
def users(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return a function that runs `aegis users` beside a bridge."""

    def run(bridge, *words: str) -> Result:
        monkeypatch.setenv("AEGIS_STATE_DIR", str(bridge.state_dir))
        return CliRunner().invoke(cli, ["users", *words])

    return run


def me(client: httpx.Client, token: str) -> httpx.Response:
    return client.get("/api/auth/me", headers={"Authorization": f"Bearer {token}".encode("latin-1", "replace")})


def read_to_the_end(stream: ClientConnection) -> None:
    """Read until the server closes."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            stream.recv(10)


def test_no_forged_or_revoked_token_is_taken(start_bridge):
    bridge = start_bridge()
    key = (bridge.state_dir / SECRET_FILE).read_text().strip().encode()
    good = bridge.token
    forged = {name: forge(good, **{"key": key, **how}) for name, how in FORGERIES.items()}
    forged |= {f"unsigned {n}": token for n, token in enumerate(unsigned(good))}
    forged |= {repr(token)[:20]: token for token in NO_TOKENS if token}
    forged["changed claims"] = with_more_scopes(good)
    with httpx.Client(base_url=bridge.url, timeout=10) as client:
        assert me(client, forge(good, key)).status_code == 200  # so that the others fail for their own reason
        answers = {name: me(client, token) for name, token in forged.items()}
        answers["none"] = client.get("/api/auth/me")
        assert client.post("/api/auth/logout", headers={"Authorization": f"Bearer {good}"}).status_code == 204
        answers["revoked"] = me(client, good)
        answers["revoked, forged anew"] = me(client, forge(good, key, iat=int(time.time()), jti="another"))
        assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 401)
        assert {answer.text for answer in answers.values()} == {'{"detail":"a valid access token is needed"}'}
        other_session = forge(good, key, sid="0" * 32)
        assert me(client, other_session).status_code == 200
    with bridge.connect() as stream:
        stream.send(json.dumps({"type": "auth", "token": good}))
        with pytest.raises(ConnectionClosed) as closed:
            stream.recv(10)
        assert closed.value.rcvd.code == 4401
    assert "Traceback" not in "".join(bridge.lines)


def test_a_thousand_wrong_passwords_lock_nobody_out(start_bridge):
    bridge = start_bridge()
    right = {"username": "admin", "password": bridge.password}
    device_token = bridge.login().json()["device_token"]
    with httpx.Client(base_url=bridge.url, timeout=30) as attacker:
        begin = time.monotonic()
        answers = [
            attacker.post("/api/auth/login", json={"username": "admin", "password": f"guess {n}"}) for n in range(1000)
        ]
        assert time.monotonic() - begin < 50  # within one window of the limits, else they mean nothing
        statuses = Counter(answer.status_code for answer in answers)
        assert statuses == {401: 10, 429: 990}
        assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in answers if answer.status_code == 429)
        # From the attacker's own address the right password is of no use, unless the device is known.
        assert attacker.post("/api/auth/login", json=right).status_code == 429
        known = attacker.post("/api/auth/login", json={**right, "device_token": device_token})
        assert known.status_code == 200
    with httpx.Client(
        base_url=bridge.url, timeout=30, transport=httpx.HTTPTransport(local_address=OTHER_ADDRESS)
    ) as elsewhere:
        assert elsewhere.post("/api/auth/login", json=right).status_code == 200
    headers = {"Authorization": f"Bearer {known.json()['access_token']}"}
    audit = httpx.get(f"{bridge.url}/api/audit?action=auth.login&limit=1000", headers=headers).json()["entries"]
    outcomes = Counter(entry["outcome"] for entry in audit)
    assert outcomes["failed"] == 10
    assert 0 < outcomes["limited"] <= 120  # bounded: an attacker cannot fill the disk
    assert {entry["address"] for entry in audit if entry["outcome"] == "ok"} == {"127.0.0.1", OTHER_ADDRESS}


def test_the_console_and_a_running_bridge_see_each_other(start_bridge, users, wait_for):
    bridge = start_bridge()
    added = users(bridge, "add", "ada", "--role", "viewer")
    password = re.search(r"password of ada: (\S+)", added.output).group(1)

    def log_in() -> httpx.Response:
        return httpx.post(f"{bridge.url}/api/auth/login", json={"username": "ada", "password": password}, timeout=10)

    with httpx.Client(base_url=bridge.url, timeout=10) as client:
        with bridge.connect() as stream:
            stream.send(json.dumps({"type": "auth", "token": log_in().json()["access_token"]}))
            assert json.loads(stream.recv(10))["username"] == "ada"
            begin = time.monotonic()
            assert users(bridge, "revoke", "ada").output == "1 sessions of ada ended\n"
            read_to_the_end(stream)
            assert time.monotonic() - begin < 5.0

        for words, login_after in (
            (("disable", "ada"), 401),
            (("enable", "ada"), 200),
            (("set-role", "ada", "--role", "operator"), 200),
        ):
            token = bridge.token if words[0] == "enable" else log_in().json()["access_token"]
            assert me(client, token).status_code == 200
            begin = time.monotonic()
            result = users(bridge, *words)
            assert result.exit_code == 0, result.output
            if words[0] != "enable":
                wait_for(lambda token=token: me(client, token).status_code == 401, f"{words} takes effect", 5.0)
                assert time.monotonic() - begin < 5.0
            assert log_in().status_code == login_after, words
        assert log_in().json()["role"] == "operator"

        made = users(bridge, "service-token", "prometheus", "--scope", "metrics:read", "--days", "1")
        service = re.search(r"aegis_\S+", made.output).group(0)
        wait_for(lambda: me(client, service).status_code == 200, "the service token is known", 5.0)
        with bridge.connect() as stream:
            stream.send(json.dumps({"type": "auth", "token": service}))
            assert json.loads(stream.recv(10))["username"] == "service:prometheus"
        code = users(bridge, "invite", "--role", "viewer").output.split()[-1]
        who = {"username": "bob", "password": "three herons over a grey lake", "invite": code}
        assert client.post("/api/auth/register", json=who).json() == {"username": "bob", "role": "viewer"}
        listed = users(bridge, "list").output
        assert re.search(r"ada +operator +\d open sessions", listed)
        new = users(bridge, "reset-password", "ada").output.split()[-1]
        assert log_in().status_code == 401
        password = new
        assert log_in().status_code == 200
        assert users(bridge, "remove", "ada").exit_code == 0
        assert log_in().status_code == 401
        assert me(client, bridge.token).status_code == 200  # somebody else's session

        headers = {"Authorization": f"Bearer {bridge.token}"}
        entries = client.get("/api/audit?who=console&limit=1000", headers=headers).json()["entries"]
    assert [(entry["action"], entry["target"]) for entry in reversed(entries)] == [
        ("users.add", "ada"),
        ("users.revoke", "ada"),
        ("users.change", "ada"),
        ("users.change", "ada"),
        ("users.change", "ada"),
        ("service_tokens.make", "prometheus"),
        ("invites.make", ""),
        ("users.reset_password", "ada"),
        ("users.remove", "ada"),
    ]
    assert service not in json.dumps(entries)
    assert code not in json.dumps(entries)
    assert "Traceback" not in "".join(bridge.lines)
    assert jwt.decode(bridge.token, options={"verify_signature": False})["sub"] == "admin"
