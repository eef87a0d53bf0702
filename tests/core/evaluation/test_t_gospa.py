# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""T-GOSPA against a search of all assignments in all scans, and against cases that can be counted by hand."""

from itertools import combinations, permutations, product

import numpy as np
import pytest

from aegis.core.evaluation.t_gospa import t_gospa
from aegis.core.metrics import gospa

C, GAMMA = 10.0, 4.0


def assignments(n: int, m: int):
    """Yield every partial assignment of n objects to m tracks, as a set of pairs."""
    for size in range(min(n, m) + 1):
        for objects in combinations(range(n), size):
            for tracks in permutations(range(m), size):
                yield frozenset(zip(objects, tracks, strict=True))


def exhaustive(truth, estimate, p):
    """Return T-GOSPA by its definition over assignments (eq. 8), by dynamic programming over the scans."""
    scans, n, m = len(truth), truth.shape[1], estimate.shape[1]
    states = list(assignments(n, m))

    def cost(s, state):
        total, pairs = 0.0, dict(state)
        left = set(range(m)) - set(pairs.values())
        for i in range(n):
            there = np.isfinite(truth[s, i, 0])
            if i not in pairs:
                total += there * C**p / 2
                continue
            shown = np.isfinite(estimate[s, pairs[i], 0])
            if there and shown:
                total += min(np.linalg.norm(truth[s, i] - estimate[s, pairs[i]]), C) ** p
            else:
                total += (there + shown) * C**p / 2
        return total + sum(np.isfinite(estimate[s, j, 0]) * C**p / 2 for j in left)

    best = {state: cost(0, state) for state in states}
    for s in range(1, scans):
        best = {
            state: cost(s, state) + min(v + GAMMA**p / 2 * len(state ^ before) for before, v in best.items())
            for state in states
        }
    return min(best.values()) ** (1 / p)


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_it_is_the_best_of_all_assignments(p):
    rng = np.random.default_rng(3)
    equal = 0
    for n, m, scans in list(product([1, 2], [1, 2, 3], [1, 3, 5])) * 2:
        truth, estimate = rng.uniform(0, 14, (scans, n, 2)), rng.uniform(0, 14, (scans, m, 2))
        truth[rng.random((scans, n)) < 0.2] = np.nan
        estimate[rng.random((scans, m)) < 0.3] = np.nan
        ours, best = t_gospa(truth, estimate, c=C, gamma=GAMMA, p=p), exhaustive(truth, estimate, p)
        assert ours.total <= best + 1e-7  # a linear program's optimum is a lower bound
        equal += ours.total == pytest.approx(best, abs=1e-7)
        parts = ours.localisation + ours.missed + ours.false + ours.switch
        assert ours.total**p == pytest.approx(parts, abs=1e-6)
    assert equal >= 34  # of 36: it is seldom not the same


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_of_one_object_or_one_track_it_is_exact(p):
    rng = np.random.default_rng(4)
    for n, m in [(1, 3), (3, 1), (1, 2), (1, 1)] * 10:
        truth, estimate = rng.uniform(0, 14, (7, n, 2)), rng.uniform(0, 14, (7, m, 2))
        truth[rng.random((7, n)) < 0.2] = np.nan
        estimate[rng.random((7, m)) < 0.3] = np.nan
        found = t_gospa(truth, estimate, c=C, gamma=GAMMA, p=p)
        assert found.total == pytest.approx(exhaustive(truth, estimate, p), abs=1e-9)
        parts = found.localisation + found.missed + found.false + found.switch
        assert found.total**p == pytest.approx(parts, abs=1e-9)


def test_one_change_of_track_costs_gamma():
    scans = 6
    truth = np.zeros((scans, 1, 2))
    estimate = np.full((scans, 2, 2), np.nan)
    estimate[:3, 0], estimate[3:, 1] = 1.0, 1.0
    found = t_gospa(truth, estimate, c=C, gamma=GAMMA)
    assert found.switch == pytest.approx(GAMMA**2)
    assert (found.missed, found.false) == (pytest.approx(0.0), pytest.approx(0.0))
    assert found.localisation == pytest.approx(scans * 2.0)


def test_without_a_penalty_it_is_gospa_of_every_scan():
    rng = np.random.default_rng(8)
    truth, estimate = rng.uniform(0, 40, (7, 4, 2)), rng.uniform(0, 40, (7, 5, 2))
    alone = sum(gospa(a, b, c=C).total ** 2 for a, b in zip(truth, estimate, strict=True))
    assert t_gospa(truth, estimate, c=C, gamma=0.0).total ** 2 == pytest.approx(alone, rel=1e-6)


def test_an_empty_picture_misses_everything():
    found = t_gospa(np.zeros((5, 2, 2)), np.empty((5, 0, 2)), c=C, gamma=GAMMA)
    assert (found.missed, found.false, found.switch) == (10 * C**2 / 2, 0.0, 0.0)
