"""One more field of a track is three lines: in the message, in the dataclass, and a column of the bridge. docs/field.md says so."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
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


def run(*command: object, **environ: str) -> str:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=580, env={**os.environ, **environ}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def used(tmp_path_factory) -> dict:
    """What a copy with one more field makes of tracks."""
    pytest.importorskip("scikit_build_core", reason="the wheel's build backend; pip install '.[test]'")
    copy = tmp_path_factory.mktemp("copy")
    for part in ("msg", "src"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    for path, before, line in LINES:
        insert(copy / path, before, line)
    pip = (sys.executable, "-m", "pip", "-q", "--disable-pip-version-check")
    options = ("--no-deps", "--no-build-isolation", "-C", "cmake.build-type=None")
    fast = {"CFLAGS": "-O0", "CXXFLAGS": "-O0"}
    run(*pip, "install", *options, "--ignore-installed", "--prefix", copy / "prefix", copy / "msg", **fast)
    (packages,) = copy.glob("prefix/**/site-packages")
    libraries = f"{copy / 'prefix' / 'lib'}:{os.environ.get('LD_LIBRARY_PATH', '')}"
    paths = os.pathsep.join(map(str, (packages, copy / "src", ROOT / "tests")))
    out = json.loads(run(sys.executable, "-c", USE, PYTHONPATH=paths, LD_LIBRARY_PATH=libraries))
    assert Path(out["file"]).is_relative_to(copy)
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
