# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Biases of sources, from objects that they share: against those that were put in."""

import numpy as np
from fused_tracks import Kalman, report, transition

from aegis.core.fusion.fuser import Fuser
from aegis.core.fusion.settings import FusionSettings

SIGMA = 15.0
PLACES = {"a": (0.0, 0.0), "b": (6000.0, -1000.0), "c": (-3000.0, 4000.0)}
OFFSET, ROTATION, RANGE, LATE = {"b": (12.0, -20.0)}, {"c": np.deg2rad(0.6)}, {"c": 25.0}, {"b": 0.06}


def displaced(source: str, x: np.ndarray) -> np.ndarray:
    """What a source says of states: late, turned about its place, too far, and shifted."""
    x = x.copy()
    x[:, :3] -= LATE.get(source, 0.0) * x[:, 3:]
    turn, place = ROTATION.get(source, 0.0), np.array(PLACES[source])
    R = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    local = (x[:, :2] - place) @ R.T
    longer = 1.0 + RANGE.get(source, 0.0) / np.sqrt((local**2).sum(axis=1) + x[:, 2] ** 2)[:, None]
    x[:, :2] = local * longer + place + np.array(OFFSET.get(source, (0.0, 0.0)))
    x[:, 2] *= longer[:, 0]
    x[:, 3:5] = x[:, 3:5] @ R.T
    return x


def test_biases_are_found_and_taken_off():
    rng = np.random.default_rng(2)
    n, tracks = 30, None
    x = np.column_stack(
        [rng.uniform(-8000.0, 8000.0, (n, 2)), np.full(n, 500.0), rng.normal(0.0, 100.0, (n, 2)), np.zeros(n)]
    )
    places = {f"sources.{s}.sensor_{axis}": p[i] for s, p in PLACES.items() for i, axis in enumerate("xy")}
    one = Fuser(FusionSettings.load({**places, "bias.reference": "a", "bias.range_sigma_m": 20.0, "period_s": 0.0}))
    own = {name: Kalman(4.0, n) for name in PLACES}
    for k in range(60):
        for i, source in enumerate(PLACES):
            at = k + 0.3 * i
            there = x @ transition(at).T
            own[source].measure(at, displaced(source, there)[:, :3] + rng.normal(0.0, SIGMA, (n, 3)), SIGMA)
            tracks = one.step(report(source, at, *own[source].tracks(), age=float(k))).tracks
    found = one.biases()
    assert found["a"].offset_m == (0.0, 0.0)
    for name in "bc":
        wrong = np.subtract(found[name].offset_m, OFFSET.get(name, (0.0, 0.0)))
        assert np.abs(wrong).max() < 4.0 * found[name].offset_sigma_m
        assert found[name].offset_sigma_m < 4.0
        assert (
            abs(found[name].rotation_rad - ROTATION.get(name, 0.0))
            < 4.0 * found[name].rotation_sigma_rad
            < np.deg2rad(0.08)
        )
        assert abs(found[name].range_m - RANGE.get(name, 0.0)) < 4.0 * found[name].range_sigma_m < 16.0
        assert abs(found[name].late_s - LATE.get(name, 0.0)) < 4.0 * found[name].late_sigma_s < 0.08
    assert len(tracks) == n
    assert set(tracks.sources) == {"a,b,c"}
    fused, alone = (np.linalg.norm(one[:, :2] - there[:, :2], axis=1) for one in (tracks.state, own["c"].x))
    assert np.sqrt(np.mean(fused**2)) < 0.25 * np.sqrt(np.mean(alone**2))  # that one is turned
    behind = own["a"].x @ transition(0.6).T  # the source without bias, by itself
    assert np.sqrt(np.mean(fused**2)) < 0.8 * np.sqrt(
        np.mean(np.linalg.norm(behind[:, :2] - there[:, :2], axis=1) ** 2)
    )
