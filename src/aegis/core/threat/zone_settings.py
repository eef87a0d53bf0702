# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters of zones, and of the rules whose breach is an alarm."""

from __future__ import annotations

from typing import Literal, Self, get_args

from pydantic import model_validator

from aegis.core.classification.settings import ClassName
from aegis.core.params import Settings, param

NO_BOUND_M = 1e7  # of heights in map, up and down
When = Literal["anywhere", "inside", "outside", "enter", "leave", "stay", "cpa", "entry"]
WHEN = list(get_args(When))  # in the order of the kernel's numbers


class Zone(Settings):
    """A polygon over ground, or a circle, with a floor and a ceiling."""

    polygon: tuple[float, ...] = param(
        (), "Corners in map, one after the other: x1, y1, x2, y2, ... [m]; empty for a circle."
    )
    x: float = param(0.0, "A circle's centre in map, east.", unit="m")
    y: float = param(0.0, "A circle's centre in map, north.", unit="m")
    radius_m: float = param(0.0, "A circle's radius; 0 for a polygon.", unit="m", ge=0.0)
    floor_m: float = param(
        -NO_BOUND_M, "Lowest height in map that belongs to it; as given, no bound: the sea is 7 km below map's plane 300 km from "
        "its origin.", unit="m",
    )  # fmt: skip
    ceiling_m: float = param(NO_BOUND_M, "Greatest height in map that belongs to it; as given, no bound.", unit="m")

    @model_validator(mode="after")
    def _shaped(self) -> Self:
        if bool(self.polygon) == (self.radius_m > 0.0):
            raise ValueError("either polygon or radius_m is needed")
        if self.polygon and (len(self.polygon) < 6 or len(self.polygon) % 2):
            raise ValueError(f"polygon has {len(self.polygon)} numbers; x and y of at least three corners are expected")
        if self.floor_m >= self.ceiling_m:
            raise ValueError("floor_m < ceiling_m is needed")
        return self


class Rule(Settings):
    """What of a confirmed track is an alarm. All of its conditions have to hold."""

    zone: str = param("", "Name of a zone, or of an asset at rest; empty for `anywhere`.")
    when: When = param(
        "inside", "What holds: inside or outside of the zone; enter or leave it; stay in it for stay_s; cpa: on a course that "
        "comes nearer than cpa_m within within_s; entry: that enters it within within_s with at least probability; anywhere: no "
        "zone.",
    )  # fmt: skip
    classes: tuple[ClassName, ...] = param((), "Only tracks of these classes; empty: of all.")
    min_speed_mps: float = param(0.0, "Only tracks that are at least so fast over ground.", unit="m/s", ge=0.0)
    max_speed_mps: float = param(1e5, "Only tracks that are at most so fast over ground.", unit="m/s", gt=0.0)
    course_deg: float = param(0.0, "Middle of the courses, clockwise from north.", unit="deg", ge=0.0, le=360.0)
    course_width_deg: float = param(360.0, "Width of the courses; 360: all.", unit="deg", gt=0.0, le=360.0)
    stay_s: float = param(60.0, "Time inside, of `stay`.", unit="s", gt=0.0)
    cpa_m: float = param(500.0, "Distance from the zone, of `cpa`.", unit="m", gt=0.0)
    within_s: float = param(60.0, "The time looked ahead, of `cpa` and `entry`.", unit="s", gt=0.0, le=3600.0)
    probability: float = param(0.5, "Probability to enter, of `entry`.", gt=0.0, le=1.0)
    margin_m: float = param(20.0, "The alarm ends only so far outside of the zone, or beyond cpa_m.", unit="m", ge=0.0)
    margin_mps: float = param(1.0, "The alarm ends only so far outside of the speeds.", unit="m/s", ge=0.0)
    margin_deg: float = param(5.0, "The alarm ends only so far outside of the courses.", unit="deg", ge=0.0, le=180.0)
    margin_probability: float = param(0.1, "The alarm ends only so far below the probability.", ge=0.0, le=1.0)
    raise_s: float = param(1.0, "The alarm is raised where it has held for so long.", unit="s", ge=0.0, le=3600.0)
    end_s: float = param(5.0, "The alarm ends where it has not held for so long.", unit="s", ge=0.0, le=3600.0)
    hold_s: float = param(30.0, "So long an alarm of `enter` and `leave` lasts.", unit="s", gt=0.0, le=3600.0)
    priority: int = param(2, "Priority of the alarm; 1 is most urgent.", ge=1, le=4)

    @model_validator(mode="after")
    def _placed(self) -> Self:
        if (self.when == "anywhere") != (self.zone == ""):
            raise ValueError("zone is needed, but not with when: anywhere")
        if self.min_speed_mps > self.max_speed_mps:
            raise ValueError("min_speed_mps <= max_speed_mps is needed")
        if self.when in ("enter", "leave") and self.raise_s >= self.hold_s:
            raise ValueError("raise_s < hold_s is needed: else entering or leaving is over before it is raised")
        return self


class AlarmSettings(Settings):
    """What is kept of alarms."""

    keep_s: float = param(600.0, "So long an alarm that has ended stays in the list.", unit="s", ge=0.0, le=86_400.0)
    max_alarms: int = param(500, "Most alarms in the list; those that ended first leave it first.", ge=1, le=10_000)
    longest_shelf_s: float = param(
        3600.0, "An alarm is shelved for no longer than this at once.", unit="s", gt=0.0, le=604_800.0
    )
