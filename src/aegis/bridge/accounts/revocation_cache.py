# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A cache of revoked sessions and service tokens, so that a token is checked without the database.

Lives on the event loop.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from aegis.bridge.accounts import service_tokens
from aegis.bridge.accounts.freshness import Freshness
from aegis.bridge.accounts.opaque import digest
from aegis.bridge.accounts.sessions import REVOCATION_KEPT_S
from aegis.bridge.accounts.tables import Revocation
from aegis.bridge.accounts.tokens import Principal

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Changes:
    """What the database has that the cache may not have yet."""

    revoked: Sequence[str]
    last_revocation: int
    services: Mapping[bytes, Principal] = field(repr=False)


def read_changes(session: Session, after: int) -> Changes:
    """Return the service tokens and what was revoked since a revocation, within the caller's transaction."""
    found = session.execute(
        select(Revocation.id, Revocation.session).where(Revocation.id > after).order_by(Revocation.id)
    ).all()
    last = found[-1].id if found else after
    return Changes([row.session for row in found], last, service_tokens.principals(session))


class RevocationCache:
    """Follows the database: after every change that this process makes, and by polling for those of `aegis users`."""

    def __init__(
        self,
        on_revoked: Callable[[frozenset[str]], None] = lambda _sessions: None,
        freshness: Freshness | None = None,
    ) -> None:
        """Begin empty.

        Args:
            on_revoked: called on the event loop with the sessions that were just revoked: what they hold open is to be closed.
            freshness: knows whether it is still known what was revoked; None: it is.
        """
        self.freshness = freshness or Freshness()
        self.last_revocation = 0
        self._on_revoked = on_revoked
        self._revoked: dict[str, float] = {}  # session to when it was read here, the oldest first
        self._services: Mapping[bytes, Principal] = {}

    def is_revoked(self, session: str) -> bool:
        """Return whether a session was revoked."""
        return session in self._revoked

    def require_read(self) -> None:
        """Refuse where it is not known any more what was revoked.

        Raises:
            ProblemError: 503.
        """
        self.freshness.require()

    def revoke(self, sessions: frozenset[str]) -> None:
        """Take over what another bridge has revoked, before it is read in the database."""
        self.update(Changes(sorted(sessions), self.last_revocation, self._services))

    def service(self, token: str) -> Principal | None:
        """Return the service that a token belongs to; None for one that is not known."""
        return self._services.get(digest(token)) if token.startswith(service_tokens.PREFIX) else None

    def update(self, changes: Changes) -> bool:
        """Take changes over, and remove expired sessions; return whether there were any.

        Changes may overtake each other: what was revoked stays so.
        """
        now = time.monotonic()
        new = frozenset(changes.revoked) - self._revoked.keys()
        self._revoked.update(dict.fromkeys(new, now))
        changed = bool(new) or self._services.keys() != changes.services.keys()
        self._services = changes.services
        self.last_revocation = max(self.last_revocation, changes.last_revocation)
        while self._revoked and now - next(iter(self._revoked.values())) > REVOCATION_KEPT_S:
            del self._revoked[next(iter(self._revoked))]
        if new:
            try:
                self._on_revoked(new)
            except Exception:  # noqa: BLE001 - whatever failed, the sessions stay revoked
                _log.exception("the connections of revoked sessions could not be closed")
        return changed
