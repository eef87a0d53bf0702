# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is remembered of the tracks that are held against zones: each has a slot, as the kernels take them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from aegis.core.types import Floats, Ints

Flags = NDArray[np.uint8]
_OF_TRACKS = (
    "track_id",
    "row",
    "there",
    "near",
    "place",
    "velocity",
    "speed",
    "course",
    "class_bit",
)  # whatever the rules


@dataclass
class Slots:
    """What is known of S slots, each of which has a track or is free; last axis S."""

    track_id: Ints
    row: Ints  # in the last picture in which something changed
    there: Flags  # 2: since this picture, 1: for longer, 0: free
    near: Flags  # scratch
    place: Floats  # (3, S) [m]
    velocity: Floats  # (3, S) [m/s]
    speed: Floats  # over ground
    course: Floats  # clockwise from north [rad]; NaN at rest
    class_bit: Ints
    inside: Flags  # (Z, S)
    crossed: Flags  # (Z, S) has been otherwise since it is known
    since: Floats  # (Z, S) since when it is inside, or outside [s]
    computed: Floats  # (C, S) nearest approaches and probabilities
    active: Flags  # (R, S) the rule holds
    against: Floats  # (R, S) since when the picture says otherwise [s]; -1: it does not

    @classmethod
    def empty(cls, slots: int, zones: int, rules: int, computing: int) -> Self:
        """Return free slots."""

        def flags(*shape: int) -> Flags:
            return np.zeros(shape, np.uint8)

        s = slots
        return cls(
            np.zeros(s, np.int64), np.zeros(s, np.int64), flags(s), flags(s), np.full((3, s), np.nan), np.zeros((3, s)),
            np.zeros(s), np.full(s, np.nan), np.zeros(s, np.int64), flags(zones, s), flags(zones, s), np.zeros((zones, s)),
            np.zeros((computing, s)), flags(rules, s), np.full((rules, s), -1.0),
        )  # fmt: skip

    def of(self, zones: int, rules: int, computing: int) -> Self:
        """Return the same slots for other zones and rules, of which nothing is known."""
        free = type(self).empty(len(self.there), zones, rules, computing)
        return replace(free, **{name: getattr(self, name) for name in _OF_TRACKS})

    def grown(self, slots: int) -> Self:
        """Return them with at least so many slots, and twice as many as before."""
        more = max(slots, 2 * len(self.there)) - len(self.there)
        free = type(self).empty(more, len(self.inside), len(self.active), len(self.computed))
        pairs = ((getattr(self, f.name), getattr(free, f.name)) for f in fields(self))
        return type(self)(*(np.concatenate(pair, axis=-1) for pair in pairs))
