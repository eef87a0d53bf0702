"""What is protected and watched, as displays show it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from aegis.core.threat.assets import AssetPlace
from aegis.core.threat.settings import Asset
from aegis.core.threat.zone_settings import Zone


class AreaKind(IntEnum):
    """What an area is."""

    UNKNOWN = 0
    ASSET = 1
    ZONE = 2


@dataclass(frozen=True)
class ProtectedArea:
    """An asset, or a zone of rules, in `map`; NaN is what it does not have."""

    name: str
    kind: AreaKind
    x: float = math.nan  # the middle of what is round [m]
    y: float = math.nan
    z: float = math.nan
    radius_m: float = math.nan
    floor_m: float = math.nan
    ceiling_m: float = math.nan
    outline: tuple[tuple[float, float], ...] = ()  # corners of a polygon [m]


def areas_of(
    assets: Mapping[str, Asset], zones: Mapping[str, Zone], moving: Mapping[str, AssetPlace]
) -> list[ProtectedArea]:
    """Return what is to be shown.

    Args:
        assets: by name; one on the platform is left out where `moving` does not have it: nobody knows where it is.
        zones: by name.
        moving: where the assets on the platform are now.
    """
    out = []
    for name, asset in assets.items():
        if asset.on_platform and name not in moving:
            continue
        x, y, z = moving[name].position.tolist() if asset.on_platform else (asset.x, asset.y, asset.z)
        out.append(ProtectedArea(name, AreaKind.ASSET, x, y, z, asset.radius_m))
    for name, zone in zones.items():
        limits = (zone.floor_m, zone.ceiling_m)
        if zone.polygon:
            corners = tuple(zip(zone.polygon[::2], zone.polygon[1::2], strict=True))
            out.append(ProtectedArea(name, AreaKind.ZONE, math.nan, math.nan, math.nan, math.nan, *limits, corners))
        else:
            out.append(ProtectedArea(name, AreaKind.ZONE, zone.x, zone.y, math.nan, zone.radius_m, *limits))
    return out
