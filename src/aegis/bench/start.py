# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The first minutes of a user: installing, the first start, the second one, and what the idle graph takes while nobody watches.

Everything is fresh: HOME, the state directory, a free port, a ROS domain of its own; with a checkout also the virtual environment.
A start is measured from the command to the first tracks that the bridge gives, to one who logs in with the printed password.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from tqdm import tqdm

from aegis.bench import BenchmarkError, Row, three_digits
from aegis.bench.live import START_DEADLINE_S, aegis_up, environment, free_domain, free_port

INSTALL_DEADLINE_S = 1800.0
SETTLE_S, IDLE_S = 15.0, 30.0
POLL_S = 0.05
ANSWER_S = 5.0
LOG_TAIL = 3000
_PASSWORD = re.compile(r"with the password\s+(\S+)")
# What the environment of this process has of its own interpreter, and another one must not have.
_OWN = ("_ROS_WHEELS_BOOTSTRAP_COMPLETE", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
_STATE = ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "JWT_SECRET", "DATABASE_URL", "API_PORT")


def run(runs: int, checkout: Path | None = None) -> Iterator[Row]:
    """Measure; yield one row, in which the times of starts are medians over `runs`.

    Args:
        runs: how often the graph is started for the first and for the second time.
        checkout: a clone of the repository, to be installed into a fresh virtual environment; None measures what runs here.

    Raises:
        BenchmarkError: it cannot be installed, or the graph does not start.
    """
    with tempfile.TemporaryDirectory(prefix="aegis-bench-") as name:
        folder = Path(name)
        aegis, install_s = [sys.executable, "-m", "aegis"], None
        if checkout is not None:
            aegis, install_s = _install(checkout.resolve(), folder)
        firsts, warms = [], []
        for k in tqdm(range(runs), unit="run", desc="starts", disable=None):
            graph = Graph.fresh(aegis, folder / f"run{k}")
            with graph.started() as start_s:
                firsts.append(start_s)
            with graph.started() as start_s:
                warms.append(start_s)
        with graph.started() as _, graph.idle() as idle:
            pass
        with graph.started("--composed") as _, graph.idle() as composed:
            pass
    yield {
        "bench": "start",
        "first_s": round(float(np.median(firsts)), 2),
        "warm_s": round(float(np.median(warms)), 2),
        "install_s": install_s,
        "idle_pss_mb": round(idle.pss_mb, 1),
        "idle_cpu": three_digits(idle.cpu),
        "composed_pss_mb": round(composed.pss_mb, 1),
        "composed_cpu": three_digits(composed.cpu),
        "idle_processes": {name: {"pss_mb": round(mb, 1), "cpu": three_digits(cpu)} for name, (mb, cpu) in idle.of.items()},
        "first_max_s": round(max(firsts), 2),
        "runs": runs,
        "cores": len(os.sched_getaffinity(0)),
    }  # fmt: skip


@dataclass
class Idle:
    """What the processes of a graph take."""

    of: dict[str, tuple[float, float]]  # by name: memory (PSS) [MB], CPU as a share of one core

    @property
    def pss_mb(self) -> float:
        """Return the memory of all together."""
        return sum(mb for mb, _ in self.of.values())

    @property
    def cpu(self) -> float:
        """Return the CPU of all together."""
        return sum(cpu for _, cpu in self.of.values())


