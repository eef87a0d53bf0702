"""From the ROS thread to the event loop: bounded, in order of arrival, the oldest of a topic dropped and counted."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

_log = logging.getLogger(__name__)


class Handover:
    """Queues what one thread puts and delivers it on the loop; one wake-up serves all that waits."""

    def __init__(self, loop: asyncio.AbstractEventLoop, deliver: Callable[[str, Any], None], length: int) -> None:
        """Prepare.

        Args:
            loop: where `deliver` is called.
            deliver: takes the topic and the item; an exception is logged and counted.
            length: items of one topic that may wait.
        """
        self._loop = loop
        self._deliver = deliver
        self._length = length
        self._lock = threading.Lock()
        self._waiting: deque[tuple[str, Any]] = deque()
        self._count: Counter[str] = Counter()
        self._scheduled = False
        self.dropped: Counter[str] = Counter()
        self.errors = 0

    def put(self, topic: str, item: Any) -> None:
        """Hand an item over; called from the other thread.

        Raises:
            RuntimeError: the loop is closed.
        """
        with self._lock:
            if self._count[topic] >= self._length:
                del self._waiting[next(i for i, (name, _) in enumerate(self._waiting) if name == topic)]
                self._count[topic] -= 1
                self.dropped[topic] += 1
            self._waiting.append((topic, item))
            self._count[topic] += 1
            if self._scheduled:
                return
            self._scheduled = True
        self._loop.call_soon_threadsafe(self._drain)

    def counts(self) -> dict[str, int]:
        """Return how many items wait, how many were dropped, and how many could not be delivered."""
        with self._lock:
            return {"waiting": len(self._waiting), "dropped": self.dropped.total(), "errors": self.errors}

    def _drain(self) -> None:
        with self._lock:
            items, self._waiting = self._waiting, deque()
            self._count.clear()
            self._scheduled = False
        for topic, item in items:
            try:
                self._deliver(topic, item)
            except Exception:  # noqa: BLE001 - the other messages are still to be delivered
                self.errors += 1
                _log.exception("a message of '%s' could not be delivered", topic)
