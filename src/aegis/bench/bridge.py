# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The bridge under load, on loopback: a real bridge process, fed through DDS, and clients by the thousand in another process.

The baseline, in the same run: a process that sends the same frames in a loop of `await websocket.send_json`, and answers GET with a
dict, as FastAPI's tutorials do. The floor: one that writes the same bytes to each connection, and does nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import numpy as np
import psutil
from tqdm import tqdm

from aegis.bench import BenchmarkError, Row, bridge_naive, three_digits
from aegis.bench.bridge_clients import Load, Seen
from aegis.bench.live import START_DEADLINE_S, environment, free_port, running
from aegis.bridge.accounts.store import Accounts

HZ = 10.0
USER, PASSWORD = "bench", "only for this run, in a directory of its own"
WARM_UP_S, MEASURE_S = 3.0, 10.0
GET_TRACKS, GET_HZ, GET_S, GET_CONNECTIONS = 1000, 50.0, 20.0, 8
SOAK_CLIENTS, SOAK_TRACKS, SOAK_SETTLE_S = 200, 200, 60.0
SAMPLE_S = 0.05


@dataclass(frozen=True)
class Case:
    """One load."""

    clients: int
    tracks: int
    stalled: int = 0


CASES = (Case(1000, 25), Case(200, 200), Case(1000, 25, stalled=50))


def run(runs: int, minutes: float = 10.0) -> Iterator[Row]:
    """Measure every load `runs` times beside the baseline, GET, and the memory over some minutes; yield a row each.

    Raises:
        BenchmarkError: the bridge did not start, or nothing came.
    """
    for case in CASES:
        yield _row(case, runs)
    yield _get_row(runs)
    if minutes > 0.0:
        yield _soak_row(minutes)


def _row(case: Case, runs: int) -> Row:
    ours: list[tuple[Seen, float]] = []
    naive: list[tuple[Seen, float]] = []
    floor: list[tuple[Seen, float]] = []
    for _ in tqdm(range(runs), unit="run", desc=f"{case.clients} clients", disable=None):
        with bridge_of(case.tracks) as (port, process, token):
            hello = [{"type": "auth", "token": token}, {"type": "subscribe", "channels": ["radar_frame"]}]
            load = _load(case, port, "/ws/radar-stream", [json.dumps(message) for message in hello])
            ours.append(_measure(load, process))
        with _beside("bridge_naive", case.tracks) as (port, process):
            # Without those that never read: one of them would stop its loop, and there would be nothing to compare.
            load = _load(Case(case.clients, case.tracks), port, bridge_naive.PATH, [])
            naive.append(_measure(load, process))
        with _beside("bridge_floor", case.tracks) as (port, process):
            floor.append(_measure(_load(Case(case.clients, case.tracks), port, "/", []), process))
    per_frame, naive_per_frame, floor_per_frame = (
        float(np.median([cpu_s / seen.frames * 1e6 for seen, cpu_s in each])) for each in (ours, naive, floor)
    )
    p99 = [seen.latency_ms["p99"] for seen, _ in ours]
    return {
        "bench": "bridge",
        "clients": case.clients,
        "stalled": case.stalled,
        "hz": HZ,
        "tracks": case.tracks,
        "frame_bytes": ours[0][0].frame_bytes,
        "p50_ms": round(float(np.median([seen.latency_ms["p50"] for seen, _ in ours])), 1),
        "p99_ms": round(float(np.median(p99)), 1),
        "p99_min_ms": min(p99),
        "p99_max_ms": max(p99),
        "delivered": round(float(np.median([_delivered(case, seen) for seen, _ in ours])), 5),
        "lost_clients": max(seen.closed for seen, _ in ours),
        "us_per_frame": round(per_frame, 1),
        "floor_us_per_frame": round(floor_per_frame, 1),
        "runs": runs,
        "baseline": "a loop of await send_json" + (", without the stalled clients" if case.stalled else ""),
        "naive_us_per_frame": round(naive_per_frame, 1),
        "naive_hz": round(float(np.median([_rate_hz(seen) for seen, _ in naive])), 2),
        "naive_p99_ms": round(float(np.median([seen.latency_ms["p99"] for seen, _ in naive])), 1),
        "naive_delivered": round(float(np.median([_delivered(case, seen) for seen, _ in naive])), 5),
        "ratio": three_digits(naive_per_frame / per_frame),
        "cores": len(os.sched_getaffinity(0)),
    }


