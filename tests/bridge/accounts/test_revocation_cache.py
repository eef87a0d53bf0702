# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the guard knows without the database: after changes of this process, and after those of another one."""

import asyncio
import logging
import sqlite3
import time
from pathlib import Path

import pytest
from accounts_data import PASSWORD, log_in
from problems import refused

from aegis.bridge.accounts import service_tokens, sessions, store, users
from aegis.bridge.accounts.revocation_cache import Changes, RevocationCache, read_changes
from aegis.bridge.accounts.store import DATABASE_FILE, Accounts
from aegis.bridge.accounts.tokens import TokenError, Tokens

KEY = bytes(range(64))


def make_service_token(accounts, name="prometheus", scopes=("metrics:read",), days=90.0):
    return accounts.write_now(None, service_tokens.make, name, scopes, "admin", accounts.now(), days * 86400.0)


def test_a_revocation_here_is_known_at_once_and_told_to_the_hook(accounts, revoked):
    accounts.add("ada", PASSWORD, "viewer")
    grant, other = log_in(accounts, "ada"), log_in(accounts, "ada")
    tokens = Tokens(KEY, "HS256", 900.0, accounts.revocations)
    access = tokens.issue(grant.account, grant.session)
    assert tokens.verify(access).session == grant.session
    asyncio.run(accounts.write(None, sessions.end, "ada", grant.session, accounts.now()))
    assert revoked == [grant.session]
    with pytest.raises(TokenError, match="revoked"):
        tokens.verify(access)
    assert tokens.verify(tokens.issue(other.account, other.session)).name == "ada"


def test_a_revocation_elsewhere_is_known_after_a_poll_and_told_once(accounts, revoked, tmp_path: Path):
    accounts.add("ada", PASSWORD, "viewer")
    grant = log_in(accounts, "ada")
    elsewhere = Accounts(tmp_path)
    elsewhere.write_now(None, users.set_password, "ada", "hash", 0.0)
    elsewhere.close()
    assert not accounts.revocations.is_revoked(grant.session)
    asyncio.run(accounts.poll())
    asyncio.run(accounts.poll())
    assert accounts.revocations.is_revoked(grant.session)
    assert revoked == [grant.session]
    assert (
        list(accounts.read_now(read_changes, accounts.revocations.last_revocation).revoked) == []
    )  # it is not read again
    restarted = Accounts(tmp_path)
    assert restarted.revocations.is_revoked(grant.session)
    restarted.close()


def test_a_hook_that_fails_leaves_the_session_revoked(caplog):
    def broken(_sessions) -> None:
        raise RuntimeError("nobody is there")

    revocations = RevocationCache(broken)
    with caplog.at_level(logging.CRITICAL, "aegis"):
        revocations.update(Changes(["s1"], 1, {}))
    assert revocations.is_revoked("s1")


def test_revocations_are_forgotten_when_no_token_can_be_left(monkeypatch):
    revocations = RevocationCache()
    revocations.update(Changes(["s1"], 1, {}))
    begin = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: begin + 25.1 * 3600)
    revocations.update(Changes(["s2"], 2, {}))
    assert not revocations.is_revoked("s1")
    assert revocations.is_revoked("s2")


def test_a_service_token_speaks_with_its_scopes_until_it_is_revoked(accounts, revoked):
    row, token = make_service_token(accounts)
    tokens = Tokens(KEY, "HS256", 900.0, accounts.revocations)
    with pytest.raises(TokenError):
        tokens.verify(token)  # made by another process: known after the next poll
    asyncio.run(accounts.poll())
    principal = tokens.verify(token)
    assert (principal.name, principal.scopes, principal.kind) == ("service:prometheus", {"metrics:read"}, "service")
    assert principal.expires_at == pytest.approx(accounts.now() + 90 * 86400.0)
    with pytest.raises(TokenError):
        tokens.verify(token[:-1] + ("A" if token[-1] != "A" else "B"))
    asyncio.run(accounts.write(None, service_tokens.remove, row.id, accounts.now()))
    with pytest.raises(TokenError):
        tokens.verify(token)
    assert revoked == [principal.session]


def test_old_news_do_not_bring_a_service_token_back(accounts):
    row, token = make_service_token(accounts)
    asyncio.run(accounts.poll())
    old = Changes([], 0, dict(accounts.revocations._services))
    asyncio.run(accounts.write(None, service_tokens.remove, row.id, accounts.now()))
    accounts.revocations.update(old)  # read before, delivered after
    with pytest.raises(TokenError, match="revoked"):
        Tokens(KEY, "HS256", 900.0, accounts.revocations).verify(token)


def test_an_expired_service_token_is_refused(accounts):
    _, token = make_service_token(accounts, days=1e-9)
    asyncio.run(accounts.poll())
    with pytest.raises(TokenError, match="expired"):
        Tokens(KEY, "HS256", 900.0, accounts.revocations).verify(token)


def test_a_service_token_never_administers_and_has_a_name_of_its_own(accounts):
    for scopes in (("admin",), ("metrics:read", "admin"), (), ("metrics:write",)):
        with pytest.raises(ValueError, match="scopes"):
            make_service_token(accounts, scopes=scopes)
    with pytest.raises(ValueError, match="token name"):
        make_service_token(accounts, name="a b")
    make_service_token(accounts)
    with refused(409):
        make_service_token(accounts, name="Prometheus")
    with refused(404):
        accounts.write_now(None, service_tokens.remove, 99, 0.0)


def test_the_watch_survives_a_database_that_cannot_be_read(accounts, caplog, monkeypatch, tmp_path: Path):
    monkeypatch.setattr(store, "POLL_S", 0.01)

    async def run() -> None:
        watch = asyncio.create_task(accounts.watch())
        with sqlite3.connect(tmp_path / DATABASE_FILE) as database:
            database.execute("ALTER TABLE revocations RENAME TO elsewhere")
        while accounts.poll_errors == 0:
            await asyncio.sleep(0.005)
        with sqlite3.connect(tmp_path / DATABASE_FILE) as database:
            database.execute("ALTER TABLE elsewhere RENAME TO revocations")
        accounts.write_now(None, sessions.note_revoked, "s1", 0.0)
        while not accounts.revocations.is_revoked("s1"):
            await asyncio.sleep(0.005)
        watch.cancel()

    with caplog.at_level(logging.CRITICAL, "aegis"):
        asyncio.run(asyncio.wait_for(run(), 20))
