# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Drawn zones: the message, and what the threat stage makes of it."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rclpy.serialization import deserialize_message, serialize_message
from threat_tracks import tracks_of

from aegis.core.health import Level
from aegis.core.threat.areas import Origin
from aegis.core.threat.drawn_zones import drawn_zone
from aegis.core.threat.settings import ThreatSettings
from aegis.core.threat.zone_rules import WHEN_OF_ZONES
from aegis.core.threat.zone_settings import Rule
from aegis.core.types import AlarmState, ClassId
from aegis.ros.messages.alarms import alarms_from_msg
from aegis.ros.messages.picture import tracks_to_msg
from aegis.ros.messages.protected import areas_from_msg
from aegis.ros.messages.zones import zones_from_msg, zones_to_msg
from aegis.ros.stages.base import StageContext
from aegis.ros.stages.threat import ThreatStage

NS = 1_700_000_000_000_000_000
SQUARE = [(0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0)]
BY_PARAMETERS = {"zones.lane.polygon": [0.0, 0.0, 9.0, 0.0, 9.0, 5.0], "rules.fast.zone": "lane"}


def numbers_of(info) -> st.SearchStrategy[float]:
    low = 0.0 if info.bounds.low is None else info.bounds.low
    return st.floats(low + 0.01, 1000.0 if info.bounds.high is None else info.bounds.high)


NUMBERS = {info.name: numbers_of(info) for info in Rule.params() if info.type is float}
rules = st.fixed_dictionaries(
    {
        **NUMBERS,
        "min_speed_mps": st.floats(0.0, 5.0),
        "max_speed_mps": st.floats(5.0, 1e4),
        "raise_s": st.floats(0.0, 5.0),
        "hold_s": st.floats(6.0, 90.0),
        "when": st.sampled_from(WHEN_OF_ZONES),
        "classes": st.lists(st.sampled_from([one.name for one in ClassId]), unique=True).map(
            lambda names: tuple(one.name for one in ClassId if one.name in names)
        ),
        "priority": st.integers(1, 4),
    }
)
zones = st.builds(
    lambda name, x, limits, rules, version: drawn_zone(
        name, [(x, 0.0), (x + 9.0, 0.0), (x, 7.0)], limits, rules, version
    ),
    st.text("abc é-1", min_size=1, max_size=9).map(lambda text: f"z{text}z"),
    st.floats(-1e6, 1e6).map(round).map(float),
    st.fixed_dictionaries({"floor_m": st.floats(-500.0, 0.0), "ceiling_m": st.floats(1.0, 9e4)}),
    st.lists(rules, min_size=1, max_size=3),
    st.integers(1, 2**63 - 1),
)


def sent(*drawn):
    return zones_to_msg(drawn, stamp_ns=NS, frame_id="map")


@given(st.lists(zones, max_size=4, unique_by=lambda zone: zone.name))
def test_the_message_carries_every_zone_and_every_value_of_its_rules(drawn):
    received = deserialize_message(serialize_message(sent(*drawn)), type(sent()))
    assert zones_from_msg(received) == (drawn, {})


@pytest.mark.parametrize(
    ("field", "value"), [("corners", [3]), ("corner_y", [1.0]), ("when", []), ("hold_s", [1.0, 2.0]), ("rules", [2])]
)
def test_a_message_that_contradicts_itself_is_refused(field, value):
    message = sent(drawn_zone("pen", SQUARE, {}, {}))
    setattr(message, field, value)
    with pytest.raises(ValueError, match="ZoneArray"):
        zones_from_msg(message)


def picture(second: float, *places):
    tracks = tracks_of(*((k + 1, ClassId.DRONE, place, (1.0, 0.0, 0.0)) for k, place in enumerate(places)))
    return tracks_to_msg(replace(tracks, stamp_ns=NS + round(second * 1e9)))


def told(outputs) -> dict:
    return {out.topic: out.message for out in outputs}


def test_a_drawn_zone_is_watched_beside_those_of_the_parameters_and_its_end_is_that_of_its_alarm():
    stage = ThreatStage(ThreatSettings.load(BY_PARAMETERS), StageContext("test"))
    pen = drawn_zone("pen", SQUARE, {"ceiling_m": 300.0}, {"raise_s": 0.0, "priority": 1}, 7)
    out = told(stage.on_message("zones", sent(pen)))
    areas = {area.name: area for area in areas_from_msg(out["protected"]) if area.outline}
    assert {name: (area.origin, area.version) for name, area in areas.items()} == {
        "lane": (Origin.CONFIGURED, 0),
        "pen": (Origin.DRAWN, 7),
    }
    assert (areas["pen"].outline, areas["pen"].ceiling_m) == (tuple(SQUARE), 300.0)
    (alarm,) = alarms_from_msg(told(stage.on_message("tracks", picture(0, (50.0, 50.0, 20.0))))["alarms"])
    assert (alarm.rule, alarm.zone, alarm.track_id, alarm.priority) == ("pen", "pen", 1, 1)

    out = told(stage.on_message("zones", sent()))
    (ended,) = alarms_from_msg(out["alarms"])
    assert (ended.id, ended.state, ended.ended_ns) == (alarm.id, AlarmState.ENDED, NS)
    assert out["events"].name == "ALARM_ENDED"
    assert [area.name for area in areas_from_msg(out["protected"])] == ["asset", "lane"]
    # What has ended is forgotten in time, also where no rule is left.
    bare = ThreatStage(ThreatSettings(), StageContext("test"))
    list(bare.on_message("zones", sent(pen)))
    list(bare.on_message("tracks", picture(0, (50.0, 50.0, 20.0))))
    list(bare.on_message("zones", sent()))
    assert alarms_from_msg(told(bare.on_message("tracks", picture(700, (50.0, 50.0, 20.0))))["alarms"]) == []


def test_what_cannot_be_watched_is_left_out_counted_and_named():
    stage = ThreatStage(ThreatSettings.load(BY_PARAMETERS), StageContext("test", live=True))
    names = ("pen", "lane", "fast", "asset", "knot")
    message = sent(*(drawn_zone(name, SQUARE, {}, {}, k + 1) for k, name in enumerate(names)))
    for k, y in enumerate([0.0, 9.0, 0.0, 9.0]):
        message.corner_y[-4 + k] = y  # the last one crosses itself: 0 0, 100 9, 100 0, 0 9
    out = told(stage.on_message("zones", message))
    assert [area.name for area in areas_from_msg(out["protected"]) if area.origin is Origin.DRAWN] == ["pen"]
    status = told(stage.status(NS))
    (detail,) = map(json.loads, status["status"].detail)
    assert detail["drawn_zones"] == 1
    assert detail["refused_zones"].keys() == {"lane", "fast", "asset", "knot"}
    assert "crosses" in detail["refused_zones"]["knot"]
    assert detail["dropped_by_reason"] == {"drawn zone that cannot be watched": 4}
    list(stage.on_message("zones", message))
    stage.counters.received += 1
    assert stage.health().level is Level.WARN
    assert "lane: a zone, rule or asset of the parameters" in stage.health().text
