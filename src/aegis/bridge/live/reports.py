"""What stages report about themselves, as the bridge keeps it: events, and rows of status."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypedDict, TypeVar, cast

import orjson

from aegis.core.events import Severity
from aegis.ros.messages.fields import stamp_of
from aegis.ros.messages.reports import status_rows

T = TypeVar("T")

# What orjson reads, but not as it is written: integers beyond 64 bits; and line ends, which have no place in a log of lines.
_NOT_AS_IT_IS = re.compile(r"[0-9]{19}|[\r\n]")


@dataclass(frozen=True)
class GraphEvent:
    """One event of a stage; (run_id, stage, epoch, sequence) is it and no other."""

    stamp_ns: int
    run_id: str
    stage: str
    epoch: int
    sequence: int
    name: str
    severity: Severity
    text: str  # its data as JSON, in one line

    @property
    def stamp_s(self) -> float:
        """Seconds since 1970."""
        return self.stamp_ns / 1e9

    @cached_property
    def data(self) -> object:
        """The data, decoded when first asked for."""
        return orjson.loads(self.text)


@dataclass(frozen=True)
class Classifier:
    """The model that answers with classes."""

    model: str
    basis: str


class StatusRow(TypedDict):
    """A stage's row of PipelineStatus, in seconds; `detail` is decoded."""

    stage: str
    rate_hz: float
    step_p50: float
    step_p99: float
    latency_p50: float
    latency_p99: float
    received: int
    published: int
    dropped: int
    objects_dropped: int
    sequence_gaps: int
    errors: int
    detail: object


def event_from_msg(m: Any) -> GraphEvent:
    """Return the event of an aegis_msgs/Event.

    Raises:
        ValueError: an unknown severity, or data that cannot be passed on as JSON.
    """
    return GraphEvent(
        stamp_ns=stamp_of(m),
        run_id=m.run_id,
        stage=m.stage,
        epoch=m.epoch,
        sequence=m.sequence,
        name=m.name,
        severity=Severity(m.severity),
        text=_checked(m.data) if m.data else "{}",
    )


def rows_from_msg(m: Any) -> list[StatusRow]:
    """Return the rows of an aegis_msgs/PipelineStatus.

    Raises:
        ValueError: arrays of different lengths, or a detail that cannot be passed on as JSON.
    """
    rows = status_rows(m)
    _encode(rows)
    return cast(list[StatusRow], rows)


def _checked(text: str) -> str:
    """Return a JSON text that every client can read: as it is, where that is so."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:  # NaN, half a surrogate pair, or no JSON at all
        pass
    else:
        if not _NOT_AS_IT_IS.search(text):
            return text
    return _encode(json.loads(text)).decode()


def _encode(value: object) -> bytes:
    """Return the JSON of a value.

    Raises:
        ValueError: JSON allows integers beyond 64 bits and halves of surrogate pairs, which our encoder and others do not take.
    """
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        raise ValueError(f"cannot be passed on as JSON: {error}") from error
