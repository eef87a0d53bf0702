"""What is protected and watched."""

from __future__ import annotations

from aegis.bridge.live import area_columns
from aegis.bridge.models.common import Model, with_columns


@with_columns(area_columns.AREA)
class ProtectedArea(Model):
    """An asset, or a zone of rules."""


class MapLines(Model):
    """The coast line."""

    lines_m: list[list[tuple[float, float]]]  # x east, y north in `map`


class Protected(Model):
    """The assets, then the zones."""

    stamp_s: float
    age_s: float
    items: list[ProtectedArea]
