"""uvicorn's WebSocket protocol with two things it lacks: a bound on what the kernel buffers, and a way to cut a client."""

from __future__ import annotations

import socket
import struct
from asyncio.transports import BaseTransport
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

CUT = "aegis.cut"  # extension of the ASGI scope: a function that cuts the connection


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

        def handle_connect(self, event: Request) -> None:
            super().handle_connect(event)
            if hasattr(self, "scope"):  # the handshake was accepted, and the application starts on the loop's next turn
                extensions: dict[str, Any] = self.scope["extensions"]  # type: ignore[assignment]
                extensions[CUT] = self.cut

        def cut(self) -> None:
            """Reset the connection: a close, like everything else, would wait behind what the client does not read."""
            connection = self.transport.get_extra_info("socket")
            # Without lingering the kernel forgets what it still holds for the client, and frees it.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()

    return Protocol
