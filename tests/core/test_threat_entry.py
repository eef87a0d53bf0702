# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The probability of entering the asset, and that nothing closer, faster inbound or surer is less threatening."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threat_tracks import tracks_of

from aegis.core.odometry import PlatformState
from aegis.core.threat.assessor import Assessor
from aegis.core.threat.assets import AssetPlace, place_on
from aegis.core.threat.geometry import cpa_distance_sigma, entry_probability, position_covariance
from aegis.core.threat.settings import ThreatSettings
from aegis.core.types import ClassId, ThreatLevel, Tracks

RADIUS_M = 150.0
NOISE = (4.0, 1.0)


def flown(p, v, covariance, radius, noise, *, n=40_000, step_s=0.1, horizon_s=60.0) -> float:
    """Return the share of flights with white acceleration, step by step, that come within the radius."""
    rng = np.random.default_rng(7)
    state = rng.multivariate_normal(np.concatenate([p, v]), covariance, n)
    inside = np.linalg.norm(state[:, :3], axis=1) <= radius
    push = np.sqrt(np.array([noise[0], noise[0], noise[1]]) * step_s)
    for _ in range(round(horizon_s / step_s)):
        kick = rng.normal(size=(n, 3)) * push
        state[:, :3] += (state[:, 3:] + kick / 2.0) * step_s
        state[:, 3:] += kick
        inside |= np.linalg.norm(state[:, :3], axis=1) <= radius
    return float(inside.mean())


@pytest.mark.parametrize(
    ("p", "v", "sigma"),
    [
        ((3000.0, 0.0, 0.0), (-200.0, 0.0, 0.0), (20.0, 5.0)),
        ((3000.0, 200.0, 50.0), (-200.0, 0.0, 0.0), (20.0, 5.0)),
        ((1500.0, 100.0, 200.0), (-60.0, 5.0, -6.0), (30.0, 2.0)),
        ((-2000.0, 2000.0, 500.0), (150.0, -140.0, -30.0), (60.0, 3.0)),
    ],
)
@pytest.mark.parametrize("noise", [(0.0, 0.0), NOISE])
def test_the_probability_of_entry_is_that_of_flights(p, v, sigma, noise):
    p, v = np.array(p), np.array(v)
    covariance = np.diag([sigma[0] ** 2] * 3 + [sigma[1] ** 2] * 3)
    covariance[0, 3] = covariance[3, 0] = 0.5 * sigma[0] * sigma[1]
    found = entry_probability(p[None], v[None], covariance[None], RADIUS_M, noise)[0]
    assert found == pytest.approx(flown(p, v, covariance, RADIUS_M, noise, n=10_000), abs=0.03)


def test_straight_at_the_centre_it_is_rayleighs():
    """Of a course at the centre with equal errors across it: 1 - exp(-R^2 / 2 sigma^2)."""
    for sigma in (10.0, 80.0, 150.0, 600.0):
        covariance = np.diag([sigma**2] * 3 + [1e-8] * 3)
        found = entry_probability(np.array([[2000.0, 0, 0]]), np.array([[-100.0, 0, 0]]), covariance[None], RADIUS_M)
        assert found[0] == pytest.approx(1 - np.exp(-(RADIUS_M**2) / (2 * sigma**2)), abs=1e-6)


def test_what_recedes_never_enters_and_what_is_inside_has():
    p, v = np.array([[500.0, 0, 0], [100.0, 0, 0]]), np.array([[10.0, 0, 0], [10.0, 0, 0]])
    found = entry_probability(p, v, np.broadcast_to(np.eye(6), (2, 6, 6)), RADIUS_M)
    assert found.tolist() == [0.0, 1.0]


def test_manoeuvres_widen_where_it_can_be_by_q_t_cubed_over_three():
    covariance, time = np.diag([9.0] * 3 + [4.0] * 3)[None], np.array([10.0])
    there = position_covariance(covariance, time, NOISE)[0]
    np.testing.assert_allclose(np.diag(there), 9.0 + 400.0 + np.array([4.0, 4.0, 1.0]) * 1000.0 / 3.0)
    sigma = cpa_distance_sigma(np.array([[1000.0, 300.0, 0]]), np.array([[-100.0, 0, 0]]), covariance, time, NOISE)
    assert sigma[0] == pytest.approx(np.sqrt(409.0 + 4000.0 / 3.0))


# What is closer, faster inbound, surer is never less threatening.

ASSESSED = ThreatSettings.load({"levels.listed_from": "LOW", "behaviour.pop_up_m": 0.0})
SLACK = 1e-6  # of the integral
INBOUND = st.tuples(
    st.floats(300.0, 9000.0),  # distance
    st.floats(0.0, 2 * np.pi),  # bearing
    st.floats(-0.2, 0.9),  # elevation
    st.floats(1.0, 600.0),  # speed
    st.floats(2.0, 200.0),  # sigma of position
    st.floats(0.1, 20.0),  # sigma of velocity
    st.sampled_from(list(ClassId)),
)
SHARE = st.floats(0.05, 1.0)


def inbound(distance, bearing, elevation, speed, sigma_p, sigma_v, class_id) -> Tracks:
    line = np.array([np.cos(bearing) * np.cos(elevation), np.sin(bearing) * np.cos(elevation), np.sin(elevation)])
    return tracks_of((1, class_id, tuple(distance * line), tuple(-speed * line)), sigma=(sigma_p, sigma_v))


def score_of(tracks: Tracks) -> float:
    return float(Assessor(ASSESSED).step(tracks)[0].score[0])


@given(INBOUND, SHARE)
def test_closer_is_never_less_threatening(drawn, share):
    distance, *rest = drawn
    nearer = max(distance * share, 101.0)
    assert score_of(inbound(min(nearer, distance), *rest)) >= score_of(inbound(distance, *rest)) - SLACK


