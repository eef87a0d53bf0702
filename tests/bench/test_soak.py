# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A soak of seconds, and what a report says of lives and times by hand."""

import json

import pytest
from click.testing import CliRunner

from aegis.bench.soak import clients, run
from aegis.bench.soak.report import LONG_S, MOST_GROWTH_MB, SETTLED_S, Fault, Life, Report, Seen, growth_of
from aegis.cli.main import cli

MINUTES_H = 1 / 60


def life(name: str, seconds: float, mb_per_hour: float, *, first_mb: float = 100.0, start_mb: float = 0.0) -> Life:
    """Return a life with a sample every ten seconds; `start_mb` comes on top while it settles."""
    at_s = [10.0 * k for k in range(int(seconds / 10) + 1)]
    return Life(name, 1, at_s, [first_mb + mb_per_hour * t / 3600 + (start_mb if t < SETTLED_S else 0.0) for t in at_s])


def test_growth_is_that_of_the_longest_life_after_the_first_hour():
    long = life("tracking", SETTLED_S + 2 * LONG_S, 0.8, start_mb=-40.0)
    (one,) = growth_of([life("tracking", 600, 500.0), long])
    assert one.mb_per_hour == pytest.approx(0.8, abs=1e-6)
    assert (one.lives, one.longest_s) == (2, SETTLED_S + 2 * LONG_S)
    (short,) = growth_of([life("ew", 600, 60.0)])
    assert short.mb_per_hour is None
    assert short.grew_mb == pytest.approx(60.0 * 0.125, abs=1.5)


def test_a_report_fails_with_each_reason():
    def failures(**seen) -> list[str]:
        values = {"lives": [life("ew", 600, 1.0)], "latency_s": [0.05] * 100, **seen}
        return Report.of(Seen(**values), lasted_s=600.0, hours=0.17, seed=1).failures

    assert failures() == []
    assert failures(lives=[life("ew", 600, 8 * 60 * MOST_GROWTH_MB / 60 * 8)])[0].startswith("ew grew by")
    assert failures(lives=[life("ew", SETTLED_S + 2 * LONG_S, 1.2)]) == ["ew grows by 1.20 MB an hour; 1 is allowed"]
    assert failures(latency_s=[0.05] * 90 + [0.9] * 10) == ["latency: p95 0.90 s; 0.5 is allowed"]
    assert failures(latency_s=[]) == ["no tracks were heard with no fault under way"]
    assert failures(faults=[Fault("process killed", 5.0, None)]) == ["process killed at 5 s: not whole again in time"]
    assert failures(faults=[Fault("process killed", 5.0, 6.0)]) == ["whole again: p95 6.00 s; 5 is allowed"]
    assert failures(ended="aegis up ended") == ["aegis up ended"]


def test_old_data_shown_as_new_and_numbers_that_are_none_are_found():
    assert list(clients.wrong_in({"stamp_s": 100.0, "age_s": 5.0, "tracks": [{"x": 1.0}]}, 105.1)) == []
    assert list(clients.wrong_in({"stamp_s": 100.0, "age_s": 0.1}, 105.0)) == ["old data as new"]
    assert list(clients.wrong_in({"stamp_s": 100.0, "age_s": 0.1}, 105.0, 2.0 * clients.AGE_TOLERANCE_S)) == [
        "old data as new"
    ]
    assert list(clients.wrong_in({"stamp_s": 100.0, "age_s": 3.0}, 106.0, 2.0 * clients.AGE_TOLERANCE_S)) == []
    assert list(clients.wrong_in({"stamp_s": 100.0, "age_s": -3600.0}, 90.0)) == ["a stamp ahead of the clock"]
    assert list(clients.wrong_in({"stamp_s": 100.0, "age_s": 0.0, "tracks": [{"x": [1.0, float("nan")]}]}, 100.0)) == [
        "a number that is not finite"
    ]
    assert list(clients.wrong_in({}, 0.0)) == ["no stamp or age"]


def test_a_short_soak_passes_and_stops_by_itself(ros_domain, tmp_path, monkeypatch):
    for name, seconds in (("MEAN_PAUSE_S", 1.0), ("LEAST_PAUSE_S", 0.5), ("LEAST_LEFT_S", 5.0), ("SETTLE_S", 1.0)):
        monkeypatch.setattr(run, name, seconds)
    report = tmp_path / "report.json"
    made = CliRunner().invoke(cli, ["soak", "--hours", "0.005", "--seed", "3", "--slack", "5", "--json", str(report)])
    assert made.exit_code == 0, made.output
    told = json.loads(report.read_text())
    assert (told["passed"], told["wrong"], told["lost"]) == (True, {}, {})
    assert 18.0 <= told["hours"] * 3600 < 60.0
    assert {one["process"] for one in told["growth"]} >= {"bridge", "tracking", "detection", "threat", "ew"}
    assert told["faults"]
    assert told["counts"]["answers"] > 0
