# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The faults of docs/faults.md that a soak injects into a graph from outside, as anybody on the machine could."""

from __future__ import annotations

import os
import random
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import numpy as np
import psutil
from aegis_msgs.msg import DetectionArray, TrackArray, ZoneArray
from rclpy.node import Node
from sensor_msgs.msg import PointCloud2

from aegis.bridge.live.nodes import OWN_NAME
from aegis.core.types import Floats
from aegis.ros.messages.clouds import cloud_to_msg
from aegis.ros.messages.fields import make_header
from aegis.ros.qos import message_class, qos_profile
from aegis.ros.topics import TOPICS

SENT_TIMES, SENT_EVERY_S = 10, 0.05
RADAR = "simulator"  # in whose place nothing of ours goes on


class Faults:
    """Draws faults and injects them. Each returns once it is done; what comes of it is seen by others."""

    def __init__(self, node: Node, up: psutil.Process, url: str, rng: random.Random) -> None:
        """Prepare.

        Args:
            node: on the graph, as a stranger.
            up: `aegis up`.
            url: of the bridge.
            rng: draws.
        """
        self._up, self._url, self._rng = up, url, rng
        names = ("radar/points", "detections", "tracks", "zones")
        self._publishers = {
            name: node.create_publisher(message_class(TOPICS[name].type), name, qos_profile(TOPICS[name]))
            for name in names
        }
        self.catalogue: dict[str, Callable[[], None]] = {
            "process killed": lambda: self._hurt(signal.SIGKILL),
            "process stopped": lambda: self._hurt(signal.SIGSTOP),
            "cloud of another frame": lambda: self._send("radar/points", lambda: _cloud("elsewhere")),
            "cloud of NaN and infinity": lambda: self._send(
                "radar/points", lambda: _cloud("radar", np.array([np.nan, np.inf]))
            ),
            "cloud cut off": lambda: self._send("radar/points", _cut_off),
            "cloud an hour ahead": lambda: self._send("radar/points", lambda: _cloud("radar", ahead_s=3600.0)),
            "detections that contradict themselves": lambda: self._send(
                "detections", lambda: DetectionArray(snr_db=[1.0])
            ),
            "a stranger's tracks": lambda: self._send("tracks", _strange_tracks),
            "a stranger's zones": lambda: self._send("zones", ZoneArray),
            "huge request": lambda: self._write(b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000),
            "silent connections": lambda: self._write(b"", connections=50),
            "wrong logins": self._wrong_logins,
            "wrong JSON": self._wrong_json,
        }

    def draw(self) -> str:
        """Return the name of a fault."""
        return self._rng.choice(list(self.catalogue))

    def processes(self) -> dict[str, psutil.Process]:
        """Return the processes of the graph that run, by name."""
        found = {}
        for process in self._up.children():
            with suppress(psutil.Error, IndexError):
                words = process.cmdline()
                if words[0] == "aegis.graph.node":
                    found[words[1]] = process
        return found

    def _hurt(self, how: signal.Signals) -> None:
        running = self.processes()
        name = self._rng.choice(sorted(running))
        with suppress(ProcessLookupError):
            os.kill(running[name].pid, how)

    def _send(self, topic: str, make: Callable[[], Any]) -> None:
        for _ in range(SENT_TIMES):
            self._publishers[topic].publish(make())
            time.sleep(SENT_EVERY_S)

    def _write(self, data: bytes, connections: int = 1) -> None:
        host, _, port = self._url.removeprefix("http://").partition(":")
        opened = []
        with suppress(OSError):
            for _ in range(connections):
                opened.append(socket.create_connection((host, int(port)), timeout=2.0))
                opened[-1].sendall(data)
        time.sleep(1.0)
        for one in opened:
            one.close()

    def _wrong_logins(self) -> None:
        for _ in range(3):
            self._post("/api/auth/login", b'{"username": "nobody", "password": "guessed"}')

    def _wrong_json(self) -> None:
        for body in (b"{", b"[" * 5000, b'{"username": 7}', b"\xff\xfe"):
            self._post("/api/auth/login", body)

    def _post(self, path: str, body: bytes) -> None:
        with suppress(httpx.HTTPError):
            httpx.post(self._url + path, content=body, headers={"Content-Type": "application/json"}, timeout=5.0)


def _cloud(frame_id: str, values: Floats | None = None, ahead_s: float = 0.0) -> PointCloud2:
    x = np.array([100.0, 200.0]) if values is None else values
    stamp_ns = time.time_ns() + round(ahead_s * 1e9)
    return cloud_to_msg({"x": x, "y": x, "z": x}, frame_id=frame_id, stamp_ns=stamp_ns)


def _cut_off() -> PointCloud2:
    cloud = _cloud("radar")
    cloud.data = cloud.data[:-5]
    return cloud


def _strange_tracks() -> TrackArray:
    return TrackArray(header=make_header(time.time_ns(), "map"), sensor_id=OWN_NAME, sequence=1)
