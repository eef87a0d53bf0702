# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Numbered messages of one topic of one site, given on once and in their order, and what of them is missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

MOST_HELD = 1000  # messages that came before their turn
MOST_HELD_BYTES = 4 * 2**20
MOST_FORMER = 4  # records that are remembered: a site goes on with an older one when its disk is back


@dataclass
class InOrder:
    """Holds back what comes before its turn.

    A site numbers what it records from 1 on. A record has an identity: with another one, numbers begin anew.
    """

    record: int = 0  # identity of the site's record; 0: none known yet
    next: int = 1  # number that is given on next
    head: int = 0  # the largest that is known to be there
    lost: int = 0  # that the site's record had no more when they were asked for
    repeated: int = 0
    former: dict[int, int] = field(default_factory=dict)  # `next` of records before this one
    _held: dict[int, bytes] = field(default_factory=dict)
    _held_bytes: int = 0

    def heard(self, record: int, first: int, last: int) -> list[bytes]:
        """Take note of what a site's record holds; return what can be given on now that it has dropped what was due."""
        if record != self.record:
            if self.record:
                self.former[self.record] = self.next
            while len(self.former) > MOST_FORMER:
                del self.former[next(iter(self.former))]
            self.record, self.next, self.head = record, self.former.pop(record, first), last
            self._held.clear()
            self._held_bytes = 0
            return self._pass_over(first)
        self.head = max(self.head, last)
        return [*self._pass_over(first), *self._follow()]

    def take(self, record: int, sequence: int, message: bytes) -> list[bytes]:
        """Take a message that was just sent; return what can be given on now.

        One of a record that is not known yet is left to be asked for.
        """
        if record != self.record:
            return []
        self.head = max(self.head, sequence)
        if sequence < self.next or sequence in self._held:
            self.repeated += 1
            return []
        if sequence > self.next:
            if len(self._held) < MOST_HELD and self._held_bytes + len(message) <= MOST_HELD_BYTES:
                self._held[sequence] = message
                self._held_bytes += len(message)
            return []
        self.next += 1
        return [message, *self._follow()]

    def take_page(self, record: int, page: Iterable[tuple[int, bytes]]) -> list[bytes]:
        """Take what the record has from `next` on, in its order; return what can be given on now.

        A number that is passed over in it is one that the record does not have.
        """
        out: list[bytes] = []
        if record != self.record:
            return out
        for sequence, message in page:
            if sequence < self.next:
                self.repeated += 1
                continue
            out += self._pass_over(sequence)
            self._take_held(sequence)
            self.next = sequence + 1
            self.head = max(self.head, sequence)
            out.append(message)
            out += self._follow()
        return out

    def nothing_from(self, record: int, sequence: int) -> list[bytes]:
        """Take note that the record has nothing from a number on; return what can be given on without it."""
        return self._pass_over(self.head + 1) if (record, sequence) == (self.record, self.next) else []

    @property
    def missing(self) -> bool:
        """Tell whether something is to be asked for, from `next` on."""
        return bool(self.record) and self.next <= self.head

    def _follow(self) -> list[bytes]:
        out = []
        while (message := self._take_held(self.next)) is not None:
            out.append(message)
            self.next += 1
        return out

    def _pass_over(self, end: int) -> list[bytes]:
        """Wait for nothing below `end` any more; return what is held of it. The rest is lost."""
        if end <= self.next:
            return []
        held = [self._take_held(sequence) for sequence in sorted(s for s in self._held if s < end)]
        out = [message for message in held if message is not None]
        self.lost += end - self.next - len(out)
        self.next = end
        return out

    def _take_held(self, sequence: int) -> bytes | None:
        message = self._held.pop(sequence, None)
        if message is not None:
            self._held_bytes -= len(message)
        return message
