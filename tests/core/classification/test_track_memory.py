# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What classification remembers of a track, against closed forms of how it moved."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.core.classification.track_memory import (
    FADE,
    FEATURES,
    MEMORY,
    MOST_LOOKS,
    Looks,
    blank,
    features,
    last_look,
    line_of,
    remembered,
)

NUMBER = st.one_of(st.floats(-1e5, 1e5), st.just(float("nan")))


def seen(position, velocity, dt, **known):
    """Return the features of one object after looks at (T, 3) places and velocities."""
    return dict(zip(FEATURES, features(memory_of(position, velocity, dt, **known))[0], strict=True))


def memory_of(position, velocity, dt, *, sigma=0.01, rcs=None, height=None):
    memory = blank(1)
    for k, (p, v) in enumerate(zip(position, velocity, strict=True)):
        look = Looks(
            dt_s=np.array([np.nan if k == 0 else dt]), state=np.concatenate((p, v))[None], speed_sigma=np.array([sigma]),
            height=np.array([np.nan if height is None else height[k]]), height_sigma=np.array([1.0]),
            place_sigma=np.array([2.0]), climb_sigma=np.array([0.5]),
            rcs_dbsm=np.array([np.nan if rcs is None else rcs[k]]), snr_db=np.array([20.0]),
        )  # fmt: skip
        memory = remembered(memory, look)
    return memory


@given(st.floats(0.5, 900.0), st.floats(0.0, 2 * np.pi), st.integers(2, 60), st.floats(0.1, 5.0))
def test_a_straight_way_has_one_speed_and_no_turn(speed, course, looks, dt):
    velocity = speed * np.array([np.cos(course), np.sin(course), 0.0])
    found = seen(np.arange(looks)[:, None] * dt * velocity, np.tile(velocity, (looks, 1)), dt)
    for name in ("speed", "mean_speed", "way"):
        assert np.sinh(found[name]) == pytest.approx(speed, rel=1e-6)
    for name in ("speed_spread", "along", "across", "across_mean", "turn_rate"):
        assert np.sinh(found[name]) == pytest.approx(0.0, abs=1e-3 * (1.0 + speed))
    for name in ("off_along", "off_across"):
        assert np.exp(found[name]) <= 0.01 * (1.0 + 1e-6) + 1e-6 * speed * looks * dt
    assert np.exp(found["log_looks"]) == pytest.approx(min(looks, MOST_LOOKS))
    assert np.exp(found["log_interval"]) == pytest.approx(dt)


def test_the_line_is_that_of_weighted_least_squares():
    rng = np.random.default_rng(5)
    times, place = np.arange(50) * 0.7, rng.normal(0.0, 30.0, (50, 3)) + np.arange(50)[:, None] * [8.0, -5.0, 1.0]
    memory = memory_of(place + [9e4, -3e4, 0.0], np.ones((50, 3)), 0.7, height=place[:, 2])
    line = line_of(memory)
    weight = FADE ** np.arange(49, -1, -1.0)
    fits = [np.polyfit(times, place[:, k], 1, w=np.sqrt(weight)) for k in range(3)]
    np.testing.assert_allclose(line.way[0], [slope for slope, _ in fits], rtol=1e-6)
    off = np.stack([place[:, k] - np.polyval(fits[k], times) for k in range(3)])
    along = np.array([fits[0][0], fits[1][0]]) / np.hypot(fits[0][0], fits[1][0])
    across = np.array([-along[1], along[0]])
    for found, expected in (
        (line.off_along, along @ off[:2]),
        (line.off_across, across @ off[:2]),
        (line.off_up, off[2]),
    ):
        assert found[0] == pytest.approx(np.sqrt(np.average(expected**2, weights=weight)), rel=1e-6)


def test_extremes_are_those_that_errors_do_not_explain_and_are_forgotten():
    still, fast = np.zeros(3), np.array([20.0, 0.0, 0.0])
    velocity = np.array([fast] * 5 + [still] * 5 + [fast] * 5)
    height = np.array([50.0] * 5 + [10.0] * 5 + [90.0] * 5)
    found = seen(np.zeros((15, 3)), velocity, 1.0, sigma=3.0, height=height)
    assert 3.0 <= np.sinh(found["slowest"]) < 9.0  # it stood, to 3 m/s
    assert 14.0 < np.sinh(found["fastest"]) <= 17.0
    assert 11.0 <= 3.0 * np.sinh(found["lowest"]) < 25.0
    assert np.sinh(found["highest"]) * 3.0 == pytest.approx(89.0)
    later = seen(np.zeros((400, 3)), np.array([fast] * 5 + [still] * 5 + [fast] * 390), 1.0, sigma=3.0)
    assert np.sinh(later["slowest"]) == pytest.approx(23.0, rel=1e-3)


