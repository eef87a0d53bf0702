# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Many sites over lines that are slow, lossy or cut: how old a picture is at the headquarters, and whether an event is lost.

All sites' senders are in one process here, each with its own session of zenoh, record on disk and line. Their pictures are those of
a tracker of ours. The headquarters is the uplink's receiver in another process, which holds every event against its number. The
last hop over DDS is left out: `aegis bench latency` measures it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import psutil
from rclpy.serialization import serialize_message

from aegis.bench import Row
from aegis.bench.faulty_line import FaultyLine, Quality
from aegis.bench.fusion_scene import around
from aegis.bench.live import free_port
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import Tracks
from aegis.core.uplink.settings import UplinkSettings
from aegis.ros.messages.fields import set_header
from aegis.ros.messages.picture import tracks_to_msg
from aegis.ros.uplink.line import Line
from aegis.ros.uplink.receiver import Arrived, Lost, Receiver
from aegis.ros.uplink.sender import Sender
from aegis.ros.uplink.wire import stamp_of_cdr

TRACKS, HZ, EVENTS_HZ = 200, 2.0, 5.0
MEASURE_S, CUT_S = 20.0, 60.0
SLOW = Quality(kbit_s=1000.0, delay_s=0.02, loss=0.05)
BOUND_KBIT_S = 950.0  # of the sites where the line is slow
SITES = (1, 5, 10, 20)
PICTURES_KEPT = 400
_JOIN_S, _SETTLE_S = 30.0, 60.0
_EVENT_BYTES = 400


@dataclass(frozen=True)
class Heard:
    """What the headquarters has, each by site."""

    seen_s: dict[str, float]  # when the first message came
    events: dict[str, int]  # number of the last
    pictures: dict[str, list[tuple[int, int]]]  # stamp, and when it came [ns]
    ages_ms: list[float]  # of pictures, since it was asked to forget them
    disorder: int  # events that were not the next, and losses told


@dataclass(frozen=True)
class Case:
    """What is measured."""

    name: str
    sites: int
    quality: Quality
    cut_s: float = 0.0
    measure_s: float = MEASURE_S
    tracks: int = TRACKS


def run(runs: int) -> Iterator[Row]:
    """Measure each case once, whatever `runs`: a case is itself of many pictures."""
    for sites in SITES:
        yield measure(Case("whole lines", sites, Quality(delay_s=0.005)))
    yield measure(Case("1 Mbit/s, 5 % loss", 1, SLOW))
    yield measure(Case("1 Mbit/s, 5 % loss", 5, SLOW))
    yield measure(Case("cut", 5, Quality(kbit_s=1000.0, delay_s=0.02), cut_s=CUT_S))


def measure(case: Case) -> Row:
    """Return the row of a case."""
    port = free_port()
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    headquarters = multiprocessing.get_context("spawn").Process(target=_headquarters, args=(port, theirs), daemon=True)
    headquarters.start()
    try:
        with tempfile.TemporaryDirectory(prefix="aegis-fleet-") as folder, contextlib.ExitStack() as stack:
            if not ours.poll(_JOIN_S):
                raise RuntimeError("the headquarters did not start")
            ours.recv()
            sites = [
                stack.enter_context(contextlib.closing(_Site(n, port, case, Path(folder)))) for n in range(case.sites)
            ]
            return _measured(case, sites, ours, psutil.Process(headquarters.pid))
    finally:
        ours.send("end")
        headquarters.join(10.0)
        if headquarters.is_alive():
            headquarters.kill()


def _measured(case: Case, sites: list[_Site], hq: Connection, process: psutil.Process) -> Row:
    for site in sites:
        site.begin()
    _until(lambda: len(_asked(hq).pictures) == len(sites), _JOIN_S, "every site is seen")
    joined = _asked(hq)
    _asked(hq, "clear")
    own, theirs = psutil.Process(), process
    cpu = [sum(p.cpu_times()[:2]) for p in (own, theirs)]
    begin = time.monotonic()
    time.sleep(case.measure_s)
    took_s = time.monotonic() - begin
    busy = [(sum(p.cpu_times()[:2]) - before) / took_s for p, before in zip((own, theirs), cpu, strict=True)]
    found = _asked(hq)
    right_s = []
    if case.cut_s:
        for site in sites:
            site.line.cut()
        time.sleep(case.cut_s)
        mended_ns = {}
        for site in sites:
            mended_ns[site.name] = time.time_ns()
            site.line.mend()
        _until(lambda: all(s.name in _newer(hq, mended_ns) for s in sites), _SETTLE_S, "pictures again")
        right_s = [(_newer(hq, mended_ns)[s.name] - mended_ns[s.name]) * 1e-9 for s in sites]
    for site in sites:
        site.stop()
    sent = {site.name: site.events for site in sites}
    _until(lambda: _asked(hq).events == sent, _SETTLE_S, "the last events", must=False)
    last = _asked(hq)
    ages = np.array(found.ages_ms)
    return {
        "bench": "fleet",
        "case": case.name,
        "sites": case.sites,
        "tracks": case.tracks,
        "hz": HZ,
        "p50_ms": round(float(np.percentile(ages, 50)), 1) if len(ages) else None,
        "p99_ms": round(float(np.percentile(ages, 99)), 1) if len(ages) else None,
        "pictures": len(ages),
        "pictures_offered": round(case.sites * HZ * took_s),
        "seen_after_s": round(max(joined.seen_s[s.name] - s.begun_s for s in sites), 2),
        "events_sent": sum(sent.values()),
        "events_lost": sum(sent.values()) - sum(last.events.values()),
        "events_out_of_order_or_twice": last.disorder,
        "picture_right_after_s": round(max(right_s), 2) if right_s else None,
        "kbit_s_a_site": round(8e-3 * float(np.mean([s.sender.sent.bytes / s.age_s for s in sites])), 1),
        "cores_sites": round(busy[0], 2),
        "cores_headquarters": round(busy[1], 2),
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 1),
    }


