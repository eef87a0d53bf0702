# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tickets for the WebSocket that any of several bridges takes, and together they take each once."""

from __future__ import annotations

import secrets
import time

import jwt

from aegis.bridge.accounts.tickets import LIFETIME_S
from aegis.bridge.accounts.tokens import Lookup, Principal
from aegis.bridge.problem import ProblemError
from aegis.bridge.replicas.line import AwayError, Line

_ALGORITHM, _AUDIENCE = "HS256", "aegis-ws-ticket"
_MOST_CHARACTERS = 4096


class SharedTickets:
    """Signs tickets, so that none has to be kept, and notes in Redis which were used.

    Where Redis is away no ticket is given or taken: it could be used once at each bridge. A client then sends its token.
    """

    def __init__(self, lookup: Lookup, line: Line, key: bytes) -> None:
        """Prepare; `key` signs, and is the same for all bridges."""
        self._lookup = lookup
        self._line = line
        self._key = key

    async def issue(self, principal: Principal) -> str:
        """Return a ticket.

        Raises:
            ProblemError: 503, Redis is away.
        """
        if not self._line.state.up:
            raise _without_redis()
        until_s = min(time.time() + LIFETIME_S, principal.expires_at)
        claims = {
            "aud": _AUDIENCE,
            "exp": until_s,
            "jti": secrets.token_hex(16),
            "sub": principal.name,
            "role": principal.role,
            "scopes": sorted(principal.scopes),
            "until_s": principal.expires_at,
            "sid": principal.session,
            "kind": principal.kind,
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    async def redeem(self, ticket: str) -> Principal | None:
        """Use a ticket up, and return whom it was given to; None where it is not good, or its session no longer is.

        Raises:
            ProblemError: 503, Redis is away, or what was revoked cannot be read.
        """
        if len(ticket) > _MOST_CHARACTERS:
            return None
        try:
            required = ["exp", "jti", "sub", "role", "scopes", "until_s", "sid", "kind"]
            claims = jwt.decode(
                ticket, self._key, algorithms=[_ALGORITHM], audience=_AUDIENCE, options={"require": required}
            )
        except (jwt.PyJWTError, RecursionError):
            return None
        used = f"{self._line.prefix}ticket:{claims['jti']}"
        try:
            first = await self._line.ask(lambda r: r.set(used, b"used", nx=True, ex=2 * round(LIFETIME_S)))
        except AwayError:
            raise _without_redis() from None
        self._lookup.require_read()
        if not first or self._lookup.is_revoked(claims["sid"]):
            return None
        scopes = frozenset(claims["scopes"])
        return Principal(claims["sub"], claims["role"], scopes, claims["until_s"], claims["sid"], claims["kind"])


def _without_redis() -> ProblemError:
    return ProblemError(
        503, "tickets cannot be given or taken now, as the bridges' Redis is away: send the token", retry_after=1
    )
