# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How a client and a TAK server agree on protobuf: "Streaming Connection Protocol Negotiation", takproto/README.md of ATAK-CIV.

Both begin in XML. The server may offer versions (t-x-takp-v), the client asks for one (t-x-takp-q) and sends nothing until the
server has agreed (t-x-takp-r) or not.
"""

from __future__ import annotations

import logging
import time
from enum import Enum
from xml.etree.ElementTree import Element, ParseError, SubElement, fromstring

from aegis.bridge.outputs.cot_xml import VERSION, document, iso_time

_log = logging.getLogger(__name__)

PROTOCOL_VERSION = "1"
ANSWER_S = 60.0  # "for at least one minute"
_END = b"</event>"
_OURS = b"t-x-takp-"  # all other events are not for us
_MAX_EVENT_BYTES = 1 << 16


class Form(Enum):
    """What may be sent."""

    XML = "xml"
    NOTHING = "nothing"
    PROTOBUF = "protobuf"


class Negotiation:
    """One client's side; `restart` at each connection."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begin anew: in XML."""
        self.form = Form.XML
        self._requested_at = 0.0
        self._pending = b""

    @property
    def overdue(self) -> bool:
        """Whether the server owes an answer for so long that the connection must be given up."""
        return self.form is Form.NOTHING and time.monotonic() - self._requested_at > ANSWER_S

    def take(self, data: bytes) -> bytes:
        """Take what the server sent; return what to answer."""
        if self.form is Form.PROTOBUF:
            return b""
        *whole, self._pending = (self._pending + data).split(_END)
        self._pending = self._pending[-_MAX_EVENT_BYTES:]
        return b"".join(self._take_event(text + _END) for text in whole if _OURS in text)

    def _take_event(self, text: bytes) -> bytes:
        try:
            event = fromstring(text[max(text.find(b"<event"), 0) :])
        except ParseError as error:
            _log.warning("the TAK server's %r cannot be read: %s", text[:200], error)
            return b""
        kind = event.get("type")
        if kind == "t-x-takp-v" and self.form is Form.XML:
            offered = {support.get("version") for support in event.iter("TakProtocolSupport")}
            if PROTOCOL_VERSION in offered:
                self.form, self._requested_at = Form.NOTHING, time.monotonic()
                return document(_request(event.get("uid", "")))
            _log.info("the TAK server offers %s: going on in XML", sorted(map(str, offered)))
        elif kind == "t-x-takp-r" and self.form is Form.NOTHING:
            agreed = any(response.get("status") == "true" for response in event.iter("TakResponse"))
            self.form = Form.PROTOBUF if agreed else Form.XML
            _log.info("the TAK server %s protobuf", "agrees to" if agreed else "refuses")
        return b""


def _request(uid: str) -> Element:
    now = iso_time(time.time_ns() // 1_000_000)
    event = Element("event", version=VERSION, uid=uid, type="t-x-takp-q", time=now, start=now, stale=now, how="m-g")
    SubElement(event, "point", lat="0.0", lon="0.0", hae="0.0", ce="999999", le="999999")
    control = SubElement(SubElement(event, "detail"), "TakControl")
    SubElement(control, "TakRequest", version=PROTOCOL_VERSION)
    return event
