# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Sensors that share the picture count their scans each for itself: nothing is lost, and nothing of two sensors is paired."""

import json
import math
import time
from typing import Any

import msgpack
import pytest
from bridge_data import some_detections, some_tracks
from stream_listener import Listener

from aegis.bridge.live.columns import detection_brief, detection_rows
from aegis.bridge.live.encoded import EncodedRows
from aegis.bridge.live.frames import Frame, RadarFrame
from aegis.bridge.live.join import ScanJoin
from aegis.bridge.live.state import MAX_SENSORS, MAX_STAGES, LiveState
from aegis.bridge.stream.hub import Hub, LiveStream
from aegis.bridge.stream.settings import StreamSettings
from aegis.bridge.stream.subscription import Area, Filter, Format
from aegis.core.events import Severity
from aegis.core.sensor import SensorPoses
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


TARGET = (403.0, 1000.0)  # in map, east and north [m]
# How each radar sees it, by compass: where it stands and its bearing from there.
SEEN = {"front": ((3.0, 0.0), 0.0), "left": ((403.0, -500.0), 270.0), "mast": ((10.0, 20.0), 90.0)}
PLACES = SensorPoses.load(
    {
        "sensor_x": 10.0, "sensor_y": 20.0,  # of whoever is not named: the mast looks east
        "sensors": {
            "front": {"sensor_x": 3.0, "sensor_yaw_deg": 90.0},
            "left": {"sensor_x": 403.0, "sensor_y": -500.0, "sensor_yaw_deg": 180.0},
        },
    }
)  # fmt: skip


def one_plot(sensor: str) -> RadarFrame:
    """Return a scan in which a radar sees the target alone."""
    (x, y), heading_deg = SEEN[sensor]
    data = some_detections(1, SECOND, 1)
    data.sensor_id, data.frame_id = sensor, sensor
    east, north = TARGET[0] - x, TARGET[1] - y
    bearing_deg = math.degrees(math.atan2(east, north))
    data.range[:], data.azimuth[:], data.elevation[:] = (
        math.hypot(east, north),
        math.radians(heading_deg - bearing_deg),
        0.0,
    )
    return RadarFrame(Frame(data, 0.0, time.monotonic(), detection_rows, detection_brief), None)


@pytest.mark.parametrize(("form", "read"), [(Format.JSON, json.loads), (Format.MSGPACK, msgpack.unpackb)])
def test_each_radars_plots_are_placed_from_where_it_stands(form, read):
    hub = Hub(StreamSettings.load({}))
    around = Area(x_min_m=TARGET[0] - 1.0, y_min_m=TARGET[1] - 1.0, x_max_m=TARGET[0] + 1.0, y_max_m=TARGET[1] + 1.0)
    middle = Area(x_min_m=-2.0, y_min_m=-2.0, x_max_m=2.0, y_max_m=2.0)
    here, elsewhere = (Listener(form, filter=Filter(area)) for area in (around, middle))
    for one in (here, elsewhere):
        hub.add(one)
    stream = LiveStream(hub, PLACES)
    for sensor in SEEN:
        stream.take_radar_frame(one_plot(sensor))
    said = [read(payload) for payload in here.payloads()]
    assert [message["sensor_id"] for message in said] == list(SEEN)
    for message in said:
        (x, y), heading_deg = SEEN[message["sensor_id"]]
        place = message["sensor"]
        assert (place["x_m"], place["y_m"], place["heading_deg"]) == (x, y, heading_deg)
        (plot,) = message["detections"]
        bearing = math.radians(place["heading_deg"] - plot["azimuth_deg"])
        east, north = plot["range_m"] * math.sin(bearing), plot["range_m"] * math.cos(bearing)
        assert (place["x_m"] + east, place["y_m"] + north) == pytest.approx(TARGET, abs=0.05)
    assert [read(payload)["detections"] for payload in elsewhere.payloads()] == [[], [], []]
