# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Small inputs that once failed, each with what is right of it: whole bags through the offline graph.

The bags themselves are not in the repository (../shared/cases); beside each stands the same kind made here.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from aegis_msgs.msg import PipelineStatus, TrackArray
from click.testing import CliRunner
from rclpy.serialization import deserialize_message
from rosbags.rosbag2 import StoragePlugin, Writer
from scenes import approach
from sensor_msgs.msg import PointCloud2

from aegis.cli.main import cli
from aegis.core.params import ConfigError
from aegis.core.types import TrackStatus
from aegis.graph.offline import Summary, process_bag, simulate_bag
from aegis.ros.bag import BagError, BagReader, serialize, typestore, write_bag
from aegis.ros.messages.clouds import cloud_to_msg
from aegis.ros.topics import TOPICS

SHARED_CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
SECOND = 1_000_000_000
EPOCH = 1_700_000_000 * SECOND


def case(name: str) -> Path:
    path = SHARED_CASES / name
    if not path.exists():
        pytest.skip("the small cases (../shared/cases) are not on this machine")
    return path


def run(bag: Path, out: Path, **options) -> tuple[Summary, list[TrackArray]]:
    """Return what the run says of itself, and its pictures."""
    summary = process_bag(bag, out, **options)
    reader = BagReader(out, "tracks", TOPICS["tracks"].type) if summary.pictures else None
    try:
        return summary, [deserialize_message(d, TrackArray) for _, d in reader.messages()] if reader else []
    finally:
        if reader:
            reader.close()


def cloud_at(at_s: float, stamp_ns: int) -> PointCloud2:
    """Return what a radar sees of one target, at second `at_s` of its approach."""
    r, azimuth, elevation, range_rate = approach(at_s)[:, None]
    columns = {"range": r, "azimuth": azimuth, "elevation": elevation, "range_rate": range_rate}
    return cloud_to_msg(columns, frame_id="radar", stamp_ns=stamp_ns)


def write(path: Path, clouds: list[PointCloud2], period_s: float = 0.1) -> Path:
    with write_bag(path, ["radar/points"]) as writer:
        for k, cloud in enumerate(clouds):
            writer.write("radar/points", EPOCH + round(k * period_s * SECOND), cloud)
    return path


def ids(picture: TrackArray) -> list[int]:
    return list(picture.track_id)


# Loops.


def is_every_scan_of_a_loop_shown(summary: Summary, pictures: list[TrackArray], scans: int) -> None:
    assert (summary.scans, summary.refused, summary.errors) == (scans, 0, 0)
    assert len(pictures) == scans
    assert len(ids(pictures[-1])) == 1
    stamps = np.array([p.header.stamp.sec + 1e-9 * p.header.stamp.nanosec for p in pictures])
    assert (np.diff(stamps) != 0.0).all()  # none stands still


def test_the_picture_follows_a_bag_that_loops_every_3_seconds(tmp_path):
    summary, pictures = run(case("02_loop_of_3s_bag"), tmp_path / "out")
    is_every_scan_of_a_loop_shown(summary, pictures, 150)


