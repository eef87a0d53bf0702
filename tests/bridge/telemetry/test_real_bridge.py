# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A real bridge on a real graph: what it heard is in its metrics and its log files, its dashboard shows them, and no secret is."""

import json
import math
import re
import socket
import sqlite3
import stat
import time
from datetime import datetime

import httpx
import pytest
import yaml
from bridge_data import some_status
from event_messages import event_message
from prometheus_client.parser import text_string_to_metric_families
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from aegis.bridge.telemetry.sources import ALL
from aegis.core.events import EVENT_NAMES, Severity
from aegis.graph.nodes import NODES
from aegis.resources import config_file

COUNTS = ("received", "published", "dropped", "objects_dropped", "sequence_gaps", "errors")
SCANS = 6


def parse(text: str) -> dict[str, dict[tuple[str, ...], float]]:
    """Return by series name: the labels' values, in order of their names, to the value."""
    series: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = tuple(value for _, value in sorted(sample.labels.items()))
            assert labels not in series.setdefault(sample.name, {})
            series[sample.name][labels] = sample.value
    return series


def families(text: str) -> set[str]:
    """Return the names under which samples are, or would be: some rooms have nothing to tell yet."""
    out = set()
    for family in text_string_to_metric_families(text):
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}.get(family.type, [""])
        out |= {family.name + suffix for suffix in suffixes}
    return out


def log_lines(bridge, name: str) -> list[dict]:
    path = bridge.state_dir / "log" / name
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def send_event(publisher, name, severity=Severity.INFO, **fields) -> None:
    origin = {
        "stage": "tracking",
        "stamp_ns": 1_700_000_000_500_000_000,
        "run_id": "r",
        "epoch": 1,
        "sequence": 1,
        **fields,
    }
    publisher.publishers["events"].publish(event_message(name, severity, {"sequence": 5}, **origin))


@pytest.fixture
def sink():
    """Return the address of a UDP socket that takes what the outputs send."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{one.getsockname()[1]}"


def test_metrics_and_stage_logs_are_what_was_published(start_bridge, publisher, wait_for, sink):
    outputs = {
        "site": [47.0, 8.0, 400.0],
        "cot_url": f"udp://{sink}",
        "cat062_address": sink,
    }  # only then are they counted
    bridge = start_bridge(ready_silence_s=300.0, **outputs)
    wait_for(publisher.matched, "the bridge listens")
    age_ns = 30_000_000
    for sequence in range(1, SCANS + 1):
        publisher.send_scan(sequence, stamp_ns=time.time_ns() - age_ns)
    published = {}
    for number, stage in enumerate(NODES):
        values = {name: 10 * number + k for k, name in enumerate(COUNTS)}
        times = {"rate_hz": number + 0.5, "step_p50": 0.001 * number, "latency_p99": math.nan}
        published[stage] = {**values, **times}
        detail = {"dropped_by_reason": {"late scan": number, 'with "quotes" and \\': 2}}
        publisher.publishers["status"].publish(some_status(stage, detail, **published[stage]))
        # One at a time: all of them in one burst are more than the topic's depth, which no stage alone can reach.
        wait_for(
            lambda stage=stage: f'aegis_stage_received_total{{stage="{stage}"}}' in bridge.get("/metrics").text, stage
        )
    for number, name in enumerate(EVENT_NAMES):
        send_event(publisher, name, sequence=number + 1)
    send_event(publisher, "TRACKING_RUNNING", Severity.DEBUG, sequence=len(EVENT_NAMES) + 1)

    def scrape() -> dict[str, dict[tuple[str, ...], float]]:
        answer = bridge.get("/metrics")
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        return parse(answer.text)

    def all_heard() -> bool:
        series = scrape()
        stages = {labels[0] for labels in series["aegis_stage_received_total"]}
        heard = [series["aegis_stage_latency_seconds_count"][stage,] for stage in ("detection", "tracking", "threat")]
        return stages >= set(NODES) and heard == [SCANS] * 3 and series["aegis_graph_events_received_total"][()] >= 21

    wait_for(all_heard, "all of it in the metrics")
    series = scrape()
    for stage, values in published.items():
        for name in COUNTS:
            assert series[f"aegis_stage_{name}_total"][stage,] == values[name]
        assert series["aegis_stage_rate_hertz"][stage,] == values["rate_hz"]
        assert series["aegis_stage_step_seconds"]["50", stage] == values["step_p50"]
        assert series["aegis_stage_step_seconds"]["99", stage] == 0.0125
        assert ("99", stage) not in series["aegis_stage_output_age_seconds"]
        reasons = series["aegis_stage_dropped_by_reason_total"]
        assert reasons["late scan", stage] == list(NODES).index(stage)
        assert reasons['with "quotes" and \\', stage] == 2
        assert 0.0 <= series["aegis_stage_status_age_seconds"][stage,] < 30.0
    assert series["aegis_graph_ready"][()] == 1.0
    assert series["aegis_graph_objects"] == {("detections",): 3.0, ("tracks",): 2.0, ("threats",): 2.0}
    assert series["aegis_graph_threats"]["CRITICAL",] == 1.0
    for stage in ("detection", "tracking", "threat"):  # each was 30 ms old when it was sent
        assert series["aegis_stage_latency_seconds_bucket"]["0.02", stage] == 0.0
        assert SCANS * 0.030 <= series["aegis_stage_latency_seconds_sum"][stage,] < SCANS * 5.0
    assert series["aegis_stream_radar_frames_total"][()] >= SCANS
    assert series["aegis_http_request_seconds_count"]["POST", "/api/auth/login", "200"] == 1.0
    assert series["process_resident_memory_bytes"][()] > 5e7

    _check_dashboard(
        {labels[0] for labels in series["aegis_metrics_source_errors_total"]}, families(bridge.get("/metrics").text)
    )
    _check_stage_logs(bridge, wait_for)


def _check_dashboard(connected: set[str], exposed: set[str]) -> None:
    """Every metric that the dashboard names is exposed, or is of a room that this bridge has not connected."""
    declared = {
        source.name: {source.family(k) + ("_total" if m.kind == "counter" else "") for k, m in source.measures.items()}
        for source in ALL
    }
    assert {"stage", "graph", "stream", "handover", "log", "process", "outputs"} <= connected <= set(declared)
    # What a connected room counts no more, or under another name, would be missing in silence.
    assert set().union(*(declared[room] for room in connected)) <= exposed
    later = set().union(*(declared[room] for room in set(declared) - connected))
    named = {name for _, expression in expressions() for name in names_in(expression)}
    assert len(named) > 40
    assert named - exposed - later == set()


def expressions() -> list[tuple[str, str]]:
    """Return the title and the expression of every query of the dashboard."""
    dashboard = json.loads(config_file("grafana/aegis.json").read_text())
    queries = [(panel["title"], target["expr"]) for panel in dashboard["panels"] for target in panel.get("targets", [])]
    variables = [(one["name"], one["definition"]) for one in dashboard["templating"]["list"] if one["type"] == "query"]
    return queries + variables


def names_in(expression: str) -> set[str]:
    """Return the series that a PromQL expression names."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(by|without) \([^)]*\)", "", expression)
    bare = re.sub(r"label_values\((\w+), \w+\)", r"\1", bare)
    words = set(re.findall(r"[a-zA-Z_:][\w:]*", bare))
    functions = {"sum", "min", "max", "rate", "increase", "topk", "histogram_quantile"}
    names = words - functions
    assert names, expression
    return names


