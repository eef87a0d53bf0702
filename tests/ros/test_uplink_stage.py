# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The uplink's nodes on DDS: a site's topics come out under its name, bytes for bytes, and its silence is said."""

import json

import pytest

pytest.importorskip("zenoh", reason="the extra uplink is not installed")

import rclpy
from aegis_msgs.msg import Event, TrackArray
from event_messages import event_message
from rclpy.executors import SingleThreadedExecutor
from rclpy.serialization import serialize_message
from ros_services import proving

from aegis.bench.faulty_line import FaultyLine, Quality
from aegis.bench.live import free_port
from aegis.core.decisions import ProofChecker
from aegis.core.health import Level
from aegis.core.uplink.settings import CARRIED, UplinkSettings
from aegis.decision_key import decision_key
from aegis.ros.host import StageHost
from aegis.ros.proofs import check_proof
from aegis.ros.qos import message_class, qos_profile
from aegis.ros.stages.base import StageContext
from aegis.ros.stages.uplink import UplinkStage
from aegis.ros.topics import SITE_EVENTS, TOPICS


@pytest.fixture
def graph(ros_domain, tmp_path):
    """Yield (executor, site's node, headquarters' node, their stages, the line), each node in a namespace of its own."""
    context = rclpy.Context()
    rclpy.init(args=["test"], context=context)
    executor = SingleThreadedExecutor(context=context)
    port = free_port()
    line = FaultyLine(port, Quality())
    given = {
        "site": {"site": "north", "mode": "client", "connect": [f"tcp/127.0.0.1:{line.port}"]},
        "hq": {"receive": ["north"], "mode": "router", "listen": [f"tcp/127.0.0.1:{port}"], "silent_after_s": 1.5},
    }
    nodes, stages = [], []
    for name, values in given.items():
        node = rclpy.create_node("uplink", namespace=name, context=context)
        (tmp_path / name).mkdir()
        stage = UplinkStage(UplinkSettings.load(values), StageContext("run", 0, tmp_path / name, True))
        StageHost(node, stage, subscribes=CARRIED, publishes=(SITE_EVENTS,))
        executor.add_node(node)
        nodes.append(node)
        stages.append(stage)
    yield executor, *nodes, *stages, line
    line.close()
    for stage in stages:
        stage.close()
    for node in nodes:
        node.destroy_node()
    rclpy.try_shutdown(context=context)


def test_topics_of_a_site_come_out_under_its_name(graph, wait_for):
    executor, site_node, hq_node, site, hq, line = graph
    heard: dict[str, list] = {"north/events": [], "north/tracks": [], "events": [], SITE_EVENTS: []}
    for name, messages in heard.items():
        topic = TOPICS[name.rpartition("/")[2]]
        hq_node.create_subscription(
            message_class(topic.type), name, messages.append, qos_profile(topic), raw=name.startswith("north/")
        )
    out = {
        name: proving(site_node.create_publisher(message_class(TOPICS[name].type), name, qos_profile(TOPICS[name])))
        for name in ("events", "tracks")
    }
    event = event_message("TRACKING_LOST", stage="tracking", sequence=3, data={"track_id": 7})
    out["events"].publish(event)

    def step(condition) -> bool:
        out["tracks"].publish(TrackArray(sequence=9, sensor_id="front", track_id=[7]))
        executor.spin_once(timeout_sec=0.05)
        return condition()

    wait_for(lambda: step(lambda: heard["north/events"] and heard["north/tracks"]), "both topics")
    fields = rclpy.serialization.deserialize_message(heard["north/events"][0], Event)
    check_proof(fields, hq_node.resolve_topic_name("north/events"), ProofChecker(decision_key()), fresh=False)
    fields.proof = event.proof  # which was of the site, for its own topic
    assert fields == event
    assert len(heard["north/events"][0]) == len(serialize_message(event))
    track = rclpy.serialization.deserialize_message(heard["north/tracks"][0], TrackArray)
    assert (track.sequence, list(track.track_id)) == (9, [7])
    assert hq.health().level is Level.OK
    line.cut()
    wait_for(lambda: step(lambda: hq.health().level is Level.STALE), "the silence in the diagnosis")
    assert "no data of north" in hq.health().text

    def told() -> list[tuple[str, str]]:
        ours = [m for m in heard["events"] if m.stage == "uplink"]
        return [(m.name, json.loads(m.data)["sensor_id"]) for m in ours]

    wait_for(lambda: step(lambda: told() == [("SOURCE_SILENT", "north")]), "the silence as an event")
    out["events"].publish(event_message("TRACKING_LOST", stage="tracking", sequence=4))
    line.mend()
    wait_for(lambda: step(lambda: len(heard["north/events"]) == 2), "what was said meanwhile")
    wait_for(lambda: step(lambda: told()[-1:] == [("SOURCE_BACK", "north")]), "that it is back")
    detail = hq.detail()["sites"]["north"]
    assert not detail["silent"]
    assert detail["behind"] == {"alarms": 0, "events": 0}
    assert site.detail()["record"]["kept"]["events"] == [1, 2]
    # For the history here, with the site named, once each, and not among this site's own, which its uplink would send on.
    wait_for(lambda: step(lambda: len(heard[SITE_EVENTS]) >= 2), "both for the history")
    assert [(m.stage, m.sequence) for m in heard[SITE_EVENTS]] == [("north/tracking", 3), ("north/tracking", 4)]
    check_proof(
        heard[SITE_EVENTS][1], hq_node.resolve_topic_name(SITE_EVENTS), ProofChecker(decision_key()), fresh=False
    )
    assert {m.stage for m in heard["events"]} == {"uplink"}
    assert json.loads(json.dumps(hq.detail()))


def test_what_is_no_message_is_not_published(tmp_path):
    stage = UplinkStage(
        UplinkSettings.load({"receive": ["*"], "listen": ["tcp/127.0.0.1:1"]}), StageContext(state_dir=tmp_path)
    )
    from aegis.ros.uplink.receiver import Arrived, Lost

    assert not list(stage._received(Arrived("north", "tracks", b"\0\1\0\0" + b"\xff" * 40), 1))
    assert not list(stage._received(Lost("north", "events", 12), 1))
    assert stage.counters.reasons == {"not a message of tracks": 1, "lost: no more in the record of north: events": 12}
    assert stage.counters.sequence_gaps == 12
