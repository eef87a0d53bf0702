# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is protected and watched."""

from __future__ import annotations

from itertools import accumulate, pairwise

from aegis_msgs.msg import ProtectedArray

from aegis.core.threat.areas import ProtectedArea
from aegis.ros.messages.columns import RecordConverter, read_from_msg
from aegis.ros.messages.fields import check_lengths, make_header, pack

_CORNERS = ("corners", "corner_x", "corner_y")
_AREAS = RecordConverter(ProtectedArea, ProtectedArray, apart=("outline", *_CORNERS))


def areas_to_msg(areas: list[ProtectedArea], *, stamp_ns: int, frame_id: str) -> ProtectedArray:
    """Return the message of all areas."""
    m = ProtectedArray()
    m.header = make_header(stamp_ns, frame_id)
    _AREAS.fill(m, areas)
    m.corners = pack("I", [len(area.outline) for area in areas])
    m.corner_x = pack("d", [x for area in areas for x, _ in area.outline])
    m.corner_y = pack("d", [y for area in areas for _, y in area.outline])
    return m


@read_from_msg
def areas_from_msg(m: ProtectedArray) -> list[ProtectedArea]:
    """Return the areas of a message.

    Raises:
        MalformedError: arrays of lengths that do not fit, or a kind that does not exist.
    """
    check_lengths(m, len(m.name), ["corners"])
    ends = list(accumulate((int(count) for count in m.corners), initial=0))
    check_lengths(m, ends[-1], ["corner_x", "corner_y"])
    corners = list(zip(m.corner_x, m.corner_y, strict=True))
    return _AREAS.read(m, outline=[tuple(corners[first:last]) for first, last in pairwise(ends)])
