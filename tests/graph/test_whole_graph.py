# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The README's first command, as its user meets it: page, API, stream, events, services, a person's decision."""

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml
from aegis_msgs.msg import PulseArray, TrackArray
from aegis_msgs.srv import Restart, Scan, SetMode
from graph_process import Listener, aegis_up
from ros_services import call_service, proven_request
from websockets.sync.client import connect

from aegis.core.events import EVENT_NAMES, EVENTS, AnotherPublisher
from aegis.graph.plan import Options, Plan
from aegis.graph.security.policies import enclaves
from aegis.ros.messages.clouds import cloud_to_msg
from aegis.ros.qos import message_class, qos_profile
from aegis.ros.topics import TOPICS

# Traffic; and, once everybody listens and the noise floor is known, a missile that comes in and is gone again, and a jammer.
SCENARIO = {
    "name": "everything",
    "duration_s": 300.0,
    "targets": [
        {
            "name": "missile", "class": "MISSILE", "rcs_dbsm": 0.0, "swerling": 0, "appears_s": 15.0, "disappears_s": 31.0,
            "motion": {"kind": "straight", "position_m": [6000.0, 0.0, 50.0], "speed_mps": 300.0, "course_deg": 270.0},
        },
        {
            "name": "aircraft", "class": "AIRCRAFT", "rcs_dbsm": 15.0,
            "motion": {"kind": "straight", "position_m": [-4000.0, 5000.0, 3000.0], "speed_mps": 120.0, "course_deg": 90.0},
        },
    ],
    "jammers": [
        {
            "name": "jammer", "appears_s": 15.0, "eirp_w": 10.0, "frequency_hz": 9.4e9, "bandwidth_hz": 50e6,
            "position_m": [0.0, 8000.0, 500.0],
        }
    ],
}  # fmt: skip


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_from_the_first_command_to_the_client(ros_domain, tmp_path: Path, wait_for, port):
    scenario, log = tmp_path / "everything.yaml", tmp_path / "log"
    scenario.write_text(yaml.safe_dump(SCENARIO))
    url = f"http://127.0.0.1:{port}"
    options = [
        "--scenario", str(scenario), "--port", str(port), "--no-foxglove",
        "--set", "simulator.scan_interval_s=0.1", "--set", "simulator.points.false_alarms_per_scan=20",
    ]  # fmt: skip
    with Listener("events", "ew/advice", "tracks", "truth") as graph, aegis_up(ros_domain, log, *options):
        wait_for(lambda: "with the password" in log.read_text(), "the first password", 60)
        password = re.search(r"with the password\s+(\S+)", log.read_text()).group(1)

        def up() -> bool:
            try:
                return httpx.get(url + "/ready").status_code == 200
            except httpx.TransportError:
                return False

        wait_for(up, "/ready", 60)
        assert httpx.get(url + "/api/radar/tracks").status_code == 401
        who = {"username": "admin", "password": password}
        token = httpx.post(url + "/api/auth/login", json=who).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}

        # Tracks on the API and on the WebSocket.
        def tracks() -> list:
            answer = httpx.get(url + "/api/radar/tracks", headers=headers)
            return answer.json()["tracks"] if answer.status_code == 200 else []

        wait_for(lambda: any(t["status"] == "CONFIRMED" for t in tracks()), "a confirmed track on the API")
        seen: dict[str, dict] = {}
        with connect(f"ws://127.0.0.1:{port}/ws/radar-stream") as stream:
            stream.send(json.dumps({"type": "auth", "token": token}))
            end = time.monotonic() + 30
            while not {"radar_frame", "threats", "system_status", "heartbeat"} <= set(seen):
                assert time.monotonic() < end, f"only {sorted(seen)} came"
                message = json.loads(stream.recv(timeout=30))
                if message["type"] != "radar_frame" or message["tracks"]:
                    seen[message["type"]] = message
        assert any(t["status"] == "CONFIRMED" for t in seen["radar_frame"]["tracks"])

        # The truth of the simulator, at the stamps of the tracks.
        def stamps(topic: str) -> set[tuple[int, int]]:
            return {(m.header.stamp.sec, m.header.stamp.nanosec) for m in graph.messages[topic]}

        wait_for(lambda: bool(stamps("truth") & stamps("tracks")), "the truth of a scan")
        assert "aircraft" in graph.messages["truth"][-1].name
        assert time.time() - seen["radar_frame"]["stamp_s"] < 30
        proven = Plan.of(Options(foxglove=False), {}).environ["bridge"]["AEGIS_PROVEN"].split(",")
        assert {f"status:{stage}" for stage in seen["system_status"]["stages"]} <= set(proven)

        check_policies(graph)

        # A critical threat raises advice; a person acknowledges it; only then is there a countermeasure.
        def names() -> set[str]:
            return {m.name for m in graph.messages["events"]}

        wait_for(lambda: "THREAT_CRITICAL" in names(), "the missile is critical", 60)

        def about(track: bool) -> list[int]:
            a = graph.messages["ew/advice"][-1] if graph.messages["ew/advice"] else None
            ids = zip(a.id, a.track_id, a.state, strict=True) if a else ()
            return [i for i, track_id, state in ids if (track_id > 0) == track and state == 1]

        wait_for(lambda: bool(about(track=True)), "advice on the missile")
        assert "EW_COUNTERMEASURE" not in names()
        clients = Clients(graph)

        def accept(advice: int) -> int:
            return httpx.post(f"{url}/api/ew/advice/{advice}/acknowledge", headers=headers, timeout=20).status_code

        def offered() -> set[int]:
            found = httpx.get(f"{url}/api/ew/advice", headers=headers, timeout=20).json()
            return {one["id"] for one in found.get("items", [])}

        def known() -> list[int]:
            return [advice for advice in about(track=True) if advice in offered()]

        wait_for(lambda: bool(known()), "the bridge has it too")
        assert accept(known()[0]) == 200
        wait_for(lambda: decided_id(graph) > 0, "everybody is told")
        assert accept(decided_id(graph)) == 409
        wait_for(lambda: "EW_COUNTERMEASURE" in names(), "the countermeasure is told")
        wait_for(lambda: "EW_DETECTION" in names(), "the jammer is sensed", 60)

        # The radar's services.
        assert clients.call(Scan, "scan").success
        for kind, name in ((Scan, "scan"), (SetMode, "set_mode"), (Restart, "tracking/restart")):
            refused = call_service(graph.node, kind, name)  # as anybody on DDS
            assert (refused.success, refused.message.startswith(f"refused: {name}: it has no proof")) == (False, True)
        assert not clients.call(SetMode, "set_mode", mode=99, frequency=float("nan")).success
        assert clients.call(SetMode, "set_mode", frequency=9.6e9).success  # out of the jammed band
        # What is wrong is an event too, and ends nothing.
        cloud = cloud_to_msg({"x": [1.0], "y": [1.0]}, frame_id="elsewhere", stamp_ns=1)
        with publishing(graph, "radar/points", cloud):
            wait_for(lambda: "DETECTION_ERROR" in names(), "the wrong cloud is told")
        with publishing(graph, "ew/pulses", PulseArray(toa=[1.0])):
            wait_for(lambda: "PIPELINE_ERROR" in names(), "the wrong pulses are told")
        assert AnotherPublisher.name not in names()  # nothing of this graph's own was taken for a stranger's
        with publishing(graph, "tracks", TrackArray(hits=[1])):
            wait_for(lambda: refused_tracks(graph), "that somebody else publishes tracks, without a proof, is told")
        wait_for(lambda: "TRACKING_LOST" in names(), "the missile's track is given up", 60)
        assert clients.call(Restart, "tracking/restart").success
        before = max(i for m in graph.messages["tracks"] for i in m.track_id)
        graph.messages["tracks"].clear()
        wait_for(lambda: any(i > before for m in graph.messages["tracks"] for i in m.track_id), "new tracks afterwards")
        assert clients.call(Restart, "ew/restart").success
        wait_for(lambda: len(graph.messages["ew/advice"][-1].id) == 0, "no advice after a restart of ew")
        ordinary = {kind.name for kind in EVENTS if kind.ordinary}
        wait_for(lambda: names() >= ordinary, f"every ordinary event; missing: {ordinary - names()}")
        assert names() <= set(EVENT_NAMES)


