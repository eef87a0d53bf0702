# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Recording the topics of a running graph into a bag."""

from __future__ import annotations

import fnmatch
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import rclpy
from aegis_msgs.msg import Event
from rclpy.event_handler import SubscriptionEventCallbacks, UnsupportedEventTypeError
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message

from aegis.core.events import AlarmRaised, ThreatCritical
from aegis.ros.bag import BagError
from aegis.ros.qos import message_class, qos_profile
from aegis.ros.split_bag import DiskFullError, SplitBag, Splitting
from aegis.ros.topics import OF_A_RADAR, TOPICS, topic_called

QUEUE = 1000  # messages of a topic that wait here while the disk is slow
WAIT_S = 0.2
EVENTS = "events"
ALARMING = (AlarmRaised.name, ThreatCritical.name)  # events for which a ring is kept
_OF_RIG = ("radar/noise",)  # which the radars share
NO_SPLITTING = Splitting()
DRAIN_S = 0.05
DRAIN_MOST_S = 10.0  # for what waits when it ends, on a slow disk


@dataclass
class Recorded:
    """What came, by topic."""

    written: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)  # that DDS says it lost on the way to this process
    alarms: int = 0  # events that made a ring be kept
    stopped: str = ""  # why it ended by itself: the disk is full
    cut: bool = False  # messages that had come before its end were left out: the disk was too slow
    unwritten: int = 0  # messages that came before that and had no room

    def lines(self) -> list[str]:
        """Return a line for each topic that had messages."""
        return [
            f"{name}: {count}" + (f", {self.lost[name]} lost" if self.lost[name] else "")
            for name, count in sorted(self.written.items())
        ]


def of_rig(topics: Sequence[str], radars: Sequence[str]) -> list[str]:
    """Return the topics of a rig: what a radar publishes is there for each of them, in its namespace; of no radars, as they are."""
    return [
        each
        for name in topics
        for each in ([f"{radar}/{name}" for radar in radars] if radars and _is_of_radar(name) else [name])
    ]


def _is_of_radar(name: str) -> bool:
    return name.startswith(OF_A_RADAR) and name not in _OF_RIG


def chosen_topics(patterns: Sequence[str]) -> list[str]:
    """Return the topics of the graph whose names match a pattern, as in a shell; all of them without patterns.

    Raises:
        BagError: a pattern matches none.
    """
    here = [name for name, topic in TOPICS.items() if not topic.optional or find_spec(topic.type.split("/")[0])]
    if not patterns:
        return here
    for pattern in patterns:
        if not fnmatch.filter(here, pattern.strip("/")):
            raise BagError(f"no topic matches '{pattern}'; there are {', '.join(here)}")
    return [name for name in here if any(fnmatch.fnmatch(name, pattern.strip("/")) for pattern in patterns)]


def record(
    path: Path,
    topics: Sequence[str],
    *,
    namespace: str = "",
    splitting: Splitting = NO_SPLITTING,
    until: Callable[[Recorded], bool] = lambda _: False,
) -> Recorded:
    """Record until told to stop, or interrupted, or the disk is full; then the bag is whole.

    Times in the bag are those at which messages came. Bytes are as they were sent; on the wire, RTPS pads them to four.

    Args:
        path: of the bag; must not exist.
        topics: of the graph's table, or `of_rig`.
        namespace: of the graph.
        splitting: into files, and what of them is kept.
        until: asked several times a second.

    Raises:
        BagError: the bag cannot be written.
    """
    done = Recorded()
    bag = SplitBag(path, topics, splitting)
    recorder = _Recorder(bag, done)
    try:
        with own_node("record", namespace) as (node, executor):
            for name in topics:
                recorder.subscribe(node, name, recorder.write)
            if splitting.ring_ns is not None:
                recorder.subscribe(node, EVENTS, recorder.watch)
            try:
                while not until(done) and not done.stopped:
                    executor.spin_once(timeout_sec=WAIT_S)
            except (KeyboardInterrupt, ExternalShutdownException):
                pass  # this is how a recording ends
            recorder.drain(executor, len(topics) + 1)
    finally:
        done.written = bag.close()
        done.unwritten = bag.unwritten
    return done


class _Recorder:
    """Takes what comes."""

    def __init__(self, bag: SplitBag, done: Recorded) -> None:
        self._bag, self._done = bag, done
        self._end_ns: int | None = None  # what is received later is no part of the recording
        self._heard = self._late = 0  # callbacks; and of them the last ones, in a row, of messages after the end

    def drain(self, executor: SingleThreadedExecutor, subscriptions: int) -> None:
        """Write what was received until now, and waits here.

        On a graph that never pauses messages go on coming: of each subscription that has any the executor takes one in turn, so
        that after twice as many later ones in a row as there are subscriptions nothing earlier waits.
        """
        self._end_ns, latest = time.time_ns(), time.monotonic() + DRAIN_MOST_S
        before = -1
        while self._heard > before and self._late < 2 * subscriptions and not self._done.stopped:
            if time.monotonic() > latest:
                self._done.cut = True
                return
            before = self._heard
            executor.spin_once(timeout_sec=DRAIN_S)

    def write(self, name: str, data: bytes, info: dict[str, int]) -> None:
        """Write a message, unless it was received after the end."""
        self._heard += 1
        if self._end_ns is not None and info["received_timestamp"] > self._end_ns:
            self._late += 1
            return
        self._late = 0
        if self._done.stopped:
            return
        try:
            self._bag.write(name, info["received_timestamp"] or time.time_ns(), data)
            self._done.written[name] += 1
        except DiskFullError as error:
            self._done.stopped = str(error)

    def watch(self, _: str, data: bytes, __: dict[str, int]) -> None:
        """Keep what was before and what comes after an event that alarms."""
        self._heard += 1
        if deserialize_message(data, Event).name in ALARMING:
            self._bag.keep(time.time_ns())
            self._done.alarms += 1

    def subscribe(self, node: Node, name: str, take: Callable[[str, bytes, dict[str, int]], None]) -> None:
        """Hear a topic; `take` gets its name, a message, and what DDS says of it."""
        topic = topic_called(name)

        def lose(info: Any) -> None:
            self._done.lost[name] += info.total_count_change

        qos: QoSProfile = qos_profile(topic)
        qos.depth = max(qos.depth, QUEUE)
        kind = cast(type[Any], message_class(topic.type))
        callback = partial(take, name)
        try:
            node.create_subscription(
                kind, name, callback, qos, raw=True, event_callbacks=SubscriptionEventCallbacks(message_lost=lose)
            )
        except UnsupportedEventTypeError:  # of an rmw that cannot tell
            node.create_subscription(kind, name, callback, qos, raw=True)


@contextmanager
def own_node(name: str, namespace: str) -> Iterator[tuple[Node, SingleThreadedExecutor]]:
    """Give a node of its own context and the executor that runs it."""
    context = rclpy.Context()
    rclpy.init(args=[], context=context)
    node = rclpy.create_node(name, namespace=namespace, context=context, start_parameter_services=False)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    try:
        yield node, executor
    finally:
        executor.shutdown()
        node.destroy_node()
        rclpy.try_shutdown(context=context)