class Graph:
    """A graph that keeps everything in a folder, to be started once and again."""

    def __init__(self, aegis: Sequence[str], environ: Mapping[str, str], folder: Path) -> None:
        self._aegis = list(aegis)
        self._environ = dict(environ)
        self._log = folder / "log.txt"
        self._password = ""
        self._pid = 0

    @classmethod
    def fresh(cls, aegis: Sequence[str], folder: Path) -> Graph:
        """Return one that has never been started."""
        home = folder / "home"
        home.mkdir(parents=True)
        environ = {key: value for key, value in environment(folder).items() if key not in _STATE}
        if "_ROS_WHEELS_BOOTSTRAP_COMPLETE" in environ:  # else ROS is where the environment says
            environ = {key: value for key, value in environ.items() if key not in _OWN}
        return cls(aegis, {**environ, "HOME": str(home), "ROS_DOMAIN_ID": free_domain()}, folder)

    @contextlib.contextmanager
    def started(self, *options: str) -> Iterator[float]:
        """Run the graph until the block ends; yield how long it took until the bridge gave tracks [s].

        Raises:
            BenchmarkError: it did not.
        """
        port, begin = free_port(), time.monotonic()
        arguments = ["--port", str(port), "--set", f"foxglove.port={free_port()}", *options]
        with aegis_up(self._environ, self._log, *arguments, command=self._aegis) as up:
            self._pid = up.pid
            url = f"http://127.0.0.1:{port}"
            token = self._until(up, lambda: self._log_in(url), "a login")
            self._until(up, lambda: _get(f"{url}/api/radar/tracks", token).get("tracks"), "tracks")
            yield time.monotonic() - begin

    @contextlib.contextmanager
    def idle(self) -> Iterator[Idle]:
        """Measure the graph that has been started, when it has settled."""
        time.sleep(SETTLE_S)
        up = psutil.Process(self._pid)
        processes = [up, *up.children(recursive=True)]
        before = [(_cpu_s(p), time.monotonic()) for p in processes]
        time.sleep(IDLE_S)
        of: dict[str, tuple[float, float]] = {}
        for process, (cpu_s, at) in zip(processes, before, strict=True):
            share = (_cpu_s(process) - cpu_s) / (time.monotonic() - at)
            of["supervisor" if process is up else process.name()] = (_pss_mb(process.pid), share)
        yield Idle(of)

    def _log_in(self, url: str) -> str | None:
        """Return an access token, as soon as the bridge and the password that it printed are there."""
        if not self._password:
            found = _PASSWORD.search(self._log.read_text(errors="replace"))
            if found is None:
                return None
            self._password = found[1]
        body = json.dumps({"username": "admin", "password": self._password}).encode()
        token = _get(f"{url}/api/auth/login", body=body).get("access_token")
        return None if token is None else str(token)

    def _until(self, up: subprocess.Popen[bytes], ask: Callable[[], object], what: str) -> str:
        """Return what `ask` returns, as soon as that is something."""
        deadline = time.monotonic() + START_DEADLINE_S
        while up.poll() is None and time.monotonic() < deadline:
            if answer := ask():
                return str(answer)
            time.sleep(POLL_S)
        why = "ended" if up.poll() is not None else f"gave no {what} within {START_DEADLINE_S:g} s"
        raise BenchmarkError(f"aegis up {why}:\n{self._log.read_text(errors='replace')[-LOG_TAIL:]}")


def _get(url: str, token: str = "", body: bytes | None = None) -> dict[str, object]:
    """Return the JSON of an answer; nothing where there is none yet."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=ANSWER_S) as answer:
            return dict(json.load(answer))
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return {}


def _install(checkout: Path, folder: Path) -> tuple[list[str], float]:
    """Make a virtual environment and install a checkout into it; return its `aegis` and the time that it took [s].

    Raises:
        BenchmarkError: it cannot be installed.
    """
    python, log = folder / "venv" / "bin" / "python", folder / "install.txt"
    environ = {key: value for key, value in os.environ.items() if key not in _OWN}
    begin = time.monotonic()
    with log.open("wb") as file:
        for command in (
            [getattr(sys, "_base_executable", sys.executable), "-m", "venv", str(folder / "venv")],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "./msg", "."],
        ):
            left = INSTALL_DEADLINE_S - (time.monotonic() - begin)
            try:
                done = subprocess.run(command, cwd=checkout, env=environ, stdout=file, stderr=file, timeout=left)
            except (OSError, subprocess.TimeoutExpired) as error:
                raise BenchmarkError(f"{checkout} cannot be installed: {error}") from error
            if done.returncode:
                raise BenchmarkError(f"{checkout} cannot be installed:\n{log.read_text(errors='replace')[-LOG_TAIL:]}")
    return [str(python.with_name("aegis"))], round(time.monotonic() - begin, 1)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _pss_mb(pid: int) -> float:
    """Return the memory of a process, of what it shares its share [MB]; see smaps_rollup in proc_pid_smaps(5)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise BenchmarkError(f"/proc/{pid}/smaps_rollup has no Pss")
