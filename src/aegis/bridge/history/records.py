"""What is kept, on its way to the database: one JSON of each message in the journal, and the rows that become of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import numpy as np
import orjson
from sqlalchemy import Table

from aegis.bridge.history.tables import DECISIONS, EVENTS, SIGMA_COLUMNS, STATE_COLUMNS, THREATS, TRACK_SAMPLES
from aegis.bridge.live.columns import position_sigma
from aegis.core.finite import finite_json
from aegis.core.types import Threats, Tracks
from aegis.ros.messages.reports import ReceivedEvent


class Kind(StrEnum):
    """The kinds of messages that are kept; tracks are the first to be refused where room is short."""

    EVENT = "event"
    THREATS = "threats"
    TRACKS = "tracks"
    DECISION = "decision"


TABLES = {Kind.EVENT: EVENTS, Kind.THREATS: THREATS, Kind.TRACKS: TRACK_SAMPLES, Kind.DECISION: DECISIONS}


def json_text(value: Any) -> str:
    """Return a value as JSON, what is not finite as null; also what orjson refuses: long integers, half surrogate pairs."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(finite_json(value))


def encode_event(event: ReceivedEvent) -> bytes:
    """Return the journal's JSON of an event."""
    names = ("run_id", "stage", "epoch", "sequence", "stamp_ns", "name", "severity")
    return orjson.dumps({**{name: getattr(event, name) for name in names}, "data": event.data_json})


def encode_threats(t: Threats) -> bytes:
    """Return the journal's JSON of an assessment: what all its rows share, and columns."""
    return _columns(
        {
            "stamp_ns": t.stamp_ns,
            "sensor_id": t.sensor_id,
            "sequence": t.sequence,
            "track_id": t.track_id,
            "class_id": t.class_id,
            "level": t.level,
            "score": t.score,
            "time_to_cpa": t.time_to_cpa,
            "cpa_distance": t.cpa_distance,
            "cpa_distance_sigma": t.cpa_distance_sigma,
            "time_to_impact": t.time_to_impact,
            "reason": t.reason,
        }
    )


def encode_tracks(t: Tracks) -> bytes:
    """Return the journal's JSON of a picture of tracks: what all its rows share, and columns."""
    return _columns(
        {
            "stamp_ns": t.stamp_ns,
            "sensor_id": t.sensor_id,
            "track_id": t.track_id,
            "status": t.status,
            "class_id": t.class_id,
            **dict(zip(STATE_COLUMNS, t.state.T, strict=True)),
            **dict(zip(SIGMA_COLUMNS, position_sigma(t).T, strict=True)),
            "existence_probability": t.existence_probability,
        }
    )


def _columns(values: dict[str, Any]) -> bytes:
    contiguous = {k: np.ascontiguousarray(v) if isinstance(v, np.ndarray) else v for k, v in values.items()}
    return orjson.dumps(contiguous, option=orjson.OPT_SERIALIZE_NUMPY)


def encode_decision(decision: Mapping[str, Any]) -> bytes:
    """Return the journal's JSON of a row of the table of decisions."""
    return orjson.dumps({**decision, "detail": json_text(decision["detail"])})


def decode(kind: str, payload: bytes) -> tuple[Table, list[dict[str, Any]]]:
    """Return the table and the rows that a message of the journal becomes.

    Raises:
        ValueError: no such kind, no JSON, or columns of different lengths.
        TypeError, KeyError: not the JSON that was written for the kind.
    """
    table = TABLES[Kind(kind)]
    values = orjson.loads(payload)
    if kind in (Kind.EVENT, Kind.DECISION):
        return table, [values]
    n = len(values["track_id"])
    columns = [value if isinstance(value, list) else [value] * n for value in values.values()]
    return table, [dict(zip(values, row, strict=True)) for row in zip(*columns, strict=True)]
