# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis bench video`: every recording is read, and its errors are near to what is stated; without recordings it says so."""

from pathlib import Path

import pytest

from aegis.bench import BENCHMARKS, BenchmarkError
from aegis.bench.video import RECORDED


def test_a_row_for_each_recording_that_is_there(shared_data: Path, tmp_path: Path):
    for name in ("3g-trueheading.pcap.gz", "quantum2_powerup.pcapng.gz"):
        (tmp_path / name).symlink_to(shared_data / "marine_radar_captures" / name)
    rows = list(BENCHMARKS["video"].load()(1, captures=tmp_path))
    assert [row["capture"] for row in rows] == ["3g-trueheading", "quantum2_powerup"]
    for row in rows:
        assert row["pairs"] > 100
        for what in ("range_m", "azimuth_deg"):
            one, two = row[f"{what}_within"]
            # Of a normal error .68 and .95.
            assert 0.55 < one < 0.95
            assert 0.8 < two <= 1.0


def test_without_recordings_it_says_so(tmp_path):
    with pytest.raises(BenchmarkError, match="--captures names their folder"):
        next(BENCHMARKS["video"].load()(1, captures=tmp_path))
    assert all(name.endswith(".gz") for name in RECORDED)
