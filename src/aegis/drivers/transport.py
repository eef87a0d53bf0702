# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Lines to radars: UDP, serial, recorded bytes (CAN: `can_transport.py`). Each gives packets with the time at which they came."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from abc import ABC, abstractmethod
from collections import Counter
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

import serial

# A poll takes at most so many datagrams or bytes: what comes faster than it can be read must not hold up the node.
MAX_DATAGRAMS = 2048
MAX_STREAM_BYTES = 1 << 16
FOREIGN_SOURCE = "foreign source"  # a datagram of another sender than the one that is named
RECEIVE_BUFFER_BYTES = 8 << 20  # asked for; the kernel gives up to net.core.rmem_max
_SO_TIMESTAMPNS = 35  # Linux, not in the socket module
_SO_RXQ_OVFL = 40


class Packet(NamedTuple):
    """A datagram, or some bytes of a stream, and when it came [ns], by the host's clock (Unix time)."""

    data: bytes
    received_ns: int
    sender: str = ""  # address that a datagram came from; empty: the line has none


class Transport(ABC):
    """A line that can be opened and closed again and again."""

    def __init__(self) -> None:
        self.refused: Counter[str] = Counter()

    @abstractmethod
    def open(self) -> None:
        """Open it; without effect where it is open.

        Raises:
            OSError: it cannot be; the message says what was tried.
        """

    @abstractmethod
    def read(self, timeout_s: float) -> list[Packet]:
        """Return what has come, waiting up to `timeout_s` for the first.

        Raises:
            OSError: the line is gone, or not open.
            EOFError: a recording is at its end.
        """

    @abstractmethod
    def close(self) -> None:
        """Close it; without effect where it is not open."""


class UdpTransport(Transport):
    """Datagrams to a local port, with the kernel's time of receipt; what the kernel had to drop is counted.

    Args:
        address: local address to bind, or "0.0.0.0" for all interfaces.
        port: UDP port; 0 takes a free one (see `bound_port`).
        multicast_group: to join, on the interface of `address`; empty for none.
        source: address from which packets are taken, others are counted and dropped; empty for any.
    """

    def __init__(self, address: str, port: int, *, multicast_group: str = "", source: str = "") -> None:
        super().__init__()
        self.address, self.port = str(ip_address(address)), port
        self.multicast_group = str(ip_address(multicast_group)) if multicast_group else ""
        self.source = str(ip_address(source)) if source else ""
        self._opened: socket.socket | None = None
        self._overflow = 0  # the kernel's count of what it dropped on this socket

    def __str__(self) -> str:
        group = f", multicast group {self.multicast_group}" if self.multicast_group else ""
        return f"UDP {self.address}:{self.port}{group}"

    @property
    def bound_port(self) -> int:
        """Return the local port, once open."""
        return int(self.socket.getsockname()[1])

    @property
    def socket(self) -> socket.socket:
        """Return the socket, once open."""
        if self._opened is None:
            raise OSError(f"{self} is not open")
        return self._opened

    def open(self) -> None:
        """Make the socket and bind it."""
        if self._opened is not None:
            return
        opened = None
        try:
            opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            opened.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)
            if self.multicast_group:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                member = socket.inet_aton(self.multicast_group) + socket.inet_aton(self.address)
                opened.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            opened.bind((self.multicast_group or self.address, self.port))
            opened.setblocking(False)
        except OSError as error:
            if opened is not None:
                opened.close()
            raise OSError(error.errno, f"{self} cannot be opened: {error.strerror}") from error
        self._opened, self._overflow = opened, 0

    def read(self, timeout_s: float) -> list[Packet]:
        """Return the packets that have come."""
        opened = self.socket
        out: list[Packet] = []
        if timeout_s > 0:
            select.select([opened], [], [], timeout_s)
        for _ in range(MAX_DATAGRAMS):
            try:
                data, ancillary, _, sender = opened.recvmsg(65_535, 128)
            except BlockingIOError:
                break
            received_ns = 0
            for level, kind, value in ancillary:
                if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
                    seconds, nanoseconds = struct.unpack_from("@ll", value)
                    received_ns = seconds * 1_000_000_000 + nanoseconds
                elif level == socket.SOL_SOCKET and kind == _SO_RXQ_OVFL:
                    (overflow,) = struct.unpack_from("@I", value)
                    self.refused["dropped by the kernel"] += (overflow - self._overflow) % (1 << 32)
                    self._overflow = overflow
            if self.source and sender[0] != self.source:
                self.refused[FOREIGN_SOURCE] += 1
            else:
                out.append(Packet(data, received_ns or time.time_ns(), sender[0]))
        return out

    def close(self) -> None:
        """Close the socket."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None


class UdpPorts(Transport):
    """Several UDP ports as one line, their datagrams in the order in which they came."""

    def __init__(self, ports: list[UdpTransport]) -> None:
        super().__init__()
        self.ports = ports

    @property
    def bound_port(self) -> int:
        """Return the first one's local port, once open."""
        return self.ports[0].bound_port

    def open(self) -> None:
        """Open all; none stays open where one cannot be."""
        try:
            for port in self.ports:
                port.open()
        except OSError:
            self.close()
            raise

    def read(self, timeout_s: float) -> list[Packet]:
        """Return what has come on any of them."""
        if timeout_s > 0:
            select.select([port.socket for port in self.ports], [], [], timeout_s)
        packets = [packet for port in self.ports for packet in port.read(0.0)]
        self.refused = sum((port.refused for port in self.ports), Counter())
        return sorted(packets, key=lambda packet: packet.received_ns)

    def close(self) -> None:
        """Close all."""
        for port in self.ports:
            port.close()


