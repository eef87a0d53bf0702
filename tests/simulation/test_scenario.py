# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Closed-form motion against its own derivative and against geometry; wrong files are refused by file and key."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from aegis.core.params import ConfigError
from aegis.core.types import ClassId
from aegis.simulation.scenario import Scenario, load_scenario, scenario_names

SHIPPED = ["calm_traffic", "crossing", "drone_swarm", "empty", "fast_approach", "jamming", "street"]

coordinate = st.floats(-1e4, 1e4)
vector = st.tuples(coordinate, coordinate, coordinate)
course = st.floats(-360, 360)
motions = st.one_of(
    st.fixed_dictionaries(
        {"kind": st.just("straight"), "position_m": vector, "speed_mps": st.floats(0, 500), "course_deg": course},
        optional={"climb_mps": st.floats(-100, 100)},
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just("turning"),
            "position_m": vector,
            "speed_mps": st.floats(1, 500),
            "course_deg": course,
            "turn_rate_deg_s": st.floats(-30, 30),
        }
    ),
    st.fixed_dictionaries(
        {"kind": st.just("hovering"), "position_m": vector},
        optional={"course_deg": course, "sway_m": st.floats(0, 50), "sway_period_s": st.floats(1, 60)},
    ),
    st.builds(
        lambda start, speed, heading, climb, time: {
            "kind": "climbing",
            "position_m": start,
            "speed_mps": speed,
            "course_deg": heading,
            "climb_mps": climb,
            "level_m": start[2] + climb * time,
        },
        vector,
        st.floats(0, 500),
        course,
        st.floats(1, 100) | st.floats(-100, -1),
        st.floats(1, 100),
    ),
)


