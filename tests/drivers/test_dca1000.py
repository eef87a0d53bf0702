# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The DCA1000's stream: cut anywhere, out of order, with losses, begun anew, and with garbage in it."""

import struct
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ti_bytes import CHIRP, FRAME_BYTES, cube_of, datagrams, samples, two_lanes

from aegis.drivers.dca1000 import MAX_WAITING, Dca1000Parser
from aegis.drivers.frames import CubeFrame
from aegis.drivers.ti_chirp import ChirpConfig
from aegis.drivers.ti_raw import CubeMaker


def parser(**changes) -> Dca1000Parser:
    chirp = ChirpConfig.load({**CHIRP, **changes})
    return Dca1000Parser(CubeMaker(chirp, chirp.waveform(), chirp.adc_layout))


def feed(parser, packets: Iterable[bytes]) -> list[CubeFrame]:
    return [frame for i, packet in enumerate(packets) for frame in parser.feed(packet, i)]


def test_frames_have_their_times():
    """Frames of 50 ms; the middle of 4 x 2 chirps of 92 us. Receipt is that of the frame's first packet."""
    frames = feed(parser(), datagrams(two_lanes(samples(3)), 256))
    assert [frame.sensor_time_ns for frame in frames] == [368_000, 50_368_000, 100_368_000]
    assert [frame.received_ns for frame in frames] == [0, 4, 8]


@pytest.mark.parametrize("changes", [{"frame_period_ms": 0.0}, {"hardware_trigger": True}])
def test_no_time_where_the_frames_are_not_the_radars_own(changes):
    assert [f.sensor_time_ns for f in feed(parser(**changes), datagrams(two_lanes(samples(2))))] == [None, None]


@settings(max_examples=60)
@given(size=st.integers(1, 1400).map(lambda half: 2 * half), first_frame=st.integers(0, 3))
def test_cut_anywhere(size, first_frame):
    data = samples(4)
    stream = two_lanes(data)
    packets = datagrams(stream, size)
    frames = feed(parser(), packets)
    assert len(frames) == 4
    for frame, expected in zip(frames, data, strict=True):
        assert np.array_equal(frame.data, cube_of(expected))
    # Heard from the middle of the capture on, it begins with the next frame that is whole.
    late = parser()
    skipped = -(-first_frame * FRAME_BYTES // size)
    heard = feed(late, packets[skipped:])
    believed = (skipped + 1) * size if skipped else 0  # a packet alone is not, unless it is the capture's first
    whole = [i for i in range(4) if i * FRAME_BYTES >= believed]
    assert [frame.sensor_time_ns for frame in heard] == [50_000_000 * i + 368_000 for i in whole]


@settings(max_examples=100)
@given(data=st.data())
def test_reordered_packets_are_put_in_order(data):
    """Packets that come up to MAX_WAITING - 1 places late, and some twice; the first comes first."""
    original = samples(5)
    packets = datagrams(two_lanes(original), 100)
    delay = data.draw(st.lists(st.integers(0, MAX_WAITING - 1), min_size=len(packets), max_size=len(packets)))
    order = sorted(range(len(packets)), key=lambda i: (i + delay[i] if i else -1, i))
    sent = [packets[i] for i in order]
    twice = data.draw(st.lists(st.integers(0, len(sent) - 1), max_size=5))
    for i in sorted(twice, reverse=True):
        sent.insert(i, sent[i])
    reader = parser()
    frames = feed(reader, sent)
    assert sum(reader.refused.values()) == len(twice)
    assert len(frames) == 5
    for frame, expected in zip(frames, original, strict=True):
        assert np.array_equal(frame.data, cube_of(expected))


@settings(max_examples=100)
@given(lost=st.sets(st.integers(1, 59), min_size=1, max_size=20))
def test_a_frame_that_lost_a_packet_is_dropped_and_the_loss_counted(lost):
    original = samples(6)
    tail = samples(2, seed=1)  # whose packets tell that those before are lost
    packets = datagrams(two_lanes(np.concatenate([original, tail])), 102)  # 20.1 a frame
    reader = parser()
    frames = feed(reader, (p for i, p in enumerate(packets) if i not in lost))
    touched = {at // FRAME_BYTES for i in lost for at in range(i * 102, i * 102 + 102)}
    expected = [i for i in range(8) if i not in touched]
    assert [frame.sensor_time_ns for frame in frames] == [50_000_000 * i + 368_000 for i in expected]
    everything = np.concatenate([original, tail])
    for frame, i in zip(frames, expected, strict=True):
        assert np.array_equal(frame.data, cube_of(everything[i]))
    assert reader.refused["lost packet"] == len(lost)
    assert set(reader.refused) == {"lost packet", "incomplete frame"}
    assert reader.refused["incomplete frame"] <= len(touched)


def test_counters_that_wrap():
    before = (2**48 // FRAME_BYTES - 2) * FRAME_BYTES
    data = samples(6)
    packets = datagrams(two_lanes(data), 128, first=2**32 - 7, before=before)
    reader = parser()
    frames = feed(reader, packets)
    assert reader.refused == {"out of sequence": 1, "incomplete frame": 1}, "heard from the middle of a capture on"
    for frame, expected in zip(frames, data[1:], strict=True):
        assert np.array_equal(frame.data, cube_of(expected))


def test_a_new_capture():
    data = samples(30)
    reader = parser()
    packets = datagrams(two_lanes(data), 256)
    assert len(feed(reader, packets[:-2])) == 29
    assert len(feed(reader, packets)) == 30
    assert reader.refused == {"new sequence": 1, "incomplete frame": 1}


def test_a_long_gap_is_a_loss():
    packets = datagrams(two_lanes(samples(60)), 256)
    reader = parser()
    frames = feed(reader, packets[:10] + packets[202:])
    assert len(frames) == 2 + 9
    assert reader.refused["lost packet"] == 192


def test_one_wild_packet_breaks_nothing():
    packets = datagrams(two_lanes(samples(4)), 200)
    wild = [
        struct.pack("<IIH", 3_000_000, 77, 0) + bytes(200),
        struct.pack("<IIH", 9, 5, 5) + bytes(200),
        b"",
        bytes(10),
        bytes(11),
        bytes(10_000),
    ]
    reader = parser()
    assert len(feed(reader, packets[:8] + wild + packets[8:])) == 4
    assert sum(reader.refused.values()) == len(wild)


def test_memory_is_bounded_where_nothing_fits():
    rng = np.random.default_rng(3)
    reader = parser()
    feed(reader, datagrams(two_lanes(samples(1)), 256)[:2])
    for n in rng.integers(3, 60, 3000):
        reader.feed(struct.pack("<IIH", int(n), int(rng.integers(2**32)), 0) + bytes(64), 0)
    assert len(reader._waiting) <= MAX_WAITING
    assert sum(reader.refused.values()) >= 3000 - MAX_WAITING
