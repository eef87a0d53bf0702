# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The live graph: the same tracks as offline, a real radar's data, nodes killed one by one."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import circle_drive
import numpy as np
import pytest
import umrr96
from aegis_msgs.msg import ThreatArray, TrackArray
from click.testing import CliRunner
from graph_process import Listener, aegis_up, children
from rclpy.serialization import deserialize_message

from aegis.bench.live import free_port
from aegis.cli.main import cli
from aegis.core.types import TrackStatus
from aegis.graph.nodes import DEFAULT_NODES, NODES
from aegis.graph.offline import process_bag, simulate_bag
from aegis.resources import config_file
from aegis.ros.bag import BagReader
from aegis.ros.messages.picture import tracks_from_msg

PUBLISHER = Path(__file__).parents[1] / "publish_bag.py"
EVENTS = {
    "RADAR_SCAN_COMPLETE", "RADAR_TARGETS_DETECTED", "DETECTION_RUNNING", "DETECTION_TARGETS_CLASSIFIED", "TRACKING_RUNNING",
    "TRACKING_UPDATED", "THREAT_ASSESSMENT_RUNNING", "PIPELINE_CYCLE_COMPLETE",
}  # fmt: skip


def pictures(bag: Path, topic: str, kind: type) -> list:
    return [
        deserialize_message(d, kind) for _, d in BagReader(bag, topic, f"aegis_msgs/msg/{kind.__name__}").messages()
    ]


def publish(bag: Path, recorded: Path, environ: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, str(PUBLISHER), str(bag), str(recorded)],
        env=environ,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr + done.stdout


def assert_same(live: list, offline: list) -> None:
    """Compare pictures field by field, to the last bit.

    Sequence numbers count the empty scans too that the driver sends until every link is there. Offline nothing has a proof.
    """
    assert len(live) == len(offline)
    begin = live[0].sequence - offline[0].sequence
    for a, b in zip(live, offline, strict=True):
        assert a.sequence - begin == b.sequence
        for name in set(a.get_fields_and_field_types()) - {"sequence", "proof"}:
            x, y = getattr(a, name), getattr(b, name)
            if name == "header":
                assert x == y
            else:
                np.testing.assert_array_equal(np.array(x), np.array(y), err_msg=name)


@pytest.mark.parametrize("composed", [False, True], ids=["processes", "composed"])
def test_live_and_offline_give_the_same_tracks(ros_domain, tmp_path, wait_for, composed):
    bag, out, recorded = tmp_path / "in", tmp_path / "out", tmp_path / "recorded"
    simulate_bag("crossing", bag, duration_s=30.0)
    process_bag(bag, out)
    options = ["--external-radar", "--no-bridge", "--no-foxglove", *(["--composed"] if composed else [])]
    with Listener("events") as listener, aegis_up(ros_domain, tmp_path / "log", *options):
        # The driver is through in a second or two, and no event comes after its last scan.
        stages = [node for node in NODES.values() if node.offline and not node.on_request]
        wait_for(lambda: listener.publishers("events") == len(stages), "every stage's events are heard")
        publish(bag, recorded, ros_domain)
        names = lambda: {m.name for m in listener.messages["events"]}  # noqa: E731
        wait_for(lambda: names() >= EVENTS, "the events of a cycle")
    offline = pictures(out, "tracks", TrackArray)
    assert max(len(m.track_id) for m in offline) >= 2
    assert_same(pictures(recorded, "tracks", TrackArray), offline)
    assert_same(pictures(recorded, "threats", ThreatArray), pictures(out, "threats", ThreatArray))


def test_a_real_radars_targets_come_out_as_tracks(ros_domain, tmp_path, shared_data):
    profile = config_file("umrr96.yaml")
    bag, out, recorded = tmp_path / "in", tmp_path / "out", tmp_path / "recorded"
    umrr96.write(shared_data, bag)
    process_bag(bag, out, config=profile)
    options = ["--external-radar", "--no-bridge", "--no-foxglove", "--config", str(profile)]
    with aegis_up(ros_domain, tmp_path / "log", *options):
        publish(bag, recorded, ros_domain)
    live = pictures(recorded, "tracks", TrackArray)
    assert len(live) == len(umrr96.frames(shared_data)) == 227
    assert_same(live, pictures(out, "tracks", TrackArray))
    frames = [tracks_from_msg(m) for m in live]
    confirmed = [set(t.track_id[t.status != TrackStatus.TENTATIVE].tolist()) for t in frames]
    longest = max(sum(i in ids for ids in confirmed) for i in set().union(*confirmed))
    assert longest > 100  # frames of 227: objects are followed through the scene


