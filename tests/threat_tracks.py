# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tracks made by hand, for tests of the assessment."""

import numpy as np

from aegis.core.types import N_CLASSES, Tracks, TrackStatus


def tracks_of(*rows, status=TrackStatus.CONFIRMED, sigma=(5.0, 1.0)) -> Tracks:
    """Return tracks of rows (id, class, position, velocity)."""
    n = len(rows)
    probability = np.full((n, N_CLASSES), 0.05 / (N_CLASSES - 1))
    for i, row in enumerate(rows):
        probability[i, row[1]] = 0.95
    return Tracks(
        stamp_ns=1, frame_id="map", sequence=4, sensor_id="radar", track_id=np.array([r[0] for r in rows], dtype=int),
        status=np.full(n, int(status)), state=np.array([[*r[2], *r[3]] for r in rows], dtype=float).reshape(n, 6),
        covariance=np.broadcast_to(np.diag([sigma[0] ** 2] * 3 + [sigma[1] ** 2] * 3), (n, 6, 6)).copy(),
        class_id=np.array([r[1] for r in rows], dtype=int), class_probability=probability,
        existence_probability=np.ones(n), rcs_dbsm=np.zeros(n), age=np.ones(n), time_since_update=np.zeros(n),
        hits=np.full(n, 5),
    )  # fmt: skip
