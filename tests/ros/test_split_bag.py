# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Bags of `aegis record`: in files by size and time, as a ring, on a full disk; read by three libraries that are not ours."""

import hashlib
import json
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
from rosbags.rosbag2 import Reader
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from aegis.core.types import Alarm, AlarmState
from aegis.ros.bag import BagError, BagReader, serialize, typestore
from aegis.ros.messages.alarms import alarms_to_msg
from aegis.ros.split_bag import SplitBag, Splitting

SECOND = 1_000_000_000
BEGIN_NS = 1_700_000_000 * SECOND
ALARMS = "aegis_msgs/msg/AlarmArray"
TYPES = typestore()


def told(k: int) -> bytes:
    """Return an alarm with the number k."""
    text = "".join(hashlib.sha512(b"%d %d" % (k, n)).hexdigest() for n in range(4))  # which no compression makes small
    alarm = Alarm(
        id=k, rule="near", zone="harbour", track_id=k, state=AlarmState.ACTIVE, priority=1, raised_ns=k, text=text
    )  # fmt: skip
    return serialize(alarms_to_msg([alarm], stamp_ns=k), ALARMS, TYPES)


def ours(bag: Path) -> list[tuple[int, bytes]]:
    with closing(BagReader(bag, "alarms", ALARMS)) as reader:
        found = list(reader.messages())
        assert reader.warnings == []
    return found


def by_rosbags(bag: Path) -> list[tuple[int, bytes]]:
    with Reader(bag) as reader:
        assert {c.topic for c in reader.connections} == {"/alarms", "/class_info"}
        found = [(time_ns, bytes(data)) for c, time_ns, data in reader.messages() if c.topic == "/alarms"]
        assert reader.message_count >= len(found)
        # By the definitions in the bag alone.
        store = get_typestore(Stores.EMPTY)
        for connection in reader.connections:
            store.register(get_types_from_msg(connection.msgdef.data, connection.msgtype))
        assert [int(store.deserialize_cdr(data, ALARMS).id[0]) for _, data in found] == [k for _, k in numbers(found)]
    return found


def by_mcap(bag: Path) -> list[tuple[int, bytes]]:
    found = []
    for file in sorted(bag.glob("*.mcap"), key=lambda f: int(f.stem.rsplit("_", 1)[1])):
        with file.open("rb") as stream:
            reader = make_reader(stream, validate_crcs=True, decoder_factories=[DecoderFactory()])
            summary = reader.get_summary()
            assert sum(summary.statistics.channel_message_counts.values()) == summary.statistics.message_count
            for _, channel, message, decoded in reader.iter_decoded_messages(topics=["/alarms"]):
                assert channel.message_encoding == "cdr"
                assert (list(decoded.id), decoded.rule) == ([numbers([(0, message.data)])[0][1]], ["near"])
                found.append((message.log_time, message.data))
    return found


def numbers(messages) -> list[tuple[int, int]]:
    """Return the seconds since the begin, and the number of the alarm."""
    return [((t - BEGIN_NS) // SECOND, int(TYPES.deserialize_cdr(data, ALARMS).id[0])) for t, data in messages]


@pytest.mark.parametrize(
    ("splitting", "files"),
    [(Splitting(), 1), (Splitting(max_ns=10 * SECOND), 4), (Splitting(max_bytes=30_000), range(3, 10))],
    ids=["whole", "by time", "by size"],
)
def test_every_reader_reads_every_message(tmp_path, splitting, files):
    bag = SplitBag(tmp_path / "bag", ["alarms", "class_info"], splitting)
    sent = [(BEGIN_NS + k * SECOND // 4, told(k)) for k in range(160)]
    for time_ns, data in sent:
        bag.write("alarms", time_ns, data)
    assert bag.close() == Counter(alarms=160)
    count = len(list((tmp_path / "bag").glob("*.mcap")))
    assert count == files if isinstance(files, int) else count in files
    for read in (ours, by_rosbags, by_mcap):
        assert read(tmp_path / "bag") == sent
    with pytest.raises(BagError, match="exists already"):
        SplitBag(tmp_path / "bag", ["alarms"], splitting)


def test_a_ring_keeps_the_last_minutes_and_what_is_around_an_alarm(tmp_path):
    bag = SplitBag(tmp_path / "bag", ["class_info", "alarms"], Splitting(ring_ns=60 * SECOND))
    bag.write("class_info", BEGIN_NS, b"\0\1\0\0 the classes, told once")
    for k in range(1000):
        time_ns = BEGIN_NS + k * SECOND
        bag.write("alarms", time_ns, told(k))
        if k == 500:
            bag.keep(time_ns)
        if k in (400, 999):  # never more on disk than the ring and what an alarm keeps, in files of 6 s
            on_disk = sum(len(list(f.parent.glob("*.mcap"))) for f in [tmp_path / "bag" / "x"])
            assert on_disk <= 12 + (22 if k == 999 else 0)
    bag.close()
    got = numbers(ours(tmp_path / "bag"))
    assert got == numbers(by_rosbags(tmp_path / "bag"))
    # A file begins with the last of each latched topic; apart from these a number is its second.
    assert {k for second, k in got if second != k} <= {k - 1 for second, k in got}
    kept = sorted({k for second, k in got if second == k})
    around, last = [k for k in kept if k < 700], [k for k in kept if k >= 700]
    assert around == list(range(around[0], around[-1] + 1))
    assert last == list(range(last[0], 1000))
    assert 434 <= around[0] <= 440
    assert 560 <= around[-1] <= 566
    assert 933 <= last[0] <= 939
    # What was told once is still there.
    with closing(BagReader(tmp_path / "bag", "class_info", "aegis_msgs/msg/ClassInfo")) as reader:
        assert {data for _, data in reader.messages()} == {b"\0\1\0\0 the classes, told once"}


FULL_DISK = """
import json, resource, sys
from pathlib import Path
from aegis.ros.split_bag import DiskFullError, SplitBag, Splitting

bag = SplitBag(Path(sys.argv[1]), ["alarms", "class_info"], Splitting())
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
data, sent, why = bytes.fromhex(sys.argv[3]), 0, ""
try:
    while sent < 100_000:
        sent += 1
        bag.write("alarms", sent * 100_000_000, data)
except DiskFullError as error:
    why = str(error)
print(json.dumps({"sent": sent, "why": why, "written": dict(bag.close()), "unwritten": bag.unwritten}))
"""


@pytest.mark.parametrize("limit", [40_000, 41_000, 50_000])
def test_on_a_full_disk_what_is_written_stays_readable(tmp_path, limit):
    """A file that may not grow any more fails as a full disk does, with another number."""
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "bag"), str(limit), told(1).hex()]
    done = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)
    assert "too large" in done["why"]
    assert 20 < done["written"]["alarms"] < done["sent"] < 100_000
    assert done["written"]["alarms"] + done["unwritten"] == done["sent"]
    assert sum(f.stat().st_size for f in (tmp_path / "bag").glob("*.mcap")) <= limit
    for read in (ours, by_rosbags, by_mcap):
        assert [t for t, _ in read(tmp_path / "bag")] == [
            k * 100_000_000 for k in range(1, done["written"]["alarms"] + 1)
        ]
