# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Garmin's xHD marine radars: video over multicast UDP. The format is not published; this is what recorded bytes show.

A datagram is a kind (32 bits) and a length (32 bits), both little endian, and so many octets. Kind 0x0998 is a spoke: at 12 its
angle in 1/8 of 1/1440 turn, at 16 the range that is set and at 20 that of the last cell [m], at 26 the number of cells, at 36 the
cells, an octet each. In the recording, 4167 m over 695 cells are the 6.000 m that report 0x09A0 says.
"""

from __future__ import annotations

import math
import struct

import numpy as np

from aegis.core.params import group
from aegis.drivers.frames import DriverHealth, Frame
from aegis.drivers.packet_driver import UdpSettings
from aegis.drivers.video_driver import Geometry, SpokeParser, VideoDriver, VideoDriverSettings

SPOKE = 0x0998
HEADER = struct.Struct("<IIHHHHIIHH8x")  # kind, length, -, -, angle, -, range set, range of the last cell, -, cells
ANGLES = 1440 * 8
FULL_SCALE = 255
LONGEST_M = 200_000
FIRST_REPORT, LAST_REPORT = 0x0900, 0x09FF
TRANSMITS, TURN_RATE = 0x0919, 0x0994  # reports; the rate in 1/100 turn a minute


class GarminXhdSettings(VideoDriverSettings):
    """Parameters of the driver `garmin_xhd`."""

    udp: UdpSettings = group(UdpSettings(port=50_102, multicast_group="239.254.2.0"))


class GarminXhdParser(SpokeParser):
    """Datagrams of spokes and reports."""

    def __init__(self, settings: GarminXhdSettings) -> None:
        super().__init__(settings)
        self.reports: dict[int, int] = {}

    def feed_radar(self, packet: bytes, received_ns: int) -> list[Frame]:
        """Take a datagram."""
        if len(packet) < 8:
            self.refused["unknown packet"] += 1
            return []
        kind, length = struct.unpack_from("<II", packet)
        if len(packet) != 8 + length:
            self.refused["wrong length"] += 1
        elif kind == SPOKE:
            return self._spoke(packet, received_ns)
        elif FIRST_REPORT <= kind <= LAST_REPORT:
            if kind in (TRANSMITS, TURN_RATE) and length <= 4:
                self.reports[kind] = int.from_bytes(packet[8:], "little")
        else:
            self.refused["unknown packet"] += 1
        return []

    def health(self) -> DriverHealth:
        """Return whether the radar transmits, and its turns a minute, as far as its reports were heard."""
        base = super().health()
        transmits = {None: "unknown", 0: "off", 1: "on"}.get(self.reports.get(TRANSMITS), "unknown")
        rate = self.reports.get(TURN_RATE)
        told = {} if rate is None else {"turns_per_minute": rate / 100.0}
        return DriverHealth(base.level, base.text, {**base.values, "transmits": transmits, **told})

    def _spoke(self, packet: bytes, received_ns: int) -> list[Frame]:
        if len(packet) < HEADER.size:
            self.refused["wrong length"] += 1
            return []
        _, _, _, _, angle, _, _, range_m, _, cells = HEADER.unpack_from(packet)
        if angle >= ANGLES or not 0 < range_m <= LONGEST_M or not 0 < cells == len(packet) - HEADER.size:
            self.refused["spoke unreadable"] += 1
            return []
        codes = np.frombuffer(packet, np.uint8, cells, HEADER.size)
        return self.spoke(
            angle / ANGLES * 2.0 * math.pi, codes, Geometry(cells, range_m / cells, FULL_SCALE), received_ns
        )


class GarminXhd(VideoDriver):
    """A Garmin xHD marine radar: its video."""

    name = "garmin_xhd"
    one_sender = True
    settings_type = GarminXhdSettings
    settings: GarminXhdSettings

    def radar_ports(self) -> list[UdpSettings]:
        """Return the ports of spokes and, where the usual one is, of reports, two below it."""
        udp = self.settings.udp
        reports = udp.model_copy(update={"port": udp.port - 2})
        return [udp, reports] if udp == GarminXhdSettings().udp else [udp]

    def make_parser(self) -> GarminXhdParser:
        """Return the parser."""
        return GarminXhdParser(self.settings)
