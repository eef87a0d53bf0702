"""Recording the topics of a running graph into a bag."""

from __future__ import annotations

import fnmatch
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import rclpy
from rclpy.event_handler import SubscriptionEventCallbacks, UnsupportedEventTypeError
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile

from aegis.ros.bag import BagError, BagWriter, write_bag
from aegis.ros.qos import message_class, qos_profile
from aegis.ros.topics import TOPICS

QUEUE = 1000  # messages of a topic that wait here while the disk is slow
WAIT_S = 0.2
DRAIN_S = 0.05


@dataclass
class Recorded:
    """What came, by topic."""

    written: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)  # that DDS says it lost on the way to this process

    def lines(self) -> list[str]:
        """Return a line for each topic that had messages."""
        return [
            f"{name}: {count}" + (f", {self.lost[name]} lost" if self.lost[name] else "")
            for name, count in sorted(self.written.items())
        ]


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
    path: Path, topics: Sequence[str], *, namespace: str = "", until: Callable[[Recorded], bool] = lambda _: False
) -> Recorded:
    """Record until told to stop, or interrupted; the bag appears then.

    Times in the bag are those at which messages came. Bytes are as they were sent; on the wire, RTPS pads them to four.

    Args:
        path: of the bag; must not exist.
        topics: of the graph's table.
        namespace: of the graph.
        until: asked several times a second.

    Raises:
        BagError: the bag cannot be written.
    """
    done = Recorded()
    with write_bag(path, list(topics)) as bag, own_node("record", namespace) as (node, executor):
        for name in topics:
            _subscribe(node, name, bag, done)
        try:
            while not until(done):
                executor.spin_once(timeout_sec=WAIT_S)
        except (KeyboardInterrupt, ExternalShutdownException):
            pass  # this is how a recording ends
        before = -1
        while done.written.total() > before:  # what has arrived already
            before = done.written.total()
            executor.spin_once(timeout_sec=DRAIN_S)
    return done


def _subscribe(node: Node, name: str, bag: BagWriter, done: Recorded) -> None:
    topic = TOPICS[name]

    def take(data: bytes) -> None:
        bag.write(name, time.time_ns(), data)
        done.written[name] += 1

    def lose(info: Any) -> None:
        done.lost[name] += info.total_count_change

    qos: QoSProfile = qos_profile(topic)
    qos.depth = max(qos.depth, QUEUE)
    kind = cast(type[Any], message_class(topic.type))
    try:
        node.create_subscription(
            kind, name, take, qos, raw=True, event_callbacks=SubscriptionEventCallbacks(message_lost=lose)
        )
    except UnsupportedEventTypeError:  # of an rmw that cannot tell
        node.create_subscription(kind, name, take, qos, raw=True)


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
