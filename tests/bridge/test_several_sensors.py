# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Sensors that share the picture count their scans each for itself: nothing is lost, and nothing of two sensors is paired."""

import time
from typing import Any

from bridge_data import some_detections, some_tracks

from aegis.bridge.live.encoded import EncodedRows
from aegis.bridge.live.frames import Frame
from aegis.bridge.live.join import ScanJoin
from aegis.bridge.live.state import MAX_SENSORS, MAX_STAGES, LiveState
from aegis.core.events import Severity
from aegis.core.threat.settings import ThreatSettings
from aegis.ros.messages.picture import tracks_to_msg
from aegis.ros.messages.reports import ReceivedEvent
from aegis.ros.stages.base import StageContext
from aegis.ros.stages.threat import ThreatStage

SECOND = 1_000_000_000


def frame(data: Any) -> Frame[Any]:
    return Frame(data, 0.0, time.monotonic(), lambda _: EncodedRows(list))


def detections(sensor: str, sequence: int, at_s: int = 1) -> Frame[Any]:
    data = some_detections(sequence, at_s * SECOND)
    data.sensor_id = sensor
    return frame(data)


def tracks(sensor: str, sequence: int, at_s: int = 1) -> Frame[Any]:
    return frame(some_tracks(sequence, at_s * SECOND, sensor_id=sensor))


def test_each_sensors_detections_find_their_own_tracks():
    join = ScanJoin()
    front, rear = detections("front", 5), detections("rear", 900)
    assert list(join.take_detections(front)) == []
    assert list(join.take_detections(rear)) == []
    (second,) = join.take_tracks(tracks("rear", 900))
    assert second.detections is rear
    (first,) = join.take_tracks(tracks("front", 5))
    assert first.detections is front


def test_the_same_number_of_two_sensors_is_not_one_scan():
    join = ScanJoin()
    assert list(join.take_detections(detections("front", 5))) == []
    (alone,) = join.take_tracks(tracks("rear", 5))
    assert alone.detections is None


def test_scans_are_missed_by_each_sensors_own_count():
    state = LiveState()
    for k in range(4):
        state.take_detections(detections("front", 10 + k, at_s=2 * k))
        state.take_detections(detections("rear", 700 + k, at_s=2 * k + 1))
    assert state.scans_lost == 0
    assert state.scan_rate_hz() == 0.5
    state.take_detections(detections("front", 16, at_s=20))
    assert state.scans_lost == 2


def test_invented_sensors_do_not_pile_up():
    state = LiveState()
    for k in range(10 * MAX_SENSORS):
        state.take_detections(detections(f"sensor {k}", 1, at_s=k))
    assert len(state._scans) == MAX_SENSORS
    assert state.scan_rate_hz() is None  # of the last one


def test_events_before_the_first_of_a_new_start_are_lost_too():
    def event(epoch: int, sequence: int) -> ReceivedEvent:
        return ReceivedEvent(1, "run", epoch, sequence, "TRACKING_UPDATED", "tracking", Severity.INFO, {}, "{}")

    state = LiveState()
    for epoch, sequence in ((0, 40), (0, 41), (0, 44), (1, 3), (1, 4)):  # what was before the bridge is not its loss
        state.take_event(event(epoch, sequence))
    assert state.events_lost == 2 + 2
    for k in range(1000):
        state.take_event(ReceivedEvent(1, "run", 0, 1, "X", f"stage {k}", Severity.INFO, {}, "{}"))
    assert len(state._event_sequence) <= MAX_STAGES


def test_a_stage_counts_gaps_by_sensor():
    stage = ThreatStage(ThreatSettings(), StageContext())
    for k in range(3):
        for sensor, begin in (("front", 10), ("rear", 700)):
            outputs = list(stage.on_message("tracks", tracks_to_msg(some_tracks(begin + k, SECOND, sensor_id=sensor))))
            assert [o.message.sensor_id for o in outputs if o.topic == "threats"] == [sensor]
    assert stage.counters.sequence_gaps == 0
    list(stage.on_message("tracks", tracks_to_msg(some_tracks(15, SECOND, sensor_id="front"))))
    assert stage.counters.sequence_gaps == 2
