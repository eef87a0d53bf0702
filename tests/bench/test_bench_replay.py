# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The benchmark of replay, on ten minutes of history."""

from aegis.bench import replay


def test_the_row_says_how_long_a_picture_takes(monkeypatch):
    monkeypatch.setattr(replay, "DAYS", 600 / 86_400)
    monkeypatch.setattr(replay, "TIMES", 5)
    (row,) = replay.run(2)
    assert (row["rows"], row["runs"]) == (600 * replay.TRACKS, 2)
    for name in ("ms", "trails_ms", "sqlite_ms"):
        assert 0.0 < row[name] <= row[name.removesuffix("ms") + "p99_ms"]
