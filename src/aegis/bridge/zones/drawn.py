# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The zones that people have drawn: in bridge.db first, then on the graph."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from aegis.bridge.accounts.audit_table import Entry
from aegis.bridge.accounts.store import Accounts
from aegis.bridge.zones import store
from aegis.bridge.zones.store import KeptZone
from aegis.core.params import ConfigError
from aegis.core.threat.drawn_zones import DrawnZone


class DrawnZones:
    """Keeps the zones and tells who publishes them of each change, in the order of the changes."""

    def __init__(self, accounts: Accounts) -> None:
        """Read the zones.

        Raises:
            ConfigError: one in the database cannot be watched by this release.
        """
        self._accounts = accounts
        self._lock = asyncio.Lock()
        self.on_change: Callable[[], None] = lambda: None
        try:
            self.kept = accounts.read_now(store.listing)  # replaced at a change, never changed: any thread may read it
        except ValueError as error:
            raise ConfigError(f"bridge.db: {error}") from error

    @property
    def drawn(self) -> list[DrawnZone]:
        """The zones by name; safe to call from another thread."""
        return [one.drawn for one in self.kept]

    async def look(self) -> None:
        """Take over what another bridge has changed in the database.

        Raises:
            ProblemError: 503, it cannot be read.
            ValueError: a zone in it cannot be watched by this release.
        """
        async with self._lock:
            kept = await self._accounts.read(store.listing)
            if [one.drawn.version for one in kept] != [one.drawn.version for one in self.kept]:
                self.kept = kept
                self.on_change()

    async def put(self, entry: Entry, zone: DrawnZone, known: Sequence[str] | None) -> KeptZone:
        """Add or change a zone, and return it as it is kept; see `store.put`.

        Raises:
            ProblemError: 412, 422, 428, or 503: it could not be stored. Nothing has changed then.
        """
        async with self._lock:
            self.kept = await self._accounts.write(entry, store.put, zone, known, entry.who, self._accounts.now())
            await self._tell()
            return next(one for one in self.kept if one.drawn.name == zone.name)

    async def remove(self, entry: Entry, name: str, known: Sequence[str] | None) -> None:
        """Remove a zone; see `store.remove`.

        Raises:
            ProblemError: 404, 412, 428, or 503: it could not be removed. Nothing has changed then.
        """
        async with self._lock:
            self.kept = await self._accounts.write(entry, store.remove, name, known)
            await self._tell()

    async def _tell(self) -> None:
        self.on_change()
        if self._accounts.tell:
            await self._accounts.tell(())
