# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What Prometheus gets: well named, bounded, whole even where a part fails, and one bridge's alone."""

import asyncio
import math
import re
import time
from pathlib import Path

import pytest
from bridge_data import some_status, some_tracks
from prometheus_client.parser import text_string_to_metric_families

from aegis.bridge.live.encoded import EncodedRows
from aegis.bridge.live.frames import Frame
from aegis.bridge.live.reports import StatusRow
from aegis.bridge.live.state import MAX_STAGES, LiveState
from aegis.bridge.telemetry.loop_lag import TICK_S, LoopLag
from aegis.bridge.telemetry.metrics import Metrics
from aegis.bridge.telemetry.sources import MAX_REASONS, MAX_STAGE_SERIES, Source, counter, gauge
from aegis.bridge.telemetry.telemetry import Telemetry
from aegis.core.types import Tracks
from aegis.ros.messages.reports import status_rows


def parse(text: str) -> dict[tuple, float]:
    """Return the value of every series, by its name and its labels' values in order of their names."""
    series = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, *(value for _, value in sorted(sample.labels.items())))
            assert key not in series, key
            series[key] = sample.value
    return series


def scrape(app) -> dict[tuple, float]:
    answer = app.client.get("/metrics", headers=app.headers("metrics:read"))
    assert answer.status_code == 200
    return parse(answer.text)


def say(app, stage: str, detail: dict | None = None, **values: float) -> None:
    app.bridge.queue.deliver(list[StatusRow], status_rows(some_status(stage, detail, **values)))


def room(name: str, measures: dict, counts) -> dict[tuple, float]:
    metrics = Metrics()
    metrics.add_source(Source(name, measures), lambda: counts)
    text = metrics.text(metrics.read()).decode()
    return {key: value for key, value in parse(text).items() if key[0].startswith(f"aegis_{name}_")}


def test_a_rooms_counts_become_metrics():
    measures = {
        "written": counter("Rows written."),
        "waiting": gauge("Rows that wait."),
        "oldest_s": gauge("Age of the oldest."),
        "sent": counter("Messages sent.", "output"),
        "depth": gauge("By two labels.", "kind", "side"),
        "absent": gauge("What the room does not know now."),
        "unknown": gauge("What it knows to be unknown."),
    }
    counts = {
        "written": 7, "waiting": 3, "oldest_s": 1.5, "sent": {"cot": 5, "asterix": 0}, "depth": {("a", "b"): 2.0},
        "unknown": math.nan, "undeclared": 9,
    }  # fmt: skip
    assert room("history", measures, counts) == {
        ("aegis_history_written_total",): 7.0,
        ("aegis_history_waiting",): 3.0,
        ("aegis_history_oldest_seconds",): 1.5,
        ("aegis_history_sent_total", "cot"): 5.0,
        ("aegis_history_sent_total", "asterix"): 0.0,
        ("aegis_history_depth", "a", "b"): 2.0,
    }


def test_a_room_that_fails_takes_no_other_with_it(app, caplog):
    def broken():
        raise RuntimeError("no counts today")

    app.bridge.telemetry.metrics.add_source(Source("broken", {"x": gauge("X.")}), broken)
    for attempt in (1, 2):
        series = scrape(app)
        assert series["aegis_metrics_source_errors_total", "broken"] == attempt
        assert ("aegis_stream_clients",) in series
    assert "no counts today" in caplog.text
    assert "broken" not in app.client.get("/api/metrics/system", headers=app.headers("metrics:read")).json()["counts"]


def test_a_room_is_there_once(app):
    metrics = app.bridge.telemetry.metrics
    for source in list(metrics.sources.values()):
        with pytest.raises(ValueError, match=f"'{source.name}' are exported already"):
            metrics.add_source(source, dict)


def test_names_are_as_prometheus_wants_them(app):
    say(app, "tracking", {"dropped_by_reason": {"late": 1}})
    text = app.client.get("/metrics", headers=app.headers("metrics:read")).text
    for family in text_string_to_metric_families(text):
        if not family.name.startswith("aegis_"):
            continue
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", family.name)
        assert not re.search(r"_(s|ms|us|hz|kb|mb)(_|$)", family.name)
        if not family.samples:  # a count by label, of which there is none yet
            continue
        assert (family.type == "counter") == any(s.name.endswith("_total") for s in family.samples), family.name
        assert family.documentation.endswith(".")


def test_two_bridges_in_one_process_do_not_mix(app, tmp_path: Path):
    other = Telemetry(LiveState(ready_stages=["tracking"], silence_s=3.0), tmp_path)
    say(app, "tracking")
    app.client.get("/health")
    metrics = other.metrics
    series = parse(metrics.text(metrics.read()).decode())
    ours = {"aegis_stage_received_total", "aegis_http_request_seconds_count"}
    assert ours <= {key[0] for key in scrape(app)}
    assert not ours & {key[0] for key in series}
    assert series["aegis_graph_ready",] == 0.0


