# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The JSON bodies of /api/metrics: 503 until a stage has spoken, then what it said, in named units."""

import math
import time
from importlib.metadata import version

import numpy as np
import psutil
import pytest
from bridge_data import some_detections, some_status, some_threats, some_tracks

from aegis.bridge.live import columns, ew_columns
from aegis.bridge.live.encoded import EncodedRows
from aegis.bridge.live.frames import EwFrame, Frame
from aegis.bridge.live.reports import StatusRow
from aegis.bridge.models import metrics as models
from aegis.bridge.telemetry import loop_lag, machine
from aegis.core.types import Advice, AdviceState, Signal, SignalKind, Threats
from aegis.ros.messages.reports import status_rows

MODELS = {
    "radar": models.RadarMetrics,
    "detection": models.DetectionMetrics,
    "tracking": models.TrackingMetrics,
    "threats": models.ThreatMetrics,
    "ew": models.EwMetrics,
    "pipeline": models.PipelineMetrics,
    "system": models.SystemMetrics,
}


def get(app, name: str, status: int = 200) -> dict:
    answer = app.client.get(f"/api/metrics/{name}", headers=app.headers("metrics:read"))
    assert answer.status_code == status, answer.text
    if status == 200:
        MODELS[name].model_validate_json(answer.text, strict=True)  # extra and missing fields are refused
    return answer.json()


def say(app, stage: str, detail: dict | None = None, **values: float) -> None:
    app.bridge.queue.deliver(list[StatusRow], status_rows(some_status(stage, detail, **values)))


def deliver(app, data, age_s: float = 0.25, received_at: float | None = None) -> None:
    at = time.monotonic() if received_at is None else received_at
    rows = columns.threat_rows if isinstance(data, Threats) else lambda _: EncodedRows(list)
    app.bridge.queue.deliver(Frame[type(data)], Frame(data, age_s, at, rows))


@pytest.mark.parametrize(("name", "stage"), [
    ("radar", "simulator or driver or radar_msgs or frontend"), ("detection", "detection"), ("tracking", "tracking"),
    ("threats", "threat"), ("ew", "ew"), ("pipeline", ""),
])  # fmt: skip
def test_before_its_stage_has_spoken_an_endpoint_says_who_is_waited_for(app, name, stage):
    others = {"simulator", "detection", "tracking", "threat", "ew"} - set(stage.split(" or "))
    for other in others if stage else ["bridge"]:
        say(app, other)
    body = get(app, name, 503)
    assert body["waiting_for"] == "status"
    assert f"from {stage}" in body["detail"] if stage else "from" not in body["detail"]


def test_a_stages_row_is_in_named_units_with_its_age(app, wait_for):
    say(app, "detection", {"k": 1}, rate_hz=9.5, step_p99=0.004, latency_p50=math.nan, received=10, dropped=2)
    row = get(app, "detection")["stage"]
    assert (row["rate_hz"], row["step_p99_ms"], row["latency_p50_ms"]) == (9.5, 4.0, None)
    assert (row["received"], row["dropped"], row["detail"]) == (10, 2, {"k": 1})
    wait_for(lambda: get(app, "detection")["stage"]["age_s"] > row["age_s"], "it ages")


def test_radar_shows_the_stages_that_run_and_the_scans(app):
    say(app, "driver", {"packets": 12})
    body = get(app, "radar")
    assert list(body["stages"]) == ["driver"]
    assert (body["scan_rate_hz"], body["noise_db"], body["last_scan_age_s"]) == (None, None, None)
    for sequence in (1, 2, 4):
        deliver(app, some_detections(sequence, sequence * 500_000_000))
    body = get(app, "radar")
    assert (body["scan_rate_hz"], body["scans_lost"], body["noise_db"]) == (pytest.approx(4 / 3, abs=1e-3), 1, 3.0)
    assert body["last_scan_age_s"] == pytest.approx(0.25, abs=0.2)


def test_a_foreign_radar_has_no_stage_but_scans(app):
    deliver(app, some_detections(1, 0))
    assert get(app, "radar")["stages"] == {}


def test_what_the_last_scan_held_is_counted(app):
    for stage in ("detection", "tracking", "threat"):
        say(app, stage)
    assert get(app, "detection")["last_scan"] is None
    assert get(app, "tracking")["last_picture"] is None
    assert get(app, "threats")["last_assessment"] is None
    tracks = some_tracks(3, 0, 4)
    tracks.status[:] = (1, 2, 2, 3)
    tracks.class_id[:] = (0, 1, 3, 250)
    deliver(app, some_detections(3, 0))
    deliver(app, tracks)
    threats = some_threats(3, 0)
    threats.unlisted_track_id, threats.unlisted_level = np.array([7, 9]), np.array([1, 1])  # LOW, below the list
    deliver(app, threats)
    scan = get(app, "detection")["last_scan"]
    assert (scan["sequence"], scan["sensor_id"], scan["count"], scan["by_class"]) == (3, "test-radar", 3, {"DRONE": 3})
    picture = get(app, "tracking")["last_picture"]
    assert picture["by_status"] == {"TENTATIVE": 1, "CONFIRMED": 2, "COASTING": 1}
    assert picture["by_class"] == {"UNKNOWN": 2, "DRONE": 1, "AIRCRAFT": 1}
    assessment = get(app, "threats")["last_assessment"]
    assert assessment["by_level"] == {"LOW": 2, "MEDIUM": 1, "HIGH": 0, "CRITICAL": 1}
    assert assessment["age_s"] == pytest.approx(0.25, abs=0.2)


