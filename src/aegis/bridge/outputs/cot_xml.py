# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Cursor on Target events as XML, which every TAK product reads."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from xml.etree.ElementTree import Element, SubElement, tostring

from aegis.bridge.outputs.cot import CotEvent
from aegis.core.angles import compass_text

VERSION = "2.0"


def encode(event: CotEvent) -> bytes:
    """Return the XML: header, newline, element and no more, as a stream to a TAK server must have it."""
    return document(_element(event))


def document(element: Element) -> bytes:
    """Return an event's XML with its header."""
    out: bytes = tostring(element, encoding="UTF-8", xml_declaration=True)
    return out


def remarks(event: CotEvent) -> Element:
    """Return what is to be read about a track."""
    element = Element("remarks")
    element.text = event.remarks
    return element


@lru_cache(maxsize=8)  # the events of a picture have two times
def iso_time(time_ms: int) -> str:
    """Return a time as ISO 8601, to the millisecond."""
    seconds, ms = divmod(time_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ms:03d}Z"


def _element(event: CotEvent) -> Element:
    time = iso_time(event.time_ms)
    attributes = {
        "version": VERSION,
        "uid": event.uid,
        "type": event.type,
        "how": event.how,
        "time": time,
        "start": time,
        "stale": iso_time(event.stale_ms),
    }
    if event.simulated:
        attributes["opex"] = "s"
    element = Element("event", attributes)
    SubElement(
        element,
        "point",
        lat=f"{event.latitude_deg:.7f}",
        lon=f"{event.longitude_deg:.7f}",
        hae=f"{event.height_m:.2f}",
        ce=f"{event.circular_error_m:.2f}",
        le=f"{event.linear_error_m:.2f}",
    )
    detail = SubElement(element, "detail")
    SubElement(detail, "contact", callsign=event.callsign)
    if event.course_deg is not None:
        SubElement(detail, "track", course=compass_text(event.course_deg, 2), speed=f"{event.speed_mps:.2f}")
    detail.append(remarks(event))
    return element
