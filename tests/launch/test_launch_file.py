"""The launch file: made from the node table, and, where ROS's launch is installed, run for real.

`launch` and `launch_ros` are not on PyPI. On a machine with ROS 2, or with their sources on PYTHONPATH, and `aegis` built
by colcon (or pip) into a prefix on AMENT_PREFIX_PATH, the second half of this file runs too.
"""

import ast
import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aegis.graph.nodes import BRIDGE, DEFAULT_NODES, NODES
from aegis.resources import share_dir

LAUNCH_FILE = share_dir() / "launch" / "aegis.launch.py"
START_DEADLINE_S = 60.0

# What `ros2 launch FILE ARGUMENT:=VALUE...` does, without the ros2 command.
DRIVER = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
service = LaunchService()
source = PythonLaunchDescriptionSource(sys.argv[1])
arguments = [word.split(":=", 1) for word in sys.argv[2:]]
service.include_launch_description(LaunchDescription([IncludeLaunchDescription(source, launch_arguments=arguments)]))
sys.exit(service.run())
"""


def test_nodes_come_from_the_table():
    """The file names no node but those that its arguments switch, and the two whose parameters place the sensor."""
    tree = ast.parse(LAUNCH_FILE.read_text(encoding="utf-8"))
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert words & set(NODES) == {
        "simulator", "driver", "radar_msgs", "foxglove", "detection", "tracking"
    }  # fmt: skip
    calls = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert "Options" in calls
    assert "Plan.of(" in LAUNCH_FILE.read_text(encoding="utf-8")


def test_every_declared_argument_is_used():
    source = LAUNCH_FILE.read_text(encoding="utf-8")
    tree = ast.parse(source)
    declared = {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "DeclareLaunchArgument"
    }
    assert declared == {
        "config", "namespace", "simulator", "driver", "radar_msgs", "front_end", "scenario", "bridge", "foxglove", "respawn",
        "composed", "print_plan",
    }  # fmt: skip
    body = source.split("def processes", 1)[1]
    for name in declared:
        assert f'"{name}"' in body, f"argument '{name}' is declared, but nothing looks at it"


@pytest.fixture
def launch(ros_domain, tmp_path):
    """Return a function that launches with the given arguments; what it started is stopped at the end."""
    for module in ("launch.actions", "launch_ros.actions"):
        try:
            importlib.import_module(module)
        except ImportError as error:
            pytest.skip(f"{module} cannot be imported ({error}); it comes with ROS 2, not from PyPI")
    from ament_index_python.packages import PackageNotFoundError, get_package_prefix

    try:
        get_package_prefix("aegis")
    except PackageNotFoundError:
        pytest.skip("no prefix on AMENT_PREFIX_PATH holds the package aegis; build it with colcon, or pip install .")
    environ = {**ros_domain, "AEGIS_STATE_DIR": str(tmp_path / "state")}
    running = []

    def start(*arguments):
        command = [sys.executable, "-c", DRIVER, str(LAUNCH_FILE), *arguments]
        log = (tmp_path / "launch.log").open("wb")
        running.append(subprocess.Popen(command, env=environ, stdout=log, stderr=subprocess.STDOUT))
        running[-1].log = Path(log.name)
        return running[-1]

    yield start
    for process in running:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()


class Watcher:
    """A node that looks on from outside."""

    def __init__(self):
        import rclpy
        from aegis_msgs.msg import TrackArray
        from rclpy.executors import SingleThreadedExecutor

        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.node = rclpy.create_node("watcher", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.tracks = 0
        self.node.create_subscription(TrackArray, "/rig/tracks", self._count, 10)

    def _count(self, message):
        self.tracks += len(message.track_id) > 0

    def until(self, condition, process):
        deadline = time.monotonic() + START_DEADLINE_S
        while not condition():
            assert process.poll() is None, f"launch ended: {process.log.read_text()}"
            assert time.monotonic() < deadline, f"not within {START_DEADLINE_S} s: {process.log.read_text()}"
            self.executor.spin_once(timeout_sec=0.1)

    def names(self):
        found = self.node.get_node_names_and_namespaces()
        return {name for name, namespace in found if namespace == "/rig"}

    def close(self):
        self.node.destroy_node()
        self.context.shutdown()


@pytest.fixture
def watcher(launch):
    made = Watcher()
    yield made
    made.close()


def child(process, word):
    """Return the pid of the launched process that has the word as its first argument."""
    for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        if word in words[1:4] and any(part.endswith("aegis_node") for part in words):
            return int(pid)
    return None


def test_a_process_for_each_node_and_a_dead_one_comes_back(launch, watcher):
    process = launch("namespace:=rig", "bridge:=false", "foxglove:=false", "scenario:=crossing")
    expected = set(DEFAULT_NODES) - {"foxglove"}
    watcher.until(lambda: watcher.names() == expected and watcher.tracks > 0, process)
    pids = {name: child(process, name) for name in expected}
    assert None not in pids.values()
    assert len(set(pids.values())) == len(expected)

    os.kill(pids["tracking"], signal.SIGKILL)
    watcher.until(lambda: child(process, "tracking") not in (None, pids["tracking"]), process)
    before = watcher.tracks
    watcher.until(lambda: watcher.tracks > before, process)

    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0
    assert not [pid for pid in pids.values() if Path(f"/proc/{pid}").exists()]


def test_composed_is_one_process(launch, watcher):
    process = launch("namespace:=rig", "bridge:=false", "foxglove:=false", "composed:=true", "scenario:=crossing")
    watcher.until(lambda: watcher.names() == set(DEFAULT_NODES) - {"foxglove"} and watcher.tracks > 0, process)
    assert child(process, "simulator") is not None
    assert child(process, "tracking") is None


def test_without_the_simulator(launch, watcher):
    process = launch("namespace:=rig", "bridge:=false", "foxglove:=false", "simulator:=false")
    watcher.until(lambda: watcher.names() == set(DEFAULT_NODES) - {"foxglove", "simulator"}, process)


def test_a_wrong_parameter_starts_nothing(launch, tmp_path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("tracking:\n  ros__parameters:\n    no_such_key: 1\n")
    process = launch("bridge:=false", f"config:={wrong}")
    assert process.wait(timeout=START_DEADLINE_S) != 0
    text = process.log.read_text()
    assert "unknown parameter 'no_such_key'" in text
    assert str(wrong) in text
    assert "process started" not in text


def test_the_bridge_is_no_node_of_the_table():
    assert BRIDGE not in NODES
