# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The history: threats, tracks, events and decisions of the past."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from sqlalchemy import Connection

from aegis.bridge.accounts.scopes import Scope
from aegis.bridge.bridge import bridge_of
from aegis.bridge.history import queries
from aegis.bridge.history.replay import picture
from aegis.bridge.http.answer import json_response
from aegis.bridge.models.common import NotYet
from aegis.bridge.models.history import (
    LAST_TRACK_ID,
    DecisionQuery,
    Decisions,
    EventQuery,
    HistoryStatus,
    PastEvents,
    PastThreats,
    Replay,
    ReplayQuery,
    RunQuery,
    ThreatQuery,
    TrackHistory,
)
from aegis.bridge.routes.access import require
from aegis.bridge.routes.answers import Responses, problem

ANSWERS: Responses = {
    **problem(400, "a parameter is wrong; `detail` names it, and what is expected"),
    503: {"model": NotYet, "description": "the database is away, or would take too long; `waiting_for` is `database`"},
}
router = APIRouter(tags=["history"])


@router.get(
    "/api/threats/history",
    response_model=PastThreats,
    responses=ANSWERS,
    dependencies=[Depends(require(Scope.THREATS_READ))],
)
async def threats(request: Request, query: Annotated[ThreatQuery, Query()]) -> Response:
    """Return how tracks were assessed, newest first."""
    return await _answer(request, partial(queries.threats, query=query))


@router.get(
    "/api/radar/tracks/{track_id}/history",
    response_model=TrackHistory,
    responses=ANSWERS,
    dependencies=[Depends(require(Scope.RADAR_READ))],
)
async def track(
    request: Request, track_id: Annotated[int, Path(ge=0, le=LAST_TRACK_ID)], query: Annotated[RunQuery, Query()]
) -> Response:
    """Return where a track was, newest first, about once a second; nothing of one that never was."""
    answer = partial(queries.track, track_id=track_id, query=query)
    return await _answer(request, answer, track_id=track_id)


@router.get(
    "/api/events",
    response_model=PastEvents,
    responses=ANSWERS,
    dependencies=[Depends(require(Scope.METRICS_READ))],
)
async def events(request: Request, query: Annotated[EventQuery, Query()]) -> Response:
    """Return what happened in the stages, newest first."""
    return await _answer(request, partial(queries.events, query=query))


@router.get(
    "/api/decisions",
    response_model=Decisions,
    responses=ANSWERS,
    dependencies=[Depends(require(Scope.EW_ACKNOWLEDGE))],
)
async def decisions(request: Request, query: Annotated[DecisionQuery, Query()]) -> Response:
    """Return who decided what, newest first."""
    return await _answer(request, partial(queries.decisions, query=query))


@router.get(
    "/api/replay",
    response_model=Replay,
    responses=ANSWERS,
    dependencies=[Depends(require(Scope.RADAR_READ)), Depends(require(Scope.THREATS_READ))],
)
async def replay(request: Request, query: Annotated[ReplayQuery, Query()]) -> Response:
    """Return the picture as it was at a time, of the run that lived then: not what was played later, unless none did.

    A picture is kept about once a second; one without tracks is not.
    """
    past = await bridge_of(request).history.read(
        partial(picture, at_ns=query.at_ns, trail_ns=round(query.trail_s * 1e9), run_id=query.run_id)
    )
    stamp_s = None if past.stamp_ns is None else past.stamp_ns / 1e9
    return json_response(
        {
            "t_s": query.t,
            "runs": past.runs,
            "run_id": past.run_id,
            "received_s": None if past.received_ns is None else past.received_ns / 1e9,
            "stamp_s": stamp_s,
            "age_s": None if stamp_s is None else round(max(0.0, query.t - stamp_s), 3),
            "tracks": past.tracks,
            "threats": past.threats,
            "trail_stamps_s": past.trail_stamps_s,
            "trails": past.trails,
        }
    )


@router.get(
    "/api/history/status",
    response_model=HistoryStatus,
    dependencies=[Depends(require(Scope.METRICS_READ))],
)
async def status(request: Request) -> Response:
    """Return how far back history goes, what waits to get into it, and what is acknowledged."""
    history = bridge_of(request).history
    counts = history.counts()
    return json_response(
        {
            "database": {
                "state": counts["database"],
                "since_s": counts["database_since_s"],
                "reason": counts["database_reason"],
                "bytes": counts["database_bytes"],
            },
            "backlog": {
                "messages": counts["backlog_messages"],
                "bytes": counts["backlog_bytes"],
                "age_s": counts["backlog_age_s"],
            },
            **{
                name: counts[name]
                for name in (
                    "queue_messages",
                    "journaled",
                    "shipped",
                    "refused",
                    "dropped",
                    "removed_by_age",
                    "removed_by_size",
                    "journal_failures",
                    "journals_set_aside",
                )
            },
            "acknowledged": history.acknowledged(),
            "oldest_s": history.oldest_s(),
        }
    )


async def _answer(request: Request, query: Callable[[Connection], queries.Found], **more: Any) -> Response:
    history = bridge_of(request).history
    found = await history.read(query)
    return json_response(
        {
            **more,
            "count": found.count,
            "pending": history.pending,
            "next_cursor": found.next_cursor,
            "items": orjson.Fragment(found.items),
        }
    )
