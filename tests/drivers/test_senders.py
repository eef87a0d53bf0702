# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Two radars on one line: packets that do not say whose they are, on loopback's addresses and in captures."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import ars548_packets
import captures
import numpy as np
import pytest
import smartmicro_packets
from marine_packets import garmin_spoke

from aegis.drivers.ars548 import Ars548
from aegis.drivers.first_sender import HOLD_NS, MOST_SENDERS, FirstSender
from aegis.drivers.garmin_xhd import GarminXhd
from aegis.drivers.packet_driver import SECOND_SENDER
from aegis.drivers.recording import Recording
from aegis.drivers.registry import driver_class
from aegis.drivers.smartmicro import SECOND_SENSOR, SmartmicroParser
from aegis.drivers.transport import Packet, Transport

ONE, TWO = "127.0.0.1", "127.0.0.2"
S = 1_000_000_000


def of_two_radars(k: int) -> dict[str, bytes]:
    """Return a scan of each by its address: one sees something at 100 m, the other at 200."""
    return {
        address: ars548_packets.detections([{"range": distance}], seconds=1000 + k)
        for address, distance in ((ONE, 100.0), (TWO, 200.0))
    }


@contextmanager
def senders() -> Iterator[dict[str, socket.socket]]:
    opened = {address: socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for address in (ONE, TWO)}
    try:
        for address, one in opened.items():
            one.bind((address, 0))
        yield opened
    finally:
        for one in opened.values():
            one.close()


def settings(**more: object) -> dict[str, object]:
    return {"driver": "ars548", "udp.address": ONE, "udp.port": 0, "udp.multicast_group": "", **more}


def ranges(frames: list) -> list[float]:
    return [float(r) for frame in frames for r in frame.columns["range"]]


def read(driver: Ars548, packets: int, wait_for) -> list[float]:
    """Return the ranges of what has come once so many packets have."""
    found: list = []
    until = driver.packets + packets
    wait_for(lambda: found.extend(driver.poll(0.1)) or driver.packets >= until, "the packets")
    return ranges(found)


def test_a_second_radar_on_the_port_is_not_mixed_in(wait_for):
    driver = Ars548(Ars548.settings_type.load(settings()))
    with senders() as opened, driver:
        to = (ONE, driver.transport.bound_port)
        for k in range(3):
            for address, data in of_two_radars(k).items():
                opened[address].sendto(data, to)
        assert read(driver, 6, wait_for) == [100.0, 100.0, 100.0]
        assert dict(driver.refused) == {SECOND_SENDER: 3}
        values = driver.health().values
        assert (values["sender"], values["other_senders"]) == (ONE, TWO)
        # Which radar it is, is not known any more once the line was closed.
        driver.stop()
        driver.start()
        to = (ONE, driver.transport.bound_port)
        opened[TWO].sendto(of_two_radars(9)[TWO], to)
        assert read(driver, 1, wait_for) == [200.0]


def test_the_source_address_says_which_radar(wait_for):
    driver = Ars548(Ars548.settings_type.load(settings(**{"udp.source_address": TWO})))
    with senders() as opened, driver:
        for address, data in of_two_radars(0).items():
            opened[address].sendto(data, (ONE, driver.transport.bound_port))
        assert read(driver, 1, wait_for) == [200.0]
        assert SECOND_SENDER not in driver.refused


@pytest.mark.parametrize("source", ["", "10.0.0.7"])
def test_nor_is_one_in_a_capture(tmp_path, source):
    frames = []
    for k in range(3):
        for address, data in zip(("10.0.0.6", "10.0.0.7"), of_two_radars(k).values(), strict=True):
            body = captures.udp(data, port=42_102)
            for piece in captures.fragments(body, group="224.0.2.2", source=address, number=k):
                frames.append((S * (k + 1), captures.framed(piece)))
    path = tmp_path / "two.pcap"
    path.write_bytes(captures.pcap(frames))
    given = settings(**{"udp.port": 42_102, "udp.multicast_group": "224.0.2.2", "udp.source_address": source})
    found = []
    with Ars548.of_recording(Ars548.settings_type.load(given), Recording(path)) as driver:
        try:
            while True:
                found += driver.poll()
        except EOFError:
            pass  # its end
    assert ranges(found) == ([200.0] * 3 if source else [100.0] * 3)
    assert driver.refused[SECOND_SENDER] == (0 if source else 3)


