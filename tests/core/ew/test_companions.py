# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Echoes that leave a track, through the watch: a pulled-off gate is told of, objects that part or stay together are not."""

from dataclasses import replace

import numpy as np
import pytest
from threat_tracks import tracks_of

from aegis.core.ew.settings import EwSettings
from aegis.core.ew.watch import Watch
from aegis.core.types import N_CLASSES, Detections

STEP_S, SIGMA_R, SIGMA_V = 0.05, 0.5, 0.2


def scan(k, ranges, rates, rng) -> Detections:
    m = len(ranges)
    nan = np.full(m, np.nan)
    variance = np.tile([SIGMA_R**2, 0.01**2, np.nan, SIGMA_V**2], (m, 1))
    return Detections(
        stamp_ns=round(k * STEP_S * 1e9), frame_id="radar", sequence=k, sensor_id="radar", cartesian_accuracy=False,
        id=np.arange(m), range=ranges + rng.normal(0.0, SIGMA_R, m), azimuth=rng.normal(0.0, 0.01, m), elevation=nan,
        range_rate=rates + rng.normal(0.0, SIGMA_V, m), variance=variance, snr_db=nan, rcs_dbsm=nan, noise_db=nan,
        points=np.ones(m, dtype=int), class_id=np.zeros(m, dtype=int), confidence=np.zeros(m),
        class_probability=np.zeros((m, N_CLASSES)),
    )  # fmt: skip


def told(others, seed=1, seconds=6.0):
    """Return when and of which track it is told; track 7 goes away at 4 m/s, beside it are `others(t)`: ranges and rates."""
    watch, rng, out = Watch(EwSettings()), np.random.default_rng(seed), []
    for k in range(round(seconds / STEP_S)):
        t = k * STEP_S
        ranges, rates = others(t)
        watch.take_detections(scan(k, np.array([100.0 + 4.0 * t, *ranges]), np.array([4.0, *rates]), rng))
        tracks = tracks_of((7, 1, (100.0 + 4.0 * t, 0.0, 0.0), (4.0, 0.0, 0.0)), sigma=(0.3, 0.1))
        tracks = replace(tracks, stamp_ns=round(t * 1e9), sequence=k)
        out += [(t, signal) for signal in watch.take_tracks(tracks)]
    return out


def test_an_echo_that_walks_away_with_the_tracks_doppler_is_a_pull_off_of_it():
    def false(t, acceleration=5.0):
        away = 0.5 * acceleration * t**2
        return ([100.0 + 4.0 * t + away], [4.0]) if away > 2.0 else ([], [])

    ((at, signal),) = told(false)
    assert signal.track_id == 7
    assert "range gate pull-off of track 7" in signal.evidence
    # It is 20 m behind after sqrt(40 / 5) = 2.8 s, and a window is a second: range and Doppler differ by 5 m/s^2 times its middle.
    assert at == pytest.approx(3.8, abs=0.15)
    assert float(signal.evidence.split("differ by ")[1].split(" m/s")[0]) == pytest.approx(5.0 * 3.3, abs=1.0)


@pytest.mark.parametrize("name", ["overtaken", "convoy", "speeds up", "far echo"])
def test_what_parts_as_its_doppler_says_or_keeps_its_distance_is_none(name):
    others = {
        "overtaken": lambda t: ([103.0 + 9.0 * t], [9.0]),
        "convoy": lambda t: (100.0 + 4.0 * t + 12.0 * np.arange(1, 5), np.full(4, 4.0)),
        "speeds up": lambda t: ([103.0 + 4.0 * t + 1.5 * t**2], [4.0 + 3.0 * t]),
        "far echo": lambda t: ([180.0 + 4.0 * t + 2.5 * t**2], [4.0]),  # it did not come from the track
    }[name]
    assert [told(others, seed) for seed in range(3)] == [[], [], []]


@pytest.mark.parametrize("late_s", [-1.7, 0.0, 1.7])
def test_a_pull_off_is_told_of_a_track_that_is_seen_seconds_from_the_stamp(late_s):
    """An antenna that turns in four seconds meets the object before or after the stamp of the scan, of which the picture is."""
    watch, rng, out = Watch(EwSettings()), np.random.default_rng(3), []
    for k in range(100):
        t = 4.0 * k + late_s  # when it is met; from 200 s on, the echo runs away from what the Doppler says
        away = 0.5 * 0.4 * max(0.0, t - 200.0) ** 2
        one = scan(k, np.array([150e3 - 200.0 * t + away]), np.array([-200.0]), rng)
        seen = replace(one, stamp_ns=round(4e9 * k), time_offset=np.array([late_s]))
        watch.take_detections(seen)
        place = 150e3 - 200.0 * 4.0 * k + 0.5 * 0.4 * max(0.0, 4.0 * k - 200.0) ** 2
        speed = -200.0 + 0.4 * max(0.0, 4.0 * k - 200.0)
        tracks = tracks_of((7, 1, (place, 0.0, 0.0), (speed, 0.0, 0.0)), sigma=(3.0, 1.0))
        out += [signal.track_id for signal in watch.take_tracks(replace(tracks, stamp_ns=round(4e9 * k), sequence=k))]
    assert out == [7]
