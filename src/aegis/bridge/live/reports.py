# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What stages report about themselves, as the bridge keeps it: events, and rows of status."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TypedDict, cast

import orjson
from aegis_msgs.msg import Event, PipelineStatus

from aegis.ros.messages import reports
from aegis.ros.messages.columns import read_from_msg
from aegis.ros.messages.reports import ReceivedEvent

_LINE_END = re.compile(r"[\r\n]")  # which has no place in a log of lines


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


@read_from_msg
def event_from_msg(m: Event) -> ReceivedEvent:
    """Return the event of an aegis_msgs/Event; its JSON is in one line.

    Raises:
        MalformedError: an unknown severity, or data that cannot be passed on as JSON.
    """
    event = reports.event_from_msg(m)
    text = _encode(event.data)
    return replace(event, data_json=text.decode()) if _LINE_END.search(event.data_json) else event


@read_from_msg
def event_of_site(m: Event) -> ReceivedEvent:
    """Return the event of a message of the topic `site_events`, whose stage is SITE/STAGE.

    Raises:
        MalformedError: it is not, or as in `event_from_msg`.
    """
    event = event_from_msg(m)
    site, _, stage = event.stage.partition("/")
    if not (site and stage):
        raise ValueError(f"an event of a site whose stage '{event.stage}' is not SITE/STAGE")
    return replace(event, site=site)


@read_from_msg
def rows_from_msg(m: PipelineStatus) -> list[StatusRow]:
    """Return the rows of an aegis_msgs/PipelineStatus.

    Raises:
        MalformedError: arrays of different lengths, or a detail that cannot be passed on as JSON.
    """
    rows = reports.status_rows(m)
    _encode(rows)
    return cast(list[StatusRow], rows)


def _encode(value: object) -> bytes:
    """Return the JSON of a value.

    Raises:
        ValueError: JSON allows integers beyond 64 bits and halves of surrogate pairs, which our encoder and others do not take.
    """
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        raise ValueError(f"cannot be passed on as JSON: {error}") from error