def test_unknown_paths_and_methods_do_not_multiply_the_series(app):
    headers = app.headers("radar:read")
    before = {key for key in scrape(app) if key[0] == "aegis_http_request_seconds_count"}
    for number in range(50):
        app.client.get(f"/api/radar/nothing/{number}", headers=headers)
        app.client.get(f"/none/{number}")
        app.client.request(f"BREW{number}", "/health")
    after = {key for key in scrape(app) if key[0] == "aegis_http_request_seconds_count"}
    name = "aegis_http_request_seconds_count"
    assert after - before == {
        (name, "GET", "unmatched", "404"), (name, "GET", "unmatched", "401"), (name, "other", "unmatched", "401"),
        (name, "GET", "/metrics", "200"),
    }  # fmt: skip


def test_a_flood_of_stages_and_reasons_is_bounded_counted_and_hides_no_stage_of_ours(app):
    reasons = {f"{number:03d}": 1 for number in range(500)}
    for number in range(1000):
        say(app, f"stranger{number}", {"dropped_by_reason": reasons} if number == 0 else {})
    say(app, "threat", {"dropped_by_reason": reasons}, received=77)
    series = scrape(app)
    stages = [key[1] for key in series if key[0] == "aegis_stage_received_total"]
    assert len(stages) == MAX_STAGE_SERIES
    assert series["aegis_stage_received_total", "threat"] == 77
    told = {
        key[1]: value
        for key, value in series.items()
        if key[0] == "aegis_stage_dropped_by_reason_total" and key[2] == "threat"
    }
    assert len(told) == MAX_REASONS + 1
    assert sum(told.values()) == 500
    assert told["other"] == 500 - MAX_REASONS
    left_out = MAX_STAGES + 1 - MAX_STAGE_SERIES
    assert series["aegis_metrics_cut_series", "stage"] >= 8 * left_out  # of every one of its families
    assert series[("aegis_graph_stages_refused_total",)] == 1000 - MAX_STAGES


@pytest.mark.parametrize("detail", [
    [], "text", {"dropped_by_reason": 3}, {"dropped_by_reason": {"a": "b", "c": None, "d": [1], "e": 1.5}},
    {"dropped_by_reason": {"\ud800": 4}}, {"dropped_by_reason": {"x" * 1000: 1, "x" * 999: 2}},
    {"nis": 3, "registration": {"a": {}}}, {"nis": {"a": {"mean": "x"}}},
])  # fmt: skip
def test_a_strange_detail_breaks_neither_the_scrape_nor_the_bodies(app, detail):
    say(app, "tracking", detail)
    assert scrape(app)["aegis_stage_received_total", "tracking"] == 5
    if "\\ud800" not in ascii(detail):  # JSON has no such character
        body = app.client.get("/api/metrics/tracking", headers=app.headers("metrics:read"))
        assert (body.status_code, body.json()["nis"], body.json()["registration"]) == (200, {}, {})


def test_what_is_unknown_is_not_exported(app):
    say(app, "tracking", rate_hz=math.nan, latency_p99=math.inf)
    series = scrape(app)
    assert ("aegis_stage_rate_hertz", "tracking") not in series
    assert ("aegis_stage_output_age_seconds", "99", "tracking") not in series
    assert series["aegis_stage_output_age_seconds", "50", "tracking"] == 0.0125
    unheard = {"aegis_graph_threats", "aegis_graph_scan_rate_hertz", "aegis_graph_data_age_seconds"}
    assert not unheard & {key[0] for key in series}


def test_latency_is_the_age_at_receipt_and_a_stamp_in_the_future_has_none(app):
    ages_s = [0.0005, 0.004, 0.012, 0.012, 0.055, 3.0, 120.0, -0.25]
    for age_s in ages_s:
        app.bridge.queue.deliver(
            Frame[Tracks], Frame(some_tracks(1, 0), age_s, time.monotonic(), lambda _: EncodedRows(list))
        )
    series = scrape(app)
    name = "aegis_stage_latency_seconds"
    known = [age_s for age_s in ages_s if age_s >= 0]
    buckets = {
        float(key[1]): value for key, value in series.items() if key[0] == f"{name}_bucket" and key[2] == "tracking"
    }
    assert len(buckets) > 10
    assert buckets == {bound: sum(age_s <= bound for age_s in known) for bound in buckets}
    assert series[f"{name}_count", "tracking"] == 7
    assert series[f"{name}_sum", "tracking"] == pytest.approx(sum(known))
    assert series["aegis_stage_clock_ahead_total", "tracking"] == 1
    assert series[f"{name}_count", "threat"] == 0


def test_the_loops_lag_is_seen():
    metrics = Metrics()
    lag = LoopLag(metrics.registry)
    assert lag.p99_ms() is None

    async def main() -> None:
        task = asyncio.create_task(lag.run())
        await asyncio.sleep(0)  # it begins
        time.sleep(2.5 * TICK_S)  # whoever does this on the loop is to be found out
        while lag.p99_ms() is None:
            await asyncio.sleep(0)
        task.cancel()

    asyncio.run(main())
    series = parse(metrics.text({}).decode())
    assert series["aegis_loop_lag_seconds_count",] == 1
    assert 1.4 * TICK_S <= series["aegis_loop_lag_seconds_sum",] < 5.0
    assert lag.p99_ms() == pytest.approx(1e3 * series["aegis_loop_lag_seconds_sum",], abs=0.01)
