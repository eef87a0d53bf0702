# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Dotted names of parameters, as ROS 2 has them, and the nested mappings that YAML has for them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

Scalar: TypeAlias = bool | int | float | str
Leaf: TypeAlias = Scalar | Sequence[Scalar] | None
Values: TypeAlias = "Mapping[str, Leaf | Values]"  # nested, dotted or both

# How alike two names are, from 0 to 1, for one to be offered instead of the other (`difflib`).
_LIKENESS = 0.5


def flat(values: Values, prefix: str = "") -> dict[str, Leaf]:
    """Return dotted names and their values: `{"motion": {"mean_turn_s": 10}}` is `{"motion.mean_turn_s": 10}`.

    An empty mapping stays as it is, under its name.

    Raises:
        ValueError: a name is there twice, nested and dotted.
    """
    out: dict[str, Leaf] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        for leaf, item in flat(value, f"{name}.").items() if isinstance(value, Mapping) and value else [(name, value)]:
            if leaf in out:
                raise ValueError(f"parameter '{leaf}' is set twice")
            out[leaf] = item  # type: ignore[assignment]
    return out


def nested(values: Mapping[str, Leaf]) -> dict[str, Values | Leaf]:
    """Return the nested mapping of dotted names, none of which is the beginning of another."""
    out: dict[str, Values | Leaf] = {}
    for name, value in values.items():
        *groups, last = name.split(".")
        place = out
        for part in groups:
            place = place.setdefault(part, {})  # type: ignore[assignment]
        place[last] = value
    return out


def matches(pattern: str, name: str) -> bool:
    """Tell whether a name is of a pattern, in which `<...>` stands for any one part."""
    parts, given = pattern.split("."), name.split(".")
    return len(parts) == len(given) and all(p == g or p.startswith("<") for p, g in zip(parts, given, strict=True))


def beside(name: str, patterns: Iterable[str]) -> list[str]:
    """Return, sorted, what there is in the innermost known group that a name is in; `x.*` is a group there."""
    found: set[str] = set()
    parts = name.split(".")
    for depth in reversed(range(len(parts))):
        for pattern in patterns:
            above, here = pattern.split(".")[:depth], pattern.split(".")[depth:]
            if here and (not depth or matches(".".join(above), ".".join(parts[:depth]))):
                found.add(".".join([*above, here[0], *("*" for _ in here[1:2])]))
        if found:
            break
    return sorted(found)


def nearest(name: str, patterns: Sequence[str]) -> str:
    """Return the one that is meant by a name that is none of them; "" for none.

    The one with the same last part, outside maps if possible; else one that is spelled alike, in the same group if possible.
    """
    above, _, end = name.rpartition(".")
    last = {pattern.rpartition(".")[2]: pattern for pattern in sorted(patterns, key=lambda p: "<" in p, reverse=True)}
    if end in last:
        return last[end]
    beside_it = {p.rpartition(".")[2]: p for p in patterns if matches(p.rpartition(".")[0], above)}
    for word, choice in ((end, beside_it), (name, {pattern: pattern for pattern in patterns}), (end, last)):
        for close in difflib.get_close_matches(word, choice, 1, _LIKENESS):
            return choice[close]
    return ""
