# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Navico's marine radars (BR24, 3G, 4G, HALO; sold by Lowrance, Simrad and B&G): video over multicast UDP.

The driver listens only. A plotter on the network must have the radar transmit; a HALO falls silent without one.
"""

from __future__ import annotations

import math
import struct
from collections import Counter
from ipaddress import ip_address
from itertools import pairwise
from typing import Literal

import numpy as np

from aegis.core.params import ConfigError, group, param
from aegis.drivers import navico_format as navico
from aegis.drivers.capture import line_frames, open_recording
from aegis.drivers.datagrams import Datagram, Datagrams
from aegis.drivers.frames import DriverHealth, Frame
from aegis.drivers.packet_driver import UdpSettings
from aegis.drivers.recording import Recording
from aegis.drivers.transport import Packet, Transport, UdpPorts, UdpTransport
from aegis.drivers.video_driver import VideoDriver, VideoDriverSettings, VideoParser

LOCATE = ("236.6.7.5", 6878)  # where radars announce themselves
OWN_SHIP_PORT = 7527  # of datagrams with messages of NMEA 2000
REPORTS = (0xC4, 0xC6, 0xD4, 0xF5)  # second octet of reports, read or not
MAX_REPORT = 0x12  # first one
PGN_HEADING, PGN_POSITION, PGN_COURSE = 127250, 129025, 129026
INFER_SPOKES = 64  # by whose codes VelocityTrack is told before the first report


class ReportSettings(UdpSettings):
    """A group of parameters: where the radar's reports come, which say whether a HALO marks moving echoes."""

    port: int = param(6679, "Local UDP port of the radar's reports; 0: none.", ge=0, le=65_535)


class NavicoSettings(VideoDriverSettings):
    """Parameters of the driver `navico`."""

    udp: UdpSettings = group(UdpSettings(port=6678, multicast_group="236.6.7.8"))
    report: ReportSettings = group(ReportSettings(multicast_group="236.6.7.9"))
    channel: Literal["A", "B"] = param("A", "Which picture of a radar with two ranges, where `locate` is on.")
    locate: bool = param(
        False, "Take the groups that the radar announces (on 236.6.7.5, port 6878), in the place of `udp` and `report`: a HALO's "
        "are other ones. In a capture the spokes are found by themselves.",
    )  # fmt: skip
    velocity_track: Literal["auto", "on", "off"] = param(
        "auto", "Whether a HALO's two highest codes mark echoes that move; auto: as its reports say."
    )


