# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""One bridge among several: it tells the others what was revoked, decided and drawn, and takes what they tell."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from functools import partial

from aegis.bridge.accounts.freshness import Freshness
from aegis.bridge.accounts.settings import AccountSettings
from aegis.bridge.accounts.store import Accounts
from aegis.bridge.accounts.throttle import Throttle
from aegis.bridge.background import running
from aegis.bridge.history.decisions import THREAT, acknowledgement_of, acknowledgements
from aegis.bridge.history.history import History
from aegis.bridge.history.records import Decision
from aegis.bridge.live.nodes import OWN_NAME
from aegis.bridge.problem import ProblemError
from aegis.bridge.replicas.limits import SharedWindow
from aegis.bridge.replicas.line import AwayError, Line, Told
from aegis.bridge.replicas.settings import ReplicaSettings
from aegis.bridge.replicas.tickets import SharedTickets
from aegis.bridge.zones.drawn import DrawnZones
from aegis.core.params import ConfigError
from aegis.decision_key import DECISION_KEY, decision_key

_log = logging.getLogger(__name__)

CHANGED, DECIDED = "accounts", "decision"
ALIVE_PERIOD_S = 3.0
CUT_PERIOD_S = 0.5
LOOK_PERIOD_S = 2.0
_OVERLAP_NS = 120 * 10**9  # a decision gets to PostgreSQL so much later at most, unless that was away


