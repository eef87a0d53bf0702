"""Access tokens: made and checked."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass

import jwt

from aegis.bridge.accounts.store import Account

ISSUER = "aegis"
AUDIENCE = "aegis-bridge"
TOKEN_TYPE = "access"
MAX_TOKEN_CHARACTERS = 4096
_CLAIMS = ("exp", "iat", "nbf", "iss", "aud", "type", "sub", "scopes")


class TokenError(Exception):
    """A token is not accepted; the message is for the log, never for the client."""


@dataclass(frozen=True)
class Principal:
    """Who a request comes from."""

    name: str
    scopes: frozenset[str]
    expires_at: float  # [s] since 1970
    session: str = ""


class Tokens:
    """Makes and checks access tokens: one algorithm, one key, every claim required."""

    def __init__(self, secret: bytes, algorithm: str, lifetime_s: float) -> None:
        self._secret = secret
        self._algorithm = algorithm
        self.lifetime_s = lifetime_s
        # Names the key without telling anything about it.
        key_id = hmac.new(secret, b"aegis key id", hashlib.sha256).hexdigest()[:16]
        self._header = {"alg": algorithm, "typ": "JWT", "kid": key_id}

    def issue(self, account: Account) -> str:
        """Return a token for an account."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "type": TOKEN_TYPE,
            "sub": account.name,
            "scopes": sorted(account.scopes),
            "iat": now,
            "nbf": now,
            "exp": now + max(1, round(self.lifetime_s)),
            "jti": secrets.token_hex(8),
        }
        return jwt.encode(claims, self._secret, algorithm=self._algorithm, headers={"kid": self._header["kid"]})

    def verify(self, token: str) -> Principal:
        """Return who a token speaks for.

        Raises:
            TokenError: anything about it is not as `issue` makes it, or it is out of its time.
        """
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
        except jwt.PyJWTError as error:
            raise TokenError(f"{type(error).__name__}: {error}") from error
        scopes = claims["scopes"]
        if claims["type"] != TOKEN_TYPE or claims["aud"] != AUDIENCE:
            raise TokenError("not an access token of the bridge")
        if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
            raise TokenError("scopes are not a list of words")
        return Principal(str(claims["sub"]), frozenset(scopes), float(claims["exp"]))


def bearer_token(authorization: str) -> str:
    """Return the token of an Authorization header.

    Raises:
        TokenError: it is not `Bearer TOKEN`.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenError("no bearer token")
    return token.strip()