@pytest.mark.parametrize("length_s", [0.8, 2.0, 5.0, 8.0])
def test_the_picture_follows_a_loop_of_any_length(tmp_path, length_s):
    loop = [cloud_at(k * 0.1, EPOCH + k * SECOND // 10) for k in range(round(length_s * 10))]
    summary, pictures = run(write(tmp_path / "in", loop * 3), tmp_path / "out")
    is_every_scan_of_a_loop_shown(summary, pictures, 3 * len(loop))
    assert pictures[-1].status[0] == TrackStatus.CONFIRMED


# Clouds.


def test_a_driver_that_sees_nothing_and_leaves_its_fields_out_lets_the_track_end(tmp_path):
    summary, pictures = run(case("06_empty_clouds_without_fields"), tmp_path / "out")
    assert (summary.scans, summary.refused, len(pictures)) == (60, 0, 60)
    states = [p.status[0] if len(p.track_id) else None for p in pictures]
    assert TrackStatus.CONFIRMED in states
    assert states.index(TrackStatus.COASTING) > states.index(TrackStatus.CONFIRMED)
    assert states[-1] is None


@pytest.mark.parametrize("empty", ["nothing", "xyz", "no steps"])
def test_empty_clouds_of_any_kind_let_a_track_coast_and_end(tmp_path, empty):
    clouds = [cloud_at(k * 0.1, EPOCH + k * SECOND // 10) for k in range(60)]
    for cloud in clouds[20:]:
        cloud.width, cloud.row_step = 0, 0
        cloud.data = b""
        if empty != "no steps":
            cloud.fields = cloud.fields[:3] if empty == "xyz" else []
        cloud.point_step = 12 if empty == "xyz" else 0
    summary, pictures = run(write(tmp_path / "in", clouds), tmp_path / "out")
    assert (summary.refused, len(pictures)) == (0, 60)
    assert pictures[19].status[0] == TrackStatus.CONFIRMED
    assert ids(pictures[-1]) == []
    assert TrackStatus.COASTING in [p.status[0] for p in pictures[20:] if len(p.track_id)]


@pytest.mark.parametrize(
    ("name", "scans"),
    [("07_inf_doppler_1_point", 20), ("07_inf_range_sigma_1_of_5_points", 20), ("09_row_step_zero", 30)],
)
def test_odd_numbers_and_steps_lose_no_object(tmp_path, name, scans):
    summary, pictures = run(case(name), tmp_path / "out")
    assert (summary.scans, summary.refused, len(pictures)) == (scans, 0, scans)
    assert ids(pictures[-1]) == [1]
    assert pictures[-1].status[0] == TrackStatus.CONFIRMED


def test_scans_that_are_never_stamped_are_refused_for_their_stamp(tmp_path):
    summary, pictures = run(case("10_stamp_zero"), tmp_path / "out")
    assert (summary.refused, pictures) == (50, [])
    reader = BagReader(tmp_path / "out", "status", TOPICS["status"].type)
    rows = [deserialize_message(d, PipelineStatus) for _, d in reader.messages()]
    reader.close()
    last = [json.loads(row.detail[0]) for row in rows if row.stage == ["detection"]][-1]
    assert last["dropped_by_reason"] == {"header.stamp is zero, and the driver has to set it": 50}


@pytest.mark.parametrize("options", [{"config": "08_use_sim_time.yaml"}, {"sets": ["tracking.use_sim_time=true"]}])
def test_use_sim_time_is_accepted_as_in_every_ros_node(tmp_path, options):
    if "config" in options:
        options = {"config": case(options["config"])}
    clouds = [cloud_at(k * 0.1, EPOCH + k * SECOND // 10) for k in range(5)]
    summary, pictures = run(write(tmp_path / "in", clouds), tmp_path / "out", **options)
    assert (summary.refused, len(pictures)) == (0, 5)


# Bags: what can be odd of their files is in tests/ros/test_recordings.py.


@pytest.mark.parametrize(
    "name",
    [
        "03_topic_without_slash", "04_qos_edited_in_metadata", "05_mcap_without_message_index.mcap", "11_metadata_count_zero",
    ],
)  # fmt: skip
def test_a_bag_is_read_by_what_is_in_it(tmp_path, name):
    summary, pictures = run(case(name), tmp_path / "out")
    assert (summary.scans, summary.refused, len(pictures)) == (30, 0, 30)
    assert ids(pictures[-1]) == [1]
    counts = ["metadata.yaml announces 0 messages on /radar/points; 30 are there"] if "count" in name else []
    assert [w.removeprefix(f"{SHARED_CASES / name}: ") for w in summary.warnings] == counts


def test_why_scans_were_refused_is_told_at_once(tmp_path):
    write(tmp_path / "in", [cloud_at(0.1 * k, EPOCH + k * SECOND // 10) for k in range(5)])
    asked = ["process", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--set", "detection.frame_id=mine"]
    found = CliRunner().invoke(cli, asked)
    assert "5 inputs refused" in found.stdout
    assert "detection refused 5 inputs: foreign frame_id (5)" in found.stderr
    assert "frame_id 'radar', but 'mine' is expected (parameter frame_id)" in found.stderr


def test_why_points_were_left_out_is_told_at_once(tmp_path):
    """Three scans of a point far off, one without a place, and one that is taken."""
    places = {"x": [100.0, np.nan, 5e6], "y": [0.0] * 3, "z": [5.0] * 3, "range_rate": [0.0] * 3}
    stamps = [EPOCH + k * SECOND // 10 for k in range(3)]
    write(tmp_path / "in", [cloud_to_msg(places, frame_id="radar", stamp_ns=at_ns) for at_ns in stamps])
    found = CliRunner().invoke(cli, ["process", str(tmp_path / "in"), "-o", str(tmp_path / "out")])
    assert found.exit_code == 0
    assert "aegis process: detection left out objects: point not finite (3), point out of range (3)" in found.stderr
    assert "refused" not in found.stdout


def test_a_warning_is_told_and_the_bag_is_processed_all_the_same(tmp_path):
    bag = write(tmp_path / "in", [cloud_at(k * 0.1, EPOCH + k * SECOND // 10) for k in range(10)])
    (bag / "metadata.yaml").unlink()
    done = CliRunner().invoke(cli, ["process", str(bag), "-o", str(tmp_path / "out")], catch_exceptions=False)
    assert done.exit_code == 0
    assert done.stdout.startswith("10 scans, 1 tracks")
    assert f"aegis process: warning: {bag}: read without metadata.yaml" in done.stderr


def test_the_option_that_an_error_names_finds_the_topic(tmp_path):
    """However the topic is spelled in the bag."""
    with Writer(tmp_path / "in", version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connection = writer.add_connection("front/points", TOPICS["radar/points"].type, typestore=typestore())
        for k in range(10):
            cloud = cloud_at(k * 0.1, EPOCH + k * SECOND // 10)
            writer.write(connection, EPOCH + k, serialize(cloud, TOPICS["radar/points"].type, typestore()))
    with pytest.raises(BagError, match="say --topic /front/points if that is the one"):
        process_bag(tmp_path / "in", tmp_path / "out")
    for topic in ("/front/points", "front/points", "points"):
        summary, _ = run(tmp_path / "in", tmp_path / topic.replace("/", "_"), topic=topic)
        assert summary.scans == 10


def test_what_is_set_of_nodes_that_do_not_simulate_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"--set tracking\.max_tracks: only `simulator` runs here; .*`aegis process`"):
        simulate_bag("fast_approach", tmp_path / "bag", duration_s=1.0, sets=["tracking.max_tracks=7"])
    assert not (tmp_path / "bag").exists()
