# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs a soak: starts the graph, lets clients come and go and faults happen, listens, and stops by itself."""

from __future__ import annotations

import random
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import psutil
from aegis_msgs.msg import Event, PipelineStatus, TrackArray
from rclpy.node import Node

from aegis.bench import BenchmarkError
from aegis.bench.live import START_DEADLINE_S, aegis_up, environment, free_domain, free_port, node_in
from aegis.bench.soak.clients import MOST_AHEAD_S, PASSWORD, USER, Client
from aegis.bench.soak.faults import Faults
from aegis.bench.soak.report import Fault, Life, Report, Seen
from aegis.bridge.accounts.store import Accounts
from aegis.ros.messages.fields import stamp_of
from aegis.ros.messages.picture import tracks_from_msg
from aegis.ros.qos import message_class, qos_profile
from aegis.ros.topics import TOPICS

CLIENTS = 4
SCAN_INTERVAL_S = 0.2
SAMPLE_EVERY_S = 2.0
MEAN_PAUSE_S, LEAST_PAUSE_S = 20.0, 3.0  # between a graph that is whole and the next fault
SETTLE_S = 3.0  # after a fault, before latencies count again
BACK_DEADLINE_S = 30.0
FRESH_S = 2.0  # tracks are
ASK_EVERY_S = 0.3
LEAST_LEFT_S = 10.0  # of the time, for a fault to end in
MAP = "map"


class Ear:
    """Hears the graph, and holds what it says against what cannot be."""

    def __init__(self, node: Node, seen: Seen) -> None:
        self._seen = seen
        self.calm = False  # no fault is under way
        self.fresh_at = 0.0  # monotonic time at which tracks with a stamp of now were heard last
        self._events: dict[tuple[str, str, int], int] = {}  # by run, stage and epoch
        takers: dict[str, Callable[..., None]] = {"tracks": self._tracks, "events": self._event, "status": self._status}
        for topic, take in takers.items():
            node.create_subscription(message_class(TOPICS[topic].type), topic, take, qos_profile(TOPICS[topic]))

    def _tracks(self, message: TrackArray) -> None:
        if not len(message.track_id) and message.sequence == 1:
            return  # this soak's own stranger
        tracks, age_s = tracks_from_msg(message), time.time() - stamp_of(message) * 1e-9
        self._seen.counts["pictures"] += 1
        if not (np.isfinite(tracks.state).all() and np.isfinite(tracks.covariance).all()):
            self._seen.wrong["a track that is not finite"] += 1
        if tracks.frame_id != MAP:
            self._seen.wrong[f"tracks in frame '{tracks.frame_id}'"] += 1
        if age_s < -MOST_AHEAD_S:
            self._seen.wrong["tracks stamped ahead of the clock"] += 1
        if age_s < FRESH_S:
            self.fresh_at = time.monotonic()
        if self.calm:
            self._seen.latency_s.append(age_s)

    def _event(self, message: Event) -> None:
        self._seen.counts["events"] += 1
        key = (message.run_id, message.stage, message.epoch)
        last = self._events.get(key)
        if last is not None and message.sequence > last + 1 and self.calm:
            self._seen.counts["events not heard here"] += message.sequence - last - 1
        self._events[key] = max(last or 0, message.sequence)

    def _status(self, message: PipelineStatus) -> None:
        for stage, p99 in zip(message.stage, message.step_p99, strict=True):
            if np.isfinite(p99):
                self._seen.step_p99_s[stage] = round(max(self._seen.step_p99_s.get(stage, 0.0), p99), 4)


class Sampler:
    """Notes the memory (PSS) of each process."""

    def __init__(self, faults: Faults, seen: Seen, begin_s: float) -> None:
        self._faults, self._seen, self._begin_s = faults, seen, begin_s
        self._lives: dict[int, Life] = {}
        self._due_s = 0.0

    def look(self) -> None:
        """Look, where that is due."""
        now_s = time.monotonic()
        if now_s < self._due_s:
            return
        self._due_s = now_s + SAMPLE_EVERY_S
        for name, process in self._faults.processes().items():
            try:
                mb = process.memory_full_info().pss / 1e6
            except psutil.Error:
                continue  # it has just ended
            life = self._lives.get(process.pid)
            if life is None:
                life = self._lives[process.pid] = Life(name, process.pid)
                self._seen.lives.append(life)
            life.at_s.append(now_s - self._begin_s)
            life.mb.append(mb)


