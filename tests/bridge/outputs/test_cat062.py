# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""ASTERIX CAT062: bytes by hand from the specification, libasterix reading them back, and a real receiver."""

import struct

import asterix.generated as specifications
import numpy as np
import pytest
from asterix.base import Bits, ParsingMode, RawDatablock
from asterix_bytes import datablock, record
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from picture_data import make_tracks
from placed_data import SITE, make_feed, proj_places

from aegis.bridge.outputs import cat062, cat062_sender
from aegis.bridge.outputs.cat062 import Origin
from aegis.bridge.outputs.track_numbers import TrackNumbers
from aegis.core.types import TrackStatus

RECORD = specifications.Cat_062_1_20.cv_record
NOON_NS = 1_767_268_800_000_000_000  # 2026-01-01T12:00:00Z
ORIGIN = Origin(sac=25, sic=201, monosensor=True, simulated=False)
FOOT_M = 0.3048


def read(datagram):
    """Return the records of a datagram, by libasterix."""
    out = []
    for block in RawDatablock.parse(Bits.from_bytes(datagram)):
        assert block.get_category() == 62
        bits = block.get_raw_records()
        while len(bits):
            parsed = RECORD.parse(ParsingMode.StrictParsing, bits)
            assert not isinstance(parsed, ValueError), parsed
            one, bits = parsed
            out.append(one)
    return out


def part(one, item, name, unit):
    """Return a quantity of a record in its unit; None where it is absent."""
    found = one.get_item(item)
    found = None if found is None else found.variation.get_item(name)
    return None if found is None else found.variation.content.as_quantity(unit)


def quantity(one, item, unit):
    found = one.get_item(item)
    return None if found is None else found.variation.content.as_quantity(unit)


def flag(one, name):
    return one.get_item("080").variation.get_item(name).as_uint()


def encode(picture, *, first=False, last=False, origin=ORIGIN):
    chosen = np.flatnonzero(picture.has_place)
    return cat062.records(
        picture, chosen, np.arange(1, len(chosen) + 1), np.full(len(chosen), first), origin, last=last
    )


