# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a client may ask of the graph: a scan, a restart, a decision on advice. A real bridge beside real stages."""

import json
import time

import httpx
from aegis_msgs.msg import ZoneArray
from aegis_msgs.srv import AcknowledgeEw, HandleAlarm, Restart, SetMode
from ros_services import call_service

from aegis.ros.qos import qos_profile
from aegis.ros.topics import TOPICS


def post(bridge, path: str, body: object = None, **options) -> httpx.Response:
    headers = {"Authorization": f"Bearer {bridge.token}"}
    return httpx.post(bridge.url + path, headers=headers, json=body, timeout=20, **options)


def test_without_a_graph_commands_say_who_is_missing(start_bridge):
    bridge = start_bridge()
    answer = post(bridge, "/api/radar/scan")
    assert (answer.status_code, answer.json()["waiting_for"]) == (503, "scan")
    assert "not offered by any node" in answer.json()["detail"]
    answer = post(bridge, "/api/controller/restart")
    assert (answer.status_code, answer.json()) == (503, {"restarted": {}, "failed": {}})
    answer = post(bridge, "/api/controller/restart", {"stages": ["tracking"]})
    assert (answer.status_code, "tracking does not run" in answer.json()["detail"]) == (409, True)
    for wrong in (["warp-drive"], [], "tracking", [7]):
        answer = post(bridge, "/api/controller/restart", {"stages": wrong})
        assert (answer.status_code, "stages" in answer.json()["detail"]) == (400, True), wrong
    answer = post(bridge, "/api/radar/mode", {"mode": "STANDBY"})
    assert (answer.status_code, answer.json()["waiting_for"]) == (503, "set_mode")
    answer = post(bridge, "/api/radar/mode", {"mode": "STANDBY", "radar": "front"})
    assert (answer.status_code, "no radar 'front'" in answer.json()["detail"]) == (404, True)
    for wrong in ({}, {"mode": "UNCHANGED"}, {"frequency_hz": 0}, {"blanking": [1]}, {"mode": "SEARCH", "power": 1}):
        assert post(bridge, "/api/radar/mode", wrong).status_code == 400, wrong
    assert post(bridge, "/api/ew/advice/1/acknowledge").json()["waiting_for"] == "ew/advice"
    assert bridge.get("/api/controller/status").json()["restartable"] == []


