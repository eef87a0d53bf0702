# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Nodes with a lifecycle, by the services that `ros2 lifecycle` and a manager call; the states are those of lifecycle_msgs."""

import json
import socket
import threading
from contextlib import contextmanager

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetAvailableTransitions, GetState
from rclpy.executors import SingleThreadedExecutor
from ros_services import call_service
from scenes import approach, detections_of

from aegis.core.params import ConfigError
from aegis.graph import managed
from aegis.graph.config import Parameters
from aegis.graph.node import StageNode
from aegis.graph.nodes import NODES
from aegis.graph.plan import Options, Plan
from aegis.ros.messages.picture import detections_to_msg
from aegis.ros.qos import message_class, qos_profile
from aegis.ros.topics import TOPICS


class Manager:
    """Another node, which does what `ros2 lifecycle` does, and hears what the node under test publishes."""

    def __init__(self, node, name: str) -> None:
        self.node, self.name = node, name
        self.heard: dict[str, list] = {}

    def hear(self, topic: str) -> list:
        heard = self.heard.setdefault(topic, [])
        kind = TOPICS[topic]
        self.node.create_subscription(message_class(kind.type), topic, heard.append, qos_profile(kind))
        return heard

    def state(self) -> str:
        return call_service(self.node, GetState, f"{self.name}/get_state").current_state.label

    def set(self, transition: int) -> bool:
        request = ChangeState.Request(transition=Transition(id=transition))
        return call_service(self.node, ChangeState, f"{self.name}/change_state", request=request).success


@pytest.fixture
def running(ros_domain):
    """Return a context in which a node of the table runs with these parameters, and its manager."""
    rclpy.init(args=["test"])

    @contextmanager
    def run(name: str, *sets: str):
        parameters = Parameters.read(None, [f"{name}.{one}" for one in sets])
        node = StageNode(NODES[name], parameters.settings(name, environ={}), parameters, "run")
        other = rclpy.create_node("manager")
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        executor.add_node(other)
        thread = threading.Thread(target=executor.spin)
        thread.start()
        try:
            yield node, Manager(other, name)
        finally:
            executor.shutdown()
            thread.join()
            node.stage.close()

    yield run
    rclpy.try_shutdown()


def last_status(heard: list) -> dict:
    """Return the row and the detail of the last status; nothing where none has come."""
    return {"received": int(heard[-1].received[0]), **json.loads(heard[-1].detail[0])} if heard else {}


def taken_out(events: list) -> list[dict]:
    return [json.loads(message.data) for message in events if message.name == "STAGE_TAKEN_OUT"]


def test_a_managed_tracker_tracks_while_it_is_active(running, wait_for):
    with running("tracking", "managed=true") as (node, manager):
        tracks, status, classes, events, _ = map(
            manager.hear, ("tracks", "status", "class_info", "events", "/diagnostics")
        )
        publisher = manager.node.create_publisher(
            message_class(TOPICS["detections"].type), "detections", qos_profile(TOPICS["detections"])
        )
        wait_for(lambda: publisher.get_subscription_count() and node.count_subscribers("tracks"), "both ends")
        sent = 0

        def scan() -> None:
            nonlocal sent
            now_s = node.get_clock().now().nanoseconds * 1e-9
            message = detections_to_msg(detections_of(approach(float(sent)), now_s))
            message.sequence = sent = sent + 1
            publisher.publish(message)
            wait_for(lambda: last_status(status).get("received", 0) >= sent, f"scan {sent} was taken")

        wait_for(lambda: last_status(status).get("lifecycle") == "unconfigured", "it says that it does not work")
        assert manager.state() == "unconfigured"
        scan()
        assert manager.set(Transition.TRANSITION_CONFIGURE)
        assert manager.state() == "inactive"
        scan()
        assert not tracks
        assert not classes
        assert manager.set(Transition.TRANSITION_ACTIVATE)
        assert manager.state() == "active"
        wait_for(lambda: classes, "what the classes are, once it works")
        scan()
        wait_for(lambda: tracks, "tracks of the scan")
        assert [message.sequence for message in tracks] == [3]
        wait_for(lambda: "lifecycle" not in last_status(status), "it says no more that it does not work")

        # What `ros2 lifecycle set /tracking deactivate` sends; said at once, whoever did it.
        before = len(status)
        assert manager.set(Transition.TRANSITION_DEACTIVATE)
        assert manager.state() == "inactive"
        wait_for(lambda: len(status) > before and last_status(status).get("lifecycle") == "inactive", "a status", 0.5)
        wait_for(lambda: bool(taken_out(events)), "an event", 0.5)
        assert taken_out(events) == [{"before": "active", "state": "inactive"}]
        health = node.stage.status(0)[-1].message.status[0]
        assert (health.level, health.message) == (
            DiagnosticStatus.STALE,
            "inactive: somebody has called change_state, it was active; `activate` brings it back",
        )
        scan()
        assert [message.sequence for message in tracks] == [3]
        assert last_status(status)["dropped_by_reason"]["not active: detections"] == 3
        assert manager.set(Transition.TRANSITION_ACTIVATE)
        scan()
        wait_for(lambda: len(tracks) == 2, "tracks again")
        assert tracks[1].sequence == 5


