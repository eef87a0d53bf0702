# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the outputs that send by themselves have in common: a picture a period at most, encoded in a thread."""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod

from aegis.bridge.outputs.feed import Feed, Picture
from aegis.bridge.outputs.lines import Line

_log = logging.getLogger(__name__)


class Sender(ABC):
    """Sends the newest picture as soon as it comes, but at most once a period.

    Args:
        name: of the output, for counters and messages.
        feed: where the pictures come from.
        line: where they go.
        period_s: between two pictures.
    """

    def __init__(self, name: str, feed: Feed, line: Line, period_s: float) -> None:
        self.name = name
        self._feed = feed
        self._line = line
        self._period_s = period_s
        self._fresh = asyncio.Event()
        self._sent = self._dropped = self._errors = 0
        feed.subscribe(self._fresh.set)

    async def run(self) -> None:
        """Hold the line open and send, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._line.run())
            group.create_task(self._send_all())

    def counts(self) -> dict[str, int]:
        """Return what was sent, dropped (no line, or a full one) and went wrong; safe to call from another thread."""
        return {
            f"{self.name}_sent": self._sent,
            f"{self.name}_dropped": self._dropped,
            f"{self.name}_errors": self._errors + self._line.errors,
            f"{self.name}_connected": int(self._line.connected),
        }

    @abstractmethod
    async def _send(self, picture: Picture) -> None:
        """Send a picture."""

    def _count(self, packets: int, sent: int) -> None:
        self._sent += sent
        self._dropped += packets - sent

    async def _send_all(self) -> None:
        while True:
            await self._fresh.wait()
            self._fresh.clear()
            next_at = time.monotonic() + self._period_s
            try:
                assert self._feed.picture is not None
                await self._send(self._feed.picture)
            except Exception:  # noqa: BLE001 - one picture that cannot be sent must not end the output
                self._errors += 1
                _log.exception("%s: a picture could not be sent", self.name)
            await asyncio.sleep(max(0.0, next_at - time.monotonic()))
