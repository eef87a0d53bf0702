# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""From the stamp of a scan to a WebSocket client that has decoded it: the whole live graph, one process a node.

The baseline, in the same run: the same number of tracks published with a stamp by one process and received by another, which is
what ROS itself takes for one hop.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import yaml
from aegis_msgs.msg import TrackArray
from tqdm import tqdm
from websockets.sync.client import ClientConnection, connect

from aegis.bench import Row
from aegis.bench.live import START_DEADLINE_S, aegis_up, environment, free_port, one_hop, send
from aegis.bridge.accounts.store import Accounts
from aegis.core.types import N_CLASSES, Tracks
from aegis.ros.messages.fields import stamp_of
from aegis.ros.messages.picture import tracks_to_msg

TARGETS, HZ = 200, 10
WARM_UP_S, MEASURE_S = 8.0, 20.0
USER, PASSWORD = "bench", "only for this run, in a directory of its own"
TOPIC = "bench/tracks"


def run(runs: int) -> Iterator[Row]:
    """Measure `runs` times; yield one row: percentiles over all frames, and the spread of the runs' p99."""
    latencies, drops = [], 0
    with tempfile.TemporaryDirectory(prefix="aegis-bench-") as folder:
        for _ in tqdm(range(runs), unit="run", disable=None):
            milliseconds, missed = _measure(Path(folder))
            latencies.append(milliseconds)
            drops += missed
        hop = _one_hop(environment(Path(folder)))
    p99 = [float(np.percentile(one, 99)) for one in latencies]
    everything = np.concatenate(latencies)
    yield {
        "bench": "latency",
        "targets": TARGETS,
        "hz": HZ,
        "p50_ms": round(float(np.percentile(everything, 50)), 2),
        "p99_ms": round(float(np.percentile(everything, 99)), 2),
        "unit": "ms",
        "runs": runs,
        "median": round(float(np.median(p99)), 2),
        "min": round(min(p99), 2),
        "max": round(max(p99), 2),
        "frames": len(everything),
        "frames_missed": drops,
        "baseline": "one DDS hop of the same tracks between two processes",
        "baseline_p50_ms": round(float(np.percentile(hop, 50)), 2),
        "baseline_p99_ms": round(float(np.percentile(hop, 99)), 2),
        "cores": len(os.sched_getaffinity(0)),
    }


def _measure(folder: Path) -> tuple[np.ndarray, int]:
    """Return (frames,) latencies [ms] of one start of the graph, and how many frames never came."""
    environ = environment(folder)
    scenario = folder / "scenario.yaml"
    scenario.write_text(yaml.safe_dump(_scenario()))
    state = folder / "state"
    if not state.exists():
        state.mkdir(mode=0o700)
        accounts = Accounts(state)
        accounts.add(USER, PASSWORD, "viewer")
        accounts.close()
    port = free_port()
    options = ["--scenario", str(scenario), "--port", str(port), "--set", f"simulator.scan_interval_s={1 / HZ}"]
    log = folder / "up.log"
    with aegis_up(environ, log, "--no-foxglove", *options) as up, _stream(port, up, log) as stream:
        return _receive(stream)


def _scenario() -> dict[str, object]:
    """Return TARGETS aircraft on straight courses, spread over rings so that each is one detection."""
    targets = []
    for i in range(TARGETS):
        angle = 2.0 * np.pi * i / TARGETS * 7  # neighbours on a ring are far apart
        radius = 1500.0 + 5000.0 * i / TARGETS
        targets.append(
            {
                "name": f"target {i}",
                "class": "AIRCRAFT",
                "rcs_dbsm": 15.0,
                "swerling": 0,
                "motion": {
                    "kind": "straight",
                    "position_m": [float(radius * np.cos(angle)), float(radius * np.sin(angle)), 500.0],
                    "speed_mps": 20.0,
                    "course_deg": float(np.degrees(-angle) % 360.0),
                },
            }
        )
    return {"name": "latency", "duration_s": 600.0, "targets": targets}


@contextlib.contextmanager
def _stream(port: int, up: subprocess.Popen[bytes], log: Path) -> Iterator[ClientConnection]:
    """Log in when the bridge answers, and open the stream."""
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + START_DEADLINE_S
    while True:
        if up.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the graph did not start:\n{log.read_text()}")
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/ready", timeout=5).status_code == 200:
                break
        time.sleep(0.2)
    answer = httpx.post(f"{url}/api/auth/login", json={"username": USER, "password": PASSWORD}, timeout=10)
    answer.raise_for_status()
    with connect(f"ws://127.0.0.1:{port}/ws/radar-stream", max_size=2**24, compression=None) as stream:
        stream.send(json.dumps({"type": "auth", "token": answer.json()["access_token"]}))
        yield stream


def _receive(stream: ClientConnection) -> tuple[np.ndarray, int]:
    """Return latencies [ms] after the warm-up, and the scans missing between the first and the last one."""
    latencies: list[float] = []
    sequences: list[int] = []
    begin = time.monotonic()
    tracks = 0
    while time.monotonic() - begin < WARM_UP_S + MEASURE_S:
        message = json.loads(stream.recv(timeout=START_DEADLINE_S))
        now = time.time()
        if message["type"] != "radar_frame":
            continue
        if time.monotonic() - begin < WARM_UP_S:
            continue
        if message["tracks"] is None:  # the bridge waited for the picture of this scan and gave up
            continue
        tracks = len(message["tracks"])
        latencies.append((now - message["stamp_s"]) * 1e3)
        sequences.append(int(message["sequence"]))
    if tracks < 0.9 * TARGETS:
        raise RuntimeError(f"only {tracks} of {TARGETS} targets are tracked: the figure would not be for {TARGETS}")
    return np.array(latencies), sequences[-1] - sequences[0] + 1 - len(sequences)


def _one_hop(environ: dict[str, str]) -> np.ndarray:
    """Return (messages,) latencies [ms] of TrackArrays from a process of its own to this one."""
    latencies: list[float] = []

    def take(message: TrackArray) -> None:
        latencies.append((time.time_ns() - stamp_of(message)) * 1e-6)

    one_hop(environ, TOPIC, TrackArray, 10, take, __name__)
    return np.array(latencies[HZ:])  # the first second is discovery's


def _tracks(sequence: int) -> TrackArray:
    """Return the message of TARGETS tracks, stamped now."""
    zeros = np.zeros(TARGETS)
    return tracks_to_msg(
        Tracks(
            time.time_ns(), "map", sequence, "bench", np.arange(TARGETS), np.ones(TARGETS, dtype=int), np.zeros((TARGETS, 6)),
            np.zeros((TARGETS, 6, 6)), np.zeros(TARGETS, dtype=int), np.zeros((TARGETS, N_CLASSES)), zeros, zeros, zeros,
            zeros, np.zeros(TARGETS, dtype=int),
        )
    )  # fmt: skip


if __name__ == "__main__":
    send(TOPIC, TrackArray, 10, int(MEASURE_S * HZ), HZ, _tracks)
