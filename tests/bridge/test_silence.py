# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A sensor or a stage that falls silent or is stuck: said by the API, /ready, /diagnostics, the stream and an event in time."""

import json
import threading
import time
from dataclasses import replace

import httpx
import pytest
import rclpy
from bridge_data import some_detections, some_threats, some_tracks

from aegis.ros.messages.reports import StageStatus, status_to_msg
from aegis.ros.qos import message_class, qos_profile
from aegis.ros.topics import TOPICS

WITHIN_S = 2.0
PERIOD_S = 0.1
DETECTION = StageStatus("detection", 2.0, 0.001, 0.002, 0.01, 0.02, 1, 1, 0, 0, 0, 0, "{}")


class Radar:
    """Publishes scans in a thread of its own, until it is told what not to."""

    def __init__(self, publisher) -> None:
        self.publisher, self.without, self.stuck = publisher, set(), False
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Radar":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        n = 0
        while not self._end.wait(PERIOD_S):
            n += 1
            stamp_ns = time.time_ns()
            detections = some_detections(n, stamp_ns)
            if not self.stuck:
                detections = replace(detections, range=detections.range + 0.01 * n)
            kinds = {"detections": detections, "tracks": some_tracks(n, stamp_ns),
                     "threats": some_threats(n, stamp_ns)}  # fmt: skip
            for name, data in kinds.items():
                if name not in self.without:
                    self.publisher.send(data)


@pytest.fixture
def radar(publisher):
    with Radar(publisher) as running:
        yield running


def test_silence_and_a_stuck_sensor_are_said_everywhere_in_time(start_bridge, publisher, radar, wait_for):
    bridge = start_bridge(data_silence_s=1.5, stuck_after=3, ready_stages=[])

    def ready() -> tuple[int, list]:
        answer = httpx.get(bridge.url + "/ready")
        return answer.status_code, [(t["topic"], t["state"]) for t in answer.json()["troubles"]]

    def events(name: str) -> list[dict]:
        return [json.loads(m.data) for m in publisher.heard["events"] if m.name == name]

    def diagnosed(text: str) -> bool:
        return any(text in s.message for m in publisher.heard["/diagnostics"] for s in m.status if "bridge" in s.name)

    def status(path: str) -> int:
        return bridge.get(path).status_code

    def all_data() -> bool:
        return status("/api/threats/active") == status("/api/radar/tracks") == status("/api/radar/targets") == 200

    wait_for(all_data, "data")
    wait_for(lambda: ready() == (200, []), "ready")

    # The threat stage is gone: not "no threats".
    radar.without = {"threats"}
    begin_s = time.monotonic()
    wait_for(lambda: status("/api/threats/active") == 503, "no assessment is no clear sky", 10)
    wait_for(lambda: ready() == (503, [("threats", "SILENT")]), "not ready", 10)
    wait_for(lambda: len(events("SOURCE_SILENT")) == 1, "an event", 10)
    took_s = time.monotonic() - begin_s
    assert events("SOURCE_SILENT")[0]["topic"] == "threats"
    assert "nothing has been heard on 'threats' for" in bridge.get("/api/threats/summary").json()["detail"]
    assert status("/api/radar/tracks") == 200
    assert took_s <= WITHIN_S + 0.5  # half a second for this test's own looking and a busy machine
    wait_for(lambda: diagnosed("threats: no message for"), "a diagnosis", 10)
    radar.without = set()
    wait_for(lambda: all_data() and ready() == (200, []), "threats again", 10)
    wait_for(lambda: [e["topic"] for e in events("SOURCE_BACK")] == ["threats"], "its end is an event", 10)

    # The sensor is stuck: new stamps, old scan.
    radar.stuck = True
    wait_for(lambda: ready() == (503, [("detections", "STUCK")]), "stuck", WITHIN_S + 0.5)
    wait_for(lambda: len(events("SOURCE_STUCK")) == 1, "an event", 10)
    radar.stuck = False
    wait_for(lambda: ready() == (200, []), "no longer stuck", 10)

    # The sensor is silent, and with it all that follows: one event, of the cause.
    radar.without = {"detections", "tracks", "threats"}
    paths = (
        "/api/radar/targets",
        "/api/radar/tracks",
        "/api/radar/tracks/41",
        "/api/radar/status",
        "/api/threats/active",
    )
    wait_for(lambda: [status(path) for path in paths] == [503] * len(paths), "no data", 10)
    with bridge.stream() as client:
        said = until_troubled(client)
    assert {t["topic"] for t in said} == {"detections", "tracks", "threats"}
    wait_for(lambda: len(events("SOURCE_SILENT")) == 2, "an event of the cause", 10)
    assert events("SOURCE_SILENT")[-1]["topic"] == "detections"
    assert events("SOURCE_SILENT")[-1]["sensor_id"] != ""

    # Somebody else may publish advice: that is said before it has.
    stranger = rclpy.create_node("stranger", context=publisher.context)
    topic = TOPICS["ew/advice"]
    stranger.create_publisher(message_class(topic.type), topic.name, qos_profile(topic))

    def others(topic: str) -> list[dict]:
        return [one for one in events("ANOTHER_PUBLISHER") if one["topic"] == topic]

    wait_for(lambda: len(others("ew/advice")) > 0, "an alarm", 15)
    nodes = ["/stranger", "/test_stages"]
    assert others("ew/advice") == [{"topic": "ew/advice", "sensor_id": "", "nodes": nodes, "reason": ""}]
    # This test's own node is none of a graph, and publishes status.
    assert others("status") == [{"topic": "status", "sensor_id": "", "nodes": ["/test_stages"], "reason": ""}]
    stranger.destroy_node()


