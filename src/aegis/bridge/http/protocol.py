# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""uvicorn's HTTP protocol with what it lacks: a request must have arrived within a time, and its head within bounds."""

from __future__ import annotations

import logging
from asyncio import TimerHandle
from asyncio.transports import BaseTransport
from typing import Any

import uvloop
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

_log = logging.getLogger(__name__)

MAX_HEADERS = 100
MAX_LINE_BYTES = 8 * 1024
MAX_HEAD_BYTES = 64 * 1024
_SLICE_BYTES = 4 * 1024  # so much is parsed before what was found is looked at
TLS_HANDSHAKE_S = 10.0
TLS_SHUTDOWN_S = 1.0


class Loop(uvloop.Loop):
    """uvloop that bounds TLS, which uvicorn leaves at 60 s to begin and 30 s to end; both come before HTTP."""

    async def create_server(self, *args: Any, **options: Any) -> Any:
        """Listen; the arguments are uvloop's."""
        if options.get("ssl") is not None:
            options = {"ssl_handshake_timeout": TLS_HANDSHAKE_S, "ssl_shutdown_timeout": TLS_SHUTDOWN_S, **options}
        return await super().create_server(*args, **options)


def protocol_class(request_timeout_s: float) -> type[HttpToolsProtocol]:
    """Return the protocol for uvicorn's `http` option.

    Args:
        request_timeout_s: from a connection's begin, or from a later request's first byte, to the request's end. A connection
            that is silent from the start is closed then too; one that is silent between requests, by uvicorn's
            `timeout_keep_alive`.
    """
    too_late = _answer(408, f"a request must arrive within {request_timeout_s:g} s")

    class Protocol(HttpToolsProtocol):
        _deadline: TimerHandle | None = None
        _arriving = False  # a request has begun and not ended
        _behind = False  # it came while another one was being answered
        _pending = 0  # bytes since the parser has last found something; it keeps an unfinished line, however long
        _head_bytes = _n_headers = 0  # of this request, with what comes behind a body
        _refusal = b""  # what this request is answered

        def connection_made(self, transport: BaseTransport) -> None:  # type: ignore[override]
            super().connection_made(transport)  # type: ignore[arg-type]
            self._start()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            self._start()  # also for line ends before a request: they end uvicorn's keep-alive timeout
            for begin in range(0, len(data), _SLICE_BYTES):
                part = data[begin : begin + _SLICE_BYTES]
                self._pending += len(part)
                super().data_received(part)
                if self.transport.is_closing() or self.transport.get_protocol() is not self:
                    return
                if self._pending > MAX_LINE_BYTES:
                    self._refuse(431)
                    return

        def on_message_begin(self) -> None:
            self._arriving = True
            self._behind = self._answering
            self._pending = self._head_bytes = self._n_headers = 0
            self._start()
            super().on_message_begin()

        def on_url(self, url: bytes) -> None:
            self._pending = 0
            super().on_url(url)
            if len(self.url) > MAX_LINE_BYTES:
                self._too_large(414)

        def on_header(self, name: bytes, value: bytes) -> None:
            self._pending = 0
            self._n_headers += 1
            self._head_bytes += len(name) + len(value)
            if (
                self._n_headers > MAX_HEADERS
                or len(name) + len(value) > MAX_LINE_BYTES
                or self._head_bytes > MAX_HEAD_BYTES
            ):
                self._too_large(431)
            super().on_header(name, value)

        def on_headers_complete(self) -> None:
            self._pending = 0
            super().on_headers_complete()

        def on_body(self, body: bytes) -> None:
            self._pending = 0
            super().on_body(body)

        def on_message_complete(self) -> None:
            self._arriving = False
            self._pending = 0
            self._stop()
            super().on_message_complete()
            if self.cycle is not None and self.cycle.response_complete and self.timeout_keep_alive_task is None:
                # It was answered before it had arrived, and what came since has ended the keep-alive timeout.
                self.timeout_keep_alive_task = self.loop.call_later(
                    self.timeout_keep_alive, self.timeout_keep_alive_handler
                )

        def _too_large(self, status: int) -> None:
            """End the parsing; uvicorn's `data_received` answers what the parser refuses."""
            self._refusal = _TOO_LARGE[status]
            raise ValueError(status)

        def send_400_response(self, msg: str) -> None:
            if self._refusal:
                self._close_with(self._refusal)
            else:
                super().send_400_response(msg)

        def _refuse(self, status: int) -> None:
            self._close_with(_TOO_LARGE[status])

        def _close_with(self, answer: bytes) -> None:
            """Answer the request that is arriving, unless an answer has begun, and close."""
            begun = self._behind or (self._answering and self.cycle.response_started)
            if self._answering:
                self.cycle.disconnected = True  # the application has nothing to add
                self.cycle.message_event.set()
            if self._arriving and not begun:
                self.transport.write(answer)
            self.transport.close()

        def handle_websocket_upgrade(self) -> None:
            self._stop()
            self._unset_keepalive_if_required()
            super().handle_websocket_upgrade()

        @property
        def _answering(self) -> bool:
            return self.cycle is not None and not self.cycle.response_complete

        def _start(self) -> None:
            if self._deadline is None:
                self._deadline = self.loop.call_later(request_timeout_s, self._expired)

        def _stop(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

        def _expired(self) -> None:
            self._deadline = None
            if self.transport.is_closing() or (self._answering and not self._arriving):
                return  # a stray line end after a request that is still being answered
            _log.info("a request from %s did not arrive within %g s", self.client, request_timeout_s)
            if self.transport.get_write_buffer_size():
                self.transport.abort()  # the client does not read either: a close would wait for it
                return
            self._close_with(too_late)

    return Protocol


def _answer(status: int, detail: str) -> bytes:
    """Return a whole answer after which the connection is closed."""
    text = f'{{"detail":"{detail}"}}'.encode()
    head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(text)
    return STATUS_LINE[status] + head + text


_TOO_LARGE = {
    414: _answer(414, f"a URL has at most {MAX_LINE_BYTES} bytes"),
    431: _answer(
        431,
        f"a request has at most {MAX_HEADERS} headers, of {MAX_LINE_BYTES} bytes each and {MAX_HEAD_BYTES} together",
    ),
}
