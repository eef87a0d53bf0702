# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Directions as they are read."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from threat_tracks import tracks_of

from aegis.core.angles import compass_text
from aegis.core.threat.alarms import text_of
from aegis.core.threat.zone_settings import Rule
from aegis.core.threat.zone_watch import RuleChange
from aegis.core.types import ClassId


@given(st.floats(-720.0, 720.0), st.integers(0, 4))
def test_a_direction_is_read_from_0_to_below_360_and_is_the_nearest(degrees, digits):
    read = float(compass_text(degrees, digits))
    assert 0.0 <= read < 360.0
    assert abs(math.remainder(read - degrees, 360.0)) <= 0.5000001 * 10.0**-digits + 1e-9
    assert not compass_text(degrees, digits).startswith("-")


@pytest.mark.parametrize(
    ("degrees", "read"), [(359.4, "359"), (359.6, "0"), (-0.3, "0"), (0.0, "0"), (360.0, "0"), (-90.0, "270")]
)
def test_north_is_0(degrees, read):
    assert compass_text(degrees) == read


def test_an_alarm_of_what_goes_north_says_course_0_and_no_height_of_minus_0():
    tracks = tracks_of((7, ClassId.DRONE, (50.0, 60.0, -0.3), (-0.02, 5.0, 0.0)))
    text = text_of(Rule(when="anywhere"), RuleChange("any", 7, True, 0, math.nan), tracks)
    assert "on course 0 deg" in text
    assert text.endswith("at a height of 0 m")
    tracks.covariance[0, 2, 2] = 500.0**2  # of a radar without elevation
    assert text_of(Rule(when="anywhere"), RuleChange("any", 7, True, 0, math.nan), tracks).endswith(
        "a height of 0 m (+- 500 m)"
    )
