# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The tracker, Stone Soup's, and what one would write by hand on the same scenarios: CPU time and GOSPA, side by side in one run.

Each measurement is a process of its own with one thread, so that neither library's pool, garbage or caches touch the other.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypedDict

import numpy as np
from tqdm import tqdm

from aegis.bench import BenchmarkError, Row, multitarget, three_digits
from aegis.bench.multitarget import Meta, Scenario
from aegis.core.tracking.settings import (
    BirthSettings,
    ExistenceSettings,
    MotionSettings,
    SensorModel,
    TrackingSettings,
)
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import N_CLASSES, Detections, Floats, TrackStatus, unknown

SEED = 1
OURS, PEER, BY_HAND = "ours", "peer", "by_hand"
DEADLINE_S = 1800.0  # of one measurement
# One thread each: the pools are sized when the libraries are loaded, therefore in the environment of the process.
ONE_THREAD = {
    f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "BLIS", "VECLIB_MAXIMUM", "NUMEXPR", "NUMBA")
}


@dataclass(frozen=True)
class Case:
    """A scenario of the comparison."""

    name: str
    scans: int  # when it is made here; a file has its own number
    peer: bool = True  # whether Stone Soup is to run too, and a loop of filters


CASES = (Case("n50", 50), Case("n200", 50), Case("d50", 50), Case("n1000", 30), Case("n10000", 30, peer=False))


def run(runs: int, scenarios: Path | None = None, cases: Sequence[Case] = CASES) -> Iterator[Row]:
    """Measure each case `runs` times; yield a row a case, and one on how the time grows with the number of targets.

    Args:
        runs: the rows state medians over these.
        scenarios: folder with scenario files NAME.npz; those that it lacks are made, as without it.
        cases: what to measure.

    Raises:
        BenchmarkError: Stone Soup is not installed, or the folder has none of the scenarios.
    """
    for module, what in (("stonesoup", "the peer, Stone Soup,"), ("filterpy", "filterpy")):
        if any(case.peer for case in cases) and importlib.util.find_spec(module) is None:
            raise BenchmarkError(f"{what} is not installed; it comes with the extra: pip install 'aegis[bench]'")
    given = {} if scenarios is None else {case.name: scenarios / f"{case.name}.npz" for case in cases}
    given = {name: path for name, path in given.items() if path.exists()}
    if scenarios is not None and not given:
        raise BenchmarkError(f"{scenarios} has none of {', '.join(f'{case.name}.npz' for case in cases)}")
    times = []
    with tempfile.TemporaryDirectory(prefix="aegis-bench-") as folder:
        for case in tqdm(cases, unit="scenario", disable=None):
            path = given.get(case.name)
            source = "file" if path is not None else f"generated, seed {SEED}"
            if path is None:
                path = Path(folder) / f"{case.name}.npz"
                multitarget.generate(case.name, case.scans, SEED).write(path)
            row, time = _row(case, path, source, runs)
            times.append(time)
            yield row
    yield _growth(times)


class Measured(TypedDict):
    """What a worker prints: of every scan the CPU time [ms] and GOSPA [m]."""

    name: str
    ms: list[float]
    gospa: list[float]


class Times(NamedTuple):
    """CPU time of a scan with a number of targets: ours, and the peer's where it ran [ms]."""

    scenario: str
    n: int
    ms: float
    peer_ms: float | None


