# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Access tokens: exactly what the bridge issues is accepted, and nothing else."""

import time

import jwt
import pytest
from forged_tokens import FORGERIES, NO_TOKENS, forge, unsigned, with_more_scopes

from aegis.bridge.accounts.revocation_cache import Changes, RevocationCache
from aegis.bridge.accounts.tokens import TokenError, Tokens

KEY = bytes(range(64))
HEADER_KEYS = {"alg", "typ", "kid"}


@pytest.fixture
def revocations() -> RevocationCache:
    return RevocationCache()


@pytest.fixture
def tokens(revocations) -> Tokens:
    return Tokens(KEY, "HS256", 900.0, revocations)


class Account:
    name = "ada"
    role = "viewer"
    scopes = frozenset({"radar:read"})


@pytest.fixture
def good(tokens) -> str:
    return tokens.issue(Account(), "session 1")


def test_an_issued_token_is_accepted_and_says_who(tokens, good):
    principal = tokens.verify(good)
    assert (principal.name, principal.role, principal.scopes) == ("ada", "viewer", {"radar:read"})
    assert (principal.session, principal.kind) == ("session 1", "user")
    assert principal.expires_at == pytest.approx(time.time() + 900, abs=2)
    assert set(jwt.get_unverified_header(good)) == HEADER_KEYS
    assert tokens.verify(forge(good, KEY)).name == "ada"  # so that the forgeries below fail for their own reason


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_token_is_refused(tokens, good, forgery):
    with pytest.raises(TokenError):
        tokens.verify(forge(good, **{"key": KEY, **forgery}))


def test_a_token_without_a_signature_is_refused(tokens, good):
    for token in unsigned(good):
        with pytest.raises(TokenError):
            tokens.verify(token)


def test_changed_claims_break_the_signature(tokens, good):
    with pytest.raises(TokenError):
        tokens.verify(with_more_scopes(good))


@pytest.mark.parametrize("token", NO_TOKENS)
def test_what_is_no_token_is_refused(tokens, token):
    with pytest.raises(TokenError):
        tokens.verify(token)


def test_a_token_of_a_revoked_session_is_refused(tokens, revocations, good):
    other = tokens.issue(Account(), "session 2")
    revocations.update(Changes(["session 1"], 1, {}))
    with pytest.raises(TokenError, match="revoked"):
        tokens.verify(good)
    assert tokens.verify(other).session == "session 2"


def test_a_token_ends_with_its_session(tokens):
    until_s = time.time() + 100
    assert tokens.verify(tokens.issue(Account(), "s", until_s)).expires_at == pytest.approx(until_s, abs=1)
    assert tokens.verify(tokens.issue(Account(), "s", time.time() + 1e6)).expires_at == pytest.approx(
        time.time() + 900, abs=2
    )
