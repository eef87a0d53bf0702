# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""One of somebody else's sources: its objects by its own names for them, our numbers of them, and when its next picture is due."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

import numpy as np

from aegis.core.fusion.foreign import MANOEUVRE_SIGMA_MPS2, ForeignObject, Report, picture_of
from aegis.core.ids import UniqueIds
from aegis.core.types import Tracks

NameT = TypeVar("NameT", bound=Hashable)
_NOISE = np.square(MANOEUVRE_SIGMA_MPS2)


class Taken(Enum):
    """What became of a report."""

    YES = "taken"
    LATE = "no later than the last one of its object"
    FULL = "of a new object, and there are as many as may be"


@dataclass(frozen=True)
class Limits:
    """What holds for each source of a kind."""

    period_s: float  # between its pictures, at least
    keep_s: float  # an object that was not reported for so long is dropped
    speed_sigma_mps: float  # of an object whose speed nobody states, along each axis
    most: int  # objects


class ForeignSource(Generic[NameT]):
    """One source.

    Args:
        sensor_id: of its pictures.
        limits: of it.
        ids: of tracks.
    """

    def __init__(self, sensor_id: str, limits: Limits, ids: UniqueIds) -> None:
        self.sensor_id = sensor_id
        self.objects: dict[NameT, ForeignObject] = {}
        self._limits, self._ids = limits, ids
        self._numbers: dict[NameT, int] = {}  # track ids
        self._latest_ns = 0  # stamp of its last report
        self._picture_ns = 0  # and of its last picture
        self._shown_ns = 0  # when that was made
        self._fresh = False  # there are reports that are in no picture yet
        self._sequence = 0

    def take(self, name: NameT, report: Report) -> Taken:
        """Take a report of an object; tell what became of it."""
        known = self.objects.get(name)
        if known is not None:
            if not known.take(report):
                return Taken.LATE
        elif len(self.objects) >= self._limits.most:
            return Taken.FULL
        else:
            self.objects[name] = ForeignObject(report, self._limits.speed_sigma_mps, _NOISE)
            if name not in self._numbers:
                self._numbers[name] = int(self._ids.take(1)[0])
        self.note(report.stamp_ns)
        return Taken.YES

    def end(self, name: NameT, *, reused: bool) -> bool:
        """Drop an object that its source has ended; return whether there was one.

        Args:
            name: of the object.
            reused: the source gives the name to another object next, which is to have a number of its own.
        """
        if reused:
            self._numbers.pop(name, None)
        return self.objects.pop(name, None) is not None

    def note(self, stamp_ns: int) -> None:
        """Let there be another picture: something has changed, at a time."""
        self._latest_ns, self._fresh = max(self._latest_ns, stamp_ns), True

    def clear(self) -> None:
        """Drop all objects."""
        self.objects.clear()
        self._fresh = True

    def picture(self, now_ns: int, frame_id: str) -> Tracks | None:
        """Return its picture where something has come since the last one, and it is due; else None."""
        if not self._fresh or now_ns - self._shown_ns < self._limits.period_s * 1e9:
            return None
        self._fresh, self._shown_ns = False, now_ns
        self._sequence += 1
        oldest_ns = self._latest_ns - round(self._limits.keep_s * 1e9)
        self.objects = {name: one for name, one in self.objects.items() if one.stamp_ns >= oldest_ns}
        self._numbers = {name: number for name, number in self._numbers.items() if name in self.objects}
        # Reports of one time may come in two pictures, and the fusion takes each stamp only once.
        self._picture_ns = max(self._latest_ns, self._picture_ns + 1)
        numbered = [(self._numbers[name], one) for name, one in self.objects.items()]
        return picture_of(numbered, self._picture_ns, self._sequence, self.sensor_id, frame_id)
