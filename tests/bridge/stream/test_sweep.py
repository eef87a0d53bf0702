# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Video of a radar to clients: only for who asks, after everything else, and as docs/bridge.md says."""

import json
import math
import struct
from types import SimpleNamespace

import numpy as np
import pytest
from stream_listener import Listener

from aegis.bridge.stream.channels import DEFAULT_CHANNELS
from aegis.bridge.stream.hub import Hub, LiveStream
from aegis.bridge.stream.settings import StreamSettings
from aegis.bridge.stream.subscription import Format, SubscriptionError, subscription
from aegis.bridge.stream.sweep import VideoFeed
from aegis.core.sensor import SensorPoses
from aegis.core.video.spokes import Spokes

MOUNTED = SensorPoses.load({"sensor_x": 30.0, "sensor_y": -5.0, "sensor_yaw_deg": 90.0})  # looks north


def some_video() -> Spokes:
    """Ahead, which is north, and a little to the right of it."""
    azimuth = np.array([-0.001, -0.01])
    codes = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    nothing = np.full(2, np.nan)
    return Spokes(7, "radar", 1, "mast", azimuth, nothing, np.zeros(2), 10.0, 2.5, 6, codes)


def read(message: bytes) -> SimpleNamespace:
    """Return a message as the table of docs/bridge.md has it."""
    kind, name, first, bearings, cells, frame = struct.unpack_from("<BBHHHI", message)
    age_s, x_m, y_m, first_range_m, cell_m = struct.unpack_from("<5d", message, 12)
    (turn,) = struct.unpack_from("<H", message, 52)
    levels = list(message[54 + name :])
    assert len(levels) == bearings * cells
    return SimpleNamespace(
        kind=kind, sensor=message[54 : 54 + name].decode(), first=first, bearings=bearings, turn=turn, frame=frame, age_s=age_s,
        place=(x_m, y_m), ranges=(first_range_m, cell_m), levels=[levels[k * cells : (k + 1) * cells] for k in range(bearings)],
    )  # fmt: skip


@pytest.fixture
def hub() -> Hub:
    return Hub(StreamSettings.load({}))


def show(hub: Hub) -> None:
    for placed in VideoFeed(MOUNTED).sectors(some_video(), 0.25):
        LiveStream(hub, MOUNTED).take_video(placed)


def test_each_radars_video_is_placed_where_it_stands(hub):
    places = SensorPoses.load({"sensors": {"mast": {"sensor_x": 30.0, "sensor_y": -5.0, "sensor_yaw_deg": -90.0}}})
    (one,) = VideoFeed(places).sectors(some_video(), 0.25)
    assert (one.x_m, one.y_m) == (30.0, -5.0)
    assert one.sector.first == 512  # of 1024: south


def test_who_asks_gets_sectors_and_nobody_else_does(hub):
    asks = Listener(Format.DELTA, channels=DEFAULT_CHANNELS | {"video"})
    others = [Listener(form) for form in (Format.DELTA, Format.JSON, Format.MSGPACK)]
    for one in others:
        hub.add(one)
    assert not hub.wants("video")
    hub.add(asks)
    assert hub.wants("video")
    show(hub)
    (one,) = map(read, asks.payloads())
    assert (one.kind, one.sensor, one.frame, one.age_s) == (2, "mast", 1, 0.25)
    assert (one.place, one.ranges) == ((30.0, -5.0), (10.0, 2.5))
    assert one.first == 0  # bearings 0.06 and 0.57 degrees, of 0.35 each
    assert one.levels == [[42, 85, 127], [170, 212, 255]]
    assert 360.0 / one.turn * one.first <= math.degrees(0.001) < 360.0 / one.turn * (one.first + 1)
    assert [one.payloads() for one in others] == [[], [], []]
    hub.remove(asks)
    assert not hub.wants("video")


def test_everything_else_overtakes_video(hub):
    slow = Listener(Format.DELTA, channels=DEFAULT_CHANNELS | {"video", "alarms"})
    hub.add(slow)
    show(hub)
    hub.publish("radar_frame", lambda _: {"tracks": []})
    hub.publish("alarms", lambda _: {"items": []})
    alarms, picture, video = slow.payloads()
    assert [json.loads(one)["type"] for one in (alarms, picture)] == ["alarms", "radar_frame"]
    assert video[0] == 2


@pytest.mark.parametrize("form", ["json", "msgpack", "sse"])
def test_it_is_binary_and_so_has_to_be_the_format(form):
    with pytest.raises(SubscriptionError, match="format delta only"):
        subscription({"channels": ["video"], "format": form}, frozenset({"video"}))
