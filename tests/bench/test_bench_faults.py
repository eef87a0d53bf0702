# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis bench faults`: what a row says of the times measured. tests/faults and tests/graph inject the faults."""

import signal

import pytest

from aegis.bench import faults


def test_a_row_has_the_times_of_every_process():
    times = [(name, 0.01 * k, 1.0 + k) for k, name in enumerate(faults.NAMES)]
    row = faults._row(signal.SIGSTOP, times)
    n = len(faults.NAMES)
    assert (row["fault"], row["times"]) == ("SIGSTOP", n)
    assert (row["noticed_max_s"], row["back_max_s"]) == (0.01 * (n - 1), float(n))
    assert row["back_p50_s"] == pytest.approx((1.0 + n) / 2)
    assert row["back_p95_s"] == n
    assert (row["late"], row["never_back"]) == (0, 0)
    assert row["back_median_s_of"] == {name: 1.0 + k for k, name in enumerate(faults.NAMES)}
    assert set(faults.HEARD_ON) < set(faults.NAMES)


def test_what_does_not_come_back_is_counted_and_the_others_are_measured():
    times = [(name, 0.01, 2.0) for name in faults.NAMES] * 10
    times += [("ew", 0.01, 31.0), ("detection", 0.01, float("inf"))]
    row = faults._row(signal.SIGKILL, times)
    assert (row["late"], row["never_back"], row["back_max_s"], row["back_p95_s"]) == (2, 1, None, 2.0)


class Process:
    """One that was killed, or not yet, and has ended, or not."""

    def __init__(self, code: int | None = None) -> None:
        self.code, self.killed = code, False

    def kill(self) -> None:
        self.killed = True

    def poll(self) -> int | None:
        return self.code


def silent_graph(monkeypatch, log, up: Process, child: Process):
    """A graph whose child answers only once it was killed, and the time there: a second for each look."""
    now = [0.0]
    log.write_text("aegis: detection was killed by SIGKILL")
    graph = object.__new__(faults._Graph)
    graph._up, graph._log, graph._heard_at = up, log, {"tracking": 0.0}
    graph._spin = lambda seconds: now.__setitem__(0, now[0] + 1.0)
    monkeypatch.setattr(faults.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(graph, "answers", lambda name, since: child.killed)
    monkeypatch.setattr(graph, "_process", lambda name: child)
    return graph, now


def test_who_is_silent_is_killed_again(monkeypatch, tmp_path, capsys):
    """A process that never answers until it is killed: told, killed, and never back."""
    graph, now = silent_graph(monkeypatch, tmp_path / "up.log", Process(), Process())
    assert graph._until_back("detection", 0.0) == float("inf")
    assert now[0] == pytest.approx(faults.LOST_AFTER_S, abs=3.0)
    said = capsys.readouterr().err
    assert "no output of detection within 30 s" in said
    assert "detection was killed by SIGKILL" in said
    assert "tracking" in said


def test_a_graph_that_has_ended_is_told_at_once(monkeypatch, tmp_path):
    graph, now = silent_graph(monkeypatch, tmp_path / "up.log", Process(code=1), Process())
    with pytest.raises(faults.BenchmarkError, match="no output of detection"):
        graph._until_back("detection", 0.0)
    assert now[0] < faults.BACK_DEADLINE_S
