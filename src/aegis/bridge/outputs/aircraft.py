# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tracks in the format of dump1090 and readsb, for maps such as tar1090.

The fields are those of readsb's README-json.md. A field is left out where its value is unknown.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aegis import __version__
from aegis.bridge.live.columns import rounded
from aegis.bridge.outputs.cat062 import MAX_ALTITUDE_SIGMA_M
from aegis.bridge.outputs.feed import Feed, Picture
from aegis.core.site import Site
from aegis.core.types import ClassId, Floats

FOOT_M = 0.3048
KNOT_MPS = 1852.0 / 3600.0
FOOT_PER_MINUTE_MPS = FOOT_M / 60.0
REFRESH_MS = 1000
# Of the emitter categories of DO-260B (2.2.3.2.5.2), those that a class names without doubt.
_CATEGORIES = {int(ClassId.HELICOPTER): "A7", int(ClassId.DRONE): "B6"}
# readsb: "traffic information about a non-ADS-B target using a track/file identifier, typically from primary ... radar".
_TYPE = "tisb_trackfile"


def receiver(site: Site) -> dict[str, Any]:
    """Return the body of receiver.json."""
    return {
        "version": f"aegis {__version__}",
        "refresh": REFRESH_MS,
        "history": 0,
        "lat": site.latitude_deg,
        "lon": site.longitude_deg,
    }


def aircraft(feed: Feed, picture: Picture) -> dict[str, Any]:
    """Return the body of aircraft.json: the established tracks. `messages` counts the tracks of all pictures so far."""
    return {"now": round(time.time(), 3), "messages": feed.reports, "aircraft": _rows(picture)}


def _rows(picture: Picture) -> list[dict[str, Any]]:
    shown = picture.established
    tracks, placed = picture.tracks, picture.placed
    high = placed.position_sigma[shown, 2] <= MAX_ALTITUDE_SIGMA_M  # what is known no better is not known
    seen = rounded(np.maximum(picture.frame.age_s + tracks.time_since_update[shown], 0.0), 1)
    columns: dict[str, list[Any]] = {
        # 24 bits, as of an address: ids that are far enough apart to be confused are never alive together.
        "hex": [f"~{track_id & 0xFFFFFF:06x}" for track_id in tracks.track_id[shown].tolist()],
        "type": [_TYPE] * len(seen),
        "category": [_CATEGORIES.get(class_id) for class_id in tracks.class_id[shown].tolist()],
        "lat": rounded(placed.latitude_deg[shown], 6),
        "lon": rounded(placed.longitude_deg[shown], 6),
        "alt_geom": _whole(placed.altitude_m[shown] / FOOT_M, high),
        "gs": rounded(placed.ground_speed[shown] / KNOT_MPS, 1),
        "track": rounded(placed.course_deg[shown], 4),
        "geom_rate": _whole(placed.velocity[shown, 2] / FOOT_PER_MINUTE_MPS, high),
        "messages": tracks.hits[shown].tolist(),
        "seen": seen,
        "seen_pos": seen,
    }
    names = tuple(columns)
    return [
        # NaN is what does not equal itself.
        {name: value for name, value in zip(names, row, strict=True) if value is not None and value == value}
        for row in zip(*columns.values(), strict=True)
    ]


def _whole(values: Floats, known: NDArray[np.bool_]) -> list[int | None]:
    """Return the rounded values, (N,), as feet and feet a minute are written; None where they are not known."""
    return [round(value) if is_known else None for value, is_known in zip(values.tolist(), known.tolist(), strict=True)]
