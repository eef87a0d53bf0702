# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the API shows of what is protected and watched."""

from __future__ import annotations

from collections.abc import Sequence

from aegis.bridge.live.columns import Table, each
from aegis.bridge.live.encoded import EncodedRows
from aegis.core.threat.areas import ProtectedArea

AREA: Table[Sequence[ProtectedArea]] = Table(
    each("name", "text", lambda a: a.name, example="harbour"),
    each("kind", "text", lambda a: a.kind.name, "ASSET, ZONE", "ZONE"),
    each("origin", "text", lambda a: a.origin.name, "CONFIGURED, by parameters; DRAWN, by a person", "DRAWN"),
    each("version", "integer", lambda a: a.version, "of what is drawn; 0: configured", 7),
    each("x_m", "number", lambda a: a.x, "middle of what is round, east in map; null for a polygon", 120.0),
    each("y_m", "number", lambda a: a.y, "north in map", -40.0),
    each("z_m", "number", lambda a: a.z, "up in map; null for a zone", 0.0),
    each("radius_m", "number", lambda a: a.radius_m, "null for a polygon", 100.0),
    each("floor_m", "number", lambda a: a.floor_m, "lowest height of a zone; null for no bound, and for an asset", 0.0),
    each(
        "ceiling_m",
        "number",
        lambda a: a.ceiling_m,
        "greatest height of a zone; null for no bound, and for an asset",
        300.0,
    ),
    each("outline_m", "corners", lambda a: a.outline, "corners (east, north) of a polygon; empty for what is round"),
)


def area_rows(areas: Sequence[ProtectedArea]) -> EncodedRows:
    """Return the areas in their order."""
    return EncodedRows(lambda: AREA.rows(areas))