def test_a_transition_that_the_state_has_not_is_refused_and_survived(running):
    """rclpy raises in `spin` of it, which would end the node."""
    with running("tracking", "managed=true") as (_, manager):
        assert not manager.set(Transition.TRANSITION_ACTIVATE)
        assert not manager.set(250)
        assert manager.state() == "unconfigured"
        found = call_service(manager.node, GetAvailableTransitions, "tracking/get_available_transitions")
        assert {one.transition.label for one in found.available_transitions} == {"configure", "shutdown"}
        for transition, state in (
            (Transition.TRANSITION_CONFIGURE, State.PRIMARY_STATE_INACTIVE),
            (Transition.TRANSITION_CLEANUP, State.PRIMARY_STATE_UNCONFIGURED),
            (Transition.TRANSITION_CONFIGURE, State.PRIMARY_STATE_INACTIVE),
            (Transition.TRANSITION_ACTIVATE, State.PRIMARY_STATE_ACTIVE),
            (Transition.TRANSITION_ACTIVE_SHUTDOWN, State.PRIMARY_STATE_FINALIZED),
        ):
            assert manager.set(transition)
            assert call_service(manager.node, GetState, "tracking/get_state").current_state.id == state


def test_a_stage_goes_back_by_itself_where_it_is_told_to_and_says_when_it_cannot(running, wait_for, monkeypatch):
    monkeypatch.setattr(managed, "RETURN_AFTER_S", 0.1)
    with running("ew", "managed=true", "managed_returns=true") as (node, manager):
        events = manager.hear("events")
        wait_for(lambda: node.count_subscribers("events") > 0, "a listener")
        for transition in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE):
            assert manager.set(transition)
        for one in (
            (Transition.TRANSITION_DEACTIVATE,),
            (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP),
        ):
            for transition in one:
                assert manager.set(transition)
            wait_for(lambda: manager.state() == "active", "it works again")
        assert manager.set(Transition.TRANSITION_ACTIVE_SHUTDOWN)
        wait_for(lambda: len(taken_out(events)) == 3, "each time it was said")
        back = {"before": "active", "state": "inactive", "returns_in_s": 0.1}
        assert taken_out(events) == [back, back, {"before": "active", "state": "finalized"}]
        assert node.stage.idle_because.endswith("only a new start of its process brings it back")


def is_taken(port: int) -> bool:
    """Tell whether somebody has the UDP port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


def test_a_managed_driver_has_its_line_while_it_is_active(running, wait_for):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sets = ("managed=true", "driver=smartmicro_umrr", "udp.address=127.0.0.1", f"udp.port={port}")
    with running("driver", *sets) as (_, manager):
        status = manager.hear("status")
        wait_for(lambda: last_status(status).get("lifecycle") == "unconfigured", "it says that it does not work")
        assert manager.set(Transition.TRANSITION_CONFIGURE)
        assert not is_taken(port)
        assert manager.set(Transition.TRANSITION_ACTIVATE)
        wait_for(lambda: is_taken(port), "the line is open")
        assert manager.set(Transition.TRANSITION_DEACTIVATE)
        assert not is_taken(port)
        assert manager.set(Transition.TRANSITION_ACTIVATE)
        wait_for(lambda: is_taken(port), "the line is open again")


def test_without_a_manager_it_works_at_once(running, wait_for):
    with running("tracking") as (node, manager):
        classes = manager.hear("class_info")
        wait_for(lambda: classes, "what the classes are")
        services = {name for name, _ in node.get_service_names_and_types_by_node("tracking", "/")}
        assert "/tracking/restart" in services
        assert "/tracking/change_state" not in services


def test_the_plan_hands_it_on_and_knows_who_has_no_lifecycle():
    plan = Plan.of(Options(managed=("tracking", "simulator")), {})
    words = plan.processes["tracking"]
    assert words[words.index("--set") + 1] == "tracking.managed=true"
    with pytest.raises(ConfigError, match="no node 'driver' with a lifecycle runs; there are: simulator, detection"):
        Plan.of(Options(managed=("driver",)), {})
    with pytest.raises(ConfigError, match="no node 'bridge' with a lifecycle"):
        Plan.of(Options(managed=("bridge",)), {})
    with pytest.raises(ConfigError, match="parameter 'managed' = 3: true or false is expected"):
        Plan.of(Options(sets=("tracking.managed=3",)), {})