def test_on_a_moving_platform_live_and_offline_give_the_same_too(ros_domain, tmp_path):
    bag, out, recorded = tmp_path / "in", tmp_path / "out", tmp_path / "recorded"
    circle_drive.write(bag)
    process_bag(bag, out, sets=circle_drive.SETS)
    sets = [word for item in circle_drive.SETS for word in ("--set", item)]
    with aegis_up(ros_domain, tmp_path / "log", "--external-radar", "--no-bridge", "--no-foxglove", *sets):
        publish(bag, recorded, ros_domain)
    live = pictures(recorded, "tracks", TrackArray)
    assert len(live) == 30
    assert any(len(m.track_id) for m in live)
    assert_same(live, pictures(out, "tracks", TrackArray))


def confirmed_ids(pictures: list) -> set[int]:
    """Return the ids of the confirmed tracks in the last picture."""
    return {i for i, status in zip(pictures[-1].track_id, pictures[-1].status, strict=True) if status >= 2}


def test_any_process_may_be_killed_or_stopped_and_tracks_come_back(ros_domain, tmp_path, wait_for):
    with (
        Listener("tracks", "events") as listener,
        aegis_up(
            ros_domain, tmp_path / "log", "--no-bridge", "--set", "simulator.scan_interval_s=0.1",
            "--set", "tracking.snapshot.period_s=0.2", "--set", "tracking.snapshot.max_age_s=60",
            "--set", f"foxglove.port={free_port()}",
        ) as up,
    ):  # fmt: skip
        tracks = listener.messages["tracks"]
        kept = Path(ros_domain["AEGIS_STATE_DIR"]) / "tracks.npz"

        def confirmed() -> bool:
            return bool(tracks) and bool(confirmed_ids(tracks))

        wait_for(confirmed, "tracks")
        for name, how in [*((name, signal.SIGKILL) for name in DEFAULT_NODES), ("detection", signal.SIGSTOP)]:
            before = children(up)
            assert set(before) == set(DEFAULT_NODES)
            if name == "tracking":
                old = confirmed_ids(tracks)
                written = kept.stat().st_mtime_ns
                wait_for(lambda t=written: kept.stat().st_mtime_ns > t, "these tracks are on disk")
            seen = {i for m in tracks for i in m.track_id}
            os.kill(before[name], how)
            wait_for(lambda name=name, pid=before[name]: children(up).get(name, pid) != pid, f"{name} restarted")
            tracks.clear()
            wait_for(confirmed, f"tracks after {name} was killed")
            after = children(up)
            assert {n: p for n, p in after.items() if n != name} == {n: p for n, p in before.items() if n != name}
            if name == "tracking":
                wait_for(lambda old=old: confirmed_ids(tracks) & old, "a track lives on under its id")
                new = {i for m in tracks for i in m.track_id} - seen
                assert all(i > max(seen) for i in new)  # an id is never used again, also not by the next process
        epochs = {m.epoch for m in listener.messages["events"] if m.stage == "tracking"}
        assert epochs == {0, 1}
        log = (tmp_path / "log").read_text()
        for name in DEFAULT_NODES:
            assert f"{name} was killed by SIGKILL" in log
        assert "detection was stopped by a signal" in log


def test_a_wrong_parameter_stops_everything_with_exit_code_2(ros_domain):
    arguments = ["up", "--set", "tracking.sensor.clutter_per_scan=-1"]
    done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert done.exit_code == 2
    assert "'sensor.clutter_per_scan' = -1" in done.stderr


def test_killing_the_supervisor_ends_its_processes(ros_domain, tmp_path, wait_for):
    log = (tmp_path / "log").open("wb")
    up = subprocess.Popen([sys.executable, "-m", "aegis", "up", "--no-bridge"], env=ros_domain, stdout=log, stderr=log)
    try:
        wait_for(lambda: len(children(up)) == len(DEFAULT_NODES), "all processes")
        pids = list(children(up).values())
    finally:
        up.kill()
        up.wait()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "the end of all processes")
