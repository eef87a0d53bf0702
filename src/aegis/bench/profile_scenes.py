# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the profiles of config/ are chosen and shown on: recorded aircraft, a recorded drone among birds, a street.

Each scene says on which part of the recordings, or of the random numbers, it rests: "chosen" or "shown", which share nothing.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pymap3d
from scipy.interpolate import CubicHermiteSpline

from aegis.bench.threat_recordings import CAT062, aircraft
from aegis.bench.turning_radar import TurningRadar, in_view, plots, sectors
from aegis.core.detection.detector import Detector
from aegis.core.detection.settings import DetectionSettings
from aegis.core.evaluation.scene import TrueObject, objects_of
from aegis.core.types import ClassId, Detections, Floats, Scan, unknown
from aegis.simulation.points import Simulator
from aegis.simulation.scenario import Scenario
from aegis.simulation.settings import SimulatorSettings

CHOSEN, SHOWN = "chosen", "shown"
UAV = "stonesoup_demos/UAV_Rot.csv"
PERSON = "radhar_pointclouds/Data_Test_{}.txt.gz"
STEP_S = 1.0  # of recorded ways
LONGEST_GAP_S = 60.0  # between two records, across which an aircraft is taken to have flown on
SHORTEST_S = 120.0  # of a way without such a gap; shorter ones are left out

EN_ROUTE = TurningRadar(10.0, 370e3, 70.0, 0.08, 150.0, 0.92, 20.0, 12_000.0)
TERMINAL = TurningRadar(4.5, 110e3, 50.0, 0.10, 150.0, 0.92, 10.0, 12_000.0)
# What they are shown with besides: other turns, and other places (east, north of the middle of the recorded traffic).
OTHER_EN_ROUTE, OTHER_TERMINAL = replace(EN_ROUTE, period_s=12.0), replace(TERMINAL, period_s=5.0)
OTHER_PLACE_M = (60e3, -90e3)
SITE = TurningRadar(
    1.5, 5000.0, 8.0, 0.6, 15.0, 0.8, 4.0, 500.0, range_rate_sigma_mps=0.5, range_rate_span_mps=80.0, visible_s=60.0,
    sector_s=0.25,
)  # fmt: skip


class Scene(NamedTuple):
    """Detections, and what is really there."""

    detections: list[Detections]
    objects: list[TrueObject]
    gate_m: float


def air_traffic(folder: Path, part: str, radar: TurningRadar, place: tuple[float, float], seed: int) -> Scene:
    """Return 25 minutes of aircraft under a radar: those of even numbers to choose on, those of odd ones to show.

    Raises:
        OSError: the recording is not there.
    """
    everybody = aircraft(folder / CAT062)
    begin = min(one.time_ns[0] for one in everybody) * 1e-9
    span = (begin + 30.0, begin + 1530.0)
    objects = joined([one for one in everybody if one.id % 2 == (part == SHOWN)], place)
    plotted = plots(objects, radar, span, np.random.default_rng(seed))
    gate_m = 2400.0 if radar.max_range_m > TERMINAL.max_range_m else 1000.0
    return Scene(list(sectors(plotted, radar, span)), in_view(objects, radar), gate_m)


def joined(objects: Sequence[TrueObject], place: tuple[float, float]) -> list[TrueObject]:
    """Return objects every `STEP_S`, east and north of a place, by cubic splines that keep the velocities; one for each way."""
    out: list[TrueObject] = []
    for one in objects:
        time = one.time_ns * 1e-9
        for way in np.split(np.arange(len(time)), np.flatnonzero(np.diff(time) > LONGEST_GAP_S) + 1):
            if time[way[-1]] - time[way[0]] < SHORTEST_S:
                continue
            spline = CubicHermiteSpline(time[way], one.state[way, :3], one.state[way, 3:])
            at = np.arange(time[way[0]], time[way[-1]], STEP_S)
            state = np.column_stack([spline(at), spline(at, 1)])
            state[:, :2] -= place
            out.append(_object(len(out) + 1, one.name, one.class_id, at, state))
    return out


