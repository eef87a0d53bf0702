# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Gate, components, marginals and assignment, each against trying everything."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_calls import assign, components, marginals
from scenes import detections_of, polar_of
from scipy.optimize import approx_fprime, linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from aegis.core.tracking import association, measurement
from aegis.core.tracking.motion import Kinematics, combine
from aegis.core.types import Pose

BOUND = np.array([0.0, 9.0, 11.0, 13.0, 15.0])


def random_pairs(seed: int, tracks: int, detections: int, density: float):
    """Return start, detection and log odds of random pairs."""
    rng = np.random.default_rng(seed)
    near = rng.random((tracks, detections)) < density
    start = np.concatenate([[0], np.cumsum(near.sum(axis=1))])
    detection = np.nonzero(near)[1].copy()  # contiguous
    return near, start, detection, rng.normal(0.0, 3.0, len(detection))


def by_enumeration(near: np.ndarray, log_odds: np.ndarray) -> np.ndarray:
    """Return the probability of each pair (tracks, detections): the sum over all admissible associations."""
    tracks, detections = near.shape
    odds = np.zeros(near.shape)
    odds[near] = np.exp(log_odds)
    total, probability = 0.0, np.zeros(near.shape)
    for choice in product(range(-1, detections), repeat=tracks):
        taken = [d for d in choice if d >= 0]
        if len(set(taken)) < len(taken):
            continue
        weight = np.prod([odds[t, d] for t, d in enumerate(choice) if d >= 0])
        total += weight
        for t, d in enumerate(choice):
            if d >= 0:
                probability[t, d] += weight
    return probability / total


@settings(max_examples=60)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 10_000))
def test_the_assignment_is_the_best_there_is(tracks, detections, seed):
    near, start, detection, gain = random_pairs(seed, tracks, detections, 0.6)
    parts = components(start, detection, detections)
    chosen = assign(start, detection, gain, detections, parts)
    taken = chosen[chosen >= 0]
    assert len(set(detection[taken])) == len(taken)
    cost = np.full((tracks, detections + tracks), -1e9)
    cost[:, :detections][near] = gain
    cost[np.arange(tracks), detections + np.arange(tracks)] = 0.0
    assert gain[taken].sum() == pytest.approx(cost[linear_sum_assignment(cost, maximize=True)].sum())
    for t, p in enumerate(chosen):
        assert p < 0 or start[t] <= p < start[t + 1]


def test_a_large_assignment_is_as_good_as_scipys():
    near, start, detection, gain = random_pairs(5, 150, 200, 0.05)
    parts = components(start, detection, 200)
    chosen = assign(start, detection, gain, 200, parts)
    cost = np.full((150, 350), -1e9)
    cost[:, :200][near] = gain
    cost[np.arange(150), 200 + np.arange(150)] = 0.0
    assert gain[chosen[chosen >= 0]].sum() == pytest.approx(cost[linear_sum_assignment(cost, maximize=True)].sum())


def marginals_of(seed: int, tracks: int, detections: int):
    """Return the pairs' marginals, the exact ones, what is left of each track and detection, and whether there are loops."""
    near, start, detection, log_odds = random_pairs(seed, tracks, detections, 0.6)
    parts = components(start, detection, detections)
    probability, alone = marginals(start, detection, log_odds, detections, parts)
    track = np.repeat(np.arange(tracks), np.diff(start))
    unseen = 1.0 - np.bincount(track, probability, minlength=tracks)
    np.testing.assert_allclose(alone, 1.0 - np.bincount(detection, probability, minlength=detections), atol=1e-4)
    # Of Bethe's free energy, whose only stationary point belief propagation finds: p (1 - p) = odds * P(miss) * P(alone).
    bethe = np.exp(log_odds) * unseen[track] * alone[detection]
    np.testing.assert_allclose(probability * (1.0 - probability), bethe, atol=1e-5)
    loops = len(detection) > len(set(detection.tolist())) + int((np.diff(start) > 0).sum()) - (len(parts[1]) - 1)
    return probability, by_enumeration(near, log_odds)[near], loops


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 10_000))
def test_marginals_without_loops_are_those_of_all_associations(tracks, detections, seed):
    probability, exact, loops = marginals_of(seed, tracks, detections)
    if not loops:
        np.testing.assert_allclose(probability, exact, atol=1e-6)


