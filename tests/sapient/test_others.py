# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Others' detections as pictures of foreign sources."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sapient_messages import OURS, SITE, T0, THEIRS, message, said
from sapient_msg.bsi_flex_335_v2_0.alert_pb2 import Alert
from sapient_msg.bsi_flex_335_v2_0.detection_report_pb2 import DetectionReport
from sapient_msg.bsi_flex_335_v2_0.registration_pb2 import Registration
from sapient_msg.bsi_flex_335_v2_0.status_report_pb2 import StatusReport

from aegis.core.ids import UniqueIds
from aegis.core.types import ClassId, TrackStatus
from aegis.sapient.classes import Classification, classification_of, probability_of
from aegis.sapient.messages import MessageError, Writer, read
from aegis.sapient.others import Others
from aegis.sapient.settings import FusionSideSettings

S = 10**9
OBJECT, SECOND = "01GGYFBAXH4VYRQYEX7S3XGK3H", "01GGYFBAXH4VYRQYEX7S3XGK3J"
REGISTRATION = {
    "icd_version": "BSI Flex 335 v2.0",
    "short_name": "C 1",
    "status_definition": {"status_interval": {"units": 4, "value": 10.0}},
}


def others(**given) -> Others:
    made = Others(FusionSideSettings(**given), Writer(OURS), SITE, UniqueIds())
    (ack,) = made.take(message(registration=Registration(**REGISTRATION)), 1, T0, acknowledge=True)
    assert said(ack).registration_ack.acceptance
    assert said(ack).destination_id == THEIRS
    return made


def detection(at_s: float, east: float, north: float, object_id: str = OBJECT, **given) -> DetectionReport:
    place = {
        "x": -1.82 + east / 69_950.0,
        "y": 51.17 + north / 111_250.0,
        "z": 400.0,
        "coordinate_system": 1,
        "datum": 1,
    }
    place |= {"x_error": 10.0 / 69_950.0, "y_error": 10.0 / 111_250.0, "z_error": 20.0}
    given.setdefault("location", place)
    report = DetectionReport(report_id=OBJECT, object_id=object_id, **given)
    return message(at_ns=T0 + round(at_s * S), detection_report=report)


def take(made: Others, *messages, peer: int = 1) -> None:
    for one in messages:
        assert made.take(one, peer, T0, acknowledge=True) == []


def test_detections_become_the_tracks_of_a_foreign_source():
    made = others()
    velocity = {"east_rate": 30.0, "north_rate": -10.0, "up_rate": 0.0, "east_rate_error": 2.0, "north_rate_error": 2.0}
    air = Classification(type="Air Vehicle", confidence=0.9)
    take(made, detection(0.0, 1000.0, 500.0, enu_velocity=velocity, classification=[air]))
    (picture,) = made.pictures(T0 + S)
    assert picture.sensor_id == "foreign/sapient/C_1-a8654cdf"
    np.testing.assert_allclose(picture.state[0], [1000.0, 500.0, 300.0, 30.0, -10.0, 0.0], rtol=2e-3, atol=0.1)
    sigma = np.sqrt(np.diagonal(picture.covariance[0]))
    np.testing.assert_allclose(sigma, [10.0, 10.0, 20.0, 2.0, 2.0, 10.0], rtol=5e-3)
    assert picture.status.tolist() == [TrackStatus.TENTATIVE]
    assert picture.class_id.tolist() == [ClassId.UNKNOWN]  # of an air vehicle nobody knows which
    assert picture.class_probability[0, ClassId.DRONE] == pytest.approx(0.3)
    assert made.pictures(T0 + 9 * S) == []  # nothing new
    take(made, detection(0.0, 0.0, 0.0, "01GGYFBAXH4VYRQYEX7S3XGK3K"))  # of the same time, but late
    (late,) = made.pictures(T0 + 9 * S)
    assert (late.stamp_ns - picture.stamp_ns, len(late)) == (1, 2)
    take(made, detection(1.0, 1030.0, 490.0, enu_velocity=velocity), detection(1.0, -500.0, 0.0, SECOND))
    (picture,) = made.pictures(T0 + 10 * S)
    assert picture.stamp_ns == T0 + S
    assert picture.track_id.tolist() == [1, 2, 3]
    assert picture.status.tolist() == [TrackStatus.CONFIRMED, TrackStatus.TENTATIVE, TrackStatus.TENTATIVE]
    assert picture.age.tolist() == [1.0, 1.0, 0.0]
    assert math.sqrt(picture.covariance[2, 3, 3]) == pytest.approx(50.0)  # nobody says how fast the second one is