class SerialTransport(Transport):
    """Bytes of a serial line.

    Args:
        device: /dev/ttyACM1 or the like, or a URL of pyserial (`loop://`, `socket://`).
        baud: bits a second.
    """

    def __init__(self, device: str, baud: int) -> None:
        super().__init__()
        self.device, self.baud = device, baud
        self._line: serial.SerialBase | None = None

    def open(self) -> None:
        """Open the line, for this process alone."""
        if self._line is not None:
            return
        try:
            self._line = serial.serial_for_url(self.device, self.baud, timeout=0)
            with contextlib.suppress(ValueError, AttributeError):  # not every kind of line can be kept for oneself
                self._line.exclusive = True
        except (OSError, ValueError) as error:
            raise OSError(f"serial line {self.device} at {self.baud} baud cannot be opened: {error}") from error

    def read(self, timeout_s: float) -> list[Packet]:
        """Return the bytes that have come."""
        if self._line is None:
            raise OSError("the serial line is not open")
        self._line.timeout = timeout_s
        data = self._line.read(1)
        if data:
            self._line.timeout = 0
            data += self._line.read(MAX_STREAM_BYTES)
        return [Packet(bytes(data), time.time_ns())] if data else []

    def close(self) -> None:
        """Close the line."""
        if self._line is not None:
            self._line.close()
            self._line = None


class FileTransport(Transport):
    """A recorded stream, a piece at a time, as fast as it is asked for.

    Args:
        path: the file.
        chunk_bytes: size of a piece.
    """

    def __init__(self, path: Path, chunk_bytes: int = MAX_STREAM_BYTES) -> None:
        super().__init__()
        self.path, self.chunk_bytes = path, chunk_bytes
        self._position: int | None = None

    def open(self) -> None:
        """Begin at the file's begin."""
        if self._position is not None:
            return
        with self.path.open("rb"):
            self._position = 0

    def read(self, timeout_s: float) -> list[Packet]:
        """Return the next piece."""
        if self._position is None:
            raise OSError(f"{self.path} is not open")
        with self.path.open("rb") as file:
            file.seek(self._position)
            data = file.read(self.chunk_bytes)
        if not data:
            raise EOFError(f"{self.path} is at its end")
        self._position += len(data)
        return [Packet(data, time.time_ns())]

    def close(self) -> None:
        """Forget the place in the file."""
        self._position = None
