"""Compiled code: kept where possible, and ready before the first scan."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ONE_FUNCTION = """
from aegis.core.compiled import compiled

@compiled
def double(x):
    return 2.0 * x

print(double(4.0))
"""

# Every kind of scan, as it comes out of a message, in a process in which nothing else has compiled anything.
FIRST_SCANS = """
import json
import sys
from dataclasses import replace
import numpy as np
from numba.core.dispatcher import Dispatcher
from scipy.spatial.transform import Rotation
from aegis.core.detection.detector import Detector
from aegis.core.detection.settings import DetectionSettings
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import Pose, Scan
from aegis.ros.messages.cubes import cube_from_msg, cube_to_msg
from aegis.ros.messages.picture import detections_from_msg, detections_to_msg

def compiled():
    return {
        f"{v.py_func.__module__}.{v.py_func.__name__}": list(v.signatures)
        for name, module in list(sys.modules.items()) if name.startswith("aegis.core")
        for v in vars(module).values() if isinstance(v, Dispatcher)
    }

def points(n, k, measured):
    rng = np.random.default_rng(k)
    unknown = np.full(n, np.nan)
    known = np.zeros(n) if measured else unknown
    return Scan(
        stamp_ns=1_700_000_000_000_000_000 + k * 1_000_000_000, frame_id="radar", sequence=k + 1, range=np.linspace(500.0, 5e3, n),
        azimuth=np.linspace(-1.0, 1.0, n), elevation=known + 0.1, range_rate=known + 5.0, snr_db=rng.normal(20.0, 3.0, n),
        rcs_dbsm=known, noise_db=known,
    )

polar, cartesian = Detector(DetectionSettings()), Detector(DetectionSettings(accuracy={"cartesian_sigma_m": 5.0}))
tracker = Tracker(TrackingSettings.load(json.loads(sys.argv[1])))
ready = compiled()
assert ready
k = 0
for detector in (polar, cartesian):
    for measured in (True, False):
        for n in (0, 1, 2, 40, 40, 40):
            k += 1
            detections, _ = detector.step(points(n, k, measured))
            if k % 3 == 0:
                detections.pose = Pose(np.ones(3), Rotation.from_euler("z", 0.1).as_matrix(), np.ones(3))
            detections = detections_from_msg(detections_to_msg(detections))
            tracker.step(detections)
            late = tracker.step(replace(detections, sensor_id="late", stamp_ns=detections.stamp_ns - 500_000_000))
            assert late.reordered or k == 1
again = Tracker(tracker.settings)
again.resume(tracker.snapshot())
again.step(replace(detections, stamp_ns=detections.stamp_ns + 1_000_000_000))
assert len(again._rows) > 0
after = compiled()
new = {name: set(after[name]) - set(ready.get(name, [])) for name in after if after[name] != ready.get(name)}
assert not new, f"compiled at a scan: {new}"
"""

# Every kind of cube, as it comes out of a message.
FIRST_CUBES = """
import itertools
import sys
import numpy as np
from numba.core.dispatcher import Dispatcher
from aegis.core.signal import front_end
from aegis.core.signal.cube import Cube, Waveform, WaveformKind
from aegis.core.signal.settings import FrontEndSettings
from aegis.ros.messages.cubes import cube_from_msg, cube_to_msg
from aegis.ros.messages.picture import detections_from_msg, detections_to_msg

def compiled():
    return {
        f"{v.py_func.__module__}.{v.py_func.__name__}": list(v.signatures)
        for name, module in list(sys.modules.items()) if name.startswith("aegis.core.signal")
        for v in vars(module).values() if isinstance(v, Dispatcher)
    }

front_end.warm()
ready = compiled()
assert ready
rng = np.random.default_rng(1)
position = np.zeros((6, 3))
position[:, 1] = 0.001 * np.arange(6)
tilted = position + rng.normal(size=(6, 3)) * 0.001
tone = 500.0 * np.exp(2j * np.pi * (0.23 * np.arange(64)[:, None] + 0.1 * np.arange(32)))[..., None] * np.ones(6)
tone += rng.normal(size=tone.shape)
pairs = np.stack([tone.real, tone.imag], axis=-1).astype(np.int16)
ends = [front_end.FrontEnd(FrontEndSettings(cfar={"method": kind, "pfa": 1e-3})) for kind in ("ca", "go", "so", "os")]
other = FrontEndSettings(
    doppler={"remove_static": True}, cfar={"pfa": 1e-3}, points={"group_peaks": False}, beams={"per_cell": 2},
    coverage={"max_range_m": 400.0},
)
ends.append(front_end.FrontEnd(other))
for end, place, delay, slope, pulse in itertools.product(ends, (position, tilted), (0.0, 2e-5), (3e12, -3e12), (False, True)):
    kind = WaveformKind.PULSE if pulse else WaveformKind.FMCW
    w = Waveform(kind, 77e9, 1e6, slope, 4e-5, place, np.repeat([0.0, delay], 3), 5e-6 * pulse)
    for data in (pairs, tone.astype(np.complex64), *(() if pulse else (pairs[..., 0],))):
        for samples in (data, data * data.dtype.type(0)):
            cube = Cube(1, "radar", 1, "radar", w, np.ascontiguousarray(samples))
            end.step(cube_from_msg(cube_to_msg(cube)))
after = compiled()
new = {name: set(after[name]) - set(ready.get(name, [])) for name in after if after[name] != ready.get(name)}
assert not new, f"compiled at a cube: {new}"
"""


def run(program: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], env={**os.environ, **environ}, capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"motion.model": "cv", "association.method": "gnn"},
        {"motion.model": "ct", "max_extent_m": 20.0, "clutter.memory_s": 60.0, "registration.mode": "apply"},
        {
            "birth.places.east": {"x": 1000.0, "y": 0.0, "sigma_m": 200.0, "objects_per_scan": 0.1},
            "existence.mean_visible_s": 30.0,
            "birth.transient_share": 0.2,
        },
    ],
    ids=["defaults", "cv, gnn", "ct, extended, clutter map, registration", "places, hidden, transient"],
)
def test_no_scan_waits_for_the_compiler(parameters):
    done = run(FIRST_SCANS, json.dumps(parameters))
    assert done.returncode == 0, done.stderr


def test_no_cube_waits_for_the_compiler():
    done = run(FIRST_CUBES)
    assert done.returncode == 0, done.stderr


def test_where_nothing_can_be_kept_code_is_compiled_all_the_same(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    done = run(ONE_FUNCTION, NUMBA_CACHE_DIR=str(tmp_path / "file"))
    assert done.stdout == "8.0\n", done.stderr
    assert f"compiled code cannot be kept in {tmp_path / 'file'}" in done.stderr
    assert "NUMBA_CACHE_DIR" in done.stderr
