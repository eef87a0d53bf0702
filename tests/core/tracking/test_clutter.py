"""The local density of false alarms."""

import numpy as np
import pytest

from aegis.core.tracking.clutter import HOLE, ClutterMap

SECOND = 1_000_000_000


def test_it_settles_at_the_rate_of_each_place():
    rng = np.random.default_rng(1)
    known, scans = ClutterMap.empty(), 400
    for k in range(scans):
        # East of 0 five false alarms a scan on a square of 1 km; west of it one in five scans.
        n = rng.poisson([5.0, 0.2])
        plots = [rng.uniform([0, 0], [1000, 1000], (n[0], 2)), rng.uniform([-1000, 0], [0, 1000], (n[1], 2))]
        known = known.after(np.concatenate(plots), k * SECOND, scans * SECOND)
    usual = np.full(2, 2.6e-6)
    found = known.density(np.array([[500.0, 500.0], [-500.0, 500.0]]), usual, 300.0)
    assert found == pytest.approx([5e-6, 0.2e-6], rel=0.25)


def test_nothing_seen_means_the_usual_density_and_then_less():
    usual = np.array([1e-5])
    at = np.array([[0.0, 0.0]])
    assert ClutterMap.empty().density(at, usual, 100.0) == usual
    known = ClutterMap.empty()
    for k in range(10):
        known = known.after(np.empty((0, 2)), k * SECOND, 40 * SECOND)
    area = np.pi * 100.0**2 * (1 - HOLE**2)
    assert known.density(at, usual, 100.0)[0] == pytest.approx(1.0 / (1e5 + 10 * area))


def test_it_forgets_and_does_not_count_the_object_itself():
    known = ClutterMap.empty().after(np.array([[0.0, 0.0], [50.0, 0.0]]), 0, 40 * SECOND)
    at, usual = np.array([[0.0, 0.0]]), np.array([1e-5])
    area = np.pi * 100.0**2 * (1 - HOLE**2)
    assert known.density(at, usual, 100.0)[0] == pytest.approx(2.0 / (1e5 + area))  # only the one 50 m away
    later = known.after(np.empty((0, 2)), 41 * SECOND, 40 * SECOND)
    assert later.density(at, usual, 100.0)[0] == pytest.approx(1.0 / (1e5 + area))
    assert len(known.position) == 2  # the earlier map is as it was
