# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Subscriptions at a real bridge on a real graph: WebSocket and server-sent events."""

import json
import time

import httpx
import msgpack
import numpy as np
import pytest
from bridge_data import some_detections, some_threats, some_tracks, until
from websockets.exceptions import ConnectionClosed

from aegis.core.types import Advice, AdviceState, ClassId, Signal, SignalKind, ThreatLevel
from aegis.ros.messages.ew import advice_to_msg, signals_to_msg


def subscribe(client, **wanted: object) -> dict:
    client.send(json.dumps({"type": "subscribe", **wanted}))
    return until(client, "subscribed")


def test_area_and_class_choose_the_objects(start_bridge, publisher, wait_for):
    bridge = start_bridge(sensor_yaw_deg=90.0)  # the sensor looks north
    wait_for(publisher.matched, "the bridge listens")
    with bridge.stream() as client:
        north_east = {"x_min_m": 0, "y_min_m": 0, "x_max_m": 1e4, "y_max_m": 1e4}
        said = subscribe(client, channels=["radar_frame", "threats"], area=north_east)
        assert said["area"] == north_east
        stamp_ns = time.time_ns()
        detections = some_detections(1, stamp_ns)  # at 30 degrees to the left: north-west
        detections.azimuth[0] = -0.5  # to the right: north-east
        tracks, threats = some_tracks(1, stamp_ns, n=4), some_threats(1, stamp_ns, track_id=44)  # 41..44; 44, 45
        for data in (detections, tracks, threats):
            publisher.send(data)
        frame = until(client, "radar_frame")
        while frame["tracks"] is None:
            frame = until(client, "radar_frame")
        assert [row["bearing_deg"] for row in frame["tracks"]] == [30.0]
        if frame["detections"] is not None:  # else they came in a frame before
            assert [row["id"] for row in frame["detections"]] == [0]
        # 44 is at 300 degrees, so it is left out; the picture does not know 45, which is never hidden for that.
        assert [row["track_id"] for row in until(client, "threats")["threats"]] == [45]

        assert subscribe(client, channels=["radar_frame"], classes=["DRONE"])["classes"] == ["DRONE"]
        frame = until(client, "radar_frame")  # the picture as it is, chosen anew
        assert frame["tracks"] == []  # they are aircraft
        client.send(json.dumps({"type": "subscribe", "classes": ["SUBMARINE"]}))
        assert "known are UNKNOWN, DRONE" in until(client, "error")["detail"]
        client.send(json.dumps({"type": "subscribe", "format": "sse"}))
        assert "json, msgpack or delta" in until(client, "error")["detail"]


def test_messagepack_says_the_same(start_bridge, publisher, wait_for):
    bridge = start_bridge()
    wait_for(publisher.matched, "the bridge listens")
    publisher.send_scan(1)
    with bridge.stream() as client, bridge.stream() as other:
        in_json = until(client, "radar_frame")
        while in_json["tracks"] is None or in_json["detections"] is None:
            in_json = until(client, "radar_frame")
        assert subscribe(other, channels=["radar_frame"], format="msgpack")["format"] == "msgpack"
        message = other.recv(10)
        assert isinstance(message, bytes)
        packed = msgpack.unpackb(message)
        for one in (packed, in_json):
            del one["age_s"]
        assert packed == in_json
        assert packed["detections"][1]["elevation_deg"] is None


def test_at_a_lower_rate_frames_are_fewer_and_none_is_missed(start_bridge, publisher, wait_for):
    bridge = start_bridge()
    wait_for(publisher.matched, "the bridge listens")
    with bridge.stream() as client:
        subscribe(client, channels=["threats"], rate_hz=2)
        numbers: list[tuple[float, int]] = []
        begin = time.monotonic()
        sequence = 0
        while len(numbers) < 4:
            assert time.monotonic() < begin + 30, "no frames"
            sequence += 1
            publisher.send(some_threats(sequence, time.time_ns()))
            try:
                message = json.loads(client.recv(0.05))
            except TimeoutError:
                continue
            numbers.append((time.monotonic(), message["frame"]))
        assert [number for _, number in numbers] == [1, 2, 3, 4]
        assert sequence >= 8
        assert numbers[-1][0] - numbers[0][0] > 1.2  # three pauses of half a second


