# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A copy with one more field of a track, built by `colcon build`: all is installed where ROS looks, and the field is everywhere.

The field is three lines: in the message, in the dataclass, and a column of the bridge. docs/field.md says so.
"""

import json
import os
import re
import shutil
import stat
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from built_packages import EXTENSION, ROOT, UNOPTIMISED_KERNELS, compiled_files, run, source_files

LINES = [  # file, the line before, the new line
    ("msg/msg/TrackArray.msg", "uint32[] hits ", "float32[] glint_db              # [dB]; NaN where unknown\n"),
    (
        "src/aegis/core/types.py",
        "    hits: Ints",
        "    glint_db: Floats = field(default_factory=lambda: np.zeros(0))\n",
    ),
    (
        "src/aegis/bridge/live/columns.py",
        '    integer("hits", ',
        '    number("glint_db", 1, lambda t: t.glint_db, "spread of its echoes", 3.2, live=False),\n',
    ),
]
USE = """
import json
import aegis
import numpy as np
from bridge_data import some_tracks
from fastapi import FastAPI
from rclpy.serialization import deserialize_message, serialize_message
from aegis.bridge.live.columns import track_rows
from aegis.bridge.routes import radar
from aegis.ros.messages.picture import tracks_from_msg, tracks_to_msg
tracks = some_tracks(1, 5)
tracks.glint_db = np.array([1.26, np.nan])
sent = tracks_to_msg(tracks)
back = tracks_from_msg(deserialize_message(serialize_message(sent), type(sent)))
app = FastAPI()
app.include_router(radar.router)
print(json.dumps({
    "file": aegis.__file__,
    "message": str(list(sent.glint_db)),
    "received": str(back.glint_db.round(3).tolist()),
    "rows": [row["glint_db"] for row in json.loads(track_rows(back).json())],
    "openapi": app.openapi()["components"]["schemas"]["Track"]["properties"]["glint_db"],
}))
"""


def insert(path: Path, before: str, line: str) -> None:
    lines = path.read_text().splitlines(keepends=True)
    (at,) = (i for i, text in enumerate(lines) if text.startswith(before))
    path.write_text("".join([*lines[: at + 1], line, *lines[at + 1 :]]))


class Workspace(NamedTuple):
    """What colcon made of the copy."""

    install: Path
    build: Path
    package: Path  # the installed Python package
    environ: dict[str, str]  # to build with, and to run without the messages of this environment


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    """The copy, built by plain `colcon build` against this interpreter's prefix."""
    prefix = Path(sys.prefix)
    wanted = ("ament_cmake", "rosidl_default_generators", "ament_cmake_python")
    missing = [name for name in wanted if not (prefix / "share" / name / "package.xml").is_file()]
    if missing:
        pytest.skip(f"{', '.join(missing)} not in {prefix}; `pip install '.[colcon]'` gets the build wheels")
    copy = tmp_path_factory.mktemp("copy")
    for part in ("msg", "src", "launch", "config"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__", "*.so", "node_modules"))
    (copy / "tests").symlink_to(ROOT / "tests")  # what the build looks for tests in
    for path, before, line in LINES:
        insert(copy / path, before, line)
    environ = {
        **os.environ,
        "AMENT_PREFIX_PATH": str(prefix),
        "CMAKE_PREFIX_PATH": str(prefix),
        "PATH": f"{prefix / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "COLCON_LOG_PATH": str(copy / "log"),
        "COLCON_HOME": str(copy),
    }
    environ.pop("PYTHONPATH", None)
    build, install = copy / "build", copy / "install"
    chosen = ("--base-paths", copy / "msg", copy / "src", "--packages-select", "aegis_msgs", "aegis")
    places = ("--build-base", build, "--install-base", install)
    run(sys.executable, "-m", "colcon", "build", *chosen, *places, "--cmake-args", f"-D{UNOPTIMISED_KERNELS}",
        cwd=copy, env=environ)  # fmt: skip
    (package,) = (install / "aegis").rglob("*-packages/aegis")
    return Workspace(install, build, package, environ)


def test_everything_is_installed_where_ros_looks_for_it(workspace):
    for kind in ("msg", "srv"):
        for path in (ROOT / "msg" / kind).iterdir():
            assert (workspace.install / "aegis_msgs" / "share" / "aegis_msgs" / kind / path.name).is_file()
    assert list((workspace.install / "aegis_msgs").rglob("aegis_msgs_s__rosidl_typesupport_fastrtps_c*.so"))
    aegis = workspace.install / "aegis"
    assert (aegis / "lib" / "aegis" / "aegis_node").stat().st_mode & stat.S_IXUSR
    assert (aegis / "share" / "aegis" / "launch" / "aegis.launch.py").is_file()
    package = workspace.package
    found = {str(p.relative_to(package)) for p in package.rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    assert {name for name in found if not name.endswith(".so")} == source_files()
    assert compiled_files() <= found


def test_colcon_test_finds_the_tests_for_ros(workspace):
    listed = run("ctest", "-N", "--test-dir", workspace.build / "aegis", env=workspace.environ)
    assert set(re.findall(r"Test +#\d+: (\w+)", listed)) == {"launch", "ros"}


def test_the_installed_kernels_and_shared_files_are_used(workspace, tmp_path):
    environ = {**workspace.environ, "PYTHONPATH": str(workspace.package.parent)}
    load = "import aegis.core.kernels.gate as kernel; print(kernel.__file__)"
    out = run(sys.executable, "-c", load, cwd=tmp_path, env=environ)
    assert out.strip() == str(workspace.package / "core" / "kernels" / f"gate{EXTENSION}")
    code = "from aegis.resources import config_file, share_dir; print(share_dir()); config_file('rviz/aegis.rviz')"
    out = run(sys.executable, "-c", code, cwd=tmp_path, env=environ)
    assert Path(out.strip()) == workspace.install / "aegis" / "share" / "aegis"


@pytest.fixture(scope="module")
def used(workspace) -> dict:
    """What the installed copy makes of tracks."""
    (messages,) = (workspace.install / "aegis_msgs").rglob("*-packages/aegis_msgs")
    libraries = f"{workspace.install / 'aegis_msgs' / 'lib'}:{os.environ.get('LD_LIBRARY_PATH', '')}"
    paths = os.pathsep.join(map(str, (messages.parent, workspace.package.parent, ROOT / "tests")))
    environ = {**os.environ, "PYTHONPATH": paths, "LD_LIBRARY_PATH": libraries}
    out = json.loads(run(sys.executable, "-c", USE, env=environ))
    assert Path(out["file"]).is_relative_to(workspace.package)
    return out


def test_it_is_in_the_message(used):
    assert used["message"].startswith("[1.25999")
    assert used["received"] == "[1.26, nan]"


def test_it_is_in_the_json(used):
    assert used["rows"] == [1.3, None]


def test_it_is_in_the_api_description(used):
    assert used["openapi"]["description"] == "spread of its echoes"
    assert used["openapi"]["examples"] == [3.2]
    assert {one["type"] for one in used["openapi"]["anyOf"]} == {"number", "null"}