def test_marginals_with_loops_are_near_those_of_all_associations():
    """With loops belief propagation has an error of its own, for a few odds a large one: so a bound for most and for the mean."""
    cases = [marginals_of(seed, 4, 4) for seed in range(300)]
    errors = [np.abs(probability - exact).max() for probability, exact, loops in cases if loops]
    assert len(errors) > 200
    assert np.mean(errors) < 0.008
    assert np.quantile(errors, 0.99) < 0.08


def test_marginals_stay_right_where_odds_are_extreme():
    start, detection = np.array([0, 2, 4]), np.array([0, 1, 0, 1])
    parts = components(start, detection, 2)
    probability, alone = marginals(start, detection, np.array([600.0, -600.0, 0.0, 600.0]), 2, parts)
    np.testing.assert_allclose(probability, [1.0, 0.0, 0.0, 1.0], atol=1e-9)
    np.testing.assert_allclose(alone, 0.0, atol=1e-9)


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 10_000))
def test_components_are_scipys(tracks, detections, seed):
    _, start, detection, _ = random_pairs(seed, tracks, detections, 0.15)
    member, begin = components(start, detection, detections)
    who = np.repeat(np.arange(tracks), np.diff(start))
    graph = coo_array((np.ones(len(who)), (who, tracks + detection)), shape=(tracks + detections,) * 2)
    _, label = connected_components(graph, directed=False)
    found = {frozenset(member[a:b].tolist()) for a, b in pairwise(begin)}
    busy = np.flatnonzero(np.diff(start) > 0)
    assert found == {frozenset(t for t in busy.tolist() if label[t] == k) for k in set(label[busy].tolist())}


