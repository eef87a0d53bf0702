"""Playing a bag's topics into a running graph, at the pace at which they were recorded."""

from __future__ import annotations

import heapq
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock

from aegis.graph.record import chosen_topics, own_node
from aegis.ros.bag import BagError, BagReader, topic_types
from aegis.ros.messages.fields import time_from_ns
from aegis.ros.qos import message_class, qos_profile
from aegis.ros.recording.storage import full_name
from aegis.ros.topics import TOPICS

FOUND_S = 1.5  # at least, in which publishers and listeners find each other
NOBODY_S = 10.0  # for so long somebody is waited for who listens
CLOCK_PERIOD_S = 0.01
DEEPER = 20  # than a driver's queue: who is late in finding us asks for what came before
ACKED_S = 2.0  # for what was sent last to arrive


@dataclass
class Played:
    """What was sent, by topic, and where the bag ended before its end."""

    sent: Counter[str] = field(default_factory=Counter)
    unheard: list[str] = field(default_factory=list)  # topics to which nobody listened at the beginning
    damage: str = ""


def playable(path: Path, patterns: Sequence[str]) -> dict[str, str]:
    """Return the topics of a bag that are to be played, by name here, and their names in the bag.

    Args:
        path: of the bag.
        patterns: of names; without, what sensors send is played: the rest comes from the graph.

    Raises:
        BagError: no bag, or nothing in it to be played.
    """
    types = topic_types(path, whole=False)
    names = chosen_topics(patterns) if patterns else [n for n in chosen_topics(()) if TOPICS[n].sensor]
    found: dict[str, str] = {}
    for name in names:
        ending = [there for there in types if there.endswith(full_name(name)) and types[there] == TOPICS[name].type]
        if len(ending) > 1:
            raise BagError(f"{path} has several: {', '.join(sorted(ending))}; play a bag of one graph at a time")
        if ending:
            found[name] = ending[0]
    if not found:
        there = ", ".join(f"{name} [{kind}]" for name, kind in sorted(types.items())) or "nothing"
        raise BagError(
            f"{path} has no topic to be played; it holds {there}; --topic chooses others than those of sensors"
        )
    return found


def play(
    path: Path,
    topics: dict[str, str],
    *,
    rate: float = 1.0,
    loop: bool = False,
    clock: bool = False,
    namespace: str = "",
    beside_live: bool = False,
) -> Played:
    """Send a bag's messages, their bytes and stamps as they are.

    Args:
        path: of the bag.
        topics: of `playable`.
        rate: how much faster than it was recorded.
        loop: from the beginning again, until interrupted.
        clock: publish /clock too, for a graph with use_sim_time.
        namespace: of the graph.
        beside_live: also where somebody else publishes one of the topics.

    Raises:
        BagError: somebody else publishes one of the topics.
    """
    done = Played()
    with own_node("play", namespace) as (node, _):
        publishers = {name: node.create_publisher(_class(name), name, _qos(name)) for name in topics}
        clocks = node.create_publisher(Clock, "/clock", 10) if clock else None
        done.unheard = _wait_for_listeners(node, publishers)
        if not beside_live:
            _refuse_beside_live(node, topics)
        pace = _Pace(rate, clocks)
        try:
            while True:
                pace.begin()
                for time_ns, name, data in _messages(path, topics, done):
                    pace.wait_until(time_ns)
                    publishers[name].publish(data)
                    done.sent[name] += 1
                if not loop or done.damage:
                    break
        except KeyboardInterrupt:
            pass  # this is how a loop ends
        for publisher in [*publishers.values(), *([clocks] if clocks else [])]:
            publisher.wait_for_all_acked(Duration(seconds=ACKED_S))
    return done


class _Pace:
    """Waits for when a message is due, and tells its time on /clock meanwhile."""

    def __init__(self, rate: float, clocks: Publisher[Clock] | None) -> None:
        self._rate = rate
        self._clocks = clocks
        self.begin()

    def begin(self) -> None:
        """The next message is due now."""
        self._first_ns: int | None = None

    def wait_until(self, time_ns: int) -> None:
        """Return when a message of this time of recording is due."""
        if self._first_ns is None:
            self._first_ns, self._begin_s = time_ns, time.monotonic()
        due_s = self._begin_s + (time_ns - self._first_ns) * 1e-9 / self._rate
        while (left_s := due_s - time.monotonic()) > 0.0:
            if self._clocks is not None:
                self._tell(time_ns - round(left_s * self._rate * 1e9))
                left_s = min(left_s, CLOCK_PERIOD_S)
            time.sleep(left_s)
        if self._clocks is not None:
            self._tell(time_ns)

    def _tell(self, now_ns: int) -> None:
        assert self._clocks is not None
        self._clocks.publish(Clock(clock=time_from_ns(now_ns)))


def _messages(path: Path, topics: dict[str, str], done: Played) -> Iterator[tuple[int, str, bytes]]:
    """Yield (time of recording [ns], topic, bytes) in the order of time, up to the damage of a damaged bag."""
    with ExitStack() as stack:
        readers = {
            name: stack.enter_context(closing(BagReader(path, there, TOPICS[name].type, whole=False)))
            for name, there in topics.items()
        }

        def of(name: str) -> Iterator[tuple[int, str, bytes]]:
            for time_ns, data in readers[name].messages():
                yield time_ns, name, data

        try:
            yield from heapq.merge(*(of(name) for name in topics), key=lambda message: message[0])
            done.damage = next((reader.damage for reader in readers.values()), "")
        except BagError as error:
            done.damage = str(error)


def _wait_for_listeners(node: Node, publishers: dict[str, Publisher[Any]]) -> list[str]:
    """Wait until somebody listens, and whoever is known to listen is connected; return the topics to which nobody does."""
    begin_s = time.monotonic()
    while True:
        time.sleep(0.05)  # DDS does not tell when everybody has been found
        waited_s = time.monotonic() - begin_s
        known = {name: node.count_subscribers(name) for name in publishers}
        are_connected = all(publishers[name].get_subscription_count() >= count for name, count in known.items())
        if waited_s > NOBODY_S or (waited_s > FOUND_S and any(known.values()) and are_connected):
            return [name for name, count in known.items() if not count]


def _refuse_beside_live(node: Node, topics: dict[str, str]) -> None:
    for name in topics:
        others = [
            p
            for p in node.get_publishers_info_by_topic(node.resolve_topic_name(name))
            if p.node_name != node.get_name()
        ]
        if others:
            raise BagError(
                f"{others[0].node_name} publishes {name} already: two radars would be one; start the graph with"
                " --external-radar, or say --beside-live"
            )


def _class(name: str) -> type[Any]:
    return cast(type[Any], message_class(TOPICS[name].type))


def _qos(name: str) -> QoSProfile:
    """Reliable, whatever the driver was: nothing is to be lost of a recording, and who listens as best effort hears it too."""
    qos = qos_profile(TOPICS[name])
    qos.reliability = ReliabilityPolicy.RELIABLE
    qos.depth *= DEEPER
    return qos