# Of a node with a lifecycle, which none has here (rcl_lifecycle's names).
MANAGED = (
    "/transition_event", "/change_state", "/get_state", "/get_available_states", "/get_available_transitions",
    "/get_transition_graph",
)  # fmt: skip


def check_policies(graph: Listener) -> None:
    """Hold what DDS security would allow each process against what its node has, as the middleware tells it."""
    for enclave in enclaves(Plan.of(Options(foxglove=False), {})):
        (policy,) = enclave.nodes
        for allowed, names_of in (
            (policy.publishes, graph.node.get_publisher_names_and_types_by_node),
            (policy.subscribes, graph.node.get_subscriber_names_and_types_by_node),
            (policy.offers, graph.node.get_service_names_and_types_by_node),
            (policy.calls, graph.node.get_client_names_and_types_by_node),
        ):
            found = {name for name, _ in names_of(policy.name, "/")}
            assert found <= allowed, (policy.name, found - allowed)
            assert not found or allowed - found <= {"/clock", "/parameter_events", "/odometry", "/zones"} | {
                name for name in allowed if name.endswith(("/restart", *MANAGED)) or "video" in name or "pulses" in name
            }, (policy.name, allowed - found)


def refused_tracks(graph: Listener) -> bool:
    told = [json.loads(m.data) for m in graph.messages["events"] if m.name == AnotherPublisher.name]
    return any(one["topic"] == "tracks" and one["reason"].startswith("it has no proof") for one in told)


def decided_id(graph: Listener) -> int:
    message = graph.messages["ew/advice"][-1]
    return next((i for i, state in zip(message.id, message.state, strict=True) if state == 2), 0)


class Clients:
    """Calls services as the bridge does, from the listener's node, whose executor spins in its own thread."""

    def __init__(self, listener: Listener) -> None:
        self._node = listener.node

    def call(self, kind: type, name: str, **fields):
        request = proven_request(self._node, kind, name, **fields)
        return call_service(self._node, kind, name, request=request)


@contextmanager
def publishing(listener: Listener, topic: str, message) -> Iterator[None]:
    """Publish a message again and again: the first ones are lost until both sides have found each other."""
    row = TOPICS[topic]
    publisher = listener.node.create_publisher(message_class(row.type), topic, qos_profile(row))
    timer = listener.node.create_timer(0.2, lambda: publisher.publish(message))
    yield
    timer.cancel()
