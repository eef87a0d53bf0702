# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""rosbag2 files: reading any, writing MCAP with message definitions; nothing half-written is ever left behind."""

from __future__ import annotations

import array
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Literal

import aegis_msgs
import numpy as np
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from aegis.ros.messages.fields import Message
from aegis.ros.recording.folder import Recording
from aegis.ros.recording.storage import CDR, RecordingError, StoredTopic, full_name
from aegis.ros.topics import OF_A_RADAR, TOPICS, Topic, topic_called

BAG_VERSION: Literal[9] = 9  # of metadata.yaml, as Jazzy writes it


class BagError(Exception):
    """A bag cannot be read or written; the message says which, why, and what would be right."""


@cache
def typestore() -> Typestore:
    """Return the definitions of ROS 2 Jazzy's messages and of ours, from the installed aegis_msgs; read once."""
    store = get_typestore(Stores.ROS2_JAZZY)
    for path in _definitions():
        store.register(get_types_from_msg(path.read_text(encoding="utf-8"), f"aegis_msgs/msg/{path.stem}"))
    return store


def message_definition(kind: str) -> str:
    """Return the definition of a message (`aegis_msgs/msg/TrackArray`) and of all that is in it, as MCAP's ros2msg has it."""
    text, _ = typestore().generate_msgdef(kind, ros_version=2)
    return text


def _definitions() -> list[Path]:
    """Return our .msg files, beside the installed Python package: <prefix>/share/aegis_msgs/msg.

    The ament index would know too, but in a virtual environment AMENT_PREFIX_PATH is not set.

    Raises:
        FileNotFoundError: the installation is not whole.
    """
    package = Path(aegis_msgs.__file__).resolve().parent
    for parent in package.parents:
        found = sorted((parent / "share" / "aegis_msgs" / "msg").glob("*.msg"))
        if found:
            return found
    raise FileNotFoundError(f"no share/aegis_msgs/msg/*.msg above {package}; install aegis_msgs again")


def _recording(path: Path, *, whole: bool = True) -> Recording:
    """Return an open recording.

    Raises:
        BagError: no such bag, not a bag, or damaged.
    """
    if not path.exists():
        raise BagError(f"{path} does not exist; a rosbag2 folder, .mcap or .db3 file is expected")
    try:
        return Recording(path, whole=whole)
    except (RecordingError, OSError) as error:
        raise BagError(
            f"{path} cannot be read as a rosbag2: {error}; a folder with metadata.yaml, a .mcap or a .db3 file"
            " is expected, complete (a bag cut off while recording: 'ros2 bag reindex', or 'mcap recover')"
        ) from error


def topic_types(path: Path, *, whole: bool = True) -> dict[str, str]:
    """Return the topics of a bag that have messages, with their types; `whole` as in BagReader.

    Raises:
        BagError: no such bag, not a bag, or damaged.
    """
    with closing(_recording(path, whole=whole)) as recording:
        return {topic.name: topic.type for topic in recording.topics if topic.messages}


def _find(
    recording: Recording, path: Path, topic: str, type_name: str, option: str, *, named: bool = True
) -> StoredTopic:
    """Return a topic of a bag; see `BagReader`. One that nobody has named is of the type: others' `status` are none of ours."""
    wanted = full_name(topic)
    topics = recording.topics
    of_type = {t.name for t in topics if t.type == type_name}
    names = {t.name for t in topics} if named or not any(name.endswith(wanted) for name in of_type) else of_type
    if wanted not in names:
        ending = sorted(name for name in of_type if name.endswith(wanted))
        ending = ending or sorted(name for name in names if name.endswith(wanted))
        if len(ending) == 1:
            wanted = ending[0]
        elif ending:
            raise BagError(f"{path} has several: {', '.join(ending)}; say which with {option}")
    found = [t for t in topics if t.name == wanted and t.name in names]
    if not found:
        usable = sorted(t.name for t in topics if t.type == type_name)
        there = ", ".join(f"{t.name} [{t.type}]" for t in topics) or "nothing"
        hint = f"; say {option} {usable[0]} if that is the one" if usable else ""
        raise BagError(f"{path} has no topic '{wanted}' of type {type_name}; it holds {there}{hint}")
    wrong = {t.type for t in found} - {type_name}
    if wrong:
        raise BagError(f"{path}: {wanted} is of type {', '.join(sorted(wrong))}; {type_name} is expected")
    encodings = {t.encoding for t in found} - {CDR}
    if encodings:
        raise BagError(f"{path}: {wanted} is encoded as {', '.join(sorted(encodings))}; {CDR} is expected")
    return found[0]


