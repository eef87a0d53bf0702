# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Any settings of any node, written as YAML or as ROS has them, are the same when they are read again."""

from typing import Annotated, Any, Literal, get_args, get_origin

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from aegis.core.param_info import ParamInfo
from aegis.core.param_names import flat, nested
from aegis.core.params import ConfigError, Settings
from aegis.drivers.registry import BUILT_IN, driver_class
from aegis.graph.config import settings_type
from aegis.graph.nodes import ALL_NODES

KINDS = {name: settings_type(name) for name in ALL_NODES} | {
    name: driver_class(name).settings_type for name in BUILT_IN
}
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True)
# What files and command lines can hold: YAML has no other characters, and pydantic no other whole numbers.
TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs"), max_codepoint=0xFFFF), max_size=20)


def secret(value: object) -> bool:
    """Tell whether a value is not to be written."""
    return hasattr(value, "get_secret_value")


def values(info: ParamInfo, kind: Any = None) -> st.SearchStrategy[Any]:
    """Values of a parameter that it allows by itself."""
    kind = info.type if kind is None else kind
    bounds = info.bounds
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) is tuple:
        return st.lists(values(info, get_args(kind)[0]), max_size=4).map(tuple)
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    if info.words:
        return st.sampled_from(info.words)
    if kind is bool:
        return st.booleans()
    if kind is int:
        low, high = (None if bound is None else int(bound) for bound in (bounds.low, bounds.high))
        return st.integers(low if low is not None else -(2**63), high if high is not None else 2**63 - 1)
    if kind is float:
        return st.floats(
            bounds.low, bounds.high, exclude_min=bounds.gt is not None, exclude_max=bounds.lt is not None,
            allow_nan=False, allow_infinity=False,
        )  # fmt: skip
    return TEXT


@st.composite
def some_settings(draw: st.DrawFn, kind: type[Settings]) -> Settings:
    """Settings of a kind, of which some parameters are not at their defaults."""
    given_values = {}
    public = [info for info in kind.params() if not secret(info.default)]
    for info in draw(st.lists(st.sampled_from(public), max_size=4)):
        name = ".".join(draw(NAMES) if part.startswith("<") else part for part in info.name.split("."))
        if info.name.endswith("<CLASS>"):
            name = info.name.replace("<CLASS>", draw(st.sampled_from(["DRONE", "VESSEL", "BIRD"])))
        given_values[name] = draw(values(info))
    try:
        return kind.load(given_values)
    except ConfigError:  # a rule between several parameters
        assume(False)
        raise


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
@settings(max_examples=40)
@given(data=st.data())
def test_written_and_read_again_they_are_the_same(kind, data):
    made = data.draw(some_settings(kind))
    tree = yaml.safe_load(yaml.safe_dump(made.model_dump(mode="json")))
    assert kind.load(tree) == made
    dotted = {info.name: list(v) if isinstance(v, tuple) else v for info, v in made.leaves() if not secret(v)}
    assert all(not isinstance(value, dict) for value in dotted.values())
    assert kind.load(yaml.safe_load(yaml.safe_dump(dotted))) == made
    assert kind.load(nested(dotted)) == made
    assert flat(nested(dotted)) == dotted
    assert {name: value for name, value in flat(tree).items() if value != {} and name in dotted} == dotted