def test_an_object_ends_where_its_node_says_so_or_says_nothing_more():
    made = others(keep_s=3.0)
    take(made, detection(0.0, 0.0, 0.0), detection(0.0, 9.0, 0.0, SECOND))
    take(made, detection(1.0, 0.0, 0.0, state="lostInView"))
    assert made.pictures(T0 + S)[0].track_id.tolist() == [2]
    take(made, detection(3.5, 0.0, 0.0))
    assert made.pictures(T0 + 3 * S)[0].track_id.tolist() == [3]  # no id is used twice
    take(made, message(status_report=StatusReport(system=StatusReport.SYSTEM_GOODBYE)))
    assert len(made.pictures(T0 + 9 * S)[0]) == 0


def test_ranges_and_bearings_wait_for_where_the_node_stands():
    made = others()
    polar = {"range": 1000.0, "azimuth": 90.0, "coordinate_system": 1, "datum": 1}
    take(made, detection(0.0, 0, 0, range_bearing=polar, location=None))
    assert made.counts["range and bearing of a node that has not said where it stands"] == 1
    stands = {"x": -1.82, "y": 51.17, "z": 100.0, "coordinate_system": 1, "datum": 1}
    take(made, message(status_report=StatusReport(system=1, node_location=stands)))
    take(made, detection(1.0, 0, 0, range_bearing=polar, location=None))
    np.testing.assert_allclose(made.pictures(T0 + S)[0].state[0, :2], [1000.0, 0.0], atol=0.1)


@pytest.mark.parametrize(("up", "climb"), [({}, 2.0), ({"up_rate_units": 2}, 2.0), ({"up_rate_units": 1}, 7.2)])
def test_speeds_in_kilometres_an_hour_are_told_by_the_registration(up, climb):
    made = others()
    units = {"enu_velocity_units": {"east_north_rate_units": 2, **up}}
    mode = {"detection_definition": [{"velocity_type": units}]}
    again = Registration(**REGISTRATION, mode_definition=[mode])
    made.take(message(registration=again), 1, T0, acknowledge=False)
    take(made, detection(0.0, 0.0, 0.0, enu_velocity={"east_rate": 36.0, "north_rate": 0.0, "up_rate": 7.2}))
    np.testing.assert_allclose(made.pictures(T0 + S)[0].state[0, 3:], [10.0, 0.0, climb], atol=1e-3)


@pytest.mark.parametrize(("given", "reason"), [
    (message(node_id=OURS, registration=Registration()), "own message came back"),
    (message(node_id=OBJECT, detection_report=DetectionReport()), "detection_report of a node that is not registered"),
    (detection(60.0, 0, 0), "time of a detection is off the clock"),
    (detection(0.0, 0, 0, object_id=""), "detection without object_id"),
    (detection(0.0, 0, 0, location=None), "detection without a place"),
    (detection(0.0, 0, 0, derived_detection=[{"node_id": OURS}]), "detection made from our own"),
    (detection(0.0, 0, 0, associated_detection=[{"node_id": OURS}]), "detection made from our own"),
    (detection(0.0, 0, 0, enu_velocity={"east_rate": math.nan}), "velocity that cannot be"),
    (message(task={}), "task is not for a fusion node"),
])  # fmt: skip
def test_what_cannot_be_used_is_counted_and_said(given, reason):
    made = others()
    made.take(given, 1, T0, acknowledge=True)
    assert made.counts == {reason: 1}
    assert made.pictures(T0 + S) == []


def test_an_earlier_detection_or_one_too_many_is_counted():
    made = others(max_objects=1)
    take(made, detection(1.0, 0, 0), detection(1.0, 0, 0), detection(0.5, 0, 0), detection(1.0, 0, 0, SECOND))
    assert made.counts == {"detection no later than its object's last": 2, "over max_objects": 1}


