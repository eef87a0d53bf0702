# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Recordings as writers of all kinds leave them, written by `rosbags` and by MCAP's own library; read back message by message."""

import io
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from mcap.writer import CompressionType, IndexType
from mcap.writer import Writer as McapWriter
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.rosbag2.enums import CompressionFormat, CompressionMode

from aegis.ros.bag import BagError, BagReader, topic_types, typestore
from aegis.ros.recording.folder import METADATA, Recording
from aegis.ros.recording.storage import RecordingError

STRING = "std_msgs/msg/String"
SECOND = 1_000_000_000


def cdr(text: str) -> bytes:
    data = text.encode() + b"\0"
    return b"\x00\x01\x00\x00" + len(data).to_bytes(4, "little") + data


WANTED = [(k * SECOND, cdr(f"number {k}")) for k in range(40)]


def read(path: Path, topic: str = "points", type_name: str = STRING) -> list[tuple[int, bytes]]:
    with closing(BagReader(path, topic, type_name)) as reader:
        found = list(reader.messages())
        assert reader.count == len(found)
        return found


def write(path: Path, plugin=StoragePlugin.MCAP, mode=CompressionMode.NONE, name="/points") -> Path:
    writer = Writer(path, version=9, storage_plugin=plugin)
    if mode is not CompressionMode.NONE:
        writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        wanted = writer.add_connection(name, STRING, typestore=typestore())
        other = writer.add_connection("/other", "std_msgs/msg/Float64", typestore=typestore())
        for time_ns, data in WANTED:
            writer.write(wanted, time_ns, data)
            writer.write(other, time_ns, b"\x00\x01\x00\x00" + bytes(8))
    return path


def edit(bag: Path, change) -> None:
    """Change what metadata.yaml says."""
    content = yaml.safe_load((bag / METADATA).read_text())
    change(content["rosbag2_bagfile_information"])
    (bag / METADATA).write_text(yaml.safe_dump(content))


PLUGINS = [StoragePlugin.MCAP, StoragePlugin.SQLITE3]
PACKED = [
    (plugin, mode)
    for plugin in PLUGINS
    for mode in CompressionMode
    if (plugin, mode) != (StoragePlugin.SQLITE3, CompressionMode.STORAGE)
]


@pytest.mark.parametrize(("plugin", "mode"), PACKED)
@pytest.mark.parametrize("name", ["/points", "points"])
def test_every_storage_compression_and_spelling_is_read(tmp_path, plugin, mode, name):
    bag = write(tmp_path / "bag", plugin, mode, name)
    assert read(bag) == read(bag, "/points") == WANTED
    assert topic_types(bag) == {"/points": STRING, "/other": "std_msgs/msg/Float64"}
    (file,) = (f for f in bag.iterdir() if f.name != METADATA)
    assert read(file) == WANTED  # a file alone, whatever compressed it


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize("mode", [CompressionMode.NONE, CompressionMode.FILE])
def test_a_folder_whose_metadata_is_gone_or_broken_is_read_with_a_warning(tmp_path, plugin, mode):
    for text in (None, "", "a: [", "rosbag2_bagfile_information: 7", "rosbag2_bagfile_information: {version: 9}"):
        bag = write(tmp_path / f"bag{text is None}{len(text or '')}", plugin, mode)
        if text is None:
            (bag / METADATA).unlink()
        else:
            (bag / METADATA).write_text(text)
        with closing(BagReader(bag, "points", STRING)) as reader:
            assert list(reader.messages()) == WANTED
            (warning,) = reader.warnings
        assert "read without metadata.yaml" in warning


