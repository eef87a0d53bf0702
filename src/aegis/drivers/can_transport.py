# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""CAN FD, by way of python-can. In a file of its own, as it takes a tenth of a second to import."""

from __future__ import annotations

import logging

import can

from aegis.drivers.transport import MAX_DATAGRAMS, Packet, Transport

# What python-can logs of a bus that cannot be opened, the exception says too; and it would be said again at every attempt.
logging.getLogger("can").setLevel(logging.CRITICAL)


class CanTransport(Transport):
    """Frames of a CAN FD bus; a packet is the CAN id, 4 bytes big endian, and the frame's data.

    An interface of Linux must be up (`ip link set can0 up type can bitrate ... dbitrate ... fd on`). Bit rates of other adapters
    are in python-can's own configuration. Tested on its virtual bus; no machine with a CAN adapter was at hand.

    Args:
        adapter: kind of adapter, as python-can names it; "socketcan" is an interface of Linux.
        channel: of the adapter; of Linux the interface's name, as "can0".

    Raises:
        ValueError: python-can knows no such adapter.
    """

    def __init__(self, adapter: str, channel: str) -> None:
        super().__init__()
        if adapter not in can.VALID_INTERFACES:
            raise ValueError(f"no CAN adapter '{adapter}'; known are: {', '.join(sorted(can.VALID_INTERFACES))}")
        self.adapter, self.channel = adapter, channel
        self._bus: can.BusABC | None = None

    def __str__(self) -> str:
        return f"CAN interface {self.channel}"

    def open(self) -> None:
        """Join the bus."""
        if self._bus is not None:
            return
        try:
            self._bus = can.Bus(interface=self.adapter, channel=self.channel, fd=True)
        except (can.CanError, OSError, ValueError) as error:
            raise OSError(f"{self} cannot be opened: {error}") from error

    def read(self, timeout_s: float) -> list[Packet]:
        """Return the frames that have come."""
        if self._bus is None:
            raise OSError(f"{self} is not open")
        out: list[Packet] = []
        try:
            message = self._bus.recv(timeout_s)
            while message is not None:
                if message.is_error_frame or message.is_remote_frame:
                    self.refused["CAN error or remote frame"] += 1
                else:
                    data = message.arbitration_id.to_bytes(4, "big") + bytes(message.data)
                    out.append(Packet(data, round(message.timestamp * 1e9)))
                message = self._bus.recv(0.0) if len(out) < MAX_DATAGRAMS else None
        except can.CanError as error:
            raise OSError(f"{self} is lost: {error}") from error
        return out

    def close(self) -> None:
        """Leave the bus."""
        if self._bus is not None:
            self._bus.shutdown()
            self._bus = None
