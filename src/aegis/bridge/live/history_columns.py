# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the API shows of the past: columns of assessments and of samples of tracks, besides those of the present."""

from __future__ import annotations

from dataclasses import dataclass

from aegis.bridge.live.columns import MOTION, STATUS_NAMES, Column, Table, class_word, integer, number, vector, word
from aegis.core.types import Floats, Ints


@dataclass
class Scans:
    """After which scans things were as they were, (N,)."""

    stamp_s: list[float]
    sensor_id: list[str]
    sequence: list[int]


@dataclass
class Samples:
    """Where a track was; arrays of (N,) unless noted."""

    stamp_s: list[float]
    sensor_id: list[str]
    track_id: Ints
    status: Ints
    class_id: Ints
    state: Floats  # (N, 6): x y z vx vy vz
    sigma: Floats  # (N, 3)
    existence_probability: Floats
    rcs_dbsm: Floats


SCAN: Table[Scans] = Table(
    Column("stamp_s", "known number", lambda s: s.stamp_s),
    Column("sensor_id", "text", lambda s: s.sensor_id),
    Column("sequence", "integer", lambda s: s.sequence),
)

SAMPLE: Table[Samples] = Table(
    Column("stamp_s", "known number", lambda s: s.stamp_s),
    Column("sensor_id", "text", lambda s: s.sensor_id, "whose scan it follows"),
    word("status", STATUS_NAMES, lambda s: s.status, "TENTATIVE, CONFIRMED, COASTING"),
    class_word(lambda s: s.class_id),
    *MOTION.columns,
    vector("position_sigma_m", 3, lambda s: s.sigma),
    number("existence_probability", 4, lambda s: s.existence_probability),
    number("rcs_dbsm", 2, lambda s: s.rcs_dbsm, "unknown in samples of earlier versions", example=-10.0),
)

# Of several tracks.
PAST_TRACK: Table[Samples] = Table(integer("track_id", lambda s: s.track_id, example=41), *SAMPLE.columns)
