# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Settings as the parameters of a ROS node, with what `ros2 param describe` shows; some may be set while it runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import get_args

from pydantic import SecretStr
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from aegis.core.param_info import ParamInfo
from aegis.core.param_names import Leaf
from aegis.core.params import ConfigError, Settings

# ROS ranges have two ends: where a parameter has one, the other is the largest number that its type holds.
_LARGEST_FLOAT = sys.float_info.max
_LARGEST_INT = 2**63 - 1
_ARRAYS = {
    str: Parameter.Type.STRING_ARRAY,
    float: Parameter.Type.DOUBLE_ARRAY,
    int: Parameter.Type.INTEGER_ARRAY,
    bool: Parameter.Type.BOOL_ARRAY,
}


def declare_parameters(node: Node, settings: Settings, tunable: Sequence[str] = ()) -> None:
    """Declare every parameter with its value, description and bounds; those of a map for the names that are set.

    They are read-only, but for those of the names in `tunable`, patterns of fnmatch.
    """
    for info, value in settings.leaves():
        descriptor = describe(info)
        descriptor.read_only = not is_tunable(info.name, tunable)
        if isinstance(value, tuple) and not value:
            _declare_empty(node, info, descriptor)
        else:
            plain = list(value) if isinstance(value, tuple) else str(value) if isinstance(value, SecretStr) else value
            node.declare_parameter(info.name, plain, descriptor, ignore_override=True)


def is_tunable(name: str, tunable: Sequence[str]) -> bool:
    """Tell whether a parameter is of the names in `tunable`, patterns of fnmatch."""
    return any(fnmatchcase(name, pattern) for pattern in tunable)


class Tuning:
    """Takes what is set of a node's parameters while it runs: all that is set at once, or nothing of it."""

    def __init__(
        self, node: Node, settings: Callable[[], Settings], use: Callable[[Settings, list[str]], None]
    ) -> None:
        """Listen.

        Args:
            node: whose parameters were declared from the settings.
            settings: returns those that hold now.
            use: called with new settings and what has changed, each as `name: before -> after`.
        """
        self._settings, self._use = settings, use
        self._names = {info.name for info, _ in settings().leaves()}
        node.add_on_set_parameters_callback(self._check)
        node.add_post_set_parameters_callback(self._take)

    def _given(self, parameters: Sequence[Parameter]) -> Settings:
        """Return the settings with what is set.

        Raises:
            ConfigError: a value is not allowed, or not beside the others.
        """
        now = self._settings()
        values: dict[str, Leaf] = {info.name: value for info, value in now.leaves()}
        values |= {p.name: p.value for p in parameters if p.name in self._names}
        return type(now).load(values, source="set while running")

    def _check(self, parameters: list[Parameter]) -> SetParametersResult:
        try:
            self._given(parameters)
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _take(self, parameters: list[Parameter]) -> None:
        before, after = self._settings(), self._given(parameters)
        old, new = ({info.name: value for info, value in each.leaves()} for each in (before, after))
        changed = [f"{name}: {old[name]} -> {value}" for name, value in new.items() if value != old[name]]
        if changed:
            self._use(after, changed)


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
