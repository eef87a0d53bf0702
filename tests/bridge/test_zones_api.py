# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Zones that people draw, over HTTP: who may, what is refused, what is kept, and that nobody overwrites another unseen."""

import json
import sqlite3
import time
from dataclasses import replace

import pytest

from aegis.bridge.accounts.store import Accounts
from aegis.bridge.live.area_columns import area_rows
from aegis.bridge.live.frames import EwFrame
from aegis.bridge.live.reports import StatusRow
from aegis.bridge.zones.drawn import DrawnZones
from aegis.core.threat.areas import AreaKind, Origin, ProtectedArea
from aegis.core.threat.drawn_zones import MOST_ZONES

SQUARE = [[0.0, 0.0], [100.0, 0.0], [100.0, 100.0], [0.0, 100.0]]
PEN = {
    "outline_m": SQUARE,
    "ceiling_m": 300.0,
    "rule": {"when": "stay", "stay_s": 20.0, "classes": ["DRONE"], "priority": 1},
}


class Person:
    """Somebody with these scopes."""

    def __init__(self, app, *scopes: str) -> None:
        self.client, self.headers = app.client, app.headers(*scopes)

    def put(self, name: str, body=PEN, **headers: str):
        return self.client.put(f"/api/zones/{name}", json=body, headers={**self.headers, **headers})

    def delete(self, name: str, **headers: str):
        return self.client.delete(f"/api/zones/{name}", headers={**self.headers, **headers})

    def items(self) -> list[dict]:
        answer = self.client.get("/api/zones", headers=self.headers)
        assert answer.status_code == 200
        return answer.json()["items"]


@pytest.fixture
def operator(app) -> Person:
    return Person(app, "threats:read", "zones:write")


def match(version: int) -> dict[str, str]:
    return {"If-Match": f'"{version}"'}


def hear_protected(app, *areas: ProtectedArea) -> None:
    frame = EwFrame(list(areas), area_rows(areas), time.time_ns(), 0.0, time.monotonic())
    app.bridge.queue.deliver(EwFrame[ProtectedArea], frame)


def test_a_zone_is_drawn_changed_and_removed_and_each_change_is_another_version(app, operator):
    changes = []
    app.bridge.zones.on_change = lambda: changes.append([(one.name, one.version) for one in app.bridge.zones.drawn])
    made = operator.put("pen no. 1")
    assert made.status_code == 200
    body = made.json()
    assert made.headers["ETag"] == f'"{body["version"]}"'
    assert (body["outline_m"], body["ceiling_m"], body["changed_by"]) == (SQUARE, 300.0, "somebody")
    assert {key: body["rule"][key] for key in PEN["rule"]} == PEN["rule"]
    assert body["rule"]["hold_s"] == 30.0  # as in the table of parameters
    assert operator.items() == [body]

    lower = operator.put("pen no. 1", {**PEN, "ceiling_m": 50.0}, **match(body["version"])).json()
    assert (lower["ceiling_m"], lower["version"] > body["version"]) == (50.0, True)
    assert operator.delete("pen no. 1", **match(lower["version"])).status_code == 204
    assert operator.items() == []
    again = operator.put("pen no. 1").json()
    assert again["version"] > lower["version"]
    assert changes == [[("pen no. 1", one["version"])] for one in (body, lower)] + [
        [],
        [("pen no. 1", again["version"])],
    ]


def test_nobody_overwrites_what_another_has_done_unseen(operator):
    first = operator.put("pen").json()["version"]
    second = operator.put("pen", {**PEN, "ceiling_m": 50.0}, **match(first)).json()["version"]
    for act in (operator.put, operator.delete):
        late, blind = act("pen", **match(first)), act("pen")
        assert (late.status_code, blind.status_code) == (412, 428)
        assert f"at version {second}, by somebody" in late.json()["detail"]
        assert f'If-Match: "{second}"' in blind.json()["detail"]
    assert operator.items()[0]["ceiling_m"] == 50.0
    assert operator.delete("pen", **{"If-Match": "*"}).status_code == 204
    assert operator.put("pen", **match(second)).status_code == 412  # removed meanwhile
    assert operator.delete("pen", **match(second)).status_code == 404


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"outline_m": SQUARE[:2]}, "outline_m has 2 corners; 3 to 200"),
        ({"outline_m": [SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3]]}, "outline_m crosses or touches itself"),
        ({"floor_m": 400.0}, "floor_m < ceiling_m"),
        ({"rule": {"when": "anywhere"}}, "rule.when is 'anywhere'; one of inside, outside"),
        ({"rule": {"priority": 7}}, "rule.priority is 7"),
    ],
)
def test_what_cannot_be_watched_is_refused_and_nothing_is_kept(operator, change, said):
    answer = operator.put("pen", {**PEN, **change})
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert operator.items() == []


def test_what_is_no_number_or_no_zone_at_all_is_refused(operator):
    text = '{"outline_m": [[0, 0], [9, 0], [NaN, 9]]}'
    headers = {**operator.headers, "Content-Type": "application/json"}
    answer = operator.client.put("/api/zones/pen", content=text, headers=headers)
    assert (answer.status_code, "finite" in answer.json()["detail"]) == (422, True)
    assert operator.put("pen", {"outline_m": "all"}).status_code == 400
    assert operator.put("pen", {**PEN, "rule": {"kind": "stay"}}).status_code == 400
    assert operator.put("-pen").status_code == 400


