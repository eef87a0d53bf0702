# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tracks as GeoJSON (RFC 7946)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from aegis.bridge.live.columns import rounded
from aegis.bridge.outputs.feed import Picture
from aegis.core.types import Floats

MEDIA_TYPE = "application/geo+json"


class BoundingBox(NamedTuple):
    """An area between meridians and parallels [deg]; west may be greater than east (RFC 7946, 5.2)."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def parse(cls, text: str) -> BoundingBox:
        """Return the box that `west,south,east,north` names.

        Raises:
            ValueError: it names none.
        """
        try:
            box = cls(*map(float, text.split(",")))
        except (TypeError, ValueError):
            raise ValueError("bbox: west,south,east,north in degrees is expected, as in 12.9,52.3,13.8,52.7") from None
        if not (abs(box.west) <= 180.0 and abs(box.east) <= 180.0):
            raise ValueError("bbox: west and east are from -180 to 180 degrees")
        if not -90.0 <= box.south <= box.north <= 90.0:
            raise ValueError("bbox: south and north are from -90 to 90 degrees, and south is not above north")
        return box

    def contains(self, latitude_deg: Floats, longitude_deg: Floats) -> NDArray[np.bool_]:
        """Return which places are inside or on the border, (N,); none that is NaN."""
        east_of_west, west_of_east = longitude_deg >= self.west, longitude_deg <= self.east
        # Where west is greater than east, the box crosses the antimeridian.
        inside = east_of_west & west_of_east if self.west <= self.east else east_of_west | west_of_east
        found: NDArray[np.bool_] = inside & (latitude_deg >= self.south) & (latitude_deg <= self.north)
        return found


def select(
    picture: Picture, box: BoundingBox | None, classes: Sequence[int], statuses: Sequence[int]
) -> NDArray[np.bool_]:
    """Return which tracks are of the classes, of the statuses and in the box, (N,); an empty filter takes all."""
    tracks, placed = picture.tracks, picture.placed
    chosen = np.ones(len(tracks), dtype=bool)
    if box is not None:
        chosen &= box.contains(placed.latitude_deg, placed.longitude_deg)
    for wanted, column in ((classes, tracks.class_id), (statuses, tracks.status)):
        if wanted:
            chosen &= np.isin(column, wanted)
    return chosen


def collection(picture: Picture, chosen: NDArray[np.bool_], *, with_levels: bool) -> bytes:
    """Return a FeatureCollection of the chosen tracks; those without a place have no geometry (RFC 7946, 3.2).

    Args:
        picture: what to show.
        chosen: (N,) which tracks.
        with_levels: with threat levels.
    """
    features = _features(picture, with_levels)
    return orjson.dumps(
        {
            "type": "FeatureCollection",
            **picture.frame.head(),
            "features": [orjson.Fragment(features[i]) for i in np.flatnonzero(chosen)],
        }
    )


@lru_cache(maxsize=4)
def _features(picture: Picture, with_levels: bool) -> list[bytes]:
    """Return each track's feature; made once a picture for all filters."""
    placed = picture.placed
    columns: dict[str, list[Any]] = {
        "ground_speed_mps": rounded(placed.ground_speed, 3),
        "course_deg": rounded(placed.course_deg, 4),
        "climb_rate_mps": rounded(placed.velocity[:, 2], 3),
        "threat_level": [None] * len(picture.tracks),
    }
    if with_levels:
        assessed = picture.assessed
        levels = (assessed.get(track_id) for track_id in picture.tracks.track_id.tolist())
        columns["threat_level"] = [None if found is None else found[0].name for found in levels]
    places = zip(
        rounded(placed.longitude_deg, 7), rounded(placed.latitude_deg, 7), rounded(placed.altitude_m, 2), strict=True
    )
    return [
        orjson.dumps(
            {
                "type": "Feature",
                "id": row["track_id"],
                "geometry": {"type": "Point", "coordinates": place} if has_place else None,
                "properties": row | dict(zip(columns, more, strict=True)),
            }
        )
        for row, place, has_place, more in zip(
            picture.frame.rows.items,
            places,
            picture.has_place.tolist(),
            zip(*columns.values(), strict=True),
            strict=True,
        )
    ]
