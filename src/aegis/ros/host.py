# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Connects a stage to a ROS node: subscriptions, services and timers in, publishers out. Used by every live node."""

from __future__ import annotations

import os
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Any, ParamSpec

from aegis_msgs.srv import Restart
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.clock import Clock, ClockType, ROSClock
from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSPolicyKind
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.serialization import deserialize_message
from rclpy.subscription import Subscription

from aegis.core.decisions import OutdatedError, ProofChecker
from aegis.core.events import AnotherPublisher, DecisionRefused, Event, ParametersChanged
from aegis.core.params import Settings
from aegis.core.publishers import OnePublisher
from aegis.decision_key import decision_key
from aegis.heartbeat import Loop, beat
from aegis.ros.messages.columns import MalformedError
from aegis.ros.messages.fields import Message, StampedMessage, set_stamp, stamp_of
from aegis.ros.owners import OF_NOBODY, OF_ONE_NODE, OF_THE_BRIDGE, OWNERS, whose
from aegis.ros.parameters import Tuning
from aegis.ros.proofs import Proven, Regular, check_proof, has_proof, is_to_be_proven, prove, proven_again
from aegis.ros.qos import MANY, message_class, qos_profile, qos_to_hear
from aegis.ros.stages.base import Carried, Output, Stage
from aegis.ros.topics import (
    COMMON_PUBLISHES,
    COMMON_SERVICES,
    OPEN_COMMANDS,
    PROVEN_BY_PLAN,
    SITE_EVENTS,
    TOPICS,
    Service,
    Topic,
    heard_at,
)
from aegis.ros.uplink.wire import stamp_of_cdr

P = ParamSpec("P")

STATUS_PERIOD_S = 1.0
NO_NODE = "(no ROS node)"  # a publisher's of another DDS program, or as long as the name has not come yet
_UNKNOWN = "_NODE_NAME_UNKNOWN_"  # as rmw calls it
PAGES_AT_ONCE = 10  # so many times a topic's depth is kept of what another site sends
# Of a topic that keeps many messages, as events do, several are taken at a time: waking up for one costs more than it does
# itself. No more than that, so that the other topics wait a few milliseconds at most.
AT_ONCE = 16
MOST_AHEAD_S = 1.0  # of a stamp, before the clock: more than NTP leaves, less than what makes a picture of the future
# Not given to others to set while it runs: whoever may do that may give commands.
_OPEN_COMMANDS = ParameterDescriptor(
    description="Take commands (restart, scan, set_mode) from anybody on DDS, as `ros2 service call` gives them: without a proof"
    " that they come through the bridge, which knows who may. Decisions are never taken so.",
    read_only=True,
)


