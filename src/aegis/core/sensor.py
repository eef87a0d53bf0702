# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where the sensor is: declared once, inherited by every stage that has to know it."""

from __future__ import annotations

import math

import numpy as np

from aegis.core.params import Settings, named, param
from aegis.core.types import Floats


class SensorPose(Settings):
    """Position and heading of the sensor's frame (x forward, y left, z up) in `map` (x east, y north, z up).

    Where the sensor rides on a moving platform: in the platform's own frame (x ahead, y left, z up).
    """

    sensor_x: float = param(
        0.0, "Position of the sensor in map, east; on a moving platform: ahead of the platform's origin.", unit="m"
    )
    sensor_y: float = param(
        0.0, "Position of the sensor in map, north; on a moving platform: left of the platform's origin.", unit="m"
    )
    sensor_z: float = param(
        0.0, "Position of the sensor in map, up; on a moving platform: above the platform's origin.", unit="m"
    )
    sensor_yaw_deg: float = param(
        0.0, "Direction of the sensor's x axis, anticlockwise from east; on a moving platform: from straight ahead.",
        unit="deg", ge=-360.0, le=360.0,
    )  # fmt: skip

    sensor_pitch_deg: float = param(
        0.0, "How far its x axis points down from the horizon (as in ROS); negative: up, as of a panel that is tilted back.",
        unit="deg", ge=-90.0, le=90.0,
    )  # fmt: skip
    sensor_roll_deg: float = param(
        0.0, "How far it is turned about its x axis, its left side up; 180: it hangs upside down.", unit="deg", ge=-180.0, le=180.0
    )  # fmt: skip

    def position(self) -> Floats:
        """Return the sensor's position, (3,) [m]."""
        return np.array([self.sensor_x, self.sensor_y, self.sensor_z])

    def rotation(self) -> Floats:
        """Return the (3, 3) matrix that turns vectors of the sensor's frame into map (or the platform's frame)."""
        c, s = math.cos(math.radians(self.sensor_yaw_deg)), math.sin(math.radians(self.sensor_yaw_deg))
        yaw = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
        if not (self.sensor_pitch_deg or self.sensor_roll_deg):
            return yaw
        c, s = math.cos(math.radians(self.sensor_pitch_deg)), math.sin(math.radians(self.sensor_pitch_deg))
        pitch = np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])
        c, s = math.cos(math.radians(self.sensor_roll_deg)), math.sin(math.radians(self.sensor_roll_deg))
        return np.asarray(yaw @ pitch @ np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]]))

    def to_map(self, points: Floats) -> Floats:
        """Return (N, 3) points of the sensor's frame in map, (N, 3) [m]."""
        return np.asarray(points, dtype=float) @ self.rotation().T + self.position()


class SensorPoses(SensorPose):
    """Where a sensor is, and where each of several is."""

    sensors: dict[str, SensorPose] = named("sensor_id", "Where one of several sensors is.")

    def pose(self, sensor_id: str) -> SensorPose:
        """Return where a sensor is."""
        return self.sensors.get(sensor_id, self)