def drone_site(folder: Path, part: str, seed: int) -> Scene:
    """Return four minutes of a drone site: a recorded drone, cut into two pieces that fly at once, among a dozen birds.

    The first half of its flight is to choose on, the second to show.

    Raises:
        OSError: the recording is not there.
    """
    rng = np.random.default_rng(seed)
    flight = _flight(folder / UAV)
    half = len(flight) // 2
    mine = flight[:half] if part == CHOSEN else flight[half:]
    length = half // 2 - 1
    span, at = (0.0, float(length - 1)), np.arange(length, dtype=float)
    objects = []
    for k in range(2):
        state = mine[k * length : (k + 1) * length].copy()
        bearing, reach = rng.uniform(0.0, 2.0 * np.pi), rng.uniform(1000.0, 3000.0)
        state[:, :2] += reach * np.array([np.sin(bearing), np.cos(bearing)]) - state[:, :2].mean(axis=0)
        objects.append(_object(k + 1, f"drone {k + 1}", ClassId.DRONE, at, state))
    objects += [_object(k, f"bird {k}", ClassId.BIRD, at, _bird(length, rng)) for k in range(3, 15)]
    plotted = plots(objects, SITE, span, rng)
    return Scene(list(sectors(plotted, SITE, span)), in_view(objects, SITE), 50.0)


def _flight(path: Path) -> Floats:
    """Return the states (K, 6) of the recorded drone, a second apart: place by GPS, velocity by central differences, 100 m up."""
    with path.open() as lines:
        rows = [[float(row[key]) for key in ("latitude", "longitude", "altitude (m)")] for row in csv.DictReader(lines)]
    table = np.array(rows)
    east, north, _ = pymap3d.geodetic2enu(table[:, 0], table[:, 1], 0.0 * table[:, 2], *table[0, :2], 0.0)
    place = np.column_stack([east, north, table[:, 2] - table[:, 2].min() + 100.0])
    return np.column_stack([place, np.gradient(place, axis=0)])


def _bird(length: int, rng: np.random.Generator) -> Floats:
    """Return the states (length, 6) of a bird: an even speed, a turn rate that wanders."""
    rate, course = np.zeros(length), rng.uniform(0.0, 2.0 * np.pi)
    for k in range(1, length):
        rate[k] = 0.9 * rate[k - 1] + rng.normal(0.0, np.radians(4.0))
    courses = course + np.cumsum(rate)
    velocity = rng.uniform(8.0, 16.0) * np.column_stack([np.sin(courses), np.cos(courses)])
    middle = rng.uniform(-2500.0, 2500.0, 2)
    place = np.cumsum(velocity, axis=0)
    height = np.full(length, rng.uniform(20.0, 250.0))
    return np.column_stack([place - place.mean(axis=0) + middle, height, velocity, np.zeros(length)])


def _object(number: int, name: str, class_id: int, time: Floats, state: Floats) -> TrueObject:
    return TrueObject(
        number, name, int(class_id), np.rint(time * 1e9).astype(np.int64), state, np.ones(len(time), bool)
    )


# An automotive radar at 77 GHz, as points: no physics of FMCW, but errors and misses of that size.
STREET_RADAR = {
    "refresh_rate_hz": 20.0, "sensor_z": 0.6, "waveform.frequency_hz": 77e9, "waveform.tuning_range_hz": 0.0,
    "waveform.bandwidth_hz": 150e6, "waveform.pulse_width_s": 1e-8, "waveform.prf_hz": 20_000.0,
    "waveform.coherent_dwell_s": 0.0064, "waveform.peak_power_w": 60.0, "antenna.gain_db": 20.0,
    "antenna.azimuth_beamwidth_deg": 6.0,
    "antenna.elevation_beamwidth_deg": 12.0, "receiver.system_temperature_k": 4600.0, "coverage.max_range_m": 120.0,
    "coverage.azimuth_fov_deg": 120.0, "coverage.elevation_min_deg": -10.0, "coverage.elevation_max_deg": 10.0,
    "coverage.max_range_rate_mps": 50.0, "points.false_alarms_per_scan": 1.0,
}  # fmt: skip
STREET_S = 20.0


