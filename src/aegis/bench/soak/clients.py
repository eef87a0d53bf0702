# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Clients of the bridge that come and go, each in a thread: they read the stream and the API, and look at what they are told."""

from __future__ import annotations

import json
import math
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import httpx
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

USER, PASSWORD = "soak", "only for this run, in a directory of its own"
PATHS = (
    "/api/radar/tracks", "/api/radar/targets", "/api/threats/active", "/api/threats/ew-status", "/api/alarms",
    "/api/events?limit=50", "/api/history/status", "/api/controller/status", "/metrics", "/ready",
)  # fmt: skip
LONGEST_S = 10.0  # that a client stays
# Of a picture's age as it is told, against its stamp: rounding, and what a busy machine takes between the two.
AGE_TOLERANCE_S = 2.0
MOST_AHEAD_S = 1.0


class Client(threading.Thread):
    """Comes, stays for some seconds, goes, and comes again until it is told to stop."""

    def __init__(self, url: str, seed: str, slack: float) -> None:
        super().__init__(name="soak-client", daemon=True)
        self._tolerance_s = AGE_TOLERANCE_S * slack
        self._stream = url.replace("http", "ws") + "/ws/radar-stream"
        self._url, self._rng = url, random.Random(seed)
        self._over = threading.Event()
        self._token = ""
        self.wrong: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()

    def close(self) -> None:
        """Stop, and wait for the thread."""
        self._over.set()
        self.join(LONGEST_S + 10.0)

    def run(self) -> None:
        """Be a client after the other."""
        visits = (self._read_api, self._read_stream, self._never_read)
        while not self._over.wait(self._rng.uniform(0.1, 1.0)):
            with suppress(
                httpx.TransportError, OSError, WebSocketException, TimeoutError
            ):  # as while the bridge begins anew
                if self._token or self._log_in():
                    self._rng.choices(visits, (3, 3, 1))[0](time.monotonic() + self._rng.uniform(1.0, LONGEST_S))

    def _log_in(self) -> bool:
        answer = httpx.post(f"{self._url}/api/auth/login", json={"username": USER, "password": PASSWORD}, timeout=10.0)
        self._look_at(answer, "/api/auth/login")
        self._token = answer.json()["access_token"] if answer.status_code == 200 else ""
        return bool(self._token)

    def _read_api(self, until_s: float) -> None:
        with httpx.Client(base_url=self._url, headers={"Authorization": f"Bearer {self._token}"}, timeout=10.0) as api:
            while time.monotonic() < until_s and not self._over.wait(0.1):
                path = self._rng.choice(PATHS)
                answer = api.get(path)
                self._look_at(answer, path)
                if answer.status_code == 401:  # the token is over
                    self._token = ""
                    return

    def _look_at(self, answer: httpx.Response, path: str) -> None:
        self.counts["answers"] += 1
        if answer.status_code >= 500 and answer.status_code != 503:
            self.wrong[f"{answer.status_code} of {path}"] += 1
        if answer.status_code == 200 and path.startswith(("/api/radar", "/api/threats/active")):
            self._look_at_picture(answer.json(), path)

    def _look_at_picture(self, body: dict[str, object], where: str) -> None:
        """Hold the age that is told against the stamp: old data are never shown as new."""
        for what in wrong_in(body, time.time(), self._tolerance_s):
            self.wrong[f"{what} in {where}"] += 1

    def _read_stream(self, until_s: float) -> None:
        with connect(
            self._url.replace("http", "ws") + "/ws/radar-stream", open_timeout=10, close_timeout=1, max_size=None
        ) as socket:
            socket.send(json.dumps({"type": "auth", "token": self._token}))
            while time.monotonic() < until_s and not self._over.is_set():
                message = json.loads(socket.recv(timeout=10.0))
                self.counts["stream messages"] += 1
                if message["type"] == "radar_frame":
                    self._look_at_picture(message, "radar_frame")
                elif message["type"] == "auth_error":
                    self._token = ""
                    return

    def _never_read(self, until_s: float) -> None:
        with connect(
            self._url.replace("http", "ws") + "/ws/radar-stream", open_timeout=10, close_timeout=1, max_queue=1
        ) as socket:
            socket.send(json.dumps({"type": "auth", "token": self._token}))
            self._over.wait(max(0.0, until_s - time.monotonic()))


def wrong_in(body: dict[str, object], now_s: float, tolerance_s: float = AGE_TOLERANCE_S) -> Iterator[str]:
    """Yield what cannot be right in a picture as the bridge gives it; it may be read so long after its age was told."""
    stamp_s, age_s = body.get("stamp_s"), body.get("age_s")
    if not isinstance(stamp_s, float | int) or not isinstance(age_s, float | int):
        yield "no stamp or age"
    elif stamp_s > now_s + MOST_AHEAD_S:
        yield "a stamp ahead of the clock"
    elif now_s - stamp_s - age_s > tolerance_s:
        yield "old data as new"
    for rows in body.values():
        if isinstance(rows, list) and any(_not_finite(value) for row in rows for value in _numbers(row)):
            yield "a number that is not finite"


def _numbers(value: object) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _numbers(each)
    elif isinstance(value, list):
        for each in value:
            yield from _numbers(each)


def _not_finite(value: float) -> bool:
    return not math.isfinite(value)
