# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Raymarine's Quantum marine radars: video over multicast UDP. The format is not published; this is what recorded bytes show.

A datagram begins with its kind (32 bits, little endian, as all). 0x280003 is a spoke: at 8 its cells, at 10 the spokes of a turn,
at 14 the cells of the range that is set, at 16 its azimuth from the stern, at 18 the octets that follow, in which 0x5C, n, v are n
times v. 0x280002 is a status: at 4 what the radar does, at 20 which range is set, at 148 the ranges in 1/1000 nautical mile.
"""

from __future__ import annotations

import math
import struct

import numpy as np

from aegis.core.params import group, param
from aegis.drivers.datagrams import Datagram
from aegis.drivers.frames import DriverHealth, Frame, Reading
from aegis.drivers.packet_driver import UdpSettings
from aegis.drivers.recording import Recording
from aegis.drivers.transport import Transport
from aegis.drivers.video_driver import Geometry, SpokeParser, VideoDriver, VideoDriverSettings

INFO, STATUS, SPOKE = 0x280001, 0x280002, 0x280003
FIRST_KIND, LAST_KIND = 0x280000, 0x28FFFF
STATUS_BYTES, RANGES = 260, 20
HEADER = struct.Struct("<IHHHHHHHH")  # kind, number, -, cells, spokes a turn, -, cells of the range, azimuth, octets
REPEAT = 0x5C
METRES_PER_UNIT = 1.852
MAX_CELLS = 4096
APPROACHING, RECEDING, FULL_SCALE_MARKED, FULL_SCALE = 255, 254, 253, 255
WITH_DOPPLER = ("E70498",)  # part numbers
STATES = {0: "standby", 1: "transmitting", 2: "warming up", 3: "off"}


class QuantumSettings(VideoDriverSettings):
    """Parameters of the driver `raymarine_quantum`."""

    udp: UdpSettings = group(UdpSettings(port=2574, multicast_group="232.1.215.1"))
    range_m: float = param(
        0.0, "Range that is set, where the radar's status is not heard. 0: wait for it.", unit="m", ge=0.0, le=200_000.0
    )


class QuantumParser(SpokeParser):
    """Datagrams of spokes and status."""

    def __init__(self, settings: QuantumSettings) -> None:
        super().__init__(settings)
        self._range_set = settings.range_m
        self.reset()

    def reset(self) -> None:
        """Forget what the radar said of itself."""
        super().reset()
        self._range_m = self._range_set
        self._state = self._part = ""

    def feed_radar(self, packet: bytes, received_ns: int) -> list[Frame]:
        """Take a datagram."""
        kind = int.from_bytes(packet[:4], "little")
        if len(packet) < 8 or not FIRST_KIND <= kind <= LAST_KIND:
            self.refused["unknown packet"] += 1
        elif kind == SPOKE:
            return self._spoke(packet, received_ns)
        elif kind == STATUS:
            self._status(packet)
        elif kind == INFO:
            self._part = packet[4:10].decode("ascii", "replace")
        return []

    def health(self) -> DriverHealth:
        """Return what the radar does, and its range."""
        base = super().health()
        told: dict[str, Reading] = {
            "state": self._state or "unknown",
            "part": self._part or "unknown",
            "range_m": round(self._range_m, 1),
        }
        return DriverHealth(base.level, base.text, {**base.values, **told})

    def _status(self, packet: bytes) -> None:
        if len(packet) != STATUS_BYTES or packet[20] >= RANGES:
            self.refused["status unreadable"] += 1
            return
        self._state = STATES.get(packet[4], f"state {packet[4]}")
        (units,) = struct.unpack_from("<I", packet, 148 + 4 * packet[20])
        if 0 < units < 100_000:
            self._range_m = units * METRES_PER_UNIT

    def _spoke(self, packet: bytes, received_ns: int) -> list[Frame]:
        if len(packet) < HEADER.size:
            self.refused["wrong length"] += 1
            return []
        _, _, _, cells, spokes, _, in_range, azimuth, octets = HEADER.unpack_from(packet)
        if octets != len(packet) - HEADER.size:
            self.refused["wrong length"] += 1
            return []
        codes = unpacked(packet[HEADER.size :], cells) if 0 < cells <= MAX_CELLS else None
        if codes is None or not in_range or not azimuth < spokes:
            self.refused["spoke unreadable"] += 1
            return []
        if not self._range_m:
            self.refused["spoke before the range is known"] += 1
            return []
        marks, scale = (
            ((APPROACHING, RECEDING), FULL_SCALE_MARKED) if self._part in WITH_DOPPLER else ((0, 0), FULL_SCALE)
        )
        angle = ((azimuth / spokes + 0.5) % 1.0) * 2.0 * math.pi
        return self.spoke(angle, codes, Geometry(cells, self._range_m / in_range, scale, marks=marks), received_ns)


def unpacked(data: bytes, cells: int) -> np.ndarray[tuple[int], np.dtype[np.uint8]] | None:
    """Return the cells of a spoke, (cells,); None where these octets are not so many."""
    out = bytearray()
    i = 0
    while i < len(data) and len(out) <= cells:
        if data[i] != REPEAT:
            out.append(data[i])
            i += 1
        elif i + 2 < len(data):
            out += bytes([data[i + 2]]) * data[i + 1]
            i += 3
        else:
            return None
    return np.frombuffer(bytes(out), np.uint8) if len(out) == cells else None


class RaymarineQuantum(VideoDriver):
    """A Raymarine Quantum marine radar: its video, with the marks of a Quantum with Doppler."""

    name = "raymarine_quantum"
    one_sender = True
    settings_type = QuantumSettings
    settings: QuantumSettings

    def recorded(self, recording: Recording) -> Transport:
        """Return the radar's datagrams of a capture; where `udp` is as it ships, wherever they are sent, as groups differ."""
        if self.settings.udp != QuantumSettings().udp:
            return super().recorded(recording)

        def accept(d: Datagram) -> bool:
            return d.data[2:4] == b"\x28\x00" or self.is_own_ship(d)

        return recording.datagrams(accept, "of a Quantum (kinds 0x28....)")

    def make_parser(self) -> QuantumParser:
        """Return the parser."""
        return QuantumParser(self.settings)