class NavicoParser(VideoParser):
    """Datagrams of spokes, reports and own ship's data."""

    def __init__(self, settings: NavicoSettings) -> None:
        super().__init__(settings)
        self._marks_set = settings.velocity_track
        self.reset()

    def reset(self) -> None:
        """Forget what the reports said."""
        super().reset()
        self._marked: bool | None = None  # as the reports say
        self._codes = np.zeros(16, np.int64)  # of the spokes before the first report
        self._spokes_seen = self._lost = 0
        self._number: int | None = None
        self._model = ""
        self._heading_kind = "none"
        self._transmits: bool | None = None

    def feed_radar(self, packet: bytes, received_ns: int) -> list[Frame]:
        """Take a datagram."""
        if navico.is_spokes(packet):
            return self._spokes(packet, received_ns)
        if packet[:4] == navico.NKOE:
            self._own_ship(packet, received_ns)
        elif len(packet) < 3 or packet[1] not in REPORTS or packet[0] > MAX_REPORT:
            self.refused["unknown packet"] += 1
        else:
            marked, model, transmits = navico.velocity_track(packet), navico.model(packet), navico.transmits(packet)
            self._marked = self._marked if marked is None else marked
            self._model = self._model if model is None else model
            self._transmits = self._transmits if transmits is None else transmits
        return []

    def health(self) -> DriverHealth:
        """Return which radar it is, and what it does."""
        base = super().health()
        known = {None: "unknown", True: "on", False: "off"}
        values = {
            **base.values,
            "model": self._model or "unknown",
            "transmits": known[self._transmits],
            "velocity_track": known[self._marked],
            "heading_of_spokes": self._heading_kind,
            "spokes_lost": self._lost,
        }
        return DriverHealth(base.level, base.text, values)

    def _spokes(self, packet: bytes, received_ns: int) -> list[Frame]:
        p = navico.read_spokes(packet)
        if p.broken:
            self.refused["spoke unreadable"] += p.broken
        if not len(p.angles):
            return []
        if self._number is not None:
            missing = (int(p.numbers[0]) - self._number - 1) % navico.ANGLES
            self._lost += missing if missing < navico.ANGLES // 2 else 0
        self._number = int(p.numbers[-1])
        marked = self._marks(p)
        marks = (navico.APPROACHING, navico.RECEDING) if marked else (0, 0)
        scale = navico.FULL_SCALE_MARKED if marked else navico.FULL_SCALE
        magnetic = self.own_ship.true_from_magnetic(0.0)
        headings = p.headings + np.where(p.true, 0.0, magnetic)
        self._heading_kind = _kind_of(p, magnetic)
        offsets = self.rotation.offsets(p.angles, received_ns)
        # The range may change within a datagram.
        cuts = [0, *(np.flatnonzero(np.diff(p.range_m)) + 1).tolist(), len(p.angles)]
        return [
            self.frame(
                p.angles[a:b], p.codes[a:b], float(p.range_m[a]) / navico.CELLS, received_ns, full_scale=scale, marks=marks,
                headings=headings[a:b], offsets=offsets[a:b],
            )
            for a, b in pairwise(cuts)
        ]  # fmt: skip

    def _marks(self, p: navico.SpokePacket) -> bool:
        """Return whether the highest codes are marks. Before the first report: where 13 is by far more frequent than 14 and 15."""
        if self._marks_set != "auto":
            return self._marks_set == "on"
        if self._marked is not None:
            return self._marked
        self._codes += np.bincount(p.codes.ravel(), minlength=16)
        self._spokes_seen += len(p.codes)
        high = self._codes[navico.FULL_SCALE_MARKED]
        return bool(
            self._spokes_seen >= INFER_SPOKES and high > 20 * (self._codes[14] + self._codes[15]) and high > 200
        )

    def _own_ship(self, packet: bytes, received_ns: int) -> None:
        """Take a message of NMEA 2000 that a plotter sends: its number at 36, its 8 octets at the end."""
        if len(packet) != 72:
            return
        number = int.from_bytes(packet[36:39], "little")
        data = packet[-8:]
        if number == PGN_HEADING:
            heading, deviation, variation, reference = struct.unpack_from("<HhhB", data, 1)
            if variation != 0x7FFF and abs(variation) < 31_416:
                self.own_ship.set_variation(variation * 1e-4)
            if heading < 62_832 and reference & 3 < 2:
                turned = deviation * 1e-4 if reference & 3 == 1 and deviation != 0x7FFF else 0.0
                self.own_ship.set_heading(heading * 1e-4 + turned, received_ns, true=reference & 3 == 0)
        elif number == PGN_POSITION:
            latitude, longitude = (math.radians(value * 1e-7) for value in struct.unpack("<ii", data))
            self.own_ship.set_position(latitude, longitude, received_ns)
        elif number == PGN_COURSE:
            reference, course, speed = struct.unpack_from("<BHH", data, 1)
            if course < 62_832 and speed < 0xFFFD and reference & 3 == 0:
                self.own_ship.set_motion(course * 1e-4, speed * 0.01, received_ns)


