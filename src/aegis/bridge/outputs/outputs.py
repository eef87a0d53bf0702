# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""All outputs of one bridge: made from the parameters, started and stopped with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aegis.bridge.background import running
from aegis.bridge.outputs.cat062_sender import Cat062Sender
from aegis.bridge.outputs.coast import NO_COAST, CoastLine
from aegis.bridge.outputs.cot_sender import CotSender
from aegis.bridge.outputs.feed import Feed
from aegis.bridge.outputs.sender import Sender
from aegis.bridge.outputs.settings import OutputSettings
from aegis.bridge.outputs.tiles import MapTiles
from aegis.core.site import Site


class Outputs:
    """The feed, and the senders that the parameters ask for.

    Args:
        settings: of the outputs.
        namespace: of the graph that is shown.
        run_id: of this start of the graph; it makes the ids of events unique.

    Raises:
        ConfigError: an output cannot work with these parameters.
    """

    def __init__(self, settings: OutputSettings, *, namespace: str, run_id: str) -> None:
        self.feed = Feed(settings)
        site = Site.of(settings.site)
        self.coast = CoastLine.load(settings.coast, site) if settings.coast and site else NO_COAST
        self.tiles = MapTiles.load(settings.tiles) if settings.tiles else None
        if self.tiles and site:
            self.coast = self.coast.beneath(site)
        self._senders: list[Sender] = []
        if settings.cot.url:
            names = ("aegis", *namespace.split("/"), run_id)
            self._senders.append(CotSender(settings, self.feed, ".".join(filter(None, names))))
        if settings.cat062.address:
            self._senders.append(Cat062Sender(settings, self.feed))

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: OutputSettings, *, namespace: str, run_id: str) -> AsyncIterator[Outputs]:
        """Send until the end of the block; the arguments are those of the class."""
        outputs = cls(settings, namespace=namespace, run_id=run_id)
        async with running(*(sender.run() for sender in outputs._senders)):
            yield outputs

    def counts(self) -> dict[str, int]:
        """Return every sender's counters; safe to call from another thread."""
        return {name: value for sender in self._senders for name, value in sender.counts().items()}
