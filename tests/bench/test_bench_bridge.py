# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis bench bridge`: what its rows say is what the clients saw, on a small load."""

import json
import threading

import numpy as np
import pytest
from websockets.sync.server import serve

from aegis.bench import bridge as bench
from aegis.bench import live
from aegis.bench.bridge_clients import Load
from aegis.bench.live import free_port


@pytest.fixture(autouse=True)
def own_domain(monkeypatch, ros_domain):
    """A domain that no other benchmark, or test, on this machine is in."""
    monkeypatch.setattr(live, "DOMAIN", ros_domain["ROS_DOMAIN_ID"])


def test_a_row_says_what_was_measured(monkeypatch):
    monkeypatch.setattr(bench, "WARM_UP_S", 1.0)
    monkeypatch.setattr(bench, "MEASURE_S", 3.0)
    row = bench._row(bench.Case(20, 5, stalled=2), 1)
    assert (row["bench"], row["clients"], row["hz"], row["stalled"]) == ("bridge", 20, 10.0, 2)
    assert (row["delivered"], row["lost_clients"]) == (1.0, 0)
    assert 1000 < row["frame_bytes"] < 10000
    assert 0 < row["p50_ms"] <= row["p99_ms"] < 3000
    assert row["us_per_frame"] > 0
    assert row["ratio"] == pytest.approx(row["naive_us_per_frame"] / row["us_per_frame"], rel=0.1)
    assert row["naive_hz"] == pytest.approx(10, rel=0.2)


def test_get_is_timed_to_the_last_byte(monkeypatch):
    monkeypatch.setattr(bench, "GET_S", 1.0)
    monkeypatch.setattr(bench, "GET_TRACKS", 50)
    row = bench._get_row(1)
    assert (row["requests"], row["tracks"]) == (50, 50)
    assert row["body_bytes"] > 50 * 400
    assert 0 < row["p50_ms"] <= row["p99_ms"]


def test_clients_note_every_frame_and_its_age():
    """Against a server that loses every fifth scan for one of its two clients, and is a second late."""
    stop, waiting, together = threading.Event(), [], threading.Barrier(2)

    def stream(connection) -> None:
        mine = len(waiting)
        waiting.append(connection)
        sequence = 0
        while not stop.wait(0.02):
            together.wait()  # one client is not ahead of the other because a thread of ours was kept waiting
            sequence += 1
            if mine == 1 and sequence % 5 == 0:
                continue
            stamp_s = bench.time.time() - 1.0
            message = {"type": "radar_frame", "frame": 1, "sequence": sequence, "stamp_s": stamp_s, "x": "y" * 300}
            connection.send(json.dumps(message, separators=(",", ":")))
            connection.send('{"type":"threats"}')

    with serve(stream, "127.0.0.1", 0, compression=None) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.socket.getsockname()[1]
        seen = bench._clients(Load(port, "/", 2, 0, ["hello"], 0.2, 1.5))
        stop.set()
        together.abort()
    assert bench._delivered(bench.Case(2, 0), seen) == pytest.approx(0.9, abs=0.04)
    assert seen.latency_ms["p50"] == pytest.approx(1000, abs=200)
    assert seen.frame_bytes == pytest.approx(400, abs=40)
    assert seen.closed == 0


def test_nobody_who_answers_is_said():
    load = Load(free_port(), "/", 1, 0, [], 0.1, 0.1)
    with pytest.raises(bench.BenchmarkError, match="the clients failed"):
        bench._clients(load)


def test_the_row_on_memory_is_a_line_through_it():
    seen = bench.Seen(frames=1, first_sequence=1, last_sequence=1, begin_s=10.0, end_s=70.0, latency_ms={"p99": 1.0})
    samples = [(float(t), 0.0, 100.0 + t / 60.0) for t in range(100)]  # a megabyte a minute
    assert bench._growth_mb_per_h(np.array(samples), seen) == pytest.approx(60.0, rel=1e-6)
