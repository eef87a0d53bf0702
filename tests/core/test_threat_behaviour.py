# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the way of a track says of it: each behaviour shown by a track that has it, and by one that only looks a little like it."""

import re
from dataclasses import replace

import numpy as np
import pytest
from threat_tracks import tracks_of

from aegis.core.threat.assessor import Assessor
from aegis.core.threat.behaviour import BehaviourMonitor, Conduct, words
from aegis.core.threat.settings import Behaviour, ThreatSettings
from aegis.core.types import ClassId, Floats

STEP_S = 1.0
SIGMA = 2.0


def conduct_after(seconds: float, ways, *, settings: Behaviour | None = None) -> list[Conduct]:
    """Return how tracks behave whose positions are functions of time (N, 3), after so long; velocities are their differences."""
    monitor = BehaviourMonitor(settings or Behaviour())
    for k in range(round(seconds / STEP_S) + 1):
        t = k * STEP_S
        position: Floats = np.array(ways(t), dtype=float)
        velocity = (np.array(ways(t + 0.01)) - position) / 0.01
        distance = np.linalg.norm(position, axis=1)
        closing = -np.einsum("ni,ni->n", position, velocity) / distance
        n = len(position)
        covariance = np.broadcast_to(np.eye(6) * SIGMA**2, (n, 6, 6))
        state = np.hstack([position, velocity])
        found = monitor.step(round(t * 1e9), np.arange(1, n + 1), state, covariance, distance, closing)
    return [Conduct(int(each)) for each in found.conduct]


def test_an_approach_lasts():
    ways = lambda t: [(5000 - 20 * t, 100, 50), (4000 + 20 * t, 0, 50)]  # noqa: E731
    assert conduct_after(9, ways) == [Conduct.NONE, Conduct.NONE]
    assert conduct_after(10, ways) == [Conduct.APPROACH, Conduct.NONE]


def test_circling_is_loitering_and_neither_passing_nor_hovering_is():
    def ways(t):
        rng = np.random.default_rng(round(t * 10))  # it stands, and is measured with errors
        sway = rng.normal(size=3) * SIGMA
        circle = (3000 + 80 * np.cos(0.25 * t), 80 * np.sin(0.25 * t), 100)
        return [circle, (3000, -2000 + 15 * t, 100), (2500 + sway[0], sway[1], 100 + sway[2])]

    found = conduct_after(45, ways)
    assert [bool(one & Conduct.LOITER) for one in found] == [True, False, False]
    assert not any(one & Conduct.LOITER for one in conduct_after(30, ways))  # not for the whole window yet


