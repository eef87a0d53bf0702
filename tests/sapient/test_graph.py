# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The whole graph between a fusion node and another sensor: what it sees goes out, and what that one sees comes in alone."""

import time
from functools import partial

import numpy as np
import pytest
from graph_process import Listener, aegis_up
from sapient_messages import SITE, tracks

from aegis.bench.live import free_port
from aegis.ros.messages.picture import tracks_from_msg
from aegis.sapient.conversation import Conversation

SITED = f"bridge.outputs.site=[{SITE.latitude_deg},{SITE.longitude_deg},{SITE.altitude_m}]"
FAR = [-9000.0, -12000.0, 500.0, 0.0, 0.0, 0.0]  # beyond the radar's range, false alarms included


def test_a_graph_reports_and_takes(ros_domain, settings, tmp_path, wait_for):
    out, into = free_port(), free_port()
    node = Conversation(settings(**{"edge.connect": "", "fusion.listen": f"tcp://127.0.0.1:{out}"}), None)
    sensor = Conversation(settings(**{"edge.connect": f"tcp://127.0.0.1:{into}"}), None)
    options = ["--composed", "--no-bridge", "--no-foxglove", "--sapient", f"tcp://127.0.0.1:{out}"]
    options += ["--set", f"sapient.fusion.listen=tcp://127.0.0.1:{into}", "--set", SITED]
    received, pictures = [], []

    def both(graph: Listener) -> bool:
        """Tell whether all has been seen; what is then judged is the picture in which it was."""
        sensor.take_tracks(tracks(time.time_ns(), FAR))
        sensor.poll(time.time_ns())
        received.extend(node.poll(time.time_ns()))
        for m in graph.messages["tracks"][-1:]:
            if "radar" in m.sources and any(one.startswith("foreign/") for one in m.sources):
                pictures.append(m)
        named = {name for m in graph.messages["status"] for name in m.stage}
        heard = {m.sensor_id == "radar" for m in graph.messages["source_tracks"]}
        return (
            bool(pictures)
            and any(len(one) > 1 for one in received)
            and {"sapient", "fusion"} <= named
            and len(heard) == 2
        )

    try:
        with Listener("tracks", "source_tracks", "status") as graph, aegis_up(ros_domain, tmp_path / "log", *options):
            wait_for(
                partial(both, graph),
                "tracks of both, alone and in one picture, reports, and the status of both nodes",
                90,
            )
    finally:
        for one in (node, sensor):
            one.close()
    picture = tracks_from_msg(pictures[-1])
    theirs = [i for i, sources in enumerate(picture.sources) if sources.startswith("foreign/sapient/Aegis-")]
    assert len(theirs) == 1
    assert picture.state[theirs[0], :3] == pytest.approx(FAR[:3], abs=5.0)
    distances = [np.linalg.norm(one.state[:, :2] - np.array(FAR[:2]), axis=1) for one in received]
    assert np.concatenate(distances).min() > 1000.0  # what the other sensor alone sees is not reported as ours
