# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The two packages, by both routes: what colcon finds and builds, what the wheel holds, and what may import what."""

import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pytest
from built_packages import EXTENSION, KERNELS, ROOT, UNOPTIMISED_KERNELS, compiled_files, run, source_files
from catkin_pkg.changelog import get_changelog_from_path
from catkin_pkg.package import parse_package

ROS_PACKAGES = {
    "rclpy",
    "launch",
    "launch_ros",
    "ament_index_python",
    "builtin_interfaces",
    "rcl_interfaces",
    "tf2_ros",
}
OPTIONAL = {
    "radar_msgs",
    "marine_sensor_msgs",
    "vision_msgs",
    "autoware_perception_msgs",
}  # of somebody's radar or stack
PACKAGES = {"aegis_msgs": (ROOT / "msg" / "package.xml", ROOT / "msg" / "pyproject.toml"),
            "aegis": (ROOT / "src" / "package.xml", ROOT / "pyproject.toml")}  # fmt: skip
EXECUTABLE = 0o111


def read_toml(path):
    return tomllib.loads(path.read_text(encoding="utf-8"))


def test_colcon_finds_exactly_two_packages(tmp_path):
    environ = {**os.environ, "COLCON_LOG_PATH": str(tmp_path), "COLCON_HOME": str(tmp_path)}
    out = run(sys.executable, "-m", "colcon", "list", "--base-paths", str(ROOT), cwd=tmp_path, env=environ)
    found = {line.split("\t")[0]: (Path(line.split("\t")[1]), line.split("\t")[2]) for line in out.splitlines()}
    assert found == {
        "aegis": (ROOT / "src", "(ros.ament_cmake)"),
        "aegis_msgs": (ROOT / "msg", "(ros.ament_cmake)"),
    }


@pytest.mark.parametrize("name", PACKAGES)
def test_ros_and_python_metadata_agree(name):
    package_xml, pyproject = PACKAGES[name]
    ros, python = ET.parse(package_xml).getroot(), read_toml(pyproject)["project"]
    assert ros.findtext("name") == python["name"] == name
    assert ros.findtext("version") == python["version"]
    assert ros.findtext("license") == python["license"] == "Apache-2.0"
    assert re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", ros.find("maintainer").get("email"))


@pytest.mark.parametrize("name", PACKAGES)
def test_bloom_finds_a_changelog_that_it_can_read(name):
    """As `catkin_prepare_release` reads it, of which the next version's section is called Forthcoming."""
    folder = PACKAGES[name][0].parent
    found = get_changelog_from_path(str(folder), name)
    assert [version for version, _, _ in found.foreach_version()] == []
    assert parse_package(str(folder)).name == name
    assert found.rst.startswith("^" * len(f"Changelog for package {name}"))
    assert "Forthcoming\n-----------\n* " in found.rst


def test_every_ros_package_that_is_imported_is_declared_for_rosdep():
    text = "".join(path.read_text() for folder in ("src/aegis", "launch") for path in (ROOT / folder).rglob("*.py"))
    imported = set(re.findall(r"^ *(?:from|import) (\w+)", text, re.M))
    ros = {name for name in imported if name.endswith("_msgs") or name in ROS_PACKAGES}
    declared = {one.name for one in parse_package(str(ROOT / "src")).exec_depends}
    assert ros - OPTIONAL <= declared, ros - declared
    assert len(ros) > 10


def test_every_python_package_is_declared_for_rosdep_or_bounded_for_pip():
    """By the names that packages have on PyPI, and rosdep's keys for the same."""
    keys = {"pyyaml": "python3-yaml", "pyserial": "python3-serial"}
    needed = {
        re.match(r"[\w.-]+", one)[0]: one for one in read_toml(ROOT / "pyproject.toml")["project"]["dependencies"]
    }
    needed = {name: one for name, one in needed.items() if not name.startswith(("ros-", "aegis"))}
    declared = {one.name for one in parse_package(str(ROOT / "src")).exec_depends}
    by_rosdep = {name for name in needed if keys.get(name, f"python3-{name}") in declared}
    lines = [line.partition("#")[0].strip() for line in (ROOT / "requirements-ros.txt").read_text().splitlines()]
    bounded = {re.match(r"[\w.-]+", line)[0]: line for line in lines if line}
    assert bounded.pop("numpy") == "numpy<2"
    assert bounded == {name: one for name, one in needed.items() if name not in by_rosdep}
    assert len(by_rosdep) == 6


def test_the_version_is_the_same_everywhere():
    import aegis

    version = read_toml(ROOT / "pyproject.toml")["project"]["version"]
    assert aegis.__version__ == version
    assert f"aegis_msgs=={version}" in read_toml(ROOT / "pyproject.toml")["project"]["dependencies"]


def test_every_message_file_is_built():
    listed = set(re.findall(r'"((?:msg|srv)/\w+\.\w+)"', (ROOT / "msg" / "CMakeLists.txt").read_text()))
    present = {
        str(path.relative_to(ROOT / "msg")) for kind in ("msg", "srv") for path in (ROOT / "msg" / kind).iterdir()
    }
    assert listed == present


