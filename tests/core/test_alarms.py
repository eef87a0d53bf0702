# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The book of alarms: what is told, what is silent, what a person does, what is forgotten."""

import json
from dataclasses import replace

import pytest
from threat_tracks import tracks_of

from aegis.core.ids import UniqueIds
from aegis.core.threat.alarms import AlarmBook, text_of
from aegis.core.threat.settings import ThreatSettings
from aegis.core.threat.zone_watch import RuleChange
from aegis.core.types import AlarmState, ClassId

NS = 10**9
SETTINGS = ThreatSettings.load(
    {
        "rules.pier.zone": "pier", "rules.near.zone": "pier", "rules.near.when": "cpa", "rules.near.within_s": 90.0,
        "rules.near.priority": 1, "rules.pier.priority": 3, "alarms.keep_s": 100.0, "alarms.max_alarms": 4,
    }
)  # fmt: skip
DRONE = tracks_of((7, ClassId.DRONE, (50.0, 60.0, 120.0), (-3.0, 4.0, 0.0)))


def book() -> AlarmBook:
    return AlarmBook(SETTINGS.alarms, SETTINGS.rules)


def take(book: AlarmBook, second: float, *changes: tuple[str, int, bool], value: float = 240.0):
    told = book.take([RuleChange(*change, 0, value) for change in changes], replace(DRONE, stamp_ns=round(second * NS)))
    return [a.id for a in told.raised], [a.id for a in told.ended]


def test_an_alarm_is_raised_with_its_numbers_and_ends():
    b = book()
    assert take(b, 10, ("near", 7, True)) == ([1], [])
    (alarm,) = b.alarms
    assert (alarm.rule, alarm.zone, alarm.track_id, alarm.priority, alarm.raised_ns) == ("near", "pier", 7, 1, 10 * NS)
    said = "comes within 240 m of 'pier' in 90 s; DRONE (0.95); 5.0 m/s on course 323 deg; at a height of 120 m"
    assert alarm.text == said
    assert take(b, 12, ("near", 7, False)) == ([], [1])
    assert (b.alarms[0].state, b.alarms[0].ended_ns) == (AlarmState.ENDED, 12 * NS)
    assert take(b, 111, ("near", 7, True)) == ([2], [])  # a new alarm, and the old one is still known
    assert [a.id for a in b.alarms] == [2, 1]
    take(b, 113)
    assert [a.id for a in b.alarms] == [2]


def test_the_most_urgent_is_first():
    b = book()
    take(b, 1, ("pier", 7, True), ("near", 8, True), ("pier", 9, True))
    take(b, 2, ("near", 10, True), ("pier", 7, False))
    assert [(a.rule, a.track_id) for a in b.alarms] == [("near", 10), ("near", 8), ("pier", 9), ("pier", 7)]


def test_what_is_shelved_is_silent_until_its_time_is_over():
    b = book()
    take(b, 1, ("pier", 7, True))
    shelved = b.shelve(1, "Kim", "survey", 60.0, 2 * NS)
    assert (shelved.shelved_until_ns, shelved.shelved_by, shelved.shelf_reason) == (62 * NS, "Kim", "survey")
    assert take(b, 3, ("pier", 7, False)) == ([], [1])
    assert take(b, 5, ("pier", 7, True)) == ([], [])  # it comes again, and stays on the shelf
    assert b.alarms[0].shelved_until_ns == 62 * NS
    assert take(b, 6, ("pier", 8, True)) == ([3], [])  # another track is heard
    assert take(b, 61) == ([], [])
    assert take(b, 62) == ([2], [])  # still on: now it is heard
    assert b.alarms[0].shelved_until_ns == 0


def test_an_alarm_taken_from_the_shelf_is_heard_when_it_comes_again():
    b = book()
    take(b, 1, ("pier", 7, True))
    b.shelve(1, "Kim", "survey", 60.0, 2 * NS)
    assert b.unshelve(1, "Kim").shelved_by == ""
    take(b, 3, ("pier", 7, False))
    assert take(b, 4, ("pier", 7, True)) == ([2], [])