class Soak:
    """One run: a graph that is up, and what happens to it."""

    def __init__(
        self, node: Node, spin: Callable[[float], None], up: subprocess.Popen[bytes], url: str, seed: int, slack: float
    ) -> None:
        """Listen, with a node that `spin` spins for some seconds; `up` is `aegis up`, `slack` as in `soak`."""
        self.seen, self._up, self._spin, self._url = Seen(), up, spin, url
        self._rng = random.Random(seed)
        self._ear, self._faults = Ear(node, self.seen), Faults(node, psutil.Process(up.pid), url, self._rng)
        self._clients = [Client(url, f"{seed} {k}", slack) for k in range(CLIENTS)]
        self._begin_s = self._asked_s = 0.0
        self._ready = False

    def wait_for_start(self) -> bool:
        """Return whether the graph is whole, in time."""
        end_s = time.monotonic() + START_DEADLINE_S
        while time.monotonic() < end_s and self._up.poll() is None:
            self._spin(0.05)
            if self._is_whole(0.0):
                return True
        return False

    def run(self, for_s: float, *, faults: bool) -> float:
        """Run for so long, or until Ctrl-C, or until the graph ends; return for how long it was [s]."""
        self._begin_s = time.monotonic()
        for client in self._clients:
            client.start()
        try:
            self._go_on(self._begin_s + for_s, faults)
        except KeyboardInterrupt:
            self.seen.counts["ended by hand"] += 1
        lasted_s = time.monotonic() - self._begin_s
        if self._up.poll() is not None:
            self.seen.ended = f"aegis up ended by itself with exit code {self._up.returncode}"
        for client in self._clients:
            client.close()
            self.seen.wrong.update(client.wrong)
            self.seen.counts.update(client.counts)
        self._ask_history()
        return lasted_s

    def _go_on(self, end_s: float, faults: bool) -> None:
        sampler = Sampler(self._faults, self.seen, self._begin_s)
        calm_from_s, next_s = self._begin_s + SETTLE_S, self._next_s()
        under_way: tuple[str, threading.Thread] | None = None
        done_s = 0.0
        while (now_s := time.monotonic()) < end_s and self._up.poll() is None:
            self._spin(0.02)
            sampler.look()
            self._ear.calm = under_way is None and now_s >= calm_from_s
            if not faults:
                continue
            if under_way is None:
                if now_s >= next_s and now_s < end_s - LEAST_LEFT_S:
                    self._ear.calm = False
                    kind = self._faults.draw()
                    under_way, done_s = (kind, threading.Thread(target=self._faults.catalogue[kind], daemon=True)), 0.0
                    under_way[1].start()
                continue
            kind, injecting = under_way
            if injecting.is_alive():
                continue
            done_s = done_s or now_s
            whole, late = self._is_whole(done_s), now_s - done_s > BACK_DEADLINE_S
            if whole or late:
                self.seen.faults.append(
                    Fault(kind, round(done_s - self._begin_s, 2), round(now_s - done_s, 2) if whole else None)
                )
                under_way, calm_from_s, next_s = None, now_s + SETTLE_S, self._next_s()

    def _next_s(self) -> float:
        return time.monotonic() + LEAST_PAUSE_S + self._rng.expovariate(1.0 / MEAN_PAUSE_S)

    def _is_whole(self, since_s: float) -> bool:
        """Return whether fresh tracks were heard after a time, and the bridge is ready."""
        if self._ear.fresh_at <= since_s:
            return False
        if time.monotonic() - self._asked_s > ASK_EVERY_S:
            try:
                self._ready = httpx.get(f"{self._url}/ready", timeout=1.0).status_code == 200
            except httpx.TransportError:
                self._ready = False
            self._asked_s = time.monotonic()
        return self._ready and self._asked_s > since_s

    def _ask_history(self) -> None:
        """Take what the bridge says of messages that were not kept."""
        try:
            token = httpx.post(
                f"{self._url}/api/auth/login", json={"username": USER, "password": PASSWORD}, timeout=10.0
            ).json()
            headers = {"Authorization": f"Bearer {token['access_token']}"}
            dropped = httpx.get(f"{self._url}/api/history/status", headers=headers, timeout=10.0).json()["dropped"]
        except (httpx.TransportError, KeyError) as error:
            self.seen.ended = self.seen.ended or f"the bridge does not say what it has kept ({type(error).__name__})"
        else:
            self.seen.lost.update({f"history: {kind}": times for kind, times in dropped.items()})


def soak(hours: float, seed: int, *, faults: bool = True, slack: float = 1.0) -> Report:
    """Run the graph for so long, and report; Ctrl-C ends it sooner.

    Args:
        hours: that it runs.
        seed: of the faults, of what clients do, and of the simulator.
        faults: whether some are injected.
        slack: by which the bounds of times are multiplied, on a busy machine.

    Raises:
        BenchmarkError: the graph does not start.
    """
    with tempfile.TemporaryDirectory(prefix="aegis-soak-") as name:
        folder, port = Path(name), free_port()
        environ, log = {**environment(folder), "ROS_DOMAIN_ID": free_domain()}, folder / "up.log"
        (folder / "state").mkdir(mode=0o700)
        accounts = Accounts(folder / "state")
        accounts.add(USER, PASSWORD, "operator")
        accounts.close()
        sets = {"simulator.scan_interval_s": SCAN_INTERVAL_S, "simulator.seed": seed, "foxglove.port": free_port()}
        options = ["--port", str(port), *(word for key, value in sets.items() for word in ("--set", f"{key}={value}"))]
        with node_in(environ, "soak") as (node, spin), aegis_up(environ, log, *options) as up:
            one = Soak(node, spin, up, f"http://127.0.0.1:{port}", seed, slack)
            if not one.wait_for_start():
                raise BenchmarkError(f"the graph does not start:\n{log.read_text(errors='replace')[-3000:]}")
            lasted_s = one.run(hours * 3600.0, faults=faults)
        one.seen.counts["restarts"] = log.read_text(errors="replace").count("restarting it")
    return Report.of(one.seen, lasted_s=lasted_s, hours=hours, seed=seed, slack=slack)
