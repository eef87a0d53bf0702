# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A turning radar's datagrams through `aegis process`, to pictures: a capture, with the parameters that a user sets."""

import numpy as np
import pytest
from aegis_msgs.msg import DetectionArray, TrackArray
from asterix_radar import datagrams
from captures import framed, ip, pcap, udp
from click.testing import CliRunner
from rclpy.serialization import deserialize_message
from turning import Antenna, Judge

from aegis.cli.main import cli
from aegis.ros.bag import BagReader
from aegis.ros.messages.picture import detections_from_msg, tracks_from_msg

COURSES = {"A": ((7500.0, 90000.0), (-250.0, 0.0)), "B": ((90000.0, 7500.0), (0.0, -250.0))}
SETS = [
    "driver.udp.port=8600", "detection.has_elevation=false", "detection.has_doppler=false",
    "detection.accuracy.range_sigma_m=60", "detection.accuracy.azimuth_sigma_deg=0.08", "tracking.sensor.max_range_m=470000",
    "tracking.birth.initial_speed_sigma_mps=200",
]  # fmt: skip


@pytest.mark.parametrize("markers", ["north", "none"])
def test_a_capture_of_a_turning_radar(markers, tmp_path):
    antenna, judge = Antenna(8.0), Judge(COURSES)
    grams = datagrams(antenna, COURSES, 100.0, np.random.default_rng(1), markers=markers)
    frames = [(at_ns, framed(ip(udp(data, port=8600, group="127.0.0.1"), group="127.0.0.1"))) for at_ns, data in grams]
    (tmp_path / "radar.pcap").write_bytes(pcap(frames))
    words = ["process", tmp_path / "radar.pcap", "-o", tmp_path / "bag", "--driver", "asterix"]
    result = CliRunner().invoke(cli, [*map(str, words), *(word for each in SETS for word in ("--set", each))])
    assert result.exit_code == 0, result.output
    assert "2 tracks" in result.output
    assert "refused" not in result.output
    found = [deserialize_message(data, DetectionArray) for _, data in
             BagReader(tmp_path / "bag", "detections", "aegis_msgs/msg/DetectionArray").messages()]  # fmt: skip
    detections = [detections_from_msg(message) for message in found]
    assert all(d.sector is not None and (d.time_offset <= 1e-6).all() for d in detections)
    told = [d.sector.rate for d in detections if np.isfinite(d.sector.rate)]
    assert bool(told) == (markers == "north")
    assert told == pytest.approx([antenna.rate] * len(told), rel=0.01)
    for _, data in BagReader(tmp_path / "bag", "tracks", "aegis_msgs/msg/TrackArray").messages():
        tracks = tracks_from_msg(deserialize_message(data, TrackArray))
        judge.take(tracks)
        assert (tracks.time_since_update < 2.5 * antenna.period_s).all()
    judge.approve()
    assert np.diff(judge.times).max() <= 1.001
