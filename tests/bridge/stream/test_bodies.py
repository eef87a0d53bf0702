# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a message of the live stream says of a scan."""

import math
import time

import pytest
from bridge_data import some_detections

from aegis.bridge.live.columns import detection_brief, detection_rows
from aegis.bridge.live.frames import Frame, RadarFrame
from aegis.bridge.stream import bodies
from aegis.bridge.stream.subscription import Filter
from aegis.core.sensor import SensorPose
from aegis.core.types import Sector


@pytest.mark.parametrize(
    ("sector", "turn_s"),
    [
        (None, None),
        (Sector(-1.0, 0.0, 0.5, -math.pi / 4), 8.0),
        (Sector(-1.0, 0.0, 0.5, math.pi), 2.0),
        (Sector(-1.0, 0.0), bodies.USUAL_TURN_S),  # it turns, but nobody knows how fast
    ],
)
def test_a_turning_antenna_says_how_long_its_plots_are_shown(sector, turn_s):
    detections = some_detections(1, time.time_ns())
    detections.sector = sector
    frame = Frame(detections, 0.0, time.monotonic(), detection_rows, detection_brief)
    body = bodies.radar_frame(RadarFrame(frame, None), SensorPose(), Filter())
    assert body["turn_s"] == turn_s
    assert body["tracks"] is None


def test_a_detection_says_when_it_was_measured():
    detections = some_detections(1, time.time_ns())
    detections.time_offset[:] = [-0.75, 0.0, 0.1234]
    assert b'"time_offset_s":-0.75' in bytes(detection_rows(detections).json())
    assert b"time_offset_s" not in bytes(detection_brief(detections).json())
