# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Who may connect to a Foxglove server: a gate before it, as neither server looks at Origin, has a login, or cuts who never reads.

It reads the head of the request, and then passes bytes on. The server behind it listens where nobody looks: at a port and an
address of loopback that are chosen at random.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import logging
import secrets
import socket
import threading
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import parse_qsl, urlsplit

from aegis.foxglove.server import cannot_listen
from aegis.foxglove.settings import FoxgloveSettings

HEAD_BYTES = 16 * 1024
HEAD_S = 5.0  # within which a viewer has to say what it wants
STALLED_S = 10.0  # after which a viewer that takes nothing is cut
MOST_CONNECTIONS = 64
# Large, as each chunk waits for the interpreter; small beside the backlog of a viewer that is slow, which the server bounds.
CHUNK_BYTES = 1024 * 1024
# A viewer whose machine is gone: asked after so many seconds of silence, so often, so many times.
_KEEPALIVE = ((socket.TCP_KEEPIDLE, 30), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3))
_REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    408: "Request Timeout",
    503: "Service Unavailable",
}

_log = logging.getLogger(__name__)


class RefusedError(Exception):
    """A connection is not let in."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def hidden_address() -> tuple[str, int]:
    """Return an address of loopback, at random, and a port that is free there: not to be found by trying, as a web page might."""
    host = str(ipaddress.IPv4Address("127.1.0.1") + secrets.randbelow(2**23))
    with socket.socket() as probe:
        probe.bind((host, 0))
        return host, int(probe.getsockname()[1])


class Gate:
    """Listens for viewers, on an event loop and a thread of its own, until `close`."""

    def __init__(self, settings: FoxgloveSettings, inner: tuple[str, int]) -> None:
        """Start to listen.

        Args:
            settings: where, and for whom.
            inner: host and port of the server behind it.

        Raises:
            ConfigError: nothing can listen there, because another process does.
        """
        self._settings, self._inner = settings, inner
        self._counts: Counter[str] = Counter()
        self._open: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="foxglove-gate", daemon=True)
        self._thread.start()
        try:
            self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        except OSError as error:
            self._stop()
            raise cannot_listen(settings.host, settings.port, error) from error

    @property
    def viewers(self) -> int:
        """How many there are."""
        return len(self._open)

    def detail(self) -> dict[str, object]:
        """Return how many viewers there are, and how many were refused or cut, by reason."""
        return {"viewers": self.viewers, "turned_away": dict(self._counts)}

    def close(self) -> None:
        """Disconnect the viewers and free the port."""
        if not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result()
            self._stop()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._take, self._settings.host, self._settings.port, limit=HEAD_BYTES)

    async def _shut(self) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._pass_on(reader, writer)
        except RefusedError as refused:
            self._counts[str(refused)] += 1
            _log.warning("foxglove: %s was turned away: %s", writer.get_extra_info("peername"), refused)
            with suppress(OSError):
                writer.write(_answer(refused))
                await asyncio.wait_for(writer.drain(), HEAD_S)
        except (OSError, asyncio.CancelledError):
            pass  # one of both ends is gone, or the gate is closed
        finally:
            self._open.discard(task)
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let a viewer in, and carry bytes both ways until one of both ends closes.

        Raises:
            RefusedError: it is not let in.
            OSError: one of both ends is gone.
        """
        _keep_alive(writer.get_extra_info("socket"))
        if len(self._open) > MOST_CONNECTIONS:
            raise RefusedError(503, f"more than {MOST_CONNECTIONS} connections")
        head = admitted(await _head(reader), self._settings)
        inner = socket.socket()
        inner.setsockopt(
            socket.SOL_SOCKET, socket.SO_RCVBUF, CHUNK_BYTES
        )  # a slow viewer's backlog is the server's to bound
        inner.setblocking(False)
        await self._loop.sock_connect(inner, self._inner)
        server_reader, server_writer = await asyncio.open_connection(sock=inner, limit=CHUNK_BYTES)
        server_writer.write(head)
        ways = [
            asyncio.ensure_future(_copy(reader, server_writer)),
            asyncio.ensure_future(_copy(server_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            if any(way.done() and isinstance(way.exception(), TimeoutError) for way in ways):
                self._counts["never read"] += 1
                _log.warning(
                    "foxglove: %s was cut: it has taken nothing for %g s", writer.get_extra_info("peername"), STALLED_S
                )
                writer.transport.abort()
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            server_writer.close()


def admitted(head: bytes, settings: FoxgloveSettings) -> bytes:
    """Return the head of a request that is let in, as it is passed on: without the token.

    Raises:
        RefusedError: why it is not.
    """
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or words[0] != "GET":
        raise RefusedError(400, "not a request for a WebSocket")
    fields = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
    origins = [value for name, value in fields if name == "origin"]
    if not all(_is_allowed(origin, settings.allowed_origins) for origin in origins):
        raise RefusedError(403, "a page of another origin (parameter allowed_origins)")
    target = urlsplit(words[1])
    token = settings.token.get_secret_value()
    if token and not _is_known(token, dict(parse_qsl(target.query)), dict(fields)):
        raise RefusedError(
            401, "no token, or a wrong one: ws://...?token=TOKEN, or the header Authorization: Bearer TOKEN"
        )
    kept = [line for line in lines[1:] if not line.lower().startswith("authorization:")]
    return "\r\n".join([f"GET {target.path or '/'} {words[2]}", *kept]).encode("latin-1")


def _is_allowed(origin: str, allowed: tuple[str, ...]) -> bool:
    """Tell whether a page may connect: one that is named, or of this machine. What is no browser says no origin."""
    if "*" in allowed or origin in allowed:
        return True
    host = urlsplit(origin).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_known(token: str, query: Mapping[str, str], fields: Mapping[str, str]) -> bool:
    given = query.get("token") or fields.get("authorization", "").removeprefix("Bearer ")
    return hmac.compare_digest(given.encode(), token.encode())


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        async with asyncio.timeout(HEAD_S):
            return await reader.readuntil(b"\r\n\r\n")
    except TimeoutError:
        raise RefusedError(408, f"no request within {HEAD_S:g} s") from None
    except asyncio.LimitOverrunError:
        raise RefusedError(400, f"a request of more than {HEAD_BYTES} bytes") from None
    except asyncio.IncompleteReadError:
        raise ConnectionResetError from None


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes until the end of what is read.

    Raises:
        TimeoutError: the other end has taken nothing for too long.
    """
    writer.transport.set_write_buffer_limits(high=CHUNK_BYTES)
    while data := await reader.read(CHUNK_BYTES):
        writer.write(data)
        async with asyncio.timeout(STALLED_S):
            await writer.drain()


def _keep_alive(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEPALIVE:
        connection.setsockopt(socket.IPPROTO_TCP, option, value)


def _answer(refused: RefusedError) -> bytes:
    text = f"{refused}\n".encode()
    head = [
        f"HTTP/1.1 {refused.status} {_REASONS[refused.status]}",
        "Content-Type: text/plain",
        f"Content-Length: {len(text)}",
        "Connection: close",
    ]
    return "\r\n".join([*head, "", ""]).encode() + text
