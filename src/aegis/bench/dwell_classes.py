# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What tracks of a raw radar are called with and without what its dwells' micro-Doppler says, on random objects at signal level.

The same cubes go through the front end, detection and tracking twice. Rotors, wings and gaits are drawn widely, and apart from what
the model of dwells was trained on: cars have no wheels here. Two radars: config/fmcw_mimo.yaml with its four classes, and one of 10
GHz with longer dwells, all classes to be met. Seeds from `SHOWN_SEED` on are shown; the ones below are to choose on.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment
from tqdm import tqdm

from aegis.bench import Row
from aegis.bench.profiles import Profile
from aegis.core.classification.network import Network
from aegis.core.detection.detector import Detector
from aegis.core.detection.settings import DetectionSettings
from aegis.core.param_names import Values
from aegis.core.signal.front_end import FrontEnd
from aegis.core.signal.settings import FrontEndSettings
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import N_CLASSES, ClassId, Floats, Ints, Scan, Tracks, TrackStatus
from aegis.graph.config import Parameters
from aegis.models.store import dwell_model, track_model
from aegis.resources import config_file
from aegis.simulation.scenario import Scenario, load_scenario
from aegis.simulation.settings import SimulatorSettings
from aegis.simulation.signal import SignalSimulator

SHOWN_SEED = 2000
SECONDS, INTERVAL_S = 10.0, 0.1
LOOKS = 10  # that a track has had before its class counts
MATCH_M = 8.0
SURE = 0.9
PROFILE = "fmcw_mimo"
X_BAND: dict[str, Values] = {
    "simulator": {
        "level": "signal", "sensor_z": 2.0, "waveform.kind": "fmcw", "waveform.frequency_hz": 10e9, "waveform.tuning_range_hz": 0.0,
        "waveform.bandwidth_hz": 60e6, "waveform.prf_hz": 4000.0, "waveform.coherent_dwell_s": 0.064, "waveform.peak_power_w": 4.0,
        "antenna.gain_db": 14.0, "antenna.azimuth_beamwidth_deg": 90.0, "antenna.elevation_beamwidth_deg": 40.0,
        "antenna.receivers_azimuth": 8, "antenna.sidelobe_db": -25.0, "receiver.samples": 256, "receiver.sample_rate_hz": 5e6,
        "receiver.system_temperature_k": 1500.0, "coverage.max_range_m": 600.0,
    },
    "frontend": {"coverage.min_range_m": 10.0, "coverage.max_range_m": 600.0, "coverage.azimuth_fov_deg": 130.0},
    "detection": {
        "sensor_z": 2.0, "has_elevation": False, "limits.max_range_m": 600.0, "accuracy.range_sigma_m": 0.5,
        "accuracy.azimuth_sigma_deg": 1.5, "accuracy.range_rate_sigma_mps": 0.1, "accuracy.object_sigma_m": 0.7,
        "accuracy.object_range_rate_sigma_mps": 0.5, "grouping.distance_m": 8.0, "grouping.range_rate_mps": 8.0,
        "grouping.range_rate_of": "strongest",
    },
    "tracking": {
        "sensor_z": 2.0, "sensor.detection_probability": 0.8, "sensor.clutter_per_scan": 2.0, "sensor.births_per_scan": 0.02,
        "sensor.max_range_m": 600.0, "sensor.azimuth_fov_deg": 130.0, "birth.initial_speed_sigma_mps": 15.0,
        "motion.acceleration_sigma_mps2": 2.0,
    },
}  # fmt: skip


class Radar(NamedTuple):
    """A radar, what follows it, and how far away objects are put."""

    simulator: SimulatorSettings
    front_end: FrontEndSettings
    profile: Profile
    farthest_m: float


def radars() -> dict[str, Radar]:
    """Return the radars."""
    read = Parameters.read(config_file(f"{PROFILE}.yaml"), [])
    shipped = Radar(
        read.settings_as(SimulatorSettings, "simulator"), read.settings_as(FrontEndSettings, "frontend"), Profile.read(PROFILE),
        80.0,
    )  # fmt: skip
    other = Radar(
        SimulatorSettings.load(X_BAND["simulator"]), FrontEndSettings.load(X_BAND["frontend"]),
        Profile(DetectionSettings.load(X_BAND["detection"]), TrackingSettings.load(X_BAND["tracking"])), 300.0,
    )  # fmt: skip
    return {f"77 GHz, 6.4 ms ({PROFILE})": shipped, "10 GHz, 64 ms": other}


