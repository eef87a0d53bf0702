# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tickets for the WebSocket: once, for 30 s, and no longer than whoever got them is trusted."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from accounts_data import Clock

from aegis.bridge.accounts.revocation_cache import Changes, RevocationCache
from aegis.bridge.accounts.tickets import MOST, MOST_PER_SESSION, Tickets
from aegis.bridge.accounts.tokens import Principal
from aegis.bridge.problem import ProblemError


def somebody(session: str = "s1", lifetime_s: float = 900.0) -> Principal:
    return Principal("ada", "viewer", frozenset({"radar:read"}), time.time() + lifetime_s, session)


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0)


@pytest.fixture
def revocations() -> RevocationCache:
    return RevocationCache()


class Office:
    """Tickets, asked from outside of an event loop."""

    def __init__(self, tickets: Tickets, run) -> None:
        self.tickets, self.run = tickets, run

    def issue(self, principal: Principal) -> str:
        return self.run(self.tickets.issue(principal))

    def redeem(self, ticket: str) -> Principal | None:
        return self.run(self.tickets.redeem(ticket))

    def __len__(self) -> int:
        return len(self.tickets)


@pytest.fixture
def tickets(revocations, clock) -> Iterator[Office]:
    with asyncio.Runner() as runner:
        yield Office(Tickets(revocations, clock), runner.run)


def test_a_ticket_is_good_once(tickets):
    who = somebody()
    ticket = tickets.issue(who)
    assert len(ticket) >= 43
    assert tickets.redeem(ticket) is who
    assert tickets.redeem(ticket) is None
    assert tickets.redeem("") is None
    assert tickets.redeem("\ud800") is None


def test_a_ticket_is_good_for_thirty_seconds(tickets, clock):
    first, second = tickets.issue(somebody()), tickets.issue(somebody())
    clock.now += 29.9
    assert tickets.redeem(first) is not None
    clock.now += 0.1
    assert tickets.redeem(second) is None


def test_a_ticket_is_no_good_when_its_session_or_token_is_over(tickets, revocations):
    revoked, expired = tickets.issue(somebody("s1")), tickets.issue(somebody("s2", lifetime_s=-1))
    revocations.update(Changes(["s1"], 1, {}))
    assert tickets.redeem(revoked) is None
    assert tickets.redeem(expired) is None


def test_tickets_are_bounded_per_session_and_in_all(tickets, clock):
    own = [tickets.issue(somebody("greedy")) for _ in range(MOST_PER_SESSION + 1)]
    assert tickets.redeem(own[0]) is None  # its oldest had to go
    assert tickets.redeem(own[1]) is not None
    refusals = []
    for n in range(MOST):
        try:
            tickets.issue(somebody(f"session {n}"))
        except ProblemError as error:
            refusals.append(error.status)
            break
    assert refusals == [429]
    assert len(tickets) == MOST
    assert tickets.redeem(own[-1]) is not None  # nobody else's is taken away
    clock.now += 30
    tickets.issue(somebody())
    assert len(tickets) == 1