def _load(case: Case, port: int, path: str, hello: list[str]) -> Load:
    return Load(port, path, case.clients, case.stalled, hello, WARM_UP_S, MEASURE_S)


def _delivered(case: Case, seen: Seen) -> float:
    """Return the part of the frames of the measured scans that came."""
    return seen.frames / (case.clients * max(_scans(seen), 1))


def _scans(seen: Seen) -> int:
    return seen.last_sequence - seen.first_sequence + 1


def _rate_hz(seen: Seen) -> float:
    """Return how often the server sent; the first and the last scan of the time of measurement are not counted."""
    return (_scans(seen) + 1) / (seen.end_s - seen.begin_s)


def _measure(load: Load, process: psutil.Process) -> tuple[Seen, float]:
    """Return what the clients saw, and the CPU time [s] that the server took for it."""
    with _sampled(process) as samples:
        seen = _clients(load)
    at, cpu, _ = np.array(samples).T
    begin, end = np.interp([seen.begin_s, seen.end_s], at, cpu)
    return seen, float(end - begin) * _scans(seen) / (_rate_hz(seen) * (seen.end_s - seen.begin_s))


def _clients(load: Load) -> Seen:
    """Return what a process of clients saw.

    Raises:
        BenchmarkError: nothing came.
    """
    command = [sys.executable, "-m", "aegis.bench.bridge_clients"]
    out = subprocess.run(command, input=json.dumps(asdict(load)), capture_output=True, text=True, check=False)
    if out.returncode:
        raise BenchmarkError(f"the clients failed:\n{out.stderr}")
    seen = Seen(**json.loads(out.stdout))
    if not seen.frames:
        raise BenchmarkError("not one frame came")
    return seen


@contextlib.contextmanager
def _sampled(process: psutil.Process) -> Iterator[list[tuple[float, float, float]]]:
    """Note time [s], CPU time [s] and resident memory [MB] of a process until the block ends."""
    samples: list[tuple[float, float, float]] = []
    stop = threading.Event()

    def sample() -> None:
        while not stop.wait(SAMPLE_S):
            used = process.cpu_times()
            samples.append((time.time(), used.user + used.system, process.memory_info().rss / 1e6))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        stop.set()
        thread.join()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path, headers: dict[str, str] | None = None) -> None:
    """Wait until a URL answers 200.

    Raises:
        BenchmarkError: it does not, or the process ends.
    """
    deadline = time.monotonic() + START_DEADLINE_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url, headers=headers, timeout=5).status_code == 200:
                return
        time.sleep(0.1)
    raise BenchmarkError(f"{url} does not answer:\n{log.read_text()}")


@contextlib.contextmanager
def bridge_of(tracks: int) -> Iterator[tuple[int, psutil.Process, str]]:
    """Run a bridge that hears a picture of this size; yield its port, its process and an access token."""
    with tempfile.TemporaryDirectory(prefix="aegis-bench-") as name:
        folder = Path(name)
        environ = environment(folder)
        state, log, port = folder / "state", folder / "log.txt", free_port()
        state.mkdir(mode=0o700)
        accounts = Accounts(state)
        accounts.add(USER, PASSWORD, "viewer")
        accounts.close()
        bridge = [sys.executable, "-m", "aegis.graph.node", "bridge"]
        # A token that outlives the whole measurement.
        for key, value in {"port": port, "accounts.access_token_minutes": 120}.items():
            bridge += ["--set", f"bridge.{key}={value}"]
        feed = [sys.executable, "-m", "aegis.bench.bridge_feed", str(tracks), str(HZ)]
        with running(bridge, environ, log) as process, running(feed, environ, log):
            url = f"http://127.0.0.1:{port}"
            _wait_for(f"{url}/health", process, log)
            answer = httpx.post(f"{url}/api/auth/login", json={"username": USER, "password": PASSWORD}, timeout=10)
            token = str(answer.raise_for_status().json()["access_token"])
            _wait_for(f"{url}/api/radar/tracks", process, log, {"Authorization": f"Bearer {token}"})
            yield port, psutil.Process(process.pid), token


@contextlib.contextmanager
def _beside(module: str, tracks: int) -> Iterator[tuple[int, psutil.Process]]:
    """Run what the bridge is compared with; yield its port and its process."""
    with tempfile.TemporaryDirectory(prefix="aegis-bench-") as name:
        port, log = free_port(), Path(name) / "log.txt"
        command = [sys.executable, "-m", f"aegis.bench.{module}", str(port), str(tracks), str(HZ)]
        with running(command, os.environ, log) as process:
            _wait_for(f"http://127.0.0.1:{port}{bridge_naive.TRACKS_PATH}", process, log)
            yield port, psutil.Process(process.pid)


