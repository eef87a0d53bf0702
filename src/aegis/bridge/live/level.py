# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What tilted sensors see, as it is shown: as a level sensor would see it that stands in the same place and looks the same way."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from aegis.core.angles import wrapped
from aegis.core.sensor import SensorPoses
from aegis.core.tracking.measurement import level_with
from aegis.core.types import Detections, Floats, Pose, Signal

MOST_SENSORS = 64  # whose last pose is kept
LEVEL = 1e-9  # of the direction of up


class LevelView:
    """Turns directions out of the frames of sensors into level ones, with the x axis to the same side."""

    def __init__(self, mounted: SensorPoses) -> None:
        """Prepare; `mounted` is where sensors are that do not say so."""
        self._mounted = mounted
        self._turned: dict[str, Floats] = {}  # the last rotation of each sensor that says it

    def detections(self, d: Detections) -> Detections:
        """Return detections of a level sensor; of one that is level they are what they were."""
        if d.pose is not None and (d.sensor_id in self._turned or len(self._turned) < MOST_SENSORS):
            self._turned[d.sensor_id] = d.pose.rotation
        mounted = self._mounted.pose(d.sensor_id)
        pose = d.pose or Pose(mounted.position(), mounted.rotation(), np.zeros(3))
        if _is_level(pose.rotation):
            return d
        level = replace(pose, rotation=_heading(pose.rotation))
        known = np.isfinite(d.elevation)
        elevation = np.nan_to_num(d.elevation)
        flat = d.range * np.cos(elevation)
        local = np.stack([flat * np.cos(d.azimuth), flat * np.sin(d.azimuth), d.range * np.sin(elevation)], axis=1)
        away = np.where(known[:, None], local @ pose.rotation.T, level_with(d.range, d.azimuth, pose) - pose.position)
        x, y, z = (away @ level.rotation).T
        return replace(
            d, azimuth=np.arctan2(y, x), elevation=np.where(known, np.arctan2(z, np.hypot(x, y)), np.nan), pose=level
        )

    def signals(self, signals: list[Signal]) -> list[Signal]:
        """Return signals whose bearings are those of level sensors; a strobe is of what is on the horizon of its sensor."""
        return [self._signal(one) if math.isfinite(one.bearing) else one for one in signals]

    def _signal(self, signal: Signal) -> Signal:
        turned = self._turned.get(signal.sensor)
        turned = self._mounted.pose(signal.sensor).rotation() if turned is None else turned
        if _is_level(turned):
            return signal
        bearing = np.array([math.cos(signal.bearing), math.sin(signal.bearing), 0.0])
        x, y, _ = _heading(turned).T @ turned @ bearing
        return replace(signal, bearing=float(wrapped(np.arctan2(y, x))))


def _is_level(rotation: Floats) -> bool:
    return bool(rotation[2, 2] > 0.0 and np.abs(rotation[2, :2]).max() < LEVEL)


def _heading(rotation: Floats) -> Floats:
    """Return the level rotation (3, 3) with the same heading."""
    yaw = math.atan2(rotation[1, 0], rotation[0, 0])
    c, s = math.cos(yaw), math.sin(yaw)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
