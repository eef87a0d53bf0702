"""Settings as the parameters of a ROS node: declared read-only, with what `ros2 param describe` shows."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import get_args

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node
from rclpy.parameter import Parameter

from aegis.core.param_info import ParamInfo
from aegis.core.params import Settings

# ROS ranges have two ends: where a parameter has one, the other is the largest number that its type holds.
_LARGEST_FLOAT = sys.float_info.max
_LARGEST_INT = 2**63 - 1
_ARRAYS = {
    str: Parameter.Type.STRING_ARRAY,
    float: Parameter.Type.DOUBLE_ARRAY,
    int: Parameter.Type.INTEGER_ARRAY,
    bool: Parameter.Type.BOOL_ARRAY,
}


def declare_parameters(node: Node, settings: Settings) -> None:
    """Declare every parameter with its value, description and bounds; those of a map for the names that are set."""
    for info, value in settings.leaves():
        descriptor = describe(info)
        if isinstance(value, tuple) and not value:
            _declare_empty(node, info, descriptor)
        else:
            plain = list(value) if isinstance(value, tuple) else value
            node.declare_parameter(info.name, plain, descriptor, ignore_override=True)


def describe(info: ParamInfo) -> ParameterDescriptor:
    """Return the descriptor of a parameter. Ranges of ROS include their ends; an end that is excluded is a constraint."""
    bounds = info.bounds
    text = [info.doc, f"Unit: {info.unit}." if info.unit else "", f"Allowed: {bounds}." if str(bounds) else ""]
    constraints = [
        bounds.excluded,
        f"one of {', '.join(word or '(empty)' for word in info.words)}" if info.words else "",
    ]
    descriptor = ParameterDescriptor(
        description=" ".join(filter(None, text)),
        additional_constraints="; ".join(filter(None, constraints)),
        read_only=True,
    )
    if bounds.low is not None or bounds.high is not None:
        largest = _LARGEST_INT if info.type is int else _LARGEST_FLOAT
        low = -largest if bounds.low is None else bounds.low
        high = largest if bounds.high is None else bounds.high
        if info.type is int:
            descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=1)]
        elif info.type is float:
            descriptor.floating_point_range = [
                FloatingPointRange(from_value=float(low), to_value=float(high), step=0.0)
            ]
    return descriptor


def _declare_empty(node: Node, info: ParamInfo, descriptor: ParameterDescriptor) -> None:
    """Declare an empty array with the type of its members: rclpy takes an empty list for one of bytes."""
    kind = _ARRAYS[_member_type(get_args(info.type))]
    node.declare_parameter(info.name, kind, ParameterDescriptor(), ignore_override=True)
    node.set_parameters([Parameter(info.name, kind, [])])
    descriptor.type = kind.value
    node.set_descriptor(info.name, descriptor)


def _member_type(arguments: Sequence[object]) -> type:
    """Return the plain type of a tuple's members, of which an `Annotated` one is a word."""
    first = arguments[0]
    return first if isinstance(first, type) and first in _ARRAYS else str
