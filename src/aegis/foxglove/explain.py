# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The service that tells why a track is what it is taken for: a question, which changes nothing."""

from __future__ import annotations

import json

import numpy as np

from aegis.core.finite import finite_or_none
from aegis.core.types import ClassId, Threats, Tracks, TrackStatus
from aegis.foxglove.messages import threat
from aegis.foxglove.server import Question

EXPLAIN = "/aegis/explain"
_REQUEST: dict[str, object] = {
    "type": "object",
    "properties": {"track_id": {"type": "integer"}},
    "required": ["track_id"],
}
_RESPONSE: dict[str, object] = {
    "type": "object",
    "properties": {
        "error": {"type": ["string", "null"]},
        "stamp": {"type": "number", "description": "of the tracks [s]"},
        "track": {"type": "object"},
        "threat": {"type": ["object", "null"]},
    },
}


class Explainer:
    """Answers by the last tracks and threats; each is replaced whole, as questions come in other threads."""

    def __init__(self) -> None:
        self.tracks: Tracks | None = None
        self.threats: Threats | None = None

    def question(self) -> Question:
        """Return the service."""
        return Question(_REQUEST, _RESPONSE, self.answer)

    def answer(self, request: bytes) -> bytes:
        """Return what is known of a track, or an `error` that says what is wrong with the request."""
        return json.dumps(self._answer(request), allow_nan=False).encode()

    def _answer(self, request: bytes) -> dict[str, object]:
        try:
            asked = json.loads(request)
            track_id = asked["track_id"]
        except (ValueError, TypeError, KeyError):
            return {"error": 'expected {"track_id": number}'}
        tracks, threats = self.tracks, self.threats
        if tracks is None:
            return {"error": "no tracks have come yet"}
        rows = np.flatnonzero(tracks.track_id == track_id) if isinstance(track_id, int) else np.empty(0, np.int64)
        if not len(rows):
            return {"error": f"no track {track_id} in the picture"}
        i = int(rows[0])
        chances = zip(ClassId, tracks.class_probability[i].tolist(), strict=True)
        assessed = None
        if threats is not None:
            places = np.flatnonzero(threats.track_id == track_id)
            assessed = threat(threats, int(places[0])) if len(places) else None
        return {
            "error": None,
            "stamp": tracks.stamp_ns * 1e-9,
            "track": {
                "track_id": track_id,
                "status": TrackStatus(int(tracks.status[i])).name,
                "class": ClassId(int(tracks.class_id[i])).name,
                "class_probability": {c.name: finite_or_none(p, 4) for c, p in chances},
                "state": [finite_or_none(v, 3) for v in tracks.state[i].tolist()],
                "sigma": [finite_or_none(v, 3) for v in np.sqrt(np.abs(np.diag(tracks.covariance[i]))).tolist()],
                "existence_probability": finite_or_none(tracks.existence_probability[i], 4),
                "age": finite_or_none(tracks.age[i], 2),
                "time_since_update": finite_or_none(tracks.time_since_update[i], 2),
                "hits": int(tracks.hits[i]),
            },
            "threat": assessed,
        }
