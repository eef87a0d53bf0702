"""A picture of a given size: tracks on a circle that fly outwards, and a detection of each."""

from __future__ import annotations

import numpy as np

from aegis.core.types import N_CLASSES, ClassId, Detections, ThreatLevel, Threats, Tracks, TrackStatus

SENSOR = "bench"
_RADIUS_M, _SPEED_MPS, _SCANS_A_SECOND = 5000.0, 120.0, 10.0


def _bearings(n: int) -> np.ndarray:
    return 2.0 * np.pi * np.arange(n) / max(n, 1)


def _distance_m(sequence: int) -> float:
    return _RADIUS_M + _SPEED_MPS * (sequence / _SCANS_A_SECOND % 60.0)


def _probabilities(n: int) -> np.ndarray:
    probability = np.full((n, N_CLASSES), 0.02)
    probability[:, int(ClassId.AIRCRAFT)] = 1.0 - 0.02 * (N_CLASSES - 1)
    return probability


def tracks(n: int, sequence: int, stamp_ns: int) -> Tracks:
    """Return the n tracks after a scan."""
    outwards = np.stack([np.sin(_bearings(n)), np.cos(_bearings(n)), np.zeros(n)], axis=1)
    zeros = np.zeros(n)
    return Tracks(
        stamp_ns=stamp_ns,
        frame_id="map",
        sequence=sequence,
        sensor_id=SENSOR,
        track_id=np.arange(1, n + 1),
        status=np.full(n, int(TrackStatus.CONFIRMED)),
        state=np.concatenate([outwards * _distance_m(sequence), outwards * _SPEED_MPS], axis=1),
        covariance=np.tile(np.diag([25.0, 25.0, 25.0, 1.0, 1.0, 1.0]), (n, 1, 1)),
        class_id=np.full(n, int(ClassId.AIRCRAFT)),
        class_probability=_probabilities(n),
        existence_probability=np.full(n, 0.99),
        rcs_dbsm=np.full(n, 12.0),
        age=np.full(n, sequence / _SCANS_A_SECOND),
        time_since_update=zeros,
        hits=np.full(n, sequence),
    )


def detections(n: int, sequence: int, stamp_ns: int) -> Detections:
    """Return the n detections of a scan."""
    return Detections(
        stamp_ns=stamp_ns,
        frame_id="radar",
        sequence=sequence,
        sensor_id=SENSOR,
        cartesian_accuracy=False,
        id=np.arange(n),
        range=np.full(n, _distance_m(sequence)),
        azimuth=np.pi / 2.0 - _bearings(n),
        elevation=np.zeros(n),
        range_rate=np.full(n, _SPEED_MPS),
        variance=np.tile([25.0, 1e-5, 1e-5, 1.0], (n, 1)),
        snr_db=np.full(n, 18.0),
        rcs_dbsm=np.full(n, 12.0),
        noise_db=np.zeros(n),
        points=np.ones(n, dtype=int),
        class_id=np.full(n, int(ClassId.AIRCRAFT)),
        confidence=np.full(n, 0.82),
        class_probability=_probabilities(n),
    )


def threats(n: int, sequence: int, stamp_ns: int) -> Threats:
    """Return the assessment of the n tracks: they fly away."""
    return Threats(
        stamp_ns=stamp_ns,
        frame_id="map",
        sequence=sequence,
        sensor_id=SENSOR,
        track_id=np.arange(1, n + 1),
        level=np.full(n, int(ThreatLevel.LOW)),
        class_id=np.full(n, int(ClassId.AIRCRAFT)),
        score=np.full(n, 0.1),
        time_to_cpa=np.zeros(n),
        cpa_distance=np.full(n, _distance_m(sequence)),
        cpa_distance_sigma=np.full(n, 5.0),
        time_to_impact=np.full(n, np.nan),
        reason=["flies away"] * n,
    )