QOS = [
    {
        "history": "keep_all",
        "depth": 7,
        "reliability": "best_effort",
        "durability": "volatile",
        "liveliness": "automatic",
    }
]


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize("qos", [QOS, "- history: 1\n  depth: 5\n", "not: [yaml", 3])
def test_what_metadata_say_of_qos_does_not_matter(tmp_path, plugin, qos):
    bag = write(tmp_path / "bag", plugin)
    edit(bag, lambda about: about["topics_with_message_count"][0]["topic_metadata"].update(offered_qos_profiles=qos))
    assert read(bag) == WANTED


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize("said", [0, 1, 41, 10**9])
def test_a_wrong_count_in_the_metadata_is_at_most_a_warning(tmp_path, plugin, said):
    bag = write(tmp_path / "bag", plugin)

    def change(about):
        about["message_count"] = said
        for part in (*about["files"], *about["topics_with_message_count"]):
            part["message_count"] = said

    edit(bag, change)
    with closing(BagReader(bag, "points", STRING)) as reader:
        assert list(reader.messages()) == WANTED
        assert reader.warnings == [f"{bag}: metadata.yaml announces {said} messages on /points; 40 are there"]


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize("order", ["as written", "reversed", "interleaved"])
def test_a_split_bag_is_one_in_the_order_of_time(tmp_path, plugin, order):
    parts = [WANTED[:10], WANTED[10:25], WANTED[25:]]
    if order == "interleaved":
        parts = [WANTED[n::3] for n in range(3)]
    bag = tmp_path / "bag"
    bag.mkdir()
    names = []
    for n, part in enumerate(parts):
        with Writer(tmp_path / f"part{n}", version=9, storage_plugin=plugin) as writer:
            connection = writer.add_connection("/points", STRING, typestore=typestore())
            for time_ns, data in part:
                writer.write(connection, time_ns, data)
        (file,) = (f for f in (tmp_path / f"part{n}").iterdir() if f.name != METADATA)
        names.append(f"bag_{n}{file.suffix}")
        shutil.move(file, bag / names[-1])
    shutil.copy(tmp_path / "part0" / METADATA, bag)
    edit(bag, lambda about: about.update(relative_file_paths=names[::-1] if order == "reversed" else names))
    assert read(bag) == WANTED
    # As metadata had it before version 4, and as another system writes it.
    edit(bag, lambda about: about.update(relative_file_paths=[f"bag/{names[0]}", *(f"bag\\{n}" for n in names[1:])]))
    assert read(bag) == WANTED
    (bag / names[1]).unlink()
    with pytest.raises(BagError, match=re.escape(f"metadata.yaml lists files that are not there: bag\\{names[1]}")):
        read(bag)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_file_that_was_unpacked_or_packed_since_is_found(tmp_path, plugin):
    packed, plain = write(tmp_path / "a", plugin, CompressionMode.FILE), write(tmp_path / "b", plugin)
    (file,) = packed.glob("*.zstd")
    (unpacked,) = (f for f in plain.iterdir() if f.name != METADATA)
    shutil.copy(unpacked, packed / file.stem)
    file.unlink()
    assert read(packed) == WANTED


def test_old_names_of_types_and_tables_of_the_first_version(tmp_path):
    path = tmp_path / "old.db3"
    with closing(sqlite3.connect(path)) as database:
        database.executescript("""
            CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT, type TEXT, serialization_format TEXT);
            CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, data BLOB);
            INSERT INTO topics VALUES (3, 'points', 'std_msgs/String', 'cdr');
        """)
        database.executemany("INSERT INTO messages(topic_id, timestamp, data) VALUES (3, ?, ?)", WANTED[::-1])
        database.commit()
    assert read(path) == WANTED


def test_what_a_crash_left_in_the_log_of_a_database_is_read(tmp_path):
    source, bag = write(tmp_path / "bag", StoragePlugin.SQLITE3), tmp_path / "crashed"
    (file,) = source.glob("*.db3")
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("INSERT INTO messages(topic_id, timestamp, data) VALUES (1, ?, ?)", (99 * SECOND, cdr("last")))
        database.commit()
        shutil.copytree(source, bag)  # while it is open
    assert (bag / f"{file.name}-wal").stat().st_size
    assert read(bag) == [*WANTED, (99 * SECOND, cdr("last"))]


@pytest.mark.parametrize("encoding", ["ros1", "json"])
def test_another_encoding_is_named(tmp_path, encoding):
    path = tmp_path / "other.mcap"
    path.write_bytes(mcap(WANTED, encoding=encoding))
    with pytest.raises(BagError, match=f"/points is encoded as {encoding}; cdr is expected"):
        read(path)


# MCAP, as its own library writes it: whatever may be left out.


def mcap(messages, *, encoding="cdr", topics=("points",), **options) -> bytes:
    """Return a file with these messages, (time, bytes), in this order; message k is of topic k modulo their number."""
    out = io.BytesIO()
    writer = McapWriter(out, **options)
    writer.start(profile="", library="")
    schema = writer.register_schema(STRING, "ros2msg", b"string data")
    odd = writer.register_schema("an.Image", "protobuf", b"\x00")
    writer.register_channel("/image", "protobuf", odd)
    channels = [writer.register_channel(topic, encoding, schema) for topic in topics]
    for n, (time_ns, data) in enumerate(messages):
        writer.add_message(channels[n % len(topics)], log_time=time_ns, data=data, publish_time=0)
    writer.finish()
    return out.getvalue()


