# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How long `aegis report` takes for an hour of 200 tracks, and how large its page is."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import yaml

from aegis.bench import BenchmarkError, Row, three_digits
from aegis.graph.offline import process_bag, simulate_bag

TARGETS, HOUR_S = 200, 3600.0
TURN_RATE_DEG_S = 6.0


def run(runs: int) -> Iterator[Row]:
    """Make the bag once (minutes), and its report `runs` times without truth and with it, each in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="aegis-bench-") as folder:
        bag = make_bag(Path(folder), HOUR_S)
        yield from measure(bag, runs)


def measure(bag: Path, runs: int) -> Iterator[Row]:
    """Yield a row without truth, and one with it."""
    for options in (["--no-truth"], []):
        with tempfile.TemporaryDirectory(prefix="aegis-bench-") as folder:
            page = Path(folder) / "report.html"
            wall, cpu = [], []
            for _ in range(runs):
                begin, before = time.perf_counter(), os.times()
                command = [sys.executable, "-m", "aegis", "report", str(bag), "-o", str(page), *options]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                after = os.times()
                if done.returncode:
                    raise BenchmarkError(f"aegis report: exit code {done.returncode}: {done.stderr}")
                wall.append(time.perf_counter() - begin)
                cpu.append(sum(after[2:4]) - sum(before[2:4]))
            yield {
                "bench": "report",
                "truth": not options,
                "targets": TARGETS,
                "bag_mb": round(sum(f.stat().st_size for f in bag.iterdir()) / 1e6),
                "page_kb": round(page.stat().st_size / 1e3),
                "s": three_digits(float(np.median(wall))),
                "cpu_s": three_digits(float(np.median(cpu))),
                "min": three_digits(min(wall)),
                "max": three_digits(max(wall)),
                "runs": runs,
            }


def make_bag(folder: Path, duration_s: float) -> Path:
    """Write what the graph makes of TARGETS aircraft that circle, each in its own place; return the bag."""
    targets = []
    for i in range(TARGETS):
        angle = 2.0 * np.pi * i / TARGETS * 7  # neighbours on a ring are far apart
        radius = 1500.0 + 5000.0 * i / TARGETS
        motion = {
            "kind": "turning",
            "position_m": [float(radius * np.cos(angle)), float(radius * np.sin(angle)), 500.0],
            "speed_mps": 20.0,
            "course_deg": float(np.degrees(-angle) % 360.0),
            "turn_rate_deg_s": TURN_RATE_DEG_S,
        }
        targets.append({"name": f"target {i}", "class": "AIRCRAFT", "rcs_dbsm": 15.0, "swerling": 0, "motion": motion})
    scenario = folder / "scenario.yaml"
    scenario.write_text(yaml.safe_dump({"name": "circles", "duration_s": duration_s, "targets": targets}))
    simulate_bag(str(scenario), folder / "in", duration_s=duration_s)
    process_bag(folder / "in", folder / "out")
    return folder / "out"
