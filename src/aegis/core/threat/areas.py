# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is protected and watched, as displays show it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum

from aegis.core.threat.assets import AssetPlace
from aegis.core.threat.drawn_zones import DrawnZone
from aegis.core.threat.settings import Asset
from aegis.core.threat.zone_settings import NO_BOUND_M, Zone


class AreaKind(IntEnum):
    """What an area is."""

    UNKNOWN = 0
    ASSET = 1
    ZONE = 2


class Origin(IntEnum):
    """Whose word an area is."""

    UNKNOWN = 0
    CONFIGURED = 1  # by parameters
    DRAWN = 2  # by a person


@dataclass(frozen=True)
class ProtectedArea:
    """An asset, or a zone of rules, in `map`; NaN is what it does not have."""

    name: str
    kind: AreaKind
    x: float = math.nan  # the middle of what is round [m]
    y: float = math.nan
    z: float = math.nan
    radius_m: float = math.nan
    floor_m: float = math.nan  # of a zone: no bound
    ceiling_m: float = math.nan
    outline: tuple[tuple[float, float], ...] = ()  # corners of a polygon [m]
    origin: Origin = Origin.CONFIGURED
    version: int = 0  # of what is drawn


def areas_of(
    assets: Mapping[str, Asset],
    zones: Mapping[str, Zone],
    moving: Mapping[str, AssetPlace],
    drawn: Iterable[DrawnZone] = (),
) -> list[ProtectedArea]:
    """Return what is to be shown.

    Args:
        assets: by name; one on the platform is left out where `moving` does not have it: nobody knows where it is.
        zones: by name.
        moving: where the assets on the platform are now.
        drawn: zones that people have drawn.
    """
    out = []
    for name, asset in assets.items():
        if asset.on_platform and name not in moving:
            continue
        x, y, z = moving[name].position.tolist() if asset.on_platform else (asset.x, asset.y, asset.z)
        out.append(ProtectedArea(name, AreaKind.ASSET, x, y, z, asset.radius_m))
    out += [_zone_area(name, zone, Origin.CONFIGURED, 0) for name, zone in zones.items()]
    return out + [_zone_area(one.name, one.zone, Origin.DRAWN, one.version) for one in drawn]


def _zone_area(name: str, zone: Zone, origin: Origin, version: int) -> ProtectedArea:
    floor_m, ceiling_m = (math.nan if abs(h) >= NO_BOUND_M else h for h in (zone.floor_m, zone.ceiling_m))
    area = ProtectedArea(name, AreaKind.ZONE, floor_m=floor_m, ceiling_m=ceiling_m, origin=origin, version=version)
    if zone.polygon:
        return replace(area, outline=tuple(zip(zone.polygon[::2], zone.polygon[1::2], strict=True)))
    return replace(area, x=zone.x, y=zone.y, radius_m=zone.radius_m)
