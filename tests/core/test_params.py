# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters: bounds, unknown keys, the environment, and messages that help."""

from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from aegis.core.param_info import Bounds, OneOf, number
from aegis.core.param_names import flat, nested
from aegis.core.params import ConfigError, Settings, group, named, param


class Example(Settings):
    speed: float = param(10.0, "How fast.", unit="m/s", gt=0.0, le=100.0, env="EXAMPLE_SPEED")
    count: int = param(3, "How many.", ge=1)


def test_defaults_then_values_then_environment():
    assert Example.load() == Example(speed=10.0, count=3)
    assert Example.load({"speed": 20}).speed == 20.0
    assert Example.load({"speed": 20}, environ={"EXAMPLE_SPEED": "30"}).speed == 30.0
    assert Example.load({"speed": 20}, environ={"EXAMPLE_SPEED": ""}).speed == 20.0


@pytest.mark.parametrize("value", [0, -1, 100.5, float("nan"), float("inf"), "fast", None, [1]])
def test_out_of_bounds_names_key_and_source(value):
    with pytest.raises(ConfigError, match=r"radar\.yaml.*'speed'"):
        Example.load({"speed": value}, source="radar.yaml")


def test_an_unknown_key_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"radar\.yaml: unknown parameter 'sped'; known are: count, speed"):
        Example.load({"sped": 1}, source="radar.yaml")


def test_every_error_is_told_at_once():
    with pytest.raises(ConfigError) as error:
        Example.load({"speed": -1, "count": 0, "x": 1})
    assert len(str(error.value).splitlines()) == 3


def test_a_wrong_environment_variable_is_named():
    with pytest.raises(ConfigError, match=r"environment variable EXAMPLE_SPEED.*'speed'"):
        Example.load(environ={"EXAMPLE_SPEED": "very"})


def test_what_was_declared_can_be_listed():
    speed, count = Example.params()
    assert (speed.name, speed.unit, speed.env, speed.bounds.low, speed.bounds.high) == (
        "speed",
        "m/s",
        "EXAMPLE_SPEED",
        0,
        100,
    )
    assert (count.doc, count.bounds.low, count.bounds.high) == ("How many.", 1, None)


@pytest.mark.parametrize(("bounds", "text", "excluded"), [
    (Bounds(), "", ""),
    (Bounds(ge=0), "from 0", ""),
    (Bounds(gt=0.0), "above 0", "above 0"),
    (Bounds(le=5), "up to 5", ""),
    (Bounds(lt=1.0), "below 1", "below 1"),
    (Bounds(ge=1024, le=1048576), "1024 to 1048576", ""),
    (Bounds(gt=0.0, le=1e9), "above 0, up to 1e+09", "above 0"),
    (Bounds(ge=-80.0, lt=0.0), "from -80, below 0", "below 0"),
    (Bounds(gt=0.5, lt=1.0), "above 0.5, below 1", "above 0.5, below 1"),
])  # fmt: skip
def test_bounds_in_words(bounds, text, excluded):
    assert (str(bounds), bounds.excluded) == (text, excluded)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers())
def test_a_number_is_shown_exactly(value):
    assert type(value)(number(value)) == value


class Line(Settings):
    port: int = param(0, "Port.", ge=0, le=65535)
    address: str = param("any", "Address.")


class Motion(Settings):
    model: Literal["cv", "imm"] = param("imm", "Motion model.", was="motion")
    turn_s: float = param(20.0, "Mean duration of a turn.", unit="s", gt=0.0, env="EXAMPLE_TURN", was="mean_turn_s")
    by_class: dict[str, Annotated[float, Field(gt=0)]] = named("CLASS", "Acceleration of a class.", was="accelerations")


class Place(Settings):
    x: float = param(0.0, "East.", unit="m")
    line: Line = group(Line())


class Grouped(Settings):
    count: int = param(3, "How many.", ge=1)
    motion: Motion = group(Motion(turn_s=30.0))
    places: dict[str, Place] = named("place", "Where.", was="old_places")
    classes: tuple[Annotated[str, OneOf(("A", "B"))], ...] = param(("A",), "Classes.")


def test_a_parameter_of_a_group_has_a_dotted_name_and_maps_have_names():
    assert [info.name for info in Grouped.params()] == [
        "count", "motion.model", "motion.turn_s", "motion.by_class.<CLASS>", "places.<place>.x", "places.<place>.line.port",
        "places.<place>.line.address", "classes",
    ]  # fmt: skip
    infos = {info.name: info for info in Grouped.params()}
    assert infos["motion.turn_s"].default == 30.0  # of this group, not of its class
    assert infos["motion.model"].words == ("cv", "imm")
    assert infos["classes"].words == ("A", "B")
    assert infos["motion.by_class.<CLASS>"].bounds == Bounds(gt=0)


