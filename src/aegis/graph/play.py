# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Playing a bag's topics into a running graph, at the pace at which they were recorded."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, cast

from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock

from aegis.decision_key import decision_key
from aegis.graph.play_keys import Key, Keys
from aegis.graph.record import chosen_topics, own_node
from aegis.ros.bag import BagError, GraphBag, rig_names
from aegis.ros.messages.fields import Message, time_from_ns
from aegis.ros.owners import OWNERS
from aegis.ros.proofs import is_to_be_proven, proven_again
from aegis.ros.qos import message_class, qos_profile
from aegis.ros.recording.storage import full_name
from aegis.ros.topics import TOPICS, Topic

FOUND_S = (
    1.5  # after the last listener that was found: publishers and listeners take so long at times on a busy machine
)
NOBODY_S = 10.0  # for so long somebody is waited for who listens
CLOCK_PERIOD_S = 0.01
DEEPER = 20  # than a driver's queue: who is late in finding us asks for what came before
ACKED_S = 2.0  # for what was sent last to arrive
GUARDED_S = 20.0  # discovery on a busy machine is surely over
GUARD_EVERY_S = 0.5
TAKEN_S = 1.0  # the same, for those who listen as best effort: they acknowledge nothing
HELD_S = 0.5  # between looks at the keys while nothing is sent
NO_KEYS = Keys(None)


@dataclass
class Played:
    """What was sent, by topic, and where the bag ended before its end."""

    sent: Counter[str] = field(default_factory=Counter)
    unheard: list[str] = field(default_factory=list)  # topics to which nobody listened at the beginning
    damage: str = ""
    warnings: list[str] = field(default_factory=list)  # of what was odd and did not matter
    begin_ns: int = 0  # time of recording of the first message in the bag, and of the last that was sent
    last_ns: int = 0


class Source(NamedTuple):
    """Where what is played comes from."""

    topic: str  # in the bag
    type: str


def playable(path: Path, patterns: Sequence[str], remaps: Mapping[str, str] | None = None) -> dict[str, Source]:
    """Return the topics of a bag that are to be played: by their names when they are played, where they come from.

    Args:
        path: of the bag.
        patterns: of names of the graph's table; without, what sensors send is played: the rest comes from the graph.
        remaps: names in the bag, of the graph's table or any others, and as what they are played.

    Raises:
        BagError: no bag, or nothing in it to be played.
    """
    with closing(GraphBag(path, whole=False)) as bag:
        types, damage = {topic.name: topic.type for topic in bag.topics}, bag.damage
    found: dict[str, Source] = {}
    for name, wanted in (remaps or {}).items():
        there = _ending(path, types, name)
        if not there:
            raise BagError(f"{path} has no topic '{name}' to be played as {wanted}; it holds {_listed(types)}")
        expected = TOPICS[wanted.strip("/")].type if wanted.strip("/") in TOPICS else types[there]
        if types[there] != expected:
            raise BagError(f"{path}: {there} is {types[there]}; {wanted} is {expected}")
        found[wanted] = Source(there, expected)
    taken = {source.topic for source in found.values()}
    if patterns or not found:
        names = chosen_topics(patterns) if patterns else [n for n in chosen_topics(()) if TOPICS[n].sensor]
        for name in names:
            known = {there: kind for there, kind in types.items() if kind == TOPICS[name].type}
            for each in rig_names(list(known), name) or [name]:
                there = _ending(path, known, each)
                if there and there not in taken and each not in found:
                    found[each] = Source(there, types[there])
    if not found:
        named = [
            f"--remap {there}:={name}"
            for there, kind in sorted(types.items())
            for name in chosen_topics(())
            if not patterns and TOPICS[name].sensor and TOPICS[name].type == kind
        ]
        cure = f"; {named[0]} plays it as a sensor's of the graph" if named else ""
        raise BagError(
            f"{path} has no topic to be played; it holds {_listed(types)}; --topic chooses others than those of sensors{cure}"
            + (f"; {damage}" if damage else "")
        )
    return found


def _ending(path: Path, types: Mapping[str, str], name: str) -> str:
    """Return the topic that is called so in any namespace; empty for none.

    Raises:
        BagError: there are several.
    """
    if full_name(name) in types:
        return full_name(name)
    ending = [there for there in types if there.endswith(full_name(name))]
    if len(ending) > 1:
        raise BagError(f"{path} has several: {', '.join(sorted(ending))}; play a bag of one graph at a time")
    return ending[0] if ending else ""


