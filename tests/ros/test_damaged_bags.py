# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Damaged bags are played up to the damage, and it is said where that is. MCAP's own library tells where things were."""

import io
import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from mcap.data_stream import ReadDataStream
from mcap.reader import make_reader
from mcap.records import ChunkIndex
from mcap.writer import CompressionType, IndexType
from mcap.writer import Writer as McapWriter

from aegis.graph.play import Played, _messages, playable
from aegis.ros.bag import BagError, GraphBag, serialize, typestore
from aegis.ros.messages.reports import StageStatus, status_to_msg
from aegis.ros.split_bag import SplitBag, Splitting

SECOND = 1_000_000_000
STATUS = "aegis_msgs/msg/PipelineStatus"
TYPES = typestore()


def told(k: int) -> bytes:
    row = StageStatus(f"stage {k * 7919 % 1000}", *[float(k)] * 5, *[k] * 6, "{}")
    return serialize(status_to_msg([row], run_id=f"run {k}", stamp_ns=k), STATUS, TYPES)


SENT = [
    (SECOND + k * SECOND // 5, told(k)) for k in range(60)
]  # twelve chunks of six: one ends with the first message a second on
OTHER = 1000


@dataclass
class Layout:
    """A whole file, and where things are in it."""

    data: bytes
    chunks: list[ChunkIndex] = field(init=False)
    per_chunk: list[int] = field(init=False)  # messages up to the end of each chunk
    summary: int = field(init=False)
    footer: int = field(init=False)

    def __post_init__(self) -> None:
        reader = make_reader(io.BytesIO(self.data))
        summary = reader.get_summary()
        self.chunks = sorted(summary.chunk_indexes, key=lambda c: c.chunk_start_offset)
        ends = [c.message_end_time for c in self.chunks]
        self.per_chunk = [sum(t <= end for t, _ in SENT) for end in ends]
        self.footer = len(self.data) - 8 - 20 - 9
        stream = ReadDataStream(io.BytesIO(self.data[self.footer + 9 :]))
        self.summary = stream.read8()

    def before(self, chunk: int) -> int:
        """Return how many messages lie in the chunks before one."""
        return self.per_chunk[chunk - 1] if chunk else 0


def recorded(folder: Path) -> bytes:
    bag = SplitBag(folder, ["status", "class_info"], Splitting())
    for time_ns, data in SENT:
        bag.write("status", time_ns, data)
    bag.close()
    return (folder / f"{folder.name}_0.mcap").read_bytes()


def by_mcap(**options) -> bytes:
    out = io.BytesIO()
    writer = McapWriter(out, chunk_size=1500, **options)
    writer.start()
    schema = writer.register_schema(STATUS, "ros2msg", b"")
    channel = writer.register_channel("/status", "cdr", schema)
    for time_ns, data in SENT:
        writer.add_message(channel, log_time=time_ns, data=data, publish_time=time_ns)
    writer.finish()
    return out.getvalue()


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> dict[str, Layout]:
    return {
        "ours": Layout(recorded(tmp_path_factory.mktemp("whole") / "bag")),
        "plain": Layout(by_mcap(compression=CompressionType.NONE)),
        "lz4": Layout(by_mcap(compression=CompressionType.LZ4)),
        "no index": Layout(by_mcap(index_types=IndexType.CHUNK)),
    }


def play(path: Path) -> tuple[list[tuple[int, bytes]], str]:
    """Return what is played, and what is said of it."""
    done = Played()
    try:
        sent = [(time_ns, data) for time_ns, _, data in _messages(path, playable(path, ["status"]), 0.0, done)]
    except BagError as error:
        return [], str(error)
    return sent, "; ".join(filter(None, [done.damage, *done.warnings]))


Damage = Callable[
    [Layout], tuple[bytes, int, int, str]
]  # the file; least and most messages that it plays; what is said
CASES: dict[str, tuple[str, Damage]] = {}


def case(name: str, kind: str = "ours") -> Callable[[Damage], Damage]:
    def note(damage: Damage) -> Damage:
        CASES[name] = (kind, damage)
        return damage

    return note


def cut(at: int, data: bytes) -> bytes:
    return data[:at]


def flip(at: int, data: bytes, mask: int = 0x40, count: int = 1) -> bytes:
    out = bytearray(data)
    for k in range(count):
        out[at + k] ^= mask
    return bytes(out)


def zero(at: int, length: int, data: bytes) -> bytes:
    return data[:at] + bytes(length) + data[at + length :]


ALL = len(SENT)
CHUNK = 5  # that most cases hit
HEAD = 9  # of a record
FIELDS = HEAD + 8 + 8 + 8 + 4  # of a chunk, before its compression


def content(layout: Layout, chunk: int) -> int:
    """Return where the compressed bytes of a chunk begin."""
    index = layout.chunks[chunk]
    return index.chunk_start_offset + index.chunk_length - index.compressed_size


def start(layout: Layout, chunk: int = CHUNK) -> int:
    return layout.chunks[chunk].chunk_start_offset


def index_of(layout: Layout, chunk: int = CHUNK) -> int:
    (offset,) = layout.chunks[chunk].message_index_offsets.values()
    return offset


case("nothing at all")(lambda w: (b"", 0, 0, "it is empty"))
case("cut in the magic")(lambda w: (cut(5, w.data), 0, 0, "neither MCAP nor sqlite3"))
case("cut in the schemas")(lambda w: (cut(2000, w.data), 0, 0, "cut off, at byte 2000"))
case("cut before the first chunk")(lambda w: (cut(start(w, 0), w.data), 0, 0, f"cut off, at byte {start(w, 0)}"))
case("cut in the head of a chunk")(
    lambda w: (
        cut(start(w) + 20, w.data),
        w.before(CHUNK),
        w.before(CHUNK),
        f"cut off, at byte {start(w) + 20}|ends before",
    )
)
case("cut in a compressed chunk")(
    lambda w: (cut(content(w, CHUNK) + 200, w.data), w.before(CHUNK), w.before(CHUNK + 1) - 1, "cut off, at byte")
)
case("cut behind a chunk")(
    lambda w: (cut(index_of(w), w.data), w.before(CHUNK + 1), w.before(CHUNK + 1), f"cut off, at byte {index_of(w)}")
)
case("cut in a message index")(
    lambda w: (cut(index_of(w) + 30, w.data), w.before(CHUNK + 1), w.before(CHUNK + 1), "cut off, at byte")
)
case("cut before the summary")(lambda w: (cut(w.summary, w.data), ALL, ALL, f"cut off, at byte {w.summary}"))
case("cut in the summary")(lambda w: (cut(w.summary + 700, w.data), ALL, ALL, "cut off, at byte"))
case("cut in the footer")(lambda w: (cut(w.footer + 12, w.data), ALL, ALL, "cut off, at byte"))
case("the last byte missing")(lambda w: (w.data[:-1], ALL, ALL, f"cut off, at byte {len(w.data) - 1}"))
case("something behind the end")(lambda w: (w.data + b"rubbish" * 3, ALL, ALL, "no record at byte|cut off"))
case("a flipped byte in a compressed chunk")(
    lambda w: (
        flip(content(w, CHUNK) + 100, w.data),
        w.before(CHUNK),
        w.before(CHUNK),
        f"chunk at byte {start(w) + HEAD} is",
    )
)
case("a wrong checksum")(
    lambda w: (
        flip(start(w) + FIELDS - 4, w.data),
        w.before(CHUNK),
        w.before(CHUNK),
        f"byte {start(w) + HEAD} .*checksum",
    )
)
case("a wrong size")(
    lambda w: (
        flip(start(w) + HEAD + 16, w.data),
        w.before(CHUNK),
        w.before(CHUNK),
        f"byte {start(w) + HEAD} is damaged",
    )
)
case("a wrong time of a chunk")(
    lambda w: (flip(start(w) + HEAD + 6, w.data), ALL, ALL, f"byte {start(w) + HEAD} is damaged: its times")
)
case("a wrong length of a record")(
    lambda w: (
        flip(start(w) + 5, w.data),
        w.before(CHUNK),
        w.before(CHUNK),
        f"no record at byte {start(w)}$",
    )
)
case("a compression that nobody knows")(
    lambda w: (
        flip(start(w) + FIELDS + 4, w.data),
        w.before(CHUNK),
        w.before(CHUNK),
        f"byte {start(w) + HEAD} .*compression",
    )
)
case("a chunk that is none any more")(  # of a kind that readers have to leave alone
    lambda w: (flip(start(w), w.data, 0x80), ALL - 6, ALL - 5, "tells of [56] messages more than are there")
)
case("a wrong time in a message index")(
    lambda w: (
        flip(index_of(w) + HEAD + 6 + 7, w.data),
        ALL,
        ALL,
        f"index behind the chunk at byte {start(w) + HEAD} is",
    )
)
case("a wrong channel in a message index")(
    lambda w: (
        flip(index_of(w) + HEAD, w.data),
        ALL,
        ALL,
        f"index behind the chunk at byte {start(w) + HEAD} is damaged",
    )
)
case("a flipped byte in a schema's name")(
    lambda w: (
        flip(w.data.index(STATUS.encode()) + 4, w.data),
        ALL,
        ALL,
        "schema 1 is damaged: it is told twice, at byte",
    )
)
case("a flipped byte in a topic's name")(
    lambda w: (flip(w.data.index(b"/status") + 3, w.data), ALL, ALL, "channel 0 is damaged: it is told twice, at byte")
)
case("a flipped byte in the summary's schema")(
    lambda w: (flip(w.data.rindex(STATUS.encode()) + 4, w.data), ALL, ALL, f"at byte {w.footer} is damaged")
)
case("a flipped byte in the statistics")(
    lambda w: (flip(w.footer - 120, w.data), ALL, ALL, f"at byte {w.footer} is damaged: the checksum")
)
case("a flipped byte in the footer")(
    lambda w: (flip(w.footer + 10, w.data), ALL, ALL, f"at byte {w.footer} is damaged")
)
case("no summary")(
    lambda w: (w.data[: w.summary] + w.data[w.footer : w.footer + HEAD] + bytes(20) + w.data[-8:], ALL, ALL, "^$")
)
case("a zeroed page in chunks")(
    lambda w: (zero(content(w, CHUNK) + 50, 1024, w.data), w.before(CHUNK), w.before(CHUNK), "byte")
)
case("a zeroed page from the head of a chunk on")(
    lambda w: (zero(start(w), 512, w.data), w.before(CHUNK), w.before(CHUNK), f"no record at byte {start(w)}")
)
case("a piece missing in the middle")(
    lambda w: (
        w.data[: content(w, CHUNK) + 20] + w.data[content(w, CHUNK) + 400 :],
        w.before(CHUNK),
        w.before(CHUNK),
        "byte",
    )
)
case("cut in an uncompressed chunk", "plain")(
    # Each message is whole up to the cut.
    lambda w: (cut(w.data.index(SENT[33][1]) + 10, w.data), 33, 33, "cut off, at byte")
)
case("a flipped byte in an uncompressed chunk", "plain")(
    lambda w: (
        flip(w.data.index(SENT[33][1]) + 10, w.data), w.before(k := sum(n <= 33 for n in w.per_chunk)), w.before(k),
        f"chunk at byte {start(w, k) + HEAD} is damaged: its checksum",
    )
)  # fmt: skip
case("a flipped byte in a chunk of lz4", "lz4")(
    lambda w: (
        flip(content(w, 2) + 60, w.data),
        w.before(2),
        w.before(2),
        f"chunk at byte {start(w, 2) + HEAD} is damaged",
    )
)
case("cut in a file without message indexes", "no index")(
    lambda w: (cut(content(w, 3) + 30, w.data), w.before(3), w.before(4) - 1, "cut off, at byte")
)


@pytest.mark.parametrize("name", CASES)
def test_a_damaged_bag_is_played_up_to_the_damage(whole, tmp_path, name):
    kind, damage = CASES[name]
    data, least, most, says = damage(whole[kind])
    path = tmp_path / "damaged.mcap"
    path.write_bytes(data)
    sent, said = play(path)
    assert re.search(says, said), said
    assert least <= len(sent) <= most
    if most == ALL or name != "a chunk that is none any more":
        assert sent == SENT[: len(sent)]  # not one more, not one in another place
    else:
        assert set(sent) < set(SENT)


def test_whole_bags_are_played_whole(whole, tmp_path):
    for layout in whole.values():
        (tmp_path / "whole.mcap").write_bytes(layout.data)
        assert play(tmp_path / "whole.mcap") == (SENT, "")


def test_of_a_folder_the_file_is_named(whole, tmp_path):
    data = whole["ours"].data
    (tmp_path / "bag_0.mcap").write_bytes(data)
    (tmp_path / "bag_1.mcap").write_bytes(data[:-50])
    sent, said = play(tmp_path)
    assert "bag_1.mcap: it ends without the end of an MCAP file" in said
    assert len(sent) == 2 * ALL
    with pytest.raises(BagError, match=r"bag_1\.mcap: it ends without"), closing(GraphBag(tmp_path)):
        pass