def test_colcon_extra_pins_what_the_message_wheel_builds_with():
    build = set(read_toml(ROOT / "msg" / "pyproject.toml")["build-system"]["requires"])
    project = read_toml(ROOT / "pyproject.toml")["project"]
    extra = set(project["optional-dependencies"]["colcon"])
    run_time = set(project["dependencies"])
    backend = {item for item in build if item.startswith(("scikit-build-core", "numpy"))}
    kernels = set(read_toml(ROOT / "pyproject.toml")["build-system"]["requires"]) - backend
    assert len(kernels) == 1
    assert kernels <= extra
    assert build - backend - run_time == extra - kernels - {"colcon-common-extensions", "setuptools"}
    assert {item for item in build if item.startswith(("ros-rclpy", "ros-std-msgs"))} <= run_time


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from the sdist."""
    pytest.importorskip("scikit_build_core", reason="the wheel's build backend; pip install '.[test]'")
    out = tmp_path_factory.mktemp("wheel")
    hook = "import sys; from scikit_build_core.build import build_sdist; build_sdist(sys.argv[1])"
    run(sys.executable, "-c", hook, str(out), cwd=ROOT)
    (sdist,) = out.glob("*.tar.gz")
    options = ("--no-deps", "--no-build-isolation", "-C", f"cmake.define.{UNOPTIMISED_KERNELS}")
    run(sys.executable, "-m", "pip", "wheel", *options, "-w", str(out), str(sdist), cwd=out)
    (path,) = out.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def test_wheel_holds_the_whole_package_and_what_ros_looks_for(wheel):
    names = set(wheel.namelist())
    data = next(name.split("/")[0] for name in names if ".data/" in name) + "/data/"
    for path in source_files():
        assert f"aegis/{path}" in names
    assert {name for name in names if name.endswith(".so")} == {f"aegis/{path}" for path in compiled_files()}
    assert not wheel.filename.endswith("any.whl")
    for folder in ("config", "launch"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert f"{data}share/aegis/{path.relative_to(ROOT)}" in names
    assert f"{data}share/aegis/package.xml" in names
    assert f"{data}share/ament_index/resource_index/packages/aegis" in names
    mode = wheel.getinfo(f"{data}lib/aegis/aegis_node").external_attr >> 16
    assert mode & EXECUTABLE == EXECUTABLE
    assert not [name for name in names if name.startswith("tests") or "__pycache__" in name]


# A scan and a cube through the compiled code; whoever opens a file to write into it fails.
WORK_WITHOUT_WRITING = """
import sys
def refuse(event, args):
    if event == "open" and (args[1] or "r")[0] != "r":
        raise SystemExit(f"{args[0]} is opened to be written")
sys.dont_write_bytecode = True
sys.addaudithook(refuse)
import numpy as np
from aegis.core.detection.detector import Detector
from aegis.core.detection.settings import DetectionSettings
from aegis.core.signal.cube import Cube, Waveform, WaveformKind
from aegis.core.signal.front_end import FrontEnd
from aegis.core.signal.settings import FrontEndSettings
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker
waveform = Waveform(WaveformKind.FMCW, 77e9, 1e6, 3e12, 4e-5, np.zeros((2, 3)), np.zeros(2))
samples = np.random.default_rng(1).normal(0.0, 30.0, (64, 32, 2, 2)).astype(np.int16)
scan, _ = FrontEnd(FrontEndSettings(cfar=dict(pfa=1e-2))).step(Cube(1, "radar", 1, "radar", waveform, samples))
detections, _ = Detector(DetectionSettings()).step(scan)
assert len(Tracker(TrackingSettings()).step(detections).tracks.track_id) == 0 < len(detections)
print(sys.modules["aegis.core.kernels.gate"].__file__)
"""


def test_an_installation_writes_nothing_and_needs_no_home(wheel, tmp_path):
    wheel.extractall(tmp_path)
    environ = {**os.environ, "PYTHONPATH": str(tmp_path), "HOME": "/nonexistent"}
    out = run(sys.executable, "-c", WORK_WITHOUT_WRITING, cwd=tmp_path, env=environ)
    assert out.strip() == str(tmp_path / "aegis" / KERNELS / f"gate{EXTENSION}")


def test_a_checkout_that_was_not_built_says_what_to_do(tmp_path):
    """Nothing runs slowly instead."""
    shutil.copytree(ROOT / "src" / "aegis", tmp_path / "aegis", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    code = "from aegis.core.tracking.tracker import Tracker"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "ImportError" in done.stderr.splitlines()[-1]
    assert "pip install" in done.stderr.splitlines()[-1]


def test_executable_is_executable_in_the_checkout():
    assert (ROOT / "src" / "scripts" / "aegis_node").stat().st_mode & stat.S_IXUSR


@pytest.mark.parametrize("room", ["core", "drivers", "simulation"])
def test_algorithms_know_no_ros(room):
    """Importing every module of the room in a bare interpreter loads no rclpy, no messages, and no room above it."""
    code = f"""
import importlib, pkgutil, sys
import aegis.{room} as room
names = [room.__name__] + [m.name for m in pkgutil.walk_packages(room.__path__, room.__name__ + ".")]
for name in names:
    importlib.import_module(name)
above = ("aegis.ros", "aegis.bridge", "aegis.foxglove", "aegis.graph")
above += ("aegis.drivers", "aegis.simulation") if {room!r} == "core" else ()
print(len(names))
for name in sorted(sys.modules):
    top = name.split(".")[0]
    if top in ("rclpy", "launch", "builtin_interfaces", "rosidl_parser") or top.endswith("_msgs") or name.startswith(above):
        print(name)
"""
    count, *loaded = run(sys.executable, "-c", code).split()
    assert int(count) >= 3
    assert loaded == []
