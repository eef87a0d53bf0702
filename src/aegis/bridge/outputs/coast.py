# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A coast line for the page: lines of a GeoJSON file (RFC 7946), placed in `map` once, when the bridge starts."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Self

import numpy as np
import orjson
import pymap3d

from aegis.core.params import ConfigError
from aegis.core.site import Site
from aegis.core.types import Floats

MOST_BYTES = 64 * 1024 * 1024
FARTHEST_M = 1_000_000.0  # beyond it the Earth bends away under `map`: such parts of lines are left out
# How deep the lists of coordinates are: a line's is a list of places.
_DEPTHS = {"LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
_NO_LINES = {"Point", "MultiPoint"}


class CoastLine:
    """Lines in `map`, as the body of an answer."""

    def __init__(self, lines: list[Floats], tiles_site: Site | None = None) -> None:
        """Encode lines of (N, 2) x east, y north [m]; and where `map` is, where there are tiles too."""
        self._lines = lines
        placed = tiles_site and {"latitude": tiles_site.latitude_deg, "longitude": tiles_site.longitude_deg}
        self.body = orjson.dumps({"lines_m": [np.round(line, 1).tolist() for line in lines], "tiles_site": placed})
        self.tag = sha256(self.body).hexdigest()[:16]

    def beneath(self, site: Site) -> CoastLine:
        """Return the same lines above tiles, with where `map` is."""
        return CoastLine(self._lines, site)

    @classmethod
    def load(cls, path: str, site: Site) -> Self:
        """Read a file.

        Raises:
            ConfigError: it cannot be read, is no GeoJSON, or has no line within reach; the message says which file, and where.
        """
        try:
            if Path(path).stat().st_size > MOST_BYTES:
                raise ConfigError(f"bridge: outputs.coast '{path}' is larger than {MOST_BYTES // 2**20} MiB")
            content = orjson.loads(Path(path).read_bytes())
            lines = [placed for line in _lines(content, "") for placed in _placed(line, site)]
        except OSError as error:
            raise ConfigError(f"bridge: outputs.coast '{path}' cannot be read: {error.strerror or error}") from error
        except ValueError as error:
            raise ConfigError(f"bridge: outputs.coast '{path}' is no GeoJSON of lines: {error}") from error
        if not lines:
            raise ConfigError(
                f"bridge: outputs.coast '{path}' has no line within {FARTHEST_M / 1e3:g} km of outputs.site"
            )
        return cls(lines)


NO_COAST = CoastLine([])


def _lines(node: object, where: str) -> Iterator[Floats]:
    """Yield (N, 2) longitudes and latitudes [deg] of each line, and each ring, of a GeoJSON object.

    Raises:
        ValueError: it is none; the message says where.
    """
    kind = node.get("type") if isinstance(node, dict) else None
    if not isinstance(node, dict) or not isinstance(kind, str):
        raise ValueError(f"{where or 'the file'} is no object with a type")
    children = {"FeatureCollection": "features", "GeometryCollection": "geometries"}.get(kind)
    if children:
        items = node.get(children)
        if not isinstance(items, list):
            raise ValueError(f"{where or 'the file'} has no list '{children}'")
        for i, item in enumerate(items):
            yield from _lines(item, f"{where}{'.' if where else ''}{children}[{i}]")
    elif kind == "Feature":
        if node.get("geometry") is not None:
            yield from _lines(node["geometry"], f"{where}{'.' if where else ''}geometry")
    elif kind in _DEPTHS:
        yield from _places(node.get("coordinates"), _DEPTHS[kind], f"{where}{'.' if where else ''}coordinates")
    elif kind not in _NO_LINES:
        raise ValueError(f"{where or 'the file'} is of the type '{kind}'")


def _places(coordinates: object, depth: int, where: str) -> Iterator[Floats]:
    if not isinstance(coordinates, list):
        raise ValueError(f"{where} is no list")
    if depth > 1:
        for i, part in enumerate(coordinates):
            yield from _places(part, depth - 1, f"{where}[{i}]")
        return
    for i, place in enumerate(coordinates):
        if not (isinstance(place, list) and len(place) >= 2 and all(type(v) in (int, float) for v in place[:2])):
            raise ValueError(f"{where}[{i}] is not a longitude and a latitude")
        if not (abs(place[0]) <= 180.0 and abs(place[1]) <= 90.0):
            raise ValueError(
                f"{where}[{i}] is {place[0]:g}, {place[1]:g}: longitude -180 to 180 and latitude -90 to 90"
            )
    yield np.array([place[:2] for place in coordinates], dtype=float).reshape(-1, 2)


def _placed(line: Floats, site: Site) -> Iterator[Floats]:
    """Yield the parts of a line that are within reach, in `map`."""
    longitude, latitude = line.T
    east, north, up = pymap3d.geodetic2enu(
        latitude, longitude, np.zeros(len(line)), site.latitude_deg, site.longitude_deg, site.altitude_m
    )
    near = np.sqrt(east**2 + north**2 + up**2) <= FARTHEST_M
    places = np.stack([east, north], axis=1)
    breaks = np.flatnonzero(np.diff(near)) + 1
    for part, is_near in zip(np.split(places, breaks), np.split(near, breaks), strict=True):
        if len(part) > 1 and is_near[0]:
            yield part