def test_one_record_by_hand():
    """Straight above a site on the equator at 45 degrees east: places, heights and directions follow without any geodesy."""
    tracks = make_tracks([77], stamp_ns=NOON_NS, state=[[0.0, 0.0, 1905.0, 100.25, -50.5, 2.54]])
    tracks.covariance[0] = np.diag([100.0, 400.0, 1451.61, 4.0, 9.0, 0.01612900])
    tracks.covariance[0, 0, 1] = tracks.covariance[0, 1, 0] = -36.0
    tracks.age[0], tracks.time_since_update[0] = 100.0, 1.5
    (found,) = encode(make_feed(tracks, site=(0.0, 45.0, 0.0)).picture, first=True)
    expected = record(
        62,
        {
            "010": bytes([25, 201]),
            "070": (12 * 3600 * 128).to_bytes(3, "big"),
            "105": struct.pack(">ii", 0, 2**25 // 4),  # 45 of 180 degrees
            "100": bytes(6),
            "185": struct.pack(">hh", 401, -202),  # 0.25 m/s
            "040": struct.pack(">H", 1),
            # MON, MRH, SRC 3D radar; TSB; nothing; no SSR, no Mode S, no ADS-B.
            "080": bytes([0b1010_1001, 0b0010_0001, 0b0000_0001, 0b0011_1000]),
            "290": bytes([0b1100_0000, 255, 6]),  # the age is as large as it can be told; 1.5 s
            "130": struct.pack(">h", 1000),  # 6250 ft
            "220": struct.pack(">h", 80),  # 500 ft/min
            # Sigmas: 10 and 20 m; -sqrt(36) m; 38.1 m are 125 ft; 2 and 3 m/s; 0.127 m/s are 25 ft/min.
            "500": bytes([0b1101_0101, 0b1000_0000]) + struct.pack(">HHhBBBB", 20, 40, -12, 20, 8, 12, 4),
        },
    )
    assert found.hex() == expected.hex()
    assert cat062.datagrams([found]) == [datablock(62, expected)]


states = st.tuples(
    arrays(float, 2, elements=st.floats(-400_000, 400_000)),
    st.floats(-500, 60_000),
    arrays(float, 2, elements=st.floats(-3000, 3000)),
    st.floats(-300, 300),
)
sigmas = arrays(float, 6, elements=st.floats(0.0, 450.0))
ages = st.floats(0, 100)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(states, sigmas, ages, ages, st.sampled_from(TrackStatus)), max_size=8),
    st.integers(0, 86_400_000_000_000 - 1),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_what_libasterix_reads_is_what_was_tracked(rows, time_of_day_ns, first, last, simulated):
    state = np.array([[*xy, z, *vxy, vz] for (xy, z, vxy, vz), *_ in rows]).reshape(-1, 6)
    tracks = make_tracks(
        range(1, len(rows) + 1), stamp_ns=NOON_NS - NOON_NS % 86_400_000_000_000 + time_of_day_ns, state=state
    )
    tracks.covariance[:] = np.array([np.diag(sigma**2) for _, sigma, *_ in rows]).reshape(-1, 6, 6)
    tracks.age[:] = [row[2] for row in rows]
    tracks.time_since_update[:] = [row[3] for row in rows]
    tracks.status[:] = [row[4] for row in rows]
    picture = make_feed(tracks).picture
    origin = Origin(1, 2, monosensor=False, simulated=simulated)
    records = encode(picture, first=first, last=last, origin=origin)
    read_back = [one for datagram in cat062.datagrams(records) for one in read(datagram)]
    assert len(read_back) == len(rows)

    latitude, longitude, altitude = proj_places(SITE, state[:, :3])
    velocity = picture.placed.velocity  # test_site.py
    for i, one in enumerate(read_back):
        assert one.get_item("010").as_uint() == 0x0102
        assert one.get_item("040").as_uint() == i + 1
        assert 0 <= time_of_day_ns * 1e-9 - quantity(one, "070", "s") < 1 / 128
        lsb = 180 / 2**25
        assert part(one, "105", "LAT", "°") == pytest.approx(latitude[i], abs=0.51 * lsb)
        assert part(one, "105", "LON", "°") == pytest.approx(longitude[i], abs=0.51 * lsb)
        assert part(one, "100", "X", "m") == pytest.approx(state[i, 0], abs=0.26)
        assert part(one, "100", "Y", "m") == pytest.approx(state[i, 1], abs=0.26)
        assert part(one, "185", "VX", "m/s") == pytest.approx(velocity[i, 0], abs=0.126)
        assert part(one, "185", "VY", "m/s") == pytest.approx(velocity[i, 1], abs=0.126)
        assert part(one, "290", "TRK", "s") == pytest.approx(min(tracks.age[i], 63.75), abs=0.126)
        assert part(one, "290", "PSR", "s") == pytest.approx(min(tracks.time_since_update[i], 63.75), abs=0.126)
        sigma = np.sqrt(np.diagonal(tracks.covariance[i]))
        accuracy = one.get_item("500").variation
        apc = accuracy.get_item("APC").variation
        assert apc.get_item("X").variation.content.as_quantity("m") == pytest.approx(sigma[0], abs=0.26)
        assert apc.get_item("Y").variation.content.as_quantity("m") == pytest.approx(sigma[1], abs=0.26)
        up = picture.placed.position_sigma[i, 2]
        if -1500 * FOOT_M <= altitude[i] <= 150_000 * FOOT_M and up <= 255 * 6.25 * FOOT_M:
            assert quantity(one, "130", "ft") == pytest.approx(altitude[i] / FOOT_M, abs=3.2)
            assert quantity(one, "220", "ft/min") == pytest.approx(velocity[i, 2] / FOOT_M * 60, abs=3.2)
            aga = accuracy.get_item("AGA").variation.content.as_quantity("ft")
            assert aga == pytest.approx(up / FOOT_M, abs=3.2)
        status = tracks.status[i]
        said = {name: flag(one, name) for name in ("CNF", "CST", "PSR", "TSB", "TSE", "SIM", "MON", "MRH", "SSR")}
        assert said == {
            "CNF": status == TrackStatus.TENTATIVE,
            "CST": status == TrackStatus.COASTING,
            "PSR": status == TrackStatus.COASTING,
            "TSB": first,
            "TSE": last,
            "SIM": simulated,
            "MON": 0,
            "MRH": 1,
            "SSR": 1,
        }
        assert flag(one, "SRC") == (0 if quantity(one, "130", "ft") is None else 2)


def test_what_is_unknown_or_does_not_fit_is_left_out():
    state = [
        [5e6, 0.0, 0.0, 0.0, 0.0, 0.0],  # too far for I062/100, and too high for I062/130
        [0.0, 0.0, 100.0, 9000.0, 0.0, 0.0],  # too fast
        [0.0, 0.0, 100.0, 0.0, 0.0, 0.0],  # its height is a guess
        [0.0, 0.0, 100.0, 0.0, 0.0, 0.0],  # its errors are unknown
        [0.0, 0.0, 100.0, 0.0, 0.0, 0.0],  # its age is unknown
    ]
    tracks = make_tracks(range(5), state=state)
    tracks.covariance[2, 2, 2] = 1000.0**2
    tracks.covariance[3] = np.nan
    tracks.age[4] = np.nan
    found = [one for datagram in cat062.datagrams(encode(make_feed(tracks).picture)) for one in read(datagram)]
    everything = {"010", "070", "105", "100", "185", "040", "080", "290", "130", "220", "500"}
    missing = [{name for name in everything if one.get_item(name) is None} for one in found]
    assert missing == [{"100", "130", "220"}, {"185"}, {"130", "220"}, {"130", "220", "500"}, {"290"}]
    assert found[2].get_item("500").variation.get_item("AGA") is None
    assert found[2].get_item("500").variation.get_item("ATV") is not None


