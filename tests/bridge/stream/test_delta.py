# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Delta frames, read by a decoder that was written from docs/bridge.md, beside the JSON of the same scans."""

import json
import time

import numpy as np
import pytest
from bridge_data import some_detections, some_tracks
from delta_frames import DeltaDecoder, GapError
from hypothesis import given
from hypothesis import strategies as st
from stream_listener import Listener

from aegis.bench import picture
from aegis.bridge.live.columns import detection_brief, detection_rows, track_brief, track_rows
from aegis.bridge.live.frames import Frame, RadarFrame
from aegis.bridge.stream import bodies
from aegis.bridge.stream.delta import varints
from aegis.bridge.stream.hub import Hub
from aegis.bridge.stream.settings import StreamSettings
from aegis.bridge.stream.subscription import Area, Filter, Format
from aegis.core.sensor import SensorPose
from aegis.core.types import Detections, Tracks, TrackStatus


@pytest.fixture
def hub() -> Hub:
    return Hub(StreamSettings.load({}))


def send(hub: Hub, tracks: Tracks | None, detections: Detections | None = None) -> None:
    now = time.monotonic()
    frame = RadarFrame(
        None if detections is None else Frame(detections, 0.01, now, detection_rows, detection_brief),
        None if tracks is None else Frame(tracks, 0.01, now, track_rows, track_brief),
    )
    hub.publish("radar_frame", lambda wanted: bodies.radar_frame(frame, SensorPose.load({}), wanted), keep=True)


def some_scans(n: int, seed: int = 5) -> list[Tracks]:
    """Tracks that come, move, are at rest, are not seen, and go; some of their numbers are unknown."""
    rng = np.random.default_rng(seed)
    scans = []
    for sequence in range(1, n + 1):
        ids = np.flatnonzero(rng.random(60) < 0.8) + 1 if sequence % 4 else np.arange(1, 61)
        tracks = some_tracks(sequence, 10**18 + sequence * 10**8, n=len(ids))
        tracks.track_id = ids
        tracks.state = rng.normal(0.0, [5e4, 5e4, 2e3, 200, 200, 10], (len(ids), 6)) * (ids % 3 != 0)[:, None]
        tracks.state[rng.random(tracks.state.shape) < 0.02] = np.nan
        tracks.status = rng.choice([int(status) for status in TrackStatus], len(ids))
        tracks.class_id = rng.integers(0, 10, len(ids))
        tracks.time_since_update = np.round(rng.exponential(1.0, len(ids)), 3)
        scans.append(tracks)
    return scans


@given(st.lists(st.integers(0, 2**63 - 1), max_size=40))
def test_numbers_are_written_seven_bits_a_byte(numbers):
    expected = bytearray()
    for number in numbers:
        while number > 127:
            expected.append(number & 127 | 128)
            number >>= 7
        expected.append(number)
    assert varints(np.array(numbers, dtype=np.uint64)) == bytes(expected)


def same(one: float | None, other: float | None, within: float) -> bool:
    return one is other if one is None or other is None else abs(one - other) <= within * 1.0001


def test_it_tells_what_json_tells(hub):
    binary, text = Listener(Format.DELTA), Listener(Format.JSON)
    for client in (binary, text):
        hub.add(client)
    scans = some_scans(12)
    for scan in scans:
        send(hub, scan, some_detections(scan.sequence, scan.stamp_ns, 5) if scan.sequence % 3 else None)
    decoder = DeltaDecoder()
    pairs = list(zip(map(decoder.take, binary.payloads()), map(json.loads, text.payloads()), strict=True))
    assert [ours["full"] for ours, _ in pairs] == [True] + [False] * 11
    for (ours, theirs), scan in zip(pairs, scans, strict=True):
        for key in ("frame", "stamp_s", "sequence", "sensor_id", "frame_id", "sensor", "turn_s"):
            assert ours[key] == theirs[key], key
        assert 0.01 <= ours["age_s"] < 60  # by the clock, when it was encoded
        assert (ours["detections"] is None) == (theirs["detections"] is None)
        for a, b in zip(ours["detections"] or [], theirs["detections"] or [], strict=True):
            assert a == pytest.approx(b, abs=1e-9, nan_ok=True)
        assert len(ours["tracks"]) == len(theirs["tracks"]) == len(scan)
        for a, b, state in zip(ours["tracks"], theirs["tracks"], scan.state, strict=True):
            for key in ("track_id", "status", "class", "confidence", "time_since_update_s"):
                assert a[key] == b[key], key
            exact = [None if np.isnan(value) else value for value in state]
            sent = [*a["position_m"].values(), *a["velocity_vector_mps"].values()]
            assert all(same(x, y, 5e-5) for x, y in zip(sent, exact, strict=True))
            shown = [*b["position_m"].values(), *b["velocity_vector_mps"].values()]
            assert all(same(x, y, 5e-3) for x, y in zip(sent, shown, strict=True))


