# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Zones: from parameters, YAML or GeoJSON to arrays of corners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pymap3d
from pydantic import ValidationError

from aegis.core.params import ConfigError
from aegis.core.threat.zone_rules import named_rules, rules_of
from aegis.core.threat.zone_settings import Rule, Zone
from aegis.core.types import Floats, Ints

CORNERS_OF_A_CIRCLE = 64  # its edges are nowhere farther inside of it than 0.12 % of the radius
_LIMITS = ("floor_m", "ceiling_m")
RULES = "rules"  # of a zone in a file


class ZoneArrays(NamedTuple):
    """Z zones with V corners altogether."""

    names: list[str]
    vertex: Floats  # (V, 2) x, y
    first: Ints  # (Z + 1,) where the corners of each begin
    box: Floats  # (Z, 6) west, south, east, north, floor, ceiling


def arrays_of(zones: Mapping[str, Zone]) -> ZoneArrays:
    """Return zones as arrays."""
    corners = [_corners(zone) for zone in zones.values()]
    first = np.cumsum([0, *(len(each) for each in corners)], dtype=np.int64)
    box = [
        [*each.min(axis=0), *each.max(axis=0), zone.floor_m, zone.ceiling_m]
        for each, zone in zip(corners, zones.values(), strict=True)
    ]
    vertex = np.ascontiguousarray(np.concatenate([np.empty((0, 2)), *corners]))
    return ZoneArrays(list(zones), vertex, first, np.array(box, dtype=np.float64).reshape(-1, 6))


def _corners(zone: Zone) -> Floats:
    if zone.polygon:
        return np.array(zone.polygon, dtype=np.float64).reshape(-1, 2)
    angle = np.linspace(0.0, 2.0 * np.pi, CORNERS_OF_A_CIRCLE, endpoint=False)
    return np.array([zone.x, zone.y]) + zone.radius_m * np.stack([np.cos(angle), np.sin(angle)], axis=1)


class FileZones(NamedTuple):
    """Zones by name, and the rules of those that have their own, by theirs."""

    zones: dict[str, Zone]
    rules: dict[str, Rule]


def zones_of(document: object, site: Sequence[float], source: str) -> FileZones:
    """Return the zones of a document.

    Args:
        document: what a YAML or JSON file holds: GeoJSON (a FeatureCollection, or a Feature, with polygons whose properties are
            `name`, `floor_m`, `ceiling_m`, `rules`), or a mapping `zones` from name to what the parameter `zones.<name>` takes,
            where `latitude_longitude`, a list of pairs in degrees, can take the place of `polygon`, and `rules` is a list of what
            the parameter `rules.<name>` takes, without `zone`.
        site: latitude, longitude [deg], altitude [m] of the origin of map; empty where it is not known.
        source: the file, for error messages.

    Raises:
        ConfigError: it is neither, or a zone is wrong; or it is in degrees, and the site is not known.
    """
    if isinstance(document, Mapping) and isinstance(document.get("zones"), Mapping):
        given = {str(name): value for name, value in document["zones"].items()}
    elif isinstance(document, Mapping) and document.get("type") in ("FeatureCollection", "Feature"):
        given = dict(_features(document, source))
    else:
        raise ConfigError(f"{source}: GeoJSON (a FeatureCollection) or a mapping 'zones' is expected")
    zones = {name: _zone(name, value, site, source) for name, value in given.items()}
    rules = {name: rule for zone, value in given.items() for name, rule in _own_rules(zone, value, source).items()}
    return FileZones(zones, rules)


def _own_rules(zone: str, value: object, source: str) -> dict[str, Rule]:
    """Return the rules that a zone of a file has itself; none where it says nothing of them."""
    given = value.get(RULES) if isinstance(value, Mapping) else None
    if given is None:
        return {}
    if not isinstance(given, list):
        raise ConfigError(f"{source}: zone '{zone}': rules is {given!r}; a list of mappings is expected")
    try:
        return named_rules(zone, rules_of(zone, given))
    except ValueError as error:
        raise ConfigError(f"{source}: zone '{zone}': {error}") from None


def _features(document: Mapping[str, object], source: str) -> list[tuple[str, dict[str, object]]]:
    """Return the polygons of GeoJSON by name, their corners as (latitude, longitude)."""
    out: list[tuple[str, dict[str, object]]] = []
    features = document.get("features") if document["type"] == "FeatureCollection" else [document]
    for k, feature in enumerate(features if isinstance(features, list) else []):
        geometry = feature.get("geometry") if isinstance(feature, Mapping) else None
        said = (feature.get("properties") if isinstance(feature, Mapping) else None) or {}
        name = str(said.get("name", k + 1))
        if not isinstance(geometry, Mapping) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
            raise ConfigError(f"{source}: feature '{name}' is no Polygon or MultiPolygon")
        given = geometry.get("coordinates")
        parts = [given] if geometry["type"] == "Polygon" else given if isinstance(given, list) else []
        for i, rings in enumerate(parts):
            if not isinstance(rings, list) or len(rings) != 1:
                raise ConfigError(f"{source}: feature '{name}' has holes, or no ring; a zone is one ring")
            ring = rings[0][:-1] if rings[0][0] == rings[0][-1] else rings[0]
            values: dict[str, object] = {"latitude_longitude": [point[1::-1] for point in ring]}
            values |= {key: said[key] for key in (*_LIMITS, RULES) if key in said}
            out.append((name if len(parts) == 1 else f"{name} {i + 1}", values))
    if len({name for name, _ in out}) < len(out):
        raise ConfigError(f"{source}: two zones have the same name")
    return out


def _zone(name: str, value: object, site: Sequence[float], source: str) -> Zone:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{source}: zone '{name}' is {value!r}; a mapping is expected")
    given = {key: one for key, one in value.items() if key != RULES}
    try:
        pairs = given.pop("latitude_longitude", None)
        if pairs is not None:
            if len(site) != 3:
                raise ConfigError(f"{source}: zone '{name}' is in degrees: the parameter site has to say where map is")
            latitude, longitude = np.array(pairs, dtype=np.float64).reshape(-1, 2).T
            east, north, _ = pymap3d.geodetic2enu(latitude, longitude, site[2], *site)
            given["polygon"] = np.stack([east, north], axis=1).ravel().tolist()
        elif isinstance(given.get("polygon"), list):
            given["polygon"] = np.array(given["polygon"], dtype=np.float64).ravel().tolist()
        return Zone.model_validate(given)
    except ConfigError:
        raise
    except (ValidationError, ValueError, TypeError) as error:
        raise ConfigError(f"{source}: zone '{name}': {error}") from None
