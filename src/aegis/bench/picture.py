# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A picture of a given size: tracks all over the radar's range that fly outwards, with noise, and a detection of each."""

from __future__ import annotations

import numpy as np

from aegis.core.types import N_CLASSES, ClassId, Detections, ThreatLevel, Threats, Tracks, TrackStatus

SENSOR = "bench"
LISTED = 20  # of the threats; the others are below the list
_NEAREST_M, _FURTHEST_M, _SPEED_MPS, _SCANS_A_SECOND = 1000.0, 8000.0, 120.0, 10.0
_NOISE_M, _NOISE_MPS = 0.5, 0.2
_GOLDEN_ANGLE = np.pi * (3.0 - np.sqrt(5.0))  # spreads any number of tracks evenly


def _bearings(n: int) -> np.ndarray:
    return np.asarray(_GOLDEN_ANGLE * np.arange(n) % (2.0 * np.pi))


def _distances_m(n: int, sequence: int) -> np.ndarray:
    begins = np.sqrt(np.linspace(_NEAREST_M**2, _FURTHEST_M**2, n))
    return np.asarray(begins + _SPEED_MPS * (sequence / _SCANS_A_SECOND % 60.0))


def _probabilities(n: int) -> np.ndarray:
    probability = np.full((n, N_CLASSES), 0.02)
    probability[:, int(ClassId.AIRCRAFT)] = 1.0 - 0.02 * (N_CLASSES - 1)
    return probability


def tracks(n: int, sequence: int, stamp_ns: int) -> Tracks:
    """Return the n tracks after a scan."""
    outwards = np.stack([np.sin(_bearings(n)), np.cos(_bearings(n)), np.zeros(n)], axis=1)
    zeros = np.zeros(n)
    state = np.concatenate([outwards * _distances_m(n, sequence)[:, None], outwards * _SPEED_MPS], axis=1)
    state += np.random.default_rng(sequence).normal(0.0, [_NOISE_M] * 3 + [_NOISE_MPS] * 3, (n, 6))
    return Tracks(
        stamp_ns=stamp_ns,
        frame_id="map",
        sequence=sequence,
        sensor_id=SENSOR,
        track_id=np.arange(1, n + 1),
        status=np.full(n, int(TrackStatus.CONFIRMED)),
        state=state,
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
    noise = np.random.default_rng(sequence).normal(size=(5, n))
    return Detections(
        stamp_ns=stamp_ns,
        frame_id="radar",
        sequence=sequence,
        sensor_id=SENSOR,
        cartesian_accuracy=False,
        id=np.arange(n),
        range=_distances_m(n, sequence) + 5.0 * noise[0],
        azimuth=np.pi / 2.0 - _bearings(n) + 0.003 * noise[1],
        elevation=0.003 * noise[2],
        range_rate=_SPEED_MPS + noise[3],
        variance=np.tile([25.0, 1e-5, 1e-5, 1.0], (n, 1)),
        snr_db=18.0 + noise[4],
        rcs_dbsm=np.full(n, 12.0),
        noise_db=np.zeros(n),
        points=np.ones(n, dtype=int),
        class_id=np.full(n, int(ClassId.AIRCRAFT)),
        confidence=np.full(n, 0.82),
        class_probability=_probabilities(n),
    )


def threats(n: int, sequence: int, stamp_ns: int) -> Threats:
    """Return the assessment of the n tracks: they fly away; a few are listed all the same."""
    listed = min(n, LISTED)
    return Threats(
        stamp_ns=stamp_ns,
        frame_id="map",
        sequence=sequence,
        sensor_id=SENSOR,
        track_id=np.arange(1, listed + 1),
        level=np.full(listed, int(ThreatLevel.MEDIUM)),
        class_id=np.full(listed, int(ClassId.AIRCRAFT)),
        score=np.full(listed, 0.5),
        time_to_cpa=np.zeros(listed),
        cpa_distance=_distances_m(n, sequence)[:listed],
        cpa_distance_sigma=np.full(listed, 5.0),
        time_to_impact=np.full(listed, np.nan),
        reason=["flies away"] * listed,
        listed_from=int(ThreatLevel.MEDIUM),
        unlisted_track_id=np.arange(listed + 1, n + 1),
        unlisted_level=np.full(n - listed, int(ThreatLevel.LOW)),
    )