@pytest.mark.parametrize(("given", "node_id", "peer", "reason"), [
    ({"icd_version": "BSI Flex 335 v1.0"}, THEIRS, 1, "'BSI Flex 335 v2.0' is expected"),
    ({}, "camera", 1, "no UUID"),
    ({}, THEIRS, 2, "by another connection"),
    ({}, THEIRS.replace("c9", "c8"), 2, "1 nodes already"),
])  # fmt: skip
def test_a_registration_that_cannot_be_taken_is_refused_with_the_reason(given, node_id, peer, reason):
    made = others(max_nodes=1)
    again = message(node_id, registration=Registration(**{**REGISTRATION, **given}))
    (ack,) = made.take(again, peer, T0, acknowledge=True)
    assert not said(ack).registration_ack.acceptance
    assert reason in said(ack).registration_ack.ack_response_reason[0]


def test_a_node_that_is_silent_is_said_and_may_come_again_by_another_connection():
    made = others()
    assert made.silent(T0 + 29 * S) == []
    assert made.silent(T0 + 31 * S) == ["C 1 (a8654cdf)"]
    again = message(registration=Registration(**REGISTRATION))
    (ack,) = made.take(again, 2, T0 + 31 * S, acknowledge=True)
    assert said(ack).registration_ack.acceptance
    made.closed(1)
    assert made.nodes
    made.closed(2)
    assert not made.nodes


def test_an_alert_is_rejected_as_nobody_is_shown_it():
    (ack,) = others().take(message(alert=Alert(alert_id=OBJECT)), 1, T0, acknowledge=True)
    assert said(ack).alert_ack.alert_ack_status == 2
    assert "nobody is shown" in said(ack).alert_ack.reason[0]


@given(st.lists(st.floats(0.01, 1.0), min_size=10, max_size=10).map(lambda p: np.array(p) / sum(p)))
def test_our_probabilities_come_back(p):
    p[[ClassId.UNKNOWN, ClassId.CLUTTER]] = p[ClassId.UNKNOWN] + p[ClassId.CLUTTER], 0.0
    named = int(np.argmax(p[1:])) + 1
    np.testing.assert_allclose(
        probability_of(classification_of(named, p)), p, atol=0.045
    )  # of nine classes, less than 0.005 each is left out


@pytest.mark.parametrize(("given", "expected"), [
    ([], {ClassId.UNKNOWN: 1.0}),
    ([Classification(type="Unknown")], {ClassId.UNKNOWN: 1.0}),
    ([Classification(type="Human")], {ClassId.PERSON: 1.0}),
    ([Classification(type="human", confidence=0.6)], {ClassId.PERSON: 0.6, ClassId.UNKNOWN: 0.4}),
    ([Classification(type="Spaceship", confidence=0.6)], {ClassId.UNKNOWN: 1.0}),
    ([Classification(type="Human", confidence=0.9), Classification(type="Sea Vessel", confidence=0.9)],
     {ClassId.PERSON: 0.5, ClassId.VESSEL: 0.5}),
    ([Classification(type="Animal", confidence=0.8, sub_class=[{"type": "Bird", "confidence": 0.5, "level": 1}])],
     {ClassId.BIRD: 0.5, ClassId.UNKNOWN: 0.5}),
    ([Classification(type="Air Vehicle", confidence=0.9, sub_class=[{"type": "UAV Fixed Wing", "level": 1}])],
     {ClassId.DRONE: 0.9, ClassId.UNKNOWN: 0.1}),
    ([Classification(type="Human", confidence=math.nan)], {ClassId.UNKNOWN: 1.0}),
    ([Classification(type="Human", confidence=7.0)], {ClassId.PERSON: 1.0}),
])  # fmt: skip
def test_their_classes_in_ours(given, expected):
    out = probability_of(given)
    assert {ClassId(i): round(p, 6) for i, p in enumerate(out.tolist()) if p > 0.0} == expected


@pytest.mark.parametrize("data", [b"\xff\xff", b"", message(registration=Registration()).SerializeToString()[:-1]])
def test_what_is_no_message_is_refused(data):
    with pytest.raises(MessageError):
        read(data)


@given(st.binary(max_size=200))
def test_no_octets_are_too_much(data):
    """Whatever comes is a message that is taken or counted, or is refused."""
    made = others()
    try:
        made.take(read(data), 1, T0, acknowledge=True)
    except MessageError:
        return
