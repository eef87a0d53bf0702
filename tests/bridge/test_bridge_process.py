# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A real bridge process on a real graph: what is published is what clients get."""

import json
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from bridge_data import some_detections, some_threats, some_tracks, until
from event_messages import event_message
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from aegis.core.events import Severity
from aegis.core.types import Advice, AdviceState
from aegis.ros.messages.ew import advice_to_msg
from aegis.ros.messages.picture import tracks_to_msg

SECOND = 1_000_000_000


def heard(bridge, path: str, sequence: int) -> bool:
    answer = bridge.get(path)
    return answer.status_code == 200 and answer.json()["sequence"] == sequence


def scan_of(client, sequence: int) -> dict:
    """Read until both parts of a scan are there; they come in one frame unless DDS delivered the tracks first."""
    frame = until(client, "radar_frame")
    while frame["detections"] is None or frame["tracks"] is None:
        rest = until(client, "radar_frame")
        assert rest["frame"] == frame["frame"] + 1
        frame = {
            **rest,
            "detections": rest["detections"] or frame["detections"],
            "tracks": rest["tracks"] or frame["tracks"],
        }
    assert frame["sequence"] == sequence
    return frame


def close_code(client, deadline_s: float = 10.0) -> int:
    """Read until the server closes, and return its code."""
    end = time.monotonic() + deadline_s
    try:
        while True:
            client.recv(max(0.01, end - time.monotonic()))
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 1006


def test_rest_gives_what_was_published(start_bridge, publisher, wait_for):
    place = {"sensor_x": 7.0, "sensor_z": 2.5, "sensor_yaw_deg": -90.0}
    bridge = start_bridge(**{f"sensors.test-radar.{name}": value for name, value in place.items()})
    for path in ("radar/status", "radar/targets", "radar/tracks", "threats/active"):
        answer = bridge.get(f"/api/{path}")
        assert answer.status_code == 503, path
        assert answer.json()["waiting_for"] in answer.json()["detail"]
    wait_for(publisher.matched, "the bridge listens")
    stamp_ns = time.time_ns() - 2 * SECOND
    detections, tracks, threats = some_detections(9, stamp_ns), some_tracks(9, stamp_ns), some_threats(9, stamp_ns)
    tracks.state[1, 2] = np.nan
    for data in (detections, tracks, threats):
        publisher.send(data)
    for path in ("radar/status", "radar/targets", "radar/tracks", "threats/active"):
        wait_for(lambda path=path: heard(bridge, f"/api/{path}", 9), path)

    targets = bridge.get("/api/radar/targets").json()
    assert (targets["frame_id"], targets["sensor_id"], targets["count"]) == ("radar", "test-radar", 3)
    assert targets["sensor"] == {"x_m": 7.0, "y_m": 0.0, "z_m": 2.5, "heading_deg": 180.0}
    assert [row["range_m"] for row in targets["targets"]] == [1000.0, 1100.0, 1200.0]
    assert [row["azimuth_deg"] for row in targets["targets"]] == [30.0] * 3
    assert [row["elevation_deg"] for row in targets["targets"]] == [15.0, None, 15.0]
    assert [row["range_rate_mps"] for row in targets["targets"]] == [-12.5, -13.5, -14.5]
    assert [row["snr_db"] for row in targets["targets"]] == [20.0, 21.0, 22.0]

    picture = bridge.get("/api/radar/tracks").json()
    assert picture["stamp_s"] == stamp_ns / 1e9
    first, second = picture["tracks"]
    assert (first["track_id"], first["bearing_deg"], first["range_m"]) == (41, 30.0, 600.0)
    assert (first["heading_deg"], first["velocity_mps"], first["range_rate_mps"]) == (30.0, 20.0, 20.0)
    assert first["position_m"] == {"x": 300.0, "y": 519.62, "z": 0.0}  # 600 sin 30, 600 cos 30
    assert (second["bearing_deg"], second["range_m"], second["position_m"]["z"]) == (210.0, None, None)

    active = bridge.get("/api/threats/active").json()
    critical, leaving = active["threats"]
    assert (critical["level"], critical["score"], critical["time_to_impact_s"]) == ("CRITICAL", 0.9375, 11.75)
    assert critical["reason"] == "impact in 12 s <b>now</b>"
    assert (leaving["level"], leaving["time_to_impact_s"]) == ("MEDIUM", None)

    begin_s = time.time()
    age = bridge.get("/api/radar/tracks").json()["age_s"]
    assert begin_s - 0.5 <= stamp_ns / 1e9 + age <= time.time() + 0.001
    assert age > 2.0
    wait_for(lambda: bridge.get("/api/radar/tracks").json()["age_s"] > age + 0.3, "the age grows")


