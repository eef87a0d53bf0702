# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Zones that people draw."""

from __future__ import annotations

from typing import Any

from pydantic import Field, create_model

from aegis.bridge.models.accounts import Seconds
from aegis.bridge.models.common import Model
from aegis.core.threat.drawn_zones import MOST_ZONES
from aegis.core.threat.polygons import MOST_CORNERS
from aegis.core.threat.zone_rules import MOST_RULES, WHEN_OF_ZONES
from aegis.core.threat.zone_settings import Rule

_TYPES: dict[str, Any] = {"when": str, "classes": list[str]}
_OUTLINE = [[0.0, 0.0], [900.0, 0.0], [900.0, 600.0]]


def _rule_model() -> Any:
    """Return a model with the parameters of a rule, whose bounds are checked later: what breaks them is 422 and not 400."""
    fields: dict[str, Any] = {}
    for info in Rule.params():
        if info.name == "zone":
            continue
        bounds = f"Allowed: {info.bounds}." if str(info.bounds) else ""
        words = f"One of {', '.join(WHEN_OF_ZONES)}." if info.name == "when" else ""
        text = " ".join(filter(None, [info.doc, f"Unit: {info.unit}." if info.unit else "", bounds, words]))
        default = list(info.default) if isinstance(info.default, tuple) else info.default
        fields[info.name] = (_TYPES.get(info.name, info.type), Field(default, description=text))
    doc = "What of a confirmed track is an alarm. All of its conditions have to hold."
    return create_model("ZoneRule", __base__=Model, __module__=__name__, __doc__=doc, **fields)


ZoneRule: Any = _rule_model()


class ZoneContent(Model):
    """A polygon over ground with a floor and a ceiling, and its rules."""

    outline_m: list[tuple[float, float]] = Field(
        description=f"3 to {MOST_CORNERS} corners (east, north) in map; the edges do not meet but at corners",
        examples=[_OUTLINE],
    )
    floor_m: float | None = Field(None, description="lowest height in map that belongs to it; null: no bound")
    ceiling_m: float | None = Field(None, description="greatest height in map; null: no bound", examples=[300.0])
    rules: list[ZoneRule] | None = Field(
        None,
        description=f"1 to {MOST_RULES}; each is an alarm of its own. null, and no `rule`: one rule, as its defaults are",
    )
    rule: ZoneRule | None = Field(
        None, description="in the place of `rules` where there is one only; null in answers where there are several"
    )


class DrawnZone(ZoneContent):
    """A zone as it is kept."""

    name: str = Field(examples=["harbour"])
    version: int = Field(description="another one after each change, never used again; the ETag", examples=[7])
    changed_by: str = Field(examples=["ada"])
    changed_s: Seconds
    watched: bool = Field(description="the threat stage says that it watches this version")
    problem: str | None = Field(description="why it is not watched, where that is known")


class DrawnZones(Model):
    """Every zone that people have drawn, by name."""

    most: int = Field(description="so many there may be", examples=[MOST_ZONES])
    items: list[DrawnZone]