def test_there_is_an_end_to_how_many_there_may_be(operator):
    for k in range(MOST_ZONES):
        assert operator.put(f"zone {k}").status_code == 200
    refused = operator.put("one more")
    assert (refused.status_code, f"{MOST_ZONES} drawn zones" in refused.json()["detail"]) == (422, True)
    version = operator.items()[0]["version"]
    assert operator.put("zone 0", **match(version)).status_code == 200  # those that are there can be changed


def test_who_may_only_look_changes_nothing_and_acts_are_in_the_audit(app, operator):
    viewer, administrator = Person(app, "threats:read", "ew:acknowledge"), Person(app, "admin")
    version = operator.put("pen").json()["version"]
    assert viewer.put("mine").status_code == viewer.delete("pen", **match(version)).status_code == 403
    assert [one["name"] for one in viewer.items()] == ["pen"]
    operator.delete("pen", **match(version))
    entries = app.client.get("/api/audit?limit=20", headers=administrator.headers).json()["entries"]
    acts = [(one["action"], one["who"], one["target"], one["outcome"]) for one in entries if "zones" in one["action"]]
    assert acts == [("zones.remove", "somebody", "pen", "ok"), ("zones.save", "somebody", "pen", "ok")]
    saved = next(one for one in entries if one["action"] == "zones.save")["detail"]
    assert (saved["outline_m"], saved["rules"][0]["stay_s"], saved["replaces"]) == (SQUARE, 20.0, None)


def test_the_answer_says_whether_the_threat_stage_watches_it(app, operator):
    def said() -> tuple[bool, str | None]:
        (zone,) = operator.items()
        return zone["watched"], zone["problem"]

    def status(**detail: object) -> None:
        app.bridge.queue.deliver(list[StatusRow], [{"stage": "threat", "detail": detail}])

    version = operator.put("pen").json()["version"]
    area = ProtectedArea("pen", AreaKind.ZONE, origin=Origin.DRAWN, version=version)
    hear_protected(app, area)
    assert said() == (False, "the threat stage has not spoken yet")
    status()
    assert said() == (True, None)
    assert operator.put("pen", **match(version)).json()["watched"] is False  # another version by now
    assert said() == (False, None)
    status(refused_zones={"pen": "a rule of the parameters has this name"})
    assert said() == (False, "a rule of the parameters has this name")
    status()
    hear_protected(app, replace(area, version=operator.items()[0]["version"]), ProtectedArea("lane", AreaKind.ZONE))
    assert said() == (True, None)
    app.bridge.state.stages["threat"] = replace(app.bridge.state.stages["threat"], at=time.monotonic() - 60.0)
    assert said() == (False, "the threat stage has not spoken for 60 s")
    refused = operator.put("lane")
    assert (refused.status_code, "of the parameters" in refused.json()["detail"]) == (409, True)


def test_what_was_answered_is_on_the_disk(operator, tmp_path):
    kept = operator.put("pen").json()
    other = Accounts(tmp_path / "app_state")
    try:
        (found,) = DrawnZones(other).kept
    finally:
        other.close()
    assert (found.drawn.name, found.drawn.version, found.changed_by) == ("pen", kept["version"], "somebody")
    assert (found.drawn.rules[0].when, found.drawn.zone.ceiling_m) == ("stay", 300.0)


def test_a_zone_may_have_several_rules(operator, tmp_path):
    rules = [{"when": "inside", "priority": 1}, {"when": "leave", "classes": ["DRONE"]}]
    several = {"outline_m": SQUARE, "rules": rules}
    kept = operator.put("pen", several).json()
    assert [(one["when"], one["classes"], one["priority"]) for one in kept["rules"]] == [
        ("inside", [], 1), ("leave", ["DRONE"], 2),
    ]  # fmt: skip
    assert kept["rule"] is None  # who knows of one rule only does not take the first for all
    back = {key: kept[key] for key in ("outline_m", "floor_m", "ceiling_m", "rules", "rule")}
    assert operator.put("pen", back, **match(kept["version"])).status_code == 200  # as it was read
    assert [len(one["rules"]) for one in operator.items()] == [2]
    one = operator.put("other").json()
    assert one["rules"] == [one["rule"]]
    refused = operator.put("third", {"outline_m": SQUARE, "rules": rules, "rule": rules[0]})
    assert (refused.status_code, refused.json()["detail"]) == (
        422, "rule and rules: they say something else; give rules alone",
    )  # fmt: skip
    assert "a zone has 1 to 8" in operator.put("third", {"outline_m": SQUARE, "rules": []}).json()["detail"]


def test_a_zone_that_an_earlier_release_has_kept_is_read(app, operator, tmp_path):
    """Of 0.9 and before, which had one rule a zone."""
    operator.put("pen")
    with sqlite3.connect(tmp_path / "app_state" / "bridge.db") as database:
        (text,) = database.execute("SELECT content FROM zones").fetchone()
        content = json.loads(text)
        (content["rule"],) = content.pop("rules")
        database.execute("UPDATE zones SET content = ?", (json.dumps(content),))
    database.close()
    other = Accounts(tmp_path / "app_state")
    try:
        (found,) = DrawnZones(other).kept
    finally:
        other.close()
    assert [(rule.when, rule.stay_s, rule.zone) for rule in found.drawn.rules] == [("stay", 20.0, "pen")]