class Replicas:
    """Lives on the event loop."""

    def __init__(self, settings: ReplicaSettings, namespace: str, secret: bytes) -> None:
        """Prepare; nothing is connected yet.

        Args:
            settings: with the URL of Redis.
            namespace: of the graph.
            secret: that signs access tokens, the same at every bridge.

        Raises:
            ConfigError: not a URL of Redis.
        """
        self._settings = settings
        self._key = hmac.new(secret, b"aegis replicas", hashlib.sha256).digest()
        self._fingerprint = f"{_fingerprint(secret)}-{_fingerprint(decision_key())}"
        url = settings.redis_url.get_secret_value()
        prefix = f"aegis:{namespace.strip('/')}:"
        try:
            self.line = Line(url, prefix, settings.name, self._key, settings.timeout_s)
        except ConfigError as error:
            raise ConfigError(f"bridge: parameter 'replicas.redis_url': {error}") from None
        self._url = url
        self.freshness = Freshness(settings.unread_s)
        self.others: dict[str, str] = {}  # bridges that live, with what is wrong with them; empty: nothing
        self._since_ns = 0  # decisions of others are looked for from then on
        self._accounts: Accounts | None = None
        self._changed = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: ReplicaSettings, namespace: str, secret: bytes) -> AsyncIterator[Replicas]:
        """Keep the line until the end of the block.

        Raises:
            ConfigError: another bridge that lives signs with another key.
        """
        replicas = cls(settings, namespace, secret)
        await replicas.line.reach()
        try:
            await replicas._meet()
            wrong = [f"'{name}' {why}" for name, why in replicas.others.items() if why]
            if wrong:
                raise ConfigError(f"bridge: among several bridges of a graph, {'; '.join(wrong)}")
            yield replicas
        finally:
            await replicas.line.leave()

    def window(self) -> SharedWindow:
        """Return what counts attempts together with the others."""
        return SharedWindow(self.line, self._url, self._settings.timeout_s)

    def throttle(self, settings: AccountSettings) -> Throttle:
        """Return the limits of attempts, counted together with the others."""
        return Throttle(settings.limits, self.window())

    def tickets(self, accounts: Accounts) -> SharedTickets:
        """Return tickets that any bridge takes."""
        return SharedTickets(accounts.revocations, self.line, self._key)

    @asynccontextmanager
    async def joined(
        self,
        accounts: Accounts,
        zones: DrawnZones,
        history: History,
        cut: Callable[[str], None],
        show: Callable[[], None],
    ) -> AsyncIterator[None]:
        """Tell and take until the end of the block.

        Args:
            accounts, zones, history: of this bridge.
            cut: cuts off all streams.
            show: shows the threats anew, with who has acknowledged them.
        """
        accounts.tell = self._tell_changed
        history.on_decision = self._tell_decided
        take = partial(self._take, accounts, history, show)
        self._accounts = accounts
        async with running(
            self.line.follow(take, self.freshness.heard),
            self._look(zones, history, show),
            self._stay(),
            self._cut_unread(cut),
        ):
            yield

    def names(self) -> list[str]:
        """Return what the other bridges' nodes are called on the graph."""
        return [f"{OWN_NAME}_{name}" for name in self.others]

    @property
    def is_closed(self) -> bool:
        """Whether no token is taken, as it is not known what was revoked."""
        return self.freshness.is_over

    def warnings(self) -> list[str]:
        """Return what is not as it should be, in words."""
        state = self.line.state
        found = [] if state.up else [f"Redis, that several bridges share, is away: {state.reason}"]
        if self._accounts and self._accounts.trouble:
            found.append(f"accounts in PostgreSQL: {self._accounts.trouble}; nobody can log in, refresh or decide")
        return found + [f"bridge '{name}' {why}" for name, why in self.others.items() if why]

    def counts(self) -> dict[str, float]:
        """Return the counters since the start, and how it is."""
        return {
            "redis_up": float(self.line.state.up),
            "redis_failures": self.line.failures,
            "foreign_messages": self.line.foreign,
            "bridges": len(self.others),
            "revocations_unread": float(self.freshness.is_over),
        }

    async def _tell_changed(self, revoked: Sequence[str]) -> None:
        await self.line.tell(CHANGED, {"revoked": list(revoked)})

    async def _tell_decided(self, decision: Decision) -> None:
        await self.line.tell(DECIDED, asdict(decision))

    def _take(self, accounts: Accounts, history: History, show: Callable[[], None], told: Told) -> None:
        """Take what another bridge has told.

        Raises:
            TypeError, ValueError: it is of another release, and not understood.
        """
        if told.kind == CHANGED:
            revoked = told.content.get("revoked", [])
            if isinstance(revoked, list):
                accounts.revocations.revoke(frozenset(map(str, revoked)))
            accounts.look_soon()
            self._changed.set()
        elif told.kind == DECIDED:
            decision = Decision(**told.content)  # type: ignore[arg-type] # what is no decision, history refuses
            history.put_decision_of_another(decision)
            seen = acknowledgement_of(decision.detail, decision.who, decision.stamp_ns)
            if decision.kind == THREAT and decision.accept and seen:
                history.acknowledgements.add({decision.target_id: seen})
                show()

    async def _look(self, zones: DrawnZones, history: History, show: Callable[[], None]) -> None:
        """Look in PostgreSQL for what others have drawn and acknowledged: now and then, and at once where one tells of a change."""
        while True:
            try:
                await zones.look()
                await self._look_for_decisions(history, show)
            except ProblemError as error:  # the accounts say so themselves
                _log.info("what other bridges have drawn cannot be read: %s", error)
            except Exception:  # noqa: BLE001 - whatever it was, the next look may succeed
                _log.exception("what other bridges have drawn and acknowledged could not be looked at")
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_PERIOD_S):
                    await self._changed.wait()
            self._changed.clear()

    async def _look_for_decisions(self, history: History, show: Callable[[], None]) -> None:
        """Take the acknowledgements in PostgreSQL, for those that Redis has not told."""
        try:
            found = await history.read(partial(acknowledgements, since_ns=self._since_ns))
        except ProblemError:
            return  # history says itself that its database is away
        self._since_ns = time.time_ns() - _OVERLAP_NS
        new = {track: one for track, one in found.items() if history.acknowledgements.get(track) != one}
        if new:
            history.acknowledgements.add(new)
            show()

    async def _stay(self) -> None:
        """Say that this bridge lives, again and again."""
        while True:
            try:
                await self._meet()
            except AwayError:
                self.others = {}
            await asyncio.sleep(ALIVE_PERIOD_S)

    async def _meet(self) -> None:
        if not self.line.state.up:
            return
        alive = await self.line.show_alive(self._fingerprint)
        before = self.others
        self.others = {name: self._difference(one) for name, one in alive.items() if name != self.line.name}
        for name, why in self.others.items():
            if why and before.get(name) != why:
                _log.error("bridge '%s' %s", name, why)

    def _difference(self, fingerprint: str) -> str:
        if fingerprint == self._fingerprint:
            return ""
        other, _, others_decisions = fingerprint.partition("-")
        own, _, own_decisions = self._fingerprint.partition("-")
        names = ["JWT_SECRET"] * (other != own) + [DECISION_KEY] * (others_decisions != own_decisions)
        return f"has another {' and another '.join(names)}: all bridges of a graph need the same"

    async def _cut_unread(self, cut: Callable[[str], None]) -> None:
        while True:
            if self.freshness.is_over:
                cut("it is not known what was revoked, as neither PostgreSQL nor Redis is reached")
            await asyncio.sleep(CUT_PERIOD_S)


def _fingerprint(key: bytes) -> str:
    """Return what tells two keys apart, and nothing of them."""
    return hmac.new(key, b"aegis fingerprint", hashlib.sha256).hexdigest()[:16]
