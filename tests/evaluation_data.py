# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Pictures and truth made by hand, for tests of the evaluation."""

import numpy as np

from aegis.core.evaluation.evaluate import Recording
from aegis.core.evaluation.scene import TrueObject
from aegis.core.types import N_CLASSES, ClassId, Tracks, TrackStatus

SECOND = 1_000_000_000


def picture(
    at_s: float, rows, *, status=TrackStatus.CONFIRMED, sigma=5.0, class_id=ClassId.AIRCRAFT, fresh=True
) -> Tracks:
    """Return a picture of rows (id, x, y, vx, vy)."""
    rows = np.asarray(rows, dtype=float).reshape(-1, 5)
    n = len(rows)
    probability = np.zeros((n, N_CLASSES))
    probability[:, int(class_id)] = 1.0
    state = np.column_stack([rows[:, 1:3], np.zeros(n), rows[:, 3:5], np.zeros(n)])
    return Tracks(
        stamp_ns=round(at_s * SECOND), frame_id="map", sequence=1, sensor_id="radar", track_id=rows[:, 0].astype(np.int64),
        status=np.full(n, int(status)), state=state, covariance=np.tile(np.eye(6) * sigma**2, (n, 1, 1)),
        class_id=np.full(n, int(class_id)), class_probability=probability, existence_probability=np.ones(n),
        rcs_dbsm=np.zeros(n), age=np.ones(n), time_since_update=np.full(n, 0.0 if fresh else 1.0), hits=np.ones(n, dtype=np.int64),
    )  # fmt: skip


def straight(one: int, times, position, velocity, *, class_id=ClassId.AIRCRAFT, in_view=None) -> TrueObject:
    """Return an object that is at `position` (x, y, z) at time 0 and moves evenly."""
    times = np.asarray(times, dtype=float)
    places = np.asarray(position, dtype=float) + times[:, None] * np.asarray(velocity, dtype=float)
    return TrueObject(
        one, f"object {one}", int(class_id), np.round(times * SECOND).astype(np.int64),
        np.column_stack([places, np.tile(velocity, (len(times), 1))]),
        np.ones(len(times), dtype=bool) if in_view is None else np.asarray(in_view, dtype=bool),
    )  # fmt: skip


def recording(pictures, objects, **more) -> Recording:
    """Return a recording in which the truth is known for ever."""
    return Recording(pictures=list(pictures), objects=list(objects), span_ns=None, **more)
