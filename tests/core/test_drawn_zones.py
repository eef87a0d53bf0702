# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Zones that are drawn while the graph runs: which polygons and rules are refused, and what goes on when others come and go."""

from dataclasses import replace
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from threat_tracks import tracks_of

from aegis.core.threat.alarms import AlarmBook
from aegis.core.threat.drawn_zones import MOST_ZONES, drawn_zone, refusals
from aegis.core.threat.polygons import MOST_CORNERS, what_is_wrong
from aegis.core.threat.settings import ThreatSettings
from aegis.core.threat.zone_watch import ZoneWatch
from aegis.core.types import AlarmState, ClassId

NS = 10**9
SQUARE = [(0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0)]
INSIDE, OUTSIDE = (50.0, 50.0, 10.0), (500.0, 50.0, 10.0)
NOW = {"raise_s": 0.0, "end_s": 0.0}
BY_PARAMETERS = {
    "zones.lane.polygon": [0.0, 0.0, 100.0, 0.0, 100.0, 100.0],
    "rules.lane.zone": "lane",
    "rules.lane.raise_s": 0.0,
}


def square(name: str, **rule):
    return drawn_zone(name, SQUARE, {}, {**NOW, **rule})


def at(second: float, *places):
    tracks = tracks_of(*((k + 1, ClassId.DRONE, place, (0.0, 0.0, 0.0)) for k, place in enumerate(places)))
    return replace(tracks, stamp_ns=round(second * NS))


def told(changes) -> list[tuple[str, int, bool]]:
    return sorted((change.rule, change.track_id, change.raised) for change in changes)


def watch_of(**given) -> ZoneWatch:
    settings = ThreatSettings.load(given)
    return ZoneWatch(settings, settings.zones)


# What may be drawn.


