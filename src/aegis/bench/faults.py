# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Kills and stops every process of the live graph: how soon that is noticed, and how soon there is fresh output again.

Noticed is the supervisor's line; back is the first message of the node's own topic from the new process, at 10 scans a second.
What is not back in time is counted, told with what the graph has said, and killed again, so that the others are measured.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
from aegis_msgs.msg import PipelineStatus
from rclpy.node import Node
from tqdm import tqdm

from aegis.bench import BenchmarkError, Row
from aegis.bench.live import START_DEADLINE_S, aegis_up, environment, free_domain, free_port, node_in
from aegis.graph.nodes import BRIDGE, DEFAULT_NODES
from aegis.ros.qos import message_class, qos_profile
from aegis.ros.topics import TOPICS

# Where a node's output is heard; of the others, their status, which a new process tells after a second.
HEARD_ON = {"simulator": "radar/points", "detection": "detections", "tracking": "tracks", "threat": "threats"}
NAMES = (*(name for name in DEFAULT_NODES if name != "foxglove"), BRIDGE)
SCAN_INTERVAL_S = 0.1
BACK_DEADLINE_S = 30.0
LOST_AFTER_S = 120.0  # who has given nothing for so long is taken never to come back
IN_FLIGHT_S = 0.05  # what the process that was killed had sent has arrived by then
LIVED_S = 11.0  # as in ordinary life: a process that has lived as long is restarted without a pause


def run(runs: int) -> Iterator[Row]:
    """Kill and stop each process `runs` times; yield one row for each way.

    Raises:
        BenchmarkError: the graph does not start, or a process does not come back.
    """
    with tempfile.TemporaryDirectory(prefix="aegis-bench-") as name:
        folder = Path(name)
        environ, port, log = {**environment(folder), "ROS_DOMAIN_ID": free_domain()}, free_port(), folder / "up.log"
        options = ["--no-foxglove", "--port", str(port), "--set", f"simulator.scan_interval_s={SCAN_INTERVAL_S}"]
        with node_in(environ, "bench_faults") as (node, spin), aegis_up(environ, log, *options) as up:
            graph = _Graph(up, log, node, spin, f"http://127.0.0.1:{port}/health")
            graph.wait(lambda: all(graph.answers(name, 0.0) for name in NAMES), START_DEADLINE_S, "a whole graph")
            for how in (signal.SIGKILL, signal.SIGSTOP):
                order = [name for _ in range(runs) for name in NAMES]
                times = [
                    (name, *graph.hurt(name, how)) for name in tqdm(order, unit="fault", desc=how.name, disable=None)
                ]
                yield _row(how, times)


def _row(how: signal.Signals, times: list[tuple[str, float, float]]) -> Row:
    noticed, back = (np.array([one[k] for one in times]) for k in (1, 2))
    return {
        "bench": "faults",
        "fault": how.name,
        "times": len(times),
        "noticed_p95_s": round(float(np.percentile(noticed, 95)), 3),
        "noticed_max_s": round(float(noticed.max()), 3),
        "back_p50_s": round(float(np.percentile(back, 50)), 2),
        "back_p95_s": round(float(np.percentile(back, 95, method="higher")), 2),
        "back_max_s": round(float(back.max()), 2) if np.isfinite(back).all() else None,
        "late": int((back > BACK_DEADLINE_S).sum()),
        "never_back": int(np.isinf(back).sum()),
        "back_median_s_of": {name: round(float(np.median([b for n, _, b in times if n == name])), 2) for name in NAMES},
        "cores": len(os.sched_getaffinity(0)),
    }


class _Graph:
    """A graph that runs, and what is heard of each of its processes."""

    def __init__(
        self, up: subprocess.Popen[bytes], log: Path, node: Node, spin: Callable[[float], None], health: str
    ) -> None:
        self._up, self._log, self._spin, self._health = up, log, spin, health
        self._heard_at: dict[str, float] = {}
        for name, topic in {**HEARD_ON, "": "status"}.items():
            row = TOPICS[topic]

            def take(message: PipelineStatus, name: str = name) -> None:
                for one in [name] if name else message.stage:
                    if name or one not in HEARD_ON:
                        self._heard_at[one] = time.monotonic()

            node.create_subscription(message_class(row.type), topic, take, qos_profile(row))

    def answers(self, name: str, since: float) -> bool:
        """Return whether something of a process was heard after a time."""
        if name != BRIDGE:
            return self._heard_at.get(name, -1.0) > since
        try:
            with urllib.request.urlopen(self._health, timeout=1.0):
                return True
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def wait(self, condition: Callable[[], bool], deadline_s: float, what: str) -> float:
        """Return the time at which a condition holds.

        Raises:
            BenchmarkError: it does not, in time.
        """
        end = time.monotonic() + deadline_s
        while not condition():
            if time.monotonic() > end or self._up.poll() is not None:
                raise BenchmarkError(
                    f"no {what} within {deadline_s:g} s:\n{self._log.read_text(errors='replace')[-3000:]}"
                )
            self._spin(0.005)
        return time.monotonic()

    def hurt(self, name: str, how: signal.Signals) -> tuple[float, float]:
        """Kill or stop a process; return after how long that was noticed and fresh output there [s], inf for never.

        Raises:
            BenchmarkError: the graph does not go on.
        """
        process = self._process(name)
        self.wait(lambda: time.time() - process.create_time() > LIVED_S, 2 * LIVED_S, f"{name} that has lived")
        said = self._log.stat().st_size
        begin = time.monotonic()
        os.kill(process.pid, how)
        word = f"aegis: {name} was ".encode()
        noticed = self.wait(lambda: word in self._log.read_bytes()[said:], BACK_DEADLINE_S, "word of it") - begin
        self.wait(lambda: not process.is_running(), BACK_DEADLINE_S, "end of it")
        gone = max(time.monotonic(), begin + IN_FLIGHT_S)
        return noticed, self._until_back(name, gone) - begin

    def _until_back(self, name: str, since: float) -> float:
        """Return the time at which a process gives something again; inf where it has to be killed once more for that."""
        try:
            return self.wait(lambda: self.answers(name, since), BACK_DEADLINE_S, f"output of {name}")
        except BenchmarkError as error:
            if self._up.poll() is not None:
                raise
            now = time.monotonic()
            heard = {one: f"{now - at:.1f} s ago" for one, at in sorted(self._heard_at.items())}
            print(f"{error}\nheard last: {heard}", file=sys.stderr)
        try:
            return self.wait(lambda: self.answers(name, since), LOST_AFTER_S - BACK_DEADLINE_S, f"output of {name}")
        except BenchmarkError:
            if self._up.poll() is not None:
                raise
            again = time.monotonic()
            self._process(name).kill()
            self.wait(lambda: self.answers(name, again), BACK_DEADLINE_S, f"output of {name}")
            return float("inf")

    def _process(self, name: str) -> psutil.Process:
        found = [p for p in psutil.Process(self._up.pid).children() if p.cmdline()[1:2] == [name]]
        if not found:
            raise BenchmarkError(f"{name} does not run")
        return found[0]
