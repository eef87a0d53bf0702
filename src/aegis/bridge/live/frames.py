"""One message of the graph, with its age and its objects for JSON."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar

from aegis.bridge.live.encoded import Rows
from aegis.core.types import Advice, Detections, Signal, Tracks


class Stamped(Protocol):
    """What detections, tracks and threats have in common."""

    stamp_ns: int
    frame_id: str
    sequence: int
    sensor_id: str

    def __len__(self) -> int: ...


T = TypeVar("T", bound=Stamped)
E = TypeVar("E", Signal, Advice)


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
    encode: Callable[[T], Rows]
    encode_brief: Callable[[T], Rows] | None = None  # None: what is shown live is the same
    revision: int = 0  # counts what was changed about it since its receipt

    @cached_property
    def rows(self) -> Rows:
        """The objects with all fields; made when first asked for."""
        return self.encode(self.data)

    @cached_property
    def brief(self) -> Rows:
        """The objects as the live stream shows them; made when first asked for."""
        return self.rows if self.encode_brief is None else self.encode_brief(self.data)

    def head(self) -> dict[str, Any]:
        """Return what every body and message about it begins with."""
        return {
            "sequence": self.data.sequence,
            "sensor_id": self.data.sensor_id,
            "stamp_s": self.data.stamp_ns / 1e9,
            "age_s": round(self.age_s, 3),
            "frame_id": self.data.frame_id,
        }


@dataclass(frozen=True)
class EwFrame(_Ageing, Generic[E]):
    """The active signals, or all advice, with their objects for JSON."""

    items: Sequence[E]
    rows: Rows
    stamp_ns: int
    age_at_receipt_s: float
    received_at: float

    def head(self) -> dict[str, Any]:
        """Return when it was said, and how long ago that is."""
        return {"stamp_s": self.stamp_ns / 1e9, "age_s": round(self.age_s, 3)}


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
