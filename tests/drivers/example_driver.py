# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""An example radar: UDP datagrams of points, a scan in one datagram or several."""

import struct

import numpy as np

from aegis.core.params import group, param
from aegis.drivers.contract import DriverSettings, Parser
from aegis.drivers.frames import Frame, PointFrame, finite_or_nan
from aegis.drivers.packet_driver import UdpDriver, UdpSettings

# "EXMP", scan number, 1 in the scan's last datagram, number of points, time of the scan's middle since power-on [us].
HEADER = struct.Struct("<4sHBBQ")
POINT = np.dtype([("range", "<f4"), ("azimuth", "<f4"), ("range_rate", "<f4"), ("snr", "<f4")])  # m, deg, m/s, dB
MAX_POINTS = 10_000


class ExampleSettings(DriverSettings):
    """Parameters of the example radar."""

    udp: UdpSettings = group(UdpSettings(port=50_000))
    clockwise: bool = param(True, "The radar counts azimuth clockwise, as most do.")


class ExampleParser(Parser):
    """Datagrams to scans."""

    def __init__(self, clockwise: bool) -> None:
        super().__init__()
        self.sign = -1.0 if clockwise else 1.0
        self.reset()

    def reset(self) -> None:
        self.scan, self.begun_ns, self.points = None, 0, np.empty(0, POINT)

    def feed(self, packet: bytes, received_ns: int) -> list[Frame]:
        if len(packet) < HEADER.size or packet[:4] != b"EXMP":
            self.refused["no example packet"] += 1
            return []
        _, scan, last, n, time_us = HEADER.unpack_from(packet)
        if len(packet) != HEADER.size + n * POINT.itemsize:
            self.refused["wrong length"] += 1
            return []
        if scan != self.scan:
            if self.scan is not None:
                self.refused["scan not complete"] += 1
            self.scan, self.begun_ns, self.points = scan, received_ns, np.empty(0, POINT)
        self.points = np.concatenate([self.points, np.frombuffer(packet, POINT, n, HEADER.size)])
        if len(self.points) > MAX_POINTS:
            self.refused["scan too large"] += 1
            self.reset()
            return []
        if not last:
            return []
        columns = {name: finite_or_nan(self.points[name]) for name in POINT.names}
        columns["azimuth"] = self.sign * (np.radians(columns["azimuth"] + 180.0) % (2 * np.pi) - np.pi)
        frame = PointFrame(columns, sensor_time_ns=time_us * 1000, received_ns=self.begun_ns)
        self.reset()
        return [frame]


class ExampleRadar(UdpDriver):
    """The example radar."""

    name, output, settings_type = "example", "points", ExampleSettings

    def make_parser(self) -> ExampleParser:
        return ExampleParser(self.settings.clockwise)