def shares(ways, sigma, *, period_s=1.0, n=400, seconds=60.0, seed=1) -> dict[str, float]:
    """Return how many of n objects that move alike are told to loiter, or to be a swarm, where each place is measured with errors
    of its own and so is each velocity, whose errors are half as many m/s.
    """
    monitor, rng, found = BehaviourMonitor(Behaviour()), np.random.default_rng(seed), None
    covariance = np.broadcast_to(np.diag([sigma**2] * 3 + [0.25 * sigma**2] * 3), (n, 6, 6))
    for t in np.arange(0.0, seconds, period_s):
        here, there = (np.array(ways(at), dtype=float) for at in (t, t + 0.01))
        middle = np.stack(
            [np.arange(n) // 10 * 5000.0, np.arange(n) % 10 * 20.0, np.zeros(n)], axis=1
        )  # tens, close by
        position = middle + here + rng.normal(0.0, sigma, (n, 3))
        velocity = (there - here) / 0.01 + rng.normal(0.0, 0.5 * sigma, (n, 3))
        ones = np.ones(n)
        found = monitor.step(
            round(t * 1e9), np.arange(n), np.hstack([position, velocity]), covariance, 1e4 * ones, ones
        )
    return {flag.name: float(np.mean(found.conduct & flag > 0)) for flag in (Conduct.LOITER, Conduct.SWARM)}


@pytest.mark.parametrize("sigma", [1.0, 6.0, 12.0, 40.0])
@pytest.mark.parametrize("speed", [0.0, 1.0])
def test_what_stands_or_goes_slowly_straight_on_neither_loiters_nor_flies_in_a_swarm(sigma, speed):
    found = shares(lambda t: (speed * t, 0.0, 0.0), sigma)
    assert found["LOITER"] <= 0.01  # of errors that are independent: those of a track last, and make less of a way
    assert found["SWARM"] <= 0.02


@pytest.mark.parametrize("sigma", [1.0, 6.0, 12.0])
def test_a_drone_that_circles_loiters_though_it_is_measured_with_errors(sigma):
    assert shares(lambda t: (60.0 * np.cos(t / 5.0), 60.0 * np.sin(t / 5.0), 0.0), sigma)["LOITER"] >= 0.9  # 12 m/s


@pytest.mark.parametrize("period_s", [0.5, 2.5, 4.0, 6.0, 10.0, 12.0])
def test_loitering_is_of_the_same_window_and_speed_however_seldom_the_radar_looks(period_s):
    """To and fro: at 1.5 m/s it is too slow, at 6 m/s it is not; and what flew straight until 45 s ago is no longer told of."""

    def to_and_fro(speed):
        return lambda t: (speed * (20.0 - abs(t % 40.0 - 20.0)), 0.0, 0.0)

    def turned(t):
        return (-50.0 * (60.0 - t), 0.0, 0.0) if t < 60.0 else to_and_fro(6.0)(t)

    told = [
        shares(way, 0.5, period_s=period_s, n=1, seconds=60.0 + 60.0)["LOITER"] for way in map(to_and_fro, (1.5, 6.0))
    ]
    assert told == [0.0, 1.0]
    assert shares(turned, 0.5, period_s=period_s, n=1, seconds=60.0 + 40.0 + 2.0 * period_s)["LOITER"] == 1.0


def test_those_who_move_together_are_a_swarm():
    def ways(t):
        swarm = [(4000 - 20 * t + dx, dy, 100) for dx, dy in ((0, 0), (100, 50), (180, -60))]
        pair = [(-4000 + 20 * t, dy, 100) for dy in (0, 90)]
        crossing = [(4000 - 20 * t, -2000 + 20 * t, 100)]
        return [*swarm, *pair, *crossing]

    assert [bool(one & Conduct.SWARM) for one in conduct_after(5, ways)] == [True] * 3 + [False] * 3


@pytest.mark.parametrize("n", [400])
def test_companions_are_those_of_a_plain_search(n):
    rng = np.random.default_rng(3)
    state = np.hstack([rng.uniform(-1500, 1500, (n, 3)), rng.normal(0, 8, (n, 3))])
    covariance = np.broadcast_to(np.eye(6) * 0.01, (n, 6, 6))
    settings = Behaviour()
    found = BehaviourMonitor(settings).step(0, np.arange(n), state, covariance, np.ones(n), np.ones(n)).companions
    moving = np.hypot(state[:, 3], state[:, 4]) >= settings.loiter_speed_mps
    for i in range(n):
        near = np.linalg.norm(state[:, :3] - state[i, :3], axis=1) <= settings.swarm_distance_m
        alike = np.linalg.norm(state[:, 3:] - state[i, 3:], axis=1) <= settings.swarm_speed_mps + 2 * np.sqrt(0.06)
        assert found[i] == (np.count_nonzero(near & alike & moving) - 1 if moving[i] else 0)


def test_what_appears_near_has_popped_up_for_a_while():
    ways = lambda t: [(1500, -40 * t, 50), (5000 - 100 * t, 0, 50)]  # noqa: E731
    assert [bool(one & Conduct.POP_UP) for one in conduct_after(20, ways)] == [True, False]
    assert [bool(one & Conduct.POP_UP) for one in conduct_after(31, ways)] == [
        False,
        False,
    ]  # the other was seen before


def test_a_drop_of_height_on_the_way_in():
    ways = lambda t: [(5000 - 50 * t, 0, 900 - 8 * t), (5000 - 50 * t, 300, 900 - t), (3000 + 50 * t, 0, 900 - 8 * t)]  # noqa: E731
    assert [bool(one & Conduct.DROP) for one in conduct_after(20, ways)] == [True, False, False]


@pytest.mark.parametrize("period_s", [0.19, 0.5, 2.5, 4.0, 12.0])
@pytest.mark.parametrize("came_s", [0.0, 1.9])
def test_a_drop_is_told_over_exactly_the_time_that_it_names(period_s, came_s):
    """A missile that descends evenly at 30 m/s has dropped 300 m in 10 s, whenever the pictures come; sooner nothing is told."""
    assessor, told = Assessor(ThreatSettings.load({"levels.listed_from": "LOW"})), []
    rng = np.random.default_rng(4)
    for t in np.arange(0.0, 30.0, period_s) + rng.uniform(0.0, 0.05, int(np.ceil(30.0 / period_s))):
        missile = (1, ClassId.MISSILE, (30e3 - 300.0 * t, 0.0, 2000.0 - 30.0 * t), (-300.0, 0.0, -30.0))
        bystander = (2, ClassId.BIRD, (5000.0, 0.0, 50.0), (0.0, 9.0, 0.0))
        tracks = tracks_of(*([missile] if t >= came_s else []), bystander)
        threats, _ = assessor.step(replace(tracks, stamp_ns=round(t * 1e9)))
        reason = dict(zip(threats.track_id.tolist(), threats.reason, strict=True)).get(1, "")
        told.append((t, re.findall(r"has dropped (\d+) m in (\S+) s", reason)))
    first = min(t for t, _ in told if t >= came_s)
    for t, drop in told:
        if abs(t - first - 10.0) > 1e-6:
            assert drop == ([("300", "10")] if t > first + 10.0 else []), t


def test_a_drop_is_that_of_the_way_between_its_samples():
    """Against the truth of a dive that steepens: wrong by no more than straight lines between samples are."""
    height = lambda t: 9000.0 - 0.5 * 3.0 * t**2  # noqa: E731
    monitor, worst = BehaviourMonitor(Behaviour()), 0.0
    for t in np.arange(0.0, 40.0, 0.5):
        state = np.array([[9000.0 - 50.0 * t, 0.0, height(t), -50.0, 0.0, -3.0 * t]])
        ones = np.ones(1)
        found = monitor.step(round(t * 1e9), np.array([1]), state, np.eye(6)[None], ones, ones)
        assert found.drop_s == 10.0
        if t >= 10.0:
            worst = max(worst, abs(found.dropped_m[0] - (height(t - 10.0) - height(t))))
    assert (
        worst <= 3.0 * (40.0 / 12 + 0.5) ** 2 / 8.0
    )  # of a parabola and its chord, between samples no farther apart than that


def test_a_behaviour_raises_the_score_and_is_told_with_its_numbers():
    settings = ThreatSettings.load({"levels.listed_from": "LOW"})
    rows = [(k, ClassId.DRONE, (2500.0, 1500.0 + 60.0 * k, 80.0), (-12.0, 0.0, 0.0)) for k in range(1, 4)]
    alone = Assessor(settings).step(tracks_of(rows[1]))[0]
    threats = Assessor(settings).step(tracks_of(*rows))[0]
    at = threats.track_id.tolist().index(2)
    assert threats.behaviour == ["SWARM"] * 3
    assert "moves together with 2 others" in threats.reason[at]
    assert threats.score[at] > alone.score[0]
    assert alone.behaviour == [""]
    near = Assessor(settings).step(tracks_of((9, ClassId.DRONE, (1200.0, 0.0, 0.0), (-12.0, 0.0, 0.0))))[0]
    assert near.behaviour == ["POP_UP"]
    assert "first seen 1200 m off" in near.reason[0]


def test_words():
    assert words(int(Conduct.APPROACH | Conduct.DROP)) == "APPROACH DROP"
    assert words(0) == ""
