"""Parameters: bounds, unknown keys, the environment, and messages that help."""

import pytest

from aegis.core.params import ConfigError, Settings, param


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
    assert (speed.name, speed.unit, speed.env, speed.minimum, speed.maximum) == (
        "speed",
        "m/s",
        "EXAMPLE_SPEED",
        0,
        100,
    )
    assert (count.doc, count.minimum, count.maximum) == ("How many.", 1, None)
