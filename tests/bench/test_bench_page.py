# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis bench page`: what its row says is what a browser did, on a small picture; and what it says where there is none."""

import shutil
import sys

import pytest

from aegis.bench import BenchmarkError, live
from aegis.bench import page as bench


def test_a_row_says_what_the_browser_did(monkeypatch, ros_domain):
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if shutil.which("chromium") is None:
        pytest.skip("no Chromium on this machine (apt install chromium)")
    monkeypatch.setattr(live, "DOMAIN", ros_domain["ROS_DOMAIN_ID"])
    monkeypatch.setattr(bench, "WARM_UP_S", 1.0)
    monkeypatch.setattr(bench, "MEASURE_S", 3.0)
    monkeypatch.setattr(bench, "TRAILS_FULL_S", 0.0)
    row = bench._row(20, 1, 1.0 / 60.0)
    assert (row["bench"], row["tracks"], row["hz"], row["scope"]) == ("page", 20, 10.0, "2d")
    assert 0 < row["script_p50_ms"] <= row["script_p95_ms"] <= row["script_max_ms"]
    assert 3.0 <= row["seconds"] < 10.0
    assert row["drawn_hz"] > 1
    assert 1 < row["received_hz"] < 12
    assert 1 < row["heap_first_mb"] < 100
    assert row["heap_last_mb"] == pytest.approx(row["heap_first_mb"], abs=5)
    assert (row["long_tasks"] == 0) == (row["longest_task_ms"] == 0.0)


def test_no_browser_is_said_before_anything_is_started(monkeypatch):
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CHROMIUM", raising=False)
    with pytest.raises(BenchmarkError, match="no Chromium on this machine: apt install chromium"):
        next(bench.run(1, 0.0))
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with pytest.raises(BenchmarkError, match=r"playwright is not installed: pip install 'aegis\[bench\]'"):
        next(bench.run(1, 0.0))
