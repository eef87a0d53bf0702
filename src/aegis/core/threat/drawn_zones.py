"""Zones that people draw while the graph runs, each with one rule of its own; beside those of the parameters."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import ValidationError

from aegis.core.threat.polygons import what_is_wrong
from aegis.core.threat.zone_settings import Rule, When, Zone

MOST_ZONES = 50  # each costs time with every picture: `aegis bench zones`
NAME_PATTERN = r"\w(?:[\w .-]{0,62}[\w.-])?"
DRAWN_WHEN = tuple(when for when in get_args(When) if when != "anywhere")  # which has no zone


@dataclass(frozen=True)
class DrawnZone:
    """A zone and its rule, which has the same name."""

    name: str
    zone: Zone
    rule: Rule
    version: int = 0  # another one after each change

    @property
    def outline(self) -> list[tuple[float, float]]:
        """The corners (east, north) in map [m]."""
        return list(zip(self.zone.polygon[::2], self.zone.polygon[1::2], strict=True))


def drawn_zone(
    name: str,
    outline: Sequence[tuple[float, float]],
    limits: Mapping[str, Any],
    rule: Mapping[str, Any],
    version: int = 0,
) -> DrawnZone:
    """Return a zone that can be watched.

    Args:
        name: of the zone and the rule.
        outline: corners (east, north) in map [m].
        limits: `floor_m` and `ceiling_m`; what is absent has no bound.
        rule: as the parameters `rules.<name>`, without `zone`.
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
    when = rule.get("when", "inside")
    if when not in DRAWN_WHEN:
        raise ValueError(f"rule.when is '{when}'; one of {', '.join(DRAWN_WHEN)} is expected")
    if "zone" in rule:
        raise ValueError("rule.zone: a drawn zone's rule is for itself; leave it out")
    try:
        zone = Zone.model_validate({"polygon": tuple(number for corner in outline for number in corner), **limits})
        return DrawnZone(name, zone, _rule(name, rule), version)
    except ValidationError as error:
        raise ValueError(_in_words(error)) from None


def _rule(name: str, given: Mapping[str, Any]) -> Rule:
    try:
        return Rule.model_validate({**given, "zone": name})
    except ValidationError as error:
        raise ValueError(_in_words(error, "rule")) from None


def _in_words(error: ValidationError, group: str = "") -> str:
    """Return what pydantic found wrong, each with its key and the value found."""
    lines = []
    for item in error.errors():
        key = ".".join(str(part) for part in (group, *item["loc"]) if part != "")
        found = "" if isinstance(item["input"], Mapping) else f" is {item['input']!r}"
        said = item["msg"].removeprefix("Value error, ")
        lines.append(f"{key}{found}: {said}" if key else said)
    return "; ".join(lines)


def refusals(drawn: Iterable[DrawnZone], taken: Collection[str]) -> dict[str, str]:
    """Return which drawn zones cannot be watched beside the parameters, and why.

    Args:
        drawn: in order; of too many, the last are refused.
        taken: the names of the parameters' zones, rules and assets.
    """
    out: dict[str, str] = {}
    watched: set[str] = set()
    for one in drawn:
        if one.name in taken:
            out[one.name] = "a zone, rule or asset of the parameters has this name; draw it under another one"
        elif one.name in watched:
            out[one.name] = "two drawn zones have this name"
        elif len(watched) >= MOST_ZONES:
            out[one.name] = f"there are more than {MOST_ZONES} drawn zones; remove one"
        else:
            watched.add(one.name)
    return out
