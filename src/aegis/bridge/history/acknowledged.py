# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How far each stage's events are kept, so that a sender knows what it need not send again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

MOST_STAGES = 64  # any DDS participant can send new names


class Origin(NamedTuple):
    """What identifies an event."""

    stage: str
    run_id: str
    epoch: int
    sequence: int


@dataclass(frozen=True)
class Position:
    """Of one start of a stage: the events `first` to `sequence` are kept, with none missing between them.

    A sender that wants nothing lost goes back to `sequence` + 1 when that does not move on. Of one that does not, `highest`
    runs ahead for good once an event got lost on the way to the bridge.
    """

    run_id: str
    epoch: int
    first: int
    sequence: int
    highest: int  # number that is kept

    def after(self, origin: Origin) -> Position:
        """Return the position when one more event is kept."""
        _, run_id, epoch, sequence = origin
        if run_id == self.run_id and epoch < self.epoch:
            return self  # a late one of an earlier start
        if (run_id, epoch) != (self.run_id, self.epoch):
            return start(origin)
        highest = max(sequence, self.highest)
        if sequence < self.first:  # the sender goes back to before the first one received
            return Position(run_id, epoch, sequence, sequence, highest)
        last = sequence if sequence == self.sequence + 1 else self.sequence
        return Position(run_id, epoch, self.first, last, highest)


def start(origin: Origin) -> Position:
    """Return the position after the first event received of a stage's start."""
    return Position(origin.run_id, origin.epoch, origin.sequence, origin.sequence, origin.sequence)


def advance(positions: Mapping[str, Position], origins: Iterable[Origin]) -> dict[str, Position]:
    """Return each stage's position when these events are kept as well; of too many stages, the latest."""
    out = dict(positions)
    for origin in origins:
        last = out.pop(origin.stage, None)
        out[origin.stage] = last.after(origin) if last else start(origin)
        if len(out) > MOST_STAGES:
            del out[next(iter(out))]
    return out