class StageHost:
    """Lets the stage work and publishes what it returns. An exception in a callback is counted, reported, and survived."""

    def __init__(
        self,
        node: Node,
        stage: Stage[Settings],
        *,
        subscribes: Iterable[str] = (),
        publishes: Iterable[str] = (),
        services: Iterable[Service] = (),
        overrides: Iterable[str] = (),
    ) -> None:
        """Create the node's entities, those that every node has included, and let the stage start.

        Args:
            node: the rclpy node; it is spun elsewhere.
            stage: what does the work.
            subscribes, publishes: topics of the graph table.
            services: answered by the stage.
            overrides: names of the node's own parameters that were given; `qos_overrides.TOPIC...` among them are heeded.
        """
        self._started = False
        self._publisher_of = OnePublisher()
        self._nameless: defaultdict[str, bool] = defaultdict(bool)  # by topic: NO_NODE published it when last asked
        self._key = decision_key()
        self._proofs = ProofChecker(self._key)
        self._regular = Regular(self._proofs, os.environ.get(PROVEN_BY_PLAN, ""))
        self._open = bool(node.declare_parameter(OPEN_COMMANDS, False, _OPEN_COMMANDS).value)
        self._overrides = tuple(overrides)
        # Of these rclpy tells where somebody's QoS or type does not fit ours. It looks for that at every waking, of each topic
        # twice, which is half of what an idle node takes: not of those that both ends have from one table.
        self._watched = {
            name
            for name, topic in TOPICS.items()
            if topic.sensor or any(f".{node.resolve_topic_name(name)}." in given for given in self._overrides)
        }
        self.node = node
        self.stage = stage
        self._attended: dict[str, list[Subscription[Any]]] = {}
        self._own_topics = frozenset(filter(stage.writes, publishes))
        self._publishers = {
            name: node.create_publisher(
                message_class(TOPICS[name].type),
                name,
                qos_profile(TOPICS[name]),
                event_callbacks=PublisherEventCallbacks(use_default_callbacks=name in self._watched),
                qos_overriding_options=self._overridden(name, "publisher"),
            )
            for name in (*self._own_topics, *COMMON_PUBLISHES)
        }
        stage.has_listeners = lambda name: self._publishers[name].get_subscription_count() > 0
        for name in filter(stage.reads, subscribes):
            for at in heard_at(stage.settings, name):  # by these names it comes to `on_message`
                self._listen(TOPICS[name], at)
        for service in (*services, *COMMON_SERVICES):
            answer = self._on_restart if service in COMMON_SERVICES else partial(self._on_service, service.name)
            node.create_service(message_class(service.type), service.name, partial(self._on_call, service, answer))
        # Steady time: a timer on ROS time stalls without /clock, and when the clock jumps.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        node.create_timer(STATUS_PERIOD_S, self._on_status, clock=steady)
        if stage.period_s is not None:
            node.create_timer(stage.period_s, self._on_timer, clock=steady)
        if stage.tunable:
            Tuning(node, lambda: stage.settings, self._on_tuned)
        if stage.carries_bytes:
            stage.wake = node.create_guard_condition(self._on_wake).trigger
        self._guard(stage.start, self.now_ns())
        self._started = True  # from now on the executor calls

    def now_ns(self) -> int:
        """Return the time that the stamps are in, in nanoseconds."""
        return int(self.node.get_clock().now().nanoseconds)

    def restate(self) -> None:
        """Publish anew what is to be known from the start (latched topics); in the thread that spins the node."""
        self._guard(self.stage.start, self.now_ns())

    def tell(self, event: Event) -> None:
        """Publish an event of the stage; in the thread that spins the node."""
        self._guard(lambda: [self.stage.event(event, self.now_ns())])

    def idle(self, state: str, because: str = "") -> None:
        """Let the stage rest in a lifecycle state: it takes and publishes nothing but its status, until `work`.

        Status and diagnostics are published at once, that nobody takes its silence for calm.
        """
        self.stage.idle, self.stage.idle_because = state, because
        self.stage.pause()
        self._on_status()

    def work(self) -> None:
        """Let the stage work, and say what is to be known from the start."""
        self.stage.idle = self.stage.idle_because = ""
        self.restate()

    def _follows_clock_topic(self) -> bool:
        clock = self.node.get_clock()
        return isinstance(clock, ROSClock) and clock.ros_time_is_active

    def attend(self, topic: str, wanted: bool) -> None:
        """Hear a topic that the stage does not read by itself, or do not any more; in the thread that spins the node."""
        if wanted == (topic in self._attended):
            return
        if wanted:
            self._attended[topic] = [self._listen(TOPICS[topic], at) for at in heard_at(self.stage.settings, topic)]
            return
        for subscription in self._attended.pop(topic):
            self.node.destroy_subscription(subscription)

    def _listen(self, topic: Topic, at: str) -> Subscription[Any]:
        def take(message: StampedMessage | bytes, info: dict[str, int | None]) -> None:
            self._on_message(topic, at, message, info)
            for _ in range(1, AT_ONCE if topic.depth >= MANY else 1):
                with subscription.handle:
                    waiting = subscription.handle.take_message(subscription.msg_type, subscription.raw)
                if waiting is None:
                    return
                self._on_message(topic, at, *waiting)

        subscription = self.node.create_subscription(
            message_class(topic.type),
            at,
            take,
            qos_to_hear(topic),
            event_callbacks=SubscriptionEventCallbacks(use_default_callbacks=topic.name in self._watched),
            qos_overriding_options=self._overridden(at, "subscription"),
            raw=self.stage.carries_bytes,
        )
        return subscription

    def _overridden(self, topic: str, entity: str) -> QoSOverridingOptions:
        """Return which policies of a topic the parameters override; only these are declared, as every one costs a start time."""
        beginning = f"qos_overrides.{self.node.resolve_topic_name(topic)}.{entity}."
        given = [name.removeprefix(beginning) for name in self._overrides if name.startswith(beginning)]
        return QoSOverridingOptions([QoSPolicyKind[policy.upper()] for policy in given])

    def _on_message(self, topic: Topic, at: str, message: StampedMessage | bytes, info: dict[str, int | None]) -> None:
        self.stage.counters.received += 1
        if self.stage.idle:
            self.stage.counters.note(f"not active: {at}")
            return
        if isinstance(message, bytes):
            if self._is_to_be_carried(topic, at, message, info):
                self._timed(self.stage.on_bytes, at, message)
            return
        if has_proof(message) and not self._is_of_this_graph(topic, at, message):
            return
        owner = OWNERS.get(topic.name)
        if owner is not None and not self._is_of_its_publisher(at, owner(message), info):
            return
        # Not by a /clock: at a high rate of playing its steps are longer, and it may come after what it is the time of.
        ahead_s = 0.0 if self._follows_clock_topic() else (stamp_of(message) - self.now_ns()) * 1e-9
        if ahead_s > MOST_AHEAD_S:
            self._guard(self.stage.refuse_ahead, at, ahead_s, self.now_ns())
        else:
            self._timed(self.stage.on_message, at, message)

    def _is_to_be_carried(self, topic: Topic, at: str, data: bytes, info: dict[str, int | None]) -> bool:
        """Tell whether a message that is taken as bytes comes from this graph, as far as that is told of its topic."""
        kind = message_class(topic.type)
        if is_to_be_proven(kind) and not self._is_of_this_graph(topic, at, deserialize_message(data, kind)):
            return False
        return topic.name not in OF_NOBODY or self._is_of_its_publisher(at, "", info)

    def _is_of_its_publisher(self, topic: str, owner: str, info: dict[str, int | None]) -> bool:
        """Tell whether a message is of the one publisher that is taken; where it is not, count it and say so."""
        now_s = time.monotonic()
        lost = self._publisher_of.lost
        if self._publisher_of.takes(topic, owner, info["publication_sequence_number"], now_s):
            self.stage.counters.note(f"lost on the way: {topic}", self._publisher_of.lost - lost)
            return True
        self.stage.refuse_another(topic, owner)
        if self._publisher_of.are_several(topic, owner) and self._publisher_of.is_news(topic, owner, now_s):
            self._tell_publishers(topic, owner, self._publishing(topic))
        return False

    def look_for_strangers(self, known: Collection[str]) -> None:
        """Say which topics that one node publishes have several, and who besides `known` nodes publishes `status`.

        What is published when it changes cannot be told apart, and a status under an invented name is nobody else's.
        """
        for topic in OF_ONE_NODE:
            nodes = self._named(topic)
            if len(set(nodes)) > 1 and self._publisher_of.is_news(topic, "", time.monotonic()):
                self._tell_publishers(topic, "", nodes)
        strange = [node for node in self._named("status") if node.rpartition("/")[2] not in known]
        if strange and self._publisher_of.is_news("status", "", time.monotonic()):
            self._tell_publishers("status", "", strange)

    def _named(self, topic: str) -> list[str]:
        """Return who publishes a topic; without a publisher whose node is not known, unless it was not when last asked either."""
        found = self._publishing(topic)
        before, self._nameless[topic] = self._nameless[topic], NO_NODE in found
        return [node for node in found if before or node != NO_NODE]

    def _publishing(self, topic: str) -> list[str]:
        found = self.node.get_publishers_info_by_topic(self.node.resolve_topic_name(topic))
        names = (NO_NODE if i.node_name == _UNKNOWN else f"{i.node_namespace.rstrip('/')}/{i.node_name}" for i in found)
        return sorted(names)

    def _tell_publishers(self, topic: str, owner: str, nodes: list[str], reason: str = "") -> None:
        self.tell(AnotherPublisher(topic, owner, nodes, reason))

    def _on_wake(self) -> None:
        if not self.stage.idle:
            self._timed(self.stage.on_wake, self.now_ns())

    def _on_timer(self) -> None:
        if not self.stage.idle:
            self._timed(self.stage.on_timer, self.now_ns())

    def _on_status(self) -> None:
        self._guard(self.stage.status, self.now_ns())

    def _is_of_this_graph(self, topic: Topic, at: str, message: Proven) -> bool:
        """Tell whether a message comes from a node of this graph; where it does not, count it and say so."""
        newest = topic.name not in ("events", SITE_EVENTS)  # else it says all that there is, or is a decision on that
        name, owner = self.node.resolve_topic_name(at), OWNERS.get(topic.name)
        try:
            if owner is None:
                check_proof(message, name, self._proofs, fresh=False, newest=newest)
            elif self._regular.is_first(message, at, name, whose(topic.name, message)):
                self._publisher_of.forget(at, owner(message))
        except OutdatedError:
            self.stage.counters.note(f"older than what was taken: {at}")
            return False
        except ValueError as error:
            if topic.name in OF_THE_BRIDGE:
                self._refuse_decision(at, "", str(error))
            else:
                self.stage.refuse_stranger(at, str(error))
                if self._publisher_of.is_news(at, "", time.monotonic()):
                    self._tell_publishers(at, "", self._publishing(at), str(error))
            return False
        return True

    def _refuse_decision(self, name: str, who: str, why: str) -> None:
        """Count a person's decision or a command that does not come from the graph's own bridge, and say so."""
        self.stage.refuse_decision(name, why)
        if self._publisher_of.is_news(name, "", time.monotonic()):
            self.tell(DecisionRefused(name, who, why))

    def _on_call(self, service: Service, answer: Callable[[Any, Any], Any], request: Proven, response: Any) -> Any:
        """Answer a call that comes from the graph's own bridge, or from anybody where commands are open."""
        try:
            if service.decision or request.proof or not self._open:
                check_proof(request, self.node.resolve_service_name(service.name), self._proofs, fresh=True)
        except ValueError as error:
            hint = (
                "" if service.decision else f"; with {OPEN_COMMANDS}:=true this node takes commands from anybody on DDS"
            )
            name = service.name.replace("~", self.stage.label)
            self._refuse_decision(name, str(getattr(request, "operator_name", "")), f"{error}{hint}")
            response.success, response.message = False, f"refused: {self.stage.last_refusal}"
            return response
        return answer(request, response)

    def _on_service(self, name: str, request: Message, response: Any) -> Any:
        self._guard(self.stage.on_service, name, request, response, self.now_ns())
        return response

    def _on_restart(self, request: Restart.Request, response: Restart.Response) -> Restart.Response:
        def restart() -> Iterable[Output]:
            self.stage.reset()
            response.success, response.message = True, f"{self.stage.label} is back at its start"
            return self.stage.start(self.now_ns())  # what was latched before does not hold any more

        self._guard(restart)
        return response

    def _on_tuned(self, settings: Settings, changed: list[str]) -> None:
        def tune() -> Iterable[Output]:
            self.stage.tune(settings)
            self.node.get_logger().info("parameters set: " + "; ".join(changed))
            return [self.stage.event(ParametersChanged(changed), self.now_ns())]

        self._guard(tune)

    def _timed(self, call: Callable[P, Iterable[Output | Carried]], *args: P.args, **kwargs: P.kwargs) -> None:
        begin = time.perf_counter()
        self._guard(call, *args, **kwargs)
        self.stage.note_step(time.perf_counter() - begin)

    def _guard(self, call: Callable[P, Iterable[Output | Carried]], *args: P.args, **kwargs: P.kwargs) -> None:
        is_within = beat(Loop.EXECUTOR, works=True) if self._started else True
        try:
            for output in call(*args, **kwargs):
                self._publish(output)
        except Exception as error:  # noqa: BLE001 - an exception in a callback would end spin() and with it the node
            if not self.node.context.ok():
                return  # a callback that was under way when Ctrl-C came: nobody can be told any more
            if not isinstance(error, MalformedError):
                self.node.get_logger().error(f"{type(error).__name__} in {self.stage.label}:\n{traceback.format_exc()}")
            for output in self.stage.caught(error, self.now_ns()):
                self._publish(output)
        finally:
            if not is_within:
                beat(Loop.EXECUTOR)

    def _publish(self, output: Output | Carried) -> None:
        if self.stage.idle and output.topic not in COMMON_PUBLISHES:
            return
        if isinstance(output, Carried):
            publisher = self._of_site(output.topic)
            if is_to_be_proven(publisher.msg_type):  # that of the site is by its own key, for its own topic
                publisher.publish(proven_again(output.data, publisher.msg_type, publisher.topic_name, self._key))
            else:
                publisher.publish(output.data)
            self.stage.counters.published += 1
            self.stage.note_latency((self.now_ns() - stamp_of_cdr(output.data)) * 1e-9)
            return
        if output.topic == "events" and not stamp_of(output.message):  # of what came without a stamp
            set_stamp(output.message, self.now_ns())
        if has_proof(output.message):
            prove(output.message, self.node.resolve_topic_name(output.topic), self._key)
        self._publishers[output.topic].publish(output.message)
        if output.topic in self._own_topics:
            self.stage.counters.published += 1
            measured_ns = stamp_of(output.message)
            if measured_ns:
                self.stage.note_latency((self.now_ns() - measured_ns) * 1e-9)

    def _of_site(self, name: str) -> Publisher:
        """Return the publisher of a topic in a site's namespace; made when it is needed first."""
        if name not in self._publishers:
            topic = TOPICS[name.rpartition("/")[2]]
            qos = qos_profile(topic)
            qos.depth *= PAGES_AT_ONCE  # what was missing comes many at a time
            self._publishers[name] = self.node.create_publisher(message_class(topic.type), name, qos)
        return self._publishers[name]
