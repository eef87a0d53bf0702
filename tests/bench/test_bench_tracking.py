# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis bench tracking`: what both trackers are given, what counts as a track, and the rows of a small run."""

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from aegis.bench import BENCHMARKS, BenchmarkError, multitarget, tracking
from aegis.bench.multitarget import Meta, Scenario
from aegis.bench.tracking import Case
from aegis.cli.main import cli

TINY = (Case("n6", 14), Case("n24", 14), Case("d6", 14))
OF_THE_ISSUE = ["bench", "scenario", "n", "ms_per_scan", "gospa", "peer", "peer_ms_per_scan", "peer_gospa", "ratio"]


def one_target(scans: int, seen: np.ndarray) -> Scenario:
    """Return a target on a straight course over an empty region, its plots exact, in the scans where it is seen (scans,)."""
    meta = replace(multitarget.generate("n10", 1, seed=1).meta, scans=scans, lam_fa=1.0)
    k = np.arange(scans)
    truth = np.column_stack([1000.0 + 100.0 * k, np.full(scans, 100.0), 2000.0 - 50.0 * k, np.full(scans, -50.0)])
    z = truth[seen, ::2]
    return Scenario(
        meta=meta, times=k.astype(float), truth_scan=k, truth_id=np.zeros(scans, dtype=int), truth_x=truth,
        det_off=np.concatenate([[0], np.cumsum(seen)]), det_z=z, det_R=np.broadcast_to(900.0 * np.eye(2), (len(z), 2, 2)),
        det_truth=np.zeros(len(z), dtype=int),
    )  # fmt: skip


def peer_track(scenario: Scenario):
    pytest.importorskip("stonesoup")
    from aegis.bench import stonesoup_gnn

    return stonesoup_gnn.track(scenario, stonesoup_gnn.TUNING["n"])


def track_by_hand(scenario: Scenario):
    from aegis.bench import by_hand

    return by_hand.track(scenario, by_hand.TUNING["n"])


@pytest.mark.parametrize("track", [tracking.track, peer_track, track_by_hand], ids=["ours", "peer", "by hand"])
def test_a_target_is_followed_and_given_up(track):
    seen = np.arange(40) < 12
    seen[6] = False
    scenario = one_target(40, seen)
    steps = list(track(scenario))
    assert len(steps) == 40
    assert all(ms > 0.0 for ms, _ in steps)
    assert len(steps[0][1]) == 0  # one plot may be a false alarm: nobody confirms it
    for scan in range(5, 12):  # the miss in between is bridged
        positions = steps[scan][1]
        np.testing.assert_allclose(positions, scenario.truth(scan), atol=20.0)
    assert len(steps[-1][1]) == 0


def test_the_tracker_gets_the_plots_as_they_are():
    scenario = multitarget.generate("n50", 3, seed=5)
    settings = tracking.settings_of(scenario.meta)
    d = tracking.detections_of(scenario, 2, settings)
    z, covariance = scenario.plots(2)
    centre = np.full(2, 1000.0 * np.sqrt(50.0))
    np.testing.assert_allclose(np.column_stack([d.range * np.cos(d.azimuth), d.range * np.sin(d.azimuth)]) + centre, z)
    np.testing.assert_allclose(d.variance[:, 0], covariance[:, 1, 1])
    np.testing.assert_allclose(d.range**2 * d.variance[:, 1], covariance[:, 0, 0])
    assert np.isnan(d.variance[:, 2:]).all()
    assert np.isnan(d.elevation).all()
    assert np.isnan(d.range_rate).all()
    assert d.cartesian_accuracy
    assert d.stamp_ns == 2_000_000_000


