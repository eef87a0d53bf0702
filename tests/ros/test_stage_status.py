# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What every stage counts and says of itself, in status, diagnostics and events."""

import json

import pytest
from aegis_msgs.msg import DetectionArray, ThreatArray
from diagnostic_msgs.msg import DiagnosticStatus

from aegis.core.params import Settings
from aegis.ros.messages.picture import detections_from_msg, threats_from_msg
from aegis.ros.stages.base import Counters, Output, Stage, StageContext

SECOND = 1_000_000_000


class Echo(Stage):
    name = "echo"
    settings_type = Settings

    def on_message(self, topic, message):
        return ()


@pytest.fixture
def stage() -> Echo:
    return Echo(Settings(), StageContext(run_id="run", epoch=2, live=True, namespace="front"))


def diagnosis(stage: Stage, at_s: int) -> DiagnosticStatus:
    return stage.status(at_s * SECOND)[1].message.status[0]


def test_health_is_of_the_last_period(stage):
    assert diagnosis(stage, 1).level == DiagnosticStatus.STALE  # silent from the start: "no data", never "fine"
    stage.counters.received += 1
    assert diagnosis(stage, 2).level == DiagnosticStatus.OK
    stage.counters.received += 1
    stage.counters.drop("truncated")
    warned = diagnosis(stage, 3)
    assert warned.level == DiagnosticStatus.WARN
    assert {v.key: v.value for v in warned.values}["dropped: truncated"] == "1"
    stage.counters.received += 1
    stage.failed(ValueError("odd"), 3 * SECOND)
    failed = diagnosis(stage, 4)
    assert failed.level == DiagnosticStatus.ERROR
    assert failed.name == "aegis: front/echo"
    stage.counters.received += 1
    healthy = diagnosis(stage, 5)
    assert healthy.level == DiagnosticStatus.OK
    assert {v.key: v.value for v in healthy.values}["errors"] == "1"  # not forgotten


def test_the_status_row(stage):
    stage.status(10 * SECOND)
    stage.counters.received += 20
    stage.counters.published += 10
    for k in range(1, 101):
        stage.note_step(k * 1e-3)
        stage.note_latency(k * 1e-2)
    row = stage.status(12 * SECOND)[0].message
    assert (list(row.stage), row.run_id) == (["echo"], "run")
    assert list(row.rate_hz) == [5.0]
    assert row.step_p50[0] == pytest.approx(0.0505)
    assert row.latency_p99[0] == pytest.approx(0.9901)
    assert json.loads(row.detail[0]) == {"dropped_by_reason": {}}


def test_offline_there_is_no_clock_and_nothing_that_depends_on_one():
    stage = Echo(Settings(), StageContext())
    stage.note_step(0.1)
    row = stage.status(SECOND)[0].message
    assert str(row.step_p50[0]) == str(row.rate_hz[0]) == "nan"


def test_gaps_are_what_is_missing_and_a_new_beginning_is_none(stage):
    for sequence in (1, 2, 5, 6, 1, 2, 2, 4):
        stage.note_sequence("detections", sequence)
    assert stage.counters.sequence_gaps == 2 + 1


def test_a_sequence_number_from_anywhere_is_no_loss_and_the_status_can_be_sent(stage):
    for sequence in (1, 2**64 - 1, 5, 6, 8, 2**63, 2**63 + 2):
        stage.note_sequence("detections", sequence)
    assert stage.counters.sequence_gaps == 1 + 1
    stage.status(SECOND)


def test_sensors_that_share_a_topic_have_gaps_of_their_own(stage):
    for sensor_id, sequence in (("a", 1), ("b", 900), ("a", 2), ("b", 901), ("b", 904), ("a", 3)):
        stage.note_sequence("detections", sequence, sensor_id)
    assert stage.counters.sequence_gaps == 2


def test_an_exception_becomes_an_event_with_its_place_in_the_order(stage):
    topic, message = stage.failed(RuntimeError("disk on fire"), 7 * SECOND)
    assert topic == "events"
    assert (message.name, message.stage, message.severity) == ("PIPELINE_ERROR", "echo", 3)
    assert (message.run_id, message.epoch, message.sequence) == ("run", 2, 1)
    assert json.loads(message.data) == {"error": "RuntimeError: disk on fire"}
    assert stage.failed(RuntimeError(), 8 * SECOND).message.sequence == 2


class Reader(Echo):
    def on_message(self, topic, message):
        if topic == "detections":
            detections_from_msg(message)
        elif topic == "threats":
            threats_from_msg(message)
        else:
            raise ValueError("a fault of ours")
        return ()


