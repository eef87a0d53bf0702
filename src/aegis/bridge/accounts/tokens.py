# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Bearer tokens: access tokens made and checked, and who speaks with any token."""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
import time
from dataclasses import dataclass
from typing import Protocol

import jwt

from aegis.bridge.accounts.account import Account

ISSUER = "aegis"
AUDIENCE = "aegis-bridge"
TOKEN_TYPE = "access"
MAX_TOKEN_CHARACTERS = 4096
USER, SERVICE = "user", "service"
_CLAIMS = ("exp", "iat", "nbf", "iss", "aud", "type", "sub", "sid", "role", "scopes")


class TokenError(Exception):
    """A token is not accepted; the message is for the log, never for the client."""


@dataclass(frozen=True)
class Principal:
    """Who a request comes from."""

    name: str
    role: str
    scopes: frozenset[str]
    expires_at: float  # [s] since 1970
    session: str  # what is revoked when the principal is no longer to be trusted
    kind: str = USER


class Lookup(Protocol):
    """What is known of tokens beyond their content; answers at once."""

    def is_revoked(self, session: str) -> bool:
        """Return whether a session was revoked."""

    def require_read(self) -> None:
        """Refuse where it is not known any more what was revoked.

        Raises:
            ProblemError: 503.
        """

    def service(self, token: str) -> Principal | None:
        """Return who speaks with an opaque token; None for one that is not known."""


class Tokens:
    """Makes and checks access tokens: one algorithm, one key, every claim required; and takes service tokens."""

    def __init__(self, secret: bytes, algorithm: str, lifetime_s: float, lookup: Lookup) -> None:
        self._lookup = lookup
        self._secret = secret
        self._algorithm = algorithm
        self.lifetime_s = lifetime_s
        # Names the key without telling anything about it.
        key_id = hmac.new(secret, b"aegis key id", hashlib.sha256).hexdigest()[:16]
        self._header = {"alg": algorithm, "typ": "JWT", "kid": key_id}

    def issue(self, account: Account, session: str, until_s: float = math.inf) -> str:
        """Return a token for an account.

        Args:
            account: whom it speaks for.
            session: with which it is revoked.
            until_s: when the session ends by itself, in seconds since 1970; the token does too.
        """
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "type": TOKEN_TYPE,
            "sub": account.name,
            "sid": session,
            "role": account.role,
            "scopes": sorted(account.scopes),
            "iat": now,
            "nbf": now,
            "exp": now + max(1, round(min(self.lifetime_s, until_s - now))),
            "jti": secrets.token_hex(8),
        }
        return jwt.encode(claims, self._secret, algorithm=self._algorithm, headers={"kid": self._header["kid"]})

    def verify(self, token: str) -> Principal:
        """Return who an access token or a service token speaks for.

        Raises:
            TokenError: it is not one of ours, out of its time, or revoked.
            ProblemError: 503, it cannot be known whether it was revoked.
        """
        principal = self._lookup.service(token) or self._verify_access(token)
        if principal.expires_at <= time.time():
            raise TokenError("expired")
        self._lookup.require_read()
        if self._lookup.is_revoked(principal.session):
            raise TokenError("revoked")
        return principal

    def _verify_access(self, token: str) -> Principal:
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise TokenError("too long")
        try:
            header = jwt.get_unverified_header(token)
            if header != self._header:  # another algorithm, a foreign kid, crit, jku, x5u, ...
                raise TokenError(f"header {sorted(header)} is not ours")
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[self._algorithm],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"require": list(_CLAIMS)},
            )
        except (jwt.PyJWTError, RecursionError) as error:  # not every PyJWT catches JSON nested a thousand times
            raise TokenError(f"{type(error).__name__}: {error}") from error
        scopes, session, role = claims["scopes"], claims["sid"], claims["role"]
        if claims["type"] != TOKEN_TYPE or claims["aud"] != AUDIENCE:
            raise TokenError("not an access token of the bridge")
        if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
            raise TokenError("scopes are not a list of words")
        if not isinstance(session, str) or not session or not isinstance(role, str):
            raise TokenError("session or role is not a word")
        return Principal(str(claims["sub"]), role, frozenset(scopes), float(claims["exp"]), session)


def bearer_token(authorization: str) -> str:
    """Return the token of an Authorization header.

    Raises:
        TokenError: it is not `Bearer TOKEN`.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenError("no bearer token")
    return token.strip()
