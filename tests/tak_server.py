# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A TCP or TLS server that collects what a TAK client sends, and what a TAK server says to agree on protobuf."""

import contextlib
import select
import socket
import ssl
import threading

_EVENT = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<event version="2.0" uid="{uid}" type="{type}" time="2026-01-01T00:00:00Z"'
    ' start="2026-01-01T00:00:00Z" stale="2026-01-01T00:01:00Z" how="m-g"><point lat="0.0" lon="0.0" hae="0.0" ce="999999"'
    ' le="999999"/><detail><TakControl>{control}</TakControl></detail></event>'
)


def control_event(kind: str, control: str, uid: str = "protouid-1") -> bytes:
    """Return an event as a TAK server sends it."""
    return _EVENT.format(uid=uid, type=kind, control=control).encode()


OFFER = control_event("t-x-takp-v", '<TakProtocolSupport version="1"/><TakServerVersionInfo serverVersion="5.2"/>')
AGREED = control_event("t-x-takp-r", '<TakResponse status="true"/>')
REFUSED = control_event("t-x-takp-r", '<TakResponse status="false"/>')
OTHER = control_event("a-f-G", "", uid="somebody")


class TakServer:
    """Serves one connection after another, in a thread.

    Args:
        tls: None for TCP.
        reads: whether it takes what comes; one that does not stalls its clients.
    """

    def __init__(self, tls: ssl.SSLContext | None = None, *, reads: bool = True) -> None:
        self._tls = tls
        self._reads = reads
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.connections = 0
        self.received = b""  # on the last connection
        self._client: socket.socket | None = None
        self._has_client = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def say(self, data: bytes) -> None:
        """Send to the client, which may know of its connection before this side does."""
        assert self._has_client.wait(10), "nobody has connected"
        self._client.sendall(data)

    def hang_up(self) -> None:
        """Break the connection, where there is one."""
        if self._client is not None:
            with contextlib.suppress(OSError):
                self._client.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._closing = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self.hang_up()
        self._thread.join(10)
        self._listener.close()
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        while not self._closing:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            try:
                with self._tls.wrap_socket(client, server_side=True) if self._tls else client as self._client:
                    self.received = b""
                    self.connections += 1
                    self._has_client.set()
                    self._collect()
            except OSError:
                client.close()  # a handshake that failed, or a client that broke off
            finally:
                self._has_client.clear()

    def _collect(self) -> None:
        if self._reads:
            while data := self._client.recv(65536):
                self.received += data
            return
        poll = select.poll()
        poll.register(self._client, 0)  # tells only of errors, such as a reset
        while not self._closing and not poll.poll(50):
            pass
