# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The queue from the ROS thread to the event loop, with a table of receivers; bounded, in order, the oldest of a kind dropped."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

_log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class _Takers:
    on_loop: tuple[Callable[[Any], object], ...]
    in_thread: tuple[Callable[[Any], object], ...]


class LoopQueue:
    """Queues what one thread puts and delivers it on the loop, to who takes its kind; one wake-up serves all that waits."""

    def __init__(self, loop: asyncio.AbstractEventLoop, length: int) -> None:
        """Prepare.

        Args:
            loop: where items are delivered.
            length: items of one kind that may wait.
        """
        self._loop = loop
        self._length = length
        self._takers: dict[type[Any], _Takers] = {}
        self._lock = threading.Lock()
        self._waiting: deque[tuple[type[Any], Any]] = deque()
        self._count: Counter[type[Any]] = Counter()
        self._scheduled = False
        self.dropped: Counter[type[Any]] = Counter()
        self.errors = 0

    def on(
        self, kind: type[T], *takers: Callable[[T], object], in_thread: Sequence[Callable[[T], object]] = ()
    ) -> None:
        """Connect a kind of items with its receivers; before the first is put.

        Args:
            kind: such as `Frame[Tracks]`.
            takers: called on the loop, in this order.
            in_thread: called before, in the thread that puts: they get every item, also those that are dropped here.
        """
        self._takers[kind] = _Takers(takers, tuple(in_thread))

    def put(self, kind: type[T], item: T) -> None:
        """Hand an item over; called from the other thread.

        Raises:
            RuntimeError: the loop is closed.
        """
        for take in self._takers[kind].in_thread:
            take(item)
        with self._lock:
            if self._count[kind] >= self._length:
                del self._waiting[next(i for i, (other, _) in enumerate(self._waiting) if other == kind)]
                self._count[kind] -= 1
                self.dropped[kind] += 1
            self._waiting.append((kind, item))
            self._count[kind] += 1
            if self._scheduled:
                return
            self._scheduled = True
        self._loop.call_soon_threadsafe(self._drain)

    def deliver(self, kind: type[T], item: T) -> None:
        """Give an item to who takes its kind; on the loop."""
        for take in self._takers[kind].on_loop:
            take(item)

    def counts(self) -> dict[str, int]:
        """Return how many items wait, how many were dropped, and how many could not be delivered."""
        with self._lock:
            return {"waiting": len(self._waiting), "dropped": self.dropped.total(), "errors": self.errors}

    def _drain(self) -> None:
        with self._lock:
            items, self._waiting = self._waiting, deque()
            self._count.clear()
            self._scheduled = False
        for kind, item in items:
            try:
                self.deliver(kind, item)
            except Exception:  # noqa: BLE001 - the other messages are still to be delivered
                self.errors += 1
                _log.exception("an item of %s could not be delivered", kind)
