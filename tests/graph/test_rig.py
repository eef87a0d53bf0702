"""Two radars into one tracker, as a rig starts them: one object is one track, held by both."""

import numpy as np
import yaml
from graph_process import Listener, aegis_up

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


def test_one_object_seen_by_two_radars_is_one_track(ros_domain, tmp_path, wait_for):
    scenario, log = tmp_path / "one.yaml", tmp_path / "log"
    scenario.write_text(yaml.safe_dump(SCENARIO))
    places = {"front": (1500.0, 0.0, 60.0), "left": (-1500.0, 300.0, 100.0)}
    options = ["--composed", "--no-bridge", "--no-foxglove", "--scenario", str(scenario)]
    for name, (x, y, yaw) in places.items():
        options += ["--radar", name]
        for key, value in {"sensor_x": x, "sensor_y": y, "sensor_yaw_deg": yaw}.items():
            options += ["--set", f"tracking.sensors.{name}.{key}={value}"]
    with Listener("detections", "tracks", "truth", "status") as graph, aegis_up(ros_domain, log, *options):

        def shown_of_both() -> bool:
            sensors = {m.sensor_id for m in graph.messages["tracks"] if TrackStatus.CONFIRMED in m.status}
            return sensors == set(places)

        wait_for(shown_of_both, "a confirmed track in the pictures of both radars", 60)
        begin = len(graph.messages["tracks"])
        wait_for(lambda: len(graph.messages["tracks"]) >= begin + 12, "twelve more pictures")
        wait_for(lambda: len({name for m in graph.messages["status"] for name in m.stage}) >= 6, "all stages")
    pictures = graph.messages["tracks"][begin:]
    assert {m.sensor_id for m in graph.messages["detections"]} == set(places)
    truth = {t.header.stamp.sec + t.header.stamp.nanosec * 1e-9: t for t in graph.messages["truth"]}
    ids, errors = set(), []
    for m in pictures:
        confirmed = [i for i, status in enumerate(m.status) if status == TrackStatus.CONFIRMED]
        assert len(confirmed) == 1
        ids.add(m.track_id[confirmed[0]])
        there = truth.get(m.header.stamp.sec + m.header.stamp.nanosec * 1e-9)
        if there is not None:
            state = np.array(m.state).reshape(-1, 6)[confirmed[0]]
            errors.append(np.linalg.norm(state[:3] - np.array(there.state).reshape(-1, 6)[0, :3]))
    assert len(ids) == 1
    assert errors
    assert np.median(errors) < 60.0  # both mounts are right: a wrong yaw would be kilometres
    named = {name for m in graph.messages["status"] for name in m.stage}
    assert {"front/detection", "left/detection", "front/simulator", "left/simulator", "tracking"} <= named