def rig_names(names: Sequence[str], topic: str) -> list[str]:
    """Return the names, of those in a bag, of a topic that each radar of a rig has; none where there is one alone."""
    found = [name for name in names if name.endswith(full_name(topic))]
    if len(found) < 2 or full_name(topic) in found or not topic.startswith(OF_A_RADAR):
        return []
    return [name.strip("/") for name in found]


class _Bag:
    """An open bag."""

    def __init__(self, path: Path, *, whole: bool) -> None:
        self.path = path
        self._recording = _recording(path, whole=whole)

    @property
    def damage(self) -> str:
        """What was left out of a bag that is not whole."""
        return f"{self.path} is not whole: {self._recording.damage}" if self._recording.damage else ""

    @property
    def warnings(self) -> list[str]:
        """Return what was odd of the bag and did not matter; whole after the last message."""
        return [f"{self.path}: {warning}" for warning in self._recording.warnings]

    def close(self) -> None:
        """Close the bag."""
        self._recording.close()


class GraphBag(_Bag):
    """A bag of one graph: topics by the names of the graph's table, read together, once, in the order of time."""

    def __init__(self, path: Path, *, whole: bool = True) -> None:
        """Open the bag; `whole` as in BagReader.

        Raises:
            BagError: no such bag, not a bag, or damaged.
        """
        super().__init__(path, whole=whole)
        self._names: dict[str, str] = {}  # in the bag: here

    @property
    def topics(self) -> list[StoredTopic]:
        """Return the topics that have messages."""
        return [topic for topic in self._recording.topics if topic.messages]

    def has(self, name: str) -> bool:
        """Tell whether a topic of the graph's table is there, in any namespace."""
        kind = topic_called(name).type
        return any(topic.type == kind and topic.name.endswith(full_name(name)) for topic in self.topics)

    def each(self, name: str) -> list[str]:
        """Return by which names to take a topic of the graph's table: its own, or where a rig has one for each radar, theirs."""
        kind = topic_called(name).type
        names = rig_names([topic.name for topic in self.topics if topic.type == kind], name)
        return names or ([name] if self.has(name) else [])

    def take(
        self, name: str, wanted: str | None = None, type_name: str | None = None, *, option: str = "--topic"
    ) -> str:
        """Read a topic too, by the name that it has here; return its name in the bag.

        Args:
            name: of the graph's table, or any other where the rest is given.
            wanted: the topic of the bag; None: the one that is called so.
            type_name: None: that of the graph's table.
            option: of the command line that names another topic, for error messages.

        Raises:
            BagError: it is not there, of another type, empty, or there are several.
        """
        kind = type_name or topic_called(name).type
        found = _find(self._recording, self.path, wanted or name, kind, option, named=wanted is not None)
        if not found.messages:
            raise BagError(f"{self.path} is empty: no messages on {found.name}")
        self._names[found.name] = name
        return found.name

    def messages(self) -> Iterator[tuple[int, str, bytes]]:
        """Yield (time of recording [ns], name here, CDR bytes) of the topics that were taken.

        Raises:
            BagError: the bag is damaged further on.
        """
        read = 0
        try:
            for time_ns, topic, data in self._recording.read(self._names):
                read += 1
                yield time_ns, self._names[topic], data
        except (RecordingError, OSError) as error:
            raise BagError(f"{self.path} is damaged after {read} messages: {error}") from error


class BagReader(_Bag):
    """One topic of a rosbag2 (MCAP or sqlite3; a folder or a storage file), in the order of recording."""

    def __init__(self, path: Path, topic: str, type_name: str, *, option: str = "--topic", whole: bool = True) -> None:
        """Open the bag.

        Args:
            path: the bag.
            topic: the topic's name, with a leading slash or without; one in a namespace is found where it is the only one that
                ends so.
            type_name: the type that it must have.
            option: of the command line that names another topic, for error messages.
            whole: refuse an MCAP that is not; else `damage` says what was left out.

        Raises:
            BagError: no such bag, not a bag, damaged, without the topic, of another type, or empty.
        """
        super().__init__(path, whole=whole)
        try:
            self._topic = _find(self._recording, path, topic, type_name, option)
            self.count = self._topic.messages
            if self.count == 0:
                raise BagError(f"{path} is empty: no messages on {self._topic.name}")
        except BaseException:
            self.close()
            raise

    def messages(self) -> Iterator[tuple[int, bytes]]:
        """Yield (time of recording [ns], CDR bytes).

        Raises:
            BagError: the bag is damaged further on.
        """
        read = 0
        try:
            for message in self._recording.messages(self._topic):
                read += 1
                yield message
        except (RecordingError, OSError) as error:
            raise BagError(f"{self.path} is damaged after {read} of {self.count} messages: {error}") from error