@settings(max_examples=200)
@given(
    st.lists(st.integers(1, 50), max_size=20), st.sampled_from([1, 200, 1 << 20]), st.sampled_from(CompressionType),
    st.sampled_from([IndexType.ALL, IndexType.NONE, IndexType.CHUNK, IndexType.MESSAGE]),
    st.fixed_dictionaries({
        name: st.booleans() for name in ("use_chunking", "use_statistics", "repeat_channels", "repeat_schemas",
                                         "use_summary_offsets", "enable_crcs", "enable_data_crcs")
    }),
)  # fmt: skip
def test_whatever_a_writer_leaves_out_every_message_is_found_in_the_order_of_time(
    tmp_path_factory, times, chunk_size, compression, indexes, options
):
    messages = [(time_ns, cdr(f"{n}")) for n, time_ns in enumerate(times)]
    path = tmp_path_factory.getbasetemp() / f"drawn{os.getpid()}.mcap"
    options |= {"chunk_size": chunk_size, "compression": compression, "index_types": indexes}
    path.write_bytes(mcap(messages, topics=("points", "/others"), **options))
    wanted = {"/image": [], "/others": messages[1::2], "/points": messages[::2]}
    recording = Recording(path)
    # A channel without messages that is told of in the summary alone is not known where that leaves it out.
    assert {t.name: t.messages for t in recording.topics if t.messages} == {
        name: len(found) for name, found in wanted.items() if found
    }
    for topic in recording.topics:
        assert list(recording.messages(topic)) == sorted(wanted[topic.name], key=lambda m: m[0])


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> dict[str, bytes]:
    """Return files of all storages, by their kind."""
    (database,) = write(tmp_path_factory.mktemp("whole") / "bag", StoragePlugin.SQLITE3).glob("*.db3")
    packed = {f"MCAP, {c.name}": mcap(WANTED, compression=c, chunk_size=200) for c in CompressionType}
    return packed | {"MCAP, loose": mcap(WANTED, use_chunking=False), "sqlite3": database.read_bytes()}


@settings(max_examples=300)
@given(st.data())
def test_a_mutated_or_cut_file_is_read_or_refused_and_nothing_else(whole, tmp_path_factory, data):
    good = whole[data.draw(st.sampled_from(sorted(whole)))]
    bad = bytearray(good[: data.draw(st.integers(0, len(good)))] if data.draw(st.booleans()) else good)
    for _ in range(data.draw(st.integers(0, 4))):
        if bad:
            bad[data.draw(st.integers(0, len(bad) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / f"mutated{os.getpid()}"
    path.write_bytes(bad)
    try:
        recording = Recording(path)
        for topic in recording.topics:
            times = [time_ns for time_ns, _ in recording.messages(topic)]
            assert len(times) <= 40
    except RecordingError:
        return


def test_a_cut_file_says_so(tmp_path):
    good = mcap(WANTED)
    for keep in (0, 5, 8, 100, len(good) - 1):
        path = tmp_path / "cut.mcap"
        path.write_bytes(good[:keep])
        with pytest.raises(BagError, match=r"it was cut off|it is empty|neither MCAP nor sqlite3"):
            read(path)


def test_a_bag_of_ros_1_is_said_to_be_one_with_the_command_that_helps(tmp_path):
    from rosbags.rosbag1 import Writer as Ros1Writer
    from rosbags.typesys import Stores, get_typestore

    types, old, new = get_typestore(Stores.ROS1_NOETIC), tmp_path / "old.bag", tmp_path / "new"
    with Ros1Writer(old) as writer:
        connection = writer.add_connection("/points", STRING, typestore=types)
        writer.write(connection, SECOND, types.serialize_ros1(types.types[STRING](data="it"), STRING))
    with pytest.raises(BagError, match="a bag of ROS 1") as refused:
        topic_types(old)
    command = re.search("`(rosbags-convert .*?)`", str(refused.value))[1]
    words = command.replace("OLD.bag", str(old)).replace("NEW", str(new)).split()
    subprocess.run([str(Path(sys.executable).parent / words[0]), *words[1:]], check=True)
    assert read(new) == [(SECOND, cdr("it"))]