@pytest.mark.parametrize("values", [
    {"motion": {"turn_s": 5, "by_class": {"A": 1}}, "places": {"gate": {"x": 2, "line": {"port": 7}}}},
    {"motion.turn_s": 5, "motion.by_class.A": 1, "places.gate.x": 2, "places.gate.line.port": 7},
    {"motion": {"turn_s": 5, "by_class.A": 1}, "places.gate": {"x": 2, "line.port": 7}},
])  # fmt: skip
def test_nested_and_dotted_names_are_the_same(values):
    settings = Grouped.load(values)
    assert settings == Grouped(
        motion=Motion(turn_s=5, by_class={"A": 1}), places={"gate": Place(x=2, line=Line(port=7))}
    )
    assert {info.name: value for info, value in settings.leaves()} == {
        "count": 3, "motion.model": "imm", "motion.turn_s": 5, "motion.by_class.A": 1, "places.gate.x": 2,
        "places.gate.line.port": 7, "places.gate.line.address": "any", "classes": ("A",),
    }  # fmt: skip


def test_what_is_given_of_a_group_leaves_the_rest_of_its_default():
    assert Grouped.load({"motion.model": "cv"}).motion == Motion(model="cv", turn_s=30.0)
    assert Grouped(motion={"model": "cv"}).motion == Motion(model="cv", turn_s=30.0)
    assert Grouped.load({"motion": {}, "places": {}}) == Grouped()


def test_the_environment_reaches_into_groups():
    assert Grouped.load({"motion.turn_s": 5}, environ={"EXAMPLE_TURN": "7"}).motion.turn_s == 7.0
    with pytest.raises(ConfigError, match=r"environment variable EXAMPLE_TURN: parameter 'motion\.turn_s' = 'x'"):
        Grouped.load(environ={"EXAMPLE_TURN": "x"})


@pytest.mark.parametrize(("values", "match"), [
    ({"motion": {"trun_s": 1}}, r"unknown parameter 'motion\.trun_s'; known are: motion\.by_class\.\*, motion\.model, "
     r"motion\.turn_s\. Did you mean 'motion\.turn_s'\?"),
    ({"turn_s": 1}, r"'turn_s'; known are: classes, count, motion\.\*, places\.\*\. Did you mean 'motion\.turn_s'\?"),
    ({"motoin.turn_s": 1}, r"'motoin\.turn_s'.*Did you mean 'motion\.turn_s'\?"),
    ({"mean_turn_s": 1}, r"unknown parameter 'mean_turn_s'.*It is 'motion\.turn_s' now"),
    ({"motion": "cv"}, r"'motion' is a group.*as 'cv'\. It is 'motion\.model' now"),
    ({"accelerations": ["A=1"]}, r"It is 'motion\.by_class\.<CLASS>' now"),
    ({"old_places": [1.0]}, r"It is 'places\.<place>\.x' now"),
    ({"places": [1.0]}, r"'places' is a group of parameters \(places\.<place>\.x, "),
    ({"places.gate.y": 1}, r"unknown parameter 'places\.gate\.y'; known are: places\.<place>\.line\.\*, places\.<place>\.x"),
    ({"places.gate.line.prt": 1}, r"Did you mean 'places\.<place>\.line\.port'\?"),
    ({"places.gate.line.port": -1}, r"'places\.gate\.line\.port' = -1: .*greater than or equal to 0"),
    ({"motion.by_class.A": 0}, r"'motion\.by_class\.A' = 0: .*greater than 0"),
    ({"motion": {"turn_s": 1}, "motion.turn_s": 2}, r"parameter 'motion\.turn_s' is set twice"),
    ({"count": {"x": 1}}, r"unknown parameter 'count\.x'"),
    ({"classes": ["A", "C"]}, "no word C; known are: A, B"),
])  # fmt: skip
def test_a_wrong_name_is_refused_with_the_right_one(values, match):
    with pytest.raises(ConfigError, match=match):
        Grouped.load(values)


LEAVES = st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.lists(st.integers())
NAMES = st.text(st.characters(codec="ascii", exclude_characters="."), min_size=1)


@given(st.recursive(LEAVES, lambda inner: st.dictionaries(NAMES, inner, min_size=1), max_leaves=10))
def test_nested_to_dotted_and_back(tree):
    tree = {"top": tree}
    dotted = flat(tree)
    assert nested(dotted) == tree
    assert flat(dotted) == dotted
    assert not any(isinstance(value, dict) for value in dotted.values())