def _row(case: Case, path: Path, source: str, runs: int) -> tuple[Row, Times]:
    meta = multitarget.read(path).meta
    ours = [_measure(OURS, case.name, path) for _ in range(runs)]
    speed = [float(np.mean(one["ms"])) for one in ours]
    peer_ms = None
    row = {
        "bench": "tracking",
        "scenario": case.name,
        "n": meta.n,
        "ms_per_scan": round(float(np.median(speed)), 4),
        "gospa": _median_gospa(ours),
    }
    if case.peer:
        peer = [_measure(PEER, case.name, path) for _ in range(runs)]
        peer_speed = [float(np.mean(one["ms"])) for one in peer]
        peer_ms = round(float(np.median(peer_speed)), 2)
        row |= {
            "peer": peer[0]["name"],
            "peer_ms_per_scan": peer_ms,
            "peer_gospa": _median_gospa(peer),
            "ratio": three_digits(np.median(peer_speed) / np.median(speed)),
            "peer_min": round(min(peer_speed), 2),
            "peer_max": round(max(peer_speed), 2),
        }
        loop = [_measure(BY_HAND, case.name, path) for _ in range(runs)]
        row |= {
            "by_hand": loop[0]["name"],
            "by_hand_ms_per_scan": round(float(np.median([np.mean(one["ms"]) for one in loop])), 2),
            "by_hand_gospa": _median_gospa(loop),
        }
    row |= {
        "unit": "CPU ms",
        "runs": runs,
        "min": round(min(speed), 4),
        "max": round(max(speed), 4),
        "slowest_scan_ms": round(float(np.median([max(one["ms"]) for one in ours])), 4),
        "scans": meta.scans,
        "source": source,
        "threads": 1,
    }
    return row, Times(case.name, meta.n, round(float(np.median(speed)), 4), peer_ms)


def _median_gospa(measured: list[Measured]) -> float:
    """Return the median over runs: Stone Soup's sets have no order, and ties may fall otherwise in another process."""
    return round(float(np.median([multitarget.rms_gospa(one["gospa"]) for one in measured])), 1)


def _growth(times: Sequence[Times]) -> Row:
    """Return how the time grows with the number of targets, all else of the scenario being the same: family n."""
    same = sorted((one for one in times if one.scenario.startswith("n")), key=lambda one: one.n)
    row: dict[str, object] = {"bench": "tracking", "scenario": "growth in n"}
    ours = [(one.n, one.ms) for one in same]
    peer = [(one.n, one.peer_ms) for one in same if one.peer_ms is not None]
    for prefix, points in (("", ours), ("peer_", peer)):
        row |= {f"{prefix}n": [n for n, _ in points], f"{prefix}ms_per_scan": [ms for _, ms in points]}
        row[f"{prefix}exponent"] = round(exponent(points), 2) if len(points) > 1 else None
    return row


def exponent(points: Sequence[tuple[float, float]]) -> float:
    """Return b of the least-squares fit time = a n^b to pairs (n, time)."""
    n, ms = np.log(np.array(points, dtype=float)).T
    return float(np.polyfit(n, ms, 1)[0])


def _measure(which: str, name: str, path: Path) -> Measured:
    """Return what `_worker` prints, from a process of its own."""
    command = [sys.executable, "-m", __name__, which, name, str(path)]
    done = subprocess.run(command, env={**os.environ, **ONE_THREAD}, capture_output=True, text=True, timeout=DEADLINE_S)
    if done.returncode:
        raise RuntimeError(f"the measurement of {name} ({which}) failed:\n{done.stderr}")
    measured: Measured = json.loads(done.stdout.splitlines()[-1])
    return measured


def _worker(which: str, name: str, path: Path) -> None:
    """Print, as one line of JSON, the CPU time [ms] and GOSPA [m] of every scan of a file."""
    scenario = multitarget.read(path)
    label = "aegis"
    if which == PEER:
        from aegis.bench import stonesoup_gnn

        label = stonesoup_gnn.name()
        steps = stonesoup_gnn.track(scenario, stonesoup_gnn.TUNING[name[0]])
    elif which == BY_HAND:
        from aegis.bench import by_hand

        label = by_hand.name()
        steps = by_hand.track(scenario, by_hand.TUNING[name[0]])
    else:
        steps = track(scenario)
    milliseconds, positions = zip(*steps, strict=True)  # scored afterwards, as scoring would empty the tracker's caches
    score = [multitarget.gospa(scenario.truth(scan), found) for scan, found in enumerate(positions)]
    print(json.dumps({"name": label, "ms": milliseconds, "gospa": score}))


