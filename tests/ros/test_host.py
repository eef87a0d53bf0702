# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How a live node takes messages: several events at one waking, in order, and no more than the others can wait for."""

import json
import threading
import time

import pytest
import rclpy
from aegis_msgs.srv import AcknowledgeEw, Restart, SetMode
from event_messages import event_message
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy
from ros_services import call_service, proven_request, proving

from aegis.core.params import Settings
from aegis.core.publishers import ENDED_S
from aegis.decision_key import decision_key
from aegis.graph.nodes import NODES
from aegis.ros.host import AT_ONCE, StageHost
from aegis.ros.proofs import prove
from aegis.ros.qos import message_class, qos_profile
from aegis.ros.stages.base import Stage, StageContext
from aegis.ros.topics import OPEN_COMMANDS, TOPICS

HINT = "; with open_commands:=true this node takes commands from anybody on DDS"


class Listener(Stage):
    name = "listener"
    settings_type = Settings

    def __init__(self) -> None:
        super().__init__(Settings(), StageContext("run", 0, None, True))
        self.heard = []

    def on_message(self, topic, message):
        if message.stage == "sender":
            self.heard.append(message.sequence)
        return ()


def event_publisher(node, name: str = "events"):
    return proving(node.create_publisher(message_class(TOPICS["events"].type), name, qos_profile(TOPICS["events"])))


@pytest.fixture
def node(ros_domain):
    context = rclpy.Context()
    rclpy.init(args=["test"], context=context)
    one = rclpy.create_node("listener", context=context)
    yield one
    one.destroy_node()
    rclpy.try_shutdown(context=context)


def test_events_are_taken_several_at_a_time_in_order(node, wait_for):
    stage = Listener()
    StageHost(node, stage, subscribes=["events"])
    publisher = event_publisher(node)
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    wait_for(lambda: publisher.get_subscription_count() > 0, "the listener is there")
    for sequence in range(1, 91):
        publisher.publish(event_message("TRACKING_UPDATED", stage="sender", sequence=sequence))
    wakings = 0
    while len(stage.heard) < 90:
        before = len(stage.heard)
        executor.spin_once(timeout_sec=5)
        assert len(stage.heard) - before <= AT_ONCE
        wakings += len(stage.heard) > before
    assert stage.heard == list(range(1, 91))
    assert wakings < 45
    assert stage.counters.received == 90
    executor.shutdown()


def test_one_topic_of_the_table_is_heard_under_several_names(node, wait_for):
    class OfRadars(Settings):
        def heard_at(self, topic):
            return ["front/events", "left/events"]

    class Several(Listener):
        def on_message(self, topic, message):
            self.heard.append((topic, message.sequence))
            return ()

    stage = Several()
    stage.settings = OfRadars()
    StageHost(node, stage, subscribes=["events"])
    publishers = [event_publisher(node, f"/{name}/events") for name in ("front", "left")]
    wait_for(lambda: all(one.get_subscription_count() for one in publishers), "both are heard")
    assert not node.get_subscriptions_info_by_topic("/events")
    for sequence, publisher in enumerate(publishers):
        publisher.publish(event_message("TRACKING_UPDATED", stage="sender", sequence=sequence))
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    while len(stage.heard) < 2:
        executor.spin_once(timeout_sec=5)
    assert sorted(stage.heard) == [("front/events", 0), ("left/events", 1)]
    executor.shutdown()


def test_a_stamp_ahead_of_the_clock_is_refused_and_said(node, wait_for):
    """The sender's clock is one hour ahead, as of a sensor that nobody synchronised; 0.5 s are taken."""
    stage = Listener()
    host = StageHost(node, stage, subscribes=["events"])
    publisher = event_publisher(node)
    wait_for(lambda: publisher.get_subscription_count() > 0, "the listener is there")
    for sequence, ahead_s in enumerate((-3600.0, 0.5, 3600.0, 0.0), 1):
        stamp_ns = host.now_ns() + round(ahead_s * 1e9)
        publisher.publish(event_message("TRACKING_UPDATED", stage="sender", sequence=sequence, stamp_ns=stamp_ns))
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    while stage.counters.received < 4:
        executor.spin_once(timeout_sec=5)
    assert stage.heard == [1, 2, 4]
    assert stage.counters.reasons == {"stamp ahead of the clock": 1}
    assert stage.counters.dropped == 1
    health = stage.health()
    assert health.level.name == "WARN"
    assert (
        "events is stamped 3600.0 s ahead of the clock" in health.text
        or "events is stamped 3599.9 s ahead" in health.text
    )
    executor.shutdown()


def test_under_a_clock_topic_no_stamp_is_ahead(node, wait_for):
    """A bag that is played fast: its messages may come before the /clock that belongs to them."""
    stage = Listener()
    node.set_parameters([Parameter("use_sim_time", value=True)])
    host = StageHost(node, stage, subscribes=["events"])
    publisher = event_publisher(node)
    wait_for(lambda: publisher.get_subscription_count() > 0, "the listener is there")
    assert host.now_ns() == 0
    publisher.publish(event_message("TRACKING_UPDATED", stage="sender", sequence=1, stamp_ns=1_700_000_000_000_000_000))
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    while not stage.counters.received:
        executor.spin_once(timeout_sec=5)
    assert stage.heard == [1]
    executor.shutdown()


