# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What an edge node says when, and what it answers to tasks."""

import re

import numpy as np
import pytest
from pyproj import Geod
from sapient_messages import SITE, T0, message, said, tracks
from sapient_msg.bsi_flex_335_v2_0.alert_pb2 import Alert
from sapient_msg.bsi_flex_335_v2_0.registration_ack_pb2 import RegistrationAck
from sapient_msg.bsi_flex_335_v2_0.status_report_pb2 import StatusReport
from sapient_msg.bsi_flex_335_v2_0.task_ack_pb2 import TaskAck
from sapient_msg.bsi_flex_335_v2_0.task_pb2 import Task

from aegis.core.types import N_CLASSES, Alarm, AlarmState, ClassId, TrackStatus
from aegis.sapient.edge import Edge
from aegis.sapient.tasks import inside

S = 10**9
ACK = {"registration_ack": RegistrationAck(acceptance=True)}
A = [1000.0, 2000.0, 300.0, 50.0, -20.0, 1.0]
B = [-1000.0, 2000.0, 300.0, 50.0, -20.0, 1.0]
TASK_ID = "01H4R63D7NVN8444Z5M77WEBY6"
GEOD = Geod(ellps="WGS84")


@pytest.fixture
def edge(settings, identity) -> Edge:
    """Registered, and its first status report sent."""
    made = Edge(settings(), identity, SITE)
    made.opened(T0)
    made.take(message(**ACK), T0)
    return made


def kinds(out: list[bytes]) -> list[str]:
    return [said(data).WhichOneof("content") for data in out]


def task(edge: Edge, at_ns: int = T0, **given) -> list:
    given.setdefault("task_id", TASK_ID)
    given.setdefault("control", Task.CONTROL_START)
    return [said(data) for data in edge.take(message(at_ns=at_ns, task=Task(**given)), at_ns)]


def command(edge: Edge, at_ns: int = T0, task_id: str = TASK_ID, **given):
    return task(edge, at_ns, task_id=task_id, command=Task.Command(**given))


def test_nothing_is_said_before_the_registration_is_acknowledged(settings, identity):
    edge = Edge(settings(), identity, SITE)
    (first,) = edge.opened(T0)
    registration = said(first).registration
    assert registration.icd_version == "BSI Flex 335 v2.0"
    assert said(first).node_id == identity.node_id
    assert edge.take_tracks(tracks(T0, A), T0) == edge.tick(T0 + 99 * S) == edge.goodbye(T0) == []
    assert not edge.is_overdue(T0 + 9 * S)
    assert edge.is_overdue(T0 + 11 * S)
    refused = message(registration_ack=RegistrationAck(acceptance=False, ack_response_reason=["no room"]))
    assert edge.take(refused, T0) == []
    assert (edge.registered, edge.refused) == (False, "no room")
    assert kinds(edge.take(message(**ACK), T0)) == ["status_report"]
    assert edge.registered
    assert edge.take(message(**ACK), T0) == []  # a second one changes nothing


def test_a_track_is_reported_where_it_is_with_errors_and_classes(edge, identity):
    probability = np.zeros(N_CLASSES)
    probability[[ClassId.DRONE, ClassId.BIRD, ClassId.HELICOPTER]] = 0.5, 0.3, 0.2
    (data,) = edge.take_tracks(tracks(T0, A, classes=probability), T0)
    out = said(data)
    report = out.detection_report
    assert out.timestamp.ToNanoseconds() == T0
    azimuth, _, distance = GEOD.inv(-1.82, 51.17, report.location.x, report.location.y)
    assert distance == pytest.approx(np.hypot(1000.0, 2000.0), abs=0.2)
    assert azimuth == pytest.approx(np.degrees(np.arctan2(1000.0, 2000.0)), abs=0.01)
    assert report.location.y_error * 111_320 == pytest.approx(10.0, rel=0.01)
    assert report.location.z_error == pytest.approx(20.0, rel=0.01)
    velocity = report.enu_velocity
    assert [velocity.east_rate, velocity.north_rate, velocity.up_rate] == pytest.approx([50.0, -20.0, 1.0], abs=0.05)
    assert velocity.east_rate_error == pytest.approx(1.0, rel=0.01)
    classes = {(one.type, one.sub_class[0].type): round(one.confidence, 3) for one in report.classification}
    assert classes == {("Air Vehicle", "UAV Rotary Wing"): 0.7, ("Animal", "Bird"): 0.3}
    assert [round(sub.confidence, 3) for sub in report.classification[0].sub_class] == [0.5, 0.2]
    assert report.object_id == identity.ulid_of("track", 1)
    assert report.detection_confidence == pytest.approx(0.9)