def test_ready_follows_the_stages(start_bridge, publisher, wait_for):
    bridge = start_bridge(ready_stages=["tracking"], ready_silence_s=0.5)
    assert bridge.get("/ready").json() == {
        "ready": False,
        "missing_stages": ["tracking"],
        "heard_age_s": {"tracking": None},
        "troubles": [],
        "warnings": [],
        "reasons": ["the stage 'tracking' does not report"],
    }
    wait_for(publisher.matched, "the bridge listens")
    row = status_row("tracking")

    def ready(wanted: bool) -> bool:
        if wanted:
            publisher.publishers["status"].publish(row)
        return (httpx.get(bridge.url + "/ready").status_code == 200) is wanted

    wait_for(lambda: ready(True), "ready")
    row.detail = ['{"trouble": "objects in its input lost since the last status: 3 point not finite"}']
    words = "tracking: objects in its input lost since the last status: 3 point not finite"
    wait_for(
        lambda: ready(True) and httpx.get(bridge.url + "/ready").json()["warnings"] == [words], "its trouble in words"
    )
    row.detail = ["{}"]
    wait_for(lambda: ready(True) and httpx.get(bridge.url + "/ready").json()["warnings"] == [], "no trouble any more")
    wait_for(lambda: ready(False), "no longer ready when the stage falls silent", 10)
    assert httpx.get(bridge.url + "/health").status_code == 200


def status_row(stage: str):
    from aegis_msgs.msg import PipelineStatus

    row = PipelineStatus()
    row.stage = [stage]
    for name in ("rate_hz", "step_p50", "step_p99", "latency_p50", "latency_p99"):
        setattr(row, name, [0.0125])
    row.rate_hz = [float("nan")]
    for name in ("received", "published", "dropped", "objects_dropped", "sequence_gaps", "errors"):
        setattr(row, name, [5])
    row.detail = ['{"tracks": 2}']
    return row


