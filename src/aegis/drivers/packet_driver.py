# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Drivers that are a transport and a parser of its packets."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections import Counter
from typing import ClassVar, Self

from aegis.core.params import ConfigError, Settings, param
from aegis.drivers.contract import Driver, DriverSettings, Parser
from aegis.drivers.first_sender import FirstSender
from aegis.drivers.frames import DriverHealth, Frame
from aegis.drivers.recording import Recording, sent_to
from aegis.drivers.transport import FOREIGN_SOURCE, Packet, Transport, UdpTransport

SECOND_SENDER = "datagram of a second sender: driver.udp.source_address says which is the radar"
MOST_SENDERS = 8  # that are named


class UdpSettings(Settings):
    """A group of a driver's parameters: where the radar's datagrams come."""

    address: str = param("0.0.0.0", "Local address at which the radar's datagrams come; 0.0.0.0 is any.")
    port: int = param(0, "Local UDP port; 0 takes a free one.", ge=0, le=65_535)
    multicast_group: str = param("", "Multicast group to join, on the interface of `address`; empty for none.")
    source_address: str = param(
        "",
        "The radar's address: datagrams of others are dropped and counted; empty takes any, or where packets do not say whose they "
        "are the first sender's."
    )  # fmt: skip

    def transport(self) -> UdpTransport:
        """Return the line that these settings say, closed.

        Raises:
            ConfigError: an address is none.
        """
        try:
            return UdpTransport(
                self.address, self.port, multicast_group=self.multicast_group, source=self.source_address
            )
        except ValueError as error:
            raise ConfigError(f"udp.address, udp.multicast_group or udp.source_address: {error}") from None


class PacketDriver(Driver):
    """A driver made of a transport and a parser: a subclass makes both from its settings."""

    # Whether packets do not say which radar they are of. Then those of the first sender are taken (see FirstSender): two radars
    # would be one picture.
    one_sender: ClassVar[bool] = False
    chosen: ClassVar[frozenset[str]] = frozenset({FOREIGN_SOURCE})

    def __init__(self, settings: DriverSettings, recording: Recording | None = None) -> None:
        super().__init__(settings)
        self._live = recording is None
        self._first: FirstSender[str] = FirstSender()
        self._others: Counter[str] = Counter()  # packets of other senders
        self.transport = self.make_transport() if recording is None else self.recorded(recording)
        self.parser = self.make_parser()

    @classmethod
    def of_recording(cls, settings: DriverSettings, recording: Recording) -> Self:
        """Return the driver with a recorded file in the place of its line."""
        return cls(settings, recording)

    @abstractmethod
    def make_transport(self) -> Transport:
        """Return the line, closed."""

    def recorded(self, recording: Recording) -> Transport:
        """Return the line that a recording has, closed.

        Raises:
            ConfigError: it has none for this driver.
        """
        raise ConfigError(f"driver '{self.name}' reads no recordings")

    @abstractmethod
    def make_parser(self) -> Parser:
        """Return the parser."""

    def start(self) -> None:
        """Open the transport."""
        self.transport.open()

    def poll(self, timeout_s: float = 0.0) -> list[Frame]:
        """Read what is there and parse it."""
        out: list[Frame] = []
        try:
            packets: list[Packet] = self.transport.read(timeout_s)
        except EOFError:
            out = self.parser.finish()
            if not out:
                self._count_refused()  # what was left over
                raise
            packets = []
        for packet in packets:
            self.packets += 1
            out += self._feed(packet)
        if self._live and not packets:
            out += self.parser.tick(time.time_ns())
        self._count_refused()
        self.frames += len(out)
        return out

    def is_of_radar(self, packet: Packet) -> bool:
        """Tell whether a packet is the radar's, and not of something else on the same line."""
        return True

    def stop(self) -> None:
        """Close the transport and forget what is not complete, and whose packets were taken."""
        self.transport.close()
        self.parser.reset()
        self._first = FirstSender()

    def health(self) -> DriverHealth:
        """Return what the parser knows of the radar, and who else sends."""
        own = self.parser.health()
        if not self._others:
            return own
        sender = self._first.chosen or ""
        others = ", ".join(sorted(self._others.keys() - {sender})[:MOST_SENDERS])
        return DriverHealth(own.level, own.text, {**own.values, "sender": sender, "other_senders": others})

    def _feed(self, packet: Packet) -> list[Frame]:
        """Return the frames that a packet ends; one of another sender is counted."""
        if not (self.one_sender and packet.sender and self.is_of_radar(packet)):
            return self.parser.feed(packet.data, packet.received_ns)
        if self._first.is_other(packet.sender, packet.received_ns):
            known = packet.sender in self._others or len(self._others) < MOST_SENDERS
            self._others[packet.sender if known else next(iter(self._others))] += 1
            return []
        before = self.parser.refused.total()
        out = self.parser.feed(packet.data, packet.received_ns)
        # A stray datagram before the radar's first, which nobody can read, makes its sender no radar.
        if packet.sender == self._first.chosen or self.parser.refused.total() == before:
            self._first.take(packet.sender, packet.received_ns)
        return out

    def _count_refused(self) -> None:
        self.refused = self.parser.refused + self.transport.refused
        if self._others:
            self.refused[SECOND_SENDER] = self._others.total()


class UdpDriver(PacketDriver):
    """A driver whose line is the UDP port that its settings say, in their group `udp`."""

    def make_transport(self) -> Transport:
        """Return the UDP port."""
        return self._udp.transport()

    def recorded(self, recording: Recording) -> Transport:
        """Return the datagrams of a capture that go to that port (and multicast group, and come from that source)."""
        udp = self._udp
        return recording.datagrams(*sent_to(udp.port, udp.multicast_group, udp.source_address))

    @property
    def _udp(self) -> UdpSettings:
        udp: UdpSettings = self.settings.udp  # type: ignore[attr-defined]
        return udp