# Of the same stage; and what has no file of its own.
ALSO = {"THREAT": ("ALARM_",), "PIPELINE": ("PARAMETERS_", "SOURCE_", "ANOTHER_", "HISTORY_", "DECISION_", "STAGE_")}


def _check_stage_logs(bridge, wait_for) -> None:
    files = {"RADAR": "radar", "DETECTION": "detection", "TRACKING": "tracking", "THREAT": "threat", "EW": "ew",
             "PIPELINE": "pipeline", "BROADCAST": "websocket"}  # fmt: skip

    def ours(name: str) -> list[dict]:
        return [row for row in log_lines(bridge, name) if row["run_id"] == "r"]

    wait_for(
        lambda: sum(len(ours(f"{name}.log")) for name in files.values()) == len(EVENT_NAMES), "every event on disk"
    )
    for word, name in files.items():
        rows = ours(f"{name}.log")
        assert [row["event"] for row in rows] == [
            event for event in EVENT_NAMES if event.startswith((f"{word}_", *ALSO.get(word, ())))
        ]
        for row in rows:
            assert datetime.fromisoformat(row["timestamp"]).timestamp() == 1_700_000_000.5
            assert (row["stage"], row["severity"], row["data"], row["epoch"]) == (
                "tracking",
                "INFO",
                {"sequence": 5},
                1,
            )
    wait_for(
        lambda: len(log_lines(bridge, "websocket.log")) > len(ours("websocket.log")), "the bridge's own broadcasts"
    )
    for path in (bridge.state_dir / "log").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_dashboard_can_be_imported():
    dashboard = json.loads(config_file("grafana/aegis.json").read_text())
    sources = {json.dumps(panel["datasource"]) for panel in dashboard["panels"] if panel["type"] != "row"}
    assert sources == {json.dumps({"type": "prometheus", "uid": "${datasource}"})}
    variables = {one["name"]: one["type"] for one in dashboard["templating"]["list"]}
    assert variables == {"datasource": "datasource", "instance": "query"}
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, f"{panel['title']} lies on another panel"
        taken |= cells