class LocatedPorts(UdpPorts):
    """The ports that the radar announces: until it does, those that the settings say."""

    def __init__(self, ports: list[UdpTransport], others: list[UdpTransport], settings: NavicoSettings) -> None:
        udp = settings.udp
        self._locate = UdpTransport(udp.address, LOCATE[1], multicast_group=LOCATE[0], source=udp.source_address)
        self._own = UdpTransport(udp.address, OWN_SHIP_PORT, multicast_group="239.238.55.73")
        super().__init__([*ports, *others, self._own, self._locate])
        self._settings, self._others = settings, others
        self._channel: navico.Channel | None = None

    def read(self, timeout_s: float) -> list[Packet]:
        """Return what has come; change the ports where the radar announces others."""
        packets = super().read(timeout_s)
        for packet in packets:
            _, channels = navico.announced(packet.data)
            wanted = "AB".index(self._settings.channel)
            if wanted < len(channels) and channels[wanted] != self._channel:
                self._change(channels[wanted])
        return [packet for packet in packets if packet.data[:2] not in (navico.ANNOUNCEMENT, b"\x01\xb1")]

    def _change(self, channel: navico.Channel) -> None:
        self.close()
        udp = self._settings.udp
        found = [
            UdpTransport(udp.address, port, multicast_group=group_, source=udp.source_address)
            for group_, port in (channel.spokes, channel.reports)
        ]
        self.ports = [*found, *self._others, self._own, self._locate]
        self._channel = channel
        self.open()


class Navico(VideoDriver):
    """A Navico marine radar (BR24, 3G, 4G, HALO): its video, with the marks of a HALO's VelocityTrack."""

    name = "navico"
    settings_type = NavicoSettings
    settings: NavicoSettings

    def radar_ports(self) -> list[UdpSettings]:
        """Return the ports of spokes and of reports; port 0: none of these."""
        return [self.settings.udp, *([self.settings.report] if self.settings.report.port else [])]

    def make_transport(self) -> Transport:
        """Return the ports."""
        if not self.settings.locate:
            return super().make_transport()
        radar = [port.transport() for port in self.radar_ports()]
        return LocatedPorts(radar, self.settings.nmea.transports(), self.settings)

    def recorded(self, recording: Recording) -> Transport:
        """Return the spokes of a capture, the reports that go with them, and own ship's data.

        The spokes are those that `udp` says where there are such, else the first that come.
        """
        where = self._find(recording)

        def accept(d: Datagram) -> bool:
            if d.destination[:3] == where.destination[:3] and len(d.data) > 1 and d.data[1] in REPORTS:
                # Reports go to the next port or the one after, and to the same group or the next.
                return d.port - where.port in (1, 2) and d.destination[3] - where.destination[3] in (0, 1, 2)
            return (d.destination, d.port) == (where.destination, where.port) or _of_ship(d) or self.is_own_ship(d)

        return recording.datagrams(accept, f"to {where.where()}")

    def make_parser(self) -> NavicoParser:
        """Return the parser."""
        return NavicoParser(self.settings)

    def _find(self, recording: Recording) -> Datagram:
        """Return the first datagram of the spokes to be read.

        Raises:
            ConfigError: there is none.
        """
        recording.datagrams(_of_ship, "")  # which checks that it is a capture
        udp, first = self.settings.udp, None
        is_default = udp == NavicoSettings().udp
        found, damage = Datagrams(), Counter[str]()
        unpacked, file = open_recording(recording.path)
        with file:
            for frame in line_frames(unpacked, damage):
                d = found.take(frame)
                if d is None or not navico.is_spokes(d.data):
                    continue
                first = first or d
                if udp.port == d.port and (
                    not udp.multicast_group or d.destination == ip_address(udp.multicast_group).packed
                ):
                    return d
                if is_default:
                    return d
        groups = "" if first is None else f"; there are spokes to {first.where()}"
        raise ConfigError(
            f"{recording.path} has no spokes of a Navico radar"
            + ("" if is_default else f" to {udp.multicast_group}:{udp.port} (driver.udp)")
            + groups
        )


def _of_ship(datagram: Datagram) -> bool:
    """Tell whether a datagram carries a message of NMEA 2000 about own ship."""
    return datagram.data[:4] == navico.NKOE


def _kind_of(p: navico.SpokePacket, variation: float) -> str:
    """Return what the headings of spokes are, in words."""
    if not np.isfinite(p.headings[-1]):
        return "none"
    if p.true[-1]:
        return "true"
    return "magnetic" if variation else "magnetic, no variation known"