def test_180_degrees_east_is_180_west_and_midnight_is_zero():
    tracks = make_tracks([1], stamp_ns=NOON_NS + 43_200_000_000_000, state=np.zeros((1, 6)))
    ((one,),) = map(read, cat062.datagrams(encode(make_feed(tracks, site=(-90.0, 180.0, 0.0)).picture)))
    assert part(one, "105", "LON", "°") == -180.0
    assert part(one, "105", "LAT", "°") == -90.0
    assert quantity(one, "070", "s") == 0.0


def test_a_thousand_tracks_go_in_datagrams_that_no_network_has_to_cut():
    rng = np.random.default_rng(5)
    tracks = make_tracks(range(1000), stamp_ns=NOON_NS, state=rng.uniform(-1e4, 1e4, (1000, 6)))
    out = cat062.datagrams(encode(make_feed(tracks).picture))
    assert max(map(len, out)) <= 1400
    assert len(out) < 45
    assert sum(len(read(datagram)) for datagram in out[:2]) > 50
    assert cat062.datagrams([]) == []


def test_numbers_rest_before_they_are_lent_again():
    now = 1000.0
    numbers = TrackNumbers(last=3, rest_s=60.0, now=lambda: now)
    assert numbers.lend([7, 8, 9, 10]) == [1, 2, 3, 0]
    assert numbers.lend([10, 9, 8, 7]) == [0, 3, 2, 1]
    numbers.give_back([8])
    now += 59.0
    numbers.give_back([7, 99])
    assert numbers.lend([9, 11]) == [3, 0]
    now += 1.0
    assert numbers.lend([11, 12]) == [2, 0]
    now += 59.0
    assert numbers.lend([12]) == [1]


@given(st.lists(st.tuples(st.sets(st.integers(0, 30), max_size=12), st.floats(0, 100))))
def test_no_two_living_tracks_have_one_number(pictures):
    now = 0.0
    numbers = TrackNumbers(last=10, rest_s=60.0, now=lambda: now)
    ended_at: dict[int, float] = {}
    before: dict[int, int] = {}
    for alive, pause_s in pictures:
        now += pause_s
        gone = {track_id: number for track_id, number in before.items() if track_id not in alive}
        numbers.give_back(gone)
        ended_at |= dict.fromkeys(gone.values(), now)
        lent = {track_id: number for track_id, number in zip(alive, numbers.lend(alive), strict=True) if number}
        assert len(set(lent.values())) == len(lent)
        assert set(lent.values()) <= set(range(1, 11))
        for track_id, number in lent.items():
            if track_id in before:
                assert number == before[track_id]
            elif number in ended_at:
                assert now - ended_at[number] >= 60.0
        before = lent


def receive(socket, n):
    """Return the records that come, until n are there."""
    out = []
    while len(out) < n:
        out += read(socket.recv(2000))
    assert len(out) == n
    return out


def test_a_receiver_learns_where_tracks_begin_and_end(udp, run_outputs):
    socket, address = udp
    running = run_outputs(cat062_address=address, cat062_sac=7, cat062_sic=9, cat062_period_s=0.05)
    running.wait_connected("cat062")

    def heard(n, *ids):
        running.hear(make_tracks(ids, stamp_ns=NOON_NS))
        return [(one.get_item("040").as_uint(), flag(one, "TSB"), flag(one, "TSE")) for one in receive(socket, n)]

    assert heard(2, 100, 200) == [(1, 1, 0), (2, 1, 0)]
    assert heard(2, 100, 200) == [(1, 0, 0), (2, 0, 0)]
    assert heard(3, 200, 300) == [(1, 0, 1), (2, 0, 0), (3, 1, 0)]  # the first ends; its number rests
    assert heard(2, 200, 300) == [(2, 0, 0), (3, 0, 0)]
    running.wait_count("cat062_sent", 4)
    assert running.outputs.counts() == {
        "cat062_sent": 4,
        "cat062_dropped": 0,
        "cat062_errors": 0,
        "cat062_connected": 1,
        "cat062_without_number": 0,
    }


def test_the_system_is_monosensor_until_a_second_one_is_heard(udp, run_outputs):
    socket, address = udp
    running = run_outputs(cat062_address=address, cat062_period_s=0.05, simulated=True)
    running.wait_connected("cat062")
    for sensor_id, mon in (("a", 1), ("a", 1), ("b", 0), ("a", 0)):
        running.hear(make_tracks([1], sensor_id=sensor_id))
        (one,) = receive(socket, 1)
        assert (flag(one, "MON"), flag(one, "SIM")) == (mon, 1)
        assert one.get_item("010").as_uint() == 0


def test_more_tracks_than_numbers_are_counted(udp, run_outputs, monkeypatch):
    monkeypatch.setattr(cat062_sender, "TrackNumbers", lambda: TrackNumbers(last=2))
    socket, address = udp
    running = run_outputs(cat062_address=address, cat062_period_s=0.05)
    running.wait_connected("cat062")
    running.hear(make_tracks([5, 6, 7]))
    assert [one.get_item("040").as_uint() for one in receive(socket, 2)] == [1, 2]
    assert running.count("cat062_without_number") == 1
