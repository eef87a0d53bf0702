# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The subscription of a client of the live stream: channels, rate, area, classes and format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from aegis.bridge.stream.channels import CHANNELS, DEFAULT_CHANNELS, VIDEO
from aegis.core.types import ClassId, Floats

MAX_RATE_HZ = 100.0


class SubscriptionError(ValueError):
    """A subscription is wrong; the message names the mistake and what is possible."""


class Format(StrEnum):
    """How messages are written."""

    JSON = "json"
    MSGPACK = "msgpack"
    SSE = "sse"  # JSON as a server-sent event
    DELTA = "delta"  # radar_frame as what has changed, the others as JSON


class Area(BaseModel):
    """A box in `map` (x east, y north) [m]; its edges are inside."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    x_min_m: FiniteFloat
    y_min_m: FiniteFloat
    x_max_m: FiniteFloat
    y_max_m: FiniteFloat

    @model_validator(mode="after")
    def _ordered(self) -> Area:
        if self.x_min_m > self.x_max_m or self.y_min_m > self.y_max_m:
            raise ValueError("x_min_m <= x_max_m and y_min_m <= y_max_m is needed")
        return self

    def holds(self, positions: Floats) -> NDArray[np.bool_]:
        """Return which of (N, 2 or more) positions [m] are inside; an unknown one is not."""
        x, y = positions[:, 0], positions[:, 1]
        inside: NDArray[np.bool_] = (
            (x >= self.x_min_m) & (x <= self.x_max_m) & (y >= self.y_min_m) & (y <= self.y_max_m)
        )
        return inside


@dataclass(frozen=True)
class Filter:
    """Which objects are wanted; None is all."""

    area: Area | None = None
    classes: frozenset[int] | None = None

    @property
    def everything(self) -> bool:
        """Whether nothing is filtered."""
        return self.area is None and self.classes is None

    def rows(
        self, positions: Callable[[], Floats], class_id: NDArray[Any], *, unplaced: bool = False
    ) -> NDArray[np.intp] | None:
        """Return the numbers of the objects that are wanted; None is all of them.

        Args:
            positions: returns (N, 2 or more) in map [m], NaN where unknown; called only with an area.
            class_id: (N,).
            unplaced: objects whose place is unknown are wanted too.
        """
        if self.everything:
            return None
        wanted = np.ones(len(class_id), dtype=bool)
        if self.area is not None:
            xy = positions()
            wanted = self.area.holds(xy)
            if unplaced:
                wanted |= ~np.isfinite(xy[:, :2]).all(axis=1)
        if self.classes is not None:
            wanted &= np.isin(class_id, list(self.classes))
        return np.flatnonzero(wanted)


ALL = Filter()


@dataclass(frozen=True)
class Subscription:
    """Clients with equal subscriptions get the same bytes."""

    channels: frozenset[str] = DEFAULT_CHANNELS
    rate_hz: float = 0.0  # messages a second of each channel at most; 0 is every one
    filter: Filter = ALL
    format: Format = Format.JSON

    def describe(self) -> dict[str, Any]:
        """Return it as a client sends it."""
        area, classes = self.filter.area, self.filter.classes
        return {
            "channels": sorted(self.channels),
            "rate_hz": self.rate_hz,
            "area": area.model_dump() if area else None,
            "classes": None if classes is None else [ClassId(c).name for c in sorted(classes)],
            "format": str(self.format),
        }


class Wanted(BaseModel):
    """A `subscribe` command, or the query of the event stream; what is not named is as in a new connection."""

    model_config = ConfigDict(extra="forbid")

    channels: Annotated[list[str], Field(max_length=len(CHANNELS))] | None = None
    rate_hz: Annotated[float, Field(ge=0.0, le=MAX_RATE_HZ, allow_inf_nan=False)] = 0.0
    area: Area | None = None
    classes: Annotated[list[str], Field(min_length=1, max_length=len(ClassId))] | None = None
    format: Format = Format.JSON


def subscription(fields: Mapping[str, Any], allowed: frozenset[str]) -> Subscription:
    """Return the subscription that a client asks for.

    Args:
        fields: as in `Wanted`.
        allowed: channels that its token is good for; without `channels` it gets the default ones of these.

    Raises:
        SubscriptionError: a field, channel or class that does not exist, a value out of bounds, or a channel beyond the
            token's scopes.
    """
    try:
        wanted = Wanted.model_validate(fields)
    except ValidationError as error:
        problems = [f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()]
        raise SubscriptionError("; ".join(problems)) from None
    channels = DEFAULT_CHANNELS & allowed if wanted.channels is None else frozenset(wanted.channels)
    if not channels <= CHANNELS.keys():
        raise SubscriptionError(f"channels is a list of {', '.join(CHANNELS)}")
    if not channels <= allowed:
        raise SubscriptionError(f"the token's scopes do not cover {', '.join(sorted(channels - allowed))}")
    if VIDEO in channels and wanted.format is not Format.DELTA:
        raise SubscriptionError("video is binary: it comes with format delta only")
    return Subscription(channels, wanted.rate_hz, Filter(wanted.area, class_ids(wanted.classes)), wanted.format)


def class_ids(names: list[str] | None) -> frozenset[int] | None:
    """Return the numbers of classes; None of None.

    Raises:
        SubscriptionError: a class that does not exist.
    """
    if names is None:
        return None
    unknown = [name for name in names if name not in ClassId.__members__]
    if unknown:
        raise SubscriptionError(f"classes: no {', '.join(unknown)[:64]}; known are {', '.join(ClassId.__members__)}")
    return frozenset(int(ClassId[name]) for name in names)