def test_two_sensors_of_smartmicro_behind_one_address_are_told_apart_by_their_numbers():
    parser, found = SmartmicroParser(), []
    for k in range(3):
        for client in (111, 222):
            port = smartmicro_packets.port([{"range": float(client)}], created=(100 + k) << 32)
            for part in smartmicro_packets.cut(port, k + 1, client=client):
                found += parser.feed(part, S + k)
    assert ranges(found) == [111.0, 111.0, 111.0]
    assert dict(parser.refused) == {SECOND_SENSOR: 3}
    assert parser.health().values["sensor_serial"] == 111


def test_own_ships_sentences_come_from_whom_they_will(wait_for):
    values = {"driver": "garmin_xhd", "udp.address": ONE, "udp.port": 0, "udp.multicast_group": ""}
    driver = GarminXhd(GarminXhd.settings_type.load(values))
    with senders() as opened, driver:
        to = (ONE, driver.transport.bound_port)
        opened[ONE].sendto(garmin_spoke(0), to)
        opened[TWO].sendto(b"$HEHDT,90.0,T\r\n", to)
        opened[TWO].sendto(garmin_spoke(5), to)
        wait_for(lambda: driver.poll(0.1) is not None and driver.packets == 3, "the packets")
        heading = driver.parser.own_ship.heading_at(driver.parser._now_ns)
    assert dict(driver.refused) == {SECOND_SENDER: 1}
    assert np.degrees(heading) == pytest.approx(90.0)


def test_a_radar_with_a_name_of_its_own_in_its_packets_may_come_by_two_networks():
    assert not driver_class("asterix").one_sender
    assert not driver_class("asterix_video").one_sender


class Line(Transport):
    """A line that yields what it was given, a packet a look."""

    def __init__(self, packets: list[Packet]) -> None:
        super().__init__()
        self._packets = iter(packets)

    def open(self) -> None:
        """Be open."""

    def read(self, timeout_s: float) -> list[Packet]:
        """Return the next packet."""
        return [packet] if (packet := next(self._packets, None)) else []

    def close(self) -> None:
        """Be closed."""


def of_line(packets: list[Packet]) -> tuple[list[float], Ars548]:
    driver = Ars548(Ars548.settings_type.load(settings()))
    driver.transport = Line(packets)
    return ranges([frame for _ in packets for frame in driver.poll(0.0)]), driver


def packet(sender: str, at_s: float) -> Packet:
    """Return a scan of a radar: ONE sees something at 100 m, every other at 200."""
    distance = 100.0 if sender == ONE else 200.0
    return Packet(ars548_packets.detections([{"range": distance}], seconds=1000), round(at_s * S), sender)


def test_who_sends_what_nobody_can_read_is_no_radar():
    found, driver = of_line([Packet(b"hello", S, TWO), *(packet(ONE, 1 + k) for k in range(3)), packet(TWO, 5)])
    assert found == [100.0] * 3
    assert driver.refused == {"no message header": 1, SECOND_SENDER: 1}


def test_a_radar_that_comes_back_under_another_address_is_taken_once_its_first_is_silent():
    hold = HOLD_NS / S
    # It is back after 2 s, and taken for the radar 10 s after the last of the old address.
    found, driver = of_line(
        [packet(ONE, 1), packet(ONE, 2), packet(TWO, 4), *(packet(TWO, 2 + hold + k) for k in range(3))]
    )
    assert found == [100.0, 100.0, 200.0, 200.0, 200.0]
    assert driver.refused == {SECOND_SENDER: 1}
    assert driver.health().values["sender"] == TWO


def test_a_second_radar_is_not_taken_for_the_first_where_that_falls_silent():
    found, driver = of_line(
        [packet(ONE, 1), packet(TWO, 1.5), packet(ONE, 2), *(packet(TWO, 60 + k) for k in range(3))]
    )
    assert found == [100.0, 100.0]
    assert driver.refused == {SECOND_SENDER: 4}


def test_a_sensor_of_smartmicro_that_is_replaced_is_taken():
    parser, found = SmartmicroParser(), []
    for client, at_ns in ((111, 0), (111, S), (222, 60 * S), (222, 61 * S)):
        port = smartmicro_packets.port([{"range": float(client)}], created=(100 + at_ns // S) << 32)
        for part in smartmicro_packets.cut(port, 1 + at_ns // S, client=client):
            found += parser.feed(part, at_ns)
    assert ranges(found) == [111.0, 111.0, 222.0, 222.0]


def test_senders_that_are_remembered_are_bounded():
    first: FirstSender[int] = FirstSender()
    first.take(0, 0)
    others = [first.is_other(k, S) for k in range(1, 1000)]
    assert all(others)
    first.take(0, 2 * S)
    assert first.is_other(999, HOLD_NS * 9), "of too many none is taken"
    assert len(first._beside) == MOST_SENDERS
