"""Brings the detections and the tracks of one scan together."""

from __future__ import annotations

from collections.abc import Iterator

from aegis.bridge.latest import Frame, RadarFrame
from aegis.core.types import Detections, Tracks


class ScanJoin:
    """Pairs by sequence number, and never waits for tracks longer than until the next scan's detections.

    Detections come first, because the tracks are made from them. Where the tracks of a scan never come, its detections go
    on alone; where the detections are lost, or late, the tracks do.
    """

    def __init__(self) -> None:
        self._waiting: Frame[Detections] | None = None
        self._tracks_sequence: int | None = None  # of the last tracks

    def take_detections(self, frame: Frame[Detections]) -> Iterator[RadarFrame]:
        """Take a scan's detections; yield those that need not, or need no longer, wait for their tracks."""
        if self._waiting is not None:
            yield RadarFrame(self._waiting, None)
            self._waiting = None
        if frame.data.sequence == self._tracks_sequence:
            yield RadarFrame(frame, None)
        else:
            self._waiting = frame

    def take_tracks(self, frame: Frame[Tracks]) -> Iterator[RadarFrame]:
        """Take the tracks after a scan; yield its frame."""
        waiting, self._tracks_sequence = self._waiting, frame.data.sequence
        if waiting is not None and waiting.data.sequence == frame.data.sequence:
            self._waiting = None
            yield RadarFrame(waiting, frame)
            return
        if waiting is not None and waiting.data.sequence < frame.data.sequence:
            self._waiting = None
            yield RadarFrame(waiting, None)
        yield RadarFrame(None, frame)