@pytest.mark.parametrize("polar", [True, False])
def test_the_gate_holds_every_pair_within_it(polar):
    """Against all pairs, with components missing and two modes; the oracle is the definition and its finite differences."""
    rng = np.random.default_rng(6)
    tracks, detections, size = 25, 40, 4
    centre = np.column_stack([rng.uniform(-400, 400, (tracks, 2)), rng.uniform(0, 50, tracks)])
    x = np.concatenate([centre[:, None] + rng.normal(0, 2, (tracks, 2, 3)), rng.normal(0, 20, (tracks, 2, 3))], axis=2)
    root = rng.normal(size=(tracks, 2, 6, 6)) * 8.0
    P = root @ root.swapaxes(2, 3)
    near = np.concatenate([x[rng.integers(0, tracks, detections), 0], np.zeros((0, 6))])
    seen = np.array([polar_of(s) for s in near]) + rng.normal(0, [10.0, 0.03, 0.03, 15.0], (detections, size))
    seen[:, 2:][rng.random((detections, 2)) < 0.5] = np.nan
    sigma = np.array([3.0, 0.01, 0.01, 4.0])
    scan = detections_of(seen, 0.0, sigma=sigma, cartesian=not polar)
    pose = Pose(np.zeros(3), np.eye(3), np.array([3.0, -2.0, 0.0]))
    z = measurement.from_detections(scan, pose)
    z = z.ordered(np.argsort(association.gate_keys(z.position)))
    weight = np.tile([0.7, 0.3], (tracks, 1))
    assert z.components().all()
    gated = association.gate(Kinematics(x, P, weight), centre, np.full((tracks, 3), 1e6), pose, z, BOUND)
    start, detection, by_mode, total, normalised = gated[:5]

    def h(state):
        value = polar_of(state, velocity=pose.velocity)
        return value if polar else np.array([*state[:3], value[3]])

    pairs = {}
    for t, d in product(range(tracks), range(detections)):
        use, logs, distances = z.measured[d], [], []
        for m in range(2):
            y = z.value[d] - h(x[t, m])
            if polar:
                y[1] = (y[1] + np.pi) % (2 * np.pi) - np.pi
            H = approx_fprime(x[t, m], h, 1e-5)
            C = (H @ P[t, m] @ H.T + np.diag(z.variance[d]))[np.ix_(use, use)]
            distances.append(y[use] @ np.linalg.solve(C, y[use]))
            logs.append(-0.5 * (distances[-1] + np.linalg.slogdet(2 * np.pi * C)[1]))
        if min(distances) <= BOUND[use.sum()]:
            both = np.logaddexp(np.log(0.7) + logs[0], np.log(0.3) + logs[1])
            pairs[t, d] = (*logs, both, distances[0], use.sum())
    found = {}
    for t in range(tracks):
        for p in range(start[t], start[t + 1]):
            found[t, int(detection[p])] = (*by_mode[p], total[p], *normalised[p])
    assert len(pairs) > 40
    assert set(found) == set(pairs)
    for key, numbers in pairs.items():
        np.testing.assert_allclose(found[key], numbers, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("lacking", ["all", "some"])
@pytest.mark.parametrize("tilt_deg", [0.0, 7.0])
def test_without_elevation_the_gate_holds_what_is_high_above_the_sensor_too(lacking, tilt_deg):
    """Against all pairs by the definition; a detection of what is high lies farther out than that, when put in the map."""
    rng = np.random.default_rng(8)
    tracks, a = 60, np.deg2rad(tilt_deg)
    x = np.zeros((tracks, 1, 6))
    x[:, 0, :3] = np.column_stack([rng.uniform(-4000, 4000, (tracks, 2)), rng.uniform(-50, 3000, tracks)])
    x[0, 0, :3] = [0.3, 0.2, 2000.0]
    root = rng.normal(size=(tracks, 1, 6, 6)) * 8.0
    P = root @ root.swapaxes(2, 3)
    turn = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    pose = Pose(np.array([10.0, -20.0, 5.0]), turn, np.zeros(3))

    def h(state):
        local = turn.T @ (state[:3] - pose.position)
        return polar_of(np.append(local, np.zeros(3)))[:3]

    seen = np.array([[*h(s), np.nan] for s in x[:, 0]]) + rng.normal(0, [9.0, 0.01, 0.01, 0.0], (tracks, 4))
    seen[:, 1] = (seen[:, 1] + np.pi) % (2 * np.pi) - np.pi
    seen[rng.random(tracks) < (0.5 if lacking == "some" else 1.0), 2] = np.nan
    z = measurement.from_detections(detections_of(seen, 0.0, sigma=np.array([3.0, 0.003, 0.003, 1.0])), pose)
    z = z.ordered(np.argsort(association.gate_keys(z.position)))
    mean, covariance = combine(Kinematics(x, P, np.ones((tracks, 1))))
    spread = np.ascontiguousarray(np.diagonal(covariance, axis1=1, axis2=2)[:, :3])
    gated = association.gate(Kinematics(x, P, np.ones((tracks, 1))), mean[:, :3].copy(), spread, pose, z, BOUND)
    found = {(t, int(d)) for t in range(tracks) for d in gated.detection[gated.start[t] : gated.start[t + 1]]}
    pairs = set()
    for t, d in product(range(tracks), range(tracks)):
        use = z.measured[d, :3]
        y, H = z.value[d, :3] - h(x[t, 0]), approx_fprime(x[t, 0], h, 1e-4)
        y[1] = (y[1] + np.pi) % (2 * np.pi) - np.pi
        C = (H @ P[t, 0] @ H.T + np.diag(z.variance[d, :3]))[np.ix_(use, use)]
        if y[use] @ np.linalg.solve(C, y[use]) <= BOUND[use.sum()]:
            pairs.add((t, d))
    assert len(pairs) > 40
    assert found == pairs
