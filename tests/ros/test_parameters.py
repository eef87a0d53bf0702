# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters as ROS tools show them: descriptions, ranges, words, types of empty lists."""

import sys
from typing import Literal

import pytest
import rclpy
from rcl_interfaces.msg import ParameterType
from rclpy.node import Node
from rclpy.parameter import Parameter

from aegis.core.params import Settings, group, named, param
from aegis.ros.parameters import declare_parameters


class Sensor(Settings):
    max_range_m: float = param(100.0, "Farthest range.", unit="m", gt=0.0)


class Some(Settings):
    share: float = param(0.5, "Share of the whole.", gt=0.0, lt=1.0)
    angle_deg: float = param(0.0, "Direction.", unit="deg", ge=-180.0, le=180.0)
    count: int = param(3, "How many.", ge=1)
    at_most: float = param(0.0, "No more than this.", le=5.0)
    free: float = param(0.0, "Any number.")
    model: Literal["cv", "imm"] = param("imm", "Motion model.")
    words: tuple[str, ...] = param((), "Words.")
    numbers: tuple[float, ...] = param((), "Numbers.")
    sensor: Sensor = group(Sensor())
    sensors: dict[str, Sensor] = named("sensor_id", "What is different for one sensor.")


@pytest.fixture
def node(ros_domain):
    context = rclpy.Context()
    rclpy.init(context=context)
    made = Node("some", context=context)
    declare_parameters(made, Some.load({"sensors.left.max_range_m": 50}))
    yield made
    made.destroy_node()
    context.shutdown()


@pytest.mark.parametrize(("name", "text", "constraints"), [
    ("share", "Share of the whole. Allowed: above 0, below 1.", "above 0, below 1"),
    ("angle_deg", "Direction. Unit: deg. Allowed: -180 to 180.", ""),
    ("count", "How many. Allowed: from 1.", ""),
    ("at_most", "No more than this. Allowed: up to 5.", ""),
    ("free", "Any number.", ""),
    ("model", "Motion model.", "one of cv, imm"),
    ("sensors.left.max_range_m", "Farthest range. Unit: m. Allowed: above 0.", "above 0"),
])  # fmt: skip
def test_what_a_parameter_is_and_what_is_allowed(node, name, text, constraints):
    described = node.describe_parameter(name)
    assert (described.description, described.additional_constraints) == (text, constraints)
    assert described.read_only


def test_ranges_have_both_ends(node):
    largest = sys.float_info.max
    ranges = {name: node.describe_parameter(name).floating_point_range for name in ("share", "at_most", "free")}
    assert [(r.from_value, r.to_value) for r in ranges["share"]] == [(0.0, 1.0)]
    assert [(r.from_value, r.to_value) for r in ranges["at_most"]] == [(-largest, 5.0)]
    assert not ranges["free"]
    (sensor,) = node.describe_parameter("sensor.max_range_m").floating_point_range
    assert (sensor.from_value, sensor.to_value) == (0.0, largest)
    (count,) = node.describe_parameter("count").integer_range
    assert (count.from_value, count.to_value) == (1, 2**63 - 1)


def test_an_empty_list_has_the_type_of_its_members(node):
    assert node.get_parameter("words").type_ == Parameter.Type.STRING_ARRAY
    assert node.get_parameter("numbers").type_ == Parameter.Type.DOUBLE_ARRAY
    assert node.describe_parameter("words").type == ParameterType.PARAMETER_STRING_ARRAY
    assert list(node.get_parameter("words").value) == []
    assert not node.set_parameters([Parameter("words", value=["x"])])[0].successful


def test_a_map_is_declared_for_the_names_that_are_set(node):
    assert node.get_parameter("sensors.left.max_range_m").value == 50.0
    assert [p for p in node._parameters if p.startswith("sensors.")] == ["sensors.left.max_range_m"]
