# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Closest approach and impact against a numerical search; ranking, levels and reasons on made-up tracks."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar
from threat_tracks import tracks_of

from aegis.core.params import ConfigError
from aegis.core.threat.assessor import Assessor
from aegis.core.threat.geometry import closest_approach, cpa_distance_sigma, time_to_impact
from aegis.core.threat.settings import ThreatSettings
from aegis.core.types import ClassId, ThreatLevel, Tracks, TrackStatus

VECTOR = st.tuples(*[st.floats(-5000, 5000)] * 3).map(np.array)
VELOCITY = st.tuples(*[st.floats(-300, 300)] * 3).map(np.array)


@given(VECTOR, VELOCITY)
def test_closest_approach_is_the_minimum_over_time(p, v):
    time, distance = closest_approach(p[None], v[None])
    if np.linalg.norm(v) < 0.1:
        return
    horizon = 2 * np.linalg.norm(p) / np.linalg.norm(v) + 1.0
    found = minimize_scalar(
        lambda t: np.sum((p + v * t) ** 2), bounds=(0, horizon), method="bounded", options={"xatol": 1e-9}
    )
    assert distance[0] <= np.sqrt(found.fun) + 1e-6
    assert distance[0] == pytest.approx(np.linalg.norm(p + v * time[0]))
    assert time[0] >= 0.0


@example(
    np.array([0.0, 729.1414051680721, 1e-5]), np.zeros(3), 729.1414051680721
)  # on the sphere, as far as numbers tell
@given(VECTOR, VELOCITY, st.floats(10, 1000))
def test_impact_is_the_first_crossing_of_the_sphere(p, v, radius):
    t = time_to_impact(p[None], v[None], radius)[0]
    time, distance = closest_approach(p[None], v[None])
    if np.linalg.norm(p) <= radius:
        assert t == 0.0
    elif distance[0] > radius * (1 + 1e-9):
        assert np.isnan(t)
    elif distance[0] < radius * (1 - 1e-9):
        first = brentq(lambda x: np.linalg.norm(p + v * x) - radius, 0.0, time[0])
        assert t == pytest.approx(first, rel=1e-6, abs=1e-6)


def test_closed_forms():
    p, v = np.array([[3000.0, 400.0, 0.0], [100.0, 0.0, 0.0]]), np.array([[-100.0, 0.0, 0.0], [50.0, 0.0, 0.0]])
    time, distance = closest_approach(p, v)
    np.testing.assert_allclose(time, [30.0, 0.0])
    np.testing.assert_allclose(distance, [400.0, 100.0])
    np.testing.assert_allclose(time_to_impact(p, v, 500.0), [27.0, 0.0])  # sqrt(500^2 - 400^2) = 300 m before


def test_the_error_of_the_miss_distance_is_that_of_a_monte_carlo():
    rng = np.random.default_rng(1)
    p, v = np.array([3000.0, 500.0, 200.0]), np.array([-80.0, 5.0, 0.0])
    root = rng.normal(size=(6, 6)) * np.array([10, 10, 10, 1, 1, 1])[:, None]
    covariance = root @ root.T / 6
    time, _ = closest_approach(p[None], v[None])
    sigma = cpa_distance_sigma(p[None], v[None], covariance[None], time)[0]
    samples = rng.multivariate_normal(np.concatenate([p, v]), covariance, 20_000)
    _, distances = closest_approach(samples[:, :3], samples[:, 3:])
    assert sigma == pytest.approx(distances.std(), rel=0.05)


MISSILE = (7, ClassId.MISSILE, (6000.0, 0.0, 300.0), (-300.0, 0.0, -10.0))
AIRLINER = (3, ClassId.AIRCRAFT, (8000.0, 6000.0, 9000.0), (-200.0, 0.0, 0.0))
ALL_LISTED = ThreatSettings(levels={"listed_from": "LOW"})
LEAVING = (5, ClassId.DRONE, (500.0, 0.0, 50.0), (15.0, 0.0, 0.0))


def test_the_ranking_is_the_one_a_person_would_give():
    threats, _ = Assessor(ALL_LISTED).step(tracks_of(AIRLINER, LEAVING, MISSILE))
    assert threats.track_id.tolist() == [7, 3, 5]
    assert threats.level.tolist() == [ThreatLevel.CRITICAL, ThreatLevel.LOW, ThreatLevel.LOW]
    assert threats.class_id.tolist() == [ClassId.MISSILE, ClassId.AIRCRAFT, ClassId.DRONE]
    assert (np.diff(threats.score) <= 0).all()
    assert "impact in 20 s" in threats.reason[0]
    assert "closing at 300 m/s from 6007 m" in threats.reason[0]
    assert "MISSILE (0.95)" in threats.reason[0]
    assert "moves away, 502 m off" in threats.reason[2]


