# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The live graph as a benchmark needs it: `aegis up` in a domain of its own, a node beside it, one DDS hop to compare with."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile

from aegis.bench import BenchmarkError

START_DEADLINE_S = 90.0
END_DEADLINE_S = 20.0
DOMAIN = "99"
PORT_BASE, PORTS_PER_DOMAIN = 7400, 250  # of RTPS 2.5, 9.6.2.3


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a graph that keeps everything in a folder, and of which nobody else hears."""
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith(("FASTDDS_", "FASTRTPS_"))},
        "ROS_DOMAIN_ID": DOMAIN,
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "AEGIS_STATE_DIR": str(folder / "state"),
        "ROS_LOG_DIR": str(folder / "log"),
    }


def free_domain() -> str:
    """Return a ROS domain in which no UDP port is bound on this machine; the benchmarks' own where all are taken."""
    ports = {
        int(line.split()[1].rpartition(":")[2], 16)
        for table in (Path("/proc/net/udp"), Path("/proc/net/udp6"))
        for line in (table.read_text().splitlines()[1:] if table.exists() else ())
    }
    used = {(port - PORT_BASE) // PORTS_PER_DOMAIN for port in ports}
    domains = [1 + (os.getpid() + k) % int(DOMAIN) for k in range(int(DOMAIN))]  # from another one in another process
    return next((str(domain) for domain in domains if domain not in used), DOMAIN)


def free_port() -> int:
    """Return a TCP port of loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def aegis_up(
    environ: Mapping[str, str], log: Path, *options: str, command: Sequence[str] = (sys.executable, "-m", "aegis")
) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    """Run `aegis up` until the block ends; `command` is that of `aegis`."""
    return running([*command, "up", *options], environ, log)


@contextlib.contextmanager
def running(command: Sequence[str], environ: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program, whose output is added to a log, until the block ends, or SIGTERM ends us."""
    with log.open("ab") as file, _unwound_by_sigterm():
        process = subprocess.Popen(command, env=dict(environ), stdout=file, stderr=file)
        try:
            yield process
        finally:
            process.terminate()  # not SIGINT: a shell's background job, and what that starts, ignores it
            try:
                process.wait(END_DEADLINE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def _unwound_by_sigterm() -> Iterator[None]:
    """Have SIGTERM end the block as an exception does, so that what was started in it ends too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def node_in(environ: Mapping[str, str], name: str) -> Iterator[tuple[Any, Callable[[float], None]]]:
    """Make a node in this process, in the environment's domain; yield it, and what spins it once for so many seconds."""
    context = rclpy.Context()
    before = dict(os.environ)
    os.environ.update(environ)
    try:
        rclpy.init(context=context)
    finally:
        os.environ.clear()
        os.environ.update(before)
    node = rclpy.create_node(name, context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    try:
        yield node, lambda seconds: executor.spin_once(timeout_sec=seconds)
    finally:
        node.destroy_node()
        rclpy.try_shutdown(context=context)


def one_hop(
    environ: Mapping[str, str], topic: str, kind: type, qos: QoSProfile, take: Callable[[Any], None], module: str
) -> None:
    """Receive what a process of its own (`python -m module`, which calls `send`) sends on a topic, until it ends.

    Raises:
        BenchmarkError: it does not end.
    """
    with node_in(environ, "bench_receiver") as (node, spin):
        node.create_subscription(kind, topic, take, qos)
        sender = subprocess.Popen([sys.executable, "-m", module], env=dict(environ))
        deadline = time.monotonic() + START_DEADLINE_S
        try:
            while sender.poll() is None:
                if time.monotonic() > deadline:
                    raise BenchmarkError("the sender of the baseline did not end")
                spin(0.1)
        finally:
            sender.kill()
            sender.wait()


def send(topic: str, kind: type, qos: QoSProfile, messages: int, hz: float, make: Callable[[int], Any]) -> None:
    """Be the other process of `one_hop`: send `make(0)`, `make(1)`... as soon as somebody listens."""
    rclpy.init()
    node = rclpy.create_node("bench_sender")
    publisher = node.create_publisher(kind, topic, qos)
    deadline = time.monotonic() + START_DEADLINE_S
    while publisher.get_subscription_count() == 0 and time.monotonic() < deadline:
        rclpy.spin_once(node, timeout_sec=0.05)
    next_at = time.monotonic()
    for k in range(messages):
        publisher.publish(make(k))
        next_at += 1 / hz
        time.sleep(max(0.0, next_at - time.monotonic()))
    time.sleep(1.0)  # the last ones are still on their way
    rclpy.shutdown()
