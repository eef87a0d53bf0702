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
from aegis.drivers.garmin_xhd import GarminXhd
from aegis.drivers.packet_driver import SECOND_SENDER
from aegis.drivers.recording import Recording
from aegis.drivers.registry import driver_class
from aegis.drivers.smartmicro import SECOND_SENSOR, SmartmicroParser

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