def test_only_confirmed_tracks_are_assessed():
    threats, changes = Assessor(ThreatSettings()).step(tracks_of(MISSILE, status=TrackStatus.TENTATIVE))
    assert len(threats) == 0
    assert changes == []


def test_a_velocity_lost_in_its_error_is_no_intent():
    settings = ThreatSettings(levels={"listed_from": "LOW"}, behaviour={"pop_up_m": 0.0})
    sure, _ = Assessor(settings).step(tracks_of((1, ClassId.DRONE, (800.0, 0, 50.0), (-10.0, 0, 0)), sigma=(5, 0.5)))
    unsure, _ = Assessor(settings).step(tracks_of((1, ClassId.DRONE, (800.0, 0, 50.0), (-10.0, 0, 0)), sigma=(5, 50)))
    assert unsure.score[0] < 0.8 * sure.score[0]


def test_a_harmless_class_on_the_same_course_scores_lower():
    course = ((2000.0, 0.0, 100.0), (-20.0, 0.0, 0.0))
    threats, _ = Assessor(ALL_LISTED).step(tracks_of((1, ClassId.BIRD, *course), (2, ClassId.DRONE, *course)))
    assert threats.track_id.tolist() == [2, 1]


def drone_at(x: float) -> Tracks:
    return tracks_of((1, ClassId.DRONE, (x, 0.0, 50.0), (-20.0, 0.0, 0.0)))


def test_levels_change_once_on_an_approach_and_are_told():
    assessor, told = Assessor(ThreatSettings()), []
    for x in np.arange(6000.0, 0.0, -50.0):
        told += [(c.before, c.after) for c in assessor.step(drone_at(x))[1]]
    L = ThreatLevel
    assert [after for _, after in told] == [L.MEDIUM, L.HIGH, L.CRITICAL]
    assert [before for before, _ in told[1:]] == [L.MEDIUM, L.HIGH]


def test_a_score_about_a_threshold_does_not_flutter():
    level = {}
    for hysteresis in (0.0, 0.03):
        assessor, changes = Assessor(ThreatSettings(levels={"hysteresis": hysteresis, "hold_s": 0.0})), 0
        # Where the level rises, go back and forth by a few metres.
        x = next(x for x in np.arange(6000, 0, -10.0) if assessor.step(drone_at(x))[0].levels()[1] >= ThreatLevel.HIGH)
        for k in range(40):
            changes += len(assessor.step(drone_at(x + (20.0 if k % 2 else 0.0)))[1])
        level[hysteresis] = changes
    assert level[0.0] > 10
    assert level[0.03] == 0


def test_thresholds_must_ascend():
    with pytest.raises(ConfigError, match="medium < high"):
        ThreatSettings.load({"levels.high": 0.3})
    assert ThreatSettings.load(environ={"THREAT_THRESHOLD_CRITICAL": "0.9"}).levels.critical == 0.9


EXACT = {
    "levels.listed_from": "LOW",
    "manoeuvre.acceleration_sigma_mps2": 0.0,
    "manoeuvre.vertical_acceleration_sigma_mps2": 0.0,
}
TERMS = ("distance", "time", "capability", "intent", "certainty")


def score_of(**values: float) -> float:
    """Return the score of a drone that flies straight at the asset, 2 km away at 20 m/s, its velocity known exactly."""
    tracks = tracks_of((1, ClassId.DRONE, (2000.0, 0.0, 0.0), (-20.0, 0.0, 0.0)), sigma=(5, 1e-6))
    tracks.existence_probability[:] = 0.9
    threats, _ = Assessor(ThreatSettings.load({**EXACT, **values})).step(tracks)
    return float(threats.score[0])


