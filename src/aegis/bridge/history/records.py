# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Messages to be stored, and the rows they become."""

from __future__ import annotations

import json
import math
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

import numpy as np
import orjson
from sqlalchemy import Table

from aegis.bridge.history.acknowledged import Origin
from aegis.bridge.history.tables import DECISIONS, EVENTS, SIGMA_COLUMNS, STATE_COLUMNS, THREATS, TRACK_SAMPLES
from aegis.bridge.live.columns import position_sigma
from aegis.core.finite import finite_json
from aegis.core.types import Threats, Tracks
from aegis.ros.messages.reports import ReceivedEvent

Row: TypeAlias = dict[str, Any]  # values by column
ON_TIME_NS = 60 * 10**9  # within which of its stamp a message is on time: then its time of receipt is not kept
_EVENT_BYTES, _DECISION_BYTES, _THREAT_BYTES, _TRACK_BYTES = 200, 400, 150, 200  # in memory, about


class Kind(StrEnum):
    """The kinds of messages that are kept; tracks are the first to be refused near a limit."""

    EVENT = "event"
    THREATS = "threats"
    TRACKS = "tracks"
    DECISION = "decision"


TABLES = {Kind.EVENT: EVENTS, Kind.THREATS: THREATS, Kind.TRACKS: TRACK_SAMPLES, Kind.DECISION: DECISIONS}


@dataclass(frozen=True)
class Decision:
    """What a person decided."""

    id: str
    stamp_ns: int
    kind: str  # on what: `threat`, `ew_advice`
    target_id: int
    who: str
    accept: bool  # acknowledged, or rejected
    detail: str  # JSON
    address: str | None = None  # of the request
    request_id: str | None = None


Content: TypeAlias = ReceivedEvent | Threats | Tracks | Decision


@dataclass(slots=True)
class Message:
    """One message on its way to the disk."""

    content: Content
    at_ns: int
    done: Future[None] | None = None  # set when it is committed, where a caller waits

    @property
    def kind(self) -> Kind:
        """The kind of its content."""
        match self.content:
            case ReceivedEvent():
                return Kind.EVENT
            case Threats():
                return Kind.THREATS
            case Tracks():
                return Kind.TRACKS
            case Decision():
                return Kind.DECISION

    @property
    def bytes(self) -> int:
        """Its approximate size in memory."""
        match self.content:
            case ReceivedEvent(data_json=text):
                return _EVENT_BYTES + len(text)
            case Threats() as threats:
                return _THREAT_BYTES * len(threats)
            case Tracks() as tracks:
                return _TRACK_BYTES * len(tracks)
            case Decision(detail=text):
                return _DECISION_BYTES + len(text)

    @property
    def origin(self) -> Origin | None:
        """What identifies an event of this site."""
        event = self.content
        if not isinstance(event, ReceivedEvent) or event.site:  # what sites have recorded their uplinks keep count of
            return None
        return Origin(event.stage, event.run_id, event.epoch, event.sequence)

    def rows(self) -> list[Row]:
        """Return its rows."""
        match self.content:
            case ReceivedEvent() as event:
                return [_event_row(event, self._received_ns(event.stamp_ns))]
            case Threats() as threats:
                return _threat_rows(threats, self._received_ns(threats.stamp_ns))
            case Tracks() as tracks:
                return _track_rows(tracks, self._received_ns(tracks.stamp_ns))
            case Decision() as decision:
                return [asdict(decision)]

    def _received_ns(self, stamp_ns: int) -> int | None:
        """Return when it was received; None where that is about its stamp."""
        return None if abs(self.at_ns - stamp_ns) <= ON_TIME_NS else self.at_ns

    def key(self) -> list[int | str]:
        """Return the key that finds the rows of threats, tracks or decisions; events have row ids."""
        match self.content:
            case Threats(stamp_ns=stamp_ns, sensor_id=sensor_id) | Tracks(stamp_ns=stamp_ns, sensor_id=sensor_id):
                return [stamp_ns, sensor_id]
            case Decision(id=one):
                return [one]
            case _:
                raise TypeError(f"no key of {self.kind}")


class Keepable(Protocol):
    """What the record stores: a `Message`, or one of an earlier version."""

    @property
    def kind(self) -> Kind:
        """The kind of its content."""

    @property
    def at_ns(self) -> int:
        """When it was received, in ns since 1970."""

    @property
    def bytes(self) -> int:
        """Its approximate size in memory."""

    @property
    def origin(self) -> Origin | None:
        """What identifies an event."""

    def rows(self) -> list[Row]:
        """Return its rows."""

    def key(self) -> list[int | str]:
        """Return the key that finds the rows of threats, tracks or decisions; events have row ids."""


def json_text(value: object) -> str:
    """Return a value as JSON, what is not finite as null; also what orjson refuses: long integers, half surrogate pairs."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(finite_json(value))


def _event_row(event: ReceivedEvent, received_ns: int | None) -> Row:
    return {
        "run_id": event.run_id,
        "stage": event.stage,
        "epoch": event.epoch,
        "sequence": event.sequence,
        "stamp_ns": event.stamp_ns,
        "name": event.name,
        "severity": int(event.severity),
        "data": event.data_json,
        "received_ns": received_ns,
        "site": event.site or None,
    }


def _threat_rows(t: Threats, received_ns: int | None) -> list[Row]:
    shared = {"stamp_ns": t.stamp_ns, "sensor_id": t.sensor_id, "sequence": t.sequence, "received_ns": received_ns}
    columns = {
        "track_id": t.track_id.tolist(),
        "class_id": t.class_id.tolist(),
        "level": t.level.tolist(),
        "score": t.score,
        "time_to_cpa": t.time_to_cpa,
        "cpa_distance": t.cpa_distance,
        "cpa_distance_sigma": t.cpa_distance_sigma,
        "time_to_impact": t.time_to_impact,
        "reason": t.reason,
    }
    return _rows(shared, columns)


def _track_rows(t: Tracks, received_ns: int | None) -> list[Row]:
    columns = {
        "track_id": t.track_id.tolist(),
        "status": t.status.tolist(),
        "class_id": t.class_id.tolist(),
        **dict(zip(STATE_COLUMNS, t.state.T, strict=True)),
        **dict(zip(SIGMA_COLUMNS, position_sigma(t).T, strict=True)),
        "existence_probability": t.existence_probability,
        "rcs_dbsm": t.rcs_dbsm,
    }
    return _rows({"stamp_ns": t.stamp_ns, "sensor_id": t.sensor_id, "received_ns": received_ns}, columns)


def _rows(shared: Row, columns: dict[str, Any]) -> list[Row]:
    """Return a row for each object; numbers that are not finite are null."""
    lists = [
        [value if math.isfinite(value) else None for value in values.tolist()]
        if isinstance(values, np.ndarray)
        else values
        for values in columns.values()
    ]
    return [shared | dict(zip(columns, values, strict=True)) for values in zip(*lists, strict=True)]


def table_of(kind: str) -> Table:
    """Return the table of a kind of messages.

    Raises:
        ValueError: no such kind.
    """
    return TABLES[Kind(kind)]
