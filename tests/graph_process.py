# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis up` as a process of a test, and an rclpy node that listens to it."""

import os
import signal
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from aegis.ros.qos import message_class, qos_profile
from aegis.ros.topics import TOPICS


@contextmanager
def aegis_up(environ: dict[str, str], log: Path, *options: str) -> Iterator[subprocess.Popen]:
    """Run `aegis up` until the block ends; then it must stop cleanly when asked."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "aegis", "up", *options], env=environ, stdout=file, stderr=file
        )
        try:
            yield process
            alive = process.poll() is None
            process.send_signal(signal.SIGINT)
            code = process.wait(20)
            assert alive, f"aegis up ended by itself:\n{log.read_text()}"
            assert code == 0, log.read_text()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def children(process: subprocess.Popen) -> dict[str, int]:
    """Return the pid of every node process of `aegis up`, by node name."""
    out = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            command = (entry / "cmdline").read_bytes().decode().split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == process.pid and "aegis.graph.node" in command:
            out[command[command.index("aegis.graph.node") + 1]] = int(entry.name)
    return out


class Listener:
    """Keeps every message of the given topics; in a context and a thread of its own."""

    def __init__(self, *topics: str) -> None:
        self.messages: dict[str, list[Any]] = defaultdict(list)
        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self.node = rclpy.create_node(f"listener_{os.getpid()}", context=self._context)
        self._subscriptions = {
            name: self.node.create_subscription(
                message_class(TOPICS[name].type), name, self.messages[name].append, qos_profile(TOPICS[name])
            )
            for name in topics
        }
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin)
        self._thread.start()

    def publishers(self, topic: str) -> int:
        """Return how many publishers of a topic this listener is connected to; what came before is lost to it."""
        return self._subscriptions[topic].get_publisher_count()

    def _spin(self) -> None:
        try:
            self._executor.spin()
        except ExternalShutdownException:
            return  # close() was called

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *exception: object) -> None:
        self._executor.shutdown()
        self._thread.join()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)