@given(INBOUND, SHARE)
def test_faster_inbound_is_never_less_threatening(drawn, share):
    distance, bearing, elevation, speed, *rest = drawn
    slow = score_of(inbound(distance, bearing, elevation, speed * share, *rest))
    assert score_of(inbound(distance, bearing, elevation, speed, *rest)) >= slow - SLACK


@given(INBOUND, SHARE, st.floats(0.0, 0.9), st.floats(0.0, 2 * np.pi))
def test_surer_of_its_course_is_never_less_threatening(drawn, share, miss, turn):
    """Of courses that enter the asset, through its centre or beside it."""
    tracks = inbound(*drawn)
    line = tracks.state[0, :3] / np.linalg.norm(tracks.state[0, :3])
    across = np.cross(line, [0.0, 0.0, 1.0])
    across /= np.linalg.norm(across)
    tracks.state[0, :3] += 100.0 * miss * (np.cos(turn) * across + np.sin(turn) * np.cross(line, across))
    surer = replace(tracks, covariance=tracks.covariance * share)
    assert score_of(surer) >= score_of(tracks) - SLACK


@given(INBOUND, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_surer_that_it_is_there_or_dangerous_is_never_less_threatening(drawn, more, less):
    tracks = inbound(*drawn)
    less, more = sorted((less, more))
    there = [score_of(replace(tracks, existence_probability=np.array([p]))) for p in (less, more)]
    assert there[1] >= there[0] - SLACK
    drone, bird = np.eye(10)[ClassId.DRONE], np.eye(10)[ClassId.BIRD]
    kinds = [score_of(replace(tracks, class_probability=(p * drone + (1 - p) * bird)[None])) for p in (less, more)]
    assert kinds[1] >= kinds[0] - SLACK


# Several assets.

TWO = {"harbour.x": 5000.0, "harbour.radius_m": 50.0, "ship.on_platform": True, "ship.radius_m": 50.0}


def two_assets() -> ThreatSettings:
    return ThreatSettings.load({"levels.listed_from": "LOW", **{f"assets.{name}": v for name, v in TWO.items()}})


def test_of_several_assets_the_one_most_threatened_counts():
    tracks = tracks_of(
        (1, ClassId.DRONE, (4000.0, 0.0, 0.0), (20.0, 0.0, 0.0)),
        (2, ClassId.DRONE, (0.0, 900.0, 0.0), (0.0, -20.0, 0.0)),
    )
    threats, _ = Assessor(two_assets()).step(tracks, {"ship": AssetPlace(np.zeros(3), np.zeros(3))})
    assert dict(zip(threats.track_id.tolist(), threats.asset, strict=True)) == {1: "harbour", 2: "ship"}
    assert "asset 'ship'" in threats.reason[threats.track_id.tolist().index(2)]
    np.testing.assert_allclose(sorted(threats.time_to_impact), [42.5, 47.5])


def test_against_an_asset_that_moves_its_own_motion_counts():
    """A drone that hovers 900 m ahead of a ship that makes 10 m/s towards it: there in 85 s."""
    tracks = tracks_of((1, ClassId.DRONE, (1900.0, 0.0, 0.0), (0.0, 0.0, 0.0)))
    ship = AssetPlace(np.array([1000.0, 0.0, 0.0]), np.array([10.0, 0.0, 0.0]))
    threats, _ = Assessor(two_assets()).step(tracks, {"ship": ship})
    assert threats.asset == ["ship"]
    assert threats.time_to_impact[0] == pytest.approx(85.0)
    assert "closing at 10 m/s from 900 m" in threats.reason[0]


def test_without_the_place_of_the_only_asset_nothing_is_assessed():
    settings = ThreatSettings.load({"asset.on_platform": True})
    threats, changes = Assessor(settings).step(tracks_of((1, ClassId.MISSILE, (900.0, 0, 0), (-300.0, 0, 0))))
    assert (len(threats), len(threats.unlisted_track_id), changes) == (0, 0, [])


def test_an_asset_on_a_platform_that_turns():
    """A platform that looks north and turns left at 0.1 rad/s: a point 20 m ahead moves west by 2 m/s besides."""
    half = np.sqrt(0.5)
    platform = PlatformState(
        10_000_000_000, np.array([100.0, 50.0, 2.0]), np.array([0.0, 0.0, half, half]), np.array([8.0, 0.0, 0.0]),
        np.array([0.0, 0.0, 0.1]),
    )  # fmt: skip
    place = place_on(platform, np.array([20.0, 0.0, 3.0]), 10_500_000_000)
    np.testing.assert_allclose(place.velocity, [-2.0, 8.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(place.position, [100.0 - 1.0, 70.0 + 4.0, 5.0], atol=1e-9)
    assert place_on(platform, np.zeros(3), 13_000_000_000) is None  # too old


# Levels in time.


def test_a_level_needs_time_to_rise_and_to_fall():
    settings = ThreatSettings.load({"levels.rise_s": 1.0, "levels.hold_s": 3.0, "levels.listed_from": "LOW"})
    assessor, levels = Assessor(settings), []
    near, far = ((900.0, 0.0, 0.0), (-300.0, 0.0, 0.0)), ((900.0, 0.0, 0.0), (300.0, 0.0, 0.0))
    for k in range(12):  # half a second each: two seconds of approach, then away
        tracks = tracks_of((1, ClassId.MISSILE, *(near if k < 4 else far)))
        levels.append(int(assessor.step(replace(tracks, stamp_ns=1 + k * 500_000_000))[0].level[0]))
    L = ThreatLevel
    assert levels == [L.LOW] * 2 + [L.CRITICAL] * 8 + [L.LOW] * 2