def scene(seed: int, farthest_m: float) -> Scenario:
    """Return a drone, a bird, someone walking and a car, before a radar that looks east."""
    rng = np.random.default_rng([seed, 77])
    u = rng.uniform
    radius = float(np.exp(u(np.log(0.06), np.log(0.35))))
    drone_rcs, bird_rcs = float(rng.normal(-13.0, 4.0)), float(rng.normal(-21.0, 3.0))
    span = float(np.exp(u(np.log(0.3), np.log(1.6))))
    rotors = {
        "count": int(rng.choice((4, 4, 6, 8))), "blades": int(rng.choice((2, 2, 3))), "radius_m": radius,
        "rate_hz": float(min(u(60.0, 150.0) * np.sqrt(0.13 / radius), 0.5 * 343.0 / (2.0 * np.pi * radius))),
        "blade_rcs_dbsm": drone_rcs + u(-14.0, -2.0),
    }  # fmt: skip
    wings = {
        "rate_hz": float(np.clip(2.8 * span**-0.7 * u(0.8, 1.3), 2.0, 18.0)), "span_m": span, "flap_deg": u(20.0, 50.0),
        "rcs_dbsm": bird_rcs + u(-8.0, 0.0),
    }  # fmt: skip
    kinds: list[tuple[ClassId, float, tuple[float, float], float, dict[str, object]]] = [
        (ClassId.DRONE, drone_rcs, (0.0, 14.0), u(8.0, 25.0), {"rotors": rotors}),
        (ClassId.BIRD, bird_rcs, (6.0, 16.0), u(5.0, 25.0), {"wings": wings}),
        (ClassId.PERSON, float(rng.normal(-4.0, 3.0)), (0.8, 2.0), 1.0, {"gait": {"height_m": u(1.5, 1.95)}}),
        (ClassId.VEHICLE, float(rng.normal(10.0, 3.0)), (4.0, 18.0), 0.8, {"scatterers": 4, "extent_m": [4.2, 1.7, 1.0]}),
    ]  # fmt: skip
    targets = []
    for class_id, rcs, speeds, height, more in kinds:
        bearing, distance, course = u(np.pi / 4, 3 * np.pi / 4), u(0.25, 1.0) * farthest_m, float(u(0.0, 360.0))
        if class_id is ClassId.BIRD:
            distance *= 0.5
        speed = float(u(*speeds))
        way = np.array([np.sin(np.radians(course)), np.cos(np.radians(course))]) * speed
        middle = distance * np.array([np.sin(bearing), np.cos(bearing)])
        begin = middle - 0.5 * SECONDS * way
        targets.append(
            {
                "name": class_id.name, "class": class_id.name, "rcs_dbsm": rcs, **more,
                "motion": {
                    "kind": "straight", "position_m": [float(begin[0]), float(begin[1]), height], "speed_mps": max(speed, 0.01),
                    "course_deg": course,
                },
            }
        )  # fmt: skip
    return Scenario.model_validate({"name": f"four {seed}", "duration_s": SECONDS + 1.0, "targets": targets})


class Told(NamedTuple):
    """How many track-scans of each class (N_CLASSES,), by what they were called."""

    right: Ints
    wrong: Ints
    sure: Ints
    looks: Ints

    def add(self, tracks: Tracks, truth: Floats, classes: Ints) -> None:
        """Count a picture; truth (T, 3) and classes (T,) of what is there."""
        shown = np.flatnonzero((tracks.status == int(TrackStatus.CONFIRMED)) & (tracks.hits >= LOOKS))
        if not len(shown) or not len(truth):
            return
        distance = np.linalg.norm(tracks.state[shown, None, :2] - truth[None, :, :2], axis=2)
        rows, columns = linear_sum_assignment(np.minimum(distance, MATCH_M))
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if distance[row, column] >= MATCH_M:
                continue
            right, told = int(classes[column]), int(tracks.class_id[shown[row]])
            probability = tracks.class_probability[shown[row]]
            best = int(probability.argmax())
            self.looks[right] += 1
            self.right[right] += told == right
            self.wrong[right] += told not in (right, int(ClassId.UNKNOWN))
            self.sure[right] += best not in (right, int(ClassId.UNKNOWN)) and probability[best] > SURE


