# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters that every node has besides its own, those of ROS first, in the graph's file and by `--set` as in any other node's."""

from __future__ import annotations

from collections.abc import Mapping

from aegis.core.param_names import Leaf, Values
from aegis.ros.topics import MANAGED, OPEN_COMMANDS, RETURNS

QOS = "qos_overrides"  # qos_overrides.<topic>.<publisher or subscription>.<policy>
_SWITCHES = ("use_sim_time", "start_type_description_service", OPEN_COMMANDS, MANAGED, RETURNS)
_ENTITIES = ("publisher", "subscription")
_WORDS: dict[str, tuple[str, ...]] = {
    "history": ("keep_last", "keep_all", "system_default"),
    "reliability": ("reliable", "best_effort", "system_default", "best_available"),
    "durability": ("volatile", "transient_local", "system_default", "best_available"),
    "liveliness": ("automatic", "manual_by_topic", "system_default", "best_available"),
}
_NUMBERS = ("depth", "deadline", "lifespan", "liveliness_lease_duration")
_POLICIES = (*_WORDS, *_NUMBERS, "avoid_ros_namespace_conventions")


def is_of_ros(name: str) -> bool:
    """Tell whether a parameter is one that every node has."""
    return name in (*_SWITCHES, QOS) or name.startswith(f"{QOS}.")


def is_said(value: Leaf | Values) -> bool:
    """Tell whether a value says anything: an empty group does not."""
    return value is not None and value != {}


def refusal(name: str, value: Leaf | Values) -> str:
    """Return what is wrong of such a parameter; empty where nothing is."""
    if not is_said(value):
        return ""
    if name in _SWITCHES:
        return "" if isinstance(value, bool) else f"parameter '{name}' = {value!r}: true or false is expected"
    parts = name.split(".")
    if len(parts) != 4 or parts[2].partition("_")[0] not in _ENTITIES or parts[3] not in _POLICIES:
        form = f"{QOS}.TOPIC.{' or '.join(_ENTITIES)}.POLICY"
        return f"parameter '{name}': {form} is expected, POLICY one of {', '.join(_POLICIES)}"
    policy = parts[3]
    if policy in _WORDS:
        allowed = _WORDS[policy]
        return "" if value in allowed else f"parameter '{name}' = {value!r}: {', '.join(allowed)} are allowed"
    if policy in _NUMBERS:
        fits = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        return "" if fits else f"parameter '{name}' = {value!r}: an integer from 0 is expected"
    return "" if isinstance(value, bool) else f"parameter '{name}' = {value!r}: true or false is expected"


def said(values: Mapping[str, Leaf]) -> dict[str, Leaf]:
    """Return those of these parameters that ROS has of a node and that say anything."""
    return {name: value for name, value in values.items() if is_of_ros(name) and is_said(value)}
