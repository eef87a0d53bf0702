# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Cursor on Target events as protobuf: TAK protocol version 1, after takproto/README.md and detail.proto of ATAK-CIV."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import tostring

from takproto import TAKProtoVer
from takproto.functions import msg2proto
from takproto.proto import TakMessage

from aegis.bridge.outputs.cot import CotEvent
from aegis.bridge.outputs.cot_xml import remarks


def encode_mesh(event: CotEvent) -> bytes:
    """Return a datagram."""
    return bytes(msg2proto(_message(event), TAKProtoVer.MESH))


def encode_stream(event: CotEvent) -> bytes:
    """Return a message of a stream."""
    return bytes(msg2proto(_message(event), TAKProtoVer.STREAM))


def _message(event: CotEvent) -> Any:
    message = TakMessage()
    out = message.cotEvent
    out.type, out.uid, out.how = event.type, event.uid, event.how
    out.opex = "s" if event.simulated else ""
    out.sendTime = out.startTime = event.time_ms
    out.staleTime = event.stale_ms
    out.lat, out.lon, out.hae = event.latitude_deg, event.longitude_deg, event.height_m
    out.ce, out.le = event.circular_error_m, event.linear_error_m
    out.detail.contact.callsign = event.callsign
    if event.course_deg is not None:
        out.detail.track.course, out.detail.track.speed = event.course_deg, event.speed_mps
    out.detail.xmlDetail = tostring(remarks(event), encoding="unicode")  # what has no field of its own
    return message