def test_the_stream_gives_what_was_published(start_bridge, publisher, wait_for):
    bridge = start_bridge(heartbeat_s=0.3, sensor_x=10.0, sensor_yaw_deg=30.0, ready_silence_s=300.0)
    wait_for(publisher.matched, "the bridge listens")
    with bridge.stream() as client:
        stamp_ns = publisher.send_scan(1)
        frame = scan_of(client, 1)
        assert frame["stamp_s"] == stamp_ns / 1e9
        first_frame = frame["frame"]
        assert 0 <= frame["age_s"] < 5
        assert frame["sensor"] == {"x_m": 10.0, "y_m": 0.0, "z_m": 0.0, "heading_deg": 60.0}
        assert [row["range_m"] for row in frame["detections"]] == [1000.0, 1100.0, 1200.0]
        assert [row["bearing_deg"] for row in frame["tracks"]] == [30.0, 210.0]
        threats = until(client, "threats")
        assert (threats["frame"], [row["level"] for row in threats["threats"]]) == (1, ["CRITICAL", "MEDIUM"])
        publisher.send_scan(2)
        last_frame = scan_of(client, 2)["frame"]
        assert 0 < last_frame - first_frame <= 2
        beats = [until(client, "heartbeat") for _ in range(2)]
        assert beats[1]["frame"] == beats[0]["frame"] + 1
        assert 0 < beats[1]["time_s"] - beats[0]["time_s"] < 3

        publisher.publishers["status"].publish(status_row("tracking"))
        broken = {"error": "it broke"}
        publisher.publishers["events"].publish(
            event_message("PIPELINE_ERROR", Severity.ERROR, broken, stage="tracking", stamp_ns=stamp_ns)
        )
        waiting = [
            Advice(i, 41, 0, "hop", 1, "why", float("nan"), stamp_ns, state)
            for i, state in enumerate([AdviceState.PROPOSED, AdviceState.ACKNOWLEDGED])
        ]
        publisher.publishers["ew/advice"].publish(advice_to_msg(waiting, stamp_ns=stamp_ns))
        wait_for(lambda: until(client, "system_status")["ew"]["advice_waiting"] == 1, "advice in the status")
        status = until(client, "system_status")
        tracking = status["stages"]["tracking"]
        assert (tracking["step_p99_ms"], tracking["rate_hz"], tracking["received"]) == (12.5, None, 5)
        assert tracking["detail"] == {"tracks": 2}
        assert status["data"]["tracks"]["sequence"] == 2
        assert status["data"]["tracks"]["count"] == 2
        assert status["stream"]["clients"] == 1
        assert status["stream"]["radar_frames"] == last_frame
        told = {
            one["name"]: one["data"] for one in status["alerts"]
        }  # after 5 s also that the publisher is no node of a graph
        assert told["PIPELINE_ERROR"] == {"error": "it broke"}
        assert set(status["missing_stages"]) == {"detection", "threat", "ew"}
        assert status["ew"]["signals"] is None

    with bridge.stream() as late:  # whoever comes later gets the picture as it is, with its age
        frame = until(late, "radar_frame")
        assert (frame["frame"], frame["sequence"]) == (last_frame, 2)


def test_the_bridge_reports_itself_on_the_graph(start_bridge, publisher, wait_for):
    start_bridge()
    wait_for(publisher.matched, "the bridge listens")
    publisher.send_scan(1)

    def events(name):
        return [m for m in publisher.heard["events"] if m.name == name]

    for name in ("BROADCAST_RADAR_FRAME", "BROADCAST_THREATS", "BROADCAST_SYSTEM_STATUS"):
        wait_for(lambda name=name: events(name), name)
    event = events("BROADCAST_RADAR_FRAME")[0]
    assert (event.stage, event.run_id, event.epoch) == ("bridge", "test-run", 3)
    data = json.loads(event.data)
    assert data["messages"] in (1, 2)  # 2 where DDS delivered the tracks before their detections
    assert data["clients"] == 0

    def rows():
        return [m for m in publisher.heard["status"] if list(m.stage) == ["bridge"] and m.published[0] >= 2]

    wait_for(rows, "its status row")
    row = rows()[-1]
    assert row.received[0] >= 3
    assert (row.errors[0], row.dropped[0]) == (0, 0)
    names = {status.name for m in publisher.heard["/diagnostics"] for status in m.status}
    assert names == {"aegis: bridge"}


def test_a_message_that_contradicts_itself_is_counted_and_survived(start_bridge, publisher, wait_for):
    bridge = start_bridge()
    wait_for(publisher.matched, "the bridge listens")
    bad = tracks_to_msg(some_tracks(1, time.time_ns()))
    bad.hits = bad.hits[:1]
    publisher.publishers["tracks"].publish(bad)

    def error_events():
        return [m for m in publisher.heard["events"] if m.name == "PIPELINE_ERROR" and m.stage == "bridge"]

    wait_for(error_events, "the error is reported")
    assert "TrackArray.hits has 1 entries; 2 are expected" in error_events()[0].data
    publisher.send_scan(2)
    wait_for(lambda: heard(bridge, "/api/radar/tracks", 2), "good messages still arrive")