def test_an_hour_of_a_way_is_like_a_minute_of_it():
    velocity = np.array([12.0, 5.0, 0.0])
    short, long = (seen(np.arange(n)[:, None] * velocity, np.tile(velocity, (n, 1)), 1.0) for n in (200, 3600))
    for name, value in short.items():
        np.testing.assert_allclose(long[name], value, atol=0.02, err_msg=name)


def test_the_last_look_can_be_read_back():
    rng = np.random.default_rng(2)
    memory = blank(4)
    for k in range(3):
        before = memory[MEMORY.index("class_seconds")]
        state = rng.normal(size=(4, 6))
        look = Looks(np.full(4, np.nan if k == 0 else 0.5), state, *rng.uniform(1.0, 9.0, (7, 4)))
        look = look._replace(height=state[:, 2])
        memory = remembered(memory, look)
        again = last_look(memory, np.full(4, np.nan) if k == 0 else before)
        for name, value in look._asdict().items():
            np.testing.assert_allclose(getattr(again, name), value, err_msg=name)


@pytest.mark.parametrize("turn", [0.1, -0.3])
def test_a_circle_has_the_acceleration_of_its_radius(turn):
    speed, dt, t = 20.0, 0.05, np.arange(200) * 0.05
    place = speed / turn * np.stack([np.sin(turn * t), 1 - np.cos(turn * t), 0 * t], axis=1)
    velocity = speed * np.stack([np.cos(turn * t), np.sin(turn * t), 0 * t], axis=1)
    found = seen(place, velocity, dt)
    assert np.sinh(found["across"]) == pytest.approx(abs(speed * turn), rel=1e-3)
    assert np.sinh(found["across_mean"]) == pytest.approx(abs(speed * turn), rel=1e-3)
    assert np.sinh(found["along"]) < 0.05 * speed * abs(turn)


def test_rcs_is_the_mean_over_the_window_and_its_spread_that_of_the_looks():
    rng = np.random.default_rng(1)
    rcs = rng.normal(-12.0, 5.0, 4000)
    still = np.zeros((4000, 3))
    found = [seen(still[:200], still[:200], 1.0, rcs=rcs[k : k + 200]) for k in range(0, 4000, 200)]
    assert np.mean([f["rcs"] for f in found]) * 10.0 == pytest.approx(-12.0, abs=0.7)
    assert np.mean([f["rcs_spread"] for f in found]) * 5.0 == pytest.approx(5.0, rel=0.1)
    assert np.mean([f["rcs_step"] for f in found]) * 5.0 == pytest.approx(
        5.0 * np.sqrt(2.0), rel=0.1
    )  # of independent looks


def test_what_was_not_measured_is_nan():
    still = np.zeros((3, 3))
    found = seen(still, still, 1.0)
    absent = {
        "climb", "log_climb_sigma", "mean_climb", "climb_spread", "way_up", "off_up", "height", "log_height_sigma", "height_spread",
        "lowest", "highest", "rcs", "rcs_power", "rcs_spread", "rcs_step",
    }  # fmt: skip
    assert absent <= {name for name, value in found.items() if np.isnan(value)}


@given(st.lists(st.tuples(NUMBER, NUMBER, NUMBER, NUMBER, NUMBER), min_size=1, max_size=8))
def test_no_look_makes_infinity(rows):
    memory = blank(1)
    for x, v, height, rcs, snr in rows:
        state = np.nan_to_num(np.array([[x, 0.0, height, v, -v, v]]))
        one = np.array([1.0])
        looks = Looks(
            one,
            state,
            np.abs(np.nan_to_num(np.array([v]))),
            np.array([height]),
            one,
            one,
            one,
            np.array([rcs]),
            np.array([snr]),
        )
        memory = remembered(memory, looks)
    assert memory.shape == (len(MEMORY), 1)
    assert not np.isinf(features(memory)).any()