@pytest.mark.parametrize("open_commands", [False, True])
def test_a_command_is_taken_from_the_bridge_or_from_anybody_where_commands_are_open(ros_domain, open_commands):
    """Decisions are the bridge's in both."""

    class Radar(Listener):
        def on_service(self, service, request, response, now_ns):
            self.heard.append(service)
            response.success = True
            return ()

    context = rclpy.Context()
    rclpy.init(args=["test"], context=context)
    overrides = [Parameter(OPEN_COMMANDS, value=True)] if open_commands else []
    node = rclpy.create_node("radar", context=context, parameter_overrides=overrides)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    try:
        decided, commanded = (
            NODES["ew"].services[0],
            next(s for s in NODES["simulator"].services if s.name == "set_mode"),
        )
        stage = Radar()
        StageHost(node, stage, services=[decided, commanded])
        proven = proven_request(node, SetMode, "set_mode", mode=1)
        assert call_service(node, SetMode, "set_mode", request=proven).success
        again = call_service(node, SetMode, "set_mode", request=proven)
        assert (again.success, again.message) == (False, "refused: set_mode: its proof was used before" + HINT)
        stranger = call_service(node, SetMode, "set_mode", mode=1)
        restart = call_service(node, Restart, "radar/restart")
        assert (stranger.success, restart.success) == (open_commands, open_commands)
        assert ("has no proof" in stranger.message) != open_commands
        assert not call_service(node, AcknowledgeEw, "ew/acknowledge", id=1, operator_name="admin").success
        assert stage.heard == ["set_mode"] * (1 + open_commands)
        count = stage.counters.reasons
        assert count["decision refused: set_mode"] == 2 - open_commands
        assert count["decision refused: ew/acknowledge"] == 1
        (result,) = node.set_parameters([Parameter(OPEN_COMMANDS, value=not open_commands)])
        assert not result.successful
    finally:
        executor.shutdown()
        thread.join(10)
        node.destroy_node()
        rclpy.try_shutdown(context=context)


def test_what_is_published_when_it_changes_is_taken_from_the_graph_only(node, wait_for):
    """A stranger's, without a proof, with one of another topic, and with an old one said again; ours after that."""

    class Taker(Listener):
        def on_message(self, topic, message):
            if topic == "alarms":
                self.heard.append(list(message.id))
            return ()

    stage, told = Taker(), []
    StageHost(node, stage, subscribes=["alarms"])
    kinds = {name: (message_class(TOPICS[name].type), name, qos_profile(TOPICS[name])) for name in ("alarms", "events")}
    node.create_subscription(*kinds["events"][:2], told.append, kinds["events"][2])
    stranger = rclpy.create_node("stranger", context=node.context)
    publisher = stranger.create_publisher(*kinds["alarms"])
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    wait_for(lambda: publisher.get_subscription_count() == 1, "the listener is there")

    def alarm(number: int, at: str | None):
        message = kinds["alarms"][0](id=[number])
        if at is not None:
            prove(message, at, decision_key())
        return message

    first, second = alarm(1, "/alarms"), alarm(2, "/alarms")
    changed = alarm(3, "/alarms")
    changed.id = [9]
    for message in (alarm(7, None), alarm(8, "/elsewhere"), changed, first, second, first, alarm(4, "/alarms")):
        publisher.publish(message)

    def all_received() -> bool:
        executor.spin_once(timeout_sec=0.1)
        return stage.counters.received >= 7 and bool(told)

    wait_for(all_received, "all of them")
    assert stage.heard == [[1], [2], [4]]
    assert stage.counters.reasons == {"not of this graph: alarms": 3, "older than what was taken: alarms": 1}
    (event,) = told
    data = json.loads(event.data)
    assert (event.name, data["topic"], data["nodes"]) == ("ANOTHER_PUBLISHER", "alarms", ["/stranger"])
    assert data["reason"].startswith("it has no proof")
    stranger.destroy_node()
    executor.shutdown()


