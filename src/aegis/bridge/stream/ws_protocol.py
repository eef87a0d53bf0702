"""uvicorn's WebSocket protocol with what a broadcast needs besides: one frame's bytes for many clients, and a way to cut one.

A frame that a server sends is not masked (RFC 6455, section 5.3): its bytes are the same for every client. So the hub makes them
once and writes them to each connection, where `websocket.send` would make them anew, in a task of each client.
"""

from __future__ import annotations

import socket
import struct
from asyncio.transports import BaseTransport
from collections.abc import Callable
from enum import IntEnum
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import State

WIRE = "aegis.wire"  # extension of the ASGI scope: the connection's `Wire`


class Opcode(IntEnum):
    """What a data frame holds."""

    TEXT = 1
    BINARY = 2


def data_frame(opcode: Opcode, payload: bytes) -> bytes:
    """Return the bytes of an unmasked, unfragmented, uncompressed frame (RFC 6455, section 5.2)."""
    length = len(payload)
    first = 0x80 | opcode  # FIN
    if length < 126:
        return bytes((first, length)) + payload
    if length < 1 << 16:
        return struct.pack("!BBH", first, 126, length) + payload
    return struct.pack("!BBQ", first, 127, length) + payload


class Wire:
    """The way to one client, below ASGI."""

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self.on_writable: Callable[[], None] = lambda: None  # called when what was written has left

    @property
    def open(self) -> bool:
        """Whether frames may be sent."""
        p = self._protocol
        return p.conn.state is State.OPEN and not p.close_sent and not p.transport.is_closing()

    @property
    def writable(self) -> bool:
        """Whether everything written so far has left for the kernel."""
        writable: bool = self._protocol.writable.is_set()
        return writable

    def write(self, frame: bytes) -> None:
        """Send a frame of `data_frame`; only where open."""
        self._protocol.transport.write(frame)

    def cut(self) -> None:
        """Reset the connection: a close, like everything else, would wait behind what the client does not read."""
        transport = self._protocol.transport
        connection = transport.get_extra_info("socket")
        # Without lingering the kernel forgets what it still holds for the client, and frees it.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


def protocol_class(send_buffer_bytes: int) -> type[WebSocketsSansIOProtocol]:
    """Return the protocol for uvicorn's `ws` option.

    Args:
        send_buffer_bytes: size of the kernel's send buffer. Left to the kernel, a client that reads slowly would get
            megabytes of old frames.
    """

    class Protocol(WebSocketsSansIOProtocol):
        def connection_made(self, transport: BaseTransport) -> None:
            super().connection_made(transport)
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer_bytes)
            # Nothing waits in this process: what the kernel does not take at once, the client's own short queue holds.
            self.transport.set_write_buffer_limits(high=0)
            self.wire = Wire(self)

        def handle_connect(self, event: Request) -> None:
            super().handle_connect(event)
            if hasattr(self, "scope"):  # the handshake was accepted, and the application starts on the loop's next turn
                extensions: dict[str, Any] = self.scope["extensions"]  # type: ignore[assignment]
                extensions[WIRE] = self.wire

        def resume_writing(self) -> None:
            super().resume_writing()
            self.wire.on_writable()

    return Protocol
