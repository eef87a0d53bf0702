# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Bags of a whole robot: topics of others that are called as ours, of other types, beside those of a graph in a namespace."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from evaluation_data import picture
from rosbags.rosbag2 import Writer

from aegis.cli.main import cli
from aegis.graph.evaluation.recording import read_bag
from aegis.graph.incident.cut import cut_bag
from aegis.graph.offline import process_bag
from aegis.graph.report.contents import read_contents
from aegis.ros.bag import BagError, serialize, typestore
from aegis.ros.messages.clouds import cloud_to_msg
from aegis.ros.messages.picture import tracks_to_msg
from aegis.ros.topics import TOPICS

BEGIN_S, SECOND = 1_700_000_000, 1_000_000_000
STRING = "std_msgs/msg/String"
OURS = ("/aegis/tracks", "/aegis/radar/points")
THEIRS = [
    ("/lidar/tracks", "/lidar/radar/points"),
    ("/tracks", "/radar/points"),
    ("/status", "/events"),
    ("/robot/status", "/robot/alarms", "/robot/zones", "/robot/truth", "/camera/events"),
]


def robot(path: Path, theirs: tuple[str, ...], ours: tuple[str, ...] = OURS) -> Path:
    """Write ten seconds of a graph, and what somebody else says meanwhile."""
    store = typestore()
    with Writer(path, version=9) as writer:
        tracks, points = (
            writer.add_connection(name, TOPICS[kind].type, typestore=store)
            for name, kind in zip(ours, ("tracks", "radar/points"), strict=True)
        )
        others = [writer.add_connection(name, STRING, typestore=store) for name in theirs]
        for k in range(10):
            at_ns = (BEGIN_S + k) * SECOND
            told = tracks_to_msg(picture(BEGIN_S + k, [(1, 1000 + 10 * k, 0, 10, 0)]))
            cloud = cloud_to_msg(
                {"x": [100.0], "y": [0.0], "z": [5.0], "range_rate": [0.0]}, frame_id="radar", stamp_ns=at_ns
            )
            writer.write(tracks, at_ns, serialize(told, tracks.msgtype, store))
            writer.write(points, at_ns, serialize(cloud, points.msgtype, store))
            for other in others:
                writer.write(other, at_ns, bytes(store.serialize_cdr(store.types[STRING](data="hello"), STRING)))
    return path


def aegis(*arguments: object) -> Result:
    return CliRunner().invoke(cli, list(map(str, arguments)), catch_exceptions=False)


@pytest.mark.parametrize("theirs", THEIRS)
def test_what_is_called_as_ours_and_is_of_another_type_is_left_alone(tmp_path, theirs):
    bag = robot(tmp_path / "bag", theirs)
    assert len(read_bag(bag).tracks) == 10
    assert len(read_contents(bag).shown.stamp_ns) == 10
    cut = cut_bag(bag, tmp_path / "part", (BEGIN_S + 2) * SECOND, (BEGIN_S + 5) * SECOND)
    assert cut.written == {"tracks": 4, "radar/points": 4}
    assert all(any(left.startswith(f"{name} ") for left in cut.left_out) for name in theirs)
    done = process_bag(bag, tmp_path / "out")
    assert (done.scans, done.refused, done.warnings) == (10, 0, [])


def test_topics_of_two_graphs_are_still_several(tmp_path):
    bag = robot(tmp_path / "bag", ())
    store = typestore()
    with Writer(tmp_path / "two", version=9) as writer:
        for name in ("/east/tracks", "/west/tracks"):
            connection = writer.add_connection(name, TOPICS["tracks"].type, typestore=store)
            told = tracks_to_msg(picture(BEGIN_S, [(1, 1000, 0, 10, 0)]))
            writer.write(connection, BEGIN_S * SECOND, serialize(told, connection.msgtype, store))
    with pytest.raises(BagError, match="has several: /east/tracks, /west/tracks"):
        read_bag(tmp_path / "two")
    # And what a person names is taken at its word.
    done = aegis("process", bag, "-o", tmp_path / "out", "--topic", "/aegis/tracks")
    assert done.exit_code == 2
    assert "/aegis/tracks is of type aegis_msgs/msg/TrackArray; sensor_msgs/msg/PointCloud2 is expected" in done.output
