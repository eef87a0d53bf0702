# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Bias of sensors from common tracks: the biases put in come out, with the errors stated."""

import numpy as np
import pytest
from scenes import detections_of, polar_of
from settings_of import settings_of

from aegis.core.params import ConfigError
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import TrackStatus

SIGMA = np.array([8.0, 0.003, np.nan, np.nan])
SITES = {"north": (0.0, 2000.0), "south": (0.0, -2000.0)}
BIAS = {"north": np.array([0.0, 0.0]), "south": np.array([15.0, np.deg2rad(0.3)])}


def of_sites(registration: str, reference: str = "north") -> TrackingSettings:
    sensors = {name: {"sensor_x": x, "sensor_y": y} for name, (x, y) in SITES.items()}
    return settings_of(
        TrackingSettings, sensors=sensors, reference=reference, max_range_m=20_000.0, acceleration_sigma_mps2=0.5, model="cv",
        clutter_per_scan=0.5, **{"registration.mode": registration},
    )  # fmt: skip


def watch(tracker: Tracker, scans: int, seed: int = 1) -> list:
    """Let both sensors look in turn at six straight targets; return the pictures with the truth."""
    rng = np.random.default_rng(seed)
    start = np.column_stack([rng.uniform(3000, 9000, 6), np.linspace(-6000, 6000, 6), np.zeros(6)])
    velocity = np.column_stack([rng.uniform(-60, 60, (6, 2)), np.zeros(6)])
    out = []
    for k in range(scans):
        name = list(SITES)[k % 2]
        now = start + velocity * k
        polar = np.array(
            [polar_of(np.concatenate([p, v]), (*SITES[name], 0.0)) for p, v in zip(now, velocity, strict=True)]
        )
        polar[:, :2] += BIAS[name] + rng.normal(0.0, SIGMA[:2], (6, 2))
        polar[:, 2:] = np.nan
        out.append((tracker.step(detections_of(polar, float(k), sigma=SIGMA, sensor=name)).tracks, now))
    return out


def rms(pictures: list) -> float:
    squares = []
    for tracks, truth in pictures:
        confirmed = tracks.state[tracks.status != TrackStatus.TENTATIVE, :2]
        distance = np.linalg.norm(confirmed[:, None] - truth[None, :, :2], axis=2).min(axis=1)
        squares.append(np.mean(distance**2))
    return float(np.sqrt(np.mean(squares)))


def test_the_bias_against_a_reference_is_found_within_its_errors():
    tracker = Tracker(of_sites("report"))
    watch(tracker, 120)
    south, north = tracker.biases()["south"], tracker.biases()["north"]
    assert south.pairs > 150
    assert (north.range_m, north.azimuth_rad) == (0.0, 0.0)
    assert abs(south.range_m - 15.0) < 4.0 * south.range_sigma_m < 10.0
    assert abs(south.azimuth_rad - np.deg2rad(0.3)) < 4.0 * south.azimuth_sigma_rad < np.deg2rad(0.15)


def test_applied_it_brings_the_tracks_to_the_truth():
    reported = watch(Tracker(of_sites("report")), 160)
    applied = watch(Tracker(of_sites("apply")), 160)
    assert rms(applied[100:]) < 0.7 * rms(reported[100:])


def test_a_single_sensor_has_nothing_to_compare():
    tracker = Tracker(TrackingSettings())
    for k in range(10):
        tracker.step(detections_of(polar_of(np.array([4000.0 - 50.0 * k, 500.0, 200.0, -50.0, 0.0, 0.0])), float(k)))
    assert tracker.biases() == {}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"sensors": ("north.sensor_x=1",)}, "sensors.<sensor_id>.sensor_x"),
        ({"sensors.north": 1}, "'sensors.north' is a group"),
        ({"sensors.north.altitude": 3}, "unknown parameter 'sensors.north.altitude'"),
        ({"sensors.north.detection_probability": 1.5}, "sensors.north.detection_probability"),
        ({"sensors.north.min_range_m": 20000}, "'sensors.north': .*min_range_m < max_range_m"),
    ],
)
def test_a_wrong_sensor_entry_is_refused_by_name(entry, said):
    with pytest.raises(ConfigError, match=said):
        TrackingSettings.load(entry)


@pytest.mark.parametrize("height_m", [0.0, 500.0, 2000.0])
def test_beside_a_radar_with_heights_the_slant_range_of_one_without_is_no_bias(height_m):
    """The truth of two radars without bias, one of which measures no elevation: what is found is within its errors of nothing."""
    rng, sigma = np.random.default_rng(3), np.array([5.0, 0.003, 0.003, 0.5])
    tracker = Tracker(TrackingSettings.model_validate({"sensors": {"high": {}, "flat": {"sensor_x": 50.0}}}))
    for k in range(50):
        for name, at, x in (("high", float(k), 0.0), ("flat", k + 0.4, 50.0)):
            polar = []
            for north in (-3000.0, 1000.0, 4000.0):
                there = np.array([6000.0 - 30.0 * at, north + 20.0 * at, height_m, -30.0, 20.0, 0.0])
                polar.append(polar_of(there, (x, 0.0, 0.0)) + rng.normal(size=4) * sigma)
            if name == "flat":
                polar = [np.where(np.arange(4) == 2, np.nan, row) for row in polar]
            tracks = tracker.step(detections_of(polar, at, sigma=sigma, sensor=name)).tracks
    assert (tracks.status == TrackStatus.CONFIRMED).sum() == 3
    high, flat = tracker.biases()["high"], tracker.biases()["flat"]
    assert flat.pairs > 100
    assert abs(flat.range_m - high.range_m) < 3.0
    assert abs(flat.azimuth_rad - high.azimuth_rad) < np.deg2rad(0.1)