class BagWriter:
    """Writes messages of the graph's topics into an MCAP bag."""

    def __init__(self, writer: Writer, topics: list[Topic]) -> None:
        self._writer = writer
        self._store = typestore()
        self._connections = {
            topic.name: writer.add_connection(
                "/" + topic.name.strip("/"),
                topic.type,
                typestore=self._store,
                offered_qos_profiles=[offered_qos(topic)],
            )
            for topic in topics
        }

    def write(self, topic: str, time_ns: int, message: Message | bytes) -> None:
        """Write one message; bytes are taken as its CDR form."""
        connection = self._connections[topic]
        data = message if isinstance(message, bytes) else serialize(message, connection.msgtype, self._store)
        self._writer.write(connection, time_ns, data)


def serialize(message: Message, type_name: str, store: Typestore) -> bytes:
    """Return the CDR form of a message, the same bytes for the same message.

    Not rclpy's serialize_message: that leaves the padding between fields and behind the last one as it found the memory,
    so that it gives other bytes each time, and whatever stood there before.
    """
    return bytes(store.serialize_cdr(_plain(message, type_name, store), type_name))


def _plain(message: Message, type_name: str, store: Typestore) -> object:
    """Return a rclpy message as the object of the same type that rosbags serialises."""
    values = {}
    for name, field_type in message.get_fields_and_field_types().items():
        value = getattr(message, name)
        if hasattr(value, "get_fields_and_field_types"):
            value = _plain(value, _full_name(field_type), store)
        elif isinstance(value, array.array):
            value = np.array(value)
        elif isinstance(value, bytes):  # of type byte: one octet
            value = value[0]
        elif isinstance(value, list):
            element = field_type.removeprefix("sequence<").split(",")[0].split("[")[0].rstrip(">")
            if value and hasattr(value[0], "get_fields_and_field_types"):
                value = [_plain(item, _full_name(element), store) for item in value]
            elif element == "boolean":
                value = np.array(value, dtype=bool)
        values[name] = value
    return store.types[type_name](**values)


def _full_name(field_type: str) -> str:
    package, name = field_type.split("/")
    return f"{package}/msg/{name}"


@contextmanager
def write_bag(path: Path, topics: list[str]) -> Iterator[BagWriter]:
    """Write a bag of the given topics of the graph table; it appears at `path` when the block ends without an error.

    Raises:
        BagError: `path` exists, or cannot be written.
    """
    if path.exists():
        raise BagError(f"{path} exists already; remove it or name another output")
    # Named before it is made, so that an interrupt at any moment finds it.
    workplace = path.absolute().parent / f".{path.name}.{secrets.token_hex(8)}"
    try:
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
        workplace.mkdir(mode=0o700)
        with Writer(workplace / path.name, version=BAG_VERSION, storage_plugin=StoragePlugin.MCAP) as writer:
            yield BagWriter(writer, [TOPICS[name] for name in topics])
        (workplace / path.name).rename(path)
    except OSError as error:
        raise BagError(f"{path} cannot be written: {error}") from error
    finally:
        if workplace.exists():
            shutil.rmtree(workplace)


def offered_qos(topic: Topic) -> Qos:
    """Return the QoS of a topic as a bag says it."""
    forever = QosTime(sec=9223372036, nsec=854775807)
    return Qos(
        history=QosHistory.KEEP_LAST,
        depth=topic.depth,
        reliability=QosReliability.RELIABLE if topic.reliable else QosReliability.BEST_EFFORT,
        durability=QosDurability.TRANSIENT_LOCAL if topic.latched else QosDurability.VOLATILE,
        deadline=forever,
        lifespan=forever,
        liveliness=QosLiveliness.AUTOMATIC,
        liveliness_lease_duration=forever,
        avoid_ros_namespace_conventions=False,
    )
