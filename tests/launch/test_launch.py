# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The launch file, run for real, by launch_pytest.

`launch`, `launch_ros` and `launch_pytest` come with ROS 2, not from PyPI. `colcon test` runs this file; by hand, a prefix with the
package aegis, built by colcon or pip, must be on AMENT_PREFIX_PATH.
"""

import contextlib
import itertools
import math
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import rclpy
from aegis_msgs.msg import TrackArray
from rclpy.executors import SingleThreadedExecutor

from aegis.graph.nodes import DEFAULT_NODES
from aegis.graph.plan import Options, Plan
from aegis.resources import config_file, share_dir

launch_pytest = pytest.importorskip("launch_pytest", reason="launch_pytest comes with ROS 2, not from PyPI")
pytest.importorskip("launch_ros", reason="launch_ros comes with ROS 2, not from PyPI")

from ament_index_python.packages import PackageNotFoundError, get_package_prefix  # noqa: E402
from launch import LaunchDescription, LaunchService  # noqa: E402
from launch.actions import IncludeLaunchDescription, RegisterEventHandler  # noqa: E402
from launch.event_handlers import OnProcessStart  # noqa: E402
from launch.launch_description_sources import PythonLaunchDescriptionSource  # noqa: E402
from launch.logging import get_logger  # noqa: E402

START_DEADLINE_S = 60.0
SITE, HQ = config_file("site.yaml"), Path("hq.yaml")
NODES = set(DEFAULT_NODES) - {"foxglove"}  # which takes a port that somebody may have

try:
    get_package_prefix("aegis")
except PackageNotFoundError:
    pytest.skip(
        "no prefix on AMENT_PREFIX_PATH holds the package aegis: build it with colcon, or pip install .",
        allow_module_level=True,
    )


def description(**arguments: str) -> LaunchDescription:
    """Return what `ros2 launch aegis aegis.launch.py NAME:=VALUE...` launches, under /rig and without servers."""
    given = {"namespace": "rig", "bridge": "false", "foxglove": "false", **arguments}
    source = PythonLaunchDescriptionSource(str(share_dir() / "launch" / "aegis.launch.py"))
    return LaunchDescription([IncludeLaunchDescription(source, launch_arguments=given.items())])


@pytest.fixture
def recorder(tmp_path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A prefix with a package tf2_ros, whose publisher writes down its arguments and stays: tf2_ros itself is not on PyPI."""
    prefix, written = tmp_path / "prefix", tmp_path / "transforms"
    written.mkdir()
    marker = prefix / "share" / "ament_index" / "resource_index" / "packages" / "tf2_ros"
    program = prefix / "lib" / "tf2_ros" / "static_transform_publisher"
    for path in (marker, program):
        path.parent.mkdir(parents=True)
    marker.touch()
    program.write_text(
        f'#!/bin/sh\necho "$@" > {written}/$$.part && mv {written}/$$.part {written}/$$.txt\nexec sleep 600\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{prefix}:{os.environ['AMENT_PREFIX_PATH']}")
    return written


@pytest.fixture
def surroundings(ros_domain, monkeypatch: pytest.MonkeyPatch) -> None:
    """A domain, a state directory and a run of its own: what is launched inherits this process's environment."""
    monkeypatch.setenv("AEGIS_RUN_ID", "launch-test")


@launch_pytest.fixture
def processes(surroundings) -> LaunchDescription:
    return description(scenario="crossing")


@launch_pytest.fixture
def composed(surroundings) -> LaunchDescription:
    return description(scenario="crossing", composed="true")


@launch_pytest.fixture
def rig(surroundings, recorder, tmp_path) -> LaunchDescription:
    file = tmp_path / "site.yaml"
    file.write_text(
        "site: {ros__parameters: {radars: [front, left]}}\n"
        "tracking: {ros__parameters: {sensors: {front: {sensor_x: 3.0, sensor_yaw_deg: 90.0}, left: {sensor_y: -2.5}}}}\n"
    )
    return description(site=str(file), nodes="simulator,detection", scenario="crossing")


@launch_pytest.fixture
def without_simulator(surroundings) -> LaunchDescription:
    return description(simulator="false")


class Watcher:
    """A node that looks on from outside."""

    def __init__(self) -> None:
        self.context = rclpy.Context()
        rclpy.init(args=["test"], context=self.context)
        self.node = rclpy.create_node("watcher", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.tracks = 0
        self.node.create_subscription(TrackArray, "/rig/tracks", self._count, 10)

    def _count(self, message: TrackArray) -> None:
        self.tracks += len(message.track_id) > 0

    def until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + START_DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline, f"{what}: not within {START_DEADLINE_S} s"
            self.executor.spin_once(timeout_sec=0.1)

    def names(self) -> set[str]:
        found = self.node.get_node_names_and_namespaces()
        return {name for name, namespace in found if namespace == "/rig"}

    def close(self) -> None:
        self.node.destroy_node()
        self.context.shutdown()


@pytest.fixture
def watcher(surroundings) -> Iterator[Watcher]:
    made = Watcher()
    yield made
    made.close()


def child(name: str) -> int | None:
    """Return the pid of the process of a node, or of all; it is a child of the launched one, which looks after it."""
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it has just ended
            if process.cmdline()[:2] == ["aegis.graph.node", name]:
                return process.pid
    return None


@pytest.mark.launch(fixture=processes)
def test_a_process_for_each_node_and_one_that_dies_or_stops_comes_back(watcher):
    watcher.until(lambda: watcher.names() == NODES and watcher.tracks > 0, "every node, and tracks")
    pids = {name: child(name) for name in NODES}
    assert None not in pids.values()
    assert len(set(pids.values())) == len(NODES)

    for how in (signal.SIGKILL, signal.SIGSTOP):
        old = child("tracking")
        os.kill(old, how)
        watcher.until(lambda old=old: child("tracking") not in (None, old), f"another process after {how.name}")
        before = watcher.tracks
        watcher.until(lambda before=before: watcher.tracks > before, "tracks from it")

    yield  # the launch is told to shut down, and its return code is looked at
    assert not [pid for pid in pids.values() if psutil.pid_exists(pid)]


@pytest.mark.launch(fixture=composed)
def test_composed_is_one_process(watcher):
    watcher.until(lambda: watcher.names() == NODES and watcher.tracks > 0, "every node, and tracks")
    assert child("graph") is not None
    assert child("tracking") is None


@pytest.mark.launch(fixture=without_simulator)
def test_without_the_simulator(watcher):
    watcher.until(lambda: watcher.names() == NODES - {"simulator"}, "every node but the simulator")


@pytest.mark.launch(fixture=rig)
def test_each_radar_of_a_rig_has_its_transform(watcher, recorder):
    """In RViz each radar's points are where it stands: from the picture's frame to the one that its detection names."""
    watcher.until(lambda: len(list(recorder.glob("*.txt"))) == 2, "two transforms")
    found = {}
    for file in recorder.glob("*.txt"):
        words = file.read_text().split()
        given = dict(itertools.pairwise(words[: words.index("--ros-args")] if "--ros-args" in words else words))
        place = tuple(float(given[f"--{name}"]) for name in ("x", "y", "z", "yaw"))
        found[given["--child-frame-id"]] = (given["--frame-id"], place)
    assert found == {
        "front": ("map", pytest.approx((3.0, 0.0, 0.0, math.pi / 2))),
        "left": ("map", pytest.approx((0.0, -2.5, 0.0, 0.0))),
    }


def test_a_node_that_cannot_start_ends_the_launch(surroundings, caplog):
    get_logger("launch").addHandler(caplog.handler)  # which hands nothing on to the root's
    with socket.create_server(("127.0.0.1", 0)) as taken:
        os.environ["API_PORT"] = str(taken.getsockname()[1])
        try:
            service = LaunchService()
            service.include_launch_description(description(bridge="true"))
            service.run()  # returns
        finally:
            del os.environ["API_PORT"]
    assert re.search(r"process\[bridge-\d+\] was required: shutting down", caplog.text)


def timeless(line: str) -> str:
    """Return a line of a plan without the second at which simulated radars of a rig begin, which is the one of the planning."""
    return re.sub(r"begins_at_s=\d+", "begins_at_s=NOW", line)


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ({"site": "SITE"}, Options(site=SITE)),
        ({"config": "SITE", "radars": "front,left", "fusion": "true"}, Options(site=SITE)),
        ({"site": "HQ"}, Options(site=HQ)),
        ({}, Options(config=config_file("aegis.yaml"))),
    ],
)
def test_a_sites_file_plans_what_aegis_up_does(surroundings, tmp_path, caplog, arguments, asked):
    """`site:=FILE` gives the processes of `aegis up --site FILE`, and so does what the file says, said as arguments."""
    headquarters = tmp_path / HQ
    headquarters.write_text(
        "site: {ros__parameters: {fusion: true}}\n"
        "uplink: {ros__parameters: {receive: [north], mode: router, listen: [tcp/127.0.0.1:1]}}\n"
    )
    places = {"SITE": str(SITE), "HQ": str(headquarters)}
    asked = replace(asked, site=headquarters if asked.site == HQ else asked.site, namespace="rig", bridge=False)
    get_logger("launch.user").addHandler(caplog.handler)
    caplog.set_level("INFO")
    given = {name: places.get(value, value) for name, value in arguments.items()}
    service = LaunchService()
    service.include_launch_description(description(**given, print_plan="true"))
    assert service.run() == 0
    plan = Plan.of(replace(asked, foxglove=False), os.environ)
    said = [record.getMessage() for record in caplog.records if record.name == "launch.user"]
    assert list(map(timeless, said)) == list(map(timeless, plan.lines(["ros2", "run", "aegis", "aegis_node"])))
    assert len(said) > 2