def test_commands_reach_the_stages(start_bridge, start_stages, publisher, wait_for):
    bridge = start_bridge()
    names = ["simulator", "detection", "tracking", "threat", "ew"]
    start_stages(*names, more={"threat.rules.any.when": "anywhere", "threat.rules.any.raise_s": 0.0})
    wait_for(lambda: httpx.get(bridge.url + "/ready").status_code == 200, "the graph runs", 150)
    # The graph is ready without the simulator: a radar of any kind may take its place.
    wait_for(lambda: set(names) <= bridge.get("/api/controller/status").json()["stages"].keys(), "every stage is heard")
    wait_for(
        lambda: set(names) <= set(bridge.get("/api/controller/status").json()["restartable"]),
        "their services are found",
    )
    status = bridge.get("/api/controller/status").json()
    assert (status["ready"], status["run_id"]) == (True, "test-run")
    assert set(names) <= set(status["restartable"])

    # Each scan that is asked for is answered with its own detections, while others go on.
    wait_for(lambda: post(bridge, "/api/radar/scan").status_code == 200, "a scan on demand")
    scans = []
    for _ in range(5):
        asked_s = time.time()
        answer = post(bridge, "/api/radar/scan")
        assert answer.status_code == 200, answer.text
        scan = answer.json()
        assert asked_s <= scan["stamp_s"] <= time.time()
        assert scan["message"].startswith("scan ")
        assert scan["count"] == scan["total"] == len(scan["targets"])
        scans.append(scan)
    assert len({scan["sequence"] for scan in scans}) == 5

    # The radar does as a person says who may, all or nothing; not as a stranger says on DDS.
    def set_mode(**wanted) -> httpx.Response:
        return post(bridge, "/api/radar/mode", wanted)

    sector = {"begin_rad": -0.1, "end_rad": 0.1}
    answer = set_mode(mode="ON_DEMAND", frequency_hz=9.45e9, blanking=[sector])
    assert (answer.status_code, answer.json()) == (200, {"message": "ON_DEMAND, 9450000000 Hz, 1 blanked sectors"})
    answer = set_mode(mode="SEARCH", frequency_hz=1.0)
    assert (answer.status_code, answer.json()["detail"].startswith("nothing changed: ")) == (409, True)
    assert not call_service(publisher.node, SetMode, "set_mode", mode=1).success
    assert not call_service(publisher.node, Restart, "tracking/restart").success
    answer = set_mode(mode="SEARCH", frequency_hz=9.4e9, blanking=[])
    assert answer.json() == {"message": "SEARCH, 9400000000 Hz, 0 blanked sectors"}
    audit = bridge.get("/api/audit?action=radar.set_mode").json()["entries"]
    assert [row["outcome"] for row in audit] == ["ok", "asked", "failed", "asked", "ok", "asked"]
    assert audit[0]["detail"] == {"mode": "SEARCH", "frequency_hz": 9.4e9, "blanking": []}

    # The jammer comes up; its advice is decided once.
    def waiting() -> list[dict]:
        answer = bridge.get("/api/ew/advice")
        return (
            [one for one in answer.json()["items"] if one["state"] == "PROPOSED"] if answer.status_code == 200 else []
        )

    wait_for(waiting, "advice against the jammer", 60)
    advice = waiting()[0]
    assert post(bridge, "/api/ew/advice/4000000000/reject").status_code == 404

    # Not by somebody on DDS in a person's name, also not with a proof of his own making.
    def refused(name: str) -> list[dict]:
        items = bridge.get("/api/events?name=DECISION_REFUSED").json()["items"]
        return [one["data"] for one in items if one["data"]["to"] == name]

    foreign = {"id": advice["id"], "accept": True, "operator_name": "admin"}
    for proof in ("", f"{time.time_ns()}.0123456789abcdef.{'0' * 64}"):
        answer = call_service(publisher.node, AcknowledgeEw, "ew/acknowledge", proof=proof, **foreign)
        assert (answer.success, answer.message.startswith("refused: ew/acknowledge: ")) == (False, True)
    wait_for(lambda: refused("ew/acknowledge"), "it is an event in history")
    assert [one["operator"] for one in refused("ew/acknowledge")] == ["admin"]
    assert not call_service(publisher.node, HandleAlarm, "alarms/handle", id=1, action=1, operator_name="admin").success
    zones = publisher.node.create_publisher(ZoneArray, "zones", qos_profile(TOPICS["zones"]))
    zones.publish(ZoneArray())
    wait_for(lambda: refused("zones"), "zones of a stranger are refused")

    def counted() -> int:
        detail = bridge.get("/api/controller/status").json()["stages"]["ew"]["detail"]
        return detail["dropped_by_reason"].get("decision refused: ew/acknowledge", 0)

    wait_for(lambda: counted() == 2, "both are counted")
    assert [one for one in waiting() if one["id"] == advice["id"]]
    answer = post(bridge, f"/api/ew/advice/{advice['id']}/acknowledge")
    assert answer.json() == {"id": advice["id"], "state": "ACKNOWLEDGED", "decided_by": "admin"}

    def decided() -> list[dict]:
        items = bridge.get("/api/threats/ew-status").json()["advice"]["items"]
        return [one for one in items if one["id"] == advice["id"] and one["decided_by"] == "admin"]

    wait_for(decided, "everybody sees the decision")
    again = post(bridge, f"/api/ew/advice/{advice['id']}/reject")
    assert (again.status_code, "not open: ACKNOWLEDGED" in again.json()["detail"]) == (409, True)

    # Whoever decided is in the audit, before and after, and in history.
    audit = bridge.get("/api/audit?action=ew_advice.acknowledge").json()["entries"]
    assert [(row["who"], row["target"], row["outcome"]) for row in audit] == [
        ("admin", str(advice["id"]), "ok"),
        ("admin", str(advice["id"]), "asked"),
    ]
    (refused, _) = bridge.get("/api/audit?action=ew_advice.reject").json()["entries"]
    assert (refused["outcome"], "not open" in str(refused["detail"])) == ("failed", True)

    def kept() -> list[dict]:
        return bridge.get("/api/decisions").json()["items"]

    wait_for(kept, "the decision is in history")
    (decision,) = kept()
    assert (decision["who"], decision["target_id"], decision["accept"]) == ("admin", advice["id"], True)

    # A zone rule's alarm: seen, annotated, shelved; each once in the audit and in history.
    def alarms() -> list[dict]:
        return bridge.get("/api/alarms").json()["items"]

    wait_for(alarms, "a track breaks the rule")
    alarm = alarms()[0]
    assert (alarm["rule"], alarm["state"], alarm["acknowledged_by"]) == ("any", "ACTIVE", None)
    path = f"/api/alarms/{alarm['id']}"
    assert post(bridge, f"{path}/acknowledge").json() == {"id": alarm["id"], "action": "acknowledge", "who": "admin"}
    again = post(bridge, f"{path}/acknowledge")
    assert (again.status_code, "already, by admin" in again.json()["detail"]) == (409, True)
    assert post(bridge, f"{path}/note", {"text": "known"}).status_code == 200
    assert post(bridge, f"{path}/shelve", {"reason": "", "duration_s": 60}).status_code == 400
    too_long = post(bridge, f"{path}/shelve", {"reason": "survey", "duration_s": 7200})
    assert (too_long.status_code, "up to 3600 is allowed" in too_long.json()["detail"]) == (409, True)
    assert post(bridge, f"{path}/shelve", {"reason": "survey", "duration_s": 60}).status_code == 200
    assert post(bridge, "/api/alarms/4000000000/unshelve").status_code == 404

    def handled() -> list[dict]:
        return [one for one in alarms() if one["id"] == alarm["id"] and one["shelf_reason"] == "survey"]

    wait_for(handled, "everybody sees what was done")
    assert (handled()[0]["acknowledged_by"], handled()[0]["note"]) == ("admin", "known (admin)")
    assert handled()[0]["shelved_until_s"] > alarm["raised_s"]
    audit = bridge.get("/api/audit?action=alarm.shelve").json()["entries"]
    assert [(row["outcome"], row["target"]) for row in audit[:2]] == [
        ("ok", str(alarm["id"])),
        ("asked", str(alarm["id"])),
    ]
    wait_for(lambda: len(kept()) == 4, "what was done is in history")
    assert {row["kind"] for row in kept()} == {"ew_advice", "alarm"}
    wait_for(lambda: bridge.get("/api/events?name=ALARM_RAISED").json()["items"], "the event is in history")

    # Only what is asked for is restarted, and what it had is gone.
    hits = max(track["hits"] for track in bridge.get("/api/radar/tracks").json()["tracks"])
    answer = post(bridge, "/api/controller/restart", {"stages": ["tracking"]})
    assert (answer.status_code, list(answer.json()["restarted"])) == (200, ["tracking"])

    def fresh() -> bool:
        tracks = bridge.get("/api/radar/tracks").json()["tracks"]
        return all(track["hits"] < hits for track in tracks)

    wait_for(fresh, "tracks begin anew")
    answer = post(bridge, "/api/controller/restart")
    assert answer.status_code == 200, answer.text
    assert list(answer.json()["restarted"]) == [name for name in status["restartable"] if name in names]
    wait_for(lambda: bridge.get("/api/ew/advice").json()["items"] == [], "the advice is dropped")
    audit = bridge.get("/api/audit?action=controller.restart&limit=4").json()["entries"]
    assert [row["outcome"] for row in audit] == ["ok", "asked", "ok", "asked"]
    assert audit[3]["target"] == "tracking"
    assert json.loads(bridge.get("/api/controller/status").text)["ready"] is True
