# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reports of trackers that are one Kalman filter an object, for the tests of fusion; and the filter that has all measurements."""

import numpy as np

from aegis.core.types import N_CLASSES, Tracks, TrackStatus, unknown

H = np.hstack([np.eye(3), np.zeros((3, 3))])


def transition(dt: float) -> np.ndarray:
    F = np.eye(6)
    F[:3, 3:] = dt * np.eye(3)
    return F


def process_noise(dt: float, q: float) -> np.ndarray:
    return q * np.kron([[dt**3 / 3.0, dt**2 / 2.0], [dt**2 / 2.0, dt]], np.eye(3))


class Kalman:
    """A filter of n objects that are measured at the same times; nothing is known before but that they are on this planet."""

    def __init__(self, q: float, n: int = 1, sigma0: float = 1e5) -> None:
        self.q, self.at = q, None
        self.x, self.P = np.zeros((n, 6)), np.eye(6) * sigma0**2

    def measure(self, at: float, z: np.ndarray, sigma: float) -> None:
        if self.at is not None:
            F = transition(at - self.at)
            self.x, self.P = self.x @ F.T, F @ self.P @ F.T + process_noise(at - self.at, self.q)
        self.at = at
        S = H @ self.P @ H.T + np.eye(3) * sigma**2
        K = np.linalg.solve(S, H @ self.P).T
        self.x = self.x + (z - self.x @ H.T) @ K.T
        keep = np.eye(6) - K @ H
        self.P = keep @ self.P @ keep.T + K @ K.T * sigma**2

    def tracks(self) -> list[tuple]:
        return [(i + 1, x, self.P) for i, x in enumerate(self.x)]


def report(
    source: str, at: float, *tracks: tuple, status: int = int(TrackStatus.CONFIRMED), age: float = 0.0
) -> Tracks:
    """A picture of (id, state, covariance) of a source."""
    n = len(tracks)
    return Tracks(
        stamp_ns=round((1000.0 + at) * 1e9),
        frame_id="map",
        sequence=round(at * 1000),
        sensor_id=source,
        track_id=np.array([t[0] for t in tracks], np.int64),
        status=np.full(n, status),
        state=np.array([t[1] for t in tracks]).reshape(n, 6),
        covariance=np.array([t[2] for t in tracks]).reshape(n, 6, 6),
        class_id=np.zeros(n, np.int64),
        class_probability=np.full((n, N_CLASSES), 1.0 / N_CLASSES),
        existence_probability=np.full(n, 0.9),
        rcs_dbsm=unknown(n),
        age=np.full(n, age),
        time_since_update=np.zeros(n),
        hits=np.full(n, 3, np.int64),
    )
