# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Brings the detections and the tracks of one scan together."""

from __future__ import annotations

from collections.abc import Iterator

from aegis.bridge.live.frames import Frame, RadarFrame
from aegis.core.types import Detections, Tracks


class ScanJoin:
    """Pairs each sensor's scans by sequence number, and waits for tracks no longer than until the sensor's next detections.

    Detections come first, because the tracks are made from them. Where the tracks of a scan never come, its detections go
    on alone; where the detections are lost, or late, the tracks do.
    """

    def __init__(self) -> None:
        # By sensor.
        self._waiting: dict[str, Frame[Detections]] = {}
        self._tracks_sequence: dict[str, int] = {}  # of the last tracks

    def take_detections(self, frame: Frame[Detections]) -> Iterator[RadarFrame]:
        """Take a scan's detections; yield those that need not, or need no longer, wait for their tracks."""
        sensor = frame.data.sensor_id
        if sensor in self._waiting:
            yield RadarFrame(self._waiting.pop(sensor), None)
        if frame.data.sequence == self._tracks_sequence.get(sensor):
            yield RadarFrame(frame, None)
        else:
            self._waiting[sensor] = frame

    def take_tracks(self, frame: Frame[Tracks]) -> Iterator[RadarFrame]:
        """Take the tracks after a scan; yield its frame."""
        sensor, sequence = frame.data.sensor_id, frame.data.sequence
        self._tracks_sequence[sensor] = sequence
        waiting = self._waiting.get(sensor)
        if waiting is not None and waiting.data.sequence == sequence:
            yield RadarFrame(self._waiting.pop(sensor), frame)
            return
        if waiting is not None and waiting.data.sequence < sequence:
            yield RadarFrame(self._waiting.pop(sensor), None)
        yield RadarFrame(None, frame)
