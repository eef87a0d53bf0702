# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Sends Cursor on Target events: a datagram an event, or a stream to a TAK server."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

from aegis.bridge.outputs import cot, cot_xml
from aegis.bridge.outputs.cot import MS_NS, CotEvent, CotStyle
from aegis.bridge.outputs.feed import Feed, Picture
from aegis.bridge.outputs.lines import Line, StreamLine, UdpLine
from aegis.bridge.outputs.sender import Sender
from aegis.bridge.outputs.settings import CotSettings, OutputSettings
from aegis.bridge.outputs.tak_negotiation import Form, Negotiation
from aegis.bridge.outputs.targets import parse_url
from aegis.core.params import ConfigError
from aegis.core.types import ThreatLevel

Encode = Callable[[CotEvent], bytes]


class CotSender(Sender):
    """Sends the established tracks, and once more each that has ended.

    Args:
        settings: with a `cot.url`.
        feed: where the pictures come from.
        uid_prefix: of the events; no other sender's is the same.

    Raises:
        ConfigError: the package for protobuf is not there, or a file for TLS cannot be used.
    """

    def __init__(self, settings: OutputSettings, feed: Feed, uid_prefix: str) -> None:
        line, self._encoder = _open(settings)
        super().__init__("cot", feed, line, settings.cot.period_s)
        self._style = CotStyle(
            uid_prefix=uid_prefix,
            stale_ms=round(settings.cot.stale_s * 1000.0),
            hostile_from=ThreatLevel[settings.cot.hostile_level] if settings.cot.hostile_level else None,
            simulated=settings.simulated,
        )
        self._last: dict[int, CotEvent] = {}

    async def _send(self, picture: Picture) -> None:
        encode = self._encoder()
        packets = await asyncio.to_thread(self._packets, picture, encode or cot_xml.encode)
        # Meanwhile a TAK server may have agreed to another form.
        ready = encode is not None and encode is self._encoder()
        self._count(len(packets), await self._line.send(packets) if ready else 0)

    def _packets(self, picture: Picture, encode: Encode) -> list[bytes]:
        now = cot.events(picture, self._style)
        time_ms = picture.tracks.stamp_ns // MS_NS
        gone = [cot.ended(event, time_ms) for track_id, event in self._last.items() if track_id not in now]
        self._last = now
        return [encode(event) for event in (*now.values(), *gone)]


def _open(settings: OutputSettings) -> tuple[Line, Callable[[], Encode | None]]:
    """Return the line, and a function that returns its present encoder (None: send nothing)."""
    target = parse_url(settings.cot.url)
    mesh: Encode = cot_xml.encode
    stream: Encode | None = None
    if settings.cot.format == "protobuf":
        mesh, stream = _protobuf()
    if target.scheme == "udp":
        udp = UdpLine(
            target,
            multicast_ttl=settings.multicast_ttl,
            multicast_interface=settings.multicast_interface,
        )
        return udp, lambda: mesh
    negotiation = Negotiation()

    def received(data: bytes) -> None:
        if stream is not None:
            line.write(negotiation.take(data))

    def encoder() -> Encode | None:
        if negotiation.overdue:
            line.cut()
        return {Form.XML: cot_xml.encode, Form.NOTHING: None, Form.PROTOBUF: stream}[negotiation.form]

    line = StreamLine(
        target,
        tls=_tls(settings.cot) if target.scheme == "tls" else None,
        server_name=settings.cot.tls_server_name,
        opened=negotiation.restart,
        received=received,
    )
    return line, encoder


def _protobuf() -> tuple[Encode, Encode]:
    """Return what writes events for a datagram, and for a stream.

    Raises:
        ConfigError: the package is not there.
    """
    try:
        from aegis.bridge.outputs.cot_protobuf import encode_mesh, encode_stream
    except ImportError as error:
        raise ConfigError(
            f"bridge: the parameter 'outputs.cot.format' = 'protobuf' needs a package that is not there ({error}): "
            "pip install 'aegis[tak]'; or leave it at 'xml'"
        ) from error
    return encode_mesh, encode_stream


def _tls(settings: CotSettings) -> ssl.SSLContext:
    """Return how a TAK server is checked, and what it is shown.

    Raises:
        ConfigError: a file cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca or None)
    except OSError as error:
        raise ConfigError(f"bridge: outputs.cot.tls_ca '{settings.tls_ca}' cannot be used: {error}") from error
    if settings.tls_certificate:
        try:
            # An empty password, so that OpenSSL does not ask for one at a terminal.
            context.load_cert_chain(settings.tls_certificate, settings.tls_key, password="")
        except OSError as error:
            raise ConfigError(
                f"bridge: outputs.cot.tls_certificate '{settings.tls_certificate}' and outputs.cot.tls_key '{settings.tls_key}'"
                f" cannot be used: {error}; PEM files are expected, the key without a password"
            ) from error
    return context