def meets(a, b, c, d) -> bool:
    """Whether the segments a b and c d have a point in common: solved in whole fractions, no signs of areas."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = ((Fraction(x), Fraction(y)) for x, y in (a, b, c, d))
    det = (bx - ax) * (cy - dy) - (by - ay) * (cx - dx)
    if det:
        t = ((cx - ax) * (cy - dy) - (cy - ay) * (cx - dx)) / det
        u = ((bx - ax) * (cy - ay) - (by - ay) * (cx - ax)) / det
        return 0 <= t <= 1 and 0 <= u <= 1
    if (bx - ax) * (cy - ay) != (by - ay) * (cx - ax):
        return False
    length = (bx - ax) ** 2 + (by - ay) ** 2
    shares = [((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length for x, y in ((cx, cy), (dx, dy))]
    return max(shares) >= 0 and min(shares) <= 1


def is_simple(corners) -> bool:
    n = len(corners)
    edges = [(corners[k], corners[(k + 1) % n]) for k in range(n)]
    if any(a == b for a, b in edges):
        return False
    for (i, (a, b)), (j, (c, d)) in combinations(enumerate(edges), 2):
        if (j - i) % n in (1, n - 1):
            common, before, after = (b, a, d) if j - i == 1 else (a, b, c)
            if n == 3 and j - i == 2:
                common, before, after = a, b, c
            # Only the common corner: the far ends lie on the other edge where they overlap.
            if meets(common, before, after, after) or meets(common, after, before, before):
                return False
        elif meets(a, b, c, d):
            return False
    return True


corners = st.tuples(st.integers(0, 5).map(float), st.integers(0, 5).map(float))


@given(st.lists(corners, min_size=3, max_size=7))
def test_a_polygon_is_refused_exactly_where_its_edges_meet_elsewhere_than_at_a_corner(outline):
    assert (what_is_wrong(outline) == "") == is_simple(outline), what_is_wrong(outline)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"outline": SQUARE[:2]}, "has 2 corners; 3 to 200"),
        ({"outline": [(float(k), float(k * k)) for k in range(MOST_CORNERS + 1)]}, "has 201 corners; 3 to 200"),
        ({"outline": [*SQUARE[:3], (float("nan"), 0.0)]}, r"corner 4 is at \(nan, 0.0\); finite"),
        ({"outline": [*SQUARE[:3], (1e8, 0.0)]}, "corner 4 .*up to 1e\\+07 m"),
        ({"outline": [*SQUARE, SQUARE[0]]}, "corners 5 and 1 are the same place"),
        ({"outline": [SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3]]}, "from corner 1 to 2 and from corner 3 to 4 meet"),
        ({"outline": [(0.0, 0.0), (50.0, 0.0), (90.0, 0.0)]}, "touches itself"),
        ({"limits": {"floor_m": 50.0, "ceiling_m": 50.0}}, "floor_m < ceiling_m is needed"),
        ({"limits": {"floor_m": float("inf")}}, "floor_m is inf: .*finite"),
        ({"rules": {"when": "anywhere"}}, "rule.when is 'anywhere'; one of inside, outside, enter"),
        ({"rules": {"when": "near"}}, "rule.when is 'near'; one of inside"),
        ({"rules": {"classes": ["UFO"]}}, "rule.classes.0 is 'UFO': .*DRONE"),
        ({"rules": {"priority": 9}}, "rule.priority is 9: .*less than or equal to 4"),
        ({"rules": {"min_speed_mps": 9.0, "max_speed_mps": 2.0}}, "min_speed_mps <= max_speed_mps"),
        ({"rules": {"zone": "other"}}, "rule.zone"),
        ({"rules": []}, "a zone has 1 to 8, not 0"),
        ({"rules": [{}] * 9}, "a zone has 1 to 8, not 9"),
        ({"rules": [{}, {"priority": 9}]}, "rules.2.priority is 9"),
        ({"rules": [{}, "inside"]}, "rules.2 is 'inside'; a mapping is expected"),
        ({"name": "../x"}, "name: 1 to 64 letters"),
        ({"name": "x" * 65}, "name: 1 to 64 letters"),
        ({"name": "x "}, "name: 1 to 64 letters"),
    ],
)
def test_what_cannot_be_watched_is_refused_with_what_would_be_right(change, said):
    given = {"name": "harbour 2", "outline": SQUARE, "limits": {}, "rules": {}}
    assert [rule.zone for rule in drawn_zone(**given).rules] == ["harbour 2"]
    with pytest.raises(ValueError, match=said):
        drawn_zone(**(given | change))


def test_names_of_the_parameters_are_theirs_and_too_many_zones_are_refused():
    drawn = [square(f"zone {k}") for k in range(MOST_ZONES)]
    assert refusals(drawn, {"lane"}) == {}
    found = refusals([square("lane"), *drawn, square("late"), square("zone 3")], {"lane"})
    assert found.keys() == {"lane", "late", "zone 3"}
    assert "parameters" in found["lane"]
    assert f"more than {MOST_ZONES}" in found["late"]


# What goes on.


def test_a_zone_that_is_drawn_is_watched_and_one_that_is_removed_is_over():
    watch = watch_of()
    assert watch.step(at(0, INSIDE, OUTSIDE)) == []
    assert told(watch.watch_drawn([square("pen")]).changes) == []
    assert told(watch.step(at(1, INSIDE, OUTSIDE))) == [("pen", 1, True)]
    over = watch.watch_drawn([])
    assert over.rules == {"pen"}
    assert told(over.changes) == [("pen", 1, False)]
    assert watch.step(at(2, INSIDE, OUTSIDE)) == []


def test_what_is_the_same_goes_on_when_others_are_drawn_changed_and_removed():
    """The rule of the parameters and the untouched zone neither end nor begin anew, and remember who has come in."""
    watch = watch_of(**BY_PARAMETERS)
    gate = square("gate", when="enter", hold_s=60.0)
    watch.watch_drawn([square("pen"), gate])
    assert told(watch.step(at(0, INSIDE, OUTSIDE))) == [("lane", 1, True), ("pen", 1, True)]
    assert told(watch.step(at(1, INSIDE, INSIDE))) == [("gate", 2, True), ("lane", 2, True), ("pen", 2, True)]
    wider = drawn_zone("pen", [(-9.0, -9.0), *SQUARE[1:]], {}, NOW)
    over = watch.watch_drawn([square("new", when="outside"), gate, wider])
    assert over.rules == {"pen"}
    assert told(over.changes) == [("pen", 1, False), ("pen", 2, False)]
    assert told(watch.step(at(2, INSIDE, INSIDE))) == [("pen", 1, True), ("pen", 2, True)]
    assert watch.watch_drawn([gate]).rules == {"new", "pen"}
    assert told(watch.step(at(60, INSIDE, INSIDE))) == []
    assert told(watch.step(at(62, INSIDE, INSIDE))) == [
        ("gate", 2, False)
    ]  # 60 s after it came in, not after the changes


def test_who_is_inside_when_a_zone_is_drawn_has_not_come_in():
    watch = watch_of(**BY_PARAMETERS)
    watch.step(at(0, INSIDE, OUTSIDE))
    watch.watch_drawn([square("gate", when="enter")])
    assert told(watch.step(at(1, INSIDE, INSIDE))) == [("gate", 2, True), ("lane", 2, True)]


def test_time_inside_counts_from_when_the_zone_was_drawn():
    watch = watch_of(**BY_PARAMETERS)
    watch.step(at(0, INSIDE))
    watch.step(at(50, INSIDE))
    watch.watch_drawn([square("berth", when="stay", stay_s=20.0)])
    assert told(watch.step(at(60, INSIDE))) == []
    assert told(watch.step(at(70, INSIDE))) == [("berth", 1, True)]


def test_alarms_of_a_removed_zone_end_and_nothing_of_it_stays_shelved():
    watch, pen = watch_of(), square("pen")
    watch.watch_drawn([pen])
    book = AlarmBook(ThreatSettings().alarms, watch.rules)
    (alarm,) = book.take(watch.step(at(0, INSIDE)), at(0, INSIDE)).raised
    book.shelve(alarm.id, "Kim", "survey", 600.0, 0)
    (ended,) = book.take_rules(watch.rules, watch.watch_drawn([]), 5 * NS)
    assert (ended.id, ended.state, ended.ended_ns) == (alarm.id, AlarmState.ENDED, 5 * NS)
    book.take_rules({"pen": pen.rules[0]}, watch.watch_drawn([pen]), 5 * NS)  # drawn again, under the same name
    (heard,) = book.take(watch.step(at(6, INSIDE)), at(6, INSIDE)).raised
    assert not heard.shelved_until_ns


def test_each_rule_of_a_zone_is_an_alarm_of_its_own_and_goes_on_when_another_changes():
    watch = watch_of()
    pen = drawn_zone("pen", SQUARE, {}, [{**NOW, "when": "inside"}, {**NOW, "when": "outside", "margin_m": 0.0}])
    watch.watch_drawn([pen])
    assert told(watch.step(at(0, INSIDE, OUTSIDE))) == [("pen", 1, True), ("pen #2", 2, True)]
    slower = drawn_zone(
        "pen", SQUARE, {}, [{**NOW, "when": "inside"}, {**NOW, "when": "outside", "min_speed_mps": 9.0}]
    )
    over = watch.watch_drawn([slower])
    assert (over.rules, told(over.changes)) == ({"pen #2"}, [("pen #2", 2, False)])
    assert told(watch.step(at(1, INSIDE, OUTSIDE))) == []
    assert told(watch.watch_drawn([]).changes) == [("pen", 1, False)]


def test_the_name_of_a_second_rule_is_taken_too_and_rules_are_counted_over_all_zones():
    two = drawn_zone("pen", SQUARE, {}, [{}, {}])
    assert refusals([two], {"pen #2"}).keys() == {"pen"}
    many = [drawn_zone(f"zone {k}", SQUARE, {}, [{}] * 8) for k in range(14)]
    assert refusals(many, ()).keys() == {"zone 12", "zone 13"}  # 12 of them have 96 rules
