# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Biases of sources, from objects that they share: against those that were put in."""

import numpy as np
import pytest
from fused_tracks import Kalman, report, transition
from scipy.stats import chi2

from aegis.core.fusion.fuser import Fuser
from aegis.core.fusion.settings import FusionSettings

SIGMA = 15.0
PLACES = {"a": (0.0, 0.0), "b": (6000.0, -1000.0), "c": (-3000.0, 4000.0)}
OFFSET, ROTATION, RANGE, LATE = {"b": (12.0, -20.0)}, {"c": np.deg2rad(0.6)}, {"c": 25.0}, {"b": 0.06}


def displaced(x: np.ndarray, place, offset=(0.0, 0.0), rotation=0.0, longer_m=0.0, late_s=0.0) -> np.ndarray:
    """What a source says of states: late, turned about its place, too far, and shifted."""
    x = x.copy()
    x[:, :3] -= late_s * x[:, 3:]
    R = np.array([[np.cos(rotation), -np.sin(rotation)], [np.sin(rotation), np.cos(rotation)]])
    local = (x[:, :2] - place) @ R.T
    longer = 1.0 + longer_m / np.sqrt((local**2).sum(axis=1) + x[:, 2] ** 2)[:, None]
    x[:, :2] = local * longer + place + np.array(offset)
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
            bias = [one.get(source, 0.0) for one in (ROTATION, RANGE, LATE)]
            said = displaced(there, PLACES[source], OFFSET.get(source, (0.0, 0.0)), *bias)
            own[source].measure(at, said[:, :3] + rng.normal(0.0, SIGMA, (n, 3)), SIGMA)
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


@pytest.mark.parametrize(("sources", "held_by_the_others"), [(2, 12), (6, 12), (6, 4)])
def test_biases_are_as_sure_as_their_errors_are_small(sources, held_by_the_others):
    """Biases drawn from what is known of them before: the normalised error squared has its mean of one a component."""
    errors = [normalised_error(sources, 12, held_by_the_others, seed) for seed in range(6)]
    count = len(errors) * 4 * (sources - 1)
    low, high = chi2.ppf([0.001, 0.999], count) / count
    assert low < np.mean(errors) < high


def normalised_error(sources: int, objects: int, held: int, seed: int) -> float:
    """Return the squared error of all sources' offsets, rotations and delays by their covariance, a component."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.uniform(-8e3, 8e3, (objects, 2)), np.full(objects, 500.0),
                         rng.normal(0.0, 100.0, (objects, 2)), np.zeros(objects)])  # fmt: skip
    places = rng.uniform(-6e3, 6e3, (sources, 2))
    truth = rng.normal(0.0, [20.0, 20.0, np.deg2rad(0.5), 0.05], (sources, 4)) * (np.arange(sources) > 0)[:, None]
    names = [f"s{i}" for i in range(sources)]
    settings = {f"sources.{name}.sensor_{axis}": p[i] for name, p in zip(names, places.tolist(), strict=True)
                for i, axis in enumerate("xy")}  # fmt: skip
    one = Fuser(FusionSettings.load({**settings, "bias.reference": "s0", "period_s": 0.0}))
    which = [np.sort(rng.choice(objects, held if i else objects, replace=False)) for i in range(sources)]
    own = [Kalman(4.0, len(some)) for some in which]
    for k in range(40):
        for i, (name, some) in enumerate(zip(names, which, strict=True)):
            at = k + i / sources
            *offset, rotation, late_s = truth[i]
            said = displaced((x @ transition(at).T)[some], places[i], offset, rotation, 0.0, late_s)
            own[i].measure(at, said[:, :3] + rng.normal(0.0, SIGMA, (len(some), 3)), SIGMA)
            one.step(report(name, at, *own[i].tracks(), age=at))
    found = one._biases
    order = [found._sources[name] for name in names[1:]]
    mean = found._mean.reshape(sources, -1)[order][:, [0, 1, 2, 4]]
    each = np.concatenate([5 * k + np.array([0, 1, 2, 4]) for k in order])
    off = (mean - truth[1:]).ravel()
    return float(off @ np.linalg.solve(found._covariance[np.ix_(each, each)], off)) / len(off)