def track(scenario: Scenario) -> Iterator[tuple[float, Floats]]:
    """Track a scenario; yield of each scan the CPU time [ms] and the positions (M, 2) [m] of the confirmed tracks."""
    settings = settings_of(scenario.meta)
    scans = [detections_of(scenario, scan, settings) for scan in range(scenario.meta.scans)]
    tracker = Tracker(settings)
    for detections in scans:
        begin = time.process_time()
        tracks = tracker.step(detections).tracks
        spent_ms = (time.process_time() - begin) * 1e3
        if tracks is None:
            raise RuntimeError(f"scan {detections.sequence} was dropped: the scenario's times must increase")
        yield spent_ms, tracks.state[tracks.status != TrackStatus.TENTATIVE, : multitarget.DIM]


def settings_of(meta: Meta) -> TrackingSettings:
    """Return the tracker's parameters for a scenario: what it states of itself, no more."""
    centre, half = np.add(meta.lo, meta.hi) / 2.0, np.subtract(meta.hi, meta.lo) / 2.0
    # Targets that leave the region are still detected, so the sensor's view is a disc that none can have left. What is
    # stated for the region is scaled to the disc: it is the densities that matter.
    view_m = float(np.hypot(*half)) + meta.vmax * meta.scans * meta.dt
    discs = np.pi * view_m**2 / meta.area
    return TrackingSettings(
        sensor_x=float(centre[0]),
        sensor_y=float(centre[1]),
        sensor=SensorModel(
            max_range_m=view_m,
            detection_probability=meta.pd,
            clutter_per_scan=meta.lam_fa * discs,
            # On average: all are new in the first scan.
            births_per_scan=meta.n * (1.0 / meta.scans + meta.p_death) * discs,
        ),
        motion=MotionSettings(model="cv", acceleration_sigma_mps2=float(np.sqrt(meta.q))),
        birth=BirthSettings(
            # Of one component of a velocity of any course, its magnitude uniform from vmin to vmax.
            initial_speed_sigma_mps=float(np.sqrt((meta.vmin**2 + meta.vmin * meta.vmax + meta.vmax**2) / 6.0)),
        ),
        existence=ExistenceSettings(
            mean_lifetime_s=meta.dt / meta.p_death,
            mean_visible_s=0.0,  # each miss is by chance
            # The score charges a false track no more than a missed target: waiting for the default's 99 % does not pay.
            confirm_probability=0.8,
        ),
        max_tracks=5 * meta.n + int(10 * meta.lam_fa),
    )


def detections_of(scenario: Scenario, scan: int, settings: TrackingSettings) -> Detections:
    """Return the plots of a scan as a 2D sensor in the middle of the region would state them."""
    z, covariance = scenario.plots(scan)
    variance = covariance[:, 0, 0]
    if not (covariance == variance[:, None, None] * np.eye(multitarget.DIM)).all():
        raise ValueError("only plots whose errors are equal along x and y, and independent, are supported")
    n = len(z)
    x, y = (z - settings.position()[: multitarget.DIM]).T
    reach = np.hypot(x, y)
    return Detections(
        stamp_ns=round(scenario.times[scan] * 1e9),
        frame_id="radar",
        sequence=scan,
        sensor_id="bench",
        cartesian_accuracy=True,
        id=np.arange(1, n + 1),
        range=reach,
        azimuth=np.arctan2(y, x),
        elevation=unknown(n),
        range_rate=unknown(n),
        variance=np.column_stack([variance, variance / reach**2, unknown(n), unknown(n)]),
        snr_db=unknown(n),
        rcs_dbsm=unknown(n),
        noise_db=unknown(n),
        points=np.ones(n, dtype=np.int64),
        class_id=np.zeros(n, dtype=np.int64),
        confidence=np.zeros(n),
        class_probability=np.zeros((n, N_CLASSES)),
    )


if __name__ == "__main__":
    _worker(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
