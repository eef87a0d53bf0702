# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Cubes in bags: the simulator at signal level, then the front end and all that follows, offline; and what a cube's stage says."""

import numpy as np
import pytest
from aegis_msgs.msg import TrackArray
from aegis_msgs.srv import Scan
from rclpy.serialization import deserialize_message
from rosbags.rosbag2 import Reader

from aegis.core.types import TrackStatus
from aegis.graph.config import load_settings
from aegis.graph.offline import process_bag, simulate_bag
from aegis.resources import config_file
from aegis.ros.bag import BagReader
from aegis.ros.messages.cubes import cube_from_msg
from aegis.ros.messages.picture import tracks_from_msg
from aegis.ros.stages.base import StageContext
from aegis.ros.stages.simulator import SimulatorStage

PROFILE = config_file("fmcw_mimo.yaml")


@pytest.fixture(scope="module")
def processed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw")
    simulate_bag("street", folder / "in", duration_s=3.0, config=PROFILE)
    summary = process_bag(folder / "in", folder / "out", config=PROFILE)
    return folder, summary


def topics(bag) -> dict[str, int]:
    reader = Reader(bag)
    reader.open()
    try:
        return {c.topic: c.msgcount for c in reader.connections}
    finally:
        reader.close()


def test_cubes_become_points_maps_and_tracks(processed):
    folder, summary = processed
    assert topics(folder / "in")["/radar/cube"] == summary.scans == 60
    found = topics(folder / "out")
    assert found["/radar/cube"] == found["/radar/points"] == found["/tracks"] == 60
    assert 5 <= found["/radar/range_doppler"] <= 7  # 2 Hz
    assert (summary.errors, summary.refused) == (0, 0)


def test_the_oncoming_car_is_tracked_where_the_scenario_has_it(processed):
    folder, _ = processed
    reader = BagReader(folder / "out", "tracks", "aegis_msgs/msg/TrackArray")
    *_, (_, last) = reader.messages()
    tracks = tracks_from_msg(deserialize_message(last, TrackArray))
    confirmed = tracks.state[tracks.status != TrackStatus.TENTATIVE]
    # 12 m/s to the west from (145, 2): after 2.95 s at x = 109.6, a car of 4.2 m.
    car = confirmed[np.hypot(confirmed[:, 0] - 109.6, confirmed[:, 1] - 2.0) < 5.0]
    assert len(car) >= 1
    assert np.abs(car[:, 3] + 12.0).min() < 1.0


def test_the_same_cubes_give_the_same_bytes(processed, tmp_path):
    folder, _ = processed
    process_bag(folder / "in", tmp_path / "out", config=PROFILE)  # the name is in the file too
    (a,), (b,) = (folder / "out").glob("*.mcap"), (tmp_path / "out").glob("*.mcap")
    assert a.read_bytes() == b.read_bytes()


def test_points_of_a_bag_can_be_taken_instead_of_its_cubes(processed, tmp_path):
    folder, _ = processed
    process_bag(folder / "out", tmp_path / "again", config=PROFILE)
    assert "/radar/cube" not in topics(tmp_path / "again")
    process_bag(folder / "out", tmp_path / "raw", config=PROFILE, topic="radar/cube")
    assert topics(tmp_path / "raw")["/radar/cube"] == 60


def test_a_scan_on_demand_is_a_cube():
    stage = SimulatorStage(load_settings("simulator", PROFILE, environ={}), StageContext())
    response = Scan.Response()
    outputs = list(stage.on_service("scan", Scan.Request(), response, 10**9))
    (cube,) = [cube_from_msg(o.message) for o in outputs if o.topic == "radar/cube"]
    assert (response.success, response.points, response.sequence) == (True, 0, cube.sequence)
    assert cube.data.shape == (256, 128, 12, 2)
    assert stage.detail()["cube_bytes"] == cube.data.nbytes
    assert stage.settings.gives_cubes
