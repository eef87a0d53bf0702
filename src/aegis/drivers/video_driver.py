# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What drivers of radars that turn and send video share: own ship, the antenna's rotation, spokes to frames."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from aegis.core.health import Level
from aegis.core.params import Settings, group, param
from aegis.core.types import Floats
from aegis.drivers.contract import DriverSettings, Parser
from aegis.drivers.datagrams import Datagram
from aegis.drivers.frames import DriverHealth, Frame, Reading, VideoFrame
from aegis.drivers.own_ship import STALE_S, NmeaSettings, OwnShip
from aegis.drivers.packet_driver import UdpDriver, UdpSettings
from aegis.drivers.recording import Recording, sent_to
from aegis.drivers.rotation import Rotation
from aegis.drivers.transport import Packet, Transport, UdpPorts

FRAME_SPOKES = 32
FRAME_NS = 200_000_000
NMEA_BEGINS = (b"$", b"!", b"\\")


class HeadingSettings(Settings):
    """Where the heading at each spoke is from."""

    source: Literal["auto", "radar", "nmea", "none"] = param(
        "auto",
        "What gives the heading at each spoke: the radar, own ship's sentences (nmea), or the first of them that knows it.",
    )


class VideoDriverSettings(DriverSettings):
    """Parameters that all drivers of video have."""

    nmea: NmeaSettings = group(NmeaSettings())
    heading: HeadingSettings = group(HeadingSettings())


class VideoParser(Parser):
    """Base of the parsers: a subclass decodes, and calls `frame` with the spokes of a packet."""

    def __init__(self, settings: VideoDriverSettings) -> None:
        super().__init__()
        self._heading_source = settings.heading.source
        self.own_ship = OwnShip(settings.nmea)
        self.own_ship.refused = self.refused
        self.rotation = Rotation()
        self._now_ns = self._heading_ns = 0  # when something came last, and with a heading

    def feed(self, packet: bytes, received_ns: int) -> list[Frame]:
        """Take a datagram of the radar or of own ship's NMEA 0183."""
        self._now_ns = received_ns
        if packet[:1] in NMEA_BEGINS and self.own_ship.take(packet, received_ns):
            return []
        return self.feed_radar(packet, received_ns)

    @abstractmethod
    def feed_radar(self, packet: bytes, received_ns: int) -> list[Frame]:
        """Take a datagram of the radar; never raises."""

    def reset(self) -> None:
        """Forget own ship and the rotation; the line was closed."""
        self.own_ship.reset()
        self.rotation.reset()
        self._heading_ns = 0

    def health(self) -> DriverHealth:
        """Return how fast the antenna turns, and what is known of own ship, or was and does not come any more."""
        values: dict[str, Reading] = {"turn_s": round(self.rotation.turn_s, 2), **self.own_ship.values()}
        found = [self.own_ship.trouble(self._now_ns)]
        if self._heading_ns and self._now_ns - self._heading_ns > STALE_S * 1e9:
            found.append(f"no heading for {(self._now_ns - self._heading_ns) * 1e-9:.0f} s")
        text = "; ".join(filter(None, found))
        return DriverHealth(Level.WARN, text, values) if text else DriverHealth(values=values)

    def frame(
        self,
        angles: Floats,
        codes: NDArray[np.uint8],
        cell_m: float,
        received_ns: int,
        *,
        full_scale: int,
        marks: tuple[int, int] = (0, 0),
        headings: Floats | None = None,
        offsets: Floats | None = None,
    ) -> VideoFrame:
        """Return the frame of spokes (N, M) at angles (N,) clockwise from the bow [rad].

        Args:
            marks: codes of echoes that approach and that recede; 0: none.
            headings: (N,) true, as the radar says [rad]; NaN unknown.
            offsets: (N,) when they were measured [s], after receipt; None: by the rotation.
        """
        if offsets is None:
            offsets = self.rotation.offsets(angles, received_ns)
        heading = np.full(len(angles), math.nan)
        if headings is not None and self._heading_source in ("auto", "radar"):
            heading = headings
        if self._heading_source in ("auto", "nmea"):
            heading = np.where(np.isnan(heading), self.own_ship.heading_at(received_ns), heading)
        if np.isfinite(heading).any():
            self._heading_ns = received_ns
        return VideoFrame(
            azimuth=(math.pi - angles) % (2.0 * math.pi) - math.pi,
            heading=heading,
            time_offset=offsets,
            first_range_m=0.0,
            cell_m=cell_m,
            full_scale=full_scale,
            codes=codes,
            sensor_time_ns=None,
            received_ns=received_ns,
            approaching=marks[0],
            receding=marks[1],
            platform=self.own_ship.fix_at(received_ns),
        )


