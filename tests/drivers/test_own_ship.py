# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Own ship by NMEA 0183: sentences as they come on ships' networks, and positions against PROJ."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from aegis.core.params import ConfigError
from aegis.drivers.own_ship import KNOT_MPS, NmeaSettings, OwnShip

S = 1_000_000_000


def sentence(body: str) -> bytes:
    total = 0
    for c in body:
        total ^= ord(c)
    return f"${body}*{total:02X}\r\n".encode()


def ship(*packets: bytes, at_ns=S, **settings) -> OwnShip:
    found = OwnShip(NmeaSettings(**settings))
    for packet in packets:
        assert found.take(packet, at_ns)
    return found


def degrees(found: OwnShip, at_ns=S) -> float:
    return math.degrees(found.heading_at(at_ns)) % 360


def test_headings_true_and_magnetic():
    assert math.isnan(degrees(ship()))
    assert degrees(ship(sentence("HEHDT,123.4,T"))) == pytest.approx(123.4)
    assert degrees(ship(b"$APHDT,6.3,M*2F\r\n")) == pytest.approx(6.3)  # as recorded: the kind of sentence counts
    assert degrees(ship(b"$IIHDM,001,M*3D\r\n", variation_deg=4.5)) == pytest.approx(5.5)
    assert degrees(ship(sentence("HCHDG,100.0,2.0,E,3.0,W"))) == pytest.approx(99.0)
    # A variation that is told goes before the one that is set.
    told = ship(sentence("GPRMC,1,A,5831.7,N,01500.4,E,0.0,,100816,7.0,E"), sentence("IIHDM,10,M"), variation_deg=1.0)
    assert degrees(told) == pytest.approx(17.0)
    both = ship(sentence("IIHDM,10,M"), sentence("HEHDT,20,T"))
    assert degrees(both) == pytest.approx(20.0)
    assert math.isnan(degrees(both, at_ns=10 * S)), "a heading does not hold for ever"


@given(st.floats(-89, 89), st.floats(-179, 179), st.floats(-0.1, 0.1), st.floats(-0.1, 0.1))
def test_a_position_is_where_proj_puts_it(latitude, longitude, north, east):
    def text(value: float, width: int) -> str:
        whole = int(abs(value))
        return f"{whole:0{width}d}{(abs(value) - whole) * 60:011.8f}"

    there = latitude + north, longitude + east
    words = f"{text(there[0], 2)},{'NS'[there[0] < 0]},{text(there[1], 3)},{'EW'[there[1] < 0]}"
    found = ship(sentence(f"GPGGA,1,{words},1,8,1,0,M,0,M,,"), origin=f"{latitude},{longitude}").fix_at(S)
    plane = Transformer.from_crs(
        "EPSG:4326", f"+proj=aeqd +lat_0={latitude} +lon_0={longitude} +ellps=WGS84", always_xy=False
    )
    x, y = plane.transform(*there)
    distance = math.hypot(x, y)
    allowed = 0.01 + distance**2 / 6.4e6 * (1.0 + abs(math.tan(math.radians(latitude))))
    assert math.hypot(found.east_m - x, found.north_m - y) < allowed


def test_a_position_is_carried_on_by_the_motion():
    found = ship(sentence("GPRMC,1,A,5831.7,N,01500.4,E,10.0,90.0,100816,,"))
    assert (found.fix_at(S).east_m, found.fix_at(S).north_m) == (0.0, 0.0)  # the first position is the origin
    later = found.fix_at(S + S // 2)
    assert later.east_mps == pytest.approx(10 * KNOT_MPS)
    assert later.east_m == pytest.approx(5 * KNOT_MPS)
    assert abs(later.north_m) < 1e-6
    assert found.fix_at(100 * S).east_mps == 0.0, "nor does a motion"


def test_a_position_that_does_not_come_any_more_is_carried_on_by_course_and_speed_and_said():
    """A minute east and a minute north at 20 knots: two miles' thirds, by hand."""
    found = ship(sentence("GPRMC,1,A,5831.7,N,01500.4,E,20.0,90.0,100816,,"))
    assert found.trouble(4 * S) == ""
    for k in range(1, 121):
        found.take(sentence(f"GPVTG,{90.0 if k < 60 else 0.0},T,,M,20.0,N,37.0,K,A"), (1 + k) * S)
    fix = found.fix_at(121 * S)
    assert (fix.east_m, fix.north_m) == pytest.approx((1852 / 3, 1852 / 3), rel=1e-9)
    assert found.trouble(121 * S) == (
        "own ship's position has not come for 120 s: it is carried on by course and speed"
    )
    # Nor do these hold for ever: it goes on for 5 s, and stands.
    later = found.fix_at(200 * S)
    assert (later.east_m, later.north_m) == pytest.approx((1852 / 3, 1852 / 3 + 5 * 20 * KNOT_MPS), rel=1e-9)
    assert found.trouble(200 * S).endswith("for 199 s: the ship stands still in the picture")
    found.take(sentence("GPRMC,1,A,5831.7,N,01500.4,E,0.0,0.0,100816,,"), 200 * S)
    assert found.trouble(200 * S) == ""
    assert (found.fix_at(200 * S).east_m, found.fix_at(200 * S).north_m) == (0.0, 0.0)
    assert ship(sentence("HEHDT,20,T")).trouble(200 * S) == "", "what was never known is not missed"


def test_sentences_of_newer_devices():
    assert degrees(ship(sentence("HETHS,123.4,A"))) == pytest.approx(123.4)
    assert math.isnan(degrees(ship(sentence("HETHS,123.4,V"))))
    assert "position" in ship(sentence("GNGNS,120000,5831.0,N,01500.0,E,NA,8,1,0,0,,")).values()
    assert ship(sentence("GNGNS,120000,5831.0,N,01500.0,E,NN,8,1,0,0,,")).values() == {}
    assert ship(sentence("GPVTG,90.0,T,,M,20.0,N,37.0,K,N")).fix_at(S).east_mps == 0.0


def test_what_cannot_be_read_is_counted():
    found = ship(
        b"$GPRMC,191859.00,A,5831.77473,N,01500.42071,E,0.018,,100816,,,D*75\r\n",  # the sum is 74
        sentence("HEHDT,abc,T"),
        sentence("GPGGA,1,5831,X,1,E,1"),
        sentence("GPGLL,9931.0,N,01500.4,E,1,A"),
        sentence("GPRMC,1,V,,,,,,,,,"),
        sentence("IIXYZ,1"),
        b"!AIVDM,1,1,,A,402R3Kiv25CC1156V6QQTVA0080k,0*61\r\n",
    )
    assert dict(found.refused) == {"NMEA checksum": 1, "NMEA sentence unreadable": 2, "position that is none": 1}
    assert found.values() == {}


def test_tag_blocks_and_several_sentences_in_a_datagram():
    found = ship(b"\\s:gps*00\\" + sentence("HEHDT,20,T") + sentence("GPVTG,90.0,T,,M,10.0,N,18.5,K,A"))
    assert degrees(found) == pytest.approx(20.0)
    assert found.fix_at(S).east_mps == pytest.approx(10 * KNOT_MPS)
    assert not OwnShip(NmeaSettings()).take(b"\x01\x00", S)


@pytest.mark.parametrize("origin", ["here", "91,0", "1", "1,2,3"])
def test_an_origin_that_is_none_is_refused(origin):
    with pytest.raises(ConfigError, match=r"nmea\.origin"):
        OwnShip(NmeaSettings(origin=origin))
