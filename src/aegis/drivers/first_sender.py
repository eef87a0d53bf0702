# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which of several senders on one line is the radar: the first that is understood."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

HOLD_NS = 10_000_000_000  # so long is the first one silent before a new one is taken for it
MOST_SENDERS = 64  # that are remembered; of more, none is taken for the first

T = TypeVar("T", bound=Hashable)


class FirstSender(Generic[T]):
    """Tells the first sender from others.

    A radar that begins anew may have another address (DHCP), or be another unit. It is taken once the first has been silent for
    HOLD_NS; but never one that was heard between two packets of the first, as that is another radar.
    """

    def __init__(self) -> None:
        self.chosen: T | None = None
        self._heard_ns = 0
        self._since: set[T] = set()  # others heard since the chosen one's last packet
        self._beside: set[T] = set()  # others heard between two packets of a chosen one

    def is_other(self, sender: T, now_ns: int) -> bool:
        """Tell whether a packet is of another one than the radar."""
        if self.chosen is None or sender == self.chosen:
            return False
        known = sender in self._beside or sender in self._since
        if not known and len(self._beside) + len(self._since) >= MOST_SENDERS:
            return True
        if sender not in self._beside:
            self._since.add(sender)
        return sender in self._beside or now_ns - self._heard_ns < HOLD_NS

    def take(self, sender: T, now_ns: int) -> None:
        """Note a packet that was understood, of a sender that is no other."""
        self._since.discard(sender)
        if self._since and sender == self.chosen:
            self._beside |= self._since
            self._since.clear()
        self.chosen, self._heard_ns = sender, now_ns