@pytest.mark.parametrize(
    ("topic", "message", "why"),
    [
        ("detections", DetectionArray(id=[1, 2]), "DetectionArray.range has 0 entries; 2 are expected"),
        ("detections", DetectionArray(has_sector=True, sector_begin=1.0), "DetectionArray: the sector is from 1.0 s"),
        ("threats", ThreatArray(unlisted_track_id=[4]), "ThreatArray.unlisted_level has 0 entries; 1 are expected"),
    ],
)  # fmt: skip
def test_a_message_that_cannot_be_read_is_a_drop_with_a_reason_and_no_fault_of_the_stage(topic, message, why):
    stage = Reader(Settings(), StageContext(live=True))
    (refusal,) = taken(stage, topic, message, 9)
    assert (refusal.message.name, refusal.message.severity) == ("PIPELINE_ERROR", 2)
    assert refusal.message.header.stamp.sec == 9
    data = json.loads(refusal.message.data)
    assert data["refused"] == f"malformed {type(message).__name__}"
    assert data["message"].startswith(why)
    assert (stage.counters.dropped, stage.counters.errors) == (1, 0)
    assert stage.counters.reasons == {data["refused"]: 1}
    stage.counters.received += 1
    warned = diagnosis(stage, 10)
    assert warned.level == DiagnosticStatus.WARN
    assert why in warned.message


def taken(stage: Stage, topic: str, message, at_s: int) -> list[Output]:
    """Return what comes of a message, as both hosts do it."""
    try:
        return list(stage.on_message(topic, message))
    except ValueError as error:
        return list(stage.caught(error, at_s * SECOND))


def test_what_is_refused_for_one_reason_is_told_once_a_minute_and_counted_always():
    stage = Reader(Settings(), StageContext(live=True))
    told = []
    for at_s in (0, 10, 59, 60, 119, 121, 5):  # the last: a recording from its start again
        outputs = taken(stage, "detections", DetectionArray(id=[1]), 1000 + at_s)
        told += [one.message.header.stamp.sec - 1000 for one in outputs]
    assert told == [0, 60, 121, 5]
    told = [len(list(stage.refuse_ahead("detections", 5.0, (1000 + at_s) * SECOND))) for at_s in (0, 10, 59, 60)]
    assert told == [1, 0, 0, 1]
    assert stage.counters.reasons == {"malformed DetectionArray": 7, "stamp ahead of the clock": 4}


def test_objects_that_are_lost_are_warned_of_and_those_left_out_on_purpose_are_not(stage):
    for at_s, reason, level in (
        (1, "point out of range", DiagnosticStatus.OK),
        (2, "point not finite", DiagnosticStatus.WARN),
    ):
        stage.counters.received += 1
        stage.counters.drop(reason, 4)
        assert diagnosis(stage, at_s).level == level
    stage.counters.received += 1
    stage.counters.drop("point not finite", 3)
    stage.counters.drop("over max_targets", 70)
    row, told = stage.status(4 * SECOND)
    words = "objects in its input lost since the last status: 3 point not finite, 70 over max_targets"
    assert told.message.status[0].message == words
    assert json.loads(row.message.detail[0])["trouble"] == words
    stage.counters.received += 1
    assert "trouble" not in json.loads(stage.status(5 * SECOND)[0].message.detail[0])


def test_a_fault_of_the_stage_is_not_taken_for_one_of_the_message():
    stage = Reader(Settings(), StageContext())
    (fault,) = taken(stage, "tracks", DetectionArray(), 9)
    assert json.loads(fault.message.data) == {"error": "ValueError: a fault of ours"}
    assert (stage.counters.dropped, stage.counters.errors) == (0, 1)


def test_drops_of_inputs_and_of_objects_are_told_apart():
    counters = Counters()
    counters.drop("foreign frame_id")
    counters.drop("point not finite", 3)
    counters.drop("over max_targets", 0)
    assert (counters.dropped, counters.objects_dropped) == (1, 3)
    assert counters.reasons == {"foreign frame_id": 1, "point not finite": 3}


def test_what_is_noted_is_neither_dropped_nor_lost():
    counters = Counters()
    counters.note("late scan put in its place")
    counters.drop("truncated", inputs=2)
    assert (counters.dropped, counters.objects_dropped) == (2, 0)
    assert counters.reasons == {"late scan put in its place": 1, "truncated": 2}
    assert counters.refused_text() == "truncated (2)"


def test_what_was_counted_since_an_earlier_time():
    counters = Counters(received=5)
    counters.drop("truncated")
    earlier = counters.copy()
    assert counters.since(earlier) == Counters()
    counters.received += 2
    counters.drop("truncated")
    counters.drop("point not finite", 3)
    assert counters.since(earlier) == Counters(
        received=2,
        dropped=1,
        objects_dropped=3,
        reasons={"truncated": 1, "point not finite": 3},
        refused={"truncated": 1},
    )
    assert earlier == Counters(received=5, dropped=1, reasons={"truncated": 1}, refused={"truncated": 1})