def test_tracking_tells_how_exact_the_sensors_are(app):
    nis = {"mean": 1.2, "low": 0.8, "high": 1.1, "components": 300, "consistent": False}
    bias = {"range_m": 3.5, "range_sigma_m": 0.5, "azimuth_deg": 0.1, "azimuth_sigma_deg": 0.02, "pairs": 40}
    say(app, "tracking", {"nis": {"a": nis, "b": {"mean": None}}, "registration": {"a": bias}})
    body = get(app, "tracking")
    assert body["nis"] == {"a": nis}
    assert body["registration"] == {"a": bias}
    assert body["stage"]["detail"]["nis"]["b"] == {"mean": None}  # not ours, but not hidden either


def test_ew_counts_signals_by_kind_and_advice_by_state(app):
    say(app, "ew")
    body = get(app, "ew")
    assert (body["signals"], body["advice"]) == (None, None)
    signal = Signal(1, SignalKind.NOISE_JAMMING, 0.0, 0.1, 10.0, 1e9, 0.9, "")
    states = [AdviceState.PROPOSED, AdviceState.PROPOSED, AdviceState.EXPIRED]
    advice = [Advice(i, 1, 0, "hop", 1, "", 3.0, 0, state) for i, state in enumerate(states)]
    now = time.monotonic()
    app.bridge.queue.deliver(
        EwFrame[Signal], EwFrame([signal], ew_columns.signal_rows([signal]), 7_000_000_000, 0.25, now)
    )
    app.bridge.queue.deliver(EwFrame[Advice], EwFrame(advice, ew_columns.advice_rows(advice), 8_000_000_000, 0.5, now))
    body = get(app, "ew")
    ages = {name: body[name].pop("age_s") for name in ("signals", "advice")}
    assert ages == {"signals": pytest.approx(0.25, abs=0.2), "advice": pytest.approx(0.5, abs=0.2)}
    assert body["signals"] == {"stamp_s": 7.0, "count": 1, "by_kind": {"NOISE_JAMMING": 1}}
    assert body["advice"] == {"stamp_s": 8.0, "count": 3, "by_state": {"PROPOSED": 2, "EXPIRED": 1}}


def test_pipeline_gives_exact_percentiles_and_the_rate_of_cycles(app):
    say(app, "threat")
    empty = get(app, "pipeline")
    assert (empty["latency"], empty["cycle_rate_hz"]) == ({"detection": None, "tracking": None, "threat": None}, None)
    assert set(empty["stage_age_s"]) == {"threat"}
    assert empty["missing_stages"] == ["detection", "tracking", "ew"]
    now = time.monotonic()
    for number in range(1, 101):  # 1 to 100 ms, ten a second; the last second is still to come
        deliver(app, some_threats(number, 0), number / 1000, now - 11.0 + 0.1 * number)
    body = get(app, "pipeline")
    # Linear interpolation between the closest ranks: 1 + q (n - 1).
    assert body["latency"]["threat"] == {
        "observations": 100, "p50_ms": 50.5, "p90_ms": 90.1, "p99_ms": 99.01, "max_ms": 100.0,
    }  # fmt: skip
    # Of the last 10 s: 90 intervals of a tenth, and a second of silence.
    assert body["cycle_rate_hz"] == pytest.approx(9.0, abs=0.2)
    for stage in ("detection", "tracking", "ew"):
        say(app, stage)
    assert get(app, "pipeline")["ready"] is True


@pytest.fixture
def nothing_measured(monkeypatch):
    """Let the housekeeping of the application wait."""
    monkeypatch.setattr(machine, "PERIOD_S", 3600.0)
    monkeypatch.setattr(loop_lag, "TICK_S", 3600.0)


def test_system_tells_what_the_operating_system_does(nothing_measured, app, tmp_path):
    body = get(app, "system")
    process = psutil.Process()
    assert body["memory_total_bytes"] == psutil.virtual_memory().total
    assert body["process"]["rss_bytes"] == pytest.approx(process.memory_info().rss, rel=0.2)
    assert body["process"]["threads"] == pytest.approx(process.num_threads(), abs=2)
    assert body["cpu_percent"] is None  # nothing has measured it yet
    assert body["loop_lag_p99_ms"] is None
    disk = psutil.disk_usage(str(tmp_path))
    assert body["state_disk_free_bytes"] == pytest.approx(disk.free, rel=0.05)
    assert body["versions"]["fastapi"] == version("fastapi")
    assert body["counts"]["stream"]["clients"] == 0