def nobody() -> Told:
    """Return counts of nothing yet."""
    return Told(*(np.zeros(N_CLASSES, np.int64) for _ in range(4)))


class Compared:
    """Counts with and without, and what the front end took."""

    def __init__(self, radar: Radar) -> None:
        """Begin."""
        self.radar = radar
        self.with_it, self.without = nobody(), nobody()
        self.spent_s, self.frames, self.points = [0.0, 0.0], 0, 0

    def add(self, scenario: Scenario, seed: int, network: Network) -> None:
        """Look at a scenario from its begin to its end."""
        radar = self.radar
        simulator = SignalSimulator(radar.simulator.model_copy(update={"seed": seed}), scenario)
        plain, front = FrontEnd(radar.front_end), FrontEnd(radar.front_end, network)
        detector = Detector(radar.profile.detection)
        chains = [(told, _tracker(radar)) for told in (self.without, self.with_it)]
        for k in range(round(scenario.duration_s / INTERVAL_S)):
            t_s = k * INTERVAL_S
            cube = simulator.step(t_s, 1_000_000_000 + round(t_s * 1e9))
            begin = time.process_time()
            plain.step(cube)
            middle = time.process_time()
            scan, _ = front.step(cube)
            self.spent_s[0] += middle - begin
            self.spent_s[1] += time.process_time() - middle
            self.frames += 1
            if scan.class_probability is not None:
                self.points += int(np.isfinite(scan.class_probability[:, 1]).sum())
            there = np.flatnonzero(scenario.present(t_s))
            truth = scenario.position_velocity(t_s)[0][there]
            classes = np.array([int(scenario.targets[i].class_id) for i in there])
            for (told, tracker), seen in zip(chains, (_silent(scan), scan), strict=True):
                tracks = tracker.step(detector.step(seen)[0]).tracks
                if tracks is not None:
                    told.add(tracks, truth, classes)

    def rows(self, name: str, what: str, seeds: list[int], card: str) -> Iterator[Row]:
        """Yield what came of it."""
        about = {"bench": "dwell_classes", "radar": name, "scenes": what, "seeds": [seeds[0], seeds[-1]]}
        for how, told in (("motion and echo alone", self.without), (f"with {card}", self.with_it)):
            yield {**about, "how": how, **_shares(told)}
        without, with_it = (s / self.frames * 1e3 for s in self.spent_s)
        yield {
            **about, "front_end_ms": round(without, 2), "front_end_with_classes_ms": round(with_it, 2),
            "points_looked_at_a_frame": round(self.points / self.frames, 1),
        }  # fmt: skip


def run(runs: int) -> Iterator[Row]:
    """Yield rows for each radar, with and without; a run is a scene of ten seconds, and of each four the scenario `street`."""
    network, card = dwell_model()
    seeds = list(range(SHOWN_SEED, SHOWN_SEED + runs))
    for name, radar in radars().items():
        compared = Compared(radar)
        for seed in tqdm(seeds, desc=name, disable=None):
            compared.add(scene(seed, radar.farthest_m), seed, network)
        yield from compared.rows(name, "a drone, a bird, a walker, a car", seeds, card.name)
        if name.endswith(f"({PROFILE})"):
            street, few = Compared(radar), seeds[: max(1, runs // 4)]
            for seed in few:
                street.add(load_scenario("street"), seed, network)
            yield from street.rows(name, "street", few, card.name)


def _tracker(radar: Radar) -> Tracker:
    return Tracker(radar.profile.tracking, model=track_model(radar.profile.tracking.classification).model)


def _silent(scan: Scan) -> Scan:
    return replace(scan, class_probability=None)


def _shares(told: Told) -> dict[str, object]:
    out: dict[str, object] = {}
    for class_id in (None, *(ClassId(int(c)) for c in np.flatnonzero(told.looks))):
        at = slice(None) if class_id is None else int(class_id)
        looks = int(told.looks[at].sum())
        found = [round(float(part[at].sum()) / max(looks, 1), 3) for part in (told.right, told.wrong, told.sure)]
        shares: dict[str, object] = dict(zip(("right", "wrong", "surely_wrong"), found, strict=True))
        out["all" if class_id is None else class_id.name] = {"looks": looks, **shares}
    return out
