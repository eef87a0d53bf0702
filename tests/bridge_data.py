# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Detections, tracks and threats with values that a test of the bridge can tell back."""

import json
import time

import numpy as np
from aegis_msgs.msg import PipelineStatus

from aegis.core.types import N_CLASSES, ClassId, Detections, Threats, Tracks


def some_detections(sequence: int, stamp_ns: int, n: int = 3) -> Detections:
    column = np.arange(n, dtype=float)
    probability = np.full((n, N_CLASSES), 0.02)
    probability[:, ClassId.DRONE] = 1 - 0.02 * (N_CLASSES - 1)
    return Detections(
        stamp_ns=stamp_ns,
        frame_id="radar",
        sequence=sequence,
        sensor_id="test-radar",
        cartesian_accuracy=False,
        id=np.arange(n),
        range=1000.0 + 100.0 * column,
        azimuth=np.full(n, np.pi / 6),
        elevation=np.where(column == 1, np.nan, np.pi / 12),
        range_rate=-12.5 - column,
        variance=np.ones((n, 4)),
        snr_db=20.0 + column,
        rcs_dbsm=np.full(n, -10.0),
        noise_db=np.full(n, 3.0),
        points=np.full(n, 4),
        class_id=np.full(n, int(ClassId.DRONE)),
        confidence=np.full(n, 0.82),
        class_probability=probability,
    )


def some_tracks(sequence: int, stamp_ns: int, n: int = 2, first_id: int = 41, sensor_id: str = "test-radar") -> Tracks:
    """Tracks on a circle: number i of n is at compass bearing 360 i / n + 30 degrees, and flies straight outwards."""
    bearing = 2 * np.pi * np.arange(n) / n + np.pi / 6
    outwards = np.stack([np.sin(bearing), np.cos(bearing), np.zeros(n)], axis=1)
    state = np.concatenate([600.0 * outwards, 20.0 * outwards], axis=1)
    probability = np.full((n, N_CLASSES), 0.02)
    probability[:, ClassId.AIRCRAFT] = 1 - 0.02 * (N_CLASSES - 1)
    return Tracks(
        stamp_ns=stamp_ns,
        frame_id="map",
        sequence=sequence,
        sensor_id=sensor_id,
        track_id=np.arange(first_id, first_id + n),
        status=np.full(n, 2),
        state=state,
        covariance=np.tile(np.diag([4.0, 9.0, 16.0, 1.0, 1.0, 1.0]), (n, 1, 1)),
        class_id=np.full(n, int(ClassId.AIRCRAFT)),
        class_probability=probability,
        existence_probability=np.full(n, 0.97),
        rcs_dbsm=np.full(n, np.nan),
        age=np.full(n, 12.5),
        time_since_update=np.zeros(n),
        hits=np.full(n, 25),
    )


def some_threats(sequence: int, stamp_ns: int, track_id: int = 41, sensor_id: str = "test-radar") -> Threats:
    return Threats(
        stamp_ns=stamp_ns,
        frame_id="map",
        sequence=sequence,
        sensor_id=sensor_id,
        track_id=np.array([track_id, track_id + 1]),
        class_id=np.full(2, int(ClassId.AIRCRAFT)),
        level=np.array([4, 2]),
        score=np.array([0.9375, 0.5]),
        time_to_cpa=np.array([12.25, 0.0]),
        cpa_distance=np.array([30.5, 900.0]),
        cpa_distance_sigma=np.array([5.0, np.nan]),
        time_to_impact=np.array([11.75, np.nan]),
        reason=["impact in 12 s <b>now</b>", "close, but leaving"],
    )


def some_status(stage: str, detail: dict | None = None, **values: float) -> PipelineStatus:
    """A stage's status row; of what is not given, counts are 5 and times 12.5 ms."""
    row = PipelineStatus(stage=[stage], detail=[json.dumps({} if detail is None else detail)])
    for name in ("rate_hz", "step_p50", "step_p99", "latency_p50", "latency_p99"):
        setattr(row, name, [values.get(name, 0.0125)])
    for name in ("received", "published", "dropped", "objects_dropped", "sequence_gaps", "errors"):
        setattr(row, name, [values.get(name, 5)])
    return row


def until(socket, kind: str, deadline_s: float = 20.0) -> dict:
    """Return the next message of a kind from a WebSocket."""
    end = time.monotonic() + deadline_s
    while True:
        message = json.loads(socket.recv(max(0.01, end - time.monotonic())))
        if message["type"] == kind:
            return message
