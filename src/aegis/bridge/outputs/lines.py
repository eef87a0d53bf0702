# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Lines to the outside: UDP, TCP and TLS. A line opens itself again and again; what cannot be sent now is never sent.

Everything here runs on the event loop, but for the datagrams, which a thread sends.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import struct
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import cast

from aegis.bridge.outputs.targets import Target
from aegis.core.backoff import Backoff

_log = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0  # between attempts to open a line
OPEN_S = 10.0  # how long opening may take
STALL_S = 10.0  # a peer that takes nothing for so long is given up
SILENT_S = 20.0  # and one that acknowledges nothing; the kernel alone would take a quarter of an hour
SEND_S = 1.0  # how long a datagram may wait for the kernel's buffer


class Line(ABC):
    """A line that `run` holds open."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.connected = False
        self.errors = 0

    async def run(self) -> None:
        """Open the line, and again whenever it is lost, until cancelled."""
        backoff = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)
        while True:
            try:
                await self._hold()
                backoff.reset()  # it had been open
                pause_s = backoff.pause_s()
                _log.warning("%s: lost", self.target)
            except Exception as error:  # noqa: BLE001 - whatever it was, the next attempt may do better
                self.errors += 1
                pause_s = backoff.pause_s()
                reason = str(error) or type(error).__name__
                _log.warning("%s: cannot be opened: %s; next attempt in %g s", self.target, reason, pause_s)
            await asyncio.sleep(pause_s)

    @abstractmethod
    async def send(self, packets: Sequence[bytes]) -> int:
        """Send packets now or never; return how many were sent."""

    @abstractmethod
    async def _hold(self) -> None:
        """Open the line; return when it is lost.

        Raises:
            OSError: it cannot be opened.
            TimeoutError: or not in time.
        """


class UdpLine(Line):
    """A datagram a packet, to one host or a multicast group."""

    def __init__(self, target: Target, *, multicast_ttl: int, multicast_interface: str) -> None:
        super().__init__(target)
        self._ttl = multicast_ttl
        self._interface = multicast_interface
        self._socket: socket.socket | None = None

    async def send(self, packets: Sequence[bytes]) -> int:
        """Send datagrams; each that the system refuses is counted as an error."""
        if self._socket is None:
            return 0
        return await asyncio.to_thread(self._send, self._socket, packets)

    def _send(self, opened: socket.socket, packets: Sequence[bytes]) -> int:
        sent = 0
        for packet in packets:
            try:
                opened.send(packet)
                sent += 1
            except TimeoutError:
                self.errors += 1
                break  # the buffer is full: the others would wait as long
            except OSError:  # no receiver, or no route: the next ones may get through
                self.errors += 1
        return sent

    async def _hold(self) -> None:
        async with asyncio.timeout(OPEN_S):
            found = await asyncio.get_running_loop().getaddrinfo(
                self.target.host, self.target.port, type=socket.SOCK_DGRAM
            )
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as opened:
            opened.settimeout(SEND_S)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            if ip_address(address[0]).is_multicast:
                self._prepare_multicast(opened)
            opened.connect(address)
            self._socket, self.connected = opened, True
            try:
                await asyncio.Event().wait()  # a line of datagrams is never lost
            finally:
                self._socket, self.connected = None, False

    def _prepare_multicast(self, opened: socket.socket) -> None:
        if opened.family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, self._ttl)
            return
        opened.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, self._ttl)
        if self._interface:
            opened.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(self._interface))


class StreamLine(Line, asyncio.Protocol):
    """A TCP or TLS connection.

    Args:
        target: the other end.
        tls: None for TCP.
        server_name: name that the certificate must show; empty: the target's host.
        opened: called at each new connection.
        received: called with what comes in.
    """

    def __init__(
        self,
        target: Target,
        *,
        tls: ssl.SSLContext | None,
        server_name: str,
        opened: Callable[[], None],
        received: Callable[[bytes], None],
    ) -> None:
        super().__init__(target)
        self._tls = tls
        self._server_name = (server_name or target.host) if tls else None
        self._opened = opened
        self._received = received
        self._transport: asyncio.Transport | None = None
        self._lost = asyncio.Event()
        self._full_since: float | None = None  # time.monotonic()

    async def send(self, packets: Sequence[bytes]) -> int:
        """Send all packets, or none while the peer has not taken the last ones; cut a peer that takes nothing for long."""
        if self._transport is None:
            return 0
        if self._full_since is not None:
            if time.monotonic() - self._full_since > STALL_S:
                _log.warning("%s: takes nothing for %g s", self.target, STALL_S)
                self.cut()
            return 0
        self._transport.write(b"".join(packets))
        return len(packets)

    def write(self, data: bytes) -> None:
        """Answer what came in."""
        if self._transport is not None:
            self._transport.write(data)

    def cut(self) -> None:
        """Break the connection and forget what is still to be sent, here and in the kernel; a new one is opened."""
        if self._transport is not None:
            opened = self._transport.get_extra_info("socket")
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()

    async def _hold(self) -> None:
        self._lost.clear()
        try:
            async with asyncio.timeout(OPEN_S):
                await asyncio.get_running_loop().create_connection(
                    lambda: self, self.target.host, self.target.port, ssl=self._tls, server_hostname=self._server_name
                )
            _log.info("%s: connected", self.target)
            await self._lost.wait()
        finally:
            if self._transport is not None:
                self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)
        if sys.platform == "linux":
            opened = transport.get_extra_info("socket")
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(SILENT_S * 1000))
        self._full_since, self.connected = None, True
        self._opened()

    def data_received(self, data: bytes) -> None:
        """Pass on what comes: it must be read, or the peer could not go on."""
        self._received(data)

    def pause_writing(self) -> None:
        """Note that the peer takes less than it is given."""
        self._full_since = time.monotonic()

    def resume_writing(self) -> None:
        """Note that it has caught up."""
        self._full_since = None

    def connection_lost(self, _error: Exception | None) -> None:
        """End."""
        self._transport, self.connected = None, False
        self._lost.set()