def street(part: str, seed: int, detection: DetectionSettings) -> Scene:
    """Return a street of cars, cyclists and people on foot before an automotive radar that looks east.

    The seeds to show are other ones than those to choose.
    """
    seed += 1000 * (part == SHOWN)
    scenario = _street(np.random.default_rng(seed))
    radar = Simulator(SimulatorSettings.load({**STREET_RADAR, "seed": seed}), scenario)
    detector, detections, truths = Detector(detection), [], []
    for k in range(round(STREET_S * 20.0)):
        stamp = round(k / 20.0 * 1e9)
        detections.append(detector.step(radar.step(k / 20.0, stamp))[0])
        truths.append(radar.truth(k / 20.0, stamp))
    return Scene(detections, objects_of(truths), 3.0)


def _street(rng: np.random.Generator) -> Scenario:
    kinds = (
        ("VEHICLE", 4, 10.0, [4.3, 1.8, 1.2], 4, (4.0, 16.0), (90.0, 270.0)),
        ("PERSON", 2, 0.0, [1.7, 0.5, 1.0], 2, (3.0, 7.0), (90.0, 270.0)),  # on bicycles
        ("PERSON", 4, -6.0, [0.0, 0.0, 0.0], 1, (0.8, 1.8), (0.0, 90.0, 180.0, 270.0)),
    )
    targets: list[dict[str, Any]] = []
    for name, count, rcs, extent, scatterers, speed, courses in kinds:
        for _ in range(count):
            course = float(rng.choice(courses)) + float(rng.normal(0.0, 4.0))
            x = rng.uniform(10.0, 100.0)
            lane = {90.0: -1.0, 270.0: 1.0}.get(round(course / 90.0) * 90.0, 0.0)
            y = lane * rng.uniform(2.0, 9.0) if lane else rng.uniform(-15.0, 15.0)
            motion = {
                "kind": "straight",
                "position_m": [float(x), float(y), 0.8],
                "speed_mps": float(rng.uniform(*speed)),
                "course_deg": course,
            }
            targets.append(
                {
                    "name": f"{name} {len(targets)}",
                    "class": name,
                    "rcs_dbsm": rcs + float(rng.normal(0.0, 2.0)),
                    "scatterers": scatterers,
                    "extent_m": extent,
                    "motion": motion,
                }
            )
    return Scenario.model_validate({"name": "street", "duration_s": STREET_S + 1.0, "targets": targets})


def person(folder: Path, activity: str, detection: DetectionSettings) -> list[Detections]:
    """Return the detections of a recorded 77 GHz radar before which one person walks or jumps (RadHAR).

    Raises:
        OSError: the recording is not there.
    """
    detector = Detector(detection)
    return [detector.step(scan)[0] for scan in _clouds(folder / PERSON.format(activity), detection.frame_id)]


def _clouds(path: Path, frame_id: str) -> Iterator[Scan]:
    points: list[dict[str, float]] = []
    with gzip.open(path, "rt") as lines:
        for line in lines:
            key, _, value = line.strip().partition(": ")
            if key == "header:":
                points.append({})
            elif value and key != "frame_id":
                points[-1][key] = float(value)
    frames: list[list[dict[str, float]]] = []
    for point in points:
        if point["point_id"] == 0 or not frames:  # the first of a frame
            frames.append([])
        frames[-1].append(point)
    for k, frame in enumerate(frames):
        n = len(frame)
        x, y, z, rate, snr = (np.array([p[key] for p in frame]) for key in ("x", "y", "z", "velocity", "intensity"))
        yield Scan(
            stamp_ns=round(frame[0]["secs"] * 1e9 + frame[0]["nsecs"]), frame_id=frame_id, sequence=k + 1,
            range=np.sqrt(x**2 + y**2 + z**2), azimuth=np.arctan2(-y, x), elevation=np.arctan2(z, np.hypot(x, y)), range_rate=rate,
            snr_db=snr, rcs_dbsm=unknown(n), noise_db=unknown(n),
        )  # fmt: skip
