"""All outputs of one bridge: made from the parameters, started and stopped with it."""

from __future__ import annotations

import asyncio
import logging

from aegis.bridge.outputs.cat062_sender import Cat062Sender
from aegis.bridge.outputs.cot_sender import CotSender
from aegis.bridge.outputs.feed import Feed
from aegis.bridge.outputs.sender import Sender
from aegis.bridge.outputs.settings import OutputSettings

_log = logging.getLogger(__name__)


class Outputs:
    """The feed, and the senders that the parameters ask for.

    Args:
        settings: of the bridge.
        namespace: of the graph that is shown.
        run_id: of this start of the graph; with it the ids of events are nobody else's.

    Raises:
        ConfigError: an output cannot work with these parameters.
    """

    def __init__(self, settings: OutputSettings, *, namespace: str, run_id: str) -> None:
        self.feed = Feed(settings)
        self._senders: list[Sender] = []
        self._tasks: list[asyncio.Task[None]] = []
        if settings.cot_url:
            names = ("aegis", *namespace.split("/"), run_id)
            self._senders.append(CotSender(settings, self.feed, ".".join(filter(None, names))))
        if settings.cat062_address:
            self._senders.append(Cat062Sender(settings, self.feed))

    def start(self) -> None:
        """Begin to send; on the event loop."""
        self._tasks = [asyncio.create_task(sender.run(), name=sender.name) for sender in self._senders]

    async def stop(self) -> None:
        """Stop sending and close the lines."""
        for task in self._tasks:
            task.cancel()
        for result in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(result, Exception):
                _log.error("an output failed", exc_info=result)

    def counts(self) -> dict[str, int]:
        """Return every sender's counters; safe to call from another thread."""
        return {name: value for sender in self._senders for name, value in sender.counts().items()}