def test_who_has_seen_it_and_what_was_written():
    b = book()
    take(b, 1, ("pier", 7, True))
    assert b.acknowledge(1, "Kim").acknowledged_by == "Kim"
    assert b.note(1, "Ada", "called them").note == "called them (Ada)"
    assert b.note(1, "Ada", "").note == ""


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda b: b.acknowledge(9, "Kim"), "there is no alarm 9"),
        (lambda b: b.acknowledge(1, " "), "operator_name is empty"),
        (lambda b: [b.acknowledge(1, who) for who in ("Kim", "Ada")], "acknowledged already, by Kim"),
        (lambda b: b.shelve(1, "Kim", " ", 60.0, 0), "a reason of 1 to 500 characters"),
        (lambda b: b.shelve(1, "Kim", "x", 0.0, 0), "shelved for 0 s; above 0 and up to 3600"),
        (lambda b: b.shelve(1, "Kim", "x", float("nan"), 0), "shelved for nan s"),
        (lambda b: b.shelve(1, "Kim", "x", 3601.0, 0), "up to 3600"),
        (lambda b: b.unshelve(1, "Kim"), "alarm 1 is not shelved"),
        (lambda b: b.note(1, "Kim", "x" * 501), "up to 500 characters is allowed; it has 501"),
    ],
)
def test_what_cannot_be_done_is_said(act, said):
    b = book()
    take(b, 1, ("pier", 7, True))
    with pytest.raises(ValueError, match=said):
        act(b)


def test_of_too_many_the_oldest_that_ended_go_and_no_more_are_taken_than_there_is_room_for():
    b = book()
    take(b, 1, ("pier", 1, True), ("pier", 2, True))
    take(b, 2, ("pier", 2, False))
    take(b, 3, ("pier", 1, False))
    take(b, 4, *(("pier", k, True) for k in (3, 4, 5)))
    assert sorted(a.track_id for a in b.alarms) == [1, 3, 4, 5]
    assert take(b, 5, ("pier", 6, True), ("pier", 7, True)) == ([6], [])
    assert (len(b.alarms), b.refused) == (4, 1)
    assert take(b, 6, ("pier", 7, False)) == ([], [])  # of the one for which there was no room


def restarted(before: AlarmBook) -> AlarmBook:
    after = AlarmBook(SETTINGS.alarms, SETTINGS.rules, UniqueIds(1000))
    after.take_kept(json.loads(json.dumps(before.kept())))
    return after


def test_what_still_holds_after_a_restart_goes_on_as_it_was_and_the_rest_ends():
    b = book()
    take(b, 1, ("pier", 7, True), ("near", 8, True))
    b.acknowledge(1, "Kim")
    before = b.note(1, "Ada", "called them")
    after = restarted(b)
    assert after.alarms == b.alarms
    assert take(after, 40) == ([], [])
    assert take(after, 41, ("pier", 7, True)) == ([], [])  # told already
    assert [a for a in after.alarms if a.id == 1] == [before]
    rule = SETTINGS.rules["near"]
    wait_s = rule.raise_s + rule.end_s
    assert take(after, 40 + wait_s) == ([], [])
    assert take(after, 41 + wait_s) == ([], [2])
    assert take(after, 50, ("pier", 7, False), ("pier", 9, True)) == ([1000], [1])


def test_what_is_shelved_is_silent_after_a_restart_until_its_time_is_over():
    b = book()
    take(b, 1, ("pier", 7, True))
    b.shelve(1, "Kim", "survey", 60.0, 2 * NS)
    take(b, 3, ("pier", 7, False))
    after = restarted(b)
    assert take(after, 5, ("pier", 7, True)) == ([], [])
    assert after.alarms[0].shelved_by == "Kim"
    assert take(after, 62) == ([1000], [])


def test_an_alarm_of_a_rule_that_is_gone_after_a_restart_ends():
    b = book()
    take(b, 1, ("pier", 7, True))
    after = AlarmBook(SETTINGS.alarms, {})
    after.take_kept(b.kept())
    assert take(after, 5) == ([], [])
    assert take(after, 16) == ([], [1])


@pytest.mark.parametrize(("speed", "told"), [(0.0, False), (0.5, False), (1.4, False), (1.5, True), (30.0, True)])
def test_what_may_as_well_stand_has_no_course(speed, told):
    """Both components of the velocity are known to 1 m/s: together to the root of 2, and below that any course may be."""
    hovers = tracks_of((7, ClassId.DRONE, (50.0, 60.0, 120.0), (0.6 * speed, 0.8 * speed, 0.0)), sigma=(5.0, 1.0))
    text = text_of(SETTINGS.rules["pier"], RuleChange("pier", 7, True, 0, 0.0), hovers)
    assert f"{speed:.1f} m/s" in text
    assert ("on course 37 deg" in text) == told