def _listed(types: Mapping[str, str]) -> str:
    return ", ".join(f"{name} [{kind}]" for name, kind in sorted(types.items())) or "nothing"


@dataclass(frozen=True)
class Pace:
    """How a bag is played."""

    rate: float = 1.0  # how much faster than it was recorded
    start_s: float = 0.0  # from so long after its begin
    loop: bool = False  # from there again, until interrupted
    paused: bool = False  # at first


def play(
    path: Path,
    topics: Mapping[str, Source],
    *,
    pace: Pace | None = None,
    clock: bool = False,
    namespace: str = "",
    beside_live: bool = False,
    listeners: int | None = None,
    keys: Keys = NO_KEYS,
) -> Played:
    """Send a bag's messages, their bytes and stamps as they are; tracks, threats and status with a proof of now.

    What else has a proof is sent with its own: an event or an alarm of then is none of now, and no graph takes it for one.

    Args:
        path: of the bag.
        topics: of `playable`.
        pace: how; None: as it was recorded.
        clock: publish /clock too, for a graph with use_sim_time.
        namespace: of the graph.
        beside_live: also where somebody else publishes one of the topics.
        listeners: how many there must be of every topic before it begins; None: one of any.
        keys: what a person asks for meanwhile.

    Raises:
        BagError: somebody else publishes one of the topics, too few listen, there is nothing after the start, or a message is of
            another definition.
    """
    done, pace, key = Played(), pace or Pace(), decision_key()
    with own_node("play", namespace) as (node, _):
        publishers = {
            name: node.create_publisher(cast(type[Any], message_class(source.type)), name, _qos(name, source.type))
            for name, source in topics.items()
        }
        clocks = node.create_publisher(Clock, "/clock", 10) if clock else None
        heard_by = _wait_for_listeners(node, publishers, listeners)
        done.unheard = [name for name, count in heard_by.items() if not count]
        guard = None if beside_live else _Guard(node, topics)
        timing = _Timing(pace, clocks, keys)
        try:
            while True:
                timing.begin()
                for time_ns, name, data in _messages(path, topics, pace.start_s, done):
                    timing.wait_until(time_ns)
                    if guard:
                        guard.look(done.sent.total())
                    publishers[name].publish(_proven(path, name, data, publishers[name], key))
                    done.sent[name] += 1
                    done.last_ns = time_ns
                if not pace.loop or done.damage:
                    break
        except (KeyboardInterrupt, _EndError):
            pass  # this is how a loop ends
        for publisher in [*publishers.values(), *([clocks] if clocks else [])]:
            publisher.wait_for_all_acked(Duration(seconds=ACKED_S))
        time.sleep(TAKEN_S)
    return done


def _proven(path: Path, name: str, data: bytes, publisher: Publisher[Any], key: bytes) -> bytes | Message:
    """Return what is to be sent: with a proof of now what is taken with one each time, and else as it is in the bag.

    Raises:
        BagError: it cannot be read, as of another definition.
    """
    kind = publisher.msg_type
    if name.strip("/") not in OWNERS or not is_to_be_proven(kind):
        return data
    try:
        return proven_again(data, kind, publisher.topic_name, key)
    except RuntimeError as error:
        raise BagError(
            f"{path}: {name} was recorded with another version of aegis_msgs ({error}); play what sensors send, and the graph makes"
            " the rest of it anew"
        ) from error


class _EndError(Exception):
    """Somebody has asked for the end."""