@dataclass(frozen=True)
class Geometry:
    """What the spokes of a frame have in common."""

    cells: int
    cell_m: float
    full_scale: int
    first_range_m: float = 0.0
    marks: tuple[int, int] = (0, 0)


class SpokeParser(VideoParser):
    """Base of the parsers of radars that send every spoke by itself: `spoke` puts them together to frames."""

    def __init__(self, settings: VideoDriverSettings) -> None:
        super().__init__(settings)
        self._forget()

    def _forget(self) -> None:
        self._geometry: Geometry | None = None
        self._codes: list[NDArray[np.uint8]] = []
        self._where: list[tuple[float, float, int]] = []  # angle, heading [rad], time [ns]

    def reset(self) -> None:
        """Forget the spokes that wait for others."""
        super().reset()
        self._forget()

    def finish(self) -> list[Frame]:
        """Return the spokes that wait for others."""
        return self._cut()

    def spoke(
        self, angle: float, codes: NDArray[np.uint8], geometry: Geometry, time_ns: int, heading: float = math.nan
    ) -> list[Frame]:
        """Take a spoke: its angle clockwise from the bow and true heading [rad], when it came; return the frame before it."""
        out: list[Frame] = []
        if self._where and (geometry != self._geometry or not 0 <= time_ns - self._where[0][2] <= FRAME_NS):
            out = self._cut()
        self._geometry = geometry
        self._codes.append(codes)
        self._where.append((angle, heading, time_ns))
        return out + (self._cut() if len(self._where) >= FRAME_SPOKES else [])

    def _cut(self) -> list[Frame]:
        if not self._where or self._geometry is None:
            return []
        g, codes = self._geometry, np.stack(self._codes)
        angles, headings, times = (np.array(column) for column in zip(*self._where, strict=True))
        self._forget()
        received_ns = int(times[-1])
        offsets = np.minimum((times - received_ns) * 1e-9, 0.0)
        self.rotation.offsets(angles, received_ns)  # which learns how fast the antenna turns
        found = self.frame(
            angles,
            codes,
            g.cell_m,
            received_ns,
            full_scale=g.full_scale,
            marks=g.marks,
            headings=headings,
            offsets=offsets,
        )
        found.first_range_m = g.first_range_m
        return [found]


class VideoDriver(UdpDriver):
    """Base of the drivers: the radar's ports, and that of own ship's NMEA 0183."""

    output: ClassVar[Literal["points", "cube", "video"]] = "video"
    settings: VideoDriverSettings

    def radar_ports(self) -> list[UdpSettings]:
        """Return the ports of the radar: that of the spokes first."""
        return [self._udp]

    def make_transport(self) -> Transport:
        """Return the ports."""
        radar = [port.transport() for port in self.radar_ports()]
        return UdpPorts([*radar, *self.settings.nmea.transports()])

    def is_of_radar(self, packet: Packet) -> bool:
        """Tell own ship's sentences apart, which others send."""
        return packet.data[:1] not in NMEA_BEGINS

    def recorded(self, recording: Recording) -> Transport:
        """Return the radar's datagrams of a capture, and all that are NMEA 0183 (or those to `nmea.port`, where it is set)."""
        accepts = [sent_to(port.port, port.multicast_group, port.source_address) for port in self.radar_ports()]
        return recording.datagrams(lambda d: any(a(d) for a, _ in accepts) or self.is_own_ship(d), accepts[0][1])

    def is_own_ship(self, datagram: Datagram) -> bool:
        """Tell whether a captured datagram is of own ship."""
        nmea = self.settings.nmea
        if nmea.port and datagram.port != nmea.port:
            return False
        return datagram.data[:1] in NMEA_BEGINS and sent_to(0, "", nmea.source_address)[0](datagram)
