# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tickets for the WebSocket: a browser cannot send a header there, and a token has no business in an URL or a log."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from aegis.bridge.accounts.opaque import digest, new_token
from aegis.bridge.accounts.tokens import Lookup, Principal
from aegis.bridge.problem import ProblemError

LIFETIME_S = 30.0
MOST = 4096
MOST_PER_SESSION = 16


@dataclass(frozen=True)
class _Ticket:
    principal: Principal
    until: float


class TicketOffice(Protocol):
    """Gives tickets and takes them."""

    async def issue(self, principal: Principal) -> str:
        """Return a ticket.

        Raises:
            ProblemError: 429, too many wait to be used; 503, none can be given now.
        """

    async def redeem(self, ticket: str) -> Principal | None:
        """Use a ticket up, and return whom it was given to; None where it is not good, or its session no longer is.

        Raises:
            ProblemError: 503, it cannot be looked at now.
        """


class Tickets:
    """Makes tickets that are good once, for 30 s; kept in memory, as they need not outlive a restart. Lives on the event loop."""

    def __init__(self, lookup: Lookup, clock: Callable[[], float] = time.monotonic) -> None:
        self._lookup = lookup
        self._clock = clock
        self._tickets: dict[bytes, _Ticket] = {}  # the oldest first

    def __len__(self) -> int:
        return len(self._tickets)

    async def issue(self, principal: Principal) -> str:
        """Return a ticket. A session that has too many loses its oldest one.

        Raises:
            ProblemError: 429, other sessions have too many.
        """
        self._forget_expired()
        own = [key for key, held in self._tickets.items() if held.principal.session == principal.session]
        if len(own) >= MOST_PER_SESSION:
            del self._tickets[own[0]]
        if len(self._tickets) >= MOST:
            raise ProblemError(429, "too many tickets wait to be used", retry_after=1)
        ticket = new_token()
        self._tickets[digest(ticket)] = _Ticket(principal, self._clock() + LIFETIME_S)
        return ticket

    async def redeem(self, ticket: str) -> Principal | None:
        """Use a ticket up, and return whom it was given to; None where it is not good, or its session no longer is."""
        held = self._tickets.pop(digest(ticket), None)
        if held is None or self._clock() >= held.until or held.principal.expires_at <= time.time():
            return None
        return None if self._lookup.is_revoked(held.principal.session) else held.principal

    def _forget_expired(self) -> None:
        now = self._clock()
        while self._tickets and next(iter(self._tickets.values())).until <= now:
            del self._tickets[next(iter(self._tickets))]
