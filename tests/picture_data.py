# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tracks and threats made by hand, for the tests of the pictures."""

import numpy as np

from aegis.core.types import N_CLASSES, ClassId, ThreatLevel, Threats, Tracks, TrackStatus

SECOND = 1_000_000_000


def make_tracks(ids, *, stamp_ns=0, sequence=1, status=TrackStatus.CONFIRMED, state=None, sensor_id="radar"):
    n = len(ids)
    return Tracks(
        stamp_ns=stamp_ns,
        frame_id="map",
        sequence=sequence,
        sensor_id=sensor_id,
        track_id=np.array(ids, dtype=np.int64),
        status=np.full(n, int(status)),
        state=np.tile([100.0, 200.0, 50.0, 3.0, 4.0, 0.0], (n, 1)) if state is None else np.asarray(state, dtype=float),
        covariance=np.tile(np.eye(6), (n, 1, 1)),
        class_id=np.full(n, int(ClassId.DRONE)),
        class_probability=np.full((n, N_CLASSES), 1 / N_CLASSES),
        existence_probability=np.ones(n),
        rcs_dbsm=np.zeros(n),
        age=np.ones(n),
        time_since_update=np.zeros(n),
        hits=np.ones(n, dtype=np.int64),
    )


def make_threats(ids, levels, *, sequence=1, sensor_id="radar", unlisted=()):
    """Return an assessment: threats with these levels, and pairs (id, level) below the list."""
    n = len(ids)
    nan = np.full(n, np.nan)
    return Threats(
        stamp_ns=0,
        frame_id="map",
        sequence=sequence,
        sensor_id=sensor_id,
        track_id=np.array(ids),
        class_id=np.full(n, int(ClassId.DRONE)),
        level=np.array(levels),
        score=np.zeros(n),
        time_to_cpa=nan,
        cpa_distance=nan,
        cpa_distance_sigma=nan,
        time_to_impact=nan,
        reason=["because"] * n,
        listed_from=int(ThreatLevel.MEDIUM if unlisted else ThreatLevel.LOW),
        unlisted_track_id=np.array([track_id for track_id, _ in unlisted], dtype=np.int64),
        unlisted_level=np.array([level for _, level in unlisted], dtype=np.int64),
    )
