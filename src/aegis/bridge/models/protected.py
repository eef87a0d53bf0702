# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is protected and watched."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from aegis.bridge.live import area_columns
from aegis.bridge.models.common import Model, with_columns


@with_columns(area_columns.AREA)
class ProtectedArea(Model):
    """An asset, or a zone of rules."""


class TilesSite(Model):
    """Where the origin of `map` is, to place tiles."""

    latitude: float
    longitude: float


class MapLines(Model):
    """The coast line."""

    # x east, y north in `map`. No tuple: schemathesis reads `prefixItems` of an answer as `items`, and finds it no schema.
    lines_m: list[list[Annotated[list[float], Field(min_length=2, max_length=2)]]]
    tiles_site: TilesSite | None = Field(description="null: there are no tiles")


class Protected(Model):
    """The assets, then the zones."""

    stamp_s: float
    age_s: float
    items: list[ProtectedArea]