def test_a_lost_message_is_noticed_and_a_full_one_mends_it(hub):
    client = Listener(Format.DELTA)
    hub.add(client)
    for scan in some_scans(6):
        send(hub, scan)
    first, _, third, *_ = client.payloads()
    decoder = DeltaDecoder()
    decoder.take(first)
    with pytest.raises(GapError, match="3 follows 2, but the last one was 1"):
        decoder.take(third)
    hub.give_full(client)
    send(hub, some_scans(7)[-1])
    full, after = map(decoder.take, client.payloads())
    assert (full["full"], full["frame"], after["full"], after["frame"]) == (True, 6, False, 7)
    assert [row["track_id"] for row in after["tracks"]] == some_scans(7)[-1].track_id.tolist()


def test_a_client_that_is_slow_goes_on_with_a_full_picture(hub):
    slow, quick = Listener(Format.DELTA, queue_length=3), Listener(Format.DELTA)
    decoders = {slow: DeltaDecoder(), quick: DeltaDecoder()}
    for client in decoders:
        hub.add(client)
    for k, scan in enumerate(some_scans(28)):
        send(hub, scan)
        if k % 7 != 6:
            continue
        pictures = {client: [decoder.take(one) for one in client.payloads()] for client, decoder in decoders.items()}
        assert pictures[slow][-1] == pictures[quick][-1] | {"age_s": pictures[slow][-1]["age_s"]} | {
            "full": pictures[slow][-1]["full"]
        }
        assert (len(pictures[slow]), len(pictures[quick])) == (1, 7)
    assert (slow.dropped, quick.dropped, hub.dropped) == (24, 0, 24)


def test_alarms_overtake_pictures(hub):
    client = Listener(Format.JSON, channels=frozenset({"radar_frame", "alarms", "system_status"}))
    hub.add(client)
    send(hub, some_scans(1)[0])
    hub.publish("system_status", lambda _: {})
    hub.publish("alarms", lambda _: {"items": []})
    send(hub, some_scans(2)[1])
    assert [json.loads(one)["type"] for one in client.payloads()] == [
        "alarms",
        "system_status",
        "radar_frame",
        "radar_frame",
    ]


def test_a_later_client_and_another_area_begin_with_a_full_picture(hub):
    early = Listener(Format.DELTA)
    hub.add(early)
    for scan in some_scans(3):
        send(hub, scan)
    east = Filter(area=Area(x_min_m=0.0, y_min_m=-1e6, x_max_m=1e6, y_max_m=1e6))
    for late, expected in ((Listener(Format.DELTA), None), (Listener(Format.DELTA, filter=east), 0.0)):
        hub.add(late)
        hub.greet(late)
        decoder = DeltaDecoder()
        (begin,) = map(decoder.take, late.payloads())
        assert begin["full"]
        send(hub, some_scans(4)[-1])
        (after,) = map(decoder.take, late.payloads())
        if expected is None:
            assert len(after["tracks"]) == len(some_scans(4)[-1])
        else:
            assert all(row["position_m"]["x"] >= expected for row in after["tracks"])
            assert len(after["tracks"]) > 5


def test_a_scan_without_tracks_changes_none(hub):
    client = Listener(Format.DELTA)
    hub.add(client)
    first, second = some_scans(2)
    send(hub, first)
    send(hub, None, some_detections(2, second.stamp_ns))
    send(hub, second)
    decoder = DeltaDecoder()
    frames = list(map(decoder.take, client.payloads()))
    assert [frame["tracks"] is None for frame in frames] == [False, True, False]
    assert [row["track_id"] for row in frames[2]["tracks"]] == second.track_id.tolist()


def test_two_hundred_tracks_take_a_tenth_of_the_bytes(hub):
    clients = Listener(Format.DELTA), Listener(Format.JSON)
    for client in clients:
        hub.add(client)
    for sequence in range(1, 21):
        stamp_ns = 10**18 + sequence * 10**8
        send(hub, picture.tracks(200, sequence, stamp_ns), picture.detections(200, sequence, stamp_ns))
    delta, text = (sum(map(len, client.payloads()[1:])) for client in clients)
    print(f"delta {delta / 19:.0f} B a frame, JSON {text / 19:.0f} B: {100 * delta / text:.1f} %")
    assert delta <= 0.10 * text


def test_what_has_not_changed_is_not_sent(hub):
    client = Listener(Format.DELTA)
    hub.add(client)
    for sequence in range(1, 4):
        send(hub, some_tracks(sequence, 10**18 + sequence, n=50))  # they stand still
    full, *later = client.payloads()
    assert len(full) > 50 * 10
    assert max(map(len, later)) < 80


def test_what_is_beyond_any_place_is_unknown(hub):
    client = Listener(Format.DELTA)
    hub.add(client)
    tracks = some_tracks(1, 10**18)
    tracks.state[0, :3] = [1e300, np.inf, -1e12]
    send(hub, tracks)
    (frame,) = map(DeltaDecoder().take, client.payloads())
    assert frame["tracks"][0]["position_m"] == {"x": None, "y": None, "z": None}