def test_what_nobody_knows_is_unknown_and_no_guess(edge):
    picture = tracks(T0, A)
    picture.class_id[:] = ClassId.UNKNOWN
    (data,) = edge.take_tracks(picture, T0)
    assert [(one.type, one.HasField("confidence")) for one in said(data).detection_report.classification] == [
        ("Unknown", False)
    ]


def test_reports_come_once_a_period_and_an_object_that_is_gone_is_told(edge):
    counts = [len(edge.take_tracks(tracks(T0 + k * S // 4, A, B), T0)) for k in range(9)]
    assert counts == [2, 0, 0, 0, 2, 0, 0, 0, 2]
    out = [said(data).detection_report for data in edge.take_tracks(tracks(T0 + 3 * S, B, ids=[2]), T0)]
    assert [report.state for report in out] == ["", "lost"]
    assert len({report.object_id for report in out}) == 2
    assert len(edge.take_tracks(tracks(T0 + 4 * S, B, ids=[2]), T0)) == 1


def test_what_others_alone_hold_is_not_reported_as_ours(edge, identity):
    def reported(at_s: int, *sources: str) -> list[tuple[str, str]]:
        picture = tracks(T0 + at_s * S, A, B)
        picture.sources = list(sources)
        reports = [said(data).detection_report for data in edge.take_tracks(picture, T0)]
        return [(report.object_id, report.state) for report in reports]

    first, second = (identity.ulid_of("track", k) for k in (1, 2))
    assert reported(1, "radar", "foreign/a,foreign/b") == [(first, "")]
    assert reported(2, "foreign/a", "foreign/a,radar") == [(second, ""), (first, "lost")]


def test_status_reports_tell_news_and_that_nothing_is_detected(edge):
    def status(at_s: float):
        (data,) = edge.tick(T0 + round(at_s * S))
        report = said(data).status_report
        return report.system, report.info, [one.status_type for one in report.status]

    error, ok = StatusReport.SYSTEM_ERROR, StatusReport.SYSTEM_OK
    assert edge.tick(T0 + 4 * S) == []
    silent = [StatusReport.STATUS_TYPE_NOT_DETECTING]
    assert status(5) == (error, StatusReport.INFO_UNCHANGED, silent)
    edge.take_tracks(tracks(T0 + 9 * S), T0 + 9 * S)  # nobody there is a picture too
    assert status(10) == (ok, StatusReport.INFO_NEW, [])
    assert status(15) == (ok, StatusReport.INFO_UNCHANGED, [])
    assert status(20) == (error, StatusReport.INFO_NEW, silent)
    (last,) = edge.goodbye(T0 + 21 * S)
    assert said(last).status_report.system == StatusReport.SYSTEM_GOODBYE


def test_alarms_are_alerts(edge, identity):
    def alarm(**given) -> Alarm:
        values = {"state": AlarmState.ACTIVE, "priority": 1, "raised_ns": T0, "text": "inside 'gate'"}
        return Alarm(**{"id": 3, "rule": "r", "zone": "gate", "track_id": 1, **values, **given})

    edge.take_tracks(tracks(T0, A), T0)
    (data,) = edge.take_alarms([alarm()], T0)
    alert = said(data).alert
    assert (alert.status, alert.priority, alert.description) == (
        Alert.ALERT_STATUS_ACTIVE, Alert.DISCRETE_PRIORITY_HIGH, "inside 'gate'",
    )  # fmt: skip
    assert alert.associated_detection[0].object_id == identity.ulid_of("track", 1)
    assert alert.HasField("location")
    assert edge.take_alarms([alarm()], T0) == []
    changed = [alarm(acknowledged_by="eva")], [alarm(state=AlarmState.ENDED, ended_ns=T0)]
    statuses = [said(edge.take_alarms(alarms, T0)[0]).alert.status for alarms in changed]
    assert statuses == [Alert.ALERT_STATUS_ACKNOWLEDGE, Alert.ALERT_STATUS_CLEAR]
    edge.take_alarms([alarm(id=4)], T0)
    edge.opened(T0)
    assert kinds(edge.take(message(**ACK), T0)) == ["status_report", "alert"]  # whoever comes new is told what is on


@pytest.mark.parametrize(("given", "reason"), [
    ({"look_at": {}}, "cannot be pointed"),
    ({"move_to": {}}, "does not move"),
    ({"patrol": {}}, "does not move"),
    ({"follow": {"follow_object_id": TASK_ID}}, "does not move"),
    ({"classification_threshold": Task.DISCRETE_THRESHOLD_LOW}, "no threshold"),
    ({"mode_change": "Jam"}, "mode 'Jam' is not offered"),
    ({"request": "Reset"}, "request 'Reset' is not offered"),
    ({"detection_report_rate": Task.DISCRETE_THRESHOLD_UNSPECIFIED}, "without a level"),
])  # fmt: skip
def test_what_this_node_cannot_do_it_rejects_with_the_reason(edge, given, reason):
    (out,) = command(edge, **given)
    assert out.destination_id == message().node_id
    assert out.task_ack.task_id == TASK_ID
    assert out.task_ack.task_status == TaskAck.TASK_STATUS_REJECTED
    assert reason in out.task_ack.reason[0]


def test_what_a_registration_offers_is_accepted_and_no_more_is_offered(edge, settings, identity):
    """Every command of the registration is tried; the levels and words are those that it names."""
    first = said(Edge(settings(), identity, SITE).opened(T0)[0]).registration
    offered = {one.type: one.units for one in first.mode_definition[0].task.command}
    names = {1: "request", 2: "detection_threshold", 3: "detection_report_rate", 5: "mode_change"}
    assert set(offered) == set(names)
    for number, words in offered.items():
        for word in words.split(", "):
            value = f"DISCRETE_THRESHOLD_{word.upper()}" if number in (2, 3) else word
            (ack, *_) = [m.task_ack for m in command(edge, **{names[number]: value}) if m.HasField("task_ack")]
            assert ack.task_status == TaskAck.TASK_STATUS_ACCEPTED, (number, word)


def test_requests_are_carried_out(edge):
    out = command(edge, request="Status")
    assert out[1].status_report.info == StatusReport.INFO_NEW
    assert command(edge, request="registration")[1].HasField("registration")
    command(edge, request="Stop")
    assert edge.take_tracks(tracks(T0 + 10 * S, A), T0) == []
    assert said(edge.tick(T0 + 10 * S)[0]).status_report.system == StatusReport.SYSTEM_WARNING
    command(edge, request="Start")
    assert len(edge.take_tracks(tracks(T0 + 11 * S, A), T0)) == 1


def test_rates_and_thresholds_are_kept_until_the_task_ends(edge):
    def times(begin: int) -> list[int]:
        return [k for k in range(60) if edge.take_tracks(tracks(T0 + begin * S + k * S // 5, A), T0)]

    command(edge, detection_report_rate=Task.DISCRETE_THRESHOLD_LOW)
    assert times(100) == [0, 25, 50]
    command(edge, detection_report_rate=Task.DISCRETE_THRESHOLD_HIGH)
    assert times(200) == list(range(60))
    assert task(edge, control=Task.CONTROL_STOP)[0].task_ack.task_status == TaskAck.TASK_STATUS_ACCEPTED
    assert times(300) == list(range(0, 60, 5))
    assert task(edge, control=Task.CONTROL_STOP)[0].task_ack.reason == ["no such task runs"]
    assert task(edge, control=Task.CONTROL_PAUSE)[0].task_ack.task_status == TaskAck.TASK_STATUS_REJECTED

    def shown(at: int, **given) -> int:
        return len(edge.take_tracks(tracks(T0 + at * S, A, **given), T0))

    assert shown(400, status=TrackStatus.TENTATIVE) == 0
    command(edge, detection_threshold=Task.DISCRETE_THRESHOLD_LOW)
    assert shown(402, status=TrackStatus.TENTATIVE) == 1
    command(edge, detection_threshold=Task.DISCRETE_THRESHOLD_HIGH)
    assert [shown(404), shown(406, existence=0.99), shown(408, existence=0.99, status=TrackStatus.COASTING)] == [
        0,
        1,
        0,
    ]


def area(kind: int, *corners: tuple[float, float], **more):
    places = [
        dict(zip("yx", (51.17 + north / 111_250.0, -1.82 + east / 69_950.0), strict=True), coordinate_system=1, datum=1)
        for east, north in corners
    ]
    region = {"type": kind, "region_id": TASK_ID, "region_name": "area", **more}
    return Task.Region(**region, region_area={"location_list": {"locations": places}})


EAST = area(1, (0, 0), (5000, 0), (5000, 5000), (0, 5000))
CORNER = area(2, (900, 1900), (1100, 1900), (1100, 2100), (900, 2100))


def test_an_area_of_interest_holds_until_its_end(edge):
    end = message(at_ns=T0 + 60 * S).timestamp
    (out,) = task(edge, region=[EAST], task_end_time=end)
    assert out.task_ack.task_status == TaskAck.TASK_STATUS_ACCEPTED
    (report,) = [said(d).detection_report for d in edge.take_tracks(tracks(T0 + S, A, B), T0)]
    assert (report.task_id, report.location.x > -1.82) == (TASK_ID, True)
    other = "01H4R63D7NVN8444Z5M77WEBY7"
    acks = [m.task_ack for m in task(edge, task_id=other, region=[EAST, CORNER], task_end_time=end)]
    assert [ack.task_status for ack in acks] == [TaskAck.TASK_STATUS_COMPLETED, TaskAck.TASK_STATUS_ACCEPTED]
    assert edge.take_tracks(tracks(T0 + 3 * S, A, B), T0) == []
    done = [said(d) for d in edge.tick(T0 + 61 * S)]
    assert [m.task_ack.task_status for m in done if m.HasField("task_ack")] == [TaskAck.TASK_STATUS_COMPLETED]
    assert len(edge.take_tracks(tracks(T0 + 62 * S, A, B), T0)) == 2


@pytest.mark.parametrize(("given", "reason"), [
    ({}, "without command and without region"),
    ({"region": [area(3, (0, 0), (1, 0), (1, 1))]}, "areas of interest"),
    ({"region": [area(1, (0, 0), (1, 0))]}, "3 to 1000 places"),
    ({"region": [area(1, (0, 0), (1, 0), (1, 1), class_filter=[{}])]}, "filters"),
    ({"region": [area(1, (0, 0), (9e6, 0), (1, 1))]}, "too far|no place"),
    ({"region": [EAST], "command": {"detection_report_rate": 1}}, "for a region alone"),
    ({"region": [EAST], "task_end_time": message(at_ns=T0 - 1).timestamp}, "its end has passed"),
    ({"region": [EAST], "task_start_time": message(at_ns=T0 + 9 * S).timestamp}, "a later start"),
    ({"region": [EAST], "task_id": "7"}, "no ULID"),
])  # fmt: skip
def test_tasks_that_cannot_be_are_rejected(edge, given, reason):
    (out,) = task(edge, **given)
    assert out.task_ack.task_status == TaskAck.TASK_STATUS_REJECTED
    assert re.search(reason, out.task_ack.reason[0])


def test_inside_is_that_of_a_circle_of_many_corners():
    rng = np.random.default_rng(1)
    points = rng.uniform(-2.0, 2.0, (2000, 2))
    angle = np.linspace(0.0, 2.0 * np.pi, 4000, endpoint=False)
    radius = np.linalg.norm(points, axis=1)
    clear = abs(radius - 1.0) > 1e-3
    found = inside(points, np.stack([np.cos(angle), np.sin(angle)], axis=1))
    np.testing.assert_array_equal(found[clear], (radius < 1.0)[clear])
