# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""One message of the graph, with its age and its objects for JSON."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, Protocol, TypedDict, TypeVar

from aegis.bridge.live.encoded import EncodedRows
from aegis.core.threat.areas import ProtectedArea
from aegis.core.types import Advice, Alarm, Detections, Signal, Tracks


class Stamped(Protocol):
    """What detections, tracks and threats have in common."""

    stamp_ns: int
    frame_id: str
    sequence: int
    sensor_id: str

    def __len__(self) -> int: ...


T = TypeVar("T", bound=Stamped)
E = TypeVar("E", Signal, Advice, Alarm, ProtectedArea)


class Head(TypedDict):
    """What every body of measured data begins with; as `models.common.Frame` describes it."""

    sequence: int
    sensor_id: str
    stamp_s: float
    age_s: float
    frame_id: str


class EwHead(TypedDict):
    """What the signals and the advice begin with."""

    stamp_s: float
    age_s: float


class _Ageing:
    """Has an age that counts on from what it was at receipt by a steady clock: a step of the system clock makes nothing young."""

    age_at_receipt_s: float
    received_at: float  # time.monotonic()

    @property
    def age_s(self) -> float:
        """Seconds since the measurement."""
        return self.age_at_receipt_s + time.monotonic() - self.received_at


@dataclass(frozen=True)
class Frame(_Ageing, Generic[T]):
    """One message of measured data, with its objects for JSON."""

    data: T
    age_at_receipt_s: float
    received_at: float
    encode: Callable[[T], EncodedRows]
    encode_brief: Callable[[T], EncodedRows] | None = None  # None: what is shown live is the same
    revision: int = 0  # counts what was changed about it since its receipt

    @cached_property
    def rows(self) -> EncodedRows:
        """The objects with all fields; made when it is first wanted."""
        return self.encode(self.data)

    @cached_property
    def brief(self) -> EncodedRows:
        """The objects as the live stream shows them; made when it is first wanted."""
        return self.rows if self.encode_brief is None else self.encode_brief(self.data)

    def head(self) -> Head:
        """Return what every body and message about it begins with."""
        return Head(
            sequence=self.data.sequence,
            sensor_id=self.data.sensor_id,
            stamp_s=self.data.stamp_ns / 1e9,
            age_s=round(self.age_s, 3),
            frame_id=self.data.frame_id,
        )


@dataclass(frozen=True)
class EwFrame(_Ageing, Generic[E]):
    """The active signals, all advice, all alarms, or all areas, with their objects for JSON."""

    items: Sequence[E]
    rows: EncodedRows
    stamp_ns: int
    age_at_receipt_s: float
    received_at: float

    def head(self) -> EwHead:
        """Return its stamp, and its age."""
        return EwHead(stamp_s=self.stamp_ns / 1e9, age_s=round(self.age_s, 3))


@dataclass(frozen=True)
class RadarFrame:
    """The detections and the tracks of one scan; None is what did not arrive in time."""

    detections: Frame[Detections] | None
    tracks: Frame[Tracks] | None

    @property
    def main(self) -> Frame[Any]:
        """The part that names the frame."""
        frame = self.tracks or self.detections
        assert frame is not None
        return frame
