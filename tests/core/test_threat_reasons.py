# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every number in a reason against the truth that it tells of, computed another way: along the course, or by its definition."""

import re

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar
from threat_tracks import tracks_of

from aegis.core.threat.assessor import Assessor
from aegis.core.threat.settings import ThreatSettings
from aegis.core.types import ClassId, TrackStatus

ASSET, RADIUS_M = np.array([40.0, -30.0, 5.0]), 100.0
# Manoeuvres are left out here; with them the errors grow: test_threat_entry.py.
STEADY = {"acceleration_sigma_mps2": 0.0, "vertical_acceleration_sigma_mps2": 0.0}
SETTINGS = ThreatSettings(
    manoeuvre=STEADY, asset={"x": 40.0, "y": -30.0, "z": 5.0, "radius_m": RADIUS_M}, levels={"listed_from": "LOW"}
)
POSITION = st.tuples(*[st.floats(-5000, 5000)] * 2, st.floats(-50, 1000)).map(np.array)
VELOCITY = st.tuples(*[st.floats(-300, 300)] * 2, st.floats(-20, 20)).map(np.array)
SIGMA = (5.0, 1.0)  # of position and velocity, along each axis
NUMBER = r"(-?[0-9]+(?:\.[0-9])?)"


def reason_for(position, velocity, class_id=ClassId.DRONE, sigma=SIGMA, **changes) -> str:
    tracks = tracks_of((1, class_id, tuple(position), tuple(velocity)), sigma=sigma, **changes)
    (reason,) = Assessor(SETTINGS).step(tracks)[0].reason
    return reason


def told(pattern: str, reason: str) -> list[float]:
    """Return the numbers of a pattern in a reason, where N stands for one; none where it is not there."""
    found = re.search(re.escape(pattern).replace("N", NUMBER), reason)
    return [float(number) for number in found.groups()] if found else []


def distance_at(p, v, t: float) -> float:
    return float(np.linalg.norm(p + v * t - ASSET))


def closing_speed(p, v) -> float:
    """By the definition: how fast the distance shrinks."""
    step = 1e-4
    return (distance_at(p, v, -step) - distance_at(p, v, step)) / (2 * step)


@given(POSITION, VELOCITY)
def test_every_number_is_true(p, v):
    closing, distance = closing_speed(p, v), distance_at(p, v, 0.0)
    assume(abs(abs(closing) - 0.05) > 1e-3 and abs(distance - RADIUS_M) > 1.0 and np.linalg.norm(v) > 1.0)
    reason = re.sub(r" \(\+- [0-9.]+\) m/s", " m/s", reason_for(p, v))  # the errors of slow speeds: below
    inside = told("inside the asset's radius, N m from its centre", reason)
    away = told("moves away, N m off, at N m/s", reason)
    closer = told("closing at N m/s from N m", reason)
    miss, impact = told("passes at N m in N s (+- N m)", reason), told("impact in N s", reason)
    steady = told("keeps its distance, N m", reason)

    if distance <= RADIUS_M:
        assert inside == [pytest.approx(distance, abs=0.51)]
        speed = told("closing at N m/s", reason) or [-x for x in told("moving away at N m/s", reason)] or [0.0]
        assert speed == [pytest.approx(closing, abs=0.51)]
        return
    assert not inside
    assert bool(away) == (closing < -0.05)
    assert bool(closer) == (closing > 0.05)
    assert bool(steady) == (abs(closing) <= 0.05)
    for speed, far in ((away[1:], away[:1]), (closer[:1], closer[1:])):
        if speed:
            # Ten and more are told without decimals.
            assert speed[0] == pytest.approx(abs(closing), abs=0.51 if abs(closing) >= 9.9 else 0.051)
            assert far[0] == pytest.approx(distance, abs=0.51)
    if closing <= 0.05:
        assert not miss
        assert not impact
        return
    horizon = 2.0 * distance / np.linalg.norm(v) + 1.0
    nearest = minimize_scalar(
        lambda t: distance_at(p, v, t), bounds=(0.0, horizon), method="bounded", options={"xatol": 1e-9}
    )
    if nearest.fun > RADIUS_M + 0.01:
        assert miss[:2] == [pytest.approx(nearest.fun, abs=0.51), pytest.approx(nearest.x, abs=0.51)]
        assert not impact
    elif nearest.fun < RADIUS_M - 0.01:
        entry = brentq(lambda t: distance_at(p, v, t) - RADIUS_M, 0.0, nearest.x)
        assert impact == [pytest.approx(entry, abs=0.51)]
        assert not miss


@given(POSITION, VELOCITY)
def test_heights_are_told_where_they_are_known(p, v):
    above, below = told("N m above the asset", reason_for(p, v)), told("N m below the asset", reason_for(p, v))
    up = p[2] - ASSET[2]
    if abs(up) > SIGMA[0] + 0.01:
        assert (above if up > 0 else below) == [pytest.approx(abs(up), abs=0.51)]
    assert not (below if up > 0 else above)
    assert "the asset;" not in reason_for(p, v, sigma=(2000.0, 1.0))


def test_the_range_rate_is_told_and_not_the_speed():
    """An airliner abeam, 280 m/s fast, that comes closer by 3.6 m/s; said was "closing at 280 m/s"."""
    p = np.array([0.0, 8000.0, 900.0]) + ASSET
    along = np.array([0.0, -3.6 * np.hypot(8000.0, 900.0) / 8000.0, 0.0])
    v = along + np.array([np.sqrt(280.0**2 - along[1] ** 2), 0.0, 0.0])
    reason = reason_for(p, v, ClassId.AIRCRAFT)
    assert "closing at 3.6 m/s from 8050 m" in reason
    assert "AIRCRAFT (0.95)" in reason


def test_the_error_of_the_miss_distance_is_told():
    reason = reason_for(ASSET + [3000.0, 400.0, 0.0], [-100.0, 0.0, 0.0], sigma=(30.0, 4.0))
    # Thirty seconds on: 30 m, and 4 m/s times 30 s.
    assert "passes at 400 m in 30 s (+- 124 m)" in reason


def test_a_course_that_is_not_known_well_enough_is_said_to_be_so():
    p, v = ASSET + [3000.0, 0.0, 0.0], [-100.0, 0.0, 0.0]
    assert "impact in 29 s, entry probability 1.00; closing" in reason_for(p, v, sigma=(5.0, 1.0))
    assert "impact in 29 s (course known to +- 600 m)" in reason_for(p, v, sigma=(5.0, 20.0))


def test_a_speed_lost_in_its_error_is_told_with_it():
    reason = reason_for(ASSET + [800.0, 0.0, 40.0], [-0.4, 0.2, 0.0], sigma=(5.0, 3.0))
    assert "closing at 0.4 (+- 3.0) m/s from 801 m" in reason


def test_what_stands_still_neither_comes_nor_leaves():
    assert "keeps its distance, 500 m" in reason_for(ASSET + [500.0, 0.0, 0.0], [0.0, 0.0, 0.0])


def test_what_is_not_seen_is_said():
    reason = reason_for(ASSET + [900.0, 0.0, 40.0], [-20.0, 0.0, 0.0], status=TrackStatus.COASTING)
    assert "not seen for 0.0 s" in reason
