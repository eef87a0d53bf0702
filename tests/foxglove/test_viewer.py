# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The Foxglove stage as Foxglove's own client sees it: the package @foxglove/ws-protocol, run by Node."""

import json
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from npm_packages import npm_ci
from picture_data import SECOND, make_threats, make_tracks

from aegis.core.types import Alarm, AlarmState, ThreatLevel
from aegis.ros.messages.alarms import alarms_to_msg
from aegis.ros.messages.picture import threats_to_msg, tracks_to_msg

STAMP_NS = 1_700_000_000 * SECOND
SOURCES = Path(__file__).parent / "viewer"


@pytest.fixture(scope="module")
def viewer(tmp_path_factory) -> Path:
    """The client's script, beside its packages."""
    copy = tmp_path_factory.mktemp("viewer")
    shutil.copytree(SOURCES, copy, ignore=shutil.ignore_patterns("node_modules"), dirs_exist_ok=True)
    npm_ci(copy)
    return copy / "viewer.mjs"


@pytest.mark.parametrize("subprotocol", ["foxglove.sdk.v1", "foxglove.websocket.v1"])
def test_foxgloves_client_lists_decodes_reads_calls_and_sees_the_time(serve, viewer, subprotocol):
    stage = serve(video_level=0.25)
    if stage.settings.sink == "sdk" and subprotocol == "foxglove.websocket.v1":
        pytest.skip("the SDK speaks foxglove.sdk.v1 alone; foxglove-websocket is for older viewers")
    tracks = make_tracks([7, 9], stamp_ns=STAMP_NS)
    alarm = Alarm(3, "too near", "quay", 7, AlarmState.ACTIVE, 1, STAMP_NS, "track 7 is 40 m from the quay")
    list(stage.on_message("alarms", alarms_to_msg([alarm], stamp_ns=STAMP_NS)))  # before anybody is there
    ended = threading.Event()

    def feed() -> None:
        while not ended.wait(0.05):
            tracks.stamp_ns += SECOND
            list(stage.on_message("threats", threats_to_msg(make_threats([7], [ThreatLevel.HIGH]))))
            list(stage.on_message("tracks", tracks_to_msg(tracks)))

    feeding = threading.Thread(target=feed)
    feeding.start()
    try:
        command = ["node", str(viewer), f"ws://127.0.0.1:{stage.settings.port}", subprotocol]
        done = subprocess.run(command, capture_output=True, text=True, timeout=40, check=False)
    finally:
        ended.set()
        feeding.join()
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {"time", "parameters", "services"} <= set(found["capabilities"])
    assert found["channels"]["/tracks"] == "cdr ros2msg aegis_msgs/msg/TrackArray"
    assert found["channels"]["/aegis/tracks"] == "protobuf protobuf foxglove.SceneUpdate"
    assert found["decoded"]["/tracks"]["track_id"] == [7, 9]
    assert found["decoded"]["/tracks"]["state"] == tracks.state.ravel().tolist()
    assert found["decoded"]["/alarms"]["text"] == ["track 7 is 40 m from the quay"]  # sent again for who comes late
    assert found["parameters"]["/foxglove.video_level"] == 0.25
    assert found["parameters"]["/foxglove.picture.show_tentative"] is False
    assert found["answer"]["error"] is None
    assert found["answer"]["track"]["class_probability"]["DRONE"] == pytest.approx(
        tracks.class_probability[0][1], abs=1e-3
    )
    assert found["answer"]["threat"]["level"] == "HIGH"
    assert int(found["time"]) > STAMP_NS
