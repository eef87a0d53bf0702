"""uvicorn's HTTP protocol with what it lacks: a request must have arrived, headers and body, within a time."""

from __future__ import annotations

import logging
from asyncio import TimerHandle
from asyncio.transports import BaseTransport
from typing import Any

import uvloop
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

_log = logging.getLogger(__name__)

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
    text = f'{{"detail":"a request must arrive within {request_timeout_s:g} s"}}'.encode()
    too_late = (
        STATUS_LINE[408]
        + b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(text)
        + text
    )

    class Protocol(HttpToolsProtocol):
        _deadline: TimerHandle | None = None
        _arriving = False  # a request has begun and not ended
        _behind = False  # it came while another one was being answered

        def connection_made(self, transport: BaseTransport) -> None:  # type: ignore[override]
            super().connection_made(transport)  # type: ignore[arg-type]
            self._start()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            self._start()  # also for line ends before a request: they end uvicorn's keep-alive timeout
            super().data_received(data)

        def on_message_begin(self) -> None:
            self._arriving = True
            self._behind = self._answering
            self._start()
            super().on_message_begin()

        def on_message_complete(self) -> None:
            self._arriving = False
            self._stop()
            super().on_message_complete()
            if self.cycle is not None and self.cycle.response_complete and self.timeout_keep_alive_task is None:
                # It was answered before it had arrived, and what came since has ended the keep-alive timeout.
                self.timeout_keep_alive_task = self.loop.call_later(
                    self.timeout_keep_alive, self.timeout_keep_alive_handler
                )

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
            begun = self._behind or (self._answering and self.cycle.response_started)
            if self._answering:
                self.cycle.disconnected = True  # the application has nothing to add
                self.cycle.message_event.set()
            if self._arriving and not begun:
                self.transport.write(too_late)
            self.transport.close()

    return Protocol
