# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is protected and watched: from parameters to the message and back, and what the threat stage says of it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rclpy.serialization import deserialize_message, serialize_message

from aegis.core.odometry import PlatformState
from aegis.core.threat.areas import AreaKind, Origin, ProtectedArea, areas_of
from aegis.core.threat.assets import place_on
from aegis.core.threat.settings import Asset, ThreatSettings
from aegis.core.threat.zone_settings import Zone
from aegis.ros.messages.protected import areas_from_msg, areas_to_msg
from aegis.ros.stages.base import StageContext
from aegis.ros.stages.threat import ThreatStage

NS = 1_700_000_000_000_000_000
finite = st.floats(-1e6, 1e6)
zones = st.builds(
    ProtectedArea,
    name=st.text(max_size=8).filter(lambda text: "\0" not in text),
    kind=st.just(AreaKind.ZONE),
    floor_m=finite,
    ceiling_m=finite,
    outline=st.lists(st.tuples(finite, finite), min_size=3, max_size=6).map(tuple),
    origin=st.sampled_from([Origin.CONFIGURED, Origin.DRAWN]),
    version=st.integers(0, 2**63 - 1),
)
assets = st.builds(
    ProtectedArea, name=st.just("site"), kind=st.just(AreaKind.ASSET), x=finite, y=finite, z=finite, radius_m=finite
)


@given(st.lists(zones | assets, max_size=5))
def test_the_message_carries_every_area(areas):
    sent = areas_to_msg(areas, stamp_ns=NS, frame_id="map")
    received = deserialize_message(serialize_message(sent), type(sent))
    assert repr(areas_from_msg(received)) == repr(areas)  # NaN is not equal to itself


@pytest.mark.parametrize(
    ("field", "value"), [("corners", [2]), ("corners", []), ("corner_x", [1.0]), ("z", [1.0, 2.0]), ("kind", [9])]
)
def test_a_message_that_contradicts_itself_is_refused(field, value):
    area = ProtectedArea("a", AreaKind.ZONE, floor_m=0.0, ceiling_m=9.0, outline=((0.0, 0.0), (9.0, 0.0), (0.0, 9.0)))
    sent = areas_to_msg([area], stamp_ns=NS, frame_id="map")
    setattr(sent, field, value)
    with pytest.raises(ValueError, match=r"ProtectedArray|9"):
        areas_from_msg(sent)


def test_an_asset_on_the_platform_is_where_odometry_says_and_nowhere_without():
    north = np.array([0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5)])
    platform = PlatformState(NS, np.array([100.0, 50.0, 0.0]), north, velocity=np.zeros(3), turn_rate=np.zeros(3))
    given_assets = {"gate": Asset(x=1.0, y=2.0, z=3.0, radius_m=4.0), "bow": Asset(x=10.0, on_platform=True)}
    place = place_on(platform, np.array([10.0, 0.0, 0.0]), NS)
    gate, bow = areas_of(given_assets, {}, {"bow": place})
    assert (gate.x, gate.y, gate.z, gate.radius_m, gate.outline) == (1.0, 2.0, 3.0, 4.0, ())
    assert (bow.x, bow.y) == pytest.approx((100.0, 60.0))  # ahead of a platform that heads north
    assert [area.name for area in areas_of(given_assets, {}, {})] == ["gate"]


def test_the_stage_says_at_its_start_what_is_watched():
    settings = ThreatSettings(
        assets={"harbour": Asset(x=5.0)},
        zones={
            "lane": Zone(polygon=(0.0, 0.0, 9.0, 0.0, 9.0, 5.0), ceiling_m=300.0),
            "pad": Zone(x=1.0, y=2.0, radius_m=3.0),
        },
    )
    outputs = {out.topic: out.message for out in ThreatStage(settings, StageContext("test")).start(NS)}
    harbour, lane, pad = areas_from_msg(outputs["protected"])
    assert (harbour.kind, harbour.name, harbour.x) == (AreaKind.ASSET, "harbour", 5.0)
    assert (lane.kind, lane.outline, lane.ceiling_m) == (AreaKind.ZONE, ((0.0, 0.0), (9.0, 0.0), (9.0, 5.0)), 300.0)
    assert (pad.x, pad.y, pad.radius_m, pad.outline) == (1.0, 2.0, 3.0, ())