def test_the_tracker_is_told_the_densities_of_the_scenario():
    meta = Meta(n=50, scans=40, seed=1, lam_fa=10.0, lo=(0.0, 0.0), hi=(4000.0, 3000.0))
    s = tracking.settings_of(meta)
    disc = np.pi * s.sensor.max_range_m**2
    assert s.sensor.max_range_m >= 2500.0 + 250.0 * 40  # a corner, and from there outwards at the highest speed
    assert s.sensor.clutter_per_scan / disc == pytest.approx(10.0 / 12e6)
    assert s.sensor.births_per_scan / disc == pytest.approx(50 * (1 / 40 + 0.005) / 12e6)
    assert (s.sensor_x, s.sensor_y) == (2000.0, 1500.0)
    # Of speeds uniform in 50..250 m/s: E[v^2] = 150^2 + 200^2 / 12, half of it along each axis.
    assert s.birth.initial_speed_sigma_mps == pytest.approx(np.sqrt((150.0**2 + 200.0**2 / 12.0) / 2.0))


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> list[dict]:
    """Return the rows of a small run, n6 from a file."""
    pytest.importorskip("stonesoup")
    folder = tmp_path_factory.mktemp("scenarios")
    multitarget.generate("n6", 12, seed=9).write(folder / "n6.npz")
    cases = (*TINY, Case("n48", 14, peer=False))
    return list(tracking.run(1, scenarios=folder, cases=cases))


def test_rows_say_what_the_issue_asks_for(rows):
    *measured, _ = rows
    assert [row["scenario"] for row in measured] == ["n6", "n24", "d6", "n48"]
    for row in measured[:3]:
        assert list(row)[: len(OF_THE_ISSUE)] == OF_THE_ISSUE
        assert row["bench"] == "tracking"
        assert row["peer"].startswith("stonesoup 1.")
        assert row["ratio"] == pytest.approx(row["peer_ms_per_scan"] / row["ms_per_scan"], rel=0.02)
        assert 0.0 < row["ms_per_scan"] <= row["slowest_scan_ms"]
        # At worst everything is missed and as much again is false.
        assert 0.0 < row["gospa"] < np.sqrt(row["n"]) * 200.0
        assert 0.0 < row["peer_gospa"] < np.sqrt(row["n"]) * 200.0
        assert row["by_hand"].startswith("a loop of filterpy")
        assert 0.0 < row["by_hand_gospa"] < np.sqrt(row["n"]) * 200.0
        assert row["by_hand_ms_per_scan"] > 0.0
        json.dumps(row)
    assert not [key for key in measured[3] if key.startswith(("peer", "by_hand"))]


def test_a_file_is_used_where_it_is_given(rows):
    assert [(row["source"], row["scans"]) for row in rows[:4]] == [
        ("file", 12), ("generated, seed 1", 14), ("generated, seed 1", 14), ("generated, seed 1", 14)
    ]  # fmt: skip


def test_the_last_row_tells_the_growth(rows):
    *measured, growth = rows
    family = [row for row in measured if row["scenario"] != "d6"]
    assert growth["n"] == [6, 24, 48]
    assert growth["ms_per_scan"] == [row["ms_per_scan"] for row in family]
    assert growth["peer_n"] == [6, 24]
    slope = np.log(family[1]["peer_ms_per_scan"] / family[0]["peer_ms_per_scan"]) / np.log(4.0)
    assert growth["peer_exponent"] == pytest.approx(slope, abs=0.01)


def test_exponent():
    assert tracking.exponent([(n, 0.3 * n**1.5) for n in (50, 200, 10_000)]) == pytest.approx(1.5)


def test_both_are_timed_with_one_thread(monkeypatch):
    given = {}

    def run(command, *, env, **_):
        given.update(env)
        raise RuntimeError("enough")

    monkeypatch.setattr(tracking.subprocess, "run", run)
    with pytest.raises(RuntimeError, match="enough"):
        next(tracking.run(1, cases=(Case("n6", 12, peer=False),)))
    assert {given[f"{name}_NUM_THREADS"] for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")} == {"1"}


def test_without_the_peer_the_extra_is_named(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "stonesoup" else find(name))
    with pytest.raises(BenchmarkError, match=r"aegis\[bench\]"):
        next(tracking.run(1))


def test_a_folder_without_scenarios_is_refused(tmp_path: Path):
    pytest.importorskip("stonesoup")
    done = CliRunner().invoke(cli, ["bench", "tracking", "--scenarios", str(tmp_path)])
    assert done.exit_code == 2
    assert "n50.npz" in done.output


def test_an_option_of_another_benchmark_is_refused(tmp_path: Path):
    done = CliRunner().invoke(cli, ["bench", "latency", "--scenarios", str(tmp_path)])
    assert done.exit_code == 2
    assert "latency" in done.output


def test_the_command_lists_the_benchmark():
    done = CliRunner().invoke(cli, ["bench"])
    assert f"tracking     {BENCHMARKS['tracking'].purpose}" in done.output