def test_what_cannot_be_passed_on_as_json_is_refused_and_counted(start_bridge, publisher, wait_for):
    """A stranger on DDS must not break what clients ask for."""
    bridge = start_bridge()
    wait_for(publisher.matched, "the bridge listens")
    for text in ('{"huge": 99999999999999999999999}', '{"half": "\\ud800"}'):
        row = status_row("stranger")
        row.detail = [text]
        publisher.publishers["status"].publish(row)
        event = event_message("PIPELINE_ERROR", Severity.ERROR, stage="stranger")
        event.data = text
        publisher.publishers["events"].publish(event)

    def counted() -> dict[str, int]:
        rows = [json.loads(m.detail[0]) for m in publisher.heard["status"] if list(m.stage) == ["bridge"]]
        return rows[-1]["dropped_by_reason"] if rows else {}

    wait_for(lambda: counted() == {"malformed PipelineStatus": 2, "malformed Event": 2}, "all are counted")
    told = [m.data for m in publisher.heard["events"] if m.stage == "bridge" and "cannot be passed on" in m.data]
    assert len(told) == 2  # one of each kind in a minute
    with bridge.stream() as client:
        client.send('{"type": "get_status"}')
        status = until(client, "status")
    assert "stranger" not in status["stages"]
    assert all(alert["stage"] != "stranger" for alert in status["alerts"])
    assert bridge.get("/api/controller/status").status_code == 200


def test_nothing_is_streamed_before_a_token(start_bridge, publisher, wait_for):
    bridge = start_bridge(auth_s=1.0)
    wait_for(publisher.matched, "the bridge listens")
    publisher.send_scan(1)
    wait_for(lambda: heard(bridge, "/api/radar/tracks", 1), "the scan is there")
    first_messages = [
        None,  # silence
        "",
        "[]",
        "{",
        '{"type": "ping"}',
        '{"type": "subscribe", "channels": ["radar_frame"]}',
        '{"type": "auth"}',
        '{"type": "auth", "token": "a.b.c"}',
        json.dumps({"type": "auth", "token": bridge.token + "x"}),
        b"\x00\x01",
    ]
    for message in first_messages:
        with bridge.connect() as client:
            if message is not None:
                client.send(message)
            with pytest.raises(ConnectionClosed) as closed:
                client.recv(10)  # not one message comes
            assert closed.value.rcvd.code == 4401, message


def test_a_token_in_the_url_is_no_token(start_bridge):
    bridge = start_bridge(auth_s=0.5)
    assert httpx.get(f"{bridge.url}/api/auth/me?token={bridge.token}").status_code == 401
    with connect(f"{bridge.url.replace('http', 'ws')}/ws/radar-stream?token={bridge.token}") as client:
        assert close_code(client) == 4401


def test_origins(start_bridge):
    bridge = start_bridge(allowed_origins=["https://dash.example.org"])
    for origin in (bridge.url, "https://dash.example.org", None):
        with bridge.stream(origin=origin):
            pass
    for origin in ("https://evil.example.org", "null", "https://dash.example.org.evil.org", bridge.url + "9"):
        with pytest.raises(InvalidStatus) as refused, bridge.connect(origin=origin):
            pass
        assert refused.value.response.status_code == 403
    preflight = {"Origin": "https://dash.example.org", "Access-Control-Request-Method": "GET"}
    answer = httpx.options(f"{bridge.url}/api/radar/tracks", headers=preflight)
    assert answer.headers["access-control-allow-origin"] == "https://dash.example.org"
    foreign = httpx.options(
        f"{bridge.url}/api/radar/tracks", headers={**preflight, "Origin": "https://evil.example.org"}
    )
    assert "access-control-allow-origin" not in foreign.headers


def test_commands(start_bridge, publisher, wait_for):
    bridge = start_bridge(heartbeat_s=0.3)
    wait_for(publisher.matched, "the bridge listens")
    with bridge.stream() as client:

        def ask(**command) -> dict:
            client.send(json.dumps(command))
            kinds = {"ping": "pong", "get_status": "status", "subscribe": "subscribed"}
            return until(client, kinds.get(command["type"], "error"))

        assert ask(type="ping")["time_s"] == pytest.approx(time.time(), abs=5)
        status = ask(type="get_status")
        assert status["client"]["username"] == "admin"
        assert status["client"]["channels"] == ["heartbeat", "radar_frame", "system_status", "threats"]
        assert status["client"]["dropped"] == 0
        assert "unknown command" in ask(type="launch")["detail"]
        client.send('{"type": "subscribe", "channels": ["rockets"]}')
        assert "radar_frame" in until(client, "error")["detail"]
        assert ask(type="subscribe", channels=["threats", "heartbeat"])["channels"] == ["heartbeat", "threats"]
        publisher.send_scan(1)
        kinds = {json.loads(client.recv(10))["type"] for _ in range(6)}
        assert kinds == {"threats", "heartbeat"}
        client.send("this is no JSON")
        assert close_code(client) == 1003