class _Timing:
    """Waits for when a message is due, and tells its time on /clock meanwhile."""

    def __init__(self, pace: Pace, clocks: Publisher[Clock] | None, keys: Keys) -> None:
        self._rate, self._is_paused = pace.rate, pace.paused
        self._clocks, self._keys = clocks, keys
        self.begin()

    def begin(self) -> None:
        """The next message is due now."""
        self._first_ns: int | None = None

    def wait_until(self, time_ns: int) -> None:
        """Return when a message of this time of recording is due, or is asked for.

        Raises:
            _EndError: the end is asked for.
        """
        while True:
            if self._first_ns is None:
                self._first_ns, self._begin_s = time_ns, time.monotonic()
            left_s = self._begin_s + (time_ns - self._first_ns) * 1e-9 / self._rate - time.monotonic()
            if left_s <= 0.0 and not self._is_paused:
                break
            if self._clocks is not None and not self._is_paused:
                self._tell(time_ns - round(left_s * self._rate * 1e9))
                left_s = min(left_s, CLOCK_PERIOD_S)
            key = self._keys.wait(HELD_S if self._is_paused else left_s)
            if key is Key.END:
                raise _EndError
            if key is Key.PAUSE:
                self._is_paused = not self._is_paused
                # What was still to be waited for is waited for when it goes on.
                self._begin_s, self._first_ns = time.monotonic() + max(left_s, 0.0), time_ns
            if key is Key.STEP:
                self._is_paused = True
                self._begin_s, self._first_ns = time.monotonic(), time_ns
                break
        if self._clocks is not None:
            self._tell(time_ns)

    def _tell(self, now_ns: int) -> None:
        assert self._clocks is not None
        self._clocks.publish(Clock(clock=time_from_ns(now_ns)))


def _messages(
    path: Path, topics: Mapping[str, Source], start_s: float, done: Played
) -> Iterator[tuple[int, str, bytes]]:
    """Yield (time of recording [ns], topic, bytes) in the order of time, up to the damage of a damaged bag."""
    with closing(GraphBag(path, whole=False)) as bag:
        for name, source in topics.items():
            bag.take(name, source.topic, source.type)
        is_any = False
        try:
            for time_ns, name, data in bag.messages():
                done.begin_ns = done.begin_ns or time_ns
                if time_ns - done.begin_ns >= start_s * 1e9:
                    is_any = True
                    yield time_ns, name, data
            done.damage, done.warnings = bag.damage, bag.warnings
        except BagError as error:
            done.damage = str(error)
        if not is_any and not done.damage:
            raise BagError(f"{path} ends before {start_s:g} s")


def _wait_for_listeners(node: Node, publishers: dict[str, Publisher[Any]], wanted: int | None) -> dict[str, int]:
    """Wait until somebody listens, and whoever is known to listen is connected; return how many listen to each topic.

    Raises:
        BagError: fewer than are wanted.
    """
    known: dict[str, int] = {}
    begin_s = changed_s = time.monotonic()
    while True:
        time.sleep(0.05)  # DDS does not tell when everybody has been found
        now_s = time.monotonic()
        before, known = known, {name: node.count_subscribers(name) for name in publishers}
        if known != before:
            changed_s = now_s
        is_over = now_s - begin_s > NOBODY_S
        few = {name: count for name, count in known.items() if count < (wanted or 0)}
        if few and is_over:
            raise BagError(
                f"{wanted} listeners are asked for; {', '.join(f'{name} has {n}' for name, n in few.items())}"
            )
        are_connected = all(publishers[name].get_subscription_count() >= count for name, count in known.items())
        if is_over or (now_s - changed_s > FOUND_S and any(known.values()) and are_connected and not few):
            return known


class _Guard:
    """Refuses to play beside somebody who publishes the same, found at the beginning or, on a busy machine, a little later."""

    def __init__(self, node: Node, topics: Mapping[str, Source]) -> None:
        self._node, self._topics = node, topics
        self._until_s, self._looked_s = time.monotonic() + GUARDED_S, -math.inf
        self.look(0)

    def look(self, sent: int) -> None:
        """Look, not too often, until everybody has surely been found.

        Args:
            sent: messages until now.

        Raises:
            BagError: somebody else publishes one of the topics.
        """
        now_s = time.monotonic()
        if now_s > self._until_s or now_s - self._looked_s < GUARD_EVERY_S:
            return
        self._looked_s = now_s
        for name in self._topics:
            found = self._node.get_publishers_info_by_topic(self._node.resolve_topic_name(name))
            others = [p.node_name for p in found if p.node_name != self._node.get_name()]
            if others:
                played = f" ({sent} messages were played before it was found)" if sent else ""
                raise BagError(
                    f"{others[0]} publishes {name} already{played}: two radars would be one; start the graph with"
                    " --external-radar, or say --beside-live"
                )


def _qos(name: str, type_name: str) -> QoSProfile:
    """Reliable, whatever the driver was: nothing is to be lost of a recording, and who listens as best effort hears it too."""
    qos = qos_profile(TOPICS.get(name.strip("/"), Topic(name, type_name)))
    qos.reliability = ReliabilityPolicy.RELIABLE
    qos.depth *= DEEPER
    return qos