def test_a_sensor_that_was_never_heard_is_said_after_the_grace(start_bridge, publisher, wait_for):
    """Of two sensors that are expected one comes; the graph is ready until the grace is over, and once both are heard."""
    bridge = start_bridge(ready_stages=["detection"], ready_first_data_s=6.0, ready_sensors=["radar", "right"])

    def ready() -> tuple[int, list[str]]:
        answer = httpx.get(bridge.url + "/ready")
        return answer.status_code, answer.json()["reasons"]

    def until(code: int, words: str, sensor: str = "radar") -> None:
        end = time.monotonic() + 20
        while True:
            now_ns = time.time_ns()
            publisher.send(replace(some_detections(1, now_ns), sensor_id=sensor))
            publisher.publishers["status"].publish(status_to_msg([DETECTION], run_id="test-run", stamp_ns=now_ns))
            found = ready()
            if found[0] == code and words in "; ".join(found[1]):
                return
            assert time.monotonic() < end, found
            time.sleep(0.1)

    wait_for(lambda: ready() == (503, ["the stage 'detection' does not report"]), "nothing runs")
    until(200, "")
    until(503, "detections of 'right': never heard")

    def silent() -> list[dict]:
        return [json.loads(m.data) for m in publisher.heard["events"] if m.name == "SOURCE_SILENT"]

    wait_for(lambda: len(silent()) > 0, "an event")
    assert [(e["topic"], e["sensor_id"], e["ever_heard"]) for e in silent()] == [("detections", "right", False)]
    wait_for(
        lambda: any("right': never heard" in s.message for m in publisher.heard["/diagnostics"] for s in m.status),
        "a diagnosis",
    )
    with bridge.stream() as client:
        assert [t["sensor_id"] for t in until_troubled(client)] == ["right"]
    until(200, "", "right")


def until_troubled(client) -> list[dict]:
    """Return the troubles of the first system_status that has some."""
    end = time.monotonic() + 10.0
    while time.monotonic() < end:
        message = json.loads(client.recv(5))
        if message["type"] == "system_status" and message["troubles"]:
            return message["troubles"]
    pytest.fail("no status tells of it")