class _Site:
    """A site's sender with its line, which is offered pictures and events."""

    def __init__(self, number: int, port: int, case: Case, folder: Path) -> None:
        self.name = f"s{number}"
        self.line = FaultyLine(port, case.quality, seed=number)
        bound = BOUND_KBIT_S if case.quality.kbit_s else 0.0
        settings = UplinkSettings.load(
            {"site": self.name, "mode": "client", "connect": [f"tcp/127.0.0.1:{self.line.port}"], "bound_kbit_s": bound}
        )
        self._zenoh = Line(settings)
        self.sender = Sender(settings, self._zenoh, folder / f"{self.name}.db")
        self.events = 0
        self._message = tracks_to_msg(_picture(case.tracks))
        self._over = threading.Event()
        self._begin_s, self.begun_s = time.monotonic(), time.time()
        self._thread = threading.Thread(target=self._offer, args=(number,), daemon=True)

    def begin(self) -> None:
        self._begin_s, self.begun_s = time.monotonic(), time.time()
        self._zenoh.start()
        self.sender.start()
        self._thread.start()

    @property
    def age_s(self) -> float:
        return time.monotonic() - self._begin_s

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def close(self) -> None:
        self.stop()
        self.sender.close()
        self._zenoh.close()
        self.line.close()

    def _offer(self, number: int) -> None:
        due_s = time.monotonic() + number * 0.037 % (1.0 / HZ)
        per_picture = round(EVENTS_HZ / HZ)
        while not self._over.wait(max(0.0, due_s - time.monotonic())):
            due_s += 1.0 / HZ
            set_header(self._message, time.time_ns(), "map")
            self.sender.offer("tracks", serialize_message(self._message))
            for _ in range(per_picture):
                self.events += 1
                self.sender.offer("events", self.events.to_bytes(8, "little") + os.urandom(_EVENT_BYTES))


def _picture(n: int) -> Tracks:
    """Return a tracker's picture of so many tracks: real covariances, which pack as such do."""
    scene = around(1, n, 6.0, 1)
    tracker, picture = Tracker(TrackingSettings.load({})), None
    for _, _, detections in scene.scans(np.random.default_rng(2)):
        picture = tracker.step(detections).tracks
    assert picture is not None
    return picture


def _headquarters(port: int, pipe: Connection) -> None:
    """Receive, and answer what is asked; in a process of its own."""
    settings = UplinkSettings.load({"receive": ["*"], "mode": "router", "listen": [f"tcp/127.0.0.1:{port}"]})
    line, woken = Line(settings), threading.Event()
    receiver = Receiver(settings, line, None, woken.set)
    line.start()
    events: Counter[str] = Counter()
    ages_ms: list[float] = []
    pictures: dict[str, list[tuple[int, int]]] = {}
    seen_s: dict[str, float] = {}
    disorder = 0
    pipe.send("there")
    while True:
        woken.wait(0.05)
        woken.clear()
        for item in (*receiver.take(), *receiver.look()):
            if isinstance(item, Lost):
                disorder += 1
            if not isinstance(item, Arrived):
                continue
            seen_s.setdefault(item.site, time.time())
            if item.topic == "events":
                number = int.from_bytes(item.data[:8], "little")
                disorder += number != events[item.site] + 1
                events[item.site] = number
            else:
                stamp_ns, now_ns = stamp_of_cdr(item.data), time.time_ns()
                ages_ms.append((now_ns - stamp_ns) * 1e-6)
                pictures.setdefault(item.site, []).append((stamp_ns, now_ns))
        while pipe.poll():
            asked = pipe.recv()
            if asked == "end":
                line.close()
                receiver.close()
                return
            if asked == "clear":
                ages_ms.clear()
            kept = {name: each[-PICTURES_KEPT:] for name, each in pictures.items()}
            pipe.send(Heard(seen_s, dict(events), kept, list(ages_ms), disorder))


def _asked(hq: Connection, what: str = "state") -> Heard:
    hq.send(what)
    found: Heard = hq.recv()
    return found


def _newer(hq: Connection, since_ns: dict[str, int]) -> dict[str, int]:
    """Return of each site when the first picture came that was measured after a time."""
    out = {}
    for name, each in _asked(hq).pictures.items():
        after = [came_ns for stamp_ns, came_ns in each if name in since_ns and stamp_ns >= since_ns[name]]
        if after:
            out[name] = min(after)
    return out


def _until(condition: Callable[[], bool], within_s: float, what: str, *, must: bool = True) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            if must:
                raise RuntimeError(f"{what}: not within {within_s:g} s")
            return
        time.sleep(0.05)