def test_what_of_the_file_is_in_vain_is_said(surroundings, caplog):
    get_logger("launch.user").addHandler(caplog.handler)
    caplog.set_level("INFO")
    service = LaunchService()
    service.include_launch_description(description(config=str(config_file("rig.yaml")), print_plan="true"))
    assert service.run() == 0
    assert "places front, left (tracking.sensors); one radar runs" in caplog.text


def test_a_sites_file_beside_what_it_says_itself_is_refused(surroundings, caplog):
    get_logger("launch").addHandler(caplog.handler)
    service = LaunchService()
    service.include_launch_description(description(site=str(SITE), radars="front", print_plan="true"))
    assert service.run() != 0
    assert "site:=" in caplog.text


def test_a_wrong_parameter_starts_nothing(surroundings, tmp_path, caplog):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("tracking:\n  ros__parameters:\n    no_such_key: 1\n")
    get_logger("launch").addHandler(caplog.handler)  # which hands nothing on to the root's
    started = []
    watch = RegisterEventHandler(OnProcessStart(on_start=lambda event, _: started.append(event.process_name)))
    service = LaunchService()
    service.include_launch_description(LaunchDescription([watch, *description(config=str(wrong)).entities]))
    assert service.run() != 0
    assert "unknown parameter 'no_such_key'" in caplog.text
    assert str(wrong) in caplog.text
    assert started == []