def test_a_strangers_tracks_are_taken_until_this_graph_has_some_and_then_refused(node, wait_for):
    """Whatever the stranger says, however often, and also when ours has ended: the numbers of DDS alone would let it follow."""

    class Taker(Listener):
        def on_message(self, topic, message):
            if topic == "tracks":
                self.heard.append(message.sequence)
            return ()

    stage, told = Taker(), []
    StageHost(node, stage, subscribes=["tracks"])
    kinds = {name: (message_class(TOPICS[name].type), name, qos_profile(TOPICS[name])) for name in ("tracks", "events")}
    node.create_subscription(*kinds["events"][:2], told.append, kinds["events"][2])
    stranger, other = (rclpy.create_node(name, context=node.context) for name in ("stranger", "tracking"))
    theirs = stranger.create_publisher(*kinds["tracks"])
    ours = proving(other.create_publisher(*kinds["tracks"]))
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    wait_for(lambda: theirs.get_subscription_count() == ours.get_subscription_count() == 1, "the listener is there")

    def send(publisher, sequence: int) -> None:
        before = stage.counters.received
        publisher.publish(kinds["tracks"][0](sequence=sequence))

        def received() -> bool:
            executor.spin_once(timeout_sec=0.1)
            return stage.counters.received > before

        wait_for(received, f"message {sequence}")

    for publisher, sequence in ((theirs, 901), (theirs, 902), (ours, 1), (theirs, 903), (ours, 2)):
        send(publisher, sequence)
    other.destroy_node()
    silent_since = time.monotonic()
    wait_for(lambda: time.monotonic() - silent_since > ENDED_S, "ours has ended")
    send(theirs, 904)
    assert stage.heard == [901, 902, 1, 2]
    assert stage.counters.reasons == {"not of this graph: tracks": 2}
    assert "it has no proof" in stage.health().text

    def said() -> bool:
        executor.spin_once(timeout_sec=0.1)
        return bool(told)

    wait_for(said, "an event")
    data = json.loads(told[0].data)
    assert (told[0].name, data["topic"]) == ("ANOTHER_PUBLISHER", "tracks")
    assert "/stranger" in data["nodes"]
    stranger.destroy_node()
    executor.shutdown()


def test_qos_overrides_hold_for_the_topics_that_they_name(ros_domain):
    """As the middleware tells it to others."""
    given = {
        "qos_overrides./rig/detections.publisher.reliability": "best_effort",
        "qos_overrides./rig/detections.subscription.depth": 77,
        "qos_overrides./rig/points.subscription.durability": "transient_local",
        "qos_overrides./rig/elsewhere.publisher.depth": 1,
    }
    context = rclpy.Context()
    rclpy.init(args=["test", "--ros-args", "-r", "radar/points:=points"], context=context)
    overrides = [Parameter(name, value=value) for name, value in given.items()]
    node = rclpy.create_node("listener", context=context, namespace="rig", parameter_overrides=overrides)
    try:
        StageHost(node, Listener(), subscribes=["radar/points"], publishes=["detections", "tracks"], overrides=given)
        (detections,) = node.get_publishers_info_by_topic("/rig/detections")
        (tracks,) = node.get_publishers_info_by_topic("/rig/tracks")
        (points,) = node.get_subscriptions_info_by_topic("/rig/points")
        assert detections.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
        assert tracks.qos_profile.reliability == qos_profile(TOPICS["tracks"]).reliability
        assert points.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
        declared = [name for name in given if node.has_parameter(name)]
        assert declared == [*given][::2]
    finally:
        node.destroy_node()
        rclpy.try_shutdown(context=context)


def test_a_second_publisher_is_said_and_not_mixed_in(node, wait_for):
    class Taker(Listener):
        def on_message(self, topic, message):
            if topic == "tracks":
                self.heard.append(message.sequence)
            return ()

    def said(message) -> None:
        if message.name == "ANOTHER_PUBLISHER":
            events.append(json.loads(message.data))

    stage, events = Taker(), []
    StageHost(node, stage, subscribes=["tracks"])
    stranger = rclpy.create_node("stranger", context=node.context)
    kinds = {name: (message_class(TOPICS[name].type), name, qos_profile(TOPICS[name])) for name in ("tracks", "events")}
    stranger.create_subscription(*kinds["events"][:2], said, kinds["events"][2])
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    executor.add_node(stranger)
    ours = node.create_publisher(*kinds["tracks"])

    def send(publisher, sequence: int) -> None:
        message = kinds["tracks"][0]()
        message.sequence = sequence
        message.header.stamp = node.get_clock().now().to_msg()
        publisher.publish(message)

    def received(n: int) -> bool:
        executor.spin_once(timeout_sec=0.1)
        return stage.counters.received >= n

    wait_for(lambda: ours.get_subscription_count() == 1, "the listener is there")
    for sequence in (1, 2, 3):
        send(ours, sequence)
    wait_for(lambda: received(3), "ours")
    theirs = stranger.create_publisher(*kinds["tracks"])
    wait_for(lambda: theirs.get_subscription_count() == 1, "the stranger is there")
    send(theirs, 1001)
    wait_for(lambda: received(4), "the stranger's")
    send(ours, 4)
    send(theirs, 1002)
    wait_for(lambda: received(6), "both")
    wait_for(lambda: received(6) and len(events) > 0, "an event")
    assert stage.heard == [1, 2, 3, 4]
    assert stage.counters.reasons["another publisher of tracks"] == 2
    assert events == [{"topic": "tracks", "sensor_id": "", "reason": "", "nodes": ["/listener", "/stranger"]}]
    assert "ROS_DOMAIN_ID" in stage.health().text
    executor.shutdown()
    stranger.destroy_node()
