# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Raw cubes through the live graph, one process a node (simulator, front end, detection, tracking): what is lost, and how late.

The baseline, in the same run: the same cubes between two processes by Fast DDS as it is without our profile for large messages.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from aegis_msgs.msg import PipelineStatus, RadarCube, TrackArray
from aegis_msgs.srv import SetMode
from rclpy.node import Node
from tqdm import tqdm

from aegis.bench import BenchmarkError, Row
from aegis.bench.live import START_DEADLINE_S, aegis_up, environment, node_in, one_hop, send
from aegis.core.types import Floats
from aegis.resources import config_file
from aegis.ros.messages.fields import pack, stamp_of
from aegis.ros.messages.reports import status_rows
from aegis.ros.qos import qos_profile
from aegis.ros.topics import TOPICS

HZ, MEASURE_S, SETTLE_S = 20, 20.0, 3.0
BASELINE_CUBES = 200
CHAIN = ("simulator", "frontend", "detection", "tracking")
QOS = qos_profile(TOPICS["radar/cube"])
TOPIC = "bench/cube"
_OPEN = ("--ros-args", "-p", "open_commands:=true")  # this very process tells the radar to stand by


def run(runs: int) -> Iterator[Row]:
    """Measure `runs` times; yield one row.

    Raises:
        BenchmarkError: the graph did not start.
    """
    got: list[int] = []
    with tempfile.TemporaryDirectory(prefix="aegis-bench-") as folder:
        environ = environment(Path(folder))
        measured = [_measure(environ, Path(folder)) for _ in tqdm(range(runs), unit="run", disable=None)]
        one_hop(environ, TOPIC, RadarCube, QOS, lambda message: got.append(message.sequence), __name__)
    latency = np.concatenate([one.latency_ms for one in measured])
    p99 = [float(np.percentile(one.latency_ms, 99)) for one in measured]
    yield {
        "bench": "raw",
        "hz": HZ,
        "cube_mb": measured[0].cube_mb,
        "cubes": sum(one.sent for one in measured),
        "dropped": sum(one.sent - one.tracked for one in measured),
        "p50_ms": round(float(np.percentile(latency, 50)), 1),
        "p99_ms": round(float(np.percentile(latency, 99)), 1),
        "unit": "ms",
        "runs": runs,
        "median": round(float(np.median(p99)), 1),
        "min": round(min(p99), 1),
        "max": round(max(p99), 1),
        "cpu": {name: round(float(np.median([one.cpu[name] for one in measured])), 3) for name in CHAIN},
        "baseline": "cubes between two processes, Fast DDS without our profile",
        "baseline_cubes": BASELINE_CUBES,
        "baseline_dropped": BASELINE_CUBES - len(got),
        "cores": len(os.sched_getaffinity(0)),
    }


@dataclass(frozen=True)
class Watched:
    """One start of the graph: cubes sent and tracked, (N,) latencies, each node's share of a core, and the size of a cube."""

    sent: int
    tracked: int
    latency_ms: Floats
    cpu: dict[str, float]
    cube_mb: float


def _measure(environ: dict[str, str], folder: Path) -> Watched:
    log = folder / "up.log"
    options = ["--config", str(config_file("fmcw_mimo.yaml")), "--set", f"simulator.scan_interval_s={1 / HZ}"]
    with (
        node_in(environ, "bench_raw") as (node, spin),
        aegis_up(environ, log, "--no-bridge", "--no-foxglove", *options, *_OPEN) as up,
    ):
        return _watch(node, spin, up, log)


def _watch(node: Node, spin: Callable[[float], None], up: subprocess.Popen[bytes], log: Path) -> Watched:
    """Let the radar scan for a while; return what was sent, what was tracked, how late, and each node's CPU time."""
    rows: dict[str, Mapping[str, Any]] = {}
    latency: list[float] = []

    def take(message: PipelineStatus) -> None:
        rows.update({str(row["stage"]): row for row in status_rows(message)})

    def take_tracks(message: TrackArray) -> None:
        latency.append((time.time_ns() - stamp_of(message)) * 1e-6)

    node.create_subscription(PipelineStatus, "status", take, qos_profile(TOPICS["status"]))
    node.create_subscription(TrackArray, "tracks", take_tracks, qos_profile(TOPICS["tracks"]))
    modes = node.create_client(SetMode, "set_mode")

    def until(condition: Callable[[], Any], what: str, deadline_s: float) -> None:
        end = time.monotonic() + deadline_s
        while not condition():
            if up.poll() is not None or time.monotonic() > end:
                raise BenchmarkError(f"{what}: not within {deadline_s:g} s; aegis up said:\n{log.read_text()}")
            spin(0.1)

    def set_mode(mode: int) -> None:
        done = modes.call_async(SetMode.Request(mode=mode, frequency=float("nan")))
        until(done.done, "an answer to set_mode", 20.0)

    def settle() -> dict[str, Mapping[str, Any]]:
        rows.clear()
        end = time.monotonic() + SETTLE_S
        until(lambda: time.monotonic() > end and set(CHAIN) <= set(rows), "every stage's status", START_DEADLINE_S)
        return dict(rows)

    until(lambda: latency, "tracks", START_DEADLINE_S)
    until(modes.service_is_ready, "the radar's services", 20.0)
    set_mode(SetMode.Request.STANDBY)
    before, cpu_before = settle(), _cpu_s(up)
    latency.clear()
    begin = time.monotonic()
    set_mode(SetMode.Request.SEARCH)
    until(lambda: time.monotonic() - begin > MEASURE_S, "the end", MEASURE_S + 1.0)
    set_mode(SetMode.Request.STANDBY)
    spent, cpu_after = time.monotonic() - begin, _cpu_s(up)
    after = settle()
    return Watched(
        sent=after["simulator"]["published"] - before["simulator"]["published"],
        tracked=after["tracking"]["published"] - before["tracking"]["published"],
        latency_ms=np.array(latency),
        cpu={name: (cpu_after[name] - cpu_before[name]) / spent for name in CHAIN},
        cube_mb=round(after["simulator"]["detail"]["cube_bytes"] / 1e6, 2),
    )


def _cpu_s(up: subprocess.Popen[bytes]) -> dict[str, float]:
    """Return the CPU time that each node's process has used [s], by node."""
    out = {}
    for pid in Path(f"/proc/{up.pid}/task/{up.pid}/children").read_text().split():
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        if "aegis.graph.node" in words:
            out[words[words.index("aegis.graph.node") + 1]] = (int(fields[11]) + int(fields[12])) / os.sysconf(
                "SC_CLK_TCK"
            )
    return out


def _cube(sequence: int) -> RadarCube:
    """Return a message of the size of the profile's cubes."""
    return RadarCube(sequence=sequence, data=pack("B", np.zeros(256 * 128 * 12 * 4)))


if __name__ == "__main__":
    send(TOPIC, RadarCube, QOS, BASELINE_CUBES, HZ, _cube)