def test_ew_comes_to_those_who_ask(start_bridge, publisher, wait_for):
    bridge = start_bridge()
    wait_for(publisher.matched, "the bridge listens")
    stamp_ns = time.time_ns()
    signal = Signal(9, SignalKind.NOISE_JAMMING, 0.5, float("nan"), 8.0, float("nan"), 0.999, "noise <up>", sensor="r")
    advice = Advice(3, 0, 9, "hop", 2, "noise", 8.0, stamp_ns + 10**10, AdviceState.PROPOSED)
    with bridge.stream() as client:
        subscribe(client, channels=["ew"])
        publisher.publishers["ew/signals"].publish(
            signals_to_msg([signal], stamp_ns=stamp_ns, frame_id="radar", sequence=1, sensor_id="r")
        )
        publisher.publishers["ew/advice"].publish(advice_to_msg([advice], stamp_ns=stamp_ns))
        message = until(client, "ew")
        while message["signals"] is None or message["advice"] is None:
            message = until(client, "ew")
        (said,) = message["signals"]["items"]
        assert said["sensor_id"] == "r"
        assert (said["kind"], said["azimuth_deg"], said["azimuth_sigma_deg"]) == ("NOISE_JAMMING", 28.648, None)
        (proposed,) = message["advice"]["items"]
        assert (proposed["id"], proposed["state"], proposed["decided_by"]) == (3, "PROPOSED", None)
        assert proposed["valid_until_s"] == pytest.approx(stamp_ns / 1e9 + 10, abs=0.001)
    status = bridge.get("/api/threats/ew-status").json()
    assert status["advice_waiting"] == 1
    assert status["signals"]["items"] == message["signals"]["items"]
    assert status["noise_floor"] is None  # the stage itself does not run here
    assert bridge.get("/api/ew/advice").json()["items"] == message["advice"]["items"]


def test_a_newer_token_keeps_the_stream_open(start_bridge):
    bridge = start_bridge(access_token_minutes=3 / 60, heartbeat_s=0.5)
    with bridge.stream() as client:
        begin = time.monotonic()
        while time.monotonic() < begin + 4.5:  # half as long again as one token lasts
            client.send(json.dumps({"type": "auth", "token": bridge.login().json()["access_token"]}))
            assert until(client, "auth_ok")["username"] == "admin"
            until(client, "heartbeat")
        client.send(json.dumps({"type": "auth", "token": "a.b.c"}))
        assert "not accepted" in until(client, "error")["detail"]
        with pytest.raises(ConnectionClosed) as closed:
            until(client, "never", deadline_s=10)
        assert closed.value.rcvd.code == 4401


def post(bridge, path: str, **options) -> httpx.Response:
    return httpx.post(bridge.url + path, headers={"Authorization": f"Bearer {bridge.token}"}, timeout=10, **options)


def test_a_ticket_opens_the_stream_once(start_bridge):
    bridge = start_bridge()
    ticket = post(bridge, "/api/auth/ws-ticket").json()["ticket"]
    with bridge.connect() as client:
        client.send(json.dumps({"type": "auth", "ticket": ticket}))
        assert until(client, "auth_ok")["username"] == "admin"
    for message in ({"ticket": ticket}, {"ticket": 7}, {"token": ticket}, {}):
        with bridge.connect() as client:
            client.send(json.dumps({"type": "auth", **message}))
            with pytest.raises(ConnectionClosed) as closed:
                client.recv(10)
            assert closed.value.rcvd.code == 4401, message
    denied = bridge.get("/api/audit?action=access").json()["entries"]
    assert len(denied) == 4
    assert {(row["target"], row["outcome"]) for row in denied} == {("WEBSOCKET /ws/radar-stream", "denied")}


def test_a_revoked_session_is_cut_off_within_five_seconds(start_bridge):
    bridge = start_bridge(heartbeat_s=0.3)
    ticket = post(bridge, "/api/auth/ws-ticket").json()["ticket"]
    other = bridge.login().json()["access_token"]
    with bridge.stream() as by_token, bridge.connect() as by_ticket, bridge.connect() as of_another:
        by_ticket.send(json.dumps({"type": "auth", "ticket": ticket}))
        of_another.send(json.dumps({"type": "auth", "token": other}))
        for client in (by_token, by_ticket, of_another):
            until(client, "heartbeat")
        begin = time.monotonic()
        assert post(bridge, "/api/auth/logout").status_code == 204
        for client in (by_token, by_ticket):
            with pytest.raises(ConnectionClosed):
                until(client, "never", deadline_s=10)
        assert time.monotonic() - begin < 5
        until(of_another, "heartbeat")  # another session of the same person goes on
    assert bridge.get("/api/auth/me").status_code == 401