def test_the_score_is_the_weighted_geometric_mean_of_its_terms():
    """By hand: distance 1, as it enters; time 1 / (1 + (95 / 60)^2); .95 drone, the rest alike; heading 1; certainty .9."""
    time, capability = (
        1 / (1 + (95 / 60) ** 2),
        0.95 * 0.8 + 0.05 / 9 * (0.5 + 0.02 + 0.6 + 0.6 + 1 + 0.4 + 0.2 + 0.4 + 0.01),
    )
    assert score_of() == pytest.approx((time**0.5 * capability**0.15 * 0.9**0.1) ** (1 / 1.2), rel=1e-6)
    even = {f"score.weight_{term}": 7.0 for term in TERMS}
    assert score_of(**even) == pytest.approx((time * capability * 0.9) ** 0.2, rel=1e-6)
    only_time = {f"score.weight_{term}": 0.0 for term in TERMS if term != "time"}
    assert score_of(**only_time) == pytest.approx(time, rel=1e-6)
    assert score_of(**{"capability.DRONE": 0.0}) == pytest.approx(
        (time**0.5 * (capability - 0.95 * 0.8) ** 0.15 * 0.9**0.1) ** (1 / 1.2), rel=1e-6
    )


def test_a_bird_at_the_asset_is_not_high_and_what_is_not_known_there_is_critical():
    """As sure as a track's class is told to be, .9, and there already; of what is half a drone nothing is held down."""
    there = tracks_of(*((i, ClassId.BIRD, (40.0, 0.0, 10.0), (-12.0, 0.0, 0.0)) for i in (1, 2, 3)))
    rest = 0.1 / (len(ClassId) - 1)
    bird = np.where(np.arange(len(ClassId)) == ClassId.BIRD, 0.9, rest)
    unknown = np.eye(len(ClassId))[ClassId.UNKNOWN]
    half = 0.5 * np.eye(len(ClassId))[ClassId.BIRD] + 0.5 * np.eye(len(ClassId))[ClassId.DRONE]
    certain = replace(there, class_probability=np.array([bird, unknown, half]), existence_probability=np.ones(3))
    threats, _ = Assessor(ALL_LISTED).step(certain)
    level = dict(zip(threats.track_id.tolist(), threats.level.tolist(), strict=True))
    assert level == {1: ThreatLevel.MEDIUM, 2: ThreatLevel.CRITICAL, 3: ThreatLevel.HIGH}


def test_weights_that_are_all_zero_are_refused():
    with pytest.raises(ConfigError, match="one of the weights above 0"):
        ThreatSettings.load({f"score.weight_{term}": 0.0 for term in TERMS})


def test_the_list_begins_at_a_level_and_names_the_rest():
    """What recedes has score 0 and is no threat; it was assessed all the same, and its level is told."""
    bird = (9, ClassId.BIRD, (300.0, 40.0, 60.0), (12.0, 3.0, 0.0))
    tracks = tracks_of(AIRLINER, LEAVING, MISSILE, bird)
    by_level = {}
    for name in ("LOW", "MEDIUM", "HIGH", "CRITICAL"):
        threats, changes = Assessor(ThreatSettings(levels={"listed_from": name})).step(tracks)
        by_level[name] = threats.track_id.tolist()
        assert threats.listed_from == ThreatLevel[name]
        assert (threats.level >= ThreatLevel[name]).all()
        assert (threats.unlisted_level < ThreatLevel[name]).all()
        assert sorted([*by_level[name], *threats.unlisted_track_id.tolist()]) == [3, 5, 7, 9]
        assert threats.levels() == {7: ThreatLevel.CRITICAL, 3: ThreatLevel.LOW, 5: ThreatLevel.LOW, 9: ThreatLevel.LOW}
        assert len(threats.reason) == len(threats)
        assert [change.track_id for change in changes] == [7]
    assert by_level == {"LOW": [7, 3, 5, 9], "MEDIUM": [7], "HIGH": [7], "CRITICAL": [7]}
    default, _ = Assessor(ThreatSettings()).step(tracks)
    assert default.track_id.tolist() == [7]


def test_a_threat_that_fades_leaves_the_list_with_a_word():
    assessor = Assessor(ThreatSettings())
    assert assessor.step(drone_at(900.0))[0].track_id.tolist() == [1]
    away = tracks_of((1, ClassId.DRONE, (900.0, 0.0, 50.0), (20.0, 0.0, 0.0)))
    assert assessor.step(away)[1] == []  # held
    threats, (change,) = assessor.step(replace(away, stamp_ns=away.stamp_ns + 2_000_000_000))
    assert (threats.track_id.tolist(), threats.unlisted_track_id.tolist()) == ([], [1])
    assert change.after is ThreatLevel.LOW
    assert change.reason.startswith("moves away, 901 m off, at 20 m/s")


