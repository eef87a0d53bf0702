# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The tracks of a time as Cursor on Target: one file with the way of all, and for each track the last event, to be opened alone."""

from __future__ import annotations

from collections.abc import Iterable

from aegis.bridge.live.encoded import EncodedRows
from aegis.bridge.live.frames import Frame
from aegis.bridge.outputs import cot_xml
from aegis.bridge.outputs.cot import CotEvent, CotStyle, events
from aegis.bridge.outputs.feed import Picture
from aegis.core.site import Site
from aegis.core.types import Threats, Tracks

PERIOD_NS = 1_000_000_000
ALL = "all.xml"
_HEAD = b"<?xml version='1.0' encoding='UTF-8'?>\n"


def cot_files(pictures: Iterable[tuple[Tracks, Threats | None]], site: Site, style: CotStyle) -> dict[str, bytes]:
    """Return files by name: about an event a second and track in ALL, under one root, and the last event of each track.

    Args:
        pictures: in the order of time, each with what is assessed of it.
        site: where `map` is on Earth.
        style: how tracks are written.
    """
    last: dict[int, CotEvent] = {}
    lines: list[bytes] = []
    next_ns = 0
    for tracks, threats in pictures:
        if tracks.stamp_ns < next_ns:
            continue
        next_ns = tracks.stamp_ns + PERIOD_NS
        assessed = None if threats is None else Frame(threats, 0.0, 0.0, _no_rows)
        found = events(Picture(Frame(tracks, 0.0, 0.0, _no_rows), assessed, site), style)
        last |= found
        lines += [cot_xml.encode(event).removeprefix(_HEAD) for event in found.values()]
    if not last:
        return {}
    whole = _HEAD + b"<events>\n" + b"\n".join(lines) + b"\n</events>\n"
    return {ALL: whole} | {f"track-{one}.cot": cot_xml.encode(event) for one, event in last.items()}


def _no_rows(_: object) -> EncodedRows:
    return EncodedRows(list)  # nobody asks for the JSON of these