def target(name: str = "t", motion: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    straight = {"kind": "straight", "position_m": [0, 1000, 100], "speed_mps": 10, "course_deg": 90}
    return {"name": name, "class": "DRONE", "rcs_dbsm": -18, "motion": motion or straight, **more}


def scenario(*targets: dict[str, Any], **more: Any) -> Scenario:
    return Scenario.model_validate({"name": "test", "duration_s": 100, "targets": targets, **more})


@given(st.lists(motions, min_size=1, max_size=6), st.floats(0.5, 90))
def test_velocity_is_the_derivative_of_position(items: list[dict[str, Any]], t_s: float):
    made = scenario(*(target(str(i), motion) for i, motion in enumerate(items)))
    h = 1e-3
    before, at_before = made.position_velocity(t_s - h)
    after, at_after = made.position_velocity(t_s + h)
    _, velocity = made.position_velocity(t_s)
    difference = (after - before) / (2 * h)
    smooth = at_before[:, 2] == at_after[:, 2]  # but at the moment of levelling off
    np.testing.assert_allclose(difference[:, :2], velocity[:, :2], atol=5e-3)
    np.testing.assert_allclose(difference[smooth, 2], velocity[smooth, 2], atol=1e-5)


@pytest.mark.parametrize(
    ("course_deg", "direction"), [(0, (0, 1)), (90, (1, 0)), (180, (0, -1)), (270, (-1, 0)), (-90, (-1, 0))]
)
def test_course_is_that_of_a_compass(course_deg: float, direction: tuple[float, float]):
    motion = {"kind": "straight", "position_m": [5, 6, 7], "speed_mps": 20, "course_deg": course_deg, "climb_mps": 2}
    position, velocity = scenario(target(motion=motion)).position_velocity(3.0)
    np.testing.assert_allclose(velocity[0], [20 * direction[0], 20 * direction[1], 2], atol=1e-12)
    np.testing.assert_allclose(position[0], [5 + 60 * direction[0], 6 + 60 * direction[1], 13], atol=1e-12)


def test_a_right_turn_is_a_circle_to_the_right():
    motion = {
        "kind": "turning",
        "position_m": [100, 200, 50],
        "speed_mps": 30,
        "course_deg": 0,
        "turn_rate_deg_s": 6,
    }
    made = scenario(target(motion=motion))
    radius = 30 / np.radians(6)
    centre = np.array([100 + radius, 200, 50])  # east of a northbound start
    for t_s in (0.0, 7.0, 33.0, 59.0):
        position, velocity = made.position_velocity(t_s)
        assert np.linalg.norm(position[0] - centre) == pytest.approx(radius)
        assert np.linalg.norm(velocity[0]) == pytest.approx(30)
    np.testing.assert_allclose(made.position_velocity(60.0)[0][0], [100, 200, 50], atol=1e-9)
    np.testing.assert_allclose(made.position_velocity(15.0)[1][0], [30, 0, 0], atol=1e-9)
    heading, turn_rate = made.course_and_turn_rate(15.0)
    assert np.degrees([heading[0], turn_rate[0]]) == pytest.approx([90, 6])


def test_climbing_levels_off():
    motion = {
        "kind": "climbing",
        "position_m": [0, 0, 100],
        "speed_mps": 10,
        "course_deg": 0,
        "climb_mps": 4,
        "level_m": 140,
    }
    made = scenario(target(motion=motion))
    assert made.position_velocity(9.0)[0][0, 2] == pytest.approx(136)
    assert made.position_velocity(9.0)[1][0, 2] == 4
    assert made.position_velocity(11.0)[0][0, 2] == pytest.approx(140)
    assert made.position_velocity(11.0)[1][0, 2] == 0


def test_hovering_sways_along_its_course_about_its_place():
    motion = {
        "kind": "hovering",
        "position_m": [10, 20, 30],
        "course_deg": 90,
        "sway_m": 2,
        "sway_period_s": 8,
    }
    made = scenario(target(motion=motion))
    np.testing.assert_allclose(made.position_velocity(0.0)[0][0], [10, 20, 30], atol=1e-12)
    np.testing.assert_allclose(made.position_velocity(2.0)[0][0], [12, 20, 30], atol=1e-12)
    np.testing.assert_allclose(made.position_velocity(6.0)[0][0], [8, 20, 30], atol=1e-12)


def test_motion_begins_where_and_when_a_target_appears():
    made = scenario(target(appears_s=20, disappears_s=30))
    np.testing.assert_allclose(made.position_velocity(20.0)[0][0], [0, 1000, 100])
    assert [bool(made.present(t)[0]) for t in (19.99, 20.0, 29.99, 30.0)] == [False, True, True, False]


def test_a_carried_jammer_goes_with_its_carrier():
    jammer = {"eirp_w": 10, "frequency_hz": 9.4e9, "bandwidth_hz": 1e6}
    made = scenario(
        target("first"),
        target("carrier", appears_s=10),
        jammers=[
            {"name": "carried", "attached_to": "carrier", **jammer},
            {"name": "ground", "position_m": [1, 2, 3], "appears_s": 5, "disappears_s": 50, **jammer},
        ],
    )
    assert made.active(made.jammers, 0.0).tolist() == [False, False]
    assert made.active(made.jammers, 7.0).tolist() == [False, True]
    assert made.active(made.jammers, 60.0).tolist() == [True, False]
    positions = made.positions(made.jammers, 60.0)
    np.testing.assert_array_equal(positions[0], made.position_velocity(60.0)[0][1])
    np.testing.assert_array_equal(positions[1], [1, 2, 3])


def test_a_scenario_may_be_empty():
    made = scenario()
    position, velocity = made.position_velocity(1.0)
    assert position.shape == velocity.shape == (0, 3)
    assert made.present(1.0).shape == made.active(made.jammers, 1.0).shape == (0,)


# What ships.


def test_the_scenarios_that_ship():
    assert scenario_names() == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_what_ships_loads_and_stays_above_ground_in_range(name: str):
    made = load_scenario(name)
    assert made.name == name
    assert made.description
    assert 30 <= made.duration_s <= 180
    for t_s in np.arange(0.0, made.duration_s, 1.0):
        position = made.position_velocity(t_s)[0][made.present(t_s)]
        assert (position[:, 2] >= 0).all()
        assert (np.linalg.norm(position, axis=1) < 10_000).all()


def closest(made: Scenario, first: str, second: str) -> tuple[float, float]:
    """Return the least distance between two targets and when it is, sampled every 10 ms."""
    names = [item.name for item in made.targets]
    times = np.arange(0.0, made.duration_s, 0.01)
    both = np.array([made.position_velocity(t)[0][[names.index(first), names.index(second)]] for t in times])
    distance = np.linalg.norm(both[:, 0] - both[:, 1], axis=1)
    return float(distance.min()), float(times[distance.argmin()])


@pytest.mark.parametrize(
    ("first", "second", "distance_m", "at_s"),
    [("eastbound", "northbound", 40, 50), ("drone_a", "drone_b", 20, 60), ("helicopter", "overtaker", 85.4, 70)],
)
def test_the_crossing_crosses_as_its_header_says(first: str, second: str, distance_m: float, at_s: float):
    distance, at = closest(load_scenario("crossing"), first, second)
    assert distance == pytest.approx(distance_m, abs=1)
    assert at == pytest.approx(at_s, abs=0.5)


def test_the_fast_approach_ends_at_the_origin():
    made = load_scenario("fast_approach")
    index = [item.name for item in made.targets].index("missile")
    missile = made.targets[index]
    assert missile.class_id is ClassId.MISSILE
    assert missile.disappears_s is not None
    start, velocity = made.position_velocity(missile.appears_s)
    assert 8500 < np.linalg.norm(start[index]) < 9500
    assert np.linalg.norm(velocity[index]) > 200
    end, _ = made.position_velocity(missile.disappears_s)
    assert np.linalg.norm(end[index]) < 1.0


def test_the_swarm_converges():
    made = load_scenario("drone_swarm")
    drones = np.array([item.class_id is ClassId.DRONE for item in made.targets])
    assert drones.sum() == 12
    distances = [np.linalg.norm(made.position_velocity(t)[0][drones], axis=1) for t in (20.0, 100.0, 179.0)]
    assert (distances[0] > distances[1]).all()
    assert (distances[1] > distances[2]).all()
    assert distances[0].min() > 2500
    assert distances[2].max() < 2000


# What is refused.

GOOD: dict[str, Any] = {
    "name": "good",
    "duration_s": 60,
    "targets": [target("one"), target("two")],
    "jammers": [{"name": "j", "position_m": [1, 2, 3], "eirp_w": 1, "frequency_hz": 9e9, "bandwidth_hz": 1e6}],
}


def write(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return path


def test_the_example_that_the_refusals_spoil_is_good(tmp_path: Path):
    made = load_scenario(write(tmp_path / "good.yaml", GOOD))
    assert [item.name for item in made.targets] == ["one", "two"]
    assert load_scenario(str(tmp_path / "good.yaml")) == made


def spoil(where: tuple[Any, ...], value: Any) -> dict[str, Any]:
    content = copy.deepcopy(GOOD)
    place: Any = content
    for key in where[:-1]:
        place = place[key]
    place[where[-1]] = value
    return content


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("where", "value", "says"),
    [
        (("colour",), "red", "unknown key 'colour'"),
        (("targets", 1, "colour"), "red", "unknown key 'targets.1.colour'"),
        (("targets", 0, "motion", "warp"), 9, "unknown key 'targets.0.motion.warp'"),
        (("duration_s",), -5, "'duration_s' = -5"),
        (("duration_s",), 0, "'duration_s' = 0"),
        (("duration_s",), NAN, "'duration_s' = nan"),
        (("duration_s",), "long", "'duration_s' = 'long'"),
        (("targets", 1, "class"), "UFO", "'targets.1.class' = 'UFO': Value error, a class is one of UNKNOWN, DRONE"),
        (("targets", 1, "class"), 1, "'targets.1.class' = 1"),
        (("targets", 0, "rcs_dbsm"), NAN, "'targets.0.rcs_dbsm' = nan"),
        (("targets", 0, "swerling"), 5, "'targets.0.swerling' = 5"),
        (("targets", 0, "scatterers"), 0, "'targets.0.scatterers' = 0"),
        (("targets", 0, "scatterers"), 4, "4 scatterers need an extent_m"),
        (("targets", 0, "extent_m"), [1, 2], "'targets.0.extent_m'"),
        (("targets", 0, "extent_m"), [1, -2, 3], "extent_m holds length, width and height"),
        (("targets", 0, "motion", "kind"), "teleporting", "'targets.0.motion'"),
        (("targets", 0, "motion", "position_m"), [0, INF, 0], "'targets.0.motion.position_m.1' = inf"),
        (("targets", 0, "motion", "position_m"), [0, 0], "'targets.0.motion.position_m.2' is missing"),
        (("targets", 0, "motion", "speed_mps"), -1, "'targets.0.motion.speed_mps' = -1"),
        (("targets", 0, "disappears_s"), 0, "disappears_s 0 must be after appears_s 0"),
        (("targets", 0, "appears_s"), 60, "'one' appears at 60 s; the scenario ends at 60 s"),
        (("targets", 0, "name"), "two", "used twice: two"),
        (("jammers", 0, "position_m"), None, "exactly one of position_m and attached_to"),
        (("jammers", 0, "attached_to"), "one", "exactly one of position_m and attached_to"),
        (("jammers", 0, "eirp_w"), 0, "'jammers.0.eirp_w' = 0"),
        (("targets", 0, "motion"), GOOD["targets"][0]["motion"] | {"kind": "climbing"}, "motion.climb_mps' is missing"),
    ],
)
def test_a_wrong_value_is_refused_by_file_and_key(tmp_path: Path, where: tuple[Any, ...], value: Any, says: str):
    path = write(tmp_path / "bad.yaml", spoil(where, value))
    with pytest.raises(ConfigError) as caught:
        load_scenario(path)
    assert str(path) in str(caught.value)
    assert says in str(caught.value)


def test_a_jammer_on_no_target_is_refused(tmp_path: Path):
    content = spoil(("jammers", 0, "attached_to"), "nobody")
    del content["jammers"][0]["position_m"]
    with pytest.raises(ConfigError, match="attached to 'nobody', which is no target"):
        load_scenario(write(tmp_path / "bad.yaml", content))


def test_a_level_that_the_climb_leads_away_from_is_refused(tmp_path: Path):
    motion = {
        "kind": "climbing",
        "position_m": [0, 0, 100],
        "speed_mps": 1,
        "course_deg": 0,
        "climb_mps": -2,
        "level_m": 200,
    }
    with pytest.raises(ConfigError, match="level_m 200 is not reached from z = 100"):
        load_scenario(write(tmp_path / "bad.yaml", spoil(("targets", 0, "motion"), motion)))


@pytest.mark.parametrize("text", ["", "- 1\n- 2", "just words", "name: [", "name: 2024-13-45", "\x00"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str):
    path = write(tmp_path / "bad.yaml", text)
    with pytest.raises(ConfigError) as caught:
        load_scenario(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path):
    path = tmp_path / "bad.yaml"
    path.write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_scenario(path)


def test_a_missing_file_and_an_unknown_name_are_told_apart(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot be read"):
        load_scenario(tmp_path / "nowhere.yaml")
    with pytest.raises(ConfigError, match=r"no scenario 'tea_party'.*calm_traffic.*jamming"):
        load_scenario("tea_party")