def test_an_expired_token_closes_the_stream(start_bridge):
    bridge = start_bridge(access_token_minutes=2 / 60)
    with bridge.stream() as client:
        begin = time.monotonic()
        assert close_code(client) == 4401
        assert time.monotonic() - begin < 4
    assert bridge.get("/api/auth/me").status_code == 401


def test_a_client_that_never_reads_is_cut_off_and_disturbs_nobody(start_bridge, publisher, wait_for):
    bridge = start_bridge(eviction_s=1.0, send_buffer_bytes=131072)
    wait_for(publisher.matched, "the bridge listens")
    stalled = raw_stalled_client(bridge)
    with stalled, bridge.stream() as client:
        frames, waits, sequence = [], [], 0
        evicted = False
        end = time.monotonic() + 40
        while not evicted or len(frames) < 60:
            assert time.monotonic() < end, "the stalled client was not cut off"
            sequence += 1
            begin = time.monotonic()
            publisher.send_scan(sequence, n=200)
            seen = {}
            while not seen.keys() >= {"radar_frame", "threats"}:
                message = json.loads(client.recv(20))
                seen[message["type"]] = message.get("frame")
                if message["type"] == "radar_frame":
                    frames.append(message["frame"])
            waits.append(time.monotonic() - begin)
            evicted = evicted or any("reads nothing: cut off" in line for line in bridge.lines)
        assert frames == list(range(frames[0], frames[0] + len(frames)))  # not one is missing
        assert max(waits) < 1.0  # the stalled one was waited for by nobody
        wait_for(lambda: until(client, "system_status")["stream"]["evicted_clients"] == 1, "counted")
        status = until(client, "system_status")["stream"]
        assert status["clients"] == 1
        assert status["dropped_frames"] > 0
        client.send('{"type": "get_status"}')
        assert until(client, "status")["client"]["dropped"] == 0
        assert was_reset(stalled)  # a close frame would not have got through


def test_to_a_client_that_reads_late_what_is_urgent_comes_first(start_bridge, publisher, wait_for):
    """Neither the bridge nor the kernel holds pictures before it, but for those that were on their way."""
    bridge = start_bridge()
    wait_for(publisher.matched, "the bridge listens")
    late = raw_stalled_client(bridge)
    with late, bridge.stream() as client:
        scans = 30
        for sequence in range(1, scans + 1):
            publisher.send_scan(sequence, n=200)
            assert until(client, "threats")["frame"] == sequence
        got = list(messages_until(late, "radar_frame", scans))
    urgent = got.index(("threats", scans))
    assert sum(kind == "radar_frame" for kind, _ in got[:urgent]) <= 2
    assert [number for kind, number in got[urgent:] if kind == "radar_frame"] == [27, 28, 29, 30]


def messages_until(connection: socket.socket, kind: str, number: int) -> Iterator[tuple[str, int]]:
    """Read the messages of a WebSocket (RFC 6455, 5.2) up to one; yield their types and numbers."""
    connection.settimeout(20)
    with connection.makefile("rb") as file:
        message: dict = {}
        while (message.get("type"), message.get("frame")) != (kind, number):
            length = file.read(2)[1]
            if length >= 126:
                length = int.from_bytes(file.read(2 if length == 126 else 8))
            message = json.loads(file.read(length))
            yield message["type"], message.get("frame", 0)


def was_reset(connection: socket.socket) -> bool:
    """Read to the end, and tell whether that is a reset."""
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        return True
    return False


