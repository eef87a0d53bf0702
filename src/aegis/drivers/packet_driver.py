# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Drivers that are a transport and a parser of its packets."""

from __future__ import annotations

import time
from abc import abstractmethod
from typing import Self

from aegis.core.params import ConfigError, Settings, param
from aegis.drivers.contract import Driver, DriverSettings, Parser
from aegis.drivers.frames import DriverHealth, Frame
from aegis.drivers.recording import Recording, sent_to
from aegis.drivers.transport import Packet, Transport, UdpTransport


class UdpSettings(Settings):
    """A group of a driver's parameters: where the radar's datagrams come."""

    address: str = param("0.0.0.0", "Local address at which the radar's datagrams come; 0.0.0.0 is any.")
    port: int = param(0, "Local UDP port; 0 takes a free one.", ge=0, le=65_535)
    multicast_group: str = param("", "Multicast group to join, on the interface of `address`; empty for none.")
    source_address: str = param(
        "", "The radar's address: datagrams of others are dropped and counted; empty takes any."
    )

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

    def __init__(self, settings: DriverSettings, recording: Recording | None = None) -> None:
        super().__init__(settings)
        self._live = recording is None
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
                self.refused = self.parser.refused + self.transport.refused  # what was left over
                raise
            packets = []
        for packet in packets:
            self.packets += 1
            out += self.parser.feed(packet.data, packet.received_ns)
        if self._live and not packets:
            out += self.parser.tick(time.time_ns())
        self.refused = self.parser.refused + self.transport.refused
        self.frames += len(out)
        return out

    def stop(self) -> None:
        """Close the transport and forget what is not complete."""
        self.transport.close()
        self.parser.reset()

    def health(self) -> DriverHealth:
        """Return what the parser knows of the radar."""
        return self.parser.health()


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