def events_of(lines) -> list[tuple[str, int, dict]]:
    """Yield (type, id, data) of an event stream."""
    fields: dict[str, str] = {}
    for line in lines:
        if not line and fields:
            yield fields["event"], int(fields["id"]), json.loads(fields["data"])
            fields = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value


def test_server_sent_events(start_bridge, publisher, wait_for):
    bridge = start_bridge()
    wait_for(publisher.matched, "the bridge listens")
    publisher.send_scan(1)
    headers = {"Authorization": f"Bearer {bridge.token}"}
    query = {"channel": ["radar_frame", "threats"], "class": "AIRCRAFT", "box": "-1000,-1000,1000,1000"}
    with httpx.stream("GET", f"{bridge.url}/api/stream", params=query, headers=headers, timeout=20) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = events_of(answer.iter_lines())
        seen: dict[str, dict] = {}
        while not seen.keys() >= {"radar_frame", "threats"}:
            kind, number, data = next(events)
            assert (data["type"], data["frame"]) == (kind, number)
            if kind == "threats" or data["tracks"] is not None:
                seen[kind] = data
        assert [row["track_id"] for row in seen["radar_frame"]["tracks"]] == [41, 42]
        assert seen["radar_frame"]["detections"] in ([], None)  # drones
        publisher.send_scan(2)
        kind, number, data = next(events)
        while data["sequence"] != 2:
            kind, number, data = next(events)
    wait_for(lambda: bridge.get("/api/radar/tracks").status_code == 200, "the bridge goes on")

    answer = httpx.get(f"{bridge.url}/api/stream", params={"messages": 2}, headers=headers, timeout=20)
    assert len(list(events_of(answer.text.split("\n")))) == 2
    for wrong in ({"channel": "rockets"}, {"class": "SUBMARINE"}, {"box": "1,2,3"}, {"rate_hz": "-1"}, {"x": "1"}):
        answer = httpx.get(f"{bridge.url}/api/stream", params=wrong, headers=headers, timeout=20)
        assert answer.status_code == 400, wrong


def test_an_event_stream_ends_with_its_token(start_bridge):
    bridge = start_bridge(access_token_minutes=2 / 60, heartbeat_s=0.3)
    begin = time.monotonic()
    headers = {"Authorization": f"Bearer {bridge.token}"}
    answer = httpx.get(f"{bridge.url}/api/stream", headers=headers, timeout=20)
    assert time.monotonic() - begin < 5
    assert {kind for kind, _, _ in events_of(answer.text.split("\n"))} >= {"heartbeat"}


