# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Two radars into one tracker, or each into its own and their tracks fused: one object is one track, held by both."""

import os
import signal

import numpy as np
import yaml
from graph_process import Listener, aegis_up, children

from aegis.core.types import TrackStatus

SCENARIO = {
    "name": "one aircraft",
    "duration_s": 300.0,
    "targets": [
        {
            "name": "aircraft", "class": "AIRCRAFT", "rcs_dbsm": 15.0, "swerling": 0,
            "motion": {"kind": "straight", "position_m": [-2000.0, 4000.0, 800.0], "speed_mps": 100.0, "course_deg": 90.0},
        }
    ],
}  # fmt: skip


PLACES = {"front": (1500.0, 0.0, 60.0), "left": (-1500.0, 300.0, 100.0)}


def options_of(scenario) -> list[str]:
    scenario.write_text(yaml.safe_dump(SCENARIO))
    out = ["--composed", "--no-bridge", "--no-foxglove", "--scenario", str(scenario)]
    for name, (x, y, yaw) in PLACES.items():
        out += ["--radar", name]
        for key, value in {"sensor_x": x, "sensor_y": y, "sensor_yaw_deg": yaw}.items():
            out += ["--set", f"tracking.sensors.{name}.{key}={value}"]
    return out


def errors_of(pictures, truths) -> tuple[set[int], list[float]]:
    """Return the ids of the one confirmed track of each picture, and how far it is from the truth of the same time."""
    truth = {t.header.stamp.sec + t.header.stamp.nanosec * 1e-9: t for t in truths}
    ids, errors = set(), []
    for m in pictures:
        confirmed = [i for i, status in enumerate(m.status) if status == TrackStatus.CONFIRMED]
        assert len(confirmed) == 1
        ids.add(m.track_id[confirmed[0]])
        there = truth.get(m.header.stamp.sec + m.header.stamp.nanosec * 1e-9)
        if there is not None:
            state = np.array(m.state).reshape(-1, 6)[confirmed[0]]
            errors.append(np.linalg.norm(state[:3] - np.array(there.state).reshape(-1, 6)[0, :3]))
    return ids, errors


def ground_sigma_of(pictures, ahead_s: float = 0.0) -> float:
    """Return the median standard deviation over ground of the confirmed tracks of pictures, in metres.

    `ahead_s`: after so long without a measurement, by the motion that is the trackers' default: 2 m/s^2, white.
    """
    step = np.kron(np.array([[1.0, ahead_s], [0.0, 1.0]]), np.eye(3))
    grown = 4.0 * ahead_s**3 / 3.0
    found = []
    for m in pictures:
        for i in np.flatnonzero(np.array(m.status) == TrackStatus.CONFIRMED):
            there = step @ np.array(m.covariance).reshape(-1, 6, 6)[i] @ step.T
            found.append(np.sqrt(np.trace(there[:2, :2]) + 2.0 * grown))
    return float(np.median(found))


def test_one_object_seen_by_two_radars_is_one_track(ros_domain, tmp_path, wait_for):
    log, options = tmp_path / "log", options_of(tmp_path / "one.yaml")
    with Listener("detections", "tracks", "truth", "status") as graph, aegis_up(ros_domain, log, *options):

        def shown_of_both() -> bool:
            sensors = {m.sensor_id for m in graph.messages["tracks"] if TrackStatus.CONFIRMED in m.status}
            return sensors == set(PLACES)

        wait_for(shown_of_both, "a confirmed track in the pictures of both radars", 60)
        begin = len(graph.messages["tracks"])
        wait_for(lambda: len(graph.messages["tracks"]) >= begin + 12, "twelve more pictures")
        stages = {"front/detection", "left/detection", "front/simulator", "left/simulator", "tracking"}
        wait_for(lambda: stages <= {name for m in graph.messages["status"] for name in m.stage}, "all stages")
    pictures = graph.messages["tracks"][begin:]
    assert {m.sensor_id for m in graph.messages["detections"]} == set(PLACES)
    ids, errors = errors_of(pictures, graph.messages["truth"])
    assert len(ids) == 1
    assert errors
    assert np.median(errors) < 60.0  # both mounts are right: a wrong yaw would be kilometres


def test_each_radar_has_its_tracker_and_their_tracks_are_fused(ros_domain, tmp_path, wait_for):
    """One radar's process stops, so that its tracks are the other's alone, and is killed and restarted: the id stays."""
    log, options = tmp_path / "log", [*options_of(tmp_path / "one.yaml"), "--fusion", "--hang-after", "0"]
    with (
        Listener("source_tracks", "tracks", "truth", "status", "events") as graph,
        aegis_up(ros_domain, log, *options) as up,
    ):

        def wait_for_sources(wanted: str) -> int:
            begin = len(graph.messages["tracks"])

            def shown() -> bool:
                new = graph.messages["tracks"][begin:]
                return any(
                    source == wanted and status == TrackStatus.CONFIRMED
                    for m in new for source, status in zip(m.sources, m.status, strict=True)
                )  # fmt: skip

            wait_for(shown, f"a confirmed track of {wanted}", 60)
            return len(graph.messages["tracks"])

        begin = wait_for_sources("front,left")
        wait_for(lambda: len(graph.messages["tracks"]) >= begin + 8, "eight more pictures")

        def adds() -> bool:
            """Whether a second radar adds, at whatever time between two scans of the first the picture is."""
            alone = [m for m in graph.messages["source_tracks"] if m.sensor_id == "front"]
            return ground_sigma_of(graph.messages["tracks"][-6:]) < ground_sigma_of(alone, ahead_s=0.5)

        wait_for(
            adds, "errors of the fused track as small as one radar's; with the biases of all alike they stay 35 m", 60
        )
        middle = len(graph.messages["tracks"])
        front = children(up)["front/graph"]
        os.kill(front, signal.SIGSTOP)
        wait_for(
            lambda: "SOURCE_SILENT" in {m.name for m in graph.messages["events"] if m.stage == "fusion"},
            "the loss of a source",
            60,
        )
        wait_for_sources("left")
        os.kill(front, signal.SIGKILL)
        wait_for_sources("front,left")
        assert "SOURCE_BACK" in {m.name for m in graph.messages["events"] if m.stage == "fusion"}
    assert {m.sensor_id for m in graph.messages["source_tracks"]} == set(PLACES)
    ids, errors = errors_of(graph.messages["tracks"][begin:middle], graph.messages["truth"])
    assert errors
    assert np.median(errors) < 60.0
    assert len(ids) == 1
    later = graph.messages["tracks"][middle:]
    held = {i for m in later for i, status in zip(m.track_id, m.status, strict=True) if status == TrackStatus.CONFIRMED}
    assert held == ids
    named = {name for m in graph.messages["status"] for name in m.stage}
    assert {"front/tracking", "left/tracking", "fusion"} <= named
