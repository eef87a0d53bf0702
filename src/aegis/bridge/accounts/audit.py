# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The audit, as the bridge writes it: off the event loop, and bounded where others choose how much there is to write."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from aegis.bridge.accounts.addresses import subscriber
from aegis.bridge.accounts.audit_table import BRIDGE, Entry
from aegis.bridge.problem import ProblemError

_log = logging.getLogger(__name__)

_SHARE = 4  # one address gets the fourth part of what may be written about refusals
_SUMMARY_S = 60.0


class Audit:
    """Writes the audit.

    `record` never fails: what could not be written is logged and counted in `lost`. `record_or_fail` is for what must not
    happen unseen. `refused` is for what any client can cause: so many entries a minute are written, and then how many were not.
    """

    def __init__(self, write: Callable[[Entry], Awaitable[None]], refusals_per_minute: int) -> None:
        """Prepare.

        Args:
            write: writes an entry durably; raises ProblemError.
            refusals_per_minute: entries about refusals, for each action and outcome.
        """
        self._write = write
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._total = RateLimitItemPerMinute(refusals_per_minute, namespace="audit")
        self._share = RateLimitItemPerMinute(max(1, refusals_per_minute // _SHARE), namespace="audit address")
        self._unwritten: Counter[str] = Counter()
        self._summary_at = time.monotonic()
        self.lost = 0
        self.suppressed = 0
        self.anonymous = 0  # requests without any token where one is needed; counted by the guard

    async def try_to_record(self, entry: Entry) -> bool:
        """Write an entry, and return whether that was possible: where it was not, the caller has another place for it."""
        try:
            await self._write(entry)
        except ProblemError as error:
            _log.warning("the audit cannot take an entry now: %s by '%s': %s", entry.action, entry.who, error)
            return False
        return True

    async def record(self, entry: Entry) -> None:
        """Write an entry, or log and count it."""
        try:
            await self._write(entry)
        except Exception:  # noqa: BLE001 - whatever failed, the act has happened
            self.lost += 1
            _log.exception("the audit lost an entry: %s by '%s'", entry.action, entry.who)

    async def record_or_fail(self, entry: Entry) -> None:
        """Write an entry.

        Raises:
            ProblemError: 503, it could not be written.
        """
        await self._write(entry)

    async def refused(self, *, action: str, outcome: str, address: str, **what: Any) -> None:
        """Write an entry about a refusal, or count it where too many came within the minute; takes the fields of `Entry`."""
        kind = f"{action} {outcome}"
        if self._limiter.hit(self._share, kind, subscriber(address)) and self._limiter.hit(self._total, kind):
            await self.record(Entry(action, outcome=outcome, address=address, **what))
            return
        self.suppressed += 1
        self._unwritten[kind] += 1

    async def summarise(self) -> None:
        """Write how many refusals were not written, once a minute; called again and again."""
        now = time.monotonic()
        if self._unwritten and now - self._summary_at >= _SUMMARY_S:
            self._summary_at = now
            unwritten, self._unwritten = self._unwritten, Counter()
            await self.record(Entry("audit.suppressed", BRIDGE, detail=dict(unwritten)))

    def counts(self) -> dict[str, int]:
        """Return what was not written, and how many requests came without a token; safe to call from another thread."""
        return {
            "audit_lost": self.lost,
            "audit_suppressed": self.suppressed,
            "anonymous_denials": self.anonymous,
        }