def test_a_held_level_says_until_when():
    """Against the picture in which the level does end."""
    assessor, held, ends = Assessor(ThreatSettings()), {}, None
    for k in range(40):
        time, speed = 0.25 * k, -20.0 if k < 8 else 20.0
        tracks = tracks_of((1, ClassId.DRONE, (900.0, 0.0, 50.0), (speed, 0.0, 0.0)))
        threats, changes = assessor.step(replace(tracks, stamp_ns=round(time * 1e9)))
        if found := re.search(
            r"; (MEDIUM|HIGH) held for (\S+) s more: the score is below (\S+)$", "".join(threats.reason)
        ):
            held[time] = float(found[2])
            assert ThreatLevel[found[1]] == threats.level[0]
            assert threats.score[0] < float(found[3])
        if k > 8 and changes:
            ends = time
    assert ends == 4.0
    assert held == pytest.approx({time: ends - time for time in np.arange(2.0, 4.0, 0.25)}, abs=0.051)


def test_a_held_level_says_down_to_which_score():
    """A drone at ever greater distances, at one time: by the thresholds, against the score and level that are told."""
    assessor, words = Assessor(ThreatSettings()), []
    least = {ThreatLevel.MEDIUM: 0.5, ThreatLevel.HIGH: 0.75, ThreatLevel.CRITICAL: 0.9}
    for x in np.arange(0.0, 6000.0, 5.0):
        threats = assessor.step(drone_at(x))[0]
        score, threshold = threats.score[0], least[ThreatLevel(int(threats.level[0]))]
        word = re.search(r"held.*", threats.reason[0])
        words.append(word[0] if word else "")
        if score >= threshold:
            assert not word
        elif score >= threshold - 0.03:
            assert words[-1] == f"held: the score is not below {threshold - 0.03:.2f}"
        else:
            assert words[-1] == f"held for 2.0 s more: the score is below {threshold - 0.03:.2f}"
    assert len(set(words)) == 3


def test_a_missile_that_coasts_through_the_asset_keeps_its_level_and_place_until_it_is_seen_to_leave():
    """What was not seen to pass may have hit: the prediction that it flies away is no reason for calm."""
    assessor = Assessor(ThreatSettings())

    def picture(second: float, coasts: bool, *others):
        x = 1500.0 - 300.0 * second
        rows = tracks_of((2, ClassId.MISSILE, (x, 0.0, 40.0), (-300.0, 0.0, 0.0)), *others)
        status = rows.status.copy()
        status[0] = int(TrackStatus.COASTING if coasts else TrackStatus.CONFIRMED)
        return replace(rows, stamp_ns=round(second * 1e9), status=status)

    last_seen, _ = assessor.step(picture(2.0, False))
    assert last_seen.level[0] == ThreatLevel.CRITICAL
    drone = (9, ClassId.DRONE, (900.0, 0.0, 60.0), (-12.0, 0.0, 0.0))
    for second in np.arange(2.5, 20.0, 0.5):
        held, changes = assessor.step(picture(second, True, drone))
        assert held.track_id[0] == 2
        assert held.level[0] == ThreatLevel.CRITICAL
        assert held.score[0] >= last_seen.score[0]
        assert not [change for change in changes if change.track_id == 2]
    assert held.reason[0].startswith("rated as when last seen, 0.0 s ago; by prediction: moves away, ")
    for second in np.arange(20.0, 26.0, 0.5):
        seen, _ = assessor.step(picture(second, False))
    assert 2 in seen.unlisted_track_id
    assert seen.unlisted_level.tolist() == [ThreatLevel.LOW]


def test_a_track_that_coasts_nearer_is_no_calmer_and_what_recedes_gains_nothing():
    assessor = Assessor(ALL_LISTED)
    near, _ = assessor.step(tracks_of(MISSILE, LEAVING))
    later = tracks_of(
        (7, ClassId.MISSILE, (3000.0, 0.0, 200.0), (-300.0, 0.0, -10.0)), LEAVING, status=TrackStatus.COASTING
    )
    coasting, _ = assessor.step(replace(later, stamp_ns=10_000_000_000))
    score = [dict(zip(threats.track_id.tolist(), threats.score.tolist(), strict=True)) for threats in (near, coasting)]
    assert score[1][7] > score[0][7]
    assert score[1][5] == score[0][5]
