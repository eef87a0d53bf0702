# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Errors that are other than stated are found, and scaled to what they are."""

import numpy as np
import pytest
from scenes import detections_of, polar_of
from settings_of import settings_of

from aegis.core.tracking.consistency import LARGEST_SCALE, SMALLEST_SCALE, Consistency, Nis
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker

SIGMA = np.array([10.0, 0.003, 0.003, 0.5])


def watch(times: float, mode: str, seed: int = 3) -> tuple[Tracker, float]:
    """Let eight straight targets be seen with errors of so many times those stated; return the tracker and NEES per component."""
    rng = np.random.default_rng(seed)
    tracker = Tracker(
        settings_of(
            TrackingSettings, model="cv", acceleration_sigma_mps2=0.3, vertical_acceleration_sigma_mps2=0.3,
            **{"consistency.mode": mode},
        )
    )  # fmt: skip
    azimuth = np.arange(8) * np.pi / 4.0
    outward = np.stack([np.cos(azimuth), np.sin(azimuth), np.full(8, 0.1)], axis=1)
    nees = []
    for k in range(100):
        truth = np.concatenate([outward * (2000.0 + 30.0 * k), outward * 30.0], axis=1)
        polar = np.array([polar_of(x) for x in truth]) + rng.normal(0.0, times * SIGMA, (8, 4))
        tracks = tracker.step(detections_of(polar, float(k), sigma=SIGMA)).tracks
        if k < 60:
            continue
        for x in truth:
            i = np.linalg.norm(tracks.state[:, :3] - x[:3], axis=1).argmin()
            error = tracks.state[i] - x
            nees.append(error @ np.linalg.solve(tracks.covariance[i], error) / 6.0)
    return tracker, float(np.mean(nees))


@pytest.mark.parametrize("times", [1.0, 2.0, 3.0])
def test_errors_larger_than_stated_are_scaled_until_tracks_are_as_exact_as_they_say(times):
    tracker, nees = watch(times, "apply")
    (scale,) = tracker.error_scales().values() or (1.0,)
    assert scale == pytest.approx(times**2, rel=0.25)
    assert 0.4 < nees < 1.5  # the targets do not accelerate at all, and the filter expects that they may
    unscaled, overconfident = watch(times, "warn")
    assert unscaled.error_scales() == {}
    assert overconfident > 0.7 * times**2 * 0.5
    (nis,) = unscaled.nis().values()
    assert (nis.errors() is None) == (times == 1.0)


def test_errors_far_smaller_than_stated_are_scaled_down_to_a_bound():
    tracker, _ = watch(0.1, "apply")
    assert list(tracker.error_scales().values()) == [SMALLEST_SCALE]


def test_not_asked_nothing_is_said():
    tracker, _ = watch(3.0, "off")
    assert (tracker.nis(), tracker.error_scales()) == ({}, {})


def test_a_few_detections_or_motion_do_not_speak_against_the_errors():
    assert Nis(9.0, 0.8, 1.2, 99).errors() is None
    assert Nis(1.4, 0.8, 1.2, 500).errors() is None
    assert Nis(0.3, 0.8, 1.2, 500).errors() is None
    assert Nis(9.0, 0.8, 1.2, 500).errors() == pytest.approx(3.0)
    assert Nis(0.04, 0.8, 1.2, 500).errors() == pytest.approx(0.2)


def test_a_scale_has_a_bound():
    gate = np.full(5, 1e3)
    consistency = Consistency(gate)
    for _ in range(50):
        consistency.add("radar", np.full(100, 400.0), np.full(100, 2))
        consistency.adjust("radar")
    assert consistency.scale("radar") == LARGEST_SCALE
    assert consistency.scale("another") == 1.0


def test_a_scale_that_nothing_speaks_for_any_more_is_forgotten():
    consistency = Consistency(np.full(5, 1e3))
    for squared in (8.0, 0.8, 0.8, 0.8, 0.8, 0.8):
        consistency.add("radar", np.full(100, squared), np.full(100, 2))
        consistency.adjust("radar")
        if squared == 8.0:
            assert consistency.scale("radar") == 2.0
    assert consistency.scales() == {}