def raw_stalled_client(bridge) -> socket.socket:
    """Return an authenticated WebSocket that will read nothing: a bare socket, so that no library reads behind our back."""
    host, port = bridge.url.removeprefix("http://").split(":")
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect((host, int(port)))
    raw.sendall(
        f"GET /ws/radar-stream HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += raw.recv(1)
    assert b" 101 " in answer
    message = json.dumps({"type": "auth", "token": bridge.token}).encode()
    assert 126 <= len(message) < 65536
    raw.sendall(b"\x81\xfe" + len(message).to_bytes(2) + bytes(4) + message)  # masked with zeros
    return raw


def test_the_first_password_is_printed_once_and_a_restart_keeps_the_accounts(start_bridge):
    first = start_bridge()
    assert first.password
    assert "".join(first.lines).count(first.password) == 1
    files = [path for path in first.state_dir.rglob("*") if path.is_file()]
    assert files
    assert all(first.password.encode() not in path.read_bytes() for path in files)
    first.process.terminate()
    assert first.process.wait(15) == 0
    second = start_bridge()
    assert second.password == ""
    second.password, second.token = first.password, first.token
    assert second.login().status_code == 200
    assert second.get("/api/auth/me").status_code == 200  # the signing key was kept


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_even_with_clients(start_bridge, number):
    bridge = start_bridge()
    with bridge.stream() as client:
        bridge.process.send_signal(number)
        assert bridge.process.wait(15) == 0
        assert close_code(client) == 1012
    assert "Traceback" not in "".join(bridge.lines)


def test_a_taken_port_is_said_plainly(start_bridge, ros_domain, tmp_path: Path):
    bridge = start_bridge()
    port = int(bridge.url.rsplit(":", 1)[1])
    second = run_bridge(ros_domain, tmp_path / "second", {"port": port})
    assert second.returncode == 2
    assert f"cannot listen on 127.0.0.1 port {port}" in second.stderr
    assert "Traceback" not in second.stderr
    assert "password" not in second.stderr


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"host": "0.0.0.0"}, "insecure_non_loopback"),
        ({"host": "0.0.0.0", "insecure_non_loopback": True}, "JWT_SECRET is missing"),
        ({"accounts.jwt_secret": "short"}, "5 bytes; at least 32"),
        ({"tls.certificate": "nowhere.pem", "tls.key": "nowhere.key"}, "'nowhere.pem' is not a file"),
    ],
)
def test_an_unsafe_bridge_does_not_start(ros_domain, tmp_path: Path, settings, message):
    result = run_bridge(ros_domain, tmp_path / "unsafe", {"port": 0, **settings})
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def run_bridge(environ: dict[str, str], state_dir: Path, settings: dict) -> subprocess.CompletedProcess:
    state_dir.mkdir()
    script = str(Path(__file__).parents[1] / "run_bridge.py")
    command = [sys.executable, script, str(state_dir), "", json.dumps(settings)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environ)


def test_tls(start_bridge, tmp_path: Path):
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    try:
        subprocess.run(
            [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-days",
                "2",
            ]
            + ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
            check=True,
            capture_output=True,
        )
    except FileNotFoundError:
        pytest.skip("openssl is not on this machine")
    bridge = start_bridge(tls_certificate=str(certificate), tls_key=str(key))
    assert bridge.url.startswith("https://")
    answer = httpx.get(f"{bridge.url}/health", verify=ssl.create_default_context(cafile=certificate))
    assert answer.status_code == 200
    assert "max-age" in answer.headers["strict-transport-security"]
    with pytest.raises(httpx.HTTPError):
        httpx.get(bridge.url.replace("https", "http") + "/health")


def test_another_namespace_is_another_graph(start_bridge, publisher, wait_for):
    bridge = start_bridge(namespace="other")
    publisher.send_scan(1)
    named = type(publisher)("other")
    try:
        wait_for(named.matched, "the bridge listens in its namespace")
        named.send_scan(2)
        wait_for(lambda: heard(bridge, "/api/radar/tracks", 2), "its own graph's tracks")
    finally:
        named.close()


def test_a_body_that_does_not_come_is_408(start_bridge):
    bridge = start_bridge(requests_timeout_s=0.5)
    host, port = bridge.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(
            b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
        )
        assert b" 408 " in raw.recv(4096)
