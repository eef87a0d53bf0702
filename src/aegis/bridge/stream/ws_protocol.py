# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""uvicorn's WebSocket protocol with what a broadcast needs besides: one frame's bytes for many clients, and a way to cut one.

A frame that a server sends is not masked (RFC 6455, section 5.3): its bytes are the same for every client. So the hub makes them
once and writes them to each connection, where `websocket.send` would make them anew, in a task of each client.
"""

from __future__ import annotations

import socket
import struct
from asyncio.transports import BaseTransport
from enum import IntEnum

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from aegis.bridge.stream.client import Wire

UNSENT_BYTES = 16384  # that wait in the kernel for one client before more is written
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
            # Nor does the kernel hold much that it has not sent: on a thin line an alarm would wait behind it.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
            # Nothing waits in this process: what the kernel does not take at once, the client's own short queue holds.
            self.transport.set_write_buffer_limits(high=0)
            self.wire = Wire(self)

        def handle_connect(self, event: Request) -> None:
            super().handle_connect(event)
            if hasattr(self, "scope"):  # the handshake was accepted, and the application starts on the loop's next turn
                extensions: dict[str, object] = self.scope["extensions"]  # type: ignore[assignment]
                extensions[WIRE] = self.wire

        def pause_writing(self) -> None:
            super().pause_writing()
            self.wire.is_full()

        def resume_writing(self) -> None:
            super().resume_writing()
            self.wire.is_writable_again()

    return Protocol
