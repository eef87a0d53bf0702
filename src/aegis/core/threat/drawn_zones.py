# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Zones that people draw while the graph runs, each with rules of its own; beside those of the parameters."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from aegis.core.threat.polygons import what_is_wrong
from aegis.core.threat.zone_rules import GivenRule, in_words, named_rules, rules_of
from aegis.core.threat.zone_settings import Rule, Zone

MOST_ZONES = 50  # each costs time with every picture: `aegis bench zones`
MOST_DRAWN_RULES = 100  # of all of them
NAME_PATTERN = r"\w(?:[\w .-]{0,62}[\w.-])?"


@dataclass(frozen=True)
class DrawnZone:
    """A zone and its rules, the first of which has the same name."""

    name: str
    zone: Zone
    rules: tuple[Rule, ...]
    version: int = 0  # another one after each change

    @property
    def named_rules(self) -> dict[str, Rule]:
        """The rules by name."""
        return named_rules(self.name, self.rules)

    @property
    def outline(self) -> list[tuple[float, float]]:
        """The corners (east, north) in map [m]."""
        return list(zip(self.zone.polygon[::2], self.zone.polygon[1::2], strict=True))


def drawn_zone(
    name: str,
    outline: Sequence[tuple[float, float]],
    limits: Mapping[str, Any],
    rules: GivenRule | Sequence[GivenRule],
    version: int = 0,
) -> DrawnZone:
    """Return a zone that can be watched.

    Args:
        name: of the zone and its first rule.
        outline: corners (east, north) in map [m].
        limits: `floor_m` and `ceiling_m`; what is absent has no bound.
        rules: one or several, as the parameters `rules.<name>`, without `zone`.
        version: of the zone.

    Raises:
        ValueError: saying what is wrong, and what would be right.
    """
    if not re.fullmatch(NAME_PATTERN, name):
        raise ValueError(
            "name: 1 to 64 letters, digits, spaces, dots, dashes and underscores are expected, first a letter or digit"
        )
    wrong = what_is_wrong(outline)
    if wrong:
        raise ValueError(f"outline_m {wrong}")
    own = rules_of(name, rules)
    try:
        zone = Zone.model_validate({"polygon": tuple(number for corner in outline for number in corner), **limits})
        return DrawnZone(name, zone, own, version)
    except ValidationError as error:
        raise ValueError(in_words(error)) from None


def refusals(drawn: Iterable[DrawnZone], taken: Collection[str]) -> dict[str, str]:
    """Return which drawn zones cannot be watched beside the parameters, and why.

    Args:
        drawn: in order; of too many, the last are refused.
        taken: the names of the parameters' zones, rules and assets.
    """
    out: dict[str, str] = {}
    taken = set(taken)
    watched: set[str] = set()
    rules = 0
    for one in drawn:
        if not taken.isdisjoint(one.named_rules):
            out[one.name] = "a zone, rule or asset of the parameters has this name; draw it under another one"
        elif one.name in watched:
            out[one.name] = "two drawn zones have this name"
        elif len(watched) >= MOST_ZONES:
            out[one.name] = f"there are more than {MOST_ZONES} drawn zones; remove one"
        elif rules + len(one.rules) > MOST_DRAWN_RULES:
            out[one.name] = f"there are more than {MOST_DRAWN_RULES} rules of drawn zones; remove one"
        else:
            watched.add(one.name)
            rules += len(one.rules)
    return out
