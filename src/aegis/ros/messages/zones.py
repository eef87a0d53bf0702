# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Zones that people have drawn, with their rules."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from aegis_msgs.msg import ZoneArray

from aegis.core.threat.drawn_zones import DrawnZone, drawn_zone
from aegis.core.threat.zone_settings import Rule
from aegis.core.types import ClassId
from aegis.ros.messages.columns import read_from_msg
from aegis.ros.messages.fields import check_lengths, make_header, pack

_LIMITS = ("floor_m", "ceiling_m")
_NUMBERS = tuple(name for name, field in Rule.model_fields.items() if field.annotation is float)
_PER_ZONE = ("version", *_LIMITS, "corners", "rules")
_PER_RULE = ("when", "classes", *_NUMBERS, "priority")


def zones_to_msg(zones: Sequence[DrawnZone], *, stamp_ns: int, frame_id: str) -> ZoneArray:
    """Return the message of all drawn zones."""
    m = ZoneArray()
    m.header = make_header(stamp_ns, frame_id)
    m.name = [one.name for one in zones]
    m.version = pack("Q", [one.version for one in zones])
    for limit in _LIMITS:
        setattr(m, limit, pack("d", [getattr(one.zone, limit) for one in zones]))
    m.corners = pack("I", [len(one.outline) for one in zones])
    m.corner_x = pack("d", [x for one in zones for x, _ in one.outline])
    m.corner_y = pack("d", [y for one in zones for _, y in one.outline])
    m.rules = pack("I", [len(one.rules) for one in zones])
    rules = [rule for one in zones for rule in one.rules]
    m.when = [str(rule.when) for rule in rules]
    m.classes = pack("I", [sum(1 << ClassId[name] for name in rule.classes) for rule in rules])
    for number in _NUMBERS:
        setattr(m, number, pack("d", [getattr(rule, number) for rule in rules]))
    m.priority = pack("B", [rule.priority for rule in rules])
    return m


@read_from_msg
def zones_from_msg(m: ZoneArray) -> tuple[list[DrawnZone], dict[str, str]]:
    """Return the zones of a message, and why those that cannot be watched cannot.

    Raises:
        MalformedError: arrays of lengths that do not fit.
    """
    check_lengths(m, len(m.name), list(_PER_ZONE))
    ends, rule_ends = (list(accumulate(map(int, counts), initial=0)) for counts in (m.corners, m.rules))
    check_lengths(m, ends[-1], ["corner_x", "corner_y"])
    check_lengths(m, rule_ends[-1], list(_PER_RULE))
    corners = list(zip(m.corner_x, m.corner_y, strict=True))
    zones: list[DrawnZone] = []
    refused: dict[str, str] = {}
    spans = zip(m.name, pairwise(ends), pairwise(rule_ends), strict=True)
    for k, (name, (first, last), (first_rule, last_rule)) in enumerate(spans):
        rules = [_rule_of(m, r) for r in range(first_rule, last_rule)]
        limits = {limit: getattr(m, limit)[k] for limit in _LIMITS}
        try:
            zones.append(drawn_zone(name, corners[first:last], limits, rules, int(m.version[k])))
        except ValueError as error:
            refused[name] = str(error)
    return zones, refused


def _rule_of(m: ZoneArray, r: int) -> dict[str, object]:
    """Return a rule of a message, as it is given."""
    return {
        "when": m.when[r],
        "classes": tuple(one.name for one in ClassId if m.classes[r] >> one & 1),
        **{number: getattr(m, number)[r] for number in _NUMBERS},
        "priority": m.priority[r],
    }
