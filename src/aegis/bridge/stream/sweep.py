# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The message of a sector of a radar's video: binary, for whoever asks for the channel `video` (docs/bridge.md)."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

from aegis.bridge.stream.bodies import sensor_of
from aegis.core.sensor import SensorPoses
from aegis.core.types import Detections
from aegis.core.video.spokes import Spokes
from aegis.core.video.sweep import BEARINGS, SweepSector, sweep_sectors

MOST_SENSORS = 64
KIND = 2  # first byte; delta frames begin with their version, 1
_HEAD = struct.Struct("<BBHHHIdddddH")


@dataclass(frozen=True)
class PlacedSector:
    """A sector, and where its sensor is."""

    sector: SweepSector
    age_s: float
    x_m: float
    y_m: float


class VideoBody(dict[str, object]):
    """The body of a video message; it has a binary form only."""

    def __init__(self, placed: PlacedSector) -> None:
        super().__init__()
        self._placed = placed

    def encoded(self, frame: int) -> bytes:
        """Return the message with its number: a head, the sensor's name, and the levels, range by range."""
        placed, sector = self._placed, self._placed.sector
        name = sector.sensor_id.encode()[:255]
        bearings, cells = sector.levels.shape
        head = _HEAD.pack(
            KIND, len(name), sector.first, bearings, cells, frame % 2**32, placed.age_s, placed.x_m, placed.y_m,
            sector.first_range_m, sector.cell_m, BEARINGS,
        )  # fmt: skip
        return head + name + sector.levels.tobytes()


class VideoFeed:
    """Makes sectors of a radar's video, and places them where its detections say that it is."""

    def __init__(self, mounted: SensorPoses) -> None:
        """Prepare; `mounted` is where sensors are that do not say so."""
        self._mounted = mounted
        self._detections: dict[str, Detections] = {}  # the last of each sensor

    def take_detections(self, detections: Detections) -> None:
        """Note where a sensor is, and how it is turned."""
        if detections.sensor_id in self._detections or len(self._detections) < MOST_SENSORS:
            self._detections[detections.sensor_id] = detections

    def sectors(self, video: Spokes, age_s: float) -> list[PlacedSector]:
        """Return the sectors of some spokes, placed."""
        place = sensor_of(self._mounted.pose(video.sensor_id), self._detections.get(video.sensor_id))
        found = sweep_sectors(video, math.radians(place["heading_deg"]))
        return [PlacedSector(sector, age_s, place["x_m"], place["y_m"]) for sector in found]
