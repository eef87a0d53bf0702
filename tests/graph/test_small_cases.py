"""Small inputs that once failed, each with what is right of it: whole bags through the offline graph.

The bags themselves are not in the repository (../shared/cases); beside each stands the same kind made here.
"""

from pathlib import Path

import numpy as np
import pytest
from aegis_msgs.msg import TrackArray
from rclpy.serialization import deserialize_message
from scenes import approach
from sensor_msgs.msg import PointCloud2

from aegis.core.types import TrackStatus
from aegis.graph.offline import Summary, process_bag
from aegis.ros.bag import BagReader, write_bag
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
