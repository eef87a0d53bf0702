"""What classification remembers of a track, against closed forms of how it moved."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.core.classification.track_memory import FEATURES, MEMORY, Looks, blank, features, remembered

NUMBER = st.one_of(st.floats(-1e5, 1e5), st.just(float("nan")))


def seen(position, velocity, dt, *, sigma=0.01, rcs=None, height=None):
    """Return the features of one object after looks at (T, 3) places and velocities."""
    memory = blank(1)
    for k, (p, v) in enumerate(zip(position, velocity, strict=True)):
        look = Looks(
            dt_s=np.array([np.nan if k == 0 else dt]), state=np.concatenate((p, v))[None], speed_sigma=np.array([sigma]),
            height=np.array([np.nan if height is None else height[k]]), height_sigma=np.array([1.0]),
            rcs_dbsm=np.array([np.nan if rcs is None else rcs[k]]), snr_db=np.array([20.0]),
        )  # fmt: skip
        memory = remembered(memory, look)
    return dict(zip(FEATURES, features(memory)[0], strict=True))


@given(st.floats(0.5, 900.0), st.floats(0.0, 2 * np.pi), st.integers(2, 60), st.floats(0.1, 5.0))
def test_a_straight_way_has_one_speed_and_no_turn(speed, course, looks, dt):
    velocity = speed * np.array([np.cos(course), np.sin(course), 0.0])
    found = seen(np.arange(looks)[:, None] * dt * velocity, np.tile(velocity, (looks, 1)), dt)
    for name in ("speed", "mean_speed", "net_speed"):
        assert np.sinh(found[name]) == pytest.approx(speed, rel=1e-6)
    for name in ("speed_spread", "along", "across", "across_mean", "turn_rate"):
        assert np.sinh(found[name]) == pytest.approx(0.0, abs=1e-3 * (1.0 + speed))
    assert np.exp(found["log_looks"]) == pytest.approx(looks)
    assert np.exp(found["log_interval"]) == pytest.approx(dt)


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
        "climb",
        "mean_climb",
        "climb_spread",
        "height",
        "log_height_sigma",
        "height_spread",
        "rcs",
        "rcs_spread",
        "rcs_step",
    }
    assert absent <= {name for name, value in found.items() if np.isnan(value)}


@given(st.lists(st.tuples(NUMBER, NUMBER, NUMBER, NUMBER, NUMBER), min_size=1, max_size=8))
def test_no_look_makes_infinity(rows):
    memory = blank(1)
    for x, v, height, rcs, snr in rows:
        state = np.nan_to_num(np.array([[x, 0.0, height, v, -v, v]]))
        one = np.array([1.0])
        looks = Looks(
            one, state, np.abs(np.nan_to_num(np.array([v]))), np.array([height]), one, np.array([rcs]), np.array([snr])
        )
        memory = remembered(memory, looks)
    assert memory.shape == (len(MEMORY), 1)
    assert not np.isinf(features(memory)).any()