def test_the_scrape_job_asks_for_what_there_is():
    (job,) = yaml.safe_load(config_file("grafana/prometheus.yml").read_text())["scrape_configs"]
    assert (job["metrics_path"], job["authorization"]["type"]) == ("/metrics", "Bearer")
    assert "credentials_file" in job["authorization"]
    assert job["static_configs"][0]["targets"] == ["localhost:8000"]


def test_no_secret_reaches_a_log(start_bridge, wait_for):
    bridge = start_bridge(log_level="DEBUG")
    secrets = {
        bridge.password,
        bridge.token,
        "a-wrong-password-1",
        (bridge.state_dir / "jwt_secret").read_text().strip(),
    }
    wrong = {"username": "admin", "password": "a-wrong-password-1"}
    assert httpx.post(f"{bridge.url}/api/auth/login", json=wrong).status_code == 401
    assert httpx.post(f"{bridge.url}/api/auth/login", json={**wrong, "username": 3}).status_code == 400
    secrets.add(bridge.login().json()["access_token"])
    assert bridge.get(f"/api/auth/me?token={bridge.token}").status_code == 200
    assert httpx.get(f"{bridge.url}/api/auth/me", headers={"Authorization": "Bearer x.y.z-forged"}).status_code == 401
    secrets.add("x.y.z-forged")
    with bridge.stream():
        pass
    url = f"{bridge.url.replace('http', 'ws')}/ws/radar-stream?token={bridge.token}"
    with connect(url) as client:
        client.send(json.dumps({"type": "auth", "token": bridge.token + "x"}))
        with pytest.raises(ConnectionClosed, match="4401"):
            client.recv(10)
    database = sqlite3.connect(bridge.state_dir / "bridge.db")
    for (table,) in database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    ).fetchall():
        database.execute(f"DROP TABLE IF EXISTS {table}")
    database.commit()
    failed = httpx.post(f"{bridge.url}/api/auth/login", json=wrong | {"password": bridge.password})
    assert failed.status_code == 503
    request_id = failed.headers["x-request-id"]

    def trace() -> list[dict]:
        return [
            row for row in log_lines(bridge, "bridge.log") if row["request_id"] == request_id and "exception" in row
        ]

    wait_for(trace, "the trace, under the number that the client has got")
    assert "OperationalError" in trace()[0]["exception"]
    assert "Traceback" not in failed.text
    rows = log_lines(bridge, "bridge.log")
    streams = [row for row in rows if row.get("method") == "WEBSOCKET"]
    assert [(row["status"], row["user"]) for row in streams] == [(101, "admin"), (101, None)]
    assert {row["level"] for row in rows} >= {"INFO", "WARNING", "ERROR"}
    access = [row for row in rows if row["request_id"] == request_id and row.get("route")]
    assert [(row["route"], row["status"]) for row in access] == [("/api/auth/login", 503)]
    said = {"stderr": "".join(bridge.lines).replace(bridge.password, "", 1)}  # shown once, as it must be
    said |= {path.name: path.read_text() for path in (bridge.state_dir / "log").iterdir()}
    assert {"stderr", "bridge.log"} <= set(said)
    for where, text in said.items():
        for secret in secrets:
            # Nor a part of it: libraries shorten what they repeat.
            assert secret[:24] not in text, (where, secret[:8])
            assert secret[-16:] not in text, (where, secret[:8])
    assert "aegis.bridge.access" not in said["stderr"]  # the line of each request is in the file only


def test_a_log_folder_that_cannot_be_written_stops_nothing(start_bridge, publisher, wait_for, tmp_path):
    obstacle = tmp_path / "log"
    obstacle.write_text("in the way")
    bridge = start_bridge(log_dir=str(obstacle))
    wait_for(publisher.matched, "the bridge listens")
    publisher.send_scan(1)
    wait_for(lambda: bridge.get("/api/radar/tracks").status_code == 200, "it works all the same")

    def counts() -> dict:
        return bridge.get("/api/metrics/system").json()["counts"]["log"]

    wait_for(lambda: counts()["write_errors"]["bridge"] >= 2, "tried again")
    assert counts()["waiting_bytes"]["bridge"] > 0
    assert "".join(bridge.lines).count("cannot be written") == 2  # once for each of the two writers
    obstacle.unlink()
    wait_for(lambda: (obstacle / "bridge.log").exists(), "written as soon as that can be")
    first = json.loads((obstacle / "bridge.log").read_text().splitlines()[0])
    logged = next(line for line in bridge.lines if line.startswith(("INFO ", "WARNING ", "ERROR ")))
    assert logged.rstrip().endswith(first["event"])  # it has waited
    wait_for(lambda: counts()["waiting_bytes"]["bridge"] < 1000, "nothing waits any more")
    assert counts()["dropped_lines"] == {"bridge": 0, "stages": 0}
