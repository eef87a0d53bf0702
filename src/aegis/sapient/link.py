# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Connections by TCP or TLS, held by a thread of their own: messages in and out, in bounded buffers.

A connection that this end opens is opened again and again, with pauses that double; what cannot be sent now is dropped and counted.
"""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
import sys
import threading
from collections import Counter, deque
from collections.abc import Coroutine
from dataclasses import dataclass
from enum import Enum
from typing import cast

from aegis.core.backoff import Backoff
from aegis.core.params import ConfigError
from aegis.sapient.framing import Deframer, FramingError, framed
from aegis.sapient.settings import Endpoint, TlsSettings

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0  # between attempts to open a connection
STEADY_S = 10.0  # one that was open for so long begins with the shortest pause again
OPEN_S = 10.0  # how long opening may take
SILENT_S = 20.0  # a peer whose machine acknowledges nothing for so long is given up
MOST_UNREAD = 20_000  # messages, of all connections
MOST_UNSENT_BYTES = 4 << 20  # of one connection
MOST_PEERS = 64
START_S = 10.0
LAST_WORDS_S = 0.2


class Kind(Enum):
    """What has happened to a connection."""

    OPENED = "opened"
    MESSAGE = "message"
    CLOSED = "closed"


@dataclass(frozen=True)
class Happening:
    """Something that has happened to a connection."""

    kind: Kind
    peer: int  # number of the connection, never used twice
    role: str  # of the end that the connection belongs to
    data: bytes = b""  # the message
    text: str = ""  # the peer's address, or why the connection was closed


class Link:
    """Holds connections in a thread.

    Args:
        connect: role to the end that this one connects to, again and again.
        listen: role to the address where others connect.
        tls: certificates.

    Raises:
        ConfigError: a certificate cannot be used, or nothing can listen at an address.
    """

    def __init__(self, connect: dict[str, Endpoint], listen: dict[str, Endpoint], tls: TlsSettings) -> None:
        self.counts: Counter[str] = Counter()  # what was dropped, by reason
        self.trouble: dict[str, str] = {}  # role to why its connection is not open
        self.ports: dict[str, int] = {}  # role to the port that is listened at
        self._unread: deque[Happening] = deque()
        self._peers: dict[int, _Peer] = {}
        self._last_peer = 0
        self._loop = asyncio.new_event_loop()
        self._connect = {role: (end, _client_tls(end, tls), tls.server_name) for role, end in connect.items()}
        self._listen = {role: (end, _server_tls(end, tls)) for role, end in listen.items()}
        self._tasks: list[asyncio.Task[None]] = []
        self._thread = threading.Thread(target=self._loop.run_forever, name="sapient", daemon=True)
        self._thread.start()
        try:
            self._call(self._open())
        except OSError as error:
            self.close()
            raise ConfigError(f"sapient: {error}") from error

    def happened(self) -> list[Happening]:
        """Return what has happened since the last call, in order."""
        out = []
        while self._unread:
            out.append(self._unread.popleft())
        return out

    def send(self, peer: int, message: bytes) -> None:
        """Send a message, or drop and count it where the connection is gone or full."""
        self._loop.call_soon_threadsafe(self._send, peer, framed(message))

    def cut(self, peer: int, why: str) -> None:
        """Close a connection."""
        self._loop.call_soon_threadsafe(self._cut, peer, why)

    def connections(self, role: str) -> int:
        """Return how many connections of a role are open."""
        return sum(one.role == role for one in list(self._peers.values()))

    def close(self) -> None:
        """Close all connections, after what is still to be sent, and end the thread."""
        if self._thread.is_alive():
            self._call(self._end())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(START_S)
        if not self._loop.is_running() and not self._loop.is_closed():
            self._loop.close()

    # On the loop.

    def _call(self, work: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(START_S)

    async def _open(self) -> None:
        for role, (end, tls) in self._listen.items():
            server = await self._loop.create_server(lambda role=role: _Peer(self, role), end.host, end.port, ssl=tls)  # type: ignore[misc]
            self.ports[role] = server.sockets[0].getsockname()[1]
        for role in self._connect:
            self.trouble[role] = "not open yet"
            self._tasks.append(self._loop.create_task(self._hold(role)))

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._peers:  # Apex forgets what it has not read yet when a connection is closed
            await asyncio.sleep(LAST_WORDS_S)
        for one in list(self._peers.values()):
            one.end()
        if self._peers:
            await asyncio.sleep(LAST_WORDS_S)  # for what is in their buffers
        for one in list(self._peers.values()):
            one.abort("this node ends")

    async def _hold(self, role: str) -> None:
        """Open a connection, and again whenever it is lost."""
        end, tls, name = self._connect[role]
        backoff = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S, random.Random())
        while True:
            try:
                async with asyncio.timeout(OPEN_S):
                    _, protocol = await self._loop.create_connection(
                        lambda: _Peer(self, role),
                        end.host,
                        end.port,
                        ssl=tls,
                        server_hostname=(name or end.host) if tls else None,
                    )
                self.trouble.pop(role, None)
                begun = self._loop.time()
                why = await protocol.closed
                if self._loop.time() - begun > STEADY_S:
                    backoff.reset()
                self.trouble[role] = f"{end}: {why}"
            except (OSError, TimeoutError) as error:  # an error of TLS is an OSError too
                self.counts["connection refused or failed"] += 1
                self.trouble[role] = f"{end}: {str(error) or type(error).__name__}"
            await asyncio.sleep(backoff.pause_s())

    def _send(self, peer: int, data: bytes) -> None:
        one = self._peers.get(peer)
        if one is None:
            self.counts["not sent: connection is closed"] += 1
        elif not one.write(data):
            self.counts["not sent: the peer takes nothing"] += 1

    def _cut(self, peer: int, why: str) -> None:
        if peer in self._peers:
            self._peers[peer].abort(why)

    def _note(self, happening: Happening) -> None:
        """Hand over what has happened; of messages that nobody takes, the new ones are dropped."""
        if happening.kind is Kind.MESSAGE and len(self._unread) >= MOST_UNREAD:
            self.counts["more messages than can be taken"] += 1
            return
        self._unread.append(happening)

    def _enter(self, one: _Peer) -> int | None:
        """Return the number of a new connection; None where there are too many."""
        if len(self._peers) >= MOST_PEERS:
            self.counts["too many connections"] += 1
            return None
        self._last_peer += 1
        self._peers[self._last_peer] = one
        return self._last_peer

    def _leave(self, peer: int) -> None:
        self._peers.pop(peer, None)


class _Peer(asyncio.Protocol):
    """One connection."""

    def __init__(self, link: Link, role: str) -> None:
        self.role = role
        self.closed: asyncio.Future[str] = link._loop.create_future()
        self._link = link
        self._deframer = Deframer()
        self._number: int | None = None
        self._transport: asyncio.Transport | None = None
        self._why = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._number = self._link._enter(self)
        if self._number is None:
            self._transport.abort()
            return
        opened = transport.get_extra_info("socket")
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if sys.platform == "linux":
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(SILENT_S * 1000))
        host, port = transport.get_extra_info("peername")[:2]
        self._link._note(Happening(Kind.OPENED, self._number, self.role, text=f"{host}:{port}"))

    def data_received(self, data: bytes) -> None:
        assert self._number is not None
        try:
            messages = self._deframer.feed(data)
        except FramingError as error:
            self._link.counts["no framing of SAPIENT"] += 1
            self.abort(str(error))
            return
        for message in messages:
            self._link._note(Happening(Kind.MESSAGE, self._number, self.role, message))

    def connection_lost(self, error: Exception | None) -> None:
        why = self._why or (str(error) if error is not None else "the peer has closed it")
        if self._number is not None:
            self._link._leave(self._number)
            self._link._note(Happening(Kind.CLOSED, self._number, self.role, text=why))
        if not self.closed.done():
            self.closed.set_result(why)

    def write(self, data: bytes) -> bool:
        """Send what fits; return whether it did."""
        if self._transport is None or self._transport.get_write_buffer_size() > MOST_UNSENT_BYTES:
            return False
        self._transport.write(data)
        return True

    def end(self) -> None:
        """Close the connection once all is sent."""
        if self._transport is not None:
            self._why = "this node ends"
            self._transport.close()

    def abort(self, why: str) -> None:
        """Close the connection now."""
        if self._transport is not None:
            self._why = why
            self._transport.abort()


def _client_tls(end: Endpoint, tls: TlsSettings) -> ssl.SSLContext | None:
    if not end.tls:
        return None
    return _with_certificate(_context(ssl.Purpose.SERVER_AUTH, tls), tls)


def _server_tls(end: Endpoint, tls: TlsSettings) -> ssl.SSLContext | None:
    if not end.tls:
        return None
    context = _with_certificate(_context(ssl.Purpose.CLIENT_AUTH, tls), tls)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def _context(purpose: ssl.Purpose, tls: TlsSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(purpose, cafile=tls.ca or None)
    except OSError as error:
        raise ConfigError(f"sapient: tls.ca '{tls.ca}' cannot be used: {error}") from error


def _with_certificate(context: ssl.SSLContext, tls: TlsSettings) -> ssl.SSLContext:
    if tls.certificate:
        try:
            context.load_cert_chain(tls.certificate, tls.key, password="")
        except OSError as error:
            raise ConfigError(
                f"sapient: tls.certificate '{tls.certificate}' and tls.key '{tls.key}' cannot be used: {error}; PEM files are "
                "expected, the key without a password"
            ) from error
    return context
