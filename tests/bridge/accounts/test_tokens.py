"""Access tokens: exactly what the bridge issues is accepted, and nothing else. Forgeries are made with PyJWT and by hand."""

import base64
import json
import time

import jwt
import pytest

from aegis.bridge.accounts.tokens import TokenError, Tokens

KEY = bytes(range(64))
HEADER_KEYS = {"alg", "typ", "kid"}


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(KEY, "HS256", 900.0)


class Account:
    name = "ada"
    scopes = frozenset({"radar:read"})


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _forge(
    tokens: Tokens, *, key: bytes = KEY, algorithm: str = "HS256", header: dict | None = None, drop=(), **claims
):
    good = tokens.issue(Account())
    payload = {**jwt.decode(good, options={"verify_signature": False}), **claims}
    for name in drop:
        del payload[name]
    headers = {"kid": jwt.get_unverified_header(good)["kid"], **(header or {})}
    return jwt.encode(payload, key, algorithm=algorithm, headers={k: v for k, v in headers.items() if v is not None})


def test_an_issued_token_is_accepted_and_says_who(tokens):
    token = tokens.issue(Account())
    principal = tokens.verify(token)
    assert (principal.name, principal.scopes) == ("ada", {"radar:read"})
    assert principal.expires_at == pytest.approx(time.time() + 900, abs=2)
    assert set(jwt.get_unverified_header(token)) == HEADER_KEYS
    assert tokens.verify(_forge(tokens)).name == "ada"  # so that the forgeries below fail for their own reason


FORGERIES = {
    "another key": {"key": bytes(64)},
    "another algorithm": {"algorithm": "HS512"},
    "expired": {"exp": int(time.time()) - 1},
    "not yet valid": {"nbf": int(time.time()) + 600},
    "another audience": {"aud": "somebody-else"},
    "several audiences": {"aud": ["aegis-bridge", "somebody-else"]},
    "another issuer": {"iss": "somebody-else"},
    "another type": {"type": "refresh"},
    "foreign kid": {"header": {"kid": "0000000000000000"}},
    "kid as a path": {"header": {"kid": "../../dev/null"}},
    "no kid": {"header": {"kid": None}},
    "crit": {"header": {"crit": ["exp"]}},
    "jku": {"header": {"jku": "https://example.org/keys"}},
    "jwk": {"header": {"jwk": {"kty": "oct", "k": "AAAA"}}},
    "x5u": {"header": {"x5u": "https://example.org/cert"}},
    "another typ": {"header": {"typ": "at+jwt"}},
    "scopes as text": {"scopes": "radar:read admin"},
    "subject as a number": {"sub": 7},
    **{f"no {name}": {"drop": (name,)} for name in ("exp", "nbf", "iat", "iss", "aud", "type", "sub", "scopes")},
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_token_is_refused(tokens, forgery):
    with pytest.raises(TokenError):
        tokens.verify(_forge(tokens, **forgery))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", ""])
def test_a_token_without_a_signature_is_refused(tokens, algorithm):
    header, payload, signature = tokens.issue(Account()).split(".")
    fields = jwt.get_unverified_header(f"{header}.{payload}.{signature}")
    for end in ("", signature):
        with pytest.raises(TokenError):
            tokens.verify(f"{_part({**fields, 'alg': algorithm})}.{payload}.{end}")


def test_changed_claims_break_the_signature(tokens):
    header, payload, signature = tokens.issue(Account()).split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    with pytest.raises(TokenError):
        tokens.verify(f"{header}.{_part({**claims, 'scopes': ['admin']})}.{signature}")


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "x" * 5000, "é.é.é", "e30.e30.e30"])
def test_what_is_no_token_is_refused(tokens, token):
    with pytest.raises(TokenError):
        tokens.verify(token)
