# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The rules of a zone that has its own, as people draw them or a file has them: how many, how they are called, what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias, get_args

from pydantic import ValidationError

from aegis.core.threat.zone_settings import Rule, When

MOST_RULES = 8  # of one zone; each costs time with every picture: `aegis bench zones`
WHEN_OF_ZONES = tuple(when for when in get_args(When) if when != "anywhere")  # which has no zone
GivenRule: TypeAlias = Mapping[str, object]  # as the parameters `rules.<name>`, without `zone`


def rules_of(zone: str, given: GivenRule | Sequence[GivenRule]) -> tuple[Rule, ...]:
    """Return the rules of a zone.

    Args:
        zone: its name.
        given: one rule, or several.

    Raises:
        ValueError: saying what is wrong, and what would be right.
    """
    if isinstance(given, Mapping):
        return (_rule(zone, given, "rule"),)
    if not 1 <= len(given) <= MOST_RULES:
        raise ValueError(f"rules: a zone has 1 to {MOST_RULES}, not {len(given)}")
    return tuple(_rule(zone, one, f"rules.{k + 1}") for k, one in enumerate(given))


def named_rules(zone: str, rules: Sequence[Rule]) -> dict[str, Rule]:
    """Return the rules by name: the first has the zone's, the others its and their number, which no zone can be called."""
    return {zone if k == 0 else f"{zone} #{k + 1}": rule for k, rule in enumerate(rules)}


def _rule(zone: str, given: GivenRule, key: str) -> Rule:
    if not isinstance(given, Mapping):
        raise ValueError(f"{key} is {given!r}; a mapping is expected, with the keys of a rule")
    when = given.get("when", "inside")
    if when not in WHEN_OF_ZONES:
        raise ValueError(f"{key}.when is '{when}'; one of {', '.join(WHEN_OF_ZONES)} is expected")
    if "zone" in given:
        raise ValueError(f"{key}.zone: a zone's own rule is for itself; leave it out")
    try:
        return Rule.model_validate({**given, "zone": zone})
    except ValidationError as error:
        raise ValueError(in_words(error, key)) from None


def in_words(error: ValidationError, group: str = "") -> str:
    """Return what pydantic found wrong, each with its key and the value found."""
    lines = []
    for item in error.errors():
        key = ".".join(str(part) for part in (group, *item["loc"]) if part != "")
        found = "" if isinstance(item["input"], Mapping) else f" is {item['input']!r}"
        said = item["msg"].removeprefix("Value error, ")
        lines.append(f"{key}{found}: {said}" if key else said)
    return "; ".join(lines)
