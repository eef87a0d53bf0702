# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis bench start`: a graph that nobody has started before, and what its processes take."""

import json
import os
import time
from contextlib import contextmanager

import psutil
import pytest
from click.testing import CliRunner

from aegis.bench import BenchmarkError
from aegis.bench import start as bench
from aegis.bench.live import free_domain
from aegis.bench.start import Graph, Idle
from aegis.cli.main import cli


def test_a_fresh_graph_is_started_and_its_processes_are_counted(monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "SETTLE_S", 0.5)
    monkeypatch.setattr(bench, "IDLE_S", 2.0)
    graph = Graph.fresh([bench.sys.executable, "-m", "aegis"], tmp_path)
    begin = time.monotonic()
    with graph.started("--composed") as first_s:
        assert 0.0 < first_s <= time.monotonic() - begin
        with graph.idle() as idle:
            up = psutil.Process(graph._pid)
            processes = {"supervisor": up, **{p.name(): p for p in up.children(recursive=True)}}
            assert set(idle.of) == set(processes) == {"supervisor", "graph", "bridge"}
            for name, process in processes.items():
                assert idle.of[name][0] == pytest.approx(process.memory_full_info().pss / 1e6, rel=0.1, abs=1.0)
                assert 0.0 <= idle.of[name][1] < len(os.sched_getaffinity(0))
    assert not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes.values())
    assert {p.name for p in tmp_path.iterdir()} >= {"home", "state", "log.txt"}
    assert (tmp_path / "state" / "bridge.db").exists()


def test_a_graph_that_does_not_start_says_why(tmp_path):
    graph = Graph.fresh([bench.sys.executable, "-m", "aegis"], tmp_path)
    with (
        pytest.raises(BenchmarkError, match=r"aegis up ended:(.|\n)*no node 'nobody'|NODE\.KEY=VALUE"),
        graph.started("--set", "nobody.key=1"),
    ):
        pass


def test_the_row_is_one_line_of_json_with_medians_and_what_was_not_measured_as_null(monkeypatch, tmp_path):
    times = iter([5.0, 2.0, 9.0, 1.0, 6.0, 3.0, 0.0, 0.0])
    taken = iter([Idle({"supervisor": (30.0, 0.001), "bridge": (100.0, 0.02)}), Idle({"graph": (90.0, 0.01)})])
    homes = []

    class Stub:
        @classmethod
        def fresh(cls, aegis, folder):
            homes.append(folder)
            return cls()

        @contextmanager
        def started(self, *options):
            yield next(times)

        @contextmanager
        def idle(self):
            yield next(taken)

    monkeypatch.setattr(bench, "Graph", Stub)
    done = CliRunner().invoke(cli, ["bench", "start", "--runs", "3"], catch_exceptions=False)
    row = json.loads(done.stdout)
    assert (row["bench"], row["first_s"], row["warm_s"], row["install_s"]) == ("start", 6.0, 2.0, None)
    assert (row["idle_pss_mb"], row["idle_cpu"], row["composed_pss_mb"]) == (130.0, 0.021, 90.0)
    assert len(set(homes)) == 3

    monkeypatch.setattr(bench, "_install", lambda checkout, folder: ([str(checkout / "aegis")], 77.7))
    times, taken = iter([5.0, 2.0, 0.0, 0.0]), iter([Idle({}), Idle({})])
    done = CliRunner().invoke(
        cli, ["bench", "start", "--runs", "1", "--checkout", str(tmp_path)], catch_exceptions=False
    )
    assert json.loads(done.stdout)["install_s"] == 77.7


def test_a_domain_is_taken_where_nobody_is_heard(tmp_path):
    domain = int(free_domain())
    ports = {c.laddr.port for c in psutil.net_connections("udp")}
    assert not any(7400 + 250 * domain <= port < 7650 + 250 * domain for port in ports)
