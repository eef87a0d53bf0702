# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How long the picture of a time in the past takes to find, in a history of days, beside sqlite3 alone on the same rows."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aegis.bench import Row, three_digits
from aegis.bridge.history.history import HISTORY_FILE, History
from aegis.bridge.history.replay import picture
from aegis.bridge.history.settings import HistorySettings
from aegis.bridge.history.tables import THREATS, TRACK_SAMPLES
from aegis.core.types import ClassId, ThreatLevel, TrackStatus

DAYS, TRACKS = 7.0, 5  # a picture a second
TIMES = 200
TRAIL_NS = 60 * 10**9
SECOND = 10**9


def run(runs: int) -> Iterator[Row]:
    """Measure at `TIMES` random times each run, on one history."""
    with tempfile.TemporaryDirectory() as folder:
        yield asyncio.run(_measure(Path(folder), runs))


async def _measure(folder: Path, runs: int) -> Row:
    settings = HistorySettings(days=2.0 * DAYS, max_mb=100_000)
    async with History.open(settings, folder, decision_days=30.0):
        pass  # the tables are made
    last_ns = time.time_ns() // SECOND * SECOND
    stamps = last_ns - np.arange(round(DAYS * 86_400) - 1, -1, -1, dtype=np.int64) * SECOND
    _fill(folder / HISTORY_FILE, stamps)
    async with History.open(settings, folder, decision_days=30.0) as history:
        rng = np.random.default_rng(1)
        ours: list[float] = []
        with_trails: list[float] = []
        alone: list[float] = []
        for _ in range(runs):
            for at_ns in rng.choice(stamps[100:], TIMES).tolist():
                for trail_ns, out in ((0, ours), (TRAIL_NS, with_trails)):
                    begin = time.perf_counter()
                    found = await history.read(partial(picture, at_ns=at_ns + 1, trail_ns=trail_ns))
                    out.append(time.perf_counter() - begin)
                    assert found.stamp_ns == at_ns
                    assert len(found.tracks) == TRACKS
                alone.append(_alone(folder / HISTORY_FILE, at_ns))
    return {
        "bench": "replay",
        "days": DAYS,
        "rows": len(stamps) * TRACKS,
        **_times("", ours),
        **_times("trails_", with_trails),
        **_times("sqlite_", alone),
        "runs": runs,
    }


def _times(name: str, seconds: list[float]) -> dict[str, float]:
    p50, p99 = np.percentile(seconds, [50, 99])
    return {f"{name}ms": three_digits(1e3 * p50), f"{name}p99_ms": three_digits(1e3 * p99)}


def _fill(path: Path, stamps: NDArray[np.int64]) -> None:
    """Write TRACKS tracks a second, one of them a threat."""
    track = (
        int(TrackStatus.CONFIRMED),
        int(ClassId.UNKNOWN),
        1e3,
        2e3,
        3e2,
        10.0,
        5.0,
        0.0,
        4.0,
        4.0,
        9.0,
        0.99,
        -12.0,
    )
    threat = (1, 1, int(ClassId.DRONE), int(ThreatLevel.HIGH), 0.8, 5.0, 10.0, 3.0, 5.0, "impact in 5 s")
    tracks = ((stamp, n, "radar", *track) for stamp in stamps.tolist() for n in range(1, TRACKS + 1))
    threats = ((stamp, "radar", *threat) for stamp in stamps.tolist())
    connection = sqlite3.connect(path)
    try:
        with connection:
            for table, rows in ((TRACK_SAMPLES, tracks), (THREATS, threats)):
                names = [column.name for column in table.columns if column.name != "received_ns"]  # with its stamp
                words = f"({','.join(names)}) VALUES ({','.join('?' * len(names))})"
                connection.executemany(f"INSERT INTO {table.name} {words}", rows)
    finally:
        connection.close()


def _alone(path: Path, at_ns: int) -> float:
    begin = time.perf_counter()
    connection = sqlite3.connect(path)
    (stamp,) = connection.execute("SELECT max(stamp_ns) FROM track_samples WHERE stamp_ns <= ?", [at_ns]).fetchone()
    rows = connection.execute("SELECT * FROM track_samples WHERE stamp_ns = ?", [stamp]).fetchall()
    took = time.perf_counter() - begin
    connection.close()
    assert len(rows) == TRACKS
    return took