def test_lists_can_be_filtered_and_paged(start_bridge, publisher, wait_for):
    bridge = start_bridge()
    wait_for(publisher.matched, "the bridge listens")
    stamp_ns = time.time_ns()
    tracks = some_tracks(5, stamp_ns, n=12)
    tracks.class_id[::3] = int(ClassId.DRONE)
    tracks.status[0] = 1
    threats = some_threats(5, stamp_ns, track_id=44)
    threats.listed_from = int(ThreatLevel.MEDIUM)
    threats.unlisted_track_id, threats.unlisted_level = np.array([42, 47]), np.full(2, int(ThreatLevel.LOW))
    for data in (some_detections(5, stamp_ns), tracks, threats):
        publisher.send(data)
    for path in ("/api/radar/tracks", "/api/threats/active", "/api/radar/targets"):
        wait_for(lambda path=path: bridge.get(path).status_code == 200, path)

    def ids(query: str) -> tuple[list[int], int]:
        answer = bridge.get(f"/api/radar/tracks?{query}")
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["count"] == len(body["tracks"])
        return [row["track_id"] for row in body["tracks"]], body["total"]

    assert ids("") == (list(range(41, 53)), 12)
    assert ids("class=DRONE") == ([41, 44, 47, 50], 4)
    assert ids("class=DRONE&class=AIRCRAFT&limit=5&offset=10") == ([51, 52], 12)
    assert ids("class=DRONE&limit=2&offset=1") == ([44, 47], 4)
    assert ids("class=BIRD") == ([], 0)
    assert ids("status=TENTATIVE") == ([41], 1)
    assert ids("level=CRITICAL") == ([44], 1)  # and 45 is MEDIUM
    assert ids("level=CRITICAL&level=MEDIUM") == ([44, 45], 2)
    assert ids("level=LOW") == ([42, 47], 2)  # no threats, but assessed
    assert ids("level=LOW&level=CRITICAL") == ([42, 44, 47], 3)
    # Number i of 12 stands 600 m away at bearing 30 i + 30 degrees.
    assert ids("box=0,0,1000,1000") == ([41, 42, 43], 3)  # 30, 60 and 90 degrees
    assert bridge.get("/api/radar/targets?class=BIRD").json()["total"] == 0
    assert bridge.get("/api/radar/targets?limit=1").json()["count"] == 1
    assert [row["track_id"] for row in bridge.get("/api/threats/active?level=MEDIUM").json()["threats"]] == [45]
    assert [row["track_id"] for row in bridge.get("/api/threats/critical").json()["threats"]] == [44]
    summary = bridge.get("/api/threats/summary").json()
    assert summary["by_level"] == {"LOW": 2, "MEDIUM": 1, "HIGH": 0, "CRITICAL": 1}
    assert (summary["by_class"], summary["unacknowledged"]) == ({"AIRCRAFT": 2}, 1)
    assert (summary["worst"]["track_id"], summary["next_impact_s"]) == (44, 11.75)
    quality = bridge.get("/api/radar/signal-quality").json()
    assert quality["snr_db"] == {"median": 21.0, "p10": 20.2, "p90": 21.8}  # of 20, 21, 22
    assert quality["range_sigma_m"]["median"] == 1.0
    one = bridge.get("/api/radar/tracks/44").json()
    assert (one["track"]["track_id"], one["sequence"]) == (44, 5)
    assert bridge.get("/api/radar/tracks/99").status_code == 404
    for query in ("class=drone", "status=GONE", "box=1,2,3", "box=5,5,1,1", "limit=0", "offset=-1", "colour=red"):
        answer = bridge.get(f"/api/radar/tracks?{query}")
        assert answer.status_code == 400, query
        assert query.partition("=")[0] in answer.json()["detail"]


def test_an_acknowledged_threat_is_shown_so_to_everyone(start_bridge, publisher, wait_for):
    bridge = start_bridge()
    wait_for(publisher.matched, "the bridge listens")
    publisher.send_scan(1)
    wait_for(lambda: bridge.get("/api/threats/active").status_code == 200, "the threats")
    with bridge.stream() as client:
        assert until(client, "threats")["threats"][0]["acknowledged_by"] is None
        before = bridge.get("/api/threats/active")
        answer = httpx.post(
            f"{bridge.url}/api/threats/41/acknowledge", headers={"Authorization": f"Bearer {bridge.token}"}
        )
        assert answer.status_code == 200
        assert (answer.json()["level"], answer.json()["acknowledged_by"]) == ("CRITICAL", "admin")
        shown = until(client, "threats")["threats"]
        assert [row["acknowledged_by"] for row in shown] == ["admin", None]
        assert shown[0]["acknowledged_s"] == pytest.approx(time.time(), abs=5)
        after = bridge.get("/api/threats/active", **{"If-None-Match": before.headers["etag"]})
        assert after.status_code == 200  # the same scan, but no longer the same
        assert bridge.get("/api/threats/summary").json()["unacknowledged"] == 0

        low = some_threats(2, time.time_ns())
        low.level[:] = [2, 1]
        publisher.send(low)
        assert until(client, "threats")["threats"][0]["acknowledged_by"] == "admin"
    missing = httpx.post(f"{bridge.url}/api/threats/7/acknowledge", headers={"Authorization": f"Bearer {bridge.token}"})
    assert missing.status_code == 404

    bridge.process.kill()
    bridge.process.wait(10)
    again = start_bridge()  # it outlives the process
    again.password, again.token = bridge.password, bridge.token
    again.token = again.login().json()["access_token"]

    def heard() -> bool:  # again and again: to this publisher, the killed bridge seems to listen for a while
        publisher.send(some_threats(3, time.time_ns()))
        return again.get("/api/threats/active").status_code == 200

    wait_for(heard, "the threats")
    assert again.get("/api/threats/active").json()["threats"][0]["acknowledged_by"] == "admin"