def _get_row(runs: int) -> Row:
    ours: list[np.ndarray] = []
    naive: list[np.ndarray] = []
    size = 0
    for _ in tqdm(range(runs), unit="run", desc="GET", disable=None):
        with bridge_of(GET_TRACKS) as (port, _, token):
            times, size = asyncio.run(_gets(port, "/api/radar/tracks", token))
            ours.append(times)
        with _beside("bridge_naive", GET_TRACKS) as (port, _):
            naive.append(asyncio.run(_gets(port, bridge_naive.TRACKS_PATH, ""))[0])
    p99 = [float(np.percentile(one, 99)) for one in ours]
    return {
        "bench": "bridge",
        "get": "/api/radar/tracks",
        "tracks": GET_TRACKS,
        "requests_per_s": GET_HZ,
        "body_bytes": size,
        "p50_ms": round(float(np.median([np.percentile(one, 50) for one in ours])), 2),
        "p99_ms": round(float(np.median(p99)), 2),
        "p99_min_ms": round(min(p99), 2),
        "p99_max_ms": round(max(p99), 2),
        "requests": sum(map(len, ours)),
        "runs": runs,
        "baseline": "FastAPI with a dict as the answer",
        "naive_p50_ms": round(float(np.median([np.percentile(one, 50) for one in naive])), 2),
        "naive_p99_ms": round(float(np.median([np.percentile(one, 99) for one in naive])), 2),
        "cores": len(os.sched_getaffinity(0)),
    }


async def _gets(port: int, path: str, token: str) -> tuple[np.ndarray, int]:
    """Ask GET_HZ times a second, whether or not answers came; return (requests,) times to the last byte [ms], and its size."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(GET_CONNECTIONS):
        free.put_nowait(await asyncio.open_connection("127.0.0.1", port, limit=2**21))
    times: list[float] = []
    sizes: list[int] = []

    async def ask(due: float) -> None:
        reader, writer = await free.get()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise BenchmarkError(f"GET {path}: {head!r}")
        size = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        await reader.readexactly(size)
        times.append((time.perf_counter() - due) * 1e3)  # from when it was due: waiting for a connection counts
        sizes.append(size)
        free.put_nowait((reader, writer))

    begin = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for k in range(int(GET_S * GET_HZ)):
            await asyncio.sleep(max(0.0, begin + k / GET_HZ - time.perf_counter()))
            group.create_task(ask(time.perf_counter()))
    while not free.empty():
        free.get_nowait()[1].close()
    return np.array(times), max(sizes)


def _soak_row(minutes: float) -> Row:
    """Return how the bridge's memory goes under load: a straight line through it after the first minute."""
    with bridge_of(SOAK_TRACKS) as (port, process, token):
        hello = [json.dumps({"type": "auth", "token": token})]
        load = Load(port, "/ws/radar-stream", SOAK_CLIENTS, 0, hello, SOAK_SETTLE_S, minutes * 60.0)
        with _sampled(process) as samples:
            seen = _clients(load)
    table = np.array(samples)
    memory = table[(table[:, 0] >= seen.begin_s) & (table[:, 0] <= seen.end_s), 2]
    return {
        "bench": "bridge",
        "soak_minutes": minutes,
        "clients": SOAK_CLIENTS,
        "hz": HZ,
        "tracks": SOAK_TRACKS,
        "first_mb": round(float(memory[0]), 1),
        "last_mb": round(float(memory[-1]), 1),
        "growth_mb_per_h": round(_growth_mb_per_h(table, seen), 2),
        "p99_ms": seen.latency_ms["p99"],
        "delivered": round(_delivered(Case(SOAK_CLIENTS, SOAK_TRACKS), seen), 5),
        "cores": len(os.sched_getaffinity(0)),
    }


def _growth_mb_per_h(samples: np.ndarray, seen: Seen) -> float:
    """Return the slope of a straight line through the memory (column 2, [MB]) over time (column 0, [s]) while it was measured."""
    at, memory = samples[:, 0], samples[:, 2]
    measured = (at >= seen.begin_s) & (at <= seen.end_s)
    return float(np.polyfit(at[measured] - seen.begin_s, memory[measured], 1)[0]) * 3600.0
